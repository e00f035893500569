//! Tenant exports: read as they are, joined with what is one's own, and never guessed at.

use super::*;

/// What is one's own beside an export.
const OWN: &str = "
resource_servers:
  - identifier: https://api.example
    gate:
      upstream: http://127.0.0.1:3000
      operations: [{on: GET /things, scopes: [read]}, {on: POST /things, scopes: [write]}]
";

/// An export with names in place of ids, as the tool writes it.
const EXPORT: &str = "
rules: []
clientGrants:
  - client_id: Web app
    audience: https://api.example
    scope: [read, write]
    subject_type: user
  - client_id: Gone
    audience: https://tenant.example/api/v2/
    scope: ['read:users']
    subject_type: client
resourceServers:
  - name: Things
    identifier: https://api.example
    scopes: [{value: read}, {value: write}]
    authorization_details: null
    token_dialect: rfc9068_profile
    subject_type_authorization: {client: {policy: deny_all}, user: {policy: require_client_grant}}
  - name: Other
    identifier: https://other.example
    scopes: [{value: x}]
clients:
  - name: Web app
    app_type: spa
    is_first_party: true
  - name: Nameless in grants
    is_first_party: true
connections: [{name: db, options: {client_secret: hush-hush}}]
emailProvider: {credentials: {smtp_pass: hush-hush}, more: {auth_token: hush}}
tenant: {friendly_name: T}
";

const CLIENTS: &str = "clients: [{client_id: abc123, name: Web app}]\n";

fn found(texts: &[&str]) -> BTreeSet<&'static str> {
    let mut found = codes(texts);
    // A grant for the Management API is for one that is not here, and said.
    found.remove("grant-elsewhere");
    found
}

#[test]
fn an_export_is_read_as_it_is_beside_a_gate() {
    let snapshot = snapshot(&[ISSUER, OWN, CLIENTS, EXPORT]);
    assert_eq!(snapshot.apis.len(), 1, "an API without a gate is not served");
    assert_eq!(ask(&snapshot, "Web app", Party::First, SubjectType::User), "GrantMissing");
    let id = ask(&snapshot, "abc123", Party::First, SubjectType::User);
    assert!(id.starts_with("cgr_"), "{id}");
    let issuer = Issuer::new("https://a.example/").unwrap();
    assert_eq!(snapshot.clients.find(&issuer, "abc123"), Some(Party::First));
    assert!(found(&[ISSUER, OWN, CLIENTS, EXPORT]).is_empty());
}

#[test]
fn an_export_with_ids_needs_no_list_of_them() {
    let with_ids =
        EXPORT.replace("  - name: Web app\n", "  - name: Web app\n    client_id: abc123\n");
    assert!(found(&[ISSUER, OWN, &with_ids]).is_empty());
    let by_id = with_ids.replace("client_id: Web app", "client_id: abc123");
    assert!(found(&[ISSUER, OWN, &by_id]).is_empty());
    let unlisted = with_ids.replace("client_id: Web app", "client_id: abc124");
    assert_eq!(found(&[ISSUER, OWN, &unlisted]), ["client-unknown"].into());
}

#[test]
fn a_name_is_a_name_in_an_export_alone() {
    let own = "client_grants: [{client_id: webapp, audience: 'https://api.example', subject_type: user, scope: [read]}]\n";
    let clients = "clients: [{client_id: abc123, name: Web app}, {client_id: def, name: webapp}]\n";
    let snapshot = snapshot(&[ISSUER, OWN, clients, EXPORT, own]);
    assert!(ask(&snapshot, "webapp", Party::First, SubjectType::User).starts_with("cgr_"));
    assert_eq!(ask(&snapshot, "def", Party::First, SubjectType::User), "GrantMissing");
}

#[test]
fn a_name_that_may_mean_two_or_none_is_refused_where_its_api_is_served() {
    assert_eq!(found(&[ISSUER, OWN, EXPORT]), ["client-unknown"].into());
    let two = "clients: [{client_id: a, name: Web app}, {client_id: b, name: Web app}]\n";
    assert_eq!(found(&[ISSUER, OWN, two, EXPORT]), ["client-ambiguous"].into());
    let name_and_id = "clients: [{client_id: a, name: Web app}, {client_id: abc, name: Other}]\n";
    let text = EXPORT.replace("client_id: Web app", "client_id: abc").replace("Web app", "abc");
    let named = name_and_id.replace("Web app", "abc");
    assert_eq!(found(&[ISSUER, OWN, &named, &text]), ["client-ambiguous"].into());
    // Without a gate nobody need know who has a grant.
    assert_eq!(found(&[ISSUER, EXPORT]), ["nothing-served"].into());
}

#[test]
fn whose_an_application_is_follows_its_name_and_is_never_lost() {
    let third = EXPORT.replacen("is_first_party: true", "is_first_party: false", 1);
    let read = snapshot(&[ISSUER, OWN, CLIENTS, &third]);
    let issuer = Issuer::new("https://a.example/").unwrap();
    assert_eq!(read.clients.find(&issuer, "abc123"), Some(Party::Third));
    let nobody =
        EXPORT.replace("in grants\n    is_first_party: true", "x\n    is_first_party: false");
    assert_eq!(found(&[ISSUER, OWN, CLIENTS, &nobody]), ["client-unknown"].into());
    let twice = CLIENTS.replace("name:", "is_first_party: true, name:");
    assert_eq!(found(&[ISSUER, OWN, &twice, EXPORT]), ["client-duplicate"].into());
    // In a file of one's own an application has its id.
    let own = "clients: [{name: Web app, is_first_party: true}]\nclient_grants: []\n";
    assert_eq!(found(&[ISSUER, own]), ["key-missing"].into());
}

#[test]
fn an_api_stands_in_two_entries_that_share_no_key() {
    for (from, to, code) in [
        ("    gate:", "    name: Things\n    gate:", "resource-server-duplicate"),
        ("    gate:", "    scopes: []\n    gate:", "resource-server-duplicate"),
        ("    gate:", "    enforce_policies: false\n    gate:", ""),
    ] {
        let own = OWN.replace(from, to);
        let codes: Vec<_> = found(&[ISSUER, &own, CLIENTS, EXPORT]).into_iter().collect();
        assert_eq!(codes, if code.is_empty() { vec![] } else { vec![code] }, "{to}");
    }
    let twice = EXPORT.replace("https://other.example", "https://api.example");
    assert_eq!(found(&[ISSUER, OWN, CLIENTS, &twice]), ["resource-server-duplicate"].into());
    assert!(found(&[ISSUER, OWN, OWN, CLIENTS, EXPORT]).contains("resource-server-duplicate"));
}

#[test]
fn what_is_wrong_in_either_entry_is_said_where_it_stands() {
    let wrong = EXPORT.replace("{policy: deny_all}", "{policy: allow_all}");
    let report = try_load(&[ISSUER, OWN, CLIENTS, &wrong], &Given(&[])).unwrap_err();
    let refused = report.iter().find(|found| found.code == Code::AllowAllRefused).unwrap();
    assert_eq!(
        (refused.place.source, refused.place.path.first()),
        (3, Some(&Step::Key("resourceServers".into())))
    );
    let lost = EXPORT.replace("    subject_type_authorization:", "    token_lifetime:");
    assert_eq!(found(&[ISSUER, OWN, CLIENTS, &lost]), ["policies-missing"].into());
    let unread = EXPORT.replace("scopes: [{value: read}, {value: write}]", "scopes: read");
    assert_eq!(found(&[ISSUER, OWN, CLIENTS, &unread]), ["kind-wrong"].into());
}

#[test]
fn of_several_issuers_an_export_is_of_auth0s() {
    let two = "issuers: [{issuer: 'https://b.example', profile: rfc9068}, {issuer: 'https://a.example/', profile: auth0}]\n";
    let own = OWN.replace(
        "    gate:\n",
        "    gate:\n      issuers: ['https://a.example/', 'https://b.example']\n",
    );
    let clients = CLIENTS.replace("name:", "issuer: 'https://a.example/', name:");
    let read = snapshot(&[two, &own, &clients, EXPORT]);
    let (issuer, ..) = read.apis[0].api.grants.iter().next().unwrap();
    assert_eq!(issuer.as_str(), "https://a.example/");
    let untrusted = own.replace("'https://a.example/', ", "");
    assert!(found(&[two, &untrusted, &clients, EXPORT]).contains("grant-pointless"));
    let tenants = two.replace("rfc9068", "auth0");
    assert!(found(&[&tenants, &own, &clients, EXPORT]).contains("issuer-ambiguous"));
}

#[test]
fn secrets_in_sections_that_nobody_reads_are_not_shown() {
    let loaded = try_load(&[ISSUER, OWN, CLIENTS, EXPORT], &Given(&[])).unwrap();
    let documents = loaded.warnings.documents();
    assert!(documents[3].text.contains("connections") && !documents[3].text.contains("hush"));
}

#[test]
fn an_export_that_may_be_cut_short_is_refused() {
    for last in ["clientGrants", "clients"] {
        let (head, rest) = EXPORT.split_once(&format!("\n{last}:\n")).unwrap();
        let section: Vec<_> = rest.lines().take_while(|line| line.starts_with(' ')).collect();
        let text = format!("{head}\n{last}:\n{}\n", section.join("\n"));
        assert!(found(&[ISSUER, &text]).contains("end-marker-missing"), "{text}");
        assert!(!found(&[ISSUER, &format!("{text}...\n")]).contains("end-marker-missing"));
    }
    let json = r#"{"resourceServers": [], "clientGrants": []}"#;
    assert_eq!(found(&[ISSUER, json]), ["nothing-served"].into());
}
