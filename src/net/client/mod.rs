//! The way to upstreams: one worker's connections, kept and used again.
//!
//! A request goes out on the connection that was used last, or on a fresh one. Where the upstream had
//! closed a kept connection before anything was written, the request is sent once more on a fresh one;
//! nothing else is tried twice. What goes wrong is a [`SendError`], which says whose fault it was.

mod connect;
mod pool;
mod upgrade;

use std::cell::RefCell;
use std::collections::HashMap;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use http::{Request, Response, StatusCode};
use hyper::client::conn::TrySendError;
use tokio::task::spawn_local;
use tokio::time::{Instant, interval, timeout_at};

use crate::config::snapshot::Upstream;

use super::body::{Body, Clean, Progress, State, Upload};
use super::causes::causes;
use super::received::Received;

use connect::{ConnectError, connect};
pub(super) use pool::Lease;
use pool::{Connection, Pool};

/// How often connections that were idle for too long are closed.
const SWEEP: Duration = Duration::from_secs(5);

/// One worker's connections to upstreams.
///
/// They are kept by all that an upstream is, its TLS too: one whose authorities or certificates have
/// changed is another, and never gets a request on a connection of before.
pub struct Client {
    pools: RefCell<HashMap<Upstream, Rc<Pool>, foldhash::fast::RandomState>>,
}

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
    pub tunnel_idle: Duration,
    /// For the response's head, in bytes.
    pub header_bytes: usize,
    /// For the request's body, in bytes.
    pub body_bytes: Option<u64>,
    /// Cleans the trailers of both directions.
    pub clean: Clean,
}

/// Why there is no response.
#[derive(Debug, thiserror::Error)]
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
                client.pools.borrow_mut().retain(|_, pool| !pool.sweep());
            }
        });
        client
    }

    /// Sends `request` and waits for the head of its response.
    pub async fn send(
        self: &Rc<Self>,
        upstream: &Upstream,
        request: Request<Received>,
        terms: &Terms,
    ) -> Result<Response<Body>, SendError> {
        let (head, body) = request.into_parts();
        let (upload, progress) = Upload::new(body, terms.body_bytes, terms.clean);
        let mut request = Request::from_parts(head, upload);
        let pool = self.pool(upstream);
        let (mut connection, kept) = match pool.take() {
            Some(connection) => (connection, true),
            None => (fresh(upstream, &pool, terms).await?, false),
        };
        let progress = progress.as_deref();
        let mut sent = wait(connection.sender.try_send_request(request), progress, terms).await;
        if let Some(Err(error)) = &mut sent
            && kept
            && let Some(unsent) = error.take_message()
        {
            request = unsent;
            connection = fresh(upstream, &pool, terms).await?;
            sent = wait(connection.sender.try_send_request(request), progress, terms).await;
        }
        let late = || SendError::ResponseTimeout(upstream.clone());
        let response = sent.ok_or_else(late)?;
        let response = response.map_err(|error| fault(upstream, progress, error))?;
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return Err(SendError::Invalid(upstream.clone()));
        }
        let lease = Lease::new(connection, pool, terms.idle);
        Ok(response.map(|body| Body::upstream(body, terms.clean, lease, terms.response_read)))
    }

    fn pool(&self, upstream: &Upstream) -> Rc<Pool> {
        let mut pools = self.pools.borrow_mut();
        match pools.get(upstream) {
            Some(pool) => pool.clone(),
            None => pools.entry(upstream.clone()).or_insert_with(Pool::new).clone(),
        }
    }
}

async fn fresh(upstream: &Upstream, pool: &Pool, terms: &Terms) -> Result<Connection, SendError> {
    connect(upstream, &pool.lookups, terms).await.map_err(|error| unconnected(upstream, &error))
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
        _ if error.is_parse() || error.is_parse_too_large() => SendError::Invalid(upstream.clone()),
        _ => SendError::Unreachable { upstream: upstream.clone(), reason: causes(&error) },
    }
}
