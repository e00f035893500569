//! Everything that can be asked about one API: what only one snapshot names may be allowed by the
//! other all the same, by a more general operation or to any application.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use http::Method;

use super::Which;
use crate::config::lint::sample;
use crate::config::snapshot::{Operation, ServedApi, Snapshot};
use crate::policy::{
    Audience, GrantKind, Holder, Issuer, OrganizationId, OrganizationRule, Organizations,
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
    /// The questions of each API that either snapshot serves.
    pub(super) fn of(snapshots: [&Snapshot; 2]) -> BTreeMap<Audience, Self> {
        let mut apis: BTreeMap<Audience, Self> = BTreeMap::new();
        for snapshot in snapshots {
            for served in &snapshot.apis {
                apis.entry(served.api.identifier.clone()).or_default().add(snapshot, served);
            }
        }
        apis
    }

    fn add(&mut self, snapshot: &Snapshot, served: &ServedApi) {
        for trust in served.trusted(snapshot) {
            for which in [Which::FirstParty, Which::ThirdParty] {
                self.callers.entry((trust.issuer.clone(), which)).or_default();
            }
        }
        // Of issuers that it does not trust there may be very many.
        let trusted: BTreeSet<_> = served.trusted(snapshot).map(|trust| &trust.issuer).collect();
        let listed = snapshot.clients.iter().filter(|(issuer, ..)| trusted.contains(issuer));
        for (issuer, client, _) in listed {
            self.callers.entry((issuer.clone(), Which::Client(client.clone()))).or_default();
        }
        for (issuer, holder, grant) in served.api.grants.iter() {
            let which = match holder {
                Holder::Client(client) => Which::Client(client),
                Holder::ThirdPartyClients => Which::ThirdParty,
            };
            let organizations = self.callers.entry((issuer.clone(), which)).or_default();
            if let GrantKind::Client { organizations: rule } = &grant.kind
                && let OrganizationRule::Allow(admitted) | OrganizationRule::Require(admitted) =
                    rule
                && let Organizations::Associated(ids) = admitted
            {
                organizations.extend(ids.iter().cloned());
            }
        }
        self.requests.extend(served.operations.iter().flat_map(requests));
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
