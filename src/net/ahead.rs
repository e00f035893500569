//! A client's socket whose first bytes can be looked at before it is known who reads them.
//!
//! What a client speaks is told by how it begins. What was looked at is read again afterwards, in its
//! order, unless it was skipped. Works alike on every kind of socket, and waits by the socket's own
//! readiness: a peek at the system's buffer would be ready for ever while a beginning is incomplete.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};

use super::stream::Stream;

/// What is read at a time, unless more is asked for.
const STEP: usize = 256;

/// A client's socket, and what was looked at.
pub(super) struct Ahead {
    stream: Stream,
    seen: BytesMut,
}

impl Ahead {
    pub(super) fn new(stream: Stream) -> Self {
        Self { stream, seen: BytesMut::new() }
    }

    /// The bytes that come next, at least so many, and fewer only where the client has ended. They stay to
    /// be read. May be given up and asked again.
    pub(super) async fn look(&mut self, least: usize) -> io::Result<&[u8]> {
        while self.seen.len() < least {
            let missing = least - self.seen.len();
            self.seen.reserve(missing.max(STEP));
            if self.stream.read_buf(&mut self.seen).await? == 0 {
                break;
            }
        }
        Ok(&self.seen)
    }

    /// Leaves out the next bytes, which were looked at.
    pub(super) fn skip(&mut self, bytes: usize) {
        self.seen.advance(bytes.min(self.seen.len()));
        self.forget();
    }

    /// Gives up the room of what was looked at: a connection may live for long after its first bytes.
    fn forget(&mut self) {
        if self.seen.is_empty() {
            self.seen = BytesMut::new();
        }
    }

    /// The socket: for all but reading.
    pub(super) fn stream(&mut self) -> Pin<&mut Stream> {
        Pin::new(&mut self.stream)
    }

    /// Whether several slices are written at once.
    pub(super) fn is_write_vectored(&self) -> bool {
        tokio::io::AsyncWrite::is_write_vectored(&self.stream)
    }
}

impl AsyncRead for Ahead {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.seen.is_empty() {
            return self.stream().poll_read(cx, buffer);
        }
        let bytes = self.seen.len().min(buffer.remaining());
        buffer.put_slice(&self.seen.split_to(bytes));
        self.forget();
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;
    use tokio::net::{TcpListener, TcpStream, UnixStream};

    use super::*;

    async fn tcp() -> (Ahead, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (Ahead::new(Stream::Tcp(listener.accept().await.unwrap().0)), client)
    }

    fn unix() -> (Ahead, UnixStream) {
        let (ours, client) = UnixStream::pair().unwrap();
        (Ahead::new(Stream::Unix(ours)), client)
    }

    async fn is_read_in_order(mut ours: Ahead, mut client: impl tokio::io::AsyncWrite + Unpin) {
        let long = "x".repeat(3 * STEP);
        client.write_all(b"a head, ").await.unwrap();
        assert!(ours.look(1).await.unwrap().starts_with(b"a"));
        client.write_all(long.as_bytes()).await.unwrap();
        assert!(ours.look(2 * STEP).await.unwrap().len() >= 2 * STEP);
        ours.skip("a ".len());
        client.write_all(b" and more").await.unwrap();
        client.shutdown().await.unwrap();
        let mut read = String::new();
        ours.read_to_string(&mut read).await.unwrap();
        assert_eq!(read, format!("head, {long} and more"));
        assert_eq!(ours.look(1).await.unwrap(), b"", "it has ended");
    }

    #[tokio::test]
    async fn what_was_looked_at_is_read_again_and_what_was_skipped_is_not() {
        let (ours, client) = tcp().await;
        is_read_in_order(ours, client).await;
        let (ours, client) = unix();
        is_read_in_order(ours, client).await;
    }

    #[tokio::test]
    async fn a_look_that_was_given_up_loses_nothing() {
        let (mut ours, mut client) = unix();
        client.write_all(b"PRI").await.unwrap();
        tokio::select! {
            biased;
            _ = ours.look(24) => panic!("it cannot have come"),
            () = tokio::task::yield_now() => {}
        }
        assert_eq!(ours.look(3).await.unwrap(), b"PRI");
        drop(client);
        assert_eq!(ours.look(24).await.unwrap(), b"PRI");
    }
}
