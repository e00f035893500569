//! What a new snapshot newly allows, and what it no longer allows.
//!
//! In come two snapshots; out come the accesses that only one of them gives. They are found by asking
//! [`decide`](crate::policy::decide()) itself: for every caller that either snapshot knows of, with a
//! token that holds exactly what the caller's ceiling gives, in each organization that a grant names,
//! for every operation that either snapshot lists. The work grows with the grants, and with those that
//! differ × operations.
//!
//! It speaks of access alone: not of hosts, upstreams, keys, limits, or of how long a grant lasts.

mod alike;
mod answers;
mod questions;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use answers::Answers;
use questions::Questions;

use super::snapshot::Snapshot;
use crate::policy::{Audience, ClientId, Issuer, OrganizationId, SubjectType, UnixTime};

/// What two snapshots allow differently.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessDiff {
    /// What the new one allows and the old one did not.
    pub gained: Vec<Access>,
    /// What the old one allowed and the new one does not.
    pub lost: Vec<Access>,
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

/// Which applications.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Which {
    /// This one.
    Client(ClientId),
    /// Each of one's own that nothing is said of.
    FirstParty,
    /// Each of a third party that nothing is said of.
    ThirdParty,
}

/// What somebody may do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// Come with tokens for this audience.
    Audience(Audience),
    /// Use this authorization details type.
    DetailsType(Arc<str>),
    /// Call an operation with this method.
    Operation(Arc<str>),
    /// Come with a token of this organization.
    Organization(OrganizationId),
    /// Come with a token of any organization.
    OrganizationAny,
    /// Come with a token of no organization.
    OrganizationNone,
    /// Do anything: refusals are only reported.
    Reported,
    /// Use this scope.
    Scope(Arc<str>),
    /// Call what no operation lists.
    Unlisted,
}

impl AccessDiff {
    /// Compares what two snapshots allow at `now`.
    pub fn between(old: &Snapshot, new: &Snapshot, now: UnixTime) -> Self {
        Self::by(&Questions::of(old, new, false), old, new, now)
    }

    fn by(
        questions: &BTreeMap<Audience, Questions>,
        old: &Snapshot,
        new: &Snapshot,
        now: UnixTime,
    ) -> Self {
        let mut diff = Self::default();
        for (api, questions) in questions {
            let old = Answers::of(old, api, questions, now);
            let new = Answers::of(new, api, questions, now);
            diff.add(api, &Caller::Anyone, &old.anyone(), &new.anyone());
            for ((issuer, which), organizations) in &questions.callers {
                for subject_type in SubjectType::ALL {
                    let of = |answers: &Answers<'_>| {
                        answers.application(issuer, which, subject_type, organizations)
                    };
                    let (issuer, which) = (issuer.clone(), which.clone());
                    let caller = Caller::Application { issuer, which, subject_type };
                    diff.add(api, &caller, &of(&old), &of(&new));
                }
            }
        }
        diff
    }

    fn add(&mut self, api: &Audience, caller: &Caller, old: &BTreeSet<What>, new: &BTreeSet<What>) {
        let access =
            |what: &What| Access { api: api.clone(), caller: caller.clone(), what: what.clone() };
        self.gained.extend(new.difference(old).map(access));
        self.lost.extend(old.difference(new).map(access));
    }
}

#[cfg(test)]
mod tests;
