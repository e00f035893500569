//! Requests as attackers write them: what is refused, and what the upstream receives of the rest.

use super::client::Client;
use super::gateway::{Gateway, configuration, request, token};
use super::upstream::Upstream;

/// Head lines with `\n`, as they are easier to read; `A` stands for a valid `Authorization`.
fn raw(text: &str) -> String {
    let authorization = format!("authorization: Bearer {}", token());
    text.replace("\nA\n", &format!("\n{authorization}\n")).replace('\n', "\r\n")
}

/// After a refusal the connection goes on, or is closed; never is a rest of the refused request read as
/// the next one.
fn follow_up(client: &mut Client, upstream: &Upstream, closes: bool, case: &str) {
    let sent = client.try_send(request("GET /orders/follow-up", ""));
    let answer = if sent { client.maybe_answer("GET") } else { None };
    assert_eq!(answer.is_none(), closes, "{case:?}: {answer:?}");
    if let Some(answer) = answer {
        assert_eq!(answer.status, 200, "{case:?}");
        assert_eq!(upstream.next().line(), "GET /orders/follow-up HTTP/1.1", "{case:?}");
    }
    let rest = upstream.rest();
    assert!(rest.is_empty(), "{case:?} went upstream: {rest:?}");
}

#[test]
fn what_can_be_read_in_two_ways_is_refused_and_the_connection_closed() {
    let upstream = Upstream::start();
    let gateway = Gateway::before(upstream.address);
    let smuggled = "GET /orders/smuggled HTTP/1.1\r\nhost: a\r\n\r\n";
    for case in [
        "GET /orders/1 HTTP/1.1\nA\n\n",
        "GET /orders/1 HTTP/1.1\nhost: a\nhost: a\nA\n\n",
        "GET /orders/1 HTTP/1.1\nhost: a\nhost: b\nA\n\n",
        "GET /orders/1 HTTP/1.1\nhost: a@b\nA\n\n",
        "GET /orders/1 HTTP/1.1\nhost: a, b\nA\n\n",
        "GET http://b/orders/1 HTTP/1.1\nhost: a\nA\n\n",
        "GET http://a:81/orders/1 HTTP/1.1\nhost: a\nA\n\n",
        "GET ftp://a/orders/1 HTTP/1.1\nhost: a\nA\n\n",
        "OPTIONS * HTTP/1.1\nhost: a\nA\n\n",
        "CONNECT a:80 HTTP/1.1\nhost: a:80\nA\n\n",
        "CONNECT /orders/1 HTTP/1.1\nhost: a\nA\n\n",
        "TRACE /orders/1 HTTP/1.1\nhost: a\nA\n\n",
        "POST /orders/1 HTTP/1.1\nhost: a\nA\ntransfer-encoding: gzip, chunked\n\n0\n\n",
        "POST /orders/1 HTTP/1.1\nhost: a\nA\ntransfer-encoding: chunked\ntransfer-encoding: chunked\n\n0\n\n",
        "GET /orders/1 HTTP/1.1\nhost: a\nA\nconnection: grantgate-client-id\n\n",
        "GET /orders/1 HTTP/1.1\nhost: a\nA\nconnection: close, Authorization\n\n",
    ] {
        let mut client = gateway.client();
        let answer = client.ask(raw(case) + smuggled);
        assert_eq!((answer.status, answer.code().as_str()), (400, "request-malformed"), "{case:?}");
        follow_up(&mut client, &upstream, true, case);
    }
}

#[test]
fn what_hyper_cannot_read_gets_its_bare_answer_and_is_counted() {
    let upstream = Upstream::start();
    let gateway = Gateway::before(upstream.address);
    let cases = [
        "GET /orders/1 HTTP/1.1\nhost : a\nA\n\n",
        "POST /orders/1 HTTP/1.1\nhost: a\nA\ncontent-length: 3\ncontent-length: 4\n\nabcd",
        "POST /orders/1 HTTP/1.1\nhost: a\nA\ncontent-length: +3\n\nabc",
        "POST /orders/1 HTTP/1.1\nhost: a\nA\ntransfer-encoding: chunked, gzip\n\n0\n\n",
        "POST /orders/1 HTTP/1.0\nhost: a\nA\ntransfer-encoding: chunked\n\n0\n\n",
        "GET /orders/1 HTTP/1.1\nhost: a\nA\nx: a\0b\n\n",
        "GET /orders/1 HTTP/1.1\nhost: a\nA\nx: a\n folded\n\n",
        "GET /orders/ 1 HTTP/1.1\nhost: a\nA\n\n",
        "GET orders/1 HTTP/1.1\nhost: a\nA\n\n",
        "nonsense\n\n",
    ];
    for case in cases {
        let mut client = gateway.client();
        let answer = client.ask(raw(case));
        assert_eq!((answer.status, answer.body.len()), (400, 0), "{case:?}");
        follow_up(&mut client, &upstream, true, case);
    }
    let count = format!("grantgate_connection_errors_total{{kind=\"malformed\"}} {}", cases.len());
    gateway.wait_for_count(&count);

    let long = format!("GET /orders/{} HTTP/1.1\nhost: a\n\n", "x".repeat(70_000));
    let answer = gateway.client().ask(raw(&long));
    assert!(matches!(answer.status, 414 | 431), "{}", answer.head);
    let many = format!("GET /orders/1 HTTP/1.1\nhost: a\n{}\n", "x: y\n".repeat(200));
    assert_eq!(gateway.client().ask(raw(&many)).status, 431);
    gateway.wait_for_count("grantgate_connection_errors_total{kind=\"too_large\"} 2");
}

/// What hyper repairs before we see it is pinned here: the upstream gets one clean request.
#[test]
fn what_hyper_repairs_goes_upstream_as_one_clean_request() {
    let upstream = Upstream::start();
    let gateway = Gateway::before(upstream.address);
    let smuggled = "GET /orders/smuggled HTTP/1.1";
    for (case, line, length, body) in [
        // A length beside chunks is dropped, and chunks count.
        (
            "POST /orders/1 HTTP/1.1\nhost: a\nA\ncontent-length: 3\ntransfer-encoding: chunked\n\n5\nabcde\n0\n\n",
            "POST /orders/1 HTTP/1.1",
            None,
            "5\r\nabcde\r\n0\r\n\r\n",
        ),
        (
            "POST /orders/1 HTTP/1.1\nhost: a\nA\ntransfer-encoding: chunked\ncontent-length: 3\n\n5\nabcde\n0\n\n",
            "POST /orders/1 HTTP/1.1",
            None,
            "5\r\nabcde\r\n0\r\n\r\n",
        ),
        // A length that came twice and is the same counts once.
        (
            "POST /orders/1 HTTP/1.1\nhost: a\nA\ncontent-length: 3\ncontent-length: 3\n\nabc",
            "POST /orders/1 HTTP/1.1",
            Some("3"),
            "abc",
        ),
        // A fragment is cut off, and what follows it.
        ("GET /orders/1#/../2?x HTTP/1.1\nhost: a\nA\n\n", "GET /orders/1 HTTP/1.1", None, ""),
        ("GET http://A/orders/1 HTTP/1.1\nhost: a\nA\n\n", "GET /orders/1 HTTP/1.1", None, ""),
        (
            "POST /orders/1 HTTP/1.1\nhost: a\nA\ncontent-length: 0\n\n",
            "POST /orders/1 HTTP/1.1",
            Some("0"),
            "",
        ),
        ("GET /orders/1 HTTP/1.0\nhost: a\nA\n\n", "GET /orders/1 HTTP/1.1", None, ""),
    ] {
        let mut client = gateway.client();
        let answer = client.ask(raw(case));
        assert_eq!(answer.status, 200, "{case:?}");
        let seen = upstream.next();
        assert_eq!(seen.line(), line, "{case:?}");
        assert_eq!(seen.one("content-length"), length, "{case:?}");
        assert_eq!(seen.one("transfer-encoding").is_some(), body.contains("\r\n"), "{case:?}");
        assert_eq!(String::from_utf8_lossy(&seen.body), body, "{case:?}");
        assert!(!seen.head.contains(smuggled) && upstream.rest().is_empty(), "{case:?}");
    }
}

#[test]
fn bare_line_feeds_go_upstream_as_line_ends_of_one_request() {
    let upstream = Upstream::start();
    let gateway = Gateway::before(upstream.address);
    let head = request("GET /orders/1", "x-mine: 1\r\n").replace("\r\n", "\n");
    assert_eq!(gateway.client().ask(head).status, 200);
    let seen = upstream.next();
    assert_eq!((seen.line(), seen.one("x-mine")), ("GET /orders/1 HTTP/1.1", Some("1")));
    assert_eq!(seen.head.matches('\n').count(), seen.head.matches("\r\n").count());
}

#[test]
fn a_path_with_two_readings_is_refused_and_nothing_steers_around_it() {
    let upstream = Upstream::start();
    let gateway = Gateway::before(upstream.address);
    let mut client = gateway.client();
    for path in [
        "/a/../orders/1",
        "/./orders/1",
        "//orders/1",
        "/orders/%2e%2e/x",
        "/orders/..%2fx",
        "/orders/%252e",
        "/orders/1;x=1",
        "/orders/1.",
        "/orders/%00",
        "/orders/%0a",
        "/orders/%ff",
        "/orders/%c0%ae",
        "/orders/..\\x",
        "/orders/1%3fq",
        "/orders/%zz",
    ] {
        let answer = client.ask(request(&format!("GET {path}"), ""));
        assert_eq!((answer.status, answer.code().as_str()), (400, "path-ambiguous"), "{path}");
        follow_up(&mut client, &upstream, false, path);
    }
    let steering = "X-Original-URL: /open/x\r\nX-Rewrite-URL: /open/x\r\nX-HTTP-Method-Override: GET\r\n\
                    X-Forwarded-Prefix: /open\r\nX-Forwarded-Host: other\r\n";
    let answer = client.ask(request("DELETE /orders/1", steering));
    assert_eq!((answer.status, answer.code().as_str()), (403, "scope-insufficient"));
}

#[test]
fn a_target_that_is_too_long_is_refused_with_our_words() {
    let upstream = Upstream::start();
    let limits = "limits: {uri_bytes: 1KiB}";
    let gateway = Gateway::start(&configuration(upstream.address, "", limits));
    let answer = gateway.client().ask(request(&format!("GET /orders/{}", "x".repeat(1024)), ""));
    assert_eq!((answer.status, answer.code().as_str()), (414, "uri-too-long"));
}

#[test]
fn what_connection_names_stays_behind_and_no_identity_comes_from_outside() {
    let upstream = Upstream::start();
    let gateway = Gateway::before(upstream.address);
    let spoof = "Connection: X-Mine\r\nX-Mine: 1\r\nGrantgate-Client-Id: boss\r\ngrantgate_subject: boss\r\n\
                 GRANTGATE-ANY: boss\r\nGrantgate.Scopes: boss\r\nX-Forwarded-For: 10.9.9.9\r\n\
                 X_Forwarded_For: 10.9.9.9\r\nForwarded: for=10.9.9.9\r\nX-Forwarded-Client-Cert: boss\r\n";
    assert_eq!(gateway.client().ask(request("GET /orders/1", spoof)).status, 200);
    let seen = upstream.next();
    assert!(!seen.head.contains("boss") && !seen.head.contains("10.9.9.9"), "{}", seen.head);
    assert_eq!((seen.one("x-mine"), seen.one("connection")), (None, None));
    assert_eq!(seen.one("grantgate-client-id"), Some("batch"));
    assert_eq!(seen.one("x-forwarded-for"), Some("127.0.0.1"));
}

#[test]
fn a_trusted_proxys_word_about_the_client_is_passed_on() {
    let upstream = Upstream::start();
    let trust = "server: {listen: \"127.0.0.1:0\", trusted_proxies: [127.0.0.0/8]}";
    let gateway = Gateway::start(&configuration(upstream.address, "", trust));
    let hops = "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n";
    assert_eq!(gateway.client().ask(request("GET /orders/1", hops)).status, 200);
    let seen = upstream.next();
    assert_eq!(seen.one("x-forwarded-for"), Some("192.0.2.1, 127.0.0.1"));
    assert_eq!(seen.one("x-forwarded-proto"), Some("https"));
}

#[test]
fn trailers_carry_no_identity_and_no_framing() {
    let upstream = Upstream::start();
    let gateway = Gateway::before(upstream.address);
    let more = "transfer-encoding: chunked\r\n\
                trailer: x-sum, grantgate-subject, authorization, host, x_forwarded_for\r\n";
    let body = "3\r\nabc\r\n0\r\nx-sum: 1\r\ngrantgate-subject: boss\r\nauthorization: boss\r\n\
                host: boss\r\nx_forwarded_for: boss\r\n\r\n";
    let mut client = gateway.client();
    assert_eq!(client.ask(request("POST /orders/1", more) + body).status, 200);
    let seen = upstream.next();
    assert_eq!(String::from_utf8_lossy(&seen.body), "3\r\nabc\r\n0\r\nx-sum: 1\r\n\r\n");
    follow_up(&mut client, &upstream, false, "trailers");
}

#[test]
fn pipelined_requests_are_answered_in_their_order() {
    let upstream = Upstream::start();
    let gateway = Gateway::before(upstream.address);
    let mut client = gateway.client();
    let paths = ["1", "2", "3"];
    let requests = paths.map(|path| request(&format!("GET /orders/{path}"), ""));
    client.send(requests.concat() + &raw("DELETE /orders/4 HTTP/1.1\nhost: a\n\n"));
    for path in paths {
        assert_eq!(client.answer().status, 200);
        assert_eq!(upstream.next().line(), format!("GET /orders/{path} HTTP/1.1"));
    }
    assert_eq!(client.answer().code(), "token-missing");
}
