//! The keyring against an issuer on loopback. The clock is tokio's and stands still while anything
//! is under way: times are those that the keyring chose, not those that this machine took.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use http::header::LOCATION;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::{Instant, advance};

use super::*;
use crate::config::tls::ClientTls;
use crate::token::{Algorithms, Profile, Trust, Unproven};

const OPENID: &str = "/.well-known/openid-configuration";
const OAUTH: &str = "/.well-known/oauth-authorization-server";
const JWKS: &str = "/jwks";
const KEYS: &str = r#"{"keys": [
    {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "one",
     "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
    {"kty": "oct", "kid": "two", "k": "AAAA"}
]}"#;

/// An issuer on loopback that answers each path as it was last told to, and counts who asks.
#[derive(Clone)]
struct Idp {
    address: SocketAddr,
    paths: Arc<Mutex<BTreeMap<&'static str, Path>>>,
}

#[derive(Default)]
struct Path {
    answer: Answer,
    hits: usize,
}

#[derive(Clone, Default)]
enum Answer {
    Hang,
    Redirect(String),
    #[default]
    Status404,
    Text(String),
}

impl Idp {
    /// An issuer with discovery and keys.
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let idp = Self { address: listener.local_addr().unwrap(), paths: Arc::default() };
        tokio::spawn(idp.clone().serve(listener));
        idp.answer(OPENID, idp.document(&idp.issuer()));
        idp.answer(JWKS, Answer::Text(KEYS.to_owned()));
        idp
    }

    async fn serve(self, listener: TcpListener) {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let idp = self.clone();
            let service = service_fn(move |request: Request<Incoming>| {
                let idp = idp.clone();
                async move { Ok::<_, Infallible>(idp.respond(request.uri().path()).await) }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    }

    async fn respond(&self, path: &str) -> Response<String> {
        let answer = match self.paths.lock().unwrap().get_mut(path) {
            Some(path) => {
                path.hits += 1;
                path.answer.clone()
            }
            None => Answer::Status404,
        };
        match answer {
            Answer::Hang => std::future::pending().await,
            Answer::Redirect(to) => {
                Response::builder().status(302).header(LOCATION, to).body(String::new()).unwrap()
            }
            Answer::Status404 => Response::builder().status(404).body(String::new()).unwrap(),
            Answer::Text(text) => Response::new(text),
        }
    }

    fn answer(&self, path: &'static str, answer: Answer) {
        self.paths.lock().unwrap().entry(path).or_default().answer = answer;
    }

    fn hits(&self, path: &str) -> usize {
        self.paths.lock().unwrap().get(path).map_or(0, |path| path.hits)
    }

    fn issuer(&self) -> String {
        format!("http://{}/", self.address)
    }

    fn document(&self, issuer: &str) -> Answer {
        let jwks_uri = format!("http://{}{JWKS}", self.address);
        Answer::Text(format!(r#"{{"issuer": "{issuer}", "jwks_uri": "{jwks_uri}"}}"#))
    }

    fn settings(&self) -> IssuerSettings {
        settings(&self.issuer(), None)
    }
}

fn settings(issuer: &str, jwks_uri: Option<String>) -> IssuerSettings {
    IssuerSettings {
        trust: Trust {
            issuer: Issuer::new(issuer).unwrap(),
            algorithms: Algorithms::default(),
            profile: Profile::Rfc9068,
            leeway_seconds: 30,
            unproven: Unproven::Refuse,
        },
        keys: KeySource::Remote(RemoteKeys {
            tls: ClientTls::trusting_nobody(),
            jwks_uri,
            allow_http: false,
            refresh_cooldown: COOLDOWN,
        }),
    }
}

const COOLDOWN: Duration = Duration::from_secs(30);

/// How each fetch ended: the number of keys and of those skipped, or the reason.
type Outcomes = mpsc::UnboundedReceiver<(Issuer, Result<(usize, usize), String>)>;

fn start(issuers: &[IssuerSettings]) -> (KeyRing, Outcomes) {
    let (tell, outcomes) = mpsc::unbounded_channel();
    let observe = move |issuer: &Issuer, outcome: &Outcome| {
        let outcome = outcome.as_ref();
        let outcome = outcome.map(|fetched| (fetched.keys.len(), fetched.skipped.len()));
        let _ = tell.send((issuer.clone(), outcome.map_err(ToString::to_string)));
    };
    (KeyRing::start(issuers, Fetcher::new().unwrap(), observe), outcomes)
}

/// How the next fetch ends.
async fn next(outcomes: &mut Outcomes) -> Result<(usize, usize), String> {
    outcomes.recv().await.unwrap().1
}

fn has_keys(keyring: &KeyRing, settings: &IssuerSettings) -> bool {
    let (issuer, source) = remote(settings).unwrap();
    keyring.keys().load().find(issuer, source).is_some()
}

#[tokio::test(start_paused = true)]
async fn keys_come_at_the_start_by_discovery() {
    let idp = Idp::start().await;
    let (keyring, mut outcomes) = start(&[idp.settings()]);
    assert_eq!(keyring.missing(), [idp.settings().trust.issuer]);
    assert!(!has_keys(&keyring, &idp.settings()));

    assert_eq!(next(&mut outcomes).await, Ok((1, 1)));
    assert!(has_keys(&keyring, &idp.settings()));
    assert_eq!(keyring.missing(), []);
}

#[tokio::test(start_paused = true)]
async fn keys_that_cannot_be_fetched_anew_stay_for_a_day_and_no_longer() {
    let idp = Idp::start().await;
    let (keyring, mut outcomes) = start(&[idp.settings()]);
    next(&mut outcomes).await.unwrap();

    // Also a set that was emptied: it may be all that a broken issuer has to say.
    idp.answer(JWKS, Answer::Text(r#"{"keys": []}"#.to_owned()));
    advance(refresh::MAX_STALE / 2).await;
    next(&mut outcomes).await.unwrap_err();
    assert!(has_keys(&keyring, &idp.settings()));
    advance(refresh::MAX_STALE / 2).await;
    next(&mut outcomes).await.unwrap_err();
    assert!(!has_keys(&keyring, &idp.settings()));
    assert_eq!(keyring.missing(), [idp.settings().trust.issuer]);

    idp.answer(JWKS, Answer::Text(KEYS.to_owned()));
    while next(&mut outcomes).await.is_err() {}
    assert!(has_keys(&keyring, &idp.settings()));
}

#[tokio::test(start_paused = true)]
async fn rfc_8414_answers_where_openid_discovery_does_not() {
    let idp = Idp::start().await;
    idp.answer(OPENID, Answer::Status404);
    idp.answer(OAUTH, idp.document(&idp.issuer()));
    let (_keyring, mut outcomes) = start(&[idp.settings()]);
    assert_eq!(next(&mut outcomes).await, Ok((1, 1)));
}

#[tokio::test(start_paused = true)]
async fn a_configured_url_needs_no_discovery() {
    let idp = Idp::start().await;
    let settings = settings("urn:issuer", Some(format!("http://{}{JWKS}", idp.address)));
    let (keyring, mut outcomes) = start(std::slice::from_ref(&settings));
    assert_eq!(next(&mut outcomes).await, Ok((1, 1)));
    assert!(has_keys(&keyring, &settings));
    assert_eq!(idp.hits(OPENID), 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_key_set_of_this_issuer_gives_no_keys() {
    let idp = Idp::start().await;
    let other = Idp::start().await;
    let jwks = |text: &str| (JWKS, Answer::Text(text.to_owned()));
    let cases = [
        ((OPENID, idp.document(idp.issuer().trim_end_matches('/'))), "is for the issuer"),
        ((OPENID, idp.document(&other.issuer())), "is for the issuer"),
        ((OPENID, Answer::Redirect(other.issuer() + OPENID)), "redirects are not followed"),
        ((OPENID, Answer::Text("<html>".to_owned())), "cannot be read"),
        ((JWKS, Answer::Redirect(format!("{}jwks", other.issuer()))), "redirects are not followed"),
        ((JWKS, Answer::Status404), "status 404"),
        (jwks("nonsense"), "cannot be used"),
        (jwks(r#"{"keys": []}"#), "cannot be used"),
        (jwks(r#"{"keys": [{"kty": "oct", "k": "AAAA"}]}"#), "cannot be used"),
        (jwks(&" ".repeat(300 * 1024)), "longer than 256 KiB"),
    ];
    for ((path, answer), reason) in cases {
        idp.answer(OPENID, idp.document(&idp.issuer()));
        idp.answer(JWKS, Answer::Text(KEYS.to_owned()));
        idp.answer(path, answer);
        let (keyring, mut outcomes) = start(&[idp.settings()]);
        let told = next(&mut outcomes).await.unwrap_err();
        assert!(told.contains(reason), "{told}");
        assert!(!has_keys(&keyring, &idp.settings()));
    }
    assert_eq!((other.hits(OPENID), other.hits(JWKS)), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_failed_first_fetch_is_retried_after_a_second_and_then_ever_later() {
    let idp = Idp::start().await;
    idp.answer(JWKS, Answer::Status404);
    let (keyring, mut outcomes) = start(&[idp.settings()]);
    next(&mut outcomes).await.unwrap_err();
    let mut last = Instant::now();
    for seconds in [1, 2, 4, 8, 16, 30, 30] {
        // Who asks meanwhile is answered at once, and brings nothing forward.
        keyring.requests().refresh(&idp.settings()).await;
        assert_eq!(last, Instant::now());
        next(&mut outcomes).await.unwrap_err();
        let pause = last.elapsed().as_secs_f64() / f64::from(seconds);
        assert!((0.89..1.01).contains(&pause), "{pause} of {seconds} s");
        last = Instant::now();
    }
    assert_eq!(keyring.missing().len(), 1);
    idp.answer(JWKS, Answer::Text(KEYS.to_owned()));
    next(&mut outcomes).await.unwrap();
    assert_eq!(keyring.missing(), []);
}

#[tokio::test(start_paused = true)]
async fn all_who_ask_are_served_by_one_fetch_in_each_cooldown() {
    let idp = Idp::start().await;
    let (keyring, mut outcomes) = start(&[idp.settings()]);
    next(&mut outcomes).await.unwrap();
    for fetches in 1..=3 {
        let mut asking = tokio::task::JoinSet::new();
        for _ in 0..1_000 {
            let (requests, settings) = (keyring.requests(), idp.settings());
            asking.spawn(async move { requests.refresh(&settings).await });
        }
        asking.join_all().await;
        assert_eq!(idp.hits(JWKS), fetches);
        advance(COOLDOWN).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_refresh_returns_with_the_newer_keys_in_place() {
    let idp = Idp::start().await;
    idp.answer(JWKS, Answer::Text(KEYS.replace("one", "old")));
    let (keyring, mut outcomes) = start(&[idp.settings()]);
    next(&mut outcomes).await.unwrap();
    let (live, settings) = (keyring.keys(), idp.settings());
    let find = |keys: &FetchedKeys| keys.by_issuer.get(&settings.trust.issuer).unwrap().1.clone();
    let old = find(&live.load());
    idp.answer(JWKS, Answer::Text(KEYS.to_owned()));
    advance(COOLDOWN).await;
    keyring.requests().refresh(&settings).await;
    assert!(!Arc::ptr_eq(&old, &find(&live.load())));
}

#[tokio::test(start_paused = true)]
async fn keys_are_fetched_in_the_background_and_stay_when_that_fails() {
    let idp = Idp::start().await;
    let (keyring, mut outcomes) = start(&[idp.settings()]);
    next(&mut outcomes).await.unwrap();
    let begin = Instant::now();
    next(&mut outcomes).await.unwrap();
    assert!(begin.elapsed() <= Duration::from_mins(15));

    for broken in [Answer::Status404, Answer::Text(r#"{"keys": []}"#.to_owned()), Answer::Hang] {
        idp.answer(JWKS, broken);
        next(&mut outcomes).await.unwrap_err();
        assert!(has_keys(&keyring, &idp.settings()));
    }
    assert_eq!(keyring.missing(), []);
}

#[tokio::test(start_paused = true)]
async fn a_request_waits_for_an_issuer_that_hangs_only_so_long() {
    let idp = Idp::start().await;
    idp.answer(OPENID, Answer::Hang);
    let (keyring, mut outcomes) = start(&[idp.settings()]);
    let begin = Instant::now();
    keyring.requests().refresh(&idp.settings()).await;
    assert_eq!(begin.elapsed().as_secs(), 5);
    assert!(next(&mut outcomes).await.unwrap_err().contains("no whole answer"));
    assert_eq!(begin.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn an_issuer_that_hangs_holds_up_no_other() {
    let (good, bad) = (Idp::start().await, Idp::start().await);
    bad.answer(OPENID, Answer::Hang);
    let (keyring, mut outcomes) = start(&[bad.settings(), good.settings()]);
    assert_eq!(outcomes.recv().await.unwrap(), (good.settings().trust.issuer, Ok((1, 1))));
    assert_eq!(keyring.missing(), [bad.settings().trust.issuer]);
}

#[tokio::test(start_paused = true)]
async fn a_reload_drops_the_keys_of_a_source_that_changed_and_no_others() {
    let (stays, changes, leaves) = (Idp::start().await, Idp::start().await, Idp::start().await);
    let all = [stays.settings(), changes.settings(), leaves.settings()];
    let (keyring, mut outcomes) = start(&all);
    for _ in &all {
        next(&mut outcomes).await.unwrap();
    }
    let elsewhere = Idp::start().await;
    elsewhere.answer(JWKS, Answer::Hang);
    let moved = settings(&changes.issuer(), Some(format!("http://{}{JWKS}", elsewhere.address)));
    keyring.reconcile(&[stays.settings(), moved.clone()]);

    assert!(has_keys(&keyring, &stays.settings()));
    for gone in [&changes.settings(), &moved, &leaves.settings()] {
        assert!(!has_keys(&keyring, gone));
    }
    assert_eq!(keyring.missing(), [moved.trust.issuer]);
    // A request of the old configuration neither waits nor fetches.
    let begin = Instant::now();
    advance(COOLDOWN).await;
    keyring.requests().refresh(&changes.settings()).await;
    assert_eq!(begin.elapsed(), COOLDOWN);
    assert_eq!((stays.hits(JWKS), changes.hits(JWKS), leaves.hits(JWKS)), (1, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn another_cooldown_leaves_the_keys_where_they_are() {
    let idp = Idp::start().await;
    let (keyring, mut outcomes) = start(&[idp.settings()]);
    next(&mut outcomes).await.unwrap();
    let mut shorter = idp.settings();
    if let KeySource::Remote(source) = &mut shorter.keys {
        source.refresh_cooldown = Duration::from_secs(1);
    }
    keyring.reconcile(std::slice::from_ref(&shorter));
    assert!(has_keys(&keyring, &shorter));
    advance(Duration::from_secs(1)).await;
    keyring.requests().refresh(&shorter).await;
    assert_eq!(idp.hits(JWKS), 2);
}

#[tokio::test(start_paused = true)]
async fn who_waits_is_let_go_when_the_keyring_ends() {
    let idp = Idp::start().await;
    idp.answer(OPENID, Answer::Hang);
    let (keyring, _outcomes) = start(&[idp.settings()]);
    let requests = keyring.requests();
    let begin = Instant::now();
    let settings = idp.settings();
    let waiting = tokio::spawn(async move { requests.refresh(&settings).await });
    tokio::task::yield_now().await;
    drop(keyring);
    waiting.await.unwrap();
    assert_eq!(begin, Instant::now());
}

#[tokio::test]
async fn a_worker_asks_from_a_runtime_of_its_own() {
    let idp = Idp::start().await;
    let (keyring, _outcomes) = start(&[idp.settings()]);
    let (requests, settings) = (keyring.requests(), idp.settings());
    let worker = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(requests.refresh(&settings));
    });
    tokio::task::spawn_blocking(move || worker.join().unwrap()).await.unwrap();
    assert!(has_keys(&keyring, &idp.settings()));
}
