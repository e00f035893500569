//! What is said of those who came before, by those who are believed and those who are not.

use super::case::{Case, hold, hold_with, passes, refused};

const LINE: &str = "GET /orders/1 HTTP/1.1";

#[rustfmt::skip]
pub const UNTRUSTED: &[Case] = &[
    passes("every field that says it",
        "GET /orders/1 HTTP/1.1\nH\nA\nx-forwarded-for: evil\nX_Forwarded_For: evil\nx-forwarded-host: evil\nx-forwarded-proto: evil\n\
         x-forwarded-port: evil\nx-forwarded-server: evil\nx-forwarded-prefix: evil\nx-forwarded-ssl: evil\nx-forwarded-scheme: evil\n\
         x-forwarded-user: evil\nx-forwarded-email: evil\nx-forwarded-access-token: evil\nx.forwarded.for: evil\nx-real-ip: evil\nX_Real_IP: evil\nforwarded: for=evil;by=evil\n\n", LINE)
        .with(&[("x-forwarded-for", Some("127.0.0.1")), ("x-forwarded-host", Some("a")), ("x-forwarded-proto", Some("http")), ("forwarded", None)]),
    passes("several of one", "GET /orders/1 HTTP/1.1\nH\nA\nx-forwarded-for: evil\nx-forwarded-for: 127.0.0.1, evil\n\n", LINE)
        .with(&[("x-forwarded-for", Some("127.0.0.1"))]),
    passes("on what is public", "GET /open/x HTTP/1.1\nH\nx-forwarded-for: evil\nX_Forwarded_For: evil\nforwarded: for=evil\n\n", "GET /open/x HTTP/1.1")
        .with(&[("x-forwarded-for", Some("127.0.0.1"))]),
    refused(401, "token-missing", "a peer that calls itself local", "GET /orders/1 HTTP/1.1\nH\nx-forwarded-for: 127.0.0.1\nx-real-ip: 127.0.0.1\nx-forwarded-proto: https\nforwarded: for=127.0.0.1\n\n"),
    refused(401, "token-missing", "a user that a proxy knows", "GET /orders/1 HTTP/1.1\nH\nx-forwarded-user: admin\nx-remote-user: admin\nremote-user: admin\nx-authenticated-user: admin\n\n"),
    refused(401, "token-missing", "a token that a proxy knows", "GET /orders/1 HTTP/1.1\nH\nx-forwarded-access-token: $T\nx-forwarded-authorization: Bearer $T\n\n"),
];

#[rustfmt::skip]
pub const TRUSTED: &[Case] = &[
    passes("a trusted peer's word is passed on, and ours behind it", "GET /orders/1 HTTP/1.1\nH\nA\nx-forwarded-for: 192.0.2.1\nx-forwarded-proto: https\nx-forwarded-host: public\nforwarded: for=192.0.2.1\n\n", LINE)
        .with(&[("x-forwarded-for", Some("192.0.2.1, 127.0.0.1")), ("x-forwarded-proto", Some("https")), ("x-forwarded-host", Some("public"))]),
    passes("a spelling that it did not write", "GET /orders/1 HTTP/1.1\nH\nA\nx-forwarded-for: 192.0.2.1\nX_Forwarded_For: evil\nx_forwarded_proto: evil\nx.forwarded.host: evil\nX_Real_IP: evil\n\n", LINE)
        .with(&[("x-forwarded-for", Some("192.0.2.1, 127.0.0.1")), ("x-forwarded-proto", Some("http"))]),
    passes("it vouches for no certificate", "GET /orders/1 HTTP/1.1\nH\nA\nx-forwarded-client-cert: evil\nx-forwarded-tls-client-cert: evil\n\n", LINE),
    passes("it vouches for no caller", "GET /orders/1 HTTP/1.1\nH\nA\ngrantgate-client-id: evil\n\n", LINE)
        .with(&[("grantgate-client-id", Some("batch"))]),
    refused(401, "token-missing", "it chooses no operation", "GET /orders/1 HTTP/1.1\nH\nx-forwarded-uri: /open/x\nx-forwarded-path: /open/x\nx-forwarded-method: GET\nx-original-url: /open/x\n\n"),
    refused(403, "scope-insufficient", "it chooses no method", "DELETE /orders/1 HTTP/1.1\nH\nA\nx-forwarded-method: GET\nx-http-method-override: GET\n\n"),
];

#[test]
fn forwarded_headers_of_strangers_are_replaced_and_steer_nothing() {
    hold(UNTRUSTED);
}

#[test]
fn forwarded_headers_of_trusted_proxies_pass_and_steer_nothing() {
    hold_with("", "server: {listen: \"127.0.0.1:0\", trusted_proxies: [127.0.0.0/8]}", TRUSTED);
}
