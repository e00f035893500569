//! Notices that the files may have changed, and has them looked at.
//!
//! Any event in any place that matters is a hint and no more: which file it names, and what it says
//! of it, is not believed, and that events were lost is one too. After a hint comes quiet; then the
//! eyes are turned to where the files are now, and then they are looked at: what happens from there on
//! is seen. Whatever the file system reports or not, the files are looked at once every `reload.poll`.
//! Without inotify that is all there is; with each poll it is tried for anew.

use std::time::Duration;

use notify::event::{AccessKind, AccessMode, EventKind};
use notify::{Event, RecursiveMode, Watcher};
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::chain::Places;
use super::{LONGEST, Reloader, Trigger};

/// Watches the files of `reloader` and has them looked at, until it is dropped.
pub async fn watch(reloader: &Reloader) {
    let (hint, hints) = mpsc::channel(1);
    look_on(reloader, Eyes::closed(move || open(&hint)), hints).await;
}

async fn look_on(reloader: &Reloader, mut eyes: Eyes, mut hints: Receiver<()>) {
    let mut changes = reloader.places.subscribe();
    let snapshot = reloader.snapshot();
    // What happened before the eyes were open went unseen.
    let mut trigger = Trigger::Files;
    loop {
        let reload = snapshot.load().reload.clone();
        if trigger == Trigger::Files {
            settle(&mut hints, reload.quiet).await;
        }
        let places = reloader.places().await;
        let Some(turned) = eyes.turn_to(places).await else { return };
        eyes = turned;
        reloader.attempt(trigger).await;
        // What is new on the way to the files, or is referred to from now on, was not watched until now.
        let is_elsewhere = eyes.on != *changes.borrow_and_update();
        trigger = tokio::select! {
            () = async {}, if is_elsewhere => Trigger::Files,
            Some(()) = hints.recv() => Trigger::Files,
            // Somebody else's attempt has found other places.
            Ok(()) = changes.changed() => Trigger::Files,
            () = sleep(reload.poll) => Trigger::Poll,
        };
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
    open: Box<dyn FnMut() -> notify::Result<Watching> + Send>,
    watcher: Option<Watching>,
    on: Places,
    /// That they cannot be opened is said once.
    told: bool,
}

type Watching = Box<dyn Watcher + Send>;

impl Eyes {
    fn closed(open: impl FnMut() -> notify::Result<Watching> + Send + 'static) -> Self {
        Self { open: Box::new(open), watcher: None, on: Places::new(), told: false }
    }

    /// Turns to these places, and opens if they are closed. On a thread that may wait: to find a place
    /// is to ask its file system.
    async fn turn_to(mut self, places: Places) -> Option<Self> {
        let turned = spawn_blocking(move || {
            self.turn(places);
            self
        });
        turned.await.ok()
    }

    fn turn(&mut self, places: Places) {
        let before = std::mem::replace(&mut self.on, places);
        let before = if self.watcher.is_some() { before } else { Places::new() };
        if !self.are_open() {
            return;
        }
        let Some(watcher) = &mut self.watcher else { return };
        for (path, is) in &before {
            if self.on.get(path) != Some(is) {
                // What is gone is not watched any more, which is as well.
                let _ = watcher.unwatch(path);
            }
        }
        for (path, is) in &self.on {
            // Those that are not new as well: what was moved away and back is not watched any more, and
            // what could not be watched may be able to now.
            let failed = watcher.watch(path, RecursiveMode::NonRecursive);
            if let Some(error) = failed.err().filter(|_| before.get(path) != Some(is)) {
                let path = path.display();
                tracing::warn!(%path, %error, "cannot be watched: it is polled");
            }
        }
    }

    fn are_open(&mut self) -> bool {
        if self.watcher.is_some() {
            return true;
        }
        match (self.open)() {
            Ok(watcher) => {
                self.watcher = Some(watcher);
                if std::mem::take(&mut self.told) {
                    tracing::info!("files are watched from now on");
                }
                true
            }
            Err(error) => {
                if !std::mem::replace(&mut self.told, true) {
                    tracing::warn!(%error, "files cannot be watched: they are polled");
                }
                false
            }
        }
    }
}

/// Opens the system's own eyes.
fn open(hint: &Sender<()>) -> notify::Result<Watching> {
    let hint = hint.clone();
    let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        if is_hint(&event) {
            // One hint that waits says as much as many.
            let _ = hint.try_send(());
        }
    })?;
    Ok(Box::new(watcher))
}

/// Whether what was told may be a change. An error may: it may be that events were lost, of which a
/// queue that ran over tells in its own event.
fn is_hint(event: &notify::Result<Event>) -> bool {
    event.as_ref().map_or(true, |event| !is_reading(event.kind))
}

/// Whether an event tells only that somebody reads, as an attempt itself does.
fn is_reading(kind: EventKind) -> bool {
    matches!(kind, EventKind::Access(access) if access != AccessKind::Close(AccessMode::Write))
}

#[cfg(test)]
mod tests;
