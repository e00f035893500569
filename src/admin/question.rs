//! A question to the running gate: what would become of this request?
//!
//! In comes the body of `POST /explain`; out comes the question, or in one line why it is none. The
//! command line makes such bodies of questions. A token is in nothing that is said of them.

use serde_json::{Map, Value, json};

use crate::config::instant;
use crate::config::snapshot::Snapshot;
use crate::gate::{Shown, Supposed};
use crate::policy::UnixTime;
use crate::telemetry::Rfc3339;
use crate::token::strict_json;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// The request's method.
    pub method: String,
    /// Its URL, or its path alone where one API is meant.
    pub url: String,
    /// The identifier of the API that is meant, where the URL does not say it.
    pub api: Option<String>,
    /// What is shown with it.
    pub shown: Shown,
    /// The time that it is decided at; now, where it is not said.
    pub at: Option<UnixTime>,
}

impl Question {
    /// Reads the body of a question.
    ///
    /// # Errors
    /// With what is wrong with it, on one line.
    pub fn read(body: &[u8]) -> Result<Self, String> {
        let value = strict_json(body).map_err(|error| {
            // Its own words may repeat what is there.
            let (line, column) = (error.line(), error.column());
            format!(
                "from line {line}, column {column} on that is no JSON, or can be read in two ways"
            )
        })?;
        let Value::Object(mut fields) = value else {
            return Err("the question must be a JSON object".to_owned());
        };
        let (method, url) = (text(&mut fields, "method")?, text(&mut fields, "url")?);
        let (api, at) = (text(&mut fields, "api")?, text(&mut fields, "at")?);
        let (token, claims) = (text(&mut fields, "token")?, fields.shift_remove("claims"));
        let shown = match (token, claims) {
            (Some(_), Some(_)) => {
                return Err("one of `token` and `claims` is shown, not both".to_owned());
            }
            (Some(token), None) => Shown::Token(token),
            (None, Some(Value::Object(claims))) => Shown::Claims(claims),
            (None, Some(_)) => return Err("`claims` must be a JSON object".to_owned()),
            (None, None) => Shown::Nothing,
        };
        if !fields.is_empty() {
            return Err(format!("the question may hold {FIELDS}, and nothing else"));
        }
        let at = match at {
            Some(at) => Some(instant(&at).ok_or(
                "`at` must be a time as RFC 3339 writes it, such as `2030-01-01T00:00:00Z`",
            )?),
            None => None,
        };
        let needed = |name| format!("`{name}` is missing: the question may hold {FIELDS}");
        let method = method.ok_or_else(|| needed("method"))?;
        Ok(Self { method, url: url.ok_or_else(|| needed("url"))?, api, shown, at })
    }

    /// The body that asks it. A token stands in it.
    pub fn to_json(&self) -> Value {
        let shown = match &self.shown {
            Shown::Claims(claims) => Some(("claims", json!(claims))),
            Shown::Nothing => None,
            Shown::Token(token) => Some(("token", json!(token))),
        };
        let always = [("method", json!(self.method)), ("url", json!(self.url))];
        let api = self.api.as_ref().map(|api| ("api", json!(api)));
        let at = self.at.map(|at| ("at", json!(Rfc3339(at))));
        let fields = always.into_iter().chain(api).chain(shown).chain(at);
        fields.map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// The request that is asked about, under this configuration.
    ///
    /// # Errors
    /// With why nobody could send such a request, on one line.
    pub(super) fn supposed(&self, snapshot: &Snapshot) -> Result<Supposed, String> {
        let named = |identifier: &String| {
            let mut apis = snapshot.apis.iter();
            let found = apis.find(|served| served.api.identifier.as_str() == identifier);
            found.ok_or_else(|| format!("no API with the identifier `{identifier}` is served here"))
        };
        let api = self.api.as_ref().map(named).transpose()?;
        Supposed::new(&self.method, &self.url, self.shown.clone(), snapshot, api)
            .map_err(|error| error.to_string())
    }
}

const FIELDS: &str = "`method`, `url`, `api`, `token` or `claims`, and `at`";

/// The text of a field, which may be left out.
fn text(fields: &mut Map<String, Value>, name: &str) -> Result<Option<String>, String> {
    match fields.shift_remove(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("`{name}` must be a JSON string")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(body: &str) -> String {
        Question::read(body.as_bytes()).unwrap_err()
    }

    #[test]
    fn what_is_written_is_read() {
        for body in [
            json!({"method": "GET", "url": "/"}),
            json!({"method": "GET", "url": "https://a.example/b?c", "api": "https://a", "token": "a.b.c"}),
            json!({"method": "GET", "url": "/", "claims": {"a": [1]}, "at": "2030-01-01T00:00:00.000Z"}),
        ] {
            let question = Question::read(body.to_string().as_bytes()).unwrap();
            assert_eq!(question.to_json(), body);
        }
    }

    #[test]
    fn what_is_no_question_is_told_on_one_line_and_no_token_with_it() {
        let secret = "eyJhbGciOiJub25lIn0";
        for (body, told) in [
            (format!("\"{secret}\""), "must be a JSON object"),
            (format!("{{\"method\": {secret}"), "line 1, column"),
            (format!(r#"{{"{secret}": 1}}"#), "nothing else"),
            (
                format!(r#"{{"method": "GET", "url": "/", "claims": "{secret}"}}"#),
                "`claims` must be",
            ),
            (
                format!(r#"{{"method": "GET", "url": "/", "token": ["{secret}"]}}"#),
                "`token` must be",
            ),
            (format!(r#"{{"method": "GET", "url": "/", "at": "{secret}"}}"#), "RFC 3339"),
            (format!(r#"{{"url": "/", "token": "{secret}"}}"#), "`method` is missing"),
            (r#"{"method": "GET"}"#.to_owned(), "`url` is missing"),
            (r#"{"method": "GET", "url": "/", "token": "a", "claims": {}}"#.to_owned(), "not both"),
            (String::new(), "no JSON"),
        ] {
            let line = refused(&body);
            assert!(
                line.contains(told) && !line.contains(secret) && !line.contains('\n'),
                "{line}"
            );
        }
    }
}
