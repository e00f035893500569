//! What is gained and lost when one thing changes.

use std::collections::BTreeSet;

use super::*;
use crate::config::tests::{NOW, snapshot};

const BEFORE: &str = "
issuers: [{issuer: 'https://a.example/', profile: auth0}]
resource_servers:
  - identifier: https://api.example
    scopes: [{value: read}, {value: write}]
    subject_type_authorization:
      user: {policy: require_client_grant}
      client: {policy: require_client_grant}
    gate:
      upstream: http://127.0.0.1:3000
      operations:
        - {on: GET /things/*, scopes: [read]}
        - {on: GET /things/secret, scopes: [write]}
        - {on: POST /things, scopes: [write]}
clients:
  - {client_id: theirs, is_first_party: false}
client_grants:
  - {client_id: web, subject_type: user, scope: [read]}
  - {client_id: batch, scope: [read], organization_usage: require, organizations: [org_a]}
";

/// What is gained and lost by a change of the text, shortly.
fn change(from: &str, to: &str) -> (Vec<String>, Vec<String>) {
    assert!(BEFORE.contains(from), "{from}");
    let (old, new) = (snapshot(&[BEFORE]), snapshot(&[&BEFORE.replace(from, to)]));
    let diff = AccessDiff::between(&old, &new, NOW);
    let back = AccessDiff::between(&new, &old, NOW);
    let of = |diff: &AccessDiff| (all(diff.gained()), all(diff.lost()));
    let (gained, lost) = of(&back);
    assert_eq!(of(&diff), (lost, gained), "there and back");
    let everybody = AccessDiff::by(&old, &new, NOW, true, &mut |_, _| {});
    assert_eq!(diff, everybody, "whoever was not asked about differs");
    let short = |accesses: Vec<Access>| accesses.iter().map(shortly).collect();
    (short(all(diff.gained())), short(all(diff.lost())))
}

fn all(accesses: impl Iterator<Item = Access>) -> Vec<Access> {
    accesses.collect()
}

fn shortly(access: &Access) -> String {
    let caller = match &access.caller {
        Caller::Anyone => "anyone".to_owned(),
        Caller::Application { which, subject_type, .. } => {
            let which = match which {
                Which::Client(client) => client.to_string(),
                Which::FirstParty => "first".to_owned(),
                Which::ThirdParty => "third".to_owned(),
            };
            format!("{which} {}", subject_type.as_str())
        }
    };
    format!("{caller}: {:?}", access.what)
}

#[test]
fn what_says_the_same_is_no_difference() {
    let (gained, lost) =
        change("scopes: [write]}\n        - {on: POST", "scopes: [write]}\n\n        - {on: POST");
    assert!(gained.is_empty() && lost.is_empty());
    let (gained, lost) =
        change("upstream: http://127.0.0.1:3000", "upstream: http://127.0.0.1:3001");
    assert!(gained.is_empty() && lost.is_empty(), "it speaks of access alone");
}

#[test]
fn a_scope_more_is_the_scope_and_what_it_opens() {
    let (gained, lost) = change("user, scope: [read]", "user, scope: [read, write]");
    let expected = [
        r#"web user: Operation("GET /things/secret")"#,
        r#"web user: Operation("POST /things")"#,
        r#"web user: Scope("write")"#,
    ];
    assert_eq!((gained, lost), (expected.map(str::to_owned).into(), vec![]));
}

#[test]
fn an_exception_that_is_gone_opens_what_it_guarded() {
    let (gained, lost) = change("        - {on: GET /things/secret, scopes: [write]}\n", "");
    let opened = ["batch client", "web user"];
    let opened = opened.map(|who| format!(r#"{who}: Operation("GET /things/secret")"#));
    assert_eq!((gained, lost), (opened.into(), vec![]));
}

#[test]
fn organizations_are_told_apart() {
    let (gained, lost) = change("[org_a]", "[org_b]");
    assert_eq!(gained, [r#"batch client: Organization("org_b")"#]);
    assert_eq!(lost, [r#"batch client: Organization("org_a")"#]);
    let (gained, lost) = change("organizations: [org_a]", "allow_any_organization: true");
    assert_eq!((gained, lost), (vec!["batch client: OrganizationAny".to_owned()], vec![]));
    let (gained, _) = change("organization_usage: require", "organization_usage: allow");
    assert_eq!(gained, ["batch client: OrganizationNone"]);
}

#[test]
fn an_open_policy_is_for_all_but_third_parties() {
    let (gained, _) = change("user: {policy: require_client_grant}", "user: {policy: allow_all}");
    assert!(gained.iter().any(|access| access.starts_with("first user: ")), "{gained:?}");
    assert!(!gained.iter().any(|access| access.starts_with("theirs user: ")), "{gained:?}");
}

#[test]
fn what_needs_no_token_is_for_anyone() {
    let (gained, lost) =
        change("{on: POST /things, scopes: [write]}", "{on: POST /things, public: true}");
    assert_eq!((gained, lost), (vec![r#"anyone: Operation("POST /things")"#.to_owned()], vec![]));
    let (gained, _) = change("      operations:", "      enforcement: report\n      operations:");
    assert_eq!(gained, ["anyone: Reported"]);
    let (gained, _) = change("      operations:", "      unlisted: any_token\n      operations:");
    assert_eq!(gained, ["batch client: Unlisted", "web user: Unlisted"]);
}

#[test]
fn who_was_not_asked_about_does_not_differ() {
    let first = "  - {client_id: web, subject_type: user, scope: [read]}";
    for grant in [
        "{client_id: new, scope: [read]}",
        "{client_id: theirs, subject_type: user, scope: [write]}",
        "{client_id: batch, subject_type: user, scope: [read]}",
        "{client_id: web, organization_usage: allow, organizations: [org_c], scope: [read]}",
        "{default_for: third_party_clients, subject_type: user, scope: [read]}",
    ] {
        let (gained, lost) = change(first, &format!("  - {grant}\n{first}"));
        assert!(!gained.is_empty() && lost.is_empty(), "{grant}");
    }
    for (from, to) in [
        ("is_first_party: false", "is_first_party: true"),
        ("client_id: theirs", "client_id: web"),
        ("profile: auth0", "profile: rfc9068"),
        ("subject_type: user, scope", "id: other, owner: me, subject_type: user, scope"),
        ("scope: [read]}", "scope: [read], expires_at: '2001-01-01T00:00:00Z'}"),
        ("[{value: read}, {value: write}]", "[{value: write}, {value: read}]"),
    ] {
        change(from, to);
    }
}

/// What a caller may do hangs on more than its own grant and the API.
#[test]
fn whose_an_application_is_counts_and_so_does_the_default_of_third_parties() {
    let open = BEFORE.replace("user: {policy: require_client_grant}", "user: {policy: allow_all}");
    let gained = |from: &str, to: &str| {
        assert!(open.contains(from), "{from}");
        let (old, new) = (snapshot(&[&open]), snapshot(&[&open.replace(from, to)]));
        let gained = all(AccessDiff::between(&old, &new, NOW).gained());
        let who = gained.iter().map(shortly).map(|it| it.split(':').next().unwrap().to_owned());
        who.collect::<BTreeSet<_>>()
    };
    let who = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(gained("is_first_party: false", "is_first_party: true"), who(&["theirs user"]));
    let default =
        "client_grants:\n  - {default_for: third_party_clients, subject_type: user, scope: [read]}";
    assert_eq!(gained("client_grants:", default), who(&["theirs user", "third user"]));
    // Auth0 gives such ids to third parties alone, and nobody else has that rule.
    let third = open.replace("theirs, is_first_party: false", "tpc_1");
    let other = third.replace("profile: auth0", "profile: rfc9068");
    let diff = AccessDiff::between(
        &snapshot(&[&third.replace("web,", "tpc_1,").replace("scope: [read]", "scope: []")]),
        &snapshot(&[&other.replace("web,", "tpc_1,").replace("scope: [read]", "scope: []")]),
        NOW,
    );
    let gained: BTreeSet<_> = all(diff.gained()).iter().map(shortly).collect();
    assert!(gained.contains(r#"tpc_1 user: Scope("write")"#), "{gained:?}");
}

/// A second API, which takes what lies below a prefix away from the first.
fn beside(prefix: &str) -> String {
    let second = format!(
        "  - identifier: https://second.example
    scopes: []
    subject_type_authorization: {{user: {{policy: deny_all}}, client: {{policy: deny_all}}}}
    gate:
      upstream: http://127.0.0.1:3000
      path_prefix: {prefix}
      operations: [{{on: GET {prefix}/x, any_token: true}}]
clients:"
    );
    let grants = BEFORE.replace("{client_id:", "{audience: 'https://api.example', client_id:");
    grants
        .replace("clients:\n  - {audience: 'https://api.example', ", "clients:\n  - {")
        .replacen("clients:", &second, 1)
}

#[test]
fn who_gets_requests_that_another_api_no_longer_takes_may_gain() {
    let alone = snapshot(&[BEFORE]);
    let with = snapshot(&[&beside("/things")]);
    let gone = AccessDiff::between(&with, &alone, NOW);
    assert_eq!(gone.gains(), 0);
    assert!(!gone.is_empty() && gone.may_admit(), "{gone:?}");
    let came = AccessDiff::between(&alone, &with, NOW);
    assert!(!came.is_empty() && !came.may_admit(), "{came:?}");
    let elsewhere = snapshot(&[&beside("/second")]);
    assert!(AccessDiff::between(&with, &elsewhere, NOW).may_admit());
}

#[test]
fn what_is_read_more_strictly_admits_nobody_and_all_else_may() {
    let change = |from: &str, to: &str| {
        let (old, new) = (BEFORE.replace("auth0}", from), BEFORE.replace("auth0}", to));
        let diff = AccessDiff::between(&snapshot(&[&old]), &snapshot(&[&new]), NOW);
        assert!(!diff.is_empty() && diff.gains() == 0, "{from} {to}");
        diff.may_admit()
    };
    for (loose, strict) in [
        ("auth0}", "auth0, leeway: 1s}"),
        ("auth0}", "auth0, algorithms: [RS256]}"),
        ("auth0, unproven: user}", "auth0}"),
    ] {
        assert!(change(strict, loose), "{loose}");
        assert!(!change(loose, strict), "{strict}");
    }
    assert!(change("okta}", "keycloak}") && change("keycloak}", "okta}"));
    let hosts =
        |hosts: &str| BEFORE.replace("upstream:", &format!("hosts: [{hosts}]\n      upstream:"));
    let moved = |from: &str, to: &str| {
        AccessDiff::between(&snapshot(&[&hosts(from)]), &snapshot(&[&hosts(to)]), NOW).may_admit()
    };
    assert!(moved("a.example", "a.example, b.example"));
    assert!(!moved("a.example, b.example", "a.example"));
}
