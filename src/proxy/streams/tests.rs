//! The registry without sockets: time is paused, and moved.

use http::Method;
use serde_json::json;
use tokio::task::LocalSet;
use tokio::time::advance;

use super::*;
use crate::account::DecisionIds;
use crate::config::{Outside, Source, load};
use crate::gate::Listener;
use crate::keyring::KeyRing;
use crate::live::Live;
use crate::net::fetch::Fetcher;
use crate::route::CanonPath;
use crate::telemetry::Sink;
use crate::token::{Algorithm, credential, mint};

const API: &str = r#"
issuers: [{issuer: "https://issuer.example/", profile: auth0, ISSUER}]
resource_servers:
  - identifier: https://orders.example.com
    scopes: [{value: "read:orders"}]
    subject_type_authorization: {user: {policy: deny_all}, client: {policy: require_client_grant}}
    gate:
      upstream: http://127.0.0.1:9
      hs_secret: "${env:SECRET}"
      operations:
        - {on: "GET /orders", scopes: ["read:orders"]}
        - {on: "GET /open", public: true}
client_grants:
  - {client_id: app, scope: ["read:orders"]}
"#;

struct Secrets;

impl Outside for Secrets {
    fn env(&self, _: &str) -> Option<String> {
        Some(String::from_utf8(mint::SECRET.to_vec()).unwrap())
    }

    fn file(&self, _: &str, _: &str) -> Result<String, String> {
        Err("no such file".to_owned())
    }
}

struct World {
    snapshot: Live<snapshot::Snapshot>,
    streams: Rc<Streams>,
    keyring: KeyRing,
}

impl World {
    fn new(text: &str) -> Self {
        let snapshot = Live::new(configuration(text, 1));
        let keyring = KeyRing::start(&snapshot.load().issuers, Fetcher::new(), |_, _| {});
        let (keys, requests, metrics) = (keyring.keys(), keyring.requests(), Arc::default());
        let guard = Guard::new(&snapshot, &keys, requests, Arc::clone(&metrics));
        let sink = Sink::start(std::io::sink(), Arc::clone(&metrics)).unwrap();
        let streams = Streams::new(Rc::new(guard), metrics, Recorder::new(sink.inlet()));
        Self { snapshot, streams, keyring }
    }

    fn reload(&self, text: &str) {
        let generation = self.snapshot.load().generation + 1;
        self.snapshot.replace(configuration(text, generation));
    }

    /// Lets a request in.
    async fn enter(&self, path: &str, token: Option<&str>, cord: &Cord) -> Rc<Exchange> {
        let header = token.map(|token| format!("Bearer {token}"));
        let call = Call {
            listener: Listener::Traffic,
            method: &Method::GET,
            host: "orders.example.com".into(),
            path: CanonPath::parse(path).unwrap(),
            preflight: None,
            credential: credential(header.iter().map(String::as_bytes), None),
        };
        let held = self.streams.guard.open();
        let outcome = self.streams.guard.admit(&held, &call).await;
        let Verdict::Pass(permit) = &outcome.verdict else { panic!("{:?}", outcome.verdict) };
        self.streams.enter(&Entry {
            cord,
            call: &call,
            held: &held,
            served: outcome.api,
            caller: outcome.caller.as_ref(),
            permit,
            peer: None,
            upgrades: false,
            decision_id: DecisionIds::new().next(),
        })
    }

    fn len(&self) -> usize {
        self.streams.exchanges.borrow().len()
    }
}

fn configuration(text: &str, generation: u64) -> Arc<snapshot::Snapshot> {
    let text = text.replace("ISSUER", "jwks: {keys: []}");
    let loaded = load(&[Source::new("gateway.yaml", text)], &Secrets, now());
    let mut snapshot = loaded.unwrap_or_else(|report| panic!("{report}")).snapshot;
    snapshot.generation = generation;
    Arc::new(snapshot)
}

fn token(algorithm: Algorithm) -> String {
    let claims = json!({
        "iss": "https://issuer.example/", "aud": "https://orders.example.com", "azp": "app",
        "sub": "app@clients", "gty": "client-credentials", "scope": "read:orders",
        "iat": 1_700_000_000, "exp": 4_000_000_000_u64,
    });
    mint::token(algorithm, &claims)
}

fn hs_token() -> String {
    token(Algorithm::Hs256)
}

fn streaming() -> Cord {
    let cord = Cord::default();
    cord.answered();
    cord
}

fn code(cord: &Cord) -> Option<&'static str> {
    cord.parting().map(|parting| parting.code)
}

/// Lets whoever looks around have a look.
async fn look() {
    let turns = async || {
        for _ in 0..100 {
            yield_now().await;
        }
    };
    turns().await;
    advance(TICK).await;
    turns().await;
}

#[tokio::test(start_paused = true)]
async fn those_that_are_over_are_forgotten_and_nobody_looks_around_for_nothing() {
    let work = async {
        let world = World::new(API);
        for _ in 0..10_000 {
            world.enter("/open", None, &Cord::default()).await;
            assert!(world.len() <= FEW);
        }
        let stays = streaming();
        world.enter("/open", None, &stays).await;
        look().await;
        assert_eq!((world.len(), world.streams.awake.get()), (1, true));
        drop(stays);
        look().await;
        assert_eq!((world.len(), world.streams.awake.get()), (0, false));
        world.enter("/open", None, &streaming()).await;
        assert!(world.streams.awake.get());
    };
    LocalSet::new().run_until(work).await;
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_would_not_be_let_in_any_more_is_cut_and_one_that_waits_is_not() {
    let work = async {
        let (world, token) = (World::new(API), hs_token());
        let (stream, sending, waiting) = (streaming(), Cord::default(), Cord::default());
        sending.receiving(true);
        for cord in [&stream, &sending, &waiting] {
            world.enter("/orders", Some(&token), cord).await;
        }
        let public = streaming();
        world.enter("/open", None, &public).await;
        look().await;
        assert_eq!([&stream, &sending, &waiting, &public].map(code), [None; 4]);

        world.reload(&API.replace("client_id: app", "client_id: other"));
        look().await;
        assert_eq!(
            [&stream, &sending, &waiting, &public].map(code),
            [Some("grant-missing"), Some("grant-missing"), None, None]
        );
        assert_eq!(stream.parting().map(|parting| (parting.grpc, parting.close)), Some((7, 1008)));
        waiting.answered();
        look().await;
        assert_eq!(code(&waiting), Some("grant-missing"), "it goes on, and is asked about");
    };
    LocalSet::new().run_until(work).await;
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_asked_about_when_its_token_or_its_grant_ends() {
    let work = async {
        let token = hs_token();
        for (grant, end) in
            [("", 4_000_000_030), (", expires_at: \"2090-01-01T00:00:00Z\"", 3_786_912_000)]
        {
            let world =
                World::new(&API.replace("client_id: app", &format!("client_id: app{grant}")));
            let stream = streaming();
            let exchange = world.enter("/orders", Some(&token), &stream).await;
            let (standing, end) = (exchange.standing.get(), UnixTime::from_seconds(end));
            assert!(!exchange.is_due(standing, end.plus_seconds(-1)));
            assert!(exchange.is_due(standing, end));
            stream.cut(DRAINING);
            assert!(!exchange.is_due(standing, end), "it is cut already");
        }
    };
    LocalSet::new().run_until(work).await;
}

#[tokio::test(start_paused = true)]
async fn that_keys_are_missing_is_no_answer() {
    let work = async {
        let world = World::new(API);
        let (stream, other) = (streaming(), streaming());
        let token = token(Algorithm::Rs256);
        let exchange = world.enter("/open", Some(&token), &stream).await;
        world.enter("/open", None, &other).await;
        let closed = API.replace("\"GET /open\", public: true", "\"GET /open\", any_token: true");
        world.reload(&closed.replace("ISSUER", "jwks_uri: \"http://127.0.0.1:9/\""));
        look().await;
        assert_eq!([&stream, &other].map(code), [None, Some("token-missing")]);
        assert!(exchange.again.get().is_some_and(|again| again > now()), "it is asked again");

        let before = exchange.standing.get();
        world.keyring.reconcile(&[]);
        look().await;
        assert_ne!(exchange.standing.get(), before, "it is asked again when keys are others");
    };
    LocalSet::new().run_until(work).await;
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_leaves_cuts_what_is_answered_and_says_why() {
    let work = async {
        let world = World::new(API);
        let (stream, waiting) = (streaming(), Cord::default());
        world.enter("/open", None, &waiting).await;
        assert!(!world.streams.leave(), "it waits for its answer");
        world.enter("/open", None, &stream).await;
        assert!(world.streams.leave());
        assert_eq!([&stream, &waiting].map(Cord::parting), [Some(DRAINING), None]);
    };
    LocalSet::new().run_until(work).await;
}

#[tokio::test(start_paused = true)]
async fn taking_an_exchange_allocates_for_it_and_what_its_call_says_alone() {
    let work = async {
        let (world, cord) = (World::new(API), Cord::default());
        let call = Call {
            listener: Listener::Traffic,
            method: &Method::GET,
            host: "orders.example.com".into(),
            path: CanonPath::parse("/open").unwrap(),
            preflight: None,
            credential: Ok(None),
        };
        let held = world.streams.guard.open();
        let outcome = world.streams.guard.admit(&held, &call).await;
        let Verdict::Pass(permit) = &outcome.verdict else { panic!("{:?}", outcome.verdict) };
        let entry = Entry {
            cord: &cord,
            call: &call,
            held: &held,
            served: outcome.api,
            caller: None,
            permit,
            peer: None,
            upgrades: false,
            decision_id: DecisionIds::new().next(),
        };
        drop(world.streams.enter(&entry));
        let allocations = allocation_counter::measure(|| drop(world.streams.enter(&entry)));
        assert_eq!(allocations.count_total, 3, "itself, its host and its path");
    };
    LocalSet::new().run_until(work).await;
}
