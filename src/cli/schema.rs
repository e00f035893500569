//! `schema`: prints the configuration's JSON Schema, for editors.

use crate::config::editor_schema;

use super::{Exit, show};

/// What `schema` takes.
#[derive(Debug, clap::Args)]
pub struct Options {}

/// Prints the schema.
pub fn execute(_: &Options) -> Exit {
    show(format_args!("{:#}", editor_schema()));
    Exit::Yes
}
