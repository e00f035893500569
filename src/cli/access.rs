//! `access`: who may do what under a configuration.

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;

use super::out::Out;
use super::progress::Progress;
use super::{Exit, at, harmless, side, talk};
use crate::clock::now;
use crate::config::access::{Csv, Json, Question, Row, Table, Widths, access};
use crate::config::closest;
use crate::config::snapshot::Snapshot;
use crate::net::local::Gate;
use crate::policy::{self, UnixTime};

/// What `access` takes.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Options {
    /// The file or folder to read.
    #[arg(long, env = "GRANTGATE_CONFIG", default_value = "/etc/grantgate", value_name = "PATH")]
    config: PathBuf,

    /// Asks what a gate runs, as its admin listener tells it: `http://127.0.0.1:9181` or `unix:/PATH`.
    #[arg(long, value_name = "URL")]
    live: Option<Gate>,

    /// Who can use this scope.
    #[arg(long)]
    scope: Option<String>,

    /// What this application can do, by its id; it need not be listed.
    #[arg(long, value_name = "ID")]
    client: Option<String>,

    /// Everything on this API, by its identifier.
    #[arg(long, value_name = "IDENTIFIER")]
    api: Option<String>,

    /// On whose behalf.
    #[arg(long, value_enum, value_name = "TYPE")]
    subject_type: Option<SubjectType>,

    /// Who can call this: methods and path as they are written, or a method and a path.
    #[arg(long, value_name = "\"METHOD PATH\"")]
    operation: Option<String>,

    /// Applications of this issuer.
    #[arg(long)]
    issuer: Option<String>,

    /// At this time (RFC 3339); now when left out.
    #[arg(long, value_name = "TIME", value_parser = at::time)]
    at: Option<UnixTime>,

    /// How the answer is written.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

const EXAMPLES: &str = "\
Examples:
  # who can use the scope?
  grantgate access --scope write:orders

  # what can the application do?
  grantgate access --client nightly-batch

  # everything on the API
  grantgate access --api https://orders.example.com

  # what is asked together must all hold
  grantgate access --operation \"POST /orders\" --subject-type client

  # as it will be then, for a review
  grantgate access --at 2030-01-01T00:00:00Z --format csv > review.csv

Filters combine. Grants that have ended, policies of deny_all and grants that
admit no token give nothing, and are not shown. In CSV a cell that a
spreadsheet would take for a formula begins with an apostrophe.

Exit codes:
  0  somebody can
  1  nobody can
  2  the configuration cannot be read

JSON: one object
  {at, rows: [{
    api, caller: {kind, client_id, name, issuer, subject_type},
    by: {kind, grant_id, written_at}, scopes, operations, unlisted,
    authorization_details, organizations: {none, any, ids}, expires_at}]}

Of a gate that runs, grants are known by their ids: there is no written_at.";

/// On whose behalf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum SubjectType {
    #[value(name = "anonymous_user")]
    AnonymousUser,
    Client,
    User,
}

impl From<SubjectType> for policy::SubjectType {
    fn from(asked: SubjectType) -> Self {
        match asked {
            SubjectType::AnonymousUser => Self::AnonymousUser,
            SubjectType::Client => Self::Client,
            SubjectType::User => Self::User,
        }
    }
}

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people, in a terminal.
    Table,
    /// For spreadsheets (RFC 4180).
    Csv,
    /// One JSON object, with a line for each row.
    Json,
}

/// Answers: no when nobody can.
pub fn execute(options: &Options) -> Exit {
    let progress = Progress::new();
    let snapshot = match &options.live {
        Some(gate) => side::ask(gate, &progress),
        None => side::read(&options.config, &progress),
    };
    let Some(snapshot) = snapshot else { return Exit::Failed };
    drop(progress);
    let question = Question {
        api: options.api.clone(),
        client: options.client.clone(),
        issuer: options.issuer.clone(),
        operation: options.operation.clone(),
        scope: options.scope.clone(),
        subject_type: options.subject_type.map(Into::into),
    };
    let at = options.at.unwrap_or_else(now);
    // A reader that went away is no failure of ours.
    let mut count = 0;
    let _ = answer(options.format, &snapshot, &question, at, &mut count);
    unknown(&snapshot, &question);
    if count > 0 {
        return Exit::Yes;
    }
    if options.format == Format::Table {
        talk(format_args!("nobody can"));
    }
    Exit::No
}

fn answer(
    format: Format,
    snapshot: &Snapshot,
    question: &Question,
    at: UnixTime,
    count: &mut usize,
) -> fmt::Result {
    let mut out = Out::new();
    let mut each = |write: &mut dyn FnMut(&Row<'_>) -> fmt::Result| {
        access(snapshot, question, at, &mut |row| {
            *count += 1;
            write(row)
        })
    };
    match format {
        Format::Table => {
            let mut widths = Widths::default();
            access(snapshot, question, at, &mut |row| {
                widths.see(row, snapshot);
                Ok(())
            })?;
            let mut table = Table::new(&mut out, snapshot, widths);
            access(snapshot, question, at, &mut |row| {
                *count += 1;
                table.row(row)
            })
        }
        Format::Csv => {
            let mut csv = Csv::new(&mut out, snapshot)?;
            each(&mut |row| csv.row(row))
        }
        Format::Json => {
            let mut json = Json::new(&mut out, snapshot, at)?;
            each(&mut |row| json.row(row))?;
            json.end()
        }
    }
}

/// Says what of the question the configuration does not know, and what may be meant.
fn unknown(snapshot: &Snapshot, question: &Question) {
    let apis = || snapshot.apis.iter().map(|served| &served.api);
    if let Some(api) = &question.api {
        is_known("API", api, apis().map(|api| api.identifier.as_str()).collect());
    }
    if let Some(issuer) = &question.issuer {
        let issuers = snapshot.issuers.iter().map(|settings| settings.trust.issuer.as_str());
        is_known("issuer", issuer, issuers.collect());
    }
    if let Some(scope) = &question.scope {
        let scopes = apis().flat_map(|api| api.scopes.iter()).map(|name| &**name);
        is_known("scope", scope, scopes.collect());
    }
    if let Some(client) = &question.client {
        let listed = snapshot.clients.iter().map(|(_, client, _)| client.as_str());
        let named = snapshot.client_names.iter().map(|(_, client, _)| client.as_str());
        let holders = apis().flat_map(|api| api.grants.clients()).map(|(_, id)| id.as_str());
        is_known("application", client, listed.chain(named).chain(holders).collect());
    }
}

fn is_known(what: &str, word: &str, known: BTreeSet<&str>) {
    if known.contains(word) {
        return;
    }
    let word = harmless(word);
    let meant = closest(&word, known).map(|meant| format!("; did you mean `{}`?", harmless(meant)));
    talk(format_args!("the {what} `{word}` stands nowhere in it{}", meant.unwrap_or_default()));
}
