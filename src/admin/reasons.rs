//! `POST /explain`: why the running configuration decides a request as it does, and what would change that.
//!
//! The one decision is asked, with the running snapshot and the keys at hand; nothing is counted or
//! recorded as traffic. Keys that are lacking are asked for once, and fetched no sooner than for a request.
//! All thinking is done on threads that may wait, one question at a time: whoever asks for health is
//! not held up. What would change the decision is told of the files, and only if they are what runs.

use std::cell::OnceCell;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, StatusCode};
use hyper::body::Incoming;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::clock::now;
use crate::config::load_with_inventory;
use crate::config::snapshot::{IssuerSettings, Snapshot};
use crate::explain::remedy::{Advice, Files, advise};
use crate::explain::{Explanation, Verdict, explain};
use crate::gate::{Env, Shown, Step, Supposed};
use crate::keyring::{FetchedKeys, KeyRequests};
use crate::live::Live;
use crate::policy::UnixTime;
use crate::reload::{Store, Surroundings, foreseen};
use crate::telemetry::write_json;
use crate::token::VerifiedCache;

use super::answer::Answer;
use super::body;
use super::question::Question;

/// What questions are answered from.
pub struct Grounds {
    /// The running configuration.
    pub snapshot: Live<Snapshot>,
    /// The keys at hand.
    pub keys: Live<FetchedKeys>,
    /// The way to newer ones.
    pub requests: KeyRequests,
    /// Where the configuration is.
    pub store: Store,
}

/// Who answers questions.
pub(super) struct Reasons {
    grounds: Arc<Grounds>,
    deciding: Arc<Semaphore>,
    advising: Arc<Semaphore>,
}

/// What is answered.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Reasoned {
    /// How the request is decided, rule by rule.
    pub explanation: Explanation,
    /// What would have to be otherwise; none where it is allowed.
    pub advice: Option<Advice>,
    /// Why none is there, though it is not allowed: nobody could think about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_advice: Option<String>,
}

impl Reasons {
    pub(super) fn new(grounds: Grounds) -> Self {
        let one = || Arc::new(Semaphore::new(1));
        Self { grounds: Arc::new(grounds), deciding: one(), advising: one() }
    }

    /// Answers a question.
    pub(super) async fn answer(&self, request: Request<Incoming>) -> Answer {
        let body = match body::read(request).await {
            Ok(body) => body,
            Err(answer) => return answer,
        };
        let refused = |line| Answer::text(StatusCode::BAD_REQUEST, format!("{line}\n"));
        let question = match Question::read(&body) {
            Ok(question) => question,
            Err(line) => return refused(line),
        };
        let snapshot = self.grounds.snapshot.load();
        let supposed = match question.supposed(&snapshot) {
            Ok(supposed) => Arc::new(supposed),
            Err(line) => return refused(line),
        };
        tracing::debug!(shown = shown(&supposed), "what would become of a request is asked");
        let case = Case { snapshot, supposed, at: question.at.unwrap_or_else(now) };
        match self.reasoned(case).await {
            Some(reasoned) => {
                let mut text = Vec::new();
                // Texts, numbers and lists are always JSON.
                let _ = write_json(&reasoned, &mut text);
                text.push(b'\n');
                Answer::json(text)
            }
            None => {
                Answer::text(StatusCode::INTERNAL_SERVER_ERROR, "nothing came of the question\n")
            }
        }
    }

    /// None where thinking broke off, which it never should.
    async fn reasoned(&self, case: Case) -> Option<Reasoned> {
        let (mut explanation, lack) = self.decide(case.clone()).await?;
        if let Some(Lack { issuer, kid }) = lack {
            self.grounds.requests.refresh(&issuer, kid.as_deref()).await;
            (explanation, _) = self.decide(case.clone()).await?;
        }
        if explanation.verdict == Verdict::Allowed {
            return Some(Reasoned { explanation, advice: None, no_advice: None });
        }
        let (advice, no_advice) = match self.advise(case).await {
            Ok(advice) => (Some(advice), None),
            Err(reason) => (None, Some(reason.to_owned())),
        };
        Some(Reasoned { explanation, advice, no_advice })
    }

    async fn decide(&self, case: Case) -> Option<(Explanation, Option<Lack>)> {
        let place = self.deciding.clone().acquire_owned().await.ok()?;
        let keys = self.grounds.keys.load();
        let thinking = spawn_blocking(move || {
            let _place = place;
            case.decide(&keys)
        });
        thinking.await.ok()
    }

    async fn advise(&self, case: Case) -> Result<Advice, &'static str> {
        let place = timeout(PATIENCE, self.advising.clone().acquire_owned()).await;
        let Ok(Ok(place)) = place else { return Err(OCCUPIED) };
        let (keys, store) = (self.grounds.keys.load(), self.grounds.store.clone());
        let thinking = spawn_blocking(move || {
            // Held for as long as it takes, also when nobody waits for it any more.
            let _place = place;
            case.advise(&keys, &store)
        });
        thinking.await.unwrap_or(Err(OCCUPIED))
    }
}

/// A request that is asked about, and what decides it.
#[derive(Clone)]
struct Case {
    snapshot: Arc<Snapshot>,
    supposed: Arc<Supposed>,
    at: UnixTime,
}

/// Keys that a decision lacks.
struct Lack {
    issuer: IssuerSettings,
    kid: Option<String>,
}

impl Case {
    fn decide(&self, keys: &FetchedKeys) -> (Explanation, Option<Lack>) {
        let (held, cache) = (OnceCell::new(), VerifiedCache::with_capacity(0));
        let env = Env { keys, cache: &cache, now: self.at };
        let (outcome, lack) = match self.supposed.ask(&self.snapshot, &env, &held) {
            Step::Done(outcome) => (outcome, None),
            Step::NeedKeys { issuer, kid, otherwise } => {
                let lack = Lack { issuer: issuer.clone(), kid: kid.map(str::to_owned) };
                (otherwise, Some(lack))
            }
        };
        let parsed = held.get().map(|parsed| &**parsed);
        (explain(&self.snapshot, &self.supposed, &outcome, parsed, self.at), lack)
    }

    fn advise(&self, keys: &FetchedKeys, store: &Store) -> Result<Advice, &'static str> {
        let sources = store.read().map_err(|_| ANOTHER)?;
        let length: usize = sources.iter().map(|source| source.text.len()).sum();
        if length > MOST_ADVISED {
            return Err(TOO_LONG);
        }
        let outside = Surroundings::default();
        let loaded = load_with_inventory(&sources, &outside, now()).map_err(|_| ANOTHER)?;
        let is_running = loaded.snapshot.digest == self.snapshot.digest;
        let inventory = loaded.inventory.as_deref().filter(|_| is_running).ok_or(ANOTHER)?;
        let snapshot = &loaded.snapshot;
        let files = Files { sources: &sources, snapshot, inventory, outside: &outside };
        Ok(foreseen(advise(&files, &self.supposed, keys, self.at), &sources))
    }
}

fn shown(supposed: &Supposed) -> &'static str {
    match supposed.shown {
        Shown::Claims(_) => "claims",
        Shown::Nothing => "nothing",
        Shown::Token(_) => "token",
    }
}

/// How long a question waits until another one was thought about.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest files that are thought about here, in bytes: it takes many times their length in memory,
/// which the gate that runs may not have.
const MOST_ADVISED: usize = 16 << 20;

const ANOTHER: &str = "the files on disk are not the configuration that runs";
const OCCUPIED: &str = "other questions are thought about: ask again";
const TOO_LONG: &str = "the files are too long to be thought about in a gate that runs: ask the files, with \
                        `explain --config`";
