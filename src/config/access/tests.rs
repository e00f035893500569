//! Who may do what, asked in each way.

use super::*;
use crate::config::tests::{NOW, snapshot};

const TEXT: &str = r"
issuers: [{issuer: 'https://a.example/', profile: auth0}]
resource_servers:
  - identifier: https://open.example
    scopes: [{value: look}]
    subject_type_authorization: {user: {policy: allow_all}, client: {policy: deny_all}}
    gate:
      hosts: [open.example]
      upstream: http://127.0.0.1:3000
      operations: [{on: GET /look, scopes: [look]}]
  - identifier: https://api.example
    scopes: [{value: read}, {value: write}]
    subject_type_authorization:
      user: {policy: require_client_grant}
      client: {policy: require_client_grant}
    gate:
      upstream: http://127.0.0.1:3000
      operations:
        - {on: 'GET /things/{id}', scopes: [read]}
        - {on: POST /things, any_scopes: [write]}
        - {on: GET /ping, public: true}
clients:
  - {client_id: theirs, name: Their app, is_first_party: false}
  - {client_id: idle, name: Idle, is_first_party: true}
client_grants:
  - {client_id: web, audience: 'https://api.example', subject_type: user, scope: [read]}
  - {client_id: web, audience: 'https://open.example', subject_type: user, scope: []}
  - {client_id: batch, audience: 'https://api.example', scope: [read, write], organization_usage: require, organizations: [org_a]}
  - {client_id: gone, audience: 'https://api.example', scope: [read], expires_at: '2001-01-01T00:00:00Z'}
  - {client_id: nobody, audience: 'https://api.example', scope: [read], organization_usage: require}
  - {default_for: third_party_clients, audience: 'https://api.example', subject_type: user, scope: [read]}
";

fn ask(question: &Question) -> Vec<String> {
    let snapshot = snapshot(&[TEXT]);
    let mut rows = Vec::new();
    access(&snapshot, question, NOW, &mut |row| {
        let who = match &row.caller {
            Caller::Anyone => "anyone".to_owned(),
            Caller::Application { which: Which::Client(client), .. } => client.to_string(),
            Caller::Application { which, .. } => format!("{which:?}"),
        };
        let api = row.api.as_str().trim_start_matches("https://").trim_end_matches(".example");
        rows.push(format!("{api} {who} {} {}", row.by.as_str(), row.operations.join("; ")));
        Ok(())
    })
    .unwrap();
    rows
}

#[test]
fn every_row_says_by_what_and_what_it_opens() {
    assert_eq!(
        ask(&Question::default()),
        [
            "api anyone public GET /ping",
            "api ThirdParty default_grant GET /things/{id}",
            "api batch grant GET /things/{id}; POST /things",
            "api theirs default_grant GET /things/{id}",
            "api web grant GET /things/{id}",
            "open FirstParty allow_all GET /look",
            "open web allow_all GET /look",
        ]
    );
}

#[test]
fn questions_narrow_the_answer() {
    let some = |text: &str| Some(text.to_owned());
    let scope = Question { scope: some("write"), ..Question::default() };
    assert_eq!(ask(&scope), ["api batch grant GET /things/{id}; POST /things"]);
    let idle = Question { client: some("idle"), ..Question::default() };
    assert_eq!(ask(&idle), ["open idle allow_all GET /look"]);
    let stranger = Question { client: some("tpc_new"), ..Question::default() };
    assert_eq!(ask(&stranger), ["api tpc_new default_grant GET /things/{id}"]);
    for operation in ["GET /things/7", "HEAD /things/7", "GET /things/{id}"] {
        let question = Question {
            operation: some(operation),
            subject_type: Some(SubjectType::Client),
            ..Question::default()
        };
        assert_eq!(ask(&question), ["api batch grant GET /things/{id}; POST /things"]);
    }
    let public = Question { operation: some("GET /ping"), ..Question::default() };
    assert_eq!(ask(&public), ["api anyone public GET /ping"]);
    for nobody in ["gone", "nobody"] {
        let question = Question {
            client: some(nobody),
            api: some("https://api.example"),
            ..Question::default()
        };
        assert!(ask(&question).is_empty(), "{nobody}");
    }
}
