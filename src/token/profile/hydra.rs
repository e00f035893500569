//! Ory Hydra's signals of the subject type, in its JWT access tokens.
//!
//! | `sub` | points to |
//! |---|---|
//! | the client id | client |
//! | any other text | user |
//! | absent or empty | nothing |
//!
//! What the login and consent application adds stands in `ext`, and at the top for claims that the
//! configuration lets there: an organization is read from both.

use serde_json::Value;

use super::mark::Mark;
use super::signal::Signal;
use crate::policy::{Organization, SubjectType};
use crate::token::claims::Claims;

/// ID tokens: a `nonce` where the application sent one, and the time at which they were asked for.
pub(super) const MARKS: &[Mark] = &[Mark::Lacks("nonce"), Mark::Lacks("rat")];

pub(super) fn signals(claims: &Claims, client: &str) -> [Signal<'static>; 2] {
    let subject = claims.find("sub").and_then(Value::as_str).filter(|subject| !subject.is_empty());
    let is_client = subject.map(|subject| subject == client);
    [
        Signal::of(SubjectType::Client, "sub", "is the client id", is_client == Some(true)),
        Signal::of(SubjectType::User, "sub", "is another text", is_client == Some(false)),
    ]
}

/// The organization at the top or in `ext`; two that differ are none that can be told, and what stands
/// in an `ext` that is no object cannot be told either.
pub(super) fn organization(claims: &Claims) -> Organization<'_> {
    let ext = claims.find("ext").filter(|ext| !ext.is_null());
    if ext.is_some_and(|ext| !ext.is_object()) {
        return Organization::Unreadable;
    }
    let inner = |name: &str| ext.and_then(|ext| ext.get(name));
    let outer = super::organization(claims.find("org_id"), claims.find("org_name"));
    match (outer, super::organization(inner("org_id"), inner("org_name"))) {
        (one, Organization::Absent) | (Organization::Absent, one) => one,
        (one, other) if one == other => one,
        _ => Organization::Unreadable,
    }
}
