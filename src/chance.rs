//! Numbers drawn by lot, for names that must differ.
//!
//! They come from what hash maps are seeded with. They are no secrets, and make none.

use std::hash::{BuildHasher, RandomState};

/// A number that nobody can foresee, for names that must differ; never for secrets.
pub fn random() -> u64 {
    RandomState::new().hash_one(0)
}
