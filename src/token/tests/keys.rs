//! Key sets: what is taken from them, what is left out, and which key a token gets.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;

use super::*;
use crate::token::KeyError;

fn set(keys: &[Value]) -> KeySet {
    let (set, skipped) = KeySet::from_jwks(&json!({ "keys": keys }).to_string()).unwrap();
    assert_eq!(skipped, []);
    set
}

fn with(jwk: &Value, changes: &Value) -> Value {
    let mut jwk = jwk.clone();
    let object = jwk.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            object.remove(name);
        } else {
            object.insert(name.clone(), value.clone());
        }
    }
    jwk
}

#[test]
fn a_key_that_cannot_be_used_is_left_out_with_its_reason() {
    let (rsa, ec) = (mint::jwk(Algorithm::Rs256), mint::jwk(Algorithm::Es256));
    let ed = mint::jwk(Algorithm::Ed25519);
    let small = mint::encode(&[0xff; 128]);
    let large = mint::encode(&[0xff; 1025]);
    let cases = [
        (json!(5), KeyError::Member("kty")),
        (json!({}), KeyError::Member("kty")),
        (json!({"kty": "oct", "k": "AAAA"}), KeyError::Symmetric),
        (with(&rsa, &json!({"d": "AQAB"})), KeyError::Private),
        (with(&ec, &json!({"d": "AQAB"})), KeyError::Private),
        (with(&rsa, &json!({"use": "enc"})), KeyError::Encryption),
        (with(&rsa, &json!({"use": "other"})), KeyError::Use),
        (with(&rsa, &json!({"use": 5})), KeyError::Member("use")),
        (with(&rsa, &json!({"key_ops": ["sign"]})), KeyError::Use),
        (with(&rsa, &json!({"key_ops": []})), KeyError::Use),
        (with(&rsa, &json!({"key_ops": "verify"})), KeyError::Member("key_ops")),
        (with(&rsa, &json!({"kid": 5})), KeyError::Member("kid")),
        (with(&rsa, &json!({"alg": "RSA-OAEP"})), KeyError::Algorithm),
        (with(&rsa, &json!({"alg": "ES256"})), KeyError::Algorithm),
        (with(&rsa, &json!({"alg": "HS256"})), KeyError::Algorithm),
        (with(&ec, &json!({"alg": "ES384"})), KeyError::Algorithm),
        (with(&rsa, &json!({"n": null})), KeyError::Member("n")),
        (with(&rsa, &json!({"e": "AQAB="})), KeyError::Member("e")),
        (with(&rsa, &json!({"n": ""})), KeyError::Kind),
        (with(&rsa, &json!({"e": ""})), KeyError::Kind),
        (with(&rsa, &json!({"e": "AQ"})), KeyError::Kind),
        (with(&rsa, &json!({ "n": small })), KeyError::Size),
        (with(&rsa, &json!({ "n": large })), KeyError::Size),
        (with(&ec, &json!({"crv": "secp256k1"})), KeyError::Kind),
        (with(&ec, &json!({"crv": "P-384"})), KeyError::Kind),
        (with(&ec, &json!({"crv": null})), KeyError::Kind),
        (with(&ec, &json!({"x": ec["y"]})), KeyError::Kind),
        (with(&ec, &json!({"x": "AAAA"})), KeyError::Kind),
        (with(&ed, &json!({"crv": "X25519"})), KeyError::Kind),
        (with(&ed, &json!({"x": "AAAA"})), KeyError::Kind),
        (with(&ed, &json!({"kty": "EC"})), KeyError::Kind),
        (with(&ec, &json!({"kty": "AKP"})), KeyError::Kind),
    ];
    for (jwk, reason) in cases {
        let text = json!({"keys": [jwk, ec]}).to_string();
        let (keys, skipped) = KeySet::from_jwks(&text).unwrap();
        assert_eq!(keys.len(), 1, "the other key stays: {jwk}");
        let reasons: Vec<_> = skipped.iter().map(|key| (key.place, &key.reason)).collect();
        assert_eq!(reasons, [(1, &reason)], "{jwk}");
    }
}

#[test]
fn a_key_is_of_the_kind_that_it_says_and_of_no_other() {
    // An RSA key of 24 bits takes 32 bytes, as an Ed25519 key by itself does.
    let rsa = json!({"kty": "RSA", "n": "XpoQ", "e": "AQAB"});
    let (keys, skipped) = KeySet::from_jwks(&json!({ "keys": [rsa] }).to_string()).unwrap();
    assert!(keys.is_empty());
    assert_eq!(skipped.iter().map(|key| &key.reason).collect::<Vec<_>>(), [&KeyError::Kind]);

    let mut point = vec![4; 1];
    for name in ["x", "y"] {
        let jwk = mint::jwk(Algorithm::Es256);
        point.extend(URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap());
    }
    for bare in [vec![0x30; 32], point] {
        let body = STANDARD.encode(bare);
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n");
        assert_eq!(KeySet::from_pem(&pem).unwrap_err(), KeyError::Kind);
    }
}

#[test]
fn a_key_verifies_what_its_alg_says_or_else_what_fits_it() {
    let fits = |jwk: &Value| {
        let keys = set(std::slice::from_ref(jwk));
        let fits = |one: &Algorithm| keys.find(jwk["kid"].as_str(), *one).is_ok();
        Algorithm::ALL.into_iter().filter(fits).map(Algorithm::as_str).collect::<Vec<_>>().join(" ")
    };
    let rsa = mint::jwk(Algorithm::Rs256);
    assert_eq!(fits(&rsa), "PS256 PS384 PS512 RS256 RS384 RS512");
    assert_eq!(fits(&with(&rsa, &json!({"alg": "PS384"}))), "PS384");
    assert_eq!(fits(&mint::jwk(Algorithm::Es256)), "ES256");
    assert_eq!(fits(&mint::jwk(Algorithm::Es384)), "ES384");
    assert_eq!(fits(&mint::jwk(Algorithm::Es512)), "ES512");
    let ed = mint::jwk(Algorithm::Ed25519);
    assert_eq!(fits(&ed), "EdDSA");
    assert_eq!(fits(&with(&ed, &json!({"alg": "Ed25519", "key_ops": ["verify"]}))), "EdDSA");
}

#[test]
fn what_is_no_key_set_is_an_error_and_an_empty_one_is_not() {
    for text in ["[]", "{}", "5", r#"{"keys":{}}"#, r#"{"keys":"x"}"#] {
        assert!(matches!(KeySet::from_jwks(text), Err(KeyError::Format(_))), "{text}");
    }
    for (text, line, column) in [("", 1, 0), ("x", 1, 1), ("{\n \"keys\": [,]}", 2, 11)] {
        let error = KeySet::from_jwks(text).unwrap_err();
        assert_eq!(error, KeyError::Json { line, column }, "{text}");
    }
    assert!(KeySet::from_jwks(r#"{"keys":[]}"#).unwrap().0.is_empty());
}

#[test]
fn a_set_is_bounded() {
    let key = mint::jwk(Algorithm::Ed25519);
    let keys: Vec<_> = (0..70).map(|kid| with(&key, &json!({"kid": kid.to_string()}))).collect();
    let (set, skipped) = KeySet::from_jwks(&json!({ "keys": keys }).to_string()).unwrap();
    assert_eq!((set.len(), skipped.len()), (KeySet::MAX, 6));
    assert_eq!(skipped[0].to_string(), "key 65: the set has more than 64 keys");
}

#[test]
fn the_same_key_has_the_same_id_wherever_it_comes_from() {
    for algorithm in [Algorithm::Rs256, Algorithm::Es256, Algorithm::Es512, Algorithm::Ed25519] {
        let jwk = mint::jwk(algorithm);
        let from_jwk = set(std::slice::from_ref(&jwk));
        let from_pem = KeySet::from_pem(&mint::pem(algorithm)).unwrap();
        let id = |keys: &KeySet| keys.find(None, algorithm).unwrap().next().unwrap().id;
        assert_eq!(id(&from_jwk), id(&from_pem));
        assert_eq!(id(&set(&[with(&jwk, &json!({"kid": "renamed"}))])), id(&from_jwk));
    }
    let padded = mint::encode(&[&[0, 0], &mint::der(Algorithm::Rs256)[33..289]].concat());
    let rsa = mint::jwk(Algorithm::Rs256);
    let id = |jwk: &Value| {
        set(std::slice::from_ref(jwk)).find(None, Algorithm::Rs256).unwrap().next().unwrap().id
    };
    assert_eq!(id(&with(&rsa, &json!({ "n": padded }))), id(&rsa), "leading zeros are none");
}

#[test]
fn a_token_without_kid_gets_the_one_key_that_fits() {
    let mut world = World::auth0();
    let head = json!({"alg": "ES256", "typ": "at+jwt"});
    let token = mint::with_head(Algorithm::Es256, &head, &good());
    assert!(world.admits(&token).is_ok());
    let ec = mint::jwk(Algorithm::Es256);
    let (stranger_x, stranger_y) = (
        "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    );
    let stranger = with(&ec, &json!({"kid": "b", "x": stranger_x, "y": stranger_y}));
    world.keys = Some(set(&[ec.clone(), stranger.clone()]));
    assert_eq!(world.admits(&token), Err(TokenError::KeyUnknown), "two keys fit");

    let same_kid = with(&stranger, &json!({"kid": "p256"}));
    world.keys = Some(set(&[same_kid, ec]));
    let named = mint::token(Algorithm::Es256, &good());
    assert!(world.admits(&named).is_ok(), "both keys of one kid are tried");
}

#[test]
fn a_key_that_is_listed_twice_counts_once() {
    let (ec, rsa) = (mint::jwk(Algorithm::Es256), mint::jwk(Algorithm::Rs256));
    let mut keys = set(&[ec.clone(), rsa, ec.clone()]);
    keys.merge(set(&[ec])).unwrap();
    assert_eq!(keys.len(), 2);
    assert!(keys.find(None, Algorithm::Es256).is_ok());
}

#[test]
fn keys_without_kid_stand_for_any_that_no_other_key_has() {
    let mut world = World::auth0();
    let token = mint::token(Algorithm::Es256, &good());
    world.keys = Some(KeySet::from_pem(&mint::pem(Algorithm::Es256)).unwrap());
    assert!(world.admits(&token).is_ok());

    let named = with(&mint::jwk(Algorithm::Rs256), &json!({"kid": "p256"}));
    let mut keys = set(&[named]);
    keys.merge(KeySet::from_pem(&mint::pem(Algorithm::Es256)).unwrap()).unwrap();
    assert_eq!(keys.len(), 2);
    world.keys = Some(keys);
    assert_eq!(world.admits(&token), Err(TokenError::AlgorithmRefused), "another key is named");
}

#[test]
fn pem_holds_public_keys_and_certificates() {
    let pem = [mint::pem(Algorithm::Rs256), mint::pem(Algorithm::Ed25519)].concat();
    assert_eq!(KeySet::from_pem(&pem).unwrap().len(), 2);
    let certificate = include_str!("../../../tests/vectors/certificate.pem");
    let key = include_str!("../../../tests/vectors/certificate-key.pem");
    let id = |text: &str| {
        let keys = KeySet::from_pem(text).unwrap();
        let mut found = keys.find(None, Algorithm::Rs256).unwrap();
        found.next().unwrap().id
    };
    assert_eq!(id(certificate), id(key), "the certificate's key is the one it was made for");

    for (text, error) in [
        ("", "the PEM text holds no `PUBLIC KEY` or `CERTIFICATE`"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA", "the PEM text is damaged"),
        (
            "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
            "it is no RSA, P-256, P-384, P-521 or Ed25519 public key",
        ),
        (
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
            "it holds private parts",
        ),
        (
            "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
            "a certificate is damaged",
        ),
    ] {
        assert_eq!(KeySet::from_pem(text).unwrap_err().to_string(), error, "{text}");
    }
}
