//! The way to upstreams: one worker's connections, kept and used again.
//!
//! A request goes out on the connection that was used last, on a stream of one that many share, or on a
//! fresh one. Where the upstream has certainly not begun with it (a kept connection was closed before
//! anything was written, a stream was refused) the request is sent once more on another; nothing else is
//! tried twice. What goes wrong is a [`SendError`], which says whose fault it was.
//!
//! Requests come in the shape of HTTP/1.1. `connect` makes connections, `pool` keeps those that speak
//! HTTP/1.1, `fleet` those that speak `http2`, for which `shape` turns requests.

mod connect;
#[cfg(test)]
mod fake;
mod fleet;
mod http2;
mod pool;
mod shape;
mod upgrade;

use std::cell::RefCell;
use std::collections::HashMap;
use std::error::Error as _;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use http::request::Parts;
use http::{Request, Response, StatusCode};
use hyper::client::conn::TrySendError;
use tokio::task::spawn_local;
use tokio::time::{Instant, interval, timeout_at};

use crate::config::snapshot::{Upstream, UpstreamProtocol};

use super::body::{Body, Clean, Progress, State, Upload};
use super::causes::causes;
use super::received::Received;

use connect::ConnectError;
pub(super) use pool::Lease;
use pool::{Pool, Route};

/// How often connections that were idle for too long are closed.
const SWEEP: Duration = Duration::from_secs(5);

/// One worker's connections to upstreams.
///
/// They are kept by all that an upstream is, its TLS too, and by what may be spoken to it: one whose
/// authorities or certificates have changed is another, and never gets a request on a connection of before.
pub struct Client {
    pools: RefCell<Keyed<UpstreamProtocol, Keyed<Upstream, Rc<Pool>>>>,
}

type Keyed<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// The bounds of one exchange with an upstream.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// For connecting: the lookup of the name, all its addresses and the TLS handshake together.
    pub connect: Duration,
    /// From the request written to the response's head, and for each step of an upload that the upstream
    /// takes; those of the client have their own bound.
    pub response: Duration,
    /// For the next part of the response's body, once it is waited for.
    pub response_read: Duration,
    /// For a connection without use.
    pub idle: Duration,
    /// For a tunnel without a byte in either direction.
    pub stream_idle: Duration,
    /// For the response's head, in bytes.
    pub header_bytes: usize,
    /// For the request's body, in bytes.
    pub body_bytes: Option<u64>,
    /// Cleans the trailers of both directions.
    pub clean: Clean,
}

/// Why there is no response.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SendError {
    /// The client broke its request off, or framed it badly.
    #[error("the request's body broke off")]
    BodyBroken,
    /// The client stopped sending.
    #[error("the request's body stopped coming")]
    BodyStalled,
    /// The request's body was larger than it may be.
    #[error("the request's body is too large")]
    BodyTooLarge,
    /// No connection in time.
    #[error("`{0}` could not be connected to in time")]
    ConnectTimeout(Upstream),
    /// No TLS in time.
    #[error("the TLS handshake with `{0}` did not end in time")]
    HandshakeTimeout(Upstream),
    /// The response cannot be understood.
    #[error("the response of `{0}` cannot be understood")]
    Invalid(Upstream),
    /// No response in time.
    #[error("`{0}` did not respond in time")]
    ResponseTimeout(Upstream),
    /// No connection, or it was closed without a response.
    #[error("`{upstream}` gave no response: {reason}")]
    Unreachable {
        /// Which one.
        upstream: Upstream,
        /// What happened.
        reason: String,
    },
}

impl Client {
    /// A client without connections. Must be made within a `LocalSet`, where it closes those that stay
    /// without use.
    pub fn new() -> Rc<Self> {
        let client = Rc::new(Self { pools: RefCell::default() });
        let swept = Rc::downgrade(&client);
        spawn_local(async move {
            let mut ticks = interval(SWEEP);
            while let (_, Some(client)) = (ticks.tick().await, swept.upgrade()) {
                for pools in client.pools.borrow_mut().values_mut() {
                    pools.retain(|_, pool| !pool.sweep());
                }
            }
        });
        client
    }

    /// Sends `request` and waits for the head of its response.
    pub async fn send(
        self: &Rc<Self>,
        upstream: &Upstream,
        protocol: UpstreamProtocol,
        request: Request<Received>,
        terms: &Terms,
    ) -> Result<Response<Body>, SendError> {
        let (head, body) = request.into_parts();
        let cord = body.cord().clone();
        let (upload, progress) = Upload::new(body, terms.body_bytes, terms.clean);
        let progress = progress.as_deref();
        let pool = self.pool(upstream, protocol);
        let mut route = pool.route(terms).await?;
        let (request, spare) = outbound(upstream, &route, head, upload)?;
        let mut sent = wait(route.send(request), progress, terms).await;
        if let Some(Err(error)) = &mut sent
            && let Some((head, upload)) = unbegun(&route, error, spare, progress.is_some(), terms)
        {
            route = pool.fresh(terms).await?;
            let (request, _) = outbound(upstream, &route, head, upload)?;
            sent = wait(route.send(request), progress, terms).await;
        }
        let Some(response) = sent else {
            route.give_up();
            return Err(SendError::ResponseTimeout(upstream.clone()));
        };
        let response = response.map_err(|error| fault(upstream, progress, error))?;
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return Err(SendError::Invalid(upstream.clone()));
        }
        let lease = Lease::new(route, pool, terms.idle);
        Ok(response.map(|body| Body::upstream(body, terms.clean, lease, terms.response_read, cord)))
    }

    fn pool(&self, upstream: &Upstream, protocol: UpstreamProtocol) -> Rc<Pool> {
        let known =
            self.pools.borrow().get(&protocol).and_then(|pools| pools.get(upstream).cloned());
        known.unwrap_or_else(|| {
            let pool = Pool::new(upstream.clone(), protocol);
            let mut pools = self.pools.borrow_mut();
            pools.entry(protocol).or_default().insert(upstream.clone(), pool.clone());
            pool
        })
    }
}

/// The request as it goes out on `route`; where it does so in another shape, its head as it was too.
fn outbound(
    upstream: &Upstream,
    route: &Route,
    head: Parts,
    upload: Upload,
) -> Result<(Request<Upload>, Option<Parts>), SendError> {
    let Route::Http2(exchange) = route else {
        return Ok((Request::from_parts(head, upload), None));
    };
    let shaped = shape::http2(&head, exchange.scheme()).ok_or_else(|| SendError::Unreachable {
        upstream: upstream.clone(),
        reason: "its host cannot be named in HTTP/2".to_owned(),
    })?;
    Ok((Request::from_parts(shaped, upload), Some(head)))
}

/// What is to be sent once more, because the upstream has certainly not begun with it: it was not written,
/// or the upstream says so of its stream (RFC 9113 section 8.7) and nothing of a body went with it.
fn unbegun(
    route: &Route,
    error: &mut TrySendError<Request<Upload>>,
    spare: Option<Parts>,
    has_body: bool,
    terms: &Terms,
) -> Option<(Parts, Upload)> {
    let unwritten = error.take_message().map(Request::into_parts);
    match (route, spare, unwritten) {
        (Route::Http1 { is_kept, .. }, _, unwritten) => unwritten.filter(|_| *is_kept),
        (Route::Http2(_), Some(head), Some((_, upload))) => Some((head, upload.anew())),
        (Route::Http2(_), Some(head), None) if !has_body && is_refusal(error.error()) => {
            Some((head, Upload::none(terms.clean)))
        }
        _ => None,
    }
}

/// Whether the upstream says that it has not begun with a stream: this one, or all from it on.
fn is_refusal(error: &hyper::Error) -> bool {
    h2_error(error).is_some_and(|error| {
        let refused = error.reason() == Some(h2::Reason::REFUSED_STREAM);
        error.is_remote() && (refused || error.is_go_away())
    })
}

fn h2_error(error: &hyper::Error) -> Option<&h2::Error> {
    error.source()?.downcast_ref()
}

fn unconnected(upstream: &Upstream, error: &ConnectError) -> SendError {
    match error {
        ConnectError::Timeout => SendError::ConnectTimeout(upstream.clone()),
        ConnectError::TlsTimeout => SendError::HandshakeTimeout(upstream.clone()),
        error => SendError::Unreachable { upstream: upstream.clone(), reason: error.to_string() },
    }
}

/// Waits for `sent`. The time begins anew with each step of the upload, and does not run while the client
/// is waited for. `None` when the upstream let us wait for too long.
async fn wait<T>(
    sent: impl Future<Output = T>,
    progress: Option<&Progress>,
    terms: &Terms,
) -> Option<T> {
    let mut sent = pin!(sent);
    let mut deadline = Instant::now() + terms.response;
    loop {
        if let Ok(sent) = timeout_at(deadline, &mut sent).await {
            return Some(sent);
        }
        let progress = progress?;
        let since = match progress.state() {
            State::Waiting => Instant::now(),
            _ => progress.moved(),
        };
        if since + terms.response <= deadline {
            return None;
        }
        deadline = since + terms.response;
    }
}

/// Whose fault it is that there is no response.
fn fault(
    upstream: &Upstream,
    progress: Option<&Progress>,
    error: TrySendError<Request<Upload>>,
) -> SendError {
    let error = error.into_error();
    match progress.map(Progress::state) {
        Some(State::Broken) => SendError::BodyBroken,
        Some(State::Stalled) => SendError::BodyStalled,
        Some(State::TooLarge) => SendError::BodyTooLarge,
        _ if error.is_parse() || error.is_parse_too_large() || breaks_rules(&error) => {
            SendError::Invalid(upstream.clone())
        }
        _ => SendError::Unreachable { upstream: upstream.clone(), reason: causes(&error) },
    }
}

/// Whether HTTP/2 was spoken against its rules, or a head was larger than it may be.
fn breaks_rules(error: &hyper::Error) -> bool {
    h2_error(error).is_some_and(h2::Error::is_library)
}
