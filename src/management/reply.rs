//! What is sent: an answer or a fault as a response, with the fields that every response has.

use std::time::Duration;

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, ETAG, LINK, RETRY_AFTER,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use serde_json::Value;

use super::rates::Allowance;
use super::{Answer, Fault};
use crate::net::Body;
use crate::policy::UnixTime;
use crate::telemetry::write_json;

/// The codes of what somebody should look at in what was written.
pub(super) const WARNINGS: HeaderName = HeaderName::from_static("grantgate-warnings");

/// What is sent.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) body: Option<Value>,
    /// A body that stands ready as JSON, in the place of the other.
    pub(super) ready: Option<&'static str>,
    /// Beside those that every response has.
    pub(super) headers: HeaderMap,
    /// Of a fault: its code.
    pub(super) code: Option<&'static str>,
}

impl Reply {
    /// One with a body.
    pub(super) fn new(status: StatusCode, body: Value) -> Self {
        Self { status, body: Some(body), ready: None, headers: HeaderMap::new(), code: None }
    }

    /// One with a body that stands ready as JSON.
    pub(super) fn ready(text: &'static str) -> Self {
        let (status, headers) = (StatusCode::OK, HeaderMap::new());
        Self { status, body: None, ready: Some(text), headers, code: None }
    }

    /// The same with one more field. A text that no field can hold is left out.
    #[must_use]
    pub(super) fn with(mut self, name: HeaderName, value: impl TryInto<HeaderValue>) -> Self {
        if let Ok(value) = value.try_into() {
            self.headers.insert(name, value);
        }
        self
    }

    /// The same with one more member of its body.
    #[must_use]
    pub(super) fn and(mut self, member: &str, value: Value) -> Self {
        if let Some(body) = self.body.as_mut().and_then(Value::as_object_mut) {
            body.insert(member.to_owned(), value);
        }
        self
    }

    /// The answer to one request too many.
    pub(super) fn too_many(wait: Duration) -> Self {
        let message = "too many requests: wait for as long as `Retry-After` says";
        let fault = Fault::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", message);
        Self::from(fault).with(RETRY_AFTER, whole_seconds(wait))
    }

    /// As a response to `method`. `close` ends the connection.
    pub(super) fn response(self, method: &Method, close: bool) -> Response<Body> {
        let Self { status, body, ready, mut headers, .. } = self;
        let text = ready.map(|text| Bytes::from_static(text.as_bytes()));
        let text = text.or_else(|| body.as_ref().map(json));
        if text.is_some() {
            let kind = HeaderValue::from_static("application/json; charset=utf-8");
            headers.insert(CONTENT_TYPE, kind);
        }
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        let text = text.unwrap_or_default();
        if status != StatusCode::NO_CONTENT {
            headers.insert(CONTENT_LENGTH, text.len().into());
        }
        if close {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        let body = if *method == Method::HEAD { Bytes::new() } else { text };
        let mut response = Response::new(Body::own(body));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        response
    }
}

fn json(value: &Value) -> Bytes {
    let mut text = Vec::new();
    // A value that was read or made is always JSON.
    let _ = write_json(value, &mut text);
    text.into()
}

/// Tells a client how often it may ask. Clients wait for the reset before they try again, whatever went
/// wrong: unless it was this, it is now.
pub(super) fn tell(allowance: Allowance, now: UnixTime, headers: &mut HeaderMap) {
    let wait = allowance.exceeded.map_or(0, |wait| i64::from(whole_seconds(wait)));
    let mut insert = |name: &'static str, value: HeaderValue| {
        headers.insert(HeaderName::from_static(name), value);
    };
    insert("x-ratelimit-limit", allowance.limit.get().into());
    insert("x-ratelimit-remaining", allowance.remaining.into());
    insert("x-ratelimit-reset", now.plus_seconds(wait).seconds().into());
}

/// The time in seconds, none of it cut off.
fn whole_seconds(time: Duration) -> u32 {
    let more = u64::from(time.subsec_nanos() > 0);
    u32::try_from(time.as_secs() + more).unwrap_or(u32::MAX)
}

impl From<Answer> for Reply {
    fn from(Answer { status, body, etag, link, warnings }: Answer) -> Self {
        let headers = HeaderMap::new();
        let mut reply = Self { status, body, ready: None, headers, code: None };
        for (name, value) in [(ETAG, etag), (LINK, link), (WARNINGS, warnings)] {
            if let Some(value) = value {
                reply = reply.with(name, value);
            }
        }
        reply
    }
}

impl From<Fault> for Reply {
    fn from(fault: Fault) -> Self {
        Self { code: fault.code, ..Self::new(fault.status, fault.body()) }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use serde_json::json;

    use super::*;

    #[test]
    fn clients_wait_for_nothing_but_their_allowance() {
        let limit = NonZeroU32::MIN;
        let told = |exceeded: Option<Duration>| {
            let mut headers = HeaderMap::new();
            let allowance = Allowance { limit, remaining: 0, exceeded };
            tell(allowance, UnixTime::from_seconds(100), &mut headers);
            headers["x-ratelimit-reset"].to_str().unwrap().to_owned()
        };
        assert_eq!(told(None), "100");
        assert_eq!(told(Some(Duration::from_millis(1))), "101");
        assert_eq!(told(Some(Duration::from_secs(1))), "101");
    }

    #[test]
    fn a_head_tells_how_long_its_get_is_and_nothing_is_said_of_nothing() {
        let length = |response: &Response<Body>| {
            let length = response.headers().get(CONTENT_LENGTH);
            length.map(|length| length.to_str().unwrap().to_owned())
        };
        let reply = || Reply::new(StatusCode::OK, json!({"a": 1}));
        let (get, head) =
            (reply().response(&Method::GET, false), reply().response(&Method::HEAD, false));
        assert_eq!((length(&get), length(&head)), (Some("7".to_owned()), Some("7".to_owned())));
        assert_eq!(http_body::Body::size_hint(head.body()).exact(), Some(0));
        let gone = Reply::from(Answer::empty()).response(&Method::DELETE, true);
        assert_eq!((length(&gone), gone.headers().get(CONTENT_TYPE)), (None, None));
        assert_eq!(gone.headers()[CONNECTION], "close");
    }
}
