//! Keycloak's signals of the subject type. Applications that call for themselves are users too there,
//! with an account of their own.
//!
//! | signal | points to |
//! |---|---|
//! | `preferred_username` is `service-account-` and the client id, in any case | client |
//! | `preferred_username` is `service-account-` and something else: another application | conflict |
//! | `preferred_username` is any other text | user |
//! | `preferred_username` is no text | conflict |
//! | `jti` begins `xxxxcc:`: issued for client credentials | client |
//! | `jti` begins `xxxxac:`, `xxxxro:`, `xxxxdg:` or `xxxxci:`: for code, password, device, CIBA | user |
//! | `clientHost` or `clientAddress`: where the application asked from | client |
//! | `auth_time` is a number above zero | user |
//! | `auth_time` is no number | conflict |
//!
//! `jti` tells the grant since 26.2; other grants (refresh, exchange) and older ids prove nothing.
//! `auth_time` is zero in machine tokens of old versions. `sid` and `session_state` prove nothing: a
//! machine has them where it gets refresh tokens. Nor does `client_id`: it names the application, and
//! may have been added to every token. No user can take the name of an account that is there: names are
//! unique in a realm.

use serde_json::Value;

use super::evidence::Evidence;
use super::mark::Mark;
use super::signal::Signal;
use crate::policy::{Organization, SubjectType};
use crate::token::claims::Claims;

/// The payload's `typ` tells Keycloak's tokens apart: `ID`, `Refresh`, `Offline`, `Logout` … are
/// others. A `nonce` is no sign: versions before 24 wrote it into access tokens too.
pub(super) const MARKS: &[Mark] = &[Mark::OneOf("typ", &["Bearer", "DPoP"])];

pub(super) fn signals(claims: &Claims, client: &str) -> [Signal<'static>; 5] {
    let asked_from = |claim: &'static str| {
        let given = claims.find(claim).is_some();
        Signal::of(SubjectType::Client, claim, "is there", given)
    };
    [
        Signal::read(
            "preferred_username",
            "is `service-account-` and the client id, or a user's name",
            account(claims, client),
        ),
        Signal::read("jti", "tells the grant", grant(claims)),
        asked_from("clientHost"),
        asked_from("clientAddress"),
        Signal::read("auth_time", "is above zero", signed_in(claims)),
    ]
}

fn account(claims: &Claims, client: &str) -> Evidence {
    match claims.find("preferred_username") {
        None => Evidence::None,
        Some(Value::String(name)) if !name.is_empty() => {
            match name.strip_prefix("service-account-") {
                // User names are kept in lower case, client ids as they were written.
                Some(owner) if owner.eq_ignore_ascii_case(client) => {
                    Evidence::Points(SubjectType::Client)
                }
                Some(_) => Evidence::Conflict,
                None => Evidence::Points(SubjectType::User),
            }
        }
        Some(_) => Evidence::Conflict,
    }
}

/// The kinds of session, token and grant, two letters each, and a colon.
fn grant(claims: &Claims) -> Evidence {
    let id = claims.find("jti").and_then(Value::as_str);
    let kinds = id.and_then(|id| id.split_once(':')).map(|(kinds, _)| kinds.as_bytes());
    match kinds {
        Some([_, _, _, _, grant @ ..]) => match grant {
            b"cc" => Evidence::Points(SubjectType::Client),
            b"ac" | b"ci" | b"dg" | b"ro" => Evidence::Points(SubjectType::User),
            _ => Evidence::None,
        },
        _ => Evidence::None,
    }
}

fn signed_in(claims: &Claims) -> Evidence {
    match claims.find("auth_time") {
        None => Evidence::None,
        Some(Value::Number(time)) => {
            Evidence::of(SubjectType::User, time.as_f64().is_some_and(|time| time > 0.0))
        }
        Some(_) => Evidence::Conflict,
    }
}

/// The organization by its alias, which never changes: a text, a list of one, or a map with one member.
/// A token for several is for none that can be told.
pub(super) fn organization(claims: &Claims) -> Organization<'_> {
    let mut aliases: (Option<&str>, usize) = match claims.find("organization") {
        None => return Organization::Absent,
        Some(Value::String(alias)) => (Some(alias), 1),
        Some(Value::Array(list)) => (list.first().and_then(Value::as_str), list.len()),
        Some(Value::Object(map)) => (map.keys().next().map(String::as_str), map.len()),
        Some(_) => (None, 1),
    };
    aliases.0 = aliases.0.filter(|alias| super::is_printable(alias));
    match aliases {
        (_, 0) => Organization::Absent,
        (Some(alias), 1) => Organization::Id(alias),
        _ => Organization::Unreadable,
    }
}
