//! Every metric: name, labels and help in one list.
//!
//! A [`Metrics`] belongs to one gateway, not to the process, so that several can run in one. Labels are
//! codes and configured names, never anything that comes from a request. What can be told at the start is
//! there from the start, at zero. Series of an API or an issuer leave with it, at the reload that takes it
//! away, so that memory follows the configuration and not its history; should it come back, it counts
//! from zero, which Prometheus takes for a restart.

mod exposition;
mod requests;
mod series;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::time::Duration;

use crate::config::snapshot::{KeySource, Snapshot};
use crate::policy::{Audience, Issuer, SubjectType};

use super::Ruling;
pub use exposition::MEDIA_TYPE;
use exposition::expose;
pub use requests::{RequestLabels, Requests};
use series::Family;
pub use series::{Counter, Gauge, Histogram};

macro_rules! metrics {
    ($($seen:vis $field:ident: $kind:ty = $new:expr, $name:literal, $help:literal;)*) => {
        /// The metrics of one gateway.
        pub struct Metrics {
            $(#[doc = $help] $seen $field: $kind,)*
        }

        impl Metrics {
            fn at_zero() -> Self {
                Self { $($field: $new,)* }
            }

            /// All metrics in Prometheus' text format.
            pub fn render(&self) -> String {
                let mut text = String::new();
                $(expose(&self.$field, concat!("grantgate_", $name), $help, &mut text);)*
                text
            }
        }
    };
}

metrics! {
    build_info: Family<1, Gauge> = Family::new(["version"]), "build_info",
        "The version that runs, as a label; always 1.";
    pub config_generation: Gauge = Gauge::default(), "config_generation",
        "How many configurations were taken into use since the start.";
    pub config_loaded_whole: Gauge = Gauge::default(), "config_loaded_whole_seconds",
        "Seconds since the configuration files last loaded whole.";
    config_reloads: Family<1, Counter> = Family::new(["outcome"]), "config_reloads_total",
        "Attempts to load the configuration anew, by outcome.";
    connection_errors: Family<1, Counter> = Family::new(["kind"]), "connection_errors_total",
        "Client connections that ended without an answer of the gate's, by kind of fault.";
    pub connections: Gauge = Gauge::default(), "connections",
        "Client connections that are open.";
    pub gate_seconds: Histogram = Histogram::new(GATE_BOUNDS), "gate_seconds",
        "Time from a request's head to its decision.";
    keys_age: Family<1, Gauge> = Family::new(["issuer"]), "keys_age_seconds",
        "Seconds since an issuer's keys were last fetched; +Inf where they never came.";
    keys_refreshes: Family<2, Counter> = Family::new(["issuer", "outcome"]), "keys_refreshes_total",
        "Fetches of an issuer's keys, by outcome.";
    keys_unknown: Family<1, Counter> = Family::new(["issuer"]), "keys_unknown_total",
        "Tokens that were refused because their issuer has no key of the name that they say.";
    pub records_dropped: Counter = Counter::default(), "records_dropped_total",
        "Decision records that were lost because their reader was too slow, or gone.";
    requests: Family<4, Counter> = Family::new(["api", "decision", "code", "subject_type"]),
        "requests_total", "Requests by API, decision, code and subject type.";
    pub start_time: Gauge = Gauge::default(), "start_time_seconds",
        "When the gateway started, in seconds since 1970.";
    pub token_cache_bytes: Gauge = Gauge::default(), "token_cache_bytes",
        "What the caches of verified tokens hold, over all workers.";
    pub token_cache_entries: Gauge = Gauge::default(), "token_cache_entries",
        "How many tokens the caches of verified tokens hold, over all workers.";
    pub token_cache_hits: Counter = Counter::default(), "token_cache_hits_total",
        "Tokens that were verified before.";
    pub token_cache_misses: Counter = Counter::default(), "token_cache_misses_total",
        "Tokens that had to be verified.";
    pub upstream_seconds: Histogram = Histogram::new(UPSTREAM_BOUNDS), "upstream_seconds",
        "Time from forwarding a request to the head of its response.";
}

const fn us(time: u64) -> Duration {
    Duration::from_micros(time)
}

const fn ms(time: u64) -> Duration {
    Duration::from_millis(time)
}

/// For a decision: from a cached token to a fetch of keys.
const GATE_BOUNDS: &[Duration] = &[
    us(10),
    us(25),
    us(50),
    us(100),
    us(250),
    us(500),
    ms(1),
    us(2500),
    ms(10),
    ms(100),
    ms(1000),
    ms(10_000),
];

/// For an upstream's answer.
const UPSTREAM_BOUNDS: &[Duration] = &[
    ms(1),
    us(2500),
    ms(5),
    ms(10),
    ms(25),
    ms(50),
    ms(100),
    ms(250),
    ms(500),
    ms(1000),
    ms(2500),
    ms(5000),
    ms(10_000),
    ms(60_000),
];

/// How an attempt to load the configuration can end.
const RELOAD_OUTCOMES: [&str; 3] = ["applied", "kept", "unchanged"];

/// How a fetch of keys can end.
const REFRESH_OUTCOMES: [&str; 3] = ["failed", "fetched", "not_modified"];

/// How a client connection ended without an answer of the gate's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionError {
    /// It broke in the middle of a message.
    Aborted,
    /// It sent no HTTP/1 that can be read; answered with a bare 400.
    Malformed,
    /// There were too many connections already; answered with a bare 503.
    Refused,
    /// It did not send a whole head in time.
    Timeout,
    /// No handshake came about.
    Tls,
    /// Its head was too long; answered with a bare 414 or 431.
    TooLarge,
}

impl ConnectionError {
    const ALL: [Self; 6] =
        [Self::Aborted, Self::Malformed, Self::Refused, Self::Timeout, Self::Tls, Self::TooLarge];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Aborted => "aborted",
            Self::Malformed => "malformed",
            Self::Refused => "refused",
            Self::Timeout => "timeout",
            Self::Tls => "tls",
            Self::TooLarge => "too_large",
        }
    }
}

impl Metrics {
    /// The metrics of a gateway that has counted nothing yet.
    pub fn new() -> Self {
        let metrics = Self::at_zero();
        metrics.build_info.with([env!("CARGO_PKG_VERSION").into()]).set(1.0);
        for outcome in RELOAD_OUTCOMES {
            metrics.config_reloads.with([outcome.into()]);
        }
        for error in ConnectionError::ALL {
            metrics.connection_errors.with([error.as_str().into()]);
        }
        metrics
    }

    /// Takes over the APIs and issuers of `snapshot`: those that are new begin at zero, and those that
    /// left are told no more.
    pub fn follow(&self, snapshot: &Snapshot) {
        let apis: BTreeSet<&str> =
            snapshot.apis.iter().map(|served| served.api.identifier.as_str()).collect();
        let fetched = snapshot.issuers.iter().filter(|it| matches!(it.keys, KeySource::Remote(_)));
        let issuers: BTreeSet<&str> = fetched.map(|it| it.trust.issuer.as_str()).collect();
        self.requests.retain(|[api, ..]| api.is_empty() || apis.contains(&**api));
        self.keys_age.retain(|[issuer]| issuers.contains(&**issuer));
        self.keys_refreshes.retain(|[issuer, _]| issuers.contains(&**issuer));
        self.keys_unknown.retain(|[issuer]| issuers.contains(&**issuer));
        for served in &snapshot.apis {
            self.begin(&served.api.identifier);
        }
        for issuer in issuers {
            let issuer = || Cow::Owned(issuer.to_owned());
            for outcome in REFRESH_OUTCOMES {
                self.keys_refreshes.with([issuer(), outcome.into()]);
            }
            self.keys_unknown.with([issuer()]);
        }
    }

    /// What every API sees sooner or later. The other codes begin when they come: all of them for all
    /// subject types would be some hundred series per API.
    fn begin(&self, api: &Audience) {
        for subject_type in [SubjectType::Client, SubjectType::User] {
            let subject_type = Some(subject_type);
            let allow = RequestLabels { ruling: Ruling::Allow, code: None, subject_type };
            self.requests.with(allow.values(Some(api)));
        }
    }

    /// Counts a client connection that ended without an answer of the gate's.
    pub fn connection_error(&self, error: ConnectionError) {
        self.connection_errors.with([error.as_str().into()]).increment(1);
    }

    /// Counts an attempt to load the configuration: `applied`, `unchanged` or `kept`.
    pub fn config_reload(&self, outcome: &'static str) {
        self.config_reloads.with([outcome.into()]).increment(1);
    }

    /// How old an issuer's keys are; none when they never came.
    pub fn keys_age(&self, issuer: &Issuer, age: Option<Duration>) {
        let age = age.map_or(f64::INFINITY, |age| age.as_secs_f64());
        self.keys_age.with([issuer.as_str().to_owned().into()]).set(age);
    }

    /// Counts a fetch of an issuer's keys: `fetched`, `not_modified` or `failed`.
    pub fn keys_refresh(&self, issuer: &Issuer, outcome: &'static str) {
        let issuer = issuer.as_str().to_owned();
        self.keys_refreshes.with([issuer.into(), outcome.into()]).increment(1);
    }

    /// Counts a token whose key is none of its issuer's.
    pub fn keys_unknown(&self, issuer: &Issuer) {
        self.keys_unknown.with([issuer.as_str().to_owned().into()]).increment(1);
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
