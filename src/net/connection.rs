//! One connection of a client, from its handshake to its end.
//!
//! It speaks HTTP/1 and nothing else, with a bound on the size of a head and on everything that the
//! client can take its time for. What hyper's parser refuses by itself gets its bare answer and is counted.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::CONNECTION;
use http::{HeaderValue, Request};
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use crate::telemetry::ConnectionError;

use super::ahead::Ahead;
use super::body::{AnswerError, Body};
use super::cord::Cord;
use super::drain::Phase;
use super::linger::Linger;
use super::pace::{Late, Pace};
use super::peer::Peer;
use super::proxy_header::{self, Header, Reading};
use super::received::Received;
use super::reception::{Bounds, Reception, Service};
use super::stream::Stream;
use super::tls::{Offer, Trust};
use super::wire::{Line, Wire};

/// What is read ahead of a client, at least; hyper takes no less than 8 KiB.
const BUFFER_BYTES: usize = 64 * 1024;

/// How long our last words may take to go out.
const LAST_WORDS: Duration = Duration::from_secs(2);

const TOO_LATE: &[u8] =
    b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

const SPEAK_TLS: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\n\
    content-length: 38\r\nconnection: close\r\n\r\nthis port speaks TLS: ask by https://\n";

impl<S: Service> Reception<S> {
    /// Serves a connection that was just accepted.
    pub(super) async fn serve(&self, stream: Stream, address: Option<SocketAddr>, bounds: &Bounds) {
        stream.hasten();
        let pace = Rc::new(Pace::new(bounds.times));
        let linger = Linger::new(stream, pace.clone());
        let agreed = tokio::select! {
            agreed = self.meet(linger, address, bounds) => agreed,
            () = self.drain.reached(Phase::Closing) => return,
        };
        let fault = match agreed {
            Ok(Some((Agreed { line, admitted_for, trust }, address))) => {
                let peer = Peer { address, secure: self.tls.is_spoken(), admitted_for };
                self.speak(line, &peer, trust, pace, bounds).await
            }
            Ok(None) => None,
            Err(fault) => Some(fault),
        };
        if let Some(fault) = fault {
            self.metrics.connection_error(fault);
        }
    }

    /// Learns who the client is, where a balancer says so first, and comes to terms with it.
    async fn meet(
        &self,
        mut linger: Linger,
        address: Option<SocketAddr>,
        bounds: &Bounds,
    ) -> Result<Option<(Agreed, Option<SocketAddr>)>, ConnectionError> {
        let patience = bounds.times.handshake;
        let mut client = address;
        if bounds.announced {
            let announced = timeout(patience, announced(linger.ahead())).await;
            match announced.unwrap_or(Err(ConnectionError::ProxyHeader))? {
                Some(header) => client = header.source.or(address),
                None => return Ok(None),
            }
        }
        let agreed = self.greet(linger, patience).await?;
        Ok(agreed.map(|agreed| (agreed, client)))
    }

    /// Comes to terms with the client, where TLS is spoken. Nothing when it went away at once, as those
    /// do who only look whether somebody listens.
    async fn greet(
        &self,
        linger: Linger,
        patience: Duration,
    ) -> Result<Option<Agreed>, ConnectionError> {
        match self.tls.offer() {
            None => Ok(Some(Agreed { line: Line::Plain(linger), admitted_for: None, trust: None })),
            Some(offer) => timeout(patience, shake_hands(offer, linger))
                .await
                .unwrap_or(Err(ConnectionError::Timeout)),
        }
    }

    /// Answers requests until the connection ends; what the client did wrong, if it did.
    async fn speak(
        &self,
        line: Line,
        peer: &Peer,
        trust: Option<Trust>,
        pace: Rc<Pace>,
        bounds: &Bounds,
    ) -> Option<ConnectionError> {
        let answer = |request: Request<Incoming>| {
            let has_body = !HttpBody::is_end_stream(request.body());
            pace.begin(has_body);
            let answering = Answering(pace.clone());
            async {
                let cord = Cord::default();
                let request = request.map(|body| Received::new(body, pace.clone(), cord.clone()));
                let mut response = self.service.serve(peer.clone(), request).await;
                if self.leaving.get() {
                    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
                Ok::<_, Infallible>(response.map(|body| Answer {
                    body,
                    cord,
                    _answering: answering,
                }))
            }
        };
        pace.start();
        let mut connection = http1::Builder::new()
            // How long anything may take is for `pace` to say, which can tell one thing from another.
            .header_read_timeout(None)
            .max_header_size(bounds.header_bytes)
            .max_buf_size(bounds.header_bytes.max(BUFFER_BYTES))
            .half_close(false)
            .ignore_invalid_headers(false)
            .serve_connection(TokioIo::new(Wire::new(line, pace.clone())), service_fn(answer));
        let mut closing = std::pin::pin!(self.drain.reached(Phase::Closing));
        let mut withdrawn = std::pin::pin!(withdrawn(trust));
        let mut is_withdrawn = false;
        let (mut is_closing, mut fault_seen) = (false, None);
        let mut overdue = std::pin::pin!(pace.overdue());
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
                    return fault_seen.or_else(|| ended.err().as_ref().and_then(fault));
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
                    connection.into_parts().io.into_inner().abort();
                    return Some(ConnectionError::Timeout);
                }
                Late::End => return fault_seen,
            }
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

/// What a client and we have agreed on.
struct Agreed {
    line: Line,
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
            let line = Line::Tls(Box::new(stream));
            Ok(Some(Agreed { line, admitted_for, trust: Some(trust).filter(|_| asks) }))
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

/// Tells when an answer is over: dropped with its body, or when there will be none.
struct Answering(Rc<Pace>);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.answered();
    }
}

/// The body of an answer that is not over yet.
struct Answer {
    body: Body,
    cord: Cord,
    _answering: Answering,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = AnswerError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, AnswerError>>> {
        if let Some(parting) = self.cord.parting() {
            return Poll::Ready(Some(Err(AnswerError::Cut(parting.code))));
        }
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if frame.is_pending()
            && let Poll::Ready(parting) = self.cord.poll_cut(cx)
        {
            return Poll::Ready(Some(Err(AnswerError::Cut(parting.code))));
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
