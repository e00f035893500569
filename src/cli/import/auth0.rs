//! `import auth0`

use std::fs;
use std::path::{Path, PathBuf};

use clap::ValueHint;

use super::{Exit, Into, hand_out, read};
use crate::config::Source;
use crate::import::{Export, NoExport, Part, Wanted, auth0};

/// What `import auth0` takes.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  # a configuration of what `auth0-deploy-cli` exported
  grantgate import auth0 tenant.yaml --issuer https://example.eu.auth0.com/

  # where the export has an application's name alone, its id is told
  grantgate import auth0 export/ --client \"Nightly report=3tNcq8BzKmZ0pYwQ\"

Exports name applications; their ids are in them where they were made with
AUTH0_EXPORT_IDENTIFIERS=true, or are given with --client. A grant whose
application is not known is not imported, and named.

Exit codes:
  0  imported
  1  with --strict: something has no counterpart
  2  it cannot be read")]
pub(super) struct Options {
    /// `tenant.yaml`, or the folder of the directory form.
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    path: PathBuf,
    /// The tenant's issuer.
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// Where the APIs are: each gets a gate there, whose operations are then to be listed.
    #[arg(long, value_name = "URL")]
    upstream: Option<String>,
    /// The id of an application of which the export has the name alone; may be repeated.
    #[arg(long = "client", value_name = "NAME=ID", value_parser = client)]
    clients: Vec<(String, String)>,
    #[command(flatten)]
    into: Into,
}

fn client(text: &str) -> Result<(String, String), String> {
    match text.rsplit_once('=') {
        Some((name, id)) if !name.is_empty() && !id.is_empty() => {
            Ok((name.to_owned(), id.to_owned()))
        }
        _ => Err("write the name, `=` and the id".to_owned()),
    }
}

pub(super) fn execute(options: &Options) -> Result<Exit, String> {
    let tenant = options.path.join("tenant.yaml");
    let path = if tenant.is_file() { &tenant } else { &options.path };
    let export = if path.is_dir() {
        Export::of_directory(&files(path)?)
    } else {
        Export::of_tenant(&source(path)?)
    };
    let export = export.map_err(|error| match error {
        NoExport::Unreadable(report) => report.to_string(),
        foreign => format!("`{}`: {foreign}", path.display()),
    })?;
    let wanted = Wanted {
        issuer: options.issuer.clone(),
        upstream: options.upstream.clone(),
        clients: options.clients.clone(),
        ..Wanted::default()
    };
    let name = name(path);
    let imported = auth0(&export, &name.display().to_string(), &wanted);
    hand_out(&imported, &name, true, &options.into)
}

/// What a path is called: one that has no name of its own (`.`), as the folder it leads to.
fn name(path: &Path) -> PathBuf {
    let real = if path.file_name().is_none() { fs::canonicalize(path).ok() } else { None };
    real.as_deref().and_then(Path::file_name).map_or_else(|| path.to_owned(), PathBuf::from)
}

/// The files of the directory form, in the order of their names.
fn files(folder: &Path) -> Result<Vec<(Part, Source)>, String> {
    let mut files = Vec::new();
    for part in Part::ALL {
        let folder = folder.join(part.folder());
        if !folder.is_dir() {
            continue;
        }
        let entries = fs::read_dir(&folder).and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
        let entries = entries.map_err(|error| unreadable(&folder, &error))?;
        let mut paths: Vec<_> = entries.into_iter().map(|entry| entry.path()).collect();
        paths.retain(|path| path.extension().is_some_and(|kind| kind == "json"));
        paths.sort();
        for path in paths {
            files.push((part, source(&path)?));
        }
    }
    Ok(files)
}

fn source(path: &Path) -> Result<Source, String> {
    Ok(Source::new(path.display().to_string(), read(path)?))
}

fn unreadable(path: &Path, error: &std::io::Error) -> String {
    format!("`{}` cannot be read: {error}", path.display())
}
