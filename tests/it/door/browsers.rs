//! Pages of other origins: their preflights, and what they may read.

use std::io::Write;

use http::{Method, Request};
use serde_json::json;

use super::client::Answer;
use super::gateway::{Gateway, configuration, request, token_with};
use super::http2::client::{Http2, run};
use super::upstream::Upstream;

const CORS: &str = "cors: {origins: [\"https://app.example\", \"http://localhost:5173\"], credentials: true, max_age: 90s}";
const PAGE: &str = "origin: https://app.example\r\n";
const STRANGER: &str = "origin: https://evil.example\r\n";

/// What an upstream says that knows of origins itself.
const OPINIONATED: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nvary: Accept\r\n\
    access-control-allow-origin: *\r\naccess-control-allow-private-network: true\r\n\
    access-control-expose-headers: X-Total\r\n\r\nok";

/// A preflight; `more` are further header fields, each with its line end.
fn preflight(path: &str, page: &str, method: &str, more: &str) -> String {
    format!(
        "OPTIONS {path} HTTP/1.1\r\nhost: orders.example.com\r\n{page}\
         access-control-request-method: {method}\r\n{more}\r\n"
    )
}

fn all<'a>(answer: &'a Answer, name: &str) -> Vec<&'a str> {
    let fields = answer.head.lines().skip(1).filter_map(|line| line.split_once(": "));
    fields.filter(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
}

/// The names of all `Access-Control-*` fields.
fn ruled(answer: &Answer) -> Vec<&str> {
    let names = answer.head.lines().filter_map(|line| line.split_once(": ")).map(|(name, _)| name);
    names.filter(|name| name.starts_with("access-control-")).collect()
}

#[test]
fn a_preflight_is_answered_by_the_gate_before_anything_else_is_asked() {
    let upstream = Upstream::start();
    let gateway = Gateway::start(&configuration(upstream.address, CORS, ""));
    let mut client = gateway.client();
    // Of listed operations, of none and of ambiguous paths alike: strangers cannot tell them apart.
    for path in ["/orders/1", "/nowhere", "/open/x", "/ORDERS/1"] {
        let asked = "access-control-request-headers: authorization, Content-Type\r\n";
        let answer = client.ask(preflight(path, PAGE, "DELETE", asked));
        assert_eq!(answer.status, 204, "{path}");
        for (name, value) in [
            ("access-control-allow-origin", "https://app.example"),
            ("access-control-allow-methods", "GET, POST, PUT, DELETE"),
            ("access-control-allow-headers", "authorization, content-type"),
            ("access-control-allow-credentials", "true"),
            ("access-control-max-age", "90"),
            ("vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"),
        ] {
            assert_eq!(answer.one(name), Some(value), "{}", answer.head);
        }
    }
    let other = client.ask(preflight("/orders/1", "origin: http://localhost:5173\r\n", "GET", ""));
    assert_eq!(other.one("access-control-allow-origin"), Some("http://localhost:5173"));
    assert!(upstream.rest().is_empty());
    let line = "grantgate_requests_total{api=\"https://orders.example.com\",decision=\"allow\",code=\"\",subject_type=\"\"} 5";
    gateway.wait_for_count(line);
    let records = gateway.finish();
    assert_eq!(records.len(), 5);
    for (field, value) in [
        ("decision", json!("allow")),
        ("operation", json!("preflight")),
        ("method", json!("OPTIONS")),
        ("path", json!("/orders/1")),
        ("client_id", json!(null)),
        ("grant_id", json!(null)),
        ("status", json!(204)),
        ("upstream_us", json!(null)),
    ] {
        assert_eq!(records[0][field], value, "{field}");
    }
}

#[test]
fn a_preflight_of_another_origin_learns_nothing() {
    let upstream = Upstream::start();
    let gateway = Gateway::start(&configuration(upstream.address, CORS, ""));
    for (page, method, more) in [
        (STRANGER, "GET", ""),
        ("origin: null\r\n", "GET", ""),
        ("origin: https://app.example:443\r\n", "GET", ""),
        ("origin: https://app.example, https://app.example\r\n", "GET", ""),
        ("origin: *\r\n", "GET", ""),
    ] {
        let answer = gateway.client().ask(preflight("/orders/1", page, method, more));
        assert_eq!((answer.status, ruled(&answer)), (204, vec![]), "{page}{method}{more}");
        assert!(answer.one("vary").unwrap().starts_with("Origin, "));
    }
    assert!(upstream.rest().is_empty());
}

#[test]
fn a_preflight_for_more_than_is_allowed_is_told_what_is() {
    let upstream = Upstream::start();
    let gateway = Gateway::start(&configuration(upstream.address, CORS, ""));
    for (method, more) in [
        ("PATCH", ""),
        ("get", ""),
        ("GET", "access-control-request-headers: x-other\r\n"),
        ("GET", "access-control-request-headers: authorization,*\r\n"),
        (
            "GET",
            "access-control-request-headers: authorization\r\naccess-control-request-headers: x\r\n",
        ),
    ] {
        let answer = gateway.client().ask(preflight("/orders/1", PAGE, method, more));
        assert_eq!(answer.status, 204);
        let methods = answer.one("access-control-allow-methods").unwrap();
        assert!(!methods.split(", ").any(|allowed| ["PATCH", "get"].contains(&allowed)));
        let headers = answer.one("access-control-allow-headers").unwrap();
        assert_eq!(headers, "authorization, content-type");
        assert_eq!(answer.one("access-control-allow-origin"), Some("https://app.example"));
        assert_eq!(answer.one("access-control-max-age"), None, "it is not to be remembered");
    }
    assert!(upstream.rest().is_empty());
}

/// Requests that are nearly preflights, with a path and method that would be one.
fn near_preflights() -> Vec<String> {
    let asked = "access-control-request-method: GET\r\n";
    let with = |line: &str, fields: &str| {
        format!("{line} HTTP/1.1\r\nhost: orders.example.com\r\n{fields}\r\n")
    };
    let options = |fields: &str| with("OPTIONS /orders/1", fields);
    vec![
        options(""),
        options(PAGE),
        options(asked),
        options(&format!("{PAGE}{PAGE}{asked}")),
        options(&format!("{PAGE}{STRANGER}{asked}")),
        options(&format!("{PAGE}{asked}{asked}")),
        options(&format!("{PAGE}{asked}access-control-request-method: DELETE\r\n")),
        options(&format!("{PAGE}access-control-request-method: \r\n")),
        options(&format!("{PAGE}access-control-request-method: GET, DELETE\r\n")),
        options(&format!("{PAGE}access-control-request-method: GET DELETE\r\n")),
        options(&format!("{PAGE}access-control-request-method: CONNECT\r\n")),
        options(&format!("{PAGE}access-control-request-method: TRACE\r\n")),
        options(&format!("{PAGE}access_control_request_method: GET\r\n")),
        options(&format!("{PAGE}{asked}content-length: 2\r\n")) + "hi",
        options(&format!("{PAGE}{asked}transfer-encoding: chunked\r\n")) + "2\r\nhi\r\n0\r\n\r\n",
        options(&format!("{PAGE}{asked}transfer-encoding: chunked\r\n")) + "0\r\n\r\n",
        with("options /orders/1", &format!("{PAGE}{asked}")),
        with("Options /orders/1", &format!("{PAGE}{asked}")),
        with("GET /orders/1", &format!("{PAGE}{asked}")),
        with("HEAD /orders/1", &format!("{PAGE}{asked}")),
        with("POST /orders/1", &format!("{PAGE}{asked}x-http-method-override: OPTIONS\r\n")),
        with("PROPFIND /orders/1", &format!("{PAGE}{asked}")),
        with("OPTIONS *", &format!("{PAGE}{asked}")),
        with("OPTIONS orders/1", &format!("{PAGE}{asked}")),
        with("OPTIONS /orders/..%2f1", &format!("{PAGE}{asked}")),
    ]
}

#[test]
fn what_is_nearly_a_preflight_opens_nothing() {
    let upstream = Upstream::start();
    for more in ["", CORS, "preflight: pass"] {
        let gateway = Gateway::start(&configuration(upstream.address, more, ""));
        for near in near_preflights() {
            let mut client = gateway.client();
            let method = near.split(' ').next().unwrap();
            let answer = client.send(&near).answer_to(method);
            assert!(matches!(answer.status, 400..=405), "{more}: {near}{}", answer.head);
            // The connection is closed, or is where it should be.
            if client.try_send(request("GET /orders/2", ""))
                && let Some(next) = client.maybe_answer("GET")
            {
                assert_eq!((next.status, upstream.next().line()), (200, "GET /orders/2 HTTP/1.1"));
            }
            assert!(upstream.rest().is_empty(), "{more}: {near}");
        }
    }
}

#[test]
fn without_a_word_about_browsers_a_preflight_is_a_request_like_any() {
    let upstream = Upstream::answering(OPINIONATED);
    let gateway = Gateway::before(upstream.address);
    let answer = gateway.client().ask(preflight("/orders/1", PAGE, "GET", ""));
    assert_eq!((answer.status, answer.code().as_str()), (401, "token-missing"));
    assert_eq!((ruled(&answer), answer.one("vary")), (vec![], None));
    let passed = gateway.client().ask(request("GET /orders/1", PAGE));
    assert_eq!(passed.one("access-control-allow-origin"), Some("*"));
}

#[test]
fn every_answer_is_readable_by_pages_of_listed_origins_and_no_others() {
    let upstream = Upstream::answering(OPINIONATED);
    let gateway = Gateway::start(&configuration(upstream.address, CORS, ""));
    let bare = |line: &str, page: &str| {
        format!("{line} HTTP/1.1\r\nhost: orders.example.com\r\n{page}\r\n")
    };
    let none = token_with(&json!({"scope": "write:orders"}));
    let asks = |page: &str| {
        [
            (401, bare("GET /orders/1", page)),
            (
                400,
                bare("GET /orders/1?access_token=x", &format!("{page}authorization: Bearer x\r\n")),
            ),
            (403, bare("GET /orders/1", &format!("{page}authorization: Bearer {none}\r\n"))),
            (403, request("GET /nowhere", page)),
            (405, request("PATCH /orders/1", page)),
            (400, request("GET /ORDERS/1", page)),
            (200, request("GET /orders/1", page)),
            (200, bare("GET /open/1", page)),
        ]
    };
    for (status, ask) in asks(PAGE) {
        let answer = gateway.client().ask(&ask);
        assert_eq!(answer.status, status, "{ask}");
        assert_eq!(answer.one("access-control-allow-origin"), Some("https://app.example"), "{ask}");
        assert_eq!(answer.one("access-control-allow-credentials"), Some("true"), "{ask}");
        let exposed = all(&answer, "access-control-expose-headers");
        let theirs: &[_] = if status == 200 { &["X-Total"] } else { &[] };
        assert_eq!(exposed, [&["WWW-Authenticate, Retry-After"], theirs].concat(), "{ask}");
        assert_eq!(answer.one("access-control-allow-private-network"), None, "{ask}");
        assert_eq!(all(&answer, "vary").last(), Some(&"Origin"), "{ask}");
    }
    let twice = format!("{PAGE}{PAGE}");
    for page in ["", STRANGER, "origin: null\r\n", "origin: \r\n", &twice] {
        for (status, ask) in asks(page) {
            let answer = gateway.client().ask(&ask);
            assert_eq!((answer.status, ruled(&answer)), (status, vec![]), "{ask}");
            assert_eq!(all(&answer, "vary").last(), Some(&"Origin"), "{ask}");
        }
    }
}

#[test]
fn an_upstream_that_fails_is_read_about_too() {
    let down = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let gateway = Gateway::start(&configuration(down, CORS, ""));
    let answer = gateway.client().ask(request("GET /orders/1", PAGE));
    assert_eq!((answer.status, answer.code().as_str()), (502, "upstream-unreachable"));
    assert_eq!(answer.one("access-control-allow-origin"), Some("https://app.example"));
}

#[test]
fn vary_says_origin_once() {
    let upstream = Upstream::with(|seen, stream| {
        let vary = seen.one("x-vary").unwrap();
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nvary: {vary}\r\n\r\n");
        stream.write_all(answer.as_bytes()).is_ok()
    });
    let gateway = Gateway::start(&configuration(upstream.address, CORS, ""));
    for (said, expected) in [
        ("Origin", &["Origin"][..]),
        ("Accept, ORIGIN", &["Accept, ORIGIN"]),
        ("*", &["*"]),
        ("Accept", &["Accept", "Origin"]),
        ("X-Origin", &["X-Origin", "Origin"]),
    ] {
        let answer = gateway.client().ask(request("GET /orders/1", &format!("x-vary: {said}\r\n")));
        assert_eq!(all(&answer, "vary"), expected);
    }
}

#[test]
fn any_origin_is_told_so_and_gets_no_credentials() {
    let upstream = Upstream::answering(OPINIONATED);
    let any = "cors: {origins: [\"*\"], methods: [PUT], headers: [x-mine]}";
    let gateway = Gateway::start(&configuration(upstream.address, any, ""));
    let asked = "access-control-request-headers: x-mine\r\n";
    let answer = gateway.client().ask(preflight("/orders/1", STRANGER, "PUT", asked));
    assert_eq!(answer.one("access-control-allow-origin"), Some("*"));
    assert_eq!(answer.one("access-control-allow-methods"), Some("PUT"));
    assert_eq!(answer.one("access-control-allow-headers"), Some("authorization, x-mine"));
    let read = gateway.client().ask(request("GET /orders/1", "origin: null\r\n"));
    assert_eq!(read.one("access-control-allow-origin"), Some("*"));
    assert_eq!(read.one("access-control-allow-credentials"), None);
}

#[test]
fn by_http2_browsers_are_told_the_same() {
    let upstream = Upstream::answering(OPINIONATED);
    let server = "server: {listen: \"127.0.0.1:0\", http2: prior_knowledge}";
    let gateway = Gateway::start(&configuration(upstream.address, CORS, server));
    let ask = |method: Method, path: &str| {
        let uri = format!("https://orders.example.com{path}");
        Request::builder().method(method).uri(uri).header("origin", "https://app.example")
    };
    run(async {
        let mut client = Http2::connect(gateway.address).await;
        let asked =
            ask(Method::OPTIONS, "/orders/1").header("access-control-request-method", "PUT");
        let answer = client.ask(asked.body(()).unwrap()).await;
        assert_eq!(answer.status, 204);
        assert_eq!(answer.headers["access-control-allow-origin"], "https://app.example");
        assert_eq!(answer.headers["access-control-allow-methods"], "GET, POST, PUT, DELETE");
        let asked =
            ask(Method::OPTIONS, "/orders/1").header("access-control-request-method", "PUT");
        let near = client.post(asked.body(()).unwrap(), "body").await;
        assert_eq!((near.status.as_u16(), near.code().as_str()), (401, "token-missing"));
        assert_eq!(near.headers["access-control-allow-origin"], "https://app.example");
        let read = client.ask(ask(Method::GET, "/open/1").body(()).unwrap()).await;
        let exposed: Vec<_> =
            read.headers.get_all("access-control-expose-headers").iter().collect();
        assert_eq!(exposed, ["WWW-Authenticate, Retry-After", "X-Total"]);
    });
    assert_eq!(upstream.rest().len(), 1);
}

#[test]
fn a_preflight_that_passes_brings_nobody_along() {
    let upstream = Upstream::answering(OPINIONATED);
    let text = configuration(upstream.address, "preflight: pass", "");
    let gateway = Gateway::start(&text);
    let brought = "authorization: Bearer x\r\nauthorization: Basic y\r\ncookie: session=1\r\ncookie: b=2\r\n\
        proxy-authorization: Basic x\r\nx-ssl-client-cert: x\r\ngrantgate-client-id: boss\r\n\
        access-control-request-headers: authorization\r\n";
    let answer = gateway.client().ask(preflight("/orders/1?a=b", PAGE, "DELETE", brought));
    assert_eq!((answer.status, answer.text()), (200, "ok"));
    assert_eq!(answer.one("access-control-allow-origin"), Some("*"), "the upstream's word stands");
    let seen = upstream.next();
    assert_eq!(seen.line(), "OPTIONS /orders/1?a=b HTTP/1.1");
    for name in ["authorization", "cookie", "proxy-authorization", "x-ssl-client-cert"] {
        assert_eq!(seen.all(name), [""; 0], "{name}");
    }
    for name in ["client-id", "subject", "subject-type", "scopes", "issuer", "grant-id"] {
        assert_eq!(seen.one(&format!("grantgate-{name}")), Some(""), "{name}");
    }
    assert_eq!(seen.one("origin"), Some("https://app.example"));
    assert_eq!(seen.one("access-control-request-method"), Some("DELETE"));
    let records = gateway.finish();
    assert_eq!(records[0]["operation"], "preflight");
    assert_eq!(records[0]["decision"], "allow");
}

#[test]
fn a_preflight_for_what_is_not_listed_does_not_pass() {
    let upstream = Upstream::start();
    let gateway = Gateway::start(&configuration(upstream.address, "preflight: pass", ""));
    for (path, method, status) in [
        ("/nowhere", "GET", 401),
        ("/orders/1", "PATCH", 401),
        ("/orders/1", "get", 401),
        ("/ORDERS/1", "GET", 401),
        ("/orders/1/", "GET", 401),
        // What stands in the target could be taken for a token by whoever it reached.
        ("/orders/1?access_token=x", "GET", 401),
        ("/orders/1?a&acces%73_token=x", "GET", 401),
        // A path with a public operation has nothing to hide.
        ("/open/x", "DELETE", 405),
        ("/orders/%2e%2e", "GET", 400),
    ] {
        let answer = gateway.client().ask(preflight(path, PAGE, method, ""));
        assert_eq!(answer.status, status, "{method} {path}");
    }
    assert!(upstream.rest().is_empty());
}

#[test]
fn a_preflight_cannot_have_the_gate_take_out_what_makes_it_one() {
    let upstream = Upstream::start();
    let gateway = Gateway::start(&configuration(upstream.address, "preflight: pass", ""));
    for named in [
        "Origin",
        "access-control-request-method",
        "keep-alive, Access-Control-Request-Method, origin",
        "access_control_request_headers",
    ] {
        let more = format!("connection: {named}\r\n");
        let answer = gateway.client().ask(preflight("/orders/1", PAGE, "GET", &more));
        assert_eq!((answer.status, answer.code().as_str()), (400, "request-malformed"), "{named}");
    }
    assert!(upstream.rest().is_empty());
}
