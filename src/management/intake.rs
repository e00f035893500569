//! A request's head and body, read in one way or refused, and bounded.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, EXPECT};
use http::request::Parts;
use http::{HeaderMap, Version};
use http_body_util::BodyExt;
use hyper::body::Body;
use tokio::time::timeout;

use crate::config::snapshot::Limits;
use crate::gate::{Code, Host, Refusal, check_framing, malformed};
use crate::net::{BodyError, Received, discard};

/// The longest body, in bytes: more than an API with all the scopes that it may have.
pub(super) const MOST_BODY: usize = 1 << 20;

/// The longest body of who asks for a token, and is not known yet.
pub(super) const MOST_TOKEN_REQUEST: usize = 16 << 10;

/// So long a body may take, from its first byte to its last, however steadily it comes: it holds one of the
/// few places that there are for requests.
pub(super) const BODY_TIME: Duration = Duration::from_secs(30);

/// The same of who asks for a token.
pub(super) const TOKEN_REQUEST_TIME: Duration = Duration::from_secs(10);

/// A refused request's body up to this size is read, so that its connection can be used again.
const SMALL_BODY: u64 = 64 * 1024;

/// For how long such a body is waited for.
const PATIENCE: Duration = Duration::from_millis(500);

/// What a request aims at.
pub(super) struct Target<'a> {
    /// As it came.
    pub(super) path: &'a str,
    /// As it came.
    pub(super) query: Option<&'a str>,
    /// The host in its one spelling, with its port where one came.
    pub(super) authority: String,
    /// The same without port.
    pub(super) host: String,
}

impl<'a> Target<'a> {
    /// Reads the head of a request.
    pub(super) fn read(parts: &'a Parts, limits: &Limits) -> Result<Self, Refusal> {
        let (path, query) = (parts.uri.path(), parts.uri.query());
        if path.len() + query.map_or(0, |query| query.len() + 1) > limits.uri_bytes {
            return Err(Code::UriTooLong.into());
        }
        if !path.starts_with('/') {
            return Err(malformed("the target is neither a path nor a URL"));
        }
        check_framing(&parts.headers)?;
        let Host { name, port } = Host::of(parts)?;
        let host = name.into_owned();
        let authority = port.map_or_else(|| host.clone(), |port| format!("{host}:{port}"));
        Ok(Self { path, query, authority, host })
    }
}

/// What a body is, by its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Media {
    /// `application/x-www-form-urlencoded`.
    Form,
    /// `application/json`.
    Json,
}

impl Media {
    /// What the one `Content-Type` says; nothing where it is something else, or coded.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut kinds = headers.get_all(CONTENT_TYPE).iter();
        let (Some(kind), None) = (kinds.next(), kinds.next()) else { return None };
        if headers.contains_key(CONTENT_ENCODING) {
            return None;
        }
        let mut parts = kind.to_str().ok()?.split(';').map(str::trim);
        let media = match parts.next()?.to_ascii_lowercase().as_str() {
            "application/json" => Self::Json,
            "application/x-www-form-urlencoded" => Self::Form,
            _ => return None,
        };
        let is_taken = |parameter: &str| match parameter.split_once('=') {
            Some((name, value)) if name.eq_ignore_ascii_case("charset") => {
                value.trim_matches('"').eq_ignore_ascii_case("utf-8")
            }
            _ => true,
        };
        parts.all(is_taken).then_some(media)
    }
}

/// A request's body, as far as it was not read.
pub(super) struct Unread<B = Received> {
    body: Option<B>,
    /// Whether it broke off, so that nothing behind it can be found.
    broken: bool,
}

impl<B: Body<Data = Bytes, Error = BodyError> + Unpin> Unread<B> {
    pub(super) fn new(body: B) -> Self {
        Self { body: Some(body), broken: false }
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    /// The whole body, of at most so many bytes, if it comes `within` that time.
    pub(super) async fn read(&mut self, most: usize, within: Duration) -> Result<Bytes, Refusal> {
        let Some(body) = self.body.take_if(|body| !is_longer(body, most)) else {
            let left = self.body.as_ref();
            return left.map_or(Ok(Bytes::new()), |_| Err(Code::BodyTooLarge.into()));
        };
        let read = timeout(within, gather(body, most)).await;
        let read = read.unwrap_or_else(|_| Err(Code::RequestTimeout.into()));
        self.broken = read.is_err();
        read
    }
}

impl Unread {
    /// Reads what is left, if that is little; whether the connection cannot be used again. Whoever expects
    /// to be asked for the body is not.
    pub(super) async fn close(self, parts: &Parts, doubted: bool) -> bool {
        if parts.version >= Version::HTTP_2 {
            // What is not read of a stream goes with it.
            return false;
        }
        let Some(body) = self.body else { return self.broken };
        if doubted || (parts.headers.contains_key(EXPECT) && !body.is_end_stream()) {
            return true;
        }
        !discard(body, SMALL_BODY, PATIENCE).await
    }
}

/// Whether a body says that it is longer than that.
fn is_longer(body: &impl Body, most: usize) -> bool {
    body.size_hint().lower() > u64::try_from(most).unwrap_or(u64::MAX)
}

async fn gather(
    mut body: impl Body<Data = Bytes, Error = BodyError> + Unpin,
    most: usize,
) -> Result<Bytes, Refusal> {
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|error| unfinished(&error))?.into_data() else { continue };
        if read.len() + data.len() > most {
            return Err(Code::BodyTooLarge.into());
        }
        read.extend_from_slice(&data);
    }
    Ok(read.freeze())
}

/// What is said to a client whose body did not come whole.
fn unfinished(error: &BodyError) -> Refusal {
    match error {
        BodyError::Stalled => Code::RequestTimeout.into(),
        BodyError::TooLarge => Code::BodyTooLarge.into(),
        BodyError::Broken(_) | BodyError::Cut(_) => malformed("the body broke off"),
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use http::Request;
    use http::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
    use http_body::Frame;

    use super::*;

    fn parts(request: http::request::Builder) -> Parts {
        request.body(()).unwrap().into_parts().0
    }

    fn host(request: http::request::Builder) -> Option<(String, String)> {
        let parts = parts(request);
        let target = Target::read(&parts, &Limits::default()).ok()?;
        Some((target.authority, target.host))
    }

    /// A body of which a byte comes each second.
    struct Drip(usize, Pin<Box<tokio::time::Sleep>>);

    impl Body for Drip {
        type Data = Bytes;
        type Error = BodyError;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
            std::task::ready!(self.1.as_mut().poll(cx));
            let Some(rest) = self.0.checked_sub(1) else { return Poll::Ready(None) };
            *self = Self::of(rest);
            Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"x")))))
        }
    }

    impl Drip {
        fn of(bytes: usize) -> Self {
            Self(bytes, Box::pin(tokio::time::sleep(Duration::from_secs(1))))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_must_come_to_its_end_in_time_however_steadily_it_comes() {
        let read = async |bytes: usize| {
            let mut body = Unread::new(Drip::of(bytes));
            let read = body.read(MOST_TOKEN_REQUEST, TOKEN_REQUEST_TIME).await;
            (read.map(|text| text.len()).map_err(|refusal| refusal.code), body.broken)
        };
        assert_eq!(read(5).await, (Ok(5), false));
        assert_eq!(read(1000).await, (Err(Code::RequestTimeout), true));
    }

    #[test]
    fn there_is_one_host_and_one_framing() {
        let of = |authority: &str, host: &str| Some((authority.to_owned(), host.to_owned()));
        let get = |host: &str| Request::get("/a").header(HOST, host);
        assert_eq!(host(get("A.Example:9443")), of("a.example:9443", "a.example"));
        assert_eq!(host(get("a").header(HOST, "a")), None);
        assert_eq!(host(Request::get("/a")), None);
        assert_eq!(host(get("a b")), None);
        assert_eq!(host(Request::get("https://b/a").header(HOST, "a")), None);
        let two = Request::get("https://b:1/a").version(Version::HTTP_2);
        assert_eq!(host(two), of("b:1", "b"));
        let both = get("a").header(CONTENT_LENGTH, "1").header(TRANSFER_ENCODING, "chunked");
        assert_eq!(host(both), None);
        for codings in [&["gzip, chunked"][..], &["identity"], &["chunked", "chunked"]] {
            let request =
                codings.iter().fold(get("a"), |it, one| it.header(TRANSFER_ENCODING, *one));
            assert_eq!(host(request), None, "{codings:?}");
        }
        assert!(host(get("a").header(TRANSFER_ENCODING, "Chunked")).is_some());
        assert_eq!(host(Request::options("*").header(HOST, "a")), None);
    }

    #[test]
    fn a_body_is_json_or_a_form_in_plain_utf_8() {
        let media =
            |kind: &str| Media::of(&parts(Request::post("/").header(CONTENT_TYPE, kind)).headers);
        for kind in [
            "application/json",
            "Application/JSON; charset=UTF-8",
            "application/json;charset=\"utf-8\"",
        ] {
            assert_eq!(media(kind), Some(Media::Json), "{kind}");
        }
        assert_eq!(media("application/x-www-form-urlencoded"), Some(Media::Form));
        for kind in [
            "",
            "text/plain",
            "application/json; charset=latin1",
            "application/jsonp",
            "multipart/form-data; boundary=x",
        ] {
            assert_eq!(media(kind), None, "{kind}");
        }
        let json = || Request::post("/").header(CONTENT_TYPE, "application/json");
        assert_eq!(
            Media::of(&parts(json().header(CONTENT_TYPE, "application/json")).headers),
            None
        );
        assert_eq!(Media::of(&parts(json().header(CONTENT_ENCODING, "gzip")).headers), None);
    }
}
