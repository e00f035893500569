//! A refusal as an answer: `application/problem+json` (RFC 9457) with its challenge, and for a gRPC call
//! nothing but the trailers that say its status.
//!
//! The only place where refusals become responses. What it says of the caller is the caller's own; the
//! texts of a request are in it only as JSON strings that neither a terminal nor an HTML reader obeys.

use std::fmt::Write;

use bytes::Bytes;
use http::header::{
    ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Method, Response};
use serde::Serialize;

use crate::config::snapshot::ServedApi;
use crate::gate::{Caller, Code, Refusal};
use crate::net::{Body, grpc};
use crate::telemetry::write_json;

use super::headers::DECISION_ID;

/// To whom a refusal is said, and about what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Address<'a> {
    /// Names the decision, where one was made.
    pub(super) decision_id: Option<&'a str>,
    /// The API that was called, once known.
    pub(super) served: Option<&'a ServedApi>,
    /// Who called, as far as a verified token told.
    pub(super) caller: Option<&'a Caller<'a>>,
    /// The request's method.
    pub(super) method: &'a Method,
    /// Whether it is a gRPC call, which gets an answer of that kind.
    pub(super) grpc: bool,
    /// Whether the connection must not be used again: the rest of the request was not read.
    pub(super) close: bool,
}

/// The answer to a refused request.
pub(super) fn refuse(refusal: &Refusal, address: &Address<'_>) -> Response<Body> {
    if address.grpc {
        return trailers_only(refusal, address);
    }
    let text = problem(refusal, address);
    let headers = fields(refusal, address, text.len());
    let body = if *address.method == Method::HEAD { Body::own("") } else { Body::own(text) };
    let mut response = Response::new(body);
    *response.status_mut() = refusal.code.status();
    *response.headers_mut() = headers;
    response
}

/// Why what is one too many is not looked into.
pub(super) fn one_too_many() -> Refusal {
    Refusal { retry_after: Some(1), ..Code::Overloaded.into() }
}

/// The answer to a refused gRPC call. Its HTTP status says that it was answered, not what.
fn trailers_only(refusal: &Refusal, address: &Address<'_>) -> Response<Body> {
    let code = refusal.code;
    let mut response = Response::new(Body::own(""));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    // By its status alone a cache could take it for what was asked.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let message = format!("{code}: {}; {}", code.title(), refusal.explain());
    grpc::end(headers, code.grpc(), &message);
    if let Some(id) = address.decision_id.and_then(|id| HeaderValue::try_from(id).ok()) {
        headers.insert(DECISION_ID, id);
    }
    advise(headers, refusal, address);
    response
}

/// The whole answer to a connection that is one too many, whose request nobody reads.
pub(super) fn overloaded() -> Bytes {
    let refusal = one_too_many();
    let nobody = Address {
        decision_id: None,
        served: None,
        caller: None,
        method: &Method::GET,
        grpc: false,
        close: true,
    };
    let text = problem(&refusal, &nobody);
    let mut answer = format!("HTTP/1.1 {}\r\n", refusal.code.status());
    for (name, value) in &fields(&refusal, &nobody, text.len()) {
        // A text takes every other text; what we say of ourselves is all visible.
        let _ = write!(answer, "{name}: {}\r\n", value.to_str().unwrap_or_default());
    }
    answer.push_str("\r\n");
    let mut answer = answer.into_bytes();
    answer.extend(text);
    answer.into()
}

fn fields(refusal: &Refusal, address: &Address<'_>, length: usize) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(CONTENT_LENGTH, length.into());
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    advise(&mut headers, refusal, address);
    headers
}

/// What the client can do next, in the fields that HTTP has for it.
fn advise(headers: &mut HeaderMap, refusal: &Refusal, address: &Address<'_>) {
    let realm = address.served.map(|served| &*served.public_url);
    if let Some(challenge) = refusal.challenge(realm) {
        headers.insert(WWW_AUTHENTICATE, challenge);
    }
    if refusal.code == Code::MethodRefused {
        let methods: Vec<_> = refusal.allow.iter().map(Method::as_str).collect();
        if let Ok(methods) = HeaderValue::try_from(methods.join(", ")) {
            headers.insert(ALLOW, methods);
        }
    }
    if let Some(seconds) = refusal.retry_after {
        headers.insert(RETRY_AFTER, seconds.into());
    }
    if address.close {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
}

/// RFC 9457's members, then ours.
#[derive(Serialize)]
struct Problem<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: String,
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    decision_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audience: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject_type: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    missing_scopes: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    excess_scopes: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    contact: Option<&'a str>,
}

fn problem(refusal: &Refusal, address: &Address<'_>) -> Vec<u8> {
    let code = refusal.code;
    let caller = address.caller;
    let identity = caller.and_then(|caller| caller.identity.as_ref());
    let problem = Problem {
        r#type: format!("urn:grantgate:problem:{code}"),
        title: code.title(),
        status: code.status().as_u16(),
        detail: refusal.explain(),
        code: code.as_str(),
        decision_id: address.decision_id,
        client_id: caller.and_then(|caller| caller.client),
        // Which API stands there is no secret to those whose token was verified.
        audience: caller.and(address.served).map(|served| served.api.identifier.as_str()),
        subject_type: identity.map(|identity| identity.subject_type.as_str()),
        missing_scopes: &refusal.missing_scopes,
        excess_scopes: &refusal.excess_scopes,
        contact: refusal.contact(),
    };
    let mut text = Vec::new();
    // Texts and numbers are always JSON.
    let _ = write_json(&problem, &mut text);
    text
}

#[cfg(test)]
mod tests;
