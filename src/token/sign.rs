//! Tokens of our own: those of the Management API's clients (RFC 9068), signed with a key that follows
//! from their secrets.
//!
//! In come the secrets; out come a signer, the keys that verify what it signs, and hashes to hold against
//! a secret that is shown. The key is derived and never stored: every replica and every start has the
//! same one, and whoever changes a secret changes it. Nothing here keeps a secret, or prints anything of
//! one.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{Algorithm, KeyError, KeySet};

/// Signs tokens. It does not print and is wiped when it is dropped.
pub struct Signer {
    pair: Ed25519KeyPair,
    kid: String,
}

impl Signer {
    /// How its tokens are signed.
    pub const ALGORITHM: Algorithm = Algorithm::Ed25519;

    /// A signer whose key follows from `secrets`, and from nothing else, in whatever order they come.
    pub fn of<'s>(secrets: impl IntoIterator<Item = &'s [u8]>) -> Self {
        let pair = pair(&seed(secrets));
        let kid = thumbprint(&pair);
        Self { pair, kid }
    }

    /// The keys that verify what it signs.
    ///
    /// # Errors
    /// When its public key is not one: never, as far as is known.
    pub fn keys(&self) -> Result<KeySet, KeyError> {
        let key = json!({
            "kty": "OKP",
            "crv": "Ed25519",
            "x": public(&self.pair),
            "kid": self.kid,
            "alg": Self::ALGORITHM.as_str(),
            "use": "sig",
        });
        let (keys, skipped) = KeySet::from_jwks(&json!({"keys": [key]}).to_string())?;
        skipped.into_iter().next().map_or(Ok(keys), |skipped| Err(skipped.reason))
    }

    /// A token with these claims; its type is `at+jwt`.
    pub fn sign(&self, claims: &Value) -> String {
        let head = json!({"alg": Self::ALGORITHM.as_str(), "kid": self.kid, "typ": "at+jwt"});
        let mut token = format!("{}.{}", encode(head.to_string()), encode(claims.to_string()));
        let signature = encode(self.pair.sign(token.as_bytes()));
        token.push('.');
        token.push_str(&signature);
        token
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer(..)")
    }
}

/// What the key is for: the same secrets give another one for anything else.
const PURPOSE: &[u8] = b"grantgate: signing key of the Management API's tokens, version 1";

/// The key's seed: HKDF (RFC 5869) over all secrets in the order of their bytes, each behind its length,
/// so that no two sets of secrets are one text.
fn seed<'s>(secrets: impl IntoIterator<Item = &'s [u8]>) -> Zeroizing<[u8; Seed::LENGTH]> {
    let mut secrets: Vec<_> = secrets.into_iter().collect();
    secrets.sort_unstable();
    let length = secrets.iter().map(|secret| size_of::<u64>() + secret.len()).sum();
    // Whole from the start: what grows leaves copies behind.
    let mut material = Zeroizing::new(Vec::with_capacity(length));
    for secret in secrets {
        material.extend_from_slice(&(secret.len() as u64).to_be_bytes());
        material.extend_from_slice(secret);
    }
    let mut seed = Zeroizing::new([0; Seed::LENGTH]);
    let salt = Salt::new(HKDF_SHA256, PURPOSE);
    let derived =
        salt.extract(&material).expand(&[b"Ed25519"], Seed).and_then(|key| key.fill(&mut *seed));
    #[expect(clippy::expect_used, reason = "HKDF fails only beyond 255 hashes, and this is one")]
    derived.expect("a seed is one hash long");
    seed
}

struct Seed;

impl Seed {
    const LENGTH: usize = 32;
}

impl KeyType for Seed {
    fn len(&self) -> usize {
        Self::LENGTH
    }
}

fn pair(seed: &[u8; Seed::LENGTH]) -> Ed25519KeyPair {
    #[expect(clippy::expect_used, reason = "RFC 8032 section 5.1.5: any 32 bytes are a seed")]
    Ed25519KeyPair::from_seed_unchecked(seed).expect("32 bytes are a seed")
}

/// The key's name: its thumbprint (RFC 7638 section 3, RFC 8037 section 2).
fn thumbprint(pair: &Ed25519KeyPair) -> String {
    let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, public(pair));
    encode(digest(&SHA256, members.as_bytes()))
}

fn public(pair: &Ed25519KeyPair) -> String {
    encode(pair.public_key())
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What a secret is held against: its SHA-256. Compared in constant time.
///
/// A secret of [`SecretHash::MIN`] bytes is no password that somebody could try: a slow hash would only
/// make the endpoint that compares it easier to overwhelm.
pub struct SecretHash([u8; 32]);

impl SecretHash {
    /// The least length of a secret, in bytes.
    pub const MIN: usize = 32;

    /// Of a secret; none where it is shorter than [`Self::MIN`].
    pub fn of(secret: &[u8]) -> Option<Self> {
        (secret.len() >= Self::MIN).then(|| Self(hash(secret)))
    }

    /// Whether it is of `secret`.
    pub fn is_of(&self, secret: &[u8]) -> bool {
        verify_slices_are_equal(&self.0, &hash(secret)).is_ok()
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(..)")
    }
}

fn hash(secret: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    for (to, from) in hash.iter_mut().zip(digest(&SHA256, secret).as_ref()) {
        *to = *from;
    }
    hash
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::policy::{Audience, Issuer, UnixTime};
    use crate::token::{Parsed, Profile, Terms, TokenError, Trust, Unproven, verify};

    const ONE: &[u8] = b"the first secret, which is long enough";
    const OTHER: &[u8] = b"another secret, which is as long as it must be";

    fn kid(secrets: &[&[u8]]) -> String {
        Signer::of(secrets.iter().copied()).kid
    }

    fn verified(token: &str, keys: &KeySet, algorithm: Algorithm) -> Result<(), TokenError> {
        let trust = Trust {
            issuer: Issuer::new("urn:grantgate:management").unwrap(),
            algorithms: [algorithm].into_iter().collect(),
            profile: Profile::Rfc9068,
            leeway_seconds: 0,
            unproven: Unproven::Refuse,
        };
        let audiences = [Audience::new("urn:grantgate:management").unwrap()];
        let terms = Terms { trust: &trust, keys: Some(keys), secret: None, audiences: &audiences };
        let parsed = Arc::new(Parsed::parse(token).unwrap());
        verify(&parsed, None, &terms, UnixTime::from_seconds(1_100)).map(drop)
    }

    fn claims() -> Value {
        json!({
            "iss": "urn:grantgate:management",
            "aud": "urn:grantgate:management",
            "sub": "deploy-tool",
            "client_id": "deploy-tool",
            "iat": 1_000,
            "exp": 1_600,
            "jti": "1",
        })
    }

    #[test]
    fn the_key_follows_from_the_secrets_in_any_order() {
        assert_eq!(kid(&[ONE, OTHER]), kid(&[OTHER, ONE]));
        let (halves, whole) = ONE.split_at(16);
        for others in [&[ONE][..], &[OTHER], &[ONE, ONE], &[halves, whole], &[], &[b""]] {
            assert_ne!(kid(&[ONE, OTHER]), kid(others));
        }
        assert_ne!(kid(&[ONE]), kid(&[halves, whole]));
        assert_ne!(kid(&[]), kid(&[b""]));
    }

    /// Replicas of two versions verify each other's tokens while one is rolled out.
    #[test]
    fn the_key_is_the_same_in_every_version() {
        assert_eq!(kid(&[&[7; 32]]), "TB5Zpj6ZNtn7NYFIQw89wBJ4mrh3qIzz4ug7ZxknHSU");
    }

    #[test]
    fn what_it_signs_is_verified_with_its_keys_and_no_others() {
        let (one, other) = (Signer::of([ONE]), Signer::of([OTHER]));
        let token = one.sign(&claims());
        assert_eq!(verified(&token, &one.keys().unwrap(), Signer::ALGORITHM), Ok(()));
        assert_eq!(verified(&token, &Signer::of([ONE]).keys().unwrap(), Signer::ALGORITHM), Ok(()));
        let refused = verified(&token, &other.keys().unwrap(), Signer::ALGORITHM);
        assert_eq!(refused, Err(TokenError::KeyUnknown));
        let refused = verified(&token, &one.keys().unwrap(), Algorithm::Es256);
        assert_eq!(refused, Err(TokenError::AlgorithmRefused));
        let ((signed, _), other) = (token.rsplit_once('.').unwrap(), one.sign(&json!({})));
        let forged = format!("{signed}.{}", other.rsplit_once('.').unwrap().1);
        let refused = verified(&forged, &one.keys().unwrap(), Signer::ALGORITHM);
        assert_eq!(refused, Err(TokenError::SignatureInvalid));
    }

    #[test]
    fn a_secret_is_known_by_its_hash_alone() {
        let hash = SecretHash::of(ONE).unwrap();
        assert!(hash.is_of(ONE));
        for other in [OTHER, b"", &ONE[1..], &[ONE, b"\0"].concat()] {
            assert!(!hash.is_of(other));
        }
        assert!(SecretHash::of(&[7; 31]).is_none() && SecretHash::of(&[7; 32]).is_some());
    }

    #[test]
    fn nothing_of_it_prints() {
        assert_eq!(format!("{:?}", Signer::of([ONE])), "Signer(..)");
        assert_eq!(format!("{:?}", SecretHash::of(ONE).unwrap()), "SecretHash(..)");
    }
}
