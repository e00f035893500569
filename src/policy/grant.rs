//! Client grants, and the index that finds the one that counts.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::{ClientId, GrantId, Issuer, NameSet, OrganizationId, SubjectType, UnixTime};

/// What one application may use of one API for one subject type, at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Names the grant in records and headers.
    pub id: GrantId,
    /// The scopes it gives, of those that the API declares.
    pub ceiling: NameSet,
    /// From this instant on it gives nothing.
    pub expires_at: Option<UnixTime>,
    /// The subject type it is for, with the rules that only that type has.
    pub kind: GrantKind,
    /// Whom a refused caller may ask.
    pub owner: Option<Arc<str>>,
}

/// The subject type of a grant, with the rules that only that type has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GrantKind {
    /// For anonymous users.
    AnonymousUser,
    /// For the application itself.
    Client {
        /// Which organizations' tokens it admits.
        organizations: OrganizationRule,
    },
    /// For signed-in users.
    User {
        /// The authorization details types it gives.
        details: NameSet,
    },
}

/// Which organizations' tokens a grant admits (`organization_usage`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrganizationRule {
    /// With or without an organization.
    Allow(Organizations),
    /// Without an organization only.
    Deny,
    /// With an organization only.
    Require(Organizations),
}

/// The organizations that a grant admits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Organizations {
    /// Each one (`allow_any_organization`).
    Any,
    /// Those associated with the grant.
    Associated(BTreeSet<OrganizationId>),
}

impl Grant {
    /// The subject type that the grant is for.
    pub fn subject_type(&self) -> SubjectType {
        match self.kind {
            GrantKind::AnonymousUser => SubjectType::AnonymousUser,
            GrantKind::Client { .. } => SubjectType::Client,
            GrantKind::User { .. } => SubjectType::User,
        }
    }
}

/// Who holds a grant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Holder {
    /// One application.
    Client(ClientId),
    /// Every third-party application without a grant of its own
    /// (`default_for: third_party_clients`).
    ThirdPartyClients,
}

/// The grants of one API: at most one per issuer, holder and subject type.
#[derive(Clone, Debug, Default)]
pub struct Grants {
    by_issuer: HashMap<Issuer, IssuerGrants>,
}

#[derive(Clone, Debug, Default)]
struct IssuerGrants {
    clients: HashMap<ClientId, PerSubjectType>,
    third_party_clients: PerSubjectType,
}

/// One slot per [`SubjectType`].
type PerSubjectType = [Option<Arc<Grant>>; SubjectType::ALL.len()];

impl Grants {
    /// Adds a grant; the one that had the same key is returned and no longer counts.
    pub fn insert(&mut self, issuer: Issuer, holder: Holder, grant: Grant) -> Option<Arc<Grant>> {
        let grants = self.by_issuer.entry(issuer).or_default();
        let slots = match holder {
            Holder::Client(client) => grants.clients.entry(client).or_default(),
            Holder::ThirdPartyClients => &mut grants.third_party_clients,
        };
        let slot = slots.get_mut(grant.subject_type() as usize)?;
        slot.replace(Arc::new(grant))
    }

    /// The grant of `client` of `issuer` itself for `subject_type`.
    pub fn own(
        &self,
        issuer: &Issuer,
        client: &str,
        subject_type: SubjectType,
    ) -> Option<&Arc<Grant>> {
        self.by_issuer.get(issuer)?.clients.get(client)?.get(subject_type as usize)?.as_ref()
    }

    /// The grant of `issuer`'s third-party applications for `subject_type`.
    pub fn third_party(&self, issuer: &Issuer, subject_type: SubjectType) -> Option<&Arc<Grant>> {
        self.by_issuer.get(issuer)?.third_party_clients.get(subject_type as usize)?.as_ref()
    }

    /// Every grant with its issuer and holder, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&Issuer, Holder, &Arc<Grant>)> {
        self.by_issuer.iter().flat_map(|(issuer, grants)| {
            let own = grants.clients.iter().flat_map(|(client, slots)| {
                slots.iter().flatten().map(move |grant| (Holder::Client(client.clone()), grant))
            });
            let third = grants.third_party_clients.iter().flatten();
            own.chain(third.map(|grant| (Holder::ThirdPartyClients, grant)))
                .map(move |(holder, grant)| (issuer, holder, grant))
        })
    }
}
