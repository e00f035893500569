//! Upstreams that refuse, leave, reset and break the rules.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use h2::Reason;
use http::{HeaderValue, Response};

use super::super::gateway::request;
use super::super::streams_upstream::{Allows, StreamsUpstream, ok};
use super::{gateway, get, refused, timed, unreachable};

/// A frame of the first stream.
fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    [&[0, 0, length, kind, flags, 0, 0, 0, 1], payload].concat()
}

/// Status 200, and what follows on the stream.
fn answer(rest: &[Vec<u8>]) -> Vec<u8> {
    frame(HEADERS, 4, &[0x88]).into_iter().chain(rest.concat()).collect()
}

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;

const REASONS: [Reason; 3] = [Reason::NO_ERROR, Reason::INTERNAL_ERROR, Reason::CANCEL];

fn reset(reason: Reason) -> Vec<u8> {
    frame(RST_STREAM, 0, &u32::from(reason).to_be_bytes())
}

#[test]
fn a_reset_before_an_answer_is_told_and_one_within_breaks_the_answer_off() {
    for reason in REASONS {
        let raw = Raw::start(SETTINGS, reset(reason));
        let gateway = gateway(raw.address);
        assert_eq!(refused(&gateway.client().ask(get())), unreachable(), "{reason:?}");

        let raw = Raw::start(SETTINGS, answer(&[frame(DATA, 0, b"abc"), reset(reason)]));
        let gateway = self::gateway(raw.address);
        let mut client = gateway.client();
        client.send(get());
        // How much of it still goes out does not matter, as long as it does not look whole.
        assert!(client.maybe_answer("GET").is_none_or(|answer| !answer.whole), "{reason:?}");
    }
}

#[test]
fn an_early_answer_that_is_whole_is_no_failure_when_the_rest_is_not_wanted() {
    for reason in REASONS {
        let raw = Raw::start(SETTINGS, answer(&[frame(DATA, 1, b"enough"), reset(reason)]));
        let gateway = gateway(raw.address);
        let mut client = gateway.client();
        client.send(request("POST /orders/1", "transfer-encoding: chunked\r\n") + "3\r\nabc\r\n");
        let answer = client.answer();
        assert_eq!((answer.status, answer.text(), answer.whole), (200, "enough", true));
    }
}

#[test]
fn a_stream_that_an_upstream_left_behind_is_tried_once_more_where_nothing_went_with_it() {
    // GOAWAY: no stream was looked at.
    let goodbye = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let raw = Raw::start(SETTINGS, goodbye.to_vec());
    let gateway = gateway(raw.address);
    assert_eq!(refused(&gateway.client().ask(get())), unreachable());
    assert_eq!(raw.connections(), 2);
    let with_body = request("POST /orders/1", "content-length: 3\r\n") + "abc";
    assert_eq!(refused(&gateway.client().ask(with_body)), unreachable());
    assert_eq!(raw.connections(), 1);
}

#[test]
fn a_stream_that_is_refused_is_tried_once_more_where_nothing_went_with_it() {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    let upstream = StreamsUpstream::with(Allows::default(), move |mut stream| {
        let number = counted.fetch_add(1, Ordering::SeqCst);
        let always = stream.request.headers().contains_key("x-always");
        Box::pin(async move {
            if number.is_multiple_of(2) || always {
                return stream.respond.send_reset(Reason::REFUSED_STREAM);
            }
            ok(stream).await;
        })
    });
    let gateway = gateway(upstream.address);
    let mut client = gateway.client();
    assert_eq!(client.ask(get()).status, 200);
    assert_eq!(count.swap(0, Ordering::SeqCst), 2);
    assert_eq!(refused(&client.ask(request("GET /orders/1", "x-always: 1\r\n"))), unreachable());
    assert_eq!(count.swap(0, Ordering::SeqCst), 2, "it is not tried a third time");
    let answer = client.ask(request("POST /orders/1", "content-length: 3\r\n") + "abc");
    assert_eq!(refused(&answer), unreachable());
    assert_eq!(count.load(Ordering::SeqCst), 1, "its body has gone");
}

#[test]
fn an_upstream_that_goes_away_costs_no_request() {
    let upstream = StreamsUpstream::with(Allows::default(), |stream| {
        Box::pin(async move {
            // It says so while requests are under way, and when it is told the next one may be too.
            stream.leave.send(()).unwrap();
            ok(stream).await;
        })
    });
    let gateway = gateway(upstream.address);
    let mut client = gateway.client();
    for _ in 0..30 {
        let answer = client.ask(request("POST /orders/1", "content-length: 3\r\n") + "abc");
        assert_eq!((answer.status, answer.text()), (200, "ok"));
    }
    assert!(upstream.connections() > 5, "{}", upstream.connections());
}

/// An upstream that says something when the gate has begun to speak, and something else to the first
/// request.
struct Raw {
    address: SocketAddr,
    connections: mpsc::Receiver<()>,
}

impl Raw {
    fn start(greeting: &'static [u8], answer: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (tell, connections) = mpsc::channel();
        thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                tell.send(()).unwrap();
                let answer = answer.clone();
                thread::spawn(move || speak(socket, greeting, &answer));
            }
        });
        Self { address, connections }
    }

    /// How many connections came since this was last asked.
    fn connections(&self) -> usize {
        self.connections.try_iter().count()
    }
}

/// Writes what there is to say; nothing to say to a request means that no more is read.
fn speak(mut socket: TcpStream, greeting: &[u8], answer: &[u8]) -> std::io::Result<()> {
    let mut preface = [0; 24];
    socket.read_exact(&mut preface)?;
    assert_eq!(&preface, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    socket.write_all(greeting)?;
    let mut head = [0; 9];
    while head[3] != HEADERS {
        socket.read_exact(&mut head)?;
        let length = u64::from(u32::from_be_bytes([0, head[0], head[1], head[2]]));
        std::io::copy(&mut (&socket).take(length), &mut std::io::sink())?;
    }
    socket.write_all(answer)?;
    std::io::copy(&mut socket, &mut std::io::sink())?;
    Ok(())
}

const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];

#[test]
fn an_upstream_that_does_not_speak_http2_gets_no_request() {
    const GOODBYE: &[u8] =
        &[0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    for greeting in [&b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n"[..], GOODBYE] {
        let raw = Raw::start(greeting, Vec::new());
        let gateway = gateway(raw.address);
        assert_eq!(refused(&gateway.client().ask(get())), unreachable(), "{greeting:?}");
        assert_eq!(raw.connections(), 1);
    }
}

#[test]
fn an_upstream_that_never_begins_to_speak_is_given_up_in_time() {
    let raw = Raw::start(b"", Vec::new());
    let gateway = timed(raw.address, "connect: 200ms");
    let timeout = (504, "upstream-timeout".to_owned());
    assert_eq!(refused(&gateway.client().ask(get())), timeout);
}

#[test]
fn a_connection_on_which_no_answer_comes_in_time_gets_no_further_request() {
    let raw = Raw::start(SETTINGS, Vec::new());
    let gateway = timed(raw.address, "response: 200ms");
    let mut client = gateway.client();
    for _ in 0..2 {
        assert_eq!(refused(&client.ask(get())), (504, "upstream-timeout".to_owned()));
    }
    assert_eq!(raw.connections(), 2);
}

#[test]
fn an_answer_against_the_rules_is_refused_in_its_stead() {
    let upstream = StreamsUpstream::with(Allows::default(), |mut stream| {
        Box::pin(async move {
            let mut response = Response::new(());
            let large = HeaderValue::try_from("x".repeat(64 << 10)).unwrap();
            response.headers_mut().insert("x-large", large);
            let _ = stream.respond.send_response(response, true);
        })
    });
    let gateway = gateway(upstream.address);
    let invalid = (502, "upstream-response-invalid".to_owned());
    assert_eq!(refused(&gateway.client().ask(get())), invalid, "its head is too large");

    // A field that concerns a connection: `connection: close`, not indexed, after the status.
    let field = [&[0x88, 0x00, 10][..], b"connection", &[5], b"close"].concat();
    let raw = Raw::start(SETTINGS, frame(HEADERS, 5, &field));
    let gateway = self::gateway(raw.address);
    assert_eq!(refused(&gateway.client().ask(get())), invalid);

    // A length of 5 (the field 28 of the table) where 2 come.
    let head = frame(HEADERS, 4, &[0x88, 0x0f, 0x0d, 1, b'5']);
    let raw = Raw::start(SETTINGS, [head, frame(DATA, 1, b"ab")].concat());
    let gateway = self::gateway(raw.address);
    let mut client = gateway.client();
    client.send(get());
    let answer = client.maybe_answer("GET");
    assert!(answer.is_none_or(|answer| !answer.whole || answer.status == 502));
}
