//! A method and a raw path → the endpoint that they mean, and the names in the path.
//!
//! A path is cut at its slashes first, and the escapes of a name are resolved then: `https%3A%2F%2Fx` and
//! `https:%2F%2Fx` are one name. What clients further away could have read in another way is refused, not
//! repaired.

use http::Method;
use percent_encoding::percent_decode_str;

use super::Endpoint;

/// Why no endpoint was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfound {
    /// There is one at the path, for other methods; `HEAD` is among them where `GET` is.
    Method(Vec<Method>),
    /// There is none.
    Path,
    /// A name in the path cannot be read.
    Spelling(&'static str),
}

impl Endpoint {
    /// The endpoint that is meant, and the segments of its path that may be anything, their escapes
    /// resolved. `HEAD` means what `GET` does. Where several fit, it is the one whose path says most.
    ///
    /// # Errors
    /// When there is none, and why.
    pub fn find(method: &Method, raw_path: &str) -> Result<(Self, Vec<String>), Unfound> {
        let method = if *method == Method::HEAD { &Method::GET } else { method };
        let fitting = Self::ALL.iter().copied().filter(|endpoint| endpoint.fits(raw_path));
        let mut fitting: Vec<Self> = fitting.collect();
        // A name may be anything else than the segment that another path has in its place.
        fitting.sort_by_key(|endpoint| endpoint.path().matches('{').count());
        match fitting.iter().find(|endpoint| endpoint.method() == *method) {
            Some(endpoint) => Ok((*endpoint, endpoint.names(raw_path)?)),
            None if fitting.is_empty() => Err(Unfound::Path),
            None => Err(Unfound::Method(methods(&fitting))),
        }
    }

    /// The path by which the gate knows it: one without any escape, whatever the names are.
    pub fn operation(self) -> String {
        let segments = self.path().split('/');
        let segments = segments.map(|segment| if is_name(segment) { "id" } else { segment });
        segments.collect::<Vec<_>>().join("/")
    }

    /// Whether a path has the segments of this one's. No name is empty.
    fn fits(self, raw_path: &str) -> bool {
        let (mut segments, mut raw) = (self.path().split('/'), raw_path.split('/'));
        loop {
            match (segments.next(), raw.next()) {
                (None, None) => return true,
                (Some(name), Some(raw)) if is_name(name) && !raw.is_empty() => {}
                (Some(segment), Some(raw)) if segment == raw => {}
                _ => return false,
            }
        }
    }

    fn names(self, raw_path: &str) -> Result<Vec<String>, Unfound> {
        let segments = self.path().split('/').zip(raw_path.split('/'));
        segments.filter(|(name, _)| is_name(name)).map(|(_, raw)| resolve(raw)).collect()
    }
}

/// Whether a segment of an endpoint's path may be anything.
fn is_name(segment: &str) -> bool {
    segment.starts_with('{')
}

fn methods(endpoints: &[Endpoint]) -> Vec<Method> {
    let mut methods = Vec::new();
    for method in endpoints.iter().map(|endpoint| endpoint.method()) {
        if !methods.contains(&method) {
            methods.push(method);
        }
    }
    if methods.contains(&Method::GET) {
        methods.push(Method::HEAD);
    }
    methods
}

/// A segment with its escapes resolved.
fn resolve(raw: &str) -> Result<String, Unfound> {
    let mut parts = raw.split('%');
    parts.next();
    let is_escape = |part: &str| {
        part.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if !parts.all(is_escape) {
        return Err(Unfound::Spelling("`%` without two hexadecimal digits"));
    }
    let name = percent_decode_str(raw).decode_utf8();
    let name = name.map_err(|_| Unfound::Spelling("escapes that are not UTF-8"))?;
    if matches!(&*name, "." | "..") {
        return Err(Unfound::Spelling("a dot segment"));
    }
    if name.chars().any(char::is_control) {
        return Err(Unfound::Spelling("a control character"));
    }
    Ok(name.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(method: &Method, path: &str) -> Result<(Endpoint, Vec<String>), Unfound> {
        Endpoint::find(method, path)
    }

    #[test]
    fn an_identifier_is_one_name_however_it_is_escaped() {
        for path in ["https%3A%2F%2Fx", "https:%2F%2Fx", "https%3a%2f%2f%78"] {
            let path = format!("/api/v2/resource-servers/{path}");
            let found = find(&Method::GET, &path);
            assert_eq!(found, Ok((Endpoint::GetApi, vec!["https://x".to_owned()])), "{path}");
        }
        assert_eq!(find(&Method::GET, "/api/v2/resource-servers/https://x"), Err(Unfound::Path));
    }

    #[test]
    fn each_endpoint_is_found_at_its_own_path() {
        for &endpoint in Endpoint::ALL {
            let names: Vec<_> = endpoint.path().split('/').filter(|it| is_name(it)).collect();
            let found = find(&endpoint.method(), endpoint.path());
            let names = names.into_iter().map(str::to_owned).collect();
            assert_eq!(found, Ok((endpoint, names)));
        }
    }

    #[test]
    fn what_a_path_says_comes_before_what_it_leaves_open() {
        let search = "/api/v2/resource-servers/search";
        assert_eq!(find(&Method::GET, search), Ok((Endpoint::SearchApis, Vec::new())));
        let named = Ok((Endpoint::UpdateApi, vec!["search".to_owned()]));
        assert_eq!(find(&Method::PATCH, search), named);
    }

    #[test]
    fn a_head_is_a_get_and_other_methods_are_told_which_there_are() {
        let found = find(&Method::HEAD, "/api/v2/clients");
        assert_eq!(found, Ok((Endpoint::ListClients, Vec::new())));
        let methods = |methods: &[Method]| Err(Unfound::Method(methods.to_vec()));
        let found = find(&Method::PUT, "/api/v2/client-grants/x");
        assert_eq!(found, methods(&[Method::GET, Method::PATCH, Method::DELETE, Method::HEAD]));
        assert_eq!(find(&Method::GET, "/oauth/token"), methods(&[Method::POST]));
        assert_eq!(find(&Method::HEAD, "/oauth/token"), methods(&[Method::POST]));
    }

    #[test]
    fn no_other_spelling_of_a_path_is_one() {
        for path in [
            "",
            "/",
            "/api/v2",
            "/api/v2/",
            "/api/v2/client-grants/",
            "/api/v2/client-grants//organizations",
            "//api/v2/client-grants",
            "/api/v2/Client-Grants",
            "/api/v2/client%2Dgrants",
            "/api/v2/./client-grants",
            "/api/v2/client-grants/a/b",
            "/api/v2/client-grants;a=b",
        ] {
            assert_eq!(find(&Method::GET, path), Err(Unfound::Path), "{path}");
        }
        for name in ["%", "%2", "%zz", "a%2", "%ff", "%c0%af", ".", "..", "%2e%2E", "a%00", "%0a"] {
            let path = format!("/api/v2/client-grants/{name}");
            let found = find(&Method::GET, &path);
            assert!(matches!(found, Err(Unfound::Spelling(_))), "{name}: {found:?}");
        }
    }
}
