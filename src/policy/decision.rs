//! What a decision is: a permit that cannot be forged, or a denial with its reason.

use std::sync::Arc;

use super::{Api, Ask, Enforcement, Grant, NameSet};

/// Allowed or denied. Deny is also the answer wherever nothing could safely be decided.
#[derive(Clone, Debug)]
pub enum Decision {
    /// The request may pass, within the permit.
    Allow(Permit),
    /// The request may not pass.
    Deny(Denial),
}

/// The proof that a request may pass. Its fields are private and nothing but this module's
/// functions and [`decide`](super::decide()) make one, so that forwarding without it does not compile.
#[derive(Clone, Debug)]
pub struct Permit {
    basis: Basis,
    scopes: NameSet,
    details: NameSet,
}

/// Why a permit exists.
#[derive(Clone, Debug)]
pub enum Basis {
    /// A client grant.
    Grant(Arc<Grant>),
    /// The policy asks no grant (`allow_all`).
    Open,
    /// It is a browser's question about a request, and not that request.
    Preflight,
    /// The operation asks no token.
    Public,
    /// The API only reports what it would refuse.
    Reported,
}

impl Permit {
    pub(super) fn new(basis: Basis, scopes: NameSet, details: NameSet) -> Self {
        Self { basis, scopes, details }
    }

    /// The permit of a public operation; none for an operation that asks for a token.
    pub fn public(ask: &Ask) -> Option<Self> {
        match ask {
            Ask::Public => Some(Self::new(Basis::Public, NameSet::default(), NameSet::default())),
            Ask::Token(_) => None,
        }
    }

    /// The permit of a preflight; `_listed` is the witness that what it asks about is an operation of the
    /// API. It gives no scopes and names no one.
    pub fn preflight(_listed: &Ask) -> Self {
        Self::new(Basis::Preflight, NameSet::default(), NameSet::default())
    }

    /// The permit of a request that would be refused by an API which only reports; none where
    /// refusals are enforced. It gives no scopes and names no one.
    pub fn reported(api: &Api) -> Option<Self> {
        match api.enforcement {
            Enforcement::Enforce => None,
            Enforcement::Report { .. } => {
                Some(Self::new(Basis::Reported, NameSet::default(), NameSet::default()))
            }
        }
    }

    /// Why the permit exists.
    pub fn basis(&self) -> &Basis {
        &self.basis
    }

    /// The effective scopes: those of the token within the ceiling.
    pub fn scopes(&self) -> &NameSet {
        &self.scopes
    }

    /// The effective authorization details types.
    pub fn details(&self) -> &NameSet {
        &self.details
    }

    /// The grant behind the permit, where there is one.
    pub fn grant(&self) -> Option<&Arc<Grant>> {
        match &self.basis {
            Basis::Grant(grant) => Some(grant),
            Basis::Open | Basis::Preflight | Basis::Public | Basis::Reported => None,
        }
    }
}

/// A refusal by the policy rules.
#[derive(Clone, Debug)]
pub struct Denial {
    /// The first rule that was broken.
    pub reason: Reason,
    /// The grant that was looked at, where one was found.
    pub grant: Option<Arc<Grant>>,
}

/// The first rule that a request broke, in the order of the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The API lets nobody in for this subject type.
    PolicyDeniesAll,
    /// The application has no grant for this API and subject type.
    GrantMissing,
    /// The grant's `expires_at` is past.
    GrantExpired,
    /// The grant admits no organization's token.
    OrganizationDenied,
    /// The grant admits organizations' tokens only.
    OrganizationRequired,
    /// The token's organization is not associated with the grant.
    OrganizationNotAssociated,
    /// The token holds scopes above the ceiling.
    ScopeExceedsGrant {
        /// The scopes above it.
        excess: Vec<String>,
    },
    /// The token holds authorization details types above the ceiling.
    AuthorizationDetailsExceedGrant {
        /// The types above it.
        excess: Vec<String>,
    },
    /// The token does not hold what the operation asks.
    ScopeInsufficient {
        /// The scopes or types that it lacks.
        missing: Vec<String>,
        /// The scopes to ask the issuer for.
        challenge: Vec<String>,
    },
    /// The token holds what the operation asks, but above the ceiling.
    ScopeNotGranted {
        /// The scopes or types that the ceiling lacks.
        missing: Vec<String>,
    },
}
