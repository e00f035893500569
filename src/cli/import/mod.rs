//! `import`: makes a configuration of what somebody has already.
//!
//! The configuration goes to standard output, with comments on what has no counterpart; the same is told on
//! standard error, with where it stands. What is printed is what the gate takes: it is read before.

mod auth0;
mod openapi;

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;

use super::{Exit, harmless, show, talk};
use crate::clock::now;
use crate::config::MAX_FOREIGN;
use crate::import::Imported;

/// What `import` takes.
#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(subcommand)]
    from: From,
}

#[derive(Debug, clap::Subcommand)]
enum From {
    /// A tenant export of Auth0, as `auth0-deploy-cli` writes it.
    Auth0(auth0::Options),
    /// An OpenAPI document, 3.0 or 3.1, in YAML or JSON.
    Openapi(openapi::Options),
}

/// Where the configuration goes, and what is an answer.
#[derive(Debug, clap::Args)]
struct Into {
    /// Writes the configuration into this file, which must not be there yet, instead of standard output.
    #[arg(long, value_name = "PATH", value_hint = clap::ValueHint::FilePath)]
    output: Option<std::path::PathBuf>,
    /// Exits with 1 where something has no counterpart.
    #[arg(long)]
    strict: bool,
}

/// Imports: yes where it could, no where something has no counterpart and that was asked.
pub fn execute(options: &Options) -> Exit {
    let outcome = match &options.from {
        From::Auth0(options) => auth0::execute(options),
        From::Openapi(options) => openapi::execute(options),
    };
    outcome.unwrap_or_else(|why| {
        talk(format_args!("grantgate: {}", harmless(&why).trim_end()));
        Exit::Failed
    })
}

/// Hands out what was imported from `name`. A part of a configuration is not read by itself.
fn hand_out(imported: &Imported, name: &Path, is_whole: bool, into: &Into) -> Result<Exit, String> {
    if is_whole && let Err(report) = imported.check(now()) {
        return Err(format!("what was imported is no configuration:\n\n{report}"));
    }
    match &into.output {
        None => show(format_args!("{}", harmless(&imported.yaml).trim_end())),
        Some(path) => write(path, &imported.yaml)
            .map_err(|error| format!("`{}` cannot be written: {error}", path.display()))?,
    }
    let name = name.display();
    let tell = |line: &str| talk(format_args!("{}", harmless(line)));
    tell(&format!("{name}: {}", imported.summary));
    for (what, lines) in [("not imported", &imported.left_out), ("notes", &imported.notes)] {
        if !lines.is_empty() {
            tell(&format!("{what}: {}", lines.len()));
            for line in lines {
                tell(&format!("  {line}"));
            }
        }
    }
    Ok(if into.strict && !imported.left_out.is_empty() { Exit::No } else { Exit::Yes })
}

/// Reads a text that others wrote, up to its bound: some files have no end.
fn read(path: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    let most = MAX_FOREIGN as u64 + 1;
    File::open(path)
        .and_then(|file| file.take(most).read_to_end(&mut bytes))
        .map_err(|error| format!("`{}` cannot be read: {error}", path.display()))?;
    if bytes.len() > MAX_FOREIGN {
        return Err(format!("`{}` is longer than {} MiB", path.display(), MAX_FOREIGN >> 20));
    }
    String::from_utf8(bytes).map_err(|_| format!("`{}` is no text in UTF-8", path.display()))
}

/// Writes a file that is not there yet.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    OpenOptions::new().write(true).create_new(true).open(path)?.write_all(text.as_bytes())
}
