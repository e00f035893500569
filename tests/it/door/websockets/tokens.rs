//! Tokens that come as a subprotocol, as browsers' pages must send them.

use std::io::Write;

use super::*;

const ORIGIN: &str = "origin: https://app.example.com\r\n";

fn taking_tokens(upstream: &Upstream) -> Gateway {
    let more = "websocket_tokens: true\n      cors: {origins: [\"https://app.example.com\"]}";
    Gateway::start(&configuration(upstream.address, more, ""))
}

/// A handshake without `Authorization`.
fn bare(path: &str, more: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: orders.example.com\r\n{}{more}\r\n", fields())
}

fn bearer() -> String {
    format!("grantgate.bearer.{}", gateway::token())
}

#[test]
fn a_token_counts_as_a_subprotocol_from_a_listed_page_and_stays_at_the_gate() {
    let upstream = echo();
    let gateway = taking_tokens(&upstream);
    let bearer = bearer();
    let shouted = bearer.replacen("grantgate.bearer", "GrantGate.BEARER", 1);
    for (offer, passed, chosen) in [
        (bearer.clone(), None, Some(bearer.clone())),
        (shouted.clone(), None, Some(shouted)),
        (format!("chat, {bearer}"), Some("chat"), None),
        (format!("chat,{bearer},v2"), Some("chat, v2"), None),
        (format!("{bearer}\r\nsec-websocket-protocol: chat"), Some("chat"), None),
    ] {
        let more = format!("{ORIGIN}sec-websocket-protocol: {offer}\r\n");
        let answer = gateway.client().ask(bare("/live/1", &more));
        assert_eq!(answer.status, 101, "{offer}: {}", answer.head);
        assert_eq!(answer.one("sec-websocket-protocol"), chosen.as_deref(), "{offer}");
        let seen = upstream.next();
        assert_eq!(seen.one("sec-websocket-protocol"), passed, "{offer}");
        assert_eq!(seen.all("grantgate-client-id"), ["batch"]);
        assert!(!seen.head.to_lowercase().contains("bearer"), "{}", seen.head);
    }
    for record in gateway.finish() {
        assert!(!record.to_string().to_lowercase().contains("bearer"), "{record}");
        assert_eq!(record["client_id"], "batch");
    }
}

#[test]
fn from_other_pages_and_on_other_operations_it_does_not_count_and_does_not_pass() {
    let upstream = Upstream::start();
    let gateway = taking_tokens(&upstream);
    let offer = format!("sec-websocket-protocol: {}\r\n", bearer());
    for origin in [
        "",
        "origin: https://evil.example\r\n",
        "origin: null\r\n",
        "origin: https://app.example.com.evil.example\r\n",
        "origin: https://app.example.com/\r\n",
        "origin: HTTPS://app.example.com\r\n",
        "origin: https://app.example.com\r\norigin: https://app.example.com\r\n",
        "origin: https://app.example.com, https://app.example.com\r\n",
    ] {
        let answer = gateway.client().ask(bare("/live/1", &format!("{origin}{offer}")));
        assert_eq!((answer.status, answer.code().as_str()), (401, "token-missing"), "{origin}");
    }
    for unlike in [
        bare("/orders/1", &format!("{ORIGIN}{offer}")),
        bare("/live/1", &format!("{ORIGIN}{offer}")).replace("upgrade: websocket\r\n", ""),
        bare("/live/1", &format!("{ORIGIN}{offer}")).replace("version: 13", "version: 12"),
    ] {
        assert_eq!(gateway.client().ask(unlike).code(), "token-missing");
    }
    assert!(upstream.rest().is_empty());

    // Where it is not needed it does not pass either, in any spelling.
    let token = gateway::token();
    let plain =
        format!("sec-websocket-protocol: v1, {}, \"Grantgate.Bearer.{token}\"\r\n", bearer());
    let asked = [
        request("GET /orders/1", &plain),
        format!("GET /open/1 HTTP/1.1\r\nhost: orders.example.com\r\n{plain}\r\n"),
        bare("/stage/1", &format!("sec-websocket-protocol: v1, {}\r\n", bearer())),
    ];
    for asked in asked {
        assert_eq!(gateway.client().ask(&asked).status, 200, "{asked}");
        let seen = upstream.next();
        assert_eq!(seen.one("sec-websocket-protocol"), Some("v1"));
        assert!(!seen.head.to_lowercase().contains("grantgate.bearer"), "{}", seen.head);
    }
}

#[test]
fn an_api_that_takes_no_such_tokens_does_not_read_them() {
    let upstream = echo();
    let cors = "cors: {origins: [\"https://app.example.com\"]}";
    let gateway = Gateway::start(&configuration(upstream.address, cors, ""));
    let more = format!("{ORIGIN}sec-websocket-protocol: {}\r\n", bearer());
    assert_eq!(gateway.client().ask(bare("/live/1", &more)).code(), "token-missing");
    assert!(upstream.rest().is_empty());
}

#[test]
fn two_credentials_are_none() {
    let upstream = echo();
    let gateway = taking_tokens(&upstream);
    let (bearer, token) = (bearer(), gateway::token());
    for (path, more) in [
        (
            "/live/1",
            format!("sec-websocket-protocol: {bearer}\r\nauthorization: Bearer {token}\r\n"),
        ),
        ("/live/1", format!("sec-websocket-protocol: {bearer}\r\nauthorization: Basic eDp5\r\n")),
        ("/live/1", format!("sec-websocket-protocol: {bearer}, {bearer}\r\n")),
        ("/live/1", format!("sec-websocket-protocol: {bearer}, grantgate.bearer.\r\n")),
        (
            "/live/1",
            format!("sec-websocket-protocol: {bearer}\r\nsec-websocket-protocol: {bearer}\r\n"),
        ),
        ("/live/1?access_token=x", format!("sec-websocket-protocol: {bearer}\r\n")),
    ] {
        let answer = gateway.client().ask(bare(path, &format!("{ORIGIN}{more}")));
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (400, "credential-ambiguous"),
            "{more}"
        );
    }
    for (token, code) in [
        (String::new(), "token-malformed"),
        ("a.b.c".to_owned(), "token-malformed"),
        ("a".repeat(8193), "token-too-large"),
    ] {
        let more = format!("{ORIGIN}sec-websocket-protocol: grantgate.bearer.{token}\r\n");
        assert_eq!(gateway.client().ask(bare("/live/1", &more)).code(), code);
    }
    assert!(upstream.rest().is_empty());
}

#[test]
fn a_subprotocol_that_was_for_the_gate_is_none_that_an_upstream_can_choose() {
    let bearer = bearer();
    let chosen = format!("Sec-WebSocket-Protocol: {bearer}\r\n");
    let upstream = Upstream::with(move |seen, stream| {
        stream.write_all(welcome(seen, &chosen).as_bytes()).is_ok()
    });
    let more = format!("{ORIGIN}sec-websocket-protocol: {bearer}\r\n");
    let answer = taking_tokens(&upstream).client().ask(bare("/live/1", &more));
    assert_eq!((answer.status, answer.code().as_str()), (502, "upstream-response-invalid"));
}
