//! A picture of one request, free of HTTP machinery: what a door hands to the gate.

use std::borrow::Cow;
use std::sync::Arc;

use http::Method;

use crate::route::CanonPath;
use crate::token::{Credential, KeptCredential, Parsed, TokenError};

use super::Preflight;

/// Where a call came in. What is answered at one listener is not there at the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listener {
    /// Where the Management API is answered.
    Management,
    /// Where the APIs are served.
    Traffic,
}

/// What the gate must know of a request. Its parts are canonical already: what cannot be read one way
/// only was refused before.
#[derive(Debug)]
pub struct Call<'a> {
    /// Where it came in.
    pub listener: Listener,
    /// The method as it came.
    pub method: &'a Method,
    /// The host: lower-case, without port and trailing dot.
    pub host: Cow<'a, str>,
    /// The path that is matched and forwarded.
    pub path: CanonPath<'a>,
    /// What a browser asks about another request, where this is nothing but that question.
    pub preflight: Option<Preflight<'a>>,
    /// The credential, or why it cannot be told. Only operations that ask for a token look at it.
    pub credential: Result<Option<Credential<'a>>, TokenError>,
}

impl Call<'_> {
    /// Keeps the call beyond its request; `parsed` is its token, where it was taken apart.
    pub fn keep(&self, parsed: Option<&Arc<Parsed>>) -> KeptCall {
        KeptCall {
            listener: self.listener,
            method: self.method.clone(),
            host: self.host.as_ref().into(),
            path: self.path.to_owned(),
            credential: KeptCredential::new(self.credential, parsed),
        }
    }
}

/// A [`Call`] that outlives its request, so that the same question can be asked again.
#[derive(Debug)]
pub struct KeptCall {
    listener: Listener,
    method: Method,
    host: Box<str>,
    path: CanonPath<'static>,
    credential: KeptCredential,
}

impl KeptCall {
    /// The call as it was.
    pub fn call(&self) -> Call<'_> {
        Call {
            listener: self.listener,
            method: &self.method,
            host: Cow::Borrowed(&self.host),
            path: self.path.borrowed(),
            preflight: None,
            credential: self.credential.credential(),
        }
    }

    /// Its token, where it was taken apart.
    pub fn parsed(&self) -> Option<&Arc<Parsed>> {
        self.credential.parsed()
    }
}
