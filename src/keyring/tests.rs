//! The keyring against an issuer on loopback. The clock is tokio's and stands still while anything
//! is under way: times are those that the keyring chose, not those that this machine took.

mod fresh;
mod refreshes;
mod unknown;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH, LOCATION};
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
    /// A text with a `Cache-Control`, under its length as its version.
    Cached(&'static str, String),
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
                async move { Ok::<_, Infallible>(idp.respond(&request).await) }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    }

    async fn respond(&self, request: &Request<Incoming>) -> Response<String> {
        let answer = match self.paths.lock().unwrap().get_mut(request.uri().path()) {
            Some(path) => {
                path.hits += 1;
                path.answer.clone()
            }
            None => Answer::Status404,
        };
        match answer {
            Answer::Cached(cache_control, text) => {
                let etag = format!("\"{}\"", text.len());
                let known =
                    request.headers().get(IF_NONE_MATCH).is_some_and(|known| *known == etag);
                let response = Response::builder().header(CACHE_CONTROL, cache_control);
                let response = response.status(if known { 304 } else { 200 }).header(ETAG, etag);
                response.body(if known { String::new() } else { text }).unwrap()
            }
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
            max_stale: MAX_STALE,
        }),
    }
}

const COOLDOWN: Duration = Duration::from_secs(30);
const MAX_STALE: Duration = Duration::from_hours(24);

/// How each fetch ended: the number of keys and of those skipped, or the reason.
type Outcomes = mpsc::UnboundedReceiver<(Issuer, Result<(usize, usize), String>)>;

fn start(issuers: &[IssuerSettings]) -> (KeyRing, Outcomes) {
    let (tell, outcomes) = mpsc::unbounded_channel();
    let observe = move |issuer: &Issuer, outcome: &Outcome| {
        let outcome = outcome.as_ref();
        let outcome = outcome.map(|fetched| (fetched.keys.len(), fetched.skipped.len()));
        let _ = tell.send((issuer.clone(), outcome.map_err(ToString::to_string)));
    };
    (KeyRing::start(issuers, Fetcher::new(), observe), outcomes)
}

/// How the next fetch ends.
async fn next(outcomes: &mut Outcomes) -> Result<(usize, usize), String> {
    outcomes.recv().await.unwrap().1
}

fn keys_now(keyring: &KeyRing, settings: &IssuerSettings) -> Arc<KeySet> {
    keyring.keys().load().by_issuer.get(&settings.trust.issuer).unwrap().1.clone()
}

fn kids(keyring: &KeyRing, settings: &IssuerSettings) -> Vec<String> {
    keys_now(keyring, settings).kids().map(str::to_owned).collect()
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
async fn keys_that_cannot_be_fetched_anew_stay_for_max_stale_and_no_longer() {
    let idp = Idp::start().await;
    let (keyring, mut outcomes) = start(&[idp.settings()]);
    next(&mut outcomes).await.unwrap();

    // Also a set that was emptied: it may be all that a broken issuer has to say.
    idp.answer(JWKS, Answer::Text(r#"{"keys": []}"#.to_owned()));
    advance(MAX_STALE / 2).await;
    next(&mut outcomes).await.unwrap_err();
    assert!(has_keys(&keyring, &idp.settings()));
    advance(MAX_STALE / 2).await;
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
    keyring.requests().refresh(&changes.settings(), None).await;
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
    keyring.requests().refresh(&shorter, None).await;
    assert_eq!(idp.hits(JWKS), 2);
}

#[tokio::test(start_paused = true)]
async fn a_reload_says_how_old_keys_may_get() {
    let idp = Idp::start().await;
    let (keyring, mut outcomes) = start(&[idp.settings()]);
    next(&mut outcomes).await.unwrap();
    idp.answer(JWKS, Answer::Status404);
    let begin = Instant::now();
    let mut stricter = idp.settings();
    if let KeySource::Remote(source) = &mut stricter.keys {
        source.max_stale = Duration::from_mins(1);
    }
    keyring.reconcile(std::slice::from_ref(&stricter));
    assert!(has_keys(&keyring, &stricter));
    next(&mut outcomes).await.unwrap_err();
    assert!(!has_keys(&keyring, &stricter));
    assert_eq!(begin.elapsed().as_secs(), 60);
}

#[tokio::test(start_paused = true)]
async fn how_long_to_wait_for_keys_is_told_in_whole_seconds() {
    let idp = Idp::start().await;
    idp.answer(JWKS, Answer::Status404);
    let (keyring, mut outcomes) = start(&[idp.settings()]);
    let requests = keyring.requests();
    let told = || requests.retry_after(&idp.settings());
    assert_eq!(told(), 1);
    for most in [1, 2, 4, 8, 16, 30, 30] {
        next(&mut outcomes).await.unwrap_err();
        tokio::task::yield_now().await;
        let wait = told();
        assert!((most * 9 / 10..=most).contains(&wait) && wait >= 1, "{wait} of {most} s");
        advance(Duration::from_millis(100)).await;
        assert!(told() <= wait);
    }
    assert_eq!(requests.retry_after(&settings("https://other.example/", None)), 1);
}

#[tokio::test(start_paused = true)]
async fn the_status_tells_of_every_issuer_how_its_keys_stand() {
    let (good, bad) = (Idp::start().await, Idp::start().await);
    let by_url = |idp: &Idp| format!("http://{}{JWKS}", idp.address);
    bad.answer(JWKS, Answer::Status404);
    let mut fixed = settings("urn:fixed", None);
    fixed.keys = KeySource::Fixed(Arc::new(KeySet::from_jwks(KEYS).unwrap().0));
    let bad_settings = settings("urn:bad", Some(by_url(&bad)));
    let (keyring, mut outcomes) = start(&[fixed, good.settings(), bad_settings]);
    next(&mut outcomes).await.ok();
    next(&mut outcomes).await.ok();
    tokio::task::yield_now().await;
    advance(Duration::from_millis(500)).await;

    let status = keyring.status();
    let [found, failed, fixed] = &status[..] else { panic!("{status:?}") };
    assert_eq!(found.issuer, good.settings().trust.issuer);
    assert_eq!(
        (&found.source, found.keys, &found.kids),
        (&KeysFrom::Discovery, 1, &vec!["one".into()])
    );
    assert_eq!((&found.skipped, found.left_out), (&vec!["key 2: it is a symmetric key".into()], 1));
    assert_eq!((found.age, &found.last_error), (Some(Duration::from_millis(500)), &None));
    assert!(found.fetched_at.is_some());
    assert!(found.next_attempt_in.unwrap() > Duration::from_mins(13));

    assert_eq!((&failed.source, failed.keys), (&KeysFrom::JwksUri(by_url(&bad)), 0));
    assert_eq!((failed.age, failed.fetched_at), (None, None));
    assert!(failed.last_error.as_ref().unwrap().reason.contains("status 404"));
    assert!(failed.next_attempt_in.unwrap() <= Duration::from_millis(500));

    assert_eq!((&fixed.source, fixed.keys, fixed.age), (&KeysFrom::Fixed, 1, None));
}
