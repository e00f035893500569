//! The shape of a token and of its head: [`Parsed`] against RFC 7515 read slowly, and no head that opens
//! a door which its signature does not.
//!
//! Input: a token; or the text of a head, which is signed beside good claims.

use std::sync::{Arc, LazyLock};

use grantgate::token::{Inspected, KeySet, Parsed, Profile, TokenError, verify};
use serde_json::{Map, Value, json};

use super::token::{AUDIENCE, ISSUER, NOW, World, decoded, now, object, signed};

static WORLD: LazyLock<World> = LazyLock::new(|| World::of(Profile::Rfc9068));
/// Public keys of every kind, by the names in heads of the corpus.
static KEYS: LazyLock<KeySet> = LazyLock::new(|| {
    let (keys, skipped) = KeySet::from_jwks(include_str!("keys.jwks")).expect("a key set");
    assert_eq!(skipped, []);
    keys
});
static CLAIMS: LazyLock<String> = LazyLock::new(|| {
    json!({
        "iss": ISSUER, "sub": "1", "aud": AUDIENCE, "exp": NOW + 60, "client_id": "web-app",
        "scope": "read:orders",
    })
    .to_string()
});

pub fn check(input: &[u8]) {
    if let Ok(token) = str::from_utf8(input) {
        check_token(token);
    }
    let token = signed(input, CLAIMS.as_bytes());
    if check_token(&token) {
        check_head(&token, &object(input).expect("it was taken"));
    }
}

/// Whether the token's shape is right.
fn check_token(token: &str) -> bool {
    let parsed = Parsed::parse(token);
    let reference = reference(token);
    match (&parsed, &reference) {
        (Err(TokenError::TooLarge), _) => assert!(token.len() > 8192),
        (Err(TokenError::Malformed(_)), None) => assert!(token.len() <= 8192),
        (Ok(parsed), Some((head, claims))) => {
            assert!(token.len() <= 8192);
            assert_eq!(parsed.kid(), head.get("kid").and_then(Value::as_str));
            let algorithm = head["alg"].as_str().expect("a name");
            let symmetric = ["HS256", "HS384", "HS512"].contains(&algorithm);
            assert_eq!(parsed.is_signed_with_secret(), symmetric);
            assert_eq!(parsed.issuer().ok(), claims.get("iss").and_then(Value::as_str));
        }
        _ => panic!("{parsed:?} where the reference has {reference:?}"),
    }
    // What is shown to people is what is judged.
    match Inspected::read(token) {
        Ok(shown) => {
            assert_eq!(shown.fault(), parsed.as_ref().err().copied());
            if let Some((head, claims)) = &reference {
                assert_eq!((shown.head(), shown.claims()), (head, claims));
            }
        }
        Err(fault) => assert_eq!(Some(fault), parsed.as_ref().err().copied()),
    }
    parsed.is_ok()
}

/// The head and the claims, where the shape is right.
fn reference(token: &str) -> Option<(Map<String, Value>, Map<String, Value>)> {
    const REFUSED: [&str; 9] = ["b64", "crit", "cty", "enc", "jku", "jwk", "x5c", "x5u", "zip"];

    let parts: Option<Vec<Vec<u8>>> = token.split('.').map(decoded).collect();
    let [head, claims, _signature]: [Vec<u8>; 3] = parts?.try_into().ok()?;
    let text = &head;
    let (head, claims) = (object(&head)?, object(&claims)?);
    let is_text = |name: &str| head.get(name).is_none_or(Value::is_string);
    let kid_fits = head.get("kid").and_then(Value::as_str).is_none_or(|kid| kid.len() <= 256);
    let is_right = text.len() <= 1024
        && REFUSED.iter().all(|name| !head.contains_key(*name))
        && head.contains_key("alg")
        && ["alg", "kid", "typ"].iter().all(|name| is_text(name))
        && kid_fits;
    is_right.then_some((head, claims))
}

/// A head around good claims, signed by HMAC with SHA-256: it passes where it says just that.
fn check_head(token: &str, head: &Map<String, Value>) {
    let parsed = Arc::new(Parsed::parse(token).expect("its shape is right"));
    let kind = head.get("typ").and_then(Value::as_str).map(str::to_ascii_lowercase);
    let is_access_token = matches!(kind.as_deref(), Some("at+jwt" | "application/at+jwt"));
    let by_secret = verify(&parsed, None, &WORLD.by_secret(), now());
    assert_eq!(by_secret.is_ok(), is_access_token && head["alg"] == "HS256", "{head:?}");
    // Nobody signed it with a private key.
    let by_keys = verify(&parsed, None, &WORLD.by_keys(&KEYS), now());
    assert!(by_keys.is_err(), "{head:?}");
}
