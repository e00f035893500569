//! WebSockets: which requests become one, what passes then and how it ends.

mod ends;
mod extended;
mod handshakes;
mod tokens;

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use grantgate::net::Phase;

use super::client::Client;
use super::gateway::{self, Gateway, request};
use super::upstream::{Seen, Upstream};

/// The key and the answer of RFC 6455 section 1.3.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// A configuration with operations that may become a WebSocket.
fn configuration(upstream: SocketAddr, more: &str, top: &str) -> String {
    let operations = r#"- {on: "GET,POST /live/{room}", scopes: ["read:orders"], upgrade: [websocket]}
        - {on: "GET /stage/{room}", public: true, upgrade: [websocket]}
        - {on: "GET,POST /open/*", public: true}"#;
    let text = gateway::configuration(upstream, more, top);
    text.replace(r#"- {on: "GET,POST /open/*", public: true}"#, operations)
}

fn gateway(upstream: &Upstream) -> Gateway {
    Gateway::start(&configuration(upstream.address, "", ""))
}

/// The fields of a handshake.
fn fields() -> String {
    format!(
        "upgrade: websocket\r\nconnection: Upgrade\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: {KEY}\r\n"
    )
}

/// A handshake with a token; `more` are further header fields.
fn handshake(more: &str) -> String {
    request("GET /live/1", &(fields() + more))
}

/// The answer to a handshake, whatever its key is.
pub fn welcome(seen: &Seen, more: &str) -> String {
    let key = seen.one("sec-websocket-key").unwrap();
    let text = format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    let accept = BASE64_STANDARD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes()));
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n{more}\r\n"
    )
}

/// Accepts every handshake, and sends back what follows until its end.
fn echo() -> Upstream {
    Upstream::with(|seen, stream| {
        stream.write_all(welcome(seen, "").as_bytes()).unwrap();
        let mut back = stream.try_clone().unwrap();
        let _ = std::io::copy(stream, &mut back);
        let _ = back.shutdown(Shutdown::Both);
        false
    })
}

/// A frame as a client sends it.
fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = head(first, 0x80, payload.len());
    let mask = [7, 11, 13, 17];
    frame.extend(mask);
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// A frame as a server sends it.
fn plain(first: u8, payload: &[u8]) -> Vec<u8> {
    [head(first, 0, payload.len()), payload.to_vec()].concat()
}

/// A Close frame of a server.
pub fn close(status: u16, reason: &str) -> Vec<u8> {
    plain(0x88, &[&status.to_be_bytes(), reason.as_bytes()].concat())
}

fn head(first: u8, masked: u8, length: usize) -> Vec<u8> {
    match length {
        0..=125 => vec![first, masked | u8::try_from(length).unwrap()],
        126..=0xffff => {
            let length = u16::try_from(length).unwrap().to_be_bytes();
            [&[first, masked | 0x7e], &length[..]].concat()
        }
        _ => [&[first, masked | 0x7f], &(length as u64).to_be_bytes()[..]].concat(),
    }
}

fn begin<S: Read + Write>(client: &mut Client<S>) {
    let answer = client.ask(handshake(""));
    assert_eq!(answer.status, 101, "{}", answer.head);
}

#[test]
fn what_is_sent_comes_back_whatever_its_size_and_its_fragments() {
    let (upstream, big) = (echo(), vec![0xa5; 1 << 20]);
    let gateway = gateway(&upstream);
    let mut client = gateway.client();
    let answer = client.ask(handshake("sec-websocket-extensions: permessage-deflate\r\n"));
    assert_eq!(answer.status, 101, "{}", answer.head);
    assert_eq!(answer.one("upgrade"), Some("websocket"));
    assert_eq!(answer.one("connection"), Some("upgrade"));
    assert_eq!(answer.one("sec-websocket-accept"), Some(ACCEPT));
    assert_eq!(answer.one("sec-websocket-protocol"), None);
    gateway.wait_for_count("grantgate_tunnels 1");
    let seen = upstream.next();
    assert_eq!(seen.line(), "GET /live/1 HTTP/1.1");
    assert_eq!(seen.all("upgrade"), ["websocket"]);
    assert_eq!(seen.all("connection"), ["upgrade"]);
    assert_eq!(seen.all("sec-websocket-key"), [KEY]);
    assert_eq!(seen.all("sec-websocket-version"), ["13"]);
    assert_eq!(seen.all("sec-websocket-extensions"), ["permessage-deflate"]);
    assert_eq!(seen.all("grantgate-client-id"), ["batch"]);
    for frame in [
        masked(0x81, b"hello"),
        [masked(0x01, b"hel"), masked(0x89, b"ping"), masked(0x80, b"lo")].concat(),
        masked(0x82, &big),
        [masked(0x02, &big), masked(0x80, b"")].concat(),
        masked(0x88, &1000_u16.to_be_bytes()),
    ] {
        // What is sent back fills both ways, if nobody reads it.
        let mut writer = client.stream().try_clone().unwrap();
        let sent = frame.clone();
        let writing = thread::spawn(move || writer.write_all(&sent).unwrap());
        assert!(client.bytes(frame.len()) == frame, "{} bytes", frame.len());
        writing.join().unwrap();
    }
    client.stream().shutdown(Shutdown::Write).unwrap();
    assert!(client.is_closed_cleanly());
    gateway.wait_for_count("grantgate_tunnels 0");
    let records = gateway.finish();
    assert_eq!(
        (&records[0]["status"], &records[0]["decision"], &records[0]["operation"]),
        (&101.into(), &"allow".into(), &"GET,POST /live/{room}".into())
    );
}

#[test]
fn both_sides_send_at_once_and_nothing_is_lost() {
    const FRAMES: u8 = 64;
    let frames = |wrap: fn(u8, &[u8]) -> Vec<u8>| {
        (0..FRAMES).map(move |number| wrap(0x82, &vec![number; 100_000 + usize::from(number)]))
    };
    let up = frames(masked).collect::<Vec<_>>().concat();
    let down = frames(plain).collect::<Vec<_>>().concat();
    let (tell, told) = std::sync::mpsc::channel();
    let upstream = {
        let (tell, down, length) = (std::sync::Mutex::new(tell), down.clone(), up.len());
        Upstream::with(move |seen, stream| {
            stream.write_all(welcome(seen, "").as_bytes()).unwrap();
            let (mut writer, down) = (stream.try_clone().unwrap(), down.clone());
            let writing = thread::spawn(move || writer.write_all(&down).unwrap());
            let mut received = vec![0; length];
            stream.read_exact(&mut received).unwrap();
            writing.join().unwrap();
            tell.lock().unwrap().send(hash(&received)).unwrap();
            false
        })
    };
    let gateway = gateway(&upstream);
    let mut client = gateway.client();
    begin(&mut client);
    let (mut writer, sent) = (client.stream().try_clone().unwrap(), up.clone());
    let writing = thread::spawn(move || writer.write_all(&sent).unwrap());
    assert_eq!(hash(&client.bytes(down.len())), hash(&down));
    writing.join().unwrap();
    assert_eq!(told.recv().unwrap(), hash(&up));
}

#[test]
fn a_tunnel_holds_its_connections_place_and_is_waited_for() {
    let upstream = echo();
    let gateway = Gateway::start(&configuration(upstream.address, "", "limits: {connections: 1}"));
    let mut client = gateway.client();
    begin(&mut client);
    assert_eq!(gateway.client().answer().code(), "overloaded");
    gateway.drain.advance(Phase::Closing);
    let frame = masked(0x81, b"still here");
    for _ in 0..2 {
        assert_eq!(client.send(&frame).bytes(frame.len()), frame);
    }
    drop(client);
    assert_eq!(gateway.finish().len(), 1, "and the gateway ends with it");
}

fn hash(bytes: &[u8]) -> Vec<u8> {
    digest(&SHA256, bytes).as_ref().to_vec()
}

/// A stream that is read to its end, as an upstream does.
fn to_the_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    bytes
}
