//! Keys that an issuer publishes: each is judged by itself, and none that is no public key for
//! signatures gets in.
//!
//! Input: a JWK set, or keys in PEM.

use grantgate::token::{KeyError, KeySet, SkippedKey};
use serde_json::{Value, json};

pub fn check(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    if let Ok(keys) = KeySet::from_pem(text) {
        assert!((1..=KeySet::MAX).contains(&keys.len()));
        assert_eq!(keys.kids().count(), 0);
        check_merge(&keys);
    }
    let listed = serde_json::from_str::<Value>(text).ok();
    let listed = listed.as_ref().and_then(|set| set.get("keys")?.as_array());
    match (KeySet::from_jwks(text), listed) {
        (Ok((keys, skipped)), Some(listed)) => check_set(&keys, &skipped, listed),
        (Err(error), None) => assert!(matches!(error, KeyError::Format(_) | KeyError::Json { .. })),
        (set, _) => panic!("{set:?} of {text}"),
    }
}

fn check_set(keys: &KeySet, skipped: &[SkippedKey], listed: &[Value]) {
    assert!(skipped.is_sorted_by_key(|key| key.place));
    let reason = |place: usize| skipped.iter().find(|key| key.place == place).map(|it| &it.reason);
    let mut kids = Vec::new();
    for (place, key) in (1..).zip(listed) {
        let set = json!({"keys": [key]}).to_string();
        let (alone, refused) = KeySet::from_jwks(&set).expect("a key set");
        match (reason(place), refused.first().map(|key| &key.reason)) {
            (None, None) => {
                assert_eq!(alone.len(), 1);
                check_key(key);
                kids.extend(key.get("kid").and_then(Value::as_str));
            }
            (Some(KeyError::TooMany), None) => assert_eq!(keys.len(), KeySet::MAX),
            (Some(reason), Some(alone)) => assert_eq!(reason, alone),
            (reason, alone) => panic!("{reason:?} in the set and {alone:?} alone: {key}"),
        }
    }
    // A key that stands there twice is one.
    assert!(keys.len() <= listed.len() - skipped.len());
    assert!(keys.kids().all(|kid| kids.contains(&kid)));
    assert!(kids.iter().all(|kid| keys.kids().any(|known| known == *kid)));
    check_merge(keys);
}

/// A key that was taken is a public one, for signatures, and of a size that is worth something.
fn check_key(key: &Value) {
    let text = |name: &str| key.get(name).map(|value| value.as_str().expect("a text"));
    assert!(
        ["d", "p", "q", "dp", "dq", "qi", "oth", "k"].iter().all(|part| key.get(part).is_none())
    );
    assert!(matches!(text("use"), None | Some("sig")), "{key}");
    let verifies = |list: &Value| {
        list.as_array().is_some_and(|list| list.iter().any(|operation| operation == "verify"))
    };
    assert!(key.get("key_ops").is_none_or(verifies), "{key}");
    let octets = |name: &str| super::token::decoded(text(name).expect("a number")).expect("base64");
    let families: &[&str] = match (text("kty").expect("a kind"), text("crv")) {
        ("RSA", _) => {
            let modulus = octets("n");
            let zeros = modulus.iter().take_while(|octet| **octet == 0).count();
            assert!((256..=1024).contains(&(modulus.len() - zeros)), "{key}");
            &["RS", "PS"]
        }
        ("EC", Some(curve @ ("P-256" | "P-384" | "P-521"))) => {
            let size = [("P-256", 32), ("P-384", 48), ("P-521", 66)];
            let (_, size) = size.into_iter().find(|(name, _)| *name == curve).expect("listed");
            assert_eq!((octets("x").len(), octets("y").len()), (size, size));
            &["ES"]
        }
        ("OKP", Some("Ed25519")) => {
            assert_eq!(octets("x").len(), 32);
            &["Ed"]
        }
        _ => panic!("no such key verifies: {key}"),
    };
    assert!(text("alg").is_none_or(|alg| families.iter().any(|family| alg.starts_with(family))));
}

fn check_merge(keys: &KeySet) {
    let mut twice = keys.clone();
    assert_eq!(twice.merge(keys.clone()), Ok(()));
    assert_eq!(twice.len(), keys.len(), "the same keys again");
    assert!(
        keys.nameless_beyond()
            .is_none_or(|nameless| { (KeySet::TRIES + 1..=keys.len()).contains(&nameless) })
    );
}
