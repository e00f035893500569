//! Every metric there is: its name, what it is and what it tells.

use Kind::{Counter, Gauge, Histogram};

/// One metric, whatever its labels.
pub(super) struct Metric {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) help: &'static str,
}

/// What a metric is.
pub(super) enum Kind {
    Counter,
    Gauge,
    /// With the rising upper bounds of its buckets, in seconds.
    Histogram(&'static [f64]),
}

impl Kind {
    /// As the text format says it.
    pub(super) const fn as_str(&self) -> &'static str {
        match self {
            Counter => "counter",
            Gauge => "gauge",
            Histogram(_) => "histogram",
        }
    }
}

macro_rules! metrics {
    ($($constant:ident: $kind:expr, $name:literal, $help:literal;)*) => {
        $(#[doc = $help] pub(super) const $constant: &str = concat!("grantgate_", $name);)*

        /// All of them, by name.
        pub(super) const ALL: &[Metric] =
            &[$(Metric { name: $constant, kind: $kind, help: $help }),*];
    };
}

metrics! {
    BUILD_INFO: Gauge, "build_info",
        "The version that runs, as a label; always 1.";
    CONFIG_GENERATION: Gauge, "config_generation",
        "How many configurations were taken into use since the start.";
    CONFIG_LOADED_WHOLE: Gauge, "config_loaded_whole_seconds",
        "Seconds since the configuration files last loaded whole.";
    CONFIG_RELOADS: Counter, "config_reloads_total",
        "Attempts to load the configuration anew, by outcome.";
    CONNECTION_ERRORS: Counter, "connection_errors_total",
        "Client connections that went wrong, by kind of fault.";
    CONNECTIONS: Gauge, "connections",
        "Client connections that are open.";
    EXCHANGES: Gauge, "exchanges",
        "Allowed requests that are not over, counted four times a second.";
    GATE_SECONDS: Histogram(GATE_BOUNDS), "gate_seconds",
        "Time from a request's head to its decision.";
    KEYS_AGE: Gauge, "keys_age_seconds",
        "Seconds since an issuer's keys were last fetched; +Inf where they never came.";
    KEYS_REFRESHES: Counter, "keys_refreshes_total",
        "Fetches of an issuer's keys, by outcome.";
    KEYS_UNKNOWN: Counter, "keys_unknown_total",
        "Tokens that were refused because their issuer has no key of the name that they say.";
    RECORDS_DROPPED: Counter, "records_dropped_total",
        "Decision records that were lost because their reader was too slow, or gone.";
    REQUESTS: Counter, "requests_total",
        "Requests by API, decision, code and subject type.";
    START_TIME: Gauge, "start_time_seconds",
        "When the gateway started, in seconds since 1970.";
    STREAMS_CUT: Counter, "streams_cut_total",
        "Exchanges that were cut before their end, by API and reason.";
    TOKEN_CACHE_BYTES: Gauge, "token_cache_bytes",
        "What the caches of verified tokens hold, over all workers.";
    TOKEN_CACHE_ENTRIES: Gauge, "token_cache_entries",
        "How many tokens the caches of verified tokens hold, over all workers.";
    TOKEN_CACHE_HITS: Counter, "token_cache_hits_total",
        "Tokens that were verified before.";
    TOKEN_CACHE_MISSES: Counter, "token_cache_misses_total",
        "Tokens that had to be verified.";
    TUNNELS: Gauge, "tunnels",
        "Connections that have become WebSockets, and are open.";
    UPSTREAM_SECONDS: Histogram(UPSTREAM_BOUNDS), "upstream_seconds",
        "Time from forwarding a request to the head of its response.";
}

/// For a decision: from a cached token to a fetch of keys.
const GATE_BOUNDS: &[f64] =
    &[10e-6, 25e-6, 50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 10e-3, 100e-3, 1.0, 10.0];

/// For an upstream's answer.
const UPSTREAM_BOUNDS: &[f64] =
    &[1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 100e-3, 250e-3, 500e-3, 1.0, 2.5, 5.0, 10.0, 60.0];
