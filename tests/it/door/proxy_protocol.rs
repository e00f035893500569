//! Load balancers that say whose connection they pass on (PROXY protocol), and others that say so too.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;

use serde_json::Value;
use tokio::io::AsyncWriteExt;

use super::client::{Client, PATIENCE};
use super::gateway::{Gateway, configuration, request};
use super::http2::client::{Http2, get, run};
use super::upstream::Upstream;
use crate::certificates::{Authority, shake_hands};

const TEXT: &str = "PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n";

/// The same in version 2, with a field of a balancer's own behind.
const BINARY: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x13\
    \xc0\0\x02\x07\xc6\x33\x64\x01\x12\x67\x01\xbb\xe0\0\x04elb!";

/// What a balancer sends that looks whether we are there.
const LOCAL: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";

const FAULTS: &str = "grantgate_connection_errors_total{kind=\"proxy_header\"}";

/// A configuration whose balancers are `from`; `more` stands beside it.
fn text(upstream: SocketAddr, from: &str, more: &str) -> String {
    let server =
        format!("server: {{listen: \"127.0.0.1:0\", proxy_protocol_from: [{from}]{more}}}");
    configuration(upstream, "", &server)
}

/// The client that is told of at the upstream, to records and to nobody else.
fn client_of(upstream: &Upstream) -> String {
    upstream.next().one("x-forwarded-for").unwrap().to_owned()
}

#[test]
fn the_client_is_the_one_that_the_balancer_names() {
    let upstream = Upstream::start();
    let gateway = Gateway::start(&text(upstream.address, "127.0.0.0/8", ""));
    let mapped = "PROXY TCP6 ::ffff:192.0.2.7 ::1 4711 443\r\n";
    for (header, peer) in [
        (TEXT.as_bytes(), "192.0.2.7"),
        (BINARY, "192.0.2.7"),
        (mapped.as_bytes(), "192.0.2.7"),
        (b"PROXY TCP6 2001:db8::7 2001:db8::1 4711 443\r\n", "2001:db8::7"),
        (b"PROXY UNKNOWN\r\n", "127.0.0.1"),
        (LOCAL, "127.0.0.1"),
    ] {
        // In one piece with the first request, before it, and byte by byte.
        let whole = [header, request("GET /orders/1", "").as_bytes()].concat();
        let mut client = gateway.client();
        assert_eq!(client.ask(&whole).status, 200, "{}", header.escape_ascii());
        assert_eq!(client.ask(request("GET /orders/1", "")).status, 200);
        let mut slow = gateway.client();
        for byte in header {
            slow.send([*byte]);
        }
        assert_eq!(slow.ask(request("GET /orders/1", "")).status, 200);
        for _ in 0..3 {
            assert_eq!(client_of(&upstream), peer);
        }
    }
    let records = gateway.finish();
    let recorded = |peer: &str| {
        let is = |record: &&Value| record["peer"].as_str().unwrap().starts_with(peer);
        records.iter().filter(is).count()
    };
    assert_eq!(recorded("192.0.2.7:4711"), 9);
    assert_eq!(recorded("[2001:db8::7]:4711"), 3);
    assert_eq!(recorded("127.0.0.1:"), 6);
}

#[test]
fn the_client_and_not_the_balancer_is_trusted_with_what_came_before() {
    let upstream = Upstream::start();
    let told = request("GET /orders/1", "x-forwarded-for: 203.0.113.9\r\n");
    for (trusted, hops) in
        [("127.0.0.1/32", "192.0.2.7"), ("192.0.2.0/24", "203.0.113.9, 192.0.2.7")]
    {
        let more = format!(", trusted_proxies: [{trusted}]");
        let gateway = Gateway::start(&text(upstream.address, "127.0.0.1/32", &more));
        assert_eq!(gateway.client().send(TEXT).ask(&told).status, 200);
        assert_eq!(client_of(&upstream), hops);
    }
}

#[test]
fn a_balancers_connection_without_a_header_is_closed_without_a_word() {
    let upstream = Upstream::start();
    let times = "timeouts: {handshake: 200ms}\n";
    let gateway = Gateway::start(&(text(upstream.address, "127.0.0.1/32", "") + times));
    let long = format!("PROXY UNKNOWN {}\r\n", "x".repeat(200));
    let misspelt = [&BINARY[..BINARY.len() - 1], b"G"].concat();
    let huge = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff".to_vec();
    let mut faults = 0;
    for bytes in [
        request("GET /orders/1", "").into_bytes(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        b"\x16\x03\x01\x02\x00\x01\x00".to_vec(),
        b"PROXY TCP4 192.0.2.7 198.51.100.1 4711 99999\r\n".to_vec(),
        long.into_bytes(),
        huge,
        // What comes too late, or never.
        b"PROXY".to_vec(),
        BINARY[..BINARY.len() - 1].to_vec(),
        Vec::new(),
    ] {
        let mut client = gateway.client();
        client.try_send(&bytes);
        assert!(client.is_closed(), "{}", bytes.escape_ascii());
        faults += 1;
        gateway.wait_for_count(&format!("{FAULTS} {faults}"));
    }
    // One that ends in the middle of its header.
    let mut client = gateway.client();
    client.send("PROXY TCP4 ").stream().shutdown(std::net::Shutdown::Write).unwrap();
    assert!(client.is_closed());
    gateway.wait_for_count(&format!("{FAULTS} {}", faults + 1));
    // Those who only look whether somebody listens.
    drop(gateway.client());
    gateway.wait_for_count("grantgate_connections 0");
    assert!(gateway.counts(&format!("{FAULTS} {}", faults + 1)));

    // What follows a header is the client's, whatever it looks like.
    let answer = gateway.client().send(&misspelt).ask(request("GET /orders/1", ""));
    assert_eq!(answer.status, 200, "its length says where it ends");
    let answer = gateway.client().send(TEXT).ask(TEXT);
    assert_eq!(answer.status, 400, "there is one header");
    assert_eq!(upstream.rest().len(), 1);
}

#[test]
fn from_anybody_else_it_is_no_header() {
    let upstream = Upstream::start();
    let elsewhere = text(upstream.address, "192.0.2.0/24", "");
    let gateway = Gateway::start(&elsewhere);
    let ask = request("GET /orders/1", "");
    for header in [TEXT.as_bytes(), BINARY, LOCAL] {
        let mut client = gateway.client();
        let answer = client.ask([header, ask.as_bytes()].concat());
        assert_eq!((answer.status, answer.text()), (400, ""), "{}", answer.head);
        assert!(client.is_closed());
    }
    assert!(gateway.counts(&format!("{FAULTS} 0")) && upstream.rest().is_empty());
    assert_eq!(gateway.client().ask(&ask).status, 200);

    // The running configuration decides, for each connection that comes.
    let mut before = gateway.client();
    assert_eq!(before.ask(&ask).status, 200);
    gateway.reload(&text(upstream.address, "192.0.2.0/24, 127.0.0.1/32", ""));
    assert_eq!(gateway.client().send(TEXT).ask(&ask).status, 200);
    assert!(gateway.client().send(&ask).is_closed());
    assert_eq!(before.ask(&ask).status, 200, "it had come as itself");
    gateway.reload(&elsewhere);
    assert_eq!(gateway.client().ask(&ask).status, 200);
}

#[test]
fn a_header_comes_before_the_handshake() {
    let (authority, upstream) = (Authority::new(), Upstream::start());
    let (folder, pair) = (tempfile::tempdir().unwrap(), authority.sign("orders.example.com"));
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (cert, key) = (file("tls.crt", &pair.certificate), file("tls.key", &pair.key));
    let tls = format!(", tls: {{cert: {cert}, key: {key}}}");
    let gateway = Gateway::start(&text(upstream.address, "127.0.0.1/32", &tls));
    let trusting = authority.trusted_by_client(None);
    for header in [TEXT.as_bytes(), BINARY] {
        let mut socket = TcpStream::connect(gateway.address).unwrap();
        socket.write_all(header).unwrap();
        let stream = shake_hands(&trusting, socket, "orders.example.com").unwrap();
        assert_eq!(Client::over(stream).ask(request("GET /orders/1", "")).status, 200);
        assert_eq!(client_of(&upstream), "192.0.2.7");
    }
    // Within the handshake's protection it would be the client's word.
    let mut socket = TcpStream::connect(gateway.address).unwrap();
    socket.write_all(TEXT.as_bytes()).unwrap();
    let stream = shake_hands(&trusting, socket, "orders.example.com").unwrap();
    assert_eq!(Client::over(stream).ask(TEXT).status, 400);
    let socket = TcpStream::connect(gateway.address).unwrap();
    assert!(shake_hands(&trusting, socket, "orders.example.com").is_err());
    gateway.wait_for_count(&format!("{FAULTS} 1"));
    // Their own health checks, which end there.
    let mut check = TcpStream::connect(gateway.address).unwrap();
    check.set_read_timeout(Some(PATIENCE)).unwrap();
    check.write_all(LOCAL).unwrap();
    check.shutdown(std::net::Shutdown::Write).unwrap();
    assert!(matches!(check.read(&mut [0]), Ok(0)));
    gateway.wait_for_count("grantgate_connections 0");
    assert!(gateway.counts(&format!("{FAULTS} 1")));
    assert!(gateway.counts("grantgate_connection_errors_total{kind=\"tls\"} 0"));
}

#[test]
fn a_header_comes_before_the_preface() {
    let upstream = Upstream::start();
    let gateway =
        Gateway::start(&text(upstream.address, "127.0.0.1/32", ", http2: prior_knowledge"));
    run(async {
        for header in [TEXT.as_bytes(), BINARY] {
            let mut socket = tokio::net::TcpStream::connect(gateway.address).await.unwrap();
            socket.write_all(header).await.unwrap();
            let mut client = Http2::over(socket).await;
            for _ in 0..2 {
                assert_eq!(client.ask(get("/orders/1")).await.status, 200);
                assert_eq!(client_of(&upstream), "192.0.2.7");
            }
        }
    });
    // Both versions of HTTP are told apart behind a header as they are without.
    assert_eq!(gateway.client().send(TEXT).ask(request("GET /orders/1", "")).status, 200);
}

#[test]
fn through_a_unix_socket_nobody_is_a_balancer() {
    let (folder, upstream) = (tempfile::tempdir().unwrap(), Upstream::start());
    let path = folder.path().join("gate.sock");
    let server = format!(
        "server: {{listen: \"unix:{}\", proxy_protocol_from: [127.0.0.0/8, \"::1\"]}}",
        path.display()
    );
    let gateway = Gateway::start(&configuration(upstream.address, "", &server));
    let connect = || {
        let stream = UnixStream::connect(&path).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Client::over(stream)
    };
    assert_eq!(connect().ask(request("GET /orders/1", "")).status, 200);
    assert_eq!(connect().ask(TEXT.to_owned() + &request("GET /orders/1", "")).status, 400);
    assert_eq!(gateway.finish()[0]["peer"], "unix:");
}
