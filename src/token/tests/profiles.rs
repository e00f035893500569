//! The truth tables of the profiles, as signed tokens.

use serde_json::{Value, json};

use super::*;
use crate::token::{Custom, Rule, Test};

#[test]
fn auth0_weighs_all_its_signals() {
    check(&Profile::Auth0, include_str!("../../../tests/vectors/profiles/auth0.json"));
}

#[test]
fn rfc9068_weighs_sub_against_the_client_id() {
    check(&Profile::Rfc9068, include_str!("../../../tests/vectors/profiles/rfc9068.json"));
}

#[test]
fn okta_weighs_uid_against_sub() {
    check(&Profile::Okta, include_str!("../../../tests/vectors/profiles/okta.json"));
}

#[test]
fn keycloak_tells_accounts_apart_and_other_tokens_from_access_tokens() {
    check(&Profile::Keycloak, include_str!("../../../tests/vectors/profiles/keycloak.json"));
}

#[test]
fn entra_weighs_idtyp_scp_and_sub_in_both_versions() {
    check(&Profile::Entra, include_str!("../../../tests/vectors/profiles/entra.json"));
}

#[test]
fn cognito_weighs_username_against_sub() {
    check(&Profile::Cognito, include_str!("../../../tests/vectors/profiles/cognito.json"));
}

#[test]
fn hydra_weighs_sub_against_the_client_id() {
    check(&Profile::Hydra, include_str!("../../../tests/vectors/profiles/hydra.json"));
}

#[test]
fn custom_weighs_the_rules_it_is_given() {
    check(&custom(), include_str!("../../../tests/vectors/profiles/custom.json"));
}

/// The profile that the custom table is written for.
fn custom() -> Profile {
    let rule = |claim: &str, test| Rule { claim: claim.to_owned(), test };
    Profile::Custom(Box::new(Custom {
        client: vec!["cid".to_owned(), "app".to_owned()],
        machine: vec![
            rule("kind", Test::Equals("machine".to_owned())),
            rule("grants", Test::Contains("client_credentials".to_owned())),
        ],
        user: vec![rule("sub", Test::Contains("|".to_owned()))],
        ..Custom::default()
    }))
}

fn check(profile: &Profile, table: &str) {
    let table: Value = serde_json::from_str(table).unwrap();
    for row in table.as_array().unwrap() {
        let mut world = World::of(profile.clone());
        if row["unproven"] == "user" {
            world.trust.unproven = Unproven::User;
        }
        let mut claims = json!({"iss": ISSUER, "aud": AUDIENCE, "exp": NOW + 60, "iat": NOW});
        claims.as_object_mut().unwrap().extend(row["claims"].as_object().unwrap().clone());
        let parsed = Arc::new(Parsed::parse(&mint::token(Algorithm::Es256, &claims)).unwrap());
        let answer = match world.verify(&parsed, None) {
            Ok(verified) => match (verified.client(), verified.identity()) {
                (Err(TokenError::ClientUnidentified), Err(TokenError::ClientUnidentified)) => {
                    "client-unidentified"
                }
                (Ok(_), Err(TokenError::SubjectTypeAmbiguous)) => "subject-type-ambiguous",
                (Ok(client), Ok(identity)) if identity.client == client => {
                    identity.subject_type.as_str()
                }
                other => panic!("{}: {other:?}", row["name"]),
            },
            Err(TokenError::TypeRefused) => "token-type-refused",
            Err(other) => panic!("{}: {other}", row["name"]),
        };
        assert_eq!(answer, row["expect"], "{}", row["name"]);
    }
}

#[test]
fn types_are_admitted_as_the_profile_says_in_any_case() {
    let outcome = |profile: Profile, kind: Option<&str>| {
        let mut head = json!({"alg": "EdDSA", "kid": "ed25519", "typ": kind});
        if kind.is_none() {
            head.as_object_mut().unwrap().remove("typ");
        }
        World::of(profile).admits(&mint::with_head(Algorithm::Ed25519, &head, &good())).map(|_| ())
    };
    let of_types = |types: &[&str]| {
        let types = types.iter().map(ToString::to_string).collect();
        Profile::Custom(Box::new(Custom { types, ..Custom::default() }))
    };
    for kind in ["at+jwt", "AT+JWT", "application/at+jwt", "Application/AT+jwt"] {
        for profile in [Profile::Auth0, Profile::Rfc9068, of_types(&[])] {
            assert_eq!(outcome(profile, Some(kind)), Ok(()), "{kind}");
        }
    }
    for kind in [Some("JWT"), Some("jwt"), None] {
        assert_eq!(outcome(Profile::Auth0, kind), Ok(()));
        assert_eq!(outcome(of_types(&["JWT", "none"]), kind), Ok(()));
        assert_eq!(outcome(Profile::Rfc9068, kind), Err(TokenError::TypeRefused));
        assert_eq!(outcome(of_types(&["acme+jwt"]), kind), Err(TokenError::TypeRefused));
    }
    assert_eq!(outcome(of_types(&["acme+jwt"]), Some("Acme+JWT")), Ok(()));
    assert_eq!(outcome(of_types(&["JWT"]), None), Err(TokenError::TypeRefused));
    assert_eq!(outcome(of_types(&["none"]), None), Ok(()));
    for kind in ["JWT", "none", "None"] {
        assert_eq!(
            outcome(of_types(&["none"]), Some(kind)),
            Err(TokenError::TypeRefused),
            "{kind}"
        );
    }
    for (profile, claims) in known() {
        for kind in [Some("JWT"), Some("jwt"), Some("at+jwt"), None] {
            let mut head = json!({"alg": "EdDSA", "kid": "ed25519", "typ": kind});
            if kind.is_none() {
                head.as_object_mut().unwrap().remove("typ");
            }
            let token = mint::with_head(Algorithm::Ed25519, &head, &good_but(&claims));
            let admitted = World::of(profile.clone()).admits(&token).map(|_| ());
            assert_eq!(admitted, Ok(()), "{profile:?} {kind:?}");
        }
        for kind in ["application/okta-internal-at+jwt", "logout+jwt", "none", ""] {
            let head = json!({"alg": "EdDSA", "kid": "ed25519", "typ": kind});
            let token = mint::with_head(Algorithm::Ed25519, &head, &good_but(&claims));
            let refused = World::of(profile.clone()).admits(&token).map(|_| ());
            assert_eq!(refused, Err(TokenError::TypeRefused), "{profile:?} {kind}");
        }
    }
    for kind in ["logout+jwt", "dpop+jwt", "secevent+jwt", "id_token", "JWS", "JOSE", "", " JWT"] {
        for profile in [Profile::Auth0, Profile::Rfc9068, of_types(&["JWT"])] {
            assert_eq!(outcome(profile, Some(kind)), Err(TokenError::TypeRefused), "{kind}");
        }
    }
}

/// The profiles that admit `JWT`, and the claims that mark their access tokens.
fn known() -> [(Profile, Value); 6] {
    [
        (Profile::Auth0, json!({})),
        (Profile::Cognito, json!({"token_use": "access"})),
        (Profile::Entra, json!({})),
        (Profile::Hydra, json!({})),
        (Profile::Keycloak, json!({"typ": "Bearer"})),
        (Profile::Okta, json!({})),
    ]
}

#[test]
fn id_tokens_are_refused_by_their_signs() {
    let sign = |profile: Profile, claim: &str| {
        World::of(profile).admits_claims(&good_but(&json!({claim: "x"}))).map(|_| ())
    };
    for claim in ["at_hash", "c_hash", "s_hash"] {
        for profile in [Profile::Rfc9068, custom()] {
            assert_eq!(sign(profile, claim), Err(TokenError::TypeRefused), "{claim}");
        }
        for (profile, mut claims) in known() {
            let world = World::of(profile);
            assert!(world.admits_claims(&good_but(&claims)).is_ok());
            claims[claim] = json!("x");
            let refused = world.admits_claims(&good_but(&claims)).map(|_| ());
            assert_eq!(refused, Err(TokenError::TypeRefused), "{claim}");
        }
    }
    assert_eq!(sign(Profile::Auth0, "nonce"), Err(TokenError::TypeRefused));
    assert_eq!(sign(Profile::Rfc9068, "nonce"), Err(TokenError::TypeRefused));
    assert_eq!(sign(custom(), "nonce"), Ok(()));
}
