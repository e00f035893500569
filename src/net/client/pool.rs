//! One worker's connections to one upstream: those in use, and those kept for the next request.
//!
//! A [`Route`] is what one request goes out on: an HTTP/1.1 connection of its own, or a stream. An
//! HTTP/1.1 [`Connection`] that is dropped is cut off at once, with whatever is under way on it, and a
//! stream is reset: that is how a request that nobody waits for any more ends. One that has done its work
//! is kept, or retired in order.

use std::cell::RefCell;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::spawn_local;
use tokio::time::{Instant, timeout};

use crate::config::snapshot::{Upstream, UpstreamProtocol};
use crate::net::body::Upload;

use super::fleet::{Fleet, Speaks};
use super::http2::{Exchange, until_retired};
use super::{SendError, Terms};

/// Connections to one upstream that a worker keeps without use.
const MOST_IDLE: usize = 128;

/// Lookups of an upstream's name at a time. They hold a thread each, for as long as the resolver likes.
const MOST_LOOKUPS: usize = 4;

/// What becomes of a request that is sent.
pub(super) type Sent = Result<Response<Incoming>, TrySendError<Request<Upload>>>;

/// For how long a retired connection may take to end: it says so to the other side, which may not listen.
/// So may an upload that was answered before its end.
pub(super) const GRACE: Duration = Duration::from_secs(5);

/// The connections of one worker to one upstream.
pub(super) struct Pool {
    idle: RefCell<Vec<Idle>>,
    fleet: Rc<Fleet>,
    pub(super) lookups: Arc<Semaphore>,
}

/// What one request goes out on.
pub(super) enum Route {
    /// A connection of its own, which may have been used before.
    Http1 { connection: Connection, is_kept: bool },
    /// A stream on a connection that has others.
    Http2(Exchange),
}

struct Idle {
    connection: Connection,
    until: Instant,
}

impl Pool {
    pub(super) fn new(upstream: Upstream, protocol: UpstreamProtocol) -> Rc<Self> {
        let lookups = Arc::new(Semaphore::new(MOST_LOOKUPS));
        let fleet = Fleet::new(upstream, protocol, lookups.clone());
        Rc::new(Self { idle: RefCell::default(), fleet, lookups })
    }

    /// A way for a request: on the connection that was used last, on a stream, or on a fresh connection.
    pub(super) async fn route(&self, terms: &Terms) -> Result<Route, SendError> {
        match self.take() {
            Some(connection) => Ok(Route::Http1 { connection, is_kept: true }),
            None => self.fresh(terms).await,
        }
    }

    /// A way for a request that does not go over an HTTP/1.1 connection of before.
    pub(super) async fn fresh(&self, terms: &Terms) -> Result<Route, SendError> {
        if self.fleet.speaks() != Some(Speaks::Http1)
            && let Some(route) = self.fleet.turn(terms).await?
        {
            return Ok(route);
        }
        self.fleet.dial(terms).await
    }

    /// The connection that was used last, of those that still stand.
    fn take(&self) -> Option<Connection> {
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
        let has_streams = !self.fleet.sweep();
        idle.is_empty() && !has_streams && Rc::strong_count(self) == 1
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
        // Its faults are told to whoever waits for a response on it.
        spawn_local(until_retired(driver, retired));
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

impl Route {
    /// Sends the one request.
    pub(super) async fn send(&mut self, request: Request<Upload>) -> Sent {
        match self {
            Self::Http1 { connection, .. } => connection.sender.try_send_request(request).await,
            Self::Http2(exchange) => exchange.send(request).await,
        }
    }

    /// Ends without an answer that came in time.
    pub(super) fn give_up(self) {
        if let Self::Http2(exchange) = self {
            exchange.give_up();
        }
    }
}

/// What an answer comes on, and where that goes afterwards.
pub(in crate::net) struct Lease {
    route: Option<Route>,
    pool: Rc<Pool>,
    idle: Duration,
}

impl Lease {
    /// `idle` is how long a connection may be kept without use.
    pub(super) fn new(route: Route, pool: Rc<Pool>, idle: Duration) -> Self {
        Self { route: Some(route), pool, idle }
    }

    /// Keeps the connection for the next request, once its response has come to its end. One whose
    /// request is still being sent cannot be used again, unless it is shared.
    pub(in crate::net) fn give_back(&mut self) {
        match self.route.take() {
            Some(Route::Http1 { connection, .. }) => self.pool.keep(connection, self.idle),
            Some(Route::Http2(exchange)) => exchange.finish(),
            None => {}
        }
    }

    /// Whether the answer comes on a stream.
    pub(in crate::net) fn is_of_stream(&self) -> bool {
        matches!(self.route, Some(Route::Http2(_)))
    }
}

#[cfg(test)]
mod tests;
