//! From header text to facts: what a request's access token says, once it is believed.
//!
//! | step | in | out | refuses |
//! |---|---|---|---|
//! | [`credential`](credential()) | `Authorization` values, raw query | [`Credential`], or none | ambiguous, too large, malformed |
//! | [`Parsed::parse`] | the token's text | [`Parsed`]: its shape is right, nothing in it is believed | malformed |
//! | [`Parsed::issuer`] | | who claims to have issued it: chooses the [`Terms`] | claim missing |
//! | [`verify()`] | [`Parsed`], [`Terms`], now | [`Verified`], the proof | type, algorithm, key, signature, claims, time, audience, sender constraint |
//! | [`Verified::client`] | | the application | client unidentified |
//! | [`Verified::identity`] | | [`Identity`]: on whose behalf, with what | subject type ambiguous |
//! | [`Identity::present`] | an API | [`Presented`](crate::policy::Presented), what the decision weighs | |
//!
//! The order is meaning: a caller learns the first step that refused it. [`VerifiedCache`] spares the
//! parsing and the signature of tokens seen before; every other check runs on each request.
//!
//! Who wants to understand a token that is refused takes an [`Inspected`], which believes and decides
//! nothing. Who wants to ask about a caller in a few words has [`compose`](compose()) write the claims.
//!
//! Keys come as text ([`KeySet::from_jwks`], [`KeySet::from_pem`]); nothing here fetches, reads a
//! file or a clock, or logs, and no error, `Debug` or message holds a piece of a token or a secret.

mod algorithm;
mod cache;
mod claims;
mod compose;
mod credential;
mod error;
mod identity;
mod inspect;
mod jose;
mod json;
mod jwks;
mod keys;
mod pem;
mod profile;
mod scopes;
mod secret;
mod sign;
mod verify;

#[cfg(test)]
pub(crate) mod mint;
#[cfg(test)]
mod tests;

pub use algorithm::{Algorithm, Algorithms};
pub use cache::VerifiedCache;
pub use compose::{Caller, ComposeError, compose};
pub use credential::{
    Credential, KeptCredential, OFFERED, Way, credential, credential_of_handshake, is_in_query,
    offered,
};
pub use error::TokenError;
pub use identity::Identity;
pub use inspect::{Inspected, Reading, ScopesRead};
pub use jose::Parsed;
pub use json::strict_json;
pub use keys::{KeyError, KeyId, KeySet, SkippedKey};
pub use profile::{Custom, Evidence, Mark, Profile, Rule, Signal, Sought, Test, Unproven};
pub use scopes::OPENID_SCOPES;
pub use secret::{HsSecret, HsSecretError};
pub use sign::{SecretHash, Signer};
pub use verify::{Terms, Trust, Verified, verify};
