//! `import openapi`

use std::path::PathBuf;

use clap::ValueHint;

use super::{Exit, Into, hand_out, read};
use crate::config::Source;
use crate::import::{Wanted, openapi};

/// What `import openapi` takes.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  # a configuration of the API that a document describes
  grantgate import openapi openapi.yaml --output gateway.yaml

  # its operations alone, to be put under a `gate`
  grantgate import openapi openapi.json --operations-only

What has no counterpart (API keys, `/files/{name}.json`) is left out and
named, and so is what would answer in its place: no operation asks less than
in the document. To keep the operations in the document itself, write
`gate: {openapi: openapi.yaml}`.

Exit codes:
  0  imported
  1  with --strict: something has no counterpart
  2  it cannot be read")]
pub(super) struct Options {
    /// The document.
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,
    /// What the `aud` of the API's tokens names; by default the document's first server.
    #[arg(long, value_name = "AUDIENCE")]
    identifier: Option<String>,
    /// Who issues the API's tokens.
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// Where the API is.
    #[arg(long, value_name = "URL")]
    upstream: Option<String>,
    /// Prints the list of operations alone, to be put under a `gate`.
    #[arg(long)]
    operations_only: bool,
    #[command(flatten)]
    into: Into,
}

pub(super) fn execute(options: &Options) -> Result<Exit, String> {
    let name = options.file.display().to_string();
    let text = read(&options.file)?;
    let wanted = Wanted {
        identifier: options.identifier.clone(),
        issuer: options.issuer.clone(),
        upstream: options.upstream.clone(),
        operations_only: options.operations_only,
        clients: Vec::new(),
    };
    let imported =
        openapi(&Source::new(name, text), &wanted).map_err(|report| report.to_string())?;
    hand_out(&imported, &options.file, !options.operations_only, &options.into)
}
