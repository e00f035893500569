//! Scopes in every shape that issuers give them, at the real door.

use serde_json::{Value, json};

use crate::door::gateway::{Gateway, configuration, token_with};

use super::recorder::Recorder;

/// Claims of a client whose grant gives `read:orders`, and what becomes of `GET` and of `DELETE`, which
/// needs `write:orders`.
fn shapes() -> Vec<(Value, &'static str, &'static str)> {
    let (ok, exceeds, insufficient) = ("ok", "scope-exceeds-grant", "scope-insufficient");
    let malformed = "token-malformed";
    vec![
        (json!({"scope": "read:orders"}), ok, insufficient),
        (json!({"scope": "read:orders read:orders"}), ok, insufficient),
        (json!({"scope": ""}), insufficient, insufficient),
        (json!({"scope": null}), insufficient, insufficient),
        (json!({"scope": "READ:orders"}), exceeds, exceeds),
        (json!({"scope": "read:order"}), exceeds, exceeds),
        (json!({"scope": "read:*"}), exceeds, exceeds),
        (json!({"scope": "*"}), exceeds, exceeds),
        (json!({"scope": "read:orders,write:orders"}), exceeds, exceeds),
        (json!({"scope": "read:orders write:orders"}), exceeds, exceeds),
        (json!({"scope": "write:orders"}), exceeds, exceeds),
        // A client's permissions are scopes like any other: never more, and for a need in both.
        (json!({"permissions": ["write:orders"]}), exceeds, exceeds),
        (json!({"permissions": ["read:orders"]}), ok, insufficient),
        (json!({"permissions": []}), insufficient, insufficient),
        (json!({"permissions": "read:orders"}), malformed, malformed),
        (json!({"permissions": [1]}), malformed, malformed),
        (json!({"scope": {"read:orders": true}}), malformed, malformed),
        (json!({"scope": true}), malformed, malformed),
        // Claims of other issuers' kinds say nothing of their own.
        (json!({"scope": null, "scopes": "read:orders"}), insufficient, insufficient),
        (json!({"scope": null, "roles": ["read:orders"]}), insufficient, insufficient),
    ]
}

#[test]
fn scopes_in_any_shape_never_give_more_than_the_grant_and_never_what_is_not_there() {
    let upstream = Recorder::start();
    let gateway = Gateway::start(&configuration(upstream.address, "", ""));
    let mut client = gateway.client();
    let mut wrong = Vec::new();
    for (claims, get, delete) in shapes() {
        let token = token_with(&claims);
        for (method, expected) in [("GET", get), ("DELETE", delete)] {
            let answer = client.ask(format!(
                "{method} /orders/1 HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\n\r\n"
            ));
            let code = if answer.status == 200 { "ok".to_owned() } else { answer.code() };
            let passed = upstream.since().0.len() == 1;
            if code != expected || passed != (expected == "ok") {
                wrong.push(format!("{method} {claims}: {code}, not {expected}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
