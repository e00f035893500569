//! The marks by which a kind of issuer tells its access tokens from the other tokens that it signs with
//! the same keys: a token that lacks a mark, or bears another kind's, is no access token.

use serde_json::Value;

use crate::token::claims::Claims;

/// What every access token of an issuer is like, and some other token is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// It has no such claim: ID tokens do.
    Lacks(&'static str),
    /// It has one of these claims.
    HasOneOf(&'static [&'static str]),
    /// This claim is not a text that begins so.
    NotBegins(&'static str, &'static str),
    /// This claim is one of these texts, in any case.
    OneOf(&'static str, &'static [&'static str]),
}

/// ID tokens of every issuer (OIDC Core sections 3.1.3.6 and 3.3.2.11, FAPI's `s_hash`).
pub(super) const HASHES: [Mark; 3] =
    [Mark::Lacks("at_hash"), Mark::Lacks("c_hash"), Mark::Lacks("s_hash")];

impl Mark {
    /// Whether a token with these claims may be an access token.
    pub(super) fn is_borne(self, claims: &Claims) -> bool {
        let text = |claim: &str| claims.find(claim).and_then(Value::as_str);
        match self {
            Self::Lacks(claim) => claims.find(claim).is_none(),
            Self::HasOneOf(names) => names.iter().any(|name| claims.find(name).is_some()),
            Self::NotBegins(claim, start) => {
                !text(claim).is_some_and(|text| text.starts_with(start))
            }
            Self::OneOf(claim, known) => text(claim)
                .is_some_and(|text| known.iter().any(|one| one.eq_ignore_ascii_case(text))),
        }
    }
}

impl std::fmt::Display for Mark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Lacks(claim) => write!(f, "`{claim}` is in ID tokens alone"),
            Self::HasOneOf(names) => {
                let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
                write!(f, "an access token has {}", names.join(" or "))
            }
            Self::NotBegins(claim, start) => write!(f, "`{claim}` begins with `{start}`"),
            Self::OneOf(claim, known) => {
                let known: Vec<_> = known.iter().map(|one| format!("`{one}`")).collect();
                write!(f, "an access token's `{claim}` is {}", known.join(" or "))
            }
        }
    }
}
