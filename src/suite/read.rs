//! Suites as texts, and what they say of a snapshot.

use super::case::{Suite, build};
use super::raw;
use crate::config::raw::EndMarker;
use crate::config::snapshot::Snapshot;
use crate::config::{self, Code, Outside, Place, Report, Source, schema_of};
use crate::policy::UnixTime;

/// A suite is written by people; a longer one is something else.
const MOST_BYTES: usize = 1 << 20;

/// All suites together have no more cases: a reload waits for them.
const MOST_CASES_IN_ALL: usize = 100_000;

/// The texts of the suites that the configuration names. The report is that of the configuration: what
/// cannot be read is said where it is named, and what was cut short, where files must tell their ends.
pub fn named(snapshot: &Snapshot, outside: &dyn Outside, report: &mut Report) -> Vec<Source> {
    let read = snapshot.tests.suites.iter().filter_map(|suite| match suite.read(outside) {
        Ok(text) => {
            let source = Source::new(suite.name(), text);
            // One that was cut short says less, and passes more.
            if snapshot.reload.end_marker == EndMarker::Required && !source.has_end_marker() {
                let message = format!("the suite `{}` does not end with `...`", suite.path);
                report
                    .push(Code::EndMarkerMissing, &suite.place, message)
                    .help("end it with a line `...`; if it had one, the file was cut short");
            }
            Some(source)
        }
        Err(why) => {
            let message = format!("the suite `{}` cannot be read: {why}", suite.path);
            report
                .push(Code::FileUnreadable, &suite.place, message)
                .help("a relative path starts at the folder of the file that names it");
            None
        }
    });
    read.collect()
}

/// Reads suites that speak of `snapshot`. `now` is when their requests come, where they do not say it.
/// What is wrong with them is in the report, which takes in their texts.
pub fn read(
    sources: Vec<Source>,
    snapshot: &Snapshot,
    now: UnixTime,
    report: &mut Report,
) -> Vec<Suite> {
    let schema = schema_of::<raw::Suite>();
    let mut left = MOST_CASES_IN_ALL;
    let mut suites = Vec::with_capacity(sources.len());
    for source in sources {
        let Source { name, text } = source.clone();
        let index = report.open(source);
        if text.len() > MOST_BYTES {
            let message = format!("the suite is longer than {} MiB", MOST_BYTES >> 20);
            report
                .push(Code::ConfigTooLarge, &Place::root(index), message)
                .help("make several of it");
            continue;
        }
        if let Some(written) = config::read::<raw::Suite>(index, &text, &schema, report) {
            let cases = build(index, &written, snapshot, now, report);
            let Some(rest) = left.checked_sub(cases.len()) else {
                let message =
                    format!("the suites have more than {MOST_CASES_IN_ALL} cases together");
                report
                    .push(Code::PolicyTestInvalid, &Place::root(index), message)
                    .help("leave cases out that others make needless");
                break;
            };
            left = rest;
            suites.push(Suite { name, cases });
        }
    }
    suites
}
