//! For people: what failed, as a difference; what no case touches; and the sum.

use std::fmt::{self, Write};

use super::counts;
use crate::suite::{Covered, Finding, Run, Tally};

/// Of what no case touches, so many of a kind are listed: of very many nobody reads all.
const LISTED: usize = 50;

/// The runs as text, and the coverage where it is wanted.
pub fn text(runs: &[Run<'_>], covered: Option<&Covered>) -> String {
    let mut text = String::new();
    // Writing into a string does not fail.
    let _ = write(&mut text, runs, covered);
    text
}

/// What no case touches, as text.
pub fn coverage(covered: &Covered) -> String {
    let mut text = String::new();
    // Writing into a string does not fail.
    let _ = write_covered(&mut text, covered);
    text
}

fn write(to: &mut String, runs: &[Run<'_>], covered: Option<&Covered>) -> fmt::Result {
    for run in runs {
        for finding in run.failed() {
            write_failed(to, run, finding)?;
        }
    }
    if let Some(covered) = covered {
        write_covered(to, covered)?;
    }
    let (all, failed) = counts(runs);
    let cases = if all == 1 { "case" } else { "cases" };
    match failed {
        0 => writeln!(to, "{all} {cases} passed"),
        _ => writeln!(to, "{failed} of {all} {cases} failed"),
    }
}

fn write_failed(to: &mut String, run: &Run<'_>, finding: &Finding<'_>) -> fmt::Result {
    let case = finding.case;
    writeln!(to, "failed: {} ({}:{})", case.name, run.suite.name, case.line)?;
    writeln!(to, "    {}", case.request)?;
    writeln!(to, "  - expected: {}", finding.expected_words())?;
    writeln!(to, "  + seen: {}", finding.seen_words())?;
    writeln!(to)
}

fn write_covered(to: &mut String, covered: &Covered) -> fmt::Result {
    let of = |(name, tally): (&str, &Tally)| format!("{name} {} of {}", tally.touched(), tally.all);
    let kinds = covered.tallies().map(of).join(", ");
    writeln!(to, "coverage: {} % ({kinds})", covered.percent())?;
    for (name, tally) in covered.tallies().into_iter().filter(|(_, it)| !it.untouched.is_empty()) {
        writeln!(to, "  {name} that no case touches:")?;
        for one in tally.untouched.iter().take(LISTED) {
            let line = one.line.as_ref().map(|line| format!(" ({line})")).unwrap_or_default();
            writeln!(to, "    {}{line}", one.what)?;
        }
        if let Some(more) = tally.untouched.len().checked_sub(LISTED).filter(|more| *more > 0) {
            writeln!(to, "    … and {more} more")?;
        }
    }
    writeln!(to)
}
