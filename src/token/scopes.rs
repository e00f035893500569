//! The scopes of a token, claim by claim: as one string or as a list (RFC 6749 section 3.3).
//!
//! Scopes are split at U+0020 alone and hold `scope-token` characters only, so that no other white
//! space or look-alike can hide or join scopes; anything else refuses the token.

use serde_json::Value;

use super::TokenError;
use super::claims::Claims;
use crate::policy::is_name;

/// The claims of a token that hold scopes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ScopeClaims<'a> {
    /// `scope` and `scp`, or another claim that the custom profile names.
    pub(super) lists: [Option<ScopeList<'a>>; 2],
    /// `permissions`, where the profile knows it.
    pub(super) permissions: Option<ScopeList<'a>>,
}

impl<'a> ScopeClaims<'a> {
    /// `scope` (RFC 9068 section 2.2.3) and `scp`, which some issuers write instead or beside it.
    pub(super) fn standard(claims: &'a Claims) -> Result<Self, TokenError> {
        let lists = [
            ScopeList::read(claims, "scope", Shape::Joined)?,
            ScopeList::read(claims, "scp", Shape::Either)?,
        ];
        Ok(Self { lists, permissions: None })
    }
}

/// The scopes of one claim, every one a name.
#[derive(Clone, Copy, Debug)]
pub(super) enum ScopeList<'a> {
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
    /// The scopes in the claim `name`, where there is one.
    pub(super) fn read(
        claims: &'a Claims,
        name: &str,
        shape: Shape,
    ) -> Result<Option<Self>, TokenError> {
        match (claims.find(name), shape) {
            (None, _) => Ok(None),
            (Some(Value::String(text)), Shape::Either | Shape::Joined) => {
                Self::checked(text.split(' ').filter(|scope| !scope.is_empty()))?;
                Ok(Some(Self::Joined(text)))
            }
            (Some(Value::Array(list)), Shape::Either | Shape::Listed) => {
                // What is no string is read as the empty one, which is no scope.
                Self::checked(list.iter().map(|item| item.as_str().unwrap_or_default()))?;
                Ok(Some(Self::Listed(list)))
            }
            (Some(_), _) => {
                Err(TokenError::Malformed("a claim that holds scopes is of a wrong type"))
            }
        }
    }

    /// Every scope, in the order written.
    pub(super) fn iter(self) -> impl Iterator<Item = &'a str> {
        let (text, list): (&str, &[Value]) = match self {
            Self::Joined(text) => (text, &[]),
            Self::Listed(list) => ("", list),
        };
        let joined = text.split(' ').filter(|scope| !scope.is_empty());
        joined.chain(list.iter().filter_map(Value::as_str))
    }

    fn checked(mut scopes: impl Iterator<Item = &'a str>) -> Result<(), TokenError> {
        if scopes.all(is_name) {
            Ok(())
        } else {
            Err(TokenError::Malformed("a scope holds a character that none may"))
        }
    }
}
