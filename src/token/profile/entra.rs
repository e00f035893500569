//! Microsoft Entra ID's signals of the subject type, in access tokens of both versions.
//!
//! | signal | points to |
//! |---|---|
//! | `idtyp` is `app` | client |
//! | `idtyp` is `user` | user |
//! | `idtyp` is anything else | conflict |
//! | `scp` is there and not empty | user |
//! | `sub` is `oid` | client |
//!
//! `idtyp` comes where it was asked for. An application that calls for itself is named by its service
//! principal in `oid` and `sub` alike; a user's `sub` differs, being made for each application. `roles`
//! prove nothing: both kinds of tokens have them. A client's are its scopes, as Entra means them; a
//! user's are what the user may be, not what the application may do, and count for nothing here.
//!
//! `tid` is no organization: it says no more than the issuer, which is compared exactly.

use serde_json::Value;

use super::evidence::Evidence;
use super::mark::Mark;
use super::signal::Signal;
use crate::policy::SubjectType;
use crate::token::claims::Claims;

/// ID tokens: a `nonce` where the application sent one, and no application that they were issued to.
/// The `nonce` of tokens for Microsoft Graph stands in the head and is no sign.
pub(super) const MARKS: &[Mark] = &[Mark::Lacks("nonce"), Mark::HasOneOf(&["azp", "appid"])];

pub(super) fn signals(claims: &Claims) -> [Signal<'static>; 3] {
    let text = |name: &str| claims.find(name).and_then(Value::as_str);
    let idtyp = match claims.find("idtyp") {
        None => Evidence::None,
        Some(Value::String(kind)) if kind == "app" => Evidence::Points(SubjectType::Client),
        Some(Value::String(kind)) if kind == "user" => Evidence::Points(SubjectType::User),
        Some(_) => Evidence::Conflict,
    };
    let has_scopes = match claims.find("scp") {
        Some(Value::String(scopes)) => !scopes.is_empty(),
        Some(Value::Array(scopes)) => !scopes.is_empty(),
        _ => false,
    };
    let is_itself = text("sub").is_some_and(|sub| !sub.is_empty() && text("oid") == Some(sub));
    [
        Signal::read("idtyp", "is `app` or `user`", idtyp),
        Signal::of(SubjectType::User, "scp", "is not empty", has_scopes),
        Signal::of(SubjectType::Client, "sub", "is `oid`", is_itself),
    ]
}
