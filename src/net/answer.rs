//! An answer on its way to the client, until its end or until its exchange is cut.
//!
//! What is cut never looks whole. A gRPC call over HTTP/2 says in its trailers why it ends; every other
//! answer is broken off, which HTTP/1 shows by a message without its end and HTTP/2 by a reset. Where
//! nothing but the connection's end tells the end of a message (HTTP/1.0), the connection breaks too.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, Response, Version};
use http_body::{Body as HttpBody, Frame, SizeHint};

use super::body::{AnswerError, Body};
use super::cord::{Cord, Parting};
use super::grpc;
use super::pace::Pace;
use super::reception::InFlight;

/// The body of an answer that is not over yet.
pub(super) struct Answer<B = Body> {
    body: B,
    cord: Cord,
    ending: Ending,
    answering: Answering,
}

/// How an answer ends that is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// Without another word.
    Broken,
    /// Broken off with its connection.
    Reset,
    /// It has ended.
    Said,
    /// With trailers that say why.
    Trailers,
    /// Not at all: it is a text of ours, and may be what is said about the cut.
    Whole,
}

impl Answer {
    /// Lets the answer to a request of this `version` begin.
    pub(super) fn begin(
        response: Response<Body>,
        version: Version,
        cord: Cord,
        answering: Answering,
    ) -> Response<Self> {
        let ending = if response.body().is_own() {
            Ending::Whole
        } else {
            Ending::of(version, response.headers())
        };
        cord.answered();
        response.map(|body| Self { body, cord, ending, answering })
    }
}

impl Ending {
    fn of(version: Version, headers: &HeaderMap) -> Self {
        match version {
            Version::HTTP_2 if grpc::is_grpc(headers) => Self::Trailers,
            Version::HTTP_09 | Version::HTTP_10 => Self::Reset,
            _ => Self::Broken,
        }
    }
}

impl<B> Answer<B> {
    /// What comes instead of the rest.
    fn part(&mut self, parting: Parting) -> Option<Result<Frame<Bytes>, AnswerError>> {
        match self.ending {
            Ending::Said => return None,
            Ending::Trailers => {
                self.ending = Ending::Said;
                let mut trailers = HeaderMap::new();
                grpc::end(&mut trailers, parting.grpc, parting.code);
                return Some(Ok(Frame::trailers(trailers)));
            }
            Ending::Reset => self.answering.pace.abort(),
            Ending::Broken | Ending::Whole => {}
        }
        Some(Err(AnswerError::Cut(parting.code)))
    }
}

impl<B> HttpBody for Answer<B>
where
    B: HttpBody<Data = Bytes, Error = AnswerError> + Unpin,
{
    type Data = Bytes;
    type Error = AnswerError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, AnswerError>>> {
        if self.ending == Ending::Whole {
            return Pin::new(&mut self.body).poll_frame(cx);
        }
        if let Some(parting) = self.cord.parting() {
            return Poll::Ready(self.part(parting));
        }
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if let Poll::Ready(Some(Err(_))) = frame
            && self.ending == Ending::Reset
        {
            self.answering.pace.abort();
        }
        if frame.is_pending()
            && let Poll::Ready(parting) = self.cord.poll_cut(cx)
        {
            return Poll::Ready(self.part(parting));
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Tells when an answer is over: dropped with its body, or when there will be none.
pub(super) struct Answering {
    pub(super) pace: Rc<Pace>,
    /// Whether it is one of too many requests.
    pub(super) is_too_many: bool,
    pub(super) _in_flight: InFlight,
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.pace.answered();
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http::header::CONTENT_TYPE;
    use http_body_util::BodyExt;
    use tokio::task::yield_now;

    use super::*;
    use crate::net::pace::tests::TIMES;

    const EXPIRED: Parting = Parting { code: "token-expired", grpc: 16, close: 1008 };

    /// A body that neither goes on nor ends.
    struct Silent;

    impl HttpBody for Silent {
        type Data = Bytes;
        type Error = AnswerError;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, AnswerError>>> {
            Poll::Pending
        }
    }

    fn answering(pace: &Rc<Pace>) -> Answering {
        Answering { pace: pace.clone(), is_too_many: false, _in_flight: InFlight::default() }
    }

    /// What comes of an answer that is cut while it is waited for, and what comes then; and whether its
    /// connection breaks.
    async fn cut(
        version: Version,
        media_type: &'static str,
    ) -> (Result<Frame<Bytes>, AnswerError>, bool, bool) {
        let (cord, pace) = (Cord::default(), Rc::new(Pace::new(TIMES)));
        let fields = [(CONTENT_TYPE, HeaderValue::from_static(media_type))];
        let ending = Ending::of(version, &HeaderMap::from_iter(fields));
        let answering = answering(&pace);
        let mut answer = Answer { body: Silent, cord: cord.clone(), ending, answering };
        let cut = async {
            yield_now().await;
            cord.cut(EXPIRED);
        };
        let (frame, ()) = tokio::join!(answer.frame(), cut);
        (frame.unwrap(), answer.frame().await.is_none(), pace.is_aborted())
    }

    #[tokio::test]
    async fn a_grpc_call_over_http_2_says_why_it_ends() {
        let (frame, is_over, _) = cut(Version::HTTP_2, "application/grpc+proto").await;
        let trailers = frame.unwrap().into_trailers().unwrap();
        assert_eq!(trailers["grpc-status"], "16");
        assert_eq!(trailers["grpc-message"], "token-expired");
        assert!(is_over);
    }

    #[tokio::test]
    async fn every_other_answer_is_broken_off() {
        for (version, media_type, is_reset) in [
            (Version::HTTP_2, "text/event-stream", false),
            (Version::HTTP_2, "application/grpc-web", false),
            // Trailers that the client did not ask for would be left out, and the end look whole.
            (Version::HTTP_11, "application/grpc", false),
            (Version::HTTP_10, "text/plain", true),
        ] {
            let (frame, _, aborted) = cut(version, media_type).await;
            assert!(matches!(frame, Err(AnswerError::Cut("token-expired"))), "{media_type}");
            assert_eq!(aborted, is_reset, "{version:?}");
        }
    }

    #[tokio::test]
    async fn a_text_of_ours_is_said_to_its_end() {
        let (cord, pace) = (Cord::default(), Rc::new(Pace::new(TIMES)));
        cord.cut(EXPIRED);
        let response = Response::new(Body::own("refused"));
        let answer = Answer::begin(response, Version::HTTP_11, cord, answering(&pace));
        let text = answer.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(text, "refused");
    }
}
