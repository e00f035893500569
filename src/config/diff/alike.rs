//! Of very many applications, those of whom two snapshots say the same: nobody need be asked about them.
//!
//! An application may differ by what is said of it alone only where everything else that decides is the
//! same on both sides. Then its own grants and whose it is are compared, which takes a few look-ups;
//! else everybody is asked about.

use std::sync::Arc;

use crate::config::snapshot::{ServedApi, Snapshot};
use crate::policy::{
    Access, Api, Ask, ClientId, Enforcement, Grant, Issuer, OverCeiling, Party, SubjectType,
};

/// One snapshot's side of an API.
#[derive(Clone, Copy)]
pub(super) struct Side<'s> {
    pub(super) snapshot: &'s Snapshot,
    pub(super) served: &'s ServedApi,
}

/// Two sides that differ in single applications, if at all.
pub(super) struct Alike<'s> {
    one: Side<'s>,
    other: Side<'s>,
}

impl<'s> Alike<'s> {
    /// None where they differ in more.
    pub(super) fn of(one: Side<'s>, other: Side<'s>) -> Option<Self> {
        let (a, b) = (&one.served.api, &other.served.api);
        let is_alike = said(a) == said(b)
            && a.scopes.iter().eq(b.scopes.iter())
            && a.details.iter().eq(b.details.iter())
            && one.served.unlisted == other.served.unlisted
            && one.operations().eq(other.operations())
            && one.issuers().eq(other.issuers())
            && one.issuers().all(|issuer| {
                SubjectType::ALL.iter().all(|of| {
                    gives_alike(
                        a.grants.third_party(issuer, *of),
                        b.grants.third_party(issuer, *of),
                    )
                })
            });
        is_alike.then_some(Self { one, other })
    }

    /// Whether both say the same of an application, as far as `subject_type` goes.
    pub(super) fn agree_on(
        &self,
        issuer: &Issuer,
        client: &ClientId,
        subject_type: SubjectType,
    ) -> bool {
        let grant =
            |side: Side<'s>| side.served.api.grants.own(issuer, client.as_str(), subject_type);
        gives_alike(grant(self.one), grant(self.other))
            && self.one.party(issuer, client) == self.other.party(issuer, client)
    }
}

impl<'s> Side<'s> {
    fn issuers(self) -> impl Iterator<Item = &'s Issuer> {
        self.served.trusted(self.snapshot).map(|trust| &trust.issuer)
    }

    fn operations(self) -> impl Iterator<Item = (&'s str, &'s Ask)> {
        self.served.operations.iter().map(|operation| (operation.on.as_str(), &operation.ask))
    }

    /// Whose application it is; none where the API does not trust its issuer.
    pub(super) fn party(self, issuer: &Issuer, client: &ClientId) -> Option<Party> {
        let trust = self.served.trusted(self.snapshot).find(|trust| trust.issuer == *issuer)?;
        let listed = self.snapshot.clients.find(issuer, client.as_str());
        Some(listed.unwrap_or_else(|| trust.profile.party(client.as_str())))
    }
}

fn said(api: &Api) -> (Access, OverCeiling, Enforcement) {
    (api.access, api.over_ceiling, api.enforcement)
}

/// Whether two grants of one API give the same. What they are called, and whom to ask, does not matter.
fn gives_alike(one: Option<&Arc<Grant>>, other: Option<&Arc<Grant>>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => {
            one.ceiling == other.ceiling
                && one.expires_at == other.expires_at
                && one.kind == other.kind
        }
        (None, None) => true,
        _ => false,
    }
}
