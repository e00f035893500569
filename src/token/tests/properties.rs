//! Whatever comes, nothing panics; and whatever is done to a good token, it is no longer one.

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::json;

use super::*;

static WORLD: LazyLock<World> = LazyLock::new(World::auth0);
static GOOD: LazyLock<[String; 3]> = LazyLock::new(|| {
    [Algorithm::Ed25519, Algorithm::Es256, Algorithm::Rs256]
        .map(|algorithm| mint::token(algorithm, &good()))
});

/// A JSON value of any shape.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
        Just(json!(AUDIENCE)),
        Just(json!("client-credentials")),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-z_]{0,6}", inner, 0..4)
                .prop_map(|object| object.into_iter().collect()),
        ]
    })
}

const CLAIMS: [&str; 16] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "azp",
    "client_id",
    "scope",
    "scp",
    "permissions",
    "gty",
    "org_id",
    "authorization_details",
    "cnf",
    "sub_profile",
];

proptest! {
    #[test]
    fn no_text_panics(text in ".{0,200}", parts in "[A-Za-z0-9_.=-]{0,200}") {
        prop_assert!(WORLD.admits(&text).is_err());
        prop_assert!(WORLD.admits(&parts).is_err());
    }

    #[test]
    fn no_bytes_in_signed_parts_panic(
        head in proptest::collection::vec(any::<u8>(), 0..40),
        claims in proptest::collection::vec(any::<u8>(), 0..80),
    ) {
        prop_assert!(WORLD.admits(&mint::of_text(Algorithm::Ed25519, &head, &claims)).is_err());
    }

    #[test]
    fn no_claims_panic(name in proptest::sample::select(&CLAIMS[..]), value in any_json()) {
        let mut claims = good();
        claims[name] = value;
        let token = mint::token(Algorithm::Ed25519, &claims);
        let parsed = Arc::new(Parsed::parse(&token).unwrap());
        if let Ok(verified) = WORLD.verify(&parsed, None) {
            let identity = verified.identity();
            if let Ok(identity) = identity {
                prop_assert_eq!(Ok(identity.client), verified.client());
            }
        }
    }

    #[test]
    fn any_mutation_of_a_good_token_is_refused(
        which in 0_usize..3,
        place in any::<prop::sample::Index>(),
        kind in 0_u8..4,
        character in "[A-Za-z0-9_.=+/ -]",
    ) {
        let good = &GOOD[which];
        prop_assert!(WORLD.admits(good).is_ok());
        let place = place.index(good.len());
        let mut mutated = good.clone();
        match kind {
            0 => mutated.replace_range(place..=place, &character),
            1 => mutated.insert_str(place, &character),
            2 => mutated.replace_range(place..=place, ""),
            _ => mutated.truncate(place),
        }
        prop_assume!(mutated != *good);
        prop_assert!(WORLD.admits(&mutated).is_err(), "{}", mutated);
    }

    #[test]
    fn parts_of_two_good_tokens_are_no_token(one in 0_usize..3, step in 1_usize..3, cut in 0_usize..2) {
        let two = (one + step) % 3;
        let split = |which: usize| GOOD[which].split('.').collect::<Vec<_>>();
        let mixed = [&split(one)[..=cut], &split(two)[cut + 1..]].concat().join(".");
        prop_assert!(WORLD.admits(&mixed).is_err());
    }
}
