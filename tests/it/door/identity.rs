//! Who calls, as the upstream, the caller and the records are told.

use serde_json::json;

use super::gateway::{Gateway, configuration, request, token, token_with};
use super::upstream::Upstream;

#[test]
fn an_allowed_request_arrives_with_the_callers_identity_and_is_recorded() {
    let upstream = Upstream::start();
    let gateway = Gateway::before(upstream.address);
    let trace = "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n";
    let answer = gateway.client().ask(request("GET /orders/%31?secret=1", trace));
    assert_eq!((answer.status, answer.text()), (200, "ok"));
    assert!(answer.one("via").unwrap().starts_with("1.1 grantgate-"));

    let seen = upstream.next();
    assert_eq!(seen.line(), "GET /orders/1?secret=1 HTTP/1.1");
    for (name, value) in [
        ("host", "orders.example.com"),
        ("grantgate-client-id", "batch"),
        ("grantgate-subject", "batch@clients"),
        ("grantgate-subject-type", "client"),
        ("grantgate-scopes", "read:orders"),
        ("grantgate-organization", ""),
        ("grantgate-issuer", "https://issuer.example/"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-host", "orders.example.com"),
        ("x-forwarded-proto", "http"),
        ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    ] {
        assert_eq!(seen.one(name), Some(value), "{name}\n{}", seen.head);
    }
    assert!(seen.one("authorization").is_some());
    let (id, grant) = (seen.one("grantgate-decision-id"), seen.one("grantgate-grant-id"));

    let records = gateway.finish();
    assert_eq!(records.len(), 1);
    let record = &records[0];
    for (field, value) in [
        ("decision", json!("allow")),
        ("code", json!(null)),
        ("api", json!("https://orders.example.com")),
        ("operation", json!("GET /orders/{id}")),
        ("path", json!("/orders/1")),
        ("client_id", json!("batch")),
        ("subject_type", json!("client")),
        ("scopes", json!(["read:orders"])),
        ("effective_scopes", json!(["read:orders"])),
        ("status", json!(200)),
        ("trace_id", json!("4bf92f3577b34da6a3ce929d0e0e4736")),
        ("decision_id", json!(id)),
        ("grant_id", json!(grant)),
    ] {
        assert_eq!(record[field], value, "{field}: {record}");
    }
    let text = record.to_string();
    assert!(!text.contains("secret") && !text.contains(&token()[20..]), "{text}");
}

#[test]
fn a_refused_caller_learns_its_own_reason_and_the_connection_goes_on() {
    let upstream = Upstream::start();
    let gateway = Gateway::before(upstream.address);
    let mut client = gateway.client();

    let answer = client.ask("GET /orders/1 HTTP/1.1\r\nhost: a\r\n\r\n");
    assert_eq!((answer.status, answer.code().as_str()), (401, "token-missing"));
    let bare = "Bearer realm=\"https://orders.example.com\"";
    assert_eq!(answer.one("www-authenticate"), Some(bare));
    assert_eq!(answer.one("cache-control"), Some("no-store"));
    assert_eq!(answer.one("x-content-type-options"), Some("nosniff"));

    let answer = client.ask(request("DELETE /orders/1", ""));
    assert_eq!((answer.status, answer.code().as_str()), (403, "scope-insufficient"));
    let challenge = format!("{bare}, error=\"insufficient_scope\", scope=\"write:orders\"");
    assert_eq!(answer.one("www-authenticate"), Some(challenge.as_str()));
    let problem: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(problem["type"], "urn:grantgate:problem:scope-insufficient");
    assert_eq!(problem["client_id"], "batch");
    assert_eq!(problem["subject_type"], "client");
    assert_eq!(problem["missing_scopes"], json!(["write:orders"]));

    let answer = client.ask(request("PATCH /orders/1", ""));
    assert_eq!((answer.status, answer.code().as_str()), (405, "method-refused"));
    assert_eq!(answer.one("allow").map(|allow| allow.contains("GET")), Some(true));

    let stranger = token_with(&json!({"azp": "<b>", "sub": "<b>@clients"}));
    let head =
        format!("GET /orders/1 HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {stranger}\r\n\r\n");
    let answer = client.ask(head);
    assert_eq!((answer.status, answer.code().as_str()), (403, "grant-missing"));
    assert!(!answer.text().contains('<') && answer.text().contains("\\u003cb\\u003e"));

    assert_eq!(client.ask(request("GET /orders/1", "")).status, 200);
    assert_eq!(upstream.next().line(), "GET /orders/1 HTTP/1.1");
    assert!(upstream.rest().is_empty());
    let decisions: Vec<_> = gateway.finish().iter().map(|record| record["code"].clone()).collect();
    let codes =
        json!(["token-missing", "scope-insufficient", "method-refused", "grant-missing", null]);
    assert_eq!(json!(decisions), codes);
}

#[test]
fn a_public_operation_hides_the_token_and_names_nobody() {
    let upstream = Upstream::start();
    let gateway = Gateway::before(upstream.address);
    let spoof = "Grantgate-Client-Id: boss\r\ngrantgate_subject: boss\r\n";
    assert_eq!(gateway.client().ask(request("GET /open/x", spoof)).status, 200);
    let seen = upstream.next();
    assert!(!seen.head.contains("boss") && seen.one("authorization").is_none(), "{}", seen.head);
    assert!(seen.one("grantgate-decision-id").is_some());
    for name in
        ["client-id", "subject", "subject-type", "scopes", "organization", "issuer", "grant-id"]
    {
        assert_eq!(seen.one(&format!("grantgate-{name}")), Some(""), "{name}");
    }
}

#[test]
fn an_api_that_reports_passes_what_it_would_refuse_and_vouches_for_nobody() {
    let upstream = Upstream::start();
    let report = "enforcement: report";
    let gateway = Gateway::start(&configuration(upstream.address, report, ""));
    let mut client = gateway.client();
    assert_eq!(client.ask(request("DELETE /orders/1", "")).status, 200);
    let seen = upstream.next();
    assert_eq!(seen.one("grantgate-decision"), Some("would-refuse"));
    assert_eq!(seen.one("grantgate-client-id"), None);
    assert_eq!(client.ask("GET /orders/1 HTTP/1.1\r\nhost: a\r\n\r\n").status, 401);
    let record = &gateway.finish()[0];
    assert_eq!(record["decision"], "would_refuse");
    assert_eq!(record["would_refuse"], "scope-insufficient");
    assert_eq!(record["client_id"], "batch");
}

#[test]
fn the_token_goes_no_further_where_it_is_removed() {
    let upstream = Upstream::start();
    let gateway = Gateway::start(&configuration(upstream.address, "authorization: remove", ""));
    assert_eq!(gateway.client().ask(request("GET /orders/1", "")).status, 200);
    let seen = upstream.next();
    assert_eq!((seen.one("authorization"), seen.one("grantgate-client-id")), (None, Some("batch")));
}

#[test]
fn values_that_are_no_plain_text_are_escaped() {
    let upstream = Upstream::start();
    let gateway = Gateway::before(upstream.address);
    let odd = token_with(&json!({"sub": "bätch 50%\r\nx: y@clients"}));
    let head = format!("GET /orders/1 HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {odd}\r\n\r\n");
    assert_eq!(gateway.client().ask(head).status, 200);
    let subject = "b%C3%A4tch%2050%25%0D%0Ax:%20y@clients";
    assert_eq!(upstream.next().one("grantgate-subject"), Some(subject));
}

#[test]
fn a_change_of_the_configuration_decides_the_next_request() {
    let upstream = Upstream::start();
    let text = configuration(upstream.address, "", "");
    let gateway = Gateway::start(&text);
    let mut client = gateway.client();
    assert_eq!(client.ask(request("GET /orders/1", "")).status, 200);
    gateway.reload(&text.replace("client_id: batch", "client_id: other"));
    assert_eq!(client.ask(request("GET /orders/1", "")).code(), "grant-missing");
    gateway.reload(&text);
    assert_eq!(client.ask(request("GET /orders/1", "")).status, 200);
}
