//! Rules 4 to 8: which application, on whose behalf, by which grant, for which organization.

use serde_json::Value;

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
        Profile::Rfc9068 => vec!["client_id"],
        Profile::Custom(custom) => custom.client_id.iter().map(String::as_str).collect(),
    };
    let mut found = names.iter().filter_map(|name| claims.get(*name));
    found.next().and_then(Value::as_str).map(ToOwned::to_owned).ok_or("client-unidentified")
}

/// "5. Subject type. The profile weighs *all* its signals. Disagreement → `subject-type-ambiguous`.
/// `user` needs positive evidence, else ambiguous too, unless the issuer says `unproven: user` (no
/// signal either way counts as a user)."
pub(super) fn rule_5_subject_type(
    issuer: &Issuer,
    claims: &Claims,
    client: &str,
) -> Result<Subject, &'static str> {
    let mut signals = match &issuer.profile {
        Profile::Auth0 => auth0_signals(claims, client),
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
    let claim = match &issuer.profile {
        Profile::Auth0 | Profile::Rfc9068 => "org_id",
        Profile::Custom(custom) => &custom.organization,
    };
    let usage = grant.usage.unwrap_or(Usage::Deny);
    if !claims.contains_key(claim) && !claims.contains_key("org_name") {
        return if usage == Usage::Require { Err("organization-required") } else { Ok(()) };
    }
    if usage == Usage::Deny {
        return Err("organization-denied");
    }
    let id = claims.get(claim).and_then(Value::as_str).filter(|id| !id.is_empty());
    match id {
        Some(_) if grant.allow_any_organization => Ok(()),
        Some(id) if grant.organizations.iter().any(|associated| associated == id) => Ok(()),
        _ => Err("organization-not-associated"),
    }
}
