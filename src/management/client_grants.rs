//! Client grants: those that stand in the files are listed and shown; what makes, changes and removes one
//! becomes edits of those files.
//!
//! What is shown of a grant is what is written, in Auth0's words, and its subject type in any case. What
//! Auth0 does not know of it (when it ends, who answers for it) stays where it stands.

mod bodies;
mod create;
mod update;

use std::collections::BTreeSet;

use http::StatusCode;
use serde_json::{Value, json};

pub(super) use bodies::{CreateGrant, Grant, UpdateGrant};

use super::paging::Page;
use super::{Answer, Asked, Endpoint, Fault, Plan, Query, Then, management};
use crate::config::Edit;
use crate::config::inventory::{KnownGrant, SYSTEM_API};
use crate::config::snapshot::{Management, Snapshot};
use crate::policy::{GrantId, Holder, SubjectType};
use crate::reload::Change;

pub(super) fn read(snapshot: &Snapshot, asked: &Asked) -> Result<Answer, Fault> {
    let management = management(snapshot)?;
    match asked.endpoint {
        Endpoint::GetGrant => {
            let id = asked.names.first().map_or("", String::as_str);
            let grant = find(management, id).ok_or_else(missing)?;
            Ok(Answer::one(StatusCode::OK, show(grant)))
        }
        Endpoint::ListGrants => {
            let page = Page::of(&asked.query, true)?;
            let filter = Filter::of(&asked.query)?;
            let grants = management.inventory.grants_behind(page.behind());
            let is_own = filter.audience == Some(SYSTEM_API);
            let grants = grants.filter(|grant| is_own || is_listed(management, grant));
            let grants = grants.filter(|grant| filter.takes(grant));
            let grants = grants.map(|grant| (grant.id.as_str(), grant));
            Ok(page.answer(asked, "client_grants", grants, show))
        }
        _ => Err(Fault::search("list the grants, by `client_id`, `audience` or `subject_type`")),
    }
}

pub(super) fn plan(snapshot: &Snapshot, asked: &Asked) -> Result<Plan, Fault> {
    let management = management(snapshot)?;
    let id = asked.names.first().map_or("", String::as_str);
    match asked.endpoint {
        Endpoint::CreateGrant => create::plan(management, &asked.body),
        Endpoint::UpdateGrant => update::plan(changeable(management, id)?, asked),
        _ => delete(management, id, asked),
    }
}

/// The answer to a write of a grant.
pub(super) fn written(snapshot: &Snapshot, id: &GrantId, created: bool) -> Answer {
    let status = if created { StatusCode::CREATED } else { StatusCode::OK };
    // The Management API itself may have gone away with the same reload.
    let gone = || Answer { status, ..Answer::empty() };
    now(snapshot, id)
        .map_or_else(gone, |(grant, warnings)| Answer::one(status, show(grant)).warning(warnings))
}

/// A grant as it is now, and the codes of what somebody should look at in it.
pub(super) fn now<'s>(
    snapshot: &'s Snapshot,
    id: &GrantId,
) -> Option<(&'s KnownGrant, BTreeSet<&'static str>)> {
    let inventory = &snapshot.management.as_ref()?.inventory;
    let grant = inventory.grant(id.as_str())?;
    Some((grant, inventory.warnings(|place| place.is_within(&grant.place))))
}

/// As at Auth0, what is not there is as good as deleted.
fn delete(management: &Management, id: &str, asked: &Asked) -> Result<Plan, Fault> {
    let mut change = Change::default();
    match changeable(management, id) {
        Ok(grant) => {
            asked.must_match(Some(&show(grant)))?;
            change.edits.push(Edit::Remove { place: grant.place.clone() });
        }
        Err(fault) if fault.status == StatusCode::NOT_FOUND => asked.must_match(None)?,
        Err(fault) => return Err(fault),
    }
    Ok(Plan { change, then: Then::Gone })
}

/// Whether a grant is in lists. Those for the gateway's own API are where their API is named: whoever copies
/// a configuration would take them along, but who may manage is no secret from those who may read.
pub(super) fn is_listed(management: &Management, grant: &KnownGrant) -> bool {
    !grant.is_system && is_of_issuer(management, grant)
}

/// The grant with an id, where it is shown.
pub(super) fn find<'m>(management: &'m Management, id: &str) -> Option<&'m KnownGrant> {
    let grant = management.inventory.grant(id);
    grant.filter(|grant| grant.is_system || is_of_issuer(management, grant))
}

/// The grant with an id, which may be changed.
///
/// # Errors
/// 404; 403 where it is for the gateway's own API, so that nobody widens himself.
pub(super) fn changeable<'m>(
    management: &'m Management,
    id: &str,
) -> Result<&'m KnownGrant, Fault> {
    match find(management, id) {
        Some(grant) if grant.is_system => Err(Fault::system()),
        Some(grant) => Ok(grant),
        None => Err(missing()),
    }
}

/// Whether it is a grant of the issuer whose grants are managed, where one is chosen. One that does not
/// count is of no other.
fn is_of_issuer(management: &Management, grant: &KnownGrant) -> bool {
    match (&management.grants_issuer, &grant.issuer) {
        (Some(chosen), Some(issuer)) => chosen == issuer,
        _ => true,
    }
}

/// A grant as it is shown.
pub(super) fn show(grant: &KnownGrant) -> Value {
    json!(Grant::of(grant))
}

pub(super) fn missing() -> Fault {
    let message = "The client grant does not exist";
    Fault::new(StatusCode::NOT_FOUND, "inexistent_client_grant", message)
}

/// Which grants are asked for.
struct Filter<'q> {
    client_id: Option<&'q str>,
    audience: Option<&'q str>,
    subject_type: Option<SubjectType>,
    is_default: bool,
    any_organization: bool,
}

impl<'q> Filter<'q> {
    fn of(query: &'q Query) -> Result<Self, Fault> {
        let subject_type = query.one("subject_type")?.map(|text| {
            let found = SubjectType::ALL.into_iter().find(|of| of.as_str() == text);
            found.ok_or_else(|| one_of("subject_type", &SubjectType::ALL.map(SubjectType::as_str)))
        });
        let default_for = match query.one("default_for")? {
            None => false,
            Some("third_party_clients") => true,
            Some(_) => return Err(one_of("default_for", &["third_party_clients"])),
        };
        let any_organization = match query.flag("allow_any_organization")? {
            Some(false) => return Err(one_of("allow_any_organization", &["true"])),
            asked => asked.is_some(),
        };
        Ok(Self {
            client_id: query.one("client_id")?,
            audience: query.one("audience")?,
            subject_type: subject_type.transpose()?,
            is_default: default_for,
            any_organization,
        })
    }

    fn takes(&self, grant: &KnownGrant) -> bool {
        let client_id = match &grant.holder {
            Holder::Client(client) => Some(client.as_str()),
            Holder::ThirdPartyClients => None,
        };
        self.client_id.is_none_or(|wanted| client_id == Some(wanted))
            && self.audience.is_none_or(|wanted| grant.audience.as_str() == wanted)
            && self.subject_type.is_none_or(|wanted| grant.subject_type == wanted)
            && (!self.is_default || client_id.is_none())
            && (!self.any_organization || grant.written.allow_any_organization == Some(true))
    }
}

fn one_of(name: &str, values: &[&str]) -> Fault {
    Query::refused(name, format!("No enum match, expected one of: {}", values.join(", ")))
}

#[cfg(test)]
mod tests;
