//! Requests whose token names keys that are not there: what is fetched for them, and what they are told.

use std::io::Write;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::gateway::{Gateway, configuration, token_of};
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
fn gateway(keys: std::net::SocketAddr) -> Gateway {
    let upstream = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let place = format!("jwks_uri: \"http://{keys}/\", refresh_cooldown: 1ms");
    Gateway::start(&configuration(upstream, "", "").replace("jwks_file: jwks.json", &place))
}

fn ask(gateway: &Gateway, token: &str) -> (String, Option<String>) {
    let request = format!(
        "GET /orders/1 HTTP/1.1\r\nhost: orders.example.com\r\nauthorization: Bearer {token}\r\n\r\n"
    );
    let answer = gateway.client().ask(request);
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
