//! Key ids that a refresh did not bring, remembered so that who repeats them does not use up the
//! refreshes that others need.
//!
//! What is remembered is a hash of each, and of so many only: strangers choose them. A forgotten one
//! costs at most what a new one does.

use std::collections::hash_map::{Entry, RandomState};
use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasher;

/// The ids that were missed.
#[derive(Default)]
pub(super) struct Unknown {
    hasher: RandomState,
    missed: HashMap<u64, Missed>,
    /// All of them, the oldest first.
    order: VecDeque<u64>,
}

struct Missed {
    times: u32,
    /// The last round that it was missed in.
    round: u64,
}

impl Unknown {
    /// Whether a refresh has not brought `kid`.
    pub(super) fn contains(&self, kid: &str) -> bool {
        self.missed.contains_key(&self.hasher.hash_one(kid))
    }

    /// How many cool-downs must have passed for `kid` to cause a refresh: one, and more for one that
    /// was missed before. An issuer may sign with a key before it publishes it, so that none is given
    /// up for good.
    pub(super) fn cooldowns(&self, kid: &str) -> u32 {
        match self.missed.get(&self.hasher.hash_one(kid)) {
            None => 1,
            Some(Missed { times, .. }) => 1 << (times - 1).min(2),
        }
    }

    /// Remembers that `round` did not bring `kid`.
    pub(super) fn miss(&mut self, kid: &str, round: u64) {
        let hash = self.hasher.hash_one(kid);
        match self.missed.entry(hash) {
            Entry::Occupied(missed) if missed.get().round == round => return,
            Entry::Occupied(mut missed) => {
                let Missed { times, round: last } = missed.get_mut();
                (*times, *last) = (times.saturating_add(1), round);
                return;
            }
            Entry::Vacant(place) => place.insert(Missed { times: 1, round }),
        };
        self.order.push_back(hash);
        if self.order.len() > MAX_UNKNOWN
            && let Some(oldest) = self.order.pop_front()
        {
            self.missed.remove(&oldest);
        }
    }
}

/// How many ids are remembered of one issuer.
const MAX_UNKNOWN: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_missed_waits_longer_each_time_up_to_four_cooldowns() {
        let mut unknown = Unknown::default();
        let mut waits = vec![unknown.cooldowns("a")];
        for round in 1..6 {
            // All who waited for one round report the same miss.
            unknown.miss("a", round);
            unknown.miss("a", round);
            waits.push(unknown.cooldowns("a"));
        }
        assert_eq!(waits, [1, 1, 2, 4, 4, 4]);
        assert!(unknown.contains("a") && !unknown.contains("b"));
        assert_eq!(unknown.cooldowns("b"), 1);
    }

    #[test]
    fn only_so_many_are_remembered_the_latest_ones() {
        let mut unknown = Unknown::default();
        for kid in 0..3 * MAX_UNKNOWN {
            unknown.miss(&kid.to_string(), 1);
        }
        assert_eq!((unknown.missed.len(), unknown.order.len()), (MAX_UNKNOWN, MAX_UNKNOWN));
        assert!(!unknown.contains("0") && unknown.contains(&(3 * MAX_UNKNOWN - 1).to_string()));
    }
}
