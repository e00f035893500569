//! Connections: slow ones, too many, and the last ones.

use std::io::Write;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, mpsc};

use grantgate::config::snapshot::Listen;
use grantgate::net::{Drain, Phase, Tls, Workers};
use grantgate::proxy::Door;
use grantgate::telemetry::Metrics;

use super::client::PATIENCE;
use super::gateway::{Gateway, configuration, request};
use super::upstream::Upstream;

#[test]
fn a_head_that_does_not_come_in_time_ends_the_connection() {
    let upstream = Upstream::start();
    let times = "timeouts: {header_read: 100ms}";
    let gateway = Gateway::start(&configuration(upstream.address, "", times));
    let mut silent = gateway.client();
    let mut slow = gateway.client();
    slow.send("GET /orders/1 HTTP/1.1\r\nhost: a\r\nx: ");
    assert!(silent.is_closed());
    assert_eq!(slow.answer().status, 408);
    assert!(slow.is_closed());
    gateway.wait_for_count("grantgate_connection_errors_total{kind=\"timeout\"} 2");
    gateway.wait_for_count("grantgate_connections 0");
}

#[test]
fn more_connections_than_allowed_are_turned_away_until_one_ends() {
    let upstream = Upstream::start();
    let limits = "limits: {connections: 1}";
    let gateway = Gateway::start(&configuration(upstream.address, "", limits));
    let mut first = gateway.client();
    assert_eq!(first.ask(request("GET /orders/1", "")).status, 200);
    let mut second = gateway.client();
    let answer = second.answer();
    assert_eq!((answer.status, answer.one("retry-after")), (503, Some("1")));
    assert_eq!((answer.code().as_str(), answer.one("connection")), ("overloaded", Some("close")));
    assert!(second.is_closed());
    drop(first);
    gateway.wait_for_count("grantgate_connections 0");
    assert_eq!(gateway.client().ask(request("GET /orders/1", "")).status, 200);
    assert!(gateway.counts("grantgate_connection_errors_total{kind=\"refused\"} 1"));
}

#[test]
fn a_gateway_that_leaves_finishes_what_is_in_flight() {
    let (go_on, wait) = mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let upstream = Upstream::with(move |_, stream| {
        wait.lock().unwrap().recv().unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").is_ok()
    });
    let gateway = Gateway::before(upstream.address);
    let mut idle = gateway.client();
    assert_eq!(idle.ask("GET / HTTP/1.1\r\nhost: a\r\n\r\n").one("connection"), None);
    let mut busy = gateway.client();
    busy.send(request("GET /orders/1", ""));
    upstream.next();

    gateway.drain.advance(Phase::Draining);
    let asked_to_leave = (0..1000).any(|_| {
        let answer = gateway.client().ask("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
        answer.one("connection") == Some("close")
    });
    assert!(asked_to_leave, "while it drains it still accepts, and says so");
    gateway.drain.advance(Phase::Closing);
    assert!(idle.is_closed());
    go_on.send(()).unwrap();
    let answer = busy.answer();
    assert_eq!((answer.status, answer.one("connection")), (200, Some("close")));
    let address = gateway.address;
    assert!(gateway.finish().iter().any(|record| record["status"] == 200));
    assert!(std::net::TcpStream::connect(address).is_err());
}

#[test]
fn a_gateway_that_must_leave_leaves_at_once() {
    let (_keep, wait) = mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let upstream = Upstream::with(move |_, _| wait.lock().unwrap().recv().is_ok());
    let mut gateway = Gateway::before(upstream.address);
    let mut busy = gateway.client();
    busy.send(request("GET /orders/1", ""));
    upstream.next();
    gateway.drain.advance(Phase::Gone);
    gateway.wait();
    assert!(busy.maybe_answer("GET").is_none());
    let records = gateway.finish();
    assert_eq!(
        (records.len(), records[0]["status"].is_null()),
        (1, true),
        "it is recorded all the same"
    );
}

#[test]
fn a_second_gateway_on_the_same_port_is_an_error() {
    let upstream = Upstream::start();
    let gateway = Gateway::before(upstream.address);
    let (drain, metrics) = (Drain::new(), Arc::new(Metrics::new()));
    let never = || -> Door { panic!("no worker may start") };
    let one = NonZeroUsize::MIN;
    let (listen, tls) = (Listen::Tcp(gateway.address), Tls::of(None));
    let error = Workers::start(&listen, &tls, one, &drain, &metrics, never).err().unwrap();
    let text = error.to_string();
    assert!(text.contains(&gateway.address.to_string()) && text.contains("in use"), "{text}");
}

#[test]
fn nothing_is_lost_of_a_refusal_when_the_client_still_sends() {
    let upstream = Upstream::start();
    let gateway = Gateway::before(upstream.address);
    let mut client = gateway.client();
    client.send("POST /orders/1 HTTP/1.1\r\nhost: a\r\ncontent-length: 99999999\r\n\r\n");
    client.stream().set_write_timeout(Some(PATIENCE)).unwrap();
    for _ in 0..6 {
        client.try_send(vec![b'x'; 64 * 1024]);
    }
    assert_eq!(client.answer().code(), "token-missing");
}
