//! The decision: may this application, for this subject type, do what the operation asks?
//!
//! In come an [`Api`] with its grants, a [`Presented`] (what a verified token says), a [`Need`] (what
//! the operation asks) and the time. Out goes a [`Decision`] that carries its reason. Nothing here
//! reads a clock, waits, logs or fails: whatever could fail has failed before.
//!
//! | rule | refuses with |
//! |---|---|
//! | policy | `policy-denies-all`, `grant-missing` |
//! | validity | `grant-expired` |
//! | organization | `organization-denied`, `-required`, `-not-associated` |
//! | ceiling | `scope-exceeds-grant` |
//! | details | `authorization-details-exceed-grant` |
//! | need | `scope-insufficient`, `scope-not-granted` |
//!
//! The order is meaning: a caller learns the first rule it broke, and never a later one's answer.
//! The rules before these (API, operation, token, application, subject type) are the gate's.

use std::sync::Arc;

use super::{
    Api, Basis, Decision, Denial, Grant, GrantKind, Issuer, NameSet, Names, Need, Organization,
    OrganizationRule, Organizations, OverCeiling, Party, Permit, Policy, Presented, Reason,
    SubjectType, UnixTime,
};

/// Decides one request, by the rules in the order of the table above.
pub fn decide(api: &Api, presented: &Presented<'_>, need: &Need, now: UnixTime) -> Decision {
    match grant(api, presented) {
        Err(reason) => Decision::Deny(Denial { reason, grant: None }),
        Ok(None) => within(api, presented, need, api.scopes.all(), api.details.all())
            .map(|(scopes, details)| Permit::new(Basis::Open, scopes, details))
            .map_or_else(|reason| Decision::Deny(Denial { reason, grant: None }), Decision::Allow),
        Ok(Some(grant)) => validity(grant, now)
            .and_then(|()| organization(grant, presented.organization))
            .and_then(|()| within(api, presented, need, &grant.ceiling, details_of(grant)))
            .map(|(scopes, details)| Permit::new(Basis::Grant(grant.clone()), scopes, details))
            .map_or_else(
                |reason| Decision::Deny(Denial { reason, grant: Some(grant.clone()) }),
                Decision::Allow,
            ),
    }
}

/// The grant that counts, or none where none is needed. An application's own grant replaces the
/// default one for third parties, also when it has expired.
fn grant<'a>(api: &'a Api, presented: &Presented<'_>) -> Result<Option<&'a Arc<Grant>>, Reason> {
    let Presented { issuer, client, party, subject_type, .. } = presented;
    governing_grant(api, issuer, client, *party, *subject_type)
}

/// The grant that counts for an application, or none where none is needed.
///
/// # Errors
/// [`Reason::PolicyDeniesAll`], [`Reason::GrantMissing`].
pub fn governing_grant<'a>(
    api: &'a Api,
    issuer: &Issuer,
    client: &str,
    party: Party,
    subject_type: SubjectType,
) -> Result<Option<&'a Arc<Grant>>, Reason> {
    match (api.access.policy(subject_type), party) {
        (Policy::DenyAll, _) => return Err(Reason::PolicyDeniesAll),
        (Policy::AllowAll, Party::First) => return Ok(None),
        (Policy::AllowAll, Party::Third) | (Policy::RequireClientGrant, _) => {}
    }
    let own = api.grants.own(issuer, client, subject_type);
    let default = || match party {
        Party::First => None,
        Party::Third => api.grants.third_party(issuer, subject_type),
    };
    own.or_else(default).map(Some).ok_or(Reason::GrantMissing)
}

fn validity(grant: &Grant, now: UnixTime) -> Result<(), Reason> {
    match grant.expires_at {
        Some(end) if end <= now => Err(Reason::GrantExpired),
        Some(_) | None => Ok(()),
    }
}

/// Only grants for the application itself have a rule; a user's organization is the issuer's matter.
fn organization(grant: &Grant, presented: Organization<'_>) -> Result<(), Reason> {
    let GrantKind::Client { organizations } = &grant.kind else {
        return Ok(());
    };
    match (organizations, presented) {
        (OrganizationRule::Allow(_) | OrganizationRule::Deny, Organization::Absent) => Ok(()),
        (OrganizationRule::Deny, _) => Err(Reason::OrganizationDenied),
        (OrganizationRule::Require(_), Organization::Absent) => Err(Reason::OrganizationRequired),
        (OrganizationRule::Allow(admitted) | OrganizationRule::Require(admitted), organization) => {
            match (admitted, organization) {
                (Organizations::Any, Organization::Id(_)) => Ok(()),
                (Organizations::Associated(ids), Organization::Id(id)) if ids.contains(id) => {
                    Ok(())
                }
                // A name is not an id: not even "any organization" admits what cannot be told.
                _ => Err(Reason::OrganizationNotAssociated),
            }
        }
    }
}

/// The details types that a grant gives; grants of other subject types than `user` give none.
fn details_of(grant: &Grant) -> &NameSet {
    static NONE: NameSet = NameSet::EMPTY;
    match &grant.kind {
        GrantKind::User { details } => details,
        GrantKind::AnonymousUser | GrantKind::Client { .. } => &NONE,
    }
}

/// Ceiling, details and need: what may be used of what the token holds.
fn within(
    api: &Api,
    presented: &Presented<'_>,
    need: &Need,
    ceiling: &NameSet,
    detail_types: &NameSet,
) -> Result<(NameSet, NameSet), Reason> {
    let (scopes, details) = (&presented.scopes, &presented.details);
    if api.over_ceiling == OverCeiling::Reject {
        if !scopes.undeclared.is_empty() || !ceiling.contains_all(&scopes.claimed) {
            let excess = excess(&api.scopes, &scopes.claimed.without(ceiling), &scopes.undeclared);
            return Err(Reason::ScopeExceedsGrant { excess });
        }
        if !details.unregistered.is_empty() || !detail_types.contains_all(&details.registered) {
            let above = details.registered.without(detail_types);
            let excess = excess(&api.details, &above, &details.unregistered);
            return Err(Reason::AuthorizationDetailsExceedGrant { excess });
        }
    }
    let effective = scopes.usable.and(ceiling);
    let effective_details = details.registered.and(detail_types);

    let held = missing(api, need, &scopes.usable, &details.registered);
    if !held.is_empty() {
        let challenge = need.challenge(&api.scopes, ceiling);
        return Err(Reason::ScopeInsufficient { missing: held, challenge });
    }
    let granted = missing(api, need, &effective, &effective_details);
    if !granted.is_empty() {
        return Err(Reason::ScopeNotGranted { missing: granted });
    }
    Ok((effective, effective_details))
}

fn excess(declared: &Names, above: &NameSet, unknown: &[&str]) -> Vec<String> {
    declared
        .of(above)
        .map(|name| &**name)
        .chain(unknown.iter().copied())
        .map(str::to_owned)
        .collect()
}

/// What `need` asks and `scopes` and `details` do not hold; empty when it is answered.
fn missing(api: &Api, need: &Need, scopes: &NameSet, details: &NameSet) -> Vec<String> {
    let any_answered =
        need.any_scopes.is_empty() || need.any_scopes.iter().any(|&scope| scopes.contains(scope));
    let lacking_any = need.any_scopes.iter().filter(|_| !any_answered);
    let lacking = need.scopes.without(scopes);
    let lacking_details = need.details.without(details);
    api.scopes
        .of(&lacking)
        .chain(lacking_any.filter_map(|&scope| api.scopes.at(scope)))
        .chain(api.details.of(&lacking_details))
        .map(ToString::to_string)
        .collect()
}
