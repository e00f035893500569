//! Snapshots that live: from the files on disk to the configuration that decides.
//!
//! ```text
//! start, files, poll, signal → Store::read → config::load → Live::replace → followers → Status
//! ```
//!
//! There is one way in, taken by one attempt at a time. What is on disk either is taken over whole,
//! or is what runs already, or changes nothing: a file that is empty, half-written, unreadable or
//! wrong leaves the last good snapshot where it is. Nothing here knows what else wants to follow a
//! new snapshot; it is told, as soon as the snapshot decides.

mod chain;
mod look;
mod outcome;
mod store;
mod watch;

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{Mutex, watch as channel};
use tokio::task::spawn_blocking;

use crate::clock::now;
use crate::config::snapshot::Snapshot;
use crate::config::{AccessDiff, Code, Loaded, Place, Report};
use crate::live::Live;

use chain::Places;
use look::{Found, Known, Refused};
use outcome::AtStart;
pub use outcome::{Applied, ReloadOutcome, Status, Trigger};
pub use store::{Store, StoreError, Surroundings, Unreadable};
pub use watch::watch;

/// Takes over what is on disk, and remembers what became of it.
pub struct Reloader {
    store: Store,
    snapshot: Live<Snapshot>,
    at_start: AtStart,
    followers: Vec<Box<Follower>>,
    observers: Vec<Box<Observer>>,
    /// Who holds it makes the attempt.
    known: Mutex<Known>,
    places: channel::Sender<Places>,
    status: channel::Sender<Status>,
}

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
        let store = Store::new(path);
        let looked = spawn_blocking({
            let store = store.clone();
            move || {
                let (loaded, sight) = look::first(&store)?;
                let known = Known { running: Arc::new(sight), refused: None };
                let places = look::places(&store, &known);
                Ok((loaded, known, places))
            }
        });
        let (loaded, known, places) = looked.await.unwrap_or_else(|_| Err(broken()))?;
        let Loaded { mut snapshot, warnings } = *loaded;
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
            kept_since: None,
        };
        Ok(Self {
            store,
            at_start: AtStart::of(&snapshot),
            snapshot: Live::new(Arc::new(snapshot)),
            followers: Vec::new(),
            observers: Vec::new(),
            known: Mutex::new(known),
            places: channel::Sender::new(places),
            status: channel::Sender::new(status),
        })
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

    /// How the configuration stands. It changes with the end of each attempt.
    pub fn status(&self) -> channel::Receiver<Status> {
        self.status.subscribe()
    }

    /// Logs what [`Self::start`] took over.
    pub fn announce(&self) {
        self.log(Trigger::Start, &self.status.borrow(), None);
    }

    /// Looks at what is on disk and takes it over where it is new and right.
    pub async fn attempt(&self, trigger: Trigger) -> ReloadOutcome {
        let mut known = self.known.lock().await;
        let looked = spawn_blocking({
            let (store, known) = (self.store.clone(), known.clone());
            move || look::again(&store, &known)
        });
        let found = looked.await.ok();
        let before = self.status.borrow().clone();
        let mut status = before.clone();
        (status.last_at, status.last_by) = (now(), trigger);
        status.last = match found {
            Some(Found::Good(loaded, sight)) => {
                *known = Known { running: Arc::new(sight), refused: None };
                ReloadOutcome::Applied(self.apply(*loaded, &mut status).await)
            }
            Some(Found::Running) => {
                known.refused = None;
                status.whole_at = status.last_at;
                ReloadOutcome::Unchanged
            }
            Some(Found::Bad(report, sight)) => {
                let report = Arc::new(report);
                known.refused = Some(Refused { sight: Arc::new(sight), report: report.clone() });
                ReloadOutcome::Kept(report)
            }
            Some(Found::Refused(report)) => ReloadOutcome::Kept(report),
            None => ReloadOutcome::Kept(Arc::new(broken())),
        };
        status.kept_since = match &status.last {
            ReloadOutcome::Kept(_) => status.kept_since.or(Some(status.last_at)),
            ReloadOutcome::Applied(_) | ReloadOutcome::Unchanged => None,
        };
        if let ReloadOutcome::Applied(applied) = &status.last {
            status.running = Arc::new(applied.clone());
        }
        self.look_where(&known).await;
        for observe in &self.observers {
            observe(&status);
        }
        self.status.send_replace(status.clone());
        // Last: who reads of it can ask what it is about.
        self.log(trigger, &status, Some(&before));
        status.last
    }

    async fn apply(&self, loaded: Loaded, status: &mut Status) -> Applied {
        let Loaded { mut snapshot, warnings } = loaded;
        snapshot.generation = status.generation + 1;
        let (old, new) = (self.snapshot.load(), Arc::new(snapshot));
        self.snapshot.replace(new.clone());
        for follow in &self.followers {
            follow(&new);
        }
        (status.generation, status.digest) = (new.generation, new.digest);
        (status.loaded_at, status.whole_at) = (status.last_at, status.last_at);
        let restart_needed = self.at_start.differences(&new);
        // It grows with grants and operations: whoever revokes does not wait for it.
        let compared = spawn_blocking(move || AccessDiff::between(&old, &new, now())).await;
        let AccessDiff { gained, lost } = compared.unwrap_or_default();
        Applied {
            gained: gained.len(),
            lost: lost.len(),
            restart_needed,
            warnings: warnings.to_string(),
            diagnostics: warnings.diagnostics(),
        }
    }

    async fn look_where(&self, known: &Known) {
        let (store, known) = (self.store.clone(), known.clone());
        if let Ok(places) = spawn_blocking(move || look::places(&store, &known)).await {
            self.places.send_if_modified(|watched| {
                let is_other = *watched != places;
                *watched = places;
                is_other
            });
        }
    }

    /// Logs an outcome; what was said before is not said again by a poll.
    fn log(&self, trigger: Trigger, status: &Status, before: Option<&Status>) {
        let (path, generation) = (self.store.path().display(), status.generation);
        let (sha256, by) = (status.digest, trigger.as_str());
        let was_kept = |before: &Status| matches!(before.last, ReloadOutcome::Kept(_));
        match &status.last {
            ReloadOutcome::Applied(applied) => {
                let Applied { gained, lost, restart_needed, warnings, diagnostics: _ } = applied;
                tracing::info!(
                    %path, generation, %sha256, by, gained, lost, "configuration applied"
                );
                if !restart_needed.is_empty() {
                    let keys = restart_needed.join(", ");
                    tracing::warn!(keys, "some changes wait for a restart");
                }
                if !warnings.is_empty() {
                    tracing::warn!("warnings of the configuration:\n{warnings}");
                }
            }
            ReloadOutcome::Kept(report) => {
                let is_known = before.is_some_and(|before| match &before.last {
                    ReloadOutcome::Kept(known) => Arc::ptr_eq(known, report),
                    _ => false,
                });
                if is_known && trigger != Trigger::Signal {
                    tracing::debug!(%path, generation, %sha256, by, "configuration still refused");
                } else {
                    tracing::error!(
                        %path, generation, %sha256, by,
                        "configuration refused, the one before stays"
                    );
                    tracing::error!("errors of the configuration:\n{report}");
                }
            }
            ReloadOutcome::Unchanged if before.is_some_and(was_kept) => {
                tracing::info!(%path, generation, %sha256, by, "configuration is as it runs again");
            }
            ReloadOutcome::Unchanged if trigger == Trigger::Signal => {
                tracing::info!(%path, generation, %sha256, by, "configuration unchanged");
            }
            ReloadOutcome::Unchanged => {
                tracing::debug!(%path, generation, %sha256, by, "configuration unchanged");
            }
        }
    }
}

/// What is told when looking at the configuration ended in a way that it should not.
fn broken() -> Report {
    let mut report = Report::default();
    let message = "reading the configuration broke off: this is an error of the program";
    report.push(Code::ConfigUnreadable, &Place::nowhere(), message);
    report
}

#[cfg(test)]
mod tests;
