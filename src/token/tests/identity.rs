//! From claims to the facts that the decision weighs.

use serde_json::json;

use super::*;
use crate::policy::{
    Access, Api, Enforcement, Grants, NameSet, Names, Organization, OverCeiling, Party, Policy,
    Presented, StrictPolicy, SubjectType,
};
use crate::token::{Custom, Rule, Test};

fn api() -> Api {
    Api {
        identifier: Audience::new(AUDIENCE).unwrap(),
        scopes: ["read:orders", "write:orders", "email"].into_iter().collect(),
        details: std::iter::once("payment").collect(),
        access: Access {
            anonymous_user: StrictPolicy::DenyAll,
            client: StrictPolicy::RequireClientGrant,
            user: Policy::AllowAll,
        },
        over_ceiling: OverCeiling::Reject,
        enforcement: Enforcement::Enforce,
        grants: Grants::default(),
    }
}

fn names(declared: &Names, set: &NameSet) -> String {
    declared.of(set).map(|name| &**name).collect::<Vec<_>>().join(" ")
}

/// Claimed, undeclared and usable scopes of a token with these claims.
fn scopes(profile: Profile, changes: &Value) -> (String, String, String) {
    let api = api();
    presented(profile, changes, |presented| {
        let scopes = &presented.scopes;
        (
            names(&api.scopes, &scopes.claimed),
            scopes.undeclared.join(" "),
            names(&api.scopes, &scopes.usable),
        )
    })
}

fn presented<T>(profile: Profile, changes: &Value, look: impl Fn(&Presented<'_>) -> T) -> T {
    let world = World::of(profile);
    let token = mint::token(Algorithm::Ed25519, &good_but(changes));
    let parsed = Arc::new(Parsed::parse(&token).unwrap());
    let identity = world.verify(&parsed, None).unwrap().identity().unwrap();
    look(&identity.present(Party::First, &api()))
}

fn three(claimed: &str, undeclared: &str, usable: &str) -> (String, String, String) {
    (claimed.to_owned(), undeclared.to_owned(), usable.to_owned())
}

/// A token of the application itself, with these claims.
fn machine(changes: &Value) -> Value {
    let mut claims = json!({"sub": "web-app@clients", "gty": "client-credentials", "scope": null});
    claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    claims
}

#[test]
fn several_claims_count_together_against_the_ceiling_and_only_as_far_as_they_agree_for_a_need() {
    let of = |changes: &Value| scopes(Profile::Auth0, &machine(changes));
    assert_eq!(of(&json!({})), three("", "", ""));
    assert_eq!(of(&json!({"scope": "read:orders x x"})), three("read:orders", "x", "read:orders"),);
    assert_eq!(
        of(&json!({"scope": "read:orders a", "scp": ["write:orders", "read:orders", "b"]})),
        three("read:orders write:orders", "a b", "read:orders"),
    );
    assert_eq!(of(&json!({"scope": "", "scp": "read:orders"})), three("read:orders", "", ""));
    assert_eq!(of(&json!({"scp": "write:orders"})), three("write:orders", "", "write:orders"),);
}

#[test]
fn a_custom_profile_reads_its_claim_and_of_scope_and_scp_both_where_both_are_there() {
    let of = |claim: &str, changes: &Value| {
        let rule = Rule { claim: "gty".into(), test: Test::Equals("client-credentials".into()) };
        let custom = Custom { scopes: claim.into(), machine: vec![rule], ..Custom::default() };
        scopes(Profile::Custom(Box::new(custom)), &machine(changes))
    };
    let both = json!({"scope": "read:orders write:orders", "scp": ["read:orders", "x"]});
    for claim in ["scope", "scp"] {
        assert_eq!(of(claim, &both), three("read:orders write:orders", "x", "read:orders"));
    }
    let scp = json!({"scp": "read:orders"});
    assert_eq!(of("scp", &scp), three("read:orders", "", "read:orders"));
    assert_eq!(of("scope", &scp), three("", "", ""));
    assert_eq!(of("roles", &both), three("", "", ""));
}

#[test]
fn permissions_are_scopes_of_a_client_and_a_bound_of_a_user() {
    let client = |changes: &Value| scopes(Profile::Auth0, &machine(changes));
    assert_eq!(
        client(
            &json!({"scope": "read:orders", "permissions": ["read:orders", "write:orders", "x"]})
        ),
        three("read:orders write:orders", "x", "read:orders"),
    );
    assert_eq!(
        client(&json!({"permissions": ["read:orders"]})),
        three("read:orders", "", "read:orders"),
    );
    let user = |changes: &Value| scopes(Profile::Auth0, changes);
    assert_eq!(
        user(&json!({"scope": "read:orders write:orders", "permissions": ["read:orders", "x"]})),
        three("read:orders write:orders", "", "read:orders"),
    );
    assert_eq!(user(&json!({"scope": null, "permissions": ["read:orders"]})), three("", "", ""),);
    assert_eq!(
        user(&json!({"scope": "read:orders", "permissions": []})),
        three("read:orders", "", ""),
    );
    let other = json!({"client_id": "web-app", "scope": "read:orders", "permissions": []});
    assert_eq!(scopes(Profile::Rfc9068, &other), three("read:orders", "", "read:orders"));
}

#[test]
fn openid_scopes_of_a_user_are_left_aside_unless_the_api_declares_them() {
    let openid = "openid profile email address phone offline_access";
    assert_eq!(scopes(Profile::Auth0, &json!({ "scope": openid })), three("email", "", "email"),);
    assert_eq!(
        scopes(Profile::Auth0, &machine(&json!({ "scope": openid }))),
        three("email", "openid profile address phone offline_access", "email"),
    );
    let anonymous = json!({"sub": "anon@1", "scope": "openid"});
    assert_eq!(scopes(Profile::Auth0, &anonymous), three("", "openid", ""));
}

#[test]
fn details_are_told_apart_by_what_the_api_registers() {
    let details = json!({"authorization_details": [
        {"type": "payment", "amount": 1}, {"type": "payment"}, {"type": "x"}, {"type": "x"},
    ]});
    presented(Profile::Auth0, &details, |presented| {
        assert_eq!(names(&api().details, &presented.details.registered), "payment");
        assert_eq!(presented.details.unregistered, ["x"]);
    });
}

#[test]
fn an_organization_is_known_by_its_id_alone() {
    let id = |changes: Value| {
        presented(Profile::Auth0, &changes, |presented| match presented.organization {
            Organization::Absent => "absent".to_owned(),
            Organization::Id(id) => id.to_owned(),
            Organization::Unreadable => "unreadable".to_owned(),
        })
    };
    assert_eq!(id(json!({})), "absent");
    assert_eq!(id(json!({"org_id": "org_1"})), "org_1");
    assert_eq!(id(json!({"org_id": "org_1", "org_name": "acme"})), "org_1");
    for doubtful in [
        json!({"org_name": "acme"}),
        json!({"org_id": ""}),
        json!({"org_id": 5}),
        json!({"org_id": ["org_1"]}),
        json!({"org_id": "org 1"}),
        json!({"org_id": "örg"}),
        json!({"org_id": "org_1", "org_name": 5}),
    ] {
        assert_eq!(id(doubtful.clone()), "unreadable", "{doubtful}");
    }
}

#[test]
fn an_identity_carries_what_records_need() {
    let world = World::auth0();
    let claims = good_but(&json!({"azp": "tpc_1", "scope": "a b", "scp": ["b", "c"]}));
    let token = mint::token(Algorithm::Ed25519, &claims);
    let parsed = Arc::new(Parsed::parse(&token).unwrap());
    let identity = world.verify(&parsed, None).unwrap().identity().unwrap();
    assert_eq!(identity.issuer.as_str(), ISSUER);
    assert_eq!((identity.client, identity.subject), ("tpc_1", Some("auth0|1")));
    assert_eq!(identity.subject_type, SubjectType::User);
    assert_eq!(identity.party, Party::Third);
    assert_eq!(identity.scopes().collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(identity.present(Party::First, &api()).party, Party::First);
}

#[test]
fn only_auth0_gives_third_parties_a_prefix() {
    let claims = json!({"azp": null, "client_id": "tpc_1"});
    let token = mint::token(Algorithm::Ed25519, &good_but(&claims));
    let parsed = Arc::new(Parsed::parse(&token).unwrap());
    let world = World::of(Profile::Rfc9068);
    assert_eq!(world.verify(&parsed, None).unwrap().identity().unwrap().party, Party::First);
}
