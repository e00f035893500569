//! Auth0's signals of the subject type, in all its token dialects.
//!
//! | signal | points to |
//! |---|---|
//! | `sub_profile` holds `service` or `ai_agent` | client |
//! | `sub_profile` holds `user` | user |
//! | `sub_profile` holds anything else, or is no string | nothing that can be read: conflict |
//! | `gty` is or lists `client-credentials` | client |
//! | `gty` is neither a string nor a list of them | conflict |
//! | `sub` begins with `anon@` | anonymous user |
//! | `sub` is the client id, or the client id and `@clients` | client |
//! | `sub` is `connection\|id` | user |
//!
//! The suffix `@clients` alone proves nothing: a user's id may end so. Other values of `gty`
//! (`password`, `refresh_token`) prove nothing either.

use serde_json::Value;

use super::evidence::Evidence;
use super::signal::Signal;
use crate::policy::SubjectType;
use crate::token::claims::Claims;

pub(super) fn signals(claims: &Claims, client: &str) -> [Signal<'static>; 5] {
    let subject = claims.find("sub").and_then(Value::as_str);
    let is_user = subject
        .and_then(|subject| subject.split_once('|'))
        .is_some_and(|(connection, id)| !connection.is_empty() && !id.is_empty());
    let is_anonymous = subject.is_some_and(|subject| subject.starts_with("anon@"));
    let is_client = subject.is_some_and(|subject| super::names_client(subject, client));
    let of_subject = |subject_type, sought, given| Signal::of(subject_type, "sub", sought, given);
    [
        Signal::read("sub_profile", "holds `service`, `ai_agent` or `user`", sub_profile(claims)),
        Signal::read("gty", "is or lists `client-credentials`", gty(claims)),
        of_subject(SubjectType::AnonymousUser, "begins with `anon@`", is_anonymous),
        of_subject(SubjectType::Client, "is the client id, or that and `@clients`", is_client),
        of_subject(SubjectType::User, "is `connection|id`", is_user),
    ]
}

/// A list of words (draft-mora-oauth-entity-profiles).
fn sub_profile(claims: &Claims) -> Evidence {
    match claims.find("sub_profile") {
        None => Evidence::None,
        Some(Value::String(words)) => words
            .split(' ')
            .map(|word| match word {
                "ai_agent" | "service" => Evidence::Points(SubjectType::Client),
                "user" => Evidence::Points(SubjectType::User),
                _ => Evidence::Conflict,
            })
            .collect(),
        Some(_) => Evidence::Conflict,
    }
}

fn gty(claims: &Claims) -> Evidence {
    const MACHINE: &str = "client-credentials";
    match claims.find("gty") {
        None => Evidence::None,
        Some(Value::String(grant)) => Evidence::of(SubjectType::Client, grant == MACHINE),
        Some(Value::Array(grants)) if grants.iter().all(Value::is_string) => {
            Evidence::of(SubjectType::Client, grants.iter().any(|grant| grant == MACHINE))
        }
        Some(_) => Evidence::Conflict,
    }
}
