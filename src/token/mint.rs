//! Tokens for tests: keys made anew in each run, their public halves as an issuer publishes them,
//! and signatures over whatever is asked for, right or wrong.

use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair};
use aws_lc_rs::{encoding::AsDer, hmac};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::Algorithm;

/// The secret of the HMAC algorithms: long enough for each.
pub(crate) const SECRET: [u8; 64] =
    *b"a secret of 64 bytes, for tests alone and for nothing else .....";

struct Pairs {
    rsa: RsaKeyPair,
    p256: EcdsaKeyPair,
    p384: EcdsaKeyPair,
    p521: EcdsaKeyPair,
    ed25519: Ed25519KeyPair,
}

static PAIRS: LazyLock<Pairs> = LazyLock::new(|| Pairs {
    rsa: RsaKeyPair::generate(KeySize::Rsa2048).unwrap(),
    p256: EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
    p384: EcdsaKeyPair::generate(&signature::ECDSA_P384_SHA384_FIXED_SIGNING).unwrap(),
    p521: EcdsaKeyPair::generate(&signature::ECDSA_P521_SHA512_FIXED_SIGNING).unwrap(),
    ed25519: Ed25519KeyPair::generate().unwrap(),
});

/// A token with this head and these claims, signed as the head's `alg` and `kid` say.
pub(crate) fn token(algorithm: Algorithm, claims: &Value) -> String {
    let head = json!({"alg": algorithm.as_str(), "kid": kid(algorithm), "typ": "at+jwt"});
    with_head(algorithm, &head, claims)
}

/// A token with this head, whatever it says, and these claims, signed by `algorithm`.
pub(crate) fn with_head(algorithm: Algorithm, head: &Value, claims: &Value) -> String {
    of_text(algorithm, head.to_string().as_bytes(), claims.to_string().as_bytes())
}

/// A token of any two texts, signed by `algorithm`.
pub(crate) fn of_text(algorithm: Algorithm, head: &[u8], claims: &[u8]) -> String {
    of_parts(algorithm, &encode(head), &encode(claims))
}

/// A token of any two parts, signed by `algorithm`.
pub(crate) fn of_parts(algorithm: Algorithm, head: &str, claims: &str) -> String {
    let message = format!("{head}.{claims}");
    let signature = sign(algorithm, message.as_bytes());
    format!("{message}.{}", encode(&signature))
}

/// The `kid` of the key that signs `algorithm`.
pub(crate) fn kid(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Es256 => "p256",
        Algorithm::Es384 => "p384",
        Algorithm::Es512 => "p521",
        Algorithm::Ed25519 => "ed25519",
        Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => "secret",
        _ => "rsa",
    }
}

/// The public key of `algorithm`, as a JWK.
pub(crate) fn jwk(algorithm: Algorithm) -> Value {
    let kid = kid(algorithm);
    match algorithm {
        Algorithm::Es256 => ec_jwk(kid, "P-256", PAIRS.p256.public_key().as_ref()),
        Algorithm::Es384 => ec_jwk(kid, "P-384", PAIRS.p384.public_key().as_ref()),
        Algorithm::Es512 => ec_jwk(kid, "P-521", PAIRS.p521.public_key().as_ref()),
        Algorithm::Ed25519 => {
            let x = encode(PAIRS.ed25519.public_key().as_ref());
            json!({"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": x})
        }
        Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => {
            json!({"kty": "oct", "kid": kid, "k": encode(&SECRET)})
        }
        // RSAPublicKey (RFC 8017 section A.1.1) of 2048 bits: the modulus stands at a fixed place.
        _ => {
            let n = encode(&PAIRS.rsa.public_key().as_ref()[9..265]);
            json!({"kty": "RSA", "kid": kid, "use": "sig", "n": n, "e": "AQAB"})
        }
    }
}

/// All public keys as a JWK set.
pub(crate) fn jwks() -> String {
    let algorithms = [
        Algorithm::Rs256,
        Algorithm::Es256,
        Algorithm::Es384,
        Algorithm::Es512,
        Algorithm::Ed25519,
    ];
    json!({"keys": algorithms.map(jwk)}).to_string()
}

/// The public key of `algorithm` in DER (`SubjectPublicKeyInfo`).
pub(crate) fn der(algorithm: Algorithm) -> Vec<u8> {
    let der = match algorithm {
        Algorithm::Es256 => PAIRS.p256.public_key().as_der(),
        Algorithm::Es384 => PAIRS.p384.public_key().as_der(),
        Algorithm::Es512 => PAIRS.p521.public_key().as_der(),
        Algorithm::Ed25519 => PAIRS.ed25519.public_key().as_der(),
        _ => PAIRS.rsa.public_key().as_der(),
    };
    der.unwrap().as_ref().to_vec()
}

/// The same key in PEM.
pub(crate) fn pem(algorithm: Algorithm) -> String {
    let body = STANDARD.encode(der(algorithm));
    format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n")
}

/// Base64url without padding.
pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A signature over `message`.
pub(crate) fn sign(algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
    let random = SystemRandom::new();
    let rsa = |padding: &'static dyn signature::RsaEncoding| {
        let mut signed = vec![0; PAIRS.rsa.public_modulus_len()];
        PAIRS.rsa.sign(padding, &random, message, &mut signed).unwrap();
        signed
    };
    let ec = |pair: &EcdsaKeyPair| pair.sign(&random, message).unwrap().as_ref().to_vec();
    match algorithm {
        Algorithm::Es256 => ec(&PAIRS.p256),
        Algorithm::Es384 => ec(&PAIRS.p384),
        Algorithm::Es512 => ec(&PAIRS.p521),
        Algorithm::Ed25519 => PAIRS.ed25519.sign(message).as_ref().to_vec(),
        Algorithm::Hs256 => mac(hmac::HMAC_SHA256, &SECRET, message),
        Algorithm::Hs384 => mac(hmac::HMAC_SHA384, &SECRET, message),
        Algorithm::Hs512 => mac(hmac::HMAC_SHA512, &SECRET, message),
        Algorithm::Ps256 => rsa(&signature::RSA_PSS_SHA256),
        Algorithm::Ps384 => rsa(&signature::RSA_PSS_SHA384),
        Algorithm::Ps512 => rsa(&signature::RSA_PSS_SHA512),
        Algorithm::Rs256 => rsa(&signature::RSA_PKCS1_SHA256),
        Algorithm::Rs384 => rsa(&signature::RSA_PKCS1_SHA384),
        Algorithm::Rs512 => rsa(&signature::RSA_PKCS1_SHA512),
    }
}

/// An HMAC tag under any secret.
pub(crate) fn mac(hash: hmac::Algorithm, secret: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hash, secret), message).as_ref().to_vec()
}

fn ec_jwk(kid: &str, curve: &str, point: &[u8]) -> Value {
    let (x, y) = point[1..].split_at(point.len() / 2);
    json!({"kty": "EC", "crv": curve, "kid": kid, "x": encode(x), "y": encode(y)})
}
