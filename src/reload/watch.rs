//! Notices that the files may have changed, and has them looked at.
//!
//! Any event in any place that matters is a hint and no more: which file it names, and what it says
//! of it, is not believed. After a hint comes quiet, then an attempt. Whatever the file system
//! reports or not, the files are looked at once every `reload.poll`; without inotify that is all
//! there is.

use std::time::Duration;

use notify::event::{AccessKind, AccessMode, EventKind};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::chain::Places;
use super::{Reloader, Trigger};

/// Watches the files of `reloader` and has them looked at, until it is dropped.
pub async fn watch(reloader: &Reloader) {
    let (hint, hints) = mpsc::channel(1);
    look_on(reloader, Eyes::open(hint), hints).await;
}

async fn look_on(reloader: &Reloader, mut eyes: Eyes, mut hints: Receiver<()>) {
    let mut places = reloader.places.subscribe();
    let snapshot = reloader.snapshot();
    loop {
        let now = places.borrow_and_update().clone();
        let is_new = eyes.turn_to(now);
        let reload = snapshot.load().reload.clone();
        let trigger = tokio::select! {
            // What happened in a place before it was watched went unseen.
            () = async {}, if is_new => Trigger::Files,
            Some(()) = hints.recv() => Trigger::Files,
            Ok(()) = places.changed() => continue,
            () = sleep(reload.poll) => Trigger::Poll,
        };
        if trigger == Trigger::Files {
            settle(&mut hints, reload.quiet).await;
        }
        reloader.attempt(trigger).await;
    }
}

/// Waits until nothing has happened for as long as `quiet`, or the longest time is over.
async fn settle(hints: &mut Receiver<()>, quiet: Duration) {
    let end = Instant::now() + LONGEST;
    let rest = async { while let Ok(Some(())) = timeout(quiet, hints.recv()).await {} };
    // That it did not come to rest in time is no reason not to look.
    let _ = timeout_at(end, rest).await;
}

/// What sees events, where it can.
struct Eyes {
    watcher: Option<RecommendedWatcher>,
    on: Places,
}

impl Eyes {
    fn open(hint: Sender<()>) -> Self {
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            // An error is a hint too: it may be that events were lost.
            if event.is_ok_and(|event| is_reading(event.kind)) {
                return;
            }
            // One hint that waits says as much as many.
            let _ = hint.try_send(());
        });
        let watcher = watcher.map_err(|error| {
            tracing::warn!(%error, "files cannot be watched: they are polled");
        });
        Self { watcher: watcher.ok(), on: Places::new() }
    }

    /// Turns to these places. Says whether any is new.
    fn turn_to(&mut self, places: Places) -> bool {
        let Some(watcher) = &mut self.watcher else { return false };
        for (path, is) in &self.on {
            if places.get(path) != Some(is) {
                // What is gone is not watched any more, which is as well.
                let _ = watcher.unwatch(path);
            }
        }
        let mut any_new = false;
        for (path, is) in &places {
            let is_new = self.on.get(path) != Some(is);
            any_new |= is_new;
            // Those that are not new as well: what was moved away and back is not watched any more.
            let failed = watcher.watch(path, RecursiveMode::NonRecursive);
            if let Some(error) = failed.err().filter(|_| is_new) {
                let path = path.display();
                tracing::warn!(%path, %error, "cannot be watched: it is polled");
            }
        }
        self.on = places;
        any_new
    }
}

/// Whether an event tells only that somebody reads, as an attempt itself does.
fn is_reading(kind: EventKind) -> bool {
    matches!(kind, EventKind::Access(access) if access != AccessKind::Close(AccessMode::Write))
}

/// For this long a change waits for quiet.
const LONGEST: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests;
