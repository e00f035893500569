//! Tokens of the shape that each kind of issuer gives, signed, through the whole gate.
//!
//! `tests/vectors/tokens/<profile>/<name>.json` holds a token's head and claims, the API that it is
//! for, and what becomes of it; `<name>.jwt` is the token itself, signed with the key beside the
//! folders, which is for tests alone. `UPDATE_GOLDEN=1` signs them anew.

use std::cell::OnceCell;
use std::fs;
use std::path::{Path, PathBuf};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use grantgate::config::snapshot::{RemoteKeys, Snapshot};
use grantgate::config::{Source, load};
use grantgate::gate::{Call, Env, Keys, Listener, Outcome, Step, Verdict, check};
use grantgate::policy::{Issuer, Organization, UnixTime};
use grantgate::route::CanonPath;
use grantgate::token::{KeySet, VerifiedCache, credential};
use http::Method;
use serde_json::{Value, json};

use crate::disk::{Fake, root};

const NOW: UnixTime = UnixTime::from_seconds(1_800_000_000);

#[test]
fn tokens_as_issuers_give_them_are_read_as_they_are_meant() {
    let mut profiles = Vec::new();
    for (profile, path) in vectors() {
        let vector: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let token = signed(&path, &vector);
        let expect = &vector["expect"];
        let snapshot = configuration(&profile, &vector);
        let name = path.display();
        decide(&snapshot, &token, |outcome| match &outcome.verdict {
            Verdict::Pass(permit) => {
                let identity = outcome.caller.as_ref().unwrap().identity.as_ref().unwrap();
                let scopes = outcome.api.unwrap().api.scopes.of(permit.scopes());
                let organization = match identity.organization {
                    Organization::Absent => Value::Null,
                    Organization::Id(id) => json!(id),
                    Organization::Unreadable => json!("unreadable"),
                };
                let read = json!({
                    "client_id": identity.client,
                    "subject_type": identity.subject_type.as_str(),
                    "scopes": scopes.map(ToString::to_string).collect::<Vec<_>>(),
                    "organization": organization,
                });
                assert_eq!(read, *expect, "{name}");
            }
            Verdict::Refuse(refusal) => {
                assert_eq!(json!({"refused": refusal.code.as_str()}), *expect, "{name}");
            }
            Verdict::WouldRefuse(..) | Verdict::Preflight(_) => panic!("{name}"),
        });
        let kind = path.file_stem().unwrap().to_string_lossy().into_owned();
        profiles.push((profile, kind));
    }
    for profile in ["auth0", "cognito", "entra", "hydra", "keycloak", "okta", "rfc9068"] {
        for kind in ["machine", "user", "id"] {
            let one = (profile.to_owned(), kind.to_owned());
            assert!(profiles.contains(&one), "{one:?}");
        }
    }
}

/// The folder of the vectors.
pub fn folder() -> PathBuf {
    root().join("tests/vectors/tokens")
}

/// Each vector, with the name of its profile.
fn vectors() -> Vec<(String, PathBuf)> {
    let entries = |path: &Path| -> Vec<PathBuf> {
        fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect()
    };
    let mut vectors = Vec::new();
    for folder in entries(&folder()).into_iter().filter(|path| path.is_dir()) {
        let profile = folder.file_name().unwrap().to_string_lossy().into_owned();
        let files = entries(&folder).into_iter();
        let files = files.filter(|path| path.extension().is_some_and(|kind| kind == "json"));
        vectors.extend(files.map(|path| (profile.clone(), path)));
    }
    vectors.sort();
    vectors
}

/// The token of a vector, which says what its description says.
fn signed(path: &Path, vector: &Value) -> String {
    let file = path.with_extension("jwt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&file, format!("{}\n", sign(vector))).unwrap();
    }
    let token = fs::read_to_string(&file).unwrap().trim_end().to_owned();
    let parts: Vec<_> =
        token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap()).collect();
    let said = parts[..2].iter().map(|part| serde_json::from_slice(part).unwrap());
    let said: Vec<Value> = said.collect();
    assert_eq!(said, [vector["head"].clone(), vector["claims"].clone()], "{}", path.display());
    token
}

fn sign(vector: &Value) -> String {
    let pem = fs::read_to_string(folder().join("key.pem")).unwrap();
    let der: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let pair = RsaKeyPair::from_pkcs8(&STANDARD.decode(der).unwrap()).unwrap();
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(&vector["head"]), part(&vector["claims"]));
    let mut signature = vec![0; pair.public_modulus_len()];
    let random = SystemRandom::new();
    pair.sign(&RSA_PKCS1_SHA256, &random, message.as_bytes(), &mut signature).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// A configuration with the vector's issuer and API, which gives the expected client all scopes.
fn configuration(profile: &str, vector: &Value) -> Snapshot {
    let api = &vector["api"];
    let scopes = api["scopes"].as_array().unwrap().iter().map(|scope| json!({"value": scope}));
    let client = vector["expect"].get("client_id").cloned().unwrap_or(json!("nobody"));
    let configuration = json!({
        "issuers": [{
            "issuer": vector["claims"]["iss"], "profile": profile, "jwks_file": "keys.jwks",
        }],
        "resource_servers": [{
            "identifier": api["identifier"], "scopes": scopes.collect::<Vec<_>>(),
            "subject_type_authorization": {
                "user": {"policy": "allow_all"}, "client": {"policy": "require_client_grant"},
            },
            "gate": {
                "upstream": "http://127.0.0.1:1", "public_url": "https://orders.example.com",
                "operations": [{"on": "GET /", "any_token": true}],
            },
        }],
        "client_grants": [{
            "client_id": client, "allow_all_scopes": true, "organization_usage": "allow",
            "allow_any_organization": true,
        }],
    });
    let source = Source::new("vector.json", configuration.to_string());
    let loaded = load(&[source], &Fake { folder: &folder() }, NOW);
    loaded.unwrap_or_else(|report| panic!("{report}")).snapshot
}

fn decide(snapshot: &Snapshot, token: &str, look: impl FnOnce(&Outcome<'_>)) {
    let header = format!("Bearer {token}");
    let cache = VerifiedCache::with_capacity(0);
    let call = Call {
        listener: Listener::Traffic,
        method: &Method::GET,
        host: "orders.example.com".into(),
        path: CanonPath::parse("/").unwrap(),
        preflight: None,
        credential: credential([header.as_bytes()].into_iter(), None),
    };
    let held = OnceCell::new();
    match check(snapshot, &Env { keys: &NoKeys, cache: &cache, now: NOW }, &call, &held) {
        Step::Done(outcome) => look(&outcome),
        Step::NeedKeys { .. } => panic!("the keys are in the configuration"),
    }
}

struct NoKeys;

impl Keys for NoKeys {
    fn find(&self, _: &Issuer, _: &RemoteKeys) -> Option<&KeySet> {
        None
    }
}
