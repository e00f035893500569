//! Policy suites: cases that say how requests must be decided, and whether they are.
//!
//! | step | takes | gives |
//! |---|---|---|
//! | [`named`] | a snapshot | the texts of the suites that its configuration names |
//! | [`read()`] | texts, and the snapshot that they speak of | [`Suite`]s: every case as a question; or what is wrong with them, in the report |
//! | [`run()`] | a suite | a [`Run`] of a [`Finding`] for each case: as it says, or what was seen instead |
//! | [`Coverage`] | the same | which grants, operations and codes no case touches |
//! | [`hold`] | a configuration that was taken | the same, where it passes what it requires of itself |
//!
//! Everything is asked of the one decision, as [`crate::gate::Supposed`] calls: no rule is known here.
//! Texts are given, and so is the time; nothing is read or written.

mod case;
mod coverage;
mod expect;
mod held;
pub mod raw;
mod read;
mod run;
pub mod show;
mod who;

pub use case::{Case, Expected, Suite};
pub use coverage::{Coverage, Covered, Tally, Untouched};
pub use expect::Expect;
pub use held::{Demand, hold};
pub use read::{named, read};
pub use run::{Finding, Run, Seen, run};

use serde_json::Value;

use crate::config::editor_schema_of;

/// The JSON Schema of suites, for editors.
pub fn schema() -> Value {
    editor_schema_of::<raw::Suite>("Grantgate policy suite")
}

#[cfg(test)]
mod tests;
