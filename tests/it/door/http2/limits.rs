//! What no good client does, frame by frame: it loses its stream or its connection, and nobody else does.

use std::io::{Read, Write};

use super::frames::{self, Frames, Told, allowed, as_slices};
use super::prior_knowledge;
use crate::door::gateway::{Gateway, configuration, request};
use crate::door::upstream::Upstream;

fn served() -> Told {
    Told { status: Some(200), body: b"ok".to_vec(), whole: true, ..Told::default() }
}

#[test]
fn http1_and_http2_come_to_one_port_however_slowly_they_begin() {
    let upstream = Upstream::start();
    let gateway = Gateway::start(&prior_knowledge(&upstream, ""));
    let mut slow = Frames::silent(gateway.address);
    for byte in frames::PREFACE {
        slow.write(&[*byte]);
    }
    assert_eq!(slow.settings(&[(frames::HEADER_TABLE_SIZE, 0)]).get(1).told(1), served());
    assert_eq!(gateway.client().ask(request("GET /orders/1", "")).status, 200);
    let mut short = gateway.client();
    assert_eq!(short.ask("GET / HTTP/1.0\r\n\r\n").code(), "request-malformed");
    let begins_alike = gateway.client().ask("PRI * HTTP/1.1\r\nhost: a\r\n\r\n").code();
    assert_eq!(begins_alike, "request-malformed");
}

#[test]
fn who_does_not_greet_in_time_is_let_go() {
    let upstream = Upstream::start();
    let times = "timeouts: {header_read: 100ms}";
    let gateway = Gateway::start(&prior_knowledge(&upstream, times));
    let (mut silent, mut half) = (gateway.client(), gateway.client());
    half.send("PRI * HT");
    assert!(silent.is_closed_cleanly());
    assert_eq!(half.answer().status, 408);
    let mut unsettled = Frames::silent(gateway.address);
    unsettled.acknowledges = false;
    assert_eq!(unsettled.write(frames::PREFACE).told(1).status, None);
    gateway.wait_for_count("grantgate_connections 0");
    assert_eq!(Frames::connect(gateway.address).get(1).told(1), served());
}

#[test]
fn where_http2_is_not_spoken_its_preface_is_no_request() {
    let upstream = Upstream::start();
    let gateway = Gateway::start(&configuration(upstream.address, "", ""));
    // As hyper has it, which knows the preface, without a word.
    assert!(gateway.client().send(frames::PREFACE).maybe_answer("GET").is_none());
    gateway.wait_for_count("grantgate_connection_errors_total{kind=\"malformed\"} 1");
    assert!(upstream.rest().is_empty());
}

#[test]
fn a_stream_that_takes_nothing_is_reset_and_the_others_go_on() {
    let upstream = Upstream::with(|_, stream| {
        let body = vec![b'x'; 100_000];
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n";
        stream.write_all(&[head, &body[..]].concat()).is_ok()
    });
    let times = "timeouts: {response_write: 300ms}";
    let gateway = Gateway::start(&prior_knowledge(&upstream, times));
    let mut client = Frames::silent(gateway.address);
    client.greet(&[(frames::INITIAL_WINDOW_SIZE, 0)]);
    client.window(0, 10_000_000).get(1).get(3);
    assert_eq!(client.window(3, 200_000).told(3).body.len(), 100_000);
    // A byte now and then is nothing.
    let stalled = client.window(1, 1).told(1);
    assert_eq!(stalled.reset, Some(frames::CANCEL));
    assert!(stalled.body.len() <= 1 && !stalled.whole);
    assert_eq!(client.get(5).window(5, 200_000).told(5).body.len(), 100_000);
    drop(client);
    gateway.wait_for_count("grantgate_connections 0");
    assert!(gateway.counts("grantgate_connection_errors_total{kind=\"timeout\"} 0"));
}

#[test]
fn a_connection_that_takes_nothing_is_cut() {
    let upstream = Upstream::with(|_, stream| {
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", 64 << 20);
        stream.write_all(head.as_bytes()).is_ok() && stream.write_all(&vec![0; 64 << 20]).is_ok()
    });
    let times = "timeouts: {response_write: 300ms}";
    let gateway = Gateway::start(&prior_knowledge(&upstream, times));
    let mut client = Frames::silent(gateway.address);
    client.greet(&[(frames::INITIAL_WINDOW_SIZE, 0x7fff_ffff)]);
    client.window(0, 0x7fff_0000).get(1);
    gateway.wait_for_count("grantgate_connection_errors_total{kind=\"timeout\"} 1");
    gateway.wait_for_count("grantgate_connections 0");
}

#[test]
fn one_stream_more_than_may_be_is_refused_and_can_be_tried_again() {
    let (go_on, wait) = std::sync::mpsc::channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    let upstream = Upstream::with(move |_, stream| {
        wait.lock().unwrap().recv().unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").is_ok()
    });
    let gateway = Gateway::start(&prior_knowledge(&upstream, "limits: {streams: 2}"));
    let mut client = Frames::connect(gateway.address);
    let settings = client.next_of(frames::SETTINGS).unwrap();
    let most = [0, 3, 0, 0, 0, 2];
    assert!(settings.payload.chunks(6).any(|setting| setting == most), "{settings:?}");
    let refused = client.get(1).get(3).get(5).told(5);
    assert_eq!((refused.status, refused.reset), (None, Some(frames::REFUSED_STREAM)));
    for _ in 0..3 {
        go_on.send(()).unwrap();
    }
    assert_eq!(client.told(1).status.or(Some(200)), Some(200));
    gateway.wait_for_count(
        "grantgate_requests_total{api=\"https://orders.example.com\",decision=\"allow\",code=\"\",subject_type=\"client\"} 2",
    );
    assert_eq!(client.get(7).told(7), served());
}

#[test]
fn requests_that_are_taken_back_as_fast_as_they_come_end_their_connection() {
    let upstream = Upstream::start();
    let gateway = Gateway::start(&prior_knowledge(&upstream, ""));
    let block = frames::block(&as_slices(&allowed("GET")));
    let flags = frames::END_HEADERS | frames::END_STREAM;
    let taken_back = |stream: u32| {
        let mut both = frames::frame(frames::HEADERS, flags, stream, &block);
        let reset = frames::CANCEL.to_be_bytes();
        both.extend(frames::frame(frames::RST_STREAM, 0, stream, &reset));
        both
    };
    let flood: Vec<u8> = (0..1000).flat_map(|number| taken_back(2 * number + 1)).collect();
    let mut client = Frames::connect(gateway.address);
    client.try_write(&flood);
    assert_eq!(client.farewell(), Some(frames::ENHANCE_YOUR_CALM));
    gateway.wait_for_count("grantgate_connection_errors_total{kind=\"flood\"} 1");
    gateway.wait_for_count("grantgate_connections 0");
    assert_eq!(Frames::connect(gateway.address).get(1).told(1), served());
}

#[test]
fn who_takes_back_one_request_after_the_other_is_told_to_go_and_what_is_under_way_is_served() {
    let (go_on, wait) = std::sync::mpsc::channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    let upstream = Upstream::with(move |seen, stream| {
        if seen.line().starts_with("GET") {
            wait.lock().unwrap().recv().unwrap();
            return stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").is_ok();
        }
        // Until whoever asked is gone.
        !matches!(stream.read(&mut [0]), Ok(0) | Err(_))
    });
    let gateway = Gateway::start(&prior_knowledge(&upstream, ""));
    let mut client = Frames::connect(gateway.address);
    client.get(1);
    let told_to_go = (1..1000).any(|number| {
        let stream = 2 * number + 1;
        client.headers(stream, &as_slices(&allowed("PUT")), true).ping(*b"are you?");
        // Behind its acknowledgement the request is under way.
        while let Some(frame) = client.next() {
            match frame.kind {
                frames::GOAWAY => return true,
                frames::PING => break,
                _ => {}
            }
        }
        client.reset(stream, frames::CANCEL);
        false
    });
    assert!(told_to_go);
    go_on.send(()).unwrap();
    assert_eq!(Told { goaway: None, ..client.told(1) }, served());
    gateway.wait_for_count("grantgate_connection_errors_total{kind=\"flood\"} 1");
    gateway.wait_for_count("grantgate_connections 0");
}

#[test]
fn frames_that_ask_for_nothing_are_borne_and_a_head_without_end_is_not() {
    let upstream = Upstream::start();
    let gateway = Gateway::start(&prior_knowledge(&upstream, ""));
    let mut client = Frames::connect(gateway.address);
    client.ping(*b"are you?");
    while client.next_of(frames::PING).unwrap().payload != b"are you?" {}
    for number in 0..1000 {
        client.send(frames::PRIORITY, 0, 2 * number + 1, &[0, 0, 0, 0, 16]);
    }
    client.headers(2001, &as_slices(&allowed("POST")), false).reset(2001, frames::CANCEL);
    assert_eq!(client.get(2003).told(2003), served());

    client.send(frames::HEADERS, frames::END_STREAM, 2005, &frames::block(&[("x", "y")]));
    let more = frames::frame(frames::CONTINUATION, 0, 2005, &frames::block(&[("x", "y")]));
    while client.try_write(&more) {}
    gateway.wait_for_count("grantgate_connection_errors_total{kind=\"flood\"} 1");
    gateway.wait_for_count("grantgate_connections 0");
}

#[test]
fn a_list_of_fields_that_is_too_long_is_refused_and_one_without_measure_ends_the_connection() {
    let upstream = Upstream::start();
    let limits = "limits: {header_bytes: 2KiB}";
    let gateway = Gateway::start(&prior_knowledge(&upstream, limits));
    let mut client = Frames::connect(gateway.address);
    let mut fields = allowed("GET");
    fields.push(("x-long".to_owned(), "x".repeat(2048)));
    let told = client.headers(1, &as_slices(&fields), true).told(1);
    assert_eq!((told.status, told.whole), (Some(431), true));
    assert_eq!(client.get(3).told(3), served());
    fields.push(("x-longer".to_owned(), "x".repeat(8192)));
    let told = client.headers(5, &as_slices(&fields), true).told(5);
    assert_eq!((told.status, told.goaway), (None, Some(frames::ENHANCE_YOUR_CALM)));
    gateway.wait_for_count("grantgate_connection_errors_total{kind=\"flood\"} 1");
}

#[test]
fn a_request_is_for_one_well_formed_host() {
    let upstream = Upstream::start();
    let gateway = Gateway::start(&prior_knowledge(&upstream, ""));
    let mut client = Frames::connect(gateway.address);
    let mut stream = 1;
    // What stands for `:authority`, `:scheme` and beside them; and the code, or the reason of a reset.
    for (authority, scheme, more, expected) in [
        (Some("orders.example.com"), "https", &[][..], Ok("")),
        (Some("Orders.example.com.:80"), "http", &[("host", "orders.example.com:80")], Ok("")),
        (None, "http", &[("host", "orders.example.com")], Ok("")),
        (None, "http", &[], Ok("request-malformed")),
        (Some("orders.example.com"), "http", &[("host", "other")], Ok("request-malformed")),
        (Some("a"), "http", &[("host", "a"), ("host", "a")], Ok("request-malformed")),
        (Some("user@orders.example.com"), "http", &[], Ok("request-malformed")),
        (Some("orders.example.com"), "ftp", &[], Ok("request-malformed")),
        (Some("a b"), "http", &[], Err(frames::PROTOCOL_ERROR)),
        (Some(""), "http", &[], Err(frames::PROTOCOL_ERROR)),
    ] {
        let mut fields = allowed("GET");
        fields.retain(|(name, _)| ![":authority", ":scheme"].contains(&name.as_str()));
        fields.insert(0, (":scheme".to_owned(), scheme.to_owned()));
        if let Some(authority) = authority {
            fields.insert(0, (":authority".to_owned(), authority.to_owned()));
        }
        fields.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let told = client.headers(stream, &as_slices(&fields), true).told(stream);
        let got = match told.status {
            Some(200) => Ok(String::new()),
            Some(_) => Ok(told.code()),
            None => Err(told.reset.unwrap()),
        };
        assert_eq!(got.as_deref(), expected.as_ref().copied(), "{authority:?} {scheme} {more:?}");
        stream += 2;
    }
    assert_eq!(upstream.rest().len(), 3);
}

#[test]
fn fields_of_a_connection_are_none_of_a_stream() {
    let upstream = Upstream::start();
    let gateway = Gateway::start(&prior_knowledge(&upstream, ""));
    let mut client = Frames::connect(gateway.address);
    let mut stream = 1;
    for (name, value) in [
        ("connection", "close"),
        ("keep-alive", "timeout=5"),
        ("proxy-connection", "keep-alive"),
        ("transfer-encoding", "chunked"),
        ("upgrade", "websocket"),
        ("te", "gzip"),
        ("te", "trailers, gzip"),
    ] {
        let mut fields = allowed("GET");
        fields.push((name.to_owned(), value.to_owned()));
        let told = client.headers(stream, &as_slices(&fields), true).told(stream);
        assert_eq!((told.status, told.reset), (None, Some(frames::PROTOCOL_ERROR)), "{name}");
        stream += 2;
    }
    let connect = [(":method", "CONNECT"), (":authority", "orders.example.com")];
    assert_eq!(client.headers(stream, &connect, true).told(stream).code(), "request-malformed");
    assert_eq!(client.get(stream + 2).told(stream + 2), served());
    assert_eq!(upstream.rest().len(), 1);
}

#[test]
fn what_is_no_http2_ends_the_connection_and_is_counted() {
    let upstream = Upstream::start();
    let gateway = Gateway::start(&prior_knowledge(&upstream, ""));
    let mut client = Frames::connect(gateway.address);
    assert_eq!(client.data(1, b"of no request", true).farewell(), Some(frames::PROTOCOL_ERROR));
    gateway.wait_for_count("grantgate_connection_errors_total{kind=\"malformed\"} 1");
    let mut broken = Frames::connect(gateway.address);
    broken.headers(1, &as_slices(&allowed("POST")), false).ping(*b"one more");
    // Behind its acknowledgement the request is under way.
    while broken.next_of(frames::PING).unwrap().payload != b"one more" {}
    drop(broken);
    gateway.wait_for_count("grantgate_connection_errors_total{kind=\"aborted\"} 1");
}
