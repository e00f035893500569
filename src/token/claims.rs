//! The claims of a token, each read with the JSON type that it must have (RFC 7519 section 4.1).
//!
//! An absent claim and one of a wrong type are never the same: the second refuses the token, also
//! where the claim is optional.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::TokenError;
use super::scopes::ScopeList;
use crate::policy::{Audience, UnixTime};

/// A token's claims.
pub(super) struct Claims(Map<String, Value>);

impl Claims {
    pub(super) fn new(claims: Map<String, Value>) -> Self {
        Self(claims)
    }

    /// All of them, as they came.
    pub(super) fn all(&self) -> &Map<String, Value> {
        &self.0
    }

    /// All of them, to keep.
    pub(super) fn into_all(self) -> Map<String, Value> {
        self.0
    }

    /// The claim as it came.
    pub(super) fn find(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// `iss`: one string (a list of issuers would be any of them).
    pub(super) fn issuer(&self) -> Result<&str, TokenError> {
        match self.find("iss") {
            Some(Value::String(issuer)) => Ok(issuer),
            Some(_) => Err(TokenError::Malformed("`iss` is not a string")),
            None => Err(TokenError::ClaimMissing("iss")),
        }
    }

    /// `sub`, where there is one.
    pub(super) fn subject(&self) -> Result<Option<&str>, TokenError> {
        match self.find("sub") {
            Some(Value::String(subject)) => Ok(Some(subject)),
            Some(_) => Err(TokenError::Malformed("`sub` is not a string")),
            None => Ok(None),
        }
    }

    /// `aud`: whom the token is for.
    pub(super) fn recipients(&self) -> Result<Recipients<'_>, TokenError> {
        match self.find("aud") {
            Some(Value::String(one)) => Ok(Recipients::One(one)),
            Some(Value::Array(list)) if list.iter().all(Value::is_string) => {
                Ok(Recipients::Several(list))
            }
            Some(_) => Err(TokenError::Malformed("`aud` is neither a string nor a list of them")),
            None => Err(TokenError::ClaimMissing("aud")),
        }
    }

    /// `exp`, `nbf` and `iat`.
    pub(super) fn validity(&self) -> Result<Validity, TokenError> {
        Ok(Validity {
            expires: self.time("exp")?.ok_or(TokenError::ClaimMissing("exp"))?,
            begins: self.time("nbf")?,
            issued: self.time("iat")?,
        })
    }

    /// The authorization details in the claim `name` (RFC 9396 section 9.1): objects with a `type`.
    pub(super) fn details(&self, name: &str) -> Result<&[Value], TokenError> {
        match self.find(name) {
            Some(Value::Array(list)) if list.iter().all(|detail| type_of(detail).is_some()) => {
                Ok(list)
            }
            Some(_) => Err(TokenError::Malformed(
                "its authorization details are not a list of objects with a `type`",
            )),
            None => Ok(&[]),
        }
    }

    /// Refuses a token that is bound to its sender (`cnf`, RFC 7800): no proof can come with Bearer.
    pub(super) fn unbound(&self) -> Result<(), TokenError> {
        let Some(confirmation) = self.find("cnf") else {
            return Ok(());
        };
        // RFC 9449 section 6.1 and RFC 8705 section 3.1: both are SHA-256 thumbprints.
        let thumbprints = ["jkt", "x5t#S256"].map(|name| confirmation.get(name));
        let readable = |value: &Value| {
            let bytes = value.as_str().and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
            bytes.is_some_and(|bytes| bytes.len() == 32)
        };
        let mut present = thumbprints.into_iter().flatten().peekable();
        if present.peek().is_some() && present.all(readable) {
            Err(TokenError::SenderConstraintMissing)
        } else {
            Err(TokenError::SenderConstraintInvalid)
        }
    }

    /// About how many bytes of memory the claims take.
    pub(super) fn weight(&self) -> usize {
        object_weight(&self.0)
    }

    /// A `NumericDate` between 1970 and the end of the year 9999, fractions included.
    pub(super) fn time(&self, name: &str) -> Result<Option<UnixTime>, TokenError> {
        const LAST: f64 = 253_402_300_799.0;
        match self.find(name).map(Value::as_f64) {
            None => Ok(None),
            Some(Some(seconds)) if (0.0..=LAST).contains(&seconds) => {
                #[expect(clippy::cast_possible_truncation, reason = "between 0 and 2^48")]
                let milliseconds = (seconds * 1000.0).floor() as i64;
                Ok(Some(UnixTime::from_milliseconds(milliseconds)))
            }
            Some(_) => Err(TokenError::Malformed("a time is not a number of seconds in range")),
        }
    }
}

/// The `type` of one of the authorization details.
pub(super) fn type_of(detail: &Value) -> Option<&str> {
    detail.as_object()?.get("type")?.as_str()
}

/// Whom a token is for.
pub(super) enum Recipients<'a> {
    One(&'a str),
    /// The APIs that these scopes say they belong to.
    OwnersOf(ScopeList<'a>),
    Several(&'a [Value]),
}

impl Recipients<'_> {
    /// Refuses the token unless one of `audiences` is among its recipients, byte for byte.
    pub(super) fn include(&self, audiences: &[Audience]) -> Result<(), TokenError> {
        let is_one = match self {
            Self::One(one) => audiences.iter().any(|audience| *one == audience.as_str()),
            Self::OwnersOf(scopes) => scopes.names_one_of(audiences),
            Self::Several(list) => {
                audiences.iter().any(|audience| list.iter().any(|one| one == audience.as_str()))
            }
        };
        if is_one { Ok(()) } else { Err(TokenError::AudienceMismatch) }
    }
}

/// When a token is valid.
pub(super) struct Validity {
    expires: UnixTime,
    begins: Option<UnixTime>,
    issued: Option<UnixTime>,
}

impl Validity {
    /// Refuses the token unless it is valid `now`, give or take `leeway` seconds of clock difference.
    pub(super) fn includes(&self, now: UnixTime, leeway: i64) -> Result<(), TokenError> {
        if self.until(leeway) <= now {
            return Err(TokenError::Expired);
        }
        let latest = now.plus_seconds(leeway);
        if [self.begins, self.issued].into_iter().flatten().any(|start| start > latest) {
            return Err(TokenError::NotYetValid);
        }
        Ok(())
    }

    /// From `iat` to `exp`; nothing where the token does not say when it was issued.
    pub(super) fn lifetime(&self) -> Option<Duration> {
        let lifetime = self.expires.milliseconds().checked_sub(self.issued?.milliseconds())?;
        u64::try_from(lifetime).ok().map(Duration::from_millis)
    }

    /// From when on the token has expired, `leeway` seconds of clock difference included.
    pub(super) fn until(&self, leeway: i64) -> UnixTime {
        self.expires.plus_seconds(leeway)
    }
}

/// `serde_json` keeps members in a B-tree: a leaf has room for eleven, and is about half full.
fn object_weight(object: &Map<String, Value>) -> usize {
    const MEMBER: usize = 2 * (size_of::<String>() + size_of::<Value>());
    const LEAF: usize = 11 * MEMBER / 2;
    let members: usize =
        object.iter().map(|(name, value)| MEMBER + name.len() + value_weight(value)).sum();
    members.max(if object.is_empty() { 0 } else { LEAF })
}

fn value_weight(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.capacity(),
        Value::Array(list) => {
            list.capacity() * size_of::<Value>() + list.iter().map(value_weight).sum::<usize>()
        }
        Value::Object(object) => object_weight(object),
    }
}
