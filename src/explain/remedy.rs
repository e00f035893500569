//! What would have to be otherwise for a refused request to be allowed: the smallest change of the
//! configuration, as edits of the files as they are written.
//!
//! In come the files as they were read and a request that is asked about. Out comes an [`Advice`]. Nothing is
//! proposed that was not proven: the files are edited, loaded again, and the same question is asked of what
//! they mean then. Nothing here writes a file.
//!
//! | step | file |
//! |---|---|
//! | a refusal, by its code, becomes candidates: small changes that may help, the narrowest first | `candidates.rs` |
//! | each is planned as edits of what stands in the files | `moves.rs` |
//! | the edits are made, loaded and asked about, until the request is allowed; what turned out to be needless goes | `search.rs` |
//! | what remains is told: steps, differences, cautions | `told.rs`, `difference.rs` |
//! | where nothing helps: what the caller does instead | `request.rs` |

mod candidates;
mod difference;
mod moves;
mod request;
mod search;
mod told;
mod tree;

use serde::{Deserialize, Serialize};

use self::search::{Found, Search};
use crate::config::inventory::Inventory;
use crate::config::snapshot::Snapshot;
use crate::config::{Outside, Source};
use crate::gate::{Keys, Supposed};
use crate::policy::UnixTime;

/// A configuration as it was read: the texts, what they mean, and where everything stands.
#[derive(Clone, Copy)]
pub struct Files<'a> {
    /// The texts.
    pub sources: &'a [Source],
    /// What they mean.
    pub snapshot: &'a Snapshot,
    /// Where everything stands.
    pub inventory: &'a Inventory,
    /// What they refer to.
    pub outside: &'a dyn Outside,
}

/// What would have to be otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Advice {
    /// The configuration: with this change the request is allowed.
    Change(Change),
    /// Nothing: it is allowed as it is.
    Nothing,
    /// The request, in words: no change of the configuration that should be made allows this one.
    Request(String),
}

/// A change of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What is done in most cases instead of a change, where there is something: to get another token.
    pub instead: Option<String>,
    /// What is changed.
    pub steps: Vec<Step>,
    /// The files that become others.
    pub files: Vec<ChangedFile>,
    /// What whoever makes the change should know.
    pub caution: Option<String>,
}

/// A part of a change that makes sense by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What is done, in words.
    pub words: String,
    /// Where: file and line, or the file alone.
    pub at: String,
    /// What is written there, as YAML; nothing where something is taken out.
    pub yaml: String,
}

/// A file that becomes another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedFile {
    /// Its name, as it was read.
    pub name: String,
    /// What it says. Not part of the JSON, as files may be long: the difference is.
    #[serde(skip)]
    pub before: String,
    /// What it would say. Not part of the JSON.
    #[serde(skip)]
    pub after: String,
    /// The difference, as `diff -u` shows it and `patch` takes it. Values that look like secrets are not
    /// shown.
    pub diff: String,
    /// Whether something in the difference is not shown: then `patch` does not take it.
    #[serde(default)]
    pub masked: bool,
}

/// What would have to be otherwise for the request to be allowed at `now`.
pub fn advise(files: &Files<'_>, supposed: &Supposed, keys: &dyn Keys, now: UnixTime) -> Advice {
    match Search::new(files, supposed, keys, now).run() {
        Found::Allowed => Advice::Nothing,
        Found::Change { moves, after } => {
            told::change(files, &moves, &after).map_or_else(request::unwritten, Advice::Change)
        }
        Found::None { first, last } => Advice::Request(request::words(&first, last.as_ref())),
    }
}

#[cfg(test)]
mod tests;
