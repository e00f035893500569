//! A fresh connection to an upstream: the name is looked up, its addresses are tried, TLS and what to
//! speak over it are agreed on.
//!
//! All of it ends within [`Terms::connect`]. TLS that fails is never followed by an attempt without, nor
//! HTTP/2 that was asked for by HTTP/1.1: there is no connection then, and [`ConnectError`] says why as
//! people read it.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::config::snapshot::{Upstream, UpstreamProtocol, UpstreamTls};
use crate::config::tls::ALPN_HTTP2;
use crate::net::causes::causes;
use crate::net::tunnel::Duplex;

use super::pool::Connection;
use super::{Terms, http2};

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    /// The system, or nobody at the other end, lets us.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It was agreed on no TLS.
    #[error("{}", causes(.0))]
    Tls(io::Error),
    /// Nobody answered in time.
    #[error("no connection in time")]
    Timeout,
    /// The handshake did not end in time.
    #[error("the TLS handshake did not end in time")]
    TlsTimeout,
    /// The connection ended before it began.
    #[error("{}", causes(.0))]
    Http(#[from] hyper::Error),
    /// It was asked for HTTP/2, and does not speak it.
    #[error("it does not speak HTTP/2")]
    NotHttp2,
}

/// A connection that was just made, by what is spoken on it.
pub(super) enum Fresh {
    Http1(Connection),
    Http2(http2::Connection),
}

/// What is read ahead of an upstream, at least; hyper takes no less than 8 KiB.
const BUFFER_BYTES: usize = 64 * 1024;

/// Connects, and speaks what `protocol` lets. `lookups` bounds the lookups of the upstream's name.
pub(super) async fn connect(
    upstream: &Upstream,
    protocol: UpstreamProtocol,
    lookups: &Arc<Semaphore>,
    terms: &Terms,
) -> Result<Fresh, ConnectError> {
    let deadline = Instant::now() + terms.connect;
    // Without TLS nothing is agreed on: the other side is what the configuration says.
    let known = protocol == UpstreamProtocol::Http2;
    match upstream {
        Upstream::Unix(path) => speak(knock(path, deadline).await?, known, deadline, terms).await,
        Upstream::Tcp { host, port, tls: None } => {
            speak(dial(host, *port, lookups, deadline).await?, known, deadline, terms).await
        }
        Upstream::Tcp { host, port, tls: Some(tls) } => {
            let stream = dial(host, *port, lookups, deadline).await?;
            let stream = secure(stream, tls, protocol, deadline).await?;
            let agreed = stream.get_ref().1.alpn_protocol() == Some(ALPN_HTTP2);
            if known && !agreed {
                return Err(ConnectError::NotHttp2);
            }
            speak(stream, agreed, deadline, terms).await
        }
    }
}

/// Connects, for HTTP/1.1 to be spoken by the caller.
pub(super) async fn open(
    upstream: &Upstream,
    lookups: &Arc<Semaphore>,
    terms: &Terms,
) -> Result<Box<dyn Duplex>, ConnectError> {
    let deadline = Instant::now() + terms.connect;
    Ok(match upstream {
        Upstream::Unix(path) => Box::new(knock(path, deadline).await?),
        Upstream::Tcp { host, port, tls: None } => {
            Box::new(dial(host, *port, lookups, deadline).await?)
        }
        Upstream::Tcp { host, port, tls: Some(tls) } => {
            let stream = dial(host, *port, lookups, deadline).await?;
            Box::new(secure(stream, tls, UpstreamProtocol::Http1, deadline).await?)
        }
    })
}

/// How HTTP/1.1 is spoken with upstreams.
pub(super) fn http1(terms: &Terms) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder.max_header_size(terms.header_bytes).max_buf_size(terms.header_bytes.max(BUFFER_BYTES));
    builder
}

async fn speak(
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    is_http2: bool,
    deadline: Instant,
    terms: &Terms,
) -> Result<Fresh, ConnectError> {
    if is_http2 {
        let begun = timeout_at(deadline, http2::Connection::start(stream, terms));
        return begun.await.map_err(|_| ConnectError::Timeout)?.map(Fresh::Http2);
    }
    let (sender, driver) = http1(terms).handshake(TokioIo::new(stream)).await?;
    Ok(Fresh::Http1(Connection::start(sender, driver)))
}

/// Agrees on TLS.
async fn secure(
    stream: TcpStream,
    UpstreamTls { client, server_name }: &UpstreamTls,
    protocol: UpstreamProtocol,
    deadline: Instant,
) -> Result<TlsStream<TcpStream>, ConnectError> {
    let connector = TlsConnector::from(client.asking_for(protocol).clone());
    let secured = timeout_at(deadline, connector.connect(server_name.clone(), stream));
    secured.await.map_err(|_| ConnectError::TlsTimeout)?.map_err(ConnectError::Tls)
}

async fn dial(
    host: &str,
    port: u16,
    lookups: &Arc<Semaphore>,
    deadline: Instant,
) -> Result<TcpStream, ConnectError> {
    let addresses = timeout_at(deadline, addresses(host, port, lookups)).await;
    let stream = first_of(&addresses.map_err(|_| ConnectError::Timeout)??, deadline).await?;
    // Without it requests only take longer.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

/// The addresses of a host, as the system's resolver orders them.
async fn addresses(host: &str, port: u16, lookups: &Arc<Semaphore>) -> io::Result<Vec<SocketAddr>> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let permit = lookups.clone().acquire_owned().await.map_err(io::Error::other)?;
    let target = (host.to_owned(), port);
    let found = spawn_blocking(move || {
        // A lookup goes on when nobody waits for it any more: it holds its place until it has ended.
        let _permit = permit;
        target.to_socket_addrs().map(Iterator::collect)
    });
    found.await.map_err(io::Error::other)?
}

/// Tries addresses in their order. Each gets its share of the time that is left, so that one that never
/// answers leaves some to the next. What hindered the last is told.
async fn first_of(addresses: &[SocketAddr], deadline: Instant) -> Result<TcpStream, ConnectError> {
    let mut failure = ConnectError::Io(io::Error::other("its name has no address"));
    for (address, left) in addresses.iter().zip((1..=addresses.len()).rev()) {
        let now = Instant::now();
        let share = (deadline - now) / u32::try_from(left).unwrap_or(u32::MAX);
        failure = match timeout_at(now + share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => error.into(),
            Err(_) => ConnectError::Timeout,
        };
    }
    Err(failure)
}

/// The least and the longest pause between two attempts at a socket whose queue is full.
const PAUSES: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(50));

/// Connects to a unix socket. Where too many stand in line the system does not let us wait among them,
/// as it does with TCP: we come again.
async fn knock(path: &Path, deadline: Instant) -> Result<UnixStream, ConnectError> {
    let mut pause = PAUSES.0;
    loop {
        match UnixStream::connect(path).await {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let waited = timeout_at(deadline, sleep(pause)).await;
                waited.map_err(|_| ConnectError::Timeout)?;
                pause = (pause * 2).min(PAUSES.1);
            }
            ended => return Ok(ended?),
        }
    }
}

#[cfg(test)]
mod tests;
