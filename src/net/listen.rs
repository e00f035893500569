//! One worker's listener: accepts, bounds and serves connections of clients.
//!
//! Each connection speaks HTTP/1 and nothing else, with a bound on the size of a head and on the time to
//! read it. What hyper's parser refuses by itself gets its bare answer and is counted. Nothing that a
//! client or the system does ends the accept loop; only [`Phase::Closing`] does.

use std::cell::Cell;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::header::CONNECTION;
use http::{HeaderValue, Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Notify;
use tokio::task::spawn_local;
use tokio::time::sleep;

use crate::config::snapshot::Listen;
use crate::telemetry::{ConnectionError, Metrics};

use super::body::Body;
use super::drain::{Drain, Phase};
use super::linger::Linger;

/// What answers requests, one per worker.
pub trait Service: 'static {
    /// The bounds of a connection that was just accepted.
    fn bounds(&self) -> Bounds;

    /// Answers one request of `peer`.
    fn serve(
        &self,
        peer: SocketAddr,
        request: Request<Incoming>,
    ) -> impl Future<Output = Response<Body>>;
}

/// The bounds of a client's connection.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Connections that may be open, over all workers.
    pub connections: usize,
    /// The head of a request, in bytes.
    pub header_bytes: usize,
    /// Reading a head.
    pub header_read: Duration,
}

/// Why nothing listens.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on `{listen}`: {source}")]
pub struct ListenError {
    /// Where something should.
    pub listen: Listen,
    /// What hinders it.
    pub source: io::Error,
}

/// Connections that wait in the system until they are accepted.
const BACKLOG: u32 = 1024;

/// Connections that a worker turns away with an answer at a time; more of them are just closed.
const MOST_TURNED_AWAY: usize = 64;

/// The least and the longest pause after accepting has failed.
const PAUSES: (Duration, Duration) = (Duration::from_millis(5), Duration::from_secs(1));

/// What is read ahead of a client, at least; hyper takes no less than 8 KiB.
const BUFFER_BYTES: usize = 64 * 1024;

const BUSY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\n\
    content-length: 0\r\nconnection: close\r\n\r\n";

/// Sockets on one address, one for each worker. The system spreads connections over them.
///
/// A first socket that shares with nobody makes sure that the address is free: sharing alone would
/// quietly split the traffic with another gateway.
pub(super) fn bind(address: SocketAddr, count: usize) -> io::Result<Vec<TcpSocket>> {
    let socket = |shared: bool, address: SocketAddr| {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.set_reuseaddr(true)?;
        socket.set_reuseport(shared)?;
        socket.bind(address)?;
        Ok(socket)
    };
    if address.port() != 0 {
        drop(socket(false, address)?);
    }
    let first = socket(true, address)?;
    let address = first.local_addr()?;
    let others = (1..count).map(|_| socket(true, address));
    std::iter::once(Ok(first)).chain(others).collect()
}

/// Lets connections come in; needs a runtime.
pub(super) fn listen(socket: TcpSocket) -> io::Result<TcpListener> {
    socket.listen(BACKLOG)
}

/// One worker's connections.
pub(super) struct Reception<S> {
    service: S,
    drain: Drain,
    /// Whether answers ask clients to come back on another connection.
    leaving: Cell<bool>,
    metrics: Arc<Metrics>,
    /// Open connections of all workers.
    total: Arc<AtomicUsize>,
    /// Open connections of this worker.
    open: Cell<usize>,
    empty: Notify,
    turned_away: Cell<usize>,
}

impl<S: Service> Reception<S> {
    pub(super) fn new(
        service: S,
        drain: Drain,
        metrics: Arc<Metrics>,
        total: Arc<AtomicUsize>,
    ) -> Rc<Self> {
        Rc::new(Self {
            service,
            drain,
            leaving: Cell::new(false),
            metrics,
            total,
            open: Cell::new(0),
            empty: Notify::new(),
            turned_away: Cell::new(0),
        })
    }

    /// Serves `listener` until the gateway leaves and its last connection has ended.
    pub(super) async fn run(self: &Rc<Self>, listener: TcpListener) {
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
            () = self.drain.reached(Phase::Gone) => {}
            () = self.emptied() => {}
        }
    }

    async fn accept(self: &Rc<Self>, listener: &TcpListener) {
        let mut pause = PAUSES.0;
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    pause = PAUSES.0;
                    self.receive(stream, peer);
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

    fn receive(self: &Rc<Self>, stream: TcpStream, peer: SocketAddr) {
        let bounds = self.service.bounds();
        match Place::take(self, bounds.connections) {
            Some(place) => {
                spawn_local(async move { place.0.serve(stream, peer, bounds).await });
            }
            None => self.turn_away(stream),
        }
    }

    async fn serve(&self, stream: TcpStream, peer: SocketAddr, bounds: Bounds) {
        // Without it answers only take longer.
        let _ = stream.set_nodelay(true);
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        let answer = |request| async move {
            let mut response = self.service.serve(peer, request).await;
            if self.leaving.get() {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(response)
        };
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(bounds.header_read)
            .max_header_size(bounds.header_bytes)
            .max_buf_size(bounds.header_bytes.max(BUFFER_BYTES))
            .half_close(false)
            .ignore_invalid_headers(false)
            .serve_connection(TokioIo::new(Linger::new(stream)), service_fn(answer));
        let mut connection = pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = self.drain.reached(Phase::Closing) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Some(fault) = ended.err().as_ref().and_then(fault) {
            self.metrics.connection_error(fault);
        }
    }

    fn turn_away(self: &Rc<Self>, stream: TcpStream) {
        self.metrics.connection_error(ConnectionError::Refused);
        if self.turned_away.get() >= MOST_TURNED_AWAY || stream.try_write(BUSY).is_err() {
            return;
        }
        let reception = self.clone();
        self.turned_away.set(self.turned_away.get() + 1);
        spawn_local(async move {
            // Our answer is lost when the request comes in after the socket is gone.
            let _ = Linger::new(stream).shutdown().await;
            reception.turned_away.set(reception.turned_away.get() - 1);
        });
    }
}

/// A place among the connections that may be open; free again when it is dropped.
struct Place<S>(Rc<Reception<S>>);

impl<S> Place<S> {
    fn take(of: &Rc<Reception<S>>, most: usize) -> Option<Self> {
        let taken = of.total.fetch_add(1, Ordering::Relaxed);
        of.open.set(of.open.get() + 1);
        of.metrics.connections.increment(1.0);
        let place = Self(of.clone());
        (taken < most).then_some(place)
    }
}

impl<S> Drop for Place<S> {
    fn drop(&mut self) {
        let reception = &self.0;
        reception.total.fetch_sub(1, Ordering::Relaxed);
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

/// What a connection's end says of the client; nothing when it was our own doing.
fn fault(error: &hyper::Error) -> Option<ConnectionError> {
    if error.is_parse_too_large() {
        Some(ConnectionError::TooLarge)
    } else if error.is_parse() {
        Some(ConnectionError::Malformed)
    } else if error.is_timeout() {
        Some(ConnectionError::Timeout)
    } else if error.is_user() {
        None
    } else {
        Some(ConnectionError::Aborted)
    }
}
