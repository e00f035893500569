//! When lints are silent, and what they count. What they say stands among the goldens.

use super::super::{Loaded, Nowhere, Severity, Source, load};
use super::*;

const NOW: UnixTime = UnixTime::from_seconds(1_795_305_600);

const ISSUER: &str = "issuers: [{issuer: 'https://a.example/', profile: auth0}]\n";
const API: &str = "\
resource_servers:
  - identifier: https://api.example
    scopes: [{value: read}, {value: write}]
    authorization_details: [{type: payment}]
    subject_type_authorization: {user: {policy: require_client_grant}, client: {policy: require_client_grant}}
    gate:
      upstream: http://127.0.0.1:3000
      operations:
        - {on: GET /things, scopes: [read]}
        - {on: POST /things, scopes: [write]}
";
const BOTH: &str = "  - {client_id: app, subject_type: user, scope: [read, write]}\n";

fn warned(texts: &[&str]) -> Report {
    let named = texts.iter().enumerate();
    let sources: Vec<_> =
        named.map(|(index, text)| Source::new(format!("{index}.yaml"), *text)).collect();
    match load(&sources, &Nowhere, NOW) {
        Ok(Loaded { warnings, .. }) => warnings,
        Err(report) => panic!("{report}"),
    }
}

fn codes(texts: &[&str]) -> Vec<&'static str> {
    let report = warned(texts);
    report.sorted().into_iter().map(|found| found.code.as_str()).collect()
}

/// The codes for an API and grants.
fn with(api: &str, grants: &str) -> Vec<&'static str> {
    codes(&[ISSUER, api, &format!("client_grants:\n{grants}")])
}

const NONE: [&str; 0] = [];

#[test]
fn one_thing_is_said_of_a_scope() {
    let read = "  - {client_id: app, subject_type: user, scope: [read]}\n";
    assert_eq!(with(API, BOTH), NONE);
    assert_eq!(with(API, read), ["scope-ungranted"]);
    let unasked = API.replace("        - {on: POST /things, scopes: [write]}\n", "");
    assert_eq!(with(&unasked, read), ["scope-unused"]);
    assert_eq!(with(&unasked, BOTH), ["grant-wider-than-needed"]);
    // What is not listed may be what asks for it.
    let open = unasked.replace("      operations:", "      unlisted: any_token\n      operations:");
    assert_eq!(with(&open, BOTH), ["unlisted-any-token"]);
    // Everybody has it: it is not ungranted, and still for nothing.
    let all = unasked.replace("user: {policy: require_client_grant}", "user: {policy: allow_all}");
    assert_eq!(with(&all, "  []\n"), ["scope-unused", "user-allow-all"]);
}

#[test]
fn very_many_grants_that_are_too_wide_are_one_warning() {
    let unasked = API.replace("        - {on: POST /things, scopes: [write]}\n", "");
    let grants = (0..2000)
        .map(|index| format!("  - {{client_id: app-{index}, allow_all_scopes: true}}"))
        .collect::<Vec<_>>()
        .join("\n");
    let report = warned(&[ISSUER, &unasked, &format!("client_grants:\n{grants}")]);
    assert_eq!(report.count(Severity::Warning), 1);
    let found = report.iter().next().unwrap();
    assert_eq!(found.message, "no operation asks for `write`, and 2000 grants give it");
    assert_eq!(found.place.to_string(), "resource_servers[0].scopes[1].value");
    assert_eq!(found.related.len(), 3);
}

#[test]
fn an_operation_is_out_of_reach_where_no_single_grant_gives_what_it_asks() {
    let both = API.replace("scopes: [write]}", "scopes: [read, write]}");
    let apart = "  - {client_id: a, scope: [read]}\n  - {client_id: b, scope: [write]}\n";
    assert_eq!(with(&both, apart), ["operation-unreachable"]);
    assert_eq!(with(&both, BOTH), NONE);
    assert_eq!(with(&both.replace("scopes: [read, write]}", "any_scopes: [write]}"), apart), NONE);
    let all = both.replace("user: {policy: require_client_grant}", "user: {policy: allow_all}");
    assert_eq!(with(&all, apart), ["user-allow-all"]);

    let details = API.replace("scopes: [write]}", "authorization_details: [payment]}");
    let pays = BOTH.replace("[read, write]", "[read], authorization_details_types: [payment]");
    let unpaid = "  - {client_id: a, scope: [read]}\n";
    assert_eq!(with(&details, unpaid), ["scope-unused", "operation-unreachable"]);
    assert_eq!(with(&details, &pays), ["scope-unused"]);
}

#[test]
fn a_grant_that_has_expired_or_is_of_a_type_that_is_denied_opens_nothing() {
    let any = API.replace("scopes: [{value: read}, {value: write}]", "scopes: []");
    let any = any.replace("scopes: [read]}", "any_token: true}");
    let any = any.replace("scopes: [write]}", "public: true}");
    let grant = "  - {client_id: app, scope: []}\n";
    assert_eq!(with(&any, grant), NONE);
    let expired = grant.replace("[]}", "[], expires_at: \"2020-01-01T00:00:00Z\"}");
    assert_eq!(with(&any, &expired), ["operation-unreachable", "grant-expires-soon"]);
    assert_eq!(with(&any, "  []\n"), ["operation-unreachable"]);
    let denied = any.replace("require_client_grant", "deny_all");
    assert_eq!(with(&denied, "  []\n"), NONE);
}

#[test]
fn an_entry_is_used_where_a_grant_or_an_export_names_it_or_a_policy_asks_whose_it_is() {
    let grants = &format!("client_grants:\n{BOTH}");
    let listed = |entry: &str, more: &str| {
        codes(&[ISSUER, API, &format!("{grants}{more}"), &format!("clients: [{entry}]\n")])
    };
    assert_eq!(listed("{client_id: app, name: App}", ""), NONE);
    assert_eq!(listed("{client_id: ap, name: App}", ""), ["client-unused"]);
    // Named by a grant for another gate.
    let elsewhere = "  - {client_id: ap, audience: https://b.example, scope: []}\n";
    assert_eq!(listed("{client_id: ap, name: App}", elsewhere), ["grant-elsewhere"]);
    // Strict or not, it needs a grant of its own here.
    let third = "{client_id: ap, is_first_party: false}";
    assert_eq!(listed(third, ""), ["client-unused"]);
    let default = "  - {default_for: third_party_clients, scope: []}\n";
    assert_eq!(listed(third, default), NONE);
    assert_eq!(listed("{client_id: ap, is_first_party: true}", default), ["client-unused"]);
    let own = "{client_id: tpc_1, is_first_party: false, third_party_security_mode: permissive}";
    assert_eq!(listed(own, default), NONE);

    let open = API.replace("user: {policy: require_client_grant}", "user: {policy: allow_all}");
    let found = codes(&[ISSUER, &open, "client_grants: []\n", &format!("clients: [{third}]\n")]);
    assert_eq!(found, ["user-allow-all"]);

    let export =
        "clients: [{name: App, is_first_party: true}]\nclientGrants: []\nconnections: []\n";
    let entry = "clients: [{client_id: ap, name: App}]\n";
    assert_eq!(codes(&[ISSUER, API, grants, entry, export]), NONE);
    let all = "clients: [{client_id: ap, name: App}]\nclientGrants: []\nconnections: []\n";
    assert_eq!(codes(&[ISSUER, API, grants, all]), NONE);
}

#[test]
fn a_grant_is_pointless_where_no_token_proves_its_subject_type() {
    let custom = |rules: &str| {
        format!(
            "issuers: [{{issuer: 'https://a.example/', profile: custom, types: [JWT]{rules}}}]\n"
        )
    };
    let machine = ", machine: [{claim: gty, equals: machine}]";
    let user = ", user: [{claim: sub, contains: '|'}]";
    let of_client = "client_grants:\n  - {client_id: app, scope: [read, write]}\n";
    let of_user = &format!("client_grants:\n{BOTH}");
    assert_eq!(codes(&[&custom(machine), API, of_client]), NONE);
    assert_eq!(codes(&[&custom(machine), API, of_user]), ["grant-pointless"]);
    assert_eq!(codes(&[&custom(&format!("{machine}, unproven: user")), API, of_user]), NONE);
    assert_eq!(codes(&[&custom(user), API, of_user]), NONE);
    assert_eq!(codes(&[&custom(user), API, of_client]), ["grant-pointless"]);
}

#[test]
fn a_default_is_of_nobody_where_third_parties_are_listed_and_none_is_left() {
    let keycloak = "issuers: [{issuer: 'https://a.example/', profile: keycloak}]\n";
    let default = "  - {default_for: third_party_clients, subject_type: user, scope: []}\n";
    let found = |issuer: &str, clients: &str, more: &str| {
        let grants = format!("client_grants:\n{BOTH}{default}{more}");
        codes(&[issuer, API, &grants, &format!("clients: [{clients}]\n")])
    };
    let third = "{client_id: other, is_first_party: false}";
    assert_eq!(found(keycloak, "", ""), ["grant-pointless"]);
    assert_eq!(found(keycloak, third, ""), NONE);
    let own = "  - {client_id: other, subject_type: user, scope: []}\n";
    assert_eq!(found(keycloak, third, own), ["grant-pointless"]);
    // Of Auth0 any may come whose id says that it is one.
    assert_eq!(found(ISSUER, "", ""), NONE);
}

#[test]
fn an_audience_is_shared_where_one_issuers_tokens_open_both() {
    let issuers = "issuers:\n  - {issuer: 'https://a.example/', profile: auth0}\n  - {issuer: 'https://b.example', profile: okta}\n";
    let api = |name: &str, issuer: &str, audiences: &str| {
        format!(
            "  - identifier: https://{name}.example\n    subject_type_authorization: {{user: \
             {{policy: deny_all}}, client: {{policy: deny_all}}}}\n    gate:\n      path_prefix: \
             /{name}\n      issuers: ['{issuer}']\n      audiences: [{audiences}]\n      upstream: \
             http://127.0.0.1:3000\n      operations: [{{on: GET /{name}, public: true}}]\n"
        )
    };
    let (a, b) = ("https://a.example/", "https://b.example");
    let found = |first: &str, second: &str| {
        codes(&[issuers, &format!("resource_servers:\n{first}{second}client_grants: []\n")])
    };
    let alone = api("x", a, "");
    assert_eq!(
        found(&alone, &api("y", a, "https://x.example")),
        ["issuer-unused", "audience-shared"]
    );
    assert_eq!(found(&alone, &api("y", b, "https://x.example")), NONE);
    // The one whose identifier it is comes later.
    assert_eq!(
        found(&api("y", a, "https://x.example"), &alone),
        ["issuer-unused", "audience-shared"]
    );
    let (first, second) = (api("x", a, "'urn:both'"), api("y", a, "'urn:both'"));
    assert_eq!(found(&first, &second), ["issuer-unused", "audience-shared"]);
}
