//! What the gateway counts, and how it is told.
//!
//! A [`Metrics`] belongs to one gateway, not to the process, so that several can run in one. Labels are
//! codes and configured names, never anything that comes from a request. What can be told at the start is
//! there from the start, at zero. Series of an API or an issuer leave with it, at the reload that takes it
//! away, so that memory follows the configuration and not its history; should it come back, it counts
//! from zero, which Prometheus takes for a restart.

mod exposition;
mod list;
mod requests;
mod series;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use metrics::{Key, Label};

use crate::config::snapshot::{KeySource, Snapshot};
use crate::gate::Code;
use crate::policy::{Audience, Issuer, SubjectType};

use super::Ruling;
pub use exposition::MEDIA_TYPE;
pub use metrics::{Counter, Gauge, Histogram};
pub use requests::{RequestLabels, Requests};
use series::{Numbers, Series, gauge_value};

/// The metrics of one gateway: handles to what has no labels, ways to count what has.
pub struct Metrics {
    series: Series,
    /// Changes whenever a handle may be to a series that was let go.
    epoch: AtomicU64,
    connection_errors: [(ConnectionError, Counter); ConnectionError::ALL.len()],
    /// How many configurations were taken into use since the start.
    pub config_generation: Gauge,
    /// Seconds since the configuration files last loaded whole.
    pub config_loaded_whole: Gauge,
    /// Client connections that are open.
    pub connections: Gauge,
    /// Allowed requests that are not over, over all workers.
    pub exchanges: Gauge,
    /// Time from a request's head to its decision.
    pub gate_seconds: Histogram,
    /// Decision records that were lost.
    pub records_dropped: Counter,
    /// When the gateway started, in seconds since 1970.
    pub start_time: Gauge,
    /// What the caches of verified tokens hold, over all workers.
    pub token_cache_bytes: Gauge,
    /// How many tokens the caches of verified tokens hold, over all workers.
    pub token_cache_entries: Gauge,
    /// Tokens that were verified before.
    pub token_cache_hits: Counter,
    /// Tokens that had to be verified.
    pub token_cache_misses: Counter,
    /// Connections that have become WebSockets, and are open.
    pub tunnels: Gauge,
    /// Time from forwarding a request to the head of its response.
    pub upstream_seconds: Histogram,
}

/// How an attempt to load the configuration can end.
const RELOAD_OUTCOMES: [&str; 3] = ["applied", "kept", "unchanged"];

/// How a fetch of keys can end.
const REFRESH_OUTCOMES: [&str; 3] = ["failed", "fetched", "not_modified"];

/// What went wrong with a client connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionError {
    /// It broke in the middle of a message.
    Aborted,
    /// It sent more resets, header fields or frames without content than a client has use for; told so by
    /// GOAWAY.
    Flood,
    /// It sent no HTTP that can be read; answered with a bare 400, or GOAWAY.
    Malformed,
    /// It came from a balancer, and without a PROXY protocol header that can be read; closed without a
    /// word.
    ProxyHeader,
    /// There were too many connections already; answered `overloaded`, or closed where TLS is spoken.
    Refused,
    /// It shook hands, sent a head or took an answer too slowly.
    Timeout,
    /// No handshake came about.
    Tls,
    /// Its head was too long; answered with a bare 414 or 431.
    TooLarge,
}

impl ConnectionError {
    const ALL: [Self; 8] = [
        Self::Aborted,
        Self::Flood,
        Self::Malformed,
        Self::ProxyHeader,
        Self::Refused,
        Self::Timeout,
        Self::Tls,
        Self::TooLarge,
    ];

    /// Its name in metrics and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Aborted => "aborted",
            Self::Flood => "flood",
            Self::Malformed => "malformed",
            Self::ProxyHeader => "proxy_header",
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
        let series = Series::new(Numbers);
        let bare = Key::from_static_name;
        let version = Label::from_static_parts("version", env!("CARGO_PKG_VERSION"));
        gauge(&series, &Key::from_parts(list::BUILD_INFO, vec![version])).set(1.0);
        for outcome in RELOAD_OUTCOMES {
            counter(&series, &reloads(outcome)).increment(0);
        }
        Self {
            epoch: AtomicU64::new(0),
            connection_errors: ConnectionError::ALL.map(|error| {
                let kind = Label::from_static_parts("kind", error.as_str());
                (error, counter(&series, &Key::from_parts(list::CONNECTION_ERRORS, vec![kind])))
            }),
            config_generation: gauge(&series, &bare(list::CONFIG_GENERATION)),
            config_loaded_whole: gauge(&series, &bare(list::CONFIG_LOADED_WHOLE)),
            connections: gauge(&series, &bare(list::CONNECTIONS)),
            exchanges: gauge(&series, &bare(list::EXCHANGES)),
            gate_seconds: histogram(&series, &bare(list::GATE_SECONDS)),
            records_dropped: counter(&series, &bare(list::RECORDS_DROPPED)),
            start_time: gauge(&series, &bare(list::START_TIME)),
            token_cache_bytes: gauge(&series, &bare(list::TOKEN_CACHE_BYTES)),
            token_cache_entries: gauge(&series, &bare(list::TOKEN_CACHE_ENTRIES)),
            token_cache_hits: counter(&series, &bare(list::TOKEN_CACHE_HITS)),
            token_cache_misses: counter(&series, &bare(list::TOKEN_CACHE_MISSES)),
            tunnels: gauge(&series, &bare(list::TUNNELS)),
            upstream_seconds: histogram(&series, &bare(list::UPSTREAM_SECONDS)),
            series,
        }
    }

    /// Takes over the APIs and issuers of `snapshot`: those that are new begin at zero, and those that
    /// left are told no more.
    pub fn follow(&self, snapshot: &Snapshot) {
        let apis: BTreeSet<&str> =
            snapshot.apis.iter().map(|served| served.api.identifier.as_str()).collect();
        let fetched = snapshot.issuers.iter().filter(|it| matches!(it.keys, KeySource::Remote(_)));
        let issuers: Vec<&Issuer> = fetched.map(|it| &it.trust.issuer).collect();
        let names: BTreeSet<&str> = issuers.iter().map(|issuer| issuer.as_str()).collect();
        let stays = |label: &Label| match label.key() {
            "api" => label.value().is_empty() || apis.contains(label.value()),
            "issuer" => names.contains(label.value()),
            _ => true,
        };
        self.series.retain_counters(|key, _| key.labels().all(stays));
        self.series.retain_gauges(|key, _| key.labels().all(stays));
        // After they left: whoever sees this looks its handles up among those that stayed.
        self.epoch.fetch_add(1, Ordering::Release);
        for served in &snapshot.apis {
            self.begin(&served.api.identifier);
        }
        for issuer in issuers {
            for outcome in REFRESH_OUTCOMES {
                counter(&self.series, &refreshes(issuer, outcome)).increment(0);
            }
            counter(&self.series, &of_issuer(list::KEYS_UNKNOWN, issuer)).increment(0);
        }
    }

    /// What every API sees sooner or later. The other codes begin when they come: all of them for all
    /// subject types would be some hundred series per API.
    fn begin(&self, api: &Audience) {
        for subject_type in [SubjectType::Client, SubjectType::User] {
            let subject_type = Some(subject_type);
            let allow = RequestLabels { ruling: Ruling::Allow, code: None, subject_type };
            self.requests(Some(api), allow).increment(0);
        }
        for reason in ["draining", Code::TokenExpired.as_str()] {
            counter(&self.series, &streams_cut(Some(api), reason)).increment(0);
        }
    }

    fn requests(&self, api: Option<&Audience>, labels: RequestLabels) -> Counter {
        counter(&self.series, &Key::from_parts(list::REQUESTS, labels.of(api)))
    }

    /// Counts a client connection that went wrong.
    pub fn connection_error(&self, error: ConnectionError) {
        if let Some((_, counter)) = self.connection_errors.iter().find(|(kind, _)| *kind == error) {
            counter.increment(1);
        }
    }

    /// Counts an attempt to load the configuration: `applied`, `unchanged` or `kept`.
    pub fn config_reload(&self, outcome: &'static str) {
        counter(&self.series, &reloads(outcome)).increment(1);
    }

    /// How old an issuer's keys are; none when they never came.
    pub fn keys_age(&self, issuer: &Issuer, age: Option<Duration>) {
        let age = age.map_or(f64::INFINITY, |age| age.as_secs_f64());
        gauge(&self.series, &of_issuer(list::KEYS_AGE, issuer)).set(age);
    }

    /// Counts a fetch of an issuer's keys: `fetched`, `not_modified` or `failed`.
    pub fn keys_refresh(&self, issuer: &Issuer, outcome: &'static str) {
        counter(&self.series, &refreshes(issuer, outcome)).increment(1);
    }

    /// Counts a token whose key is none of its issuer's.
    pub fn keys_unknown(&self, issuer: &Issuer) {
        counter(&self.series, &of_issuer(list::KEYS_UNKNOWN, issuer)).increment(1);
    }

    /// Counts an exchange that was cut: the code of its refusal, or `draining`.
    pub fn stream_cut(&self, api: Option<&Audience>, reason: &'static str) {
        counter(&self.series, &streams_cut(api, reason)).increment(1);
    }

    /// How many client connections are open.
    pub fn open_connections(&self) -> u64 {
        let gauge = self.series.get_gauge(&Key::from_static_name(list::CONNECTIONS));
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "connections are counted up and down by one"
        )]
        gauge.map_or(0, |gauge| gauge_value(&gauge) as u64)
    }

    /// All metrics in Prometheus' text format.
    pub fn render(&self) -> String {
        exposition::expose(&self.series)
    }
}

fn reloads(outcome: &'static str) -> Key {
    Key::from_parts(list::CONFIG_RELOADS, vec![Label::from_static_parts("outcome", outcome)])
}

fn refreshes(issuer: &Issuer, outcome: &'static str) -> Key {
    let issuer = Label::new("issuer", issuer.as_str().to_owned());
    let outcome = Label::from_static_parts("outcome", outcome);
    Key::from_parts(list::KEYS_REFRESHES, vec![issuer, outcome])
}

fn streams_cut(api: Option<&Audience>, reason: &'static str) -> Key {
    let api = Label::new("api", api.map(|api| api.as_str().to_owned()).unwrap_or_default());
    Key::from_parts(list::STREAMS_CUT, vec![api, Label::from_static_parts("reason", reason)])
}

fn of_issuer(name: &'static str, issuer: &Issuer) -> Key {
    Key::from_parts(name, vec![Label::new("issuer", issuer.as_str().to_owned())])
}

/// The counter of this key, which begins where there is none.
fn counter(series: &Series, key: &Key) -> Counter {
    series.get_or_create_counter(key, |numbers| numbers.clone().into())
}

fn gauge(series: &Series, key: &Key) -> Gauge {
    series.get_or_create_gauge(key, |numbers| numbers.clone().into())
}

fn histogram(series: &Series, key: &Key) -> Histogram {
    series.get_or_create_histogram(key, |numbers| numbers.clone().into())
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
