//! The search: candidates are tried, one upon the other, until the request is allowed.
//!
//! What is tried is always the whole change, made in the texts as they were: what is found at the end has been
//! loaded from the changed texts alone, and decided with.

use std::cell::OnceCell;

use super::Files;
use super::candidates::{Seen, candidates};
use super::moves::{Move, Wanted};
use crate::config::snapshot::Snapshot;
use crate::config::{Source, edit, load};
use crate::gate::{Code, Env, Keys, Outcome, Refusal, Step, Supposed, Verdict};
use crate::policy::{NameSet, Names, Permit, UnixTime};
use crate::token::VerifiedCache;

/// The most rules that are got past, one after the other.
const DEEPEST: usize = 8;
/// The most configurations that are loaded.
const MOST_TRIES: usize = 48;

/// What a search came to.
pub(super) enum Found {
    /// The request is allowed as it is.
    Allowed,
    /// It is allowed with these changes, which lead to these texts.
    Change { moves: Vec<Move>, after: Vec<Source> },
    /// It is refused, and where something helped against that, refused again.
    None { first: Refusal, last: Option<Refusal> },
}

/// How the request is decided with a change.
struct Stand {
    after: Vec<Source>,
    decided: Decided,
}

/// A change with which the request is allowed.
struct Proven {
    moves: Vec<Move>,
    after: Vec<Source>,
    effective: Wanted,
}

enum Decided {
    Allowed {
        /// What may be used.
        effective: Wanted,
    },
    Refused {
        refusal: Refusal,
        next: Vec<Vec<Move>>,
    },
}

pub(super) struct Search<'a> {
    files: &'a Files<'a>,
    supposed: &'a Supposed,
    keys: &'a dyn Keys,
    now: UnixTime,
    tries: usize,
    /// The refusal behind which nothing helped any more: that of the longest way.
    stuck: Option<(usize, Refusal)>,
}

impl<'a> Search<'a> {
    pub(super) fn new(
        files: &'a Files<'a>,
        supposed: &'a Supposed,
        keys: &'a dyn Keys,
        now: UnixTime,
    ) -> Self {
        Self { files, supposed, keys, now, tries: 0, stuck: None }
    }

    pub(super) fn run(mut self) -> Found {
        let (first, next) = match self.ask(self.files.snapshot) {
            Decided::Allowed { .. } => return Found::Allowed,
            Decided::Refused { refusal, next } => (refusal, next),
        };
        let Some(proven) = self.search(&[], next, &mut vec![first.code]) else {
            return Found::None { first, last: self.stuck.map(|(_, refusal)| refusal) };
        };
        let needed = self.needed(proven);
        let Proven { moves, after, .. } = self.tightened(needed);
        Found::Change { moves, after }
    }

    /// Tries each of `next` upon `moves`, then what follows from those that got past a rule. No code comes
    /// twice on one way, so that no way goes in a circle.
    fn search(
        &mut self,
        moves: &[Move],
        next: Vec<Vec<Move>>,
        codes: &mut Vec<Code>,
    ) -> Option<Proven> {
        let mut onward = Vec::new();
        for candidate in next {
            let tried = [moves, &candidate].concat();
            match self.attempt(&tried) {
                Some(Stand { after, decided: Decided::Allowed { effective } }) => {
                    return Some(Proven { moves: tried, after, effective });
                }
                Some(Stand { decided: Decided::Refused { refusal, next }, .. })
                    if !codes.contains(&refusal.code) =>
                {
                    onward.push((tried, refusal, next));
                }
                _ => {}
            }
        }
        for (tried, refusal, next) in onward {
            let depth = codes.len();
            codes.push(refusal.code);
            if self.stuck.as_ref().is_none_or(|(deepest, _)| *deepest < depth) {
                self.stuck = Some((depth, refusal));
            }
            if depth < DEEPEST
                && let Some(found) = self.search(&tried, next, codes)
            {
                return Some(found);
            }
            codes.pop();
        }
        None
    }

    /// The moves without which the request would be refused.
    fn needed(&mut self, mut proven: Proven) -> Proven {
        let mut at = 0;
        while at < proven.moves.len() && proven.moves.len() > 1 {
            let mut fewer = proven.moves.clone();
            fewer.remove(at);
            match self.proven(fewer) {
                Some(smaller) => proven = smaller,
                None => at += 1,
            }
        }
        proven
    }

    /// An operation that is added asks for all that this caller may use: others need as much.
    fn tightened(&mut self, proven: Proven) -> Proven {
        let mut tight = proven.moves.clone();
        for one in &mut tight {
            if let Move::Operation { need: need @ None, .. } = one
                && !proven.effective.is_empty()
            {
                *need = Some(proven.effective.clone());
            }
        }
        if tight == proven.moves {
            return proven;
        }
        self.proven(tight).unwrap_or(proven)
    }

    /// The request is allowed with just these.
    fn proven(&mut self, moves: Vec<Move>) -> Option<Proven> {
        match self.attempt(&moves)? {
            Stand { after, decided: Decided::Allowed { effective } } => {
                Some(Proven { moves, after, effective })
            }
            Stand { decided: Decided::Refused { .. }, .. } => None,
        }
    }

    /// Whether the request is allowed with just these.
    #[cfg(test)]
    pub(super) fn allows(&mut self, moves: &[Move]) -> bool {
        self.proven(moves.to_vec()).is_some()
    }

    /// Makes the whole change, and asks again. None where it cannot be made, or what comes of it is no
    /// configuration.
    fn attempt(&mut self, moves: &[Move]) -> Option<Stand> {
        if self.tries == MOST_TRIES {
            return None;
        }
        self.tries += 1;
        let after = changed(self.files, moves)?;
        let loaded = load(&after, self.files.outside, self.now).ok()?;
        let decided = self.ask(&loaded.snapshot);
        Some(Stand { after, decided })
    }

    fn ask(&self, snapshot: &Snapshot) -> Decided {
        let cache = VerifiedCache::with_capacity(0);
        let env = Env { keys: self.keys, cache: &cache, now: self.now };
        let held = OnceCell::new();
        let (Step::Done(outcome) | Step::NeedKeys { otherwise: outcome, .. }) =
            self.supposed.ask(snapshot, &env, &held);
        let refusal = match &outcome.verdict {
            Verdict::Pass(permit) => {
                return Decided::Allowed { effective: effective(&outcome, permit) };
            }
            Verdict::Refuse(refusal) | Verdict::WouldRefuse(_, refusal) => refusal.clone(),
            // Nobody shows a browser's question here; a doubt is no way on.
            Verdict::Preflight(_) => Refusal::from(Code::Internal),
        };
        let seen = Seen {
            files: self.files,
            supposed: self.supposed,
            now: self.now,
            snapshot,
            outcome: &outcome,
            refusal: &refusal,
        };
        let next = candidates(&seen);
        Decided::Refused { refusal, next }
    }
}

/// What an allowed request may use.
fn effective(outcome: &Outcome<'_>, permit: &Permit) -> Wanted {
    let Some(served) = outcome.api else { return Wanted::default() };
    let names =
        |names: &Names, set: &NameSet| names.of(set).map(ToString::to_string).collect::<Vec<_>>();
    let scopes = names(&served.api.scopes, permit.scopes());
    let details =
        if scopes.is_empty() { names(&served.api.details, permit.details()) } else { Vec::new() };
    Wanted { scopes, any_scopes: Vec::new(), details }
}

/// The texts with a change. None where it cannot be made in them, or changes nothing.
fn changed(files: &Files<'_>, moves: &[Move]) -> Option<Vec<Source>> {
    let mut edits = Vec::new();
    for one in moves {
        edits.extend(one.edits(files)?);
    }
    let mut after = files.sources.to_vec();
    for (index, source) in after.iter_mut().enumerate() {
        let of_it = edits.iter().filter(|edit| edit.place().source == index);
        let of_it: Vec<_> = of_it.cloned().collect();
        if !of_it.is_empty() {
            source.text = edit(source, &of_it).ok()?.into();
        }
    }
    let all_known = edits.iter().all(|edit| edit.place().source < after.len());
    (all_known && after.as_slice() != files.sources).then_some(after)
}
