//! What HTTP is spoken over: a client's socket, or TLS on it.
//!
//! It tells the connection's [`Pace`] when bytes of a request come, above TLS, whose own messages are
//! none.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::server::TlsStream;

use super::linger::Linger;
use super::pace::Pace;

/// What HTTP is spoken over.
pub(super) struct Wire {
    line: Line,
    pace: Rc<Pace>,
}

/// With TLS, or without.
pub(super) enum Line {
    Plain(Linger),
    Tls(Box<TlsStream<Linger>>),
}

impl Wire {
    pub(super) fn new(line: Line, pace: Rc<Pace>) -> Self {
        Self { line, pace }
    }

    /// Closes without a word.
    pub(super) fn abort(self) {
        match self.line {
            Line::Plain(linger) => linger.abort(),
            Line::Tls(stream) => stream.into_inner().0.abort(),
        }
    }
}

macro_rules! either {
    ($wire:expr, $line:ident => $do:expr) => {
        match $wire {
            Line::Plain($line) => $do,
            Line::Tls($line) => $do,
        }
    };
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = either!(&mut self.line, line => Pin::new(line).poll_read(cx, buffer));
        if buffer.filled().len() > before {
            self.pace.came();
        }
        read
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        either!(&mut self.line, line => Pin::new(line).poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        either!(&mut self.line, line => Pin::new(line).poll_write_vectored(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        either!(&self.line, line => line.is_write_vectored())
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(&mut self.line, line => Pin::new(line).poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(&mut self.line, line => Pin::new(line).poll_shutdown(cx))
    }
}
