//! Every metric: name, labels and help in one list.
//!
//! A [`Metrics`] belongs to one gateway, not to the process, so that several can run in one. Handles are
//! registered once and then only counted up; labels are codes and configured names, never anything that
//! comes from a request.

use std::cell::RefCell;
use std::collections::HashMap;

use metrics::{
    Counter, Gauge, Histogram, Key, KeyName, Label, Level, Metadata, Recorder, SharedString,
};
use metrics_exporter_prometheus::{
    Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};

use crate::gate::Code;
use crate::policy::{Audience, Issuer, SubjectType};

use super::Ruling;

#[derive(Clone, Copy)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
}

macro_rules! metrics {
    ($($constant:ident $name:literal $kind:ident $help:literal;)*) => {
        $(const $constant: &str = concat!("grantgate_", $name);)*

        const ALL: &[(&str, Kind, &str)] = &[$(($constant, Kind::$kind, $help)),*];
    };
}

metrics! {
    CONFIG_GENERATION "config_generation" Gauge
        "How many configurations were taken into use since the start.";
    CONFIG_LOADED_WHOLE "config_loaded_whole_seconds" Gauge
        "Seconds since the configuration files last loaded whole.";
    CONFIG_RELOADS "config_reloads_total" Counter
        "Attempts to load the configuration anew, by outcome.";
    CONNECTION_ERRORS "connection_errors_total" Counter
        "Client connections that ended without an answer of the gate's, by kind of fault.";
    CONNECTIONS "connections" Gauge
        "Client connections that are open.";
    GATE_SECONDS "gate_seconds" Histogram
        "Time from a request's head to its decision.";
    KEYS_REFRESHES "keys_refreshes_total" Counter
        "Fetches of an issuer's keys, by outcome.";
    RECORDS_DROPPED "records_dropped_total" Counter
        "Decision records that were lost because their reader was too slow.";
    REQUESTS "requests_total" Counter
        "Requests by API, decision, code and subject type.";
    TOKEN_CACHE_HITS "token_cache_hits_total" Counter
        "Tokens that were verified before.";
    TOKEN_CACHE_MISSES "token_cache_misses_total" Counter
        "Tokens that had to be verified.";
    UPSTREAM_SECONDS "upstream_seconds" Histogram
        "Time from forwarding a request to the head of its response.";
}

/// Upper bounds for a decision: from a cached token to a fetch of keys.
const GATE_BUCKETS: &[f64] =
    &[10e-6, 25e-6, 50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 10e-3, 100e-3, 1.0, 10.0];

/// Upper bounds for an upstream's answer.
const UPSTREAM_BUCKETS: &[f64] =
    &[1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 100e-3, 250e-3, 500e-3, 1.0, 2.5, 5.0, 10.0, 60.0];

static METADATA: Metadata<'static> = Metadata::new("grantgate", Level::INFO, None);

/// The metrics of one gateway.
pub struct Metrics {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    /// Client connections that are open.
    pub connections: Gauge,
    /// How many configurations were taken into use.
    pub config_generation: Gauge,
    /// Seconds since the configuration files last loaded whole.
    pub config_loaded_whole: Gauge,
    /// Time from a request's head to its decision, in seconds.
    pub gate_seconds: Histogram,
    /// Decision records that were lost.
    pub records_dropped: Counter,
    /// Tokens that were verified before.
    pub token_cache_hits: Counter,
    /// Tokens that had to be verified.
    pub token_cache_misses: Counter,
    /// Time from forwarding a request to the head of its response, in seconds.
    pub upstream_seconds: Histogram,
}

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
    /// Its head was too long; answered with a bare 414 or 431.
    TooLarge,
}

impl ConnectionError {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Aborted => "aborted",
            Self::Malformed => "malformed",
            Self::Refused => "refused",
            Self::Timeout => "timeout",
            Self::TooLarge => "too_large",
        }
    }
}

impl Metrics {
    /// The metrics of a gateway that has counted nothing yet.
    pub fn new() -> Self {
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Full(GATE_SECONDS.into()), GATE_BUCKETS)
            .and_then(|builder| {
                builder.set_buckets_for_metric(
                    Matcher::Full(UPSTREAM_SECONDS.into()),
                    UPSTREAM_BUCKETS,
                )
            })
            // Only an empty list of buckets is an error.
            .unwrap_or_default()
            .build_recorder();
        for &(name, kind, help) in ALL {
            let (name, help) = (KeyName::from_const_str(name), SharedString::const_str(help));
            match kind {
                Kind::Counter => recorder.describe_counter(name, None, help),
                Kind::Gauge => recorder.describe_gauge(name, None, help),
                Kind::Histogram => recorder.describe_histogram(name, None, help),
            }
        }
        let counter = |name| recorder.register_counter(&Key::from_static_name(name), &METADATA);
        let gauge = |name| recorder.register_gauge(&Key::from_static_name(name), &METADATA);
        let histogram = |name| recorder.register_histogram(&Key::from_static_name(name), &METADATA);
        Self {
            connections: gauge(CONNECTIONS),
            config_generation: gauge(CONFIG_GENERATION),
            config_loaded_whole: gauge(CONFIG_LOADED_WHOLE),
            gate_seconds: histogram(GATE_SECONDS),
            records_dropped: counter(RECORDS_DROPPED),
            token_cache_hits: counter(TOKEN_CACHE_HITS),
            token_cache_misses: counter(TOKEN_CACHE_MISSES),
            upstream_seconds: histogram(UPSTREAM_SECONDS),
            handle: recorder.handle(),
            recorder,
        }
    }

    /// Counts a client connection that ended without an answer of the gate's.
    pub fn connection_error(&self, error: ConnectionError) {
        let labels = vec![Label::from_static_parts("kind", error.as_str())];
        self.counter(CONNECTION_ERRORS, labels).increment(1);
    }

    /// Counts an attempt to load the configuration: `applied`, `unchanged` or `kept`.
    pub fn config_reload(&self, outcome: &'static str) {
        let labels = vec![Label::from_static_parts("outcome", outcome)];
        self.counter(CONFIG_RELOADS, labels).increment(1);
    }

    /// Counts a fetch of an issuer's keys.
    pub fn keys_refresh(&self, issuer: &Issuer, outcome: &'static str) {
        let issuer = Label::new("issuer", issuer.as_str().to_owned());
        let labels = vec![issuer, Label::from_static_parts("outcome", outcome)];
        self.counter(KEYS_REFRESHES, labels).increment(1);
    }

    /// All metrics in Prometheus' text format.
    pub fn render(&self) -> String {
        self.handle.render()
    }

    /// Moves what histograms gathered into their buckets. Must be called every few seconds: without it
    /// samples pile up for as long as nobody renders.
    pub fn upkeep(&self) {
        self.handle.run_upkeep();
    }

    fn requests(&self, api: Option<&Audience>, labels: RequestLabels) -> Counter {
        let api = api.map(|api| api.as_str().to_owned()).unwrap_or_default();
        let labels = vec![
            Label::new("api", api),
            Label::from_static_parts("decision", labels.ruling.as_str()),
            Label::from_static_parts("code", labels.code.map_or("", Code::as_str)),
            Label::from_static_parts(
                "subject_type",
                labels.subject_type.map_or("", SubjectType::as_str),
            ),
        ];
        self.counter(REQUESTS, labels)
    }

    fn counter(&self, name: &'static str, labels: Vec<Label>) -> Counter {
        self.recorder.register_counter(&Key::from_parts(name, labels), &METADATA)
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

/// By what requests are counted, beside their API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestLabels {
    /// What was decided.
    pub ruling: Ruling,
    /// The refusal, where there was one.
    pub code: Option<Code>,
    /// On whose behalf the caller came, as far as its token told.
    pub subject_type: Option<SubjectType>,
}

/// One worker's way to count requests: each counter is looked up by plain values and made but once. It
/// grows with what is configured, not with what comes.
#[derive(Default)]
pub struct Requests {
    unrouted: RefCell<Counters>,
    by_api: RefCell<HashMap<Audience, Counters, foldhash::fast::RandomState>>,
}

type Counters = HashMap<RequestLabels, Counter, foldhash::fast::RandomState>;

impl Requests {
    /// Counts one request to `api`.
    pub fn count(&self, metrics: &Metrics, api: Option<&Audience>, labels: RequestLabels) {
        let count = |counters: &mut Counters| {
            counters.entry(labels).or_insert_with(|| metrics.requests(api, labels)).increment(1);
        };
        let Some(name) = api else {
            return count(&mut self.unrouted.borrow_mut());
        };
        let mut by_api = self.by_api.borrow_mut();
        match by_api.get_mut(name) {
            Some(counters) => count(counters),
            None => count(by_api.entry(name.clone()).or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_gateways_count_apart() {
        let (one, other) = (Metrics::new(), Metrics::new());
        one.connections.increment(3.0);
        assert!(one.render().contains("grantgate_connections 3"), "{}", one.render());
        assert!(!other.render().contains("grantgate_connections 3"));
    }

    #[test]
    fn requests_are_counted_by_their_labels_alone() {
        let (metrics, requests) = (Metrics::new(), Requests::default());
        let api = Audience::new("https://orders.example.com").unwrap();
        let labels = RequestLabels {
            ruling: Ruling::Refuse,
            code: Some(Code::GrantMissing),
            subject_type: Some(SubjectType::Client),
        };
        requests.count(&metrics, Some(&api), labels);
        requests.count(&metrics, Some(&api), labels);
        let expected = "grantgate_requests_total{api=\"https://orders.example.com\",\
                        decision=\"refuse\",code=\"grant-missing\",subject_type=\"client\"} 2";
        assert!(metrics.render().contains(expected), "{}", metrics.render());
    }

    #[test]
    fn times_are_rendered_in_buckets_after_upkeep() {
        let metrics = Metrics::new();
        metrics.gate_seconds.record(30e-6);
        metrics.upkeep();
        let text = metrics.render();
        assert!(text.contains("grantgate_gate_seconds_bucket{le=\"0.00005\"} 1"), "{text}");
    }
}
