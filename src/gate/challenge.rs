//! A refusal in words: what is said to whoever was refused, and how its client is challenged.

use std::fmt::Write;

use http::HeaderValue;

use super::{Challenge, Refusal};

impl Refusal {
    /// What was wrong in this case, and what to do next.
    pub fn explain(&self) -> String {
        let hint = self.code.hint();
        match &self.detail {
            Some(detail) => format!("{detail}; {hint}"),
            None => hint.to_owned(),
        }
    }

    /// `WWW-Authenticate` (RFC 6750 section 3), in the API's `realm`.
    pub fn challenge(&self, realm: Option<&str>) -> Option<HeaderValue> {
        let error = match self.code.challenge() {
            Challenge::Silent => return None,
            Challenge::Bare => None,
            Challenge::InsufficientScope => Some("insufficient_scope"),
            Challenge::InvalidRequest => Some("invalid_request"),
            Challenge::InvalidToken => Some("invalid_token"),
        };
        let mut text = String::from("Bearer");
        let mut parameter = |name: &str, value: &str| {
            let comma = if text.ends_with('"') { "," } else { "" };
            let value = value.replace('\\', "\\\\").replace('"', "\\\"");
            // A text takes every other text.
            let _ = write!(text, "{comma} {name}=\"{value}\"");
        };
        if let Some(realm) = realm {
            parameter("realm", realm);
        }
        if let Some(error) = error {
            parameter("error", error);
        }
        if error == Some("insufficient_scope") && !self.challenge_scopes.is_empty() {
            parameter("scope", &self.challenge_scopes.join(" "));
        }
        HeaderValue::try_from(text).ok()
    }
}
