//! Upstreams in memory that speak HTTP/2, for tests.

use std::time::Duration;

use bytes::Bytes;
use h2::RecvStream;
use h2::server::{self, SendResponse};
use http::{HeaderMap, Request};
use tokio::io::{DuplexStream, duplex};
use tokio::sync::mpsc;
use tokio::task::spawn_local;

use crate::net::body::Upload;

use super::Terms;
use super::http2::Connection;

pub(super) const TERMS: Terms = Terms {
    connect: Duration::from_secs(5),
    response: Duration::from_mins(1),
    response_read: Duration::from_mins(5),
    idle: Duration::from_mins(1),
    stream_idle: Duration::from_mins(1),
    header_bytes: 32 << 10,
    body_bytes: None,
    clean: HeaderMap::clear,
};

pub(super) type Arrived = mpsc::UnboundedReceiver<(Request<RecvStream>, SendResponse<Bytes>)>;

/// A connection to an upstream that takes so many streams, and the requests that come there.
pub(super) async fn connection(streams: u32) -> (Connection, Arrived) {
    let (ours, theirs) = duplex(64 << 10);
    let (tell, arrived) = mpsc::unbounded_channel();
    spawn_local(serve(theirs, streams, tell));
    (Connection::start(ours, &TERMS).await.unwrap(), arrived)
}

async fn serve(
    stream: DuplexStream,
    streams: u32,
    tell: mpsc::UnboundedSender<(Request<RecvStream>, SendResponse<Bytes>)>,
) {
    let mut builder = server::Builder::new();
    let mut connection = builder.max_concurrent_streams(streams).handshake(stream).await.unwrap();
    while let Some(Ok(stream)) = connection.accept().await {
        let _ = tell.send(stream);
    }
}

/// A request without a body.
pub(super) fn request() -> Request<Upload> {
    Request::get("http://orders.example.com/").body(Upload::none(TERMS.clean)).unwrap()
}
