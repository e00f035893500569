//! The signal of the subject type in tokens of the JWT profile for access tokens (RFC 9068
//! section 2.2): without a resource owner, `sub` names the application.
//!
//! | `sub` | points to |
//! |---|---|
//! | the client id, or (as Auth0 writes it in this dialect too) the client id and `@clients` | client |
//! | any other text | user |
//! | absent or empty | nothing |

use serde_json::Value;

use super::signal::Signal;
use crate::policy::SubjectType;
use crate::token::claims::Claims;

pub(super) fn signals(claims: &Claims, client: &str) -> [Signal<'static>; 2] {
    let subject = claims.find("sub").and_then(Value::as_str).filter(|subject| !subject.is_empty());
    let is_client = subject.map(|subject| super::names_client(subject, client));
    [
        Signal::of(
            SubjectType::Client,
            "sub",
            "is the client id, or that and `@clients`",
            is_client == Some(true),
        ),
        Signal::of(SubjectType::User, "sub", "is another text", is_client == Some(false)),
    ]
}
