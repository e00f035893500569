//! Where a client's connection is in its life, and until when it may stay there.
//!
//! The connection's ends note what happens (bytes come, a request begins, its answer is over, a write
//! waits), and one timer per connection asks now and then whether a bound is passed. Noting costs no
//! timer: [`Pace::overdue`] never sleeps for longer than the shortest bound, so that no stage that
//! begins meanwhile can be over before it looks again.
//!
//! Several requests may be under way at a time, where HTTP/2 is spoken: the connection is idle when none
//! is.

use std::cell::Cell;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::patience::Patience;

/// How long a client may take.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// For the TLS handshake.
    pub handshake: Duration,
    /// For the head of a request: from its first byte on, or from the connection's start or handshake.
    pub header_read: Duration,
    /// For the next 8 KiB of a request's body, or its end.
    pub body_read: Duration,
    /// For taking the next 8 KiB of an answer, or its end.
    pub response_write: Duration,
    /// Between two requests.
    pub idle: Duration,
}

/// Where a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Nothing has come yet.
    Start,
    /// A head has begun.
    Head,
    /// A request is received or answered. Its body and its upstream have bounds of their own.
    Exchange,
    /// A request is over, and no other has begun.
    Idle,
    /// It is being closed.
    Leaving,
}

/// What a client took too long for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Late {
    /// Its first byte.
    First,
    /// The rest of a head.
    Head,
    /// Another request.
    Next,
    /// Taking an answer.
    Answer,
    /// The end of the connection.
    End,
}

/// A connection's stage and bounds, shared by what sees its bytes, its requests and its time.
#[derive(Debug)]
pub(super) struct Pace {
    times: Times,
    stage: Cell<Stage>,
    until: Cell<Option<Instant>>,
    /// Answers that are not over yet.
    answering: Cell<usize>,
    /// Requests' bodies that are not over yet.
    receiving: Cell<usize>,
    writing: Cell<Patience>,
    /// Whether the socket is to be closed without a word.
    aborted: Cell<bool>,
}

impl Pace {
    /// A connection that begins. Until [`Self::start`] it has no bound but that what is written is taken.
    pub(super) fn new(times: Times) -> Self {
        Self {
            times,
            stage: Cell::new(Stage::Start),
            until: Cell::new(None),
            answering: Cell::new(0),
            receiving: Cell::new(0),
            writing: Cell::new(Patience::new(times.response_write)),
            aborted: Cell::new(false),
        }
    }

    pub(super) fn times(&self) -> &Times {
        &self.times
    }

    /// Notes that from now on requests may come: what was agreed on before took time of its own.
    pub(super) fn start(&self) {
        self.enter(Stage::Start, Some(self.times.header_read));
    }

    /// Notes that the client has greeted, as HTTP/2 has it: a request may come, or not yet.
    pub(super) fn greeted(&self) {
        if self.stage.get() == Stage::Start {
            self.enter(Stage::Idle, Some(self.times.idle));
        }
    }

    /// Notes that a client's bytes came, where they can only be a head's or a body's.
    pub(super) fn came(&self) {
        match self.stage.get() {
            Stage::Start => self.stage.set(Stage::Head),
            Stage::Idle => self.enter(Stage::Head, Some(self.times.header_read)),
            Stage::Head | Stage::Exchange | Stage::Leaving => {}
        }
    }

    /// Notes that a request's head has been read, and an answer is due.
    pub(super) fn begin(&self) {
        self.answering.update(|answers| answers + 1);
        if self.stage.get() != Stage::Leaving {
            self.enter(Stage::Exchange, None);
        }
    }

    /// Notes that an answer is over.
    pub(super) fn answered(&self) {
        self.answering.update(|answers| answers.saturating_sub(1));
        self.settle();
    }

    /// Notes that a request's body is to come.
    pub(super) fn receive(&self) {
        self.receiving.update(|bodies| bodies + 1);
    }

    /// Notes that a request's body is over, or not wanted any more.
    pub(super) fn received(&self) {
        self.receiving.update(|bodies| bodies.saturating_sub(1));
        self.settle();
    }

    /// Notes that what is to be written does not go out.
    pub(super) fn write_waits(&self) {
        let mut writing = self.writing.get();
        writing.wait();
        self.writing.set(writing);
    }

    /// Notes that bytes were written.
    pub(super) fn wrote(&self, bytes: usize) {
        let mut writing = self.writing.get();
        let waited = writing.until().is_some();
        writing.moved(bytes);
        self.writing.set(writing);
        // An answer that is over for us may still be on its way: the client's time begins behind it.
        match self.stage.get() {
            Stage::Idle if waited => self.enter(Stage::Idle, Some(self.times.idle)),
            Stage::Leaving if waited => self.leave(),
            _ => {}
        }
    }

    /// Notes that the connection is closed as soon as what has begun is over, and has then little time.
    pub(super) fn leave(&self) {
        self.enter(Stage::Leaving, Some(self.times.header_read));
    }

    /// Has the socket closed without a word when the connection is let go of: its client takes none.
    pub(super) fn abort(&self) {
        self.aborted.set(true);
    }

    /// Whether it is to be closed without a word.
    pub(super) fn is_aborted(&self) -> bool {
        self.aborted.get()
    }

    /// Whether an answer waits to be taken.
    pub(super) fn is_writing(&self) -> bool {
        self.writing.get().until().is_some()
    }

    /// Whether a request is received or answered.
    pub(super) fn is_within_exchange(&self) -> bool {
        self.is_answering() || self.receiving.get() > 0
    }

    /// Whether an answer is not over yet.
    pub(super) fn is_answering(&self) -> bool {
        self.answering.get() > 0
    }

    /// Waits until a bound is passed, and tells which.
    pub(super) async fn overdue(&self) -> Late {
        let Times { header_read, response_write, idle, .. } = self.times;
        let shortest = header_read.min(response_write).min(idle);
        loop {
            let now = Instant::now();
            let write = self.writing.get().until();
            if write.is_some_and(|until| until <= now) {
                return Late::Answer;
            }
            let behind = write.is_some() && self.is_behind_answers();
            let stage = self.until.get().filter(|_| !behind);
            if stage.is_some_and(|until| until <= now) {
                match self.stage.get() {
                    Stage::Start => return Late::First,
                    Stage::Head => return Late::Head,
                    Stage::Idle => return Late::Next,
                    Stage::Leaving if !self.is_within_exchange() => return Late::End,
                    Stage::Exchange | Stage::Leaving => {}
                }
            }
            let stage = stage.filter(|until| *until > now);
            let soonest = write.into_iter().chain(stage).fold(now + shortest, Instant::min);
            sleep_until(soonest).await;
        }
    }

    /// Whether what comes next comes when all answers are taken.
    fn is_behind_answers(&self) -> bool {
        matches!(self.stage.get(), Stage::Idle | Stage::Leaving)
    }

    fn settle(&self) {
        if self.is_within_exchange() {
            return;
        }
        match self.stage.get() {
            Stage::Exchange => self.enter(Stage::Idle, Some(self.times.idle)),
            Stage::Leaving => self.leave(),
            Stage::Start | Stage::Head | Stage::Idle => {}
        }
    }

    fn enter(&self, stage: Stage, limit: Option<Duration>) {
        self.stage.set(stage);
        self.until.set(limit.map(|limit| Instant::now() + limit));
    }
}

#[cfg(test)]
pub(super) mod tests {
    use tokio::time::{advance, timeout};

    use super::*;

    pub(in crate::net) const TIMES: Times = Times {
        handshake: Duration::from_secs(5),
        header_read: Duration::from_secs(10),
        body_read: Duration::from_secs(30),
        response_write: Duration::from_secs(20),
        idle: Duration::from_mins(1),
    };
    const LONG: Duration = Duration::from_hours(1);

    async fn late(pace: &Pace) -> (Late, u64) {
        let begun = Instant::now();
        (pace.overdue().await, begun.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_client_and_one_that_drips_its_first_head_have_the_same_time() {
        let pace = Pace::new(TIMES);
        advance(Duration::from_secs(3)).await;
        pace.start();
        assert_eq!(late(&pace).await, (Late::First, 10));
        let pace = Pace::new(TIMES);
        pace.start();
        let drip = async {
            for _ in 0..9 {
                tokio::time::sleep(Duration::from_secs(1)).await;
                pace.came();
            }
            std::future::pending::<()>().await;
        };
        let (late, seconds) = tokio::select! { late = late(&pace) => late, () = drip => return };
        assert_eq!((late, seconds), (Late::Head, 10));
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_has_its_time_from_its_first_byte_whatever_was_slept_for() {
        let pace = Pace::new(TIMES);
        pace.begin();
        pace.answered();
        let mut watch = std::pin::pin!(late(&pace));
        // Somewhere between two looks of the timer.
        assert!(timeout(Duration::from_secs(37), &mut watch).await.is_err());
        pace.came();
        assert_eq!(watch.await, (Late::Head, 47));
    }

    #[tokio::test(start_paused = true)]
    async fn between_requests_the_idle_time_runs_once_body_and_answer_are_over() {
        let pace = Pace::new(TIMES);
        pace.came();
        pace.begin();
        pace.receive();
        pace.answered();
        assert!(timeout(LONG, pace.overdue()).await.is_err(), "its body still comes");
        pace.received();
        assert_eq!(late(&pace).await, (Late::Next, 60));
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_has_no_bound_but_that_its_answer_is_taken() {
        let pace = Pace::new(TIMES);
        pace.begin();
        assert!(timeout(LONG, pace.overdue()).await.is_err());
        pace.write_waits();
        advance(Duration::from_secs(15)).await;
        pace.wrote(1);
        assert!(timeout(LONG, pace.overdue()).await.is_err(), "nothing waits");
        pace.write_waits();
        assert_eq!(late(&pace).await.0, Late::Answer);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_still_being_taken_is_not_cut_because_nothing_more_is_asked() {
        let (step, slow) = (8 * 1024, Duration::from_secs(19));
        for leaves in [false, true] {
            let pace = Pace::new(TIMES);
            pace.begin();
            pace.answered();
            if leaves {
                pace.leave();
            }
            for _ in 0..10 {
                pace.write_waits();
                assert!(timeout(slow, pace.overdue()).await.is_err());
                pace.wrote(step);
            }
            let behind = if leaves { (Late::End, 10) } else { (Late::Next, 60) };
            assert_eq!(late(&pace).await, behind);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_idle_time_begins_when_the_last_of_several_requests_is_over() {
        let pace = Pace::new(TIMES);
        pace.start();
        pace.greeted();
        assert!(timeout(Duration::from_secs(59), pace.overdue()).await.is_err());
        for _ in 0..2 {
            pace.begin();
        }
        pace.answered();
        assert!(timeout(LONG, pace.overdue()).await.is_err(), "one is answered");
        pace.came();
        pace.answered();
        assert_eq!(late(&pace).await, (Late::Next, 60));
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_greeted_has_the_time_between_requests() {
        let pace = Pace::new(TIMES);
        pace.start();
        pace.greeted();
        assert_eq!(late(&pace).await, (Late::Next, 60));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_under_way_when_a_connection_is_left_comes_to_its_end() {
        let pace = Pace::new(TIMES);
        pace.leave();
        pace.begin();
        assert!(timeout(LONG, pace.overdue()).await.is_err(), "it is answered");
        pace.answered();
        assert_eq!(late(&pace).await, (Late::End, 10));
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_left_ends() {
        let pace = Pace::new(TIMES);
        pace.begin();
        pace.leave();
        pace.answered();
        assert_eq!(late(&pace).await, (Late::End, 10));
    }
}
