//! Everything that can be asked about one API: what only one snapshot names may be allowed by the
//! other all the same, by a more general operation or to any application.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use http::Method;

use super::Which;
use super::alike::Side;
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
    pub(super) fn of(old: &Snapshot, new: &Snapshot, all: bool) -> BTreeMap<Audience, Self> {
        let mut sides: BTreeMap<&Audience, Vec<Side<'_>>> = BTreeMap::new();
        for snapshot in [old, new] {
            for served in &snapshot.apis {
                let sides = sides.entry(&served.api.identifier).or_default();
                sides.push(Side { snapshot, served });
            }
        }
        let apis = sides.into_iter().map(|(api, sides)| (api.clone(), Self::about(&sides, all)));
        apis.collect()
    }

    fn about(sides: &[Side<'_>], all: bool) -> Self {
        let mut questions = Self::default();
        let differing = match sides {
            [old, new] if !all => old.differing(*new),
            _ => None,
        };
        for side in sides {
            questions.add(*side);
            if differing.is_none() {
                questions.add_everybody(*side);
            }
        }
        for (issuer, client) in differing.into_iter().flatten() {
            questions.ask(issuer, Which::Client(client.clone()));
        }
        for side in sides {
            questions.add_organizations(side.served);
        }
        questions
    }

    fn ask(&mut self, issuer: &Issuer, which: Which) {
        self.callers.entry((issuer.clone(), which)).or_default();
    }

    /// Adds what is asked in any case.
    fn add(&mut self, Side { snapshot, served }: Side<'_>) {
        for trust in served.trusted(snapshot) {
            self.ask(&trust.issuer, Which::FirstParty);
            self.ask(&trust.issuer, Which::ThirdParty);
        }
        self.requests.extend(served.operations.iter().flat_map(requests));
    }

    /// Adds every application that is named.
    fn add_everybody(&mut self, Side { snapshot, served }: Side<'_>) {
        // Of issuers that it does not trust there may be very many.
        let trusted: BTreeSet<_> = served.trusted(snapshot).map(|trust| &trust.issuer).collect();
        let listed = snapshot.clients.iter().filter(|(issuer, ..)| trusted.contains(issuer));
        for (issuer, client, _) in listed {
            self.ask(issuer, Which::Client(client.clone()));
        }
        for (issuer, holder, _) in served.api.grants.iter() {
            if let Holder::Client(client) = holder {
                self.ask(issuer, Which::Client(client));
            }
        }
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
