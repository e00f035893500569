//! Snapshots that live: from the files on disk to the configuration that decides.
//!
//! ```text
//! start, files, poll, signal → look → rest → config::load → suite::hold → Live::replace → followers → Status
//! ```
//!
//! There is one way in, taken by one attempt at a time. What is on disk either is taken over whole,
//! or is what runs already, or changes nothing: a file that is empty, half-written, unreadable or
//! wrong leaves the last good snapshot where it is. Whoever asks, what is new must first have rested.
//! Nothing here knows what else wants to follow a new snapshot; it is told, before the snapshot decides
//! and as soon as it does.
//!
//! Every look at the file system is made on a thread of its own: a file system that hangs holds up the
//! attempts, and nothing else. How long they have been held up, `config_loaded_whole_seconds` tells.

mod aside;
mod chain;
mod draft;
mod foresight;
mod look;
mod outcome;
mod replace;
mod said;
mod stamp;
mod store;
mod surroundings;
mod watch;
mod write;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, watch as channel};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};

use crate::clock::now;
use crate::config::snapshot::Snapshot;
use crate::config::{AccessDiff, Code, Loaded, Place, Report};
use crate::live::Live;
use crate::suite::Demand;

use aside::Asides;
use chain::Places;
pub use foresight::foreseen;
use look::{Asked, Found, Judged, Known, Refused, Sight, View};
use outcome::AtStart;
pub use outcome::{Applied, RefusedSince, ReloadOutcome, Status, Trigger};
pub use store::{Store, StoreError, Unreadable};
pub use surroundings::Surroundings;
pub use watch::watch;
pub use write::{Change, WriteError, Written};

/// Takes over what is on disk, and remembers what became of it.
pub struct Reloader {
    store: Store,
    suites: Demand,
    snapshot: Live<Snapshot>,
    at_start: AtStart,
    preparations: Vec<Box<Preparation>>,
    followers: Vec<Box<Follower>>,
    observers: Vec<Box<Observer>>,
    /// Who holds it makes the attempt.
    known: Mutex<Known>,
    /// What writes have replaced and is not let go of yet.
    asides: Asides,
    places: channel::Sender<Places>,
    status: channel::Sender<Status>,
}

type Preparation = dyn Fn(&Snapshot, &Snapshot) + Send + Sync;
type Follower = dyn Fn(&Snapshot) + Send + Sync;
type Observer = dyn Fn(&Status) + Send + Sync;

impl Reloader {
    /// Takes the configuration at `path` for the first one.
    ///
    /// Nothing is logged yet, because how to log stands in it: see [`Self::announce`].
    ///
    /// # Errors
    /// With all that is wrong, when it cannot be taken.
    pub async fn start(path: impl Into<PathBuf>) -> Result<Self, Report> {
        Self::start_demanding(path, Demand::AsWritten).await
    }

    /// As [`Self::start`]; `suites` says whether policy suites must pass that the configuration does not
    /// require itself, now and whenever it changes.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_demanding(path: impl Into<PathBuf>, suites: Demand) -> Result<Self, Report> {
        let store = Store::new(path);
        let looked = spawn_blocking({
            let store = store.clone();
            move || {
                let asked = Asked { suites, ..Asked::default() };
                let Judged { loaded, sight } = look::first(&store, asked);
                let loaded = loaded?;
                let known = Known { running: Arc::new(sight), refused: None };
                let places = look::places(&store, &known);
                Ok((loaded, known, places))
            }
        });
        let (loaded, known, places) = looked.await.unwrap_or_else(|_| Err(broken()))?;
        let Loaded { mut snapshot, warnings, .. } = *loaded;
        snapshot.generation = 1;
        let applied = Applied {
            warnings: warnings.to_string(),
            diagnostics: warnings.diagnostics(),
            ..Applied::default()
        };
        let now = now();
        let status = Status {
            generation: snapshot.generation,
            digest: snapshot.digest,
            loaded_at: now,
            whole_at: now,
            running: Arc::new(applied.clone()),
            last: ReloadOutcome::Applied(applied),
            last_at: now,
            last_by: Trigger::Start,
            refused: None,
        };
        Ok(Self {
            store,
            suites,
            at_start: AtStart::of(&snapshot),
            snapshot: Live::new(Arc::new(snapshot)),
            preparations: Vec::new(),
            followers: Vec::new(),
            observers: Vec::new(),
            known: Mutex::new(known),
            asides: Asides::default(),
            places: channel::Sender::new(places),
            status: channel::Sender::new(status),
        })
    }

    /// Lets `prepare` know of every snapshot that is about to be taken over, beside the one that runs:
    /// requests may need what either of them names until [`Self::followed_by`] is told of the new one.
    #[must_use]
    pub fn prepared_by(
        mut self,
        prepare: impl Fn(&Snapshot, &Snapshot) + Send + Sync + 'static,
    ) -> Self {
        self.preparations.push(Box::new(prepare));
        self
    }

    /// Lets `follow` know of every snapshot that is taken over from now on.
    #[must_use]
    pub fn followed_by(mut self, follow: impl Fn(&Snapshot) + Send + Sync + 'static) -> Self {
        self.followers.push(Box::new(follow));
        self
    }

    /// Lets `observe` know how each attempt from now on ends.
    #[must_use]
    pub fn observed_by(mut self, observe: impl Fn(&Status) + Send + Sync + 'static) -> Self {
        self.observers.push(Box::new(observe));
        self
    }

    /// The running snapshot, as it is now and will be.
    pub fn snapshot(&self) -> Live<Snapshot> {
        self.snapshot.clone()
    }

    /// Where the configuration is.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// How the configuration stands. It changes with the end of each attempt.
    pub fn status(&self) -> channel::Receiver<Status> {
        self.status.subscribe()
    }

    /// Logs what [`Self::start`] took over.
    pub fn announce(&self) {
        self.log(Trigger::Start, &self.status.borrow(), None);
    }

    /// Looks at what is on disk and takes it over where it is new, right and at rest.
    pub async fn attempt(&self, trigger: Trigger) -> ReloadOutcome {
        let mut known = self.known.lock().await;
        let found = self.look(&known, trigger).await;
        self.conclude(&mut known, found, trigger).await.0
    }

    /// What people wrote into files while writes replaced them, and is read by nobody: where it is kept,
    /// until they take it away.
    pub fn conflicts(&self) -> Vec<PathBuf> {
        self.asides.conflicts()
    }

    /// Lets go of what writes have replaced, as nobody will be there to do so later: what somebody has
    /// written into it is kept.
    pub async fn leave(&self) {
        let asides = self.asides.clone();
        // What is not let go of now is by the next process that writes.
        let _ = spawn_blocking(move || asides.judge_all()).await;
    }

    /// Ends an attempt with what was found. Tells also what access came and went by it.
    async fn conclude(
        &self,
        known: &mut Known,
        found: Option<Found>,
        trigger: Trigger,
    ) -> (ReloadOutcome, AccessDiff) {
        let before = self.status.borrow().clone();
        let mut status = before.clone();
        let mut diff = AccessDiff::default();
        (status.last_at, status.last_by) = (now(), trigger);
        status.last = match found {
            Some(Found::New(Judged { loaded, sight })) => {
                let sight = Arc::new(sight);
                match loaded {
                    Ok(loaded) => {
                        *known = Known { running: sight, refused: None };
                        let (applied, compared) = self.apply(*loaded, &mut status).await;
                        diff = compared;
                        ReloadOutcome::Applied(applied)
                    }
                    Err(report) => {
                        let report = Arc::new(report);
                        known.refused = Some(Refused { sight, report: report.clone() });
                        ReloadOutcome::Kept(report)
                    }
                }
            }
            Some(Found::Running(_)) => {
                known.refused = None;
                status.whole_at = status.last_at;
                ReloadOutcome::Unchanged
            }
            Some(Found::Refused(report)) => ReloadOutcome::Kept(report),
            None => ReloadOutcome::Kept(Arc::new(broken())),
        };
        if let ReloadOutcome::Applied(applied) = &status.last {
            status.running = Arc::new(applied.clone());
        }
        let refused = RefusedSince { time: status.last_at, instant: Instant::now() };
        let is_kept = matches!(status.last, ReloadOutcome::Kept(_));
        status.refused = is_kept.then(|| before.refused.unwrap_or(refused));
        self.look_where(known).await;
        for observe in &self.observers {
            observe(&status);
        }
        self.status.send_replace(status.clone());
        // Last: who reads of it can ask what it is about.
        self.log(trigger, &status, Some(&before));
        (status.last, diff)
    }

    /// Looks until what is found is known, or has rested: was the same for as long as `reload.quiet`.
    /// Who writes slowly is waited for, and so is who has not yet written all the files of a directory.
    ///
    /// Files that never rest are taken as they are when [`LONGEST`] is over, if each came whole, or if
    /// nothing but their dates changed all the while; one that is still being written to is refused.
    async fn look(&self, known: &Known, trigger: Trigger) -> Option<Found> {
        let running = self.snapshot.load();
        let (quiet, asked) = (running.reload.quiet, self.asked(&running));
        // Who has written once meanwhile is not restless yet.
        let end = Instant::now() + LONGEST.max(quiet * 3);
        let mut earlier: Option<(Sight, View)> = None;
        // Who touches the files for ever, and writes nothing, does not hold up what was written before.
        let mut is_one_text = true;
        loop {
            let looked = spawn_blocking({
                let (store, known) = (self.store.clone(), known.clone());
                move || look::again(&store, &known, asked)
            });
            let (found, view) = looked.await.ok()?;
            let Found::New(judged) = found else { return Some(found) };
            let has_rested = match &earlier {
                Some((sight, earlier)) => {
                    is_one_text &= judged.sight == *sight;
                    view.is_as(earlier)
                }
                // After events came quiet already. Polls and signals may come at any time, and the
                // clock of a file system that tells no events may be another than ours.
                None => trigger == Trigger::Files && view.has_rested(quiet),
            };
            if has_rested {
                return Some(Found::New(judged));
            }
            if let Some((_, earlier)) = earlier.filter(|_| Instant::now() >= end) {
                let is_written = !is_one_text && view.is_rewritten_since(&earlier);
                let judged = if is_written { Judged::unfinished(&self.store) } else { judged };
                return Some(Found::New(judged));
            }
            earlier = Some((judged.sight, view));
            sleep(quiet).await;
        }
    }

    /// What is asked of what takes the place of `running`.
    fn asked(&self, running: &Snapshot) -> Asked {
        Asked { end_marker: running.reload.end_marker, suites: self.suites }
    }

    async fn apply(&self, loaded: Loaded, status: &mut Status) -> (Applied, AccessDiff) {
        let Loaded { mut snapshot, warnings, .. } = loaded;
        snapshot.generation = status.generation + 1;
        let (old, new) = (self.snapshot.load(), Arc::new(snapshot));
        for prepare in &self.preparations {
            prepare(&old, &new);
        }
        self.snapshot.replace(new.clone());
        for follow in &self.followers {
            follow(&new);
        }
        (status.generation, status.digest) = (new.generation, new.digest);
        (status.loaded_at, status.whole_at) = (status.last_at, status.last_at);
        let restart_needed = self.at_start.differences(&new);
        // It grows with grants and operations: whoever revokes does not wait for it.
        let compared = spawn_blocking(move || (AccessDiff::between(&old, &new, now()), old));
        let diff = match compared.await {
            Ok((diff, old)) => {
                tokio::spawn(retire(old));
                diff
            }
            Err(_) => AccessDiff::default(),
        };
        let applied = Applied {
            gained: diff.gains(),
            lost: diff.losses(),
            changed: diff.changed.len(),
            access: diff.summary(),
            restart_needed,
            warnings: warnings.to_string(),
            diagnostics: warnings.diagnostics(),
        };
        (applied, diff)
    }

    async fn look_where(&self, known: &Known) {
        let (store, known, asides) = (self.store.clone(), known.clone(), self.asides.clone());
        let looked = spawn_blocking(move || {
            asides.look_after();
            look::places(&store, &known)
        });
        if let Ok(places) = looked.await {
            self.places.send_if_modified(|watched| {
                let is_other = *watched != places;
                *watched = places;
                is_other
            });
        }
    }

    /// What to watch as things stand now.
    async fn places(&self) -> Places {
        let known = self.known.lock().await.clone();
        self.look_where(&known).await;
        self.places.borrow().clone()
    }
}

/// Holds a snapshot that nobody can come to hold any more until nobody else does, and has it taken apart
/// where nobody waits for that: it may have very many grants, and a worker that has been idle since would
/// do it in the midst of a request.
async fn retire(snapshot: Arc<Snapshot>) {
    let mut pause = Duration::from_millis(50);
    while Arc::strong_count(&snapshot) > 1 {
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST);
    }
    drop(spawn_blocking(move || drop(snapshot)));
}

/// What is told when looking at the configuration ended in a way that it should not.
fn broken() -> Report {
    let mut report = Report::default();
    let message = "reading the configuration broke off: this is an error of the program";
    report.push(Code::ConfigUnreadable, &Place::nowhere(), message);
    report
}

/// For so long a change waits for quiet, and then for rest.
const LONGEST: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests;
