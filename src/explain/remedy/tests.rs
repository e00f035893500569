//! For each code: the change is proven, and gives nobody else anything.

mod random;

use serde_json::{Map, Value, json};

use super::*;
use crate::config::snapshot::RemoteKeys;
use crate::config::{AccessDiff, Caller, Loaded, Which, load_with_inventory};
use crate::gate::{Env, Shown, Verdict};
use crate::policy::Issuer;
use crate::token::{KeySet, VerifiedCache};

struct Nothing;

impl Outside for Nothing {
    fn env(&self, name: &str) -> Option<String> {
        (name == "SECRET").then(|| "x".repeat(64))
    }

    fn file(&self, _: &str, _: &str) -> Result<String, String> {
        Err("none".to_owned())
    }
}

impl Keys for Nothing {
    fn find(&self, _: &Issuer, _: &RemoteKeys) -> Option<&KeySet> {
        None
    }
}

const NOW: UnixTime = UnixTime::from_seconds(1_800_000_000);

const ISSUERS: &str = "\
issuers:
  - issuer: https://a.eu.auth0.com/   # the tenant
    profile: auth0
";

const APIS: &str = r#"
resource_servers:
  - identifier: https://orders.example
    scopes: [{value: "read:orders"}, {value: "write:orders"}, {value: "admin:orders"}]
    authorization_details: [{type: payment}]
    subject_type_authorization:
      user: {policy: require_client_grant}
      client: {policy: require_client_grant}
    gate:
      hosts: [orders.example]
      upstream: http://127.0.0.1:3000
      operations:
        - {on: "GET /orders/{id}", scopes: ["read:orders"]}   # one of them
        - {on: "POST /orders", scopes: ["write:orders"]}
        - {on: "POST /pay", authorization_details: [payment]}
        - {on: "GET /healthz", public: true}
"#;

const GRANTS: &str = r#"
client_grants:
  # The shop.
  - client_id: web
    audience: https://orders.example
    subject_type: user
    scope: ["read:orders"]

  # At night.
  - client_id: batch
    audience: https://orders.example
    scope: ["read:orders"]
    expires_at: "2020-01-01T00:00:00Z"
"#;

/// A configuration, and who asks what of it.
struct Case {
    sources: Vec<Source>,
    method: &'static str,
    url: &'static str,
    shown: Shown,
}

#[expect(clippy::needless_pass_by_value, reason = "cases read better so")]
fn claims(more: Value) -> Map<String, Value> {
    let mut claims = json!({
        "iss": "https://a.eu.auth0.com/", "aud": "https://orders.example", "sub": "auth0|1",
        "azp": "web", "scope": "read:orders", "exp": 1_800_000_060,
    });
    let all = claims.as_object_mut().unwrap();
    for (name, value) in more.as_object().unwrap() {
        if value.is_null() {
            all.remove(name);
        } else {
            all.insert(name.clone(), value.clone());
        }
    }
    all.clone()
}

/// A machine's claims.
#[expect(clippy::needless_pass_by_value, reason = "cases read better so")]
fn machine(client: &str, more: Value) -> Map<String, Value> {
    let mut claims = claims(json!({
        "azp": client, "sub": format!("{client}@clients"), "gty": "client-credentials",
    }));
    claims.extend(more.as_object().unwrap().clone());
    claims
}

impl Case {
    fn new(
        texts: &[&str],
        method: &'static str,
        path: &'static str,
        shown: Map<String, Value>,
    ) -> Self {
        let names = ["a.yaml", "b.yaml", "c.yaml"].into_iter();
        let sources = names.zip(texts).map(|(name, text)| Source::new(name, *text)).collect();
        Self { sources, method, url: path, shown: Shown::Claims(shown) }
    }

    /// Of the files that most cases ask of.
    fn usual(method: &'static str, url: &'static str, shown: Map<String, Value>) -> Self {
        Self::new(&[&format!("{ISSUERS}{APIS}{GRANTS}")], method, url, shown)
    }

    fn changed(mut self, from: &str, to: &str) -> Self {
        assert!(self.sources.iter().any(|source| source.text.contains(from)), "{from}");
        for source in &mut self.sources {
            source.text = source.text.replace(from, to).into();
        }
        self
    }

    fn load(sources: &[Source]) -> Loaded {
        let loaded = load_with_inventory(sources, &Nothing, NOW);
        loaded.unwrap_or_else(|report| panic!("{}", report.render(crate::config::Style::Plain)))
    }

    fn supposed(&self, loaded: &Loaded) -> Supposed {
        let api = loaded.snapshot.apis.first();
        Supposed::new(self.method, self.url, self.shown.clone(), &loaded.snapshot, api).unwrap()
    }

    /// The code that refuses, if any does.
    fn code(&self, sources: &[Source]) -> Option<String> {
        let loaded = Self::load(sources);
        // It was asked of the files as they were.
        let supposed = self.supposed(&Self::load(&self.sources));
        let cache = VerifiedCache::with_capacity(0);
        let env = Env { keys: &Nothing, cache: &cache, now: NOW };
        let held = std::cell::OnceCell::new();
        let (crate::gate::Step::Done(outcome)
        | crate::gate::Step::NeedKeys { otherwise: outcome, .. }) =
            supposed.ask(&loaded.snapshot, &env, &held);
        match outcome.verdict {
            Verdict::Pass(_) => None,
            Verdict::Refuse(refusal) | Verdict::WouldRefuse(_, refusal) => {
                Some(refusal.code.to_string())
            }
            Verdict::Preflight(_) => panic!("no preflight was asked"),
        }
    }

    fn advice(&self) -> Advice {
        let loaded = Self::load(&self.sources);
        let files = Files {
            sources: &self.sources,
            snapshot: &loaded.snapshot,
            inventory: loaded.inventory.as_deref().unwrap(),
            outside: &Nothing,
        };
        advise(&files, &self.supposed(&loaded), &Nothing, NOW)
    }

    fn after(&self, change: &Change) -> Vec<Source> {
        let of = |source: &Source| {
            let changed = change.files.iter().find(|file| file.name == source.name);
            changed.map_or_else(
                || source.clone(),
                |file| {
                    assert_eq!(file.before, *source.text);
                    assert_ne!(file.after, *source.text, "a file that is told to change does");
                    Source::new(&*file.name, &*file.after)
                },
            )
        };
        self.sources.iter().map(of).collect()
    }

    /// The change that is advised against `code`; it was made and asked about again.
    fn change(&self, code: &str) -> Change {
        assert_eq!(self.code(&self.sources).as_deref(), Some(code));
        let change = match self.advice() {
            Advice::Change(change) => change,
            other => panic!("{code}: {other:?}"),
        };
        assert_eq!(self.code(&self.after(&change)), None, "{change:#?}");
        assert!(!change.steps.is_empty() && change.steps.iter().all(|step| !step.at.is_empty()));
        change
    }

    /// Who gains something by a change, and what.
    fn gained(&self, change: &Change) -> Vec<(String, String)> {
        let (old, new) = (Self::load(&self.sources), Self::load(&self.after(change)));
        let diff = AccessDiff::between(&old.snapshot, &new.snapshot, NOW);
        let who = |caller: &Caller| match caller {
            Caller::Application { which: Which::Client(client), .. } => client.to_string(),
            other => format!("{other:?}"),
        };
        assert_eq!(diff.losses(), 0, "{change:#?}");
        diff.gained().map(|it| (who(&it.caller), format!("{:?}", it.what))).collect()
    }

    /// The change against `code`, by which `client` alone gains something.
    fn change_for(&self, code: &str, client: &str) -> Change {
        let change = self.change(code);
        let gained = self.gained(&change);
        assert!(!gained.is_empty() && gained.iter().all(|(who, _)| who == client), "{gained:?}");
        change
    }

    fn request(&self, code: &str) -> String {
        assert_eq!(self.code(&self.sources).as_deref(), Some(code));
        match self.advice() {
            Advice::Request(words) => words,
            other => panic!("{code}: {other:?}"),
        }
    }
}

fn added(change: &Change) -> Vec<&str> {
    let lines = change.files.iter().flat_map(|file| file.diff.lines());
    lines
        .filter(|line| line.starts_with('+') && !line.starts_with("+++"))
        .map(|line| &line[1..])
        .collect()
}

fn words(change: &Change) -> Vec<String> {
    change.steps.iter().map(|step| format!("{} ({})", step.words, step.at)).collect()
}

#[test]
fn what_is_allowed_needs_nothing() {
    let case = Case::usual("GET", "/orders/1", claims(json!({})));
    assert_eq!(case.advice(), Advice::Nothing);
}

#[test]
fn a_grant_that_is_missing_gives_what_the_request_needs() {
    let case = Case::usual("GET", "/orders/1", claims(json!({"azp": "new"})));
    let change = case.change_for("grant-missing", "new");
    assert_eq!(
        added(&change),
        [
            "",
            "  - client_id: new",
            "    audience: https://orders.example",
            "    subject_type: user",
            "    scope: [\"read:orders\"]",
        ]
    );
    assert_eq!(
        words(&change),
        ["add a grant for `new` to `https://orders.example`, subject type `user` (a.yaml:23)"]
    );
    assert_eq!(change.instead, None);
    assert_eq!(change.caution, None);
}

#[test]
fn a_machine_s_grant_is_for_its_organization() {
    let shown = machine("new", json!({"org_id": "org_acme"}));
    let case = Case::usual("GET", "/orders/1", shown);
    let change = case.change_for("grant-missing", "new");
    assert_eq!(
        added(&change)[4..],
        [
            "    organization_usage: require",
            "    organizations: [\"org_acme\"]",
            "    scope: [\"read:orders\"]"
        ]
    );
    let gained = case.gained(&change);
    assert!(!gained.iter().any(|(_, what)| what.contains("OrganizationNone")), "{gained:?}");
}

#[test]
fn trimmed_tokens_need_a_grant_for_what_the_operation_needs_alone() {
    let shown = claims(json!({"azp": "new", "scope": "read:orders write:orders other"}));
    let trim =
        "upstream: http://127.0.0.1:3000\n      over_ceiling: trim\n      authorization: remove";
    let case =
        Case::usual("GET", "/orders/1", shown).changed("upstream: http://127.0.0.1:3000", trim);
    let change = case.change_for("grant-missing", "new");
    assert_eq!(added(&change).last(), Some(&"    scope: [\"read:orders\"]"));
}

#[test]
fn a_grant_is_renewed_and_keeps_its_end() {
    let case = Case::usual("GET", "/orders/1", machine("batch", json!({})));
    let change = case.change_for("grant-expired", "batch");
    assert_eq!(added(&change), ["    expires_at: \"2027-02-14T00:00:00Z\""]);
    assert_eq!(
        words(&change),
        ["let the grant of `batch` last until `2027-02-14T00:00:00Z` (a.yaml:32)"]
    );
}

#[test]
fn scopes_above_the_ceiling_are_added_to_it_and_declared_where_they_are_not() {
    let shown = claims(json!({"scope": "read:orders write:orders"}));
    let case = Case::usual("GET", "/orders/1", shown);
    let change = case.change_for("scope-exceeds-grant", "web");
    assert_eq!(added(&change), ["    scope: [\"read:orders\", \"write:orders\"]"]);

    let shown = claims(json!({"scope": "read:orders more"}));
    let case = Case::usual("GET", "/orders/1", shown);
    let change = case.change_for("scope-exceeds-grant", "web");
    assert_eq!(
        words(&change),
        [
            "declare `more` on `https://orders.example` (a.yaml:7)",
            "add `more` to the scopes of the grant of `web` (a.yaml:26)"
        ]
    );
}

#[test]
fn a_grant_that_lists_what_is_not_declared_needs_the_declaration_alone() {
    let shown = claims(json!({"scope": "read:orders more"}));
    let case = Case::usual("GET", "/orders/1", shown).changed(
        "subject_type: user\n    scope: [\"read:orders\"]",
        "subject_type: user\n    scopes: [\"read:orders\", more]",
    );
    let change = case.change_for("scope-exceeds-grant", "web");
    assert_eq!(words(&change), ["declare `more` on `https://orders.example` (a.yaml:7)"]);
}

#[test]
fn where_a_grant_gives_all_scopes_one_more_is_declared() {
    let shown = claims(json!({"scope": "read:orders more"}));
    let case = Case::usual("GET", "/orders/1", shown).changed(
        "subject_type: user\n    scope: [\"read:orders\"]",
        "subject_type: user\n    allow_all_scopes: true",
    );
    let change = case.change_for("scope-exceeds-grant", "web");
    assert_eq!(change.steps.len(), 1);
    assert!(change.caution.unwrap().contains("everybody whom"));
}

#[test]
fn where_all_users_are_let_in_one_more_scope_is_declared() {
    let shown = claims(json!({"azp": "any", "scope": "read:orders more"}));
    let case = Case::usual("GET", "/orders/1", shown)
        .changed("user: {policy: require_client_grant}", "user: {policy: allow_all}");
    let change = case.change("scope-exceeds-grant");
    assert_eq!(words(&change), ["declare `more` on `https://orders.example` (a.yaml:7)"]);
    assert!(change.caution.is_some());
}

const DEFAULT: &str = "
  - default_for: third_party_clients
    audience: https://orders.example
    subject_type: user
    scope: [\"read:orders\"]
";

#[test]
fn a_third_party_gets_a_grant_of_its_own() {
    let shown = claims(json!({"azp": "tpc_1", "scope": "read:orders write:orders"}));
    let mut case = Case::usual("GET", "/orders/1", shown);
    std::sync::Arc::make_mut(&mut case.sources[0].text).push_str(DEFAULT);
    let change = case.change_for("scope-exceeds-grant", "tpc_1");
    let own = added(&change);
    assert!(own.contains(&"  - client_id: tpc_1"), "{own:?}");
    assert_eq!(own.last(), Some(&"    scope: [\"read:orders\", \"write:orders\"]"));

    let case = case.changed(
        "third_party_clients\n",
        "third_party_clients\n    expires_at: \"2020-01-01T00:00:00Z\"\n",
    );
    case.change_for("grant-expired", "tpc_1");
}

#[test]
fn scopes_that_an_operation_needs_are_granted() {
    let trim =
        "upstream: http://127.0.0.1:3000\n      over_ceiling: trim\n      authorization: remove";
    let shown = claims(json!({"scope": "read:orders write:orders admin:orders"}));
    let case =
        Case::usual("POST", "/orders", shown).changed("upstream: http://127.0.0.1:3000", trim);
    let change = case.change_for("scope-not-granted", "web");
    assert_eq!(added(&change), ["    scope: [\"read:orders\", \"write:orders\"]"]);
    let case = case
        .changed("scopes: [\"write:orders\"]", "any_scopes: [\"admin:orders\", \"write:orders\"]");
    let change = case.change_for("scope-not-granted", "web");
    assert_eq!(added(&change), ["    scope: [\"read:orders\", \"admin:orders\"]"]);
}

#[test]
fn authorization_details_are_granted_and_registered() {
    let details = json!([{"type": "payment"}, {"type": "refund"}]);
    let shown = claims(json!({"authorization_details": details}));
    let case = Case::usual("POST", "/pay", shown);
    let change = case.change_for("authorization-details-exceed-grant", "web");
    assert_eq!(
        words(&change),
        [
            "register `refund` for authorization details on `https://orders.example` (a.yaml:8)",
            "add `payment` and `refund` to the authorization details types of the grant of `web` \
            (a.yaml:23)"
        ]
    );
    let shown = machine("batch", json!({"authorization_details": [{"type": "payment"}]}));
    let case = Case::usual("POST", "/pay", shown)
        .changed("    expires_at: \"2020-01-01T00:00:00Z\"\n", "");
    assert!(
        case.request("authorization-details-exceed-grant")
            .contains("without authorization details")
    );
}

#[test]
fn who_holds_too_little_is_told_to_get_more_first() {
    let case = Case::usual("POST", "/orders", claims(json!({})));
    let change = case.change("scope-insufficient");
    let instead = change.instead.clone().unwrap();
    assert!(
        instead.contains("a token that holds `write:orders`; the application may not"),
        "{instead}"
    );
    assert_eq!(
        added(&change),
        ["        - {on: \"POST /orders\", any_scopes: [\"write:orders\", \"read:orders\"]}"]
    );
    assert!(change.caution.clone().unwrap().contains("every caller"));

    let case = Case::usual("POST", "/orders", claims(json!({"scope": ""}))).changed(
        "user\n    scope: [\"read:orders\"]",
        "user\n    scope: [\"read:orders\", \"write:orders\"]",
    );
    let change = case.change("scope-insufficient");
    assert!(change.instead.clone().unwrap().contains("the application may have that"));
    assert_eq!(added(&change), ["        - {on: \"POST /orders\", any_token: true}"]);

    let case = Case::usual("POST", "/orders", claims(json!({})))
        .changed("[\"write:orders\"]}", "[\"read:orders\", \"write:orders\"]}");
    let change = case.change("scope-insufficient");
    assert_eq!(added(&change), ["        - {on: \"POST /orders\", scopes: [\"read:orders\"]}"]);

    let case = Case::usual("POST", "/pay", claims(json!({})));
    let change = case.change("scope-insufficient");
    assert_eq!(added(&change), ["        - {on: \"POST /pay\", any_token: true}"]);
}

#[test]
fn organizations_are_admitted_one_by_one() {
    let lasting = |case: Case| case.changed("    expires_at: \"2020-01-01T00:00:00Z\"\n", "");
    let shown = machine("batch", json!({"org_id": "org_acme"}));
    let case = lasting(Case::usual("GET", "/orders/1", shown.clone()));
    let change = case.change_for("organization-denied", "batch");
    assert_eq!(
        added(&change),
        ["    organization_usage: allow", "    organizations: [\"org_acme\"]"]
    );

    let any = "    allow_any_organization: true\n    scope: [\"read:orders\"]\n    expires_at";
    let case = lasting(
        Case::usual("GET", "/orders/1", shown.clone())
            .changed("    scope: [\"read:orders\"]\n    expires_at", any),
    );
    let change = case.change_for("organization-denied", "batch");
    assert!(added(&change).contains(&"    allow_any_organization: false"));

    let require = "    organization_usage: require\n    organizations: [org_b]\n    scope: [\"read:orders\"]\n    expires_at";
    let case = lasting(
        Case::usual("GET", "/orders/1", shown)
            .changed("    scope: [\"read:orders\"]\n    expires_at", require),
    );
    let change = case.change_for("organization-not-associated", "batch");
    assert_eq!(added(&change), ["    organizations: [org_b, org_acme]"]);

    let case = lasting(
        Case::usual("GET", "/orders/1", machine("batch", json!({})))
            .changed("    scope: [\"read:orders\"]\n    expires_at", require),
    );
    let change = case.change_for("organization-required", "batch");
    assert_eq!(added(&change), ["    organization_usage: allow"]);

    let shown = machine("batch", json!({"org_name": "acme"}));
    let case = lasting(Case::usual("GET", "/orders/1", shown));
    assert!(case.request("organization-denied").contains("by its id"));
}

#[test]
fn a_policy_that_denies_all_asks_a_grant() {
    let case = Case::usual("GET", "/orders/1", claims(json!({"azp": "new"})))
        .changed("user: {policy: require_client_grant}", "user: {policy: deny_all}")
        .changed("client_id: web\n", "client_id: new\n");
    let change = case.change_for("policy-denies-all", "new");
    assert_eq!(added(&change), ["      user: {policy: require_client_grant}"]);
    assert!(change.caution.unwrap().ends_with(": 1"));

    let shown = claims(json!({"azp": "new", "sub": "anon@1"}));
    let case = Case::usual("GET", "/orders/1", shown);
    let change = case.change_for("policy-denies-all", "new");
    assert_eq!(change.steps.len(), 2);
    assert_eq!(added(&change)[0], "      anonymous_user: {policy: require_client_grant}");
}

#[test]
fn what_shows_no_subject_type_may_count_as_a_user_s() {
    let case = Case::usual("GET", "/orders/1", claims(json!({"sub": "nobody"})));
    let change = case.change("subject-type-ambiguous");
    assert_eq!(added(&change), ["    unproven: user"]);
    assert!(change.caution.is_some());
    let case = Case::usual("GET", "/orders/1", claims(json!({"gty": "client-credentials"})));
    assert!(case.request("subject-type-ambiguous").contains("contradicts itself"));
    let case = Case::usual("GET", "/orders/1", claims(json!({"azp": null})));
    assert!(case.request("client-unidentified").contains("one client id"));
}

#[test]
fn an_api_is_served_under_one_more_host_or_below_a_shorter_path() {
    let case = Case::usual("GET", "https://api.example/orders/1", claims(json!({})));
    let change = case.change("route-unknown");
    assert_eq!(added(&change), ["      hosts: [orders.example, api.example]"]);

    let case = Case::usual("GET", "https://orders.example/orders/1", claims(json!({})))
        .changed("      upstream:", "      path_prefix: /v1\n      upstream:")
        .changed(" /orders", " /v1/orders")
        .changed("/pay", "/v1/pay")
        .changed("/healthz", "/v1/healthz");
    let change = case.change("route-unknown");
    let words = words(&change);
    assert!(words[0].starts_with("serve `https://orders.example` below `/` "), "{words:?}");
    assert!(words[1].starts_with("list `GET /orders/1` at"), "{words:?}");
}

#[test]
fn an_operation_that_is_not_listed_asks_what_the_caller_may_use() {
    let case = Case::usual("GET", "/reports/*/7", claims(json!({})));
    let change = case.change("operation-unlisted");
    assert_eq!(
        added(&change),
        ["        - {on: \"GET /reports/%2A/7\", scopes: [\"read:orders\"]}"]
    );
    assert!(change.caution.clone().unwrap().contains("`{id}`"));
    let case = Case::usual("GET", "/reports", claims(json!({"scope": ""})));
    let change = case.change("operation-unlisted");
    assert_eq!(added(&change), ["        - {on: \"GET /reports\", any_token: true}"]);
    let case = Case::usual("POST", "/orders/", claims(json!({})));
    let change = case.change("path-ambiguous");
    assert_eq!(added(&change), ["        - {on: \"POST /orders/\", scopes: [\"read:orders\"]}"]);
    let case = Case::usual("GET", "/a/../b", claims(json!({})));
    assert!(case.request("path-ambiguous").contains("plain form"));
}

#[test]
fn a_method_is_listed_like_the_others_of_its_path() {
    let case = Case::usual("DELETE", "/orders/7", claims(json!({})));
    let change = case.change("method-refused");
    assert_eq!(
        added(&change),
        ["        - {on: \"DELETE /orders/{id}\", scopes: [\"read:orders\"]}"]
    );
    let case = Case::usual("PUT", "/orders", claims(json!({})));
    let change = case.change("method-refused");
    assert_eq!(added(&change), ["        - {on: \"PUT /orders\", scopes: [\"read:orders\"]}"]);
}

#[test]
fn an_audience_is_taken_and_an_id_token_s_is_not() {
    let case = Case::usual("GET", "/orders/1", claims(json!({"aud": ["https://other.example"]})));
    let change = case.change("token-audience-mismatch");
    assert_eq!(added(&change), ["      audiences:", "        - https://other.example"]);
    assert!(change.caution.is_some());
    let case = Case::usual("GET", "/orders/1", claims(json!({"aud": "web"})));
    assert!(case.request("token-audience-mismatch").contains("audience"));
}

#[test]
fn an_issuer_is_trusted_and_everybody_says_then_which_is_meant() {
    let shown = claims(json!({"iss": "https://b.eu.auth0.com/"}));
    let case = Case::usual("GET", "/orders/1", shown.clone());
    let change = case.change("token-issuer-unknown");
    let words = words(&change);
    assert_eq!(words.len(), 2, "{words:?}");
    assert!(
        words[0]
            .starts_with("configure the issuer `https://b.eu.auth0.com/` with the profile `auth0`")
    );
    let added = added(&change);
    assert!(added.contains(&"  - issuer: https://b.eu.auth0.com/"), "{added:#?}");
    assert!(added.contains(&"    issuer: https://a.eu.auth0.com/"), "{added:#?}");
    assert!(change.caution.unwrap().contains("known to be yours"));

    let two = "auth0\n  - {issuer: https://b.eu.auth0.com/, profile: auth0}\n";
    let case = Case::usual("GET", "/orders/1", shown)
        .changed("auth0\n", two)
        .changed("      upstream:", "      issuers: [https://a.eu.auth0.com/]\n      upstream:");
    let change = case.change("token-issuer-unknown");
    assert!(change.steps[0].words.starts_with("trust the issuer `https://b.eu.auth0.com/`"));

    let case =
        Case::usual("GET", "/orders/1", claims(json!({"iss": "https://c.example/", "azp": null})));
    assert!(case.request("token-issuer-unknown").contains("an issuer that this API trusts"));
}

#[test]
fn against_a_token_that_is_wrong_nothing_is_changed() {
    for (more, code) in [
        (json!({"exp": 1_700_000_000}), "token-expired"),
        (json!({"nbf": 1_900_000_000}), "token-not-yet-valid"),
        (json!({"exp": null}), "token-claim-missing"),
        (json!({"exp": "soon"}), "token-malformed"),
        (json!({"at_hash": "x"}), "token-type-refused"),
        (
            json!({"cnf": {"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}}),
            "sender-constraint-missing",
        ),
        (json!({"cnf": 1}), "sender-constraint-invalid"),
    ] {
        let case = Case::usual("GET", "/orders/1", claims(more));
        assert!(!case.request(code).is_empty());
    }
    let mut case = Case::usual("GET", "/orders/1", claims(json!({})));
    case.shown = Shown::Nothing;
    assert!(case.request("token-missing").contains("Authorization"));
    // Nor does a listed path help whoever has no token.
    let case = Case { url: "https://elsewhere.example/", ..case };
    let words = case.request("route-unknown");
    assert!(words.contains("`token-missing` would refuse next"), "{words}");
    let case = Case { method: "TRACE", url: "/orders/1", ..case };
    assert!(!case.request("request-malformed").is_empty());
}

#[test]
fn what_is_only_reported_is_advised_upon_alike() {
    let case = Case::usual("GET", "/orders/1", claims(json!({"azp": "new"})))
        .changed("      upstream:", "      enforcement: report\n      upstream:");
    let change = case.change("grant-missing");
    assert_eq!(change.steps.len(), 1);
}

#[test]
fn tenant_exports_are_left_alone_where_a_file_of_one_s_own_is_there() {
    let export = "\
clients:
  - {name: Shop, client_id: web}
clientGrants:
  - client_id: web
    audience: https://orders.example
    subject_type: user
    scope: [\"read:orders\"]
...
";
    let own = format!("{ISSUERS}{APIS}client_grants: []\n");
    let shown = claims(json!({"azp": "new"}));
    let case = Case::new(&[&own, export], "GET", "/orders/1", shown);
    let change = case.change_for("grant-missing", "new");
    assert_eq!(change.files[0].name, "a.yaml");
    assert_eq!(added(&change)[0], "client_grants:");

    let shown = claims(json!({"scope": "read:orders write:orders"}));
    let case = Case::new(&[&own, export], "GET", "/orders/1", shown);
    let change = case.change("scope-exceeds-grant");
    assert_eq!(change.files[0].name, "b.yaml");
    assert!(change.caution.unwrap().contains("export"));
}

#[test]
fn the_file_stays_as_it_was_but_for_the_change() {
    let case =
        Case::usual("GET", "/orders/1", claims(json!({"scope": "read:orders write:orders"})));
    let change = case.change("scope-exceeds-grant");
    assert_eq!(
        change.files[0].diff,
        "\
--- a.yaml
+++ a.yaml
@@ -23,7 +23,7 @@
   - client_id: web
     audience: https://orders.example
     subject_type: user
-    scope: [\"read:orders\"]
+    scope: [\"read:orders\", \"write:orders\"]
 
   # At night.
   - client_id: batch
"
    );
}

#[test]
fn secrets_near_a_change_are_not_shown() {
    let secret = "    signing_secret: hunter2hunter2\n    scopes:";
    let shown = claims(json!({"scope": "read:orders more"}));
    let case = Case::usual("GET", "/orders/1", shown).changed("    scopes:", secret);
    let change = case.change("scope-exceeds-grant");
    assert!(change.files[0].after.contains("hunter2"));
    assert!(!change.files[0].diff.contains("hunter2"), "{}", change.files[0].diff);
    assert!(change.files[0].masked);
}

#[test]
fn secrets_far_from_a_change_hide_nothing_of_it() {
    let secret = "    signing_secret: hunter2hunter2\n    scopes:";
    let shown = claims(json!({"azp": "new"}));
    let case = Case::usual("GET", "/orders/1", shown).changed("    scopes:", secret);
    assert!(!case.change("grant-missing").files[0].masked);
}

#[test]
fn a_method_for_a_listed_pattern_is_not_said_to_be_one_path() {
    let case = Case::usual("PUT", "/orders/1", claims(json!({})));
    let caution = case.change("method-refused").caution.unwrap();
    assert!(caution.contains("opens all such paths") && !caution.contains("one path"), "{caution}");
}

#[test]
fn an_operation_beside_one_that_differs_by_case_is_said_to_be_so() {
    let case = Case::usual("GET", "/Orders/1", claims(json!({})));
    let caution = case.change("path-ambiguous").caution.unwrap();
    assert!(caution.contains("differs by case"), "{caution}");
    let case = Case::usual("GET", "/elsewhere", claims(json!({})));
    let caution = case.change("operation-unlisted").caution.unwrap();
    assert!(!caution.contains("differs by case"), "{caution}");
}

#[test]
fn advice_goes_through_json() {
    let case = Case::usual("GET", "/orders/1", claims(json!({"azp": "new"})));
    let change = case.change("grant-missing");
    let text = serde_json::to_string(&Advice::Change(change.clone())).unwrap();
    assert!(text.starts_with("{\"change\":{\"instead\":null,\"steps\":["), "{text}");
    let Advice::Change(read) = serde_json::from_str(&text).unwrap() else { panic!("{text}") };
    assert_eq!((read.steps, &read.files[0].diff), (change.steps, &change.files[0].diff));
}

#[test]
fn a_token_for_another_audience_is_asked_for_before_the_api_takes_it() {
    let said = json!({ "aud": "https://other.example", "scope": "" });
    let change = Case::usual("GET", "/orders/1", claims(said)).change("token-audience-mismatch");
    let instead = change.instead.unwrap();
    assert!(
        instead
            .starts_with("ask the issuer for a token with the audience `https://orders.example`")
    );
    assert!(change.caution.unwrap().contains("https://other.example"));
}

#[test]
fn an_issuer_that_differs_by_its_last_slash_is_corrected() {
    let said = json!({ "iss": "https://a.eu.auth0.com" });
    let change = Case::usual("GET", "/orders/1", claims(said)).change("token-issuer-unknown");
    assert_eq!(change.instead, None);
    assert_eq!(change.steps.len(), 1, "{change:#?}");
    assert!(change.files[0].after.contains("- issuer: https://a.eu.auth0.com   # the tenant"));
}
