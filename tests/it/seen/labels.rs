//! No text that comes with a request becomes a label, whatever comes.

use std::collections::BTreeSet;
use std::io::Write;

use grantgate::gate::Code;
use serde_json::json;

use crate::disk::KEYS;
use crate::door::gateway::{request, token_of, token_with};
use crate::door::upstream::Upstream;

use super::served::{DOORS, Served};

/// What labels may say beside the codes.
const CONFIGURED: &[&str] = &[
    "https://orders.example.com",
    "https://issuer.example/",
    "",
    env!("CARGO_PKG_VERSION"),
    "allow",
    "refuse",
    "would_refuse",
    "client",
    "user",
    "anonymous_user",
    "applied",
    "kept",
    "unchanged",
    "failed",
    "fetched",
    "not_modified",
    "aborted",
    "flood",
    "malformed",
    "proxy_header",
    "refused",
    "timeout",
    "tls",
    "too_large",
    "draining",
];

const HOSTILE: &[&str] = &[
    "evil",
    "e\"} 1",
    "e\\\\n# HELP",
    "{a=b}",
    "%00",
    "<script>",
    "\u{1b}[2J",
    "ümläut",
    "' or 1",
];

#[test]
fn labels_are_codes_and_configured_names_alone() {
    let program = Served::start(DOORS);
    let mut asked = 0;
    for hostile in HOSTILE {
        let token = |claims: serde_json::Value| token_with(&claims);
        let tokens = [
            token(json!({"azp": hostile, "client_id": null})),
            token(json!({"scope": hostile})),
            token(json!({"sub": hostile, "gty": null})),
            token(json!({"iss": hostile})),
            token(json!({"aud": hostile})),
            token(json!({"org_id": hostile})),
            hostile.to_string(),
        ];
        for token in tokens {
            let mut client = program.client();
            client.try_send(format!(
                "GET /orders/1 HTTP/1.1\r\nhost: a\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\r\n"
            ));
            asked += usize::from(client.maybe_answer("GET").is_some());
        }
        for request in [
            format!("{hostile} /orders/1 HTTP/1.1\r\nhost: a"),
            format!("GET /{hostile} HTTP/1.1\r\nhost: a"),
            format!("GET /orders/1?{hostile} HTTP/1.1\r\nhost: a"),
            format!("GET /orders/1 HTTP/1.1\r\nhost: {hostile}"),
            format!("GET /orders/1 HTTP/1.1\r\nhost: a\r\n{hostile}: b"),
            format!("GET /orders/1 HTTP/1.1\r\nhost: a\r\ntraceparent: 00-{hostile}-1-1"),
            format!("GET /orders/1 {hostile}\r\nhost: a"),
        ] {
            let mut client = program.client();
            client.try_send(format!("{request}\r\nconnection: close\r\n\r\n"));
            asked += usize::from(client.maybe_answer("GET").is_some());
        }
    }
    assert!(asked > HOSTILE.len() * 8, "{asked} were answered");

    let allowed: BTreeSet<&str> =
        CONFIGURED.iter().copied().chain(Code::ALL.iter().map(|code| code.as_str())).collect();
    let metrics = program.asked("/metrics");
    let mut requests = 0.0;
    for line in metrics.text().lines().filter(|line| !line.starts_with('#')) {
        let (series, value) = line.rsplit_once(' ').unwrap();
        let value: f64 = value.parse().unwrap();
        if series.starts_with("grantgate_requests_total") {
            requests += value;
        }
        let Some((_, labels)) = series.split_once('{') else { continue };
        for label in labels.strip_suffix('}').unwrap().split("\",") {
            let (name, value) = label.split_once("=\"").unwrap();
            let value = value.trim_end_matches('"');
            let known = name == "le" || allowed.contains(value);
            assert!(known, "{name}={value:?} in {line}");
        }
    }
    assert!(requests > 0.0, "{}", metrics.text());
}

#[test]
fn tokens_are_counted_by_whether_they_were_known_and_their_keys_at_hand() {
    let program = Served::start(DOORS);
    let mut client = program.client();
    for _ in 0..3 {
        assert_eq!(client.ask(request("GET /orders/1", "")).status, 200);
    }
    assert_eq!(program.metric("grantgate_token_cache_hits_total"), Some(2.0));
    assert_eq!(program.metric("grantgate_token_cache_misses_total"), Some(1.0));
    assert_eq!(program.metric("grantgate_token_cache_entries"), Some(1.0));
    let bytes = program.metric("grantgate_token_cache_bytes").unwrap();
    assert!((100.0..10_000.0).contains(&bytes), "{bytes}");
    assert_eq!(program.metric("grantgate_upstream_seconds_count"), Some(3.0));

    let issuer = Upstream::with(|_, stream| {
        let length = KEYS.len();
        write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{KEYS}").is_ok()
    });
    let jwks_uri = format!("jwks_uri: \"http://{}/\"", issuer.address);
    program.edit(|text| {
        text.replace("jwks_file: keys.jwks", &jwks_uri)
            .replace("hs_secret: \"${env:LONG_SECRET}\"", "over_ceiling: reject")
    });
    program.says(&["configuration applied"]);
    let series = |name: &str| format!("grantgate_keys_{name}=\"https://issuer.example/\"");
    assert_eq!(program.metric(&(series("unknown_total{issuer") + "}")), Some(0.0));
    let token = token_of(r#"{"alg":"ES256","typ":"at+jwt","kid":"k"}"#, &json!({}));
    let head =
        format!("GET /orders/1 HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\n\r\n");
    assert_eq!(client.ask(head).code(), "token-key-unknown");
    assert_eq!(program.metric(&(series("unknown_total{issuer") + "}")), Some(1.0));
    let fetched = series("refreshes_total{issuer") + ",outcome=\"fetched\"}";
    assert!(program.metric(&fetched).is_some_and(|fetched| fetched >= 1.0));
    let age = program.metric(&(series("age_seconds{issuer") + "}"));
    assert!(age.is_some_and(f64::is_finite), "{age:?}");
    let status = program.status();
    assert_eq!(status["issuers"][0]["kids"], json!(["1"]), "{status}");
    assert!(status["issuers"][0]["age_seconds"].is_number(), "{status}");
}
