//! Where a token may stand, and how often.

use super::case::{Case, hold, passes, refused};
use super::strict::Framing;

const LINE: &str = "GET /orders/1 HTTP/1.1";

const fn missing(name: &'static str, sent: &'static str) -> Case {
    refused(401, "token-missing", name, sent)
}

const fn ambiguous(name: &'static str, sent: &'static str) -> Case {
    refused(400, "credential-ambiguous", name, sent)
}

const fn unreadable(name: &'static str, sent: &'static str) -> Case {
    refused(401, "token-malformed", name, sent)
}

#[rustfmt::skip]
pub const CASES: &[Case] = &[
    missing("none", "GET /orders/1 HTTP/1.1\nH\n\n"),
    missing("an empty field", "GET /orders/1 HTTP/1.1\nH\nauthorization:\n\n"),
    missing("a token without a scheme", "GET /orders/1 HTTP/1.1\nH\nauthorization: $T\n\n"),
    missing("Basic", "GET /orders/1 HTTP/1.1\nH\nauthorization: Basic YmF0Y2g6eA==\n\n"),
    missing("the token as Basic", "GET /orders/1 HTTP/1.1\nH\nauthorization: Basic $T\n\n"),
    missing("DPoP", "GET /orders/1 HTTP/1.1\nH\nauthorization: DPoP $T\n\n"),
    missing("a scheme that begins so", "GET /orders/1 HTTP/1.1\nH\nauthorization: Bearers $T\n\n"),
    missing("a scheme without a gap", "GET /orders/1 HTTP/1.1\nH\nauthorization: Bearer$T\n\n"),
    missing("a scheme behind a colon", "GET /orders/1 HTTP/1.1\nH\nauthorization: Bearer:$T\n\n"),
    missing("query alone", "GET /orders/1?access_token=$T HTTP/1.1\nH\n\n"),
    missing("cookie alone", "GET /orders/1 HTTP/1.1\nH\ncookie: access_token=$T; Authorization=Bearer $T\n\n"),
    missing("body alone", "POST /orders/1 HTTP/1.1\nH\ncontent-type: application/x-www-form-urlencoded\ncontent-length: 16\n\naccess_token=a.b"),
    missing("other fields", "GET /orders/1 HTTP/1.1\nH\nx-access-token: $T\nx-authorization: Bearer $T\nx-api-key: $T\nproxy-authorization: Bearer $T\nwww-authenticate: Bearer $T\n\n"),
    missing("a field that sounds like it", "GET /orders/1 HTTP/1.1\nH\nauthorization_: Bearer $T\nauthorisation: Bearer $T\n\n"),
    missing("what would be a WebSocket's token", "GET /orders/1 HTTP/1.1\nH\nsec-websocket-protocol: grantgate.bearer.$T\n\n"),
    missing("a token in a trailer", "POST /orders/1 HTTP/1.1\nH\ntransfer-encoding: chunked\n\n0\nauthorization: Bearer $T\n\n").ends(),

    ambiguous("twice the same", "GET /orders/1 HTTP/1.1\nH\nA\nA\n\n"),
    ambiguous("two", "GET /orders/1 HTTP/1.1\nH\nA\nauthorization: Bearer a.b.c\n\n"),
    ambiguous("two, the good one last", "GET /orders/1 HTTP/1.1\nH\nauthorization: Bearer a.b.c\nA\n\n"),
    ambiguous("two in two spellings", "GET /orders/1 HTTP/1.1\nH\nA\nAUTHORIZATION: Bearer a.b.c\n\n"),
    ambiguous("one and an empty one", "GET /orders/1 HTTP/1.1\nH\nA\nauthorization:\n\n"),
    ambiguous("one and Basic", "GET /orders/1 HTTP/1.1\nH\nA\nauthorization: Basic YTpi\n\n"),
    ambiguous("Basic and one", "GET /orders/1 HTTP/1.1\nH\nauthorization: Basic YTpi\nA\n\n"),
    ambiguous("a list", "GET /orders/1 HTTP/1.1\nH\nauthorization: Bearer $T, Bearer $T\n\n"),
    ambiguous("a list without a gap", "GET /orders/1 HTTP/1.1\nH\nauthorization: Bearer $T,$T\n\n"),
    ambiguous("a list that ends early", "GET /orders/1 HTTP/1.1\nH\nauthorization: Bearer $T,\n\n"),
    ambiguous("a list with Basic first", "GET /orders/1 HTTP/1.1\nH\nauthorization: Basic YTpi, Bearer $T\n\n"),
    ambiguous("query and header", "GET /orders/1?access_token=a HTTP/1.1\nH\nA\n\n"),
    ambiguous("query and header, the query empty", "GET /orders/1?x&access_token HTTP/1.1\nH\nA\n\n"),
    ambiguous("query and header, the query escaped", "GET /orders/1?%61ccess%5ftoken=a HTTP/1.1\nH\nA\n\n"),
    ambiguous("query and header, split by a semicolon", "GET /orders/1?x;access_token=a HTTP/1.1\nH\nA\n\n"),

    unreadable("no token behind the scheme", "GET /orders/1 HTTP/1.1\nH\nauthorization: Bearer\n\n"),
    unreadable("blanks behind the scheme", "GET /orders/1 HTTP/1.1\nH\nauthorization: Bearer  \n\n"),
    unreadable("something behind the token", "GET /orders/1 HTTP/1.1\nH\nauthorization: Bearer $T x\n\n"),
    unreadable("a tab behind the scheme", "GET /orders/1 HTTP/1.1\nH\nauthorization: Bearer\t$T\n\n"),
    unreadable("the scheme twice", "GET /orders/1 HTTP/1.1\nH\nauthorization: Bearer Bearer $T\n\n"),
    unreadable("a quoted token", "GET /orders/1 HTTP/1.1\nH\nauthorization: Bearer \"$T\"\n\n"),
    unreadable("a token as a parameter", "GET /orders/1 HTTP/1.1\nH\nauthorization: Bearer token=$T\n\n"),
    unreadable("octets that are no text", "GET /orders/1 HTTP/1.1\nH\nauthorization: Bearer aÿ\n\n"),
    missing("a scheme with a URL's escape", "GET /orders/1 HTTP/1.1\nH\nauthorization: Bearer%20$T\n\n"),

    passes("the scheme in capitals", "GET /orders/1 HTTP/1.1\nH\nAuthorization: BEARER $T\n\n", LINE),
    passes("the scheme in mixed case behind a tab", "GET /orders/1 HTTP/1.1\nH\nauthorization:\tbEaReR   $T \n\n", LINE),
    passes("a body that looks like a token", "POST /orders/1 HTTP/1.1\nH\nA\ncontent-length: 16\n\naccess_token=a.b", "POST /orders/1 HTTP/1.1")
        .body(Framing::Length, "access_token=a.b"),
    passes("two on what is public", "GET /open/x HTTP/1.1\nH\nauthorization: Bearer evil\nauthorization: Basic evil\n\n", "GET /open/x HTTP/1.1")
        .with(&[("authorization", None)]),
    passes("a list on what is public", "GET /open/x HTTP/1.1\nH\nauthorization: Bearer evil, Bearer evil\n\n", "GET /open/x HTTP/1.1")
        .with(&[("authorization", None)]),
];

#[test]
fn there_is_one_credential_in_one_place() {
    hold(CASES);
}
