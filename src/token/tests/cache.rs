//! The cache of verified tokens: what it spares, and what it never does.

use serde_json::json;

use super::*;
use crate::token::VerifiedCache;

/// A cache that remembers `token` as verified in `world`.
fn remembering(world: &World, token: &str) -> VerifiedCache {
    let cache = VerifiedCache::with_capacity(1 << 20);
    let parsed = Arc::new(Parsed::parse(token).unwrap());
    cache.insert(&world.verify(&parsed, None).unwrap());
    cache
}

#[test]
fn a_token_is_found_again_with_the_key_that_verified_it() {
    let world = World::auth0();
    let token = mint::token(Algorithm::Es256, &good());
    let cache = remembering(&world, &token);
    let (parsed, key) = cache.find(&token).unwrap();
    assert_eq!(world.verify(&parsed, Some(key)).unwrap().key(), Some(key));
    assert_eq!(cache.len(), 1);
    assert!(cache.find(&mint::token(Algorithm::Es256, &good())).is_none());
    assert!(cache.find("").is_none());
}

#[test]
fn another_payload_under_a_cached_signature_is_another_token() {
    let world = World::auth0();
    let token = mint::token(Algorithm::Rs256, &good());
    let cache = remembering(&world, &token);
    let other = mint::token(Algorithm::Rs256, &good_but(&json!({"sub": "auth0|2"})));
    let grafted =
        format!("{}.{}", other.rsplit_once('.').unwrap().0, token.rsplit_once('.').unwrap().1);
    assert_eq!(grafted[grafted.len() - 64..], token[token.len() - 64..], "they hash alike");
    assert!(cache.find(&grafted).is_none());
    assert_eq!(world.admits(&grafted), Err(TokenError::SignatureInvalid));
}

#[test]
fn a_removed_or_exchanged_key_bites_at_once() {
    let mut world = World::auth0();
    let token = mint::token(Algorithm::Es256, &good());
    let (parsed, key) = remembering(&world, &token).find(&token).unwrap();
    let with = |jwk: Value| KeySet::from_jwks(&json!({"keys": [jwk]}).to_string()).unwrap().0;

    world.keys = Some(with(mint::jwk(Algorithm::Rs256)));
    let removed = world.verify(&parsed, Some(key)).map(|_| ());
    assert_eq!(removed, Err(TokenError::KeyUnknown));

    // The same `kid`, another key of the same kind.
    let mut stranger: Value = json!({"kty": "EC", "crv": "P-256", "kid": "p256"});
    stranger["x"] = json!("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU");
    stranger["y"] = json!("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
    world.keys = Some(with(stranger));
    let exchanged = world.verify(&parsed, Some(key)).map(|_| ());
    assert_eq!(exchanged, Err(TokenError::SignatureInvalid));

    world.keys = None;
    assert_eq!(world.verify(&parsed, Some(key)).map(|_| ()), Err(TokenError::KeyUnknown));

    // The same key fetched again is the same key.
    world.keys = Some(with(mint::jwk(Algorithm::Es256)));
    assert!(world.verify(&parsed, Some(key)).is_ok());
}

#[test]
fn an_exchanged_secret_bites_at_once() {
    let mut world = World::auth0();
    world.secret = Some(HsSecret::new(mint::SECRET).unwrap());
    let token = mint::token(Algorithm::Hs256, &good());
    let (parsed, key) = remembering(&world, &token).find(&token).unwrap();
    assert!(world.verify(&parsed, Some(key)).is_ok());
    world.secret = Some(HsSecret::new([7; 64]).unwrap());
    let exchanged = world.verify(&parsed, Some(key)).map(|_| ());
    assert_eq!(exchanged, Err(TokenError::SignatureInvalid));
    world.secret = None;
    let removed = world.verify(&parsed, Some(key)).map(|_| ());
    assert_eq!(removed, Err(TokenError::AlgorithmRefused));
}

#[test]
fn all_but_the_signature_is_checked_on_every_request() {
    let mut world = World::auth0();
    let token = mint::token(Algorithm::Es256, &good());
    let (parsed, key) = remembering(&world, &token).find(&token).unwrap();
    let at = |world: &World, seconds| {
        verify(&parsed, Some(key), &world.terms(), UnixTime::from_seconds(seconds)).map(|_| ())
    };
    assert_eq!(at(&world, NOW + 4000), Err(TokenError::Expired));
    assert_eq!(at(&world, NOW - 4000), Err(TokenError::NotYetValid));
    world.audiences = vec![Audience::new("urn:other").unwrap()];
    assert_eq!(at(&world, NOW), Err(TokenError::AudienceMismatch));
    world.trust.algorithms = [Algorithm::Rs256].into_iter().collect();
    assert_eq!(at(&world, NOW), Err(TokenError::AlgorithmRefused));
    world.trust.issuer = Issuer::new("https://other.example/").unwrap();
    assert_eq!(at(&world, NOW), Err(TokenError::IssuerUnknown));
}

#[test]
fn the_cache_is_bounded_in_bytes() {
    let world = World::auth0();
    let cache = VerifiedCache::with_capacity(64 * 1024);
    for number in 0..200 {
        let token = mint::token(Algorithm::Ed25519, &good_but(&json!({ "jti": number })));
        let parsed = Arc::new(Parsed::parse(&token).unwrap());
        cache.insert(&world.verify(&parsed, None).unwrap());
    }
    assert!((8..60).contains(&cache.len()), "{}", cache.len());

    let none = VerifiedCache::with_capacity(0);
    let parsed = Arc::new(Parsed::parse(&mint::token(Algorithm::Ed25519, &good())).unwrap());
    none.insert(&world.verify(&parsed, None).unwrap());
    assert!(none.is_empty());
}
