//! What is answered to those who run the gateway: a status, a body, and what must not be made of it.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Method, Response, StatusCode};
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;

/// What is answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// The media type.
    pub(super) kind: &'static str,
    body: Told,
    /// With which methods to ask, where it was asked with another.
    allow: Option<&'static str>,
}

/// A body.
#[derive(Debug)]
pub(super) enum Told {
    Whole(Bytes),
    /// What comes bit by bit, until nobody is there to send more.
    Parts(mpsc::Receiver<Bytes>),
}

impl Answer {
    pub(super) fn new(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Self {
        Self { status, kind, body: Told::Whole(body.into()), allow: None }
    }

    /// What comes in parts.
    pub(super) fn parts(kind: &'static str, parts: mpsc::Receiver<Bytes>) -> Self {
        Self { status: StatusCode::OK, kind, body: Told::Parts(parts), allow: None }
    }

    /// A JSON document.
    pub(super) fn json(document: impl Into<Bytes>) -> Self {
        Self::new(StatusCode::OK, "application/json", document)
    }

    /// Lines of text.
    pub(super) fn text(status: StatusCode, text: impl Into<Bytes>) -> Self {
        Self::new(status, "text/plain; charset=utf-8", text)
    }

    /// A path that there is not.
    pub(super) fn not_found() -> Self {
        Self::text(StatusCode::NOT_FOUND, "not found\n")
    }

    /// It is only answered when it is asked by POST.
    pub(super) fn only_posted() -> Self {
        let text = "POST the question as JSON\n";
        Self { allow: Some("POST"), ..Self::text(StatusCode::METHOD_NOT_ALLOWED, text) }
    }

    /// This one for whoever reads; for others, how to ask. What is refused or not there is so for all.
    pub(super) fn for_readers(self, method: &Method) -> Self {
        let reads = [Method::GET, Method::HEAD].contains(method);
        let is_refused = [StatusCode::FORBIDDEN, StatusCode::NOT_FOUND].contains(&self.status);
        if reads || is_refused {
            return self;
        }
        let text = "GET or HEAD\n";
        Self { allow: Some("GET, HEAD"), ..Self::text(StatusCode::METHOD_NOT_ALLOWED, text) }
    }

    /// The response: of the body its length alone, where its head is asked for.
    pub(super) fn response(self, head_alone: bool) -> Response<Told> {
        let Self { status, kind, body, allow } = self;
        let length = match &body {
            Told::Whole(body) => Some(body.len()),
            Told::Parts(_) => None,
        };
        let body = if head_alone { Told::Whole(Bytes::new()) } else { body };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        if let Some(length) = length {
            headers.insert(CONTENT_LENGTH, length.into());
        }
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if let Some(allow) = allow {
            headers.insert(ALLOW, HeaderValue::from_static(allow));
        }
        response
    }
}

impl Body for Told {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let data = match self.get_mut() {
            Self::Whole(body) if body.is_empty() => Poll::Ready(None),
            Self::Whole(body) => Poll::Ready(Some(std::mem::take(body))),
            Self::Parts(parts) => parts.poll_recv(cx),
        };
        data.map(|data| data.map(|data| Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(body) if body.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => SizeHint::with_exact(body.len() as u64),
            Self::Parts(_) => SizeHint::default(),
        }
    }
}
