//! What one snapshot answers about one API, by asking [`decide`].

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use http::Method;

use super::questions::Questions;
use super::{What, Which};
use crate::config::snapshot::{ServedApi, Snapshot, Unlisted};
use crate::policy::{
    Api, Ask, Audience, Decision, DetailTypes, Enforcement, GrantKind, Issuer, NameSet, Need,
    Organization, OrganizationId, Party, Permit, Policy, Presented, Scopes, SubjectType, UnixTime,
    decide,
};
use crate::route::{CanonPath, Found};

pub(super) struct Answers<'s> {
    snapshot: &'s Snapshot,
    /// None where the snapshot does not serve the API.
    served: Option<&'s ServedApi>,
    /// What each request needs; those that are refused in any case are left out.
    asks: Vec<(Arc<str>, &'s Ask)>,
    now: UnixTime,
}

impl<'s> Answers<'s> {
    pub(super) fn of(
        snapshot: &'s Snapshot,
        api: &Audience,
        questions: &Questions,
        now: UnixTime,
    ) -> Self {
        let served = snapshot.apis.iter().find(|served| served.api.identifier == *api);
        let asks = questions.requests.iter().filter_map(|(name, (method, path))| {
            Some((name.clone(), asked(served?, method, path)?))
        });
        Self { snapshot, served, asks: asks.collect(), now }
    }

    /// What whoever calls may do.
    pub(super) fn anyone(&self) -> BTreeSet<What> {
        let Some(served) = self.served else { return BTreeSet::new() };
        let reported = (served.api.enforcement != Enforcement::Enforce).then_some(What::Reported);
        let public = self.asks.iter().filter(|(_, ask)| matches!(ask, Ask::Public));
        let public = public.map(|(name, _)| What::Operation(name.clone()));
        let audiences = served.audiences.iter().cloned().map(What::Audience);
        reported.into_iter().chain(public).chain(audiences).collect()
    }

    /// What an application may do with a token that holds exactly what its ceiling gives.
    pub(super) fn application(
        &self,
        issuer: &Issuer,
        which: &Which,
        subject_type: SubjectType,
        organizations: &BTreeSet<OrganizationId>,
    ) -> BTreeSet<What> {
        let mut may = BTreeSet::new();
        let Some(served) = self.served else { return may };
        let Some(trust) = served.trusted(self.snapshot).find(|trust| trust.issuer == *issuer)
        else {
            return may;
        };
        let (client, party) = match which {
            // No application has the empty id: it finds no grant of its own.
            Which::FirstParty => ("", Party::First),
            Which::ThirdParty => ("", Party::Third),
            Which::Client(client) => {
                let listed = self.snapshot.clients.find(issuer, client.as_str());
                let client = client.as_str();
                (client, listed.unwrap_or_else(|| trust.profile.party(client)))
            }
        };
        let caller = presented(&served.api, issuer, client, party, subject_type);
        let Some((caller, permit)) = self.admitted(&served.api, &caller, organizations, &mut may)
        else {
            return may;
        };
        may.extend(served.api.scopes.of(permit.scopes()).cloned().map(What::Scope));
        may.extend(served.api.details.of(permit.details()).cloned().map(What::DetailsType));
        if served.unlisted == Unlisted::AnyToken {
            may.insert(What::Unlisted);
        }
        for (name, ask) in &self.asks {
            if let Ask::Token(need) = ask
                && let Decision::Allow(_) = decide(&served.api, &caller, need, self.now)
            {
                may.insert(What::Operation(name.clone()));
            }
        }
        may
    }

    /// The organizations with which the caller is let in at all, and the first way in. What it may
    /// do there does not hang on the organization: one tells for all.
    fn admitted<'a>(
        &self,
        api: &Api,
        caller: &Presented<'a>,
        organizations: &'a BTreeSet<OrganizationId>,
        may: &mut BTreeSet<What>,
    ) -> Option<(Presented<'a>, Permit)> {
        let named = organizations
            .iter()
            .map(|id| (Organization::Id(id.as_str()), What::Organization(id.clone())));
        let unnamed = [
            (Organization::Absent, What::OrganizationNone),
            (Organization::Id(NOBODY), What::OrganizationAny),
        ];
        let mut first = None;
        for (organization, what) in unnamed.into_iter().chain(named) {
            let caller = Presented { organization, ..caller.clone() };
            if let Decision::Allow(permit) = decide(api, &caller, &Need::default(), self.now) {
                may.insert(what);
                first.get_or_insert((caller, permit));
            }
        }
        first
    }
}

/// An organization that no grant names: admitted where any is.
const NOBODY: &str = "\0";

/// A token that holds exactly what the ceiling gives.
fn presented<'a>(
    api: &Api,
    issuer: &'a Issuer,
    client: &'a str,
    party: Party,
    subject_type: SubjectType,
) -> Presented<'a> {
    let open = api.access.policy(subject_type) == Policy::AllowAll && party == Party::First;
    let own = api.grants.own(issuer, client, subject_type);
    let default = api.grants.third_party(issuer, subject_type).filter(|_| party == Party::Third);
    let (scopes, details) = match own.or(default).filter(|_| !open) {
        None => (api.scopes.all().clone(), api.details.all().clone()),
        Some(grant) => match &grant.kind {
            GrantKind::User { details } => (grant.ceiling.clone(), details.clone()),
            GrantKind::AnonymousUser | GrantKind::Client { .. } => {
                (grant.ceiling.clone(), NameSet::EMPTY)
            }
        },
    };
    Presented {
        issuer,
        client,
        party,
        subject_type,
        scopes: Scopes { claimed: scopes.clone(), undeclared: Vec::new(), usable: scopes },
        organization: Organization::Absent,
        details: DetailTypes { registered: details, unregistered: Vec::new() },
    }
}

/// What an API asks of a request; none when it refuses it in any case.
fn asked<'s>(served: &'s ServedApi, method: &Method, path: &str) -> Option<&'s Ask> {
    static ANY_TOKEN: LazyLock<Ask> = LazyLock::new(|| Ask::Token(Need::default()));
    let path = CanonPath::parse(path).ok()?;
    match served.operations.find(method, &path) {
        Found::Operation(operation) => Some(&operation.ask),
        Found::Unlisted if served.unlisted == Unlisted::AnyToken => Some(&ANY_TOKEN),
        Found::Near { .. } | Found::OtherMethods { .. } | Found::Unlisted => None,
    }
}
