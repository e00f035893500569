//! Requests of HTTP/2 that their client takes back before they are answered.
//!
//! A stream that is reset leaves room for the next at once: the bound on open streams does not bound what
//! an upstream is asked by who asks and takes back as fast as it can (CVE-2023-44487), each time at the
//! price of a connection, or of the patience of an upstream whose connections others share. Now and then
//! everybody changes their mind; who does little else is told to go.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// How many more may be taken back at once than are answered.
const MOST: usize = 200;

/// Who has waited for so long has not taken back at once. Deadlines are rarely shorter.
const AT_ONCE: Duration = Duration::from_secs(1);

/// The requests of one connection, as far as they were taken back.
#[derive(Default)]
pub(super) struct Recalls {
    surplus: Cell<usize>,
    too_many: Notify,
}

impl Recalls {
    /// Begins to wait for an answer; taken back where that is dropped.
    pub(super) fn wait(self: &Rc<Self>) -> Waiting {
        Waiting { recalls: self.clone(), since: Instant::now(), is_over: false }
    }

    /// Waits until too many were taken back.
    pub(super) async fn too_many(&self) {
        self.too_many.notified().await;
    }
}

/// A request that waits for its answer.
pub(super) struct Waiting {
    recalls: Rc<Recalls>,
    since: Instant,
    is_over: bool,
}

impl Waiting {
    /// The answer has come. One of our own cost no upstream anything, and speaks for nobody.
    pub(super) fn answered(mut self, by_upstream: bool) {
        self.is_over = true;
        if by_upstream {
            self.recalls.surplus.update(|surplus| surplus.saturating_sub(1));
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if self.is_over || self.since.elapsed() >= AT_ONCE {
            return;
        }
        self.recalls.surplus.update(|surplus| surplus + 1);
        if self.recalls.surplus.get() > MOST {
            self.recalls.too_many.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{advance, timeout};

    use super::*;

    async fn are_too_many(recalls: &Recalls) -> bool {
        timeout(Duration::from_millis(1), recalls.too_many()).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_back_little_else_than_asks_is_noticed() {
        let recalls = Rc::<Recalls>::default();
        for _ in 0..MOST {
            drop(recalls.wait());
            recalls.wait().answered(false);
        }
        assert!(!are_too_many(&recalls).await);
        drop(recalls.wait());
        assert!(are_too_many(&recalls).await);
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_answered_as_often_or_loses_patience_is_not() {
        let recalls = Rc::<Recalls>::default();
        for _ in 0..2 * MOST {
            drop(recalls.wait());
            recalls.wait().answered(true);
            let late = recalls.wait();
            advance(AT_ONCE).await;
            drop(late);
        }
        assert!(!are_too_many(&recalls).await);
    }
}
