//! Answers and faults, in the shapes that Auth0's clients read.

use std::borrow::Cow;
use std::fmt::Write;

use aws_lc_rs::digest::{SHA256, digest};
use http::StatusCode;
use serde_json::{Value, json};

/// What is answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The body; none where there is none.
    pub body: Option<Value>,
    /// `ETag`: of one object's representation.
    pub etag: Option<String>,
    /// `Link`: the other pages of a list.
    pub link: Option<String>,
}

impl Answer {
    /// Nothing more is to be said.
    pub fn empty() -> Self {
        Self { status: StatusCode::NO_CONTENT, body: None, etag: None, link: None }
    }

    /// One object; its `ETag` follows from it.
    pub fn one(status: StatusCode, body: Value) -> Self {
        Self { status, etag: Some(etag(&body)), body: Some(body), link: None }
    }

    /// A list.
    pub fn list(body: Value, link: Option<String>) -> Self {
        Self { status: StatusCode::OK, body: Some(body), etag: None, link }
    }
}

/// The entity tag of an object: it changes with whatever is shown of it.
pub(super) fn etag(object: &Value) -> String {
    let hash = digest(&SHA256, object.to_string().as_bytes());
    let mut tag = String::from("\"");
    for byte in hash.as_ref().iter().take(16) {
        // A text takes every other text.
        let _ = write!(tag, "{byte:02x}");
    }
    tag.push('"');
    tag
}

/// What is wrong: `{statusCode, error, message, errorCode?}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The status.
    pub status: StatusCode,
    /// What is wrong, and what to do about it.
    pub message: Cow<'static, str>,
    /// Its code, as Auth0 has it where Auth0 has one.
    pub code: Option<&'static str>,
}

impl Fault {
    /// A fault.
    pub fn new(
        status: StatusCode,
        code: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { status, message: message.into(), code: Some(code) }
    }

    /// There is no such thing.
    pub fn not_found(message: impl Into<Cow<'static, str>>) -> Self {
        Self { status: StatusCode::NOT_FOUND, message: message.into(), code: None }
    }

    /// Its body.
    pub fn body(&self) -> Value {
        let mut body = json!({
            "statusCode": self.status.as_u16(),
            "error": self.status.canonical_reason().unwrap_or_default(),
            "message": self.message,
        });
        if let (Some(code), Some(body)) = (self.code, body.as_object_mut()) {
            body.insert("errorCode".to_owned(), json!(code));
        }
        body
    }
}
