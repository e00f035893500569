//! Okta's signals of the subject type, in tokens of its custom authorization servers.
//!
//! | signal | points to |
//! |---|---|
//! | `uid` is a text | user |
//! | `uid` is anything else | conflict |
//! | `sub` is the client id (`cid`) | client |
//!
//! `uid` is the user's id in the organization; machine tokens have none, and name the application in
//! `sub`. What a user's `sub` looks like is configured there, so that it proves nothing else. Tokens of
//! the organization's own server are Okta's alone (`typ` is `application/okta-internal-at+jwt`) and are
//! refused by their type.

use super::mark::Mark;
use super::signal::Signal;
use crate::policy::SubjectType;
use crate::token::claims::Claims;

/// ID tokens: a `nonce` where the application sent one, and ids of their own.
pub(super) const MARKS: &[Mark] = &[Mark::Lacks("nonce"), Mark::NotBegins("jti", "ID.")];

pub(super) fn signals(claims: &Claims, client: &str) -> [Signal<'static>; 2] {
    let is_client = claims.find("sub").is_some_and(|subject| subject == client);
    [
        Signal::read("uid", "is there", super::text(claims, "uid", SubjectType::User)),
        Signal::of(SubjectType::Client, "sub", "is the client id", is_client),
    ]
}
