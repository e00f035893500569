//! Bodies on their way through: never gathered, only watched.
//!
//! An [`Upload`] is a client's body on its way to the upstream: counted against its bound, its trailers
//! cleaned. A [`Body`] is what a client is answered: a text of ours, or an upstream's body, whose
//! connection goes back to the pool when it has come to its end, or the tunnel that follows. A body that
//! breaks off on one side breaks the other side off too: an unfinished message never looks finished. So does
//! one that stops coming: an upstream that is gone without a word must not keep its client for ever.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, Bytes};
use http::HeaderMap;
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::Instant;

use super::client::Lease;
use super::cord::Cord;
use super::patience::Alarm;
use super::received::{BodyError, Received};
use super::tunnel::Tunnel;

/// Removes from trailers what may not pass.
pub type Clean = fn(&mut HeaderMap);

/// What a client is answered.
pub struct Body(Kind);

enum Kind {
    Own(Option<Bytes>),
    /// None, for what follows is no HTTP.
    Tunnel(Option<Box<Tunnel>>),
    Upstream {
        inner: Incoming,
        clean: Clean,
        lease: Lease,
        silence: Silence,
    },
}

/// How long nothing has come that was waited for.
struct Silence {
    limit: Duration,
    since: Option<Instant>,
    /// Of its exchange, which may be a conversation.
    cord: Cord,
    alarm: Alarm,
}

/// Why an answer ends before its end.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// The upstream broke it off, or its framing is bad.
    #[error("the response's body broke off: {0}")]
    Broken(#[from] hyper::Error),
    /// The exchange was cut.
    #[error("the exchange was cut: {0}")]
    Cut(&'static str),
    /// The upstream stopped sending.
    #[error("the response's body stopped coming")]
    Stalled,
    /// The upstream ended the stream before the body's end, without calling it a fault.
    #[error("the response's body was left unfinished")]
    Unfinished,
}

impl Body {
    /// A text of ours; an empty one is no body.
    pub fn own(text: impl Into<Bytes>) -> Self {
        Self(Kind::Own(Some(text.into()).filter(|text| !text.is_empty())))
    }

    /// Of an answer that makes its connection a tunnel.
    pub(super) fn tunnel(tunnel: Tunnel) -> Self {
        Self(Kind::Tunnel(Some(Box::new(tunnel))))
    }

    /// Whether it is a text of ours.
    pub(super) fn is_own(&self) -> bool {
        matches!(self.0, Kind::Own(_))
    }

    /// The tunnel that follows this answer, if one does.
    pub(super) fn take_tunnel(&mut self) -> Option<Box<Tunnel>> {
        match &mut self.0 {
            Kind::Tunnel(tunnel) => tunnel.take(),
            Kind::Own(_) | Kind::Upstream { .. } => None,
        }
    }

    /// `patience` is how long the next part of it may take.
    pub(super) fn upstream(
        inner: Incoming,
        clean: Clean,
        lease: Lease,
        patience: Duration,
        cord: Cord,
    ) -> Self {
        let silence = Silence { limit: patience, since: None, cord, alarm: Alarm::default() };
        let mut body = Self(Kind::Upstream { inner, clean, lease, silence });
        body.settle();
        body
    }

    /// Gives the connection back once nothing more comes on it.
    fn settle(&mut self) {
        if let Kind::Upstream { inner, lease, .. } = &mut self.0
            && inner.is_end_stream()
        {
            lease.give_back();
        }
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = AnswerError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, AnswerError>>> {
        let frame = match &mut self.0 {
            Kind::Own(text) => return Poll::Ready(text.take().map(|text| Ok(Frame::data(text)))),
            Kind::Tunnel(_) => return Poll::Ready(None),
            Kind::Upstream { inner, clean, lease, silence } => {
                let Poll::Ready(frame) = Pin::new(&mut *inner).poll_frame(cx) else {
                    return silence.poll(cx).map(|()| Some(Err(AnswerError::Stalled)));
                };
                silence.since = None;
                silence.cord.moved();
                if frame.is_none() {
                    if lease.is_of_stream() && !inner.is_end_stream() {
                        return Poll::Ready(Some(Err(AnswerError::Unfinished)));
                    }
                    lease.give_back();
                }
                frame.map(|frame| Ok(cleaned(frame?, *clean)))
            }
        };
        self.settle();
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Own(text) => text.is_none(),
            Kind::Tunnel(_) => true,
            Kind::Upstream { inner, .. } => inner.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Own(text) => {
                SizeHint::with_exact(text.as_ref().map_or(0, |text| text.remaining() as u64))
            }
            Kind::Tunnel(_) => SizeHint::with_exact(0),
            Kind::Upstream { inner, .. } => inner.size_hint(),
        }
    }
}

impl Silence {
    /// Whether it has lasted for too long.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let until = self.cord.silent_until().unwrap_or_else(|| {
            let since = *self.since.get_or_insert_with(Instant::now);
            since + self.limit
        });
        self.alarm.poll(until, cx)
    }
}

fn cleaned(mut frame: Frame<Bytes>, clean: Clean) -> Frame<Bytes> {
    if let Some(trailers) = frame.trailers_mut() {
        clean(trailers);
    }
    frame
}

/// A client's body on its way to the upstream.
pub(super) struct Upload {
    inner: Option<Received>,
    rest: Option<u64>,
    clean: Clean,
    progress: Option<Rc<Progress>>,
    begun: Option<Box<dyn FnOnce()>>,
}

/// Why an upload ends before its end. To an HTTP/2 upstream its stream is cancelled then, whatever it is.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub(super) struct Aborted {
    error: BodyError,
    #[source]
    cancelled: h2::Error,
}

/// How far an upload is, as seen by whoever waits for the answer.
pub(super) struct Progress {
    state: Cell<State>,
    moved: Cell<Instant>,
}

/// What an upload is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// The client broke it off, or its framing is bad.
    Broken,
    /// It has come to its end.
    Ended,
    /// The upstream takes its time.
    Moving,
    /// The client took too much time.
    Stalled,
    /// It is larger than it may be.
    TooLarge,
    /// The client takes its time.
    Waiting,
}

impl Upload {
    /// `most` bounds the bytes. There is no progress to watch where there is no body.
    pub(super) fn new(
        inner: Received,
        most: Option<u64>,
        clean: Clean,
    ) -> (Self, Option<Rc<Progress>>) {
        let progress = (!inner.is_end_stream()).then(|| {
            Rc::new(Progress { state: Cell::new(State::Moving), moved: Cell::new(Instant::now()) })
        });
        let upload =
            Self { inner: Some(inner), rest: most, clean, progress: progress.clone(), begun: None };
        (upload, progress)
    }

    /// That of a request without a body.
    pub(super) fn none(clean: Clean) -> Self {
        Self { inner: None, rest: None, clean, progress: None, begun: None }
    }

    /// Does something when it is looked at for the first time.
    pub(super) fn when_begun(&mut self, begun: impl FnOnce() + 'static) {
        self.begun = Some(Box::new(begun));
    }

    /// One that was not looked at yet, as it was made.
    pub(super) fn anew(mut self) -> Self {
        self.begun = None;
        self
    }

    fn note(&self, state: State) {
        if let Some(progress) = &self.progress {
            progress.state.set(state);
            if state != State::Waiting {
                progress.moved.set(Instant::now());
            }
        }
    }
}

impl Progress {
    pub(super) fn state(&self) -> State {
        self.state.get()
    }

    /// When something last happened.
    pub(super) fn moved(&self) -> Instant {
        self.moved.get()
    }
}

impl HttpBody for Upload {
    type Data = Bytes;
    type Error = Aborted;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Aborted>>> {
        if let Some(begun) = self.begun.take() {
            begun();
        }
        let Some(inner) = &mut self.inner else { return Poll::Ready(None) };
        let frame = match Pin::new(inner).poll_frame(cx) {
            Poll::Pending => {
                self.note(State::Waiting);
                return Poll::Pending;
            }
            Poll::Ready(None) => {
                self.note(State::Ended);
                return Poll::Ready(None);
            }
            Poll::Ready(Some(Err(error))) => {
                let is_stalled = matches!(error, BodyError::Stalled);
                self.note(if is_stalled { State::Stalled } else { State::Broken });
                return Poll::Ready(Some(Err(error.into())));
            }
            Poll::Ready(Some(Ok(frame))) => frame,
        };
        let length = frame.data_ref().map_or(0, Bytes::len) as u64;
        if let Some(rest) = &mut self.rest {
            let Some(left) = rest.checked_sub(length) else {
                self.note(State::TooLarge);
                return Poll::Ready(Some(Err(BodyError::TooLarge.into())));
            };
            *rest = left;
        }
        self.note(if self.is_end_stream() { State::Ended } else { State::Moving });
        Poll::Ready(Some(Ok(cleaned(frame, self.clean))))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl From<BodyError> for Aborted {
    fn from(error: BodyError) -> Self {
        Self { error, cancelled: h2::Reason::CANCEL.into() }
    }
}

impl Drop for Upload {
    /// A body of known length is let go as soon as its last byte is written.
    fn drop(&mut self) {
        let state = self.progress.as_ref().map(|progress| progress.state());
        if matches!(state, Some(State::Moving | State::Waiting)) {
            self.note(State::Ended);
        }
    }
}
