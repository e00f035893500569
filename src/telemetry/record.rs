//! The decision record: what one line tells about one request.
//!
//! In come the parts of a request's outcome, out goes a line of JSON. Every field is always there, null
//! where nothing is known. It never holds a token, a query, a header or a body.

use serde::ser::{Serialize, SerializeMap, Serializer};
use std::borrow::Cow;
use std::fmt;

use crate::gate::{Caller, Code};
use crate::policy::{Api, NameSet, Organization, UnixTime};

/// What was decided about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ruling {
    /// It passed.
    Allow,
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
            Self::Refuse => "refuse",
            Self::WouldRefuse => "would_refuse",
        }
    }
}

/// What one line tells about one request.
#[derive(Clone, Debug)]
pub struct Record<'a> {
    /// When it came.
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
    /// The status that was answered; none where the client had gone before.
    pub status: Option<u16>,
    /// Microseconds until the decision.
    pub gate_us: u64,
    /// Microseconds from forwarding to the response's head; none where nothing was forwarded.
    pub upstream_us: Option<u64>,
    /// From `traceparent`.
    pub trace_id: Option<&'a str>,
    /// Who connected.
    pub peer: std::net::SocketAddr,
}

impl Record<'_> {
    /// Appends the record to `lines`, as one line.
    pub fn write(&self, lines: &mut Vec<u8>) {
        let start = lines.len();
        match serde_json::to_writer(&mut *lines, self) {
            Ok(()) => lines.push(b'\n'),
            // Memory takes every byte and no key is anything but text; half a line would be worse than none.
            Err(_) => lines.truncate(start),
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
        map.serialize_entry("peer", &self.peer)?;
        map.end()
    }
}

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

/// A time as RFC 3339 writes it, in UTC and to the millisecond.
#[derive(Clone, Copy, Debug)]
pub struct Rfc3339(pub UnixTime);

impl fmt::Display for Rfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, millis) = (self.0.seconds(), self.0.milliseconds().rem_euclid(1000));
        let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (year, month, day) = civil(days);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
    }
}

impl Serialize for Rfc3339 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The Gregorian date of a day counted from 1970-01-01. Years are counted from March, so that the leap
/// day is the last of its year; 400 of them have 146 097 days.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (400 * era + year + next, month, day)
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
                peer: ([127, 0, 0, 1], 4711).into(),
            }
        }
    }

    fn record(method: &str, time: UnixTime) -> serde_json::Value {
        let mut lines = b"before\n".to_vec();
        Record { time, method, ..Record::sample() }.write(&mut lines);
        let text = String::from_utf8(lines).unwrap();
        assert_eq!(text.matches('\n').count(), 2, "{text}");
        serde_json::from_str(text.trim_start_matches("before\n")).unwrap()
    }

    #[test]
    fn what_strangers_choose_is_recorded_up_to_a_bound() {
        let method = "É".repeat(100);
        let recorded = record(&method, UnixTime::default())["method"].clone();
        assert_eq!(recorded, format!("{}…", "É".repeat(METHOD_BYTES / 2)));
        assert_eq!(record("PROPFIND", UnixTime::default())["method"], "PROPFIND");
    }

    #[test]
    fn a_record_is_one_line_with_every_field() {
        let record = record("GET\n", UnixTime::from_milliseconds(1));
        let fields = "time decision_id api operation method path client_id issuer subject_type \
                      subject decision code would_refuse grant_id scopes effective_scopes \
                      excess_scopes organization generation status gate_us upstream_us trace_id peer";
        let mut expected: Vec<_> = fields.split(' ').collect();
        expected.sort_unstable();
        let object = record.as_object().unwrap();
        assert_eq!(object.keys().map(String::as_str).collect::<Vec<_>>(), expected);
        assert_eq!(object["decision"], "refuse");
        assert_eq!(object["code"], "route-unknown");
        assert_eq!(object["upstream_us"], serde_json::Value::Null);
        assert_eq!(object["peer"], "127.0.0.1:4711");
    }

    #[test]
    fn times_are_written_as_rfc_3339_has_them() {
        for (milliseconds, expected) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_709_251_200_000, "2024-03-01T00:00:00.000Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (1_798_761_599_123, "2026-12-31T23:59:59.123Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(record("GET", UnixTime::from_milliseconds(milliseconds))["time"], expected);
        }
    }
}
