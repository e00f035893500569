//! The claims of a well-signed token, through every profile: nothing panics, and what passes keeps the
//! rules, each of them looked up in the claims again.
//!
//! Input: the text of the claims.

use std::sync::{Arc, LazyLock};

use grantgate::policy::{Party, SubjectType};
use grantgate::token::{
    Custom, Inspected, Parsed, Profile, Rule, Test, TokenError, Unproven, Verified, verify,
};
use serde_json::{Map, Value};

use super::token::{AUDIENCE, ISSUER, LEEWAY, NOW, World, api, now, object, signed};

const HEAD: &[u8] = br#"{"alg":"HS256","typ":"at+jwt"}"#;

static WORLDS: LazyLock<Vec<World>> = LazyLock::new(|| {
    let rule = |claim: &str, test| Rule { claim: claim.to_owned(), test };
    let custom = Custom {
        types: vec!["JWT".to_owned(), "none".to_owned()],
        scopes: "scp".to_owned(),
        machine: vec![rule("gty", Test::Equals("client-credentials".to_owned()))],
        user: vec![rule("sub", Test::Contains("|".to_owned()))],
        ..Custom::default()
    };
    let profiles = [
        Profile::Auth0,
        Profile::Cognito,
        Profile::Custom(Box::new(custom)),
        Profile::Entra,
        Profile::Hydra,
        Profile::Keycloak,
        Profile::Okta,
        Profile::Rfc9068,
    ];
    profiles.map(World::of).into()
});

pub fn check(input: &[u8]) {
    let token = signed(HEAD, input);
    let parsed = match (Parsed::parse(&token), object(input)) {
        (Ok(parsed), Some(_)) => Arc::new(parsed),
        (Err(TokenError::TooLarge), _) | (Err(TokenError::Malformed(_)), None) => return,
        (parsed, object) => panic!("{parsed:?} where the reference has {object:?}"),
    };
    let claims = object(input).expect("it was taken");
    let inspected = Inspected::read(&token).expect("it can be taken apart");
    for world in WORLDS.iter() {
        let reading = inspected.through(&world.trust.profile, &world.audiences);
        let verified = verify(&parsed, None, &world.by_secret(), now());
        let name = world.trust.profile.name();
        match &verified {
            Ok(verified) => {
                check_claims(name, &claims);
                assert_eq!(verified.client().ok(), reading.client.ok(), "{name}");
                let proven = verified.identity().map(|identity| identity.subject_type);
                let shown =
                    reading.client.and_then(|_| reading.evidence.subject_type(Unproven::Refuse));
                assert_eq!(proven, shown, "{name}");
                if let Ok(subject_type) = proven {
                    check_identity(name, verified, subject_type, &claims);
                }
            }
            Err(TokenError::SignatureInvalid | TokenError::AlgorithmRefused) => {
                panic!("{name}: it is well signed")
            }
            Err(_) => {}
        }
        // A token that was seen before is judged as if it had not been.
        let known = verified.as_ref().ok().and_then(Verified::key);
        let again = verify(&parsed, known, &world.by_secret(), now());
        assert_eq!(again.map(|it| it.key()), verified.map(|it| it.key()), "{name}");
    }
}

/// What must hold of the claims of any token that passes.
fn check_claims(name: &str, claims: &Map<String, Value>) {
    assert_eq!(claims["iss"], ISSUER, "{name}");
    let seconds =
        |claim: &str| claims.get(claim).map(|time| time.as_f64().expect("a time is a number"));
    let exact = |seconds: i64| f64::from(u32::try_from(seconds).expect("within a century"));
    let (now, leeway) = (exact(NOW), exact(LEEWAY));
    let expires = seconds("exp").expect("it has an end");
    assert!(expires + leeway > now && expires <= 253_402_300_799.0, "{name}: {expires}");
    for begins in ["nbf", "iat"].into_iter().filter_map(seconds) {
        assert!((0.0..now + leeway + 0.001).contains(&begins), "{name}: {begins}");
    }
    for refused in ["cnf", "at_hash", "c_hash", "s_hash"] {
        assert!(!claims.contains_key(refused), "{name}: {refused}");
    }
    let is_ours = |text: &Value| text == AUDIENCE;
    let is_recipient = match claims.get("aud") {
        Some(Value::Array(list)) => list.iter().all(Value::is_string) && list.iter().any(is_ours),
        Some(one) => is_ours(one),
        None => {
            let scopes = claims.get("scope").and_then(Value::as_str).unwrap_or_default();
            let ours = |scope: &str| scope.rsplit_once('/').is_some_and(|(of, _)| of == AUDIENCE);
            name == "cognito" && scopes.split(' ').any(ours)
        }
    };
    assert!(is_recipient, "{name}: {:?}", claims.get("aud"));
    assert!(claims.get("sub").is_none_or(Value::is_string), "{name}");
    if let Some(details) = claims.get("authorization_details") {
        let list = details.as_array().expect("details are a list");
        assert!(list.iter().all(|one| one["type"].is_string()), "{name}");
    }
}

/// What must hold of who is said to call.
fn check_identity(
    name: &str,
    verified: &Verified<'_>,
    subject_type: SubjectType,
    claims: &Map<String, Value>,
) {
    let identity = verified.identity().expect("it was there");
    let has = |wanted: &str| claims.values().any(|value| value == wanted);
    assert!(has(identity.client), "{name}: a client that no claim names");
    assert_eq!(identity.subject, claims.get("sub").and_then(Value::as_str), "{name}");
    let is_token = |scope: &str| {
        !scope.is_empty() && scope.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\')
    };
    assert!(is_token(identity.client), "{name}: {}", identity.client);
    assert!(identity.scopes().all(is_token), "{name}");
    if let (Some(azp), Some(client)) = (claims.get("azp"), claims.get("client_id")) {
        assert_eq!(azp, client, "{name}: two applications");
    }
    // Entra and Keycloak name neither applications nor users by what the client id could be.
    let tells = !["entra", "keycloak"].contains(&name);
    if tells && claims.get("sub").is_some_and(|sub| sub == identity.client) {
        assert_ne!(subject_type, SubjectType::User, "{name}: an application is no user");
    }

    let api = api(&["read:orders", "write:orders"]);
    for party in [Party::First, Party::Third] {
        let presented = identity.present(party, &api);
        let scopes = &presented.scopes;
        assert!(scopes.claimed.contains_all(&scopes.usable), "{name}: usable, and not claimed");
        assert!(scopes.undeclared.iter().all(|scope| api.scopes.find(scope).is_none()), "{name}");
    }
}
