//! Amazon Cognito's signals of the subject type, and whom its tokens are for.
//!
//! | signal | points to |
//! |---|---|
//! | `username` is a text | user |
//! | `username` is anything else | conflict |
//! | `sub` is the client id | client |
//!
//! Most tokens have no `aud`. Their scopes name the API instead: `identifier/scope`, where neither part
//! is empty and the scope holds no slash. A token without `aud` is for an API when one of its scopes
//! bears one of the API's audiences; an `aud` that is there is what counts. The identifier is taken off
//! before scopes are compared; scopes of other identifiers are other APIs' and are left aside.

use super::mark::Mark;
use super::signal::Signal;
use crate::policy::SubjectType;
use crate::token::TokenError;
use crate::token::claims::{Claims, Recipients};
use crate::token::scopes::{ScopeList, Shape};

/// ID tokens are marked as such.
pub(super) const MARKS: &[Mark] = &[Mark::OneOf("token_use", &["access"])];

pub(super) fn signals(claims: &Claims, client: &str) -> [Signal<'static>; 2] {
    let is_client = claims.find("sub").is_some_and(|subject| subject == client);
    [
        Signal::read("username", "is there", super::text(claims, "username", SubjectType::User)),
        Signal::of(SubjectType::Client, "sub", "is the client id", is_client),
    ]
}

/// Whom the token is for: its audience, else the APIs that its scopes name.
pub(super) fn recipients(claims: &Claims) -> Result<Recipients<'_>, TokenError> {
    if claims.find("aud").is_some() {
        return claims.recipients();
    }
    match ScopeList::read(claims, "scope", Shape::Joined)? {
        Some(scopes) => Ok(Recipients::OwnersOf(scopes)),
        None => Err(TokenError::ClaimMissing("aud")),
    }
}
