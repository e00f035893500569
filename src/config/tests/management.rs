//! The Management API: what its section means, and that nobody widens himself.

use std::sync::LazyLock;

use super::*;
use crate::config::endpoints::Endpoint;
use crate::config::inventory::SYSTEM_API;
use crate::config::snapshot::{Management, ServedApi};
use crate::policy::{Ask, Audience};
use crate::route::{CanonPath, Found};
use crate::token::Algorithm;

/// A certificate and its key, and the secrets of two clients.
struct Beside;

static PAIR: LazyLock<[String; 2]> = LazyLock::new(|| {
    let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    [pair.cert.pem(), pair.signing_key.serialize_pem()]
});

impl Outside for Beside {
    fn env(&self, name: &str) -> Option<String> {
        match name {
            "ONE" => Some("the first secret, which is long enough\n".to_owned()),
            "OTHER" => Some("another secret, which is as long as it must be".to_owned()),
            "SHORT" => Some("hunter2-hunter2-hunter2-hunter2".to_owned()),
            _ => None,
        }
    }

    fn file(&self, _: &str, path: &str) -> Result<String, String> {
        let [certificate, key] = &*PAIR;
        match path {
            "tls.crt" => Ok(certificate.clone()),
            "tls.key" => Ok(key.clone()),
            _ => Err("no such file".to_owned()),
        }
    }
}

pub(super) const SECTION: &str = "
management:
  listen: 127.0.0.1:9443
  tls: {cert: tls.crt, key: tls.key}
  public_url: https://grants.example.com/
  clients: [{client_id: tool, client_secret: '${env:ONE}'}]
";
const GRANTS: &str = "
client_grants:
  - {client_id: web, subject_type: user, scope: [read, write]}
  - {client_id: tool, audience: 'urn:grantgate:management', scope: ['read:client_grants']}
";

fn try_managed(texts: &[&str]) -> Result<Loaded, Report> {
    let named = texts.iter().enumerate();
    let sources: Vec<_> =
        named.map(|(index, text)| Source::new(format!("{index}.yaml"), *text)).collect();
    load(&sources, &Beside, NOW)
}

pub(super) fn managed(texts: &[&str]) -> Snapshot {
    match try_managed(texts) {
        Ok(loaded) => loaded.snapshot,
        Err(report) => panic!("{report}"),
    }
}

fn report(texts: &[&str]) -> Report {
    match try_managed(texts) {
        Ok(loaded) => loaded.warnings,
        Err(report) => report,
    }
}

pub(super) fn codes(texts: &[&str]) -> Vec<&'static str> {
    report(texts).iter().map(|diagnostic| diagnostic.code.as_str()).collect()
}

/// What is said of the section with this line in the place of the one with its key, or beside them.
fn section(line: &str) -> Vec<&'static str> {
    let key = line.split_once(':').unwrap().0;
    let others = SECTION.lines().filter(|other| !other.starts_with(&format!("  {key}:")));
    let text = format!("{}\n  {line}\n", others.collect::<Vec<_>>().join("\n"));
    codes(&[ISSUER, API, &text, GRANTS])
}

/// What is said of one more grant for the Management API.
fn grant(fields: &str) -> Vec<&'static str> {
    let grant = format!("  - {{audience: 'urn:grantgate:management', {fields}}}\n");
    codes(&[ISSUER, API, SECTION, &format!("{GRANTS}{grant}")])
}

fn own(snapshot: &Snapshot) -> (&Management, &ServedApi) {
    let management = snapshot.management.as_ref().unwrap();
    let root = CanonPath::parse("/").unwrap();
    let site = management.sites.find("anything.example", &root).unwrap().unwrap();
    (management, &snapshot.apis[site])
}

#[test]
fn it_is_an_api_of_the_model_at_its_own_door() {
    let loaded = try_managed(&[ISSUER, API, SECTION, GRANTS]).unwrap();
    assert_eq!(loaded.warnings.to_string(), "");
    let snapshot = loaded.snapshot;
    let (management, served) = own(&snapshot);
    assert_eq!(served.api.identifier.as_str(), SYSTEM_API);
    let audiences: Vec<_> = served.audiences.iter().map(Audience::as_str).collect();
    assert_eq!(audiences, [SYSTEM_API, "https://grants.example.com/api/v2/"]);
    assert_eq!(served.public_url, "https://grants.example.com");
    assert!(served.upstream.is_none());
    assert_eq!(management.clients[0].id.as_str(), "tool");
    assert!(management.clients[0].secret.is_of(b"the first secret, which is long enough"));
    assert_eq!(management.token_lifetime.as_secs(), 600);
    assert_eq!(management.rate_limit.get(), 50);

    let orders = CanonPath::parse("/api/v2/client-grants").unwrap();
    let traffic = snapshot.sites.find("anything.example", &orders).unwrap();
    assert_eq!(snapshot.apis[traffic.unwrap()].api.identifier.as_str(), "https://api.example");

    let own_issuer = &snapshot.issuers[served.issuers[0]];
    assert_eq!(own_issuer.trust.issuer.as_str(), SYSTEM_API);
    for algorithm in Algorithm::ALL {
        let trusts = own_issuer.trust.algorithms.contains(algorithm);
        assert_eq!(trusts, algorithm == Algorithm::Ed25519, "{algorithm:?}");
    }
    assert!(matches!(&own_issuer.keys, KeySource::Fixed(keys) if keys.len() == 1));
    let others = snapshot.apis.iter().filter(|other| other.api.identifier != served.api.identifier);
    for other in others {
        assert!(other.trusted(&snapshot).all(|trust| trust.issuer.as_str() != SYSTEM_API));
    }
}

#[test]
fn its_operations_are_the_endpoints_with_their_scopes() {
    let snapshot = managed(&[ISSUER, API, SECTION, GRANTS]);
    let (_, served) = own(&snapshot);
    assert_eq!(served.operations.iter().count(), Endpoint::ALL.len());
    for endpoint in Endpoint::ALL {
        let path: Vec<_> = endpoint
            .path()
            .split('/')
            .map(|segment| if segment.starts_with('{') { "id" } else { segment })
            .collect();
        let path = path.join("/");
        let found = served.operations.find(&endpoint.method(), &CanonPath::parse(&path).unwrap());
        let Found::Operation(operation) = found else { panic!("{path}: {found:?}") };
        let asked = match &operation.ask {
            Ask::Public => None,
            Ask::Token(need) => {
                Some(served.api.scopes.of(&need.scopes).next().unwrap().to_string())
            }
        };
        assert_eq!(asked.as_deref(), endpoint.scope(), "{endpoint:?}");
    }
}

#[test]
fn a_grant_for_it_is_under_the_issuer_of_its_own_clients_or_the_one_that_is_named() {
    let tenant = SECTION.to_owned() + "  issuers: ['https://a.example/']\n";
    let grants = GRANTS.to_owned()
        + "  - {client_id: tool, audience: 'urn:grantgate:management', issuer: 'https://a.example/', \
           scope: []}\n";
    let snapshot = managed(&[ISSUER, API, &tenant, &grants]);
    let (_, served) = own(&snapshot);
    let holders = |issuer: &str| {
        let issuer = Issuer::new(issuer).unwrap();
        served
            .api
            .grants
            .own(&issuer, "tool", SubjectType::Client)
            .map(|grant| grant.ceiling.clone())
    };
    assert_eq!(holders(SYSTEM_API).unwrap().iter().count(), 1);
    assert_eq!(holders("https://a.example/").unwrap().iter().count(), 0);

    let named = GRANTS.replace("management',", "management', issuer: 'urn:grantgate:management',");
    assert_eq!(codes(&[ISSUER, API, SECTION, &named]), [] as [&str; 0]);
    // Without clients of its own the one that it trusts is meant.
    let tenants = tenant.replace("clients: [{client_id: tool, client_secret: '${env:ONE}'}]", "");
    let snapshot = managed(&[ISSUER, API, &tenants, GRANTS]);
    assert_eq!(snapshot.issuers.len(), 1);
    assert!(snapshot.management.as_ref().unwrap().signer.is_none());
    assert_eq!(own(&snapshot).1.api.grants.iter().count(), 1);
}

#[test]
fn nobody_widens_himself() {
    let refused = ["management-grant"];
    for fields in [
        "client_id: tool, subject_type: user, scope: ['read:clients']",
        "client_id: tool, subject_type: anonymous_user, scope: ['read:clients']",
        "client_id: other, scope: ['read:clients']",
        "client_id: tool, issuer: 'urn:grantgate:management', allow_all_scopes: true",
        "default_for: third_party_clients, scope: ['read:clients']",
    ] {
        assert!(grant(fields).contains(&refused[0]), "{fields}");
    }
    let grants = |scope| GRANTS.replace("'read:client_grants'", scope);
    assert_eq!(codes(&[ISSUER, API, SECTION, &grants("'read:client_grantz'")]), refused);
    assert_eq!(codes(&[ISSUER, API, SECTION, &grants("'read:clients', read")]), refused);
    let all = GRANTS.replace("scope: ['read:client_grants']", "allow_all_scopes: true");
    assert_eq!(codes(&[ISSUER, API, SECTION, &all]), refused);
    // An Auth0 tenant gives such ids to third parties alone.
    let tenant = SECTION.to_owned() + "  issuers: ['https://a.example/']\n";
    let third = GRANTS.to_owned()
        + "  - {client_id: tpc_1, audience: 'urn:grantgate:management', \
           issuer: 'https://a.example/', scope: []}\n";
    assert_eq!(codes(&[ISSUER, API, &tenant, &third]), refused);
}

#[test]
fn its_names_are_nobody_elses() {
    let with = |texts: &[&str]| {
        let mut all = vec![ISSUER, API, SECTION, GRANTS];
        all.extend(texts);
        codes(&all).contains(&"management-reserved")
    };
    let api = |identifier: &str| format!("resource_servers: [{{identifier: '{identifier}'}}]\n");
    assert!(with(&[&api("urn:grantgate:management")]));
    assert!(with(&[&api("https://grants.example.com/api/v2/")]));
    assert!(!with(&[&api("https://grants.example.com/")]));
    assert!(with(&[
        "issuers: [{issuer: 'urn:grantgate:management', profile: rfc9068, jwks: {keys: []}}]\n"
    ]));
    let gate = api_with("audiences: [a, 'urn:grantgate:management']");
    assert!(codes(&[ISSUER, &gate, SECTION, GRANTS]).contains(&"management-reserved"));
    // They are kept free where the section is not written, too.
    assert!(codes(&[ISSUER, &gate, GRANTS]).contains(&"management-reserved"));
}

#[test]
fn no_other_api_trusts_its_issuer() {
    let gate = api_with("issuers: ['https://a.example/', 'urn:grantgate:management']");
    assert_eq!(codes(&[ISSUER, &gate, SECTION, GRANTS]), ["issuer-unknown"]);
    let grant = GRANTS.to_owned()
        + "  - {client_id: tool, audience: 'https://api.example', issuer: 'urn:grantgate:management', \
           scope: []}\n";
    assert_eq!(codes(&[ISSUER, API, SECTION, &grant]), ["issuer-unknown"]);
}

#[test]
fn what_may_be_left_out_without_it_may_be_with_it() {
    // The one API and the one issuer are the only ones all the same; so is "nothing".
    let clients = "clients: [{client_id: web, is_first_party: true}]\n";
    assert_eq!(codes(&[ISSUER, API, SECTION, GRANTS, clients]), [] as [&str; 0]);
    assert_eq!(codes(&[SECTION, "client_grants: []\n"]), ["nothing-served"]);
    let without = "client_grants: [{client_id: web, scope: []}]\n";
    assert_eq!(
        codes(&[ISSUER, SECTION, without]),
        ["audience-ambiguous", "audience-ambiguous"][..1]
    );
}

#[test]
fn without_the_section_a_grant_for_it_is_for_an_api_elsewhere() {
    assert_eq!(codes(&[ISSUER, API, GRANTS]), ["grant-elsewhere"]);
}

#[test]
fn its_keys_say_what_they_must() {
    assert_eq!(section("token_lifetime: 24h"), [] as [&str; 0]);
    for bad in ["0s", "500ms", "1500ms", "25h", "soon"] {
        assert_eq!(section(&format!("token_lifetime: {bad}")), ["duration-invalid"], "{bad}");
    }
    for bad in ["http://a.example", "https://a.example?b", "https://u:p@a.example", "a.example"] {
        assert_eq!(section(&format!("public_url: {bad}")), ["url-invalid"], "{bad}");
    }
    for file in ["grants.yaml", "a.b.yml", "grants.json"] {
        assert_eq!(section(&format!("file: {file}")), [] as [&str; 0], "{file}");
    }
    for bad in ["grants", "a/grants.yaml", "../g.yaml", ".yaml", ".g.json", "g.toml", "'a\\b.yml'"]
    {
        assert_eq!(section(&format!("file: {bad}")), ["name-invalid"], "{bad}");
    }
    for list in ["issuers: ['https://b.example/']", "grants_issuer: 'https://b.example/'"] {
        assert_eq!(section(list), ["issuer-unknown"], "{list}");
    }
    assert_eq!(section("grants_issuer: 'https://a.example/'"), [] as [&str; 0]);
    assert_eq!(section("grants_issuer: 'urn:grantgate:management'"), ["issuer-unknown"]);
    for bad in ["rate_limit: 0", "rate_limit: 10001"] {
        assert_eq!(section(bad), ["kind-wrong"], "{bad}");
    }
    assert_eq!(section("listen: '0.0.0.0:8080'"), ["listen-twice"]);
    assert_eq!(section("listen: 'unix:/run/g.sock'"), ["address-invalid"]);
    assert_eq!(section("tls: {cert: tls.crt}"), ["key-missing"]);
    assert_eq!(section("tls: {cert: tls.crt, key: tls.key, client_ca: tls.crt}"), [] as [&str; 0]);
    for key in ["listen", "tls"] {
        let others = SECTION.lines().filter(|line| !line.starts_with(&format!("  {key}:")));
        let text = others.collect::<Vec<_>>().join("\n");
        assert_eq!(codes(&[ISSUER, API, &text, GRANTS]), ["key-missing"], "{key}");
    }
}

#[test]
fn somebody_may_call() {
    let nobody = SECTION.replace("clients: [{client_id: tool, client_secret: '${env:ONE}'}]", "");
    assert_eq!(codes(&[ISSUER, API, &nobody, "client_grants: []\n"])[..1], ["key-missing"]);
}

#[test]
fn a_secret_is_referred_to_and_never_shown() {
    let secret =
        |text: &str| report(&[ISSUER, API, &SECTION.replace("'${env:ONE}'", text), GRANTS]);
    for (text, code) in [
        ("correct-horse-battery-staple-and-more", "secret-literal"),
        ("'${env:NOBODY}'", "secret-missing"),
        ("'${env:SHORT}'", "secret-weak"),
    ] {
        let report = secret(text);
        let codes: Vec<_> = report.iter().map(|diagnostic| diagnostic.code.as_str()).collect();
        assert_eq!(codes, [code]);
        assert!(!report.to_string().contains("horse") && !report.to_string().contains("hunter2"));
    }
    let loaded = managed(&[ISSUER, API, SECTION, GRANTS]);
    assert!(!format!("{:?}", loaded.management).contains("long enough"));
}

#[test]
fn clients_are_told_apart_and_sign_with_all_their_secrets() {
    let tools =
        |list: &str| SECTION.replace("{client_id: tool, client_secret: '${env:ONE}'}", list);
    let one = "{client_id: tool, client_secret: '${env:ONE}'}";
    let other = "{client_id: other, client_secret: '${env:OTHER}'}";
    let twice = tools(&format!("{one}, {{client_id: tool, client_secret: '${{env:OTHER}}'}}"));
    assert_eq!(codes(&[ISSUER, API, &twice, GRANTS]), ["client-duplicate"]);
    let kid = |list: &str| {
        let snapshot = managed(&[ISSUER, API, &tools(list), GRANTS]);
        let keys = snapshot.management.unwrap().signer.unwrap().keys().unwrap();
        keys.kids().next().unwrap().to_owned()
    };
    assert_eq!(kid(&format!("{one}, {other}")), kid(&format!("{other}, {one}")));
    assert_ne!(kid(&format!("{one}, {other}")), kid(one));
}

#[test]
fn what_it_gives_is_part_of_what_changes() {
    let (without, with) =
        (managed(&[ISSUER, API, GRANTS]), managed(&[ISSUER, API, SECTION, GRANTS]));
    let diff = AccessDiff::between(&without, &with, NOW);
    assert!(diff.losses() == 0 && diff.gained().all(|it| it.api.as_str() == SYSTEM_API));
    let calls = |operation: &str| {
        let what = What::Operation(operation.into());
        diff.gained().filter(|it| it.what == what).count()
    };
    assert_eq!(calls("GET /api/v2/client-grants"), 1);
    assert_eq!(calls("POST /api/v2/client-grants"), 0);
    assert_eq!(calls("POST /oauth/token"), 1);
    assert!(AccessDiff::between(&with, &without, NOW).lost().eq(diff.gained()));
}

#[test]
fn it_is_shown_as_an_api_that_nobody_changes() {
    let snapshot = managed(&[ISSUER, API, SECTION, GRANTS]);
    let inventory = &snapshot.management.as_ref().unwrap().inventory;
    let shown = inventory.api(SYSTEM_API).unwrap();
    assert!(shown.is_system && shown.has_gate);
    assert_eq!(shown.issuers, [Issuer::new(SYSTEM_API).unwrap()]);
    let system: Vec<_> = inventory.grants.iter().map(|grant| grant.is_system).collect();
    assert_eq!(system, [false, true]);
    assert_eq!(inventory.grants[1].issuer.as_ref().unwrap().as_str(), SYSTEM_API);
}

/// Whoever reads what is shown sees what holds.
#[test]
fn it_is_shown_as_it_is() {
    let snapshot = managed(&[ISSUER, API, SECTION, GRANTS]);
    let (management, served) = own(&snapshot);
    let shown =
        serde_json::Value::Object(management.inventory.api(SYSTEM_API).unwrap().written.clone());
    let scopes = shown["scopes"].as_array().unwrap().iter().map(|scope| scope["value"].as_str());
    assert!(scopes.eq(served.api.scopes.iter().map(|scope| Some(&**scope))));
    for subject_type in SubjectType::ALL {
        let policy = &shown["subject_type_authorization"][subject_type.as_str()]["policy"];
        let expected = match served.api.access.policy(subject_type) {
            crate::policy::Policy::AllowAll => "allow_all",
            crate::policy::Policy::DenyAll => "deny_all",
            crate::policy::Policy::RequireClientGrant => "require_client_grant",
        };
        assert_eq!(policy, expected, "{subject_type:?}");
    }
}
