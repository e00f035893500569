//! Of very many applications, those of whom two snapshots say the same: nobody need be asked about them.
//!
//! An application may differ by what is said of it alone only where everything else that decides is the
//! same on both sides. Then its own grants and whose it is are compared, which takes a few look-ups;
//! else everybody is asked about.

use std::collections::BTreeSet;

use crate::config::snapshot::{ServedApi, Snapshot};
use crate::policy::{Ask, ClientId, Issuer, Party};
use crate::token::Trust;

/// One snapshot's side of an API.
#[derive(Clone, Copy)]
pub(super) struct Side<'s> {
    pub(super) snapshot: &'s Snapshot,
    pub(super) served: &'s ServedApi,
}

impl<'s> Side<'s> {
    /// The applications that may differ on the other side; none where anybody may.
    pub(super) fn differing(self, other: Self) -> Option<BTreeSet<(&'s Issuer, &'s ClientId)>> {
        if !self.is_alike(other) {
            return None;
        }
        let grants = self.served.api.grants.differing(&other.served.api.grants);
        let listed = [(self, other), (other, self)].into_iter().flat_map(|(side, other)| {
            let listed = side.snapshot.clients.iter().map(|(issuer, client, _)| (issuer, client));
            listed.filter(move |(issuer, client)| {
                side.party(issuer, client) != other.party(issuer, client)
            })
        });
        Some(grants.into_iter().chain(listed).collect())
    }

    /// Whether the two sides differ in single applications, if at all.
    fn is_alike(self, other: Self) -> bool {
        let (a, b) = (&self.served.api, &other.served.api);
        a.access == b.access
            && a.over_ceiling == b.over_ceiling
            && a.enforcement == b.enforcement
            && a.scopes.iter().eq(b.scopes.iter())
            && a.details.iter().eq(b.details.iter())
            && self.served.unlisted == other.served.unlisted
            && self.operations().eq(other.operations())
            && self.trusted().map(same).eq(other.trusted().map(same))
            && self.trusted().all(|trust| a.grants.give_third_parties_as(&b.grants, &trust.issuer))
    }

    fn trusted(self) -> impl Iterator<Item = &'s Trust> {
        self.served.trusted(self.snapshot)
    }

    fn operations(self) -> impl Iterator<Item = (&'s str, &'s Ask)> {
        self.served.operations.iter().map(|operation| (operation.on.as_str(), &operation.ask))
    }

    /// Whose application it is; none where the API does not trust its issuer.
    fn party(self, issuer: &Issuer, client: &ClientId) -> Option<Party> {
        let trust = self.trusted().find(|trust| trust.issuer == *issuer)?;
        let listed = self.snapshot.clients.find(issuer, client.as_str());
        Some(listed.unwrap_or_else(|| trust.profile.party(client.as_str())))
    }
}

/// What says whose an application is that is not listed: the issuer, and the kind that it is of.
fn same(trust: &Trust) -> impl PartialEq {
    (trust.issuer.clone(), std::mem::discriminant(&trust.profile))
}
