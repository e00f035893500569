//! Attacks on the token's shape, algorithm, key and signature, each with its exact answer.

use aws_lc_rs::hmac;
use serde_json::json;

use super::*;

/// A token with this head around good claims, well signed with ES256.
fn headed(head: &Value) -> String {
    mint::with_head(Algorithm::Es256, head, &good())
}

fn head_but(changes: &Value) -> Value {
    let mut head = json!({"alg": "ES256", "kid": "p256", "typ": "at+jwt"});
    head.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    head
}

#[test]
fn every_algorithm_verifies_with_its_key() {
    let mut world = World::auth0();
    world.secret = Some(HsSecret::new(mint::SECRET).unwrap());
    for algorithm in Algorithm::ALL {
        let token = mint::token(algorithm, &good());
        assert!(world.admits(&token).is_ok(), "{algorithm:?}");
        let other = mint::token(algorithm, &good_but(&json!({"sub": "auth0|2"})));
        let (message, _) = other.rsplit_once('.').unwrap();
        let (_, signature) = token.rsplit_once('.').unwrap();
        let grafted = format!("{message}.{signature}");
        assert_eq!(world.admits(&grafted), Err(TokenError::SignatureInvalid), "{algorithm:?}");
    }
    let renamed = head_but(&json!({"alg": "Ed25519", "kid": "ed25519"}));
    assert!(world.admits(&mint::with_head(Algorithm::Ed25519, &renamed, &good())).is_ok());
}

#[test]
fn none_is_no_algorithm_in_any_spelling() {
    let world = World::auth0();
    for name in ["none", "None", "NONE", "nOnE", "", "es256", "ES256K", "Ed448", "RS1", "RSA-OAEP"]
    {
        let signed = headed(&head_but(&json!({"alg": name})));
        let (message, _) = signed.rsplit_once('.').unwrap();
        assert_eq!(world.admits(&signed), Err(TokenError::AlgorithmRefused), "{name}");
        let bare = format!("{message}.");
        assert_eq!(world.admits(&bare), Err(TokenError::AlgorithmRefused), "{name}");
    }
    for alg in [json!(null), json!(5), json!(["ES256"]), json!({"a": "ES256"}), json!(true)] {
        assert!(is_malformed(&world.admits(&headed(&head_but(&json!({"alg": alg}))))), "{alg}");
    }
    assert!(is_malformed(&world.admits(&headed(&json!({"kid": "p256"})))));
}

#[test]
fn a_public_key_is_no_secret() {
    let pem = mint::pem(Algorithm::Rs256);
    let secrets = [
        pem.clone().into_bytes(),
        pem.trim_end().as_bytes().to_vec(),
        mint::der(Algorithm::Rs256),
        mint::jwk(Algorithm::Rs256).to_string().into_bytes(),
        Vec::new(),
    ];
    let mut with_secret = World::auth0();
    with_secret.secret = Some(HsSecret::new(mint::SECRET).unwrap());
    for secret in secrets {
        for kid in ["rsa", "secret"] {
            let head = json!({"alg": "HS256", "kid": kid, "typ": "at+jwt"});
            let claims = mint::encode(good().to_string().as_bytes());
            let message = format!("{}.{claims}", mint::encode(head.to_string().as_bytes()));
            let tag = mint::mac(hmac::HMAC_SHA256, &secret, message.as_bytes());
            let token = format!("{message}.{}", mint::encode(&tag));
            assert_eq!(World::auth0().admits(&token), Err(TokenError::AlgorithmRefused));
            assert_eq!(with_secret.admits(&token), Err(TokenError::SignatureInvalid));
        }
    }
}

#[test]
fn hmac_needs_the_apis_own_secret_whatever_the_issuer_allows() {
    let token = mint::token(Algorithm::Hs256, &good());
    let mut world = World::auth0();
    world.trust.algorithms = Algorithm::ALL.into_iter().collect();
    assert_eq!(world.admits(&token), Err(TokenError::AlgorithmRefused));

    world.trust.algorithms = [Algorithm::Rs256].into_iter().collect();
    world.keys = None;
    world.secret = Some(HsSecret::new(mint::SECRET).unwrap());
    assert!(world.admits(&token).is_ok(), "no other key is asked for");

    world.secret = Some(HsSecret::new(&mint::SECRET[..32]).unwrap());
    assert_eq!(world.admits(&token), Err(TokenError::SignatureInvalid));
    let long = mint::token(Algorithm::Hs384, &good());
    assert_eq!(world.admits(&long), Err(TokenError::AlgorithmRefused), "too short for HS384");
}

#[test]
fn algorithms_that_the_issuer_does_not_use_are_refused() {
    let mut world = World::auth0();
    world.trust.algorithms = [Algorithm::Rs256].into_iter().collect();
    assert!(world.admits(&mint::token(Algorithm::Rs256, &good())).is_ok());
    for algorithm in [Algorithm::Rs384, Algorithm::Ps256, Algorithm::Es256, Algorithm::Ed25519] {
        let token = mint::token(algorithm, &good());
        assert_eq!(world.admits(&token), Err(TokenError::AlgorithmRefused), "{algorithm:?}");
    }
}

#[test]
fn an_algorithm_must_fit_the_key_that_is_named() {
    let world = World::auth0();
    for (alg, kid) in [("ES256", "rsa"), ("RS256", "p256"), ("ES384", "p256"), ("EdDSA", "p521")] {
        let token = headed(&head_but(&json!({"alg": alg, "kid": kid})));
        assert_eq!(world.admits(&token), Err(TokenError::AlgorithmRefused), "{alg} {kid}");
    }
    let pss = mint::with_head(
        Algorithm::Rs256,
        &head_but(&json!({"alg": "PS256", "kid": "rsa"})),
        &good(),
    );
    assert_eq!(world.admits(&pss), Err(TokenError::SignatureInvalid));
}

#[test]
fn forged_signatures_are_invalid() {
    let world = World::auth0();
    let token = mint::token(Algorithm::Es256, &good());
    let (message, _) = token.rsplit_once('.').unwrap();
    let signature = mint::sign(Algorithm::Es256, message.as_bytes());
    let mut zero_r = signature.clone();
    zero_r[..32].fill(0);
    let mut zero_s = signature.clone();
    zero_s[32..].fill(0);
    let mut der = vec![0x30, 0x44, 0x02, 0x20];
    der.extend(&signature[..32]);
    der.extend([0x02, 0x20]);
    der.extend(&signature[32..]);
    let longer = [signature.as_slice(), &[0]].concat();
    for forged in [vec![0; 64], zero_r, zero_s, der, longer, signature[..63].to_vec(), vec![]] {
        let token = format!("{message}.{}", mint::encode(&forged));
        assert_eq!(world.admits(&token), Err(TokenError::SignatureInvalid), "{forged:?}");
    }
}

#[test]
fn keys_that_come_along_and_critical_extensions_are_refused() {
    let world = World::auth0();
    for changes in [
        json!({"jwk": mint::jwk(Algorithm::Es256)}),
        json!({"jku": "https://issuer.example/.well-known/jwks.json"}),
        json!({"x5u": "https://issuer.example/cert"}),
        json!({"x5c": ["MIIB"]}),
        json!({"crit": ["exp"]}),
        json!({"crit": []}),
        json!({"crit": null}),
        json!({"crit": ["b64"], "b64": false}),
        json!({"b64": true}),
        json!({"zip": "DEF"}),
        json!({"enc": "A256GCM"}),
        json!({"cty": "JWT"}),
        json!({"jwk": null}),
    ] {
        assert!(is_malformed(&world.admits(&headed(&head_but(&changes)))), "{changes}");
    }
}

#[test]
fn a_kid_is_a_name_among_the_issuers_keys_and_nothing_else() {
    let world = World::auth0();
    for kid in [
        "",
        "P256",
        "p256 ",
        "p256\0",
        "../../../../dev/null",
        "' OR 1=1 --",
        "/proc/self/environ",
        "https://evil.example/key",
        "p256,rsa",
        "é",
    ] {
        let token = headed(&head_but(&json!({"kid": kid})));
        assert_eq!(world.admits(&token), Err(TokenError::KeyUnknown), "{kid:?}");
    }
    for kid in [json!(5), json!(null), json!(["p256"]), json!({"p256": 1}), json!(true)] {
        assert!(is_malformed(&world.admits(&headed(&head_but(&json!({"kid": kid}))))), "{kid}");
    }
    let longest = headed(&head_but(&json!({"kid": "k".repeat(256)})));
    assert_eq!(world.admits(&longest), Err(TokenError::KeyUnknown));
    assert!(is_malformed(&world.admits(&headed(&head_but(&json!({"kid": "k".repeat(257)}))))));
    assert!(is_malformed(&world.admits(&headed(&head_but(&json!({"kid": "k".repeat(5000)}))))));
}

#[test]
fn a_key_that_never_came_is_unknown() {
    let world = World { keys: None, ..World::auth0() };
    let token = mint::token(Algorithm::Es256, &good());
    assert_eq!(world.admits(&token), Err(TokenError::KeyUnknown));
    let none = World { keys: Some(KeySet::default()), ..World::auth0() };
    assert_eq!(none.admits(&token), Err(TokenError::KeyUnknown));
}

#[test]
fn a_head_is_bounded_and_its_type_is_a_string() {
    let world = World::auth0();
    assert!(is_malformed(&world.admits(&headed(&head_but(&json!({"x": "x".repeat(1024)}))))));
    assert!(world.admits(&headed(&head_but(&json!({"x": "x".repeat(900)})))).is_ok());
    for kind in [json!(null), json!(1), json!(["at+jwt"])] {
        assert!(is_malformed(&world.admits(&headed(&head_but(&json!({"typ": kind}))))), "{kind}");
    }
}

#[test]
fn json_that_can_be_read_in_two_ways_is_malformed() {
    let world = World::auth0();
    let head = br#"{"alg":"ES256","kid":"p256","typ":"at+jwt"}"#;
    let claims = good().to_string();
    let body = claims.trim_end_matches('}');
    let deep = format!("{body},\"x\":{}{}}}", "[".repeat(500), "]".repeat(500));
    let texts: Vec<Vec<u8>> = vec![
        format!(r#"{body},"sub":"auth0|2"}}"#).into(),
        format!(r#"{body},"s\u0075b":"auth0|2"}}"#).into(),
        format!(r#"{body},"x":{{"a":1,"\u0061":2}}}}"#).into(),
        format!("\u{feff}{claims}").into(),
        format!("{claims}x").into(),
        format!("{claims}{{}}").into(),
        format!("{claims}\0").into(),
        deep.into(),
        format!(r#"{body},"x":"\ud800"}}"#).into(),
        [body.as_bytes(), b",\"x\":\"\xff\"}"].concat(),
        format!(r#"{body},"x":1e400}}"#).into(),
        format!("{body},}}").into(),
        format!("[{claims}]").into(),
        b"".into(),
        b"null".into(),
        b"\"\"".into(),
    ];
    for text in texts {
        let token = mint::of_text(Algorithm::Es256, head, &text);
        assert!(is_malformed(&world.admits(&token)), "{}", String::from_utf8_lossy(&text));
    }
    for head in [
        r#"{"alg":"none","alg":"ES256","kid":"p256"}"#,
        r#"{"alg":"ES256","\u0061lg":"none","kid":"p256"}"#,
        r#"{"alg":"ES256","kid":"p256","kid":"p256"}"#,
        r#"{"alg":"ES256","kid":"p256"} "x""#,
        "\u{feff}{\"alg\":\"ES256\",\"kid\":\"p256\"}",
        r#"["ES256"]"#,
        "",
    ] {
        let token = mint::of_text(Algorithm::Es256, head.as_bytes(), claims.as_bytes());
        assert!(is_malformed(&world.admits(&token)), "{head}");
    }
}

#[test]
fn only_canonical_base64url_in_three_parts_is_read() {
    let world = World::auth0();
    let token = mint::token(Algorithm::Es256, &good());
    let [head, claims, signature]: [&str; 3] =
        token.split('.').collect::<Vec<_>>().try_into().unwrap();
    // 64 bytes leave four bits of the last character unused.
    let (most, last) = signature.split_at(signature.len() - 1);
    let loose = char::from(last.as_bytes()[0] + 1);
    for broken in [
        format!("{head}.{claims}"),
        format!("{head}.{claims}.{signature}."),
        format!("{head}.{claims}.{signature}.{signature}.{signature}"),
        format!(".{head}.{claims}.{signature}"),
        String::new(),
        "..".to_owned(),
        format!("{head}.{claims}.{signature}=="),
        format!("{head}=.{claims}.{signature}"),
        format!("{head}.{claims}.{most}{loose}"),
        format!("{head}.{claims}.{most}+"),
        format!("{head}.{claims}.{most}/"),
        format!("{head}.{claims}. {signature}"),
        format!("{head}.{claims}.{signature}\n"),
        format!("{head} .{claims}.{signature}"),
        format!("{head}.{claims}.é"),
    ] {
        assert!(is_malformed(&Parsed::parse(&broken)), "before anything is believed: {broken}");
    }
    let padded = format!("{head}=");
    assert!(is_malformed(&world.admits(&mint::of_parts(Algorithm::Es256, &padded, claims))));
    let large = mint::token(Algorithm::Es256, &good_but(&json!({"x": "x".repeat(8192)})));
    assert_eq!(world.admits(&large), Err(TokenError::TooLarge));
}

#[test]
fn the_first_broken_rule_is_named() {
    let world = World::auth0();
    let all = json!({
        "iss": "https://evil.example/", "at_hash": "x", "exp": 1, "aud": "x", "cnf": {}, "nbf": "x",
    });
    let mut claims = good_but(&all);
    let mut head = json!({"alg": "none", "kid": "x", "typ": "at+jwt"});
    let answer = |head: &Value, claims: &Value| {
        world.admits(&mint::with_head(Algorithm::Es256, head, claims)).unwrap_err()
    };
    assert_eq!(answer(&head, &claims), TokenError::IssuerUnknown);
    claims["iss"] = json!(ISSUER);
    assert_eq!(answer(&head, &claims), TokenError::TypeRefused);
    claims.as_object_mut().unwrap().remove("at_hash");
    assert_eq!(answer(&head, &claims), TokenError::AlgorithmRefused);
    head["alg"] = json!("ES384");
    assert_eq!(answer(&head, &claims), TokenError::KeyUnknown);
    head["kid"] = json!("p384");
    assert_eq!(answer(&head, &claims), TokenError::SignatureInvalid);
    head = json!({"alg": "ES256", "kid": "p256", "typ": "at+jwt"});
    assert!(matches!(answer(&head, &claims), TokenError::Malformed(_)));
    claims["nbf"] = json!(NOW + 3000);
    assert_eq!(answer(&head, &claims), TokenError::Expired);
    claims["exp"] = json!(NOW + 3600);
    assert_eq!(answer(&head, &claims), TokenError::NotYetValid);
    claims["nbf"] = json!(NOW);
    assert_eq!(answer(&head, &claims), TokenError::AudienceMismatch);
    claims["aud"] = json!(AUDIENCE);
    assert_eq!(answer(&head, &claims), TokenError::SenderConstraintInvalid);
    claims.as_object_mut().unwrap().remove("cnf");
    assert!(world.admits(&mint::with_head(Algorithm::Es256, &head, &claims)).is_ok());
}

#[test]
fn nothing_of_a_token_is_printed() {
    let world = World::auth0();
    let token = mint::token(Algorithm::Es256, &good());
    let parsed = Arc::new(Parsed::parse(&token).unwrap());
    let verified = world.verify(&parsed, None).unwrap();
    let printed = format!("{parsed:?} {verified:?}");
    let parts = token.split('.').chain(["auth0|1", "read:orders", "web-app"]);
    for part in parts {
        assert!(!printed.contains(part), "{printed}");
    }
}
