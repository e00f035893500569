//! `explain`: says why a request is allowed or refused, rule by rule, and what would change that.
//!
//! | file | |
//! |---|---|
//! | `question` | what is asked, from the command line and where tokens come from |
//! | `record` | a decision that was logged |
//! | `replay` | what was asked then |
//! | `answer` | all that is shown, and how |
//! | `patch` | the change that is suggested, alone |
//!
//! The files are read, keys are fetched where a signature is to be checked, and nothing is written.

mod answer;
mod patch;
mod question;
mod record;
mod replay;

use std::cell::OnceCell;
use std::path::PathBuf;
use std::sync::Arc;

use super::keys::fetched;
use super::{Exit, at, configuration, harmless, live, talk};
use crate::admin::Reasoned;
use crate::clock::now;
use crate::config::snapshot::{IssuerSettings, KeySource, RemoteKeys, Snapshot};
use crate::config::{Source, Style, load_with_inventory};
use crate::explain::remedy::{Advice, Files, advise};
use crate::explain::{Explanation, Verdict, explain};
use crate::gate::{Env, Keys, Step, Supposed};
use crate::net::local::Gate;
use crate::policy::{Issuer, UnixTime};
use crate::reload::{Surroundings, foreseen};
use crate::token::{KeySet, VerifiedCache};

pub use answer::{Answer, print};
use record::Logged;

const USAGE: &str = "grantgate explain [OPTIONS] [METHOD] <URL> [SOURCE]
       grantgate explain [OPTIONS] --decision <ID> --log <FILE>";

const EXAMPLES: &str = "\
Examples:
  # why is this token refused? It comes from a pipe, a file, or the variable
  # GRANTGATE_TOKEN
  grantgate explain GET https://orders.example.com/orders/1 < token.txt
  grantgate explain POST /orders @token.txt --config gateway.yaml

  # what would become of a token that says this? No signature is needed:
  # {\"iss\": \"https://example.eu.auth0.com/\", \"sub\": \"auth0|1\",
  #  \"aud\": \"https://orders.example.com\", \"azp\": \"web-app\",
  #  \"scope\": \"read:orders\"}
  grantgate explain --claims GET /orders/1 < claims.json

  # what becomes of a request without a token?
  grantgate explain --no-token GET https://orders.example.com/healthz

  # why was a logged request refused?
  grantgate explain --decision 59e014223e782b0f --log gate.log

  # what does the gate that runs say?
  grantgate explain --live http://127.0.0.1:9181 GET /orders/1 @token.txt

  # make the change that is suggested
  grantgate explain --format patch --claims GET /orders/1 @claims.json \\
    | patch -p0

Exit codes:
  0  allowed
  1  refused, or would be
  2  there is no answer

JSON: one object, {explanation, advice, recorded}
  explanation  {verdict: allowed | refused | would_refuse, refusal: {code,
               rule, status, title, detail, hint, missing, excess, allow,
               contact}, time, request, api, operation, caller, grant,
               scopes, authorization_details, rules: [{rule, name, outcome:
               passed | refused | not_reached | not_needed, saw}]}
  advice       nothing, or {request: WORDS}, or {change: {instead, steps:
               [{words, at, yaml}], caution, files:
               [{name, diff, masked}]}}
  recorded     with --decision: {decision_id, time, decision, code, same,
               remark}";

/// What `explain` takes.
#[derive(Debug, clap::Args)]
#[command(override_usage = USAGE, after_long_help = EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
pub struct Options {
    /// The request: a method (GET where none is written) and a URL, or a path where it is clear whose.
    /// Behind it, where the token is: `@FILE`, or `-` for standard input. By default the variable
    /// `GRANTGATE_TOKEN`, else standard input.
    #[arg(value_name = "REQUEST", num_args = 1..=3, required_unless_present = "decision")]
    words: Vec<String>,
    /// The file or folder with the configuration.
    #[arg(long, env = "GRANTGATE_CONFIG", default_value = "/etc/grantgate", value_name = "PATH")]
    config: PathBuf,
    /// Asks the gate that runs, at its admin listener: `http://127.0.0.1:9181` or `unix:/PATH`. It answers
    /// by the configuration and the keys that decide there.
    #[arg(long, value_name = "URL", conflicts_with = "decision")]
    live: Option<Gate>,
    /// The API that a path is meant for.
    #[arg(long, value_name = "IDENTIFIER", conflicts_with = "decision")]
    api: Option<String>,
    /// Reads a token's claims, a JSON object, and believes them.
    #[arg(long, conflicts_with_all = ["decision", "no_token"])]
    claims: bool,
    /// Asks about a request that shows no token.
    #[arg(long, conflicts_with = "decision")]
    no_token: bool,
    /// Fetches no keys: believes the token without its signature.
    #[arg(long, conflicts_with_all = ["claims", "decision", "no_token"])]
    offline: bool,
    /// The time to decide at, such as `2030-01-01T00:00:00Z`; now by default.
    #[arg(long, value_name = "TIME", value_parser = at::time, conflicts_with = "decision")]
    at: Option<UnixTime>,
    /// A decision that was logged, by its `decision_id`.
    #[arg(long, value_name = "ID", conflicts_with = "words")]
    decision: Option<String>,
    /// Where decision records are, one JSON object a line; `-` for standard input.
    #[arg(long, value_name = "FILE", requires = "decision", value_hint = clap::ValueHint::FilePath)]
    log: Option<PathBuf>,
    /// How to answer.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Prints the patch also where something else is done in most cases.
    #[arg(long)]
    even_so: bool,
}

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object, described below.
    Json,
    /// The change that is suggested, for `patch -p0`; nothing where there is none, or something else is
    /// done in most cases. What to mind is said on standard error.
    Patch,
}

/// Explains: yes when the request is allowed.
pub fn execute(options: &Options) -> Exit {
    match answer(options) {
        Ok(answer) => print(&answer, options.format, options.even_so),
        Err(why) => {
            talk(format_args!("grantgate: {}", harmless(why.trim_end())));
            Exit::Failed
        }
    }
}

fn answer(options: &Options) -> Result<Answer, String> {
    if let Some(gate) = &options.live {
        let question = question::for_gate(options, options.at.unwrap_or_else(now))?;
        let Reasoned { explanation, advice, no_advice } = live::explain(gate, &question)?;
        if let Some(reason) = no_advice {
            talk(format_args!("grantgate: no change is suggested: {}", harmless(&reason)));
        }
        if let Some(Advice::Change(_)) = &advice {
            talk(format_args!(
                "grantgate: the files are named as in the folder of the gate at `{gate}`"
            ));
        }
        return Ok(Answer { explanation, advice, recorded: None });
    }
    if options.decision.is_some() && options.log.is_none() {
        return Err(
            "the log is what `run` prints on standard output: `--log FILE`, or `--log -` for \
                    standard input"
                .to_owned(),
        );
    }
    let read =
        configuration::read(&options.config).map_err(|report| report.render(Style::Plain))?;
    let snapshot = &read.loaded.snapshot;
    if let (Some(id), Some(log)) = (&options.decision, &options.log) {
        return logged(&record::find(log, id)?, snapshot, &read.sources);
    }
    let at = options.at.unwrap_or_else(now);
    let supposed = question::read(options, snapshot, at)?;
    let (explanation, keys) = explained(snapshot, &supposed, at)?;
    let advice = advice(&read.sources, &supposed, at, &explanation, &keys)?;
    Ok(Answer { explanation, advice, recorded: None })
}

fn logged(record: &Logged, snapshot: &Snapshot, sources: &[Source]) -> Result<Answer, String> {
    let replayed = replay::replay(record, snapshot)?;
    let advice = if let Some((supposed, at)) = &replayed.asked {
        advice(sources, supposed, *at, &replayed.explanation, &Known::default())?
    } else {
        let refused = replayed.explanation.refusal.as_ref();
        refused.map(|refused| Advice::Request(refused.hint.clone()))
    };
    Ok(replayed.answer(advice))
}

/// The explanation of what becomes of a request, with the keys that had to be fetched for it.
fn explained(
    snapshot: &Snapshot,
    supposed: &Supposed,
    now: UnixTime,
) -> Result<(Explanation, Known), String> {
    let (cache, mut keys) = (VerifiedCache::with_capacity(0), Known::default());
    loop {
        let held = OnceCell::new();
        let env = Env { keys: &keys, cache: &cache, now };
        let (outcome, lacking) = match supposed.ask(snapshot, &env, &held) {
            Step::Done(outcome) => (outcome, None),
            Step::NeedKeys { issuer, otherwise, .. } => (otherwise, Some(issuer)),
        };
        match lacking.filter(|issuer| !keys.has(issuer)) {
            None => {
                let parsed = held.get().map(|parsed| &**parsed);
                return Ok((explain(snapshot, supposed, &outcome, parsed, now), keys));
            }
            Some(issuer) => {
                let new = fetched(issuer).map_err(|why| {
                    format!("{why}; `--offline` believes the token without its signature")
                })?;
                keys.add(issuer, new);
            }
        }
    }
}

/// What would have to be otherwise, where the request is not allowed.
fn advice(
    sources: &[Source],
    supposed: &Supposed,
    at: UnixTime,
    explanation: &Explanation,
    keys: &dyn Keys,
) -> Result<Option<Advice>, String> {
    if explanation.verdict == Verdict::Allowed {
        return Ok(None);
    }
    let outside = Surroundings::default();
    let loaded = load_with_inventory(sources, &outside, now())
        .map_err(|report| report.render(Style::Plain))?;
    let Some(inventory) = &loaded.inventory else { return Ok(None) };
    let files = Files { sources, snapshot: &loaded.snapshot, inventory, outside: &outside };
    Ok(Some(foreseen(advise(&files, supposed, keys, at), sources)))
}

/// The keys that were fetched for one question.
#[derive(Default)]
struct Known(Vec<(Issuer, RemoteKeys, Arc<KeySet>)>);

impl Known {
    fn has(&self, issuer: &IssuerSettings) -> bool {
        self.0.iter().any(|(known, ..)| *known == issuer.trust.issuer)
    }

    fn add(&mut self, issuer: &IssuerSettings, keys: Arc<KeySet>) {
        if let KeySource::Remote(source) = &issuer.keys {
            self.0.push((issuer.trust.issuer.clone(), source.clone(), keys));
        }
    }
}

impl Keys for Known {
    fn find(&self, issuer: &Issuer, source: &RemoteKeys) -> Option<&KeySet> {
        let known = self.0.iter().find(|(known, from, _)| known == issuer && from == source);
        known.map(|(.., keys)| &**keys)
    }
}
