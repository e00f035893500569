//! A request's head, read in one way or refused.
//!
//! In come the parts of a request as hyper parsed it, out goes its [`Target`]: host, path and query,
//! each in the one spelling that is both matched and forwarded. What could be read in two ways is refused
//! here, before anything is decided; some of it hyper refuses or repairs before we see it.

use http::header::{AUTHORIZATION, CONNECTION};
use http::request::Parts;
use http::uri::{PathAndQuery, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, Version};

use crate::config::snapshot::Limits;
use crate::gate::{Code, Host, Refusal, check_framing, malformed};
use crate::route::CanonPath;
use crate::token::{self, Credential, TokenError};

use super::Via;
use super::names;
use super::upgrade::Handshake;

/// What a request aims at.
#[derive(Debug)]
pub(super) struct Target {
    path_and_query: PathAndQuery,
    /// The host in its normal spelling, with the port where one came.
    host: HeaderValue,
    /// Of the host, how much comes before the port.
    name_bytes: usize,
}

impl Target {
    /// Reads the head of a request.
    pub(super) fn read(parts: &Parts, limits: &Limits, via: &Via) -> Result<Self, Refusal> {
        let path_and_query = path_and_query(parts, limits)?;
        check_method(&parts.method)?;
        let host = Host::of(parts)?;
        check_framing(&parts.headers)?;
        check_connection(&parts.headers)?;
        if via.is_in(&parts.headers) {
            return Err(Code::LoopDetected.into());
        }
        let name_bytes = host.name.len();
        let host = match host.port {
            Some(port) => format!("{}:{port}", host.name),
            None => host.name.into_owned(),
        };
        let host = HeaderValue::try_from(host).map_err(|_| malformed("`Host` is no host"))?;
        Ok(Self { path_and_query, host, name_bytes })
    }

    /// The host in its normal spelling, without port.
    pub(super) fn host(&self) -> &str {
        self.host.to_str().ok().and_then(|host| host.get(..self.name_bytes)).unwrap_or_default()
    }

    /// The host as it is forwarded.
    pub(super) fn host_and_port(&self) -> &HeaderValue {
        &self.host
    }

    /// The path in its one spelling.
    pub(super) fn path(&self) -> Result<CanonPath<'_>, Refusal> {
        CanonPath::parse(self.path_and_query.path())
            .map_err(|error| Refusal::new(Code::PathAmbiguous, error.to_string()))
    }

    /// The query as it came.
    pub(super) fn query(&self) -> Option<&str> {
        self.path_and_query.query()
    }

    /// The target of the forwarded request: `path`, which may lack a prefix of ours, and the query.
    pub(super) fn onward(&self, path: &str) -> Result<Uri, Refusal> {
        if path == self.path_and_query.path() {
            return Ok(self.path_and_query.clone().into());
        }
        let target = match self.query() {
            Some(query) => format!("{path}?{query}"),
            None => path.to_owned(),
        };
        PathAndQuery::try_from(target)
            .map(Uri::from)
            .map_err(|_| malformed("the target cannot be forwarded"))
    }
}

/// The request's credential, or why it cannot be told.
pub(super) fn credential<'a>(
    headers: &'a HeaderMap,
    target: &Target,
    handshake: Option<&'a Handshake>,
) -> Result<Option<Credential<'a>>, TokenError> {
    if let Some(handshake) = handshake {
        return handshake.credential(headers, target.query());
    }
    let values = headers.get_all(AUTHORIZATION).iter().map(HeaderValue::as_bytes);
    token::credential(values, target.query())
}

fn path_and_query(parts: &Parts, limits: &Limits) -> Result<PathAndQuery, Refusal> {
    let uri = &parts.uri;
    // In HTTP/2 these have fields of their own.
    let before = if parts.version == Version::HTTP_2 {
        0
    } else {
        uri.scheme_str().map_or(0, |scheme| scheme.len() + "://".len())
            + uri.authority().map_or(0, |authority| authority.as_str().len())
    };
    let path_and_query = uri.path_and_query();
    if before + path_and_query.map_or(0, |it| it.as_str().len()) > limits.uri_bytes {
        return Err(Code::UriTooLong.into());
    }
    let origin = uri.scheme().is_none() && uri.authority().is_none();
    let absolute = [Some(&Scheme::HTTP), Some(&Scheme::HTTPS)].contains(&uri.scheme())
        && uri.authority().is_some();
    if path_and_query.and_then(PathAndQuery::query).is_some_and(|query| !query.is_ascii()) {
        return Err(malformed("the query holds what it should escape"));
    }
    match path_and_query {
        Some(it) if (origin || absolute) && it.path().starts_with('/') => Ok(it.clone()),
        Some(_) | None => Err(malformed("the target is neither a path nor a URL")),
    }
}

/// `CONNECT` asks for a tunnel and `TRACE` for what was added on the way, credentials too.
fn check_method(method: &Method) -> Result<(), Refusal> {
    if [Method::CONNECT, Method::TRACE].contains(method) {
        return Err(malformed("the method is not served"));
    }
    Ok(())
}

/// `Connection` may name fields of one connection, and of the client's own (RFC 9110 section 7.6.1).
fn check_connection(headers: &HeaderMap) -> Result<(), Refusal> {
    for value in headers.get_all(CONNECTION) {
        let value = value.to_str().map_err(|_| malformed("`Connection` cannot be read"))?;
        for option in value.split(',').map(str::trim).filter(|option| !option.is_empty()) {
            let name = HeaderName::try_from(option)
                .map_err(|_| malformed("`Connection` cannot be read"))?;
            if names::must_stay(name.as_str()) {
                return Err(malformed("`Connection` names a field that is not its own"));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use http::Request;
    use http::header::HOST;

    use super::*;

    const LIMITS: Limits = Limits {
        header_bytes: 32 * 1024,
        uri_bytes: 64,
        body_bytes: None,
        connections: 1,
        streams: 1,
        token_cache_bytes: 0,
    };

    fn read(request: http::request::Builder) -> Result<Target, Code> {
        let (parts, ()) = request.body(()).unwrap().into_parts();
        Target::read(&parts, &LIMITS, &Via::new()).map_err(|refusal| refusal.code)
    }

    fn with_host(host: &str) -> Result<Target, Code> {
        read(Request::get("/").header(HOST, host))
    }

    #[test]
    fn the_host_is_matched_and_forwarded_in_one_spelling() {
        for (raw, name, forwarded) in [
            ("api.example.com", "api.example.com", "api.example.com"),
            ("API.Example.com.:8080", "api.example.com", "api.example.com:8080"),
            ("127.0.0.1:80", "127.0.0.1", "127.0.0.1:80"),
        ] {
            let target = with_host(raw).unwrap();
            assert_eq!(
                (target.host(), target.host_and_port().to_str().unwrap()),
                (name, forwarded)
            );
        }
        for address in ["[::1]", "[::1]:8080"] {
            let target = with_host(address).unwrap();
            assert_eq!(target.host_and_port(), address);
            assert!(address.starts_with(target.host()) && !target.host().is_empty());
        }
    }

    #[test]
    fn there_is_one_well_formed_host() {
        for bad in ["", "a:", "a@b", "a,b", "a b", "a:b", "a:99999", "http://a", "a/b", "a..b"] {
            assert_eq!(with_host(bad).unwrap_err(), Code::RequestMalformed, "{bad}");
        }
        assert_eq!(read(Request::get("/")).unwrap_err(), Code::RequestMalformed);
        let twice = Request::get("/").header(HOST, "a").header(HOST, "a");
        assert_eq!(read(twice).unwrap_err(), Code::RequestMalformed);
    }

    #[test]
    fn a_url_as_target_names_the_same_host() {
        for (target, host, ok) in [
            ("http://a/p?q", "a", true),
            ("https://A:80/", "a:80", true),
            ("http://a", "a", true),
            ("http://b/", "a", false),
            ("http://a:80/", "a", false),
            ("http://user@a/", "a", false),
            ("ftp://a/", "a", false),
            ("a:80", "a:80", false),
            ("*", "a", false),
        ] {
            let read = read(Request::get(target).header(HOST, host));
            assert_eq!(read.as_ref().err(), (!ok).then_some(&Code::RequestMalformed), "{target}");
        }
    }

    #[test]
    fn in_http2_the_authority_is_the_host_and_a_host_beside_it_says_the_same() {
        for (target, hosts, expected) in [
            ("https://API.example.com./p", &[][..], Some("api.example.com")),
            ("http://a:80/p", &["a:80"], Some("a:80")),
            ("/p", &["a"], Some("a")),
            ("https://a/p", &["b"], None),
            ("https://a/p", &["a:443"], None),
            ("https://a/p", &["a", "a"], None),
            ("https://a/p", &[""], None),
            ("https://user@a/p", &[], None),
            ("https://user@a/p", &["a"], None),
            ("ftp://a/p", &[], None),
            ("/p", &[], None),
        ] {
            let request = Request::get(target).version(Version::HTTP_2);
            let request = hosts.iter().fold(request, |it, host| it.header(HOST, *host));
            let read = read(request);
            let host = read.as_ref().ok().map(|target| target.host_and_port().to_str().unwrap());
            assert_eq!(host, expected, "{target} {hosts:?}");
        }
        // Only the path is a target there.
        let long = format!("https://{}.example/{}", "a".repeat(60), "b".repeat(63));
        assert!(read(Request::get(long).version(Version::HTTP_2)).is_ok());
    }

    #[test]
    fn what_is_no_request_of_an_application_is_refused() {
        for method in [Method::CONNECT, Method::TRACE] {
            let request = Request::builder().method(method).uri("/").header(HOST, "a");
            assert_eq!(read(request).unwrap_err(), Code::RequestMalformed);
        }
        let long = format!("/{}", "a".repeat(64));
        assert_eq!(read(Request::get(long).header(HOST, "a")).unwrap_err(), Code::UriTooLong);
    }

    #[test]
    fn there_is_one_framing() {
        for (fields, ok) in [
            (&[("content-length", "3")][..], true),
            (&[("transfer-encoding", "Chunked")], true),
            (&[("content-length", "3"), ("content-length", "3")], false),
            (&[("content-length", "3"), ("transfer-encoding", "chunked")], false),
            (&[("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")], false),
            (&[("transfer-encoding", "gzip, chunked")], false),
            (&[("transfer-encoding", "identity")], false),
        ] {
            let request = Request::post("/").header(HOST, "a");
            let request = fields.iter().fold(request, |it, (name, value)| it.header(*name, *value));
            assert_eq!(read(request).is_ok(), ok, "{fields:?}");
        }
    }

    #[test]
    fn connection_removes_no_field_of_ours() {
        for (value, ok) in [
            ("keep-alive", true),
            ("close, X-Mine, TE, upgrade", true),
            ("Grantgate-Client-Id", false),
            ("close, grantgate_subject", false),
            ("Authorization", false),
            ("host", false),
            ("content-length", false),
            ("transfer-encoding", false),
            ("x_forwarded_for", false),
            ("via", false),
            ("a b", false),
        ] {
            let request = Request::get("/").header(HOST, "a").header(CONNECTION, value);
            assert_eq!(read(request).is_ok(), ok, "{value}");
        }
    }

    #[test]
    fn what_is_forwarded_is_the_path_that_was_matched() {
        let target = read(Request::get("/%6frders/1?a=%zz&b").header(HOST, "a")).unwrap();
        let path = target.path().unwrap();
        assert_eq!(target.onward(path.as_str()).unwrap(), "/orders/1?a=%zz&b");
        let target = read(Request::get("/a/../b").header(HOST, "a")).unwrap();
        assert_eq!(target.path().unwrap_err().code, Code::PathAmbiguous);
    }
}
