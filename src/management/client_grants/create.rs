//! A new client grant: what was sent, held against what stands in the files → one more item of a list.
//!
//! What the files say about a grant is not said again here: the configuration that would come to be is
//! checked whole. Here is what they cannot say, and what Auth0's clients are told in Auth0's words.

use std::collections::HashSet;

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::bodies::CreateGrant;
use crate::config::Edit;
use crate::config::inventory::{Inventory, KnownApi, SYSTEM_API};
use crate::config::raw::{OrganizationUsage, SubjectType};
use crate::config::snapshot::Management;
use crate::management::body::{self, Text, invalid};
use crate::management::destination::Destination;
use crate::management::{Fault, Plan, Then};
use crate::policy::{self, ClientId, Holder, Issuer};
use crate::reload::Change;

pub(super) fn plan(management: &Management, body: &[u8]) -> Result<Plan, Fault> {
    let grant = body::read::<CreateGrant>(body)?;
    let holder = holder(&grant)?;
    let api = api(management, &grant.audience)?;
    let subject_type = grant.subject_type.unwrap_or_default().into();
    let all_scopes = grant.allow_all_scopes == Some(true);
    if all_scopes && grant.scope.as_ref().is_some_and(|scope| !scope.is_empty()) {
        return Err(both_scopes());
    }
    let admits = grant.allow_any_organization == Some(true)
        || grant.organization_usage.is_some_and(|usage| usage != OrganizationUsage::Deny);
    let lists_details =
        grant.authorization_details_types.as_ref().is_some_and(|types| !types.is_empty());
    belongs(subject_type, admits, lists_details)?;
    let issuer = issuer(management, api)?;
    unique(&management.inventory, issuer, &holder, api, subject_type)?;
    let to = Destination::of_grant(management)?;
    let implied = !to.is_export && api.issuers.len() == 1;
    let named = (!implied).then_some(issuer);
    let id = Inventory::id_of(issuer, &holder, &api.identifier, subject_type);
    let id = id.ok_or_else(|| invalid("'the grant cannot be named'"))?;
    if management.inventory.grant(id.as_str()).is_some() {
        let message = format!(
            "The id that this client grant gets, {id}, is written at another one: take it out there"
        );
        return Err(Fault::new(StatusCode::CONFLICT, "client_grant_already_exists", message));
    }
    let edit = Edit::Append { list: to.list, items: vec![written(grant, named)] };
    Ok(Plan {
        change: Change { edits: vec![edit], new_file: to.new_file },
        then: Then::Grant { id, created: true },
    })
}

fn holder(grant: &CreateGrant) -> Result<Holder, Fault> {
    match (&grant.client_id, grant.default_for) {
        (Some(id), None) => ClientId::new(id)
            .map(Holder::Client)
            .map_err(|error| invalid(format!("'it {error}' on property client_id"))),
        (None, Some(_)) => Ok(Holder::ThirdPartyClients),
        (Some(_), Some(_)) => Err(invalid(
            "'a grant has `client_id` or `default_for`, not both' on property default_for",
        )),
        (None, None) => Err(invalid("'Missing required property: client_id or default_for'")),
    }
}

/// The API that a grant is for. The gateway's own is not open to anybody: nobody widens himself.
fn api<'m>(management: &'m Management, audience: &str) -> Result<&'m KnownApi, Fault> {
    let found = management.inventory.api(audience);
    let url = management.public_url.as_deref();
    let is_own = audience.strip_suffix("/api/v2/").is_some_and(|own| Some(own) == url);
    match found.filter(|api| api.identifier.as_str() == audience) {
        _ if is_own || audience == SYSTEM_API => Err(Fault::system()),
        Some(api) => Ok(api),
        None => Err(Fault::not_found(format!("No resource with identifier {audience}"))),
    }
}

/// Refuses rules that only another subject type has.
pub(super) fn belongs(
    subject_type: policy::SubjectType,
    admits_organizations: bool,
    lists_details: bool,
) -> Result<(), Fault> {
    let of = subject_type.as_str();
    if admits_organizations && subject_type != policy::SubjectType::Client {
        return Err(invalid(format!(
            "'organizations have no meaning in a grant for `{of}`' on property organization_usage"
        )));
    }
    if lists_details && subject_type != policy::SubjectType::User {
        return Err(invalid(format!(
            "'they have no meaning in a grant for `{of}`' on property authorization_details_types"
        )));
    }
    Ok(())
}

pub(super) fn both_scopes() -> Fault {
    invalid(
        "'a grant gives all scopes or those that it lists: send `allow_all_scopes: false` beside \
        `scope`, or leave out `scope`' on property allow_all_scopes",
    )
}

/// Whose application is meant: bodies do not say it.
fn issuer<'m>(management: &'m Management, api: &'m KnownApi) -> Result<&'m Issuer, Fault> {
    let identifier = &api.identifier;
    match (&management.grants_issuer, api.issuers.as_slice()) {
        (Some(chosen), trusted) if trusted.contains(chosen) => Ok(chosen),
        (Some(chosen), _) => Err(invalid(format!(
            "'{identifier} does not trust {chosen}, whose applications grants are given to' on \
            property audience"
        ))),
        (None, [only]) => Ok(only),
        (None, trusted) => Err(invalid(format!(
            "'{identifier} trusts {} issuers: set `management.grants_issuer` in the gateway's \
            configuration to the one whose applications are meant' on property audience",
            trusted.len()
        ))),
    }
}

/// At most one grant per issuer, holder, API and subject type.
fn unique(
    inventory: &Inventory,
    issuer: &Issuer,
    holder: &Holder,
    api: &KnownApi,
    subject_type: policy::SubjectType,
) -> Result<(), Fault> {
    let same = inventory.grants.iter().find(|grant| {
        grant.subject_type == subject_type
            && grant.holder == *holder
            && grant.audience == api.identifier
            // One whose issuer cannot be told does not count: the new one would be in doubt, too.
            && grant.issuer.as_ref().is_none_or(|of| of == issuer)
    });
    let Some(same) = same else { return Ok(()) };
    let whose = match holder {
        Holder::Client(client) => client.as_str(),
        Holder::ThirdPartyClients => "third_party_clients",
    };
    let message = format!(
        "A client grant already exists between {whose} and {} for the subject type {}: {}",
        api.identifier,
        subject_type.as_str(),
        same.id
    );
    Err(Fault::new(StatusCode::CONFLICT, "client_grant_already_exists", message))
}

/// The grant as a careful person would write it: what narrows it comes before what it gives, so that a file
/// that is cut short gives no more.
fn written(grant: CreateGrant, issuer: Option<&Issuer>) -> Value {
    let all_scopes = grant.allow_all_scopes == Some(true);
    // Without either, a file would leave open what the grant gives.
    let scope = (!all_scopes).then(|| distinct(grant.scope.map_or_else(Vec::new, |scope| scope.0)));
    let details = grant.authorization_details_types;
    let subject_type = grant.subject_type.unwrap_or(SubjectType::Client);
    let fields = [
        ("client_id", json!(grant.client_id.map(|id| id.0))),
        ("default_for", json!(grant.default_for)),
        ("audience", json!(grant.audience.0)),
        ("issuer", json!(issuer.map(Issuer::as_str))),
        ("subject_type", json!(subject_type)),
        ("organization_usage", json!(grant.organization_usage)),
        ("allow_any_organization", json!(grant.allow_any_organization)),
        ("scope", json!(scope)),
        ("allow_all_scopes", json!(grant.allow_all_scopes)),
        ("authorization_details_types", json!(details.map(|types| distinct(types.0)))),
    ];
    let fields = fields.into_iter().filter(|(_, value)| !value.is_null());
    fields.map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>().into()
}

/// Each of them once, in their order.
pub(super) fn distinct<const MIN: usize, const MAX: usize>(
    texts: Vec<Text<MIN, MAX>>,
) -> Vec<String> {
    let mut seen = HashSet::new();
    texts.into_iter().map(|Text(text)| text).filter(|text| seen.insert(text.clone())).collect()
}
