//! What HTTP is spoken over: a client's socket, or TLS on it.
//!
//! It tells the connection's [`Pace`] when bytes come that mean something, above TLS, whose own messages
//! do not. In HTTP/1 all bytes are a request's. In HTTP/2 the client's first bytes are its greeting, and
//! requests are only known behind the parser: what else comes, a PING or a window, keeps nothing open.

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
    hears: Hears,
}

/// What bytes that come are.
enum Hears {
    /// A request's.
    Requests,
    /// The greeting's, of which so many are still to come.
    Greeting(usize),
    /// Nothing that counts.
    Frames,
}

/// What an HTTP/2 client says first (RFC 9113 section 3.4).
pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The head of a frame, of the SETTINGS that belong to the greeting.
const FRAME_HEAD: usize = 9;

/// With TLS, or without.
pub(super) enum Line {
    Plain(Linger),
    Tls(Box<TlsStream<Linger>>),
}

impl Wire {
    pub(super) fn http1(line: Line, pace: Rc<Pace>) -> Self {
        Self { line, pace, hears: Hears::Requests }
    }

    pub(super) fn http2(line: Line, pace: Rc<Pace>) -> Self {
        Self { line, pace, hears: Hears::Greeting(PREFACE.len() + FRAME_HEAD) }
    }

    /// See [`Linger::stay_half_open`].
    pub(super) fn stay_half_open(&mut self, half_open: bool) {
        match &mut self.line {
            Line::Plain(linger) => linger.stay_half_open(half_open),
            Line::Tls(stream) => stream.get_mut().0.stay_half_open(half_open),
        }
    }

    fn heard(&mut self, bytes: usize) {
        match &mut self.hears {
            Hears::Requests => self.pace.came(),
            Hears::Greeting(rest) if *rest > bytes => *rest -= bytes,
            Hears::Greeting(_) => {
                self.hears = Hears::Frames;
                self.pace.greeted();
            }
            Hears::Frames => {}
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
        let bytes = buffer.filled().len() - before;
        if bytes > 0 {
            self.heard(bytes);
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
