//! What the configuration says to a token: whether its signature is right, and which APIs it is valid for.
//!
//! Keys that stand in the configuration are used as they are; those of an issuer that publishes them are
//! fetched when that is asked for. Rules that depend on the request (grants, scopes, operations) are not
//! tried.

use std::sync::Arc;

use serde::Serialize;

use crate::clock::now;
use crate::config::snapshot::{IssuerSettings, KeySource, ServedApi, Snapshot};
use crate::gate::Code;
use crate::token::{self, KeySet, Parsed, Terms, TokenError};

use super::super::keys::fetched;

/// What became of a verification.
#[derive(Debug, Serialize)]
pub struct Verification {
    /// Whether any was made, and how it ended.
    pub state: State,
    /// Why it ended so, in words.
    pub why: String,
    /// Whether the signature is right.
    pub signature: Signature,
    /// What each API that trusts the issuer says.
    pub apis: Vec<Answer>,
}

/// How a verification ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// None was made: nothing in the token is proven.
    NotVerified,
    /// It is valid for no API.
    Refused,
    /// It is valid for some API.
    Verified,
}

/// What is known of the signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signature {
    /// It was not looked at.
    NotChecked,
    /// It is not the issuer's.
    Wrong,
    /// It is the issuer's.
    Right,
}

/// What an API says to the token.
#[derive(Debug, Serialize)]
pub struct Answer {
    /// The API.
    pub api: String,
    /// The code of its refusal.
    pub code: Option<&'static str>,
    /// Its refusal in words.
    pub detail: Option<String>,
}

impl Verification {
    /// There is no configuration.
    pub fn unconfigured() -> Self {
        Self::not_made("no configuration was given (`--config`), so there are no keys")
    }

    /// There is no token.
    pub fn of_claims() -> Self {
        Self::not_made("these are claims alone: without a signature there is nothing to verify")
    }

    /// Whether some API takes the token.
    pub fn is_accepted(&self) -> bool {
        self.state == State::Verified
    }

    fn not_made(why: impl Into<String>) -> Self {
        let (state, signature) = (State::NotVerified, Signature::NotChecked);
        Self { state, why: why.into(), signature, apis: Vec::new() }
    }

    fn refused(why: impl Into<String>) -> Self {
        Self { state: State::Refused, ..Self::not_made(why) }
    }
}

/// Verifies the token for each API that trusts its issuer.
///
/// # Errors
/// When keys should be fetched and cannot be.
pub fn verify(
    text: &str,
    issuer: Option<&IssuerSettings>,
    snapshot: &Snapshot,
    fetch: bool,
) -> Result<Verification, String> {
    let parsed = match Parsed::parse(text) {
        Ok(parsed) => Arc::new(parsed),
        Err(error) => return Ok(Verification::refused(refusal(&error))),
    };
    let Some(issuer) = issuer else {
        let error = parsed.issuer().err().unwrap_or(TokenError::IssuerUnknown);
        return Ok(Verification::refused(refusal(&error)));
    };
    let trusting: Vec<_> = snapshot
        .apis
        .iter()
        .filter(|api| api.trusted(snapshot).any(|trust| trust.issuer == issuer.trust.issuer))
        .collect();
    let keys = match &issuer.keys {
        KeySource::Fixed(keys) => Some(keys.clone()),
        KeySource::Remote(_) if fetch => Some(fetched(issuer)?),
        KeySource::Remote(_) => None,
    };
    let outcomes: Vec<_> = trusting
        .iter()
        .map(|api| {
            (api.api.identifier.as_str(), outcome(&parsed, issuer, keys.as_deref(), Some(api)))
        })
        .collect();
    let lacks_keys = |(_, outcome): &(_, _)| *outcome == Err(TokenError::KeyUnknown);
    if keys.is_none() && outcomes.iter().any(lacks_keys) {
        let why = "its issuer publishes its keys: `--verify` fetches them";
        return Ok(Verification::not_made(why));
    }
    if outcomes.is_empty() {
        let error = outcome(&parsed, issuer, keys.as_deref(), None).err();
        let signature = error.as_ref().map_or(Signature::NotChecked, signature);
        let why = "no API of the configuration trusts its issuer";
        return Ok(Verification { signature, ..Verification::refused(why) });
    }
    Ok(summed_up(&outcomes))
}

fn summed_up(outcomes: &[(&str, Result<(), TokenError>)]) -> Verification {
    let accepted = outcomes.iter().find(|(_, outcome)| outcome.is_ok());
    // The API that the token is for says more than those that it is not for.
    let telling = outcomes
        .iter()
        .filter_map(|(_, outcome)| outcome.as_ref().err())
        .max_by_key(|error| (!matches!(error, TokenError::AudienceMismatch), signature(error)));
    let (state, signature, why) = match (accepted, telling) {
        (Some((api, _)), _) => {
            let why = format!("type, signature, claims, time and audience are right for `{api}`");
            (State::Verified, Signature::Right, why)
        }
        (None, Some(error)) => (State::Refused, signature(error), refusal(error)),
        (None, None) => (State::Refused, Signature::NotChecked, String::new()),
    };
    let apis = outcomes.iter().map(|(api, outcome)| Answer {
        api: (*api).to_owned(),
        code: outcome.as_ref().err().map(|error| Code::from(error).as_str()),
        detail: outcome.as_ref().err().map(ToString::to_string),
    });
    Verification { state, why, signature, apis: apis.collect() }
}

/// What an API says to the token, up to who calls; without one, what the issuer's keys say.
fn outcome(
    parsed: &Arc<Parsed>,
    issuer: &IssuerSettings,
    keys: Option<&KeySet>,
    api: Option<&&ServedApi>,
) -> Result<(), TokenError> {
    let terms = Terms {
        trust: &issuer.trust,
        keys,
        secret: api.and_then(|api| api.secret.as_ref()),
        audiences: api.map_or(&[], |api| api.audiences.as_slice()),
    };
    token::verify(parsed, None, &terms, now())?.identity().map(|_| ())
}

/// What a refusal tells of the signature: the rules are tried in their order.
fn signature(error: &TokenError) -> Signature {
    match error {
        TokenError::SignatureInvalid => Signature::Wrong,
        TokenError::Ambiguous
        | TokenError::TooLarge
        | TokenError::IssuerUnknown
        | TokenError::TypeRefused
        | TokenError::AlgorithmRefused
        | TokenError::KeyUnknown => Signature::NotChecked,
        _ => Signature::Right,
    }
}

fn refusal(error: &TokenError) -> String {
    format!("{}: {error}", Code::from(error).as_str())
}
