//! The audit record: who wrote what, when, and what came of it. One line of JSON for each write that the
//! gate let pass, beside the decision records.
//!
//! It is written whatever becomes of other records: where their reader is too slow, it stands in the
//! gateway's own log. It is opened before the write and closed behind it; where the write breaks off in
//! between, the record says that nobody knows what came of it.

use std::net::SocketAddr;

use base64::Engine as _;
use base64::alphabet::{self, Alphabet};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::reply::{Reply, WARNINGS};
use super::writer::INTERNAL;
use super::{Endpoint, Fault};
use crate::clock::now;
use crate::config::{Access, AccessDiff};
use crate::gate::Caller;
use crate::reload::Written;
use crate::screen::harms;
use crate::telemetry::{Inlet, Rfc3339, write_json};

/// So many accesses are written out of those that were gained, and of those that were lost.
const MOST_ACCESSES: usize = 100;

/// The longest `Auth0-Client` that is looked into, and the most that is told of a name in it.
const TOOL_BYTES: usize = 1024;
const TOOL_CHARS: usize = 64;

const ANY_PADDING: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);

/// The longest path that is told whole: strangers choose it.
const PATH_CHARS: usize = 1024;

/// The longest reason of a refusal that is told whole.
const MESSAGE_CHARS: usize = 1024;

/// Who writes, and what: all that is told of a write before it is known what comes of it.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) decision_id: String,
    pub(super) endpoint: Endpoint,
    client: Option<String>,
    issuer: Option<String>,
    subject: Option<String>,
    tool: Option<Tool>,
    path: String,
    peer: Option<SocketAddr>,
}

/// The program that calls, as it says itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Tool {
    name: Option<String>,
    version: Option<String>,
}

/// What came of a write.
pub(super) struct End<'a> {
    /// What was written, and what it changes; nothing where it was refused.
    pub(super) written: Option<&'a Written>,
    /// Which object it was about, where that is known.
    pub(super) object: Option<&'a str>,
    /// What is answered.
    pub(super) reply: &'a Reply,
}

/// A record that is to be written.
pub(super) struct Opened {
    entry: Entry,
    inlet: Inlet,
    closed: bool,
}

impl Opened {
    pub(super) fn new(entry: Entry, inlet: Inlet) -> Self {
        Self { entry, inlet, closed: false }
    }

    /// Writes the record down.
    pub(super) fn close(mut self, end: &End<'_>) {
        self.closed = true;
        self.push(&self.entry.record(end));
    }

    fn push(&self, record: &Value) {
        let mut line = Vec::new();
        // Texts, numbers and lists are always JSON.
        let _ = write_json(record, &mut line);
        line.push(b'\n');
        if let Err(line) = self.inlet.push(line) {
            let line = String::from_utf8_lossy(&line);
            tracing::error!(
                "an audit record could not be written where records go: {}",
                line.trim_end()
            );
        }
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        if !self.closed {
            let fault = Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", INTERNAL);
            let end = End { written: None, object: None, reply: &fault.into() };
            let mut record = self.entry.record(&end);
            if let Some(outcome) = record.get_mut("outcome") {
                *outcome = "unknown".into();
            }
            self.push(&record);
        }
    }
}

impl Entry {
    pub(super) fn new(
        decision_id: &str,
        endpoint: Endpoint,
        caller: Option<&Caller<'_>>,
        headers: &HeaderMap,
        path: &str,
        peer: Option<SocketAddr>,
    ) -> Self {
        let identity = caller.and_then(|caller| caller.identity.as_ref());
        Self {
            decision_id: decision_id.to_owned(),
            endpoint,
            client: caller.and_then(|caller| caller.client).map(str::to_owned),
            issuer: caller.map(|caller| caller.issuer.to_string()),
            subject: identity.and_then(|identity| identity.subject).map(str::to_owned),
            tool: Tool::of(headers),
            path: path.chars().take(PATH_CHARS).collect(),
            peer,
        }
    }

    fn record(&self, end: &End<'_>) -> Value {
        let End { written, object, reply } = end;
        let outcome = match written {
            None => "refused",
            Some(written) if written.files.is_empty() => "unchanged",
            Some(_) => "applied",
        };
        let refused = written.is_none();
        let none = AccessDiff::default();
        let diff = written.map_or(&none, |written| &written.diff);
        json!({
            "time": Rfc3339(now()),
            "audit": self.action(),
            "decision_id": self.decision_id,
            "client_id": self.client,
            "issuer": self.issuer,
            "subject": self.subject,
            "tool": self.tool,
            "method": self.endpoint.method().as_str(),
            "path": self.path,
            "object": object,
            "outcome": outcome,
            "code": reply.code.or(refused.then(|| unnamed(reply.status))),
            "message": refused.then(|| message(reply)).flatten(),
            "status": reply.status.as_u16(),
            "gained": accesses(diff.gains(), diff.gained()),
            "lost": accesses(diff.losses(), diff.lost()),
            "warnings": reply.headers.get(WARNINGS).and_then(|codes| codes.to_str().ok()),
            "files": written.map_or(&[][..], |written| &written.files),
            "generation": written.map(|written| written.snapshot.generation),
            "peer": self.peer,
        })
    }

    /// What is done, as `client_grants.create`.
    fn action(&self) -> String {
        let scope = self.endpoint.scope().unwrap_or_default();
        let (verb, what) = scope.split_once(':').unwrap_or_default();
        format!("{what}.{verb}")
    }
}

/// The code of a refusal that bears none to its caller.
fn unnamed(status: StatusCode) -> &'static str {
    if status == StatusCode::NOT_FOUND { "not_found" } else { "refused" }
}

/// Why a write was refused, in words that do no harm: some may be the caller's.
fn message(reply: &Reply) -> Option<String> {
    let text = reply.body.as_ref()?.get("message")?.as_str()?;
    Some(text.chars().filter(|char| !harms(*char)).take(MESSAGE_CHARS).collect())
}

fn accesses(count: usize, list: impl Iterator<Item = Access>) -> Value {
    let first: Vec<_> = list.take(MOST_ACCESSES).map(|access| access.to_string()).collect();
    json!({"count": count, "accesses": first})
}

impl Tool {
    /// What `Auth0-Client` says: JSON in Base64.
    fn of(headers: &HeaderMap) -> Option<Self> {
        let text = headers.get("auth0-client")?.as_bytes();
        if text.len() > TOOL_BYTES {
            return None;
        }
        // In either alphabet, padded or not: each of Auth0's clients has its own way.
        let decode = |of: &Alphabet| GeneralPurpose::new(of, ANY_PADDING).decode(text);
        let json = decode(&alphabet::STANDARD).or_else(|_| decode(&alphabet::URL_SAFE)).ok()?;
        let Self { name, version } = serde_json::from_slice(&json).ok()?;
        let screened = |text: String| -> String {
            text.chars().filter(|char| !harms(*char)).take(TOOL_CHARS).collect()
        };
        Some(Self { name: name.map(screened), version: version.map(screened) })
    }
}

#[cfg(test)]
mod tests {
    use base64::prelude::{BASE64_STANDARD as STANDARD, BASE64_URL_SAFE_NO_PAD};
    use http::HeaderValue;

    use super::*;
    use crate::management::fixture::records;

    fn tool(json: &str) -> Option<Tool> {
        let value = HeaderValue::try_from(STANDARD.encode(json)).unwrap();
        Tool::of(&HeaderMap::from_iter([("auth0-client".parse().unwrap(), value)]))
    }

    #[test]
    fn the_program_is_told_as_far_as_it_does_no_harm() {
        let of = |name: &str, version: Option<&str>| {
            Some(Tool { name: Some(name.to_owned()), version: version.map(str::to_owned) })
        };
        let json = r#"{"name":"node-auth0","version":"7.1.0","env":{"node":"22"}}"#;
        assert_eq!(tool(json), of("node-auth0", Some("7.1.0")));
        let hostile = format!(r#"{{"name":"a\u001b[2J\u202e{}"}}"#, "x".repeat(100));
        assert_eq!(tool(&hostile), of(&format!("a[2J{}", "x".repeat(60)), None));
        let unpadded = HeaderValue::try_from(BASE64_URL_SAFE_NO_PAD.encode(json)).unwrap();
        let headers = HeaderMap::from_iter([("auth0-client".parse().unwrap(), unpadded)]);
        assert_eq!(Tool::of(&headers), of("node-auth0", Some("7.1.0")));
        for bad in ["", "[]", "{\"name\": 1}", &format!("{{\"name\":\"{}\"}}", "x".repeat(1000))] {
            assert_eq!(tool(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_refused_write_is_told_with_its_code() {
        let headers = HeaderMap::new();
        let entry =
            Entry::new("d1", Endpoint::CreateGrant, None, &headers, "/api/v2/client-grants", None);
        let fault = Fault::new(StatusCode::CONFLICT, "conflict", "there is one");
        let record = entry.record(&End { written: None, object: None, reply: &fault.into() });
        assert_eq!(record["audit"], "client_grants.create");
        assert_eq!((&record["outcome"], &record["code"]), (&json!("refused"), &json!("conflict")));
        assert_eq!((&record["status"], &record["generation"]), (&json!(409), &Value::Null));
        assert_eq!(record["gained"], json!({"count": 0, "accesses": []}));
        assert_eq!(record["message"], "there is one");
        let long = Fault::not_found(format!("\u{202e}no \u{1b}{}", "x".repeat(5000)));
        let record = entry.record(&End { written: None, object: None, reply: &long.into() });
        assert_eq!(record["code"], "not_found");
        assert_eq!(record["message"], format!("no {}", "x".repeat(MESSAGE_CHARS - 3)));
    }

    #[test]
    fn a_write_that_breaks_off_is_told_too_and_none_is_told_twice() {
        let told = records(|inlet| {
            let entry = |id: &str| {
                let path = "/api/v2/client-grants";
                Entry::new(id, Endpoint::CreateGrant, None, &HeaderMap::new(), path, None)
            };
            drop(Opened::new(entry("d1"), inlet.clone()));
            let inner = inlet.clone();
            let panicked = std::thread::spawn(move || {
                let _opened = Opened::new(entry("d2"), inner);
                panic!("a plan failed");
            });
            assert!(panicked.join().is_err());
            let reply = Fault::new(StatusCode::CONFLICT, "conflict", "there is one").into();
            let end = End { written: None, object: None, reply: &reply };
            Opened::new(entry("d3"), inlet.clone()).close(&end);
        });
        let of = |key: &str| told.iter().map(|record| record[key].clone()).collect::<Vec<_>>();
        assert_eq!(of("decision_id"), ["d1", "d2", "d3"]);
        assert_eq!(of("outcome"), ["unknown", "unknown", "refused"]);
        assert_eq!(of("status"), [500, 500, 409]);
    }
}
