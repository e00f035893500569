//! Answers and faults, in the shapes that Auth0's clients read.

use std::borrow::Cow;
use std::collections::BTreeSet;

use aws_lc_rs::digest::{SHA256, digest};
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::fields::Shown;
use crate::hex::hex;

/// What is answered.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Answer {
    /// The status.
    pub(super) status: StatusCode,
    /// The body; none where there is none.
    pub(super) body: Option<Value>,
    /// `ETag`: of one object's representation.
    pub(super) etag: Option<String>,
    /// `Link`: the other pages of a list.
    pub(super) link: Option<String>,
    /// `Grantgate-Warnings`: the codes of what somebody should look at in what was written.
    pub(super) warnings: Option<String>,
}

impl Answer {
    /// Nothing more is to be said.
    pub(super) fn empty() -> Self {
        let status = StatusCode::NO_CONTENT;
        Self { status, body: None, etag: None, link: None, warnings: None }
    }

    /// One object; its `ETag` follows from it.
    pub(super) fn one(status: StatusCode, body: Value) -> Self {
        Self { status, etag: Some(etag(&body)), body: Some(body), ..Self::empty() }
    }

    /// The same, with the codes of what somebody should look at.
    #[must_use]
    pub(super) fn warning(self, codes: BTreeSet<&'static str>) -> Self {
        let codes: Vec<_> = codes.into_iter().collect();
        Self { warnings: (!codes.is_empty()).then(|| codes.join(", ")), ..self }
    }

    /// One object, of which `shown` may be a part; the `ETag` is the object's in any case.
    pub(super) fn part(shown: &Shown, object: Map<String, Value>) -> Self {
        let whole = Self::one(StatusCode::OK, object.clone().into());
        Self { body: Some(shown.of_object(object)), ..whole }
    }

    /// A list.
    pub(super) fn list(body: Value, link: Option<String>) -> Self {
        Self { status: StatusCode::OK, body: Some(body), link, ..Self::empty() }
    }
}

/// The entity tag of an object: it changes with whatever is shown of it.
pub(super) fn etag(object: &Value) -> String {
    let hash = digest(&SHA256, object.to_string().as_bytes());
    format!("\"{}\"", hex(hash.as_ref().iter().take(16)))
}

/// What is wrong: `{statusCode, error, message, errorCode?}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// The status.
    pub(super) status: StatusCode,
    /// What is wrong, and what to do about it.
    pub(super) message: Cow<'static, str>,
    /// Its code, as Auth0 has it where Auth0 has one.
    pub(super) code: Option<&'static str>,
}

impl Fault {
    /// A fault.
    pub(super) fn new(
        status: StatusCode,
        code: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { status, message: message.into(), code: Some(code) }
    }

    /// There is no such thing.
    pub(super) fn not_found(message: impl Into<Cow<'static, str>>) -> Self {
        Self { status: StatusCode::NOT_FOUND, message: message.into(), code: None }
    }

    /// It is the gateway's own: nobody widens himself.
    pub(super) fn system() -> Self {
        let message = "the gateway's own API and the grants for it stand in its files, and are changed \
            there alone";
        Self::new(StatusCode::FORBIDDEN, "system_object", message)
    }

    /// Nothing of this kind is searched: `instead` says what to do.
    pub(super) fn search(instead: &str) -> Self {
        let message = format!("searching is not offered: {instead}");
        Self::new(StatusCode::NOT_IMPLEMENTED, "not_implemented", message)
    }

    /// Its body.
    pub(super) fn body(&self) -> Value {
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
