//! Organizations that grants for machines admit: an association is an item of the grant's `organizations`.
//!
//! Only their ids are known here. An organization that no grant admits has no grants; whether there is one
//! of that id, nobody can tell.

use http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::body::{self, Text, invalid};
use super::client_grants::{Grant, changeable, find, is_listed, missing, now, show};
use super::paging::Page;
use super::{Answer, Asked, Endpoint, Fault, Plan, Query, Then, management};
use crate::config::Edit;
use crate::config::inventory::KnownGrant;
use crate::config::raw::OrganizationUsage;
use crate::config::snapshot::{Management, Snapshot};
use crate::policy::{GrantId, Holder, OrganizationId, SubjectType};
use crate::reload::Change;

/// What associates an organization with a grant.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Associate {
    /// The grant's id.
    grant_id: Text<1, 255>,
}

/// An organization, of which the id is known and nothing else.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Organization<'o> {
    /// Its id.
    id: &'o str,
}

/// A grant that an organization is associated with.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Association<'g> {
    #[serde(flatten)]
    grant: Grant<'g>,
    /// The grant's id again: some of Auth0's clients read this, some `id`.
    grant_id: &'g str,
}

pub(super) fn read(snapshot: &Snapshot, asked: &Asked) -> Result<Answer, Fault> {
    let management = management(snapshot)?;
    match asked.endpoint {
        Endpoint::ListOrganizationsOfGrant => organizations(management, asked),
        _ => grants(management, asked),
    }
}

fn organizations(management: &Management, asked: &Asked) -> Result<Answer, Fault> {
    let page = Page::of(&asked.query, true)?;
    let grant = find(management, name(asked, 0)).ok_or_else(missing)?;
    let mut ids: Vec<_> = associated(grant).map(|(_, id)| id).collect();
    ids.sort_unstable();
    ids.dedup();
    let ids = ids.into_iter().map(|id| (id, id));
    Ok(page.answer(asked, "organizations", ids, |id| json!(Organization { id })))
}

fn grants(management: &Management, asked: &Asked) -> Result<Answer, Fault> {
    let (query, organization) = (&asked.query, name(asked, 0));
    let page = Page::of(query, false)?;
    let (audience, client_id) = (query.one("audience")?, query.one("client_id")?);
    let ids = query.all("grant_ids").flat_map(|ids| ids.split(','));
    let ids = Query::few("grant_ids", ids)?;
    let wanted = |grant: &&KnownGrant| {
        let client = match &grant.holder {
            Holder::Client(client) => Some(client.as_str()),
            Holder::ThirdPartyClients => None,
        };
        audience.is_none_or(|wanted| grant.audience.as_str() == wanted)
            && client_id.is_none_or(|wanted| client == Some(wanted))
            && (ids.is_empty() || ids.contains(&grant.id.as_str()))
            && associated(grant).any(|(_, id)| id == organization)
    };
    let grants = management.inventory.grants_behind(None);
    let grants = grants.filter(|grant| is_listed(management, grant)).filter(wanted);
    let grants = grants.map(|grant| (grant.id.as_str(), grant));
    Ok(page.answer(asked, "client_grants", grants, show_association))
}

pub(super) fn plan(snapshot: &Snapshot, asked: &Asked) -> Result<Plan, Fault> {
    let management = management(snapshot)?;
    let organization = OrganizationId::new(name(asked, 0)).map_err(|error| {
        let message = format!("Path validation error: the organization's id {error}.");
        Fault::new(StatusCode::BAD_REQUEST, "invalid_uri", message)
    })?;
    match asked.endpoint {
        Endpoint::Associate => associate(management, &organization, asked),
        _ => dissociate(management, &organization, asked),
    }
}

fn associate(
    management: &Management,
    organization: &OrganizationId,
    asked: &Asked,
) -> Result<Plan, Fault> {
    let Associate { grant_id } = body::read::<Associate>(&asked.body)?;
    let grant = changeable(management, &grant_id)?;
    asked.must_match(Some(&show(grant)))?;
    if grant.subject_type != SubjectType::Client {
        return Err(invalid(format!(
            "'the grant is for the subject type {}: organizations are associated with grants for \
            `client`' on property grant_id",
            grant.subject_type.as_str()
        )));
    }
    if matches!(grant.written.organization_usage, None | Some(OrganizationUsage::Deny)) {
        return Err(invalid(
            "'the grant admits no organization: set its `organization_usage` to `allow` or `require`' \
            on property grant_id",
        ));
    }
    if associated(grant).any(|(_, id)| id == organization.as_str()) {
        let message =
            format!("The organization {organization} is already associated with the grant");
        return Err(Fault::new(StatusCode::CONFLICT, "organization_already_associated", message));
    }
    let list = grant.place.key("organizations");
    let edit = Edit::Append { list, items: vec![json!(organization.as_str())] };
    Ok(Plan {
        change: Change { edits: vec![edit], new_file: None },
        then: Then::Association { id: grant.id.clone() },
    })
}

fn dissociate(
    management: &Management,
    organization: &OrganizationId,
    asked: &Asked,
) -> Result<Plan, Fault> {
    let grant = changeable(management, name(asked, 1))?;
    asked.must_match(Some(&show(grant)))?;
    let list = grant.place.key("organizations");
    let edits: Vec<_> = associated(grant)
        .filter(|(_, id)| *id == organization.as_str())
        .map(|(index, _)| Edit::Remove { place: list.index(index) })
        .collect();
    if edits.is_empty() {
        let message = format!("The organization {organization} is not associated with the grant");
        return Err(Fault::not_found(message));
    }
    Ok(Plan { change: Change { edits, new_file: None }, then: Then::Gone })
}

/// The answer to an association.
pub(super) fn written(snapshot: &Snapshot, id: &GrantId) -> Answer {
    let (grant, warnings) = now(snapshot, id).unzip();
    let body = grant.map_or_else(|| json!({"grant_id": id.as_str()}), show_association);
    let answer = Answer { status: StatusCode::CREATED, body: Some(body), ..Answer::empty() };
    answer.warning(warnings.unwrap_or_default())
}

/// The organizations that stand in a grant, with their indexes.
fn associated(grant: &KnownGrant) -> impl Iterator<Item = (usize, &str)> {
    grant.written.organizations.iter().flatten().map(String::as_str).enumerate()
}

/// A grant as its associations are shown.
fn show_association(grant: &KnownGrant) -> Value {
    json!(Association { grant: Grant::of(grant), grant_id: grant.id.as_str() })
}

/// What the path names.
fn name(asked: &Asked, index: usize) -> &str {
    asked.names.get(index).map_or("", String::as_str)
}

#[cfg(test)]
mod tests;
