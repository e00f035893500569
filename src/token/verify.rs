//! From a parsed token to a verified one: the rules of the token in their order.
//!
//! | rule | refuses with |
//! |---|---|
//! | the issuer is the one that is trusted | `IssuerUnknown` |
//! | the type is an access token's | `TypeRefused` |
//! | the algorithm is one of the issuer's, or of the API's secret | `AlgorithmRefused` |
//! | the key is one of the issuer's | `KeyUnknown` |
//! | the signature is that key's | `SignatureInvalid` |
//! | claims are there, and of their JSON type | `ClaimMissing`, `Malformed` |
//! | time | `Expired`, `NotYetValid` |
//! | audience | `AudienceMismatch` |
//! | no sender constraint, since none can be proven with Bearer | `SenderConstraintMissing`, `-Invalid` |
//!
//! Of a token that is but supposed ([`Parsed::supposed`]), algorithm, key and signature are left out. One
//! that was verified before skips the signature, and only when the very key that verified it
//! is selected again: all else runs on each request, so that a change of settings or keys bites.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::profile::{Profile, Unproven};
use super::scopes::ScopeClaims;
use super::{Algorithm, Algorithms, HsSecret, KeyId, KeySet, Parsed, TokenError};
use crate::policy::{Audience, Issuer, UnixTime};

/// What the tokens of one issuer must be.
#[derive(Clone, Debug)]
pub struct Trust {
    /// The issuer, compared with `iss` byte for byte.
    pub issuer: Issuer,
    /// The asymmetric algorithms that are accepted; symmetric ones in the set mean nothing.
    pub algorithms: Algorithms,
    /// Where its tokens say what.
    pub profile: Profile,
    /// How far its clock may differ from ours.
    pub leeway_seconds: i64,
    /// What a token is that does not prove its subject type.
    pub unproven: Unproven,
}

/// What one API asks of a token of one issuer. Trust and audiences outlive the verification (`'t`):
/// what was verified speaks of them.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'t, 'a> {
    /// What is trusted in the issuer's tokens.
    pub trust: &'t Trust,
    /// The issuer's keys; none when they never came.
    pub keys: Option<&'a KeySet>,
    /// The API's own secret: it alone verifies the HMAC algorithms, which its presence allows.
    pub secret: Option<&'a HsSecret>,
    /// The audiences that mean the API.
    pub audiences: &'t [Audience],
}

/// The proof that a token was verified under some [`Terms`], at some time. Only [`verify`] makes one.
pub struct Verified<'a> {
    pub(super) parsed: &'a Arc<Parsed>,
    pub(super) trust: &'a Trust,
    pub(super) subject: Option<&'a str>,
    pub(super) scopes: ScopeClaims<'a>,
    pub(super) details: &'a [Value],
    key: Option<KeyId>,
    until: UnixTime,
}

impl Verified<'_> {
    /// The key that verified it; none where it is but supposed ([`Parsed::supposed`]).
    pub fn key(&self) -> Option<KeyId> {
        self.key
    }

    /// From when on the token has expired, give or take what its issuer's clock may differ.
    pub fn until(&self) -> UnixTime {
        self.until
    }
}

impl fmt::Debug for Verified<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified").field("key", &self.key).finish_non_exhaustive()
    }
}

/// Verifies a token by the rules of the table above. `verified_by` is the key that verified this
/// very token before (see [`VerifiedCache`](super::VerifiedCache)).
///
/// # Errors
/// The first rule that the token breaks. [`TokenError::KeyUnknown`] and
/// [`TokenError::SignatureInvalid`] may pass with fresh keys; the first is also the answer where
/// there are none yet.
pub fn verify<'a>(
    parsed: &'a Arc<Parsed>,
    verified_by: Option<KeyId>,
    terms: &Terms<'a, '_>,
    now: UnixTime,
) -> Result<Verified<'a>, TokenError> {
    let (trust, claims) = (terms.trust, parsed.claims());
    if claims.issuer()? != trust.issuer.as_str() {
        return Err(TokenError::IssuerUnknown);
    }
    kind(parsed, &trust.profile)?;
    let key =
        if parsed.is_supposed() { None } else { Some(authentic(parsed, verified_by, terms)?) };

    let recipients = trust.profile.recipients(claims)?;
    let validity = claims.validity()?;
    let subject = claims.subject()?;
    let scopes = trust.profile.scopes(claims, terms.audiences)?;
    let details = claims.details(trust.profile.details_claim())?;

    validity.includes(now, trust.leeway_seconds)?;
    recipients.include(terms.audiences)?;
    claims.unbound()?;
    let until = validity.until(trust.leeway_seconds);
    Ok(Verified { parsed, trust, subject, scopes, details, key, until })
}

/// Refuses what is no access token (RFC 8725 section 3.11): by `typ`, and by the marks of the profile.
fn kind(parsed: &Parsed, profile: &Profile) -> Result<(), TokenError> {
    let admitted = profile.admits_type(parsed.head().kind.as_deref());
    if admitted && profile.failed_mark(parsed.claims()).is_none() {
        Ok(())
    } else {
        Err(TokenError::TypeRefused)
    }
}

/// Algorithm, key and signature: the key that signed the token.
fn authentic(
    parsed: &Parsed,
    verified_by: Option<KeyId>,
    terms: &Terms<'_, '_>,
) -> Result<KeyId, TokenError> {
    let algorithm = parsed.head().algorithm.ok_or(TokenError::AlgorithmRefused)?;
    if algorithm.is_symmetric() {
        return authentic_by_secret(parsed, algorithm, verified_by, terms.secret);
    }
    if !terms.trust.algorithms.contains(algorithm) {
        return Err(TokenError::AlgorithmRefused);
    }
    let keys = terms.keys.ok_or(TokenError::KeyUnknown)?;
    let candidates = || keys.find(parsed.head().kid.as_deref(), algorithm);
    if let Some(known) = candidates()?.find(|key| Some(key.id) == verified_by) {
        return Ok(known.id);
    }
    let (message, signature) = parsed.signed()?;
    candidates()?
        .find(|key| key.verifies(message, &signature))
        .map(|key| key.id)
        .ok_or(TokenError::SignatureInvalid)
}

fn authentic_by_secret(
    parsed: &Parsed,
    algorithm: Algorithm,
    verified_by: Option<KeyId>,
    secret: Option<&HsSecret>,
) -> Result<KeyId, TokenError> {
    let secret =
        secret.filter(|secret| secret.allows(algorithm)).ok_or(TokenError::AlgorithmRefused)?;
    if verified_by == Some(secret.id()) {
        return Ok(secret.id());
    }
    let (message, signature) = parsed.signed()?;
    if secret.verifies(algorithm, message, &signature) {
        Ok(secret.id())
    } else {
        Err(TokenError::SignatureInvalid)
    }
}
