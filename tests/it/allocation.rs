//! A request that is allowed, with a token that was seen before, is decided without allocating.

use std::cell::OnceCell;

use grantgate::config::{Outside, Source, load};
use grantgate::gate::{Call, Env, Keys, Listener, Step, Verdict, check};
use grantgate::policy::{Issuer, UnixTime};
use grantgate::route::CanonPath;
use grantgate::token::{KeySet, VerifiedCache, credential};
use http::Method;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

const NOW: i64 = 1_800_000_000;
const SECRET: &str = "a secret that is long enough for HS256";

#[test]
fn a_warm_allow_does_not_allocate() {
    // As many scopes as fit inline: one more would be a set on the heap.
    let scopes: Vec<String> = (0..128).map(|number| format!("scope:{number}")).collect();
    let joined = scopes.join(" ");
    let owned: Vec<_> = scopes.iter().map(|scope| format!("https://api.example/{scope}")).collect();
    let aud = json!(["https://api.example", "https://other.example"]);
    for (profile, claims) in [
        (
            "auth0",
            json!({
                "aud": aud, "azp": "app", "sub": "app@clients", "gty": "client-credentials",
                "org_id": "org_two", "scope": joined,
            }),
        ),
        (
            "cognito",
            json!({
                "token_use": "access", "client_id": "app", "sub": "app", "org_id": "org_two",
                "scope": owned.join(" "),
            }),
        ),
        (
            "hydra",
            json!({
                "aud": aud, "client_id": "app", "sub": "app", "ext": {"org_id": "org_two"},
                "scp": scopes, "scope": joined,
            }),
        ),
        (
            "keycloak",
            json!({
                "aud": aud, "typ": "Bearer", "azp": "app", "jti": "trrtcc:1",
                "preferred_username": "service-account-app", "clientHost": "10.0.0.1",
                "organization": {"org_two": {}}, "scope": joined,
            }),
        ),
        (
            "okta",
            json!({"aud": aud, "cid": "app", "sub": "app", "org_id": "org_two", "scp": scopes}),
        ),
    ] {
        assert_eq!(allocations(profile, claims, &scopes), 0, "{profile}");
    }
}

/// How often a warm allow allocates.
fn allocations(profile: &str, mut claims: Value, scopes: &[String]) -> u64 {
    let declared: Vec<_> = scopes.iter().map(|scope| json!({"value": scope})).collect();
    let configuration = json!({
        "issuers": [{"issuer": "https://issuer.example/", "profile": profile, "jwks": {"keys": []}}],
        "resource_servers": [{
            "identifier": "https://api.example", "scopes": declared,
            "subject_type_authorization": {
                "user": {"policy": "require_client_grant"}, "client": {"policy": "require_client_grant"},
            },
            "gate": {
                "hosts": ["api.example"], "upstream": "http://127.0.0.1:1", "hs_secret": "${env:SECRET}",
                "operations": [{"on": "GET /things/{id}", "scopes": ["scope:0", "scope:127"]}],
            },
        }],
        "client_grants": [{
            "client_id": "app", "subject_type": "client", "allow_all_scopes": true,
            "organization_usage": "require", "organizations": ["org_one", "org_two"],
        }],
    });
    let now = UnixTime::from_seconds(NOW);
    let source = Source::new("api.json", configuration.to_string());
    let snapshot =
        load(&[source], &Secrets, now).unwrap_or_else(|report| panic!("{report}")).snapshot;

    claims["iss"] = json!("https://issuer.example/");
    claims["exp"] = json!(NOW + 60);
    claims["iat"] = json!(NOW);
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key).unwrap();
    let header = format!("Bearer {token}");

    let cache = VerifiedCache::with_capacity(1 << 20);
    let decide = || {
        let held = OnceCell::new();
        let path = CanonPath::parse("/things/7").unwrap();
        let credential = credential([header.as_bytes()].into_iter(), None);
        let host = "api.example".into();
        let call = Call {
            listener: Listener::Traffic,
            method: &Method::GET,
            host,
            path,
            preflight: None,
            credential,
        };
        let env = Env { keys: &NoKeys, cache: &cache, now };
        matches!(
            check(&snapshot, &env, &call, &held),
            Step::Done(outcome) if matches!(outcome.verdict, Verdict::Pass(_))
        )
    };
    assert!(decide(), "cold");
    let mut warm = false;
    let allocations = allocation_counter::measure(|| warm = decide());
    assert!(warm);
    allocations.count_total
}

struct Secrets;

impl Outside for Secrets {
    fn env(&self, _: &str) -> Option<String> {
        Some(SECRET.to_owned())
    }

    fn file(&self, _: &str, path: &str) -> Result<String, String> {
        Err(format!("no file `{path}`"))
    }
}

struct NoKeys;

impl Keys for NoKeys {
    fn find(&self, _: &Issuer, _: &grantgate::config::snapshot::RemoteKeys) -> Option<&KeySet> {
        None
    }
}
