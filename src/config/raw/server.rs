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
    /// as `unix:/run/grantgate.sock`. Changes wait for a restart.
    #[schemars(extend("examples" = ["0.0.0.0:8080"]))]
    pub listen: Option<String>,
    /// TLS; plain HTTP when left out.
    pub tls: Option<Tls>,
    /// How many worker threads: `auto` (the default) is one per core, following the CPU limit.
    /// Changes wait for a restart.
    pub workers: Option<Workers>,
    /// Networks (CIDR) whose `X-Forwarded-*` headers are passed on. None by default; everybody
    /// (`0.0.0.0/0`, `::/0`) is refused.
    pub trusted_proxies: Vec<String>,
    /// After a signal to end, how long new connections are still accepted: 5s.
    #[schemars(extend("examples" = ["5s"]))]
    pub drain_delay: Option<String>,
    /// How long requests in flight may then take: 30s.
    #[schemars(extend("examples" = ["30s"]))]
    pub drain_deadline: Option<String>,
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
    /// Address and port: `0.0.0.0:9180` by default; `none` switches it off. Changes wait for a
    /// restart.
    #[schemars(extend("examples" = ["0.0.0.0:9180"]))]
    pub listen: Option<String>,
}

/// Bounds on what a request may be. A size is `512B`, `32KiB` or `1MiB`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Request line and headers together: 32KiB.
    #[schemars(extend("examples" = ["32KiB"]))]
    pub header_bytes: Option<String>,
    /// The request target: 8KiB.
    #[schemars(extend("examples" = ["8KiB"]))]
    pub uri_bytes: Option<String>,
    /// The body: `unlimited` by default.
    #[schemars(extend("examples" = ["10MiB"]))]
    pub body_bytes: Option<String>,
    /// Connections open at a time, over all workers: 10000.
    #[schemars(range(min = 1))]
    pub connections: Option<u32>,
    /// What each worker's cache of verified tokens may hold: 16MiB. Changes wait for a restart.
    #[schemars(extend("examples" = ["16MiB"]))]
    pub token_cache_bytes: Option<String>,
}

/// Bounds on how long anything may take. A duration is `250ms`, `10s`, `5m` or `24h`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Timeouts {
    /// Reading a request's head: 10s.
    #[schemars(extend("examples" = ["10s"]))]
    pub header_read: Option<String>,
    /// Connecting to an upstream: the lookup of its name, the name's addresses one after another, and TLS: 5s.
    #[schemars(extend("examples" = ["5s"]))]
    pub connect: Option<String>,
    /// From the request written to the response's head read: 60s.
    #[schemars(extend("examples" = ["60s"]))]
    pub response: Option<String>,
    /// An upstream connection without use: 60s.
    #[schemars(extend("examples" = ["60s"]))]
    pub upstream_idle: Option<String>,
}

/// What is written about requests and about the gateway itself.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// Whether each request's decision record goes to standard output: true.
    pub records: Option<bool>,
    /// The gateway's own log on standard error: `error`, `warn`, `info` (the default), `debug`,
    /// `trace`, or a filter such as `info,grantgate::reload=debug`.
    #[schemars(extend("examples" = ["info"]))]
    pub level: Option<String>,
}

/// How changes of the files are noticed.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Reload {
    /// How often contents are compared whatever the file system reports: 30s.
    #[schemars(extend("examples" = ["30s"]))]
    pub poll: Option<String>,
    /// How long the files must be quiet before they are read: 250ms.
    #[schemars(extend("examples" = ["250ms"]))]
    pub quiet: Option<String>,
    /// Whether every file must end with YAML's `...`, so that one cut short is told: optional.
    pub end_marker: Option<EndMarker>,
}

/// Whether a file must say itself that it is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndMarker {
    /// A file may end anyhow.
    Optional,
    /// A YAML file that does not end with `...` is taken for torn.
    Required,
}
