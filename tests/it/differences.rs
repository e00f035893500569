//! A difference is empty exactly when the gate decides alike about every request; and each access that it
//! tells of is one that a request gets under one configuration and not under the other.
//!
//! Pairs of configurations that differ in a few edits are made by lot, and so are requests: whole ones, asked
//! of the gate itself with believed claims.

/// What `diff` and `access` print.
mod golden;
mod site;
mod witness;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use grantgate::config::AccessDiff;
use grantgate::config::snapshot::Snapshot;
use grantgate::policy::UnixTime;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

use crate::disk::NOW;
use site::{Asked, Edit, Site, request};

/// So many pairs are made where nobody says how many.
const PAIRS: u32 = 400;
/// Of each pair of configurations, so many requests are asked.
const REQUESTS: usize = 150;

#[test]
fn a_difference_is_empty_exactly_when_every_decision_is_the_same() {
    // The same pairs each time, so that each kind of access is among them; others where more are asked for.
    let config = Config { failure_persistence: None, max_shrink_iters: 100, ..Config::default() };
    let mut runner = match std::env::var_os("PROPTEST_CASES") {
        None => TestRunner::new_with_rng(
            Config { cases: PAIRS, ..config },
            TestRng::deterministic_rng(RngAlgorithm::ChaCha),
        ),
        Some(_) => TestRunner::new(config),
    };
    let (empty, seen) = (Cell::new(0), RefCell::new(BTreeSet::new()));
    let pairs = (any::<Site>(), prop::collection::vec(any::<Edit>(), 0..3));
    let requests = prop::collection::vec(request(), REQUESTS);
    let outcome = runner.run(&(pairs, requests), |((old, edits), requests)| {
        let mut new = old.clone();
        for edit in &edits {
            new.change(edit);
        }
        let (a, b) = (old.load(), new.load());
        let diff = AccessDiff::between(&a, &b, NOW);
        prop_assert!(diff.changed.is_empty(), "{diff:#?}");
        if diff.callers.is_empty() {
            empty.set(empty.get() + 1);
            for asked in &requests {
                prop_assert_eq!(asked.of(&a), asked.of(&b), "{:?}\n{}\n{}", asked, old, new);
            }
        }
        for of in &diff.callers {
            for (list, gains) in [(&of.gained, true), (&of.lost, false)] {
                for what in list.iter() {
                    seen.borrow_mut()
                        .insert(format!("{what:?}").split(['(', ' ']).next().unwrap().to_owned());
                    let (with, without) = if gains { (&b, &a) } else { (&a, &b) };
                    let found = witness::of(&of.caller, what, with, without);
                    prop_assert!(found.is_some(), "{} {what:?}\n{old}\n{new}", of.caller);
                }
            }
        }
        Ok(())
    });
    if let Err(TestError::Fail(reason, _)) = outcome {
        panic!("{reason}");
    }
    assert!(empty.get() > 10, "{} pairs are alike", empty.get());
    let seen = seen.into_inner();
    for kind in [
        "Above",
        "Audience",
        "Beside",
        "DetailsType",
        "Operation",
        "OperationWith",
        "Organization",
        "OrganizationAny",
        "OrganizationNone",
        "Reported",
        "ReportedTokens",
        "Scope",
        "Time",
        "Unlisted",
    ] {
        assert!(seen.contains(kind), "{kind} is never told: {seen:?}");
    }
}

/// When a decision is asked for: then, or after every grant has ended that ends.
fn times() -> [UnixTime; 3] {
    [NOW, UnixTime::from_seconds(1_910_000_000), UnixTime::from_seconds(2_000_000_000)]
}

impl Asked {
    /// What is decided, at each time.
    fn of(&self, snapshot: &Snapshot) -> Vec<String> {
        times().iter().map(|now| self.decide(snapshot, *now)).collect()
    }
}
