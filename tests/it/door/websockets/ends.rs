//! How WebSockets end.

use std::io::Write;
use std::net::Shutdown;
use std::sync::{Mutex, mpsc};

use super::*;
use crate::certificates::{Authority, client};
use crate::door::secure_upstream::{SecureUpstream, Shows, Then};
use crate::door::tls::Files;

#[test]
fn one_that_is_silent_is_told_so_and_ends() {
    let (tell, told) = mpsc::channel();
    let tell = Mutex::new(tell);
    let upstream = Upstream::with(move |seen, stream| {
        stream.write_all(welcome(seen, "").as_bytes()).unwrap();
        tell.lock().unwrap().send(to_the_end(stream)).unwrap();
        false
    });
    let idle = "timeouts: {stream_idle: 50ms}";
    let gateway = Gateway::start(&configuration(upstream.address, "", idle));
    let mut client = gateway.client();
    begin(&mut client);
    let said = close(1001, "stream-idle");
    assert_eq!(client.bytes(said.len()), said);
    assert!(client.is_closed_cleanly());
    let payload = [&1001_u16.to_be_bytes(), &b"stream-idle"[..]].concat();
    assert_eq!(told.recv().unwrap(), [&[0x88, 0x8d, 0, 0, 0, 0], &payload[..]].concat());
    gateway.wait_for_count("grantgate_tunnels 0");
}

#[test]
fn what_an_upstream_said_last_arrives_and_its_client_may_answer() {
    let (tell, told) = mpsc::channel();
    let tell = Mutex::new(tell);
    let upstream = Upstream::with(move |seen, stream| {
        stream.write_all(welcome(seen, "").as_bytes()).unwrap();
        stream.write_all(&close(1000, "")).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        tell.lock().unwrap().send(to_the_end(stream)).unwrap();
        false
    });
    let gateway = gateway(&upstream);
    let mut client = gateway.client();
    begin(&mut client);
    assert_eq!(client.bytes(4), close(1000, ""));
    assert!(client.is_closed_cleanly());
    let answer = masked(0x88, &1000_u16.to_be_bytes());
    client.send(&answer);
    drop(client);
    assert_eq!(told.recv().unwrap(), answer);
    gateway.wait_for_count("grantgate_tunnels 0");
}

#[test]
fn each_side_learns_that_the_other_is_gone() {
    let upstream = Upstream::with(|seen, stream| {
        stream.write_all(welcome(seen, "").as_bytes()).unwrap();
        // Dies in the middle of a frame, before it has read what was sent.
        stream.write_all(&plain(0x82, &[1; 100])[..50]).unwrap();
        stream.peek(&mut [0]).unwrap();
        false
    });
    let gate = gateway(&upstream);
    let mut client = gate.client();
    begin(&mut client);
    client.send(masked(0x81, b"anybody?"));
    assert_eq!(client.bytes(50), &plain(0x82, &[1; 100])[..50]);
    assert!(client.is_closed(), "nothing is said in the middle of a frame");
    gate.wait_for_count("grantgate_tunnels 0");

    let (tell, told) = mpsc::channel();
    let tell = Mutex::new(tell);
    let upstream = Upstream::with(move |seen, stream| {
        stream.write_all(welcome(seen, "").as_bytes()).unwrap();
        tell.lock().unwrap().send(to_the_end(stream)).unwrap();
        false
    });
    let gate = gateway(&upstream);
    let mut client = gate.client();
    begin(&mut client);
    client.send(&masked(0x82, &[1; 100])[..50]);
    drop(client);
    assert_eq!(told.recv().unwrap(), &masked(0x82, &[1; 100])[..50]);
    gate.wait_for_count("grantgate_tunnels 0");
    gate.wait_for_count("grantgate_connections 0");
}

#[test]
fn one_over_tls_on_both_sides_ends_with_a_reason_when_its_client_is_not_believed_any_more() {
    let upstreams = Authority::new();
    let shown = upstreams.sign("localhost");
    let upstream = SecureUpstream::with(&Shows::only(&shown), |wire| {
        let accept = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {ACCEPT}\r\n\r\n"
        );
        wire.write_all(accept.as_bytes()).unwrap();
        let mut room = [0; 8192];
        while let Ok(read @ 1..) = wire.read(&mut room) {
            wire.write_all(&plain(0x82, &room[..read])).unwrap();
            wire.flush().unwrap();
        }
        Then::Close
    });
    let (files, clients) = (Files::new(), Authority::new());
    files.write("clients.crt", &clients.pem());
    files.write("upstreams.crt", &upstreams.pem());
    let text = || {
        let server = files.configuration(upstream.address, ", client_ca: CLIENTS", "");
        let server = server.lines().find(|line| line.starts_with("server:")).unwrap();
        let server = server.replace("CLIENTS", &files.path("clients.crt").display().to_string());
        let tls = format!("upstream_tls: {{ca: {}}}", files.path("upstreams.crt").display());
        let secure = format!("https://localhost:{}", upstream.address.port());
        configuration(upstream.address, &tls, &server)
            .replace(&format!("http://{}", upstream.address), &secure)
    };
    let gateway = Gateway::start(&text());
    let known = files.authority.trusted_by_client(Some(&clients.sign("somebody")));
    let mut client = client(&known, gateway.address, "orders.example.com").unwrap();
    begin(&mut client);
    for frame in [masked(0x81, b"hello"), masked(0x82, &vec![9; 100_000])] {
        client.send(&frame);
        client.stream().flush().unwrap();
        let mut back = Vec::new();
        while back.len() < frame.len() {
            back.extend(payload(&mut client));
        }
        assert!(back == frame);
    }
    files.write("clients.crt", &Authority::new().pem());
    gateway.reload(&text());
    let said = close(1008, "certificate-not-trusted");
    assert_eq!(client.bytes(said.len()), said);
    assert!(client.is_closed_cleanly(), "the end of TLS was not said");
    gateway.wait_for_count("grantgate_tunnels 0");
}

/// What the next frame of a server holds.
fn payload<S: Read + Write>(client: &mut Client<S>) -> Vec<u8> {
    let length = match client.bytes(2)[1] {
        126 => usize::from(u16::from_be_bytes(client.bytes(2).try_into().unwrap())),
        length => length.into(),
    };
    client.bytes(length)
}
