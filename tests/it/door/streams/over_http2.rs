//! The same over HTTP/2, whatever the upstream speaks: each kind of stream ends in its own words, and its
//! connection goes on.

use std::future::poll_fn;

use bytes::Bytes;
use h2::Reason;
use h2::ext::Protocol;
use http::{Method, Request, Response};

use super::*;
use crate::door::http2::client::{Http2, get, next, run};
use crate::door::streams_upstream::{Allows, StreamsUpstream, ok};
use crate::door::websockets::{close, welcome};

const PRIOR: &str = "server: {listen: \"127.0.0.1:0\", workers: 1, http2: prior_knowledge}";

const OPERATIONS: &str = "operations:\n        \
    - {on: \"POST /shop.v1.Orders/Watch\", scopes: [\"read:orders\"]}\n        \
    - {on: \"GET /live/{room}\", scopes: [\"read:orders\"], upgrade: [websocket]}";

const CALL: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/grpc\r\n\
    transfer-encoding: chunked\r\n\r\n5\r\n\0\0\0\0\0\r\n";

fn asking(method: Method, path: &str, token: &str) -> Request<()> {
    let mut request = crate::door::http2::client::request(method, path);
    request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    request
}

/// Begins a stream of each kind on one connection, ends what let them in, by a reload and by time, and
/// looks at their ends.
fn all_end(upstream: SocketAddr, more: &str, speaks_http1: bool) {
    let text = configuration(upstream, more, PRIOR).replace("operations:", OPERATIONS);
    let text = text.replace("profile: auth0", "profile: auth0, leeway: 1s");
    for (code, status) in [("grant-missing", "7"), ("token-expired", "16")] {
        let gateway = Gateway::start(&text);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let by_time = code == "token-expired";
        let token = token_with(&json!({"exp": if by_time { now + 2 } else { 4_000_000_000 }}));
        run(async {
            let mut client = Http2::connect(gateway.address).await;
            assert_eq!(client.ask(get("/open/1")).await.status, 200);
            let (answer, _) = client.begin(asking(Method::GET, "/orders/1", &token), true).await;
            let mut events = answer.await.unwrap().into_body();
            assert!(next(&mut events).await.unwrap().is_some());
            let mut call = asking(Method::POST, "/shop.v1.Orders/Watch", &token);
            call.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
            // The upstream that speaks HTTP/1.1 is one that reads a request to its end.
            let (answer, _upload) = client.begin(call, speaks_http1).await;
            let mut call = answer.await.unwrap().into_body();
            assert!(next(&mut call).await.unwrap().is_some());
            let mut socket = None;
            if speaks_http1 {
                let mut request = asking(Method::CONNECT, "/live/1", &token);
                request.extensions_mut().insert(Protocol::from_static("websocket"));
                request.headers_mut().insert("sec-websocket-version", "13".parse().unwrap());
                let (answer, up) = client.begin(request, false).await;
                socket = Some((up, answer.await.unwrap().into_body()));
            }
            if !by_time {
                gateway.reload(&without_grant(&text));
            }

            let broken = next(&mut events).await.unwrap_err();
            assert!(broken.is_reset(), "{broken}");
            assert_eq!(next(&mut call).await.unwrap(), None, "{code}");
            let trailers = call.trailers().await.unwrap().unwrap();
            assert_eq!(trailers["grpc-status"], status);
            assert_eq!(trailers["grpc-message"], code);
            if let Some((_up, mut down)) = socket {
                let mut said = Vec::new();
                while let Some(data) = next(&mut down).await.unwrap() {
                    said.extend(data);
                }
                assert_eq!(said, close(1008, code));
            }
            assert_eq!(client.ask(get("/open/2")).await.status, 200, "the connection goes on");
        });
        let expected = if speaks_http1 { 3.0 } else { 2.0 };
        assert_eq!(cuts(&gateway, API, code), Some(expected), "{code}");
    }
}

#[test]
fn each_kind_of_stream_says_why_it_ends_and_its_connection_goes_on() {
    let upstream = Upstream::with(|seen, stream| {
        let line = seen.line();
        if line.starts_with("GET /open/") {
            return stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").is_ok();
        }
        let answer = match line {
            line if line.starts_with("GET /live/") => welcome(seen, ""),
            line if line.starts_with("POST ") => CALL.to_owned(),
            _ => EVENTS.to_owned(),
        };
        stream.write_all(answer.as_bytes()).unwrap();
        while wait_for_end(stream) {}
        false
    });
    all_end(upstream.address, "", true);
}

#[test]
fn what_is_cut_is_cancelled_at_an_upstream_that_speaks_http2() {
    let (tell, resets) = mpsc::channel();
    let tell = Arc::new(Mutex::new(tell));
    let upstream = StreamsUpstream::with(Allows::default(), move |mut stream| {
        let tell = tell.clone();
        Box::pin(async move {
            let path = stream.request.uri().path();
            if path.starts_with("/open/") {
                return ok(stream).await;
            }
            let is_call = path.starts_with("/shop");
            let kind = if is_call { "application/grpc" } else { "text/event-stream" };
            let response = Response::builder().header("content-type", kind).body(()).unwrap();
            let mut body = stream.respond.send_response(response, false).unwrap();
            body.send_data(Bytes::from_static(b"\0\0\0\0\0"), false).unwrap();
            let reset = poll_fn(|cx| body.poll_reset(cx)).await;
            tell.lock().unwrap().send(reset.ok()).unwrap();
        })
    });
    all_end(upstream.address, "upstream_protocol: http2", false);
    for _ in 0..4 {
        assert_eq!(resets.recv_timeout(PATIENCE).unwrap(), Some(Reason::CANCEL));
    }
}

/// What says nothing on a call, and answers everything else.
fn reticent() -> Upstream {
    Upstream::with(|seen, stream| {
        if seen.line().starts_with("POST /shop") {
            while wait_for_end(stream) {}
            return false;
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").is_ok()
    })
}

fn calling(token: &str) -> Request<()> {
    let mut call = asking(Method::POST, "/shop.v1.Orders/Watch", token);
    call.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
    call
}

#[test]
fn a_call_that_waits_for_its_first_message_is_cut() {
    let upstream = reticent();
    let text = configuration(upstream.address, "", PRIOR).replace("operations:", OPERATIONS);
    let gateway = Gateway::start(&text);
    let token = token_with(&json!({"exp": 4_000_000_000_u64}));
    run(async {
        let mut client = Http2::connect(gateway.address).await;
        let (answer, _) = client.begin(calling(&token), true).await;
        // Asked behind it: when this is answered, the call has been let in.
        assert_eq!(client.ask(get("/open/1")).await.status, 200);
        gateway.reload(&without_grant(&text));
        let answer = answer.await.unwrap();
        assert_eq!(answer.headers()["grpc-status"], "7");
        let message = answer.headers()["grpc-message"].to_str().unwrap();
        assert!(message.starts_with("grant-missing: "), "{message}");
        assert!(answer.body().is_end_stream());
    });
}

#[test]
fn a_call_may_be_silent_for_longer_than_an_upload() {
    let upstream = Upstream::with(|seen, stream| {
        let answer = if seen.line().starts_with("POST /shop") { CALL } else { EVENTS };
        stream.write_all(answer.as_bytes()).is_ok() && stream.write_all(b"0\r\n\r\n").is_ok()
    });
    let times = "timeouts: {body_read: 200ms, response: 200ms}";
    let text = configuration(upstream.address, "", &format!("{PRIOR}\n{times}"));
    let gateway = Gateway::start(&text.replace("operations:", OPERATIONS));
    let token = token_with(&json!({"exp": 4_000_000_000_u64}));
    run(async {
        let mut client = Http2::connect(gateway.address).await;
        let (call, mut upload) = client.begin(calling(&token), false).await;
        let (other, _other_upload) =
            client.begin(asking(Method::POST, "/orders/1", &token), false).await;
        // Whose silence began later has been given up for it.
        assert_eq!(other.await.unwrap().status(), 408);
        upload.send_data(Bytes::from_static(b"\0\0\0\0\0"), true).unwrap();
        let mut answer = call.await.unwrap().into_body();
        assert!(next(&mut answer).await.unwrap().is_some());
    });
}

#[test]
fn a_call_of_a_stranger_has_the_times_of_any_request() {
    let upstream = reticent();
    let times = "timeouts: {body_read: 200ms}";
    let gateway =
        Gateway::start(&configuration(upstream.address, "", &format!("{PRIOR}\n{times}")));
    run(async {
        let mut client = Http2::connect(gateway.address).await;
        let mut call = get("/open/1");
        call.headers_mut().remove("authorization");
        call.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
        let (answer, _upload) = client.begin(call, false).await;
        let answer = answer.await.unwrap();
        let message = answer.headers()["grpc-message"].to_str().unwrap();
        assert!(message.starts_with("request-timeout: "), "{message}");
    });
}
