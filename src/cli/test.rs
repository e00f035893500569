//! `test`: runs policy suites, and tells which cases are decided otherwise than they say.

use std::path::PathBuf;

use clap::ValueHint;

use crate::clock::now;
use crate::config::{Code, Place, Report, Source};
use crate::reload::{Store, Surroundings};
use crate::suite::{self, Case, Coverage, Covered, Run, show};

use super::configuration::Configuration;
use super::{Exit, configuration, harmless, show as print, talk};

/// What `test` takes.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Options {
    /// The suites: files, or folders of them. Those that the configuration names when left out
    #[arg(value_name = "SUITE", value_hint = ValueHint::AnyPath)]
    suites: Vec<PathBuf>,

    /// The configuration that the suites speak of: a file or folder.
    #[arg(long, env = "GRANTGATE_CONFIG", default_value = "/etc/grantgate", value_name = "PATH")]
    config: PathBuf,

    /// How the answer is written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// Name the grants, operations and codes that no case touches; with a number, answer no where less
    /// than this percentage of them is touched
    #[arg(
        long,
        value_name = "PERCENT",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "0",
        value_parser = clap::value_parser!(u8).range(0..=100),
    )]
    coverage: Option<u8>,

    /// Run only the cases whose name holds this text; not with `--coverage`, which is about all of them
    #[arg(long, value_name = "TEXT", conflicts_with = "coverage")]
    filter: Option<String>,
}

/// How the answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people: what failed, as a difference, and the sum.
    Text,
    /// One JSON object: `{summary: {cases, passed, failed}, cases: [{suite, line, name, request, passed,
    /// expected, seen}], coverage}`.
    Json,
    /// XML for systems of continuous integration, as they know it of unit tests.
    Junit,
}

const EXAMPLES: &str = "\
Examples:
  # every suite of a folder
  grantgate test --config gateway.yaml policy-tests/

  # the suites that gateway.yaml names under `tests`, which must touch 80 % of
  # all grants, operations and codes
  grantgate test --config gateway.yaml --coverage=80

  # for continuous integration
  grantgate test --config gateway.yaml --format junit > results.xml

A suite:
  cases:
    - name: the web app reads orders for its users
      caller:
        {client_id: web-app, subject_type: user, scopes: [\"read:orders\"]}
      request: GET /orders/42
      expect: allow
    - name: nobody but billing refunds
      caller: {client_id: web-app, scopes: [\"refund:orders\"]}
      request: POST /refunds
      expect: grant-missing

Exit codes:
  0  all cases are decided as they say
  1  some are not, or too little is touched
  2  the configuration or a suite is wrong";

/// Runs the suites: yes when every case is decided as it says.
pub fn execute(options: &Options) -> Exit {
    answer(options).unwrap_or_else(|report| {
        talk(format_args!("{}", report.to_string().trim_end()));
        Exit::Failed
    })
}

fn answer(options: &Options) -> Result<Exit, Report> {
    let Configuration { loaded, .. } = configuration::read(&options.config)?;
    let (snapshot, mut report) = (loaded.snapshot, Report::default());
    let sources = if options.suites.is_empty() {
        let mut report = loaded.warnings;
        let named = suite::named(&snapshot, &Surroundings::default(), &mut report);
        if report.has_errors() {
            return Err(report);
        }
        named
    } else {
        given(&options.suites, &mut report)
    };
    let suites = suite::read(sources, &snapshot, now(), &mut report);
    if report.has_errors() {
        return Err(report);
    }
    if suites.is_empty() {
        talk(format_args!(
            "grantgate: there is no suite: name its files, `grantgate test policy-tests/`, or have the \
             configuration name them, `tests: {{suites: [policy-tests/orders.yaml]}}`"
        ));
        return Ok(Exit::Failed);
    }
    let is_meant =
        |case: &Case| options.filter.as_ref().is_none_or(|text| case.name.contains(text.as_str()));
    let mut coverage = Coverage::default();
    let run = |suite| suite::run(suite, &snapshot, is_meant, &mut coverage);
    let runs: Vec<_> = suites.iter().map(run).collect();
    if runs.iter().all(|run| run.findings.is_empty()) {
        let text = options.filter.as_deref().unwrap_or_default();
        talk(format_args!("grantgate: no case's name holds `{}`", harmless(text)));
        return Ok(Exit::Failed);
    }
    let covered = options.coverage.map(|_| coverage.of(&snapshot));
    write(options.format, &runs, covered.as_ref());
    Ok(ended(options, &runs, covered.as_ref()))
}

/// The suites that the command line names.
fn given(paths: &[PathBuf], report: &mut Report) -> Vec<Source> {
    let read = paths.iter().flat_map(|path| {
        Store::new(path).read().unwrap_or_else(|unreadable| {
            for error in &unreadable.errors {
                report.push(Code::ConfigUnreadable, &Place::nowhere(), error.to_string());
            }
            Vec::new()
        })
    });
    read.collect()
}

fn write(format: Format, runs: &[Run<'_>], covered: Option<&Covered>) {
    let text = match format {
        Format::Text => show::text(runs, covered),
        Format::Json => format!("{:#}", show::json(runs, covered)),
        Format::Junit => {
            // The format has no place for it.
            if let Some(covered) = covered {
                talk(format_args!("{}", harmless(show::coverage(covered).trim_end())));
            }
            show::junit(runs)
        }
    };
    print(format_args!("{}", harmless(text.trim_end())));
}

fn ended(options: &Options, runs: &[Run<'_>], covered: Option<&Covered>) -> Exit {
    let mut exit = Exit::Yes;
    if runs.iter().any(|run| run.failed().next().is_some()) {
        exit = Exit::No;
    }
    if let (Some(wanted), Some(covered)) = (options.coverage, covered)
        && covered.percent() < usize::from(wanted)
    {
        let percent = covered.percent();
        talk(format_args!("grantgate: {percent} % is touched, and {wanted} % are asked for"));
        exit = Exit::No;
    }
    exit
}
