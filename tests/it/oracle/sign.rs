//! The ring of keys that tests sign with, made once per run, and signing itself (RFC 7515, 7518, 8037).

use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// The families of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Ed25519,
    P256,
    Rsa,
}

/// The keys by place: three of one issuer, two of another.
const RING: [Kind; 5] = [Kind::Ed25519, Kind::P256, Kind::Rsa, Kind::Ed25519, Kind::P256];

enum Pair {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

static PAIRS: LazyLock<Vec<Pair>> = LazyLock::new(|| RING.into_iter().map(generate).collect());

fn generate(kind: Kind) -> Pair {
    match kind {
        Kind::Ed25519 => Pair::Ed25519(Ed25519KeyPair::generate().expect("a key")),
        Kind::P256 => {
            Pair::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key"))
        }
        Kind::Rsa => Pair::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).expect("a key")),
    }
}

pub(super) fn kind(key: usize) -> Kind {
    RING[key]
}

/// The algorithm that a key signs with where nothing else is said.
pub(super) fn default_algorithm(key: usize) -> &'static str {
    match kind(key) {
        Kind::Ed25519 => "EdDSA",
        Kind::P256 => "ES256",
        Kind::Rsa => "RS256",
    }
}

/// Another name or algorithm for the same key, where there is one.
pub(super) fn other_algorithm(key: usize) -> &'static str {
    match kind(key) {
        Kind::Ed25519 => "Ed25519",
        Kind::P256 => "ES256",
        Kind::Rsa => "PS256",
    }
}

/// Signs with the key at this place; an RSA key by `algorithm`, where it is one of RSA's.
pub(super) fn sign(key: usize, algorithm: &str, message: &[u8]) -> Vec<u8> {
    match &PAIRS[key] {
        Pair::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
        Pair::P256(pair) => {
            pair.sign(&SystemRandom::new(), message).expect("a signature").as_ref().to_vec()
        }
        Pair::Rsa(pair) => {
            let padding = if algorithm == "PS256" { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
            let mut signature = vec![0; pair.public_modulus_len()];
            pair.sign(padding, &SystemRandom::new(), message, &mut signature).expect("a signature");
            signature
        }
    }
}

/// The public key as a JWK.
pub(super) fn jwk(kid: &str, key: usize) -> Value {
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    match &PAIRS[key] {
        Pair::Ed25519(pair) => {
            json!({"kty": "OKP", "crv": "Ed25519", "use": "sig", "kid": kid, "x": text(pair.public_key().as_ref())})
        }
        Pair::P256(pair) => {
            // SEC 1: 4, then the coordinates.
            let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
            json!({"kty": "EC", "crv": "P-256", "kid": kid, "x": text(x), "y": text(y)})
        }
        Pair::Rsa(pair) => {
            // RFC 8017 appendix A.1.1: a sequence of two integers, n of 2048 bits and e = 65537.
            let der = pair.public_key().as_ref();
            let (n, e) = (&der[9..265], &der[der.len() - 3..]);
            json!({"kty": "RSA", "use": "sig", "kid": kid, "n": text(n), "e": text(e)})
        }
    }
}
