//! Streams that end when their permission does: at their token's end, and when a reload takes it away.

mod over_http2;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use grantgate::net::Phase;
use serde_json::{Value, json};

use super::client::{Client, PATIENCE};
use super::gateway::{Gateway, claims_with, configuration, request, token_with};
use super::upstream::Upstream;
use crate::signing::Key;

/// So that all exchanges are looked at in one go.
const ONE_WORKER: &str = "server: {listen: \"127.0.0.1:0\", workers: 1}\ntimeouts: {response_write: 1h, response_read: 1h}";

const EVENTS: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
    transfer-encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n";

const GET: &str = "GET /orders/1";

/// An upstream whose streams go on until they are let end, or their connection does.
struct Streaming {
    upstream: Upstream,
    /// Told of each stream that was let go of.
    left: Receiver<()>,
    /// Lets one stream come to its end.
    end: Sender<()>,
}

impl Streaming {
    fn start() -> Self {
        Self::beginning_with(EVENTS)
    }

    fn beginning_with(answer: &'static str) -> Self {
        let ((end, ends), (tell, left)) = (mpsc::channel(), mpsc::channel());
        let ends = Arc::new(Mutex::new(ends));
        let upstream = Upstream::with(move |_, stream| {
            stream.write_all(answer.as_bytes()).unwrap();
            let (mut rest, ends) = (stream.try_clone().unwrap(), ends.clone());
            thread::spawn(move || {
                if ends.lock().unwrap().recv().is_ok() {
                    let _ = rest.write_all(b"9\r\ndata: 2\n\n\r\n0\r\n\r\n");
                }
            });
            // Nothing more is asked on this connection.
            let is_over = matches!(stream.read(&mut [0]), Ok(0) | Err(_));
            let _ = tell.send(());
            !is_over
        });
        Self { upstream, left, end }
    }

    fn wait_until_left(&self) {
        self.left.recv_timeout(PATIENCE).expect("the upstream's connection was kept");
    }
}

/// Asks, and waits until the answer has begun.
fn begin(gateway: &Gateway, request: &str) -> Client {
    let mut client = gateway.client();
    client.send(request);
    client.stream().peek(&mut [0]).unwrap();
    client
}

/// The configuration without the grant.
fn without_grant(text: &str) -> String {
    let (head, tail) = text.split_once("client_grants:\n").unwrap();
    let (_, tail) = tail.split_once('\n').unwrap();
    format!("{head}client_grants: []\n{tail}")
}

fn cuts(gateway: &Gateway, api: &str, reason: &str) -> Option<f64> {
    gateway
        .number(&format!("grantgate_streams_cut_total{{api=\"{api}\",reason=\"{reason}\"}}"))
        .filter(|cuts| *cuts > 0.0)
}

const API: &str = "https://orders.example.com";

fn bearing(line: &str, token: &str) -> String {
    format!("{line} HTTP/1.1\r\nhost: orders.example.com\r\nauthorization: Bearer {token}\r\n\r\n")
}

#[test]
fn a_stream_ends_with_its_token() {
    let streaming = Streaming::start();
    let text = configuration(streaming.upstream.address, "", ONE_WORKER);
    let gateway = Gateway::start(&text.replace("profile: auth0", "profile: auth0, leeway: 1s"));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let short = token_with(&json!({"exp": now + 1}));
    let (mut short, mut long) =
        (begin(&gateway, &bearing(GET, &short)), begin(&gateway, &request(GET, "")));
    let answer = short.answer();
    assert_eq!((answer.status, answer.text(), answer.whole), (200, "data: 1\n\n", false));
    assert!(short.is_closed());
    let over = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    assert!(over >= now + 2, "its issuer's clock may differ from ours");
    streaming.wait_until_left();
    assert_eq!(cuts(&gateway, API, "token-expired"), Some(1.0));

    streaming.end.send(()).unwrap();
    streaming.end.send(()).unwrap();
    assert!(long.answer().whole);
}

#[test]
fn a_cut_is_recorded_beside_what_was_allowed() {
    let streaming = Streaming::start();
    let text = configuration(streaming.upstream.address, "", ONE_WORKER);
    let gateway = Gateway::start(&text);
    let mut stream = begin(&gateway, &request(GET, ""));
    gateway.reload(&without_grant(&text));
    assert!(!stream.answer().whole);
    let records = gateway.finish();
    let [allowed, cut] = records.as_slice() else { panic!("{records:?}") };
    assert_eq!((&allowed["decision"], &allowed["status"]), (&json!("allow"), &json!(200)));
    for field in ["decision_id", "api", "operation", "method", "path", "client_id", "peer"] {
        assert_eq!(cut[field], allowed[field], "{field}");
    }
    for (field, value) in [
        ("decision", json!("cut")),
        ("code", json!("grant-missing")),
        ("generation", json!(allowed["generation"].as_u64().unwrap() + 1)),
        ("status", json!(null)),
    ] {
        assert_eq!(cut[field], value, "{field}");
    }
}

#[test]
fn a_stream_ends_when_a_reload_takes_its_permission_away() {
    let streaming = Streaming::start();
    let text = configuration(streaming.upstream.address, "", ONE_WORKER);
    let (head, _) = text.split_once("resource_servers:").unwrap();
    for (code, api, next) in [
        ("grant-missing", API, without_grant(&text)),
        (
            "scope-exceeds-grant",
            API,
            text.replace("batch, scope: [\"read:orders\"]", "batch, scope: []"),
        ),
        ("operation-unlisted", API, text.replace("/orders/", "/others/")),
        (
            "token-algorithm-refused",
            API,
            text.replace("hs_secret: \"${env:LONG_SECRET}\"", "unlisted: deny"),
        ),
        (
            "token-issuer-unknown",
            API,
            text.replace("https://issuer.example/", "https://other.example/"),
        ),
        ("route-unknown", "", format!("{head}resource_servers: []\nclient_grants: []\n")),
    ] {
        let gateway = Gateway::start(&text);
        let mut client = begin(&gateway, &request(GET, ""));
        gateway.reload(&next);
        let answer = client.answer();
        assert_eq!((answer.text(), answer.whole), ("data: 1\n\n", false), "{code}");
        assert!(client.is_closed(), "{code}");
        streaming.wait_until_left();
        assert_eq!(cuts(&gateway, api, code), Some(1.0), "{code}");
        let records = gateway.finish();
        assert_eq!(
            (&records[0]["decision"], &records[0]["status"]),
            (&json!("allow"), &json!(200))
        );
    }
}

#[test]
fn a_stream_of_a_public_operation_is_asked_about_with_the_token_that_came() {
    let streaming = Streaming::start();
    let text = configuration(streaming.upstream.address, "", ONE_WORKER);
    let gateway = Gateway::start(&text);
    let mut with = begin(&gateway, &request("GET /open/1", ""));
    let mut without = begin(&gateway, "GET /open/1 HTTP/1.1\r\nhost: a\r\n\r\n");
    gateway.reload(&text.replace("/open/*\", public: true", "/open/*\", any_token: true"));
    assert!(!without.answer().whole);
    assert_eq!(cuts(&gateway, API, "token-missing"), Some(1.0));
    streaming.end.send(()).unwrap();
    streaming.end.send(()).unwrap();
    assert!(with.answer().whole);
}

#[test]
fn a_stream_whose_key_is_gone_ends() {
    let (streaming, key) = (Streaming::start(), Key::new());
    let keys = format!("jwks: {}", json!({"keys": [key.jwk("mine")]}));
    let text = configuration(streaming.upstream.address, "", ONE_WORKER);
    let with = text.replace("jwks_file: jwks.json", &keys);
    let gateway = Gateway::start(&with);
    let head = json!({"alg": "EdDSA", "typ": "at+jwt", "kid": "mine"});
    let token = key.sign(&head, &claims_with(&json!({})));
    let mut client = begin(&gateway, &bearing(GET, &token));
    gateway.reload(&text);
    assert!(!client.answer().whole);
    assert_eq!(cuts(&gateway, API, "token-key-unknown"), Some(1.0));
}

#[test]
fn a_stream_ends_with_its_token_though_keys_are_missing() {
    let (streaming, key) = (Streaming::start(), Key::new());
    let text = configuration(streaming.upstream.address, "", ONE_WORKER);
    let text = text.replace("profile: auth0", "profile: auth0, leeway: 1s");
    let from = |keys: &str| text.replace("jwks_file: jwks.json", keys);
    let gateway = Gateway::start(&from(&format!("jwks: {}", json!({"keys": [key.jwk("mine")]}))));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let head = json!({"alg": "EdDSA", "typ": "at+jwt", "kid": "mine"});
    let token = key.sign(&head, &claims_with(&json!({"exp": now + 2})));
    let mut client = begin(&gateway, &bearing(GET, &token));
    gateway.reload(&from("jwks_uri: \"http://127.0.0.1:9/\""));
    assert_eq!(gateway.client().ask(bearing(GET, &token)).code(), "keys-unavailable");
    assert!(!client.answer().whole);
    assert_eq!(cuts(&gateway, API, "token-expired"), Some(1.0));
    assert_eq!(cuts(&gateway, API, "keys-unavailable"), None);
}

/// A second API that takes the place of the first, with its own say about streams.
fn taken_over(text: &str, more: &str) -> String {
    let (head, rest) = text.split_once("  - identifier: ").unwrap();
    let (api, tail) = rest.split_once("client_grants:").unwrap();
    let other = api.replace("https://orders.example.com", "https://other.example.com");
    let other = other.replacen("gate:\n", &format!("gate:\n      {more}\n"), 1);
    let api = api.replacen("gate:\n", "gate:\n      hosts: [elsewhere.example.com]\n", 1);
    let grant = "client_grants:\n  - {client_id: batch, scope: [\"read:orders\"], audience: \"https://other.example.com\"}";
    let tail = tail.replace(
        "{client_id: batch,",
        "{client_id: batch, audience: \"https://orders.example.com\",",
    );
    format!("{head}  - identifier: {api}  - identifier: {other}{grant}{tail}")
}

#[test]
fn a_stream_whose_place_another_api_takes_ends_by_the_word_of_its_own() {
    for (line, more) in [
        (GET, "streams: keep"),
        (GET, "audiences: [\"https://orders.example.com\"]"),
        ("GET /open/1", "streams: keep"),
    ] {
        let streaming = Streaming::start();
        let text = configuration(streaming.upstream.address, "", ONE_WORKER);
        let gateway = Gateway::start(&text);
        let mut client = begin(&gateway, &request(line, ""));
        gateway.reload(&taken_over(&text, more));
        assert!(!client.answer().whole, "{line} {more}");
        assert_eq!(cuts(&gateway, API, "route-unknown"), Some(1.0), "{line} {more}");
    }
}

#[test]
fn a_stream_whose_upstream_was_told_of_a_scope_that_is_trimmed_ends() {
    let all = "scope: [\"read:orders\", \"write:orders\"]";
    let token = token_with(&json!({"scope": "read:orders write:orders"}));
    for (grant, ends) in [(all, false), ("scope: [\"read:orders\"]", true)] {
        let streaming = Streaming::start();
        let more = "over_ceiling: trim\n      authorization: remove";
        let text = configuration(streaming.upstream.address, more, ONE_WORKER);
        let granting = |scopes: &str| text.replace("scope: [\"read:orders\"]", scopes);
        let gateway = Gateway::start(&granting(all));
        let mut client = begin(&gateway, &bearing(GET, &token));
        assert_eq!(
            streaming.upstream.next().one("grantgate-scopes"),
            Some("read:orders write:orders")
        );
        let mut less = begin(&gateway, &request(GET, ""));
        let swapped = "[{value: \"write:orders\"}, {value: \"read:orders\"}]";
        let next = granting(grant)
            .replace("[{value: \"read:orders\"}, {value: \"write:orders\"}]", swapped);
        let hits = || gateway.number("grantgate_token_cache_hits_total").unwrap();
        let asked = hits();
        gateway.reload(&next);
        let begun = Instant::now();
        while hits() < asked + 2.0 {
            assert!(begun.elapsed() < PATIENCE, "nobody asked about them again");
            thread::yield_now();
        }
        for _ in 0..2 {
            streaming.end.send(()).unwrap();
        }
        assert!(less.answer().whole, "it was told of nothing that is gone");
        assert_eq!(client.answer().whole, !ends, "{grant}");
        let expected = ends.then_some(1.0);
        assert_eq!(cuts(&gateway, API, "scope-exceeds-grant"), expected, "{grant}");
    }
}

#[test]
fn a_stream_goes_on_where_the_running_configuration_keeps_it() {
    for (before, after) in [
        ("streams: keep", "streams: keep"),
        ("streams: cut", "streams: keep"),
        ("streams: cut", "enforcement: report"),
    ] {
        let streaming = Streaming::start();
        let text = |more| configuration(streaming.upstream.address, more, ONE_WORKER);
        let gateway = Gateway::start(&text(before));
        let mut client = begin(&gateway, &request(GET, ""));
        let hits = || gateway.number("grantgate_token_cache_hits_total").unwrap();
        let asked = hits();
        gateway.reload(&without_grant(&text(after)));
        let begun = Instant::now();
        while hits() <= asked {
            assert!(begun.elapsed() < PATIENCE, "nobody asked about it again");
            thread::yield_now();
        }
        streaming.end.send(()).unwrap();
        let answer = client.answer();
        assert_eq!((answer.text(), answer.whole), ("data: 1\n\ndata: 2\n\n", true), "{after}");
        assert_eq!(cuts(&gateway, API, "grant-missing"), None, "{after}");
    }
    let streaming = Streaming::start();
    let text = |more| configuration(streaming.upstream.address, more, ONE_WORKER);
    let gateway = Gateway::start(&text("streams: keep"));
    let mut client = begin(&gateway, &request(GET, ""));
    gateway.reload(&without_grant(&text("streams: cut")));
    assert!(!client.answer().whole, "what was kept before ends when it is kept no longer");
}

#[test]
fn an_answer_that_is_cut_never_looks_whole() {
    for (version, answer) in [
        ("HTTP/1.1", EVENTS),
        ("HTTP/1.1", "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\ndata"),
        (
            "HTTP/1.1",
            "HTTP/1.1 200 OK\r\ncontent-type: application/grpc\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n",
        ),
        ("HTTP/1.0", EVENTS),
        ("HTTP/1.0", "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\ndata"),
    ] {
        let streaming = Streaming::beginning_with(answer);
        let text = configuration(streaming.upstream.address, "", ONE_WORKER);
        let gateway = Gateway::start(&text);
        let mut client = begin(&gateway, &request(GET, "").replace("HTTP/1.1", version));
        gateway.reload(&without_grant(&text));
        let answer = client.maybe_answer("GET");
        let whole = answer.is_some_and(|answer| answer.whole);
        assert!(!whole, "{version}");
    }
}

#[test]
fn a_download_that_its_client_does_not_take_ends_with_its_connection() {
    let (tell, left) = mpsc::channel();
    let upstream = Upstream::with(move |_, stream| {
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\n";
        let mut written = stream.write_all(head);
        let step = vec![b'x'; 64 * 1024];
        while written.is_ok() {
            written = stream.write_all(&step);
        }
        tell.send(()).is_ok()
    });
    let text = configuration(upstream.address, "", ONE_WORKER);
    let gateway = Gateway::start(&text);
    let _client = begin(&gateway, &request(GET, ""));
    gateway.reload(&without_grant(&text));
    left.recv_timeout(PATIENCE).expect("the upstream was kept waiting");
    gateway.wait_for_count("grantgate_connections 0");
    assert_eq!(cuts(&gateway, API, "grant-missing"), Some(1.0));
}

#[test]
fn an_upload_under_way_is_refused_with_the_code() {
    let upstream = Upstream::start();
    let text = configuration(upstream.address, "", ONE_WORKER);
    for framing in ["content-length: 100\r\n", "transfer-encoding: chunked\r\n"] {
        let gateway = Gateway::start(&text);
        let mut client = gateway.client();
        client.send(request("POST /orders/1", framing));
        while gateway.number("grantgate_exchanges") != Some(1.0) {
            thread::yield_now();
        }
        gateway.reload(&without_grant(&text));
        let answer = client.answer();
        assert_eq!((answer.status, answer.code().as_str()), (403, "grant-missing"));
        assert_eq!(answer.one("www-authenticate"), Some(&*format!("Bearer realm=\"{API}\"")));
        assert!(answer.text().contains("application `batch`"), "{}", answer.text());
        assert_eq!(answer.one("connection"), Some("close"));
        assert!(client.is_closed());
        assert!(upstream.next().broken);
        let record = &gateway.finish()[0];
        let told = ["decision", "code", "status"].map(|name| record[name].clone());
        assert_eq!(told, [json!("refuse"), json!("grant-missing"), json!(403)]);
    }
}

#[test]
fn a_request_that_waits_for_its_answer_is_not_cut_until_that_goes_on() {
    let (tell, told) = mpsc::channel::<&'static str>();
    let told = Mutex::new(told);
    let upstream = Upstream::with(move |seen, stream| {
        if seen.line().starts_with("GET /orders/stream") {
            stream.write_all(EVENTS.as_bytes()).unwrap();
            return !matches!(stream.read(&mut [0]), Ok(0) | Err(_));
        }
        let answer = told.lock().unwrap().recv().unwrap();
        stream.write_all(answer.as_bytes()).is_ok() && wait_for_end(stream)
    });
    let text = configuration(upstream.address, "", ONE_WORKER);
    for answer in ["HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", EVENTS] {
        let gateway = Gateway::start(&text);
        let mut waiting = gateway.client();
        waiting.send(request("POST /orders/1", "content-length: 3\r\n") + "abc");
        upstream.next();
        let mut stream = begin(&gateway, &request("GET /orders/stream", ""));
        upstream.next();
        gateway.reload(&without_grant(&text));
        // By then both were looked at.
        assert!(!stream.answer().whole);
        tell.send(answer).unwrap();
        let waited = waiting.answer();
        assert_eq!((waited.status, waited.whole), (200, answer != EVENTS));
        let expected = if answer == EVENTS { 2.0 } else { 1.0 };
        assert_eq!(cuts(&gateway, API, "grant-missing"), Some(expected));
    }
}

fn wait_for_end(stream: &mut TcpStream) -> bool {
    !matches!(stream.read(&mut [0]), Ok(0) | Err(_))
}

#[test]
fn all_of_many_streams_are_asked_about_after_a_reload() {
    const MANY: u32 = 300;
    let streaming = Streaming::start();
    let text = configuration(streaming.upstream.address, "", ONE_WORKER);
    let text = text.replace(
        "- {client_id: batch,",
        "- {client_id: other, scope: [\"read:orders\"]}\n  - {client_id: batch,",
    );
    let gateway = Gateway::start(&text);
    let other = token_with(&json!({"azp": "other", "sub": "other@clients"}));
    let (mut cut, mut stay): (Vec<_>, Vec<_>) = (0..MANY)
        .map(|_| (begin(&gateway, &request(GET, "")), begin(&gateway, &bearing(GET, &other))))
        .unzip();
    gateway.reload(&text.replace("client_id: batch", "client_id: nobody"));
    assert!(cut.iter_mut().all(|client| !client.answer().whole));
    for _ in 0..2 * MANY {
        streaming.end.send(()).unwrap();
    }
    assert!(stay.iter_mut().all(|client| client.answer().whole));
    assert_eq!(cuts(&gateway, API, "grant-missing"), Some(f64::from(MANY)));
    let begun = Instant::now();
    while gateway.number("grantgate_exchanges") != Some(0.0) {
        assert!(begun.elapsed() < PATIENCE);
        thread::yield_now();
    }
}

#[test]
fn streams_are_cut_when_the_gateway_must_leave() {
    let streaming = Streaming::start();
    let mut gateway = Gateway::start(&configuration(streaming.upstream.address, "", ONE_WORKER));
    let mut client = begin(&gateway, &request(GET, ""));
    let _stalled = begin(&gateway, &request(GET, ""));
    gateway.drain.advance(Phase::Closing);
    gateway.drain.advance(Phase::Gone);
    gateway.wait();
    assert!(!client.answer().whole);
    assert_eq!(cuts(&gateway, API, "draining"), Some(2.0));
}

#[test]
fn exchanges_are_not_kept_beyond_their_end() {
    let upstream = Upstream::start();
    let gateway = Gateway::start(&configuration(upstream.address, "", ONE_WORKER));
    let mut client = gateway.client();
    for _ in 0..500 {
        assert_eq!(client.ask(request(GET, "")).status, 200);
    }
    let begun = Instant::now();
    while gateway.number("grantgate_exchanges") != Some(0.0) {
        assert!(begun.elapsed() < PATIENCE);
        thread::yield_now();
    }
    let records: Vec<Value> = gateway.finish();
    assert_eq!(records.len(), 500);
}
