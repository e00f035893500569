//! The decision record: what one line tells about one request.
//!
//! In come the parts of a request's outcome, out goes a line of JSON. Every field is always there, null
//! where nothing is known. It never holds a token, a query, a header or a body.

use serde::ser::{Serialize, SerializeMap, Serializer};
use std::borrow::Cow;

use crate::gate::{Caller, Code};
use crate::policy::{Api, NameSet, Organization, UnixTime};

use super::{Rfc3339, write_json};

/// What was decided about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ruling {
    /// It passed.
    Allow,
    /// It had passed, and was still under way when it would not have any more.
    Cut,
    /// It did not.
    Refuse,
    /// It passed because its API only reports.
    WouldRefuse,
}

impl Ruling {
    /// As in records and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Cut => "cut",
            Self::Refuse => "refuse",
            Self::WouldRefuse => "would_refuse",
        }
    }
}

/// What one line tells about one request.
#[derive(Clone, Debug)]
pub struct Record<'a> {
    /// When it came; of one that was cut, when that was.
    pub time: UnixTime,
    /// Names this decision in the answer, at the upstream and here.
    pub decision_id: &'a str,
    /// The API that it called.
    pub api: Option<&'a Api>,
    /// The operation, as configured: `GET /orders/{id}`.
    pub operation: Option<&'a str>,
    /// Its method.
    pub method: &'a str,
    /// Its path: canonical, or as it came where it could not be read. Never the query.
    pub path: &'a str,
    /// Who called, as far as a verified token told.
    pub caller: Option<&'a Caller<'a>>,
    /// What was decided.
    pub ruling: Ruling,
    /// Why it was refused, or why its upstream failed.
    pub code: Option<Code>,
    /// Why it would have been refused.
    pub would_refuse: Option<Code>,
    /// The grant that it passed by.
    pub grant_id: Option<&'a str>,
    /// What it may use.
    pub effective_scopes: &'a NameSet,
    /// What its token holds above the ceiling.
    pub excess_scopes: &'a [String],
    /// Which configuration decided.
    pub generation: u64,
    /// The status that was answered; none where the client had gone before. Of a refused gRPC call it is
    /// the refusal's, though HTTP says 200.
    pub status: Option<u16>,
    /// Microseconds until the decision.
    pub gate_us: u64,
    /// Microseconds from forwarding to the response's head; none where nothing was forwarded.
    pub upstream_us: Option<u64>,
    /// From `traceparent`.
    pub trace_id: Option<&'a str>,
    /// Who connected; nothing where it was through a unix socket.
    pub peer: Option<std::net::SocketAddr>,
}

impl Record<'_> {
    /// Appends the record to `lines`, as one line.
    pub fn write(&self, lines: &mut Vec<u8>) {
        // Memory takes every byte and no key is anything but text.
        if write_json(self, lines).is_ok() {
            lines.push(b'\n');
        }
    }
}

impl Serialize for Record<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let identity = self.caller.and_then(|caller| caller.identity.as_ref());
        let organization = match identity.map(|identity| identity.organization) {
            Some(Organization::Id(id)) => Some(id),
            Some(Organization::Absent | Organization::Unreadable) | None => None,
        };
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("time", &Rfc3339(self.time))?;
        map.serialize_entry("decision_id", self.decision_id)?;
        map.serialize_entry("api", &self.api.map(|api| api.identifier.as_str()))?;
        map.serialize_entry("operation", &self.operation)?;
        map.serialize_entry("method", &cut(self.method, METHOD_BYTES))?;
        map.serialize_entry("path", &cut(self.path, PATH_BYTES))?;
        map.serialize_entry("client_id", &self.caller.and_then(|caller| caller.client))?;
        map.serialize_entry("issuer", &self.caller.map(|caller| caller.issuer.as_str()))?;
        map.serialize_entry("subject_type", &identity.map(|it| it.subject_type.as_str()))?;
        map.serialize_entry("subject", &identity.and_then(|identity| identity.subject))?;
        map.serialize_entry("decision", self.ruling.as_str())?;
        map.serialize_entry("code", &self.code.map(Code::as_str))?;
        map.serialize_entry("would_refuse", &self.would_refuse.map(Code::as_str))?;
        map.serialize_entry("grant_id", &self.grant_id)?;
        map.serialize_entry("scopes", &List(|| identity.iter().flat_map(|it| it.scopes())))?;
        let effective = || {
            self.api.into_iter().flat_map(|api| api.scopes.of(self.effective_scopes)).map(|s| &**s)
        };
        map.serialize_entry("effective_scopes", &List(effective))?;
        map.serialize_entry("excess_scopes", self.excess_scopes)?;
        map.serialize_entry("organization", &organization)?;
        map.serialize_entry("generation", &self.generation)?;
        map.serialize_entry("status", &self.status)?;
        map.serialize_entry("gate_us", &self.gate_us)?;
        map.serialize_entry("upstream_us", &self.upstream_us)?;
        map.serialize_entry("trace_id", &self.trace_id)?;
        match &self.peer {
            Some(address) => map.serialize_entry("peer", address)?,
            None => map.serialize_entry("peer", UNIX_PEER)?,
        }
        map.end()
    }
}

/// What stands for the address of who came through a unix socket.
const UNIX_PEER: &str = "unix:";

/// The most that is recorded of a method and of a path: strangers choose them.
const METHOD_BYTES: usize = 32;
const PATH_BYTES: usize = 1024;

/// The text, or its beginning where it is longer than `most` bytes.
fn cut(text: &str, most: usize) -> Cow<'_, str> {
    if text.len() <= most {
        return Cow::Borrowed(text);
    }
    let (beginning, _) = text.split_at(text.floor_char_boundary(most));
    Cow::Owned(format!("{beginning}…"))
}

/// A list of texts that is walked only while it is written.
struct List<F>(F);

impl<'a, F, I> Serialize for List<F>
where
    F: Fn() -> I,
    I: Iterator<Item = &'a str>,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: &NameSet = &NameSet::EMPTY;

    impl Record<'_> {
        pub(in crate::telemetry) fn sample() -> Self {
            Self {
                time: UnixTime::default(),
                decision_id: "d1",
                api: None,
                operation: None,
                method: "GET",
                path: "/orders/1",
                caller: None,
                ruling: Ruling::Refuse,
                code: Some(Code::RouteUnknown),
                would_refuse: None,
                grant_id: None,
                effective_scopes: NONE,
                excess_scopes: &[],
                generation: 1,
                status: Some(404),
                gate_us: 7,
                upstream_us: None,
                trace_id: None,
                peer: Some(([127, 0, 0, 1], 4711).into()),
            }
        }
    }

    fn line(record: &Record<'_>) -> String {
        let mut lines = b"before\n".to_vec();
        record.write(&mut lines);
        let text = String::from_utf8(lines).unwrap();
        assert_eq!(text.matches('\n').count(), 2, "{text}");
        text.strip_prefix("before\n").unwrap().to_owned()
    }

    fn record(record: &Record<'_>) -> serde_json::Value {
        serde_json::from_str(&line(record)).unwrap()
    }

    #[test]
    fn what_strangers_choose_is_recorded_up_to_a_bound() {
        let (method, path) = ("É".repeat(100), "/x".repeat(PATH_BYTES));
        let sample = Record { method: &method, path: &path, ..Record::sample() };
        let cut = record(&sample);
        assert_eq!(cut["method"], format!("{}…", "É".repeat(METHOD_BYTES / 2)));
        assert_eq!(cut["path"], format!("{}…", "/x".repeat(PATH_BYTES / 2)));
        let whole = record(&Record { method: "PROPFIND", ..Record::sample() });
        assert_eq!(whole["method"], "PROPFIND");
    }

    #[test]
    fn what_strangers_choose_stays_text_on_every_screen() {
        let hostile = "/\u{1b}]0;x\u{7}/\u{9b}2J\n\u{202e}<script>&";
        let sample = Record { path: hostile, ..Record::sample() };
        let line = line(&sample);
        assert!(line.trim_end().bytes().all(|byte| matches!(byte, b' '..=b'~')), "{line}");
        assert!(!line.contains(['<', '>', '&']), "{line}");
        assert_eq!(record(&sample)["path"], hostile);
    }

    #[test]
    fn a_record_is_one_line_with_every_field_in_its_place() {
        let line = line(&Record { method: "GET\n", ..Record::sample() });
        let expected = concat!(
            r#"{"time":"1970-01-01T00:00:00.000Z","decision_id":"d1","api":null,"operation":null,"#,
            r#""method":"GET\n","path":"/orders/1","client_id":null,"issuer":null,"#,
            r#""subject_type":null,"subject":null,"decision":"refuse","code":"route-unknown","#,
            r#""would_refuse":null,"grant_id":null,"scopes":[],"effective_scopes":[],"#,
            r#""excess_scopes":[],"organization":null,"generation":1,"status":404,"gate_us":7,"#,
            r#""upstream_us":null,"trace_id":null,"peer":"127.0.0.1:4711"}"#,
            "\n"
        );
        assert_eq!(line, expected);
    }
}
