//! Which requests become a WebSocket, and by which answers.

use std::io::Write;
use std::net::Shutdown;
use std::sync::{Mutex, mpsc};

use super::*;

/// What goes wrong, what stands where, and what stands there instead.
type Fault = (&'static str, &'static str, &'static str);

#[test]
fn a_handshake_that_is_none_is_refused_with_what_is_wrong() {
    let upstream = echo();
    let gateway = gateway(&upstream);
    let faults: &[Fault] = &[
        ("`Connection` does", "connection: Upgrade", "connection: keep-alive"),
        ("`Sec-WebSocket-Version` is", "version: 13", "version: 8"),
        ("`Sec-WebSocket-Version` is", "sec-websocket-version: 13\r\n", ""),
        ("`Sec-WebSocket-Key` is", "key: dGhlIHNhbXBsZSBub25jZQ==", "key: c2hvcnQ="),
        ("`Sec-WebSocket-Key` is", "key: dGhlIHNhbXBsZSBub25jZQ==", "key: dGhlIHNhbXBsZSBub25jZQ"),
        ("`Sec-WebSocket-Key` is", "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n", ""),
        (
            "`Sec-WebSocket-Key` is",
            "sec-websocket-version",
            "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version",
        ),
        ("`Upgrade` is", "upgrade: websocket", "upgrade: h2c"),
        ("`Upgrade` is", "upgrade: websocket", "upgrade: websocket, h2c"),
        ("`Upgrade` is", "upgrade: websocket", "upgrade: websocket\r\nupgrade: websocket"),
        ("`Upgrade` is", "upgrade: websocket", "upgrade: websocket/13"),
        ("begins with `GET`", "GET /", "POST /"),
        ("begins with `GET`", "GET /", "HEAD /"),
        ("begins with HTTP/1.1", "HTTP/1.1", "HTTP/1.0"),
        ("has no body", "upgrade: w", "content-length: 3\r\nupgrade: w"),
        ("has no body", "upgrade: w", "transfer-encoding: chunked\r\nupgrade: w"),
    ];
    for (detail, there, instead) in faults {
        let asked = handshake("");
        assert!(asked.contains(there), "{there}");
        let asked = asked.replacen(there, instead, 1);
        let mut client = gateway.client();
        client.send(&asked);
        if asked.starts_with("HEAD") {
            assert_eq!(client.answer_to("HEAD").status, 400);
        } else {
            let answer = client.answer();
            assert_eq!(
                (answer.status, answer.code().as_str()),
                (400, "request-malformed"),
                "{asked}"
            );
            assert!(answer.text().contains(detail), "{asked}\n{}", answer.text());
        }
        assert!(client.is_closed(), "what follows may be anything: {asked}");
    }
    assert!(upstream.rest().is_empty());
    for record in gateway.finish() {
        assert_eq!(
            (&record["decision"], &record["code"]),
            (&"refuse".into(), &"request-malformed".into())
        );
    }
}

#[test]
fn strangers_hear_of_their_token_first() {
    let upstream = echo();
    let gateway = gateway(&upstream);
    let token = gateway::token();
    let asked = handshake("").replace(&format!("authorization: Bearer {token}\r\n"), "");
    assert_eq!(gateway.client().ask(&asked).code(), "token-missing");
    assert_eq!(gateway.client().ask(asked.replace("key: dGhl", "key: ")).code(), "token-missing");
    assert!(upstream.rest().is_empty());
    let public = asked.replace("/live/1", "/stage/1");
    assert_eq!(gateway.client().ask(public).status, 101);
}

#[test]
fn an_operation_without_upgrade_is_asked_plainly() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream);
    let mut client = gateway.client();
    for more in [
        fields(),
        "upgrade: h2c\r\nconnection: Upgrade, HTTP2-Settings\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n"
            .to_owned(),
        "upgrade: websocket\r\nconnection: upgrade\r\nHTTP2_Settings: AAMAAABkAAQAAP__\r\n".to_owned(),
    ] {
        let answer = client.ask(request("GET /orders/1", &more));
        assert_eq!((answer.status, answer.text()), (200, "ok"));
        let seen = upstream.next();
        for name in ["upgrade", "connection", "http2-settings", "http2_settings"] {
            assert!(seen.all(name).is_empty(), "{}", seen.head);
        }
    }
    // The end of such a connection is as orderly as that of any other.
    gateway.drain.advance(Phase::Closing);
    assert!(client.is_closed_cleanly());
}

#[test]
fn an_upstream_that_upgrades_unasked_is_refused() {
    let upstream = Upstream::with(|_, stream| {
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
             sec-websocket-accept: {ACCEPT}\r\n\r\n"
        );
        stream.write_all(answer.as_bytes()).unwrap();
        assert!(to_the_end(stream).is_empty(), "something passed");
        false
    });
    let gateway = gateway(&upstream);
    for asked in [request("GET /orders/1", &fields()), request("GET /live/1", "")] {
        let answer = gateway.client().ask(asked);
        assert_eq!((answer.status, answer.code().as_str()), (502, "upstream-response-invalid"));
    }
}

#[test]
fn an_answer_that_is_none_to_the_handshake_opens_nothing() {
    const SOUND: &str = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
        sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    let faults: &[Fault] = &[
        ("wrong accept", "+xOo=", "+xOp="),
        ("no accept", "sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", ""),
        ("another protocol", "upgrade: websocket", "upgrade: h2c"),
        ("no protocol", "upgrade: websocket\r\n", ""),
        ("another connection", "connection: upgrade", "connection: keep-alive"),
        (
            "a subprotocol of which nothing was said",
            "\r\n\r\n",
            "\r\nsec-websocket-protocol: chat\r\n\r\n",
        ),
    ];
    for &(fault, there, instead) in faults {
        let (tell, told) = mpsc::channel();
        let tell = Mutex::new(tell);
        let upstream = Upstream::with(move |_, stream| {
            let answer = SOUND.replacen(there, instead, 1) + "more of this";
            stream.write_all(answer.as_bytes()).unwrap();
            tell.lock().unwrap().send(to_the_end(stream)).unwrap();
            false
        });
        let gateway = gateway(&upstream);
        let mut client = gateway.client();
        let early = masked(0x81, b"early");
        let answer = client.send(handshake("")).answer();
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (502, "upstream-response-invalid"),
            "{fault}"
        );
        assert!(!answer.text().contains("more"));
        assert_eq!(told.recv().unwrap(), b"", "{fault}: something passed");
        assert!(
            !client.try_send(early) || client.maybe_answer("GET").is_none_or(|it| it.status == 400)
        );
        assert!(gateway.counts("grantgate_tunnels 0"));
    }
}

#[test]
fn no_byte_of_the_client_passes_before_the_answer_was_found_right() {
    let (tell, told) = mpsc::channel();
    let tell = Mutex::new(tell);
    let refusing = Upstream::with(move |seen, stream| {
        let wrong = welcome(seen, "").replace("websocket", "websockets");
        stream.write_all(wrong.as_bytes()).unwrap();
        tell.lock().unwrap().send(to_the_end(stream)).unwrap();
        false
    });
    let early = masked(0x81, b"early");
    let both = [handshake("").as_bytes(), &early].concat();
    let answer = gateway(&refusing).client().ask(&both);
    assert_eq!(answer.code(), "upstream-response-invalid");
    assert_eq!(told.recv().unwrap(), b"");

    let upstream = echo();
    let gateway = gateway(&upstream);
    let mut client = gateway.client();
    assert_eq!(client.ask(&both).status, 101);
    assert_eq!(client.bytes(early.len()), early, "it passes then");
}

#[test]
fn an_answer_without_an_upgrade_passes_as_it_is() {
    let upstream = Upstream::with(|seen, stream| {
        let status = if seen.one("upgrade").is_some() { "426 Upgrade Required" } else { "200 OK" };
        let answer = format!("HTTP/1.1 {status}\r\nupgrade: x\r\ncontent-length: 2\r\n\r\nno");
        stream.write_all(answer.as_bytes()).is_ok()
    });
    let gateway = gateway(&upstream);
    let mut client = gateway.client();
    for _ in 0..2 {
        let answer = client.ask(handshake(""));
        assert_eq!((answer.status, answer.text(), answer.one("upgrade")), (426, "no", None));
        assert_eq!(client.ask(request("GET /live/1", "")).status, 200);
    }
    let connections: Vec<_> = upstream.rest().iter().map(|seen| seen.connection).collect();
    assert_eq!(connections, [0, 1, 2, 1], "a handshake has a connection of its own");
    drop(client);
    let records = gateway.finish();
    assert_eq!((&records[0]["status"], &records[0]["decision"]), (&426.into(), &"allow".into()));
}

#[test]
fn a_request_behind_a_handshake_is_one_if_it_was_refused_and_belongs_to_the_tunnel_if_not() {
    let behind = request("GET /orders/smuggled", "");
    let both = handshake("") + &behind;
    let refusing = Upstream::start();
    let gate = gateway(&refusing);
    let mut client = gate.client();
    assert_eq!(client.ask(&both).status, 200);
    assert_eq!(client.answer().status, 200);
    let seen = (refusing.next(), refusing.next());
    assert_eq!(seen.0.line(), "GET /live/1 HTTP/1.1");
    assert_eq!(seen.1.line(), "GET /orders/smuggled HTTP/1.1");
    assert_ne!(seen.0.connection, seen.1.connection);
    assert_eq!(seen.1.all("grantgate-client-id"), ["batch"], "it was decided for itself");

    let accepting = echo();
    let gate = gateway(&accepting);
    let mut client = gate.client();
    assert_eq!(client.ask(&both).status, 101);
    assert_eq!(client.bytes(behind.len()), behind.as_bytes());
    client.stream().shutdown(Shutdown::Both).unwrap();
    gate.wait_for_count("grantgate_tunnels 0");
    assert_eq!(accepting.rest().len(), 1, "it was no request");
    assert_eq!(gate.finish().len(), 1);
}

#[test]
fn the_upstream_chooses_among_the_subprotocols_that_were_offered() {
    let upstream = Upstream::with(|seen, stream| {
        let chosen = seen.one("sec-websocket-protocol").unwrap().split(", ").last().unwrap();
        let more = format!("Sec-WebSocket-Protocol: {chosen}\r\nContent-Length: 5\r\n");
        stream.write_all(welcome(seen, &more).as_bytes()).is_ok()
    });
    let gateway = gateway(&upstream);
    let offers = "sec-websocket-protocol: chat\r\nsec-websocket-protocol: v1,v2\r\n";
    let answer = gateway.client().ask(handshake(offers));
    assert_eq!((answer.status, answer.one("sec-websocket-protocol")), (101, Some("v2")));
    assert_eq!(answer.one("content-length"), None);
    assert_eq!(upstream.next().all("sec-websocket-protocol"), ["chat, v1, v2"]);
}
