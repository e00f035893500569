//! `schema`: prints what programs read of the configuration, of policy suites, or of the Management API.

use crate::config::editor_schema;
use crate::management::description;
use crate::suite;

use super::{Exit, show};

/// What `schema` takes.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Options {
    /// Prints the OpenAPI description of the Management API instead
    #[arg(long)]
    management: bool,

    /// Prints the JSON Schema of policy suites instead
    #[arg(long, conflicts_with = "management")]
    suites: bool,
}

const EXAMPLES: &str = "\
Examples:
  # for an editor: its file then begins with
  # `# yaml-language-server: $schema=./grantgate.schema.json`
  grantgate schema > grantgate.schema.json

  # for those who generate a client of the Management API
  grantgate schema --management > management.openapi.json";

/// Prints the schema.
pub fn execute(options: &Options) -> Exit {
    let schema = match options {
        Options { management: true, .. } => description(),
        Options { suites: true, .. } => &suite::schema(),
        Options { .. } => &editor_schema(),
    };
    show(format_args!("{schema:#}"));
    Exit::Yes
}
