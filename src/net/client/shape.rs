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
