//! How connections that speak HTTP/2 end: in order, with nothing lost.

use std::io::Write;
use std::sync::{Mutex, mpsc};

use grantgate::net::Phase;

use super::client::{Http2, get, run, whole};
use super::frames::{self, Frames};
use super::prior_knowledge;
use crate::door::gateway::Gateway;
use crate::door::upstream::Upstream;

/// An upstream that answers the first order when it is told to.
fn patient() -> (Upstream, mpsc::Sender<()>) {
    let (go_on, wait) = mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let upstream = Upstream::with(move |seen, stream| {
        if seen.line().contains("/orders/1") {
            let _ = wait.lock().unwrap().recv();
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").is_ok()
    });
    (upstream, go_on)
}

#[test]
fn a_gateway_that_drains_says_so_and_loses_nothing() {
    let (upstream, go_on) = patient();
    let gateway = Gateway::start(&prior_knowledge(&upstream, ""));
    run(async {
        let (mut busy, mut idle) =
            (Http2::connect(gateway.address).await, Http2::connect(gateway.address).await);
        // Until it is answered, it could be one of those who come later.
        assert_eq!(idle.ask(get("/orders/2")).await.status, 200);
        let (answer, _) = busy.begin(get("/orders/1"), true).await;
        let both = move || (upstream.next(), upstream.next(), upstream).2;
        let _upstream = tokio::task::spawn_blocking(both).await.unwrap();
        gateway.drain.advance(Phase::Draining);
        // Told to go, the idle one goes: nothing but the end is left to it.
        idle.end.await.unwrap().unwrap();

        // Who comes now is served until the gateway closes.
        let mut late = Http2::connect(gateway.address).await;
        assert_eq!(late.ask(get("/orders/2")).await.status, 200);
        gateway.drain.advance(Phase::Closing);
        late.end.await.unwrap().unwrap();

        go_on.send(()).unwrap();
        assert_eq!(whole(answer).await.unwrap().text(), "ok");
        busy.end.await.unwrap().unwrap();
    });
    let records = gateway.finish();
    assert!(records.iter().all(|record| record["status"] == 200), "{records:?}");
}

#[test]
fn requests_that_cross_the_farewell_are_served() {
    let upstream = Upstream::start();
    let gateway = Gateway::start(&prior_knowledge(&upstream, ""));
    let mut client = Frames::connect(gateway.address);
    assert_eq!(client.get(1).told(1).status, Some(200));
    gateway.drain.advance(Phase::Draining);
    // The first farewell names no last stream, and asks whether it was heard.
    let farewell = client.next_of(frames::GOAWAY).unwrap();
    assert_eq!(farewell.payload[..8], [0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0]);
    let told = client.get(3).told(3);
    assert_eq!((told.status, told.whole), (Some(200), true));
    assert_eq!(client.farewell().or(told.goaway), Some(frames::NO_ERROR));
    gateway.wait_for_count("grantgate_connections 0");
}

#[test]
fn who_does_not_hear_the_farewell_cannot_stay_by_asking_on() {
    let upstream = Upstream::start();
    let times = "timeouts: {header_read: 100ms}";
    let gateway = Gateway::start(&prior_knowledge(&upstream, times));
    let mut deaf = Frames::connect(gateway.address);
    deaf.acknowledges = false;
    assert_eq!(deaf.get(1).told(1).status, Some(200));
    gateway.drain.advance(Phase::Draining);
    let mut stream = 3;
    let refused = loop {
        let told = deaf.get(stream).told(stream);
        if told.status != Some(200) {
            break told;
        }
        stream += 2;
    };
    assert!(refused.status.is_none());
    assert!([None, Some(frames::REFUSED_STREAM)].contains(&refused.reset), "{refused:?}");
    gateway.wait_for_count("grantgate_connections 0");
}

#[test]
fn a_gateway_that_must_leave_leaves_at_once() {
    let (upstream, _keep) = patient();
    let mut gateway = Gateway::start(&prior_knowledge(&upstream, ""));
    let mut client = Frames::connect(gateway.address);
    client.get(1);
    upstream.next();
    gateway.drain.advance(Phase::Gone);
    gateway.wait();
    assert_eq!(client.told(1).status, None);
    let records = gateway.finish();
    assert_eq!((records.len(), records[0]["status"].is_null()), (1, true), "it is recorded");
}

#[test]
fn an_idle_connection_is_told_to_go_whatever_else_comes_on_it() {
    let upstream = Upstream::start();
    let times = "timeouts: {idle: 200ms}";
    let gateway = Gateway::start(&prior_knowledge(&upstream, times));
    let (mut unused, mut used) =
        (Frames::connect(gateway.address), Frames::connect(gateway.address));
    assert_eq!(used.get(1).told(1).status, Some(200));
    // Neither a PING nor a window is a request.
    let mut pings = 0;
    while used.try_write(&frames::frame(frames::PING, 0, 0, b"stay now"))
        && used.try_write(&frames::frame(frames::WINDOW_UPDATE, 0, 0, &1_u32.to_be_bytes()))
        && used.next().is_some_and(|frame| frame.kind != frames::GOAWAY)
    {
        pings += 1;
    }
    assert!(pings > 0);
    assert_eq!(unused.farewell(), Some(frames::NO_ERROR));
    drop(used);
    gateway.wait_for_count("grantgate_connections 0");
    assert!(gateway.counts("grantgate_connection_errors_total{kind=\"timeout\"} 0"));
}
