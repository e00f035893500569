//! Names of decisions, by which records, answers, upstreams and the log speak of the same one.

use std::cell::Cell;
use std::io::Write;

use crate::chance::random;

/// The name of a decision.
#[derive(Clone, Copy, Debug)]
pub struct DecisionId([u8; 16]);

impl DecisionId {
    /// Sixteen hexadecimal digits.
    pub fn as_str(&self) -> &str {
        // Digits are always a text.
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// Gives out names: distinct within a worker, and in all likelihood everywhere.
pub struct DecisionIds(Cell<u64>);

impl DecisionIds {
    /// Begins anywhere.
    pub fn new() -> Self {
        Self(Cell::new(random()))
    }

    /// The next name: the steps of `SplitMix64`, which gives each number once before any comes again.
    pub fn next(&self) -> DecisionId {
        let state = self.0.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.0.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let mut digits = [b'0'; 16];
        // There is room for all digits of a number.
        let _ = write!(&mut digits[..], "{:016x}", mixed ^ (mixed >> 31));
        DecisionId(digits)
    }
}

impl Default for DecisionIds {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_sixteen_digits_and_differ() {
        let ids = DecisionIds::new();
        let names: HashSet<_> = (0..1000).map(|_| ids.next().as_str().to_owned()).collect();
        assert_eq!(names.len(), 1000);
        let is_name =
            |name: &String| name.len() == 16 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        assert!(names.iter().all(is_name), "{names:?}");
    }
}
