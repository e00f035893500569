//! What an exchange hangs by: whoever holds its cord can end it before its end.
//!
//! Each exchange of a client has one [`Cord`]. Its body, its answer and its tunnel ask whether it is cut,
//! and are woken when it is. What then is said to either side is theirs to know, with what is in the
//! [`Parting`].

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::poll_fn;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::time::Instant;

/// Why an exchange ends before its end, in the words of each protocol that can say so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parting {
    /// The reason, as a kebab-case code.
    pub code: &'static str,
    /// The status of a gRPC stream's trailers.
    pub grpc: u8,
    /// The status of a WebSocket's close frame (RFC 6455 section 7.4).
    pub close: u16,
}

/// What an exchange hangs by.
#[derive(Clone, Default)]
pub struct Cord(Rc<State>);

#[derive(Default)]
struct State {
    parting: Cell<Option<Parting>>,
    waiting: RefCell<Vec<Waker>>,
    /// Whether the client's body is not over yet.
    receiving: Cell<bool>,
    /// Whether the answer has begun.
    answered: Cell<bool>,
    conversation: Cell<Option<Conversation>>,
}

/// Both sides may send at any time, or listen.
#[derive(Clone, Copy)]
struct Conversation {
    /// How long both may be silent.
    idle: Duration,
    /// When one of them was not.
    moved: Instant,
}

/// How long the last words of an exchange that was cut may take, to a client that does not take them.
pub(super) const LAST_WORDS: Duration = Duration::from_millis(500);

impl Cord {
    /// Ends the exchange; the first one to do so says why.
    pub fn cut(&self, parting: Parting) {
        if self.0.parting.get().is_none() {
            self.0.parting.set(Some(parting));
            for waker in self.0.waiting.take() {
                waker.wake();
            }
        }
    }

    /// Why it was cut, if it was.
    pub fn parting(&self) -> Option<Parting> {
        self.0.parting.get()
    }

    /// Whether it is cut; wakes the caller's task when it will be.
    pub fn poll_cut(&self, cx: &mut Context<'_>) -> Poll<Parting> {
        if let Some(parting) = self.parting() {
            return Poll::Ready(parting);
        }
        let mut waiting = self.0.waiting.borrow_mut();
        if !waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
            waiting.push(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Waits until it is cut.
    pub async fn until_cut(&self) -> Parting {
        poll_fn(|cx| self.poll_cut(cx)).await
    }

    /// Notes whether there is more to come of the client's body.
    pub(crate) fn receiving(&self, more: bool) {
        self.0.receiving.set(more);
    }

    /// Notes that the answer has begun. From then on whoever holds the cord is its body, or a tunnel.
    pub(crate) fn answered(&self) {
        self.0.answered.set(true);
    }

    /// Whether the answer has begun: what is left of the exchange is its body, or a tunnel.
    pub fn is_answered(&self) -> bool {
        self.0.answered.get()
    }

    /// Makes it a conversation, in which one side may be silent while the other is not: neither has a time
    /// of its own, and both may be silent for `idle`. It is a stream from its beginning to its end.
    pub fn converse(&self, idle: Duration) {
        self.0.conversation.set(Some(Conversation { idle, moved: Instant::now() }));
    }

    /// Notes that something came from one side.
    pub(super) fn moved(&self) {
        if let Some(conversation) = self.0.conversation.get() {
            let moved = Instant::now();
            self.0.conversation.set(Some(Conversation { moved, ..conversation }));
        }
    }

    /// Until when both sides may be silent, where it is a conversation.
    pub(super) fn silent_until(&self) -> Option<Instant> {
        self.0.conversation.get().map(|conversation| conversation.moved + conversation.idle)
    }

    /// Whether the exchange is under way in either direction, and does not just wait for its answer.
    pub fn is_stream(&self) -> bool {
        self.is_answered() || self.0.receiving.get() || self.0.conversation.get().is_some()
    }

    /// A way to cut it that does not keep it.
    pub fn end(&self) -> CordEnd {
        CordEnd(Rc::downgrade(&self.0))
    }
}

/// A way to cut a [`Cord`] that does not keep it.
#[derive(Clone, Default)]
pub struct CordEnd(Weak<State>);

impl CordEnd {
    /// The cord, while its exchange is not over.
    pub fn cord(&self) -> Option<Cord> {
        self.0.upgrade().map(Cord)
    }

    /// Whether its exchange is over.
    pub fn is_over(&self) -> bool {
        self.0.strong_count() == 0
    }
}

impl fmt::Debug for Cord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cord({:?})", self.parting())
    }
}

#[cfg(test)]
mod tests {
    use tokio::task::yield_now;

    use super::*;

    const EXPIRED: Parting = Parting { code: "token-expired", grpc: 16, close: 1008 };

    #[tokio::test]
    async fn all_who_wait_learn_of_the_first_cut() {
        let cord = Cord::default();
        let cut = async {
            yield_now().await;
            cord.cut(EXPIRED);
            cord.cut(Parting { code: "grant-missing", ..EXPIRED });
        };
        let (one, other, ()) = tokio::join!(cord.until_cut(), cord.until_cut(), cut);
        assert_eq!((one, other, cord.parting()), (EXPIRED, EXPIRED, Some(EXPIRED)));
    }

    #[test]
    fn an_end_does_not_keep_its_cord() {
        let cord = Cord::default();
        let end = cord.end();
        end.cord().unwrap().cut(EXPIRED);
        assert_eq!(cord.parting(), Some(EXPIRED));
        drop(cord);
        assert!(end.is_over() && end.cord().is_none());
    }
}
