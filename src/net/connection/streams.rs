//! The streams of one HTTP/2 connection: a task for each, and what ends it before its end.
//!
//! An answer asks its exchange's [`Cord`] when it is asked for more; where the client's window is closed
//! nobody asks it. So each task watches its own stream: one whose cord is cut has a moment to say its last
//! words, and one that takes nothing of an answer has the time that any client has. Then the task is
//! dropped, which resets its stream (`CANCEL`) and leaves the others alone.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::rt::Executor;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::net::answer::Answer;
use crate::net::body::AnswerError;
use crate::net::cord::{self, Cord};
use crate::net::patience::Alarm;

/// How much of an answer is handed out at a time: what must be taken to earn the whole time again.
const PIECE: usize = 16 * 1024;

/// Runs the streams of one connection.
#[derive(Clone)]
pub(super) struct Streams {
    tasks: Rc<RefCell<JoinSet<()>>>,
    /// How long a client may take for the next [`PIECE`] of an answer.
    patience: Duration,
}

impl Streams {
    pub(super) fn new(patience: Duration) -> Self {
        Self { tasks: Rc::default(), patience }
    }

    /// Ends all streams when it is dropped: with their connection.
    pub(super) fn ending(&self) -> Ending {
        Ending(self.tasks.clone())
    }
}

/// See [`Streams::ending`].
pub(super) struct Ending(Rc<RefCell<JoinSet<()>>>);

impl Drop for Ending {
    fn drop(&mut self) {
        // Tasks hold what runs them: the set itself must go.
        drop(self.0.take());
    }
}

impl<F: Future<Output = ()> + 'static> Executor<F> for Streams {
    fn execute(&self, stream: F) {
        let mut tasks = self.tasks.borrow_mut();
        while tasks.try_join_next().is_some() {}
        // What writes for a stream that has become a WebSocket is started by that stream, and ends as it.
        let hold = Hold::of_this_stream();
        // Boxed: what a task is given and what it pins would each have room for it.
        let stream = Box::pin(HOLD.scope(hold.clone(), stream));
        tasks.spawn_local(watch(stream, hold, self.patience));
    }
}

tokio::task_local! {
    static HOLD: Rc<Hold>;
}

/// What a stream's exchange and its task know of each other.
#[derive(Default)]
pub(super) struct Hold {
    pub(super) cord: Cord,
    /// Since when a piece of the answer waits to be taken.
    offered: Cell<Option<Instant>>,
}

impl Hold {
    /// The one of the stream whose task this is called in.
    pub(super) fn of_this_stream() -> Rc<Self> {
        HOLD.try_with(Rc::clone).unwrap_or_default()
    }
}

/// Runs `stream` to its end, or until it must end.
async fn watch(mut stream: impl Future<Output = ()> + Unpin, hold: Rc<Hold>, patience: Duration) {
    let (mut last_words, mut not_taken) = (Alarm::default(), Alarm::default());
    let mut cut = None;
    poll_fn(|cx| {
        if Pin::new(&mut stream).poll(cx).is_ready() {
            return Poll::Ready(());
        }
        if hold.cord.poll_cut(cx).is_ready() {
            let cut = *cut.get_or_insert_with(Instant::now);
            if last_words.poll(cut + cord::LAST_WORDS, cx).is_ready() {
                return Poll::Ready(());
            }
        }
        match hold.offered.get() {
            Some(since) => not_taken.poll(since + patience, cx),
            None => Poll::Pending,
        }
    })
    .await;
}

/// An answer that is handed out in pieces, each of which its stream notes until the next is asked for.
pub(super) struct Paced {
    answer: Answer,
    rest: Bytes,
    hold: Rc<Hold>,
}

impl Paced {
    pub(super) fn new(answer: Answer, hold: Rc<Hold>) -> Self {
        Self { answer, rest: Bytes::new(), hold }
    }
}

impl HttpBody for Paced {
    type Data = Bytes;
    type Error = AnswerError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, AnswerError>>> {
        let Self { answer, rest, hold } = &mut *self;
        hold.offered.set(None);
        if rest.is_empty() {
            let frame = match ready!(Pin::new(answer).poll_frame(cx)) {
                Some(Ok(frame)) => frame,
                end => return Poll::Ready(end),
            };
            match frame.into_data() {
                Ok(data) => *rest = data,
                Err(other) => return Poll::Ready(Some(Ok(other))),
            }
        }
        let piece = rest.split_to(rest.len().min(PIECE));
        hold.offered.set(Some(Instant::now()));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.answer.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.answer.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::task::{LocalSet, yield_now};
    use tokio::time::advance;

    use super::*;
    use crate::net::cord::Parting;

    const PATIENCE: Duration = Duration::from_secs(20);
    const EXPIRED: Parting = Parting { code: "token-expired", grpc: 16, close: 1008 };

    /// A stream that has begun and does not end by itself, and what is dropped with it.
    async fn begun(streams: &Streams) -> (Rc<Hold>, Rc<()>) {
        let (alive, told) = (Rc::new(()), Rc::new(RefCell::new(None)));
        let (kept, tell) = (alive.clone(), told.clone());
        streams.execute(async move {
            tell.replace(Some(Hold::of_this_stream()));
            pending::<()>().await;
            drop(kept);
        });
        yield_now().await;
        let hold = told.take().unwrap();
        (hold, alive)
    }

    async fn after(time: Duration) {
        advance(time).await;
        yield_now().await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_whose_cord_is_cut_has_a_moment_for_its_last_words() {
        let test = async {
            let streams = Streams::new(PATIENCE);
            let ((cut, one), (_hold, other)) = (begun(&streams).await, begun(&streams).await);
            cut.cord.cut(EXPIRED);
            yield_now().await;
            after(cord::LAST_WORDS * 9 / 10).await;
            assert_eq!(Rc::strong_count(&one), 2);
            after(cord::LAST_WORDS / 5).await;
            assert_eq!((Rc::strong_count(&one), Rc::strong_count(&other)), (1, 2));
        };
        LocalSet::new().run_until(test).await;
    }

    #[tokio::test(start_paused = true)]
    async fn streams_end_with_their_connection() {
        let test = async {
            let streams = Streams::new(PATIENCE);
            let ending = streams.ending();
            let (_hold, alive) = begun(&streams).await;
            drop(ending);
            yield_now().await;
            assert_eq!(Rc::strong_count(&alive), 1);
        };
        LocalSet::new().run_until(test).await;
    }
}
