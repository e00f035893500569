//! One connection of a client, from its handshake to its end.
//!
//! What is spoken on it is agreed on first: by TLS, or, without TLS, by how the client begins, where
//! that is wanted. Here is HTTP/1; `http2` has the other. Each has a bound on the size of a head and on
//! everything that the client can take its time for. What hyper's parser refuses by itself gets its bare
//! answer and is counted.

mod http2;
mod streams;
mod websocket;

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, UPGRADE};
use http::{HeaderValue, Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1::{self, Parts};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::time::{sleep, timeout};

use crate::config::tls::ALPN_HTTP2;
use crate::telemetry::{ConnectionError, Gauge};

use super::ahead::Ahead;
use super::answer::{Answer, Answering};
use super::body::Body;
use super::cord::{self, Cord, CordEnd, Parting};
use super::drain::Phase;
use super::linger::Linger;
use super::pace::{Late, Pace};
use super::peer::Peer;
use super::proxy_header::{self, Header, Reading};
use super::received::Received;
use super::reception::{Bounds, Reception, Service};
use super::stream::Stream;
use super::tls::{Offer, Trust};
use super::tunnel::{Duplex, Tunnel};
use super::wire::{Line, PREFACE, Wire};

/// What is read ahead of a client, at least; hyper takes no less than 8 KiB.
const BUFFER_BYTES: usize = 64 * 1024;

/// How long our last words may take to go out.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Why a tunnel ends whose client was let in on the word of somebody who is not believed any more.
const WITHDRAWN: Parting = Parting { code: "certificate-not-trusted", grpc: 16, close: 1008 };

const TOO_LATE: &[u8] =
    b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

const SPEAK_TLS: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\n\
    content-length: 38\r\nconnection: close\r\n\r\nthis port speaks TLS: ask by https://\n";

impl<S: Service> Reception<S> {
    /// Serves a connection that was just accepted.
    pub(super) async fn serve(
        self: &Rc<Self>,
        stream: Stream,
        address: Option<SocketAddr>,
        bounds: &Bounds,
    ) {
        stream.hasten();
        let pace = Rc::new(Pace::new(bounds.times));
        let linger = Linger::new(stream, pace.clone());
        let agreed = tokio::select! {
            agreed = self.meet(linger, address, &pace, bounds) => agreed,
            () = self.drain.reached(Phase::Closing) => return,
        };
        let fault = match agreed {
            Ok(Some((Agreed { line, http2, admitted_for, trust }, address))) => {
                let peer = Peer { address, secure: self.tls.is_spoken(), admitted_for };
                if http2 {
                    self.speak_http2(line, peer, trust, pace, bounds).await
                } else {
                    self.speak_http1(line, &peer, trust, pace, bounds).await
                }
            }
            Ok(None) => None,
            Err(fault) => Some(fault),
        };
        if let Some(fault) = fault {
            self.metrics.connection_error(fault);
        }
    }

    /// Learns who the client is, where a balancer says so first, and comes to terms with it. Nothing when
    /// it went away at once, as those do who only look whether somebody listens.
    async fn meet(
        &self,
        mut linger: Linger,
        address: Option<SocketAddr>,
        pace: &Pace,
        bounds: &Bounds,
    ) -> Result<Option<(Agreed, Option<SocketAddr>)>, ConnectionError> {
        let mut client = address;
        if bounds.announced {
            let announced = timeout(bounds.times.handshake, announced(linger.ahead())).await;
            match announced.unwrap_or(Err(ConnectionError::ProxyHeader))? {
                Some(header) => client = header.source.or(address),
                None => return Ok(None),
            }
        }
        let agreed = self.greet(linger, pace, bounds).await?;
        Ok(agreed.map(|agreed| (agreed, client)))
    }

    /// Comes to terms with the client about what is spoken.
    async fn greet(
        &self,
        mut linger: Linger,
        pace: &Pace,
        bounds: &Bounds,
    ) -> Result<Option<Agreed>, ConnectionError> {
        let Some(offer) = self.tls.offer() else {
            pace.start();
            let http2 = bounds.prior_knowledge
                && tokio::select! {
                    begun = begins_http2(&mut linger) => begun,
                    // HTTP/1 has words for those who are late.
                    _ = pace.overdue() => false,
                };
            let line = Line::Plain(linger);
            return Ok(Some(Agreed { line, http2, admitted_for: None, trust: None }));
        };
        let agreed = timeout(bounds.times.handshake, shake_hands(offer, linger));
        let agreed = agreed.await.unwrap_or(Err(ConnectionError::Timeout));
        pace.start();
        agreed
    }

    /// Answers requests until the connection ends; what the client did wrong, if it did.
    async fn speak_http1(
        &self,
        line: Line,
        peer: &Peer,
        trust: Option<Trust>,
        pace: Rc<Pace>,
        bounds: &Bounds,
    ) -> Option<ConnectionError> {
        let (opened, upgrade_asked) = (Cell::new(None), Cell::new(false));
        let current = RefCell::new(CordEnd::default());
        let answer = |request: Request<Incoming>| {
            let (answering, cord) = (self.begin(&pace, bounds), Cord::default());
            current.replace(cord.end());
            if request.headers().contains_key(UPGRADE) {
                upgrade_asked.set(true);
            }
            async {
                let version = request.version();
                let request = request.map(|body| Received::new(body, &pace, cord.clone()));
                let mut response = self.answer(&answering, peer.clone(), request).await;
                if let Some(tunnel) = response.body_mut().take_tunnel() {
                    let answering = self.begin(&pace, bounds);
                    opened.set(Some(Opened { tunnel, cord: cord.clone(), answering }));
                } else if self.leaving.get() {
                    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
                Ok::<_, Infallible>(Answer::begin(response, version, cord, answering))
            }
        };
        let mut connection = http1::Builder::new()
            // How long anything may take is for `pace` to say, which can tell one thing from another.
            .header_read_timeout(None)
            .max_header_size(bounds.header_bytes)
            .max_buf_size(bounds.header_bytes.max(BUFFER_BYTES))
            .half_close(false)
            .ignore_invalid_headers(false)
            .serve_connection(TokioIo::new(Wire::http1(line, pace.clone())), service_fn(answer));
        let mut closing = std::pin::pin!(self.drain.reached(Phase::Closing));
        let mut withdrawn = std::pin::pin!(withdrawn(trust));
        let mut is_withdrawn = false;
        let (mut is_closing, mut fault_seen) = (false, None);
        let mut overdue = std::pin::pin!(pace.overdue());
        // Looked at behind the connection, which is where another exchange becomes the current one.
        let mut unheard = std::pin::pin!(unheard(&current));
        loop {
            let late = tokio::select! {
                // No request is taken any more where both come at once.
                biased;
                () = &mut withdrawn, if !is_withdrawn => {
                    is_withdrawn = true;
                    if !pace.is_within_exchange() && !pace.is_writing() {
                        // A head that has begun would still be waited for.
                        say_last(connection.into_parts().io.into_inner(), b"").await;
                        return fault_seen;
                    }
                    Pin::new(&mut connection).graceful_shutdown();
                    continue;
                }
                () = &mut closing, if !is_closing => {
                    is_closing = true;
                    Pin::new(&mut connection).graceful_shutdown();
                    continue;
                }
                ended = &mut connection => {
                    if let Err(error) = &ended {
                        return fault_seen.or_else(|| fault(error));
                    }
                    // What does not run in any thread but its own hyper cannot hand to a waiting upgrade:
                    // once one was asked for, it stops and leaves the rest to us, the end too.
                    let Parts { io, read_buf, .. } = connection.into_parts();
                    let mut wire = io.into_inner();
                    if let Some(opened) = opened.take() {
                        let withdrawn = async {
                            if !is_withdrawn {
                                withdrawn.await;
                            }
                        };
                        wire.stay_half_open(true);
                        self.carry(&mut wire, read_buf, opened, withdrawn).await;
                        wire.stay_half_open(false);
                        say_last(wire, b"").await;
                    } else if upgrade_asked.get() {
                        say_last(wire, b"").await;
                    }
                    return fault_seen;
                }
                () = &mut unheard => {
                    pace.abort();
                    return fault_seen;
                }
                late = overdue.as_mut() => late,
            };
            match late {
                Late::First | Late::Next => {
                    fault_seen = (late == Late::First).then_some(ConnectionError::Timeout);
                    pace.leave();
                    Pin::new(&mut connection).graceful_shutdown();
                    overdue.set(pace.overdue());
                }
                Late::Head if !pace.is_writing() => {
                    say_last(connection.into_parts().io.into_inner(), TOO_LATE).await;
                    return Some(ConnectionError::Timeout);
                }
                Late::Head | Late::Answer => {
                    pace.abort();
                    return Some(ConnectionError::Timeout);
                }
                Late::End => return fault_seen,
            }
        }
    }
}

impl<S: Service> Reception<S> {
    /// Notes that a request's head has come.
    fn begin(&self, pace: &Rc<Pace>, bounds: &Bounds) -> Answering {
        pace.begin();
        let (in_flight, is_too_many) = self.take_in(bounds);
        Answering { pace: pace.clone(), is_too_many, _in_flight: in_flight }
    }

    async fn answer(
        &self,
        answering: &Answering,
        peer: Peer,
        request: Request<Received>,
    ) -> Response<Body> {
        if answering.is_too_many {
            return self.service.turn_away(peer, request);
        }
        self.service.serve(peer, request).await
    }

    /// Lets a connection, or one stream of it, be a tunnel until its end.
    async fn carry(
        &self,
        near: &mut impl Duplex,
        early: Bytes,
        opened: Opened,
        withdrawn: impl Future<Output = ()>,
    ) {
        let Opened { tunnel, cord, answering: _answering } = opened;
        self.metrics.tunnels.increment(1.0);
        let _open = Open(&self.metrics.tunnels);
        let believed = async {
            withdrawn.await;
            cord.cut(WITHDRAWN);
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = tunnel.run(near, early, &cord) => {}
            () = believed => {}
        }
    }
}

/// A tunnel that waits for its client's answer to be written.
struct Opened {
    tunnel: Box<Tunnel>,
    cord: Cord,
    /// The answer is over with the tunnel, not with its head.
    answering: Answering,
}

/// An open tunnel; counted until it is dropped.
struct Open<'a>(&'a Gauge);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

/// Whether a client begins as HTTP/2 does where both sides know of it before (RFC 9113 section 3.3). No
/// more is waited for than tells: the whole head of an HTTP/1 request may be shorter.
async fn begins_http2(linger: &mut Linger) -> bool {
    let mut seen = 0;
    loop {
        match linger.ahead().look(seen + 1).await {
            Ok(bytes) if bytes.starts_with(PREFACE) => return true,
            Ok(bytes) if bytes.len() > seen && PREFACE.starts_with(bytes) => seen = bytes.len(),
            // Whoever reads next meets the same end.
            Ok(_) | Err(_) => return false,
        }
    }
}

/// Waits until those on whose word a client was let in are not believed any more.
async fn withdrawn(trust: Option<Trust>) {
    match trust {
        Some(mut trust) => trust.withdrawn().await,
        None => std::future::pending().await,
    }
}

/// Waits until an exchange was cut whose client does not take what it is told last.
async fn unheard(current: &RefCell<CordEnd>) {
    loop {
        let cut = poll_fn(|cx| match current.borrow().cord() {
            Some(cord) => cord.poll_cut(cx).map(|_| cord.end()),
            None => Poll::Pending,
        });
        let cut = cut.await;
        sleep(cord::LAST_WORDS).await;
        if !cut.is_over() {
            return;
        }
    }
}

/// What a client and we have agreed on.
struct Agreed {
    line: Line,
    /// Whether HTTP/2 is spoken on it.
    http2: bool,
    /// See [`Peer::admitted_for`].
    admitted_for: Option<Rc<str>>,
    /// Where others vouched for the client.
    trust: Option<Trust>,
}

/// Reads the header that a balancer's connection begins with. Nothing when it went away at once.
async fn announced(ahead: &mut Ahead) -> Result<Option<Header>, ConnectionError> {
    let mut least = 1;
    loop {
        let bytes = match ahead.look(least).await {
            Ok([]) | Err(_) => return Ok(None),
            Ok(bytes) => bytes,
        };
        match proxy_header::read(bytes) {
            Reading::Complete(header) => {
                ahead.skip(header.bytes);
                return Ok(Some(header));
            }
            Reading::Incomplete(more) if bytes.len() >= least => least = more,
            // It has ended before its header did.
            Reading::Incomplete(_) | Reading::Invalid => return Err(ConnectionError::ProxyHeader),
        }
    }
}

async fn shake_hands(offer: Offer, mut linger: Linger) -> Result<Option<Agreed>, ConnectionError> {
    match linger.ahead().look(1).await {
        Ok([first, ..]) if first.is_ascii_uppercase() => {
            say_last(linger, SPEAK_TLS).await;
            return Err(ConnectionError::Tls);
        }
        Ok([]) | Err(_) => return Ok(None),
        Ok(_) => {}
    }
    let Offer { acceptor, asks, trust } = offer;
    match acceptor.accept(linger).into_fallible().await {
        Ok(stream) => {
            let named = stream.get_ref().1.server_name().filter(|_| asks);
            let admitted_for =
                named.map(|name| Rc::from(name.trim_end_matches('.').to_ascii_lowercase()));
            let http2 = stream.get_ref().1.alpn_protocol() == Some(ALPN_HTTP2);
            let line = Line::Tls(Box::new(stream));
            Ok(Some(Agreed { line, http2, admitted_for, trust: Some(trust).filter(|_| asks) }))
        }
        Err((error, linger)) => {
            tracing::debug!(%error, "a TLS handshake failed");
            // An alert says why; it must not be overtaken by a reset.
            say_last(linger, b"").await;
            Err(ConnectionError::Tls)
        }
    }
}

/// Writes `words` and closes, if the client takes them in time.
async fn say_last(mut to: impl AsyncWrite + Unpin, words: &[u8]) {
    let said = async {
        to.write_all(words).await?;
        to.shutdown().await
    };
    // Who does not take them goes without.
    let _: Result<io::Result<()>, _> = timeout(LAST_WORDS, said).await;
}

/// What a connection's end says of the client; nothing when it was our own doing.
fn fault(error: &hyper::Error) -> Option<ConnectionError> {
    if error.is_parse_too_large() {
        Some(ConnectionError::TooLarge)
    } else if error.is_parse() {
        Some(ConnectionError::Malformed)
    } else if error.is_user() {
        None
    } else {
        Some(ConnectionError::Aborted)
    }
}
