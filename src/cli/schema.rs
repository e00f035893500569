//! `schema`: prints what programs read of the configuration, or of the Management API.

use crate::config::editor_schema;
use crate::management::description;

use super::{Exit, show};

/// What `schema` takes.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Prints the OpenAPI description of the Management API instead
    #[arg(long)]
    management: bool,
}

/// Prints the schema.
pub fn execute(options: &Options) -> Exit {
    let schema = if options.management { description() } else { &editor_schema() };
    show(format_args!("{schema:#}"));
    Exit::Yes
}
