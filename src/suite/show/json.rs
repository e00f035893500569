//! For programs: one object, `{summary, cases, coverage}`.
//!
//! `summary` is `{cases, passed, failed}`. A case is `{suite, line, name, request, passed, expected, seen}`,
//! where `expected` is `{decision, effective_scopes}` and `seen` the same with `rule`, `why` and `grant`; a
//! `decision` is `allow` or a code, and what is not said is `null`. `coverage` is `null` unless it is
//! wanted, else `{percent, grants, operations, codes}`, the last three each `{all, touched, untouched}`,
//! where `untouched` lists `{what, line}`. Keys may be added, and never change.

use serde_json::{Map, Value, json};

use super::counts;
use crate::gate::Rule;
use crate::suite::{Covered, Expect, Finding, Run};

/// The runs as JSON, and the coverage where it is wanted.
pub fn json(runs: &[Run<'_>], covered: Option<&Covered>) -> Value {
    let (all, failed) = counts(runs);
    let cases = runs.iter().flat_map(|run| run.findings.iter().map(|finding| case(run, finding)));
    json!({
        "summary": {"cases": all, "passed": all - failed, "failed": failed},
        "cases": cases.collect::<Vec<_>>(),
        "coverage": covered.map(coverage),
    })
}

fn case(run: &Run<'_>, finding: &Finding<'_>) -> Value {
    let (case, seen) = (finding.case, &finding.seen);
    let scopes = (seen.decision == Expect::Allow).then_some(&seen.effective_scopes);
    json!({
        "suite": run.suite.name,
        "line": case.line,
        "name": case.name,
        "request": case.request,
        "passed": finding.passed(),
        "expected": {
            "decision": case.expected.decision.as_str(),
            "effective_scopes": case.expected.effective_scopes,
        },
        "seen": {
            "decision": seen.decision.as_str(),
            "rule": seen.rule.map(Rule::number),
            "effective_scopes": scopes,
            "why": seen.why,
            "grant": seen.grant,
        },
    })
}

fn coverage(covered: &Covered) -> Value {
    let mut object = Map::new();
    object.insert("percent".to_owned(), json!(covered.percent()));
    for (name, tally) in covered.tallies() {
        let untouched = tally.untouched.iter();
        let untouched = untouched.map(|one| json!({"what": one.what, "line": one.line}));
        let (all, touched) = (tally.all, tally.touched());
        let value = json!({
            "all": all, "touched": touched, "untouched": untouched.collect::<Vec<_>>(),
        });
        object.insert(name.to_owned(), value);
    }
    Value::Object(object)
}
