//! The signal of the subject type in tokens of the JWT profile for access tokens (RFC 9068
//! section 2.2): without a resource owner, `sub` names the application.
//!
//! | `sub` | points to |
//! |---|---|
//! | the client id, or (as Auth0 writes it in this dialect too) the client id and `@clients` | client |
//! | any other text | user |
//! | absent or empty | nothing |

use serde_json::Value;

use super::evidence::Evidence;
use crate::policy::SubjectType;
use crate::token::claims::Claims;

pub(super) fn evidence(claims: &Claims, client: &str) -> Evidence {
    match claims.find("sub").and_then(Value::as_str) {
        None | Some("") => Evidence::None,
        Some(subject) if super::names_client(subject, client) => {
            Evidence::Points(SubjectType::Client)
        }
        Some(_) => Evidence::Points(SubjectType::User),
    }
}
