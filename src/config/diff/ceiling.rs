//! What a caller holds at most, and the least tokens that open something within it.

use super::What;
use super::requests::{Asked, Step};
use crate::policy::{NameSet, Need};

/// What a caller may use at most, in the names of both sides together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::config) struct Ceiling {
    pub(in crate::config) scopes: NameSet,
    pub(in crate::config) details: NameSet,
}

/// A token that opens something, and opens it no more when anything is taken from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Least {
    pub(super) scopes: NameSet,
    pub(super) details: NameSet,
}

impl Ceiling {
    /// The least tokens that answer what is asked: none where it is above the ceiling. What is public asks
    /// for no token, and is nobody's in particular.
    pub(super) fn least(&self, asked: &Asked) -> Vec<Least> {
        let Asked::Token { scopes, any, details } = asked else { return Vec::new() };
        if !self.scopes.contains_all(scopes) || !self.details.contains_all(details) {
            return Vec::new();
        }
        let least = |scopes| Least { scopes, details: details.clone() };
        // One of them is asked for in any case.
        if any.is_empty() || any.iter().any(|scope| scopes.contains(scope)) {
            return vec![least(scopes.clone())];
        }
        let one = |scope: usize| scopes.or(&std::iter::once(scope).collect());
        any.and(&self.scopes).iter().map(|scope| least(one(scope))).collect()
    }

    /// Whether some token within the ceiling answers a need.
    pub(in crate::config) fn opens(&self, need: &Need) -> bool {
        let Need { scopes, any_scopes, details } = need;
        let any = any_scopes.iter().copied().collect();
        let asked = Asked::Token { scopes: scopes.clone(), any, details: details.clone() };
        !self.least(&asked).is_empty()
    }

    /// Whether anything can be called.
    pub(super) fn opens_any<'a>(&self, mut asked: impl Iterator<Item = &'a Asked>) -> bool {
        asked.any(|asked| !self.least(asked).is_empty())
    }
}

impl Least {
    /// Whether a token that holds this opens what one of `others` opens.
    fn answers_one_of(&self, others: &[Self]) -> bool {
        others.iter().any(|other| {
            self.scopes.contains_all(&other.scopes) && self.details.contains_all(&other.details)
        })
    }
}

/// What becomes of the requests of a step for a caller with these ceilings: what is gained, and what is
/// lost. `tell` makes names of a token.
pub(super) fn of_step(
    step: &Step,
    [old, new]: [Option<&Ceiling>; 2],
    tell: &dyn Fn(&What, &Least) -> What,
) -> [Vec<What>; 2] {
    let [old_asked, new_asked] = &step.asked;
    let mut gained_and_lost = [Vec::new(), Vec::new()];
    // What anyone may do is told of anyone.
    if step.asked.contains(&Asked::Public) {
        return gained_and_lost;
    }
    let of = |ceiling: Option<&Ceiling>, asked| {
        ceiling.map(|ceiling| ceiling.least(asked)).unwrap_or_default()
    };
    let (before, after) = (of(old, old_asked), of(new, new_asked));
    let sides = [(&after, &before, old), (&before, &after, new)];
    for (into, (here, there, other)) in gained_and_lost.iter_mut().zip(sides) {
        if there.is_empty() && !here.is_empty() {
            into.extend(step.called.iter().cloned());
            continue;
        }
        let less = here.iter().filter(|least| !least.answers_one_of(there));
        // Where the token itself is new to the caller, that is told.
        let less = less.filter(|least| {
            other.is_some_and(|other| {
                other.scopes.contains_all(&least.scopes)
                    && other.details.contains_all(&least.details)
            })
        });
        for least in less {
            into.extend(step.called.iter().map(|called| tell(called, least)));
        }
    }
    gained_and_lost
}
