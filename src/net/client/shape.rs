//! A request in HTTP/2's shape.
//!
//! In comes the head of a request as HTTP/1.1 has it, out comes the same as RFC 9113 section 8 wants it:
//! the host in the target, and nothing that concerns one connection. What frames the body is the
//! stream's own affair; a length that is known stays, because it tells the other side when a part is missing.

use http::header::{CONNECTION, HOST, HeaderName, TE, TRANSFER_ENCODING, UPGRADE};
use http::request::Parts;
use http::uri::{Authority, Scheme};
use http::{Uri, Version};

/// Those that HTTP/2 has no place for (RFC 9113 section 8.2.2).
const GONE: [HeaderName; 5] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    TRANSFER_ENCODING,
    UPGRADE,
];

/// Makes a head HTTP/2's. Nothing when its host cannot be named there.
pub(super) fn http2(head: &Parts, scheme: &'static Scheme) -> Option<Parts> {
    let mut head = head.clone();
    let host = head.headers.remove(HOST)?;
    let mut target = head.uri.into_parts();
    target.scheme = Some(scheme.clone());
    target.authority = Some(Authority::try_from(host.as_bytes()).ok()?);
    head.uri = Uri::from_parts(target).ok()?;
    head.version = Version::HTTP_2;
    for name in GONE {
        head.headers.remove(name);
    }
    if head.headers.get(TE).is_some_and(|value| value != "trailers") {
        head.headers.remove(TE);
    }
    Some(head)
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn shaped(request: http::request::Builder) -> Option<Parts> {
        http2(&request.body(()).unwrap().into_parts().0, &Scheme::HTTPS)
    }

    #[test]
    fn the_host_moves_into_the_target_and_what_concerns_a_connection_goes() {
        let request = Request::post("/a%2Fb?c=d")
            .header("host", "orders.example.com:8443")
            .header("connection", "te, x-hop")
            .header("keep-alive", "timeout=5")
            .header("proxy-connection", "keep-alive")
            .header("transfer-encoding", "chunked")
            .header("upgrade", "h2c")
            .header("te", "trailers")
            .header("content-length", "3")
            .header("cookie", "a=b; c=d");
        let head = shaped(request).unwrap();
        assert_eq!(head.uri, "https://orders.example.com:8443/a%2Fb?c=d");
        assert_eq!(head.version, Version::HTTP_2);
        let mut left: Vec<_> = head.headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["content-length", "cookie", "te"]);
    }

    #[test]
    fn of_te_only_trailers_are_left_and_a_host_must_be_one() {
        let request = || Request::get("/");
        let head = shaped(request().header("host", "a").header("te", "gzip")).unwrap();
        assert!(head.headers.is_empty());
        assert!(shaped(request()).is_none());
        assert!(shaped(request().header("host", "a b")).is_none());
    }
}
