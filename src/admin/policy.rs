//! `GET /policy`: the policy that runs, as a configuration document that means the same.
//!
//! It is made of the snapshot that decides, never of what stands on disk, and holds no secrets. Of very many
//! grants it is long: it is made on a thread that may wait while it is read, in parts, so that it is never
//! there as a whole, and for one reader at a time.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::config::policy_document;
use crate::config::snapshot::Snapshot;
use crate::live::Live;

use super::answer::Answer;

/// Who tells the policy.
pub(super) struct Policy {
    snapshot: Live<Snapshot>,
    telling: Arc<Semaphore>,
}

impl Policy {
    pub(super) fn new(snapshot: Live<Snapshot>) -> Self {
        Self { snapshot, telling: Arc::new(Semaphore::new(1)) }
    }

    /// Tells it.
    pub(super) async fn answer(&self) -> Answer {
        let place = timeout(PATIENCE, self.telling.clone().acquire_owned()).await;
        let Ok(Ok(place)) = place else {
            let line = "the policy is told to somebody else: ask again\n";
            return Answer::text(StatusCode::SERVICE_UNAVAILABLE, line);
        };
        let snapshot = self.snapshot.load();
        let (told, parts) = mpsc::channel(PARTS);
        spawn_blocking(move || {
            tell(&snapshot, &told);
            drop(place);
        });
        Answer::parts("application/json", parts)
    }
}

/// Tells a snapshot for as long as somebody listens. Cut short it is no JSON.
fn tell(snapshot: &Snapshot, told: &mpsc::Sender<Bytes>) {
    let mut part = String::with_capacity(PART + PART / 8);
    for piece in policy_document(snapshot).parts() {
        part.push_str(&piece);
        if part.len() >= PART && told.blocking_send(std::mem::take(&mut part).into()).is_err() {
            return;
        }
    }
    let _ = told.blocking_send(part.into());
}

/// How long somebody waits until another one was told.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a part is, in bytes, and how many wait to be read.
const PART: usize = 64 * 1024;
const PARTS: usize = 4;
