//! Compares one API on two sides: for anyone, and for each caller that may differ.

use std::collections::BTreeSet;
use std::sync::Arc;

use foldhash::HashMap;

use super::alike::Side;
use super::ceiling::{Ceiling, Least, of_step};
use super::requests::{Requests, Step};
use super::terms::{admits_nobody, of_grants};
use super::{AccessDiff, Caller, Difference, What, Which};
use crate::config::snapshot::{ServedApi, Snapshot};
use crate::policy::{
    Audience, ClientId, GrantKind, Issuer, NameSet, Names, OrganizationRule, OverCeiling, Party,
    SubjectType, UnixTime, governing_grant,
};
use crate::token::{OPENID_SCOPES, Profile};

/// The two sides of an API; first the old one.
pub(super) struct Comparison<'s> {
    pub(super) api: &'s Audience,
    pub(super) sides: [Option<Side<'s>>; 2],
    /// What they are of.
    pub(super) snapshots: [&'s Snapshot; 2],
    now: UnixTime,
    /// What either side declares.
    scopes: Names,
    details: Names,
    pub(super) requests: Requests,
}

/// What a caller is held to on one side.
pub(super) struct Held<'s> {
    pub(super) ceiling: Ceiling,
    /// Which organizations' tokens are admitted; any where nothing is said.
    pub(super) organizations: Option<&'s OrganizationRule>,
    pub(super) end: Option<UnixTime>,
}

/// What two ceilings differ in: thought about once.
type Pair = ([Option<Ceiling>; 2], [bool; 2]);

/// Where a list lies, how long it is, and what it is joined with.
type Joined = (*const What, usize, Vec<What>);

/// What was thought about.
#[derive(Default)]
struct Known {
    found: HashMap<Pair, Found>,
    /// Lists joined with more, by where the list lies in memory: it lives as long as this.
    joined: HashMap<Joined, Arc<[What]>>,
}

/// What is gained and lost, and on which sides anything can be done at all.
#[derive(Clone)]
struct Found {
    gained: Arc<[What]>,
    lost: Arc<[What]>,
    opens: [bool; 2],
}

impl<'s> Comparison<'s> {
    pub(super) fn new(
        api: &'s Audience,
        snapshots: [&'s Snapshot; 2],
        served: [Option<&'s ServedApi>; 2],
        now: UnixTime,
    ) -> Self {
        let [old, new] = snapshots;
        let [before, after] = served;
        let side = |snapshot, served: Option<_>| served.map(|served| Side { snapshot, served });
        let sides = [side(old, before), side(new, after)];
        let all = |names: fn(&ServedApi) -> &Names| -> Names {
            served
                .into_iter()
                .flatten()
                .flat_map(|served| names(served).iter())
                .map(|name| &**name)
                .collect()
        };
        let (scopes, details) =
            (all(|served| &served.api.scopes), all(|served| &served.api.details));
        let translate = |index: usize, some: &NameSet, others: &NameSet| match served
            .get(index)
            .copied()
            .flatten()
        {
            None => (NameSet::EMPTY, NameSet::EMPTY),
            Some(served) => (
                translated(&served.api.scopes, &scopes, some),
                translated(&served.api.details, &details, others),
            ),
        };
        let requests = Requests::of(sides, &translate);
        Self { api, sides, snapshots, now, scopes, details, requests }
    }

    /// Adds what differs; with `all`, those are thought about too who cannot differ.
    pub(super) fn run(&self, all: bool, diff: &mut AccessDiff, see: &mut dyn FnMut(usize, usize)) {
        self.changed(&mut diff.changed);
        let mut known = Known::default();
        let differing = match self.sides {
            [Some(old), Some(new)] if !all => old.differing(new),
            _ => None,
        };
        let mut clients = differing.unwrap_or_else(|| self.everybody());
        clients.sort_unstable();
        clients.dedup();
        self.anyone(diff);
        for issuer in self.issuers() {
            for which in [Which::FirstParty, Which::ThirdParty] {
                for subject_type in SubjectType::ALL {
                    self.application(issuer, &which, subject_type, &mut known, diff);
                }
            }
        }
        let total = clients.len();
        for (done, (issuer, client)) in clients.into_iter().enumerate() {
            if done.is_multiple_of(STEP) {
                see(done, total);
            }
            let which = Which::Client(client.clone());
            for subject_type in SubjectType::ALL {
                if !self.is_as_others(issuer, client, subject_type) {
                    self.application(issuer, &which, subject_type, &mut known, diff);
                }
            }
        }
    }

    /// The issuers that either side trusts.
    pub(super) fn issuers(&self) -> BTreeSet<&'s Issuer> {
        let sides = self.sides.into_iter().flatten();
        sides.flat_map(Side::trusted).map(|trust| &trust.issuer).collect()
    }

    /// Every application that is named.
    pub(super) fn everybody(&self) -> Vec<(&'s Issuer, &'s ClientId)> {
        // Of issuers that it does not trust there may be very many.
        let trusted = self.issuers();
        let mut everybody = Vec::new();
        for Side { snapshot, served } in self.sides.into_iter().flatten() {
            let listed = snapshot.clients.iter().map(|(issuer, client, _)| (issuer, client));
            everybody.extend(listed.filter(|(issuer, _)| trusted.contains(issuer)));
            everybody.extend(served.api.grants.clients());
        }
        everybody
    }

    /// Whether what is told of any other first-party application holds for this one.
    fn is_as_others(&self, issuer: &Issuer, client: &ClientId, subject_type: SubjectType) -> bool {
        self.sides.into_iter().flatten().all(|side| {
            let grants = &side.served.api.grants;
            let party = side.party(issuer, client.as_str());
            party.is_none_or(|party| party == Party::First)
                && grants.own(issuer, client.as_str(), subject_type).is_none()
        })
    }

    fn application(
        &self,
        issuer: &Issuer,
        which: &Which,
        subject_type: SubjectType,
        known: &mut Known,
        diff: &mut AccessDiff,
    ) {
        let held = [0, 1].map(|index| self.held(index, issuer, which, subject_type));
        if held.iter().all(Option::is_none) {
            return;
        }
        let of_user = subject_type == SubjectType::User;
        let aside = self.sides.map(|side| {
            let trust = side.and_then(|side| side.trust(issuer));
            of_user && trust.is_some_and(|trust| !matches!(trust.profile, Profile::Cognito))
        });
        let pair =
            (held.each_ref().map(|held| held.as_ref().map(|held| held.ceiling.clone())), aside);
        let found = known.found.entry(pair).or_insert_with_key(|pair| self.find(pair)).clone();
        let [gained, lost] = of_grants(&held, found.opens);
        let (gained, lost) = (known.join(&found.gained, gained), known.join(&found.lost, lost));
        if gained.is_empty() && lost.is_empty() {
            return;
        }
        let name = match which {
            Which::Client(client) => {
                let mut snapshots = self.sides.into_iter().rev().flatten();
                snapshots.find_map(|side| side.snapshot.client_names.find(issuer, client.as_str()))
            }
            Which::FirstParty | Which::ThirdParty => None,
        };
        diff.callers.push(Difference {
            api: self.api.clone(),
            caller: Caller::Application {
                issuer: issuer.clone(),
                which: which.clone(),
                subject_type,
            },
            name: name.map(Arc::from),
            gained,
            lost,
        });
    }

    /// What a caller is held to; none where it is refused in any case.
    pub(super) fn held(
        &self,
        index: usize,
        issuer: &Issuer,
        which: &Which,
        subject_type: SubjectType,
    ) -> Option<Held<'s>> {
        let side = (*self.sides.get(index)?)?;
        let api = &side.served.api;
        let client = match which {
            // No application has such an id: it finds no grant of its own, and is nowhere listed.
            Which::FirstParty => " ",
            Which::ThirdParty => "tpc_ ",
            Which::Client(client) => client.as_str(),
        };
        let party = side.party(issuer, client)?;
        let grant = governing_grant(api, issuer, client, party, subject_type).ok()?;
        let translated = |scopes, details| Ceiling {
            scopes: translated(&api.scopes, &self.scopes, scopes),
            details: translated(&api.details, &self.details, details),
        };
        let Some(grant) = grant else {
            let ceiling = translated(api.scopes.all(), api.details.all());
            return Some(Held { ceiling, organizations: None, end: None });
        };
        if grant.expires_at.is_some_and(|end| end <= self.now) {
            return None;
        }
        let (details, organizations) = match &grant.kind {
            GrantKind::User { details } => (details, None),
            GrantKind::AnonymousUser => (&NameSet::EMPTY, None),
            GrantKind::Client { organizations } if admits_nobody(organizations) => return None,
            GrantKind::Client { organizations } => (&NameSet::EMPTY, Some(organizations)),
        };
        let ceiling = translated(&grant.ceiling, details);
        Some(Held { ceiling, organizations, end: grant.expires_at })
    }

    /// What two ceilings differ in, in what they open.
    fn find(&self, (ceilings, aside): &Pair) -> Found {
        let steps = || self.requests.exact.iter().chain(&self.requests.lookalike);
        let mut opens = [false; 2];
        for (index, opens) in opens.iter_mut().enumerate() {
            let asked = steps().filter_map(|step| step.asked.get(index));
            let ceiling = ceilings.get(index).and_then(Option::as_ref);
            *opens = ceiling.is_some_and(|ceiling| ceiling.opens_any(asked));
        }
        // Who can call nothing holds nothing.
        let held = |index: usize| {
            let ceiling = ceilings.get(index).and_then(Option::as_ref);
            ceiling.filter(|_| opens.get(index) == Some(&true))
        };
        let held = [held(0), held(1)];
        let [mut gained, mut lost] = self.of_steps(&self.requests.exact, held);
        if gained.is_empty() && lost.is_empty() {
            [gained, lost] = self.of_steps(&self.requests.lookalike, held);
        }
        let [old, new] = held;
        self.names(new, old, &mut gained);
        self.names(old, new, &mut lost);
        if let (Some(old), Some(new)) = (old, new) {
            self.left_aside([old, new], *aside, [&mut gained, &mut lost]);
        }
        gained.sort();
        lost.sort();
        Found { gained: gained.into(), lost: lost.into(), opens }
    }

    fn of_steps(&self, steps: &[Step], held: [Option<&Ceiling>; 2]) -> [Vec<What>; 2] {
        let tell = |called: &What, least: &Least| match called {
            What::Operation(on) => What::OperationWith {
                on: on.clone(),
                scopes: self.scopes.of(&least.scopes).cloned().collect(),
                details: self.details.of(&least.details).cloned().collect(),
            },
            other => other.clone(),
        };
        let mut all = [Vec::new(), Vec::new()];
        for step in steps {
            for (all, some) in all.iter_mut().zip(of_step(step, held, &tell)) {
                all.extend(some);
            }
        }
        all
    }

    /// The scopes and types that a ceiling has beyond the other.
    fn names(&self, of: Option<&Ceiling>, other: Option<&Ceiling>, into: &mut Vec<What>) {
        let Some(Ceiling { scopes, details }) = of else { return };
        let none = Ceiling { scopes: NameSet::EMPTY, details: NameSet::EMPTY };
        let other = other.unwrap_or(&none);
        let scopes = scopes.without(&other.scopes);
        let details = details.without(&other.details);
        into.extend(self.scopes.of(&scopes).cloned().map(What::Scope));
        into.extend(self.details.of(&details).cloned().map(What::DetailsType));
    }

    /// What may stand in a token beyond the ceiling, on one side alone.
    fn left_aside(
        &self,
        ceilings: [&Ceiling; 2],
        aside: [bool; 2],
        [gained, lost]: [&mut Vec<What>; 2],
    ) {
        let [old_trims, new_trims] = self
            .sides
            .map(|side| side.is_some_and(|side| side.served.api.over_ceiling == OverCeiling::Trim));
        match (old_trims, new_trims) {
            (false, true) => gained.push(What::Above),
            (true, false) => lost.push(What::Above),
            // Where all is left aside on both, nothing in particular is.
            (true, true) => return,
            (false, false) => {}
        }
        for scope in OPENID_SCOPES {
            let Some(place) = self.scopes.find(scope) else { continue };
            let mut passes = [false; 2];
            for (index, passes) in passes.iter_mut().enumerate() {
                let declared = self
                    .sides
                    .get(index)
                    .copied()
                    .flatten()
                    .is_some_and(|side| side.served.api.scopes.find(scope).is_some());
                let given = ceilings.get(index).is_some_and(|it| it.scopes.contains(place));
                let trims = [old_trims, new_trims].get(index) == Some(&true);
                *passes = given || trims || aside.get(index) == Some(&true) && !declared;
            }
            let (name, given) = (Arc::<str>::from(scope), What::Scope(scope.into()));
            match passes {
                [false, true] if !gained.contains(&given) && !new_trims => {
                    gained.push(What::Beside(name));
                }
                [true, false] if !lost.contains(&given) && !old_trims => {
                    lost.push(What::Beside(name));
                }
                _ => {}
            }
        }
    }
}

/// How often who waits is told.
const STEP: usize = 10_000;

/// A set of names of one list, in another that holds them all.
fn translated(from: &Names, to: &Names, set: &NameSet) -> NameSet {
    from.of(set).filter_map(|name| to.find(name)).collect()
}

impl Known {
    /// A list that was found, with more; one for all callers of whom it is the same.
    fn join(&mut self, found: &Arc<[What]>, more: Vec<What>) -> Arc<[What]> {
        if more.is_empty() {
            return found.clone();
        }
        let joined = self.joined.entry((found.as_ptr(), found.len(), more));
        let joined = joined.or_insert_with_key(|(_, _, more)| {
            let mut all: Vec<_> = found.iter().chain(more).cloned().collect();
            all.sort();
            all.into()
        });
        joined.clone()
    }
}
