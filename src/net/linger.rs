//! A client's socket that is closed without losing our last words, and tells when nothing goes out.
//!
//! A client that asks and does not read the answers would keep its connection, and all that belongs to
//! it, for as long as it likes: the connection's [`Pace`] is told when what is to be written waits, below
//! TLS, where every byte that the client takes is seen.
//!
//! Closing a socket with unread bytes resets it, and a reset may overtake the answer that said why. So
//! the end of a connection sends our FIN first, then reads and throws away what the client still sends,
//! until its own end, a bound in bytes, or a bound in time.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::ahead::Ahead;
use super::pace::Pace;
use super::stream::Stream;

/// How long a client may still send.
const LONGEST: Duration = Duration::from_secs(1);

/// How much of it is read, in steps of [`STEP`].
const MOST_STEPS: usize = 64;

const STEP: usize = 8 * 1024;

/// A client's socket.
pub(super) struct Linger {
    stream: Ahead,
    pace: Rc<Pace>,
    /// Whether the client is still read after our end was said.
    half_open: bool,
    ending: Option<Ending>,
}

struct Ending {
    timer: Pin<Box<Sleep>>,
    steps: usize,
}

impl Linger {
    pub(super) fn new(stream: Stream, pace: Rc<Pace>) -> Self {
        Self { stream: Ahead::new(stream), pace, half_open: false, ending: None }
    }

    /// For a look at what comes before anybody reads it.
    pub(super) fn ahead(&mut self) -> &mut Ahead {
        &mut self.stream
    }

    /// Whether saying our end leaves the client's bytes to whoever reads them, as in a tunnel of which
    /// one side has ended.
    pub(super) fn stay_half_open(&mut self, half_open: bool) {
        self.half_open = half_open;
    }

    fn noted(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match &written {
            Poll::Pending => self.pace.write_waits(),
            Poll::Ready(Ok(bytes)) => self.pace.wrote(*bytes),
            Poll::Ready(Err(_)) => {}
        }
        written
    }
}

impl Drop for Linger {
    fn drop(&mut self) {
        if self.pace.is_aborted() {
            self.stream.stream().abort();
        }
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
        let written = self.stream.stream().poll_write(cx, bytes);
        self.noted(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = self.stream.stream().poll_write_vectored(cx, slices);
        self.noted(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.stream().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { stream, half_open, ending, .. } = &mut *self;
        if ending.is_none() {
            ready!(stream.stream().poll_shutdown(cx))?;
        }
        if *half_open {
            return Poll::Ready(Ok(()));
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
    use tokio::net::UnixStream;
    use tokio::time::timeout;

    use super::*;
    use crate::net::pace::Late;
    use crate::net::pace::tests::TIMES;

    fn pair() -> (Linger, UnixStream, Rc<Pace>) {
        let (ours, client) = UnixStream::pair().unwrap();
        let pace = Rc::new(Pace::new(TIMES));
        pace.begin();
        (Linger::new(Stream::Unix(ours), pace.clone()), client, pace)
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_nothing_is_told_of() {
        let (mut ours, _client, pace) = pair();
        let text = vec![0; 16 << 20];
        let late = tokio::select! {
            _ = ours.write_all(&text) => None,
            late = pace.overdue() => Some(late),
        };
        assert_eq!(late, Some(Late::Answer));
    }

    #[tokio::test]
    async fn a_write_that_waits_and_then_goes_out_ends_the_wait() {
        let (mut ours, mut client, pace) = pair();
        let text = vec![0; 16 << 20];
        let mut read = vec![0; text.len()];
        let (written, read) = tokio::join!(ours.write_all(&text), client.read_exact(&mut read));
        written.unwrap();
        read.unwrap();
        assert!(!pace.is_writing());
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_waits_for_the_client_and_not_for_ever() {
        let (mut ours, mut client, _) = pair();
        client.write_all(b"still talking").await.unwrap();
        let shutdown = ours.shutdown();
        timeout(LONGEST * 2, shutdown).await.unwrap().unwrap();
        assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
    }
}
