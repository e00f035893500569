//! When an issuer's keys are fetched: at once, then in the background, and when a request asks.
//!
//! Each issuer has a [`Desk`], where refreshes are asked for and waited on, and a [`Keeper`] behind it
//! that does them, one after the other. Refreshes are counted in rounds. Who lacks a key wants the
//! round after the last that ended, and so do all others who ask meanwhile: they are served by one
//! fetch.
//!
//! | the last fetch | the next one                                                    |
//! |----------------|-----------------------------------------------------------------|
//! | succeeded      | when asked, not before the cool-down is over; or when the keys  |
//! |                | are not fresh any more                                          |
//! | failed         | after the back-off, whoever asks                                |

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};

use crate::clock::now;
use crate::config::snapshot::{IssuerSettings, KeySource, RemoteKeys};
use crate::gate::Keys;
use crate::net::fetch::Fetcher;
use crate::policy::{Issuer, UnixTime};

use super::discovery::Fetched;
use super::keeper::Keeper;
use super::status::{IssuerStatus, KeysFrom, LastError};
use super::unknown::Unknown;
use super::{Outcome, Ring, is_same_place};

/// The way workers ask the control side for keys, from whatever runtime they are on.
#[derive(Clone)]
pub struct KeyRequests(Arc<Ring>);

impl KeyRequests {
    pub(super) fn new(ring: Arc<Ring>) -> Self {
        Self(ring)
    }

    /// Asks for newer keys of an issuer and waits until a fetch has ended, well or not. Returns at
    /// once where none would help or none may be made soon, and in any case after 5 s. `kid` is the
    /// key that is lacking; none where it is not by its name that one is lacking.
    pub async fn refresh(&self, settings: &IssuerSettings, kid: Option<&str>) {
        let KeySource::Remote(source) = &settings.keys else { return };
        let issuer = &settings.trust.issuer;
        let asked = match self.0.desks().get(issuer) {
            Some(desk) if is_same_place(&desk.source, source) => {
                desk.ask(source.refresh_cooldown, kid)
            }
            // The request is older than the configuration: its source is not asked any more.
            _ => None,
        };
        let Some((mut standing, last)) = asked else { return };
        // Neither a time-out nor a source that was left meanwhile is news: the caller looks at the
        // keys once more, and finds them or not.
        let ended = timeout(PATIENCE, standing.wait_for(|standing| standing.ended > last)).await;
        let round = match ended {
            Ok(Ok(standing)) if matches!(standing.phase, Phase::Succeeded { .. }) => standing.ended,
            _ => return,
        };
        let keys = self.0.keys.load();
        if let (Some(kid), Some(keys)) = (kid, keys.find(issuer, source))
            && keys.kids().all(|known| known != kid)
            && let Some(desk) = self.0.desks().get(issuer)
        {
            desk.unknown().miss(kid, round);
        }
    }

    /// In how many seconds asking again for an issuer's keys that are not there may help: 1 or more.
    pub fn retry_after(&self, settings: &IssuerSettings) -> u32 {
        let desks = self.0.desks();
        let wait = desks.get(&settings.trust.issuer).and_then(|desk| desk.standing.borrow().wait());
        let wait = wait.unwrap_or_default();
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        u32::try_from(seconds).unwrap_or(u32::MAX).max(1)
    }
}

/// Where refreshes of one issuer are asked for and waited on. Fetching ends when it is dropped.
pub(super) struct Desk {
    pub(super) source: RemoteKeys,
    wishes: watch::Sender<Wishes>,
    standing: watch::Receiver<Standing>,
    unknown: Mutex<Unknown>,
    task: AbortHandle,
}

/// What is wanted of the task.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wishes {
    /// This round, of which one that ended is no wish any more, …
    pub(super) round: u64,
    /// … but not before this time.
    pub(super) not_before: Instant,
    /// How old keys may get.
    pub(super) max_stale: Duration,
}

/// How far the refreshes are.
#[derive(Debug)]
pub(super) struct Standing {
    /// How many have ended.
    ended: u64,
    pub(super) phase: Phase,
    /// The last that succeeded, as long as its keys are in place.
    pub(super) fetched: Option<Last>,
    last_error: Option<LastError>,
}

#[derive(Debug)]
pub(super) struct Last {
    fetched: Fetched,
    pub(super) at: Instant,
    time: UnixTime,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Phase {
    Failed { next: Instant },
    Fetching,
    Succeeded { next: Instant },
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
        let nothing = Wishes { round: 0, not_before: Instant::now(), max_stale: source.max_stale };
        let (wishes, wanted) = watch::channel(nothing);
        let begin = Standing { ended: 0, phase: Phase::Fetching, fetched: None, last_error: None };
        let (progress, standing) = watch::channel(begin);
        let keeper = Keeper {
            issuer: issuer.clone(),
            source: source.clone(),
            fetcher: fetcher.clone(),
            ring: ring.clone(),
            wanted,
            progress,
        };
        let task = runtime.spawn(keeper.keep()).abort_handle();
        Self { source: source.clone(), wishes, standing, unknown: Mutex::default(), task }
    }

    /// Takes over what the configuration says now, of the same place.
    pub(super) fn adopt(&mut self, source: &RemoteKeys) {
        if self.source.max_stale != source.max_stale {
            self.wishes.send_modify(|wishes| wishes.max_stale = source.max_stale);
        }
        self.source = source.clone();
    }

    /// How the keys stand.
    pub(super) fn status(&self, issuer: &Issuer) -> IssuerStatus {
        let from = match &self.source.jwks_uri {
            Some(url) => KeysFrom::JwksUri(url.clone()),
            None => KeysFrom::Discovery,
        };
        let mut status = IssuerStatus::new(issuer, from);
        let standing = self.standing.borrow();
        if let Some(last) = &standing.fetched {
            status = status.with_fetched(&last.fetched);
            (status.fetched_at, status.age) = (Some(last.time), Some(last.at.elapsed()));
        }
        status.last_error.clone_from(&standing.last_error);
        status.next_attempt_in = standing.wait();
        status
    }

    /// Asks for a refresh, if one may be made. Gives what to wait on, and the round that was last.
    fn ask(
        &self,
        cooldown: Duration,
        kid: Option<&str>,
    ) -> Option<(watch::Receiver<Standing>, u64)> {
        let (is_new, cooldowns) = {
            let unknown = self.unknown();
            kid.map_or((true, 1), |kid| (!unknown.contains(kid), unknown.cooldowns(kid)))
        };
        let standing = self.standing.borrow();
        let (ended, begin) = (standing.ended, Instant::now());
        let last = standing.fetched.as_ref();
        let due = last.map_or(begin, |last| (last.at + cooldown * cooldowns).max(begin));
        // One that was missed lately waits for nothing: it is more likely never to come.
        let soon = if is_new { PATIENCE_FOR_COOLDOWN } else { Duration::ZERO };
        match standing.phase {
            Phase::Fetching if is_new || due <= begin => {}
            Phase::Succeeded { .. } if due <= begin + soon => {
                self.wishes.send_if_modified(|wishes| {
                    let is_first = wishes.round <= ended;
                    if is_first || due < wishes.not_before {
                        (wishes.round, wishes.not_before) = (ended + 1, due);
                        return true;
                    }
                    false
                });
            }
            Phase::Failed { .. } | Phase::Fetching | Phase::Succeeded { .. } => return None,
        }
        Some((self.standing.clone(), ended))
    }

    fn unknown(&self) -> MutexGuard<'_, Unknown> {
        // What is remembered is a hint: a panic elsewhere does not spoil it.
        self.unknown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Standing {
    /// Takes note of how a round ended.
    pub(super) fn end(&mut self, round: u64, outcome: Outcome, next: Instant) {
        self.ended = round;
        self.phase = match outcome {
            Ok(fetched) => {
                self.fetched = Some(Last { fetched, at: Instant::now(), time: now() });
                Phase::Succeeded { next }
            }
            Err(error) => {
                self.last_error = Some(LastError { reason: error.to_string(), at: now() });
                Phase::Failed { next }
            }
        };
    }

    /// How long it is to the next fetch; nothing while there is one.
    fn wait(&self) -> Option<Duration> {
        match self.phase {
            Phase::Fetching => None,
            Phase::Failed { next } | Phase::Succeeded { next } => {
                Some(next.saturating_duration_since(Instant::now()))
            }
        }
    }
}

/// How long a request waits for keys.
const PATIENCE: Duration = Duration::from_secs(5);
/// How much of that may pass before the fetch begins.
const PATIENCE_FOR_COOLDOWN: Duration = Duration::from_secs(3);
