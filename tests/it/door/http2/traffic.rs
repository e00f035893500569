//! HTTP/2 as good clients speak it, through to an upstream that speaks HTTP/1.1.

use std::io::Write;
use std::sync::{Arc, Barrier, Mutex, mpsc};

use bytes::Bytes;
use http::{HeaderMap, Method};

use super::client::{Http2, get, next, request, run, whole};
use super::prior_knowledge;
use crate::door::gateway::Gateway;
use crate::door::upstream::Upstream;

#[test]
fn requests_pass_and_are_refused_on_one_connection() {
    let upstream = Upstream::start();
    let gateway = Gateway::start(&prior_knowledge(&upstream, ""));
    run(async {
        let mut client = Http2::connect(gateway.address).await;
        let answer = client.ask(get("/orders/1?a=b")).await;
        assert_eq!((answer.status.as_u16(), answer.text()), (200, "ok"));
        let seen = upstream.next();
        assert_eq!(seen.line(), "GET /orders/1?a=b HTTP/1.1");
        assert_eq!(seen.one("host"), Some("orders.example.com"));
        assert_eq!(seen.one("x-forwarded-proto"), Some("http"), "`:scheme` says what it likes");
        assert_eq!(seen.one("grantgate-client-id"), Some("batch"));
        assert!(seen.one("via").unwrap().starts_with("2.0 grantgate-"));
        let refused = client.ask(request(Method::DELETE, "/orders/1")).await;
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (403, "scope-insufficient"));
        assert_eq!(refused.headers.get("connection"), None);
        assert_eq!(client.ask(get("/orders/2")).await.status, 200);
    });
    assert_eq!(gateway.finish().len(), 3);
}

#[test]
fn bodies_of_any_length_pass_in_both_directions() {
    let upstream = Upstream::with(|seen, stream| {
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", seen.body.len());
        stream.write_all(&[head.as_bytes(), &seen.body].concat()).is_ok()
    });
    let gateway = Gateway::start(&prior_knowledge(&upstream, ""));
    run(async {
        let mut client = Http2::connect(gateway.address).await;
        let body: Bytes = (0..3_u32 << 20).map(|n| (n % 251).to_le_bytes()[0]).collect();
        let mut framed = request(Method::POST, "/orders/1");
        framed.headers_mut().insert("content-length", body.len().into());
        let answer = client.post(framed, body.clone()).await;
        assert!(answer.status == 200 && answer.body == body);
        assert_eq!(answer.headers["content-length"], body.len().to_string());
        assert_eq!(upstream.next().one("transfer-encoding"), None);

        // Without a length of its own it goes on in chunks.
        let chunked = client.post(request(Method::PUT, "/orders/1"), "0123456789").await;
        assert_eq!(chunked.text(), "A\r\n0123456789\r\n0\r\n\r\n");
        assert_eq!(client.post(request(Method::POST, "/orders/1"), "").await.status, 200);
    });
}

#[test]
fn each_side_is_heard_while_the_other_still_speaks() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // Answers at once, and says again each line that it hears.
    let echo = std::thread::spawn(move || {
        use std::io::{BufRead, BufReader};
        let (mut stream, _) = listener.accept().unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map(Result::unwrap);
        while !lines.next().unwrap().is_empty() {}
        stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").unwrap();
        for line in lines.by_ref() {
            match line.as_str() {
                "0" => break,
                "ping" => stream.write_all(b"4\r\nping\r\n").unwrap(),
                _ => {}
            }
        }
        stream.write_all(b"0\r\n\r\n").unwrap();
    });
    let text = crate::door::gateway::configuration(address, "", super::PRIOR_KNOWLEDGE);
    let gateway = Gateway::start(&text);
    run(async {
        let mut client = Http2::connect(gateway.address).await;
        let (answer, mut upload) = client.begin(request(Method::POST, "/orders/1"), false).await;
        let mut heard = answer.await.unwrap().into_body();
        for _ in 0..3 {
            upload.send_data("ping\r\n".into(), false).unwrap();
            assert_eq!(next(&mut heard).await.unwrap().unwrap(), "ping");
        }
        upload.send_data(Bytes::new(), true).unwrap();
        assert_eq!(next(&mut heard).await.unwrap(), None);
    });
    echo.join().unwrap();
}

#[test]
fn trailers_pass_in_both_directions_without_what_may_not_trail() {
    let upstream = Upstream::answering(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n\
         2\r\nok\r\n0\r\nx-sum: 2\r\nset-cookie: a=b\r\n\r\n",
    );
    let gateway = Gateway::start(&prior_knowledge(&upstream, ""));
    run(async {
        let mut client = Http2::connect(gateway.address).await;
        let mut request = request(Method::POST, "/orders/1");
        request.headers_mut().insert("te", "trailers".parse().unwrap());
        // HTTP/1.1 sends those that were announced.
        request.headers_mut().insert("trailer", "x-sum, grantgate-subject".parse().unwrap());
        let (answer, mut upload) = client.begin(request, false).await;
        upload.send_data("x".into(), false).unwrap();
        let mut trailers = HeaderMap::new();
        trailers.insert("x-sum", "1".parse().unwrap());
        trailers.insert("grantgate-subject", "boss".parse().unwrap());
        upload.send_trailers(trailers).unwrap();
        let answer = whole(answer).await.unwrap();
        let trailers = answer.trailers.unwrap();
        assert_eq!((trailers.len(), trailers["x-sum"].to_str().unwrap()), (1, "2"));
    });
    let seen = upstream.next();
    assert_eq!((seen.one("te"), seen.one("connection")), (Some("trailers"), Some("te")));
    assert_eq!(seen.body, b"1\r\nx\r\n0\r\nx-sum: 1\r\n\r\n");
}

#[test]
fn a_head_has_the_fields_of_a_get_and_what_concerned_another_connection_stays_behind() {
    let upstream = Upstream::answering(
        "HTTP/1.1 200 OK\r\nconnection: keep-alive, x-hop\r\nx-hop: 1\r\nkeep-alive: timeout=5\r\n\
         proxy-connection: keep-alive\r\nupgrade: h2c\r\nx-mine: 1\r\ncontent-length: 7\r\n\r\n",
    );
    let gateway = Gateway::start(&prior_knowledge(&upstream, ""));
    run(async {
        let mut client = Http2::connect(gateway.address).await;
        let answer = client.ask(request(Method::HEAD, "/orders/1")).await;
        assert_eq!((answer.status.as_u16(), answer.text()), (200, ""));
        let mut names: Vec<_> = answer.headers.keys().map(http::HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["content-length", "date", "via", "x-mine"]);
        let refused = client.ask(request(Method::HEAD, "/nowhere")).await;
        assert_eq!((refused.status.as_u16(), refused.text()), (403, ""));
    });
}

#[test]
fn cookies_come_in_pieces_and_go_on_as_one() {
    let upstream = Upstream::start();
    let gateway = Gateway::start(&prior_knowledge(&upstream, ""));
    run(async {
        let mut request = get("/orders/1");
        for crumb in ["a=1", "b=2; c=3", "d=4"] {
            request.headers_mut().append("cookie", crumb.parse().unwrap());
        }
        assert_eq!(Http2::connect(gateway.address).await.ask(request).await.status, 200);
    });
    assert_eq!(upstream.next().one("cookie"), Some("a=1; b=2; c=3; d=4"));
}

#[test]
fn a_hundred_requests_are_under_way_at_a_time() {
    let all = Arc::new(Barrier::new(100));
    let upstream = Upstream::with(move |_, stream| {
        all.wait();
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").is_ok()
    });
    let gateway = Gateway::start(&prior_knowledge(&upstream, ""));
    run(async {
        let mut client = Http2::connect(gateway.address).await;
        let mut answers = Vec::new();
        for _ in 0..100 {
            answers.push(client.begin(get("/orders/1"), true).await.0);
        }
        for answer in answers {
            assert_eq!(whole(answer).await.unwrap().text(), "ok");
        }
    });
}

#[test]
fn refused_requests_leave_their_bodies_and_the_connection_stays() {
    let upstream = Upstream::start();
    let gateway = Gateway::start(&prior_knowledge(&upstream, ""));
    run(async {
        let mut client = Http2::connect(gateway.address).await;
        // More than all windows together could hold of what is not read.
        for _ in 0..100 {
            let refused = request(Method::DELETE, "/orders/1");
            let (answer, mut upload) = client.begin(refused, false).await;
            upload.send_data(vec![0; 16 * 1024].into(), false).unwrap();
            assert_eq!(whole(answer).await.unwrap().code(), "scope-insufficient");
        }
        let served = client.post(request(Method::POST, "/orders/1"), vec![0; 300_000]).await;
        assert_eq!(served.status, 200);
    });
    assert_eq!(upstream.rest().len(), 1);
    assert!(!gateway.counts("grantgate_connection_errors_total{kind=\"aborted\"} 1"));
}

#[test]
fn a_client_that_takes_a_request_back_takes_it_back_from_the_upstream() {
    let (gone, left) = mpsc::channel();
    let gone = Mutex::new(gone);
    let upstream = Upstream::with(move |seen, stream| {
        if seen.line().contains("/orders/1") {
            // Nothing is answered before the gate is gone.
            let read = std::io::Read::read(stream, &mut [0]);
            gone.lock().unwrap().send(matches!(read, Ok(0) | Err(_))).unwrap();
            return false;
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").is_ok()
    });
    let gateway = Gateway::start(&prior_knowledge(&upstream, ""));
    run(async {
        let mut client = Http2::connect(gateway.address).await;
        let (answer, mut upload) = client.begin(get("/orders/1"), true).await;
        tokio::task::spawn_blocking(move || (upstream.next(), upstream)).await.unwrap();
        upload.send_reset(h2::Reason::CANCEL);
        assert!(answer.await.is_err());
        let left = tokio::task::spawn_blocking(move || left.recv().unwrap()).await.unwrap();
        assert!(left);
        assert_eq!(client.ask(get("/orders/2")).await.status, 200);
    });
    let records = gateway.finish();
    assert!(records.iter().any(|record| record["status"].is_null()), "{records:?}");
}

#[test]
fn more_requests_than_may_be_in_flight_are_turned_away_until_one_ends() {
    let (go_on, wait) = mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let upstream = Upstream::with(move |_, stream| {
        wait.lock().unwrap().recv().unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").is_ok()
    });
    let gateway = Gateway::start(&prior_knowledge(&upstream, "limits: {connections: 2}"));
    run(async {
        let mut client = Http2::connect(gateway.address).await;
        let (first, _) = client.begin(get("/orders/1"), true).await;
        let (second, _) = client.begin(get("/orders/2"), true).await;
        // Not even one that would be refused is looked into.
        let turned_away = client.ask(request(Method::DELETE, "/orders/3")).await;
        assert_eq!((turned_away.status.as_u16(), turned_away.code().as_str()), (503, "overloaded"));
        assert_eq!(turned_away.headers["retry-after"], "1");
        let mut call = request(Method::POST, "/orders/3");
        call.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
        let turned_away = client.ask(call).await;
        assert_eq!((turned_away.status.as_u16(), &*turned_away.body), (200, &b""[..]));
        assert_eq!(turned_away.headers["grpc-status"], "14");
        for _ in 0..3 {
            go_on.send(()).unwrap();
        }
        assert_eq!(whole(first).await.unwrap().status, 200);
        assert_eq!(whole(second).await.unwrap().status, 200);
        assert_eq!(client.ask(get("/orders/4")).await.status, 200);
    });
    let records = gateway.finish();
    assert_eq!(records.iter().filter(|record| record["code"] == "overloaded").count(), 2);
}
