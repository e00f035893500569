//! WebSockets on one stream of HTTP/2 (RFC 8441).
//!
//! A client asks for one by `CONNECT` with a protocol beside. In goes such a request, out comes the one
//! that asks for the same in HTTP/1.1, so that both are decided, forwarded and refused alike, as `GET`;
//! and the answer back. Any other `CONNECT` stays what it is.

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, UPGRADE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use hyper::ext::Protocol;
use hyper::upgrade::{self, OnUpgrade};

const KEY_BYTES: usize = 16;

/// Makes a request for a WebSocket the same one of HTTP/1.1; gives what becomes its stream. The client has
/// no key, since frames cannot be taken for requests on a stream: the upstream gets a fresh one.
pub(super) fn read<B>(request: &mut Request<B>) -> Option<OnUpgrade> {
    let protocol = request.extensions().get::<Protocol>().map(Protocol::as_str);
    if request.method() != Method::CONNECT || protocol != Some("websocket") {
        return None;
    }
    let mut key = [0; KEY_BYTES];
    rand::fill(&mut key).ok()?;
    let key = HeaderValue::try_from(BASE64_STANDARD.encode(key)).ok()?;
    *request.method_mut() = Method::GET;
    let headers = request.headers_mut();
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(SEC_WEBSOCKET_KEY, key);
    Some(upgrade::on(request))
}

/// Makes an answer that opens a WebSocket the same one of HTTP/2.
pub(super) fn write<B>(response: &mut Response<B>) {
    *response.status_mut() = StatusCode::OK;
    for name in [UPGRADE, CONNECTION, SEC_WEBSOCKET_ACCEPT] {
        response.headers_mut().remove(name);
    }
}
