//! Requests whose token names keys that are not there: what is fetched for them, and what they are told.

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::json;

use crate::signing::Key;

use super::client::Answer;
use super::gateway::{Gateway, claims_with, configuration, token_of};
use super::upstream::Upstream;

const KEYS: &str = r#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "1",
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

/// An issuer's key set, and how often it was fetched.
fn issuer() -> (Upstream, Arc<AtomicUsize>) {
    let fetches = Arc::new(AtomicUsize::new(0));
    let counter = fetches.clone();
    let issuer = Upstream::with(move |_, stream| {
        counter.fetch_add(1, Ordering::SeqCst);
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", KEYS.len());
        stream.write_all((head + KEYS).as_bytes()).is_ok()
    });
    (issuer, fetches)
}

/// A gateway that fetches its issuer's keys from `keys`, as often as it is asked to.
fn gateway(keys: SocketAddr) -> Gateway {
    before(TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap(), keys)
}

fn before(upstream: SocketAddr, keys: SocketAddr) -> Gateway {
    let place = format!("jwks_uri: \"http://{keys}/\", refresh_cooldown: 1ms");
    Gateway::start(&configuration(upstream, "", "").replace("jwks_file: jwks.json", &place))
}

fn answer(gateway: &Gateway, token: &str) -> Answer {
    let request = format!(
        "GET /orders/1 HTTP/1.1\r\nhost: orders.example.com\r\nauthorization: Bearer {token}\r\n\r\n"
    );
    gateway.client().ask(request)
}

fn ask(gateway: &Gateway, token: &str) -> (String, Option<String>) {
    let answer = answer(gateway, token);
    (answer.code(), answer.one("retry-after").map(str::to_owned))
}

fn token(head: &serde_json::Value) -> String {
    let whole = token_of(&head.to_string(), &json!({}));
    // Another signature than the secret's, or than any key's.
    format!("{}AAAA", &whole[..whole.len() - 4])
}

#[test]
fn a_key_that_nobody_knows_is_asked_for_and_counted() {
    let (issuer, fetches) = issuer();
    let gateway = gateway(issuer.address);
    let unknown = token(&json!({"alg": "EdDSA", "kid": "2"}));
    assert_eq!(ask(&gateway, &unknown), ("token-key-unknown".into(), None));
    assert!(gateway.counts(r#"grantgate_keys_unknown_total{issuer="https://issuer.example/"} 1"#));
    assert!(fetches.load(Ordering::SeqCst) >= 1);

    // One whose signature is wrong may be that of a key that took the place of this one.
    let before = fetches.load(Ordering::SeqCst);
    let forged = token(&json!({"alg": "EdDSA", "kid": "1"}));
    assert_eq!(ask(&gateway, &forged), ("token-signature-invalid".into(), None));
    assert!(fetches.load(Ordering::SeqCst) > before);
    assert!(gateway.counts(r#"grantgate_keys_unknown_total{issuer="https://issuer.example/"} 1"#));
}

#[test]
fn a_key_that_took_another_ones_name_is_found_by_its_first_token_and_the_other_is_gone() {
    let (old, new) = (Key::new(), Key::new());
    let key_set = |key: &Key| json!({"keys": [key.jwk("1")]}).to_string();
    let published = Arc::new(Mutex::new(key_set(&old)));
    let issuer = Upstream::with({
        let published = published.clone();
        move |_, stream| {
            let keys = published.lock().unwrap().clone();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", keys.len());
            stream.write_all((head + &keys).as_bytes()).is_ok()
        }
    });
    let upstream = Upstream::start();
    let gateway = before(upstream.address, issuer.address);
    let signed =
        |key: &Key| key.sign(&json!({"alg": "EdDSA", "kid": "1"}), &claims_with(&json!({})));
    let (by_old, by_new) = (signed(&old), signed(&new));
    assert_eq!(answer(&gateway, &by_old).status, 200);
    assert_eq!(ask(&gateway, &by_new).0, "token-signature-invalid");

    *published.lock().unwrap() = key_set(&new);
    assert_eq!(answer(&gateway, &by_new).status, 200);
    // It was verified before, and its key is none any more.
    assert_eq!(ask(&gateway, &by_old).0, "token-signature-invalid");
}

#[test]
fn a_token_signed_with_a_wrong_secret_does_not_ask_for_keys() {
    let (issuer, fetches) = issuer();
    let gateway = gateway(issuer.address);
    let unknown = token(&json!({"alg": "EdDSA", "kid": "2"}));
    ask(&gateway, &unknown);
    let before = fetches.load(Ordering::SeqCst);
    for _ in 0..5 {
        let forged = token(&json!({"alg": "HS256", "kid": "2"}));
        assert_eq!(ask(&gateway, &forged), ("token-signature-invalid".into(), None));
    }
    assert_eq!(fetches.load(Ordering::SeqCst), before);
}

#[test]
fn who_comes_before_the_keys_is_told_when_to_come_again() {
    let down = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let gateway = gateway(down);
    let (code, retry_after) = ask(&gateway, &token(&json!({"alg": "EdDSA", "kid": "1"})));
    assert_eq!(code, "keys-unavailable");
    let seconds: u32 = retry_after.unwrap().parse().unwrap();
    assert!((1..=30).contains(&seconds), "{seconds}");
}
