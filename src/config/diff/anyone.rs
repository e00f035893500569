//! What one API gives to whoever calls; and what of it decides before access is asked about.

use std::collections::BTreeSet;
use std::sync::Arc;

use foldhash::HashMap;

use super::alike::Side;
use super::ceiling::Ceiling;
use super::compare::Comparison;
use super::requests::{Asked, Step};
use super::{AccessDiff, Caller, Changed, Difference, What, Which};
use crate::config::portrait;
use crate::config::snapshot::ServedApi;
use crate::policy::{Audience, Enforcement, Issuer, SubjectType};
use crate::token::{Algorithm, Trust, Unproven};

impl Comparison<'_> {
    /// What whoever calls may do.
    pub(super) fn anyone(&self, diff: &mut AccessDiff) {
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
    pub(super) fn changed(&self, changed: &mut Vec<Changed>) {
        let mut compare = |what: String, old: String, new: String, may_admit: bool| {
            if old != new {
                changed.push(Changed { api: self.api.clone(), what, old, new, may_admit });
            }
        };
        // Requests that one API takes are withheld from all others: it matters also of one that admits nobody.
        let sites = self.sides.map(|side| side.map(|side| side.served));
        let [old, new] = sites.map(|served| served.map_or_else(|| "nowhere".to_owned(), site));
        compare("where it is served".to_owned(), old, new, self.may_admit_elsewhere(sites));
        let [Some(old), Some(new)] = self.sides else { return };
        if !self.requests.is_whole {
            let [old, new] = [old, new].map(|side| side.served.operations.iter().count());
            let what = "the operations, too many for each to be compared with all others";
            compare(what.to_owned(), format!("{old} before"), format!("{new} now"), true);
        }
        for issuer in self.issuers() {
            if let (Some((before, old)), Some((after, new))) =
                (read_as(old, issuer), read_as(new, issuer))
            {
                let what = format!("how tokens of {issuer} are read");
                compare(what, before, after, !is_stricter(old, new));
            }
        }
    }

    /// Whether a request may be allowed because the API is served elsewhere: by itself, where it was not
    /// served before, or by another that now gets what it no longer takes.
    fn may_admit_elsewhere(&self, [old, new]: [Option<&ServedApi>; 2]) -> bool {
        // What a new API allows is told as gained.
        let Some(old) = old else { return false };
        let is_within = new.is_none_or(|new| {
            let hosts = &old.hosts;
            let all_known = new.hosts.iter().all(|host| hosts.contains(host));
            old.path_prefix == new.path_prefix
                && (hosts.is_empty() || !new.hosts.is_empty() && all_known)
        });
        let [_, after] = self.snapshots;
        !is_within
            || after
                .apis
                .iter()
                .any(|other| other.api.identifier != *self.api && may_meet(old, other))
    }
}

/// Whether a request may be for either of two APIs, as far as the place tells.
fn may_meet(one: &ServedApi, other: &ServedApi) -> bool {
    let (hosts, others) = (&one.hosts, &other.hosts);
    let below = |served: &ServedApi| {
        let prefix = served.path_prefix.to_string().to_ascii_lowercase();
        format!("{}/", prefix.trim_end_matches('/'))
    };
    let (prefix, of_other) = (below(one), below(other));
    (prefix.starts_with(&of_other) || of_other.starts_with(&prefix))
        && (hosts.is_empty()
            || others.is_empty()
            || hosts.iter().any(|host| others.iter().any(|other| host.meets(other))))
}

/// How tokens of an issuer that the API trusts are read, and its trust.
fn read_as<'s>(side: Side<'s>, issuer: &Issuer) -> Option<(String, &'s Trust)> {
    side.trust(issuer)?;
    let mut issuers = side.snapshot.issuers.iter();
    let settings = issuers.find(|settings| settings.trust.issuer == *issuer)?;
    Some((portrait::read_as(settings), &settings.trust))
}

/// Whether tokens are read alike, and fewer of them are taken.
fn is_stricter(old: &Trust, new: &Trust) -> bool {
    let spelled = |trust: &Trust| portrait::spelled(&trust.profile);
    let is_kept = |algorithm: Algorithm| {
        old.algorithms.contains(algorithm) || !new.algorithms.contains(algorithm)
    };
    spelled(old) == spelled(new)
        && Algorithm::ALL.into_iter().all(is_kept)
        && new.leeway_seconds <= old.leeway_seconds
        && (new.unproven == old.unproven || new.unproven == Unproven::Refuse)
}

/// The hosts and the prefix of an API.
fn site(served: &ServedApi) -> String {
    let mut hosts: Vec<_> = served.hosts.iter().map(ToString::to_string).collect();
    hosts.sort();
    let hosts = if hosts.is_empty() { "any host".to_owned() } else { hosts.join(", ") };
    format!("{hosts}, below {}", served.path_prefix)
}
