//! The closed list of names that an API declares (its scopes, its authorization details types), and
//! sets of them. A name is a bit, so that sets are compared without looking at text; this file alone
//! knows the representation. Up to 128 names a set lives inline and costs no allocation.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// The declared names, each with its place in the list.
#[derive(Clone, Debug, Default)]
pub struct Names {
    list: Vec<Arc<str>>,
    places: HashMap<Arc<str>, usize>,
    all: NameSet,
}

impl Names {
    /// The place of `name`, when it is declared.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }

    /// Every declared name.
    pub fn all(&self) -> &NameSet {
        &self.all
    }

    /// The names in `set`, in the order of their declaration.
    pub fn of<'a>(&'a self, set: &'a NameSet) -> impl Iterator<Item = &'a Arc<str>> {
        set.iter().filter_map(|place| self.list.get(place))
    }

    /// The name at `place`.
    pub fn at(&self, place: usize) -> Option<&Arc<str>> {
        self.list.get(place)
    }

    /// All names, in the order of their declaration.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<str>> {
        self.list.iter()
    }
}

impl<'a> FromIterator<&'a str> for Names {
    /// Declares each name once; a name that comes again keeps its first place.
    fn from_iter<I: IntoIterator<Item = &'a str>>(names: I) -> Self {
        let mut declared = Self::default();
        for name in names {
            if !declared.places.contains_key(name) {
                let name: Arc<str> = name.into();
                declared.all.insert(declared.list.len());
                declared.places.insert(name.clone(), declared.list.len());
                declared.list.push(name);
            }
        }
        declared
    }
}

const BITS: usize = u128::BITS as usize;

/// A set of places in one [`Names`]. Sets of different lists are never compared: an API's own sets
/// stay with it.
#[derive(Clone, Debug, Default)]
pub struct NameSet {
    low: u128,
    /// Places from 128 on; never allocated for an API that declares fewer.
    high: Vec<u128>,
}

impl NameSet {
    /// The set of no names.
    pub const EMPTY: Self = Self { low: 0, high: Vec::new() };

    /// Adds the name at `place`.
    pub fn insert(&mut self, place: usize) {
        let (word, bit) = (place / BITS, 1 << (place % BITS));
        if word == 0 {
            self.low |= bit;
            return;
        }
        if self.high.len() < word {
            self.high.resize(word, 0);
        }
        if let Some(word) = self.high.get_mut(word - 1) {
            *word |= bit;
        }
    }

    /// Whether the name at `place` is in the set.
    pub fn contains(&self, place: usize) -> bool {
        self.word(place / BITS) & (1 << (place % BITS)) != 0
    }

    /// Whether no name is in the set.
    pub fn is_empty(&self) -> bool {
        self.low == 0 && self.high.iter().all(|&word| word == 0)
    }

    /// Whether every name of `other` is in this set.
    pub fn contains_all(&self, other: &Self) -> bool {
        (0..other.words()).all(|word| other.word(word) & !self.word(word) == 0)
    }

    /// The names in both sets.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        self.combine(other, |a, b| a & b)
    }

    /// The names in either set.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        self.combine(other, |a, b| a | b)
    }

    /// The names in this set that are not in `other`.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        self.combine(other, |a, b| a & !b)
    }

    /// The places in the set, ascending.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.words()).flat_map(move |word| {
            let mut bits = self.word(word);
            std::iter::from_fn(move || {
                (bits != 0).then(|| {
                    let bit = bits.trailing_zeros() as usize;
                    bits &= bits - 1;
                    word * BITS + bit
                })
            })
        })
    }

    fn combine(&self, other: &Self, operation: fn(u128, u128) -> u128) -> Self {
        let low = operation(self.low, other.low);
        let high = (1..self.words().max(other.words()))
            .map(|word| operation(self.word(word), other.word(word)))
            .collect();
        Self { low, high }
    }

    fn words(&self) -> usize {
        1 + self.high.len()
    }

    fn word(&self, word: usize) -> u128 {
        match word.checked_sub(1) {
            None => self.low,
            Some(high) => self.high.get(high).copied().unwrap_or(0),
        }
    }
}

impl FromIterator<usize> for NameSet {
    fn from_iter<I: IntoIterator<Item = usize>>(places: I) -> Self {
        let mut set = Self::default();
        for place in places {
            set.insert(place);
        }
        set
    }
}

impl PartialEq for NameSet {
    fn eq(&self, other: &Self) -> bool {
        (0..self.words().max(other.words())).all(|word| self.word(word) == other.word(word))
    }
}

impl Eq for NameSet {}

impl Hash for NameSet {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.iter().for_each(|place| place.hash(state));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn set() -> impl Strategy<Value = BTreeSet<usize>> {
        proptest::collection::btree_set(0_usize..400, 0..40)
    }

    proptest! {
        #[test]
        fn sets_behave_as_sets(a in set(), b in set(), probe in 0_usize..400) {
            let of = |s: &BTreeSet<usize>| s.iter().copied().collect::<NameSet>();
            let (x, y) = (of(&a), of(&b));
            prop_assert_eq!(x.iter().collect::<BTreeSet<_>>(), a.clone());
            prop_assert_eq!(x.and(&y), of(&(&a & &b)));
            prop_assert_eq!(x.or(&y), of(&(&a | &b)));
            prop_assert_eq!(x.without(&y), of(&(&a - &b)));
            prop_assert_eq!(x.contains_all(&y), b.is_subset(&a));
            prop_assert_eq!(x.contains(probe), a.contains(&probe));
            prop_assert_eq!(x.is_empty(), a.is_empty());
            prop_assert_eq!(x == y, a == b);
        }
    }

    #[test]
    fn a_name_declared_twice_keeps_its_first_place() {
        let names: Names = ["a", "b", "a"].into_iter().collect();
        assert_eq!((names.find("a"), names.find("b"), names.find("c")), (Some(0), Some(1), None));
        assert_eq!(names.of(names.all()).map(|name| &**name).collect::<Vec<_>>(), ["a", "b"]);
    }
}
