//! From what was written to cases that can be asked: rows joined with their case, every request a call,
//! every expectation one that can be met.

use std::collections::BTreeSet;

use super::Expect;
use super::raw::{self, Row};
use super::who::{self, Subject, World};
use crate::config::snapshot::{ServedApi, Snapshot};
use crate::config::{Code, Place, Pushed, Report, closest, instant};
use crate::gate::{Shown, Supposed};
use crate::policy::UnixTime;

/// More would make a reload slow.
const MOST_CASES: usize = 10_000;

/// A suite whose cases can all be asked.
#[derive(Clone, Debug)]
pub struct Suite {
    /// The file, as people know it.
    pub name: String,
    /// Its cases, a row of a table each.
    pub cases: Vec<Case>,
}

/// One case.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it says, in words.
    pub name: String,
    /// Where it is written.
    pub place: Place,
    /// The line of that.
    pub line: u32,
    /// What is asked, as it is written.
    pub request: String,
    /// What is asked.
    pub supposed: Supposed,
    /// When it is asked.
    pub now: UnixTime,
    /// How it must be decided.
    pub expected: Expected,
}

/// How a request must be decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Whether it is allowed.
    pub decision: Expect,
    /// The scopes that it may use then, where the case says.
    pub effective_scopes: Option<BTreeSet<String>>,
}

/// Builds the suite that is the source with this index. What cannot be asked is in the report and left out.
pub(super) fn build(
    source: usize,
    written: &raw::Suite,
    snapshot: &Snapshot,
    now: UnixTime,
    report: &mut Report,
) -> Vec<Case> {
    let root = Place::root(source);
    let list = root.key("cases");
    if written.cases.is_empty() {
        report.push(Code::KeyMissing, &list, "the suite has no cases").help(
            "write one: `cases: [{name: …, caller: {client_id: …}, request: GET /…, expect: allow}]`",
        );
    }
    let count: usize = written.cases.iter().map(|case| case.rows.len().max(1)).sum();
    if count > MOST_CASES {
        let message = format!("the suite has {count} cases, of which {MOST_CASES} are the most");
        report.push(Code::PolicyTestInvalid, &list, message).help("make two suites of it");
        return Vec::new();
    }
    let mut build = Build {
        now: time(&root.key("now"), written.now.as_deref(), report).unwrap_or(now),
        api: api(&root.key("api"), written.api.as_deref(), snapshot, report),
        snapshot,
        report,
    };
    let mut cases = Vec::with_capacity(count);
    for (index, case) in written.cases.iter().enumerate() {
        let place = list.index(index);
        let outer = At { place: &place, row: &Row::from(case) };
        if case.name.as_deref().is_none_or(str::is_empty) {
            build.missing(&place.key("name"), "say in words what the case is about");
        }
        if case.rows.is_empty() {
            cases.extend(build.case(&outer, None));
        }
        for (index, row) in case.rows.iter().enumerate() {
            let place = place.key("rows").index(index);
            cases.extend(build.case(&outer, Some((index, &At { place: &place, row }))));
        }
    }
    cases
}

/// A case or a row, and where it is written.
pub(super) struct At<'r> {
    pub(super) place: &'r Place,
    pub(super) row: &'r Row,
}

struct Build<'s, 'r> {
    now: UnixTime,
    api: Option<&'s ServedApi>,
    snapshot: &'s Snapshot,
    report: &'r mut Report,
}

impl Build<'_, '_> {
    /// One case, or one row of its table.
    fn case(&mut self, outer: &At<'_>, inner: Option<(usize, &At<'_>)>) -> Option<Case> {
        let row = inner.map(|(_, at)| at);
        let whole = row.unwrap_or(outer);
        let place = whole.place.clone();
        let supposed = self.supposed(outer, row);
        let expected = self.expected(outer, row);
        let name = outer.row.name.clone().unwrap_or_default();
        let name = match inner {
            None => name,
            Some((index, At { row: Row { name: None, .. }, .. })) => {
                format!("{name}: row {}", index + 1)
            }
            Some((_, At { row: Row { name: Some(own), .. }, .. })) => format!("{name}: {own}"),
        };
        let line = self.report.origin(&place).line;
        let (request, supposed) = supposed?;
        Some(Case { name, place, line, request, supposed, now: self.now, expected: expected? })
    }

    fn supposed(&mut self, outer: &At<'_>, row: Option<&At<'_>>) -> Option<(String, Supposed)> {
        let subject = who::subject(outer, row, self.report);
        let (place, request) = self.of(outer, row, "request", |row| row.request.as_ref())?;
        let Some((method, url)) = request.split_once(' ') else {
            let message = format!("`{request}` is not a method and a path");
            self.refuse(&place, message).help("write `GET /orders/42`, or the whole URL");
            return None;
        };
        let asked = Supposed::new(method, url.trim(), Shown::Nothing, self.snapshot, self.api);
        let mut supposed = asked.map_err(|error| self.refuse(&place, error.to_string())).ok()?;
        let found = supposed.canonical_path().ok().and_then(|path| {
            let site = self.snapshot.sites.find(&supposed.host, &path).ok()??;
            self.snapshot.apis.get(site)
        });
        let world = World { snapshot: self.snapshot, api: found.or(self.api), now: self.now };
        supposed.shown = match subject? {
            (_, Subject::Nobody) => Shown::Nothing,
            (_, Subject::Claims(claims)) => Shown::Claims(world.claims(claims)),
            (place, Subject::Caller(caller)) => {
                Shown::Claims(world.composed(&place, &caller, self.report)?)
            }
        };
        Some((request.clone(), supposed))
    }

    fn expected(&mut self, outer: &At<'_>, row: Option<&At<'_>>) -> Option<Expected> {
        let (_, decision) = self.of(outer, row, "expect", |row| row.expect.as_ref())?;
        let scopes = [row, Some(outer)].into_iter().flatten().find_map(|at| {
            Some((at.place.key("effective_scopes"), at.row.effective_scopes.as_ref()?))
        });
        if let (Expect::Refuse(_), Some((place, _))) = (decision, &scopes) {
            let message = "a refused request has no effective scopes";
            self.refuse(place, message).help("leave the key out, or expect `allow`");
            return None;
        }
        let effective_scopes = scopes.map(|(_, scopes)| scopes.iter().cloned().collect());
        Some(Expected { decision: *decision, effective_scopes })
    }

    /// What the row says under a key, else its case; one of them must.
    fn of<'r, T>(
        &mut self,
        outer: &At<'r>,
        row: Option<&At<'r>>,
        key: &'static str,
        of: impl Fn(&'r Row) -> Option<&'r T>,
    ) -> Option<(Place, &'r T)> {
        let said = [row, Some(outer)]
            .into_iter()
            .flatten()
            .find_map(|at| Some((at.place.key(key), of(at.row)?)));
        if said.is_none() {
            let help = match key {
                "request" => "write the method and the path: `request: GET /orders/42`",
                _ => "write `expect: allow`, or the code of the refusal",
            };
            // What was refused in the case was there all the same.
            if !self.report.has_error_within(&outer.place.key(key)) {
                self.missing(&row.unwrap_or(outer).place.key(key), help);
            }
        }
        said
    }

    fn missing(&mut self, place: &Place, help: &str) {
        let message = format!("the key `{}` is missing", place.last_key());
        self.report.push(Code::KeyMissing, place, message).help(help);
    }

    fn refuse(&mut self, place: &Place, message: impl Into<String>) -> Pushed<'_> {
        self.report.push(Code::PolicyTestInvalid, place, message)
    }
}

fn time(place: &Place, text: Option<&str>, report: &mut Report) -> Option<UnixTime> {
    let text = text?;
    let time = instant(text);
    if time.is_none() {
        report
            .push(Code::TimeInvalid, place, format!("`{text}` is not a date and time"))
            .help("write it as `2026-01-01T00:00:00Z`");
    }
    time
}

/// The API that is meant where a request does not say.
fn api<'s>(
    place: &Place,
    identifier: Option<&str>,
    snapshot: &'s Snapshot,
    report: &mut Report,
) -> Option<&'s ServedApi> {
    let mut served = snapshot.apis.iter().filter(|served| served.upstream.is_some());
    let Some(identifier) = identifier else {
        return served.next().filter(|_| served.next().is_none());
    };
    let found = served.clone().find(|served| served.api.identifier.as_str() == identifier);
    if found.is_none() {
        let names = served.map(|served| served.api.identifier.as_str());
        let meant = closest(identifier, names);
        report
            .push(Code::PolicyTestInvalid, place, format!("no API `{identifier}` is served"))
            .help(meant.map_or_else(
                || "write the `identifier` of an API that has a `gate`".to_owned(),
                |meant| format!("did you mean `{meant}`?"),
            ));
    }
    found
}
