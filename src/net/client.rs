//! The way to upstreams: one worker's connections, kept and used again.
//!
//! A request goes out on the connection that was used last, or on a fresh one. Where the upstream had
//! closed a kept connection before anything was written, the request is sent once more on a fresh one;
//! nothing else is tried twice. What goes wrong is a [`SendError`], which says whose fault it was.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::spawn_local;
use tokio::time::{Instant, interval, timeout, timeout_at};

use crate::config::snapshot::Upstream;

use super::body::{Body, Clean, Progress, State, Upload};

/// Connections to one upstream that a worker keeps without use.
const MOST_IDLE: usize = 128;

/// How often connections that were idle for too long are closed.
const SWEEP: Duration = Duration::from_secs(5);

/// One worker's connections to upstreams.
pub struct Client {
    idle: RefCell<HashMap<Upstream, Vec<Idle>, foldhash::fast::RandomState>>,
}

struct Idle {
    sender: SendRequest<Upload>,
    until: Instant,
}

/// The bounds of one exchange with an upstream.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// For connecting.
    pub connect: Duration,
    /// From the request written to the response's head. An upload that stands still may take as long.
    pub response: Duration,
    /// For a connection without use.
    pub idle: Duration,
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
    /// The response cannot be understood.
    #[error("the response of `{0}` cannot be understood")]
    Invalid(Upstream),
    /// No response in time.
    #[error("`{0}` did not respond in time")]
    ResponseTimeout(Upstream),
    /// No connection, or it was closed without a response.
    #[error("`{upstream}` did not respond: {source}")]
    Unreachable {
        /// Which one.
        upstream: Upstream,
        /// What happened.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Client {
    /// A client without connections. Must be made within a `LocalSet`, where it closes those that stay
    /// without use.
    pub fn new() -> Rc<Self> {
        let client = Rc::new(Self { idle: RefCell::default() });
        let swept = Rc::downgrade(&client);
        spawn_local(async move {
            let mut ticks = interval(SWEEP);
            while let (_, Some(client)) = (ticks.tick().await, swept.upgrade()) {
                client.sweep();
            }
        });
        client
    }

    /// Sends `request` and waits for the head of its response.
    pub async fn send(
        self: &Rc<Self>,
        upstream: &Upstream,
        request: Request<Incoming>,
        terms: &Terms,
    ) -> Result<Response<Body>, SendError> {
        let (head, body) = request.into_parts();
        let (upload, progress) = Upload::new(body, terms.body_bytes, terms.clean);
        let mut request = Request::from_parts(head, upload);
        let (mut sender, kept) = match self.take(upstream) {
            Some(sender) => (sender, true),
            None => (connect(upstream, terms).await?, false),
        };
        let fault = |error| fault(upstream, progress.as_deref(), error);
        let mut sent = wait(sender.try_send_request(request), progress.as_deref(), terms).await;
        if let Ok(Err(error)) = &mut sent
            && kept
            && let Some(unsent) = error.take_message()
        {
            request = unsent;
            sender = connect(upstream, terms).await?;
            sent = wait(sender.try_send_request(request), progress.as_deref(), terms).await;
        }
        let response = sent.map_err(|late| late.of(upstream))?.map_err(fault)?;
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return Err(SendError::Invalid(upstream.clone()));
        }
        let lease = Lease {
            of: Some((self.clone(), sender)),
            upstream: upstream.clone(),
            idle: terms.idle,
        };
        Ok(response.map(|body| Body::upstream(body, terms.clean, lease)))
    }

    /// The connection that was used last, of those that still stand.
    fn take(&self, upstream: &Upstream) -> Option<SendRequest<Upload>> {
        let mut idle = self.idle.borrow_mut();
        let idle = idle.get_mut(upstream)?;
        let now = Instant::now();
        while let Some(Idle { sender, until }) = idle.pop() {
            if sender.is_ready() && now < until {
                return Some(sender);
            }
        }
        None
    }

    fn sweep(&self) {
        let now = Instant::now();
        self.idle.borrow_mut().retain(|_, idle| {
            idle.retain(|idle| idle.sender.is_ready() && now < idle.until);
            !idle.is_empty()
        });
    }
}

/// A connection that is in use, and where it goes afterwards. It is closed unless it is given back.
pub(super) struct Lease {
    of: Option<(Rc<Client>, SendRequest<Upload>)>,
    upstream: Upstream,
    idle: Duration,
}

impl Lease {
    /// Keeps the connection for the next request, once its response has come to its end. One whose
    /// request is still being sent cannot be used again.
    pub(super) fn give_back(&mut self) {
        let Some((client, sender)) = self.of.take() else {
            return;
        };
        if !sender.is_ready() {
            return;
        }
        let mut idle = client.idle.borrow_mut();
        let kept = match idle.get_mut(&self.upstream) {
            Some(kept) => kept,
            None => idle.entry(self.upstream.clone()).or_default(),
        };
        if kept.len() < MOST_IDLE {
            kept.push(Idle { sender, until: Instant::now() + self.idle });
        }
    }
}

async fn connect(upstream: &Upstream, terms: &Terms) -> Result<SendRequest<Upload>, SendError> {
    let unreachable = |source| SendError::Unreachable { upstream: upstream.clone(), source };
    let stream = match timeout(terms.connect, open(upstream)).await {
        Err(_) => return Err(SendError::ConnectTimeout(upstream.clone())),
        Ok(opened) => opened.map_err(|error| unreachable(error.into()))?,
    };
    let (sender, connection) = http1::Builder::new()
        .max_header_size(terms.header_bytes)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| unreachable(error.into()))?;
    // Its faults are told to whoever waits for a response on it.
    spawn_local(async move { drop(connection.await) });
    Ok(sender)
}

async fn open(upstream: &Upstream) -> io::Result<TcpStream> {
    let Upstream::Tcp { host, port, tls: None } = upstream else {
        return Err(io::ErrorKind::Unsupported.into());
    };
    let stream = if let Ok(address) = host.parse::<IpAddr>() {
        TcpStream::connect((address, *port)).await?
    } else {
        // Asks the resolver, and tries its addresses in their order.
        TcpStream::connect((host.as_str(), *port)).await?
    };
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Who let us wait for too long.
enum Late {
    Client,
    Upstream,
}

impl Late {
    fn of(self, upstream: &Upstream) -> SendError {
        match self {
            Self::Client => SendError::BodyStalled,
            Self::Upstream => SendError::ResponseTimeout(upstream.clone()),
        }
    }
}

/// Waits for `sent`. The time begins anew with each step of the upload.
async fn wait<T>(
    sent: impl Future<Output = T>,
    progress: Option<&Progress>,
    terms: &Terms,
) -> Result<T, Late> {
    let mut sent = pin!(sent);
    let mut deadline = Instant::now() + terms.response;
    loop {
        if let Ok(sent) = timeout_at(deadline, &mut sent).await {
            return Ok(sent);
        }
        match progress {
            Some(progress) if progress.moved() + terms.response > deadline => {
                deadline = progress.moved() + terms.response;
            }
            Some(progress) if progress.state() == State::Waiting => return Err(Late::Client),
            Some(_) | None => return Err(Late::Upstream),
        }
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
        Some(State::TooLarge) => SendError::BodyTooLarge,
        _ if error.is_parse() || error.is_parse_too_large() => SendError::Invalid(upstream.clone()),
        _ => SendError::Unreachable { upstream: upstream.clone(), source: error.into() },
    }
}
