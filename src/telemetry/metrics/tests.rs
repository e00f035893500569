use std::sync::Arc;

use crate::config::{Nowhere, Source, load};
use crate::gate::Code;
use crate::policy::UnixTime;

use super::*;

const API: &str = "https://orders.example.com";

fn refused(code: Code) -> RequestLabels {
    let subject_type = Some(SubjectType::Client);
    RequestLabels { ruling: Ruling::Refuse, code: Some(code), subject_type }
}

#[test]
fn two_gateways_count_apart() {
    let (one, other) = (Metrics::new(), Metrics::new());
    one.connections.increment(3.0);
    assert!(one.render().contains("\ngrantgate_connections 3\n"), "{}", one.render());
    assert!(!other.render().contains("grantgate_connections 3"));
}

#[test]
fn requests_are_counted_by_their_labels_alone() {
    let (metrics, requests) = (Metrics::new(), Requests::default());
    let api = Audience::new(API).unwrap();
    requests.count(&metrics, Some(&api), refused(Code::GrantMissing));
    requests.count(&metrics, Some(&api), refused(Code::GrantMissing));
    let expected = "grantgate_requests_total{api=\"https://orders.example.com\",\
                    decision=\"refuse\",code=\"grant-missing\",subject_type=\"client\"} 2";
    assert!(metrics.render().contains(expected), "{}", metrics.render());
}

#[test]
fn a_request_like_one_before_is_counted_without_allocating() {
    let (metrics, requests) = (Metrics::new(), Requests::default());
    let api = Audience::new(API).unwrap();
    let count = || requests.count(&metrics, Some(&api), refused(Code::GrantMissing));
    count();
    assert_eq!(allocation_counter::measure(count).count_total, 0);
}

#[test]
fn what_can_be_told_at_the_start_is_there_at_zero() {
    let metrics = Metrics::new();
    metrics.follow(&snapshot(API, "https://issuer.example/"));
    let text = metrics.render();
    for line in [
        "grantgate_config_reloads_total{outcome=\"applied\"} 0",
        "grantgate_config_reloads_total{outcome=\"kept\"} 0",
        "grantgate_connection_errors_total{kind=\"too_large\"} 0",
        "grantgate_gate_seconds_count 0",
        "grantgate_keys_refreshes_total{issuer=\"https://issuer.example/\",outcome=\"failed\"} 0",
        "grantgate_keys_unknown_total{issuer=\"https://issuer.example/\"} 0",
        "grantgate_records_dropped_total 0",
        "grantgate_requests_total{api=\"https://orders.example.com\",decision=\"allow\",code=\"\",\
         subject_type=\"user\"} 0",
        "grantgate_token_cache_bytes 0",
        "grantgate_token_cache_misses_total 0",
    ] {
        assert!(text.lines().any(|other| other == line), "{line}\n{text}");
    }
    assert!(text.contains(concat!("{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1\n")), "{text}");
}

#[test]
fn every_metric_tells_what_it_is_before_anything_is_counted() {
    let text = Metrics::new().render();
    for name in [
        "build_info",
        "config_generation",
        "config_loaded_whole_seconds",
        "config_reloads_total",
        "connection_errors_total",
        "connections",
        "exchanges",
        "gate_seconds",
        "keys_age_seconds",
        "keys_refreshes_total",
        "keys_unknown_total",
        "records_dropped_total",
        "requests_total",
        "start_time_seconds",
        "streams_cut_total",
        "token_cache_bytes",
        "token_cache_entries",
        "token_cache_hits_total",
        "token_cache_misses_total",
        "upstream_seconds",
    ] {
        assert!(text.contains(&format!("# HELP grantgate_{name} ")), "{name}");
        assert!(text.contains(&format!("# TYPE grantgate_{name} ")), "{name}");
    }
}

#[test]
fn keys_that_never_came_are_older_than_any_bound() {
    let (metrics, issuer) = (Metrics::new(), Issuer::new("https://issuer.example/").unwrap());
    metrics.keys_age(&issuer, None);
    let age = "grantgate_keys_age_seconds{issuer=\"https://issuer.example/\"}";
    assert!(metrics.render().contains(&format!("{age} +Inf\n")));
    metrics.keys_age(&issuer, Some(Duration::from_millis(1500)));
    assert!(metrics.render().contains(&format!("{age} 1.5\n")));
}

#[test]
fn ten_thousand_reloads_with_ever_new_names_leave_the_last_ones_series() {
    let metrics = Arc::new(Metrics::new());
    let requests = Requests::default();
    let mut lines = 0;
    // A snapshot takes long to load: few of them come again and again.
    let snapshots: Vec<_> = (0..50)
        .map(|number| {
            let name = format!("https://{number}.example/");
            (snapshot(&name, &name), Audience::new(&name).unwrap(), Issuer::new(&name).unwrap())
        })
        .collect();
    for (snapshot, api, issuer) in snapshots.iter().cycle().take(10_000) {
        metrics.follow(snapshot);
        requests.count(&metrics, Some(api), refused(Code::GrantMissing));
        metrics.keys_refresh(issuer, "fetched");
        metrics.keys_unknown(issuer);
        metrics.keys_age(issuer, None);
        if lines == 0 {
            lines = metrics.render().lines().count();
        }
    }
    let text = metrics.render();
    assert_eq!(text.lines().count(), lines, "{text}");
    assert!(text.contains("https://49.example/") && !text.contains("https://48.example/"));
    assert!(text.contains("code=\"grant-missing\",subject_type=\"client\"} 1\n"), "{text}");
}

#[test]
fn a_series_that_was_let_go_begins_anew() {
    let (metrics, requests) = (Metrics::new(), Requests::default());
    let [left, stays] = ["https://left.example/", "https://stays.example/"]
        .map(|name| Audience::new(name).unwrap());
    let (with, without) = (snapshot(left.as_str(), API), snapshot(stays.as_str(), API));
    let counted = |api: &Audience| {
        let series =
            format!("grantgate_requests_total{{api=\"{}\",decision=\"refuse\"", api.as_str());
        let text = metrics.render();
        let line = text.lines().find(|line| line.starts_with(&series));
        line.map(|line| line.rsplit(' ').next().unwrap().to_owned())
    };
    let count = |api| requests.count(&metrics, Some(api), refused(Code::GrantMissing));
    metrics.follow(&with);
    count(&left);
    count(&left);
    assert_eq!(counted(&left).as_deref(), Some("2"));
    metrics.follow(&without);
    assert_eq!(counted(&left), None);
    count(&stays);
    metrics.follow(&without);
    count(&stays);
    assert_eq!(counted(&stays).as_deref(), Some("2"));
    metrics.follow(&with);
    count(&left);
    assert_eq!(counted(&left).as_deref(), Some("1"));
}

#[test]
fn open_connections_are_what_came_without_what_went() {
    let metrics = Metrics::new();
    metrics.connections.increment(3.0);
    metrics.connections.decrement(1.0);
    assert_eq!(metrics.open_connections(), 2);
}

#[test]
fn a_connection_that_ends_badly_is_counted_without_allocating() {
    let metrics = Metrics::new();
    let count = || metrics.connection_error(ConnectionError::TooLarge);
    assert_eq!(allocation_counter::measure(count).count_total, 0);
    let line = "\ngrantgate_connection_errors_total{kind=\"too_large\"} 1\n";
    assert!(metrics.render().contains(line), "{}", metrics.render());
}

fn snapshot(api: &str, issuer: &str) -> Snapshot {
    let text = format!(
        r#"
issuers: [{{issuer: "{issuer}", profile: auth0}}]
resource_servers:
  - identifier: {api}
    subject_type_authorization: {{user: {{policy: deny_all}}, client: {{policy: deny_all}}}}
    gate: {{upstream: "http://127.0.0.1:9", operations: [{{on: "GET /", any_token: true}}]}}
client_grants: []
"#
    );
    let loaded = load(&[Source::new("gateway.yaml", text)], &Nowhere, UnixTime::default());
    loaded.unwrap_or_else(|report| panic!("{report}")).snapshot
}
