//! The task that keeps one issuer's keys fresh.
//!
//! It fetches at once, and then whenever it is time: when the keys are not fresh any more as their host
//! says, within [`FRESH_LEAST`] and [`FRESH_MOST`]; when a request asks; after the back-off, where a
//! fetch failed. One that fails leaves the keys where they are until they are older than the issuer's
//! `max_stale`: whether they were taken back meanwhile cannot be told.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::config::snapshot::RemoteKeys;
use crate::net::fetch::Fetcher;
use crate::policy::Issuer;

use super::discovery::{Fetched, Found, fetch_keys};
use super::refresh::{Phase, Standing, Wishes};
use super::{Outcome, Ring};

/// Who fetches one issuer's keys.
pub(super) struct Keeper {
    pub(super) issuer: Issuer,
    pub(super) source: RemoteKeys,
    pub(super) fetcher: Fetcher,
    pub(super) ring: Arc<Ring>,
    pub(super) wanted: watch::Receiver<Wishes>,
    pub(super) progress: watch::Sender<Standing>,
}

impl Keeper {
    /// Fetches, for as long as anybody is there to do it for.
    pub(super) async fn keep(mut self) {
        let mut back_off = BACK_OFF_FIRST;
        let mut last: Option<Found> = None;
        for round in 1.. {
            self.progress.send_modify(|standing| standing.phase = Phase::Fetching);
            let found = fetch_keys(&self.fetcher, &self.issuer, &self.source, last.as_ref()).await;
            let (outcome, pause) = match found {
                Ok(found) => {
                    self.ring.install(&self.issuer, &self.source, &found.keys.keys);
                    back_off = BACK_OFF_FIRST;
                    let fresh_for = found.document.fresh_for.unwrap_or(FRESH);
                    let fetched = found.keys.clone();
                    last = Some(found);
                    (Ok(fetched), jittered(fresh_for.min(FRESH_MOST)).max(FRESH_LEAST))
                }
                Err(error) => {
                    self.discard_stale();
                    let pause = jittered(back_off);
                    back_off = (back_off * 2).min(BACK_OFF_LONGEST);
                    (Err(error), pause)
                }
            };
            let next = Instant::now() + pause;
            self.tell(&outcome);
            self.progress.send_modify(|standing| standing.end(round, outcome, next));
            if !self.rest(round, next).await {
                return;
            }
        }
    }

    /// Takes the keys away if they are too old.
    fn discard_stale(&self) {
        let max_stale = self.wanted.borrow().max_stale;
        let is_stale = |standing: &Standing| {
            standing.fetched.as_ref().is_some_and(|last| last.at.elapsed() >= max_stale)
        };
        if is_stale(&self.progress.borrow()) {
            self.ring.discard(&self.issuer, &self.source);
            self.progress.send_modify(|standing| standing.fetched = None);
            tracing::error!(
                issuer = self.issuer.as_str(),
                "keys are too old: they are not used any more"
            );
        }
    }

    /// Waits until the next round is to begin. False when nobody is left to do it for.
    async fn rest(&mut self, round: u64, next: Instant) -> bool {
        loop {
            let wanted = *self.wanted.borrow_and_update();
            let stale =
                self.progress.borrow().fetched.as_ref().map(|last| last.at + wanted.max_stale);
            let asked = (wanted.round > round).then_some(wanted.not_before);
            let begin = [stale, asked].into_iter().flatten().fold(next, Instant::min);
            tokio::select! {
                () = sleep_until(begin) => return true,
                changed = self.wanted.changed() => if changed.is_err() { return false },
            }
        }
    }

    fn tell(&self, outcome: &Outcome) {
        let issuer = self.issuer.as_str();
        match outcome {
            Ok(Fetched { not_modified: true, .. }) => tracing::debug!(issuer, "keys not modified"),
            Ok(Fetched { keys, skipped, left_out, .. }) => {
                let reasons: Vec<_> =
                    skipped.iter().take(MAX_REASONS).map(ToString::to_string).collect();
                tracing::info!(
                    issuer,
                    keys = keys.len(),
                    skipped = left_out,
                    ?reasons,
                    "keys fetched"
                );
            }
            Err(reason) => {
                tracing::warn!(issuer, %reason, "keys not fetched: those that are there stay");
            }
        }
        (self.ring.observe)(&self.issuer, outcome);
    }
}

/// A little less than `pause`, each time another: gateways that started together must not ask
/// together.
fn jittered(pause: Duration) -> Duration {
    let random = u32::try_from(RandomState::new().hash_one(()) % 1024).unwrap_or(0);
    pause * (9 * 1024 + random) / (10 * 1024)
}

/// How long fetched keys count as fresh whose host does not say it: then they are fetched again,
/// though nobody asks.
const FRESH: Duration = Duration::from_mins(15);
/// The least that is taken for fresh, whatever a host says: some say that nothing may be kept.
const FRESH_LEAST: Duration = Duration::from_mins(1);
/// The most: a key that was taken back stops to verify within this time.
const FRESH_MOST: Duration = Duration::from_hours(24);
const BACK_OFF_FIRST: Duration = Duration::from_secs(1);
const BACK_OFF_LONGEST: Duration = Duration::from_secs(30);
/// How many reasons for skipped keys one log line names.
const MAX_REASONS: usize = 8;
