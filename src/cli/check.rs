//! `check`: reads a configuration and reports every problem in it, for people or for programs.

use std::io::{self, IsTerminal};
use std::path::PathBuf;

use crate::clock::now;
use crate::config::{Report, Style, load};
use crate::reload::{Store, Surroundings};
use crate::suite::{self, Demand};

use super::progress::Progress;
use super::{Exit, harmless, show, talk};

/// What `check` takes.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Options {
    /// The file or folder to read.
    #[arg(long, env = "GRANTGATE_CONFIG", default_value = "/etc/grantgate", value_name = "PATH")]
    config: PathBuf,

    /// How the report is written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

const EXAMPLES: &str = "\
Examples:
  # every problem of one file, or of all files in a folder
  grantgate check --config gateway.yaml
  grantgate check --config /etc/grantgate

  # beside the lines of a pull request
  grantgate check --config gateway.yaml --format github

  # the codes of what is suspicious, for a script
  grantgate check --config gateway.yaml --format json \\
    | jq -r '.diagnostics[].code'

Warnings that are meant:
  A comment allows them, with the reason: on their line or above it, for its
  whole file, or (`allow-everywhere`) for all files, where some hold no
  comments.
  # grantgate: allow scope-ungranted: given out next quarter
  # grantgate: allow-file grant-elsewhere: one tenant file for all gates";

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people: each problem with its lines and what to write instead.
    Text,
    /// One JSON object: `{summary: {errors, warnings, allowed, files}, diagnostics: [{code, severity, file,
    /// line, column, end, path, message, help, related}]}`.
    Json,
    /// Workflow commands that GitHub shows beside the lines.
    Github,
}

/// Checks the configuration: yes when the gate would take it.
pub fn execute(options: &Options) -> Exit {
    let progress = Progress::new();
    let name = options.config.display().to_string().replace('\n', " ");
    progress.say(&format!("reading {}", harmless(&name)));
    let sources = match Store::new(&options.config).read() {
        Ok(sources) => sources,
        Err(unreadable) => {
            drop(progress);
            match options.format {
                Format::Text => talk(format_args!("{}", unreadable.report())),
                Format::Json | Format::Github => write(&unreadable.report(), options.format),
            }
            return Exit::Failed;
        }
    };
    let (outside, now) = (Surroundings::default(), now());
    let loaded = load(&sources, &outside, now)
        .and_then(|loaded| suite::hold(loaded, &outside, now, Demand::AsWritten));
    let (report, exit) = match loaded {
        Ok(loaded) => (loaded.warnings, Exit::Yes),
        Err(report) => (report, Exit::No),
    };
    drop(progress);
    if report.iter().next().is_none() && options.format != Format::Json {
        let allowed = match report.allowed() {
            0 => String::new(),
            1 => ", and 1 warning that is allowed".to_owned(),
            count => format!(", and {count} warnings that are allowed"),
        };
        talk(format_args!("no problems in `{}`{allowed}", harmless(&name)));
        return exit;
    }
    write(&report, options.format);
    exit
}

fn write(report: &Report, format: Format) {
    match format {
        Format::Text => {
            let style = if io::stdout().is_terminal() { Style::Colour } else { Style::Plain };
            show(format_args!("{}", report.render(style).trim_end()));
        }
        Format::Json => show(format_args!("{}", harmless(&format!("{:#}", report.to_json())))),
        Format::Github => show(format_args!("{}", report.to_github().trim_end())),
    }
}
