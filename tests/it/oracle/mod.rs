//! A second opinion: the decision, compared with a slow and obvious transcription of its rules.
//!
//! | file | |
//! |---|---|
//! | `world`, `generate` | what a configuration says, and one at random |
//! | `request`, `dialect`, `mutate`, `browsers` | requests that are right, then bent in up to two places |
//! | `rules` | the oracle |
//! | `render`, `sign` | the world as YAML, tokens signed with real keys |
//! | `simplify` | from a world in which the two differ to a small one |
//! | `draw` | choices from numbers, so that proptest can shrink a world |
//!
//! A case is one request. Each world is loaded once, by the way of every configuration file, and
//! answers ten of them. `GRANTGATE_ORACLE_CASES` says how many; otherwise 20,000 where `CI` is
//! `true`, and 2,000 elsewhere.

mod browsers;
mod dialect;
mod draw;
mod explanations;
mod generate;
mod mutate;
mod remedies;
mod render;
mod request;
mod rules;
mod sign;
mod simplify;
mod world;

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use grantgate::config::{
    self, Outside, Report, Source, Style, snapshot::RemoteKeys, snapshot::Snapshot,
};
use grantgate::gate::{self, Call, Code, Env, Keys, Listener, Preflight, Step, Verdict};
use grantgate::policy::{Basis, Issuer, UnixTime};
use grantgate::route::{CanonPath, normal_host};
use grantgate::token::{KeySet, VerifiedCache};
use http::Method;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use draw::Draw;
use request::{Carrier, Request};
use rules::Answer;
use world::{NOW, PROFILES, World};

const REQUESTS_PER_WORLD: usize = 10;
/// Ways to pass, and ways of browsers, that a world must show.
const PASSED: [&str; 14] = [
    "grant-missing, offered",
    "passed: allow-all",
    "passed: grant",
    "passed: grant, offered",
    "passed: grant-expired, reported",
    "passed: grant-missing, reported",
    "passed: operation-unlisted, reported",
    "passed: preflight",
    "passed: public",
    "passed: scope-exceeds-grant, reported",
    "passed: token-missing, reported",
    "preflight: allowed",
    "preflight: not allowed",
    "token-missing, offered",
];
/// Codes that no rule answers with: what HTTP, the issuers' keys and the upstream bring about. Every
/// other code must be reached.
const ELSEWHERE: [Code; 12] = [
    Code::RequestMalformed,
    Code::RequestTimeout,
    Code::BodyTooLarge,
    Code::UriTooLong,
    Code::KeysUnavailable,
    Code::HostMisdirected,
    Code::Overloaded,
    Code::UpstreamUnreachable,
    Code::UpstreamResponseInvalid,
    Code::UpstreamTimeout,
    Code::Internal,
    Code::LoopDetected,
];

#[test]
fn the_gate_decides_as_the_rules_say() {
    let worlds = cases().div_ceil(REQUESTS_PER_WORLD);
    let mut runner = TestRunner::new(config(worlds));
    let agreed =
        runner.run(&cases_in_a_world(), |case| case.compare().map_err(TestCaseError::fail));
    if let Err(failure) = agreed {
        panic!("{failure}");
    }
}

#[test]
fn every_code_is_reached() {
    let worlds = 6_000 / REQUESTS_PER_WORLD;
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config(worlds), rng);
    let tally = std::cell::RefCell::new(BTreeMap::<String, u32>::new());
    let counted = runner.run(&cases_in_a_world(), |case| {
        for request in &case.requests {
            let answer = rules::decide(&case.world, request);
            let mut tally = tally.borrow_mut();
            *tally.entry(kind(&answer)).or_default() += 1;
            if matches!(request.carrier, Carrier::Subprotocol(_)) {
                *tally.entry(format!("{}, offered", kind(&answer))).or_default() += 1;
            }
        }
        Ok(())
    });
    counted.expect("counting does not fail");
    let tally = tally.into_inner();
    let codes = Code::ALL.iter().filter(|code| !ELSEWHERE.contains(code)).map(|code| code.as_str());
    let missing: Vec<_> = codes.chain(PASSED).filter(|kind| !tally.contains_key(*kind)).collect();
    assert!(missing.is_empty(), "not reached: {missing:?} among {tally:#?}");
}

#[test]
fn every_profile_lets_pass_and_refuses() {
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config(12_000 / REQUESTS_PER_WORLD), rng);
    let seen = std::cell::RefCell::new(BTreeSet::<String>::new());
    let counted = runner.run(&cases_in_a_world(), |case| {
        for request in &case.requests {
            let name = request.token.claims.get("iss").and_then(|name| name.as_str());
            let issuer = case.world.issuers.iter().find(|issuer| name == Some(&issuer.name));
            if let Some(issuer) = issuer {
                let kind = kind(&rules::decide(&case.world, request));
                seen.borrow_mut().insert(format!("{}, {kind}", issuer.profile.name()));
            }
        }
        Ok(())
    });
    counted.expect("counting does not fail");
    let seen = seen.into_inner();
    let kinds = [
        "passed: allow-all",
        "passed: grant",
        "client-unidentified",
        "grant-missing",
        "scope-exceeds-grant",
        "scope-insufficient",
        "token-type-refused",
    ];
    let wanted = PROFILES.iter().flat_map(|name| kinds.map(|kind| format!("{name}, {kind}")));
    let missing: Vec<_> = wanted.filter(|kind| !seen.contains(kind)).collect();
    assert!(missing.is_empty(), "not reached: {missing:?} among {seen:#?}");
}

/// How many requests are decided.
fn cases() -> usize {
    match std::env::var("GRANTGATE_ORACLE_CASES") {
        Ok(number) => number.parse().expect("GRANTGATE_ORACLE_CASES is a number"),
        Err(_) if std::env::var("CI").is_ok_and(|ci| ci == "true") => 20_000,
        Err(_) => 2_000,
    }
}

fn config(worlds: usize) -> Config {
    Config {
        cases: u32::try_from(worlds).expect("few worlds"),
        // What fails is made small in its own way, and printed whole: a world, and a request.
        failure_persistence: None,
        max_shrink_iters: 0,
        ..Config::default()
    }
}

fn kind(answer: &Answer) -> String {
    if let Some(allowed) = answer.preflight {
        return format!("preflight: {}", if allowed { "allowed" } else { "not allowed" });
    }
    match (answer.basis, answer.code) {
        (None, code) => code.expect("a refusal has a code").to_owned(),
        (Some(basis), None) => format!("passed: {basis}"),
        (Some(basis), Some(code)) => format!("passed: {code}, {basis}"),
    }
}

/// A world, and requests to it.
struct Case {
    world: World,
    requests: Vec<Request>,
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a world and {} requests", self.requests.len())
    }
}

fn cases_in_a_world() -> impl Strategy<Value = Case> {
    let requests = vec(vec(any::<u16>(), 96), REQUESTS_PER_WORLD);
    (vec(any::<u16>(), 768), requests).prop_map(|(world, requests)| {
        let world = World::draw(&mut Draw::new(&world));
        let draw = |numbers: &Vec<u16>| Request::draw(&mut Draw::new(numbers), &world);
        let requests = requests.iter().map(draw).collect();
        Case { world, requests }
    })
}

impl Case {
    /// Asks both, and tells where they differ.
    fn compare(&self) -> Result<(), String> {
        let snapshot = load(&self.world)?;
        let cache = VerifiedCache::with_capacity(1 << 20);
        for request in &self.requests {
            let expected = rules::decide(&self.world, request);
            // The second time the token may come from the cache.
            for _ in 0..2 {
                let engine = ask(&snapshot, &cache, request);
                if engine != expected {
                    return Err(difference(&self.world, request, &engine, &expected));
                }
            }
        }
        Ok(())
    }
}

fn load(world: &World) -> Result<Snapshot, String> {
    let yaml = render::yaml(world);
    let source = Source::new("world.yaml", yaml.clone());
    let loaded = config::load(&[source], &Nothing, UnixTime::from_seconds(NOW.into()));
    let refused = |report: Report| format!("{}\n{yaml}", report.render(Style::Plain));
    loaded.map(|loaded| loaded.snapshot).map_err(refused)
}

/// A small world with the same difference, in full.
fn difference(world: &World, request: &Request, engine: &Answer, oracle: &Answer) -> String {
    let still = |world: &World, request: &Request| {
        let Ok(snapshot) = load(world) else { return false };
        let engine_now = ask(&snapshot, &VerifiedCache::with_capacity(0), request);
        engine_now == *engine && rules::decide(world, request) == *oracle
    };
    let (world, request) = simplify::simplify(world.clone(), request.clone(), still);
    format!("{}\n{request:#?}\nengine: {engine:#?}\noracle: {oracle:#?}", render::yaml(&world))
}

/// The engine's answer.
fn ask(snapshot: &Snapshot, cache: &VerifiedCache, request: &Request) -> Answer {
    let (authorization, query) = render::credential(request);
    let (offered, fields) = (browsers::offered(request), browsers::fields(request));
    let has_body = request.asked.as_ref().is_some_and(|asked| asked.body);
    let method = Method::from_bytes(request.method.as_bytes()).expect("a method");
    let call = Call {
        listener: Listener::Traffic,
        method: &method,
        host: normal_host(&request.host).expect("a host"),
        path: CanonPath::parse(&request.path).expect("a canonical path"),
        preflight: Preflight::read(&method, &fields, query.as_deref(), has_body),
        credential: browsers::credential(request, &offered, &authorization, query.as_deref()),
    };
    let env = Env { keys: &Nothing, cache, now: UnixTime::from_seconds(NOW.into()) };
    let held = OnceCell::new();
    let Step::Done(outcome) = gate::check(snapshot, &env, &call, &held) else {
        panic!("all keys are in the configuration");
    };
    let mut answer = Answer::default();
    let (permit, refusal) = match outcome.verdict {
        Verdict::Pass(permit) => (Some(permit), None),
        Verdict::Refuse(refusal) => (None, Some(refusal)),
        Verdict::WouldRefuse(permit, refusal) => (Some(permit), Some(refusal)),
        Verdict::Preflight(allowed) => {
            answer.preflight = Some(allowed);
            (None, None)
        }
    };
    if let Some(permit) = permit {
        let api = &outcome.api.expect("who may pass calls an API").api;
        let (scopes, details) = (api.scopes.of(permit.scopes()), api.details.of(permit.details()));
        answer.basis = Some(match permit.basis() {
            Basis::Grant(_) => "grant",
            Basis::Open => "allow-all",
            Basis::Preflight => "preflight",
            Basis::Public => "public",
            Basis::Reported => "reported",
        });
        answer.grant = permit.grant().map(|grant| grant.id.as_str().to_owned());
        answer.effective_scopes = scopes.map(ToString::to_string).collect();
        answer.effective_details = details.map(ToString::to_string).collect();
    }
    if let Some(refusal) = refusal {
        let set = |scopes: Vec<String>| scopes.into_iter().collect::<BTreeSet<_>>();
        answer.code = Some(refusal.code.as_str());
        answer.contact = refusal.contact().map(str::to_owned);
        answer.excess = set(refusal.excess_scopes);
        answer.challenge = set(refusal.challenge_scopes);
    }
    answer
}

/// No fetched keys, no environment and no files: a world stands for itself.
struct Nothing;

impl Keys for Nothing {
    fn find(&self, _: &Issuer, _: &RemoteKeys) -> Option<&KeySet> {
        None
    }
}

impl Outside for Nothing {
    fn env(&self, _: &str) -> Option<String> {
        None
    }

    fn file(&self, _: &str, path: &str) -> Result<String, String> {
        Err(format!("`{path}` is not there"))
    }
}
