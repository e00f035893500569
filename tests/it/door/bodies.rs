//! Bodies on their way through, whole and broken.

use std::io::Write;
use std::net::Shutdown;
use std::sync::mpsc;

use super::gateway::{Gateway, configuration, request};
use super::upstream::Upstream;

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

/// A mebibyte that repeats itself nowhere near a buffer's size.
fn mebibyte() -> Vec<u8> {
    let mut state = 1_u32;
    let step = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    std::iter::repeat_with(step).take(1024 * 1024).collect()
}

#[test]
fn a_mebibyte_goes_through_both_ways_unchanged_in_both_framings() {
    let upstream = Upstream::with(|seen, stream| {
        let body = &seen.body;
        let head = if seen.one("content-length").is_some() {
            format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len())
        } else {
            // Chunks come back as they are.
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_owned()
        };
        stream.write_all(head.as_bytes()).is_ok() && stream.write_all(body).is_ok()
    });
    let gateway = Gateway::before(upstream.address);
    let mut client = gateway.client();
    let sent = mebibyte();

    let length = format!("content-length: {}\r\n", sent.len());
    client.send(request("POST /orders/1", &length)).send(&sent);
    let answer = client.answer();
    assert!(answer.status == 200 && answer.whole && answer.body == sent, "{}", answer.head);

    client.send(request("POST /orders/1", "transfer-encoding: chunked\r\n"));
    for chunk in sent.chunks(10_007) {
        client.send(format!("{:x}\r\n", chunk.len())).send(chunk).send("\r\n");
    }
    let answer = client.send("0\r\n\r\n").answer();
    assert!(answer.status == 200 && answer.whole && answer.body == sent, "{}", answer.head);
    assert_eq!(upstream.rest().iter().map(|seen| seen.connection).max(), Some(0), "one is kept");
}

#[test]
fn a_response_streams_before_it_is_whole_and_so_does_a_request() {
    let (go_on, wait) = mpsc::channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    let upstream = Upstream::with(move |_, stream| {
        let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n5\r\nfirst\r\n";
        stream.write_all(head).unwrap();
        wait.lock().unwrap().recv().unwrap();
        let rest = b"4\r\nlast\r\n0\r\nx-sum: 1\r\ngrantgate-x: 1\r\n\r\n";
        stream.write_all(rest).is_ok()
    });
    let gateway = Gateway::before(upstream.address);
    let mut client = gateway.client();
    client.send(request("GET /orders/1", "te: trailers\r\n"));
    // The head and the first chunk are here, or the upstream would never be let go on.
    let mut first = [0; 1];
    client.stream().peek(&mut first).unwrap();
    go_on.send(()).unwrap();
    let answer = client.answer();
    assert_eq!((answer.text(), answer.whole), ("firstlast", true));
    assert_eq!(answer.trailers, "x-sum: 1\r\n");
}

#[test]
fn head_and_bodiless_answers_keep_their_length_and_the_connection() {
    let upstream = Upstream::with(|seen, stream| {
        let answer = match seen.line() {
            "GET /orders/none HTTP/1.1" => "HTTP/1.1 204 No Content\r\n\r\n",
            "GET /orders/same HTTP/1.1" => "HTTP/1.1 304 Not Modified\r\netag: \"1\"\r\n\r\n",
            "HEAD /orders/1 HTTP/1.1" => "HTTP/1.1 200 OK\r\ncontent-length: 42\r\n\r\n",
            other => panic!("{other}"),
        };
        stream.write_all(answer.as_bytes()).is_ok()
    });
    let gateway = Gateway::before(upstream.address);
    let mut client = gateway.client();
    let answer = client.send(request("HEAD /orders/1", "")).answer_to("HEAD");
    assert_eq!((answer.status, answer.one("content-length")), (200, Some("42")));
    assert_eq!(client.ask(request("GET /orders/none", "")).status, 204);
    assert_eq!(client.ask(request("GET /orders/same", "")).one("etag"), Some("\"1\""));
    let answer = client.send("HEAD /orders/1 HTTP/1.1\r\nhost: a\r\n\r\n").answer_to("HEAD");
    assert_eq!(answer.status, 401);
    assert_eq!(client.ask(request("GET /orders/none", "")).status, 204);
}

#[test]
fn who_expects_to_be_asked_is_asked_only_when_allowed() {
    let upstream = Upstream::start();
    let gateway = Gateway::before(upstream.address);
    let expecting = "expect: 100-continue\r\ncontent-length: 3\r\n";
    let mut client = gateway.client();
    let asked = client.ask(request("POST /orders/1", expecting));
    assert_eq!(asked.status, 100);
    assert_eq!(client.ask("abc").status, 200);
    let seen = upstream.next();
    assert_eq!((seen.one("expect"), seen.body.as_slice()), (None, &b"abc"[..]));

    let refused = client.ask(format!("POST /orders/1 HTTP/1.1\r\nhost: a\r\n{expecting}\r\n"));
    assert_eq!((refused.status, refused.one("connection")), (401, Some("close")));
    assert!(client.is_closed() && upstream.rest().is_empty());
}

#[test]
fn a_small_refused_body_is_read_and_the_connection_kept() {
    let upstream = Upstream::start();
    let gateway = Gateway::before(upstream.address);
    let mut client = gateway.client();
    let refused = client.ask("POST /orders/1 HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc");
    assert_eq!((refused.status, refused.one("connection")), (401, None));
    assert_eq!(client.ask(request("GET /orders/1", "")).status, 200);
    let large = "POST /orders/1 HTTP/1.1\r\nhost: a\r\ncontent-length: 9999999\r\n\r\nabc";
    let refused = client.ask(large);
    assert_eq!((refused.status, refused.one("connection")), (401, Some("close")));
    assert!(client.is_closed());
}

#[test]
fn a_body_over_its_bound_is_refused_whether_it_says_so_or_not() {
    let upstream = Upstream::start();
    let limits = "limits: {body_bytes: 1KiB}";
    let gateway = Gateway::start(&configuration(upstream.address, "", limits));
    let mut client = gateway.client();
    let answer = client.ask(request("POST /orders/1", "content-length: 1025\r\n"));
    assert_eq!((answer.status, answer.code().as_str()), (413, "body-too-large"));
    assert!(upstream.rest().is_empty());

    let mut client = gateway.client();
    client.send(request("POST /orders/1", "transfer-encoding: chunked\r\n"));
    client.send(format!("400\r\n{}\r\n", "x".repeat(1024))).send("1\r\nx\r\n0\r\n\r\n");
    let answer = client.answer();
    assert_eq!((answer.status, answer.code().as_str()), (413, "body-too-large"));
    assert!(upstream.next().broken);

    let whole = request("POST /orders/1", "content-length: 1024\r\n") + &"x".repeat(1024);
    assert_eq!(gateway.client().ask(whole).status, 200);
}

#[test]
fn a_request_that_breaks_off_breaks_off_upstream() {
    let upstream = Upstream::with(|_, stream| stream.write_all(OK).is_ok());
    let gateway = Gateway::before(upstream.address);
    let mut client = gateway.client();
    client.send(request("POST /orders/1", "content-length: 100\r\n") + "abc");
    client.stream().shutdown(Shutdown::Both).unwrap();
    assert!(upstream.next().broken);
    let records = gateway.finish();
    assert_eq!((records.len(), &records[0]["operation"]), (1, &"POST,PUT /orders/*".into()));
}

#[test]
fn a_chunk_that_cannot_be_read_ends_both_sides() {
    let upstream = Upstream::with(|_, stream| stream.write_all(OK).is_ok());
    let gateway = Gateway::before(upstream.address);
    let mut client = gateway.client();
    client.send(request("POST /orders/1", "transfer-encoding: chunked\r\n") + "3\r\nabc\r\n");
    client.send("nonsense\r\n0\r\n\r\nGET /orders/smuggled HTTP/1.1\r\nhost: a\r\n\r\n");
    let answer = client.maybe_answer("POST");
    assert!(answer.is_none_or(|answer| answer.status == 400));
    assert!(client.is_closed());
    assert!(upstream.next().broken && upstream.rest().is_empty());
}

#[test]
fn a_response_that_breaks_off_never_looks_whole() {
    for answer in [
        "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n",
    ] {
        let upstream = Upstream::with(move |_, stream| {
            stream.write_all(answer.as_bytes()).unwrap();
            stream.shutdown(Shutdown::Both).unwrap();
            false
        });
        let gateway = Gateway::before(upstream.address);
        let mut client = gateway.client();
        let answer = client.ask(request("GET /orders/1", ""));
        assert_eq!((answer.status, answer.whole), (200, false), "{}", answer.head);
        assert!(client.is_closed());
    }
}
