//! Preflights: what a browser asks before it lets a page of another origin send a request (Fetch,
//! section "CORS-preflight request").
//!
//! In come a request's method, header fields and query, and whether it has a body. Out comes a
//! [`Preflight`], or nothing where the request could be anything else: such a one is decided like any other.
//! A preflight is a question about a request, and never that request itself: who asks is not known, nor
//! needed.

use http::header::{ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, GetAll, ORIGIN};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::config::snapshot::Cors;
use crate::token;

/// What a browser asks.
#[derive(Debug)]
pub struct Preflight<'a> {
    /// Whose page would send the request.
    origin: &'a HeaderValue,
    /// With which method.
    pub method: Method,
    /// With which header fields, as they are listed.
    headers: GetAll<'a, HeaderValue>,
    /// Whether its target carries a token, which would be one for whoever it reached.
    pub has_token: bool,
}

impl<'a> Preflight<'a> {
    /// Reads a preflight: `OPTIONS` without a body, with one `Origin` and one
    /// `Access-Control-Request-Method` that names a method of an application.
    pub fn read(
        method: &Method,
        headers: &'a HeaderMap,
        query: Option<&str>,
        has_body: bool,
    ) -> Option<Self> {
        if *method != Method::OPTIONS || has_body {
            return None;
        }
        let asked = only(headers, &ACCESS_CONTROL_REQUEST_METHOD)?;
        let asked = Method::from_bytes(asked.as_bytes()).ok()?;
        let is_served = ![Method::CONNECT, Method::TRACE].contains(&asked);
        is_served.then_some(Self {
            origin: only(headers, &ORIGIN)?,
            method: asked,
            headers: headers.get_all(ACCESS_CONTROL_REQUEST_HEADERS),
            has_token: query.is_some_and(token::is_in_query),
        })
    }

    /// Whether pages of its origin may do what it asks.
    pub(super) fn is_allowed(&self, cors: &Cors) -> bool {
        let is_get_or_head = self.method == Method::HEAD && cors.methods.contains(&Method::GET);
        cors.origins.admit(self.origin.as_bytes())
            && (is_get_or_head || cors.methods.contains(&self.method))
            && self.headers.iter().all(|listed| are_among(listed.as_bytes(), &cors.headers))
    }
}

/// The origin of the page that a request comes from, where it names one (RFC 6454 section 7).
pub fn origin(headers: &HeaderMap) -> Option<&HeaderValue> {
    only(headers, &ORIGIN)
}

/// The field's value, where it came once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a HeaderValue> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())
}

/// Whether every name in a list (RFC 9110 section 5.6.1) is one of these.
fn are_among(listed: &[u8], names: &[HeaderName]) -> bool {
    let mut listed = listed.split(|&byte| byte == b',').map(<[u8]>::trim_ascii);
    listed.all(|name| {
        let is = |known: &HeaderName| known.as_str().as_bytes().eq_ignore_ascii_case(name);
        name.is_empty() || names.iter().any(is)
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::header::{AUTHORIZATION, CONTENT_TYPE};

    use crate::config::snapshot::Origins;

    use super::*;

    const PAGE: &str = "https://app.example";

    fn fields(fields: &[(&'static str, &str)]) -> HeaderMap {
        let value = |value: &str| HeaderValue::from_bytes(value.as_bytes()).unwrap();
        fields.iter().map(|(name, text)| (HeaderName::from_static(name), value(text))).collect()
    }

    fn is_preflight(method: &str, headers: &[(&'static str, &str)], has_body: bool) -> bool {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        Preflight::read(&method, &fields(headers), None, has_body).is_some()
    }

    #[test]
    fn what_is_nearly_a_preflight_is_none() {
        const ASKED: &str = "access-control-request-method";
        let whole = [("origin", PAGE), (ASKED, "GET")];
        assert!(is_preflight("OPTIONS", &whole, false));
        assert!(!is_preflight("OPTIONS", &whole, true));
        for method in ["GET", "HEAD", "POST", "options", "Options", "PROPFIND"] {
            assert!(!is_preflight(method, &whole, false), "{method}");
        }
        for asked in ["", "GET, POST", "GET,POST", "G T", "CONNECT", "TRACE", "GET\t", "\"GET\""] {
            assert!(
                !is_preflight("OPTIONS", &[("origin", PAGE), (ASKED, asked)], false),
                "{asked}"
            );
        }
        for near in [
            &[][..],
            &whole[..1],
            &whole[1..],
            &[whole[0], whole[1], whole[0]],
            &[whole[0], whole[1], ("origin", "https://other.example")],
            &[whole[0], whole[1], (ASKED, "POST")],
            &[whole[0], whole[1], whole[1]],
        ] {
            assert!(!is_preflight("OPTIONS", near, false), "{near:?}");
        }
    }

    #[test]
    fn a_token_in_its_target_is_seen() {
        let headers = fields(&[("origin", PAGE), ("access-control-request-method", "GET")]);
        for (query, has_token) in
            [(None, false), (Some("a=1&b"), false), (Some("a&acces%73_token=x"), true)]
        {
            let asked = Preflight::read(&Method::OPTIONS, &headers, query, false).unwrap();
            assert_eq!(asked.has_token, has_token, "{query:?}");
        }
    }

    #[test]
    fn only_what_is_listed_is_allowed_as_a_whole() {
        let cors = Cors {
            origins: Origins::Listed(vec![PAGE.to_owned()]),
            methods: vec![Method::GET, Method::PUT],
            headers: vec![AUTHORIZATION, CONTENT_TYPE],
            credentials: false,
            max_age: Duration::ZERO,
        };
        for (origin, method, listed, allowed) in [
            (PAGE, "GET", "", true),
            (PAGE, "HEAD", "authorization", true),
            (PAGE, "PUT", "Authorization, CONTENT-TYPE,, ", true),
            (PAGE, "POST", "", false),
            (PAGE, "put", "", false),
            (PAGE, "PUT", "authorization,x-other", false),
            (PAGE, "PUT", "*", false),
            (PAGE, "PUT", "content_type", false),
            (PAGE, "PUT", "content-type x", false),
            ("https://app.example:443", "GET", "", false),
            ("https://app.example.evil", "GET", "", false),
            ("HTTPS://APP.EXAMPLE", "GET", "", false),
            ("https://app.example https://app.example", "GET", "", false),
            ("null", "GET", "", false),
            ("", "GET", "", false),
        ] {
            let headers = fields(&[
                ("origin", origin),
                ("access-control-request-method", method),
                ("access-control-request-headers", "content-type"),
                ("access-control-request-headers", listed),
            ]);
            let asked = Preflight::read(&Method::OPTIONS, &headers, None, false).unwrap();
            assert_eq!(asked.is_allowed(&cors), allowed, "{origin} {method} {listed}");
        }
    }

    #[test]
    fn any_origin_is_one_origin() {
        for (origin, is_one) in [
            ("https://app.example", true),
            ("null", true),
            ("", false),
            ("https://a.example https://b.example", false),
            ("https://a.example,https://b.example", false),
            ("https://\u{e9}.example", false),
        ] {
            assert_eq!(Origins::Any.admit(origin.as_bytes()), is_one, "{origin}");
        }
    }
}
