//! A document allows what its snapshot allows, and tells no secret.

use super::*;
use crate::config::tests::{NOW, snapshot};
use crate::config::{AccessDiff, Nowhere, load};

const WHOLE: &str = r#"
issuers:
  - {issuer: 'https://a.example/', profile: auth0, algorithms: [RS256, ES256], leeway: 5s, unproven: user}
  - issuer: https://b.example/
    profile: custom
    claims: {client_id: [app], scopes: perms, organization: org}
    types: [JWT, none]
    machine: [{claim: gty, equals: m2m}]
    user: [{claim: sub, contains: "|"}]
resource_servers:
  - identifier: https://api.example
    scopes: [{value: read}, {value: write}, {value: openid}]
    authorization_details: [{type: payment}, {type: "é\t\u2028\"x"}]
    subject_type_authorization:
      user: {policy: allow_all}
      client: {policy: require_client_grant}
      anonymous_user: {policy: require_client_grant}
    gate:
      hosts: [api.example, '*.api.example']
      path_prefix: /v1
      upstream: https://internal.example
      issuers: ['https://b.example/', 'https://a.example/']
      audiences: ['api://other']
      over_ceiling: trim
      authorization: remove
      unlisted: any_token
      operations:
        - {on: 'GET /v1/open', public: true}
        - {on: 'GET,POST /v1/{id}/*', scopes: [read], any_scopes: [write, read], upgrade: [websocket]}
        - {on: '* /v1/pay', authorization_details: [payment]}
        - {on: 'GET /v1/me', any_token: true}
  - identifier: urn:reported
    scopes: []
    subject_type_authorization:
      user: {policy: require_client_grant}
      client: {policy: require_client_grant}
    gate:
      upstream: unix:/run/api.sock
      issuers: ['https://a.example/']
      path_prefix: /reported
      enforcement: report
      report_tokens: true
      operations: []
clients:
  - {client_id: theirs, issuer: 'https://a.example/', name: "Their \"app\"", is_first_party: false}
  - {client_id: ours, issuer: 'https://b.example/', is_first_party: true}
  - {client_id: tpc_1, issuer: 'https://a.example/', is_first_party: false, third_party_security_mode: permissive}
  - {client_id: named, issuer: 'https://a.example/', name: Named}
client_grants:
  - {id: cgr_1, client_id: web, audience: 'https://api.example', issuer: 'https://a.example/', subject_type: user, scope: [read], authorization_details_types: [payment]}
  - {client_id: batch, audience: 'https://api.example', issuer: 'https://a.example/', scope: [read, write], organization_usage: require, organizations: [org_a, org_b], expires_at: '2030-01-01T00:00:00.250+02:00', owner: somebody}
  - {client_id: any, audience: 'https://api.example', issuer: 'https://b.example/', allow_all_scopes: true, organization_usage: allow, allow_any_organization: true}
  - {client_id: none, audience: 'https://api.example', issuer: 'https://b.example/', scope: [], organization_usage: deny}
  - {client_id: web, audience: 'https://api.example', issuer: 'https://a.example/', subject_type: anonymous_user, scope: [read]}
  - {default_for: third_party_clients, audience: 'https://api.example', issuer: 'https://a.example/', subject_type: user, scope: [read]}
"#;

fn reload(sources: &[Source]) -> Snapshot {
    load(sources, &Nowhere, NOW).unwrap_or_else(|report| panic!("{report}")).snapshot
}

#[test]
fn a_document_allows_what_its_snapshot_allows() {
    let snapshot = snapshot(&[WHOLE]);
    let text = policy_document(&snapshot).to_string();
    serde_json::from_str::<Value>(&text).unwrap();
    let sources = PolicyDocument::sources("policy", &text);
    assert_eq!(sources.len(), 2);
    for sources in [sources, vec![Source::new("policy.json", text.clone())]] {
        let again = reload(&sources);
        assert_eq!(AccessDiff::between(&snapshot, &again, NOW), AccessDiff::default());
        assert_eq!(policy_document(&again).to_string(), text, "a document of it is the same");
    }
}

#[test]
fn a_document_without_grants_is_one_too() {
    let empty = WHOLE.split("client_grants:").next().unwrap().to_owned() + "client_grants: []";
    let snapshot = snapshot(&[&empty]);
    let text = policy_document(&snapshot).to_string();
    let again = reload(&PolicyDocument::sources("policy", &text));
    assert_eq!(policy_document(&again).to_string(), text);
}

#[test]
fn nothing_of_it_is_a_secret_or_leads_inside() {
    let text = policy_document(&snapshot(&[WHOLE])).to_string();
    for hidden in ["internal.example", "/run/api.sock", "somebody"] {
        assert!(!text.contains(hidden), "{hidden}");
    }
    assert!(!text.chars().any(|char| harms(char) && char != '\n'));
}
