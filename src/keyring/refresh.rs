//! When an issuer's keys are fetched: at once, then in the background, and when a request asks.
//!
//! Each issuer has a [`Desk`], where refreshes are asked for and waited on, and one task behind it
//! that does them, one after the other. Refreshes are counted in rounds. Who lacks a key wants the
//! round after the last that ended, and so do all others who ask meanwhile: they are served by one
//! fetch.
//!
//! | the last fetch      | the next one                                                    |
//! |---------------------|-----------------------------------------------------------------|
//! | succeeded           | when asked, not before the cool-down is over; or after [`FRESH`] |
//! | failed              | after the back-off, whoever asks                                |
//!
//! A fetch that fails leaves the keys where they are until they are older than [`MAX_STALE`]: whether
//! they were taken back meanwhile cannot be told.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::config::snapshot::{IssuerSettings, KeySource, RemoteKeys};
use crate::net::fetch::Fetcher;
use crate::policy::Issuer;

use super::discovery::{Fetched, fetch_keys};
use super::{Outcome, Ring, is_same_place};

/// The way workers ask the control side for keys, from whatever runtime they are on.
#[derive(Clone)]
pub struct KeyRequests(Arc<Ring>);

impl KeyRequests {
    pub(super) fn new(ring: Arc<Ring>) -> Self {
        Self(ring)
    }

    /// Asks for newer keys of an issuer and waits until a fetch has ended, well or not. Returns at
    /// once where none would help or none may be made yet, and in any case after 5 s.
    pub async fn refresh(&self, settings: &IssuerSettings) {
        let KeySource::Remote(source) = &settings.keys else { return };
        let asked = match self.0.desks().get(&settings.trust.issuer) {
            Some(desk) if is_same_place(&desk.source, source) => desk.ask(source.refresh_cooldown),
            // The request is older than the configuration: its source is not asked any more.
            _ => None,
        };
        if let Some((mut rounds, last)) = asked {
            // Neither a time-out nor a source that was left meanwhile is news: the caller looks at
            // the keys once more, and finds them or not.
            let _ = timeout(PATIENCE, rounds.wait_for(|round| round.ended > last)).await;
        }
    }
}

/// Where refreshes of one issuer are asked for and waited on. Fetching ends when it is dropped.
pub(super) struct Desk {
    pub(super) source: RemoteKeys,
    wanted: watch::Sender<u64>,
    rounds: watch::Receiver<Round>,
    task: AbortHandle,
}

/// How far the refreshes are.
#[derive(Clone, Copy, Debug)]
struct Round {
    /// How many have ended.
    ended: u64,
    phase: Phase,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    Failed,
    Fetching,
    Succeeded { at: Instant },
}

impl Desk {
    /// A desk, and the task behind it, which begins with a fetch.
    pub(super) fn open(
        issuer: &Issuer,
        source: &RemoteKeys,
        fetcher: &Fetcher,
        ring: &Arc<Ring>,
        runtime: &Handle,
    ) -> Self {
        let (wanted, wishes) = watch::channel(0);
        let (progress, rounds) = watch::channel(Round { ended: 0, phase: Phase::Fetching });
        let keeper = Keeper {
            issuer: issuer.clone(),
            source: source.clone(),
            fetcher: fetcher.clone(),
            ring: ring.clone(),
        };
        let task = runtime.spawn(keeper.keep(wishes, progress)).abort_handle();
        Self { source: source.clone(), wanted, rounds, task }
    }

    /// Asks for a refresh, if one may be made. Gives what to wait on, and the round that was last.
    fn ask(&self, cooldown: Duration) -> Option<(watch::Receiver<Round>, u64)> {
        let Round { ended, phase } = *self.rounds.borrow();
        match phase {
            Phase::Fetching => {}
            Phase::Failed => return None,
            Phase::Succeeded { at } if at.elapsed() < cooldown => return None,
            Phase::Succeeded { .. } => {
                self.wanted.send_if_modified(|wanted| {
                    let is_new = *wanted <= ended;
                    *wanted = (*wanted).max(ended + 1);
                    is_new
                });
            }
        }
        Some((self.rounds.clone(), ended))
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Who fetches one issuer's keys.
struct Keeper {
    issuer: Issuer,
    source: RemoteKeys,
    fetcher: Fetcher,
    ring: Arc<Ring>,
}

impl Keeper {
    async fn keep(self, mut wishes: watch::Receiver<u64>, progress: watch::Sender<Round>) {
        let mut back_off = BACK_OFF_FIRST;
        let mut fetched_at = Instant::now();
        for round in 1.. {
            progress.send_modify(|at| at.phase = Phase::Fetching);
            let outcome = fetch_keys(&self.fetcher, &self.issuer, &self.source).await;
            let (phase, pause) = if let Ok(fetched) = &outcome {
                self.ring.install(&self.issuer, &self.source, &fetched.keys);
                back_off = BACK_OFF_FIRST;
                fetched_at = Instant::now();
                (Phase::Succeeded { at: fetched_at }, FRESH)
            } else {
                if fetched_at.elapsed() >= MAX_STALE {
                    self.ring.discard(&self.issuer, &self.source);
                }
                let pause = back_off;
                back_off = (back_off * 2).min(BACK_OFF_LONGEST);
                (Phase::Failed, pause)
            };
            self.tell(&outcome);
            progress.send_replace(Round { ended: round, phase });
            tokio::select! {
                () = sleep(jittered(pause)) => {}
                wish = wishes.wait_for(|wanted| *wanted > round) => if wish.is_err() { return },
            }
        }
    }

    fn tell(&self, outcome: &Outcome) {
        let issuer = self.issuer.as_str();
        match outcome {
            Ok(Fetched { keys, skipped }) => {
                let reasons = skipped.iter().take(MAX_REASONS);
                let reasons: Vec<_> =
                    reasons.map(|key| format!("key {}: {}", key.place, key.reason)).collect();
                let (keys, skipped) = (keys.len(), skipped.len());
                tracing::info!(issuer, keys, skipped, ?reasons, "keys fetched");
            }
            Err(reason) => {
                tracing::warn!(issuer, %reason, "keys not fetched: those that are there stay for a day");
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

/// How long fetched keys count as fresh: then they are fetched again, though nobody asks.
const FRESH: Duration = Duration::from_mins(15);
/// How old fetched keys may get while no newer ones can be fetched.
pub(super) const MAX_STALE: Duration = Duration::from_hours(24);
/// How long a request waits for keys.
const PATIENCE: Duration = Duration::from_secs(5);
const BACK_OFF_FIRST: Duration = Duration::from_secs(1);
const BACK_OFF_LONGEST: Duration = Duration::from_secs(30);
/// How many reasons for skipped keys one log line names.
const MAX_REASONS: usize = 8;
