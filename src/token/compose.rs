//! The inverse of reading: from a caller in a few words to the claims that an issuer of its profile would
//! write for it, for those who ask what would become of such a call.
//!
//! In come a profile and a [`Caller`]; out come claims which that profile reads as exactly this caller:
//! each composition is read back before it is given out. What the profile has no words for (an
//! organization of Entra's, an anonymous user where nothing tells one) is an error, never a guess.
//!
//! Nothing here makes a token: claims are believed where people ask, and there alone.

use serde_json::{Map, Value, json};

use super::claims::{Claims, type_of};
use super::scopes::{Owner, ScopeClaims, ScopeList};
use super::{Custom, Evidence, Profile, Rule, Test, TokenError};
use crate::policy::{Audience, Organization, SubjectType, UnixTime};

/// How long a composed token is good for.
const LIFETIME: i64 = 3600;

/// The last second that a token can name.
const LAST: i64 = 253_402_300_799;

/// Who calls, in the model's words.
#[derive(Clone, Debug)]
pub struct Caller<'a> {
    /// Who issued the token.
    pub issuer: &'a str,
    /// The API that it is for.
    pub audience: &'a Audience,
    /// The application's id at that issuer.
    pub client: &'a str,
    /// On whose behalf it calls.
    pub subject_type: SubjectType,
    /// What the token holds.
    pub scopes: Vec<&'a str>,
    /// The organization that the token was issued for.
    pub organization: Option<&'a str>,
    /// The types of its authorization details.
    pub details: Vec<&'a str>,
    /// When it was issued; it is good for an hour.
    pub issued: UnixTime,
}

/// Why no token of a profile says what a caller is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ComposeError {
    /// The profile has no signal of this subject type.
    #[error("no token of profile `{profile}` is known as one of subject type `{}`", .subject_type.as_str())]
    NoSignal {
        /// The profile.
        profile: &'static str,
        /// What was asked for.
        subject_type: SubjectType,
    },
    /// The profile reads no organization.
    #[error("tokens of profile `{0}` name no organization")]
    NoOrganization(&'static str),
    /// No rule of the custom profile can be fulfilled so that all of them agree.
    #[error("no `{rules}` rule of the custom profile proves subject type `{}`", .subject_type.as_str())]
    NoRule {
        /// The list of rules.
        rules: &'static str,
        /// What was asked for.
        subject_type: SubjectType,
    },
    /// A token that says it would be read as something else.
    #[error("no token of profile `{profile}` can say this {what}")]
    Unsayable {
        /// The profile.
        profile: &'static str,
        /// What cannot be said.
        what: &'static str,
    },
}

/// The claims that an issuer of `profile` would write for `caller`.
///
/// # Errors
/// When its tokens have no words for it.
pub fn compose(profile: &Profile, caller: &Caller<'_>) -> Result<Map<String, Value>, ComposeError> {
    let name = profile.name();
    if caller.organization.is_some() && matches!(profile, Profile::Entra) {
        return Err(ComposeError::NoOrganization(name));
    }
    let anonymous = caller.subject_type == SubjectType::AnonymousUser;
    if anonymous && !matches!(profile, Profile::Auth0) {
        return Err(ComposeError::NoSignal { profile: name, subject_type: caller.subject_type });
    }
    let claims = match profile {
        Profile::Custom(custom) => return composed_by_rules(profile, custom, caller),
        Profile::Auth0 => auth0(caller),
        Profile::Cognito => cognito(caller),
        Profile::Entra => entra(caller),
        Profile::Hydra => hydra(caller),
        Profile::Keycloak => keycloak(caller),
        Profile::Okta => okta(caller),
        Profile::Rfc9068 => rfc9068(caller),
    };
    read_back(profile, claims, caller)
}

/// The claims that all profiles share.
fn common(caller: &Caller<'_>) -> Map<String, Value> {
    let issued = caller.issued.seconds();
    let mut claims = Map::new();
    let mut insert = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    insert("iss", json!(caller.issuer));
    insert("aud", json!(caller.audience.as_str()));
    insert("iat", json!(issued));
    insert("exp", json!(issued.saturating_add(LIFETIME).min(LAST)));
    claims
}

/// Adds the claims that are the same in most profiles: its organization and its authorization details.
fn standard(caller: &Caller<'_>) -> Map<String, Value> {
    let mut claims = common(caller);
    if let Some(organization) = caller.organization {
        claims.insert("org_id".to_owned(), json!(organization));
    }
    add_details(&mut claims, "authorization_details", caller);
    claims
}

fn add_details(claims: &mut Map<String, Value>, claim: &str, caller: &Caller<'_>) {
    if !caller.details.is_empty() {
        let details = caller.details.iter().map(|name| json!({"type": name})).collect();
        claims.insert(claim.to_owned(), Value::Array(details));
    }
}

/// `claims` and those of `own` that say something.
fn with(mut claims: Map<String, Value>, own: Value) -> Map<String, Value> {
    if let Value::Object(own) = own {
        claims.extend(own.into_iter().filter(|(_, value)| !value.is_null()));
    }
    claims
}

/// A value for tokens of applications that call for themselves, and one for those of users.
fn by_subject_type(caller: &Caller<'_>, client: Value, user: Value) -> Value {
    if caller.subject_type == SubjectType::Client { client } else { user }
}

fn auth0(caller: &Caller<'_>) -> Map<String, Value> {
    let (subject, grant) = match caller.subject_type {
        SubjectType::AnonymousUser => ("anon@1".to_owned(), Value::Null),
        SubjectType::Client => (format!("{}@clients", caller.client), json!("client-credentials")),
        SubjectType::User => ("auth0|1".to_owned(), Value::Null),
    };
    let scope = caller.scopes.join(" ");
    with(
        standard(caller),
        json!({"azp": caller.client, "sub": subject, "gty": grant, "scope": scope}),
    )
}

/// Scopes say whose they are, and thereby whom the token is for; one without any names its audience.
fn cognito(caller: &Caller<'_>) -> Map<String, Value> {
    let of_user = caller.subject_type != SubjectType::Client;
    let asks_issuer = |scope: &str| {
        of_user && ScopeClaims { owners: Some(&[]), ..ScopeClaims::default() }.asks_issuer(scope)
    };
    let audience = caller.audience.as_str();
    let scopes: Vec<_> = caller
        .scopes
        .iter()
        .map(|scope| match scope {
            scope if asks_issuer(scope) => (*scope).to_owned(),
            scope => format!("{audience}/{scope}"),
        })
        .collect();
    let mut claims = standard(caller);
    if caller.scopes.iter().any(|scope| !asks_issuer(scope)) {
        claims.remove("aud");
    }
    with(
        claims,
        json!({
            "client_id": caller.client,
            "token_use": "access",
            "sub": by_subject_type(caller, json!(caller.client), json!("1")),
            "username": by_subject_type(caller, Value::Null, json!("someone")),
            "scope": scopes.join(" "),
        }),
    )
}

/// Version 2, with the optional `idtyp`: it alone tells a user's token without scopes.
fn entra(caller: &Caller<'_>) -> Map<String, Value> {
    let scp = (!caller.scopes.is_empty()).then(|| json!(caller.scopes.join(" ")));
    with(
        standard(caller),
        json!({
            "azp": caller.client,
            "ver": "2.0",
            "idtyp": by_subject_type(caller, json!("app"), json!("user")),
            "oid": "1",
            "sub": by_subject_type(caller, json!("1"), json!("1-here")),
            "scp": by_subject_type(caller, Value::Null, scp.into()),
            "roles": by_subject_type(caller, json!(caller.scopes), Value::Null),
        }),
    )
}

/// What the login and consent application adds stands in `ext`.
fn hydra(caller: &Caller<'_>) -> Map<String, Value> {
    let mut claims = standard(caller);
    let ext = claims.remove("org_id").map(|organization| json!({"org_id": organization}));
    with(
        claims,
        json!({
            "client_id": caller.client,
            "sub": by_subject_type(caller, json!(caller.client), json!("someone")),
            "scp": caller.scopes,
            "ext": ext,
        }),
    )
}

/// Applications that call for themselves have an account, named after them in lower case.
fn keycloak(caller: &Caller<'_>) -> Map<String, Value> {
    let mut claims = standard(caller);
    let organization = claims.remove("org_id").map(|alias| json!([alias]));
    let account = format!("service-account-{}", caller.client.to_ascii_lowercase());
    with(
        claims,
        json!({
            "typ": "Bearer",
            "azp": caller.client,
            "client_id": by_subject_type(caller, json!(caller.client), Value::Null),
            "sub": "1",
            "preferred_username": by_subject_type(caller, json!(account), json!("someone")),
            "scope": caller.scopes.join(" "),
            "organization": organization,
        }),
    )
}

fn okta(caller: &Caller<'_>) -> Map<String, Value> {
    with(
        standard(caller),
        json!({
            "cid": caller.client,
            "sub": by_subject_type(caller, json!(caller.client), json!("someone@example.com")),
            "uid": by_subject_type(caller, Value::Null, json!("1")),
            "scp": caller.scopes,
        }),
    )
}

fn rfc9068(caller: &Caller<'_>) -> Map<String, Value> {
    with(
        standard(caller),
        json!({
            "client_id": caller.client,
            "sub": by_subject_type(caller, json!(caller.client), json!("someone")),
            "scope": caller.scopes.join(" "),
        }),
    )
}

/// Claims under the names that the configuration spells, so that a rule for the subject type holds: one
/// that holds already, else the first that can be made to.
fn composed_by_rules(
    profile: &Profile,
    custom: &Custom,
    caller: &Caller<'_>,
) -> Result<Map<String, Value>, ComposeError> {
    let (list, rules) = match caller.subject_type {
        SubjectType::Client => ("machine", &custom.machine),
        SubjectType::AnonymousUser | SubjectType::User => ("user", &custom.user),
    };
    let plain = spelled(custom, caller);
    let attempts = std::iter::once(plain.clone()).chain(rules.iter().filter_map(|rule| {
        let free = rule.claim == "sub" || !plain.contains_key(&rule.claim);
        let mut claims = plain.clone();
        claims.insert(rule.claim.clone(), fulfilment(rule));
        free.then_some(claims)
    }));
    let mut error = ComposeError::NoRule { rules: list, subject_type: caller.subject_type };
    for claims in attempts {
        match read_back(profile, claims, caller) {
            Err(ComposeError::NoSignal { .. }) => {}
            Err(other) => error = other,
            composed => return composed,
        }
    }
    Err(error)
}

/// What the configuration's names hold, without a word on the subject type.
fn spelled(custom: &Custom, caller: &Caller<'_>) -> Map<String, Value> {
    let mut claims = common(caller);
    let subject = by_subject_type(caller, json!(caller.client), json!("someone"));
    claims.insert("sub".to_owned(), subject);
    claims.insert(custom.scopes.clone(), json!(caller.scopes.join(" ")));
    if let Some(organization) = caller.organization {
        claims.insert(custom.organization.clone(), json!(organization));
    }
    if let Some(name) = custom.client.first() {
        claims.insert(name.clone(), json!(caller.client));
    }
    add_details(&mut claims, &custom.details, caller);
    claims
}

/// A text for which the rule holds.
fn fulfilment(rule: &Rule) -> Value {
    match &rule.test {
        Test::Equals(whole) => json!(whole),
        Test::Contains(part) if rule.claim == "sub" => json!(format!("some{part}one")),
        Test::Contains(part) => json!(part),
    }
}

/// The claims, where the profile reads exactly `caller` in them.
fn read_back(
    profile: &Profile,
    claims: Map<String, Value>,
    caller: &Caller<'_>,
) -> Result<Map<String, Value>, ComposeError> {
    let unsayable = |what| ComposeError::Unsayable { profile: profile.name(), what };
    let claims = Claims::new(claims);
    let audiences = std::slice::from_ref(caller.audience);
    let evidence = match profile.client(&claims) {
        Ok(client) if client == caller.client => profile.evidence(&claims, client),
        _ => return Err(unsayable("client id")),
    };
    if evidence != Evidence::Points(caller.subject_type) {
        let subject_type = caller.subject_type;
        return Err(ComposeError::NoSignal { profile: profile.name(), subject_type });
    }
    let organization = caller.organization.map_or(Organization::Absent, Organization::Id);
    if profile.organization(&claims) != organization {
        return Err(unsayable("organization"));
    }
    if !reads_scopes(profile, &claims, caller).unwrap_or(false) {
        return Err(unsayable("list of scopes"));
    }
    let details = claims.details(profile.details_claim()).unwrap_or_default();
    if !details.iter().filter_map(type_of).eq(caller.details.iter().copied()) {
        return Err(unsayable("list of authorization details"));
    }
    let names_api = profile.recipients(&claims).and_then(|named| named.include(audiences));
    if names_api.is_err() {
        return Err(unsayable("audience"));
    }
    let is_good = claims.validity().and_then(|validity| validity.includes(caller.issued, 0));
    if is_good.is_err() || claims.issuer() != Ok(caller.issuer) {
        return Err(unsayable("time"));
    }
    Ok(claims.into_all())
}

/// Whether the claims that count hold the caller's scopes, in their order, and no others.
fn reads_scopes(
    profile: &Profile,
    claims: &Claims,
    caller: &Caller<'_>,
) -> Result<bool, TokenError> {
    let audiences = std::slice::from_ref(caller.audience);
    let read = profile.scopes(claims, audiences)?;
    let roles = read.roles.filter(|_| caller.subject_type == SubjectType::Client);
    let written = read.lists.into_iter().chain([roles]).flatten().flat_map(ScopeList::iter);
    let names = written.map(|scope| match read.owner(scope) {
        Owner::Ours(name) => name,
        Owner::Another | Owner::Nobody => scope,
    });
    Ok(names.eq(caller.scopes.iter().copied()))
}
