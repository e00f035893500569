//! Against an independent verifier: what we accept, `jsonwebtoken` with strict validation accepts.
//!
//! The other way it does not hold, and these are the known differences: it never looks at `crit`,
//! `zip`, `cty`, `typ` and keys in the head, counts a claim that comes twice once, takes an `iss`
//! that is a list, knows no ID-token signs and no `cnf`, checks no scopes and no upper end of times.
//! It knows neither ES512 nor the name `Ed25519`, and takes `exp` as whole seconds.

use jsonwebtoken::{DecodingKey, Validation};
use proptest::prelude::*;
use serde_json::json;

use super::*;

const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::Es256,
    Algorithm::Es384,
    Algorithm::Ed25519,
    Algorithm::Ps256,
    Algorithm::Ps384,
    Algorithm::Ps512,
    Algorithm::Rs256,
    Algorithm::Rs384,
    Algorithm::Rs512,
];

/// Whether `jsonwebtoken` accepts the token with the key and the algorithm that it names.
fn oracle(algorithm: Algorithm, token: &str) -> bool {
    let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
    let jwk = serde_json::from_value(mint::jwk(algorithm)).unwrap();
    let key = DecodingKey::from_jwk(&jwk).unwrap();
    let mut validation = Validation::new(algorithm.as_str().parse().unwrap());
    validation.set_required_spec_claims(&["iss", "aud", "exp"]);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    // It reads the clock itself: the times of this test are compared with ours alone.
    validation.validate_exp = false;
    validation.validate_nbf = false;
    jsonwebtoken::decode::<Value>(token, &key, &validation).is_ok()
}

fn claim_values() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(ISSUER)),
        Just(json!(AUDIENCE)),
        Just(json!([AUDIENCE, "x"])),
        Just(json!([ISSUER])),
        Just(json!([])),
        Just(json!(null)),
        Just(json!({})),
        Just(json!("read:orders")),
        Just(json!(["read:orders"])),
        (NOW - 100..NOW + 100).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[ -~]{0,12}".prop_map(Value::from),
    ]
}

/// The end of a token's signature, or of its claims, changed or not.
fn tampered(token: &str, how: u8) -> String {
    let (message, signature) = token.rsplit_once('.').unwrap();
    match how {
        0 => format!("{message}.{}", &signature[..signature.len() - 4]),
        1 => format!("{}A.{signature}", &message[..message.len() - 1]),
        2 => format!("{message}.{signature}="),
        3 => format!("{message}.AAAA{}", &signature[4..]),
        _ => token.to_owned(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn what_we_accept_a_strict_jsonwebtoken_accepts(
        signed in proptest::sample::select(&ALGORITHMS[..]),
        named in proptest::option::weighted(0.2, proptest::sample::select(&ALGORITHMS[..])),
        changes in proptest::collection::btree_map(
            proptest::sample::select(&["iss", "aud", "exp", "nbf", "iat", "sub", "scope", "x"][..]),
            claim_values(),
            0..3,
        ),
        how in 0_u8..12,
    ) {
        let named = named.unwrap_or(signed);
        let mut claims = good();
        for (name, value) in changes {
            claims[name] = value;
        }
        let head = json!({"alg": named.as_str(), "kid": mint::kid(named), "typ": "at+jwt"});
        let token = tampered(&mint::with_head(signed, &head, &claims), how);
        let accepted = World::auth0().admits(&token).is_ok();
        let theirs = oracle(named, &token);
        prop_assert!(!accepted || theirs, "{claims}");
        if how >= 4 && named == signed && claims == good() {
            prop_assert!(accepted && theirs, "both accept a good token");
        }
    }
}

#[test]
fn what_it_accepts_and_we_refuse_is_what_the_head_of_this_file_says() {
    let world = World::auth0();
    let with = |changes: Value| {
        let mut head = json!({"alg": "ES256", "kid": "p256"});
        head.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        mint::with_head(Algorithm::Es256, &head, &good())
    };
    let claims = |changes: Value| mint::token(Algorithm::Es256, &good_but(&changes));
    let text = good().to_string();
    let twice = format!("{},\"scope\":\"admin:orders\"}}", text.trim_end_matches('}'));
    let head = br#"{"alg":"ES256","kid":"p256"}"#;
    for token in [
        with(json!({"crit": ["exp"]})),
        with(json!({"zip": "DEF"})),
        with(json!({"cty": "JWT"})),
        with(json!({"typ": "logout+jwt"})),
        mint::of_text(Algorithm::Es256, head, twice.as_bytes()),
        claims(json!({"iss": [ISSUER]})),
        claims(json!({"at_hash": "x"})),
        claims(json!({"cnf": {"jkt": "x"}})),
        claims(json!({"scope": "a\tb"})),
        claims(json!({"exp": NOW * 1000})),
    ] {
        assert!(oracle(Algorithm::Es256, &token), "{token}");
        assert!(world.admits(&token).is_err(), "{token}");
    }
}
