//! A client's body as it comes, bounded in time.
//!
//! A client that sends nothing, or next to nothing, while somebody waits for it is given up; one whose
//! upstream takes its time is not.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::timeout;

use super::cord::Cord;
use super::pace::Pace;
use super::patience::{Alarm, Patience};

/// A client's body as it comes.
pub struct Received {
    inner: Incoming,
    /// Of a body that was to come.
    pace: Option<Rc<Pace>>,
    cord: Cord,
    patience: Patience,
    alarm: Alarm,
}

/// Why a body ends before its end.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The client broke it off, or its framing is bad.
    #[error("the request's body broke off: {0}")]
    Broken(#[from] hyper::Error),
    /// The client stopped sending.
    #[error("the request's body stopped coming")]
    Stalled,
    /// The exchange was cut.
    #[error("the exchange was cut: {0}")]
    Cut(&'static str),
    /// It is larger than it may be.
    #[error("the request's body is too large")]
    TooLarge,
}

impl Received {
    /// The body of a request that `pace` was told of.
    pub(super) fn new(inner: Incoming, pace: &Rc<Pace>, cord: Cord) -> Self {
        let patience = Patience::new(pace.times().body_read);
        let comes = !inner.is_end_stream();
        cord.receiving(comes);
        let pace = comes.then(|| pace.clone());
        if let Some(pace) = &pace {
            pace.receive();
        }
        Self { inner, pace, cord, patience, alarm: Alarm::default() }
    }

    /// What its exchange hangs by.
    pub fn cord(&self) -> &Cord {
        &self.cord
    }
}

impl HttpBody for Received {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Some(parting) = self.cord.parting() {
            return Poll::Ready(Some(Err(BodyError::Cut(parting.code))));
        }
        match Pin::new(&mut self.inner).poll_frame(cx) {
            Poll::Pending => {
                if let Poll::Ready(parting) = self.cord.poll_cut(cx) {
                    return Poll::Ready(Some(Err(BodyError::Cut(parting.code))));
                }
                let until = self.cord.silent_until().unwrap_or_else(|| self.patience.wait());
                self.alarm.poll(until, cx).map(|()| Some(Err(BodyError::Stalled)))
            }
            Poll::Ready(frame) => {
                let data = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref());
                self.patience.moved(data.map_or(0, Bytes::len));
                self.cord.moved();
                self.cord.receiving(frame.is_some() && !self.inner.is_end_stream());
                Poll::Ready(frame.map(|frame| frame.map_err(BodyError::from)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for Received {
    fn drop(&mut self) {
        if let Some(pace) = &self.pace {
            pace.received();
        }
        self.cord.receiving(false);
    }
}

/// Reads and throws away a small body, so that its connection can be kept; whether it came to its end.
/// One that says to be longer than `most` is not begun.
pub async fn discard(mut body: Received, most: u64, patience: Duration) -> bool {
    if body.is_end_stream() {
        return true;
    }
    if body.size_hint().exact().is_none_or(|length| length > most) {
        return false;
    }
    let read = async {
        while let Some(frame) = body.frame().await {
            if frame.is_err() {
                return false;
            }
        }
        true
    };
    timeout(patience, read).await.unwrap_or(false)
}
