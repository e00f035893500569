//! Compares one API on two sides: for anyone, and for each caller that may differ.

use std::collections::BTreeSet;
use std::sync::Arc;

use foldhash::HashMap;

use super::alike::Side;
use super::ceiling::{Ceiling, Least, of_step};
use super::requests::{Asked, Requests, Step};
use super::{AccessDiff, Caller, Changed, Difference, What, Which};
use crate::config::portrait;
use crate::config::snapshot::{ServedApi, Snapshot};
use crate::policy::{
    Audience, ClientId, Enforcement, GrantKind, Issuer, NameSet, Names, OrganizationRule,
    Organizations, OverCeiling, Party, SubjectType, UnixTime, governing_grant,
};
use crate::token::{OPENID_SCOPES, Profile};

/// The two sides of an API; first the old one.
pub(super) struct Comparison<'s> {
    api: &'s Audience,
    sides: [Option<Side<'s>>; 2],
    now: UnixTime,
    /// What either side declares.
    scopes: Names,
    details: Names,
    requests: Requests,
}

/// What a caller is held to on one side.
struct Held<'s> {
    ceiling: Ceiling,
    /// Which organizations' tokens are admitted; any where nothing is said.
    organizations: Option<&'s OrganizationRule>,
    end: Option<UnixTime>,
}

/// What two ceilings differ in: thought about once.
type Pair = ([Option<Ceiling>; 2], [bool; 2]);

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
        Self { api, sides, now, scopes, details, requests }
    }

    /// Adds what differs; with `all`, those are thought about too who cannot differ.
    pub(super) fn run(&self, all: bool, diff: &mut AccessDiff, see: &mut dyn FnMut(usize, usize)) {
        self.changed(&mut diff.changed);
        let mut known = HashMap::default();
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
    fn issuers(&self) -> BTreeSet<&'s Issuer> {
        let sides = self.sides.into_iter().flatten();
        sides.flat_map(Side::trusted).map(|trust| &trust.issuer).collect()
    }

    /// Every application that is named.
    fn everybody(&self) -> Vec<(&'s Issuer, &'s ClientId)> {
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
        known: &mut HashMap<Pair, Found>,
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
        let found = known.entry(pair).or_insert_with_key(|pair| self.find(pair)).clone();
        let [gained, lost] = of_grants(&held, found.opens);
        let (gained, lost) = (joined(&found.gained, gained), joined(&found.lost, lost));
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
    fn held(
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

    /// What whoever calls may do.
    fn anyone(&self, diff: &mut AccessDiff) {
        let mut whats = [BTreeSet::new(), BTreeSet::new()];
        for (side, whats) in self.sides.into_iter().zip(&mut whats) {
            if let Some(Enforcement::Report { tokens }) =
                side.map(|side| side.served.api.enforcement)
            {
                whats.insert(What::Reported);
                whats.extend(tokens.then_some(What::ReportedTokens));
            }
        }
        self.audiences(&mut whats);
        Self::public(&self.requests.exact, &mut whats);
        let [old, new] = &whats;
        if old == new {
            Self::public(&self.requests.lookalike, &mut whats);
        }
        let [old, new] = whats;
        let gained: Arc<[What]> = new.difference(&old).cloned().collect();
        let lost: Arc<[What]> = old.difference(&new).cloned().collect();
        if !gained.is_empty() || !lost.is_empty() {
            let (api, caller) = (self.api.clone(), Caller::Anyone);
            diff.callers.push(Difference { api, caller, name: None, gained, lost });
        }
    }

    /// What needs no token; and, where both sides only report, what either lets through for that.
    fn public(steps: &[Step], whats: &mut [BTreeSet<What>; 2]) {
        let both_report = whats.iter().all(|whats| whats.contains(&What::Reported));
        for step in steps {
            for (whats, asked) in whats.iter_mut().zip(&step.asked) {
                if *asked == Asked::Public {
                    whats.extend(step.called.iter().cloned());
                }
            }
            let is_refused = step.asked.each_ref().map(|asked| *asked == Asked::Refused);
            if both_report && is_refused.contains(&true) {
                for (whats, is_refused) in whats.iter_mut().zip(is_refused) {
                    let passing = step.called.iter().filter(|_| !is_refused);
                    whats.extend(passing.map(|called| match called {
                        What::Operation(on) => What::ReportedOperation(on.clone()),
                        other => other.clone(),
                    }));
                }
            }
        }
    }

    /// The further audiences, where somebody may come with such a token.
    fn audiences(&self, whats: &mut [BTreeSet<What>; 2]) {
        let named = self.sides.map(|side| -> BTreeSet<&Audience> {
            side.map(|side| side.served.audiences.iter().skip(1).collect()).unwrap_or_default()
        });
        let [old, new] = &named;
        if old == new {
            return;
        }
        let known = &mut HashMap::default();
        // Where tokens are only reported, those for anybody else pass, too.
        let any_passes = whats.iter().any(|whats| whats.contains(&What::ReportedTokens));
        for (index, (named, whats)) in named.into_iter().zip(whats).enumerate() {
            if !named.is_empty()
                && (!any_passes && whats.contains(&What::Reported)
                    || self.lets_somebody_in(index, known))
            {
                whats.extend(named.into_iter().cloned().map(What::Audience));
            }
        }
    }

    fn lets_somebody_in(&self, index: usize, known: &mut HashMap<Ceiling, bool>) -> bool {
        let others = self
            .issuers()
            .into_iter()
            .flat_map(|issuer| [Which::FirstParty, Which::ThirdParty].map(|which| (issuer, which)));
        let named = self.everybody().into_iter();
        let named = named.map(|(issuer, client)| (issuer, Which::Client(client.clone())));
        let asked = || self.requests.exact.iter().filter_map(|step| step.asked.get(index));
        let mut callers = others.chain(named).flat_map(|(issuer, which)| {
            SubjectType::ALL.map(|subject_type| (issuer, which.clone(), subject_type))
        });
        callers.any(|(issuer, which, subject_type)| {
            let Some(held) = self.held(index, issuer, &which, subject_type) else { return false };
            *known.entry(held.ceiling).or_insert_with_key(|ceiling| ceiling.opens_any(asked()))
        })
    }

    /// What decides before access is asked about: where the API is, and how tokens are read.
    fn changed(&self, changed: &mut Vec<Changed>) {
        let [Some(old), Some(new)] = self.sides else { return };
        let mut compare = |what: String, old: String, new: String| {
            if old != new {
                changed.push(Changed { api: self.api.clone(), what, old, new });
            }
        };
        compare("where it is served".to_owned(), site(old.served), site(new.served));
        for issuer in self.issuers() {
            let settings = |side: Side<'_>| {
                let mut issuers = side.snapshot.issuers.iter();
                let settings = issuers.find(|settings| settings.trust.issuer == *issuer);
                settings.filter(|_| side.trust(issuer).is_some()).map(portrait::read_as)
            };
            if let (Some(before), Some(after)) = (settings(old), settings(new)) {
                compare(format!("how tokens of {issuer} are read"), before, after);
            }
        }
    }
}

/// How often who waits is told.
const STEP: usize = 10_000;

/// The hosts and the prefix of an API.
fn site(served: &ServedApi) -> String {
    let mut hosts: Vec<_> = served.hosts.iter().map(ToString::to_string).collect();
    hosts.sort();
    let hosts = if hosts.is_empty() { "any host".to_owned() } else { hosts.join(", ") };
    format!("{hosts}, below {}", served.path_prefix)
}

/// A set of names of one list, in another that holds them all.
fn translated(from: &Names, to: &Names, set: &NameSet) -> NameSet {
    from.of(set).filter_map(|name| to.find(name)).collect()
}

/// Whether no token whatever is admitted.
fn admits_nobody(rule: &OrganizationRule) -> bool {
    matches!(rule, OrganizationRule::Require(Organizations::Associated(ids)) if ids.is_empty())
}

/// What hangs on the grant beside its ceiling: whose tokens it admits, and for how long.
fn of_grants(held: &[Option<Held<'_>>; 2], opens: [bool; 2]) -> [Vec<What>; 2] {
    let [old, new] = held;
    let [opened, opens] = opens;
    let (old, new) = (old.as_ref().filter(|_| opened), new.as_ref().filter(|_| opens));
    let mut both = [Vec::new(), Vec::new()];
    let [gained, lost] = &mut both;
    let rules = [old, new].map(|held| held.and_then(|held| held.organizations));
    let [before, after] = rules;
    if before != after {
        let (before, after) = (admitted(before, rules), admitted(after, rules));
        gained.extend(after.difference(&before).cloned());
        lost.extend(before.difference(&after).cloned());
    }
    if let (Some(old), Some(new)) = (old, new) {
        match (old.end, new.end) {
            (Some(from), until) if until.is_none_or(|until| from < until) => {
                gained.push(What::Time { from, until });
            }
            (until, Some(from)) if until.is_none_or(|until| from < until) => {
                lost.push(What::Time { from, until });
            }
            _ => {}
        }
    }
    both
}

/// Whose tokens a rule admits, of those that either names.
fn admitted(
    rule: Option<&OrganizationRule>,
    both: [Option<&OrganizationRule>; 2],
) -> BTreeSet<What> {
    let mut whats = BTreeSet::new();
    let Some(rule) = rule else { return whats };
    if !matches!(rule, OrganizationRule::Require(_)) {
        whats.insert(What::OrganizationNone);
    }
    let ids = |rule: &OrganizationRule| match rule {
        OrganizationRule::Allow(Organizations::Associated(ids))
        | OrganizationRule::Require(Organizations::Associated(ids)) => ids.clone(),
        _ => BTreeSet::default(),
    };
    match rule {
        OrganizationRule::Deny => {}
        OrganizationRule::Allow(Organizations::Any)
        | OrganizationRule::Require(Organizations::Any) => {
            whats.insert(What::OrganizationAny);
            whats.extend(both.into_iter().flatten().flat_map(ids).map(What::Organization));
        }
        OrganizationRule::Allow(_) | OrganizationRule::Require(_) => {
            whats.extend(ids(rule).into_iter().map(What::Organization));
        }
    }
    whats
}

fn joined(found: &Arc<[What]>, more: Vec<What>) -> Arc<[What]> {
    if more.is_empty() {
        return found.clone();
    }
    let mut all: Vec<_> = found.iter().cloned().chain(more).collect();
    all.sort();
    all.into()
}
