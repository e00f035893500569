//! What somebody asked, taken from the request: nothing of HTTP is left.

use std::fmt;

use bytes::Bytes;
use http::StatusCode;
use serde_json::Value;

use super::answer::etag;
use super::{Endpoint, Fault};

/// What somebody asked, and may ask: the gate let it pass.
#[derive(Clone)]
pub(super) struct Asked {
    /// Which endpoint.
    pub(super) endpoint: Endpoint,
    /// The segments of its path that may be anything, their escapes resolved, in their order.
    pub(super) names: Vec<String>,
    /// Its query.
    pub(super) query: Query,
    /// Its body: JSON, or empty.
    pub(super) body: Bytes,
    /// `If-Match`, as it came.
    pub(super) if_match: Option<String>,
}

impl Asked {
    /// Refuses where `If-Match` names other states of the object than the current one, or any where there
    /// is none (RFC 9110 section 13.1.1).
    ///
    /// # Errors
    /// 412.
    pub(super) fn must_match(&self, current: Option<&Value>) -> Result<(), Fault> {
        let Some(tags) = &self.if_match else { return Ok(()) };
        let matches = current.map(etag).is_some_and(|current| {
            tags.split(',').map(str::trim).any(|tag| tag == "*" || tag == current)
        });
        let stale = "it was changed since: read it again";
        matches.then_some(()).ok_or_else(|| {
            Fault::new(StatusCode::PRECONDITION_FAILED, "precondition_failed", stale)
        })
    }
}

/// So many objects can be asked for by their names at once.
const MOST_VALUES: usize = 10;

impl fmt::Debug for Asked {
    /// Without the body, which may hold a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { endpoint, names, query, body, if_match } = self;
        f.debug_struct("Asked")
            .field("endpoint", endpoint)
            .field("names", names)
            .field("query", query)
            .field("body_bytes", &body.len())
            .field("if_match", if_match)
            .finish()
    }
}

/// The parameters of a query, their escapes resolved, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Query(pub(super) Vec<(String, String)>);

impl Query {
    /// The values of a parameter.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| &**value)
    }

    /// The value of a parameter that comes once, where it comes.
    ///
    /// # Errors
    /// 400, where it comes more than once.
    pub(super) fn one<'a>(&'a self, name: &'a str) -> Result<Option<&'a str>, Fault> {
        let mut values = self.all(name);
        let value = values.next();
        match values.next() {
            None => Ok(value),
            Some(_) => Err(Self::refused(name, "Expected one value but found several")),
        }
    }

    /// A parameter that is `true` or `false`.
    ///
    /// # Errors
    /// 400, where it is something else.
    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Fault> {
        match self.one(name)? {
            None => Ok(None),
            // As Python writes them, too.
            Some(value) if value.eq_ignore_ascii_case("true") => Ok(Some(true)),
            Some(value) if value.eq_ignore_ascii_case("false") => Ok(Some(false)),
            Some(_) => Err(Self::refused(name, "Expected type boolean but found type string")),
        }
    }

    /// The values of a parameter of which there may be [`MOST_VALUES`].
    ///
    /// # Errors
    /// 400, where there are more.
    pub(super) fn few<'a>(
        name: &str,
        values: impl Iterator<Item = &'a str>,
    ) -> Result<Vec<&'a str>, Fault> {
        let values: Vec<_> = values.collect();
        if values.len() > MOST_VALUES {
            let many = format!("Array is too long ({}), maximum {MOST_VALUES}", values.len());
            return Err(Self::refused(name, many));
        }
        Ok(values)
    }

    /// What is wrong with a parameter.
    pub(super) fn refused(name: &str, what: impl fmt::Display) -> Fault {
        let message = format!("Query validation error: '{what}' on property {name}.");
        Fault::new(StatusCode::BAD_REQUEST, "invalid_query_string", message)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::management::fixture::asked;

    #[test]
    fn what_is_sent_is_not_printed() {
        let body = json!({"identifier": "a", "signing_secret": "open sesame"});
        let asked = asked(Endpoint::CreateApi, &[]).with_body(&body);
        let printed = format!("{asked:?}");
        assert!(!printed.contains("sesame") && printed.contains("CreateApi"), "{printed}");
        let bytes: Vec<_> = asked.body.iter().map(u8::to_string).collect();
        assert!(!printed.contains(&bytes[..4].join(", ")), "{printed}");
    }
}
