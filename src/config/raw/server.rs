//! The sections that concern the process: listeners, bounds, log, reload.

use std::borrow::Cow;
use std::num::NonZeroUsize;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::Value;

use super::Tls;

/// The traffic listener and its workers.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    /// Address and port, such as `0.0.0.0:8080` (the default) or `[::]:8080`; or a unix socket, such
    /// as `unix:/run/grantgate.sock`, which owner and group of the process may connect to, whatever
    /// its umask. A socket that is left over there is replaced, nothing else is. Changes wait for a
    /// restart.
    #[schemars(extend("default" = "0.0.0.0:8080", "examples" = ["0.0.0.0:8080"]))]
    pub listen: Option<String>,
    /// TLS; plain HTTP when left out.
    pub tls: Option<Tls>,
    /// Where HTTP/2 is spoken beside HTTP/1.1: with TLS, to clients that ask for it (`alpn`, the default);
    /// `prior_knowledge`: without TLS too, to clients that begin with it (h2c, such as gRPC clients in a
    /// mesh); `never`.
    #[schemars(extend("default" = "alpn"))]
    pub http2: Option<Http2>,
    /// How many worker threads: `auto` (the default) is one per core, following the CPU limit.
    /// Changes wait for a restart.
    #[schemars(extend("default" = "auto"))]
    pub workers: Option<Workers>,
    /// Networks of your own proxies, such as `10.0.0.0/8` or `fd00::/8`: their `X-Forwarded-*` headers
    /// reach the upstream; everybody else's are replaced. None by default; everybody (`0.0.0.0/0`,
    /// `::/0`, or networks that are that together) is refused. A client on a unix socket is in no network.
    #[schemars(extend("examples" = [["10.0.0.0/8"]]))]
    pub trusted_proxies: Vec<String>,
    /// Networks of load balancers whose connections begin with a PROXY protocol header, version 1 or 2,
    /// and are closed without one: the client's address is the one that it names. None by default, and
    /// from nobody else such a header is taken; everybody is refused.
    #[schemars(extend("examples" = [["10.0.0.0/8"]]))]
    pub proxy_protocol_from: Vec<String>,
    /// After a signal to end, how long new connections are still accepted, so that whoever routes to
    /// the gateway can notice: 5s.
    #[schemars(extend("default" = "5s", "examples" = ["5s"]))]
    pub drain_delay: Option<String>,
    /// How long requests in flight may then take, before they are cut: 30s.
    #[schemars(extend("default" = "30s", "examples" = ["30s"]))]
    pub drain_deadline: Option<String>,
}

/// Where HTTP/2 is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Http2 {
    /// With TLS, to clients that ask for it.
    Alpn,
    /// Nowhere.
    Never,
    /// There, and without TLS to clients that begin with it.
    PriorKnowledge,
}

/// How many workers: `auto` or a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "serde_json::Value")]
pub enum Workers {
    /// One per core.
    Auto,
    /// This many.
    Count(NonZeroUsize),
}

impl TryFrom<Value> for Workers {
    type Error = &'static str;

    fn try_from(value: Value) -> Result<Self, Self::Error> {
        if value == "auto" {
            return Ok(Self::Auto);
        }
        let count = value.as_u64().and_then(|count| usize::try_from(count).ok());
        count.and_then(NonZeroUsize::new).map(Self::Count).ok_or("`auto`, or a number from 1 on")
    }
}

impl JsonSchema for Workers {
    fn schema_name() -> Cow<'static, str> {
        "Workers".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "oneOf": [
                {"type": "string", "enum": ["auto"]},
                {"type": "integer", "minimum": 1, "maximum": 1024},
            ]
        })
    }
}

/// Where `/healthz`, `/readyz` and `/metrics` are answered.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Health {
    /// Address and port: `0.0.0.0:9180` by default; `none` switches it off. It asks nobody
    /// who they are, and its metrics name APIs and issuers. Changes wait for a restart.
    #[schemars(extend("default" = "0.0.0.0:9180", "examples" = ["0.0.0.0:9180"]))]
    pub listen: Option<String>,
    /// Whether `/readyz` is red while keys of an issuer never came: `lenient` (the default: its
    /// tokens alone are refused) or `strict`.
    #[schemars(extend("default" = "lenient"))]
    pub readiness: Option<Readiness>,
}

/// What makes the gateway ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Readiness {
    /// Its listeners and its configuration.
    Lenient,
    /// Those, and keys of every issuer.
    Strict,
}

/// Where `/status` is answered: read only, and without asking who asks. Pages that a browser shows get
/// nothing.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Admin {
    /// Loopback address and port, or `unix:/path` of a socket for the gateway's own user:
    /// `127.0.0.1:9181` by default, and nowhere when that is taken; one that is written must be
    /// free. `none` switches it off. Changes wait for a restart.
    #[schemars(extend("default" = "127.0.0.1:9181", "examples" = ["127.0.0.1:9181"]))]
    pub listen: Option<String>,
    /// Whether `listen` may be an address that other machines can reach: false.
    #[schemars(extend("default" = false))]
    pub allow_remote: Option<bool>,
}

/// Bounds on what a request may be. A size is `512B`, `32KiB` or `1MiB`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Request line and headers together, at least `1KiB`: 32KiB. With HTTP/2 never more than 1MiB.
    #[schemars(extend("default" = "32KiB", "examples" = ["32KiB"]))]
    pub header_bytes: Option<String>,
    /// The request target (path and query), at least `1KiB`; beyond it `uri-too-long`: 8KiB.
    #[schemars(extend("default" = "8KiB", "examples" = ["8KiB"]))]
    pub uri_bytes: Option<String>,
    /// The body of a request; beyond it `body-too-large`: `unlimited` by default.
    #[schemars(extend("default" = "unlimited", "examples" = ["10MiB"]))]
    pub body_bytes: Option<String>,
    /// Connections open at a time, over all workers: 10000, and fewer where the system's limit of open
    /// files (`ulimit -n`) leaves no room for them. One more is answered `overloaded`, or, where TLS is
    /// spoken, closed. No more requests than that are in flight either, of which one HTTP/2 connection
    /// carries several: one more is answered `overloaded`.
    #[schemars(range(min = 1), extend("default" = 10_000))]
    pub connections: Option<u32>,
    /// Requests that a client may have open at a time on one HTTP/2 connection: 100.
    #[schemars(range(min = 1, max = 1000), extend("default" = 100))]
    pub streams: Option<u32>,
    /// What each worker's cache of verified tokens may hold: 16MiB. Changes wait for a restart.
    #[schemars(extend("default" = "16MiB", "examples" = ["16MiB"]))]
    pub token_cache_bytes: Option<String>,
}

/// Bounds on how long anything may take. A duration is `250ms`, `10s`, `5m` or `24h`. Changes count for
/// connections that clients make from then on.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Timeouts {
    /// A client's TLS handshake: 10s.
    #[schemars(extend("default" = "10s", "examples" = ["10s"]))]
    pub handshake: Option<String>,
    /// The whole head of a client's request: 10s from its first byte on; for the first one from the
    /// start of the connection, or the end of its handshake.
    #[schemars(extend("default" = "10s", "examples" = ["10s"]))]
    pub header_read: Option<String>,
    /// How long a client may take for the next 8 KiB of a request's body, or for its end: 30s. What
    /// the upstream takes does not count. Nothing else bounds how long an upload lasts; one that is
    /// meant to drip needs more.
    #[schemars(extend("default" = "30s", "examples" = ["30s"]))]
    pub body_read: Option<String>,
    /// How long a client may take to receive the next 8 KiB of an answer, or its end: 60s.
    #[schemars(extend("default" = "60s", "examples" = ["60s"]))]
    pub response_write: Option<String>,
    /// A client's connection between two requests: 75s, a little longer than load balancers keep
    /// theirs.
    #[schemars(extend("default" = "75s", "examples" = ["75s"]))]
    pub idle: Option<String>,
    /// Connecting to an upstream: the lookup of its name, the name's addresses one after another, and
    /// TLS: 5s.
    #[schemars(extend("default" = "5s", "examples" = ["5s"]))]
    pub connect: Option<String>,
    /// From the request written to the response's head read: 60s.
    #[schemars(extend("default" = "60s", "examples" = ["60s"]))]
    pub response: Option<String>,
    /// How long an upstream may take for the next part of a response's body, when the client has taken
    /// what came before: 5m. Then the response is broken off; a stream of events that is silent for
    /// longer needs more.
    #[schemars(extend("default" = "5m", "examples" = ["5m"]))]
    pub response_read: Option<String>,
    /// How long a WebSocket may be without a byte in either direction, or a gRPC call with a token: 1h.
    /// Such a call has deadlines of its own, and of the times above `connect` and `response_write` alone.
    #[schemars(extend("default" = "1h", "examples" = ["1h"]))]
    pub stream_idle: Option<String>,
    /// An upstream connection without use: 60s.
    #[schemars(extend("default" = "60s", "examples" = ["60s"]))]
    pub upstream_idle: Option<String>,
}

/// What is written about requests and about the gateway itself.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// Whether each request's decision record goes to standard output, a JSON line each: true. The audit
    /// records of the Management API's writes go there in any case.
    #[schemars(extend("default" = true))]
    pub records: Option<bool>,
    /// Of the requests that are allowed and answered, one in this many is recorded: 1, which is
    /// all; 0 is none. Refusals, what would be refused, and failures are always recorded.
    #[schemars(extend("default" = 1, "examples" = [100]))]
    pub allowed_one_in: Option<u32>,
    /// The gateway's own log on standard error: `error`, `warn`, `info` (the default), `debug`,
    /// `trace`, or a filter such as `info,grantgate::reload=debug`.
    #[schemars(extend("default" = "info", "examples" = ["info"]))]
    pub level: Option<String>,
    /// How the gateway's own log is written: `text` (the default) or `json`.
    #[schemars(extend("default" = "text"))]
    pub format: Option<LogFormat>,
}

/// How the gateway's own log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// A line for people.
    Text,
    /// A line of JSON.
    Json,
}

/// How changes of the files are noticed.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Reload {
    /// How often contents are compared, whatever the file system reports: 30s.
    #[schemars(extend("default" = "30s", "examples" = ["30s"]))]
    pub poll: Option<String>,
    /// How long the files must be quiet before they are read, and must have stayed the same before
    /// they are taken over: 250ms, at most 2s. A writer that pauses for longer in the middle of a file
    /// is noticed by `end_marker` alone.
    #[schemars(extend("default" = "250ms", "examples" = ["250ms"]))]
    pub quiet: Option<String>,
    /// After how long `/readyz` answers 503 because the files on disk are refused and the configuration
    /// before them still decides: `never` (the default) or a duration. It is ready again as soon as the
    /// files load.
    #[schemars(extend("default" = "never", "examples" = ["15m"]))]
    pub max_rejected_age: Option<String>,
    /// Whether every YAML file must end with the line `...`, so that one cut short is noticed: optional.
    /// Once it is required it stays so for the next edit, until that is whole or says `optional`.
    #[schemars(extend("default" = "optional"))]
    pub end_marker: Option<EndMarker>,
}

/// Whether a file must say itself that it is whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndMarker {
    /// A file may end anyhow.
    #[default]
    Optional,
    /// A YAML file that does not end with `...` is taken for torn.
    Required,
}
