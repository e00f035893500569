//! The body of a question: JSON, short, and there in time.
//!
//! A page of a browser may post texts and forms wherever it likes, and JSON only where it was allowed to
//! beforehand: what does not say that it is JSON is not read.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use tokio::time::timeout;

use super::answer::Answer;

/// The longest body that is taken, in bytes.
pub(super) const MOST: usize = 64 * 1024;

/// The longest that is read to its end all the same: who has sent the whole is sure to read the answer.
const MOST_READ: usize = 1024 * 1024;

/// How long it may take to come.
const PATIENCE: Duration = Duration::from_secs(5);

/// Reads the body of a question.
///
/// # Errors
/// With what is answered instead.
pub(super) async fn read(request: Request<Incoming>) -> Result<Bytes, Answer> {
    if !is_json(request.headers()) {
        let line = "the question must be JSON, with `Content-Type: application/json`\n";
        return Err(Answer::text(StatusCode::UNSUPPORTED_MEDIA_TYPE, line));
    }
    if declared(request.headers()).is_some_and(|length| length > MOST_READ) {
        return Err(too_long());
    }
    let read = timeout(PATIENCE, collect(request.into_body())).await;
    read.unwrap_or_else(|_| {
        let line = format!("the question did not come whole within {} s\n", PATIENCE.as_secs());
        Err(Answer::text(StatusCode::REQUEST_TIMEOUT, line))
    })
}

fn is_json(headers: &HeaderMap) -> bool {
    let mut kinds = headers.get_all(CONTENT_TYPE).iter();
    let (Some(kind), None) = (kinds.next(), kinds.next()) else { return false };
    let essence = kind.to_str().ok().and_then(|kind| kind.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}

fn declared(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

async fn collect<B: Body<Data = Bytes> + Unpin>(mut body: B) -> Result<Bytes, Answer> {
    let (mut read, mut kept) = (0, BytesMut::new());
    while let Some(frame) = body.frame().await {
        let broken = || Answer::text(StatusCode::BAD_REQUEST, "the question broke off\n");
        let Ok(data) = frame.map_err(|_| broken())?.into_data() else { continue };
        read += data.len();
        if read <= MOST {
            kept.extend_from_slice(&data);
        } else if read > MOST_READ {
            break;
        }
    }
    if read > MOST { Err(too_long()) } else { Ok(kept.freeze()) }
}

fn too_long() -> Answer {
    let line = format!("the question is longer than {} KiB\n", MOST / 1024);
    Answer::text(StatusCode::PAYLOAD_TOO_LARGE, line)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http_body_util::Full;

    use super::*;

    #[test]
    fn only_what_says_once_that_it_is_json_is_json() {
        let says = |kinds: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for kind in kinds {
                headers.append(CONTENT_TYPE, HeaderValue::from_static(kind));
            }
            is_json(&headers)
        };
        for kind in ["application/json", "Application/JSON; charset=utf-8", "application/json ;a"] {
            assert!(says(&[kind]), "{kind}");
        }
        for kinds in [
            &[][..],
            &["text/plain"],
            &["text/plain; application/json"],
            &["application/json, text/plain"],
            &["application/x-www-form-urlencoded"],
            &["application/json", "application/json"],
        ] {
            assert!(!says(kinds), "{kinds:?}");
        }
    }

    #[tokio::test]
    async fn a_body_is_taken_up_to_its_bound() {
        let read = async |length| collect(Full::new(Bytes::from(vec![b' '; length]))).await;
        assert_eq!(read(MOST).await.unwrap().len(), MOST);
        for length in [MOST + 1, MOST_READ + 1] {
            let status = read(length).await.unwrap_err().status;
            assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
        }
    }
}
