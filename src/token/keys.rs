//! An issuer's public keys, ready to verify with.
//!
//! A key is prepared once for each algorithm that it may verify. It is known by a hash of its public
//! material, so that the same key fetched again is the same key. Symmetric keys are never among them:
//! what an issuer publishes cannot be a secret.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::hmac;
use aws_lc_rs::rsa::PublicEncryptingKey;
use aws_lc_rs::signature::{self, ParsedPublicKey, VerificationAlgorithm};

use super::{Algorithm, TokenError, jwks, pem};
use crate::hex::hex;

/// Names a key by its material: equal for equal keys, wherever they come from.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId([u8; 32]);

impl KeyId {
    /// The id of a key in DER (`SubjectPublicKeyInfo`), which says its kind too.
    fn of_der(der: &[u8]) -> Self {
        Self::from_hash(digest(&SHA256, der).as_ref())
    }

    /// The id of a secret, from an HMAC-SHA-256 tag under it.
    pub(super) fn of_tag(tag: &hmac::Tag) -> Self {
        Self::from_hash(tag.as_ref())
    }

    fn from_hash(hash: &[u8]) -> Self {
        let mut id = [0; 32];
        for (to, from) in id.iter_mut().zip(hash) {
            *to = *from;
        }
        Self(id)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({})", hex(self.0.iter().take(8)))
    }
}

/// An issuer's keys.
#[derive(Clone, Debug, Default)]
pub struct KeySet {
    keys: Vec<Key>,
}

/// A key of a set that was left out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("key {place}: {reason}")]
pub struct SkippedKey {
    /// Its place in the set, from 1.
    pub place: usize,
    /// Why it was left out.
    pub reason: KeyError,
}

/// Why keys cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Its `alg` is unknown, or not for such a key.
    #[error("its `alg` is not one that such a key can verify")]
    Algorithm,
    /// For encryption (`use`: `enc`), beside which others may stand that are for signatures.
    #[error("it is for encryption")]
    Encryption,
    /// The text is not what it should be.
    #[error("{0}")]
    Format(&'static str),
    /// The text is no JSON from here on.
    #[error("it is no JSON at line {line}, column {column}")]
    Json {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// Not RSA, not a curve that is supported, or not a point of it.
    #[error("it is no RSA, P-256, P-384, P-521 or Ed25519 public key")]
    Kind,
    /// A member is absent, of a wrong type, or not canonical.
    #[error("its `{0}` is missing or unreadable")]
    Member(&'static str),
    /// A private part stands beside the public one: whoever can read the set can sign.
    #[error("it holds private parts")]
    Private,
    /// An RSA modulus of a size that is not accepted.
    #[error("its RSA modulus does not have 2048 to 8192 bits")]
    Size,
    /// A symmetric key: a public one could never be a secret.
    #[error("it is a symmetric key")]
    Symmetric,
    /// The set has more keys than are read.
    #[error("the set has more than {} keys", KeySet::MAX)]
    TooMany,
    /// Not for verifying signatures (`use`, `key_ops`).
    #[error("it is not for verifying signatures")]
    Use,
}

impl KeySet {
    /// How many keys of a set are read.
    pub const MAX: usize = 64;
    /// How many keys are tried for one token.
    pub const TRIES: usize = 4;

    /// Reads a JWK set (RFC 7517 section 5), key by key: one that cannot be used is left out and
    /// reported, and does not harm the others. The set may end up empty.
    ///
    /// # Errors
    /// When the text is no JWK set.
    pub fn from_jwks(text: &str) -> Result<(Self, Vec<SkippedKey>), KeyError> {
        let mut set = Self::default();
        let mut skipped = Vec::new();
        for (place, key) in (1..).zip(jwks::read(text)?) {
            if let Err(reason) = key.and_then(|key| set.insert(key)) {
                skipped.push(SkippedKey { place, reason });
            }
        }
        Ok((set, skipped))
    }

    /// Reads public keys and certificates in PEM (RFC 7468). They have no `kid`: a token's `kid`
    /// that no other key has may mean any of them. Certificates are containers here: their names,
    /// dates and signatures are not looked at.
    ///
    /// # Errors
    /// When there is none, or one that cannot be used.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let mut set = Self::default();
        for key in pem::read(text)? {
            set.insert(key)?;
        }
        Ok(set)
    }

    /// Adds the keys of `other`, as far as there is room.
    ///
    /// # Errors
    /// When there is none for some of them.
    pub fn merge(&mut self, other: Self) -> Result<(), KeyError> {
        other.keys.into_iter().try_for_each(|key| self.insert(key))
    }

    /// How many keys without a `kid` fit one algorithm, where they are more than are tried for one
    /// token: the last of them would never be.
    pub fn nameless_beyond(&self) -> Option<usize> {
        let fitting = Algorithm::ALL.into_iter().map(|algorithm| {
            let nameless = self.keys.iter().filter(|key| key.kid.is_none());
            nameless.filter(|key| key.candidate(algorithm).is_some()).count()
        });
        fitting.max().filter(|most| *most > Self::TRIES)
    }

    /// How many keys the set has.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// What its keys are called, those that have a name.
    pub fn kids(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().filter_map(|key| key.kid.as_deref())
    }

    /// Whether the set has no key.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The keys that may have signed a token with this `kid` and `algorithm`: those that bear the
    /// `kid`, or else those without one. For a token without `kid`, the one key that fits.
    ///
    /// # Errors
    /// [`TokenError::KeyUnknown`], or [`TokenError::AlgorithmRefused`] when the keys of that `kid`
    /// are for other algorithms.
    pub(super) fn find<'a>(
        &'a self,
        kid: Option<&'a str>,
        algorithm: Algorithm,
    ) -> Result<impl Iterator<Item = Candidate<'a>>, TokenError> {
        let known = kid.filter(|_| self.keys.iter().any(|key| key.kid.as_deref() == kid));
        let fits = self
            .keys
            .iter()
            .filter(move |key| kid.is_none() || key.kid.as_deref() == known)
            .filter_map(move |key| key.candidate(algorithm))
            .take(Self::TRIES);
        match (fits.clone().count(), kid, known) {
            (0, _, Some(_)) => Err(TokenError::AlgorithmRefused),
            (1, None, _) | (1.., Some(_), _) => Ok(fits),
            _ => Err(TokenError::KeyUnknown),
        }
    }

    fn insert(&mut self, key: Key) -> Result<(), KeyError> {
        if self.keys.iter().any(|known| known.id == key.id && known.kid == key.kid) {
            return Ok(());
        }
        if self.keys.len() == Self::MAX {
            return Err(KeyError::TooMany);
        }
        self.keys.push(key);
        Ok(())
    }
}

/// A key that may have signed a token, prepared for its algorithm.
#[derive(Clone, Copy)]
pub(super) struct Candidate<'a> {
    pub(super) id: KeyId,
    key: &'a ParsedPublicKey,
}

impl Candidate<'_> {
    /// Whether `signature` is this key's over `message`.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.key.verify_sig(message, signature).is_ok()
    }
}

/// One public key.
#[derive(Clone)]
pub(super) struct Key {
    id: KeyId,
    kid: Option<Box<str>>,
    /// INVARIANT: never empty, and asymmetric algorithms of one family only.
    prepared: Vec<(Algorithm, ParsedPublicKey)>,
}

impl Key {
    /// The key in `der` (`SubjectPublicKeyInfo`, or PKCS #1 for RSA), for `only` one algorithm or for
    /// all that fit it.
    pub(super) fn new(
        kid: Option<Box<str>>,
        der: &[u8],
        only: Option<Algorithm>,
    ) -> Result<Self, KeyError> {
        let mut prepared: Vec<_> = Algorithm::ALL
            .into_iter()
            .filter(|algorithm| says_its_kind(der, *algorithm))
            .filter_map(|algorithm| {
                let key = ParsedPublicKey::new(verification(algorithm)?, der).ok()?;
                Some((algorithm, key))
            })
            .collect();
        let (family, first) = prepared.first().ok_or(KeyError::Kind)?;
        let canonical = first.as_der().map_err(|_| KeyError::Kind)?;
        let id = KeyId::of_der(canonical.as_ref());
        // Verifying checks the size too, but a key that can never verify is told now.
        let is_rsa = *family == Algorithm::Ps256;
        if is_rsa && PublicEncryptingKey::from_der(canonical.as_ref()).is_err() {
            return Err(KeyError::Size);
        }
        prepared.retain(|(algorithm, _)| only.is_none_or(|only| only == *algorithm));
        if prepared.is_empty() {
            return Err(KeyError::Algorithm);
        }
        Ok(Self { id, kid, prepared })
    }

    fn candidate(&self, algorithm: Algorithm) -> Option<Candidate<'_>> {
        let (_, key) = self.prepared.iter().find(|(one, _)| *one == algorithm)?;
        Some(Candidate { id: self.id, key })
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let algorithms: Vec<_> = self.prepared.iter().map(|(algorithm, _)| algorithm).collect();
        f.debug_struct("Key")
            .field("id", &self.id)
            .field("kid", &self.kid)
            .field("algorithms", &algorithms)
            .finish()
    }
}

/// Whether `der` says what kind of key it is, if it is one for `algorithm`. Points of curves are read
/// without that too: 32 bytes of anything are an Ed25519 key then, and a small RSA key has as many. An
/// Ed25519 key that says its kind is longer.
fn says_its_kind(der: &[u8], algorithm: Algorithm) -> bool {
    const SEQUENCE: u8 = 0x30;
    const BARE_ED25519: usize = 32;
    let is_bare = algorithm == Algorithm::Ed25519 && der.len() == BARE_ED25519;
    der.first() == Some(&SEQUENCE) && !is_bare
}

/// How `algorithm` verifies with a public key; nothing for the symmetric ones.
fn verification(algorithm: Algorithm) -> Option<&'static dyn VerificationAlgorithm> {
    match algorithm {
        Algorithm::Es256 => Some(&signature::ECDSA_P256_SHA256_FIXED),
        Algorithm::Es384 => Some(&signature::ECDSA_P384_SHA384_FIXED),
        Algorithm::Es512 => Some(&signature::ECDSA_P521_SHA512_FIXED),
        Algorithm::Ed25519 => Some(&signature::ED25519),
        Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => None,
        Algorithm::Ps256 => Some(&signature::RSA_PSS_2048_8192_SHA256),
        Algorithm::Ps384 => Some(&signature::RSA_PSS_2048_8192_SHA384),
        Algorithm::Ps512 => Some(&signature::RSA_PSS_2048_8192_SHA512),
        Algorithm::Rs256 => Some(&signature::RSA_PKCS1_2048_8192_SHA256),
        Algorithm::Rs384 => Some(&signature::RSA_PKCS1_2048_8192_SHA384),
        Algorithm::Rs512 => Some(&signature::RSA_PKCS1_2048_8192_SHA512),
    }
}
