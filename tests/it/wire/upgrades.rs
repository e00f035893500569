//! Who asks for another protocol, and who expects to be asked.

use super::case::{Case, closed, hold, malformed, passes, refused};
use super::strict::Framing;

const LINE: &str = "GET /orders/1 HTTP/1.1";

#[rustfmt::skip]
pub const CASES: &[Case] = &[
    passes("HTTP/2 by upgrade", "GET /orders/1 HTTP/1.1\nH\nA\nconnection: Upgrade, HTTP2-Settings\nupgrade: h2c\nhttp2-settings: AAMAAABkAAQAAP__\n\n", LINE)
        .with(&[("connection", None)]),
    passes("HTTP/2 by upgrade that Connection does not name", "GET /orders/1 HTTP/1.1\nH\nA\nupgrade: h2c\nHTTP2_Settings: evil\n\n", LINE),
    passes("HTTP/2 by upgrade, of TLS", "GET /orders/1 HTTP/1.1\nH\nA\nconnection: upgrade\nupgrade: h2, TLS/1.2\n\n", LINE),
    passes("a WebSocket where none is allowed", "GET /orders/1 HTTP/1.1\nH\nA\nconnection: Upgrade\nupgrade: websocket\nsec-websocket-version: 13\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\n\n", LINE),
    passes("a WebSocket where none is allowed, on what is public", "GET /open/x HTTP/1.1\nH\nconnection: Upgrade\nupgrade: websocket\nsec-websocket-version: 13\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\n\n", "GET /open/x HTTP/1.1"),
    passes("a WebSocket by POST", "POST /orders/1 HTTP/1.1\nH\nA\nconnection: Upgrade\nupgrade: websocket\ncontent-length: 3\n\nabc", "POST /orders/1 HTTP/1.1")
        .body(Framing::Length, "abc"),
    passes("two protocols", "GET /orders/1 HTTP/1.1\nH\nA\nconnection: upgrade\nupgrade: evil/1, h2c\nupgrade: websocket\n\n", LINE),
    passes("an upgrade in HTTP/1.0", "GET /orders/1 HTTP/1.0\nH\nA\nconnection: upgrade\nupgrade: websocket\n\n", LINE).ends(),
    // What follows at once is a request, and no byte of a tunnel.
    refused(401, "token-missing", "an upgrade without a token", "GET /orders/1 HTTP/1.1\nH\nconnection: upgrade\nupgrade: websocket\n\n"),
    refused(403, "scope-insufficient", "an upgrade that is not allowed", "DELETE /orders/1 HTTP/1.1\nH\nA\nconnection: upgrade\nupgrade: h2c\n\n"),
    malformed("a tunnel to elsewhere", "CONNECT evil:22 HTTP/1.1\nhost: evil:22\nconnection: upgrade\nupgrade: evil\n\n"),
    closed("HTTP/2 by prior knowledge where it is not spoken", "PRI * HTTP/2.0\n\nSM\n\n"),

    passes("who expects to be asked and does not wait", "POST /orders/1 HTTP/1.1\nH\nA\nexpect: 100-continue\ncontent-length: 3\n\nabc", "POST /orders/1 HTTP/1.1")
        .body(Framing::Length, "abc"),
    passes("in capitals", "POST /orders/1 HTTP/1.1\nH\nA\nExpect: 100-CONTINUE\ntransfer-encoding: chunked\n\n3\nabc\n0\n\n", "POST /orders/1 HTTP/1.1")
        .body(Framing::Chunked, "abc"),
    passes("without a body", "GET /orders/1 HTTP/1.1\nH\nA\nexpect: 100-continue\n\n", LINE),
    passes("something else", "POST /orders/1 HTTP/1.1\nH\nA\nexpect: evil\ncontent-length: 3\n\nabc", "POST /orders/1 HTTP/1.1")
        .body(Framing::Length, "abc"),
    refused(401, "token-missing", "and has no token", "POST /orders/1 HTTP/1.1\nH\nexpect: 100-continue\ncontent-length: 3\n\nabc").ends(),
    refused(401, "token-missing", "something else without a token", "POST /orders/1 HTTP/1.1\nH\nexpect: evil\ncontent-length: 48\n\nGET /orders/evil HTTP/1.1\nH\nA\n\n").ends(),
    refused(401, "token-missing", "a refused body is no request", "POST /orders/1 HTTP/1.1\nH\ncontent-length: 38\n\nGET /orders/evil HTTP/1.1\nHOST: evil\n\n"),
    refused(401, "token-missing", "refused chunks are no request", "POST /orders/1 HTTP/1.1\nH\ntransfer-encoding: chunked\n\n0\n\n").ends(),
];

#[test]
fn no_other_protocol_is_spoken_and_no_byte_of_one_passes() {
    hold(CASES);
}
