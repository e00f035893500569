//! Connections that are kept, retired and cut, over streams in memory.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncReadExt, DuplexStream, ReadBuf, duplex};
use tokio::task::LocalSet;
use tokio::time::advance;

use super::*;

/// A stream that never ends in order.
struct Stuck(DuplexStream);

impl AsyncRead for Stuck {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, into)
    }
}

impl AsyncWrite for Stuck {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

async fn connection(stream: impl AsyncRead + AsyncWrite + Unpin + 'static) -> Connection {
    let (sender, driver) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    let mut connection = Connection::start(sender, driver);
    connection.sender.ready().await.unwrap();
    connection
}

/// How long the other side sees the connection stand.
async fn stands(mut peer: DuplexStream) -> Duration {
    let begun = Instant::now();
    assert_eq!(peer.read(&mut [0]).await.unwrap(), 0);
    begun.elapsed()
}

#[tokio::test(start_paused = true)]
async fn what_is_dropped_is_cut_at_once_and_what_is_retired_has_its_grace() {
    let work = async {
        let (ours, theirs) = duplex(1024);
        drop(connection(Stuck(ours)).await);
        assert_eq!(stands(theirs).await, Duration::ZERO);

        let (ours, theirs) = duplex(1024);
        connection(Stuck(ours)).await.retire();
        let stood = stands(theirs).await;
        assert!(stood >= GRACE && stood < GRACE * 2, "{stood:?}");

        let (ours, theirs) = duplex(1024);
        connection(ours).await.retire();
        assert_eq!(stands(theirs).await, Duration::ZERO, "one that ends in order needs no grace");
    };
    LocalSet::new().run_until(work).await;
}

#[tokio::test(start_paused = true)]
async fn a_pool_keeps_what_stands_for_its_time_and_no_more_than_it_may() {
    const HOUR: Duration = Duration::from_hours(1);
    let work = async {
        let pool = Pool::new(Upstream::Unix("/nowhere".into()), UpstreamProtocol::Auto);
        let mut peers = Vec::new();
        for kept_for in [HOUR, Duration::from_secs(1)] {
            let (ours, theirs) = duplex(1024);
            let route = Route::Http1 { connection: connection(ours).await, is_kept: false };
            Lease::new(route, pool.clone(), kept_for).give_back();
            peers.push(theirs);
        }
        assert_eq!(pool.idle.borrow().len(), 2);
        advance(Duration::from_secs(2)).await;
        assert!(!pool.sweep());
        assert_eq!(pool.idle.borrow().len(), 1);
        stands(peers.pop().unwrap()).await;

        let used = pool.take().unwrap();
        assert!(pool.take().is_none());
        let other = pool.clone();
        assert!(!pool.sweep(), "a connection that is in use comes back to it");
        drop(other);
        assert!(pool.sweep(), "nothing is left to come back to");

        pool.keep(used, HOUR);
        drop(peers);
        tokio::task::yield_now().await;
        assert!(pool.take().is_none(), "the other side has closed it");

        let mut peers = Vec::new();
        for _ in 0..=MOST_IDLE {
            let (ours, theirs) = duplex(64);
            pool.keep(connection(ours).await, HOUR);
            peers.push(theirs);
        }
        assert_eq!(pool.idle.borrow().len(), MOST_IDLE);
        stands(peers.pop().unwrap()).await;
    };
    LocalSet::new().run_until(work).await;
}
