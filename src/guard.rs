//! The one async question: may this call pass?
//!
//! A worker owns one [`Guard`]. For each request it opens a [`Held`]: one snapshot and one time, from
//! start to end. Where the pure check lacks keys, the guard asks the control side for them once, waits,
//! and checks again; a second lack is the answer.

use std::cell::{Cell, OnceCell, RefCell};
use std::sync::Arc;

use crate::clock::now;
use crate::config::snapshot::{IssuerSettings, Snapshot};
use crate::gate::{Call, Code, Env, KeptCall, Outcome, Step, Verdict, check};
use crate::keyring::{FetchedKeys, KeyRequests};
use crate::live::{Live, Reader};
use crate::policy::UnixTime;
use crate::telemetry::Metrics;
use crate::token::{Parsed, VerifiedCache};

/// What one worker needs to answer whether a call may pass.
pub struct Guard {
    snapshot: RefCell<Reader<Snapshot>>,
    keys: RefCell<Reader<FetchedKeys>>,
    requests: KeyRequests,
    cache: VerifiedCache,
    /// What the metrics were told of the cache last: its tokens and their bytes.
    told: Cell<(usize, u64)>,
    metrics: Arc<Metrics>,
}

/// What one request holds from its start to its end.
pub struct Held {
    /// The configuration that decides it.
    pub snapshot: Arc<Snapshot>,
    /// The time that it is decided at.
    pub now: UnixTime,
    /// What stands at that time.
    pub standing: Standing,
    parsed: OnceCell<Arc<Parsed>>,
}

/// What decisions rest on besides the time: another one may decide otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    configuration: u64,
    keys: u64,
}

impl Held {
    /// The request's token, once it was taken apart.
    pub fn parsed(&self) -> Option<&Arc<Parsed>> {
        self.parsed.get()
    }
}

impl Guard {
    /// A guard over the running snapshot and keys.
    pub fn new(
        snapshot: &Live<Snapshot>,
        keys: &Live<FetchedKeys>,
        requests: KeyRequests,
        metrics: Arc<Metrics>,
    ) -> Self {
        let cache = VerifiedCache::with_capacity(snapshot.load().limits.token_cache_bytes);
        Self {
            snapshot: RefCell::new(snapshot.reader()),
            keys: RefCell::new(keys.reader()),
            requests,
            cache,
            told: Cell::new((0, 0)),
            metrics,
        }
    }

    /// Takes the snapshot and the time that one request will be decided by.
    pub fn open(&self) -> Held {
        let snapshot = self.snapshot.borrow_mut().load().clone();
        let keys = self.keys.borrow_mut().load().generation;
        let standing = Standing { configuration: snapshot.generation, keys };
        Held { snapshot, now: now(), standing, parsed: OnceCell::new() }
    }

    /// The same for a call that was made before and is asked about again.
    pub fn reopen(&self, call: &KeptCall) -> Held {
        let parsed = call.parsed().cloned().map(OnceCell::from).unwrap_or_default();
        Held { parsed, ..self.open() }
    }

    /// Whether `call` may pass.
    pub async fn admit<'a>(&self, held: &'a Held, call: &Call<'_>) -> Outcome<'a> {
        match self.check(held, call) {
            Step::Done(outcome) => outcome,
            Step::NeedKeys { issuer, kid, .. } => {
                self.requests.refresh(issuer, kid).await;
                match self.check(held, call) {
                    Step::Done(outcome) => outcome,
                    Step::NeedKeys { issuer, otherwise, .. } => {
                        self.without_keys(issuer, otherwise)
                    }
                }
            }
        }
    }

    /// What stands, with what only the keyring knows: when keys may be there that never came.
    fn without_keys<'a>(&self, issuer: &IssuerSettings, mut outcome: Outcome<'a>) -> Outcome<'a> {
        if let Verdict::Refuse(refusal) | Verdict::WouldRefuse(_, refusal) = &mut outcome.verdict {
            match refusal.code {
                Code::KeysUnavailable => {
                    refusal.retry_after = Some(self.requests.retry_after(issuer));
                }
                Code::TokenKeyUnknown => self.metrics.keys_unknown(&issuer.trust.issuer),
                _ => {}
            }
        }
        outcome
    }

    fn check<'a>(&self, held: &'a Held, call: &Call<'_>) -> Step<'a> {
        let keys = self.keys.borrow_mut().load().clone();
        let env = Env { keys: &*keys, cache: &self.cache, now: held.now };
        let step = check(&held.snapshot, &env, call, &held.parsed);
        let (hits, misses) = self.cache.counts();
        self.metrics.token_cache_hits.increment(hits);
        self.metrics.token_cache_misses.increment(misses);
        self.tell(self.cache.len(), self.cache.weight());
        step
    }

    /// Tells the metrics what the cache holds; other workers' caches add to it.
    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
    fn tell(&self, tokens: usize, bytes: u64) {
        let before = self.told.replace((tokens, bytes));
        if before != (tokens, bytes) {
            self.metrics.token_cache_entries.increment(tokens as f64 - before.0 as f64);
            self.metrics.token_cache_bytes.increment(bytes as f64 - before.1 as f64);
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.tell(0, 0);
    }
}
