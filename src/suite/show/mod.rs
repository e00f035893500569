//! What a run of suites found, as people and programs read it.
//!
//! What the files wrote is given as it is: whoever prints it on a screen makes it harmless first.

mod json;
mod junit;
mod text;

pub use json::json;
pub use junit::junit;
pub use text::{coverage, text};

use super::Run;

/// How many cases there are, and how many are decided otherwise than they say.
fn counts(runs: &[Run<'_>]) -> (usize, usize) {
    let all = runs.iter().map(|run| run.findings.len()).sum();
    (all, runs.iter().map(|run| run.failed().count()).sum())
}
