//! A connection that has become a WebSocket: bytes both ways, until one side or the gateway ends it.
//!
//! In come the upstream's connection, after its answer was found right, and the client's. What one
//! side sends is read when the other has taken what came before, so that a tunnel never holds more than
//! [`STEP`] bytes each way, and none while it is silent. One that is cut ends between two frames of the
//! upstream, where there is such a place in time, with a Close frame that says why.

use std::future::poll_fn;
use std::io;
use std::mem::{self, MaybeUninit};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, timeout};

use super::cord::{Cord, Parting};
use super::frames::{Frames, Gap};
use super::patience::{Alarm, Patience};

/// What is read at a time.
const STEP: usize = 8 * 1024;

/// How long the parting of a tunnel may take: to the end of a frame, and for our last words.
const PARTING: Duration = Duration::from_millis(500);

/// How long a tunnel may be silent of which one side has ended.
const HALF_OPEN: Duration = Duration::from_secs(10);

const IDLE: Parting = Parting { code: "stream-idle", grpc: 4, close: 1001 };

/// What the upstream is told of a client that takes nothing.
const STALLED: Parting = Parting { code: "tunnel-stalled", grpc: 4, close: 1001 };

/// Both directions of a connection.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Unpin {}

impl<T: AsyncRead + AsyncWrite + Unpin> Duplex for T {}

/// An upstream's connection that has become a WebSocket, and waits for its client's.
pub(super) struct Tunnel {
    far: Box<dyn Duplex>,
    /// What came behind the upstream's answer.
    ahead: Bytes,
    idle: Duration,
}

/// Why a tunnel ends.
enum End {
    /// It was cut.
    Cut(Parting),
    /// Both sides have ended, or one is gone.
    Over,
}

impl Tunnel {
    /// `idle` is for how long no byte may come from either side.
    pub(super) fn new(far: Box<dyn Duplex>, ahead: Bytes, idle: Duration) -> Self {
        Self { far, ahead, idle }
    }

    /// Carries bytes between the upstream and `near`, of which `early` came before there was a tunnel.
    /// `patience` is how long `near` may take for the next of them, whatever it sends meanwhile. When the
    /// tunnel ends, `near` has been told so and is still to be closed, in order where it listens: tells
    /// whether it does.
    pub(super) async fn run(
        self,
        near: &mut impl Duplex,
        early: Bytes,
        cord: &Cord,
        patience: Duration,
    ) -> bool {
        let Self { mut far, ahead, idle } = self;
        let mut up = Flow::new(Frames::of_client(), early);
        let mut down = Flow::new(Frames::of_server(), ahead);
        let mut taking = Patience::new(patience);
        let (mut silence, mut half_silence) = (Alarm::default(), Alarm::default());
        let mut stall = Alarm::default();
        let end = poll_fn(|cx| {
            if let Poll::Ready(parting) = cord.poll_cut(cx) {
                return Poll::Ready(End::Cut(parting));
            }
            if poll_both(cx, &mut up, &mut down, near, &mut far).is_ready() {
                return Poll::Ready(End::Over);
            }
            taking.moved(mem::take(&mut down.written));
            if !down.rest.is_empty() && stall.poll(taking.wait(), cx).is_ready() {
                cord.cut(STALLED);
                return Poll::Ready(End::Cut(STALLED));
            }
            let moved = up.moved.max(down.moved);
            let late = if up.is_over() || down.is_over() {
                half_silence.poll(moved + idle.min(HALF_OPEN), cx)
            } else {
                silence.poll(moved + idle, cx)
            };
            late.map(|()| {
                cord.cut(IDLE);
                End::Cut(IDLE)
            })
        });
        let End::Cut(parting) = end.await else { return true };
        up.stop(parting);
        down.part(parting);
        let parted = poll_fn(|cx| poll_both(cx, &mut up, &mut down, near, &mut far));
        // Who does not listen goes without.
        let _ = timeout(PARTING, parted).await;
        down.rest.is_empty()
    }
}

/// Moves what can be moved. Ready when both directions are over, or one is broken: there is nobody to be
/// told then, and to the other side a tunnel that ends in the middle of a frame looks as it is.
fn poll_both(
    cx: &mut Context<'_>,
    up: &mut Flow,
    down: &mut Flow,
    near: &mut impl Duplex,
    far: &mut Box<dyn Duplex>,
) -> Poll<()> {
    let (up, down) = (up.poll(cx, near, far), down.poll(cx, far, near));
    let is_broken = |flow: &Poll<io::Result<()>>| matches!(flow, Poll::Ready(Err(_)));
    if is_broken(&up) || is_broken(&down) || up.is_ready() && down.is_ready() {
        Poll::Ready(())
    } else {
        Poll::Pending
    }
}

/// One direction of a tunnel.
struct Flow {
    frames: Frames,
    /// What was read and not taken yet.
    rest: Bytes,
    /// Whether something was written that may not have gone out.
    unsent: bool,
    /// How much was written since somebody asked.
    written: usize,
    /// When the last byte came.
    moved: Instant,
    stage: Stage,
}

#[derive(Clone, Copy)]
enum Stage {
    /// Bytes come.
    Open,
    /// Its last words stand behind the frame that passes.
    Parting(Parting),
    /// What is left is written, then its end.
    Ending,
    /// Its end was said.
    Over,
}

impl Flow {
    fn new(mut frames: Frames, rest: Bytes) -> Self {
        frames.pass(&rest);
        Self { frames, rest, unsent: false, written: 0, moved: Instant::now(), stage: Stage::Open }
    }

    fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over)
    }

    /// Has it end behind the frame that passes, saying why.
    fn part(&mut self, parting: Parting) {
        if matches!(self.stage, Stage::Open) {
            self.stage = Stage::Parting(parting);
        }
    }

    /// Has it end behind what was read, saying why where that is the end of a frame.
    fn stop(&mut self, parting: Parting) {
        self.part(parting);
        if self.frames.gap() == Gap::Later && !self.is_over() {
            self.stage = Stage::Ending;
        }
    }

    /// Moves bytes until none come or none are taken. Ready when its end was said.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut impl Duplex,
        to: &mut impl Duplex,
    ) -> Poll<io::Result<()>> {
        loop {
            while !self.rest.is_empty() {
                let written = ready!(Pin::new(&mut *to).poll_write(cx, &self.rest))?;
                if written == 0 {
                    return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                }
                self.rest.advance(written);
                self.written += written;
                self.unsent = true;
            }
            // What is empty would still keep its room.
            self.rest = Bytes::new();
            match self.stage {
                Stage::Over => return Poll::Ready(Ok(())),
                Stage::Ending => {
                    ready!(Pin::new(&mut *to).poll_shutdown(cx))?;
                    self.stage = Stage::Over;
                }
                Stage::Parting(parting) if self.frames.gap() != Gap::Later => {
                    if self.frames.gap() == Gap::Here {
                        self.rest = self.frames.close(&parting);
                    }
                    self.stage = Stage::Ending;
                }
                Stage::Open | Stage::Parting(_) => {
                    if self.poll_read(cx, from)?.is_pending() {
                        if self.unsent {
                            ready!(Pin::new(&mut *to).poll_flush(cx))?;
                            self.unsent = false;
                        }
                        return Poll::Pending;
                    }
                }
            }
        }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, from: &mut impl Duplex) -> Poll<io::Result<()>> {
        let mut room = [MaybeUninit::uninit(); STEP];
        let mut buffer = ReadBuf::uninit(&mut room);
        ready!(Pin::new(from).poll_read(cx, &mut buffer))?;
        let read = buffer.filled();
        if read.is_empty() {
            self.stage = Stage::Ending;
            return Poll::Ready(Ok(()));
        }
        self.moved = Instant::now();
        let passes = if let Stage::Parting(_) = self.stage {
            self.frames.pass_to_gap(read)
        } else {
            self.frames.pass(read);
            read.len()
        };
        self.rest = Bytes::copy_from_slice(read.get(..passes).unwrap_or_default());
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests;
