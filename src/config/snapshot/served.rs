//! What an API with a gate means: what it asks of a request, where allowed ones go, and what is done about
//! streams and browsers.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use http::{HeaderName, Method};
use rustls::pki_types::ServerName;

use super::Snapshot;
use crate::config::tls::ClientTls;
use crate::policy::{Api, Ask, Audience, Origin};
use crate::route::{CanonPath, HostPattern, Methods, Operations, Pattern, Prefix};
use crate::token::{HsSecret, Trust};

/// An API with its gate.
#[derive(Debug)]
pub struct ServedApi {
    /// What the decision needs.
    pub api: Api,
    /// Where it is written.
    pub origin: Origin,
    /// The hosts that it is served under; none means any.
    pub hosts: Vec<HostPattern>,
    /// The path that it is served below.
    pub path_prefix: Prefix,
    /// The issuers that it trusts: places in [`Snapshot::issuers`].
    pub issuers: Vec<usize>,
    /// The audiences that mean this API, its identifier first.
    pub audiences: Vec<Audience>,
    /// The secret of its HMAC-signed tokens.
    pub secret: Option<HsSecret>,
    /// Its operations.
    pub operations: Operations<Operation>,
    /// What its OpenAPI document describes and that is not listed.
    pub left_out: Vec<LeftOut>,
    /// What a path gets that no operation lists.
    pub unlisted: Unlisted,
    /// The realm of its challenges: its URL as clients see it.
    pub public_url: String,
    /// Where allowed requests go; nowhere where the gateway itself answers.
    pub upstream: Option<Upstream>,
    /// What is spoken there.
    pub upstream_protocol: UpstreamProtocol,
    /// What becomes of open streams that would not be let in any more.
    pub streams: Streams,
    /// What becomes of the requests that browsers send ahead, and of what their pages may read.
    pub browsers: Browsers,
    /// Whether WebSocket clients may send their token as a subprotocol, from the origins of
    /// [`Browsers::Cors`].
    pub websocket_tokens: bool,
    /// What becomes of the `Authorization` header.
    pub authorization: Authorization,
    /// The prefix that is removed before forwarding.
    pub strip_prefix: Option<Prefix>,
}

impl ServedApi {
    /// The issuers that it trusts.
    pub fn trusted<'s>(&self, snapshot: &'s Snapshot) -> impl Iterator<Item = &'s Trust> {
        let issuers = self.issuers.iter().filter_map(|index| snapshot.issuers.get(*index));
        issuers.map(|issuer| &issuer.trust)
    }

    /// What its OpenAPI document says of such a request, where that has no counterpart.
    pub fn left_out(&self, method: &Method, path: &CanonPath<'_>) -> Option<&LeftOut> {
        let is_it = |left: &&LeftOut| left.methods.covers(method) && left.pattern.matches(path);
        self.left_out.iter().find(is_it)
    }

    /// Whether a token counts that comes as a WebSocket's subprotocol from a page of this origin.
    pub fn takes_websocket_tokens_of(&self, origin: &[u8]) -> bool {
        let Browsers::Cors(Cors { origins: origins @ Origins::Listed(_), .. }) = &self.browsers
        else {
            return false;
        };
        self.websocket_tokens && origins.admit(origin)
    }
}

/// One operation of an API.
#[derive(Debug)]
pub struct Operation {
    /// As written: `GET /orders/{id}`.
    pub on: String,
    /// What it asks.
    pub ask: Ask,
    /// Whether a connection may become a WebSocket.
    pub websocket: bool,
    /// Where it is written.
    pub origin: Origin,
}

/// Something that an OpenAPI document describes and that has no counterpart: it is not listed.
#[derive(Debug)]
pub struct LeftOut {
    /// Its methods.
    pub methods: Methods,
    /// Its paths.
    pub pattern: Pattern,
    /// Why it is left out.
    pub reason: String,
    /// Where it is written.
    pub origin: Origin,
}

/// What is spoken to an upstream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum UpstreamProtocol {
    /// HTTP/2 where it is offered by TLS, else HTTP/1.1.
    #[default]
    Auto,
    /// HTTP/1.1.
    Http1,
    /// HTTP/2.
    Http2,
}

/// What becomes of open streams that would not be let in any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Streams {
    /// They end.
    #[default]
    Cut,
    /// They go on to their own end.
    Keep,
}

/// What is done about browsers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Browsers {
    /// Nothing.
    #[default]
    None,
    /// The gate answers preflights, and says what pages may read.
    Cors(Cors),
    /// Preflights for listed operations reach the upstream.
    Preflights,
}

/// What pages of other origins may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cors {
    /// Which origins.
    pub origins: Origins,
    /// With which methods.
    pub methods: Vec<Method>,
    /// With which header fields.
    pub headers: Vec<HeaderName>,
    /// Whether with cookies.
    pub credentials: bool,
    /// For how long browsers may remember it.
    pub max_age: Duration,
}

/// Origins of pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origins {
    /// Any.
    Any,
    /// These, as browsers write them (RFC 6454 section 6.2).
    Listed(Vec<String>),
}

impl Origins {
    /// Whether `origin`, as an `Origin` header field has it, is one of them. What is not one origin is none.
    pub fn admit(&self, origin: &[u8]) -> bool {
        match self {
            Self::Any => {
                !origin.is_empty()
                    && origin.iter().all(|&byte| byte.is_ascii_graphic() && byte != b',')
            }
            Self::Listed(origins) => origins.iter().any(|listed| listed.as_bytes() == origin),
        }
    }
}

/// What a path gets that no operation lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unlisted {
    /// Any token that passes the other rules.
    AnyToken,
    /// A refusal.
    Deny,
}

/// What becomes of the `Authorization` header of an allowed request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authorization {
    /// The upstream receives it.
    Keep,
    /// The upstream does not.
    Remove,
}

/// Where allowed requests go.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Upstream {
    /// HTTP to one address, with TLS or without.
    Tcp {
        /// Host name or address; an IPv6 address without brackets.
        host: String,
        /// Port.
        port: u16,
        /// TLS; plain when absent.
        tls: Option<UpstreamTls>,
    },
    /// Plain HTTP to a unix socket, by its whole path.
    Unix(PathBuf),
}

/// TLS towards an upstream.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UpstreamTls {
    /// Whom it trusts, and what it shows.
    pub client: ClientTls,
    /// The name that the upstream's certificate must be for.
    pub server_name: ServerName<'static>,
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Tcp { host, port, tls } => {
                let scheme = if tls.is_some() { "https" } else { "http" };
                if host.contains(':') {
                    write!(f, "{scheme}://[{host}]:{port}")
                } else {
                    write!(f, "{scheme}://{host}:{port}")
                }
            }
        }
    }
}
