//! Everything that can be asked about one API: what only one snapshot names may be allowed by the
//! other all the same, by a more general operation or to any application.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use http::Method;

use super::Which;
use super::alike::{Alike, Side};
use crate::config::lint::sample;
use crate::config::snapshot::{Operation, ServedApi, Snapshot};
use crate::policy::{
    Audience, GrantKind, Holder, Issuer, OrganizationId, OrganizationRule, Organizations,
    SubjectType,
};
use crate::route::{Methods, On};

#[derive(Default)]
pub(super) struct Questions {
    /// Who may be asked about, with the organizations that their grants name.
    pub(super) callers: BTreeMap<(Issuer, Which), BTreeSet<OrganizationId>>,
    /// A request for each operation, under what it is called.
    pub(super) requests: BTreeMap<Arc<str>, (Method, String)>,
}

impl Questions {
    /// The questions of each API that either snapshot serves. Applications of whom both say the same are
    /// asked about where `all` are.
    pub(super) fn of(one: &Snapshot, other: &Snapshot, all: bool) -> BTreeMap<Audience, Self> {
        let mut apis: BTreeMap<Audience, Self> = BTreeMap::new();
        for (snapshot, other) in [(one, other), (other, one)] {
            for served in &snapshot.apis {
                let side = Side { snapshot, served };
                let mut others = other.apis.iter();
                let other = others
                    .find(|other| other.api.identifier == served.api.identifier)
                    .map(|served| Side { snapshot: other, served });
                let alike = other.filter(|_| !all).and_then(|other| Alike::of(side, other));
                let questions = apis.entry(served.api.identifier.clone()).or_default();
                questions.add(side, alike.as_ref());
            }
        }
        // Only now: what an application is asked about may stand on either side.
        for snapshot in [one, other] {
            for served in &snapshot.apis {
                if let Some(questions) = apis.get_mut(&served.api.identifier) {
                    questions.add_organizations(served);
                }
            }
        }
        apis
    }

    fn add(&mut self, side: Side<'_>, alike: Option<&Alike<'_>>) {
        let Side { snapshot, served } = side;
        for trust in served.trusted(snapshot) {
            for which in [Which::FirstParty, Which::ThirdParty] {
                self.callers.entry((trust.issuer.clone(), which)).or_default();
            }
        }
        // Of issuers that it does not trust there may be very many.
        let trusted: BTreeSet<_> = served.trusted(snapshot).map(|trust| &trust.issuer).collect();
        let listed = snapshot.clients.iter().filter(|(issuer, ..)| trusted.contains(issuer));
        for (issuer, client, _) in listed {
            let agree = |alike: &Alike<'_>| {
                SubjectType::ALL.iter().all(|of| alike.agree_on(issuer, client, *of))
            };
            if !alike.is_some_and(agree) {
                self.callers.entry((issuer.clone(), Which::Client(client.clone()))).or_default();
            }
        }
        for (issuer, holder, grant) in served.api.grants.iter() {
            let which = match holder {
                Holder::Client(client) => {
                    let subject_type = grant.subject_type();
                    if alike.is_some_and(|alike| alike.agree_on(issuer, &client, subject_type)) {
                        continue;
                    }
                    Which::Client(client)
                }
                Holder::ThirdPartyClients => Which::ThirdParty,
            };
            self.callers.entry((issuer.clone(), which)).or_default();
        }
        self.requests.extend(served.operations.iter().flat_map(requests));
    }

    /// Adds the organizations that the grants name of those who are asked about.
    fn add_organizations(&mut self, served: &ServedApi) {
        let grants = &served.api.grants;
        for ((issuer, which), organizations) in &mut self.callers {
            for subject_type in SubjectType::ALL {
                let grant = match which {
                    Which::Client(client) => grants.own(issuer, client.as_str(), subject_type),
                    Which::ThirdParty => grants.third_party(issuer, subject_type),
                    Which::FirstParty => None,
                };
                if let Some(GrantKind::Client { organizations: rule }) =
                    grant.map(|grant| &grant.kind)
                    && let OrganizationRule::Allow(admitted) | OrganizationRule::Require(admitted) =
                        rule
                    && let Organizations::Associated(ids) = admitted
                {
                    organizations.extend(ids.iter().cloned());
                }
            }
        }
    }
}

/// Requests that mean an operation: one for each of its methods, or for the common ones.
fn requests(operation: &Operation) -> Vec<(Arc<str>, (Method, String))> {
    let Ok(On { methods, pattern }) = On::parse(&operation.on) else { return Vec::new() };
    let Some(path) = sample(pattern.as_str()) else { return Vec::new() };
    let methods = match methods {
        Methods::Any => vec![Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE],
        Methods::Listed(methods) => methods,
    };
    let name = |method: &Method| format!("{method} {}", pattern.as_str()).into();
    methods.into_iter().map(|method| (name(&method), (method, path.clone()))).collect()
}
