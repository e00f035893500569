//! Fetches one small document: bounded in bytes and in time, over TLS or, where that is allowed,
//! plain.
//!
//! In comes a URL from the configuration or from a discovery document; out comes the text of an
//! answer with status 200, or why there is none. It never follows a redirect, never sends
//! credentials, never goes without TLS to another machine unless told that it may, and keeps no
//! connection.

use std::error::Error;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, USER_AGENT};
use http::uri::{Authority, Scheme};
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;
use tokio::time::timeout;

use super::authorities;

/// Whether a URL may be fetched without TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlainHttp {
    /// From any host.
    Anywhere,
    /// From this machine only: `localhost`, 127.0.0.0/8 and `::1`.
    Loopback,
}

/// What fetches. Cheap to clone; it must be used within a tokio runtime.
#[derive(Clone, Debug)]
pub struct Fetcher(Client<HttpsConnector<HttpConnector>, Empty<Bytes>>);

/// No document came: from whom, and why.
#[derive(Debug, thiserror::Error)]
#[error("`{host}`: {failure}")]
pub struct FetchError {
    /// Host and port as the URL names them; the whole URL where it names none.
    pub host: String,
    /// What went wrong.
    pub failure: FetchFailure,
}

/// Why no document came.
#[derive(Debug, thiserror::Error)]
pub enum FetchFailure {
    /// The connection broke after it stood.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// There was no connection: name, address, TLS.
    #[error("cannot connect: {0}")]
    Connect(String),
    /// It would go over the network as anybody can read and change it.
    #[error("plain http is for loopback hosts, or where `allow_http` is set")]
    Plain,
    /// The answer points elsewhere.
    #[error("status {0}: redirects are not followed")]
    Redirect(StatusCode),
    /// The answer is not 200.
    #[error("status {0}")]
    Status(StatusCode),
    /// The document is not UTF-8.
    #[error("the document is not UTF-8")]
    Text,
    /// It took too long.
    #[error("no whole answer within {} s", TOTAL_TIMEOUT.as_secs())]
    Timeout,
    /// The document is longer than is read.
    #[error("the document is longer than {} KiB", MAX_BODY / 1024)]
    TooLarge,
    /// It is no URL to fetch from.
    #[error("{0}")]
    Url(&'static str),
}

impl FetchFailure {
    /// Whether the host did answer, only not with the document.
    pub fn is_answer(&self) -> bool {
        matches!(self, Self::Redirect(_) | Self::Status(_) | Self::Text | Self::TooLarge)
    }
}

impl Fetcher {
    /// A fetcher that trusts the certificate authorities of this machine.
    ///
    /// # Errors
    /// When the TLS library does not offer what a client needs.
    pub fn new() -> Result<Self, rustls::Error> {
        // The provider is named: were two in the program, the default one would be a panic.
        let tls = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(authorities::of_machine())
            .with_no_client_auth();
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        // Minutes lie between two fetches: a connection kept would be a dead one.
        let client =
            Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector);
        Ok(Self(client))
    }

    /// Fetches the document at `url`.
    ///
    /// # Errors
    /// When the URL may not be fetched, or no whole document with status 200 came in time.
    pub async fn fetch(&self, url: &str, plain: PlainHttp) -> Result<String, FetchError> {
        let (uri, authority) = parse(url, plain)
            .map_err(|failure| FetchError { host: host_of(url).to_owned(), failure })?;
        let fetched = timeout(TOTAL_TIMEOUT, self.exchange(uri)).await;
        fetched
            .unwrap_or(Err(FetchFailure::Timeout))
            .map_err(|failure| FetchError { host: authority.to_string(), failure })
    }

    async fn exchange(&self, uri: Uri) -> Result<String, FetchFailure> {
        let request = Request::get(uri)
            .header(ACCEPT, "application/json")
            .header(USER_AGENT, concat!("grantgate/", env!("CARGO_PKG_VERSION")))
            .body(Empty::new())
            .map_err(|_| FetchFailure::Url("cannot be asked for"))?;
        let response = self.0.request(request).await.map_err(|error| {
            let causes = Causes(&error).to_string();
            if error.is_connect() {
                FetchFailure::Connect(causes)
            } else {
                FetchFailure::Broken(causes)
            }
        })?;
        match response.status() {
            StatusCode::OK => {}
            status if status.is_redirection() => return Err(FetchFailure::Redirect(status)),
            status => return Err(FetchFailure::Status(status)),
        }
        let body = Limited::new(response.into_body(), MAX_BODY).collect().await;
        let body = body.map_err(|error| {
            if error.is::<LengthLimitError>() {
                FetchFailure::TooLarge
            } else {
                FetchFailure::Broken(Causes(&*error).to_string())
            }
        })?;
        String::from_utf8(body.to_bytes().into()).map_err(|_| FetchFailure::Text)
    }
}

/// Takes a URL apart, if it may be fetched.
fn parse(url: &str, plain: PlainHttp) -> Result<(Uri, Authority), FetchFailure> {
    let uri: Uri = url.parse().map_err(|_| FetchFailure::Url("is not a URL"))?;
    let authority = uri.authority().ok_or(FetchFailure::Url("is not a URL with a host"))?.clone();
    if authority.as_str().contains('@') {
        return Err(FetchFailure::Url("a URL with a user or a password is not fetched"));
    }
    if authority.host().is_empty() {
        return Err(FetchFailure::Url("is not a URL with a host"));
    }
    match uri.scheme() {
        Some(scheme) if *scheme == Scheme::HTTPS => {}
        Some(scheme) if *scheme == Scheme::HTTP => {
            if plain == PlainHttp::Loopback && !is_loopback(authority.host()) {
                return Err(FetchFailure::Plain);
            }
        }
        _ => return Err(FetchFailure::Url("only https and http are fetched")),
    }
    Ok((uri, authority))
}

/// Whether a URL's host is this machine itself. Other names are not looked up: what they mean is
/// for whoever answers for them to say.
fn is_loopback(host: &str) -> bool {
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost")
        || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// What to call a URL in an error, without what may be a password.
fn host_of(url: &str) -> &str {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = host.split(['/', '?', '#']).next().unwrap_or_default();
    host.rsplit_once('@').map_or(host, |(_, host)| host)
}

/// An error and all its causes on one line, each said once.
struct Causes<'a>(&'a dyn Error);

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = self.0.to_string();
        f.write_str(&said)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            let text = error.to_string();
            if !said.contains(&text) {
                write!(f, ": {text}")?;
            }
            said = text;
            cause = error.source();
        }
        Ok(())
    }
}

/// How long a TCP connection may take to stand.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the whole may take: name, connection, TLS, request, answer.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(10);
/// A key set of hundreds of keys is far below.
const MAX_BODY: usize = 256 * 1024;

#[cfg(test)]
mod tests;
