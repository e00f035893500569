//! One worker's reception: accepts connections of clients, as many as may be, until the gateway leaves.
//!
//! Nothing that a client or the system does ends the accept loop; only [`Phase::Closing`] does. One
//! connection too many is answered that there are too many, and closed; with TLS it is closed at once,
//! because a handshake would cost what there is too little of.

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use tokio::io::AsyncWriteExt;
use tokio::sync::Notify;
use tokio::task::spawn_local;
use tokio::time::{sleep, timeout};

use crate::telemetry::{ConnectionError, Metrics};

use super::body::Body;
use super::cord;
use super::drain::{Drain, Phase};
use super::linger::Linger;
use super::listen::Listener;
use super::pace::{Pace, Times};
use super::peer::Peer;
use super::received::Received;
use super::room::room;
use super::stream::Stream;
use super::tls::Tls;

/// What answers requests, one per worker.
pub trait Service: 'static {
    /// The bounds of a connection that was just accepted from this address.
    fn bounds(&self, from: Option<SocketAddr>) -> Bounds;

    /// Answers one request of `peer`.
    fn serve(&self, peer: Peer, request: Request<Received>)
    -> impl Future<Output = Response<Body>>;

    /// Answers a request that is one too many, without looking into it.
    fn turn_away(&self, peer: Peer, request: Request<Received>) -> Response<Body>;

    /// The whole message that a connection gets which is one too many.
    fn overloaded(&self) -> Bytes;

    /// Cuts what is still answered when the gateway leaves; whether there is anything.
    fn leave(&self) -> bool;
}

/// The bounds of a client's connection.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Connections that may be open, over all workers; and requests, of which one connection can carry
    /// several.
    pub connections: usize,
    /// The head of a request, in bytes.
    pub header_bytes: usize,
    /// Whether HTTP/2 is spoken without TLS to those who begin with it.
    pub prior_knowledge: bool,
    /// Requests open at a time on one connection that speaks HTTP/2.
    pub streams: u32,
    /// How long the client may take.
    pub times: Times,
    /// Whether it comes through a balancer, which says first whose connection it is.
    pub announced: bool,
}

/// Connections that are turned away with an answer at a time; more of them are just closed.
const MOST_TURNED_AWAY: usize = 64;

/// The least and the longest pause after accepting has failed.
const PAUSES: (Duration, Duration) = (Duration::from_millis(5), Duration::from_secs(1));

/// One worker's connections.
pub(super) struct Reception<S> {
    pub(super) service: S,
    pub(super) tls: Tls,
    pub(super) drain: Drain,
    /// Whether answers ask clients to come back on another connection.
    pub(super) leaving: Cell<bool>,
    pub(super) metrics: Arc<Metrics>,
    share: Rc<Share>,
    /// How many connections the system has room for.
    room: usize,
    /// Open connections of this worker.
    open: Cell<usize>,
    empty: Notify,
}

/// What the workers of one listener have together.
#[derive(Default)]
pub(super) struct Totals {
    /// Open connections.
    open: AtomicUsize,
    /// Requests that are not answered to their end.
    requests: AtomicUsize,
    /// Connections that are being turned away with an answer.
    turned_away: AtomicUsize,
}

/// One worker's hold of [`Totals`], which its requests hold in turn: a count of holders that all workers
/// write to would have them wait for one another.
#[derive(Default)]
struct Share(Arc<Totals>);

/// A request that is not answered to its end.
#[cfg_attr(test, derive(Default))]
pub(super) struct InFlight(Rc<Share>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.0.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<S: Service> Reception<S> {
    pub(super) fn new(
        service: S,
        tls: Tls,
        drain: Drain,
        metrics: Arc<Metrics>,
        totals: Arc<Totals>,
    ) -> Rc<Self> {
        Rc::new(Self {
            service,
            tls,
            drain,
            leaving: Cell::new(false),
            metrics,
            share: Rc::new(Share(totals)),
            room: room(),
            open: Cell::new(0),
            empty: Notify::new(),
        })
    }

    /// Serves `listener` until the gateway leaves and its last connection has ended.
    pub(super) async fn run(self: &Rc<Self>, listener: Listener) {
        let reception = self.clone();
        spawn_local(async move {
            reception.drain.reached(Phase::Draining).await;
            reception.leaving.set(true);
        });
        tokio::select! {
            () = self.drain.reached(Phase::Closing) => {}
            () = self.accept(&listener) => {}
        }
        drop(listener);
        tokio::select! {
            () = self.drain.reached(Phase::Gone) => {
                if self.service.leave() {
                    // Who does not take the last words goes without.
                    let _ = timeout(cord::LAST_WORDS, self.emptied()).await;
                }
            }
            () = self.emptied() => {}
        }
    }

    async fn accept(self: &Rc<Self>, listener: &Listener) {
        let mut pause = PAUSES.0;
        loop {
            match listener.accept().await {
                Ok((stream, address)) => {
                    pause = PAUSES.0;
                    self.receive(stream, address);
                }
                // Of one connection that was gone before it was accepted.
                Err(error) if is_of_one(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "connections cannot be accepted");
                    sleep(pause).await;
                    pause = (pause * 2).min(PAUSES.1);
                }
            }
        }
    }

    async fn emptied(&self) {
        while self.open.get() > 0 {
            self.empty.notified().await;
        }
    }

    fn receive(self: &Rc<Self>, stream: Stream, address: Option<SocketAddr>) {
        let bounds = self.service.bounds(address);
        match Place::take(self, bounds.connections.min(self.room)) {
            Some(place) => {
                spawn_local(async move { place.0.serve(stream, address, &bounds).await });
            }
            None => self.turn_away(stream, bounds.times),
        }
    }

    /// Counts a request in, and whether it is one too many: each may need a connection to an upstream,
    /// and there is no more room for those than for clients.
    pub(super) fn take_in(&self, bounds: &Bounds) -> (InFlight, bool) {
        let taken = self.share.0.requests.fetch_add(1, Ordering::Relaxed);
        (InFlight(self.share.clone()), taken >= bounds.connections.min(self.room))
    }

    fn turn_away(self: &Rc<Self>, stream: Stream, times: Times) {
        self.metrics.connection_error(ConnectionError::Refused);
        if self.tls.is_spoken()
            || self.share.0.turned_away.load(Ordering::Relaxed) >= MOST_TURNED_AWAY
            || stream.try_write(&self.service.overloaded()).is_err()
        {
            return;
        }
        let reception = self.clone();
        self.share.0.turned_away.fetch_add(1, Ordering::Relaxed);
        spawn_local(async move {
            // Our answer is lost when the request comes in after the socket is gone.
            let _ = Linger::new(stream, Rc::new(Pace::new(times))).shutdown().await;
            reception.share.0.turned_away.fetch_sub(1, Ordering::Relaxed);
        });
    }
}

/// A place among the connections that may be open; free again when it is dropped.
struct Place<S>(Rc<Reception<S>>);

impl<S> Place<S> {
    fn take(of: &Rc<Reception<S>>, most: usize) -> Option<Self> {
        let taken = of.share.0.open.fetch_add(1, Ordering::Relaxed);
        of.open.set(of.open.get() + 1);
        of.metrics.connections.increment(1.0);
        let place = Self(of.clone());
        (taken < most).then_some(place)
    }
}

impl<S> Drop for Place<S> {
    fn drop(&mut self) {
        let reception = &self.0;
        reception.share.0.open.fetch_sub(1, Ordering::Relaxed);
        reception.metrics.connections.decrement(1.0);
        reception.open.set(reception.open.get() - 1);
        if reception.open.get() == 0 {
            reception.empty.notify_one();
        }
    }
}

/// Whether accepting failed because of one connection alone.
fn is_of_one(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted)
}
