//! Advice against refusals, in worlds at random: what is proposed is proven, gives nobody else anything unless
//! it says so, and is found wherever a grant is all that lacks.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;

use grantgate::config::{AccessDiff, Caller, Loaded, Source, Style, Which, load_with_inventory};
use grantgate::explain::remedy::{Advice, Change, Files, advise};
use grantgate::gate::{Env, Outcome, Shown, Step, Supposed, Verdict};
use grantgate::policy::UnixTime;
use grantgate::token::VerifiedCache;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

use super::request::{Carrier, Shape};
use super::world::NOW;
use super::{Case, Nothing, Request, cases, cases_in_a_world, config, render};

/// Advice takes as long as many decisions do.
const CASES_PER_ADVICE: usize = 10;
/// So many worlds show each of the codes.
const FEWEST: usize = 60;

/// Against these a change is found in some worlds.
const CHANGED: [&str; 14] = [
    "authorization-details-exceed-grant",
    "grant-expired",
    "grant-missing",
    "method-refused",
    "operation-unlisted",
    "organization-denied",
    "organization-not-associated",
    "organization-required",
    "policy-denies-all",
    "scope-exceeds-grant",
    "scope-insufficient",
    "scope-not-granted",
    "subject-type-ambiguous",
    "token-audience-mismatch",
];

/// Against these no change is ever proposed.
const NEVER: [&str; 8] = [
    "client-unidentified",
    "sender-constraint-missing",
    "token-claim-missing",
    "token-expired",
    "token-malformed",
    "token-missing",
    "token-not-yet-valid",
    "token-type-refused",
];

#[test]
fn what_is_advised_is_proven_and_gives_nobody_else_anything() {
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let worlds = cases() / CASES_PER_ADVICE / super::REQUESTS_PER_WORLD;
    let mut runner = TestRunner::new_with_rng(config(worlds.max(FEWEST)), rng);
    let tally = RefCell::new(BTreeMap::<(String, &str), u32>::new());
    let held = runner.run(&cases_in_a_world(), |case| {
        for request in &case.requests {
            if let Some((code, what)) = advised(&case, request) {
                *tally.borrow_mut().entry((code, what)).or_default() += 1;
            }
        }
        Ok(())
    });
    held.expect("what does not hold panics");
    let tally = tally.into_inner();
    let has = |code: &str, what| tally.contains_key(&(code.to_owned(), what));
    for code in CHANGED {
        assert!(has(code, "change"), "no change against {code} among {tally:#?}");
    }
    for code in NEVER {
        assert!(!has(code, "change"), "a change against {code} among {tally:#?}");
    }
}

/// What became of a refused request; nothing of one that nobody could ask about by its claims.
fn advised(case: &Case, request: &Request) -> Option<(String, &'static str)> {
    if request.token.shape != Shape::Right || request.asked.is_some() {
        return None;
    }
    let shown = match request.carrier {
        Carrier::Header(_) => Shown::Claims(request.token.claims.clone()),
        Carrier::Nothing => Shown::Nothing,
        _ => return None,
    };
    let sources = [Source::new("world.yaml", render::yaml(&case.world))];
    let loaded = load(&sources);
    let url = format!("https://{}{}", request.host, request.path);
    let supposed = Supposed::new(&request.method, &url, shown, &loaded.snapshot, None).ok()?;
    let files = Files {
        sources: &sources,
        snapshot: &loaded.snapshot,
        inventory: loaded.inventory.as_deref().expect("it was asked for"),
        outside: &Nothing,
    };
    let advice = advise(&files, &supposed, &Nothing, now());
    let code = asked(&loaded, &supposed, code);
    match (code, advice) {
        (None, Advice::Nothing) => None,
        (Some(code), Advice::Request(words)) => {
            assert!(!words.is_empty());
            Some((code, "request"))
        }
        (Some(code), Advice::Change(change)) => {
            holds(&sources, &loaded, &supposed, &change);
            Some((code, "change"))
        }
        (code, Advice::Nothing) => panic!("nothing is advised against {code:?}"),
        (None, Advice::Change(_) | Advice::Request(_)) => panic!("what is allowed is advised upon"),
    }
}

/// The change is one, allows the request, and says when others gain by it.
fn holds(sources: &[Source], old: &Loaded, supposed: &Supposed, change: &Change) {
    let [file] = change.files.as_slice() else { panic!("one file changes: {:#?}", change.steps) };
    assert_eq!(file.before, *sources[0].text);
    assert_ne!(file.before, file.after);
    assert!(file.diff.contains("\n@@ "), "{}", file.diff);
    assert!(change.steps.iter().all(|step| step.at.starts_with("world.yaml:")));
    let new = load(&[Source::new("world.yaml", &*file.after)]);
    let (refused, client) = asked(&new, supposed, |outcome| {
        let client = outcome.caller.as_ref().and_then(|caller| caller.client);
        (code(outcome), client.map(str::to_owned))
    });
    assert_eq!(refused, None, "{}", file.diff);
    let diff = AccessDiff::between(&old.snapshot, &new.snapshot, now());
    if change.caution.is_none() {
        let is_his = |caller: &Caller| match caller {
            Caller::Application { which: Which::Client(id), .. } => {
                Some(id.as_str()) == client.as_deref()
            }
            _ => false,
        };
        let others = diff.gained().find(|it| !is_his(&it.caller));
        assert_eq!(others, None, "{:#?}\n{}", change.steps, file.diff);
    }
}

fn code(outcome: &Outcome<'_>) -> Option<String> {
    match &outcome.verdict {
        Verdict::Pass(_) => None,
        Verdict::Refuse(refusal) | Verdict::WouldRefuse(_, refusal) => {
            Some(refusal.code.to_string())
        }
        Verdict::Preflight(_) => panic!("no browser asks"),
    }
}

fn asked<T>(loaded: &Loaded, supposed: &Supposed, see: impl FnOnce(&Outcome<'_>) -> T) -> T {
    let cache = VerifiedCache::with_capacity(0);
    let env = Env { keys: &Nothing, cache: &cache, now: now() };
    let held = OnceCell::new();
    match supposed.ask(&loaded.snapshot, &env, &held) {
        Step::Done(outcome) | Step::NeedKeys { otherwise: outcome, .. } => see(&outcome),
    }
}

fn load(sources: &[Source]) -> Loaded {
    let loaded = load_with_inventory(sources, &Nothing, now());
    loaded.unwrap_or_else(|report| panic!("{}", report.render(Style::Plain)))
}

fn now() -> UnixTime {
    UnixTime::from_seconds(NOW.into())
}
