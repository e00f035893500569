//! Rules 9 to 11: the ceiling, and what the operation asks.

use super::super::world::{Api, Grant, Issuer, Need, Profile, Subject};
use super::token::{is_own, owner_and_name, scope_claims, scopes_in};
use super::{Answer, Claims, Set};

/// The scopes of a token: in any of the claims, and in all of them.
pub(super) struct TokenScopes {
    pub(super) claimed: Set,
    pub(super) usable: Set,
    /// What no grant can hold, as it is written.
    pub(super) stray: Set,
}

/// From rule 9: "Which claim holds the scopes is the profile's word; `scope` and `scp` both present:
/// their union against the ceiling, their intersection for rule 11. In *user* tokens the OIDC scopes
/// that the API does not declare are left aside: never excess, never a need's answer, never passed on.
/// `permissions` of a user token never is excess, but where it is present the need must lie in it too;
/// of a client token it counts as scopes."
pub(super) fn token_scopes(
    api: &Api,
    issuer: &Issuer,
    claims: &Claims,
    subject: Subject,
) -> TokenScopes {
    const OIDC: [&str; 6] = ["openid", "profile", "email", "address", "phone", "offline_access"];
    let is_entra = matches!(issuer.profile, Profile::Entra);
    // Only Auth0's profile knows `permissions`: a user's limits; in doubt scopes, as a client's are.
    let (limits, scopes): (Vec<_>, Vec<_>) = scope_claims(issuer, claims)
        .into_iter()
        // Entra's `roles` are a client's scopes, and nothing of a user's.
        .filter(|(name, _)| !is_entra || *name != "roles" || subject != Subject::User)
        .filter_map(|(name, kinds)| Some((name, scopes_in(claims.get(name)?, kinds)?)))
        .partition(|(name, _)| *name == "permissions" && subject == Subject::User);
    let mut sets: Vec<Set> = scopes.into_iter().map(|(_, set)| set).collect();
    let mut stray = Set::new();
    if matches!(issuer.profile, Profile::Cognito) {
        sets = sets.iter().map(|set| ours(api, set, &mut stray)).collect();
        if subject == Subject::User {
            let own = |scope: &String| {
                OIDC.contains(&scope.as_str()) || scope == "aws.cognito.signin.user.admin"
            };
            stray.retain(|scope| !own(scope));
        }
    }
    let mut claimed: Set = sets.iter().flatten().cloned().collect();
    let mut usable = claimed.clone();
    for set in &sets {
        usable = &usable & set;
    }
    if subject == Subject::User {
        let aside = |scope: &String| OIDC.contains(&scope.as_str()) && !api.scopes.contains(scope);
        claimed.retain(|scope| !aside(scope));
        usable.retain(|scope| !aside(scope));
    }
    for (_, permissions) in limits {
        usable = &usable & &permissions;
    }
    TokenScopes { claimed, usable, stray }
}

/// "the scope prefix `identifier/` stands for it and is stripped": the API's scopes by their names.
/// Those of other identifiers are left aside; what names no scope of the API's is stray.
fn ours(api: &Api, scopes: &Set, stray: &mut Set) -> Set {
    let mut ours = Set::new();
    for scope in scopes {
        match owner_and_name(scope) {
            Some((owner, _)) if !is_own(api, owner) => {}
            Some((_, name)) if api.scopes.iter().any(|declared| declared == name) => {
                ours.insert(name.to_owned());
            }
            Some(_) | None => {
                stray.insert(scope.clone());
            }
        }
    }
    ours
}

/// "9. Ceiling. Token scopes must lie within it. `over_ceiling: reject` (default) →
/// `scope-exceeds-grant`, naming the excess; `trim` → the excess is dropped. `allow_all_scopes: true` →
/// the API's whole catalogue. `scope: []` gives nothing." Rule 6: under `allow_all` "the ceiling is
/// every scope that the API declares"; section 3: a scope that the API does not declare "gives nothing".
pub(super) fn rule_9_ceiling(
    api: &Api,
    grant: Option<&Grant>,
    held: &TokenScopes,
) -> Result<Set, Answer> {
    let declared: Set = api.scopes.iter().cloned().collect();
    let ceiling = match grant.and_then(|grant| grant.scopes.as_ref()) {
        Some(given) => &given.iter().cloned().collect::<Set>() & &declared,
        None => declared,
    };
    let excess = &(&held.claimed - &ceiling) | &held.stray;
    if excess.is_empty() || api.trim {
        return Ok(ceiling);
    }
    Err(Answer { excess, ..Answer::refuse("scope-exceeds-grant") })
}

/// "10. Authorization details. Each `authorization_details[].type` must be registered on the API and
/// listed in the grant (under `allow_all`: registered), else `authorization-details-exceed-grant`;
/// grants of other subject types than `user` list none, so any is excess. Trimmed under `trim`."
pub(super) fn rule_10_details(
    api: &Api,
    grant: Option<&Grant>,
    details: &Set,
) -> Result<Set, Answer> {
    let registered: Set = api.details.iter().cloned().collect();
    let ceiling = match grant {
        Some(grant) => &grant.details.iter().cloned().collect::<Set>() & &registered,
        None => registered,
    };
    let excess = details - &ceiling;
    if excess.is_empty() || api.trim {
        return Ok(ceiling);
    }
    Err(Answer { excess, ..Answer::refuse("authorization-details-exceed-grant") })
}

/// Scopes and authorization details types: what a token holds, or what it may hold.
pub(super) struct Holding {
    pub(super) scopes: Set,
    pub(super) details: Set,
}

/// "11. Need. The effective scopes contain what the operation asks: `scopes` (all), `any_scopes` (one),
/// `authorization_details` (these types), all that are given; `any_token: true` asks nothing more. Not
/// held by the token → `scope-insufficient`; held but above the ceiling → `scope-not-granted`."
pub(super) fn rule_11_need(need: &Need, token: &Holding, ceiling: &Holding) -> Result<(), Answer> {
    if !answers(need, token) {
        // Section 5: "the whole need; of `any_scopes` the first inside the ceiling, or the first of all".
        let any = need.any_scopes.iter().find(|scope| ceiling.scopes.contains(*scope));
        let any = any.or(need.any_scopes.first());
        let challenge = need.scopes.iter().chain(any).cloned().collect();
        return Err(Answer { challenge, ..Answer::refuse("scope-insufficient") });
    }
    let effective = Holding {
        scopes: &token.scopes & &ceiling.scopes,
        details: &token.details & &ceiling.details,
    };
    if answers(need, &effective) { Ok(()) } else { Err(Answer::refuse("scope-not-granted")) }
}

fn answers(need: &Need, holding: &Holding) -> bool {
    need.scopes.iter().all(|scope| holding.scopes.contains(scope))
        && (need.any_scopes.is_empty()
            || need.any_scopes.iter().any(|scope| holding.scopes.contains(scope)))
        && need.details.iter().all(|kind| holding.details.contains(kind))
}
