//! Clients that take their time, in every stage of a connection; and what is held for them meanwhile.

use std::io::{ErrorKind, Write};
use std::net::TcpStream;
use std::sync::mpsc;
use std::time::Duration;

use super::client::PATIENCE;
use super::gateway::{Gateway, configuration, request};
use super::upstream::Upstream;

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

fn gateway(upstream: &Upstream, times: &str) -> Gateway {
    Gateway::start(&configuration(upstream.address, "", &format!("timeouts: {{{times}}}")))
}

fn timeouts(gateway: &Gateway, count: usize) -> bool {
    let line = format!("grantgate_connection_errors_total{{kind=\"timeout\"}} {count}");
    gateway.counts(&line)
}

#[test]
fn a_client_that_asks_nothing_more_is_left_without_a_word_and_without_blame() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, "idle: 50ms");
    let mut client = gateway.client();
    assert_eq!(client.ask(request("GET /orders/1", "")).status, 200);
    assert!(client.is_closed_cleanly());
    gateway.wait_for_count("grantgate_connections 0");
    assert!(!timeouts(&gateway, 1));
}

#[test]
fn a_later_head_has_its_own_time_and_idling_is_none_of_it() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, "header_read: 1s");
    let mut client = gateway.client();
    assert_eq!(client.ask(request("GET /orders/1", "")).status, 200);
    // Longer than a head may take.
    client.stream().set_read_timeout(Some(Duration::from_millis(1500))).unwrap();
    assert_eq!(client.stream().peek(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    client.stream().set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(client.ask(request("GET /orders/1", "")).status, 200);
    client.send("GET /orders/1 HTTP/1.1\r\nx: ");
    assert_eq!(client.answer().status, 408);
    assert!(client.is_closed());
    gateway.wait_for_count("grantgate_connections 0");
    assert!(timeouts(&gateway, 1));
}

#[test]
fn a_head_that_drips_has_no_more_time_than_one_that_stops() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, "header_read: 200ms");
    let mut client = gateway.client();
    client.send("GET /orders/1 HTTP/1.1\r\nx: ");
    assert!(drip(client.stream(), b"x"), "it is never given up");
    gateway.wait_for_count("grantgate_connections 0");
    assert!(timeouts(&gateway, 1));
}

#[test]
fn a_body_that_drips_is_given_up_with_its_reason() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, "body_read: 200ms");
    let mut client = gateway.client();
    client.send(request("POST /orders/1", "content-length: 999999\r\n"));
    assert!(drip(client.stream(), b"x"), "it is never given up");
    assert_eq!(client.answer().code(), "request-timeout");
    assert!(upstream.next().broken);
}

#[test]
fn an_upload_whose_upstream_takes_its_time_is_not_given_up() {
    let (go_on, wait) = mpsc::channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    let upstream = Upstream::with(move |_, stream| {
        wait.lock().unwrap().recv().unwrap();
        stream.write_all(OK).is_ok()
    });
    let gateway = gateway(&upstream, "body_read: 1s, idle: 1s, header_read: 1s");
    let mut client = gateway.client();
    client.send(request("POST /orders/1", "content-length: 3\r\n") + "abc");
    upstream.next();
    client.stream().set_read_timeout(Some(Duration::from_millis(1500))).unwrap();
    assert_eq!(client.stream().peek(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    go_on.send(()).unwrap();
    client.stream().set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(client.answer().status, 200);
}

#[test]
fn an_answer_that_is_not_taken_is_neither_gathered_nor_kept() {
    const WHOLE: usize = 256 << 20;
    let (report, reported) = mpsc::channel();
    let report = std::sync::Mutex::new(report);
    let upstream = Upstream::with(move |_, stream| {
        write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {WHOLE}\r\n\r\n").unwrap();
        let poured = pour(stream, WHOLE);
        report.lock().unwrap().send(poured).unwrap();
        false
    });
    let gateway = gateway(&upstream, "response_write: 2s");
    let mut client = gateway.client();
    client.send(request("GET /orders/1", ""));
    let poured = reported.recv().unwrap();
    assert!(poured < WHOLE / 4, "{poured} bytes went out to a client that read none");
    gateway.wait_for_count("grantgate_connections 0");
    assert!(timeouts(&gateway, 1));
    drop(client);
}

#[test]
fn an_upstream_that_stops_in_the_middle_of_its_answer_keeps_nobody() {
    for head in ["content-length: 9", "transfer-encoding: chunked", "connection: close"] {
        let (_keep, wait) = mpsc::channel::<()>();
        let wait = std::sync::Mutex::new(wait);
        let upstream = Upstream::with(move |_, stream| {
            write!(stream, "HTTP/1.1 200 OK\r\n{head}\r\n\r\n3\r\nabc\r\n").unwrap();
            wait.lock().unwrap().recv().is_ok()
        });
        let gateway = gateway(&upstream, "response_read: 200ms");
        let mut client = gateway.client();
        client.send(request("GET /orders/1", ""));
        let answer = client.answer();
        assert_eq!((answer.status, answer.whole), (200, false), "{head}");
        assert!(client.is_closed());
        gateway.wait_for_count("grantgate_connections 0");
        assert!(!timeouts(&gateway, 1), "it is not the client's fault");
    }
}

#[test]
fn an_upload_that_is_not_taken_is_not_gathered() {
    const WHOLE: usize = 256 << 20;
    let (_keep, wait) = mpsc::channel::<()>();
    let deaf = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = deaf.local_addr().unwrap();
    std::thread::spawn(move || {
        let _accepted = deaf.accept();
        let _ = wait.recv();
    });
    let gateway = Gateway::before(address);
    let mut client = gateway.client();
    client.send(request("POST /orders/1", &format!("content-length: {WHOLE}\r\n")));
    let poured = pour(client.stream(), WHOLE);
    assert!(poured < WHOLE / 4, "{poured} bytes went out to an upstream that read none");
}

/// Writes until nobody has taken any of it for a while, or all is written.
fn pour(stream: &mut TcpStream, whole: usize) -> usize {
    stream.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
    let piece = vec![b'x'; 64 << 10];
    let mut poured = 0;
    while poured < whole {
        match stream.write(&piece) {
            Ok(written) => poured += written,
            Err(_) => break,
        }
    }
    poured
}

/// Sends `drop` now and then, until something comes back; whether it did.
fn drip(stream: &mut TcpStream, drop: &[u8]) -> bool {
    stream.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
    let answered = (0..2000).any(|_| {
        let _ = stream.write_all(drop);
        stream.peek(&mut [0]).is_ok()
    });
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    answered
}
