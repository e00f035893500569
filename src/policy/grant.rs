//! Client grants, and the index that finds the one that counts.

use std::collections::BTreeSet;
use std::sync::Arc;

use foldhash::HashMap;

use super::{ClientId, GrantId, Issuer, NameSet, OrganizationId, Origin, SubjectType, UnixTime};

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
    /// Where it is written.
    pub origin: Origin,
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

/// Whether two holders' grants give the same. What they are called, and whom to ask, does not matter.
fn give_alike(one: &PerSubjectType, other: &PerSubjectType) -> bool {
    one.iter().zip(other).all(|pair| match pair {
        (Some(one), Some(other)) => {
            one.ceiling == other.ceiling
                && one.expires_at == other.expires_at
                && one.kind == other.kind
        }
        (None, None) => true,
        _ => false,
    })
}

impl Grants {
    /// Adds a grant; the one that had the same key is returned and no longer counts.
    pub fn insert(
        &mut self,
        issuer: Issuer,
        holder: Holder,
        grant: impl Into<Arc<Grant>>,
    ) -> Option<Arc<Grant>> {
        let grant = grant.into();
        let grants = self.by_issuer.entry(issuer).or_default();
        let slots = match holder {
            Holder::Client(client) => grants.clients.entry(client).or_default(),
            Holder::ThirdPartyClients => &mut grants.third_party_clients,
        };
        let slot = slots.get_mut(grant.subject_type() as usize)?;
        slot.replace(grant)
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

    /// The applications whose own grants give something else in `other`, or that have them in one of the
    /// two alone. Of very many it takes one look-up each, and of those that are in both no more.
    pub fn differing<'a>(&'a self, other: &'a Self) -> Vec<(&'a Issuer, &'a ClientId)> {
        let mut differing = Vec::new();
        let mut missing = HashMap::default();
        for (issuer, grants) in &self.by_issuer {
            let others = other.by_issuer.get(issuer).map(|others| &others.clients);
            let mut missed = others.map_or(0, HashMap::len);
            for (client, slots) in &grants.clients {
                let others = others.and_then(|others| others.get(client));
                missed -= usize::from(others.is_some());
                if !others.is_some_and(|others| give_alike(slots, others)) {
                    differing.push((issuer, client));
                }
            }
            missing.insert(issuer, missed);
        }
        for (issuer, others) in &other.by_issuer {
            let known = self.by_issuer.get(issuer).map(|grants| &grants.clients);
            let new = others
                .clients
                .keys()
                .filter(|client| known.is_none_or(|known| !known.contains_key(*client)));
            // When all that are missing here were found, nobody else need be looked for.
            let count = missing.get(issuer).copied().unwrap_or(usize::MAX);
            differing.extend(new.take(count).map(|client| (issuer, client)));
        }
        differing
    }

    /// Whether third-party applications of `issuer` are given the same by default in `other`.
    pub fn give_third_parties_as(&self, other: &Self, issuer: &Issuer) -> bool {
        let slots = |grants: &'_ Self| {
            grants.by_issuer.get(issuer).map(|grants| grants.third_party_clients.clone())
        };
        give_alike(&slots(self).unwrap_or_default(), &slots(other).unwrap_or_default())
    }

    /// The applications that have grants of their own.
    pub fn clients(&self) -> impl Iterator<Item = (&Issuer, &ClientId)> {
        let issuers = self.by_issuer.iter();
        issuers
            .flat_map(|(issuer, grants)| grants.clients.keys().map(move |client| (issuer, client)))
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
