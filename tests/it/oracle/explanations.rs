//! Explanations in worlds at random: what is shown of a decision is what was decided.

use std::cell::OnceCell;

use grantgate::config::Source;
use grantgate::explain::{Explanation, RuleOutcome, Verdict as Shows, explain};
use grantgate::gate::{Env, Outcome, Rule, Shown, Step, Supposed, Verdict};
use grantgate::policy::{Basis, OverCeiling, UnixTime};
use grantgate::token::VerifiedCache;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

use super::request::{Carrier, Shape};
use super::world::NOW;
use super::{Case, Nothing, Request, cases, cases_in_a_world, config, render};

#[test]
fn what_is_shown_of_a_decision_is_what_was_decided() {
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let worlds = cases().div_ceil(super::REQUESTS_PER_WORLD);
    let mut runner = TestRunner::new_with_rng(config(worlds), rng);
    let held = runner.run(&cases_in_a_world(), |case| {
        case.requests.iter().for_each(|request| explained(&case, request));
        Ok(())
    });
    held.expect("what does not hold panics");
}

fn explained(case: &Case, request: &Request) {
    let shown = match request.carrier {
        Carrier::Header(_) if request.token.shape == Shape::Right => {
            Shown::Claims(request.token.claims.clone())
        }
        Carrier::Nothing => Shown::Nothing,
        _ => return,
    };
    let yaml = render::yaml(&case.world);
    let now = UnixTime::from_seconds(NOW.into());
    let loaded = grantgate::config::load(&[Source::new("world.yaml", &*yaml)], &Nothing, now);
    let snapshot = loaded.unwrap_or_else(|_| panic!("{yaml}")).snapshot;
    let url = format!("https://{}{}", request.host, request.path);
    let Ok(supposed) = Supposed::new(&request.method, &url, shown, &snapshot, None) else { return };
    let cache = VerifiedCache::with_capacity(0);
    let env = Env { keys: &Nothing, cache: &cache, now };
    let held = OnceCell::new();
    let Step::Done(outcome) = supposed.ask(&snapshot, &env, &held) else {
        panic!("all keys are in the configuration");
    };
    let parsed = held.get().map(|parsed| &**parsed);
    let explanation = explain(&snapshot, &supposed, &outcome, parsed, now);
    let wrong = wrong(&explanation, &outcome);
    assert_eq!(wrong, None, "{yaml}\n{request:#?}\n{explanation:#?}");
}

/// What is shown and is not so.
#[expect(clippy::too_many_lines, reason = "a list of checks, each by itself")]
fn wrong(explanation: &Explanation, outcome: &Outcome<'_>) -> Option<&'static str> {
    let (permit, refusal, shows) = match &outcome.verdict {
        Verdict::Pass(permit) => (Some(permit), None, Shows::Allowed),
        Verdict::Refuse(refusal) => (None, Some(refusal), Shows::Refused),
        Verdict::WouldRefuse(_, refusal) => (None, Some(refusal), Shows::WouldRefuse),
        Verdict::Preflight(_) => panic!("no browser asks"),
    };
    let code = refusal.map(|refusal| refusal.code.to_string());
    let refused = explanation.refusal.as_ref();
    let went = |rule: Rule| explanation.rules[usize::from(rule.number()) - 1].outcome;
    let saw = |rule: Rule| explanation.rules[usize::from(rule.number()) - 1].saw.join("\n");
    let passed = |rule: Rule| matches!(went(rule), RuleOutcome::Passed | RuleOutcome::NotNeeded);
    let by =
        refused.and_then(|refused| refused.rule).map(|number| Rule::ALL[usize::from(number) - 1]);

    let is_public = permit.is_some_and(|permit| matches!(permit.basis(), Basis::Public));
    let open = permit.is_some_and(|permit| matches!(permit.basis(), Basis::Open));
    let granted = permit.and_then(|permit| permit.grant());
    let granted = granted.or_else(|| refusal.and_then(|refusal| refusal.grant.as_ref()));
    let shown_grant = explanation.grant.as_ref().map(|grant| grant.id.as_str());
    let rejects = outcome.api.is_some_and(|served| served.api.over_ceiling == OverCeiling::Reject);
    let lies_within = |rule: Rule| saw(rule).contains("lie within");
    let scopes = explanation.scopes.as_ref();
    let details = explanation.authorization_details.as_ref();
    let missing = refused.map(|refused| refused.missing.clone()).unwrap_or_default();
    let held_whole = |name: &String| {
        let lists = scopes.map(|scopes| &scopes.token);
        lists.is_some_and(|lists| {
            let gives = lists.iter().any(|list| list.meaning == "scopes");
            // Where scopes name their API, one that does not is nobody's.
            let is_nobodys = saw(Rule::Need).contains("does not read as this API's");
            gives && !is_nobodys && lists.iter().all(|list| list.scopes.contains(name))
        })
    };
    let weighed = by.is_none_or(|by| by > Rule::Ceiling) && !is_public && scopes.is_some();
    let checks = [
        (explanation.verdict == shows, "the verdict"),
        (refused.map(|it| it.code.clone()) == code, "the code"),
        (
            Rule::ALL
                .iter()
                .all(|&rule| (went(rule) == RuleOutcome::Refused) == (by == Some(rule))),
            "which rule refused",
        ),
        (refusal.is_some() || Rule::ALL.into_iter().all(passed), "all rules let pass"),
        (
            by.is_none_or(|by| {
                let two = [Rule::Operation, Rule::Token];
                let earlier = Rule::ALL.into_iter().filter(|rule| *rule < by);
                let later = Rule::ALL.into_iter().filter(|rule| *rule > by);
                earlier.filter(|rule| !two.contains(rule)).all(passed)
                    && later
                        .filter(|rule| !two.contains(rule))
                        .all(|rule| went(rule) == RuleOutcome::NotReached)
            }),
            "what went before and after",
        ),
        (shown_grant == granted.map(|grant| grant.id.as_str()), "the grant"),
        (
            is_public == (went(Rule::Application) == RuleOutcome::NotNeeded),
            "that nothing but a public operation needs no application",
        ),
        (
            permit.is_none_or(|_| {
                open == (!is_public && went(Rule::Validity) == RuleOutcome::NotNeeded)
            }),
            "that no grant is needed",
        ),
        (
            explanation.grant.is_none() || saw(Rule::Policy).contains(shown_grant.unwrap_or("?")),
            "the grant that the policy's rule names",
        ),
        (
            permit.is_none_or(|permit| {
                let Some(served) = outcome.api else { return true };
                let names: Vec<_> =
                    served.api.scopes.of(permit.scopes()).map(ToString::to_string).collect();
                scopes.map(|scopes| scopes.effective.clone()).unwrap_or_default() == names
            }),
            "the effective scopes",
        ),
        (
            permit.is_none_or(|permit| {
                let Some(served) = outcome.api else { return true };
                let names: Vec<_> =
                    served.api.details.of(permit.details()).map(ToString::to_string).collect();
                details.map(|details| details.effective.clone()).unwrap_or_default() == names
            }),
            "the effective authorization details",
        ),
        (
            code.as_deref() != Some("scope-exceeds-grant")
                || scopes.map(|scopes| &scopes.excess) == refused.map(|refused| &refused.excess),
            "the excess that refuses",
        ),
        (
            code.as_deref() != Some("authorization-details-exceed-grant")
                || details.map(|details| &details.excess) == refused.map(|refused| &refused.excess),
            "the authorization details that refuse",
        ),
        (
            !(weighed && rejects) || scopes.is_some_and(|scopes| scopes.excess.is_empty()),
            "an excess that did not refuse",
        ),
        (
            !(weighed && rejects && by.is_none_or(|by| by > Rule::AuthorizationDetails))
                || details.is_none_or(|details| details.excess.is_empty()),
            "authorization details that did not refuse",
        ),
        (
            !weighed || lies_within(Rule::Ceiling) == scopes.is_some_and(|it| it.excess.is_empty()),
            "whether the scopes lie within the ceiling",
        ),
        (
            code.as_deref() != Some("scope-insufficient")
                || !missing.iter().any(|name| {
                    held_whole(name) && !details.is_some_and(|it| it.token.contains(name))
                }),
            "that a scope is not held",
        ),
        (
            code.as_deref() != Some("scope-insufficient")
                || missing.iter().all(|name| {
                    let lists = scopes.map(|scopes| scopes.token.as_slice()).unwrap_or_default();
                    let is_somewhere = lists.iter().any(|list| list.scopes.contains(name));
                    !is_somewhere || saw(Rule::Need).contains(&format!("`{name}` is in `"))
                }),
            "where a scope is that is not held all the same",
        ),
        (
            code.as_deref() != Some("scope-insufficient")
                || saw(Rule::Need).contains("the ceiling would give it")
                    == missing.iter().all(|name| {
                        let gives = |list: Option<&Vec<String>>| {
                            list.is_some_and(|list| list.contains(name))
                        };
                        gives(scopes.and_then(|it| it.ceiling.as_ref()))
                            || !explanation.operation.as_ref().is_some_and(|operation| {
                                let needs = &operation.needs;
                                needs.scopes.contains(name) || needs.any_scopes.contains(name)
                            })
                    })
                || missing.iter().any(|name| {
                    explanation.operation.as_ref().is_some_and(|operation| {
                        operation.needs.authorization_details.contains(name)
                    })
                }),
            "whether another token would do",
        ),
        (
            explanation.caller.as_ref().and_then(|it| it.client_id.as_deref())
                == outcome.caller.as_ref().and_then(|caller| caller.client),
            "the application",
        ),
        (
            explanation.operation.as_ref().map(|it| it.on.as_str())
                == outcome.operation.map(|operation| &*operation.on),
            "the operation",
        ),
    ];
    checks.into_iter().find(|(holds, _)| !holds).map(|(_, what)| what)
}
