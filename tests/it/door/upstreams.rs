//! Upstreams that fail, and connections to them that are used again.

use std::io::Write;
use std::net::{Shutdown, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, mpsc};

use super::gateway::{Gateway, configuration, request};
use super::upstream::Upstream;

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

#[test]
fn an_upstream_that_is_down_is_asked_again_when_it_is_back() {
    let reserved = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = reserved.local_addr().unwrap();
    drop(reserved);
    let gateway = Gateway::before(address);
    let mut client = gateway.client();
    let answer = client.ask(request("GET /orders/1", ""));
    assert_eq!((answer.status, answer.code().as_str()), (502, "upstream-unreachable"));
    assert!(!answer.text().contains(&address.port().to_string()), "{}", answer.text());
    let upstream =
        Upstream::on(TcpListener::bind(address).unwrap(), |_, stream| stream.write_all(OK).is_ok());
    assert_eq!(client.ask(request("GET /orders/1", "")).status, 200);
    upstream.next();
    let records = gateway.finish();
    assert_eq!(
        (&records[0]["decision"], &records[0]["code"], &records[0]["status"]),
        (&"allow".into(), &"upstream-unreachable".into(), &502.into())
    );
}

#[test]
fn an_upstream_that_takes_too_long_is_given_up_and_its_connection_too() {
    let (_keep, wait) = mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let upstream = Upstream::with(move |seen, stream| {
        if seen.connection == 0 {
            // Until the test is over.
            let _ = wait.lock().unwrap().recv();
        }
        stream.write_all(OK).is_ok()
    });
    let times = "timeouts: {response: 100ms}";
    let gateway = Gateway::start(&configuration(upstream.address, "", times));
    let mut client = gateway.client();
    let answer = client.ask(request("GET /orders/1", ""));
    assert_eq!((answer.status, answer.code().as_str()), (504, "upstream-timeout"));
    assert_eq!(upstream.next().connection, 0);
    assert_eq!(client.ask(request("GET /orders/1", "")).status, 200);
    assert_eq!(upstream.next().connection, 1);
}

#[test]
fn an_upload_that_stands_still_is_given_up() {
    let upstream = Upstream::start();
    let times = "timeouts: {body_read: 100ms}";
    let gateway = Gateway::start(&configuration(upstream.address, "", times));
    let mut client = gateway.client();
    let answer = client.ask(request("POST /orders/1", "content-length: 9\r\n") + "abc");
    assert_eq!((answer.status, answer.code().as_str()), (408, "request-timeout"));
    assert!(client.is_closed() && upstream.next().broken);
}

#[test]
fn a_connection_is_used_again_and_a_dead_one_costs_no_request() {
    let (tell, told) = mpsc::channel();
    let (count, tell) = (AtomicUsize::new(0), Mutex::new(tell));
    let upstream = Upstream::with(move |_, stream| {
        stream.write_all(OK).unwrap();
        // Every second answer is the last of its connection, and nobody is told before.
        let goes_on = count.fetch_add(1, Ordering::SeqCst) % 2 == 0;
        if !goes_on {
            stream.shutdown(Shutdown::Both).unwrap();
        }
        tell.lock().unwrap().send(()).unwrap();
        goes_on
    });
    let gateway = Gateway::before(upstream.address);
    let mut client = gateway.client();
    let mut connections = Vec::new();
    for _ in 0..20 {
        let length = "content-length: 3\r\n";
        assert_eq!(client.ask(request("POST /orders/1", length) + "abc").status, 200);
        connections.push(upstream.next().connection);
        told.recv().unwrap();
    }
    assert_eq!(connections, (0..20).map(|request| request / 2).collect::<Vec<_>>());
}

#[test]
fn an_answer_that_is_none_is_refused_in_its_stead() {
    for answer in [
        "nonsense\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nx",
    ] {
        let upstream = Upstream::answering(answer);
        let gateway = Gateway::before(upstream.address);
        let mut client = gateway.client();
        let refused = client.ask(request("GET /orders/1", ""));
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (502, "upstream-response-invalid"),
            "{answer:?}"
        );
        assert_eq!(client.ask(request("GET /orders/1", "")).status, 502);
    }
}

#[test]
fn what_comes_behind_an_answer_is_never_the_next_one() {
    let upstream = Upstream::answering(
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok\
         HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged",
    );
    let gateway = Gateway::before(upstream.address);
    let mut client = gateway.client();
    for connection in 0..20 {
        let answer = client.ask(request("GET /orders/1", ""));
        assert_eq!((answer.status, answer.text()), (200, "ok"));
        assert_eq!(upstream.next().connection, connection, "its connection is not used again");
    }
}

#[test]
fn an_answer_whose_head_is_too_large_is_refused_in_its_stead() {
    let upstream = Upstream::with(|_, stream| {
        let head = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "x".repeat(64 << 10));
        stream.write_all(head.as_bytes()).is_ok()
    });
    let gateway = Gateway::before(upstream.address);
    let refused = gateway.client().ask(request("GET /orders/1", ""));
    assert_eq!((refused.status, refused.code().as_str()), (502, "upstream-response-invalid"));
}

#[test]
fn an_upload_whose_client_has_gone_is_cut_off() {
    let upstream = Upstream::start();
    let gateway = Gateway::before(upstream.address);
    let mut client = gateway.client();
    client.send(request("POST /orders/1", "transfer-encoding: chunked\r\n") + "3\r\nabc\r\n");
    client.stream().shutdown(Shutdown::Both).unwrap();
    assert!(upstream.next().broken);
    gateway.wait_for_count("grantgate_connections 0");
}

#[test]
fn what_comes_before_an_answer_is_left_aside() {
    let upstream = Upstream::answering(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n\
         HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: x-hop\r\nx-hop: 1\r\nx-mine: 1\r\n\r\nok",
    );
    let gateway = Gateway::before(upstream.address);
    let answer = gateway.client().ask(request("GET /orders/1", ""));
    assert_eq!((answer.status, answer.text()), (200, "ok"));
    assert_eq!((answer.one("x-hop"), answer.one("x-mine")), (None, Some("1")));
}

#[test]
fn a_request_that_comes_back_is_a_loop() {
    let upstream = Upstream::start();
    let gateway = Gateway::before(upstream.address);
    gateway.reload(&configuration(gateway.address, "", ""));
    let answer = gateway.client().ask(request("GET /orders/1", ""));
    assert_eq!((answer.status, answer.code().as_str()), (508, "loop-detected"));
}

#[test]
fn a_prefix_of_ours_stays_behind() {
    let upstream = Upstream::start();
    let strip = "path_prefix: /orders\n      strip_prefix: true";
    let gateway = Gateway::start(
        &configuration(upstream.address, strip, "")
            .replace("        - {on: \"GET,POST /open/*\", public: true}\n", ""),
    );
    assert_eq!(gateway.client().ask(request("GET /orders/%31?a=%31", "")).status, 200);
    assert_eq!(upstream.next().line(), "GET /1?a=%31 HTTP/1.1");
}
