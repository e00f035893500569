//! A client's connection that speaks HTTP/2 (RFC 9113).
//!
//! Many requests share it, so what one client can make us hold is bounded for the connection as a
//! whole, and none of these bounds can be configured away. A stream that goes wrong is reset and leaves the
//! others alone; a connection that is left says so (GOAWAY) and ends when its last stream has.

use std::cell::Cell;
use std::error::Error as _;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Version};
use hyper::body::Incoming;
use hyper::rt::Executor;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::time::Instant;

use crate::net::answer::{Answer, Answering};
use crate::net::drain::Phase;
use crate::net::pace::{Late, Pace};
use crate::net::peer::Peer;
use crate::net::received::Received;
use crate::net::reception::{Bounds, Reception, Service};
use crate::net::tls::Trust;
use crate::net::wire::{Line, Wire};
use crate::telemetry::ConnectionError;

use super::recall::{Recalls, Waiting};
use super::streams::{Hold, Paced, Streams};
use super::{Opened, say_last, websocket, withdrawn};

/// What a client may send on one stream before anybody has read it: the protocol's own default, and what
/// an upload needs to move at all.
const STREAM_WINDOW: u32 = 64 * 1024;

/// The same for all its streams together: so much, and not as many windows as there are streams, is what
/// a client can make us hold of its bodies. h2 takes half of it for what small pieces cost beyond their
/// bytes (256 each), and gives the connection up where that is used up: one stream that its upstream takes
/// slowly may fill its window with pieces of 32 bytes.
const CONNECTION_WINDOW: u32 = 1024 * 1024;

/// The largest frame that we take: the least that may be said.
const FRAME: u32 = 16 * 1024;

/// What is held of one answer that its client does not take.
const SEND_BUFFER: usize = 64 * 1024;

/// The largest list of header fields, whatever is configured: up to four times as much is decoded, so
/// that the next list can be, before the connection is given up.
const MOST_HEADERS: u32 = 1 << 20;

/// Requests that may be taken back before they were looked at (CVE-2023-44487).
const MOST_TAKEN_BACK: usize = 20;

/// Streams that may make us reset them by what is wrong with them (CVE-2025-8671).
const MOST_FAULTY: usize = 100;

/// After how long without a word a client is asked whether it is still there, and how long it may take to
/// say so: one that has vanished would keep its streams for as long as nothing is written to it.
const PING_AFTER: Duration = Duration::from_secs(30);
const PONG_WITHIN: Duration = Duration::from_secs(20);

impl<S: Service> Reception<S> {
    /// Answers requests until the connection ends; what the client did wrong, if it did.
    pub(super) async fn speak_http2(
        self: &Rc<Self>,
        line: Line,
        peer: Peer,
        trust: Option<Trust>,
        pace: Rc<Pace>,
        bounds: &Bounds,
    ) -> Option<ConnectionError> {
        let streams = Streams::new(bounds.times.response_write);
        let farewell = Rc::<Farewell>::default();
        let recalls = Rc::<Recalls>::default();
        let connection = Connection {
            reception: self.clone(),
            peer,
            pace: pace.clone(),
            bounds: *bounds,
            farewell: farewell.clone(),
            trust: trust.clone(),
            streams: streams.clone(),
        };
        let connection = Rc::new(connection);
        let waited_for = recalls.clone();
        let answer = move |request| {
            let (connection, waiting) = (connection.clone(), waited_for.wait());
            // Counted before its task first runs: a connection with streams is not idle.
            let answering = connection.reception.begin(&connection.pace, &connection.bounds);
            async move { connection.answer(answering, waiting, request).await }
        };
        let _ending = streams.ending();
        let mut connection = builder(bounds, streams)
            .serve_connection(TokioIo::new(Wire::http2(line, pace.clone())), service_fn(answer));
        // Those who come while the gateway leaves are let stay until it closes: sent away at once, they
        // would only come again.
        let phase = match self.drain.phase() {
            Phase::Running => Phase::Draining,
            Phase::Draining | Phase::Closing | Phase::Gone => Phase::Closing,
        };
        let mut leaving = std::pin::pin!(self.drain.reached(phase));
        let mut withdrawn = std::pin::pin!(withdrawn(trust));
        let (mut is_leaving, mut is_withdrawn, mut fault_seen) = (false, false, None);
        let mut overdue = std::pin::pin!(pace.overdue());
        loop {
            tokio::select! {
                // No request is taken any more where both come at once.
                biased;
                () = &mut withdrawn, if !is_withdrawn => {
                    is_withdrawn = true;
                    farewell.end(Instant::now());
                }
                () = &mut leaving, if !is_leaving => {
                    is_leaving = true;
                    farewell.end(Instant::now() + bounds.times.header_read);
                }
                () = recalls.too_many(), if fault_seen.is_none() => {
                    fault_seen = Some(ConnectionError::Flood);
                    farewell.end(Instant::now());
                }
                ended = &mut connection => {
                    return fault_seen.or_else(|| match ended {
                        Err(error) => fault(&error),
                        Ok(()) => pace.is_answering().then_some(ConnectionError::Aborted),
                    });
                }
                late = overdue.as_mut() => match late {
                    Late::Next => farewell.end(Instant::now() + bounds.times.header_read),
                    Late::Answer => {
                        pace.abort();
                        return fault_seen.or(Some(ConnectionError::Timeout));
                    }
                    Late::First | Late::Head => return Some(ConnectionError::Timeout),
                    Late::End => return fault_seen,
                },
            }
            pace.leave();
            Pin::new(&mut connection).graceful_shutdown();
            overdue.set(pace.overdue());
        }
    }
}

fn builder(bounds: &Bounds, streams: Streams) -> http2::Builder<Streams> {
    let headers = u32::try_from(bounds.header_bytes).unwrap_or(MOST_HEADERS).min(MOST_HEADERS);
    let mut builder = http2::Builder::new(streams);
    builder
        .timer(TokioTimer::new())
        .enable_connect_protocol()
        .max_concurrent_streams(bounds.streams)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_frame_size(FRAME)
        .max_header_list_size(headers)
        .max_send_buf_size(SEND_BUFFER)
        .max_pending_accept_reset_streams(MOST_TAKEN_BACK)
        .max_local_error_reset_streams(MOST_FAULTY)
        .keep_alive_interval(PING_AFTER)
        .keep_alive_timeout(PONG_WITHIN);
    builder
}

/// When the last requests are taken of a connection that is being left. Its client is told at once, and
/// may have asked before it hears of it; one that does not listen must not stay by asking on.
#[derive(Default)]
struct Farewell(Cell<Option<Instant>>);

impl Farewell {
    fn end(&self, at: Instant) {
        let end = self.0.get().map_or(at, |before| before.min(at));
        self.0.set(Some(end));
    }

    fn is_over(&self) -> bool {
        self.0.get().is_some_and(|end| end <= Instant::now())
    }
}

/// What the streams of one connection have together.
struct Connection<S> {
    reception: Rc<Reception<S>>,
    peer: Peer,
    pace: Rc<Pace>,
    bounds: Bounds,
    farewell: Rc<Farewell>,
    trust: Option<Trust>,
    streams: Streams,
}

impl<S: Service> Connection<S> {
    /// # Errors
    /// When the request is not taken at all, and can be sent again elsewhere.
    async fn answer(
        &self,
        answering: Answering,
        waiting: Waiting,
        mut request: Request<Incoming>,
    ) -> Result<Response<Paced>, h2::Error> {
        if self.farewell.is_over() {
            waiting.answered(false);
            return Err(h2::Reason::REFUSED_STREAM.into());
        }
        let hold = Hold::of_this_stream();
        let cord = hold.cord.clone();
        let stream = websocket::read(&mut request);
        let request = request.map(|body| Received::new(body, &self.pace, cord.clone()));
        let mut response = self.reception.answer(&answering, self.peer.clone(), request).await;
        waiting.answered(!response.body().is_own());
        if let Some(stream) = stream {
            if let Some(tunnel) = response.body_mut().take_tunnel() {
                websocket::write(&mut response);
                let answering = self.reception.begin(&self.pace, &self.bounds);
                self.carry(stream, Opened { tunnel, cord: cord.clone(), answering });
            } else if response.status().is_success() {
                // It would be taken for a WebSocket, behind which nobody is.
                return Err(h2::Reason::INTERNAL_ERROR.into());
            }
        }
        let response = Answer::begin(response, Version::HTTP_2, cord, answering);
        Ok(response.map(|answer| Paced::new(answer, hold)))
    }
}

impl<S: Service> Connection<S> {
    /// Lets a stream be a tunnel, once its answer was written.
    fn carry(&self, stream: OnUpgrade, opened: Opened) {
        let (reception, trust) = (self.reception.clone(), self.trust.clone());
        self.streams.execute(async move {
            let Ok(stream) = stream.await else { return };
            let mut stream = TokioIo::new(stream);
            let withdrawn = withdrawn(trust);
            if reception.carry(&mut stream, Bytes::new(), opened, withdrawn).await {
                say_last(stream, b"").await;
            }
        });
    }
}

/// What a connection's end says of the client; nothing when it was our own doing.
fn fault(error: &hyper::Error) -> Option<ConnectionError> {
    if error.is_timeout() {
        return Some(ConnectionError::Timeout);
    }
    let Some(error) = error.source().and_then(|source| source.downcast_ref::<h2::Error>()) else {
        return Some(ConnectionError::Aborted);
    };
    match error.reason() {
        Some(h2::Reason::NO_ERROR) => None,
        Some(h2::Reason::ENHANCE_YOUR_CALM) if error.is_library() => Some(ConnectionError::Flood),
        Some(_) if error.is_library() => Some(ConnectionError::Malformed),
        Some(_) | None => Some(ConnectionError::Aborted),
    }
}
