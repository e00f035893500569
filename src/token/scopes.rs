//! The scopes of a token, claim by claim: as one string or as a list (RFC 6749 section 3.3).
//!
//! Scopes are split at U+0020 alone and hold `scope-token` characters only, so that no other white
//! space or look-alike can hide or join scopes; anything else refuses the token.

use serde_json::Value;

use super::TokenError;
use super::claims::Claims;
use crate::policy::{Audience, is_name};

/// The claims of a token that hold scopes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ScopeClaims<'a> {
    /// `scope` and `scp`, or another claim that the custom profile names.
    pub(super) lists: [Option<ScopeList<'a>>; 2],
    /// `permissions`, where the profile knows it.
    pub(super) permissions: Option<ScopeList<'a>>,
    /// `roles`, where they are a client's scopes and nothing of a user's.
    pub(super) roles: Option<ScopeList<'a>>,
    /// The audiences of the API that is called, where each scope says whose it is (`audience/scope`).
    pub(super) owners: Option<&'a [Audience]>,
}

impl<'a> ScopeClaims<'a> {
    /// `scope` (RFC 9068 section 2.2.3) and `scp`, which some issuers write instead or beside it.
    pub(super) fn standard(claims: &'a Claims) -> Result<Self, TokenError> {
        let lists = [
            ScopeList::read(claims, "scope", Shape::Joined)?,
            ScopeList::read(claims, "scp", Shape::Either)?,
        ];
        Ok(Self { lists, ..Self::default() })
    }

    /// Whose `scope` is.
    pub(super) fn owner(&self, scope: &'a str) -> Owner<'a> {
        let Some(audiences) = self.owners else {
            return Owner::Ours(scope);
        };
        match owned(scope) {
            Some((owner, name)) if is_one_of(owner, audiences) => Owner::Ours(name),
            Some(_) => Owner::Another,
            None => Owner::Nobody,
        }
    }

    /// Whether a scope of a user's token asks the issuer for something rather than an API (OIDC Core
    /// sections 5.4 and 11, and Cognito's own): no grant lists it.
    pub(super) fn asks_issuer(&self, scope: &str) -> bool {
        OPENID_SCOPES.contains(&scope)
            || (self.owners.is_some() && scope == "aws.cognito.signin.user.admin")
    }
}

/// The scopes by which OIDC asks an issuer for something (Core sections 5.4 and 11): in a user's token they are
/// left aside where the API does not declare them.
pub const OPENID_SCOPES: [&str; 6] =
    ["openid", "profile", "email", "address", "phone", "offline_access"];

/// Whose a scope is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner<'a> {
    /// Another API's.
    Another,
    /// Nobody's, where a scope should say it.
    Nobody,
    /// That of the API that is called, by this name.
    Ours(&'a str),
}

/// The audience that a scope says it belongs to, and its name there. Names hold no slash, so that the
/// scopes of `https://api.example` are not those of `https://api.example/more`.
fn owned(scope: &str) -> Option<(&str, &str)> {
    scope.rsplit_once('/').filter(|(_, name)| !name.is_empty())
}

fn is_one_of(owner: &str, audiences: &[Audience]) -> bool {
    audiences.iter().any(|audience| audience.as_str() == owner)
}

/// The scopes of one claim, every one a name.
#[derive(Clone, Copy, Debug)]
pub(super) struct ScopeList<'a> {
    /// The claim.
    pub(super) claim: &'a str,
    written: Written<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Written<'a> {
    /// Separated by spaces.
    Joined(&'a str),
    /// One by one: strings only.
    Listed(&'a [Value]),
}

/// The shapes that a claim may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Either,
    Joined,
    Listed,
}

impl<'a> ScopeList<'a> {
    /// The scopes in `claim`, where there is one.
    pub(super) fn read(
        claims: &'a Claims,
        claim: &'a str,
        shape: Shape,
    ) -> Result<Option<Self>, TokenError> {
        let written = match (claims.find(claim), shape) {
            (None, _) => return Ok(None),
            (Some(Value::String(text)), Shape::Either | Shape::Joined) => {
                Self::checked(text.split(' ').filter(|scope| !scope.is_empty()))?;
                Written::Joined(text)
            }
            (Some(Value::Array(list)), Shape::Either | Shape::Listed) => {
                // What is no string is read as the empty one, which is no scope.
                Self::checked(list.iter().map(|item| item.as_str().unwrap_or_default()))?;
                Written::Listed(list)
            }
            (Some(_), _) => {
                return Err(TokenError::Malformed("a claim that holds scopes is of a wrong type"));
            }
        };
        Ok(Some(Self { claim, written }))
    }

    /// Every scope, in the order written.
    pub(super) fn iter(self) -> impl Iterator<Item = &'a str> {
        let (text, list): (&str, &[Value]) = match self.written {
            Written::Joined(text) => (text, &[]),
            Written::Listed(list) => ("", list),
        };
        let joined = text.split(' ').filter(|scope| !scope.is_empty());
        joined.chain(list.iter().filter_map(Value::as_str))
    }

    /// Whether one of the scopes says that it belongs to one of `audiences`.
    pub(super) fn names_one_of(self, audiences: &[Audience]) -> bool {
        self.iter().filter_map(owned).any(|(owner, _)| is_one_of(owner, audiences))
    }

    fn checked(mut scopes: impl Iterator<Item = &'a str>) -> Result<(), TokenError> {
        if scopes.all(is_name) {
            Ok(())
        } else {
            Err(TokenError::Malformed("a scope holds a character that none may"))
        }
    }
}
