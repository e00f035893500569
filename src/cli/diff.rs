//! `diff`: who gains and who loses what between two configurations.

use std::fmt::Write;
use std::path::PathBuf;

use clap::ValueHint;

use super::out::Out;
use super::progress::Progress;
use super::{Exit, at, side, talk};
use crate::clock::now;
use crate::config::AccessDiff;
use crate::net::local::Gate;
use crate::policy::UnixTime;

/// What `diff` takes.
#[derive(Debug, clap::Args)]
#[command(override_usage = USAGE, after_long_help = EXAMPLES)]
pub struct Options {
    /// The configuration as it was, and as it is to be: files or folders. With `--live` the latter alone.
    #[arg(value_name = "CONFIGURATION", required = true, num_args = 1..=2, value_hint = ValueHint::AnyPath)]
    sides: Vec<PathBuf>,

    /// Compares with what a gate runs, as its admin listener tells it: `http://127.0.0.1:9181` or
    /// `unix:/PATH`.
    #[arg(long, value_name = "URL")]
    live: Option<Gate>,

    /// Compares what is allowed from this time on (RFC 3339); from now on when left out.
    #[arg(long, value_name = "TIME", value_parser = at::time)]
    at: Option<UnixTime>,

    /// How the difference is written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// What makes the answer no (exit code 1).
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = FailOn::Gain)]
    fail_on: FailOn,
}

const USAGE: &str = "grantgate diff [OPTIONS] <OLD> <NEW>
       grantgate diff [OPTIONS] --live <URL> <NEW>";

const EXAMPLES: &str = "\
Examples:
  # may anybody do more than before?
  grantgate diff before.yaml after.yaml

  # what would change where it runs?
  grantgate diff --live http://127.0.0.1:9181 new/

  # nobody gains, loses, or is read otherwise
  grantgate diff old/ new/ --fail-on change

  # in a pull request, against the main branch
  git worktree add --detach ../main origin/main
  grantgate diff ../main/policy policy --format markdown > comment.md

It is empty exactly when both decide alike about every request, from --at on:
scopes and operations, the least token that opens each of them, organizations,
authorization details, and when grants end. Where an API is served and how
tokens are read is shown as changed; where that may let somebody in who was
not before, it counts for --fail-on gain. Keys and secrets, upstreams, limits,
CORS, WebSocket upgrades and headers are not compared.

Exit codes:
  0  nothing that --fail-on names
  1  something of it
  2  a configuration cannot be read

JSON: one object; what is empty is left out of `gained` and `lost`
  {at, summary: {callers_gaining, callers_losing, changed},
   callers: [{
    api, caller: {kind, client_id, name, issuer, subject_type},
    gained: {
     scopes, operations,
     operations_with: [{operation, scopes, authorization_details}],
     authorization_details, organizations, any_organization,
     no_organization, time: {from, until}, unlisted, above_ceiling, beside,
     audiences, report_only, report_only_operations, report_only_tokens},
    lost: likewise}],
   changed: [{api, what, old, new, may_admit}]}";

/// How a difference is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people, in a terminal.
    Text,
    /// For pull requests: tables, never more than GitHub takes.
    Markdown,
    /// One JSON object, with a line for each caller.
    Json,
}

/// What makes the answer no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum FailOn {
    /// Somebody gains access, or may by what changed.
    Gain,
    /// Anything differs.
    Change,
    /// Nothing.
    Never,
}

/// Compares: no when access differs as `--fail-on` says.
pub fn execute(options: &Options) -> Exit {
    let progress = Progress::new();
    let (old, new) = match (&options.live, options.sides.as_slice()) {
        (None, [old, new]) => (side::read(old, &progress), side::read(new, &progress)),
        (Some(gate), [new]) => (side::ask(gate, &progress), side::read(new, &progress)),
        (None, _) => {
            talk(format_args!("grantgate: name two configurations, or one and `--live`"));
            return Exit::Failed;
        }
        (Some(_), _) => {
            talk(format_args!("grantgate: with `--live` name the new configuration alone"));
            return Exit::Failed;
        }
    };
    let (Some(old), Some(new)) = (old, new) else { return Exit::Failed };
    let at = options.at.unwrap_or_else(now);
    progress.say("comparing");
    let diff = AccessDiff::watched(&old, &new, at, &mut |done, total| {
        progress.count("comparing", done, total);
    });
    drop(progress);
    // A reader that went away is no failure of ours.
    let mut out = Out::new();
    let _ = match options.format {
        Format::Text if diff.is_empty() => {
            talk(format_args!("nobody gains or loses access"));
            Ok(())
        }
        Format::Text => {
            diff.write_text(&mut out, true).and_then(|()| writeln!(out, "\n{}", diff.sum()))
        }
        Format::Markdown => out.write_str(&diff.to_markdown()),
        Format::Json => diff.write_json(&mut out, at),
    };
    let is_refused = match options.fail_on {
        FailOn::Gain => diff.may_admit(),
        FailOn::Change => !diff.is_empty(),
        FailOn::Never => false,
    };
    if is_refused { Exit::No } else { Exit::Yes }
}
