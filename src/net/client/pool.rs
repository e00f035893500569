//! One worker's connections to one upstream: those in use, and those kept for the next request.
//!
//! A [`Connection`] that is dropped is cut off at once, with whatever is under way on it: that is how a
//! request that nobody waits for any more ends. One that has done its work is kept, or retired in order.

use std::cell::RefCell;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::spawn_local;
use tokio::time::{Instant, timeout};

use crate::net::body::Upload;

/// Connections to one upstream that a worker keeps without use.
const MOST_IDLE: usize = 128;

/// Lookups of an upstream's name at a time. They hold a thread each, for as long as the resolver likes.
const MOST_LOOKUPS: usize = 4;

/// For how long a retired connection may take to end: it says so to the other side, which may not listen.
const GRACE: Duration = Duration::from_secs(5);

/// The connections of one worker to one upstream.
pub(super) struct Pool {
    idle: RefCell<Vec<Idle>>,
    pub(super) lookups: Arc<Semaphore>,
}

struct Idle {
    connection: Connection,
    until: Instant,
}

impl Pool {
    pub(super) fn new() -> Rc<Self> {
        let lookups = Arc::new(Semaphore::new(MOST_LOOKUPS));
        Rc::new(Self { idle: RefCell::default(), lookups })
    }

    /// The connection that was used last, of those that still stand.
    pub(super) fn take(&self) -> Option<Connection> {
        let mut idle = self.idle.borrow_mut();
        let now = Instant::now();
        while let Some(Idle { connection, until }) = idle.pop() {
            if connection.sender.is_ready() && now < until {
                return Some(connection);
            }
            connection.retire();
        }
        None
    }

    /// Closes what was idle for too long. Whether nothing is left that anybody could come back to.
    pub(super) fn sweep(self: &Rc<Self>) -> bool {
        let now = Instant::now();
        let mut idle = self.idle.borrow_mut();
        let is_over = |idle: &mut Idle| !idle.connection.sender.is_ready() || now >= idle.until;
        for over in idle.extract_if(.., is_over) {
            over.connection.retire();
        }
        idle.is_empty() && Rc::strong_count(self) == 1
    }

    fn keep(&self, connection: Connection, idle_for: Duration) {
        let mut idle = self.idle.borrow_mut();
        if connection.sender.is_ready() && idle.len() < MOST_IDLE {
            idle.push(Idle { connection, until: Instant::now() + idle_for });
        } else {
            connection.retire();
        }
    }
}

/// A connection to an upstream.
pub(super) struct Connection {
    pub(super) sender: SendRequest<Upload>,
    retire: oneshot::Sender<()>,
}

impl Connection {
    /// Lets a connection run.
    pub(super) fn start<S>(
        sender: SendRequest<Upload>,
        driver: http1::Connection<TokioIo<S>, Upload>,
    ) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + 'static,
    {
        let (retire, retired) = oneshot::channel();
        spawn_local(async move {
            let mut driver = pin!(driver);
            let retired = tokio::select! {
                // Its faults are told to whoever waits for a response on it.
                _ = driver.as_mut() => return,
                retired = retired => retired,
            };
            if retired.is_ok() {
                let _ = timeout(GRACE, driver).await;
            }
        });
        Self { sender, retire }
    }

    /// Lets a connection run that may be turned into another protocol's. It is handed over then, with
    /// what was read of it beyond the answer that said so.
    pub(super) fn start_convertible<S>(
        sender: SendRequest<Upload>,
        driver: http1::Connection<TokioIo<S>, Upload>,
    ) -> (Self, oneshot::Receiver<http1::Parts<TokioIo<S>>>)
    where
        S: AsyncRead + AsyncWrite + Unpin + 'static,
    {
        let (retire, retired) = oneshot::channel();
        let (hand_over, handed_over) = oneshot::channel();
        spawn_local(async move {
            let mut driver = pin!(driver.without_shutdown());
            let ended = tokio::select! {
                ended = driver.as_mut() => ended.ok(),
                retired = retired => match retired {
                    Ok(()) => timeout(GRACE, driver).await.ok().and_then(Result::ok),
                    Err(_) => None,
                },
            };
            if let Some(parts) = ended
                && let Err(parts) = hand_over.send(parts)
            {
                let _ = timeout(GRACE, parts.io.into_inner().shutdown()).await;
            }
        });
        (Self { sender, retire }, handed_over)
    }

    /// Lets it end in order. An upload that its upstream answered early may end with it.
    fn retire(self) {
        // One that has ended already hears nothing.
        let _ = self.retire.send(());
    }
}

/// A connection that is in use, and where it goes afterwards.
pub(in crate::net) struct Lease {
    connection: Option<Connection>,
    pool: Rc<Pool>,
    idle: Duration,
}

impl Lease {
    /// `idle` is how long it may be kept without use.
    pub(super) fn new(connection: Connection, pool: Rc<Pool>, idle: Duration) -> Self {
        Self { connection: Some(connection), pool, idle }
    }

    /// Keeps the connection for the next request, once its response has come to its end. One whose
    /// request is still being sent cannot be used again.
    pub(in crate::net) fn give_back(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.pool.keep(connection, self.idle);
        }
    }
}

#[cfg(test)]
mod tests;
