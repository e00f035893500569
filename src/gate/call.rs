//! A picture of one request, free of HTTP machinery: what a door hands to the gate.

use std::borrow::Cow;

use http::Method;

use crate::route::CanonPath;
use crate::token::{Credential, TokenError};

use super::Preflight;

/// What the gate must know of a request. Its parts are canonical already: what cannot be read one way
/// only was refused before.
#[derive(Debug)]
pub struct Call<'a> {
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
