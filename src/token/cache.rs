//! Tokens that were verified before, with the key that did it, so that the next request with the same
//! token is spared the parsing and the signature.
//!
//! Found by a seeded hash of the token's last bytes, which lie in its signature, and by comparing the
//! whole token: a payload under a borrowed signature is another token. A hit proves no more than who
//! signed: [`verify`](super::verify()) still compares that key with the one it would choose now, and
//! runs every other check. One cache belongs to one worker and is bounded in bytes.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use foldhash::quality::RandomState;
use quick_cache::unsync::{Cache, DefaultLifecycle};
use quick_cache::{Equivalent, Weighter};

use super::{KeyId, Parsed, Verified};

/// Verified tokens, the oldest unused ones making room for new ones.
pub struct VerifiedCache {
    tokens: RefCell<Cache<Entry, Stored, ByBytes, RandomState>>,
    hits: Cell<u64>,
    misses: Cell<u64>,
}

impl VerifiedCache {
    /// A cache that holds at most `bytes`, about.
    pub fn with_capacity(bytes: u64) -> Self {
        const TYPICAL_ENTRY: u64 = 4096;
        let entries = usize::try_from(bytes / TYPICAL_ENTRY).unwrap_or(usize::MAX);
        let (hash, lifecycle) = (RandomState::default(), DefaultLifecycle::default());
        let tokens = RefCell::new(Cache::with(entries, bytes, ByBytes, hash, lifecycle));
        Self { tokens, hits: Cell::new(0), misses: Cell::new(0) }
    }

    /// The token of this text, and the key that verified it.
    pub fn find(&self, token: &str) -> Option<(Arc<Parsed>, KeyId)> {
        let tokens = self.tokens.borrow();
        let stored = tokens.get(&Text(token));
        let count = if stored.is_some() { &self.hits } else { &self.misses };
        count.set(count.get() + 1);
        stored.map(|stored| (stored.parsed.clone(), stored.key))
    }

    /// How many tokens were found and not found since this was asked last.
    pub fn counts(&self) -> (u64, u64) {
        (self.hits.take(), self.misses.take())
    }

    /// Remembers a token that was verified, by a key.
    pub fn insert(&self, verified: &Verified<'_>) {
        let (parsed, Some(key)) = (verified.parsed, verified.key()) else { return };
        let weight = parsed.text().len() + parsed.claims().weight() + ENTRY_OVERHEAD;
        let stored = Stored { parsed: parsed.clone(), key, weight: weight as u64 };
        self.tokens.borrow_mut().insert(Entry(parsed.clone()), stored);
    }

    /// How many tokens it holds.
    pub fn len(&self) -> usize {
        self.tokens.borrow().len()
    }

    /// How many bytes they take, about.
    pub fn weight(&self) -> u64 {
        self.tokens.borrow().weight()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl fmt::Debug for VerifiedCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedCache").field("len", &self.len()).finish_non_exhaustive()
    }
}

/// A cached token as the cache's key.
struct Entry(Arc<Parsed>);

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.0.text() == other.0.text()
    }
}

impl Eq for Entry {}

impl Hash for Entry {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Text(self.0.text()).hash(state);
    }
}

/// A token that is looked for.
struct Text<'a>(&'a str);

impl Hash for Text<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        const TAIL: usize = 64;
        let bytes = self.0.as_bytes();
        state.write(bytes.last_chunk::<TAIL>().map_or(bytes, |tail| tail));
    }
}

impl Equivalent<Entry> for Text<'_> {
    fn equivalent(&self, entry: &Entry) -> bool {
        self.0 == entry.0.text()
    }
}

struct Stored {
    parsed: Arc<Parsed>,
    key: KeyId,
    weight: u64,
}

/// What an entry takes besides the token's text and claims: the structures around them.
const ENTRY_OVERHEAD: usize =
    size_of::<Parsed>() + 2 * (size_of::<Entry>() + size_of::<Stored>()) + 128;

#[derive(Clone)]
struct ByBytes;

impl Weighter<Entry, Stored> for ByBytes {
    fn weight(&self, _: &Entry, stored: &Stored) -> u64 {
        stored.weight
    }
}
