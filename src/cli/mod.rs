//! The command line: one file per verb. Data goes to standard output, talk to standard error.

mod access;
mod at;
mod check;
mod completions;
mod configuration;
mod demo;
mod diff;
mod exit;
mod explain;
mod health;
mod import;
mod inspect_token;
mod keys;
mod live;
mod man;
mod out;
mod progress;
mod run;
mod schema;
mod side;
mod test;
mod token;

use std::fmt;
use std::io::{self, Write};

use clap::{Parser, Subcommand};

pub use exit::Exit;

use crate::screen::harmless;

/// A reverse proxy that lets through only what an application's client grant allows.
#[derive(Debug, Parser)]
#[command(name = "grantgate", version, about, arg_required_else_help = true)]
#[command(after_long_help = EXAMPLES)]
pub struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

const EXAMPLES: &str = "\
Examples:
  # see it work, on loopback
  grantgate demo

  # is this configuration right, and what is suspicious in it?
  grantgate check --config gateway.yaml

  # run it
  grantgate run --config gateway.yaml

  # why is this refused, and what would have to change?
  grantgate explain GET /orders/1 @token.jwt --config gateway.yaml

  # what does this token say, and would it be taken?
  grantgate inspect-token @token.jwt --config gateway.yaml --verify

Exit codes:
  0  yes: it is done, or the answer is yes
  1  no: the configuration has errors, the request is refused, a test failed
  2  there is no answer: usage, what cannot be read, what cannot start";

#[derive(Debug, Subcommand)]
enum Verb {
    /// Says who may do what: who can use a scope, what an application can do, everything on an API.
    Access(access::Options),
    /// Reads a configuration and reports every problem in it.
    Check(check::Options),
    /// Prints a script that completes commands in a shell.
    Completions(completions::Options),
    /// Runs a local issuer, an API and the gate before it, with requests to try.
    Demo(demo::Options),
    /// Says who gains and who loses what between two configurations.
    Diff(diff::Options),
    /// Says why a request is allowed or refused, rule by rule, and what would change that.
    Explain(explain::Options),
    /// Asks a running gate whether it is ready: exits with 0 when it is, 1 when not, 2 without answer.
    Health(health::Options),
    /// Makes a configuration of an Auth0 tenant export, or operations of an OpenAPI document.
    Import(import::Options),
    /// Shows what a token says, and what each signal in it is taken for.
    InspectToken(inspect_token::Options),
    /// Writes the manual pages.
    Man(man::Options),
    /// Runs the gate.
    Run(run::Options),
    /// Prints the configuration's JSON Schema, for editors.
    Schema(schema::Options),
    /// Runs policy suites: cases that say how requests must be decided.
    Test(test::Options),
}

impl Cli {
    /// Does what the command line asks, and says how it ended.
    pub fn execute(self) -> Exit {
        match self.verb {
            Verb::Access(options) => access::execute(&options),
            Verb::Check(options) => check::execute(&options),
            Verb::Completions(options) => completions::execute(&options),
            Verb::Demo(options) => demo::execute(options),
            Verb::Diff(options) => diff::execute(&options),
            Verb::Explain(options) => explain::execute(&options),
            Verb::Health(options) => health::execute(&options),
            Verb::Import(options) => import::execute(&options),
            Verb::InspectToken(options) => inspect_token::execute(&options),
            Verb::Man(options) => man::execute(&options),
            Verb::Run(options) => run::execute(&options),
            Verb::Schema(options) => schema::execute(&options),
            Verb::Test(options) => test::execute(&options),
        }
    }
}

/// Writes a line of data. A reader that went away is no failure of ours.
fn show(line: fmt::Arguments<'_>) {
    let _ = writeln!(io::stdout().lock(), "{line}");
}

/// Writes a line of talk.
fn talk(line: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}
