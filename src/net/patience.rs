//! How long the other side of a stream may let us wait.
//!
//! Not for a byte, which who drips one at a time always brings, but for the next few kibibytes. Only
//! time that was spent waiting counts: neither side pays for the other's pauses, nor for ours.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// What must move to earn the whole time again.
pub(super) const STEP: usize = 8 * 1024;

/// What is left of the time for the next [`STEP`] bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    limit: Duration,
    /// Spent on the bytes of this step that have moved.
    spent: Duration,
    bytes: usize,
    waiting: Option<Instant>,
}

impl Patience {
    pub(super) fn new(limit: Duration) -> Self {
        Self { limit, spent: Duration::ZERO, bytes: 0, waiting: None }
    }

    /// Notes that nothing moves, and tells until when that is borne.
    pub(super) fn wait(&mut self) -> Instant {
        let since = *self.waiting.get_or_insert_with(Instant::now);
        since + self.limit.saturating_sub(self.spent)
    }

    /// Until when it is borne that nothing moves; nothing when it moves.
    pub(super) fn until(&self) -> Option<Instant> {
        self.waiting.map(|since| since + self.limit.saturating_sub(self.spent))
    }

    /// Notes that bytes moved.
    pub(super) fn moved(&mut self, bytes: usize) {
        if let Some(since) = self.waiting.take() {
            self.spent += since.elapsed();
        } else if self.spent.is_zero() {
            return;
        }
        self.bytes += bytes;
        if self.bytes >= STEP {
            *self = Self::new(self.limit);
        }
    }
}

/// Rings at a time that may be put off meanwhile, which costs nothing until it would have rung.
#[derive(Debug, Default)]
pub(super) struct Alarm(Option<Pin<Box<Sleep>>>);

impl Alarm {
    /// Whether it is `at`, which is never earlier than it was when this was asked before.
    pub(super) fn poll(&mut self, at: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let timer = self.0.get_or_insert_with(|| Box::pin(sleep_until(at)));
        loop {
            ready!(timer.as_mut().poll(cx));
            if Instant::now() >= at {
                return Poll::Ready(());
            }
            timer.as_mut().reset(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);
    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn who_drips_is_not_borne_for_longer_than_who_is_silent() {
        let (mut patience, begun) = (Patience::new(LIMIT), Instant::now());
        for _ in 0..9 {
            assert_eq!(patience.wait(), begun + LIMIT);
            advance(SECOND).await;
            patience.moved(1);
        }
        assert_eq!(patience.wait(), begun + LIMIT);
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_that_nobody_waited_in_do_not_count() {
        let mut patience = Patience::new(LIMIT);
        patience.wait();
        advance(4 * SECOND).await;
        patience.moved(1);
        assert_eq!(patience.until(), None);
        advance(100 * SECOND).await;
        assert_eq!(patience.wait(), Instant::now() + 6 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn a_step_earns_the_whole_time_again() {
        let mut patience = Patience::new(LIMIT);
        patience.wait();
        advance(9 * SECOND).await;
        patience.moved(STEP / 2);
        assert_eq!(patience.wait(), Instant::now() + SECOND);
        patience.moved(STEP / 2);
        assert_eq!(patience.wait(), Instant::now() + LIMIT);
    }
}
