//! APIs: what stands in the files of them is listed and shown; what makes, changes and removes one becomes
//! edits of those files.
//!
//! What is shown of an API is what is written, in Auth0's order, but its gate and its secret.

mod bodies;
mod plan;

use http::StatusCode;
use serde_json::{Map, Value, json};

pub(super) use bodies::{CreateApi, UpdateApi};
pub(super) use plan::plan;

use self::bodies::FIELDS;
use super::client_grants::management;
use super::fields::Shown;
use super::paging::Page;
use super::{Answer, Asked, Endpoint, Fault, Query};
use crate::config::inventory::{Inventory, KnownApi};
use crate::config::snapshot::Snapshot;
use crate::policy::Audience;

/// So many APIs can be asked for by their identifiers at once.
const MOST_IDENTIFIERS: usize = 10;

pub(super) fn read(snapshot: &Snapshot, asked: &Asked) -> Result<Answer, Fault> {
    let inventory = &management(snapshot)?.inventory;
    match asked.endpoint {
        Endpoint::GetApi => {
            let object = show(named(inventory, asked)?);
            let whole = Answer::one(StatusCode::OK, object.clone().into());
            // The tag is the object's, however much of it is shown.
            Ok(Answer { body: Some(Shown::of(&asked.query)?.of_object(object)), ..whole })
        }
        Endpoint::ListApis => list(inventory, asked),
        _ => {
            let message = "searching is not offered: list the APIs, or get one by its identifier";
            Err(Fault::new(StatusCode::NOT_IMPLEMENTED, "not_implemented", message))
        }
    }
}

fn list(inventory: &Inventory, asked: &Asked) -> Result<Answer, Fault> {
    let (page, shown) = (Page::of(&asked.query, false)?, Shown::of(&asked.query)?);
    let identifiers: Vec<_> = asked.query.all("identifiers").collect();
    if identifiers.len() > MOST_IDENTIFIERS {
        let many = format!("Array is too long ({}), maximum {MOST_IDENTIFIERS}", identifiers.len());
        return Err(Query::refused("identifiers", many));
    }
    let wanted = |api: &&KnownApi| {
        let is_named = identifiers.is_empty() || identifiers.contains(&api.identifier.as_str());
        is_named && !api.is_system
    };
    let apis = inventory.apis.iter().filter(wanted);
    let apis = apis.map(|api| (api.identifier.as_str(), api));
    Ok(page.answer(asked, "resource_servers", apis, |api| shown.of_object(show(api))))
}

/// The answer to a write of an API.
pub(super) fn written(snapshot: &Snapshot, identifier: &Audience, created: bool) -> Answer {
    let status = if created { StatusCode::CREATED } else { StatusCode::OK };
    let inventory = snapshot.management.as_ref().map(|management| &management.inventory);
    let api = inventory.and_then(|inventory| inventory.api(identifier.as_str()));
    api.map_or_else(Answer::empty, |api| Answer::one(status, show(api).into()))
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
