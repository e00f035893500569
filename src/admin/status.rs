//! `/status`: how the gateway stands, as one JSON document with fields that keep their names.
//!
//! Everything comes from what decides now: the running snapshot, never what stands on disk. What is on
//! disk and cannot be taken is told apart from it, under `config.refused`. Secrets and tokens are in none
//! of it. Times are RFC 3339 in UTC; what is not known is null.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use tokio::sync::watch;

use crate::clock::now;
use crate::config::snapshot::{Listen, ServedApi, Snapshot};
use crate::keyring::{IssuerStatus, KeysFrom, LastError};
use crate::live::Live;
use crate::net::{Drain, Phase};
use crate::policy::{Enforcement, UnixTime};
use crate::reload::{ReloadOutcome, Status as Reloads};
use crate::telemetry::{Rfc3339, write_json};

use super::condition::{Condition, Conditions, all};

/// What the state is told from. Each part is asked whenever somebody asks.
pub struct State {
    /// The running configuration.
    pub snapshot: Live<Snapshot>,
    /// What became of attempts to take another.
    pub reloads: watch::Receiver<Reloads>,
    /// What is known of each issuer's keys.
    pub keys: Box<dyn Fn() -> Vec<IssuerStatus> + Send + Sync>,
    /// What is not as it should be.
    pub conditions: Arc<Conditions>,
    /// Client connections that are open.
    pub connections: Box<dyn Fn() -> u64 + Send + Sync>,
    /// How many workers there are.
    pub workers: usize,
    /// Where this is told.
    pub admin: Option<Listen>,
    /// Where the Management API is answered.
    pub management: Option<Listen>,
    /// When the gateway started.
    pub started_at: UnixTime,
    /// How far the gateway is from its end.
    pub drain: Drain,
}

impl State {
    /// The document, with a line end.
    pub(super) fn document(&self) -> Vec<u8> {
        let (snapshot, reloads, now) = (self.snapshot.load(), self.reloads.borrow().clone(), now());
        let document = Document {
            version: env!("CARGO_PKG_VERSION"),
            phase: match self.drain.phase() {
                Phase::Running => "running",
                Phase::Draining => "draining",
                Phase::Closing | Phase::Gone => "closing",
            },
            started_at: Rfc3339(self.started_at),
            uptime_seconds: seconds_between(self.started_at, now),
            workers: self.workers,
            connections: (self.connections)(),
            admin: self.admin.as_ref().map(ToString::to_string),
            management: self.management.as_ref().map(ToString::to_string),
            conditions: all(&self.conditions),
            config: Config::of(&snapshot, &reloads, now),
            issuers: (self.keys)().into_iter().map(|keys| IssuerState::of(keys, now)).collect(),
            apis: snapshot.apis.iter().map(|served| Api::of(served, &snapshot)).collect(),
        };
        let mut text = Vec::new();
        // Texts, numbers and lists are always JSON.
        let _ = write_json(&document, &mut text);
        text.push(b'\n');
        text
    }
}

#[derive(Serialize)]
struct Document<'a> {
    version: &'static str,
    /// `running`, `draining` (no longer ready, still accepting) or `closing`.
    phase: &'static str,
    started_at: Rfc3339,
    uptime_seconds: f64,
    workers: usize,
    connections: u64,
    /// Where this is told.
    admin: Option<String>,
    /// Where the Management API is answered.
    management: Option<String>,
    /// As in `/readyz`.
    conditions: Vec<Condition>,
    config: Config,
    issuers: Vec<IssuerState>,
    apis: Vec<Api<'a>>,
}

/// The running configuration, and what became of attempts to take another.
#[derive(Serialize)]
struct Config {
    generation: u64,
    sha256: String,
    loaded_at: Option<Rfc3339>,
    /// How long what is on disk is not known to be what runs.
    loaded_whole_seconds: f64,
    /// What the running one allows beyond the one before it, and no longer.
    access: Option<Changes>,
    /// What differs from what the gateway started with, and waits for a restart.
    restart_needed: Option<Vec<&'static str>>,
    warnings: Option<Vec<Value>>,
    warnings_text: Option<String>,
    last_attempt: Attempt,
    /// What is on disk and cannot be taken.
    refused: Option<Refused>,
}

#[derive(Serialize)]
struct Changes {
    gained: usize,
    lost: usize,
}

#[derive(Serialize)]
struct Attempt {
    /// `applied`, `unchanged` or `kept`.
    outcome: &'static str,
    at: Rfc3339,
    /// `start`, `files`, `poll`, `signal` or `management`.
    by: &'static str,
}

#[derive(Serialize)]
struct Refused {
    since: Rfc3339,
    diagnostics: Vec<Value>,
    text: String,
}

impl Config {
    fn of(snapshot: &Snapshot, reloads: &Reloads, now: UnixTime) -> Self {
        // The snapshot decides a moment before its attempt has ended and all is known of it.
        let known = (reloads.generation == snapshot.generation).then_some(&reloads.running);
        let refused = match &reloads.last {
            ReloadOutcome::Kept(report) => Some(Refused {
                since: Rfc3339(reloads.refused.map_or(reloads.last_at, |refused| refused.time)),
                diagnostics: report.diagnostics(),
                text: report.to_string(),
            }),
            ReloadOutcome::Applied(_) | ReloadOutcome::Unchanged => None,
        };
        Self {
            generation: snapshot.generation,
            sha256: snapshot.digest.to_string(),
            loaded_at: known.map(|_| Rfc3339(reloads.loaded_at)),
            loaded_whole_seconds: seconds_between(reloads.whole_at, now),
            access: known.map(|it| Changes { gained: it.gained, lost: it.lost }),
            restart_needed: known.map(|it| it.restart_needed.clone()),
            warnings: known.map(|it| it.diagnostics.clone()),
            warnings_text: known.map(|it| it.warnings.clone()),
            last_attempt: Attempt {
                outcome: reloads.last.as_str(),
                at: Rfc3339(reloads.last_at),
                by: reloads.last_by.as_str(),
            },
            refused,
        }
    }
}

/// One issuer, and its keys.
#[derive(Serialize)]
struct IssuerState {
    issuer: String,
    /// `configuration`, `jwks_uri` or `discovery`.
    source: &'static str,
    /// Without its query.
    jwks_uri: Option<String>,
    keys: usize,
    /// Of the first keys that have one.
    kids: Vec<String>,
    /// Why other keys were left out: the first of them.
    skipped: Vec<String>,
    age_seconds: Option<f64>,
    fetched_at: Option<Rfc3339>,
    last_error: Option<Fault>,
    /// Nobody asking; null while they are being fetched.
    next_refresh_seconds: Option<f64>,
}

#[derive(Serialize)]
struct Fault {
    at: Rfc3339,
    message: String,
}

/// How many of an issuer's `kid`s are told.
const MOST_KIDS: usize = 64;

impl IssuerState {
    fn of(status: IssuerStatus, now: UnixTime) -> Self {
        let (source, jwks_uri) = match status.source {
            KeysFrom::Fixed => ("configuration", None),
            KeysFrom::JwksUri(uri) => ("jwks_uri", uri.split('?').next().map(str::to_owned)),
            KeysFrom::Discovery => ("discovery", None),
        };
        Self {
            issuer: status.issuer.to_string(),
            source,
            jwks_uri,
            keys: status.keys,
            kids: status.kids.into_iter().take(MOST_KIDS).collect(),
            skipped: status.skipped,
            age_seconds: status.fetched_at.map(|at| seconds_between(at, now)),
            fetched_at: status.fetched_at.map(Rfc3339),
            last_error: status
                .last_error
                .map(|LastError { reason, at }| Fault { at: Rfc3339(at), message: reason }),
            next_refresh_seconds: status.next_attempt_in.map(|pause| pause.as_secs_f64()),
        }
    }
}

/// One API that is served.
#[derive(Serialize)]
struct Api<'a> {
    identifier: &'a str,
    /// None: any.
    hosts: Vec<String>,
    path_prefix: String,
    operations: usize,
    /// `enforce` or `report`.
    enforcement: &'static str,
    report_tokens: bool,
    upstream: Option<String>,
    /// The issuers that it trusts.
    issuers: Vec<&'a str>,
}

impl<'a> Api<'a> {
    fn of(served: &'a ServedApi, snapshot: &'a Snapshot) -> Self {
        let (enforcement, report_tokens) = match served.api.enforcement {
            Enforcement::Enforce => ("enforce", false),
            Enforcement::Report { tokens } => ("report", tokens),
        };
        Self {
            identifier: served.api.identifier.as_str(),
            hosts: served.hosts.iter().map(ToString::to_string).collect(),
            path_prefix: served.path_prefix.to_string(),
            operations: served.operations.iter().count(),
            enforcement,
            report_tokens,
            upstream: served.upstream.as_ref().map(ToString::to_string),
            issuers: served.trusted(snapshot).map(|trust| trust.issuer.as_str()).collect(),
        }
    }
}

/// How long it is from one time to another, and zero where a clock went back.
#[expect(clippy::cast_precision_loss, reason = "a time this long needs no milliseconds")]
fn seconds_between(from: UnixTime, to: UnixTime) -> f64 {
    to.milliseconds().saturating_sub(from.milliseconds()).max(0) as f64 / 1e3
}
