//! Of very many applications, those of whom two snapshots say the same: nobody need think about them.
//!
//! An application may differ by what is said of it alone only where everything else that decides is the
//! same on both sides. Then its own grants and whose it is are compared, which takes a few look-ups;
//! else everybody is thought about.

use crate::config::snapshot::{ServedApi, Snapshot};
use crate::policy::{Ask, ClientId, Issuer, Party};
use crate::token::Trust;

/// One snapshot's side of an API.
#[derive(Clone, Copy)]
pub(in crate::config) struct Side<'s> {
    pub(in crate::config) snapshot: &'s Snapshot,
    pub(in crate::config) served: &'s ServedApi,
}

impl<'s> Side<'s> {
    /// The applications that may differ on the other side; none where anybody may.
    pub(in crate::config) fn differing(
        self,
        other: Self,
    ) -> Option<Vec<(&'s Issuer, &'s ClientId)>> {
        if !self.is_alike(other) {
            return None;
        }
        let mut differing = self.served.api.grants.differing(&other.served.api.grants);
        for (side, other) in [(self, other), (other, self)] {
            let listed = side.snapshot.clients.iter().map(|(issuer, client, _)| (issuer, client));
            differing.extend(listed.filter(|(issuer, client)| {
                side.party(issuer, client.as_str()) != other.party(issuer, client.as_str())
            }));
        }
        Some(differing)
    }

    /// Whether requests mean the same operations, and those ask the same.
    pub(in crate::config) fn asks_alike(self, other: Self) -> bool {
        let (a, b) = (&self.served.api, &other.served.api);
        a.scopes.iter().eq(b.scopes.iter())
            && a.details.iter().eq(b.details.iter())
            && self.served.unlisted == other.served.unlisted
            && self.served.path_prefix == other.served.path_prefix
            && self.operations().eq(other.operations())
    }

    /// Whether the two sides differ in single applications, if at all.
    fn is_alike(self, other: Self) -> bool {
        let (a, b) = (&self.served.api, &other.served.api);
        a.access == b.access
            && a.over_ceiling == b.over_ceiling
            && self.asks_alike(other)
            && self.trusted().map(same).eq(other.trusted().map(same))
            && self.trusted().all(|trust| a.grants.give_third_parties_as(&b.grants, &trust.issuer))
    }

    pub(in crate::config) fn trusted(self) -> impl Iterator<Item = &'s Trust> {
        self.served.trusted(self.snapshot)
    }

    /// The trust in `issuer`, where the API has any.
    pub(in crate::config) fn trust(self, issuer: &Issuer) -> Option<&'s Trust> {
        self.trusted().find(|trust| trust.issuer == *issuer)
    }

    fn operations(self) -> impl Iterator<Item = (&'s str, &'s Ask)> {
        self.served.operations.iter().map(|operation| (operation.on.as_str(), &operation.ask))
    }

    /// Whose application it is; none where the API does not trust its issuer.
    pub(in crate::config) fn party(self, issuer: &Issuer, client: &str) -> Option<Party> {
        let trust = self.trust(issuer)?;
        let listed = self.snapshot.clients.find(issuer, client);
        Some(listed.unwrap_or_else(|| trust.profile.party(client)))
    }
}

/// What says whose an application is that is not listed: the issuer, and the kind that it is of.
fn same(trust: &Trust) -> impl PartialEq {
    (trust.issuer.clone(), std::mem::discriminant(&trust.profile))
}
