//! What a new snapshot newly allows, and what it no longer allows.
//!
//! In come two snapshots and a time; out comes, for each caller, what only one of them gives, from that time
//! on. It is empty exactly where both decide alike about every request of every caller, whatever its token
//! holds: for each API and each way in which a path can match its operations, and for each caller's ceiling,
//! the least sets of scopes are compared that open an operation. What decides about reading tokens and
//! about where an API is found is compared as it is written, and told apart from gains and losses.
//!
//! The work grows with the grants, and with those that differ × operations. Of very many callers with equal
//! ceilings one is thought about.
//!
//! It does not speak of upstreams, keys, limits, CORS and headers.

pub(super) mod alike;
mod anyone;
pub(super) mod ceiling;
mod compare;
pub(super) mod json;
mod markdown;
mod parts;
pub(super) mod requests;
mod terms;
mod text;
mod words;

use std::collections::BTreeMap;
use std::sync::Arc;

use compare::Comparison;

use super::snapshot::Snapshot;
use crate::policy::{Audience, ClientId, Issuer, OrganizationId, SubjectType, UnixTime};

/// What two snapshots allow differently.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessDiff {
    /// For each caller who gains or loses something, by API.
    pub callers: Vec<Difference>,
    /// What is neither gained nor lost, and decides all the same.
    pub changed: Vec<Changed>,
}

/// What one caller gains and loses at one API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The API.
    pub api: Audience,
    /// Who.
    pub caller: Caller,
    /// What the application is called, where that is written.
    pub name: Option<Arc<str>>,
    /// What the new one allows and the old one did not, in order.
    pub gained: Arc<[What]>,
    /// What the old one allowed and the new one does not, in order.
    pub lost: Arc<[What]>,
}

/// Something of an API that is not the same, and is no access.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The API.
    pub api: Audience,
    /// What it is.
    pub what: String,
    /// As it was.
    pub old: String,
    /// As it is.
    pub new: String,
    /// Whether a request that was refused may be allowed for it.
    pub may_admit: bool,
}

/// One thing that somebody may do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Access {
    /// The API.
    pub api: Audience,
    /// Who.
    pub caller: Caller,
    /// What.
    pub what: What,
}

/// Who may do something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Caller {
    /// Whoever calls, with whatever credential the API takes.
    Anyone,
    /// Applications of an issuer, for a subject type.
    Application {
        /// The issuer.
        issuer: Issuer,
        /// Which applications.
        which: Which,
        /// On whose behalf.
        subject_type: SubjectType,
    },
}

impl Caller {
    /// What kind of caller it is in data, and the id of one application.
    pub(super) fn kind(&self) -> (&'static str, Option<&str>) {
        match self {
            Self::Anyone => ("anyone", None),
            Self::Application { which: Which::Client(client), .. } => {
                ("application", Some(client.as_str()))
            }
            Self::Application { which: Which::FirstParty, .. } => ("first_party", None),
            Self::Application { which: Which::ThirdParty, .. } => ("third_party", None),
        }
    }
}

/// Which applications.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Which {
    /// This one.
    Client(ClientId),
    /// Each of one's own without a grant.
    FirstParty,
    /// Each of a third party that nothing is said of.
    ThirdParty,
}

/// What somebody may do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum What {
    /// Come with tokens that hold more than the ceiling, which is left aside.
    Above,
    /// Come with tokens for this audience.
    Audience(Audience),
    /// Come with tokens that hold this scope of `OpenID` Connect, which is left aside.
    Beside(Arc<str>),
    /// Use this authorization details type.
    DetailsType(Arc<str>),
    /// Call an operation with these methods.
    Operation(Arc<str>),
    /// Call an operation with a token that holds no more than this.
    OperationWith {
        /// The operation.
        on: Arc<str>,
        /// The scopes of such a token.
        scopes: Vec<Arc<str>>,
        /// Its authorization details types.
        details: Vec<Arc<str>>,
    },
    /// Come with a token of this organization.
    Organization(OrganizationId),
    /// Come with a token of any organization.
    OrganizationAny,
    /// Come with a token of no organization.
    OrganizationNone,
    /// Do anything: refusals are only reported.
    Reported,
    /// Call an operation, because refusals are only reported: not so are those of other methods.
    ReportedOperation(Arc<str>),
    /// Do anything without a good token, too: refusals of the token are only reported.
    ReportedTokens,
    /// Use this scope.
    Scope(Arc<str>),
    /// Do all that from one time on, until another where there is one.
    Time {
        /// From then on.
        from: UnixTime,
        /// Until then; for ever when absent.
        until: Option<UnixTime>,
    },
    /// Call what no operation lists.
    Unlisted,
}

impl AccessDiff {
    /// Compares what two snapshots allow from `now` on.
    pub fn between(old: &Snapshot, new: &Snapshot, now: UnixTime) -> Self {
        Self::watched(old, new, now, &mut |_, _| {})
    }

    /// As [`between`](Self::between); `see` is told now and then how many callers of how many were thought
    /// about.
    pub fn watched(
        old: &Snapshot,
        new: &Snapshot,
        now: UnixTime,
        see: &mut dyn FnMut(usize, usize),
    ) -> Self {
        Self::by(old, new, now, false, see)
    }

    fn by(
        old: &Snapshot,
        new: &Snapshot,
        now: UnixTime,
        all: bool,
        see: &mut dyn FnMut(usize, usize),
    ) -> Self {
        let mut apis: BTreeMap<&Audience, [Option<_>; 2]> = BTreeMap::new();
        for (side, snapshot) in [old, new].into_iter().enumerate() {
            for served in &snapshot.apis {
                let sides = apis.entry(&served.api.identifier).or_default();
                if let Some(place) = sides.get_mut(side) {
                    *place = Some(served);
                }
            }
        }
        let mut diff = Self::default();
        for (api, served) in apis {
            Comparison::new(api, [old, new], served, now).run(all, &mut diff, see);
        }
        diff
    }

    /// Without what concerns the gateway's own API, of which not every source tells.
    #[must_use]
    pub fn without(mut self, api: &str) -> Self {
        self.callers.retain(|of| of.api.as_str() != api);
        self.changed.retain(|of| of.api.as_str() != api);
        self
    }

    /// Whether nothing is gained, lost or changed.
    pub fn is_empty(&self) -> bool {
        self.callers.is_empty() && self.changed.is_empty()
    }

    /// Whether somebody gains, or may gain by what changed.
    pub fn may_admit(&self) -> bool {
        self.gains() > 0 || self.changed.iter().any(|of| of.may_admit)
    }

    /// How many accesses are gained.
    pub fn gains(&self) -> usize {
        self.callers.iter().map(|of| of.gained.len()).sum()
    }

    /// How many accesses are lost.
    pub fn losses(&self) -> usize {
        self.callers.iter().map(|of| of.lost.len()).sum()
    }

    /// How many callers gain something, and how many lose something; who does both is counted twice.
    pub fn callers_gaining_and_losing(&self) -> (usize, usize) {
        let count = |of: fn(&Difference) -> &[What]| {
            self.callers.iter().filter(|difference| !of(difference).is_empty()).count()
        };
        (count(|of| &of.gained), count(|of| &of.lost))
    }

    /// What the new one allows and the old one did not, one by one.
    pub fn gained(&self) -> impl Iterator<Item = Access> {
        self.callers.iter().flat_map(|of| of.accesses(&of.gained))
    }

    /// What the old one allowed and the new one does not, one by one.
    pub fn lost(&self) -> impl Iterator<Item = Access> {
        self.callers.iter().flat_map(|of| of.accesses(&of.lost))
    }
}

impl Difference {
    fn accesses<'d>(&'d self, list: &'d [What]) -> impl Iterator<Item = Access> + 'd {
        list.iter().map(|what| Access {
            api: self.api.clone(),
            caller: self.caller.clone(),
            what: what.clone(),
        })
    }
}

#[cfg(test)]
mod tests;
