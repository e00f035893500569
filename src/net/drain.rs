//! How the gateway leaves: a phase that only moves forward, and everyone who wants to know it.

use std::pin::pin;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{sleep, timeout};

/// How far the gateway is from its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Not leaving.
    Running,
    /// No longer ready, but connections are still accepted: those who send traffic here may not know yet.
    /// Answers ask clients to come back on another connection.
    Draining,
    /// Nothing is accepted any more; requests in flight come to their end.
    Closing,
    /// What is left is broken off.
    Gone,
}

/// The phase of one gateway.
#[derive(Clone, Debug)]
pub struct Drain(watch::Sender<Phase>);

impl Drain {
    /// A gateway that is not leaving.
    pub fn new() -> Self {
        Self(watch::Sender::new(Phase::Running))
    }

    /// The phase of this moment.
    pub fn phase(&self) -> Phase {
        *self.0.borrow()
    }

    /// Moves on to `phase`; never back.
    pub fn advance(&self, phase: Phase) {
        self.0.send_if_modified(|current| {
            let forward = *current < phase;
            *current = (*current).max(phase);
            forward
        });
    }

    /// Waits until `phase` or a later one is reached.
    pub async fn reached(&self, phase: Phase) {
        let mut phases = self.0.subscribe();
        // This handle holds a sender: the channel cannot close while it waits.
        let _ = phases.wait_for(|&current| current >= phase).await;
    }

    /// Leaves in order: drains for `delay`, then closes, until `idle` or for `deadline` at most.
    /// `hurry` breaks it off at once.
    pub async fn leave(
        &self,
        delay: Duration,
        deadline: Duration,
        idle: impl Future<Output = ()>,
        hurry: impl Future<Output = ()>,
    ) {
        let orderly = async {
            self.advance(Phase::Draining);
            sleep(delay).await;
            self.advance(Phase::Closing);
            let _ = timeout(deadline, idle).await;
        };
        let (orderly, hurry) = (pin!(orderly), pin!(hurry));
        tokio::select! {
            () = orderly => {}
            () = hurry => {}
        }
        self.advance(Phase::Gone);
    }
}

impl Default for Drain {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    const LONG: Duration = Duration::from_hours(1);

    #[tokio::test]
    async fn a_second_signal_leaves_at_once() {
        let drain = Drain::new();
        drain.leave(LONG, LONG, pending(), ready(())).await;
        assert_eq!(drain.phase(), Phase::Gone);
    }

    #[tokio::test]
    async fn it_leaves_as_soon_as_nothing_is_in_flight() {
        let drain = Drain::new();
        let seen = drain.clone();
        let idle = async move { assert_eq!(seen.phase(), Phase::Closing) };
        drain.leave(Duration::ZERO, LONG, idle, pending()).await;
        drain.reached(Phase::Closing).await;
        assert_eq!(drain.phase(), Phase::Gone);
    }

    #[test]
    fn no_phase_comes_back() {
        let drain = Drain::new();
        drain.advance(Phase::Closing);
        drain.advance(Phase::Draining);
        assert_eq!(drain.phase(), Phase::Closing);
    }
}
