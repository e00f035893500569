//! Rules 4 to 8: which application, on whose behalf, by which grant, for which organization.

use serde_json::{Map, Value};

use super::super::world::{
    Api, Client, Grant, Issuer, NOW, Policy, Profile, SignTest, Subject, Usage, World,
};
use super::Claims;
use super::token::string_array;

/// "4. Application. The profile finds the client id; none, or `azp` and `client_id` that differ →
/// `client-unidentified`."
pub(super) fn rule_4_application(issuer: &Issuer, claims: &Claims) -> Result<String, &'static str> {
    let (azp, client_id) = (claims.get("azp"), claims.get("client_id"));
    if azp.is_some() && client_id.is_some() && azp != client_id {
        return Err("client-unidentified");
    }
    let names: Vec<&str> = match &issuer.profile {
        Profile::Auth0 => vec!["azp", "client_id"],
        Profile::Cognito | Profile::Hydra | Profile::Rfc9068 => vec!["client_id"],
        Profile::Custom(custom) => custom.client_id.iter().map(String::as_str).collect(),
        Profile::Entra => vec!["azp", "appid"],
        Profile::Keycloak => vec!["azp", "client_id", "clientId"],
        Profile::Okta => vec!["cid"],
    };
    let mut found: Vec<_> = names.iter().filter_map(|name| claims.get(*name)).collect();
    found.dedup();
    match found.as_slice() {
        [Value::String(client)] => Ok(client.clone()),
        _ => Err("client-unidentified"),
    }
}

/// "5. Subject type. The profile weighs *all* its signals. Disagreement → `subject-type-ambiguous`.
/// `user` needs positive evidence, else ambiguous too, unless the issuer says `unproven: user` (no
/// signal either way counts as a user)."
pub(super) fn rule_5_subject_type(
    issuer: &Issuer,
    claims: &Claims,
    client: &str,
) -> Result<Subject, &'static str> {
    let sub = claims.get("sub").and_then(Value::as_str);
    // "okta: `uid`", "cognito: `username`": a text, or else nothing that can be read.
    let beside_sub = |name: &str| {
        let mut signals: Vec<_> =
            (sub == Some(client)).then_some(Subject::Client).into_iter().collect();
        match claims.get(name) {
            None => {}
            Some(Value::String(text)) if !text.is_empty() => signals.push(Subject::User),
            Some(_) => signals.extend(DOUBT),
        }
        signals
    };
    let mut signals = match &issuer.profile {
        Profile::Auth0 => auth0_signals(claims, client),
        Profile::Cognito => beside_sub("username"),
        Profile::Okta => beside_sub("uid"),
        Profile::Entra => entra_signals(claims),
        Profile::Keycloak => keycloak_signals(claims, client),
        Profile::Hydra => match sub {
            Some(sub) if sub == client => vec![Subject::Client],
            Some(_) => vec![Subject::User],
            None => Vec::new(),
        },
        // "rfc9068: `sub` that is not the client id".
        Profile::Rfc9068 => match claims.get("sub").and_then(Value::as_str) {
            Some(sub) if sub == client => vec![Subject::Client],
            Some(_) => vec![Subject::User],
            None => Vec::new(),
        },
        Profile::Custom(custom) => {
            let mut signals = Vec::new();
            for (signs, subject) in
                [(&custom.machine, Subject::Client), (&custom.user, Subject::User)]
            {
                for sign in signs {
                    let text = claims.get(&sign.claim).and_then(Value::as_str);
                    let shown = text.is_some_and(|text| match &sign.test {
                        SignTest::Equals(other) => text == other,
                        SignTest::Contains(part) => text.contains(part.as_str()),
                    });
                    signals.extend(shown.then_some(subject));
                }
            }
            signals
        }
    };
    signals.sort();
    signals.dedup();
    match signals.as_slice() {
        [subject] => Ok(*subject),
        [] if issuer.unproven_user => Ok(Subject::User),
        _ => Err("subject-type-ambiguous"),
    }
}

/// The facts of Auth0's tokens: `sub_profile`, `anon@…`, `gty`, `sub` beside the client id, and
/// "auth0: `connection|id` in `sub`".
fn auth0_signals(claims: &Claims, client: &str) -> Vec<Subject> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    let mut signals = Vec::new();
    match text("sub_profile") {
        "user" => signals.push(Subject::User),
        "service" | "ai_agent" => signals.push(Subject::Client),
        _ => {}
    }
    let sub = text("sub");
    if sub.starts_with("anon@") {
        signals.push(Subject::AnonymousUser);
    }
    let types = claims.get("gty").and_then(string_array).unwrap_or_default();
    if text("gty") == "client-credentials" || types.iter().any(|gty| gty == "client-credentials") {
        signals.push(Subject::Client);
    }
    if sub == client || sub == format!("{client}@clients") {
        signals.push(Subject::Client);
    }
    if sub.split_once('|').is_some_and(|(connection, id)| !connection.is_empty() && !id.is_empty())
    {
        signals.push(Subject::User);
    }
    signals
}

/// Signals that cannot be read: they disagree with any other.
const DOUBT: [Subject; 2] = [Subject::Client, Subject::User];

/// "entra: `scp`"; `idtyp`; and the service principal, whose id is `oid` and `sub`.
fn entra_signals(claims: &Claims) -> Vec<Subject> {
    let mut signals = Vec::new();
    match claims.get("idtyp").map(|kind| kind.as_str().unwrap_or_default()) {
        None => {}
        Some("app") => signals.push(Subject::Client),
        Some("user") => signals.push(Subject::User),
        Some(_) => signals.extend(DOUBT),
    }
    let is_empty = |scopes: &Value| scopes == "" || scopes.as_array().is_some_and(Vec::is_empty);
    if claims.get("scp").is_some_and(|scopes| !is_empty(scopes)) {
        signals.push(Subject::User);
    }
    if claims.contains_key("sub") && claims.get("sub") == claims.get("oid") {
        signals.push(Subject::Client);
    }
    signals
}

/// The account's name, the grant in `jti`, where a machine asked from, when a user signed in.
fn keycloak_signals(claims: &Claims, client: &str) -> Vec<Subject> {
    let mut signals = Vec::new();
    if let Some(name) = claims.get("preferred_username").and_then(Value::as_str) {
        let own = format!("service-account-{client}").to_lowercase();
        if name.to_lowercase() == own {
            signals.push(Subject::Client);
        } else if name.starts_with("service-account-") {
            signals.extend(DOUBT);
        } else {
            signals.push(Subject::User);
        }
    }
    let id = claims.get("jti").and_then(Value::as_str).unwrap_or_default();
    if id.find(':') == Some(6) {
        match &id[4..6] {
            "cc" => signals.push(Subject::Client),
            "ac" | "ro" | "dg" | "ci" => signals.push(Subject::User),
            _ => {}
        }
    }
    if claims.contains_key("clientHost") || claims.contains_key("clientAddress") {
        signals.push(Subject::Client);
    }
    match claims.get("auth_time") {
        Some(Value::Number(time)) if time.as_f64() > Some(0.0) => signals.push(Subject::User),
        None | Some(Value::Number(_)) => {}
        Some(_) => signals.extend(DOUBT),
    }
    signals
}

/// "6. Policy for this subject type. `deny_all` → `policy-denies-all`, whatever grants exist.
/// `allow_all` → no grant needed; a third-party application in strict mode needs its own or the
/// default grant even so. `require_client_grant` → the grant of (issuer, application, API, subject
/// type); else, for an application *known* to be third-party, the `default_for` grant of that subject
/// type; else `grant-missing`. A grant of its own replaces the default one, also when expired."
pub(super) fn rule_6_policy<'a>(
    world: &'a World,
    api: &Api,
    issuer: &Issuer,
    client: &str,
    subject: Subject,
) -> Result<Option<&'a Grant>, &'static str> {
    let policy = match subject {
        Subject::User => api.user,
        Subject::Client => api.client,
        // "`anonymous_user` where not stated is `deny_all`."
        Subject::AnonymousUser => api.anonymous_user.unwrap_or(Policy::DenyAll),
    };
    if policy == Policy::DenyAll {
        return Err("policy-denies-all");
    }
    let strict_third_party = is_strict_third_party(world, issuer, client);
    if policy == Policy::AllowAll && !strict_third_party {
        return Ok(None);
    }
    let of = |holder: Option<&str>| {
        world.grants.iter().find(|grant| {
            grant.issuer == issuer.name
                && grant.audience == api.identifier
                && grant.subject == subject
                && grant.client.as_deref() == holder
        })
    };
    let own = of(Some(client));
    let default = if strict_third_party { of(None) } else { None };
    own.or(default).map(Some).ok_or("grant-missing")
}

/// "Third-party: listed under `clients` with `is_first_party: false` (`strict` by default, or
/// `permissive`: follows the policy like a first-party one), or a `tpc_` id of an auth0 issuer.
/// Unlisted applications are otherwise first-party."
fn is_strict_third_party(world: &World, issuer: &Issuer, client: &str) -> bool {
    let is_it = |entry: &&Client| entry.issuer == issuer.name && entry.id == client;
    let listed = world.clients.iter().find(is_it);
    let listed_third_party = listed.is_some_and(|entry| entry.first_party == Some(false));
    let by_id = client.starts_with("tpc_") && matches!(issuer.profile, Profile::Auth0);
    // The mode is said of an application that is listed as a third party's.
    let permissive = listed_third_party && listed.and_then(|entry| entry.permissive) == Some(true);
    (listed_third_party || by_id) && !permissive
}

/// "7. Validity. `expires_at` past → `grant-expired`."
pub(super) fn rule_7_validity(grant: Option<&Grant>) -> Result<(), &'static str> {
    match grant.and_then(|grant| grant.expires) {
        Some((_, expires)) if expires <= NOW => Err("grant-expired"),
        _ => Ok(()),
    }
}

/// "8. Organization (subject type `client`): usage `deny` + an organization in the token →
/// `organization-denied`; `require` + none → `organization-required`; one that is not associated while
/// `allow_any_organization` is false → `organization-not-associated`. Compare `org_id`; an `org_name`
/// without it, or one that is no string, refuses."
pub(super) fn rule_8_organization(
    grant: Option<&Grant>,
    issuer: &Issuer,
    claims: &Claims,
    subject: Subject,
) -> Result<(), &'static str> {
    let Some(grant) = grant.filter(|_| subject == Subject::Client) else {
        return Ok(());
    };
    let usage = grant.usage.unwrap_or(Usage::Deny);
    let id = match organization(issuer, claims) {
        Named::None => {
            let required = usage == Usage::Require;
            return if required { Err("organization-required") } else { Ok(()) };
        }
        Named::Unclear => None,
        Named::Id(id) => Some(id),
    };
    if usage == Usage::Deny {
        return Err("organization-denied");
    }
    match id {
        Some(_) if grant.allow_any_organization => Ok(()),
        Some(id) if grant.organizations.contains(&id) => Ok(()),
        _ => Err("organization-not-associated"),
    }
}

/// What a token says of an organization.
#[derive(PartialEq, Eq)]
enum Named {
    None,
    Unclear,
    Id(String),
}

fn organization(issuer: &Issuer, claims: &Claims) -> Named {
    match &issuer.profile {
        Profile::Custom(custom) => by_id(claims, &custom.organization),
        // The tenant says no more than the issuer does.
        Profile::Entra => Named::None,
        Profile::Hydra => {
            let ext = match claims.get("ext") {
                None | Some(Value::Null) => Map::new(),
                Some(Value::Object(ext)) => ext.clone(),
                Some(_) => return Named::Unclear,
            };
            match (by_id(claims, "org_id"), by_id(&ext, "org_id")) {
                (one, Named::None) | (Named::None, one) => one,
                (one, other) if one == other => one,
                _ => Named::Unclear,
            }
        }
        Profile::Keycloak => {
            let aliases: Vec<Value> = match claims.get("organization") {
                None => return Named::None,
                Some(Value::Array(list)) => list.clone(),
                Some(Value::Object(map)) => map.keys().cloned().map(Value::String).collect(),
                Some(other) => vec![other.clone()],
            };
            match aliases.as_slice() {
                [] => Named::None,
                [Value::String(alias)] if !alias.is_empty() => Named::Id(alias.clone()),
                _ => Named::Unclear,
            }
        }
        Profile::Auth0 | Profile::Cognito | Profile::Okta | Profile::Rfc9068 => {
            by_id(claims, "org_id")
        }
    }
}

fn by_id(claims: &Claims, claim: &str) -> Named {
    let name = claims.get("org_name").filter(|_| claim == "org_id");
    match (claims.get(claim), name) {
        (None, None) => Named::None,
        (Some(Value::String(id)), None | Some(Value::String(_))) if !id.is_empty() => {
            Named::Id(id.clone())
        }
        _ => Named::Unclear,
    }
}
