//! A suite's cases asked of the decision, and what was seen.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::fmt;

use super::{Case, Coverage, Expect, Expected, Suite};
use crate::config::snapshot::{RemoteKeys, Snapshot};
use crate::gate::{Env, Keys, Outcome, Refusal, Rule, Step, Verdict};
use crate::policy::{Basis, Issuer};
use crate::token::{KeySet, VerifiedCache};

/// A suite, and what was seen of its cases.
#[derive(Clone, Debug)]
pub struct Run<'c> {
    /// The suite.
    pub suite: &'c Suite,
    /// Its cases that were asked, in the order written.
    pub findings: Vec<Finding<'c>>,
}

impl<'c> Run<'c> {
    /// The cases that are decided otherwise than they say.
    pub fn failed(&self) -> impl Iterator<Item = &Finding<'c>> {
        self.findings.iter().filter(|finding| !finding.passed())
    }
}

/// A case, and what was seen.
#[derive(Clone, Debug)]
pub struct Finding<'c> {
    /// The case.
    pub case: &'c Case,
    /// What was seen.
    pub seen: Seen,
}

/// How a request was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Allowed, or refused with a code.
    pub decision: Expect,
    /// The rule that refused it.
    pub rule: Option<Rule>,
    /// What it may use, where it is allowed.
    pub effective_scopes: BTreeSet<String>,
    /// Why, in words.
    pub why: String,
    /// The line of the grant that was used or looked at.
    pub grant: Option<String>,
}

impl Finding<'_> {
    /// Whether it was decided as the case says.
    pub fn passed(&self) -> bool {
        let Expected { decision, effective_scopes } = &self.case.expected;
        *decision == self.seen.decision
            && effective_scopes.as_ref().is_none_or(|scopes| *scopes == self.seen.effective_scopes)
    }

    /// What was expected, in words.
    pub fn expected_words(&self) -> String {
        words(self.case.expected.decision, self.case.expected.effective_scopes.as_ref())
    }

    /// What was seen, in words that can be laid beside those.
    pub fn seen_words(&self) -> String {
        let Seen { decision, rule, effective_scopes, why, grant } = &self.seen;
        let asked = self.case.expected.effective_scopes.is_some() && *decision == Expect::Allow;
        let seen = words(*decision, asked.then_some(effective_scopes));
        let rule = rule.as_ref().map(Rule::to_string);
        let grant = grant.as_ref().map(|line| format!("grant at {line}"));
        let more: Vec<_> = [rule, Some(why.clone()), grant]
            .into_iter()
            .flatten()
            .filter(|it| !it.is_empty())
            .collect();
        format!("{seen} ({})", more.join("; "))
    }
}

fn words(decision: Expect, scopes: Option<&BTreeSet<String>>) -> String {
    match scopes {
        None => decision.to_string(),
        Some(scopes) => {
            let scopes: Vec<_> = scopes.iter().map(String::as_str).collect();
            format!("{decision} with [{}]", scopes.join(", "))
        }
    }
}

/// Asks every case of the suite for which `is_meant`.
pub fn run<'c>(
    suite: &'c Suite,
    snapshot: &Snapshot,
    is_meant: impl Fn(&Case) -> bool,
    coverage: &mut Coverage,
) -> Run<'c> {
    let cache = VerifiedCache::with_capacity(0);
    let asked = suite.cases.iter().filter(|case| is_meant(case)).map(|case| {
        let held = OnceCell::new();
        let env = Env { keys: &NoKeys, cache: &cache, now: case.now };
        let (Step::Done(outcome) | Step::NeedKeys { otherwise: outcome, .. }) =
            case.supposed.ask(snapshot, &env, &held);
        coverage.see(&outcome);
        Finding { case, seen: Seen::of(&outcome, snapshot) }
    });
    Run { suite, findings: asked.collect() }
}

/// Nothing that is supposed is signed.
struct NoKeys;

impl Keys for NoKeys {
    fn find(&self, _: &Issuer, _: &RemoteKeys) -> Option<&KeySet> {
        None
    }
}

impl Seen {
    fn of(outcome: &Outcome<'_>, snapshot: &Snapshot) -> Self {
        let (decision, refusal, permit) = match &outcome.verdict {
            Verdict::Pass(permit) => (Expect::Allow, None, Some(permit)),
            Verdict::Preflight(_) => (Expect::Allow, None, None),
            Verdict::Refuse(refusal) | Verdict::WouldRefuse(_, refusal) => {
                (Expect::Refuse(refusal.code), Some(refusal), None)
            }
        };
        let scopes = outcome.api.zip(permit).into_iter().flat_map(|(served, permit)| {
            served.api.scopes.of(permit.scopes()).map(ToString::to_string)
        });
        let grant = match refusal {
            Some(refusal) => refusal.grant.as_ref(),
            None => permit.and_then(|permit| permit.grant()),
        };
        let only_reported = matches!(outcome.verdict, Verdict::WouldRefuse(..));
        let why = match refusal {
            Some(refusal) if only_reported => format!("only reported; {}", because(refusal)),
            Some(refusal) => because(refusal),
            None => permit.map_or("", |permit| basis(permit.basis())).to_owned(),
        };
        Self {
            decision,
            rule: refusal.and_then(|refusal| Rule::of(refusal.code, outcome.api.is_some())),
            effective_scopes: scopes.collect(),
            why,
            grant: grant.and_then(|grant| snapshot.line_of(grant.origin)),
        }
    }
}

/// Why a request was refused, in words.
fn because(refusal: &Refusal) -> String {
    let mut words = refusal.detail.clone().unwrap_or_else(|| refusal.code.title().to_owned());
    let listed = [("excess", &refusal.excess_scopes), ("missing", &refusal.missing_scopes)];
    for (what, names) in listed.into_iter().filter(|(_, names)| !names.is_empty()) {
        // Writing into a string does not fail.
        let _ = fmt::Write::write_fmt(&mut words, format_args!("; {what} `{}`", names.join(" ")));
    }
    words
}

fn basis(basis: &Basis) -> &'static str {
    match basis {
        Basis::Grant(_) => "by its grant",
        Basis::Open => "the policy asks no grant",
        Basis::Preflight => "a browser's question",
        Basis::Public => "the operation is public",
        Basis::Reported => "only reported",
    }
}
