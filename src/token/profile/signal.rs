//! The signals of the subject type: one for each row of a profile's table, and what a token answers.
//!
//! The decision adds them up as they come, without keeping any; who explains a token lists them. There
//! is no second table.

use std::fmt;

use super::custom::Test;
use super::evidence::Evidence;
use crate::policy::SubjectType;

/// A row of a profile's table, and what a token answers to it.
#[derive(Clone, Copy, Debug)]
pub struct Signal<'a> {
    /// The claim that is looked at.
    pub claim: &'a str,
    /// What is looked for in it.
    pub sought: Sought<'a>,
    /// What the token's claim proves.
    pub evidence: Evidence,
}

impl Signal<'static> {
    /// The signal for `subject_type`, where it is `given`.
    pub(super) fn of(
        subject_type: SubjectType,
        claim: &'static str,
        sought: &'static str,
        given: bool,
    ) -> Self {
        Self::read(claim, sought, Evidence::of(subject_type, given))
    }

    /// What was read of a claim.
    pub(super) fn read(claim: &'static str, sought: &'static str, evidence: Evidence) -> Self {
        Self { claim, sought: Sought::Words(sought), evidence }
    }
}

/// What is looked for in a claim, in words.
#[derive(Clone, Copy, Debug)]
pub enum Sought<'a> {
    /// What a rule of the custom profile says.
    Test(&'a Test),
    /// What a known profile says.
    Words(&'static str),
}

impl fmt::Display for Sought<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Test(Test::Contains(part)) => write!(f, "contains `{part}`"),
            Self::Test(Test::Equals(whole)) => write!(f, "equals `{whole}`"),
            Self::Words(words) => f.write_str(words),
        }
    }
}
