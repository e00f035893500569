//! Upstreams that speak HTTP/2: what they receive, and what becomes of what they do.

mod both_sides;
mod faults;
mod shared;

use std::io::{ErrorKind, Read};
use std::net::{Shutdown, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use bytes::Bytes;
use h2::Reason;
use http::{HeaderMap, HeaderValue, Response};
use tokio::sync::Notify;

use super::client::PATIENCE;
use super::gateway::{Gateway, configuration, request};
use super::secure_upstream::{SecureUpstream, Shows};
use super::secured::Files;
use super::streams_upstream::{Allows, Stream, StreamsUpstream, ok};
use crate::certificates::Authority;

fn gateway(upstream: SocketAddr) -> Gateway {
    timed(upstream, "")
}

fn timed(upstream: SocketAddr, times: &str) -> Gateway {
    let top = if times.is_empty() { String::new() } else { format!("timeouts: {{{times}}}") };
    Gateway::start(&configuration(upstream, "upstream_protocol: http2", &top))
}

fn get() -> String {
    request("GET /orders/1", "")
}

fn refused(answer: &super::client::Answer) -> (u16, String) {
    (answer.status, answer.code())
}

fn unreachable() -> (u16, String) {
    (502, "upstream-unreachable".to_owned())
}

/// Tells a test what happened.
fn told<T: Send + 'static>() -> (impl Fn(T) + Clone + Send + Sync, mpsc::Receiver<T>) {
    let (tell, told) = mpsc::channel();
    let tell = Arc::new(Mutex::new(tell));
    (move |what| tell.lock().unwrap().send(what).unwrap(), told)
}

#[test]
fn a_request_goes_out_in_the_shape_of_http2() {
    let (tell, seen) = told();
    let upstream = StreamsUpstream::with(Allows::default(), move |stream| {
        tell((stream.request.method().clone(), stream.request.uri().clone(), stream.head()));
        Box::pin(ok(stream))
    });
    let gateway = gateway(upstream.address);
    let mut client = gateway.client();
    let more = "te: gzip, trailers\r\nconnection: keep-alive, x-hop\r\nx-hop: 1\r\nkeep-alive: 5\r\n\
                content-length: 3\r\nx-mine: 1\r\n";
    assert_eq!(client.ask(request("POST /orders/%31?a=b", more) + "abc").status, 200);
    let (method, uri, headers) = seen.recv().unwrap();
    assert_eq!(method, "POST");
    assert_eq!(uri, "http://orders.example.com/orders/1?a=b");
    for (name, value) in [("te", "trailers"), ("content-length", "3"), ("x-mine", "1")] {
        assert_eq!(headers[name], value);
    }
    assert_eq!(headers["grantgate-client-id"], "batch");
    for name in ["host", "connection", "keep-alive", "transfer-encoding", "x-hop"] {
        assert!(!headers.contains_key(name), "{name}: {headers:?}");
    }
    let chunked =
        request("POST /orders/1", "transfer-encoding: chunked\r\n") + "1\r\na\r\n0\r\n\r\n";
    assert_eq!(client.ask(chunked).status, 200);
    let (_, _, headers) = seen.recv().unwrap();
    assert!(!headers.contains_key("content-length") && !headers.contains_key("transfer-encoding"));
    assert_eq!(upstream.connections(), 1);
}

#[test]
fn what_is_spoken_over_tls_is_agreed_on_as_the_configuration_lets() {
    let authority = Authority::new();
    let identity = authority.sign("localhost");
    let files = Files::with_ca(&authority);
    for (setting, offered, spoken) in [
        ("auto", &["h2", "http/1.1"][..], Ok("h2")),
        ("auto", &["http/1.1"], Ok("http/1.1")),
        ("auto", &[], Ok("http/1.1")),
        ("http1", &["h2", "http/1.1"], Ok("http/1.1")),
        ("http1", &["h2"], Err(())),
        ("http2", &["h2", "http/1.1"], Ok("h2")),
        ("http2", &["http/1.1"], Err(())),
        ("http2", &[], Err(())),
    ] {
        let (tell, seen) = told();
        let http1;
        let address = if spoken == Ok("h2") {
            let allows = Allows::over_tls(&identity, offered);
            let upstream = StreamsUpstream::with(allows, move |stream| {
                tell(stream.request.uri().to_string());
                Box::pin(ok(stream))
            });
            upstream.address
        } else {
            http1 = SecureUpstream::start(&Shows::agreeing_on(&identity, offered));
            http1.address
        };
        let text = files.configuration("localhost", address, "");
        let gateway = Gateway::start(&text.replace(
            "upstream_tls:",
            &format!("upstream_protocol: {setting}\n      upstream_tls:"),
        ));
        let answer = gateway.client().ask(get());
        match spoken {
            Ok(_) => {
                assert_eq!((answer.status, answer.text()), (200, "ok"), "{setting} {offered:?}");
            }
            Err(()) => assert_eq!(refused(&answer), unreachable(), "{setting} {offered:?}"),
        }
        if spoken == Ok("h2") {
            assert_eq!(seen.recv().unwrap(), "https://orders.example.com/orders/1");
        }
    }
}

#[test]
fn an_upstream_behind_a_socket_may_speak_http2() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("orders.sock");
    StreamsUpstream::on_socket(&path, |stream| Box::pin(ok(stream)));
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 1));
    let unix = format!("unix:{}", path.display());
    let text = configuration(nowhere, "upstream_protocol: http2", "");
    let gateway = Gateway::start(&text.replace("http://127.0.0.1:1", &unix));
    assert_eq!(gateway.client().ask(get()).text(), "ok");
}

/// Answers when as many streams as this are open at a time.
fn together(count: usize) -> impl Fn(Stream) -> super::streams_upstream::Work + Send + 'static {
    let (all, arrived) = (Arc::new(Notify::new()), Arc::new(AtomicUsize::new(0)));
    move |stream| {
        let (all, arrived) = (all.clone(), arrived.clone());
        Box::pin(async move {
            if arrived.fetch_add(1, Ordering::SeqCst) + 1 == count {
                all.notify_waiters();
                all.notify_one();
            } else {
                all.notified().await;
            }
            ok(stream).await;
        })
    }
}

/// Answers to this many requests, each on a client's connection of its own.
fn burst(gateway: &Gateway, count: usize) -> Vec<u16> {
    let mut clients: Vec<_> = (0..count).map(|_| gateway.client()).collect();
    for client in &mut clients {
        client.send(get());
    }
    clients.iter_mut().map(|client| client.answer().status).collect()
}

#[test]
fn a_burst_of_first_requests_shares_connections() {
    const COUNT: usize = 60;
    let authority = Authority::new();
    let allows = Allows::over_tls(&authority.sign("localhost"), &["h2"]);
    let upstream = StreamsUpstream::with(allows, together(COUNT));
    let files = Files::with_ca(&authority);
    let gateway = Gateway::start(&files.configuration("localhost", upstream.address, ""));
    assert_eq!(burst(&gateway, COUNT), [200; COUNT]);
    assert!(upstream.connections() <= 2, "one for each worker: {}", upstream.connections());
}

#[test]
fn an_upstream_gets_no_more_streams_than_it_takes_and_further_requests_wait() {
    let (open, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let seen = most.clone();
    let upstream = StreamsUpstream::with(Allows::streams(1), move |stream| {
        let (open, most) = (open.clone(), most.clone());
        Box::pin(async move {
            let now = open.fetch_add(1, Ordering::SeqCst) + 1;
            most.fetch_max(now, Ordering::SeqCst);
            // Others have the time to come.
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            open.fetch_sub(1, Ordering::SeqCst);
            ok(stream).await;
        })
    });
    let gateway = gateway(upstream.address);
    assert_eq!(burst(&gateway, 200), [200; 200]);
    let connections = upstream.connections();
    assert!((1..=32).contains(&connections), "{connections}");
    assert!(seen.load(Ordering::SeqCst) <= connections);
}

#[test]
fn who_gets_no_stream_in_time_is_told_so() {
    let upstream = StreamsUpstream::with(Allows::streams(1), |mut stream| {
        Box::pin(async move {
            stream.reset().await;
        })
    });
    let gateway = timed(upstream.address, "connect: 300ms");
    let mut clients: Vec<_> = (0..40).map(|_| gateway.client()).collect();
    for client in &mut clients {
        client.send(get());
        client.stream().set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    }
    // At most 16 by each of two workers have a stream, and get no answer.
    let mut refusals = 0;
    while refusals < 8 {
        for client in &mut clients {
            if client.stream().peek(&mut [0]).is_ok() {
                assert_eq!(refused(&client.answer()), (504, "upstream-timeout".to_owned()));
                refusals += 1;
            }
        }
    }
}

#[test]
fn trailers_pass_both_ways_without_what_may_not_trail() {
    let (tell, seen) = told();
    let upstream = StreamsUpstream::with(Allows::default(), move |mut stream| {
        let tell = tell.clone();
        Box::pin(async move {
            while stream.next().await.is_some() {}
            tell(stream.request.body_mut().trailers().await.unwrap().unwrap());
            let response = Response::builder().header("trailer", "grpc-status, set-cookie, x-sum");
            let mut body = stream.respond.send_response(response.body(()).unwrap(), false).unwrap();
            body.send_data("ab".into(), false).unwrap();
            let mut trailers = HeaderMap::new();
            for (name, value) in [("grpc-status", "5"), ("set-cookie", "a=b"), ("x-sum", "1")] {
                trailers.insert(name, HeaderValue::from_static(value));
            }
            body.send_trailers(trailers).unwrap();
        })
    });
    let gateway = gateway(upstream.address);
    let sent = request(
        "POST /orders/1",
        "transfer-encoding: chunked\r\nte: trailers\r\ntrailer: x-sum\r\n",
    );
    let chunks = "3\r\nabc\r\n0\r\nx-sum: 9\r\ngrantgate-subject: root\r\n\r\n";
    let answer = gateway.client().ask(sent + chunks);
    assert!(answer.whole && answer.text() == "ab", "{answer:?}");
    assert!(answer.trailers.contains("grpc-status: 5\r\n"), "{answer:?}");
    assert!(!answer.trailers.contains("set-cookie"), "{answer:?}");
    let trailers = seen.recv().unwrap();
    assert_eq!(trailers["x-sum"], "9");
    assert_eq!(trailers.len(), 1);
}

#[test]
fn bodies_stream_both_ways_at_once() {
    let upstream = StreamsUpstream::with(Allows::default(), |mut stream| {
        Box::pin(async move {
            let mut body = stream.begin();
            while let Some(Ok(data)) = stream.next().await {
                body.send_data(data, false).unwrap();
            }
            body.send_data(Bytes::new(), true).unwrap();
        })
    });
    let gateway = gateway(upstream.address);
    let mut client = gateway.client();
    client.send(request("POST /orders/1", "transfer-encoding: chunked\r\n"));
    let mut expected = Vec::new();
    for piece in ["one", "two", "six"] {
        client.send(format!("3\r\n{piece}\r\n"));
        expected.extend_from_slice(format!("3\r\n{piece}\r\n").as_bytes());
        // The answer to each piece comes before the next is sent.
        let mut seen = Vec::new();
        while !seen.ends_with(&expected) {
            let mut byte = [0];
            client.stream().read_exact(&mut byte).unwrap();
            seen.push(byte[0]);
        }
        expected.clear();
    }
    client.send("0\r\n\r\n");
    let mut end = [0; 5];
    client.stream().read_exact(&mut end).unwrap();
    assert_eq!(&end, b"0\r\n\r\n");
}

/// An upstream that answers nothing, and tells why its streams are reset; `GET /orders/ok` it answers.
fn silent(allows: Allows) -> (StreamsUpstream, mpsc::Receiver<()>, mpsc::Receiver<Reason>) {
    let (arrive, arrived) = told();
    let (tell, resets) = told();
    let upstream = StreamsUpstream::with(allows, move |mut stream| {
        let (arrive, tell) = (arrive.clone(), tell.clone());
        Box::pin(async move {
            if stream.request.uri().path() == "/orders/ok" {
                return ok(stream).await;
            }
            arrive(());
            tell(stream.reset().await.unwrap());
        })
    });
    (upstream, arrived, resets)
}

#[test]
fn whoever_leaves_has_its_stream_cancelled_and_no_other() {
    let (upstream, arrived, resets) = silent(Allows { window: 65_535, ..Allows::default() });
    let gateway = gateway(upstream.address);
    let requests = [
        get(),
        request("POST /orders/1", "transfer-encoding: chunked\r\n") + "3\r\nabc\r\n",
        request("POST /orders/1", "content-length: 9\r\n") + "abc",
    ];
    for request in requests {
        let mut other = gateway.client();
        let mut client = gateway.client();
        client.send(&request);
        arrived.recv_timeout(PATIENCE).unwrap();
        client.stream().shutdown(Shutdown::Both).unwrap();
        drop(client);
        let reset = resets.recv_timeout(PATIENCE);
        assert_eq!(reset, Ok(Reason::CANCEL), "{request:.40}");
        assert_eq!(other.ask(super::gateway::request("GET /orders/ok", "")).text(), "ok");
    }
    gateway.wait_for_count("grantgate_connections 0");
    assert!(upstream.connections() <= 2, "the connections stay");
}

#[test]
fn an_upload_that_nobody_takes_ends_with_its_answer() {
    let (tell, resets) = told();
    let upstream =
        StreamsUpstream::with(Allows { window: 65_535, ..Allows::default() }, move |mut stream| {
            let tell = tell.clone();
            Box::pin(async move {
                // The answer begins and goes on no more, and of the upload nothing is read.
                let mut body = stream.begin();
                tell(std::future::poll_fn(|cx| body.poll_reset(cx)).await.unwrap());
            })
        });
    let gateway = timed(upstream.address, "response_read: 200ms");
    let mut client = gateway.client();
    client.send(request("PUT /orders/1", "content-length: 1000000\r\n") + &"x".repeat(200_000));
    assert_eq!(resets.recv_timeout(PATIENCE), Ok(Reason::CANCEL));
    gateway.wait_for_count("grantgate_connections 0");
}

#[test]
fn an_upload_that_breaks_off_never_looks_finished() {
    let (tell, ends) = told();
    let upstream = StreamsUpstream::with(Allows::default(), move |mut stream| {
        let tell = tell.clone();
        Box::pin(async move {
            loop {
                match stream.next().await {
                    Some(Ok(_)) => {}
                    Some(Err(error)) => return tell(error.reason()),
                    None => return tell(None),
                }
            }
        })
    });
    let gateway = timed(upstream.address, "body_read: 200ms");
    for bad in [
        request("POST /orders/1", "transfer-encoding: chunked\r\n") + "3\r\nabc\r\nzz\r\n",
        request("POST /orders/1", "transfer-encoding: chunked\r\n") + "3\r\nabc\r\n",
        request("POST /orders/1", "content-length: 9\r\n") + "abc",
    ] {
        let answer = gateway.client().ask(&bad);
        assert!(matches!(answer.status, 400 | 408), "{answer:?}");
        assert_eq!(ends.recv_timeout(PATIENCE).unwrap(), Some(Reason::CANCEL), "{bad}");
    }
}

#[test]
fn an_answer_that_is_not_taken_is_not_gathered() {
    const WHOLE: usize = 64 << 20;
    let (tell, sent) = told();
    let upstream = StreamsUpstream::with(Allows::default(), move |mut stream| {
        let tell = tell.clone();
        Box::pin(async move {
            let mut body = stream.begin();
            let mut poured = 0;
            while poured < WHOLE {
                body.reserve_capacity(64 << 10);
                let more = std::future::poll_fn(|cx| body.poll_capacity(cx));
                match tokio::time::timeout(Duration::from_secs(1), more).await {
                    Ok(Some(Ok(room))) => {
                        body.send_data(vec![b'x'; room].into(), false).unwrap();
                        poured += room;
                    }
                    _ => break,
                }
            }
            tell(poured);
        })
    });
    let gateway = gateway(upstream.address);
    let mut client = gateway.client();
    client.send(get());
    let poured = sent.recv_timeout(PATIENCE).unwrap();
    assert!(poured < WHOLE / 4, "{poured} bytes went out to a client that read none");
}

#[test]
fn an_upload_whose_client_takes_its_time_is_waited_for_and_a_silent_upstream_is_not() {
    let upstream = StreamsUpstream::start(Allows::default());
    let gateway = timed(upstream.address, "response: 200ms");
    let mut client = gateway.client();
    client.send(request("POST /orders/1", "content-length: 6\r\n") + "abc");
    client.stream().set_read_timeout(Some(Duration::from_millis(600))).unwrap();
    assert_eq!(client.stream().peek(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    client.stream().set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(client.ask("def").status, 200);
}
