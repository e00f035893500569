//! What a configuration means, ready to be used: everything that deciding and forwarding a request
//! needs. A snapshot that exists is right: nothing in it is checked again.

mod management;
mod served;
mod suites;

use core::net::SocketAddr;
use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;

use crate::policy::{ClientId, Clients, Issuer, Origin};
use crate::route::Sites;
use crate::token::{KeySet, Trust};

use super::raw::EndMarker;
use super::source::Digest;
use super::tls::{ClientAuth, ClientTls, ServerTls};

pub use management::{Management, ManagementClient};
pub use served::{
    Authorization, Browsers, Cors, LeftOut, Operation, Origins, ServedApi, Streams, Unlisted,
    Upstream, UpstreamProtocol, UpstreamTls,
};
pub use suites::{NamedSuite, Tests};

/// One configuration, whole. A request sees one snapshot from start to end.
#[derive(Debug)]
pub struct Snapshot {
    /// The traffic listener and its workers.
    pub server: Server,
    /// Where health and metrics are answered; nowhere when absent.
    pub health: Option<SocketAddr>,
    /// What makes the gateway ready.
    pub readiness: Readiness,
    /// Where the gateway's state is told; nowhere when absent.
    pub admin: Option<Admin>,
    /// The Management API; none when absent.
    pub management: Option<Management>,
    /// Bounds on what a request may be.
    pub limits: Limits,
    /// Bounds on how long anything may take.
    pub timeouts: Timeouts,
    /// What is written about requests and about the gateway itself.
    pub log: Log,
    /// How changes of the files are noticed.
    pub reload: Reload,
    /// The policy suites.
    pub tests: Tests,
    /// The issuers, in the order written, and behind them that of the Management API's own clients; APIs
    /// name them by place.
    pub issuers: Vec<IssuerSettings>,
    /// Which API answers a host and path: places in `apis`.
    pub sites: Sites,
    /// The APIs that are served, and the one that manages the gateway where there is one.
    pub apis: Vec<ServedApi>,
    /// What is known of applications beyond their grants.
    pub clients: Clients,
    /// What applications are called, where that is written.
    pub client_names: ClientNames,
    /// The names of the files that it was read from, and behind them of the OpenAPI documents that these
    /// name, as an [`Origin`] counts them.
    pub files: Vec<Arc<str>>,
    /// SHA-256 over the names and texts of all files.
    pub digest: Digest,
    /// Counts the configurations that were taken over, this one included; 0 for one that was not.
    pub generation: u64,
}

impl Snapshot {
    /// A line as people are shown it: `gateway.yaml:12`; none where it is written nowhere.
    pub fn line_of(&self, origin: Origin) -> Option<String> {
        let file = self.files.get(usize::try_from(origin.file).ok()?)?;
        (origin.line > 0).then(|| format!("{file}:{}", origin.line))
    }
}

/// What applications are called for people. It decides nothing.
#[derive(Clone, Debug, Default)]
pub struct ClientNames {
    by_issuer: HashMap<Issuer, HashMap<ClientId, Arc<str>>>,
}

impl ClientNames {
    /// Names `client` of `issuer`.
    pub(super) fn insert(&mut self, issuer: Issuer, client: ClientId, name: &str) {
        self.by_issuer.entry(issuer).or_default().insert(client, name.into());
    }

    /// The name of `client` of `issuer`.
    pub fn find(&self, issuer: &Issuer, client: &str) -> Option<&str> {
        self.by_issuer.get(issuer)?.get(client).map(|name| &**name)
    }

    /// Every name.
    pub fn iter(&self) -> impl Iterator<Item = (&Issuer, &ClientId, &str)> {
        self.by_issuer.iter().flat_map(|(issuer, names)| {
            names.iter().map(move |(client, name)| (issuer, client, &**name))
        })
    }
}

/// Where something listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// Address and port; port 0 lets the system choose.
    Tcp(SocketAddr),
    /// A unix socket, by its whole path.
    Unix(PathBuf),
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "{address}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// What makes the gateway ready, beside its listeners and its configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Readiness {
    /// Nothing.
    #[default]
    Lenient,
    /// Keys of every issuer.
    Strict,
}

/// Where the gateway's state is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    /// Where it listens.
    pub listen: Listen,
    /// Whether somebody asked for it, so that the gateway does not start without.
    pub required: bool,
}

/// The traffic listener and its workers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Where requests are taken.
    pub listen: Listen,
    /// TLS; plain HTTP when absent.
    pub tls: Option<ServerTls>,
    /// Where HTTP/2 is spoken.
    pub http2: Http2,
    /// How many workers; one per available core when absent.
    pub workers: Option<NonZeroUsize>,
    /// Peers whose `X-Forwarded-*` are passed on.
    pub trusted_proxies: Vec<IpNet>,
    /// Peers whose connections begin with a PROXY protocol header.
    pub proxy_protocol_from: Vec<IpNet>,
    /// How long new connections are still accepted after a signal to end.
    pub drain_delay: Duration,
    /// How long requests in flight may then take.
    pub drain_deadline: Duration,
}

impl Server {
    /// Whether TLS is spoken, and what is then asked of clients. This waits for a restart.
    pub fn asked_of_clients(&self) -> Option<ClientAuth> {
        self.tls.as_ref().map(|tls| tls.client_auth)
    }
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: Listen::Tcp(SocketAddr::from(([0, 0, 0, 0], 8080))),
            tls: None,
            http2: Http2::default(),
            workers: None,
            trusted_proxies: Vec::new(),
            proxy_protocol_from: Vec::new(),
            drain_delay: Duration::from_secs(5),
            drain_deadline: Duration::from_secs(30),
        }
    }
}

/// Where HTTP/2 is spoken beside HTTP/1.1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Http2 {
    /// With TLS, to clients that ask for it.
    #[default]
    Alpn,
    /// Nowhere.
    Never,
    /// There, and without TLS to clients that begin with it.
    PriorKnowledge,
}

/// Bounds on what a request may be, in bytes unless said otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The head of a request or response: request line and headers together.
    pub header_bytes: usize,
    /// The request target; beyond it `uri-too-long`.
    pub uri_bytes: usize,
    /// The body of a request; beyond it `body-too-large`. No bound when absent.
    pub body_bytes: Option<u64>,
    /// Connections open at a time, over all workers; beyond it `overloaded`.
    pub connections: usize,
    /// Requests open at a time on one connection that speaks HTTP/2.
    pub streams: u32,
    /// What each worker's cache of verified tokens may hold.
    pub token_cache_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_bytes: 32 << 10,
            uri_bytes: 8 << 10,
            body_bytes: None,
            connections: 10_000,
            streams: 100,
            token_cache_bytes: 16 << 20,
        }
    }
}

/// Bounds on how long anything may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// A client's TLS handshake.
    pub handshake: Duration,
    /// Reading a request's head, from its first byte or from the connection's start.
    pub header_read: Duration,
    /// Waiting for the next 8 KiB of a request's body, or its end.
    pub body_read: Duration,
    /// Waiting until a client takes the next 8 KiB of an answer.
    pub response_write: Duration,
    /// A client's connection between two requests.
    pub idle: Duration,
    /// Connecting to an upstream.
    pub connect: Duration,
    /// From the request written to the response's head read.
    pub response: Duration,
    /// Waiting for the next part of a response's body.
    pub response_read: Duration,
    /// Waiting for a byte of a tunnel, in either direction.
    pub stream_idle: Duration,
    /// An upstream connection without use.
    pub upstream_idle: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            header_read: Duration::from_secs(10),
            body_read: Duration::from_secs(30),
            response_write: Duration::from_mins(1),
            idle: Duration::from_secs(75),
            connect: Duration::from_secs(5),
            response: Duration::from_mins(1),
            response_read: Duration::from_mins(5),
            stream_idle: Duration::from_hours(1),
            upstream_idle: Duration::from_mins(1),
        }
    }
}

/// What is written about requests and about the gateway itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// Whether decision records go to standard output.
    pub records: bool,
    /// Of the requests that are allowed and answered, one in this many is recorded; none when 0.
    pub allowed_one_in: u32,
    /// The gateway's own log, on standard error: a `tracing` filter such as `info`.
    pub level: String,
    /// How that log is written.
    pub format: LogFormat,
}

/// How the gateway's own log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// Lines of JSON.
    Json,
}

impl Default for Log {
    fn default() -> Self {
        let (level, format) = ("info".to_owned(), LogFormat::default());
        Self { records: true, allowed_one_in: 1, level, format }
    }
}

/// How changes of the files are noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reload {
    /// How often contents are compared whatever the file system reports.
    pub poll: Duration,
    /// How long the files must be quiet before they are read, and the same before they are taken over.
    pub quiet: Duration,
    /// For how long they may be refused until the gateway is not ready; for ever when absent.
    pub max_rejected_age: Option<Duration>,
    /// Whether what takes its place must end with a marker, unless that says otherwise.
    pub end_marker: EndMarker,
}

impl Default for Reload {
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(30),
            quiet: Duration::from_millis(250),
            max_rejected_age: None,
            end_marker: EndMarker::Optional,
        }
    }
}

/// One issuer: what is trusted in its tokens, and where its keys come from.
#[derive(Clone, Debug)]
pub struct IssuerSettings {
    /// What its tokens must be.
    pub trust: Trust,
    /// Where its keys come from.
    pub keys: KeySource,
}

/// Where an issuer's keys come from.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// They stand in the configuration or in a file it names.
    Fixed(Arc<KeySet>),
    /// They are fetched.
    Remote(RemoteKeys),
}

/// How an issuer's keys are fetched.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RemoteKeys {
    /// The key set's URL; found by discovery when absent.
    pub jwks_uri: Option<String>,
    /// Whether plain HTTP to other hosts than loopback is allowed.
    pub allow_http: bool,
    /// Whom connections to its hosts trust.
    pub tls: ClientTls,
    /// The least time between two fetches that requests caused.
    pub refresh_cooldown: Duration,
    /// How long keys stay in use while newer ones cannot be fetched.
    pub max_stale: Duration,
}
