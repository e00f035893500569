//! What configurations mean, and what is said of those that mean nothing.

mod export;
mod inventory;
mod management;
mod openapi;
mod process;

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::snapshot::{KeySource, Snapshot, Upstream};
use super::*;
use crate::policy::{
    Basis, Decision, DetailTypes, GrantKind, Holder, Issuer, Need, Organization, Party, Presented,
    Scopes, SubjectType, decide,
};
use crate::token::Profile;

pub(super) const NOW: UnixTime = UnixTime::from_seconds(1_795_305_600);

/// Variables and files in pairs.
struct Given(&'static [(&'static str, &'static str)]);

impl Outside for Given {
    fn env(&self, name: &str) -> Option<String> {
        self.file("", name).ok()
    }

    fn file(&self, _: &str, path: &str) -> Result<String, String> {
        let found = self.0.iter().find(|(name, _)| *name == path);
        found.map(|(_, text)| (*text).to_owned()).ok_or_else(|| "no such file".to_owned())
    }
}

const ISSUER: &str = "issuers: [{issuer: 'https://a.example/', profile: auth0}]\n";
const API: &str = "
resource_servers:
  - identifier: https://api.example
    scopes: [{value: read}, {value: write}]
    authorization_details: [{type: payment}]
    subject_type_authorization:
      user: {policy: require_client_grant}
      client: {policy: require_client_grant}
    gate:
      upstream: http://127.0.0.1:3000
      operations:
        - {on: GET /things, scopes: [read]}
        - {on: POST /things, scopes: [write]}
";

fn try_load(texts: &[&str], outside: &Given) -> Result<Loaded, Report> {
    let named = texts.iter().enumerate();
    let sources: Vec<_> =
        named.map(|(index, text)| Source::new(format!("{index}.yaml"), *text)).collect();
    load(&sources, outside, NOW)
}

pub(super) fn snapshot(texts: &[&str]) -> Snapshot {
    match try_load(texts, &Given(&[])) {
        Ok(loaded) => loaded.snapshot,
        Err(report) => panic!("{report}"),
    }
}

fn codes(texts: &[&str]) -> BTreeSet<&'static str> {
    let report = match try_load(texts, &Given(&[])) {
        Ok(loaded) => loaded.warnings,
        Err(report) => report,
    };
    report.iter().map(|diagnostic| diagnostic.code.as_str()).collect()
}

fn api_with(gate: &str) -> String {
    API.replace("      operations:", &format!("      {gate}\n      operations:"))
}

/// What a token with these scopes may do as `subject_type`, by the grant's id or the denial.
fn ask(snapshot: &Snapshot, client: &str, party: Party, subject_type: SubjectType) -> String {
    let api = &snapshot.apis[0].api;
    let read: crate::policy::NameSet = api.scopes.find("read").into_iter().collect();
    let presented = Presented {
        issuer: &Issuer::new("https://a.example/").unwrap(),
        client,
        party,
        subject_type,
        scopes: Scopes { claimed: read.clone(), undeclared: vec![], usable: read },
        organization: Organization::Absent,
        details: DetailTypes::default(),
    };
    match decide(api, &presented, &Need::default(), NOW) {
        Decision::Allow(permit) => match permit.basis() {
            Basis::Grant(grant) => grant.id.to_string(),
            other => format!("{other:?}"),
        },
        Decision::Deny(denial) => format!("{:?}", denial.reason),
    }
}

#[test]
fn an_id_is_one_grants_whoever_wrote_it() {
    let web = "client_id: web, audience: 'https://api.example', scopes: [read]";
    let batch = "client_id: batch, audience: 'https://api.example', scopes: []";
    let elsewhere = "client_id: web, audience: 'https://nowhere.example', scopes: []";
    let grants = |ones: &[String]| format!("client_grants: [{}]\n", ones.join(", "));
    let found = |ones: [&str; 2], ids: [&str; 2]| {
        let with = |at: usize| match ids[at] {
            "" => format!("{{{}}}", ones[at]),
            id => format!("{{id: {id}, {}}}", ones[at]),
        };
        codes(&[ISSUER, API, &grants(&[with(0), with(1)])]).contains("grant-id-duplicate")
    };
    let snapshot = snapshot(&[ISSUER, API, &grants(&[format!("{{{web}}}")])]);
    let derived = ask(&snapshot, "web", Party::First, SubjectType::Client);
    assert!(derived.starts_with("cgr_"), "{derived}");
    for (ones, ids, is_found) in [
        ([web, batch], ["", ""], false),
        ([web, batch], ["cgr_1", "cgr_1"], true),
        ([web, batch], ["", &derived], true),
        ([batch, web], [&derived, ""], true),
        ([web, batch], [&derived, ""], false),
        ([web, elsewhere], ["", &derived], true),
        ([elsewhere, web], ["cgr_1", "cgr_1"], true),
        ([elsewhere, elsewhere], ["cgr_1", "cgr_1"], true),
    ] {
        assert_eq!(found(ones, ids), is_found, "{ones:?} {ids:?}");
    }
}

#[test]
fn a_strict_mode_alone_makes_nobody_ones_own() {
    let client = |fields: &str| {
        let text = format!("client_grants: []\nclients: [{{client_id: {fields}}}]\n");
        codes(&[ISSUER, API, &text]).contains("key-missing")
    };
    assert!(client("web, third_party_security_mode: strict"));
    assert!(!client("web, is_first_party: false, third_party_security_mode: strict"));
    assert!(!client("tpc_1, third_party_security_mode: strict"));
    assert!(!client("web, third_party_security_mode: permissive"));
    assert!(!client("web"));
}

#[test]
fn a_leeway_is_whole_seconds() {
    let issuer = |leeway: &str| ISSUER.replace("}]", &format!(", leeway: {leeway}}}]"));
    let codes = |leeway| codes(&[&issuer(leeway), "client_grants: []\n"]);
    assert_eq!(codes("500ms"), ["duration-invalid"].into());
    assert_eq!(codes("1500ms"), ["duration-invalid"].into());
    for whole in ["2000ms", "0s"] {
        assert_eq!(codes(whole), ["nothing-served"].into());
    }
}

#[test]
fn nothing_follows_from_a_subject_type_that_could_not_be_read() {
    let api = API.replace("client: {policy: require_client_grant}", "client: {policy: deny_all}");
    let grant = "client_id: web, scope: [read], authorization_details_types: [payment]";
    let grants = |of: &str| format!("client_grants: [{{{grant}, subject_type: {of}}}]");
    assert_eq!(codes(&[ISSUER, &api, &grants("users")]), ["value-unknown"].into());
    assert_eq!(codes(&[ISSUER, &api, &grants("client")]), ["grant-rules-misplaced"].into());
}

#[test]
fn an_unknown_key_is_sent_to_where_it_is_known() {
    let help = |text: &str| {
        let report = try_load(&[text], &Given(&[])).unwrap_err();
        report.iter().find(|found| found.code == Code::KeyUnknown).and_then(|it| it.help.clone())
    };
    for (text, meant) in [
        ("resource_servers: [{hosts: [a]}]", "it belongs under `gate`"),
        ("resource_servers: [{public: true}]", "it belongs under `gate.operations[]`"),
        ("issuers: [{upstream: a}]", "it belongs under `resource_servers[].gate`"),
        ("issuers: [{audience: a}]", "it belongs under `client_grants[]`"),
        ("log: {scopes: []}", "the keys here are `allowed_one_in`, `format`, `level` or `records`"),
    ] {
        assert_eq!(help(text).as_deref(), Some(meant), "{text}");
    }
}

#[test]
fn a_grant_is_the_ceiling_of_its_application_and_subject_type() {
    let grants = "client_grants:
  - {id: cgr_user, client_id: web, subject_type: user, scope: [read]}
  - {id: cgr_client, client_id: batch, scope: [read, write]}
";
    let snapshot = snapshot(&[ISSUER, API, grants]);
    let ask = |client, subject_type| ask(&snapshot, client, Party::First, subject_type);
    assert_eq!(ask("web", SubjectType::User), "cgr_user");
    assert_eq!(ask("web", SubjectType::Client), "GrantMissing");
    assert_eq!(ask("batch", SubjectType::Client), "cgr_client");
    assert_eq!(ask("other", SubjectType::Client), "GrantMissing");
    assert_eq!(ask("web", SubjectType::AnonymousUser), "PolicyDeniesAll");
}

#[test]
fn all_scopes_are_those_that_the_api_declares() {
    let grants = "client_grants: [{client_id: web, subject_type: user, allow_all_scopes: true,
      authorization_details_types: [payment]}]";
    let snapshot = snapshot(&[ISSUER, API, grants]);
    let api = &snapshot.apis[0].api;
    let (issuer, holder, grant) = api.grants.iter().next().unwrap();
    assert_eq!(issuer.as_str(), "https://a.example/");
    assert!(matches!(holder, Holder::Client(client) if client.as_str() == "web"));
    assert_eq!(&grant.ceiling, api.scopes.all());
    assert!(matches!(&grant.kind, GrantKind::User { details } if details == api.details.all()));
}

#[test]
fn third_parties_are_those_that_the_list_says_and_strict() {
    let clients = "clients:
  - {client_id: ours, is_first_party: true}
  - {client_id: strict, is_first_party: false}
  - {client_id: permissive, is_first_party: false, third_party_security_mode: permissive}
  - {client_id: unsaid, name: Unsaid, logo_uri: 'https://a.example/logo'}
client_grants: []
";
    let clients = snapshot(&[ISSUER, clients]).clients;
    let issuer = Issuer::new("https://a.example/").unwrap();
    assert_eq!(clients.find(&issuer, "ours"), Some(Party::First));
    assert_eq!(clients.find(&issuer, "strict"), Some(Party::Third));
    assert_eq!(clients.find(&issuer, "permissive"), Some(Party::First));
    assert_eq!(clients.find(&issuer, "unsaid"), None);
}

#[test]
fn files_join_and_json_says_the_same_as_yaml() {
    let json = r#"{"client_grants": [{"client_id": "web", "subject_type": "user", "scope": []}]}"#;
    let snapshot = snapshot(&["client_grants: []\n", ISSUER, API, json]);
    assert_eq!(snapshot.apis[0].api.grants.iter().count(), 1);
    assert_eq!(snapshot.apis[0].public_url, "https://api.example");
    assert_eq!(snapshot.apis[0].upstream.as_ref().unwrap().to_string(), "http://127.0.0.1:3000");
    assert!(matches!(snapshot.issuers[0].trust.profile, Profile::Auth0));
    assert!(matches!(snapshot.issuers[0].keys, KeySource::Remote(_)));
}

#[test]
fn grants_one_level_too_deep_are_not_missing() {
    let deep = "    client_grants:\n      - {client_id: app, scope: [read]}\n";
    let report = try_load(&[ISSUER, &format!("{API}{deep}")], &Given(&[])).unwrap_err();
    let found: Vec<_> = report.iter().map(|it| (it.code, it.help.as_deref())).collect();
    let help = "it belongs at the top level: write it without indentation";
    assert_eq!(found, [(Code::KeyUnknown, Some(help))]);
}

#[test]
fn what_may_stand_in_a_file_that_cannot_be_read_is_not_missed() {
    let grants = "client_grants: [{client_id: app, scope: [read]}]\n";
    for broken in ["issuers: [\n", "resource_servers: [\n", "clients: [\n", "client_grants: [\n"] {
        let others = [ISSUER, API, grants].into_iter().filter(|text| {
            !text.trim_start().starts_with(broken.trim_end_matches([' ', '[', '\n']))
        });
        let texts: Vec<_> = others.chain([broken]).collect();
        let report = try_load(&texts, &Given(&[])).unwrap_err();
        let found: Vec<_> = report.iter().map(|it| it.code).collect();
        assert_eq!(found, [Code::YamlSyntax], "{report}");
    }
}

#[test]
fn an_object_pasted_in_from_auth0_is_read_in_silence() {
    let pasted = r#"
        {"issuers": [{"issuer": "https://a.example/", "profile": "auth0"}],
         "resource_servers": [{"id": "0123456789abcdef01234567", "name": "Things",
           "identifier": "https://api.example", "is_system": false, "signing_alg": "RS256",
           "signing_secret": "hush-hush-hush-hush", "allow_offline_access": false,
           "token_lifetime": 86400, "token_lifetime_for_web": 7200, "token_dialect": "access_token",
           "skip_consent_for_verifiable_first_party_clients": false, "enforce_policies": false,
           "proof_of_possession": {"mechanism": "dpop", "required": false}, "token_encryption": null,
           "subject_type_authorization": {"user": {"policy": "allow_all"}, "client": {"policy": "deny_all"}},
           "scopes": [{"value": "read", "description": "Read"}]}],
         "clients": [{"client_id": "web", "client_secret": "hush-hush", "name": "Web", "tenant": "t",
           "callbacks": [], "jwt_configuration": {"alg": "RS256"}, "is_first_party": true}],
         "client_grants": [{"id": "cgr_0123456789abcdef", "client_id": "web", "is_system": false,
           "audience": "https://api.example", "scope": ["read"], "subject_type": "user"}]}"#;
    let loaded = try_load(&[pasted], &Given(&[])).unwrap();
    let warnings: Vec<_> = loaded.warnings.iter().map(|found| found.code).collect();
    assert_eq!(warnings, [Code::NothingServed]);
    assert!(loaded.snapshot.apis.is_empty(), "an API without a gate is not served");
    let kept = &loaded.warnings.documents()[0].text;
    assert!(!kept.contains("hush"), "{kept}");
}

#[test]
fn every_problem_of_every_file_is_in_one_report() {
    let api = api_with("over_ceiling: trim").replace("[write]", "[wriet]");
    let grants = "client_grants:
  - {client_id: web, subject_type: user, scope: [read], organization_usage: deny}
  - {client_id: web, subject_type: user, scope: []}
  - {client_id: 'w b', scope: [read]}
log: {level: loud}
";
    let found = codes(&[ISSUER, &api, grants, "log: {leve: info}\n"]);
    let expected = [
        "grant-duplicate",
        "key-unknown",
        "log-level-invalid",
        "name-invalid",
        "scope-undeclared",
        "section-twice",
        "trim-keeps-authorization",
    ];
    assert_eq!(found, expected.into());
}

#[test]
fn nothing_follows_from_what_was_refused_already() {
    let grants =
        "client_grants: [{client_id: web, audience: https://api.example, scope: [read]}]\n";
    for (break_it, code) in [
        ("    scopes: [{value: read}, {value: write}]", "    scopes: read"),
        ("identifier: https://api.example", "identifier: 5"),
        ("{policy: require_client_grant}\n    gate", "require_client_grant\n    gate"),
        ("upstream: http", "upstraem: http"),
        ("{on: GET /things, scopes: [read]}", "{on: GET /things, scopes: read}"),
    ]
    .map(|(from, to)| (API.replace(from, to), to))
    {
        let found = codes(&[ISSUER, &break_it, grants]);
        assert_eq!(found.len(), 1, "{code}: {found:?}");
    }
    let found = codes(&["issuers: [{issuer: 'https://a.example/', profile: auth}]\n", API, grants]);
    assert_eq!(found, ["value-unknown"].into());
    assert_eq!(codes(&[ISSUER, "resource_servers: {}\n", grants]), ["kind-wrong"].into());
    assert_eq!(codes(&[ISSUER, API, "client_grants:\n"]), ["kind-wrong"].into());
    assert_eq!(codes(&[ISSUER, API, "client_grants: [\n"]), ["yaml-syntax"].into());
}

#[test]
fn a_secret_is_read_where_it_is_and_never_shown() {
    let secret = "0123456789abcdef0123456789abcdef0123456789abcdef";
    let outside =
        Given(&[("HS", "0123456789abcdef0123456789abcdef0123456789abcdef\n"), ("short", "s3cr3t")]);
    let load = |gate: &str| try_load(&[ISSUER, &api_with(gate), "client_grants: []\n"], &outside);
    let loaded = load("hs_secret: '${env:HS}'").unwrap();
    assert!(loaded.snapshot.apis[0].secret.is_some());
    assert!(!format!("{:?}", loaded.snapshot).contains(secret));
    let short = load("hs_secret: '${file:short}'").unwrap_err().to_string();
    assert!(short.contains("secret-weak") && !short.contains("s3cr3t"), "{short}");
    let literal = load(&format!("hs_secret: {secret}")).unwrap_err().to_string();
    assert!(literal.contains("secret-literal") && !literal.contains(secret), "{literal}");
}

#[test]
fn the_digest_covers_the_texts_and_what_they_refer_to() {
    let gate = api_with("hs_secret: '${env:HS}'");
    let digest = |text: &'static str| {
        let outside: &'static [_] = Box::leak(Box::new([("HS", text)]));
        let loaded = try_load(&[ISSUER, &gate, "client_grants: []\n"], &Given(outside));
        loaded.unwrap().snapshot.digest
    };
    let one = "0123456789abcdef0123456789abcdef";
    assert_eq!(digest(one), digest(one));
    assert_ne!(digest(one), digest("0123456789abcdef0123456789abcdeF"));
}

#[test]
fn a_grant_without_an_id_keeps_its_derived_one() {
    let of = |scope: &str| {
        let grants = format!("client_grants: [{{client_id: web, scope: {scope}}}]\n");
        let snapshot = snapshot(&[ISSUER, API, &grants]);
        let (_, _, grant) = snapshot.apis[0].api.grants.iter().next().unwrap();
        grant.id.to_string()
    };
    assert_eq!(of("[read]"), of("[]"));
    assert!(of("[]").starts_with("cgr_"));
}

#[test]
fn grants_that_cannot_be_told_apart_or_placed_are_refused() {
    let two = "issuers:
  - {issuer: 'https://a.example/', profile: auth0}
  - {issuer: 'https://b.example', profile: rfc9068}
";
    let grant = "client_grants: [{client_id: web, subject_type: user, allow_all_scopes: true}]\n";
    assert_eq!(codes(&[two, API, grant]), ["issuer-ambiguous"].into());
    let both = api_with("issuers: ['https://a.example/', 'https://b.example']");
    assert_eq!(codes(&[two, &both, grant]), ["issuer-ambiguous"].into());
    let one = api_with("issuers: ['https://a.example/']");
    assert_eq!(codes(&[two, &one, grant]), ["issuer-unused"].into());
    let untrusted = grant.replace("web,", "web, issuer: 'https://b.example',");
    assert_eq!(codes(&[two, &one, &untrusted]), ["grant-pointless", "issuer-unused"].into());
}

#[test]
fn an_upstream_is_an_address_with_its_port() {
    for (url, host, port) in [
        ("http://127.0.0.1:3000", "127.0.0.1", 3000),
        ("http://orders.internal", "orders.internal", 80),
        ("'http://[::1]:3000'", "::1", 3000),
    ] {
        let api = API.replace("http://127.0.0.1:3000", url);
        let upstream = &snapshot(&[ISSUER, &api, "client_grants: []\n"]).apis[0].upstream;
        let expected = Upstream::Tcp { host: host.to_owned(), port, tls: None };
        assert_eq!(*upstream, Some(expected), "{url}");
    }
    for url in [
        "http://a:0",
        "http://a/b",
        "http://a/",
        "http://u@a",
        "http://a?b",
        "ftp://a",
        "a:80",
        "http://a:x",
    ] {
        let api = API.replace("http://127.0.0.1:3000", url);
        assert_eq!(
            codes(&[ISSUER, &api, "client_grants: []\n"]).first(),
            Some(&"url-invalid"),
            "{url}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Whatever somebody's editor makes of a configuration, it is read or refused.
    #[test]
    fn no_text_makes_it_panic(edits in vec((0..5_000_usize, select(PIECES)), 1..6)) {
        let mut text = include_str!("../../config/gateway.yaml").to_owned();
        for (at, piece) in edits {
            let lines: Vec<_> = text.lines().collect();
            let at = at % lines.len().max(1);
            let edited = lines.iter().enumerate().map(|(line, text)| match (line == at, piece) {
                (true, "") => String::new(),
                (true, _) => text.replacen([':', '"', '[', '{'], piece, 1),
                (false, _) => (*text).to_owned(),
            });
            text = edited.collect::<Vec<_>>().join("\n");
        }
        match try_load(&[&text], &Given(&[])) {
            Ok(loaded) => prop_assert!(!loaded.warnings.has_errors()),
            Err(report) => prop_assert!(report.has_errors() && !report.to_string().is_empty()),
        }
    }
}

const PIECES: &[&str] =
    &["", ": ", "\"", "[", "{", ": [", ": null", ": \"\"", ": -1", ": \u{1f600}", " "];
