//! From claims to the facts that the decision weighs.

use serde_json::json;

use super::*;
use crate::policy::{
    Access, Api, Enforcement, Grants, NameSet, Names, Organization, OverCeiling, Party, Policy,
    Presented, StrictPolicy, SubjectType,
};
use crate::token::{Custom, Rule, Test};

pub(super) fn api() -> Api {
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

/// A token of Cognito's, with these claims.
fn cognito(changes: &Value) -> Value {
    let mut claims = json!({
        "token_use": "access", "azp": null, "client_id": "web-app", "sub": "web-app", "aud": null,
    });
    claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    claims
}

#[test]
fn cognitos_scopes_say_whose_they_are() {
    let of = |changes: Value| scopes(Profile::Cognito, &cognito(&changes));
    let scope = format!("{AUDIENCE}/read:orders {AUDIENCE}/x https://other.example/write:orders");
    let undeclared = format!("{AUDIENCE}/x");
    assert_eq!(of(json!({ "scope": scope })), three("read:orders", &undeclared, "read:orders"));
    // Those of a longer identifier are not ours, nor those of a shorter one.
    let near = format!("{AUDIENCE}/read:orders {AUDIENCE}/more/write:orders https:/write:orders");
    assert_eq!(of(json!({ "scope": near })), three("read:orders", "", "read:orders"));
    // One that says nothing is nobody's: it gives nothing, and is too much.
    let bare = format!("{AUDIENCE}/read:orders write:orders {AUDIENCE}/");
    let undeclared = format!("write:orders {AUDIENCE}/");
    assert_eq!(of(json!({ "scope": bare })), three("read:orders", &undeclared, "read:orders"));
    // With an audience too, scopes say whose they are.
    let both = json!({"aud": AUDIENCE, "scope": format!("{AUDIENCE}/read:orders")});
    assert_eq!(of(both), three("read:orders", "", "read:orders"));

    let user = format!("openid email aws.cognito.signin.user.admin {AUDIENCE}/email");
    let user = json!({"username": "ada", "sub": "b2f1", "scope": user});
    assert_eq!(of(user), three("email", "", "email"));
    let machine = format!("{AUDIENCE}/email openid aws.cognito.signin.user.admin");
    let machine = json!({ "scope": machine });
    assert_eq!(of(machine), three("email", "openid aws.cognito.signin.user.admin", "email"));
}

#[test]
fn entras_roles_are_scopes_of_a_client_and_nothing_of_a_user() {
    let of = |changes: &Value| scopes(Profile::Entra, changes);
    let roles = json!(["read:orders", "write:orders", "x"]);
    let client = json!({"scope": null, "sub": "o", "oid": "o", "roles": roles});
    assert_eq!(of(&client), three("read:orders write:orders", "x", "read:orders write:orders"));
    let user = json!({"scope": null, "scp": "read:orders", "oid": "o", "roles": roles});
    assert_eq!(of(&user), three("read:orders", "", "read:orders"));
    let user = json!({"scope": null, "scp": "openid", "oid": "o", "roles": roles});
    assert_eq!(of(&user), three("", "", ""));
}

#[test]
fn oktas_and_hydras_scopes_are_lists_or_texts_or_both() {
    let of = |profile: Profile, scopes_of: Value| {
        let mut claims =
            json!({"cid": "web-app", "client_id": "web-app", "sub": "web-app", "scope": null});
        claims.as_object_mut().unwrap().extend(scopes_of.as_object().unwrap().clone());
        scopes(profile, &claims)
    };
    for profile in [Profile::Okta, Profile::Hydra] {
        let list = json!({"scp": ["read:orders"]});
        assert_eq!(of(profile.clone(), list), three("read:orders", "", "read:orders"));
        let text = json!({"scope": "read:orders"});
        assert_eq!(of(profile.clone(), text), three("read:orders", "", "read:orders"));
        let both = json!({"scope": "read:orders", "scp": ["read:orders", "write:orders"]});
        assert_eq!(of(profile, both), three("read:orders write:orders", "", "read:orders"));
    }
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

/// The organization of a token with these claims, in words.
fn organization(profile: Profile, changes: &Value) -> String {
    presented(profile, changes, |presented| match presented.organization {
        Organization::Absent => "absent".to_owned(),
        Organization::Id(id) => id.to_owned(),
        Organization::Unreadable => "unreadable".to_owned(),
    })
}

#[test]
fn an_organization_is_known_by_its_id_alone() {
    let id = |changes: Value| organization(Profile::Auth0, &changes);
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
fn keycloaks_organization_is_known_by_its_alias() {
    let alias = |claim: Value| {
        let claims = json!({"typ": "Bearer", "clientHost": "10.0.0.1", "organization": claim});
        organization(Profile::Keycloak, &claims)
    };
    let acme = [json!("acme"), json!(["acme"]), json!({"acme": {}}), json!({"acme": {"id": "4f"}})];
    for claim in acme {
        assert_eq!(alias(claim.clone()), "acme", "{claim}");
    }
    for none in [json!(null), json!([]), json!({})] {
        assert_eq!(alias(none.clone()), "absent", "{none}");
    }
    for doubtful in [
        json!(""),
        json!(5),
        json!([5]),
        json!([""]),
        json!(["acme", "zenith"]),
        json!({"acme": {}, "zenith": {}}),
        json!(["a b"]),
    ] {
        assert_eq!(alias(doubtful.clone()), "unreadable", "{doubtful}");
    }
}

#[test]
fn hydras_organization_may_stand_in_ext() {
    let of = |changes: Value| {
        let mut claims = json!({"client_id": "web-app"});
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        organization(Profile::Hydra, &claims)
    };
    assert_eq!(of(json!({"ext": {}})), "absent");
    assert_eq!(of(json!({"org_id": "org_1"})), "org_1");
    assert_eq!(of(json!({"ext": {"org_id": "org_1"}})), "org_1");
    assert_eq!(of(json!({"org_id": "org_1", "ext": {"org_id": "org_1"}})), "org_1");
    assert_eq!(of(json!({"org_id": "org_1", "ext": {"org_id": "org_2"}})), "unreadable");
    assert_eq!(of(json!({"org_id": "org_1", "ext": {"org_name": "acme"}})), "unreadable");
    assert_eq!(of(json!({"ext": {"org_name": "acme"}})), "unreadable");
    for doubtful in [json!("org_1"), json!([{"org_id": "org_1"}]), json!(7), json!(true)] {
        assert_eq!(of(json!({"ext": doubtful})), "unreadable", "{doubtful}");
        assert_eq!(of(json!({"org_id": "org_1", "ext": doubtful})), "unreadable", "{doubtful}");
    }
}

#[test]
fn entras_tenant_is_no_organization() {
    let claims = json!({"scp": "x", "tid": "t", "org_id": "org_1"});
    assert_eq!(organization(Profile::Entra, &claims), "absent");
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
