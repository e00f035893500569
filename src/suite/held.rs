//! A configuration that must pass its suites to be taken.

use super::{Coverage, Finding, named, read, run};
use crate::config::{Code, Loaded, Outside, Place, Report};
use crate::policy::UnixTime;

/// Whether suites must pass that the configuration does not require itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Demand {
    /// In any case.
    Always,
    /// Where it says so.
    #[default]
    AsWritten,
}

/// Gives back what was loaded, where it passes the suites that it must pass.
///
/// # Errors
/// With the report of all cases that are decided otherwise, or of what is wrong with the suites.
pub fn hold(
    mut loaded: Loaded,
    outside: &dyn Outside,
    now: UnixTime,
    demand: Demand,
) -> Result<Loaded, Report> {
    let (snapshot, report) = (&loaded.snapshot, &mut loaded.warnings);
    if demand == Demand::AsWritten && !snapshot.tests.required {
        return Ok(loaded);
    }
    if snapshot.tests.suites.is_empty() {
        report
            .push(
                Code::PolicyTestInvalid,
                &Place::nowhere(),
                "the suites must pass, and the configuration names none",
            )
            .help("name their files: `tests: {suites: [policy-tests/orders.yaml]}`");
    }
    let sources = named(snapshot, outside, report);
    let suites = read(sources, snapshot, now, report);
    for suite in &suites {
        let run = run(suite, snapshot, |_| true, &mut Coverage::default());
        run.failed().for_each(|finding| tell(report, finding));
    }
    if report.has_errors() { Err(loaded.warnings) } else { Ok(loaded) }
}

fn tell(report: &mut Report, finding: &Finding<'_>) {
    let (expected, seen) = (finding.expected_words(), finding.seen_words());
    let message = format!(
        "`{}` expects `{}` of `{}`, which is decided otherwise",
        finding.case.name, finding.case.expected.decision, finding.case.request
    );
    report
        .push(Code::PolicyTestFailed, &finding.case.place, message)
        .help(format!("expected {expected}, seen {seen}: change the configuration, or the case"));
}
