//! WebSockets on one stream of HTTP/2 (RFC 8441).

use std::future::poll_fn;

use bytes::Bytes;
use h2::ext::Protocol;
use h2::{Reason, RecvStream, SendStream};
use http::{Method, Request};

use super::*;
use crate::door::http2::client::{Http2, Whole, get, next, run, whole};
use crate::door::tls::Files;

const PRIOR: &str = "server: {listen: \"127.0.0.1:0\", http2: prior_knowledge}";

/// A request for a WebSocket, with a token.
fn asking(protocol: &'static str, path: &str) -> Request<()> {
    let mut request = crate::door::http2::client::request(Method::CONNECT, path);
    request.extensions_mut().insert(Protocol::from(protocol));
    request.headers_mut().insert("sec-websocket-version", "13".parse().unwrap());
    request
}

/// One that knows that WebSockets are spoken: those come with the other side's first words.
async fn connect(gateway: &Gateway) -> Http2 {
    let mut client = Http2::connect(gateway.address).await;
    assert_eq!(client.ask(get("/open/1")).await.status, 200);
    assert!(client.requests.is_extended_connect_protocol_enabled());
    client
}

async fn open(client: &mut Http2, request: Request<()>) -> (SendStream<Bytes>, RecvStream) {
    let (answer, up) = client.begin(request, false).await;
    let answer = answer.await.unwrap();
    assert_eq!(answer.status(), 200);
    for name in ["upgrade", "connection", "sec-websocket-accept", "content-length"] {
        assert!(!answer.headers().contains_key(name), "{name}");
    }
    (up, answer.into_body())
}

async fn ask(client: &mut Http2, request: Request<()>) -> Whole {
    let (answer, _up) = client.begin(request, false).await;
    whole(answer).await.unwrap()
}

async fn send(up: &mut SendStream<Bytes>, bytes: &[u8]) {
    let mut bytes = Bytes::copy_from_slice(bytes);
    while !bytes.is_empty() {
        up.reserve_capacity(bytes.len());
        let room = poll_fn(|cx| up.poll_capacity(cx)).await.unwrap().unwrap();
        up.send_data(bytes.split_to(room.min(bytes.len())), false).unwrap();
    }
}

async fn bytes(down: &mut RecvStream, count: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bytes.len() < count {
        bytes.extend(next(down).await.unwrap().expect("it ended early"));
    }
    bytes
}

/// Reads the end of a stream, which may be an empty frame.
async fn ends(down: &mut RecvStream) {
    while let Some(data) = next(down).await.unwrap() {
        assert_eq!(data, "");
    }
}

/// Answers what is no handshake plainly, and echoes behind what is.
fn upstream() -> Upstream {
    Upstream::with(|seen, stream| {
        if seen.one("upgrade").is_none() || seen.line().contains("refusing") {
            return stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").is_ok();
        }
        stream.write_all(welcome(seen, "").as_bytes()).unwrap();
        let mut back = stream.try_clone().unwrap();
        let _ = std::io::copy(stream, &mut back);
        let _ = back.shutdown(Shutdown::Both);
        false
    })
}

#[test]
fn a_stream_becomes_one_beside_requests_and_is_decided_as_get() {
    let upstream = upstream();
    let gateway = Gateway::start(&configuration(upstream.address, "", PRIOR));
    run(async {
        let mut client = connect(&gateway).await;
        assert_eq!(upstream.next().line(), "GET /open/1 HTTP/1.1");
        let (mut up, mut down) = open(&mut client, asking("websocket", "/live/1")).await;
        let seen = upstream.next();
        assert_eq!(seen.line(), "GET /live/1 HTTP/1.1");
        assert_eq!(seen.all("upgrade"), ["websocket"]);
        assert_eq!(seen.all("connection"), ["upgrade"]);
        assert_eq!(seen.all("sec-websocket-key")[0].len(), 24);
        assert_eq!(seen.all("grantgate-client-id"), ["batch"]);
        gateway.wait_for_count("grantgate_tunnels 1");
        let fragments = [masked(0x01, b"hel"), masked(0x80, b"lo")].concat();
        for frame in [fragments, masked(0x82, &vec![7; 1 << 20])] {
            let ((), back) = tokio::join!(send(&mut up, &frame), bytes(&mut down, frame.len()));
            assert!(back == frame);
        }
        assert_eq!(client.ask(get("/open/2")).await.status, 200);
        up.send_data(Bytes::new(), true).unwrap();
        ends(&mut down).await;
        gateway.wait_for_count("grantgate_tunnels 0");
    });
    let records = gateway.finish();
    assert_eq!((&records[1]["method"], &records[1]["status"]), (&"GET".into(), &101.into()));
}

#[test]
fn what_opens_none_is_no_success() {
    let upstream = upstream();
    let gateway = Gateway::start(&configuration(upstream.address, "", PRIOR));
    run(async {
        let mut client = connect(&gateway).await;
        upstream.next();
        let mut stranger = asking("websocket", "/live/1");
        stranger.headers_mut().remove("authorization");
        let mut old = asking("websocket", "/live/1");
        old.headers_mut().insert("sec-websocket-version", "8".parse().unwrap());
        let mut plain = asking("websocket", "/live/1");
        plain.extensions_mut().remove::<Protocol>();
        *plain.uri_mut() = "orders.example.com:80".parse().unwrap();
        for (request, status, code) in [
            (stranger, 401, "token-missing"),
            (old, 400, "request-malformed"),
            (plain, 400, "request-malformed"),
            (asking("connect-udp", "/live/1"), 400, "request-malformed"),
            (asking("WebSocket", "/live/1"), 400, "request-malformed"),
            (asking("websocket", "/orders/1"), 400, "request-malformed"),
            (asking("websocket", "/open/1"), 400, "request-malformed"),
        ] {
            let shown = format!("{request:?}");
            let answer = ask(&mut client, request).await;
            assert_eq!((answer.status.as_u16(), answer.code().as_str()), (status, code), "{shown}");
        }
        assert!(upstream.rest().is_empty());
        let answer = ask(&mut client, asking("websocket", "/live/refusing")).await;
        assert_eq!(answer.code(), "upstream-response-invalid", "a success that opens nothing");
        assert_eq!(client.ask(get("/open/3")).await.status, 200);
    });
}

#[test]
fn what_asks_for_one_is_no_grpc_call_whatever_its_content_type() {
    let upstream = upstream();
    let gateway = Gateway::start(&configuration(upstream.address, "", PRIOR));
    run(async {
        let mut client = connect(&gateway).await;
        let mut plain = asking("websocket", "/live/1");
        plain.extensions_mut().remove::<Protocol>();
        *plain.uri_mut() = "orders.example.com:80".parse().unwrap();
        for (mut request, status, code) in [
            (asking("websocket", "/live/1"), 401, "token-missing"),
            (asking("connect-udp", "/live/1"), 400, "request-malformed"),
            (plain, 400, "request-malformed"),
        ] {
            request.headers_mut().remove("authorization");
            request.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
            // A success would say that it is open.
            let answer = ask(&mut client, request).await;
            assert_eq!((answer.status.as_u16(), answer.code().as_str()), (status, code));
            assert!(!answer.headers.contains_key("grpc-status"));
        }
    });
}

#[test]
fn a_client_that_takes_nothing_and_falls_silent_is_reset() {
    let upstream = Upstream::with(|seen, stream| {
        if seen.one("upgrade").is_none() {
            return stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").is_ok();
        }
        stream.write_all(welcome(seen, "").as_bytes()).unwrap();
        while stream.write_all(&plain(0x82, &[0; 8192])).is_ok() {}
        false
    });
    let top = format!("{PRIOR}\ntimeouts: {{stream_idle: 50ms}}");
    let gateway = Gateway::start(&configuration(upstream.address, "", &top));
    run(async {
        let mut client = connect(&gateway).await;
        let (up, mut down) = open(&mut client, asking("websocket", "/live/1")).await;
        let mut taken = 0;
        let error = loop {
            // Without room given back for them.
            match down.data().await {
                Some(Ok(data)) => taken += data.len(),
                Some(Err(error)) => break error,
                None => panic!("it looks whole"),
            }
        };
        assert_eq!(error.reason(), Some(Reason::CANCEL));
        assert_eq!(taken, 65535, "the window of a stream");
        // What it held of the connection's window is given back with it.
        drop((up, down));
        assert_eq!(client.ask(get("/open/3")).await.status, 200, "other streams go on");
    });
}

#[test]
fn over_tls_it_is_waited_for_and_told_why_it_ends() {
    let (files, upstream) = (Files::new(), upstream());
    let tls = files.configuration(upstream.address, "", "");
    let server = tls.lines().find(|line| line.starts_with("server:")).unwrap();
    let top = format!("{server}\ntimeouts: {{stream_idle: 1s}}");
    let gateway = Gateway::start(&configuration(upstream.address, "", &top));
    let trusting = files.authority.trusted_by_client(None);
    run(async {
        let mut client = Http2::secure(&trusting, gateway.address, "orders.example.com").await;
        assert_eq!(client.ask(get("/open/1")).await.status, 200);
        let (mut up, mut down) = open(&mut client, asking("websocket", "/live/1")).await;
        gateway.drain.advance(Phase::Closing);
        let frame = plain(0x81, b"like a server's, since it comes back");
        send(&mut up, &frame).await;
        assert_eq!(bytes(&mut down, frame.len()).await, frame);
        let said = close(1001, "stream-idle");
        assert_eq!(bytes(&mut down, said.len()).await, said);
        ends(&mut down).await;
        drop((up, down, client.requests));
        client.end.await.unwrap().unwrap();
    });
    assert_eq!(gateway.finish().len(), 2);
}
