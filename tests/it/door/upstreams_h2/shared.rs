//! One connection to an upstream, which many clients share: what one of them does is no other's affair.

use bytes::Bytes;

use super::super::gateway::{Gateway, configuration};
use super::super::http2::frames::{self, Frames, allowed, as_slices};
use super::super::streams_upstream::{Allows, StreamsUpstream, ok};
use super::get;

/// One worker, so that all share its connections.
const SHARED: &str = "server: {listen: \"127.0.0.1:0\", http2: prior_knowledge, workers: 1}";

/// A message of a feed.
const SMALL: [u8; 64] = [b'x'; 64];

#[test]
fn small_pieces_that_a_client_does_not_take_end_nobody_elses_stream() {
    let upstream = StreamsUpstream::with(Allows::default(), |mut stream| {
        Box::pin(async move {
            let mut body = stream.begin();
            for left in (0..2048).rev() {
                let _ = body.send_data(Bytes::from_static(&SMALL), left == 0);
            }
        })
    });
    let text = configuration(upstream.address, "upstream_protocol: http2", SHARED);
    let gateway = Gateway::start(&text);
    let mut stalled = Frames::silent(gateway.address);
    stalled.greet(&[(frames::INITIAL_WINDOW_SIZE, 0)]);
    for number in 0..99 {
        stalled.get(2 * number + 1);
    }
    for _ in 0..99 {
        stalled.next_of(frames::HEADERS).unwrap();
    }
    assert_eq!(gateway.client().ask(get()).body.len(), 2048 * SMALL.len());
    assert_eq!(upstream.connections(), 1);
    let taken = stalled.window(1, 1 << 20).window(0, 1 << 20).told(1);
    assert_eq!((taken.body.len(), taken.whole), (2048 * SMALL.len(), true), "it goes on");
}

#[test]
fn an_upload_in_small_pieces_waits_for_an_upstream_that_takes_its_time() {
    let (go_on, wait) = tokio::sync::oneshot::channel();
    let wait = std::cell::Cell::new(Some(wait));
    let allows = Allows { window: 1024, ..Allows::default() };
    let upstream = StreamsUpstream::with(allows, move |stream| {
        let wait = wait.take();
        Box::pin(async move {
            if let Some(wait) = wait {
                wait.await.unwrap();
            }
            ok(stream).await;
        })
    });
    let text = configuration(upstream.address, "upstream_protocol: http2", SHARED);
    let gateway = Gateway::start(&text);
    let mut client = Frames::connect(gateway.address);
    client.headers(1, &as_slices(&allowed("POST")), false);
    for _ in 0..1000 {
        client.data(1, &SMALL, false);
    }
    client.ping(*b"are you?");
    let told = client.next_of(frames::PING).map(|ping| ping.payload);
    assert_eq!(told.as_deref(), Some(&b"are you?"[..]), "its pieces are borne");
    go_on.send(()).unwrap();
    assert_eq!(client.data(1, &SMALL, true).told(1).body, b"ok");
}
