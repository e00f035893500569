//! What concerns one connection, and what `Connection` names.

use super::case::{Case, hold, malformed, passes};

const LINE: &str = "GET /orders/1 HTTP/1.1";

#[rustfmt::skip]
pub const CASES: &[Case] = &[
    passes("what it names stays behind", "GET /orders/1 HTTP/1.1\nH\nA\nconnection: x-mine\nx-mine: evil\n\n", LINE),
    passes("in capitals", "GET /orders/1 HTTP/1.1\nH\nA\nConnection: X-MINE\nx-mine: evil\n\n", LINE),
    passes("behind tabs and commas", "GET /orders/1 HTTP/1.1\nH\nA\nconnection: ,\t,x-one\t, ,x-two,,\nx-one: evil\nx-two: evil\n\n", LINE),
    passes("in two fields", "GET /orders/1 HTTP/1.1\nH\nA\nconnection: x-one\nconnection: keep-alive, x-two\nx-one: evil\nx-two: evil\nx-two: evil\n\n", LINE),
    passes("what is not there", "GET /orders/1 HTTP/1.1\nH\nA\nconnection: x-mine\n\n", LINE),
    passes("close among others", "GET /orders/1 HTTP/1.1\nH\nA\nconnection: x-mine, CLOSE\nx-mine: evil\n\n", LINE).ends(),
    passes("close and then keep-alive", "GET /orders/1 HTTP/1.1\nH\nA\nconnection: close\nconnection: keep-alive\n\n", LINE).ends(),
    passes("a field called close", "GET /orders/1 HTTP/1.1\nH\nA\nconnection: close\nclose: 1\n\n", LINE).ends(),
    passes("hop-by-hop fields that it does not name",
        "GET /orders/1 HTTP/1.1\nH\nA\nkeep-alive: evil\nproxy-connection: evil\nproxy-authorization: evil\n\
         proxy-authenticate: evil\nproxy-authentication-info: evil\nte: evil\nupgrade: evil\nKeep_Alive: evil\nProxy_Connection: evil\n\
         Proxy_Authorization: evil\nUpgrade: evil\nhttp2-settings: evil\n\n", LINE),
    passes("trailers that are taken", "GET /orders/1 HTTP/1.1\nH\nA\nte: evil;q=0.5, trailers\nconnection: te\n\n", LINE)
        .with(&[("te", Some("trailers")), ("connection", Some("te"))]),
    passes("its own identity header named by nobody", "GET /orders/1 HTTP/1.1\nH\nA\nconnection: x-auth\n\n", LINE)
        .with(&[("grantgate-client-id", Some("batch"))]),
    passes("a proxy's own field that is old", "GET /orders/1 HTTP/1.1\nH\nA\nproxy-connection: x-mine\nx-mine: 1\n\n", LINE)
        .with(&[("x-mine", Some("1"))]),

    malformed("an identity header", "GET /orders/1 HTTP/1.1\nH\nA\nconnection: grantgate-client-id\n\n"),
    malformed("an identity header in another spelling", "GET /orders/1 HTTP/1.1\nH\nA\nconnection: Grantgate_Client.Id\n\n"),
    malformed("an identity header behind others", "GET /orders/1 HTTP/1.1\nH\nA\nconnection: close,\tGRANTGATE-SUBJECT\n\n"),
    malformed("an identity header in a second field", "GET /orders/1 HTTP/1.1\nH\nA\nconnection: keep-alive\nconnection: grantgate-scopes\n\n"),
    malformed("Authorization", "GET /orders/1 HTTP/1.1\nH\nA\nconnection: authorization\n\n"),
    malformed("Authorization behind close", "GET /orders/1 HTTP/1.1\nH\nA\nconnection: close, Authorization\n\n"),
    malformed("Host", "GET /orders/1 HTTP/1.1\nH\nA\nconnection: host\n\n"),
    malformed("a length", "POST /orders/1 HTTP/1.1\nH\nA\nconnection: content-length\ncontent-length: 3\n\nabc"),
    malformed("the chunks", "POST /orders/1 HTTP/1.1\nH\nA\nconnection: transfer-encoding\ntransfer-encoding: chunked\n\n0\n\n"),
    malformed("who came before", "GET /orders/1 HTTP/1.1\nH\nA\nconnection: x-forwarded-for\n\n"),
    malformed("who came before in another spelling", "GET /orders/1 HTTP/1.1\nH\nA\nconnection: X_Forwarded_Proto\n\n"),
    malformed("Forwarded", "GET /orders/1 HTTP/1.1\nH\nA\nconnection: forwarded\n\n"),
    malformed("Via", "GET /orders/1 HTTP/1.1\nH\nA\nconnection: via\n\n"),
    malformed("Cookie", "GET /orders/1 HTTP/1.1\nH\nA\nconnection: cookie\n\n"),
    malformed("the content's type", "GET /orders/1 HTTP/1.1\nH\nA\nconnection: content-type\n\n"),
    malformed("what is no name", "GET /orders/1 HTTP/1.1\nH\nA\nconnection: x mine\n\n"),
    malformed("a quoted name", "GET /orders/1 HTTP/1.1\nH\nA\nconnection: \"authorization\"\n\n"),
    malformed("a list by semicolons", "GET /orders/1 HTTP/1.1\nH\nA\nconnection: close;authorization\n\n"),
    malformed("octets that are no text", "GET /orders/1 HTTP/1.1\nH\nA\nconnection: ÿ\n\n"),
    malformed("on what is public", "GET /open/x HTTP/1.1\nH\nconnection: grantgate-subject\n\n"),
];

#[test]
fn connection_removes_what_it_names_before_ours_is_added_and_names_nothing_of_ours() {
    hold(CASES);
}
