//! What may help against the rules of policies and grants: a grant of its own for this application, or more
//! in the one that it has. The default grant for third parties is never changed: that would give to all of
//! them.

use super::super::moves::{Move, NewGrant, destinations};
use super::{Seen, names};
use crate::policy::{
    ClientId, Grant, GrantKind, Holder, NameSet, Need, Organization, OrganizationRule,
    Organizations, OverCeiling, Presented, SubjectType,
};

/// For how long a grant is renewed.
const RENEWED_DAYS: i64 = 30;

/// The policy that asks a grant; then one is needed.
pub(super) fn policy(seen: &Seen<'_>) -> Option<Vec<Vec<Move>>> {
    let api = seen.served()?.api.identifier.clone();
    let subject_type = seen.presented()?.subject_type;
    Some(vec![vec![Move::Policy { api, subject_type }]])
}

/// A grant of its own, with what this request needs.
pub(super) fn missing(seen: &Seen<'_>) -> Option<Vec<Vec<Move>>> {
    own(seen, None)
}

/// A later end; nobody knows which, so not too late.
pub(super) fn expired(seen: &Seen<'_>) -> Option<Vec<Vec<Move>>> {
    let grant = seen.refusal.grant.as_deref()?;
    if is_default(seen, grant) {
        // It gives nothing any more: there is nothing to keep of it.
        return own(seen, None);
    }
    let (year, month, day) = seen.now.plus_seconds(RENEWED_DAYS * 86_400).date();
    let until = format!("{year:04}-{month:02}-{day:02}T00:00:00Z");
    Some(vec![vec![Move::Renew { grant: grant.id.clone(), until }]])
}

/// The organization of this token; or tokens without one, where this has none.
pub(super) fn organization(seen: &Seen<'_>) -> Option<Vec<Vec<Move>>> {
    let organization = match seen.presented()?.organization {
        Organization::Absent => None,
        Organization::Id(id) => Some(id.to_owned()),
        Organization::Unreadable => return None,
    };
    let grant = seen.refusal.grant.as_deref()?;
    if is_default(seen, grant) {
        return own(seen, Some(grant));
    }
    Some(vec![vec![Move::Admit { grant: grant.id.clone(), organization }]])
}

/// What the token holds above the ceiling.
pub(super) fn exceeded(seen: &Seen<'_>) -> Option<Vec<Vec<Move>>> {
    let presented = seen.presented()?;
    let Some(grant) = seen.refusal.grant.as_deref() else {
        // No grant is needed: what is declared may be used.
        return Some(vec![declared(seen, &presented)?]);
    };
    if is_default(seen, grant) {
        return own(seen, Some(grant));
    }
    let api = &seen.served()?.api;
    let above = |set: &NameSet, ceiling: &NameSet| set.without(ceiling);
    let of_scopes = names(&api.scopes, &above(&presented.scopes.claimed, &grant.ceiling));
    let scopes = [of_scopes, texts(&presented.scopes.undeclared)].concat();
    let details = match &grant.kind {
        GrantKind::User { details } => {
            let registered = above(&presented.details.registered, details);
            [names(&api.details, &registered), texts(&presented.details.unregistered)].concat()
        }
        GrantKind::AnonymousUser | GrantKind::Client { .. } => Vec::new(),
    };
    let mut moves = declared(seen, &presented).unwrap_or_default();
    let known = seen.files.inventory.grant(grant.id.as_str())?;
    if known.scopes().is_some() || !details.is_empty() {
        moves.push(Move::Widen { grant: grant.id.clone(), scopes, details });
    }
    // A grant may list what its API does not declare: then that alone is lacking.
    let alone = declared(seen, &presented).into_iter();
    Some(alone.chain([moves]).collect())
}

/// What the operation needs and the token holds, which is above the ceiling.
pub(super) fn not_granted(seen: &Seen<'_>) -> Option<Vec<Vec<Move>>> {
    let grant = seen.refusal.grant.as_deref()?;
    if is_default(seen, grant) {
        return own(seen, Some(grant));
    }
    let (scopes, details) = needed(seen, &seen.presented()?, Some(grant))?;
    Some(vec![vec![Move::Widen { grant: grant.id.clone(), scopes, details }]])
}

/// Whether it is the default grant for third parties.
fn is_default(seen: &Seen<'_>, grant: &Grant) -> bool {
    let known = seen.files.inventory.grant(grant.id.as_str());
    known.is_some_and(|known| known.holder == Holder::ThirdPartyClients)
}

/// The names that an API is to declare, so that a ceiling can hold them; none where it declares them all, or
/// leaves aside what it does not.
fn declared(seen: &Seen<'_>, presented: &Presented<'_>) -> Option<Vec<Move>> {
    let api = &seen.served()?.api;
    if api.over_ceiling == OverCeiling::Trim {
        return None;
    }
    let scopes = texts(&presented.scopes.undeclared);
    let of_user = presented.subject_type == SubjectType::User;
    let details = if of_user { texts(&presented.details.unregistered) } else { Vec::new() };
    let is_none = scopes.is_empty() && details.is_empty();
    let api = api.identifier.clone();
    (!is_none).then(|| vec![Move::Declare { api, scopes, details }])
}

/// A grant of its own: what this request needs, beside what `base` gives, which it takes the place of. It may
/// be written in several places; each is a candidate.
fn own(seen: &Seen<'_>, base: Option<&Grant>) -> Option<Vec<Vec<Move>>> {
    let served = seen.served()?;
    let (api, presented) = (&served.api, seen.presented()?);
    let (mut scopes, mut details) = match api.over_ceiling {
        OverCeiling::Reject => (
            [names(&api.scopes, &presented.scopes.claimed), texts(&presented.scopes.undeclared)]
                .concat(),
            [
                names(&api.details, &presented.details.registered),
                texts(&presented.details.unregistered),
            ]
            .concat(),
        ),
        OverCeiling::Trim => needed(seen, &presented, None)?,
    };
    if let Some(base) = base {
        scopes = union(names(&api.scopes, &base.ceiling), scopes);
        if let GrantKind::User { details: given } = &base.kind {
            details = union(names(&api.details, given), details);
        }
    }
    if presented.subject_type != SubjectType::User {
        details = Vec::new();
    }
    let trusted = seen.snapshot.apis.iter().find(|it| it.api.identifier == api.identifier);
    let client = ClientId::new(presented.client).ok()?;
    let new = |to| {
        Move::Grant(Box::new(NewGrant {
            client: client.clone(),
            audience: api.identifier.clone(),
            issuer: presented.issuer.clone(),
            is_one_of_several: trusted.is_some_and(|it| it.issuers.len() > 1),
            subject_type: presented.subject_type,
            organizations: organizations(base, &presented),
            scopes: scopes.clone(),
            details: details.clone(),
            replaces_default: base.is_some(),
            to,
        }))
    };
    let first = declared(seen, &presented).unwrap_or_default();
    let grants = destinations(seen.files, &api.identifier).into_iter().map(new);
    Some(grants.map(|grant| [first.clone(), vec![grant]].concat()).collect())
}

/// How a grant of its own admits organizations: those of `base`, and this token's.
fn organizations(
    base: Option<&Grant>,
    presented: &Presented<'_>,
) -> Option<(&'static str, Vec<String>)> {
    if presented.subject_type != SubjectType::Client {
        return None;
    }
    let this = match presented.organization {
        Organization::Id(id) => Some(id.to_owned()),
        Organization::Absent | Organization::Unreadable => None,
    };
    let rule = match base.map(|base| &base.kind) {
        Some(GrantKind::Client { organizations }) => Some(organizations),
        _ => None,
    };
    let with_this = |admitted: &Organizations| {
        let there = match admitted {
            Organizations::Any => Vec::new(),
            Organizations::Associated(ids) => ids.iter().map(ToString::to_string).collect(),
        };
        union(there, this.iter().cloned().collect())
    };
    match rule {
        None => this.clone().map(|id| ("require", vec![id])),
        Some(OrganizationRule::Deny) => this.clone().map(|id| ("allow", vec![id])),
        Some(OrganizationRule::Require(admitted)) if this.is_some() => {
            Some(("require", with_this(admitted)))
        }
        Some(OrganizationRule::Allow(admitted) | OrganizationRule::Require(admitted)) => {
            Some(("allow", with_this(admitted)))
        }
    }
}

/// Scopes and authorization details types that the operation needs and the token holds, and `grant` does not
/// give: of those of which one is enough, one.
fn needed(
    seen: &Seen<'_>,
    presented: &Presented<'_>,
    grant: Option<&Grant>,
) -> Option<(Vec<String>, Vec<String>)> {
    let (api, Need { scopes, any_scopes, details }) = (&seen.served()?.api, seen.need());
    let gives = |scope: usize| grant.is_some_and(|grant| grant.ceiling.contains(scope));
    let usable = &presented.scopes.usable;
    let mut lacking = scopes.and(usable);
    let answered = any_scopes
        .iter()
        .any(|&scope| usable.contains(scope) && (gives(scope) || lacking.contains(scope)));
    if !answered && let Some(&one) = any_scopes.iter().find(|&&scope| usable.contains(scope)) {
        lacking.insert(one);
    }
    let mut types = details.and(&presented.details.registered);
    if let Some(grant) = grant {
        lacking = lacking.without(&grant.ceiling);
        if let GrantKind::User { details } = &grant.kind {
            types = types.without(details);
        }
    }
    Some((names(&api.scopes, &lacking), names(&api.details, &types)))
}

fn texts(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn union(mut one: Vec<String>, other: Vec<String>) -> Vec<String> {
    for name in other {
        if !one.contains(&name) {
            one.push(name);
        }
    }
    one
}
