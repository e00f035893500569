//! Every refusal, as a client reads it: `tests/golden/refuse/<code>.txt` holds its head and body,
//! `tests/golden/refuse-grpc/<code>.txt` what a gRPC call gets in their place.
//! `UPDATE_GOLDEN=1` writes them anew.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::sync::{Mutex, mpsc};

use grantgate::gate::Code;
use serde_json::{Value, json};

use super::client::Answer;
use super::gateway::{Gateway, token, token_of, token_with};
use super::upstream::Upstream;
use crate::disk::root;

const CONFIGURATION: &str = r#"
server: {listen: "127.0.0.1:0"}
limits: {uri_bytes: 1KiB, body_bytes: 1KiB}
timeouts: {response: 100ms, body_read: 100ms}
issuers:
  - {issuer: "https://issuer.example/", profile: auth0, jwks_file: jwks.json}
  - {issuer: "https://silent.example/", profile: auth0, jwks_uri: "http://DOWN/keys"}
resource_servers:
  - identifier: https://orders.example.com
    scopes: [{value: "read:orders"}, {value: "write:orders"}]
    authorization_details: [{type: payment}]
    subject_type_authorization: {user: {policy: deny_all}, client: {policy: require_client_grant}}
    gate:
      hosts: [orders.example.com]
      upstream: http://DOWN
      issuers: ["https://issuer.example/"]
      hs_secret: "${env:LONG_SECRET}"
      operations:
        - {on: "GET /orders/{id}", scopes: ["read:orders"]}
        - {on: "POST /orders/*", any_scopes: ["write:orders", "read:orders"]}
        - {on: "DELETE /orders/{id}", scopes: ["read:orders", "write:orders"]}
  - identifier: https://trimmed.example.com
    scopes: [{value: "read:orders"}, {value: "write:orders"}]
    subject_type_authorization: {user: {policy: deny_all}, client: {policy: require_client_grant}}
    gate:
      hosts: [trimmed.example.com]
      upstream: http://SLOW
      issuers: ["https://issuer.example/"]
      audiences: ["https://orders.example.com"]
      hs_secret: "${env:LONG_SECRET}"
      over_ceiling: trim
      authorization: remove
      operations:
        - {on: "GET /orders/{id}", scopes: ["read:orders"]}
        - {on: "DELETE /orders/{id}", scopes: ["write:orders"]}
  - identifier: https://garbled.example.com
    subject_type_authorization: {user: {policy: deny_all}, client: {policy: deny_all}}
    gate:
      hosts: [garbled.example.com]
      upstream: http://GARBLED
      issuers: ["https://silent.example/"]
      operations:
        - {on: "GET /public", public: true}
        - {on: "GET /private", any_token: true}
  - identifier: https://open.example.com
    subject_type_authorization: {user: {policy: deny_all}, client: {policy: deny_all}}
    gate:
      hosts: [open.example.com]
      upstream: http://OPEN
      issuers: ["https://silent.example/"]
      operations: [{on: "GET /public", public: true}]
client_grants:
  - {client_id: batch, audience: "https://orders.example.com", scope: ["read:orders"], owner: "<orders&team>"}
  - {client_id: batch, audience: "https://trimmed.example.com", scope: ["read:orders"]}
  - {client_id: past, audience: "https://orders.example.com", scope: [], expires_at: "2001-01-01T00:00:00Z"}
  - client_id: member
    audience: https://orders.example.com
    scope: []
    organization_usage: require
    organizations: [org_acme]
"#;

/// What nobody can bring about from outside.
const UNREACHABLE: [Code; 1] = [Code::Internal];

/// What is refused before anybody can tell that it is a gRPC call: one connection too many. One stream too
/// many can be told.
const NO_CALL: [Code; 1] = [Code::Overloaded];

/// A gateway whose upstreams are of every kind, and the configuration that it runs.
struct World {
    gateway: Gateway,
    text: String,
    _slow: mpsc::Sender<()>,
    _upstreams: [Upstream; 3],
}

impl World {
    fn new() -> Self {
        let down = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let (keep, wait) = mpsc::channel::<()>();
        let wait = Mutex::new(wait);
        let slow = Upstream::with(move |_, _| wait.lock().unwrap().recv().is_ok());
        let garbled = Upstream::answering("this is no answer\r\n\r\n");
        let open = Upstream::start();
        let text = CONFIGURATION
            .replace("DOWN", &down.to_string())
            .replace("SLOW", &slow.address.to_string())
            .replace("GARBLED", &garbled.address.to_string())
            .replace("OPEN", &open.address.to_string());
        let gateway = Gateway::start(&text);
        Self { gateway, text, _slow: keep, _upstreams: [slow, garbled, open] }
    }

    /// A request that each code answers.
    fn requests(&self) -> BTreeMap<Code, String> {
        let mut requests = requests();
        requests.insert(Code::LoopDetected, returning(&self.gateway));
        requests
    }
}

#[test]
fn every_refusal_reads_as_it_should() {
    let world = World::new();
    let World { gateway, text, .. } = &world;
    let mut wrong = Vec::new();
    let requests = world.requests();
    for code in Code::ALL.iter().filter(|code| !UNREACHABLE.contains(code)) {
        let path = root().join("tests/golden/refuse").join(format!("{code}.txt"));
        let Some(request) = requests.get(code) else {
            wrong.push(format!("{code}: nothing asks for it"));
            continue;
        };
        let answer = match code {
            Code::HostMisdirected => super::tls::misdirected(""),
            Code::Overloaded => one_too_many(gateway, text),
            _ => gateway.client().ask(request),
        };
        let seen = shown(&answer.head, answer.text());
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&path, &seen).unwrap();
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        if seen != expected || answer.code() != code.as_str() {
            wrong.push(format!("{code}: expected\n{expected}\nand got\n{seen}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    let files = fs::read_dir(root().join("tests/golden/refuse")).unwrap().count();
    assert_eq!(files, Code::ALL.len() - UNREACHABLE.len(), "a file is left of a code that was");
}

#[test]
fn a_refused_grpc_call_is_told_its_status_in_trailers_alone() {
    let world = World::new();
    let mut wrong = Vec::new();
    let requests = world.requests();
    let told = Code::ALL.iter().filter(|code| !UNREACHABLE.contains(code));
    for code in told.clone().filter(|code| !NO_CALL.contains(code)) {
        let path = root().join("tests/golden/refuse-grpc").join(format!("{code}.txt"));
        let kind = "content-type: application/grpc+proto\r\n";
        let answer = if *code == Code::HostMisdirected {
            super::tls::misdirected(kind)
        } else {
            let request = requests[code].replacen("\r\n", &format!("\r\n{kind}"), 1);
            world.gateway.client().ask(request)
        };
        let id = answer.one("grantgate-decision-id").unwrap();
        let seen = head_of(&answer.head, *code).replace(id, "0123456789abcdef");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&path, &seen).unwrap();
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        let status = answer.one("grpc-status").map(str::to_owned);
        if seen != expected || status != Some(code.grpc().to_string()) || !answer.body.is_empty() {
            wrong.push(format!("{code}: expected\n{expected}\nand got\n{seen}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    let files = fs::read_dir(root().join("tests/golden/refuse-grpc")).unwrap().count();
    assert_eq!(files, told.count() - NO_CALL.len(), "a file is left of a code that was");
    let codes: Vec<_> =
        world.gateway.finish().iter().map(|record| record["status"].clone()).collect();
    assert!(codes.contains(&json!(401)) && codes.contains(&json!(504)), "{codes:?}");
}

/// The answer to one connection more than there may be.
fn one_too_many(gateway: &Gateway, text: &str) -> Answer {
    gateway.wait_for_count("grantgate_connections 0");
    gateway.reload(&text.replace("limits: {", "limits: {connections: 1, "));
    let mut only = gateway.client();
    assert_eq!(only.ask("GET / HTTP/1.1\r\nhost: a\r\n\r\n").status, 404);
    let answer = gateway.client().answer();
    gateway.reload(text);
    answer
}

/// The answer without what differs each time.
fn shown(head: &str, body: &str) -> String {
    let problem: Value = serde_json::from_str(body).unwrap();
    let id = problem["decision_id"].as_str().unwrap_or("no decision was made");
    let code = Code::ALL.iter().find(|code| problem["code"] == code.as_str()).unwrap();
    format!("{}{}\n", head_of(head, *code), body.replace(id, "0123456789abcdef"))
}

fn head_of(head: &str, code: Code) -> String {
    let keys = code == Code::KeysUnavailable;
    let head: Vec<_> = head
        .lines()
        .filter(|line| !line.starts_with("date: "))
        // Asking for keys that do not come is done ever less often.
        .map(|line| if keys && line.starts_with("retry-after: ") { "retry-after: 1" } else { line })
        .collect();
    format!("{}\n", head.join("\n").trim_end())
}

/// A request that each code answers.
fn requests() -> BTreeMap<Code, String> {
    let orders = |line: &str, token: &str| request(line, "orders.example.com", Some(token), "");
    let get = |token: &str| orders("GET /orders/1", token);
    let with = |claims: Value| get(&token_with(&claims));
    let under = |head: Value| get(&token_of(&head.to_string(), &json!({})));
    let of = |client: &str, more: Value| {
        let mut claims = json!({"azp": client, "sub": format!("{client}@clients"), "scope": ""});
        claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        with(claims)
    };
    let (good, trimmed) = (token(), "trimmed.example.com");
    let payment = json!([{"type": "payment"}]);
    let thumbprint = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
    let silent = token_of(
        r#"{"alg":"RS256","typ":"at+jwt","kid":"1"}"#,
        &json!({"iss": "https://silent.example/"}),
    );
    [
        (Code::TokenMissing, request("GET /orders/1", "orders.example.com", None, "")),
        (Code::TokenTooLarge, get(&"a".repeat(8193))),
        (Code::TokenMalformed, get("a.b")),
        (Code::TokenIssuerUnknown, with(json!({"iss": "https://silent.example/"}))),
        (Code::TokenTypeRefused, with(json!({"at_hash": "x"}))),
        (Code::TokenAlgorithmRefused, under(json!({"alg": "none"}))),
        (Code::TokenKeyUnknown, under(json!({"alg": "ES256", "kid": "2"}))),
        (Code::TokenSignatureInvalid, get(&format!("{}AAAA", &good[..good.len() - 4]))),
        (Code::TokenClaimMissing, with(json!({"exp": null}))),
        (Code::TokenExpired, with(json!({"exp": 1_700_000_001}))),
        (Code::TokenNotYetValid, with(json!({"nbf": 4_000_000_000_u64}))),
        (Code::TokenAudienceMismatch, with(json!({"aud": "https://elsewhere.example"}))),
        (Code::SenderConstraintMissing, with(json!({"cnf": {"jkt": thumbprint}}))),
        (Code::SenderConstraintInvalid, with(json!({"cnf": {"jkt": 1}}))),
        (Code::ClientUnidentified, with(json!({"client_id": "another"}))),
        (Code::SubjectTypeAmbiguous, with(json!({"sub": "auth0|alice"}))),
        (Code::PolicyDeniesAll, with(json!({"sub": "auth0|alice", "gty": null}))),
        (Code::GrantMissing, of("nobody", json!({}))),
        (Code::GrantExpired, of("past", json!({}))),
        (Code::OrganizationDenied, with(json!({"org_id": "org_acme"}))),
        (Code::OrganizationRequired, of("member", json!({}))),
        (Code::OrganizationNotAssociated, of("member", json!({"org_id": "org_zenith"}))),
        (Code::ScopeExceedsGrant, with(json!({"scope": "read:orders write:orders <b>"}))),
        (
            Code::ScopeNotGranted,
            request(
                "DELETE /orders/1",
                trimmed,
                Some(&token_with(&json!({"scope": "read:orders write:orders"}))),
                "",
            ),
        ),
        (Code::AuthorizationDetailsExceedGrant, with(json!({"authorization_details": payment}))),
        (Code::OperationUnlisted, orders("GET /elsewhere", &good)),
        (Code::ScopeInsufficient, orders("DELETE /orders/1", &good)),
        (
            Code::CredentialAmbiguous,
            request(
                "GET /orders/1",
                "orders.example.com",
                Some(&good),
                "authorization: Bearer another\r\n",
            ),
        ),
        (Code::RequestMalformed, orders("TRACE /orders/1", &good)),
        (Code::PathAmbiguous, orders("GET /orders/%2e%2e", &good)),
        (Code::RouteUnknown, request("GET /orders/1", "elsewhere.example", Some(&good), "")),
        (Code::MethodRefused, orders("PATCH /orders/1", &good)),
        // It depends on the connection that it comes on.
        (Code::HostMisdirected, String::new()),
        (
            Code::RequestTimeout,
            request("GET /orders/1", trimmed, Some(&good), "content-length: 9\r\n") + "abc",
        ),
        (
            Code::BodyTooLarge,
            request(
                "POST /orders/1",
                "orders.example.com",
                Some(&good),
                "content-length: 1025\r\n",
            ),
        ),
        (Code::UriTooLong, orders(&format!("GET /{}", "a".repeat(1024)), &good)),
        (Code::KeysUnavailable, request("GET /private", "garbled.example.com", Some(&silent), "")),
        // Its connection comes at the wrong time, whatever it would ask.
        (Code::Overloaded, String::new()),
        (Code::UpstreamUnreachable, get(&good)),
        (Code::UpstreamResponseInvalid, request("GET /public", "garbled.example.com", None, "")),
        (Code::UpstreamTimeout, request("GET /orders/1", trimmed, Some(&good), "")),
    ]
    .into()
}

fn request(line: &str, host: &str, token: Option<&str>, more: &str) -> String {
    let credential =
        token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
    format!("{line} HTTP/1.1\r\nhost: {host}\r\n{credential}{more}\r\n")
}

/// A request that has come through `gateway` before.
fn returning(gateway: &Gateway) -> String {
    let passed = gateway.client().ask(request("GET /public", "open.example.com", None, ""));
    let via = format!("via: {}\r\n", passed.one("via").unwrap());
    request("GET /public", "open.example.com", None, &via)
}
