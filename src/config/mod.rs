//! The configuration: text in; out comes what it means, or one report of everything that is wrong.
//!
//! | stage | takes | gives |
//! |---|---|---|
//! | text | a [`Source`] | a [`Node`]: a tree that knows where everything stands |
//! | shape | the tree, and the JSON Schema of the raw types | [`raw`]: what was written |
//! | meaning | what was written in all sources | a [`Snapshot`]: what it means |
//!
//! Every problem of every stage goes into the one [`Report`], which knows where each [`Place`]
//! stands and renders itself. A snapshot that exists is right, and never checked again.
//!
//! Nothing here reads a file, the environment or a clock: texts and the time are given, and what
//! the configuration refers to is asked from [`Outside`].

pub mod access;
mod allow;
mod build;
mod destination;
mod diagnostic;
mod diff;
mod documents;
mod edit;
mod editor;
pub mod endpoints;
mod excerpt;
pub mod inventory;
mod lint;
mod machine;
pub mod openapi;
mod outside;
mod place;
mod portrait;
pub mod raw;
mod read;
mod render;
mod report;
mod scalar;
mod secret;
mod shape;
pub mod snapshot;
mod source;
mod suggest;
pub mod tls;
mod tree;
mod walk;

pub use allow::ADDRESS;
pub use build::{ServerPlace, instant};
pub use destination::Destination;
pub use diagnostic::{Code, Diagnostic, Related, Severity};
pub use diff::{Access, AccessDiff, Caller, Changed, Difference, What, Which};
pub use edit::{Edit, EditError, Wording, edit, written};
pub use editor::{editor_schema, editor_schema_of};
pub use machine::MAX_BYTES as MAX_SOURCE;
pub use outside::{Nowhere, Outside};
pub use place::{Place, Step};
pub use portrait::{PolicyDocument, policy_document};
pub use read::{read, read_foreign, schema_of};
pub use render::Style;
pub use report::{Document, Pushed, Report};
pub use source::{Digest, Source, digest};
pub use suggest::closest;
pub use tree::{Entry, Kind, MAX_FOREIGN, Node, Span, parse};
pub use walk::walk;

use std::sync::Arc;

use build::Wanted;
use inventory::Inventory;
use outside::Reading;
use snapshot::Snapshot;

use crate::policy::UnixTime;

/// A configuration that was taken.
#[derive(Debug)]
pub struct Loaded {
    /// What it means.
    pub snapshot: Snapshot,
    /// What somebody should look at.
    pub warnings: Report,
    /// What stands in the files, and where: there where it was asked for, and where the Management API
    /// shows it.
    pub inventory: Option<Arc<Inventory>>,
}

/// Tells what is wrong with each source by itself. For where some are missing: what the others mean
/// together cannot be told then.
pub fn inspect(sources: &[Source]) -> Report {
    let mut report = Report::new(sources.iter().cloned());
    let schema = schema_of::<raw::Configuration>();
    let _ = documents::read_all(sources, &schema, &mut report);
    report
}

/// Reads all sources together. What they refer to is asked from `outside`; `now` tells which grants
/// are about to expire, and decides nothing else.
///
/// # Errors
/// When anything is wrong: with the report of all that is, warnings included.
pub fn load(sources: &[Source], outside: &dyn Outside, now: UnixTime) -> Result<Loaded, Report> {
    load_in_place(sources, outside, now, raw::EndMarker::Optional)
}

/// Loads what takes the place of a configuration that wants `end_marker`, and does not say itself what it
/// wants. A file that is cut before it says so is torn all the same.
///
/// # Errors
/// As [`load`].
pub fn load_in_place(
    sources: &[Source],
    outside: &dyn Outside,
    now: UnixTime,
    end_marker: raw::EndMarker,
) -> Result<Loaded, Report> {
    load_as(sources, outside, &Wanted { now, end_marker, inventory: false })
}

/// As [`load`], with the inventory: for whoever thinks about changes of the files. Of very many grants it
/// takes several times the memory.
///
/// # Errors
/// As [`load`].
pub fn load_with_inventory(
    sources: &[Source],
    outside: &dyn Outside,
    now: UnixTime,
) -> Result<Loaded, Report> {
    let end_marker = raw::EndMarker::Optional;
    load_as(sources, outside, &Wanted { now, end_marker, inventory: true })
}

fn load_as(sources: &[Source], outside: &dyn Outside, wanted: &Wanted) -> Result<Loaded, Report> {
    let mut report = Report::new(sources.iter().cloned());
    let schema = schema_of::<raw::Configuration>();
    let written = documents::read_all(sources, &schema, &mut report);
    let mut reading = Reading::new(sources, outside);
    match build::build(written, &mut reading, wanted, &mut report) {
        Some((snapshot, inventory)) if !report.has_errors() => {
            // What has errors is not looked at as a whole: a comment may be about what was not.
            report.close();
            Ok(Loaded { snapshot, warnings: report, inventory })
        }
        _ => Err(report),
    }
}

#[cfg(test)]
mod tests;
