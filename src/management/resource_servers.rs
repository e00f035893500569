//! APIs: what stands in the files of them is listed and shown; what makes, changes and removes one becomes
//! edits of those files.
//!
//! What is shown of an API is what is written, in Auth0's order, but its gate and its secret.

mod bodies;
mod plan;

use std::collections::BTreeSet;

use http::StatusCode;
use serde_json::{Map, Value, json};

pub(super) use bodies::{CreateApi, UpdateApi};
pub(super) use plan::plan;

use self::bodies::FIELDS;
use super::fields::Shown;
use super::paging::Page;
use super::{Answer, Asked, Endpoint, Fault, Query, management};
use crate::config::Code;
use crate::config::inventory::{Inventory, KnownApi};
use crate::config::snapshot::Snapshot;
use crate::policy::Audience;

pub(super) fn read(snapshot: &Snapshot, asked: &Asked) -> Result<Answer, Fault> {
    let inventory = &management(snapshot)?.inventory;
    match asked.endpoint {
        Endpoint::GetApi => {
            let api = named(inventory, asked)?;
            Ok(Answer::part(&Shown::of(&asked.query)?, show(api)))
        }
        Endpoint::ListApis => list(inventory, asked),
        _ => Err(Fault::search("list the APIs, or get one by its identifier")),
    }
}

fn list(inventory: &Inventory, asked: &Asked) -> Result<Answer, Fault> {
    let (page, shown) = (Page::of(&asked.query, false)?, Shown::of(&asked.query)?);
    let identifiers = Query::few("identifiers", asked.query.all("identifiers"))?;
    // The gateway's own is listed where it is named: whoever copies a configuration would take it along.
    let wanted = |api: &&KnownApi| match identifiers.as_slice() {
        [] => !api.is_system,
        identifiers => identifiers.contains(&api.identifier.as_str()),
    };
    let apis = inventory.apis.iter().filter(wanted);
    let apis = apis.map(|api| (api.identifier.as_str(), api));
    Ok(page.answer(asked, "resource_servers", apis, |api| shown.of_object(show(api))))
}

/// The answer to a write of an API.
pub(super) fn written(snapshot: &Snapshot, identifier: &Audience, created: bool) -> Answer {
    let status = if created { StatusCode::CREATED } else { StatusCode::OK };
    let inventory = snapshot.management.as_ref().map(|management| &management.inventory);
    let now = inventory.and_then(|inventory| {
        let api = inventory.api(identifier.as_str())?;
        Some(Answer::one(status, show(api).into()).warning(warnings(inventory, api)))
    });
    now.unwrap_or_else(Answer::empty)
}

/// The codes of what somebody should look at in an API. What it promises and the gate does not enforce is
/// told whether it is served or not: who wrote it is to know at once.
fn warnings(inventory: &Inventory, api: &KnownApi) -> BTreeSet<&'static str> {
    let mut codes = inventory.warnings(|place| api.place.holds(place));
    let is_on = |value: Option<&Value>| value == Some(&Value::Bool(true));
    let proof = api.written.get("proof_of_possession");
    if is_on(api.written.get("enforce_policies"))
        || is_on(proof.and_then(|proof| proof.get("required")))
        || api.written.contains_key("token_encryption")
    {
        codes.insert(Code::ProtectionUnenforced.as_str());
    }
    codes
}

/// The API that a path names.
fn named<'i>(inventory: &'i Inventory, asked: &Asked) -> Result<&'i KnownApi, Fault> {
    let name = asked.names.first().map_or("", String::as_str);
    inventory.api(name).ok_or_else(|| {
        let message = "The resource server does not exist";
        Fault::new(StatusCode::NOT_FOUND, "inexistent_resource_server", message)
    })
}

/// An API as it is shown. One without a name is called by its identifier: there are tools that need one.
fn show(api: &KnownApi) -> Map<String, Value> {
    let mut shown = Map::from_iter([("id".to_owned(), json!(api.id))]);
    let name = json!(api.identifier.as_str());
    let written = |field: &str| {
        let value = api.written.get(field).or_else(|| (field == "name").then_some(&name));
        Some((field.to_owned(), value?.clone()))
    };
    shown.extend(FIELDS.iter().filter_map(|name| written(name)));
    for (name, value) in &api.written {
        shown.entry(name.as_str()).or_insert_with(|| value.clone());
    }
    shown.shift_remove("is_system");
    shown.insert("is_system".to_owned(), json!(api.is_system));
    shown
}

#[cfg(test)]
mod tests;
