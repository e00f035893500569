//! `POST /oauth/token`.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde_json::Value;

use super::managed::{Managed, NAME, OTHER_SECRET, SECRET, form, json};
use crate::door::client::Answer;

fn denied(answer: &Answer) -> (u16, String, String) {
    let body = json(answer);
    assert_eq!(answer.one("cache-control"), Some("no-store"));
    let text = |key: &str| body[key].as_str().unwrap().to_owned();
    (answer.status, text("error"), text("error_description"))
}

fn claims(answer: &Answer) -> Value {
    let token = json(answer)["access_token"].as_str().unwrap().to_owned();
    let claims = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
}

#[test]
fn a_client_gets_what_its_grant_holds_or_less() {
    let gate = Managed::with("token_lifetime: 5m");
    let whole = gate.asked_token(&form("reader", OTHER_SECRET));
    let body = json(&whole);
    assert_eq!(whole.status, 200, "{body}");
    assert_eq!((&body["token_type"], &body["expires_in"]), (&"Bearer".into(), &300.into()));
    assert_eq!(body["scope"], "read:client_grants");
    let claims = claims(&whole);
    for (name, value) in [
        ("iss", "urn:grantgate:management"),
        ("aud", "urn:grantgate:management"),
        ("sub", "reader"),
        ("client_id", "reader"),
        ("scope", "read:client_grants"),
    ] {
        assert_eq!(claims[name], value, "{claims}");
    }
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 300);

    let part = format!("{}&scope=read:clients+delete:client_grants", form("tool", SECRET));
    let part = json(&gate.asked_token(&part))["scope"].as_str().unwrap().to_owned();
    assert_eq!(part.split(' ').count(), 2, "{part}");
    let beyond =
        format!("{}&scope=read:client_grants+read:clients+x", form("reader", OTHER_SECRET));
    let words = "Client has not been granted scopes: read:clients, x";
    let expected = (403, "access_denied".to_owned(), words.to_owned());
    assert_eq!(denied(&gate.asked_token(&beyond)), expected);
}

#[test]
fn it_is_asked_for_by_the_names_that_clients_have_for_it() {
    let gate = Managed::with("public_url: https://grants.example.org/below/");
    let ask =
        |audience: &str| gate.asked_token(&format!("{}&audience={audience}", form("tool", SECRET)));
    for audience in [
        "",
        "urn:grantgate:management",
        &format!("https://{NAME}:9443/api/v2/"),
        "https%3A%2F%2Fgrants.example.org%2Fbelow%2Fapi%2Fv2%2F",
    ] {
        assert_eq!(ask(audience).status, 200, "{audience}");
    }
    for audience in ["https://orders.example.com", "https://elsewhere.example/api/v2/"] {
        let words = format!("Service not found: {audience}");
        assert_eq!(denied(&ask(audience)), (403, "access_denied".to_owned(), words));
    }
}

#[test]
fn credentials_come_in_the_body_or_as_basic_and_nobody_learns_which_part_is_wrong() {
    let gate = Managed::start();
    let json_body = format!(
        r#"{{"grant_type": "client_credentials", "client_id": "tool", "client_secret": "{SECRET}"}}"#
    );
    let json = "content-type: application/json\r\n";
    assert_eq!(gate.ask("POST /oauth/token", json, &json_body).status, 200);

    let basic = |secret: &str, body: &str| {
        let secret = secret.replace(' ', "+");
        let credentials = BASE64_STANDARD.encode(format!("tool:{secret}"));
        let more = format!(
            "authorization: Basic {credentials}\r\ncontent-type: application/x-www-form-urlencoded\r\n"
        );
        gate.ask("POST /oauth/token", &more, body)
    };
    assert_eq!(basic(SECRET, "grant_type=client_credentials").status, 200);
    let both = basic(SECRET, &form("tool", SECRET));
    assert_eq!(denied(&both).1, "invalid_request");
    let wrong = basic(OTHER_SECRET, "grant_type=client_credentials");
    assert_eq!(wrong.one("www-authenticate"), Some("Basic realm=\"grantgate\""));

    let unauthorized = (401, "access_denied".to_owned(), "Unauthorized".to_owned());
    assert_eq!(denied(&wrong), unauthorized);
    for wrong in [form("tool", OTHER_SECRET), form("stranger", SECRET), form("tool", "short")] {
        assert_eq!(denied(&gate.asked_token(&wrong)), unauthorized, "{wrong}");
    }
    let (status, error, description) =
        denied(&gate.asked_token("grant_type=client_credentials&client_assertion=x"));
    assert_eq!((status, &*error), (401, "invalid_client"));
    assert!(description.contains("not supported"), "{description}");
    let elsewhere = gate.ask("POST /oauth/token?client_id=tool", json, &json_body);
    assert_eq!(denied(&elsewhere).1, "invalid_request");
    let kind = gate.ask("POST /oauth/token", "content-type: text/plain\r\n", "x");
    assert_eq!(kind.status, 415);
}

#[test]
fn without_a_grant_there_is_no_token_and_with_other_grant_types_neither() {
    let gate = Managed::start();
    let words = "Client \"nobody\" is not authorized to access resource server \
        \"urn:grantgate:management\". You need to create a \"client-grant\" associated to this API.";
    let expected = (403, "access_denied".to_owned(), words.to_owned());
    assert_eq!(denied(&gate.asked_token(&form("nobody", SECRET))), expected);
    let other = gate.asked_token("grant_type=authorization_code&client_id=tool");
    assert_eq!(denied(&other).1, "unsupported_grant_type");
}
