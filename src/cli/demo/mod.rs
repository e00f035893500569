//! `demo`: a local issuer, an API that echoes, and the gate before it, with requests to try.
//!
//! The gate is the ordinary one, on a small configuration that is written to disk and reloads when it is
//! edited. `--once` sends the requests itself, edits the configuration too, and compares what came.

mod cases;
mod folder;
mod issuer;
mod loopback;
mod once;
mod upstream;

use std::fmt::Write;
use std::fs;
use std::future::pending;
use std::io;
use std::path::{Path, PathBuf};

use crate::clock::now;
use crate::config::snapshot::Listen;
use crate::suite::Demand;

use self::cases::{Case, cases};
use self::folder::Folder;
use self::issuer::Issuer;

use super::{Exit, run, show, talk};

/// What `demo` takes.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Options {
    /// Sends the requests itself, compares, and ends: 0 when all came as expected.
    #[arg(long)]
    once: bool,
    /// Keeps the configuration in this folder, which must not exist yet. Without it a folder among the
    /// temporary files is used, and removed at the end.
    #[arg(long, value_name = "PATH", value_hint = clap::ValueHint::DirPath)]
    folder: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  # an issuer, an API and the gate on loopback, with requests to paste
  grantgate demo

  # the same, sent and compared by itself
  grantgate demo --once

  # keep the configuration, to go on from it
  grantgate demo --folder ./first-steps";

/// Runs the demo.
pub fn execute(options: Options) -> Exit {
    run::on_control_runtime(async {
        demo(options).await.unwrap_or_else(|error| {
            talk(format_args!("demo: {error}"));
            Exit::Failed
        })
    })
}

async fn demo(options: Options) -> io::Result<Exit> {
    let issuer = Issuer::start().await?;
    let upstream = upstream::start().await?;
    let folder = Folder::create(options.folder)?;
    let file = folder.path().join("grantgate.yaml");
    let configuration = include_str!("config.yaml")
        .replace("ISSUER", &issuer.url)
        .replace("UPSTREAM", &format!("http://{upstream}"));
    fs::write(&file, configuration)?;

    let cases = cases(now().seconds());
    let exit = if options.once {
        once(folder.path(), &issuer, &cases, &file).await
    } else {
        invite(folder.path(), &issuer, &cases, &file).await
    };
    exit.or_else(|failure| match failure {
        Failure::Told(exit) => Ok(exit),
        Failure::System(error) => Err(error),
    })
}

/// Why the demo ended before its time.
enum Failure {
    /// It has been said already.
    Told(Exit),
    System(io::Error),
}

impl From<Exit> for Failure {
    fn from(exit: Exit) -> Self {
        Self::Told(exit)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

/// Sends the requests itself. Nothing but their table is shown.
async fn once(
    folder: &Path,
    issuer: &Issuer,
    cases: &[Case],
    file: &Path,
) -> Result<Exit, Failure> {
    let app = run::bind(run::load(folder, Demand::AsWritten).await?, io::sink()).await?;
    let exit = once::run(&app, issuer, cases, file).await;
    app.leave(pending()).await;
    Ok(exit?)
}

/// Tells what to try, and runs until it is told to end.
async fn invite(
    folder: &Path,
    issuer: &Issuer,
    cases: &[Case],
    file: &Path,
) -> Result<Exit, Failure> {
    let headers = write_tokens(folder, issuer, cases)?;
    let signals = run::Signals::catch()?;
    let app = run::start(folder, Demand::AsWritten).await?;
    let mut invitation = invitation(app.traffic(), file, cases, &headers);
    if let Some(admin) = app.admin() {
        // Writing to a String cannot fail.
        let _ = write!(
            invitation,
            "\n\nThe gate that runs answers `explain`, `access` and `diff` itself, with --live http://{admin}"
        );
    }
    show(format_args!(
        "{invitation}\n\nThe lines of JSON that follow here are the records of its decisions.\n\nCtrl-C ends it."
    ));
    Ok(run::until_signalled(app, signals).await)
}

/// Writes each case's token as a header that curl reads from its file.
fn write_tokens(
    folder: &Path,
    issuer: &Issuer,
    cases: &[Case],
) -> io::Result<Vec<Option<PathBuf>>> {
    let folder = folder.join("tokens");
    fs::create_dir(&folder)?;
    cases
        .iter()
        .map(|case| {
            let Some(claims) = case.claims.clone() else { return Ok(None) };
            let file = folder.join(case.name);
            fs::write(&file, format!("Authorization: Bearer {}\n", issuer.token(claims)?))?;
            Ok(Some(file))
        })
        .collect()
}

/// What the demo prints: what runs where, and a request to paste per case.
fn invitation(gate: &Listen, file: &Path, cases: &[Case], headers: &[Option<PathBuf>]) -> String {
    let mut text = format!(
        "The gate stands at http://{gate} before an API that echoes. Its configuration is\n\n    {}\n\n\
         Edit it, and the next request is decided by what you saved. Requests to paste:\n",
        file.display()
    );
    for (case, header) in cases.iter().zip(headers) {
        let outcome = match case.code {
            Some(code) => format!("{} {code}", case.status),
            None => format!("{}, passed on", case.status),
        };
        let method = match case.method {
            http::Method::GET => String::new(),
            ref method => format!("-X {method} "),
        };
        let header =
            header.as_ref().map(|file| format!("-H @{} ", file.display())).unwrap_or_default();
        let (shows, path) = (case.shows, case.path);
        // Writing to a String cannot fail.
        let _ =
            write!(text, "\n# {shows}: {outcome}\ncurl -i {method}{header}http://{gate}{path}\n");
    }
    // The first that is refused though its token is right: of that there is most to say.
    let refused = cases.iter().zip(headers).find_map(|(case, header)| {
        Some((case, header.as_ref().filter(|_| case.code.is_some() && case.status == 403)?))
    });
    if let Some((Case { method, path, .. }, header)) = refused {
        let _ = write!(
            text,
            "\n# Why is one refused, and what would have to change?\n\
             grantgate explain --config {} {method} http://{gate}{path} @{}\n",
            file.display(),
            header.display(),
        );
    }
    text.truncate(text.trim_end().len());
    text
}
