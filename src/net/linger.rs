//! A client's socket that is closed without losing our last words, and given up when nobody listens.
//!
//! A client that asks and does not read the answers would keep its connection, and all that belongs to
//! it, for as long as it likes: when none of what is to be written goes out for a while, writing fails.
//!
//! Closing a socket with unread bytes resets it, and a reset may overtake the answer that said why. So
//! the end of a connection sends our FIN first, then reads and throws away what the client still sends,
//! until its own end, a bound in bytes, or a bound in time.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

/// How long a client may take nothing of what is written to it.
const LONGEST_STALL: Duration = Duration::from_mins(1);

/// How long a client may still send.
const LONGEST: Duration = Duration::from_secs(1);

/// How much of it is read, in steps of [`STEP`].
const MOST_STEPS: usize = 64;

const STEP: usize = 8 * 1024;

/// A client's socket.
pub(super) struct Linger {
    stream: TcpStream,
    /// Runs while a write waits.
    stalled: Option<Pin<Box<Sleep>>>,
    ending: Option<Ending>,
}

struct Ending {
    timer: Pin<Box<Sleep>>,
    steps: usize,
}

impl Linger {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream, stalled: None, ending: None }
    }

    /// The outcome of a write, or its failure when it has waited for too long.
    fn watched(
        &mut self,
        written: Poll<io::Result<usize>>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let timer = self.stalled.get_or_insert_with(|| Box::pin(sleep(LONGEST_STALL)));
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Linger {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Linger {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.watched(written, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.watched(written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { stream, ending, .. } = &mut *self;
        if ending.is_none() {
            ready!(Pin::new(&mut *stream).poll_shutdown(cx))?;
        }
        let ending = ending
            .get_or_insert_with(|| Ending { timer: Box::pin(sleep(LONGEST)), steps: MOST_STEPS });
        let mut room = [0; STEP];
        while ending.steps > 0 {
            let mut buffer = ReadBuf::new(&mut room);
            match Pin::new(&mut *stream).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => ending.steps -= 1,
                // The client's end, or no connection any more.
                Poll::Ready(_) => return Poll::Ready(Ok(())),
                Poll::Pending => return ending.timer.as_mut().poll(cx).map(Ok),
            }
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio::time::Instant;

    use super::*;

    async fn pair() -> (Linger, TcpStream) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (Linger::new(listener.accept().await.unwrap().0), client)
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_nothing_is_given_up() {
        let (mut ours, client) = pair().await;
        let begun = Instant::now();
        let text = vec![0; 1 << 20];
        let error = loop {
            if let Err(error) = ours.write_all(&text).await {
                break error;
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(begun.elapsed() >= LONGEST_STALL);
        drop(client);
    }

    #[tokio::test]
    async fn a_write_that_waits_and_then_goes_out_ends_the_wait() {
        let (mut ours, mut client) = pair().await;
        let text = vec![0; 64 << 20];
        let mut read = vec![0; text.len()];
        let (written, read) = tokio::join!(ours.write_all(&text), client.read_exact(&mut read));
        written.unwrap();
        read.unwrap();
        assert!(ours.stalled.is_none());
    }
}
