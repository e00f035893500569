//! One protected API: what it declares, whom it lets in, and the grants that were given for it.

use super::{Access, Audience, Grants, Names};

/// A resource server as far as the decision is concerned.
#[derive(Clone, Debug)]
pub struct Api {
    /// What the token's audience names.
    pub identifier: Audience,
    /// The scopes that it declares.
    pub scopes: Names,
    /// The authorization details types registered on it (RFC 9396).
    pub details: Names,
    /// Its policy per subject type.
    pub access: Access,
    /// What happens to a token that holds more than its ceiling.
    pub over_ceiling: OverCeiling,
    /// Whether refusals are enforced or only reported.
    pub enforcement: Enforcement,
    /// The grants given for this API.
    pub grants: Grants,
}

/// What happens to a token that holds more than its ceiling.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OverCeiling {
    /// The request is refused.
    #[default]
    Reject,
    /// The excess is dropped, and the request decided by what remains.
    Trim,
}

/// Whether refusals are enforced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Enforcement {
    /// A refused request ends at the gate.
    #[default]
    Enforce,
    /// A request refused by the rules from application to need passes, and is recorded.
    Report {
        /// Refusals of the token itself pass too.
        tokens: bool,
    },
}
