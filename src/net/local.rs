//! Asks a gate that runs: one request over plain HTTP/1.1, bounded in bytes and in time.
//!
//! In comes where it answers, by address or by the path of a unix socket, and what to ask; out comes the
//! status and the body of its answer, or why there is none. It is for those who run the gateway, on its
//! health and admin listeners: it knows no TLS, follows nothing and keeps no connection.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::uri::Authority;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use super::causes::causes;

/// Where a gate answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gate {
    /// An address.
    Address(SocketAddr),
    /// A host by its name, and the port where it is not 80.
    Named(Authority),
    /// A unix socket.
    Unix(PathBuf),
}

/// What is asked.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// How.
    pub method: Method,
    /// For what.
    pub path: &'a str,
    /// With which body: JSON.
    pub body: Option<Bytes>,
    /// How many bytes of an answer are read.
    pub most: usize,
    /// How long the whole may take.
    pub patience: Duration,
}

/// What was answered.
#[derive(Clone, Debug)]
pub struct Answered {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Silence {
    /// There was no connection, or it broke.
    #[error("{0}")]
    Broken(String),
    /// It took too long.
    #[error("no whole answer within {} s", .0.as_secs())]
    Timeout(Duration),
    /// The answer is longer than is read.
    #[error("the answer is longer than {} MiB", .0 >> 20)]
    TooLong(usize),
}

/// A text that names no gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write `http://127.0.0.1:9181`, `127.0.0.1:9181` or `unix:/run/grantgate/admin.sock`")]
pub struct NoGate;

impl FromStr for Gate {
    type Err = NoGate;

    /// Reads `http://HOST:PORT`, `HOST:PORT` or `unix:/PATH`.
    fn from_str(text: &str) -> Result<Self, NoGate> {
        if let Some(path) = text.strip_prefix("unix:") {
            let path = path.strip_prefix("//").filter(|path| path.starts_with('/')).unwrap_or(path);
            return if Path::new(path).is_absolute() {
                Ok(Self::Unix(path.into()))
            } else {
                Err(NoGate)
            };
        }
        let url = text.strip_prefix("http://").map(|rest| rest.strip_suffix('/').unwrap_or(rest));
        let host = url.unwrap_or(text);
        if let Ok(address) = host.parse::<SocketAddr>() {
            return Ok(Self::Address(address));
        }
        let host: Authority = host.parse().map_err(|_| NoGate)?;
        // A word alone is more likely a file.
        let has_port = host.port_u16().is_some();
        let is_whole = has_port || url.is_some() && host.as_str() == host.host();
        let is_name = !host.host().is_empty() && !host.host().starts_with('[');
        let is_plain = !host.as_str().contains('@');
        if is_whole && is_name && is_plain { Ok(Self::Named(host)) } else { Err(NoGate) }
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => write!(f, "http://{address}"),
            Self::Named(authority) => write!(f, "http://{authority}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl From<SocketAddr> for Gate {
    fn from(address: SocketAddr) -> Self {
        Self::Address(address)
    }
}

impl Gate {
    /// Whether what is sent there stays on this machine.
    pub fn is_here(&self) -> bool {
        match self {
            Self::Address(address) => address.ip().is_loopback(),
            Self::Named(authority) => authority.host().eq_ignore_ascii_case("localhost"),
            Self::Unix(_) => true,
        }
    }

    /// Asks. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// When no whole answer came.
    pub async fn ask(&self, asked: Asked<'_>) -> Result<Answered, Silence> {
        let patience = asked.patience;
        let answered = timeout(patience, async {
            match self {
                Self::Address(address) => {
                    let stream =
                        TcpStream::connect(address).await.map_err(|error| broken(&error))?;
                    exchange(stream, &address.to_string(), asked).await
                }
                Self::Named(host) => {
                    let place = (host.host(), host.port_u16().unwrap_or(80));
                    let stream = TcpStream::connect(place).await.map_err(|error| broken(&error))?;
                    exchange(stream, host.as_str(), asked).await
                }
                Self::Unix(path) => {
                    let stream = UnixStream::connect(path).await.map_err(|error| broken(&error))?;
                    exchange(stream, "localhost", asked).await
                }
            }
        });
        answered.await.unwrap_or(Err(Silence::Timeout(patience)))
    }
}

async fn exchange<S>(stream: S, host: &str, asked: Asked<'_>) -> Result<Answered, Silence>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| broken(&error))?;
    let mut request = Request::builder().method(asked.method).uri(asked.path).header(HOST, host);
    if asked.body.is_some() {
        request = request.header(CONTENT_TYPE, "application/json");
    }
    let request = request.body(Full::new(asked.body.unwrap_or_default()));
    let request = request.map_err(|error| Silence::Broken(error.to_string()))?;
    let most = asked.most;
    let answering = async {
        let response = sender.send_request(request).await.map_err(|error| broken(&error))?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, most).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() { Silence::TooLong(most) } else { broken(&*error) }
        })?;
        Ok(Answered { status: head.status, headers: head.headers, body: body.to_bytes() })
    };
    // The connection is driven for as long as its answer is under way, and dropped with it.
    let (mut answering, mut driving) = (std::pin::pin!(answering), std::pin::pin!(connection));
    tokio::select! {
        answered = &mut answering => answered,
        _ = &mut driving => answering.await,
    }
}

fn broken(error: &(dyn std::error::Error + 'static)) -> Silence {
    Silence::Broken(causes(error))
}

#[cfg(test)]
mod tests;
