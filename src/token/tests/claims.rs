//! Attacks on the claims, each with its exact answer.

use serde_json::json;

use super::*;

fn refused(changes: &Value) -> TokenError {
    World::auth0().admits_claims(&good_but(changes)).expect_err(&changes.to_string())
}

/// With a claim that is `null`, which `good_but` cannot say.
fn refused_null(claim: &str) -> TokenError {
    let mut claims = good();
    claims[claim] = Value::Null;
    World::auth0().admits_claims(&claims).expect_err(claim)
}

#[test]
fn claims_that_must_be_there_are() {
    for claim in ["iss", "aud", "exp"] {
        let missing = refused(&json!({ claim: null }));
        assert!(matches!(missing, TokenError::ClaimMissing(name) if name == claim), "{claim}");
        assert!(matches!(refused_null(claim), TokenError::Malformed(_)), "{claim}");
    }
    for claim in ["nbf", "iat", "sub", "scope", "scp", "permissions", "authorization_details"] {
        assert!(matches!(refused_null(claim), TokenError::Malformed(_)), "{claim}");
    }
    assert!(World::auth0().admits_claims(&good_but(&json!({"iat": null, "scope": null}))).is_ok());
}

#[test]
fn an_issuer_is_one_string_compared_byte_for_byte() {
    for iss in [
        json!("https://issuer.example"),
        json!("https://ISSUER.example/"),
        json!("https://issuer.example//"),
        json!(" https://issuer.example/"),
        json!("https://issuer.example/\0"),
        json!("https://evil.example/"),
        json!(""),
    ] {
        assert_eq!(refused(&json!({ "iss": iss })), TokenError::IssuerUnknown, "{iss}");
    }
    for iss in [json!([ISSUER]), json!([]), json!(5), json!({"iss": ISSUER}), json!(true)] {
        assert!(matches!(refused(&json!({ "iss": iss })), TokenError::Malformed(_)), "{iss}");
    }
}

#[test]
fn an_audience_is_a_string_or_a_list_of_them_compared_byte_for_byte() {
    for aud in [
        json!("https://api.example/"),
        json!("https://API.example"),
        json!("https://api.example "),
        json!("https://other.example"),
        json!(""),
        json!([]),
        json!(["https://api.example/", "https://other.example"]),
    ] {
        assert_eq!(refused(&json!({ "aud": aud })), TokenError::AudienceMismatch, "{aud}");
    }
    for aud in [json!(5), json!({}), json!([[AUDIENCE]]), json!([AUDIENCE, 5]), json!([null])] {
        assert!(matches!(refused(&json!({ "aud": aud })), TokenError::Malformed(_)), "{aud}");
    }
    let mut world = World::auth0();
    assert!(world.admits_claims(&good_but(&json!({ "aud": AUDIENCE }))).is_ok());
    world.audiences.push(Audience::new("urn:more").unwrap());
    assert!(world.admits_claims(&good_but(&json!({"aud": ["x", "urn:more"]}))).is_ok());
    world.audiences.clear();
    assert_eq!(world.admits_claims(&good()), Err(TokenError::AudienceMismatch));
}

#[test]
fn times_are_numbers_in_range() {
    for time in [
        json!("1800003600"),
        json!(true),
        json!([NOW]),
        json!({}),
        json!(-1),
        json!(-0.5),
        json!(253_402_300_800_i64),
        json!(NOW * 1000),
        json!(1_u64 << 63),
        json!(u64::MAX),
        json!(1e300),
        json!(18_446_744_073_709_551_616.0),
    ] {
        for claim in ["exp", "nbf", "iat"] {
            let answer = refused(&json!({ claim: time }));
            assert!(matches!(answer, TokenError::Malformed(_)), "{claim} {time}");
        }
    }
    let world = World::auth0();
    let last = 253_402_300_799_i64;
    assert!(world.admits_claims(&good_but(&json!({"exp": last, "nbf": 0, "iat": 0.5}))).is_ok());
}

#[test]
fn time_has_a_leeway_on_both_sides() {
    let world = World::auth0();
    let at = |changes: Value| world.admits_claims(&good_but(&changes)).map(|_| ());
    assert_eq!(at(json!({"exp": NOW - 29})), Ok(()));
    assert_eq!(at(json!({"exp": NOW - 30})), Err(TokenError::Expired));
    assert_eq!(at(json!({"exp": 1_799_999_970.5})), Ok(()), "a fraction is legal");
    assert_eq!(at(json!({"exp": 0})), Err(TokenError::Expired));
    for claim in ["nbf", "iat"] {
        assert_eq!(at(json!({ claim: NOW + 30 })), Ok(()));
        assert_eq!(at(json!({ claim: NOW + 31 })), Err(TokenError::NotYetValid));
        assert_eq!(at(json!({ claim: 1_800_000_030.5 })), Err(TokenError::NotYetValid));
    }
}

#[test]
fn scopes_are_split_at_spaces_alone_and_hold_scope_characters() {
    for scope in [
        "read:orders\twrite:orders",
        "read:orders\nx",
        "a\u{a0}b",
        "a\u{2003}b",
        "a\0",
        "\"a\"",
        "a\\b",
        "réad",
        "a\u{7f}",
    ] {
        for claims in [
            json!({ "scope": scope }),
            json!({ "scp": scope }),
            json!({ "scp": [scope] }),
            json!({ "permissions": [scope] }),
        ] {
            assert!(matches!(refused(&claims), TokenError::Malformed(_)), "{claims}");
        }
    }
    for claims in [
        json!({"scope": ["a"]}),
        json!({"scope": 5}),
        json!({"scp": {}}),
        json!({"scp": ["a", 1]}),
        json!({"scp": ["a", null]}),
        json!({"scp": ["a b"]}),
        json!({"scp": [""]}),
        json!({"permissions": "a"}),
        json!({"permissions": [["a"]]}),
    ] {
        assert!(matches!(refused(&claims), TokenError::Malformed(_)), "{claims}");
    }
    for scope in ["", " ", "a  b", " a "] {
        assert!(World::auth0().admits_claims(&good_but(&json!({ "scope": scope }))).is_ok());
    }
}

#[test]
fn authorization_details_are_objects_with_a_type() {
    for details in [
        json!({"type": "payment"}),
        json!("payment"),
        json!(["payment"]),
        json!([{}]),
        json!([{"type": 5}]),
        json!([{"type": "payment"}, {"Type": "payment"}]),
        json!([[{"type": "payment"}]]),
    ] {
        let answer = refused(&json!({ "authorization_details": details }));
        assert!(matches!(answer, TokenError::Malformed(_)), "{details}");
    }
}

#[test]
fn a_bound_token_does_not_pass_as_a_plain_one() {
    let thumbprint = mint::encode(&[7; 32]);
    for cnf in [
        json!({ "jkt": thumbprint }),
        json!({ "x5t#S256": thumbprint }),
        json!({ "jkt": thumbprint, "x5t#S256": thumbprint }),
        json!({ "jkt": thumbprint, "other": 1 }),
    ] {
        let answer = refused(&json!({ "cnf": cnf }));
        assert_eq!(answer, TokenError::SenderConstraintMissing, "{cnf}");
    }
    for cnf in [
        json!({}),
        json!("x"),
        json!([]),
        json!({"kid": "x"}),
        json!({"jkt": 5}),
        json!({"jkt": ""}),
        json!({"jkt": "short"}),
        json!({ "jkt": thumbprint, "x5t#S256": 5 }),
    ] {
        let answer = refused(&json!({ "cnf": cnf }));
        assert_eq!(answer, TokenError::SenderConstraintInvalid, "{cnf}");
    }
    assert_eq!(refused_null("cnf"), TokenError::SenderConstraintInvalid);
}

#[test]
fn without_an_audience_cognitos_scopes_say_whom_a_token_is_for() {
    let world = World::of(Profile::Cognito);
    let answer = |changes: Value| {
        let mut claims = json!({"token_use": "access", "aud": null});
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        world.admits_claims(&good_but(&claims)).map(|_| ())
    };
    let scope = |scope: &str| answer(json!({ "scope": scope }));
    assert_eq!(scope("https://api.example/read:orders"), Ok(()));
    assert_eq!(scope("openid https://other.example/x https://api.example/y"), Ok(()));
    for other in [
        "",
        "read:orders",
        "https://api.example",
        "https://api.example/",
        "https://api.example/more/read:orders",
        "https://api.examples/read:orders",
        "HTTPS://api.example/read:orders",
        "https:/read:orders",
        "/read:orders",
    ] {
        assert_eq!(scope(other), Err(TokenError::AudienceMismatch), "{other}");
    }
    assert_eq!(answer(json!({"scope": null})), Err(TokenError::ClaimMissing("aud")));
    let listed = json!({"scope": null, "scp": ["https://api.example/x"]});
    assert_eq!(answer(listed), Err(TokenError::ClaimMissing("aud")));
    assert!(is_malformed(&answer(json!({"scope": ["https://api.example/x"]}))));

    // An audience that is there is what counts.
    let ours = "https://api.example/read:orders";
    let elsewhere = json!({"aud": "https://other.example", "scope": ours});
    assert_eq!(answer(elsewhere), Err(TokenError::AudienceMismatch));
    assert_eq!(answer(json!({"aud": [], "scope": ours})), Err(TokenError::AudienceMismatch));
    assert!(is_malformed(&answer(json!({"aud": 5, "scope": ours}))));
    assert_eq!(answer(json!({"aud": AUDIENCE, "scope": "x"})), Ok(()));

    // Every other profile asks for one.
    let claims = json!({"aud": null, "scope": ours});
    let refused = World::auth0().admits_claims(&good_but(&claims));
    assert_eq!(refused, Err(TokenError::ClaimMissing("aud")));
}
