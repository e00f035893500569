//! How requests are read, let in and answered.

use super::managed::{Managed, SECRET, fault, form, json, request};
use crate::door::client::Client;
use serde_json::json;

const GRANTS: &str = "/api/v2/client-grants";
const JSON: &str = "content-type: application/json\r\n";

fn ok(status: u16, code: &str, message: &str) -> (u16, String, String) {
    (status, code.to_owned(), message.to_owned())
}

#[test]
fn whoever_has_the_scope_is_answered_and_every_answer_bears_the_same_fields() {
    let gate = Managed::start();
    let tool = gate.tool();
    let mut client = gate.client();
    let list = client.ask(request(&format!("GET {GRANTS}"), &tool, ""));
    assert_eq!(list.status, 200, "{}", list.text());
    assert_eq!(json(&list)[0]["client_id"], "batch");
    let unknown = client.ask(request("GET /nothing", &tool, ""));
    assert_eq!(fault(&unknown), ok(404, "", "Not Found"));
    for answer in [&list, &unknown] {
        assert_eq!(answer.one("cache-control"), Some("no-store"));
        assert_eq!(answer.one("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.one("x-ratelimit-limit"), Some("50"));
        assert!(answer.one("x-ratelimit-remaining").is_some(), "{}", answer.head);
        assert!(answer.one("x-ratelimit-reset").is_some(), "{}", answer.head);
    }
    client.send(request(&format!("HEAD {GRANTS}"), &tool, ""));
    let head = client.answer_to("HEAD");
    assert_eq!((head.status, head.one("content-length")), (200, list.one("content-length")));
    assert_eq!(client.ask(request("GET /openapi.json", "", "")).status, 200);
}

#[test]
fn who_shows_no_token_or_a_bad_one_is_challenged() {
    let gate = Managed::start();
    let missing = gate.ask(&format!("GET {GRANTS}"), "", "");
    assert_eq!(fault(&missing), ok(401, "", "Missing authentication"));
    assert_eq!(missing.one("www-authenticate"), Some("Bearer realm=\"urn:grantgate:management\""));

    let bad = gate.ask(&format!("GET {GRANTS}"), "authorization: Bearer x.y.z\r\n", "");
    let (status, code, message) = fault(&bad);
    assert_eq!((status, &*code), (401, "invalid_token"));
    assert!(message.starts_with("Invalid token"), "{message}");
    assert!(bad.one("www-authenticate").unwrap().contains("error=\"invalid_token\""));

    let tool = gate.tool();
    let token = tool.trim().strip_prefix("authorization: Bearer ").unwrap();
    let twice = gate.ask(&format!("GET {GRANTS}?access_token={token}"), &tool, "");
    assert_eq!(fault(&twice).1, "credential-ambiguous");
    let in_query = gate.ask(&format!("GET {GRANTS}?access_token={token}"), "", "");
    assert_eq!(fault(&in_query), ok(401, "", "Missing authentication"));
    assert_eq!(gate.ask(&format!("GET {GRANTS}"), &tool, "").status, 200);
}

#[test]
fn who_lacks_a_scope_or_a_grant_is_told_what_to_write() {
    let gate = Managed::start();
    let reader = gate.reader();
    let body = json!({"client_id": "batch", "audience": "https://orders.example.com"}).to_string();
    let more = format!("{reader}{JSON}");
    let (status, code, message) = fault(&gate.ask(&format!("POST {GRANTS}"), &more, &body));
    assert_eq!((status, &*code), (403, "insufficient_scope"));
    let words = "Insufficient scope, expected any of: create:client_grants";
    assert!(message.starts_with(words) && message.contains("`reader`"), "{message}");
    let part = format!("{}&scope=read:clients", form("tool", SECRET));
    let token = json(&gate.asked_token(&part))["access_token"].as_str().unwrap().to_owned();
    let part = format!("authorization: Bearer {token}\r\n");
    let (_, code, message) = fault(&gate.ask(&format!("GET {GRANTS}"), &part, ""));
    let words = "Insufficient scope, expected any of: read:client_grants";
    assert_eq!((&*code, &*message), ("insufficient_scope", words), "its grant holds it");

    let claims = |client: &str, scope: &str| {
        json!({
            "iss": "https://issuer.example/", "aud": "urn:grantgate:management", "sub": client,
            "client_id": client, "scope": scope, "iat": 1_700_000_000_u64, "jti": "1",
            "exp": 4_000_000_000_u64,
        })
    };
    let head = json!({"alg": "EdDSA", "kid": "1", "typ": "at+jwt"});
    let token = gate.issuer.sign(&head, &claims("stranger", "read:client_grants"));
    let stranger = format!("authorization: Bearer {token}\r\n");
    let (status, code, message) = fault(&gate.ask(&format!("GET {GRANTS}"), &stranger, ""));
    assert_eq!((status, &*code), (403, "grant-missing"));
    let entry = "{client_id: \"stranger\", audience: \"urn:grantgate:management\", issuer: \
        \"https://issuer.example/\", subject_type: client, scope: [\"read:client_grants\"]}";
    assert!(message.contains(entry), "{message}");
}

#[test]
fn an_identifier_is_one_segment_of_the_raw_path() {
    let gate = Managed::start();
    let tool = gate.tool();
    for spelling in ["https%3A%2F%2Forders.example.com", "https:%2F%2Forders.example.com"] {
        let answer = gate.ask(&format!("GET /api/v2/resource-servers/{spelling}"), &tool, "");
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(json(&answer)["identifier"], "https://orders.example.com");
    }
    let (status, code, message) = fault(&gate.ask("GET /api/v2/resource-servers/%zz", &tool, ""));
    assert_eq!((status, &*code), (400, "invalid_uri"));
    assert!(message.starts_with("Path validation error: "), "{message}");
    for path in ["/api/v2/resource-servers/https://orders.example.com", "/api/v2/clients/"] {
        assert_eq!(fault(&gate.ask(&format!("GET {path}"), &tool, "")).0, 404, "{path}");
    }
    let wrong = gate.ask(&format!("PUT {GRANTS}"), &tool, "");
    assert_eq!((wrong.status, wrong.one("allow")), (405, Some("GET, POST, HEAD")));
}

#[test]
fn what_is_not_json_or_too_long_or_not_known_is_refused() {
    let gate = Managed::start();
    let tool = gate.tool();
    let create = format!("POST {GRANTS}");
    for kind in
        ["", "content-type: text/plain\r\n", "content-type: application/x-www-form-urlencoded\r\n"]
    {
        let answer = gate.ask(&create, &format!("{tool}{kind}"), "{}");
        assert_eq!(fault(&answer).1, "unsupported_media_type", "{kind}");
    }
    // It may be answered, and no more be taken, before all of it was sent.
    let refused = |line: &str, head: &str, body: &str| {
        let mut client = gate.client();
        client.try_send(request(line, head, body));
        client.answer()
    };
    let long = " ".repeat((1 << 20) + 1);
    let answer = refused(&create, &format!("{tool}{JSON}"), &long);
    assert_eq!((answer.status, answer.one("connection")), (413, Some("close")));
    // Who asks for a token needs less.
    let form = "content-type: application/x-www-form-urlencoded\r\n";
    let long = "x".repeat((16 << 10) + 1);
    assert_eq!(refused("POST /oauth/token", form, &long).status, 413);
    let chunked = format!("{form}transfer-encoding: chunked\r\n");
    let mut client = gate.client();
    client.send(request("POST /oauth/token", &chunked, ""));
    client.try_send(format!("4001\r\n{long}\r\n0\r\n\r\n"));
    assert_eq!(client.answer().status, 413);
    // One that does not say how long it is.
    let chunked = format!("{tool}{JSON}transfer-encoding: chunked\r\n");
    let mut client = gate.client();
    client.send(request(&create, &chunked, ""));
    for _ in 0..17 {
        client.try_send(format!("10000\r\n{}\r\n", " ".repeat(0x10000)));
    }
    assert_eq!(client.answer().status, 413);

    let (_, code, message) = fault(&gate.ask(&format!("GET {GRANTS}?pages=1"), &tool, ""));
    assert_eq!(code, "invalid_query_string");
    assert!(message.contains("pages"), "{message}");
    let host = format!("GET {GRANTS} HTTP/1.1\r\nhost: a b\r\n\r\n");
    assert_eq!(fault(&gate.client().ask(host)).1, "request-malformed");
}

#[test]
fn a_body_is_asked_for_where_it_is_wanted_and_a_refused_one_is_passed_over() {
    let gate = Managed::start();
    let (tool, reader) = (gate.tool(), gate.reader());
    let body = "{\"audience\": 1}";
    let head = |authorization: &str| {
        let length = body.len();
        format!("{authorization}{JSON}expect: 100-continue\r\ncontent-length: {length}\r\n")
    };
    let mut client = gate.client();
    client.send(request(&format!("POST {GRANTS}"), &head(&tool), ""));
    assert_eq!(client.answer().status, 100);
    assert_eq!(client.ask(body).status, 400);
    let refused = client.ask(request(&format!("POST {GRANTS}"), &head(&reader), ""));
    assert_eq!((refused.status, refused.one("connection")), (403, Some("close")));

    let mut client = gate.client();
    let refused = client.ask(request(&format!("POST {GRANTS}"), &format!("{reader}{JSON}"), body));
    assert_eq!((refused.status, refused.one("connection")), (403, None));
    assert_eq!(client.ask(request(&format!("GET {GRANTS}"), &reader, "")).status, 200);
}

#[test]
fn requests_are_told_of_like_those_of_any_api() {
    let gate = Managed::start();
    let reader = gate.reader();
    gate.ask(&format!("GET {GRANTS}"), &reader, "");
    gate.ask(&format!("DELETE {GRANTS}/cgr_1"), &reader, "");
    gate.ask("GET /nothing", "", "");
    let records = gate.finish();
    let told: Vec<_> =
        records.iter().map(|it| (&it["operation"], &it["decision"], &it["status"])).collect();
    assert_eq!(
        told,
        [
            (&json!("POST /oauth/token"), &json!("allow"), &json!(200)),
            (&json!("GET /api/v2/client-grants"), &json!("allow"), &json!(200)),
            (&json!("DELETE /api/v2/client-grants/{id}"), &json!("refuse"), &json!(403)),
            (&json!(null), &json!("refuse"), &json!(404)),
        ]
    );
    let listed = &records[1];
    assert_eq!(listed["api"], "urn:grantgate:management");
    assert_eq!((&listed["client_id"], &listed["path"]), (&json!("reader"), &json!(GRANTS)));
    assert_eq!(records[2]["code"], "scope-insufficient");
}

#[test]
fn the_traffic_listener_does_not_answer_it_and_it_answers_nothing_else() {
    let mut gate = Managed::start();
    let tool = gate.tool();
    assert_eq!(fault(&gate.ask("GET /orders/1", &tool, "")).0, 404);
    let traffic = |line: &str| Client::connect(gate.traffic).ask(request(line, &tool, ""));
    let managed = traffic(&format!("GET {GRANTS}"));
    assert!([401, 403, 404].contains(&managed.status), "{}", managed.text());
    let token = traffic("POST /oauth/token");
    assert!([401, 403, 404].contains(&token.status), "{}", token.text());
    let order = traffic("GET /orders/1");
    assert_eq!((order.status, &*order.code()), (401, "token-issuer-unknown"));
    let mut idle = gate.client();
    assert_eq!(idle.ask(request(&format!("GET {GRANTS}"), &tool, "")).status, 200);
    gate.leave();
    assert!(idle.is_closed(), "it is still open when the gateway has left");
}
