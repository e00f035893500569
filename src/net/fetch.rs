//! Fetches one small document: bounded in bytes and in time, over TLS or, where that is allowed,
//! plain.
//!
//! In comes a URL from the configuration or from a discovery document, and what is known of the
//! document there; out comes the document of an answer with status 200, the known one where nothing
//! changed, or why there is none. It never follows a redirect, not even to the same host; never sends
//! credentials; never goes without TLS to another machine unless told that it may; and keeps no
//! connection.

mod freshness;
mod url;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{ACCEPT, ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, USER_AGENT};
use http::{HeaderMap, HeaderValue, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::ClientConfig;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::config::tls::ClientTls;

use super::causes::causes;
use freshness::fresh_for;
use url::{host_of, parse};

/// Whether a URL may be fetched without TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlainHttp {
    /// From any host.
    Anywhere,
    /// From this machine only: `localhost`, 127.0.0.0/8 and `::1`.
    Loopback,
    /// From nowhere.
    Nowhere,
}

/// By what means documents of one source may be fetched.
#[derive(Clone, Copy, Debug)]
pub struct Means<'a> {
    /// Whom TLS trusts.
    pub tls: &'a ClientTls,
    /// Whether TLS may be left out.
    pub plain: PlainHttp,
}

/// What fetches. Cheap to clone; it must be used within a tokio runtime.
#[derive(Clone, Debug)]
pub struct Fetcher {
    tcp: HttpConnector,
    places: Arc<Semaphore>,
}

/// A document, as its host gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Where it is.
    pub url: String,
    /// Its text.
    pub text: Arc<str>,
    /// How long it stays fresh, where the host says so.
    pub fresh_for: Option<Duration>,
    /// Whether it is the one that was known, of which the host says that nothing changed.
    pub not_modified: bool,
    version: Version,
}

#[cfg(test)]
impl Document {
    /// A document that came from `url`, with nothing said about it.
    pub(crate) fn of(url: &str, text: &str) -> Self {
        let version = Version::default();
        Self { url: url.into(), text: text.into(), fresh_for: None, not_modified: false, version }
    }
}

/// One version of a document, as its host names it (RFC 9110 section 8.8). A host that names none is
/// asked for the whole document each time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Version {
    etag: Option<HeaderValue>,
    last_modified: Option<HeaderValue>,
}

impl Version {
    fn of(headers: &HeaderMap) -> Self {
        let short = |value: &&HeaderValue| value.len() <= MAX_VERSION;
        Self {
            etag: headers.get(ETAG).filter(short).cloned(),
            last_modified: headers.get(LAST_MODIFIED).filter(short).cloned(),
        }
    }

    fn is_known(&self) -> bool {
        self.etag.is_some() || self.last_modified.is_some()
    }
}

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
    #[error("plain http is for issuers on this machine, or where `allow_http` is set")]
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

    fn of(status: StatusCode) -> Self {
        let elsewhere = status.is_redirection() && status != StatusCode::NOT_MODIFIED;
        if elsewhere { Self::Redirect(status) } else { Self::Status(status) }
    }
}

impl Fetcher {
    /// A fetcher. Its clones share its bound on how much is fetched at a time.
    pub fn new() -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        Self { tcp, places: Arc::new(Semaphore::new(MAX_FETCHES)) }
    }

    /// Fetches the document at `url`. Where `known` is from there, only the word that nothing changed
    /// needs to come.
    ///
    /// # Errors
    /// When the URL may not be fetched, or no whole document with status 200 came in time.
    pub async fn fetch(
        &self,
        url: &str,
        means: Means<'_>,
        known: Option<&Document>,
    ) -> Result<Document, FetchError> {
        let (uri, authority) = parse(url, means.plain)
            .map_err(|failure| FetchError { host: host_of(url).to_owned(), failure })?;
        let known = known.filter(|known| known.url == url && known.version.is_known());
        // The semaphore is never closed.
        let _place = self.places.acquire().await;
        let fetched = timeout(TOTAL_TIMEOUT, self.exchange(url, uri, means.tls, known)).await;
        fetched
            .unwrap_or(Err(FetchFailure::Timeout))
            .map_err(|failure| FetchError { host: authority.to_string(), failure })
    }

    async fn exchange(
        &self,
        url: &str,
        uri: Uri,
        tls: &ClientTls,
        known: Option<&Document>,
    ) -> Result<Document, FetchFailure> {
        let request = request(uri, known).ok_or(FetchFailure::Url("cannot be asked for"))?;
        let response = self.client(tls).request(request).await.map_err(|error| {
            let causes = causes(&error);
            if error.is_connect() {
                FetchFailure::Connect(causes)
            } else {
                FetchFailure::Broken(causes)
            }
        })?;
        let fresh_for = fresh_for(response.headers(), SystemTime::now());
        match (response.status(), known) {
            (StatusCode::OK, _) => {}
            (StatusCode::NOT_MODIFIED, Some(known)) => {
                let fresh_for = fresh_for.or(known.fresh_for);
                return Ok(Document { fresh_for, not_modified: true, ..known.clone() });
            }
            (status, _) => return Err(FetchFailure::of(status)),
        }
        let version = Version::of(response.headers());
        let body = Limited::new(response.into_body(), MAX_BODY).collect().await;
        let body = body.map_err(|error| {
            if error.is::<LengthLimitError>() {
                FetchFailure::TooLarge
            } else {
                FetchFailure::Broken(causes(&*error))
            }
        })?;
        let body = body.to_bytes();
        let text = str::from_utf8(&body).map_err(|_| FetchFailure::Text)?.into();
        Ok(Document { url: url.to_owned(), text, fresh_for, not_modified: false, version })
    }

    /// A client for one exchange: minutes lie between two, and a connection kept would be a dead one.
    fn client(&self, tls: &ClientTls) -> Client<HttpsConnector<HttpConnector>, Empty<Bytes>> {
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(ClientConfig::clone(&tls.config))
            .https_or_http()
            .enable_http1()
            .wrap_connector(self.tcp.clone());
        Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector)
    }
}

fn request(uri: Uri, known: Option<&Document>) -> Option<Request<Empty<Bytes>>> {
    let mut request = Request::get(uri)
        .header(ACCEPT, "application/json")
        .header(USER_AGENT, concat!("grantgate/", env!("CARGO_PKG_VERSION")));
    let version = known.map(|known| &known.version);
    if let Some(etag) = version.and_then(|version| version.etag.as_ref()) {
        request = request.header(IF_NONE_MATCH, etag);
    }
    if let Some(time) = version.and_then(|version| version.last_modified.as_ref()) {
        request = request.header(IF_MODIFIED_SINCE, time);
    }
    request.body(Empty::new()).ok()
}

impl Default for Fetcher {
    fn default() -> Self {
        Self::new()
    }
}

/// How long a TCP connection may take to stand.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the whole may take: name, connection, TLS, request, answer.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(10);
/// A key set of hundreds of keys is far below.
const MAX_BODY: usize = 256 * 1024;
/// How many documents are fetched at a time; further ones wait.
const MAX_FETCHES: usize = 16;
/// How long a version's name may be, to be remembered and sent back.
const MAX_VERSION: usize = 1024;

#[cfg(test)]
mod tests;
