//! The secret of one API's HMAC-signed tokens. It does not print and is wiped when it is dropped.

use std::fmt;

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use super::{Algorithm, KeyId};

/// A secret that an API shares with its issuer. What it allows follows from its length: a hash's
/// output at least (RFC 7518 section 3.2).
pub struct HsSecret {
    bytes: Zeroizing<Vec<u8>>,
    id: KeyId,
}

/// Why a text is not a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it has {length} bytes where HS256 needs {}", HsSecret::MIN)]
pub struct HsSecretError {
    /// How long it is, in bytes.
    pub length: usize,
}

impl HsSecret {
    /// The least length, in bytes: what HS256 needs.
    pub const MIN: usize = 32;

    /// Keeps a secret.
    ///
    /// # Errors
    /// When it is too short for any algorithm.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, HsSecretError> {
        let bytes = Zeroizing::new(bytes.into());
        if bytes.len() < Self::MIN {
            return Err(HsSecretError { length: bytes.len() });
        }
        // A keyed hash rather than a plain one: the id gives away no more than a token does.
        let key = hmac::Key::new(hmac::HMAC_SHA256, &bytes);
        let id = KeyId::of_tag(&hmac::sign(&key, b"grantgate: id of an HMAC secret"));
        Ok(Self { bytes, id })
    }

    /// Whether the secret is long enough for `algorithm`; never for an asymmetric one.
    pub fn allows(&self, algorithm: Algorithm) -> bool {
        hash(algorithm).is_some_and(|(_, length)| self.bytes.len() >= length)
    }

    pub(super) fn id(&self) -> KeyId {
        self.id
    }

    /// Whether `signature` is this secret's over `message`, compared in constant time.
    pub(super) fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        hash(algorithm).is_some_and(|(hash, _)| {
            hmac::verify(&hmac::Key::new(hash, &self.bytes), message, signature).is_ok()
        })
    }
}

fn hash(algorithm: Algorithm) -> Option<(hmac::Algorithm, usize)> {
    match algorithm {
        Algorithm::Hs256 => Some((hmac::HMAC_SHA256, 32)),
        Algorithm::Hs384 => Some((hmac::HMAC_SHA384, 48)),
        Algorithm::Hs512 => Some((hmac::HMAC_SHA512, 64)),
        _ => None,
    }
}

impl fmt::Debug for HsSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HsSecret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_allows_what_its_length_allows() {
        assert_eq!(HsSecret::new([7; 31]).unwrap_err(), HsSecretError { length: 31 });
        let allowed = |length: usize| {
            let secret = HsSecret::new(vec![7; length]).unwrap();
            Algorithm::ALL.into_iter().filter(|&one| secret.allows(one)).collect::<Vec<_>>()
        };
        assert_eq!(allowed(32), [Algorithm::Hs256]);
        assert_eq!(allowed(48), [Algorithm::Hs256, Algorithm::Hs384]);
        assert_eq!(allowed(64), [Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512]);
    }

    #[test]
    fn a_secret_does_not_print_and_is_known_by_its_id() {
        let secret = HsSecret::new([7; 32]).unwrap();
        assert_eq!(format!("{secret:?}"), "HsSecret(..)");
        assert_eq!(secret.id(), HsSecret::new([7; 32]).unwrap().id());
        assert_ne!(secret.id(), HsSecret::new([8; 32]).unwrap().id());
    }
}
