//! The HTTP/2 connections of one worker to one upstream, and the requests that wait for a stream on one.
//!
//! A request gets a [`Place`] on the first connection that has room, else it stands in line. While
//! somebody does, further connections are made: no more than are needed, within a bound, and only one
//! while it is not known yet what the upstream speaks. Who came first is served first.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use http::uri::Scheme;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::spawn_local;
use tokio::time::timeout;

use crate::config::snapshot::{Upstream, UpstreamProtocol};

use super::connect::{Fresh, connect};
use super::http2::{Connection, Exchange, Place};
use super::pool::Route;
use super::{SendError, Terms, unconnected};

/// Connections to one upstream from each worker. Beyond them requests wait.
const MOST_CONNECTIONS: usize = 16;

/// How much longer who stands in line waits than a connection may take: why there is none is known then.
const MARGIN: Duration = Duration::from_millis(100);

/// What an upstream was found to speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Speaks {
    Http1,
    Http2,
}

/// What comes to whoever stood in line: a way for its request; none where the upstream turned out to speak
/// HTTP/1.1, and each goes its own way.
type Turn = Result<Option<Route>, SendError>;

type Waiting = oneshot::Sender<Turn>;

/// The HTTP/2 connections to one upstream.
pub(super) struct Fleet {
    upstream: Upstream,
    protocol: UpstreamProtocol,
    pub(super) lookups: Arc<Semaphore>,
    speaks: Cell<Option<Speaks>>,
    connections: RefCell<Vec<Rc<Connection>>>,
    line: RefCell<VecDeque<Waiting>>,
    /// Connections that are being made.
    coming: Cell<usize>,
    /// Of whoever asked last.
    terms: Cell<Option<Terms>>,
}

impl Fleet {
    pub(super) fn new(
        upstream: Upstream,
        protocol: UpstreamProtocol,
        lookups: Arc<Semaphore>,
    ) -> Rc<Self> {
        let has_tls = matches!(upstream, Upstream::Tcp { tls: Some(_), .. });
        let speaks = match protocol {
            UpstreamProtocol::Auto if has_tls => None,
            UpstreamProtocol::Auto | UpstreamProtocol::Http1 => Some(Speaks::Http1),
            UpstreamProtocol::Http2 => Some(Speaks::Http2),
        };
        Rc::new(Self {
            upstream,
            protocol,
            lookups,
            speaks: Cell::new(speaks),
            connections: RefCell::default(),
            line: RefCell::default(),
            coming: Cell::new(0),
            terms: Cell::default(),
        })
    }

    /// What the upstream was last found to speak.
    pub(super) fn speaks(&self) -> Option<Speaks> {
        self.speaks.get()
    }

    /// `http` or `https`.
    pub(super) fn scheme(&self) -> &'static Scheme {
        match &self.upstream {
            Upstream::Tcp { tls: Some(_), .. } => &Scheme::HTTPS,
            Upstream::Tcp { tls: None, .. } | Upstream::Unix(_) => &Scheme::HTTP,
        }
    }

    /// Waits for a place, or until it is found that there will be none because HTTP/1.1 is spoken.
    pub(super) async fn turn(self: &Rc<Self>, terms: &Terms) -> Turn {
        self.terms.set(Some(*terms));
        if let Some(place) = self.place() {
            return Ok(Some(through(place)));
        }
        let (waiting, turn) = oneshot::channel();
        self.line.borrow_mut().push_back(waiting);
        self.settle();
        let turn = timeout(terms.connect + MARGIN, turn).await;
        // The line is never dropped while somebody stands in it.
        turn.ok()
            .and_then(Result::ok)
            .unwrap_or_else(|| Err(SendError::ConnectTimeout(self.upstream.clone())))
    }

    /// Makes a connection outside of the line, for one request that knows nothing better.
    pub(super) async fn dial(self: &Rc<Self>, terms: &Terms) -> Result<Route, SendError> {
        self.terms.set(Some(*terms));
        // Boxed: it is rare, and larger than all else that a request keeps while it is answered.
        let fresh = Box::pin(connect(&self.upstream, self.protocol, &self.lookups, terms)).await;
        match fresh.map_err(|error| unconnected(&self.upstream, &error))? {
            Fresh::Http1(connection) => Ok(Route::Http1 { connection, is_kept: false }),
            Fresh::Http2(connection) => {
                let connection = self.join(connection);
                Ok(through(Place::on(connection, self.clone())))
            }
        }
    }

    /// Gives the places that are free to those who wait, and sees to it that there will be more.
    pub(super) fn settle(self: &Rc<Self>) {
        while let Some(place) = self.next_in_line_is_there().then(|| self.place()).flatten() {
            self.call(Ok(Some(through(place))));
        }
        while self.needs_another() {
            self.make_another();
        }
    }

    /// Closes what is without use for too long. Whether nothing is left.
    pub(super) fn sweep(&self) -> bool {
        self.discard();
        let is_waited_for = self.next_in_line_is_there() || self.coming.get() > 0;
        self.connections.borrow().is_empty() && !is_waited_for
    }

    /// A place on the first connection that has room, so that those behind it come to be without use.
    fn place(self: &Rc<Self>) -> Option<Place> {
        self.discard();
        let connections = self.connections.borrow();
        let connection = connections.iter().find(|connection| connection.has_room())?;
        Some(Place::on(connection.clone(), self.clone()))
    }

    /// Lets go of connections that take nothing any more. Streams that are open on them hold them.
    fn discard(&self) {
        let idle = self.terms.get().map_or(Duration::ZERO, |terms| terms.idle);
        self.connections.borrow_mut().retain(|connection| connection.stands(idle));
    }

    /// Whether somebody waits; those who do not any more are passed over.
    fn next_in_line_is_there(&self) -> bool {
        let mut line = self.line.borrow_mut();
        while line.front().is_some_and(Waiting::is_closed) {
            line.pop_front();
        }
        !line.is_empty()
    }

    /// Tells the first in line.
    fn call(&self, turn: Turn) {
        let first = self.line.borrow_mut().pop_front();
        if let Some(first) = first {
            // Who has gone meanwhile leaves it to the next.
            drop(first.send(turn));
        }
    }

    fn needs_another(&self) -> bool {
        if !self.next_in_line_is_there() {
            return false;
        }
        let (coming, waiting) = (self.coming.get(), self.line.borrow().len());
        let connections = self.connections.borrow();
        // As many streams as the connection before had.
        let each = connections.last().map_or(1, |connection| connection.most().max(1));
        let alone = self.speaks.get().is_none() || connections.is_empty();
        let enough = if alone { coming > 0 } else { coming * each >= waiting };
        !enough && connections.len() + coming < MOST_CONNECTIONS
    }

    /// Makes a connection for those in line. It goes on whoever of them leaves.
    fn make_another(self: &Rc<Self>) {
        // Whoever stands in line has said its terms.
        let Some(terms) = self.terms.get() else { return };
        self.coming.update(|coming| coming + 1);
        let fleet = self.clone();
        spawn_local(async move {
            let fresh = connect(&fleet.upstream, fleet.protocol, &fleet.lookups, &terms).await;
            fleet.coming.update(|coming| coming - 1);
            match fresh {
                Ok(Fresh::Http2(connection)) => {
                    // Before the line is looked at: what is just made is not without use for too long.
                    let place = Place::on(fleet.join(connection), fleet.clone());
                    if fleet.next_in_line_is_there() {
                        fleet.call(Ok(Some(through(place))));
                    }
                    fleet.settle();
                }
                Ok(Fresh::Http1(connection)) => {
                    fleet.speaks.set(Some(Speaks::Http1));
                    // The first in line need not make one more.
                    let mut first = Some(Route::Http1 { connection, is_kept: false });
                    while fleet.next_in_line_is_there() {
                        fleet.call(Ok(first.take()));
                    }
                }
                Err(error) => fleet.fail(&unconnected(&fleet.upstream, &error)),
            }
        });
    }

    fn join(&self, connection: Connection) -> Rc<Connection> {
        self.speaks.set(Some(Speaks::Http2));
        let connection = Rc::new(connection);
        self.connections.borrow_mut().push(connection.clone());
        connection
    }

    /// A connection did not come about. Where no other is there, or will be, nobody is left waiting.
    fn fail(&self, error: &SendError) {
        self.discard();
        if self.coming.get() == 0 && self.connections.borrow().is_empty() {
            while self.next_in_line_is_there() {
                self.call(Err(error.clone()));
            }
        }
    }
}

fn through(place: Place) -> Route {
    Route::Http2(Exchange::new(place))
}

#[cfg(test)]
pub(super) mod tests;
