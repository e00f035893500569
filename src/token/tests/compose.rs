//! Short forms written as claims, signed, and read back by the way that every token takes.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;
use crate::policy::{NameSet, Names, Organization, Party, SubjectType};
use crate::token::{Caller, ComposeError, Custom, Rule, Test, compose};

const SUBJECT_TYPES: [SubjectType; 3] =
    [SubjectType::AnonymousUser, SubjectType::Client, SubjectType::User];

fn custom(machine: &[Rule], user: &[Rule]) -> Profile {
    Profile::Custom(Box::new(Custom {
        client: vec!["app".to_owned()],
        scopes: "perms".to_owned(),
        organization: "tenant".to_owned(),
        machine: machine.to_vec(),
        user: user.to_vec(),
        ..Custom::default()
    }))
}

fn rule(claim: &str, test: Test) -> Rule {
    Rule { claim: claim.to_owned(), test }
}

fn profiles() -> Vec<Profile> {
    let machine = rule("kind", Test::Equals("machine".to_owned()));
    let user = rule("sub", Test::Contains("|".to_owned()));
    vec![
        Profile::Auth0,
        Profile::Cognito,
        Profile::Entra,
        Profile::Hydra,
        Profile::Keycloak,
        Profile::Okta,
        Profile::Rfc9068,
        custom(&[machine], &[user]),
    ]
}

fn caller(audience: &Audience, subject_type: SubjectType) -> Caller<'_> {
    Caller {
        issuer: ISSUER,
        audience,
        client: "Web-App",
        subject_type,
        scopes: vec!["read:orders"],
        organization: None,
        details: Vec::new(),
        issued: UnixTime::from_seconds(NOW),
    }
}

/// Signs what is composed, and compares what the gate reads with what was asked for.
fn check(profile: &Profile, caller: &Caller<'_>) -> Result<(), ComposeError> {
    let claims = Value::Object(compose(profile, caller)?);
    let world = World::of(profile.clone());
    let parsed = Arc::new(Parsed::parse(&mint::token(Algorithm::Ed25519, &claims)).unwrap());
    let verified = world.verify(&parsed, None).unwrap_or_else(|e| panic!("{e}: {claims}"));
    let identity = verified.identity().unwrap_or_else(|e| panic!("{e}: {claims}"));
    assert_eq!(identity.issuer.as_str(), caller.issuer);
    assert_eq!(identity.client, caller.client);
    assert_eq!(identity.subject_type, caller.subject_type);
    let organization = caller.organization.map_or(Organization::Absent, Organization::Id);
    assert_eq!(identity.organization, organization, "{claims}");

    let api = super::identity::api();
    let presented = identity.present(Party::First, &api);
    let read = |names: &Names, set: &NameSet, unknown: &[&str]| {
        let mut read: Vec<String> = names.of(set).map(ToString::to_string).collect();
        // Cognito's say whose they are, and are shown so.
        let owner = format!("{AUDIENCE}/");
        let unknown = unknown.iter().map(|name| name.strip_prefix(&owner).unwrap_or(name));
        read.extend(unknown.map(str::to_owned));
        read.sort();
        read
    };
    let asked = |names: &[&str]| {
        let mut asked: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        asked.sort();
        asked
    };
    let scopes = &presented.scopes;
    assert_eq!(read(&api.scopes, &scopes.claimed, &scopes.undeclared), asked(&caller.scopes));
    assert_eq!(
        read(&api.scopes, &scopes.usable, &scopes.undeclared),
        asked(&caller.scopes),
        "{claims}"
    );
    let details = &presented.details;
    assert_eq!(
        read(&api.details, &details.registered, &details.unregistered),
        asked(&caller.details)
    );
    Ok(())
}

#[test]
fn each_profile_says_clients_and_users_and_auth0_anonymous_users_too() {
    let audience = Audience::new(AUDIENCE).unwrap();
    for profile in profiles() {
        for subject_type in SUBJECT_TYPES {
            let composed = check(&profile, &caller(&audience, subject_type));
            let can = subject_type != SubjectType::AnonymousUser || profile.name() == "auth0";
            assert_eq!(composed.is_ok(), can, "{} {subject_type:?}", profile.name());
        }
    }
}

#[test]
fn what_a_profile_has_no_words_for_is_an_error() {
    let audience = Audience::new(AUDIENCE).unwrap();
    let user = caller(&audience, SubjectType::User);
    let error = |profile: &Profile, caller: Caller<'_>| {
        compose(profile, &caller).map(Value::Object).unwrap_err().to_string()
    };
    let with_organization = Caller { organization: Some("org_1"), ..user.clone() };
    assert_eq!(
        error(&Profile::Entra, with_organization),
        "tokens of profile `entra` name no organization"
    );
    assert_eq!(
        error(&Profile::Okta, caller(&audience, SubjectType::AnonymousUser)),
        "no token of profile `okta` is known as one of subject type `anonymous_user`"
    );
    assert_eq!(
        error(&custom(&[], &[]), user.clone()),
        "no `user` rule of the custom profile proves subject type `user`"
    );
    let slashed = Caller { scopes: vec!["orders/read"], ..user.clone() };
    assert_eq!(
        error(&Profile::Cognito, slashed),
        "no token of profile `cognito` can say this list of scopes"
    );
    let spaced = Caller { scopes: vec!["a b"], ..user.clone() };
    assert_eq!(
        error(&Profile::Auth0, spaced),
        "no token of profile `auth0` can say this list of scopes"
    );
    let nameless = Caller { client: "", ..user };
    assert_eq!(
        error(&Profile::Hydra, nameless),
        "no token of profile `hydra` can say this client id"
    );
}

#[test]
fn a_custom_rule_that_contradicts_another_is_passed_over() {
    let both = rule("kind", Test::Contains("machine user".to_owned()));
    let machine = rule("kind", Test::Contains("machine".to_owned()));
    let other = rule("who", Test::Equals("user".to_owned()));
    let audience = Audience::new(AUDIENCE).unwrap();
    let user = caller(&audience, SubjectType::User);
    let claims = compose(&custom(std::slice::from_ref(&machine), &[both.clone(), other]), &user);
    assert_eq!(claims.unwrap()["who"], "user");
    assert!(compose(&custom(&[machine], &[both]), &user).is_err());
}

proptest! {
    #[test]
    fn what_composes_is_read_back_exactly(
        profile in select(profiles()),
        subject_type in select(SUBJECT_TYPES.to_vec()),
        client in "[!#-\\[\\]-~]{1,12}|web-app|tpc_1|service-account-x|anon@x",
        scopes in subsequence(vec!["read:orders", "write:orders", "a/b", "other", "openid/x"], 0..5),
        organization in proptest::option::of("[!-~]{1,8}"),
        details in subsequence(vec!["payment", "loan", "two words"], 0..3),
    ) {
        let audience = Audience::new(AUDIENCE).unwrap();
        let caller = Caller {
            client: &client,
            scopes,
            organization: organization.as_deref(),
            details,
            ..caller(&audience, subject_type)
        };
        // What does not compose is no question; what does is checked inside.
        let _ = check(&profile, &caller);
    }
}
