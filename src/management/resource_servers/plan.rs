//! A write of an API → the edits that a person would have made.
//!
//! Only what differs is touched: one policy's word, the scopes that come and go, the keys that are named.
//! What would come to be is checked as a whole before anything is written; here is what Auth0's clients are
//! told in Auth0's words.

use std::collections::HashSet;
use std::sync::Arc;

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::bodies::{CreateApi, FIELDS, Policy, PolicyOf, UpdateApi, UserPolicy};
use super::{named, show};
use crate::config::inventory::{Inventory, KnownApi};
use crate::config::snapshot::{Management, ServedApi, Snapshot};
use crate::config::{Edit, Place};
use crate::management::destination::Destination;
use crate::management::{Asked, Endpoint, Fault, Plan, Then, body, management};
use crate::policy::{Ask, Audience};
use crate::reload::Change;

/// Plans a write upon what stands in the files.
pub(in crate::management) fn plan(snapshot: &Snapshot, asked: &Asked) -> Result<Plan, Fault> {
    let management = management(snapshot)?;
    match asked.endpoint {
        Endpoint::CreateApi => create(management, asked),
        Endpoint::UpdateApi => update(snapshot, &management.inventory, asked),
        _ => delete(&management.inventory, asked),
    }
}

/// What has a meaning of its own where a path names an API.
const UNREADABLE: [&str; 3] = ["search", ".", ".."];

fn create(management: &Management, asked: &Asked) -> Result<Plan, Fault> {
    let mut api: CreateApi = body::typed(without_gate(asked)?)?;
    let identifier = Audience::new(&api.identifier)
        .map_err(|error| body::invalid(format_args!("'it {error}' on property identifier")))?;
    if UNREADABLE.contains(&identifier.as_str()) {
        let what = "'no path would lead to an API of this name' on property identifier";
        return Err(body::invalid(what));
    }
    // What nobody states is written out: whoever reads the file reads what holds.
    let policies = api.subject_type_authorization.get_or_insert_default();
    policies.user.get_or_insert(PolicyOf { policy: UserPolicy::AllowAll });
    policies.client.get_or_insert(PolicyOf { policy: Policy::RequireClientGrant });
    let api = json!(api);
    enforceable(&api, &Map::new())?;
    if management.inventory.api(identifier.as_str()).is_some() {
        let message =
            format!("A resource server with the identifier `{identifier}` already exists");
        return Err(Fault::new(StatusCode::CONFLICT, "resource_server_already_exists", message));
    }
    let to = Destination::of_api(management)?;
    let edits = vec![Edit::Append { list: to.list, items: vec![api] }];
    Ok(Plan {
        change: Change { edits, new_file: to.new_file },
        then: Then::Api { identifier, created: true },
    })
}

fn update(snapshot: &Snapshot, inventory: &Inventory, asked: &Asked) -> Result<Plan, Fault> {
    let api = named(inventory, asked)?;
    may_be_written(api)?;
    let shown = show(api);
    asked.must_match(Some(&shown.clone().into()))?;
    let changes: UpdateApi = body::typed(without_gate(asked)?)?;
    let changes = json!(changes);
    enforceable(&changes, &api.written)?;
    still_asked(snapshot, api, &changes)?;
    let mut edits = Vec::new();
    for &name in FIELDS {
        let (place, was) = (api.place.key(name), api.written.get(name));
        if name == "name" && was.is_none() && changes.get(name) == shown.get(name) {
            // It was shown in place of a name.
            continue;
        }
        match (name, was, changes.get(name)) {
            (_, _, None) | (_, None, Some(Value::Null)) => {}
            (_, Some(was), Some(now)) if was == now => {}
            (_, Some(_), Some(Value::Null)) => edits.push(Edit::Remove { place }),
            ("scopes", Some(Value::Array(was)), Some(Value::Array(now))) => {
                items(&place, "value", was, now, &mut edits);
            }
            ("authorization_details", Some(Value::Array(was)), Some(Value::Array(now))) => {
                items(&place, "type", was, now, &mut edits);
            }
            ("subject_type_authorization", Some(Value::Object(was)), Some(Value::Object(now))) => {
                policies(&place, was, now, &mut edits);
            }
            (_, _, Some(now)) => edits.push(Edit::Set { place, value: now.clone() }),
        }
    }
    Ok(Plan {
        change: Change { edits, new_file: None },
        then: Then::Api { identifier: api.identifier.clone(), created: false },
    })
}

/// Refuses to take away what an operation asks: the gate stands in a file, and goes on asking. What grants
/// list of it gives nothing any more, of which their holders are warned.
fn still_asked(snapshot: &Snapshot, api: &KnownApi, changes: &Value) -> Result<(), Fault> {
    let declared = |list: &str, key: &str| {
        let items = changes.get(list)?.as_array().map_or(&[][..], Vec::as_slice);
        Some(items.iter().filter_map(|item| item.get(key)?.as_str()).collect::<HashSet<_>>())
    };
    let (scopes, details) =
        (declared("scopes", "value"), declared("authorization_details", "type"));
    let served = snapshot.apis.iter().filter(|served| served.api.identifier == api.identifier);
    let operations = served.flat_map(|served| served.operations.iter().map(move |it| (served, it)));
    for (ServedApi { api, .. }, operation) in operations {
        let Ask::Token(need) = &operation.ask else { continue };
        let any = need.any_scopes.iter().filter_map(|&place| api.scopes.at(place));
        let asked_scopes = api.scopes.of(&need.scopes).chain(any);
        let gone = missing(scopes.as_ref(), asked_scopes).map(|it| ("scope", it, "scopes"));
        let gone = gone.or_else(|| {
            let gone = missing(details.as_ref(), api.details.of(&need.details));
            gone.map(|it| ("authorization details type", it, "authorization_details"))
        });
        if let Some((what, name, list)) = gone {
            let on = &operation.on;
            return Err(body::invalid(format_args!(
                "'the {what} `{name}` is still asked by the operation {on}' on property {list}"
            )));
        }
    }
    Ok(())
}

/// The first name that is asked and not declared any more, where it is said what is.
fn missing<'a>(
    declared: Option<&HashSet<&str>>,
    mut asked: impl Iterator<Item = &'a Arc<str>>,
) -> Option<&'a str> {
    let declared = declared?;
    asked.find(|name| !declared.contains(&***name)).map(|name| &**name)
}

/// Makes a list one of `now`, item by item: those of one `key` are one item.
fn items(list: &Place, key: &str, was: &[Value], now: &[Value], edits: &mut Vec<Edit>) {
    let mut new: Vec<&Value> = now.iter().collect();
    for (index, old) in was.iter().enumerate() {
        let place = list.index(index);
        match new.iter().position(|item| item.get(key) == old.get(key)) {
            Some(kept) => members(&place, old, new.remove(kept), edits),
            None => edits.push(Edit::Remove { place }),
        }
    }
    if !new.is_empty() {
        edits.push(Edit::Append { list: list.clone(), items: new.into_iter().cloned().collect() });
    }
}

/// Makes what is said of an item what is said of it now.
fn members(item: &Place, was: &Value, now: &Value, edits: &mut Vec<Edit>) {
    for (name, value) in now.as_object().into_iter().flatten() {
        if was.get(name) != Some(value) {
            edits.push(Edit::Set { place: item.key(name.clone()), value: value.clone() });
        }
    }
    for (name, _) in was.as_object().into_iter().flatten() {
        if now.get(name).is_none() {
            edits.push(Edit::Remove { place: item.key(name.clone()) });
        }
    }
}

/// Changes the policies that are others now, each by its one word.
fn policies(
    place: &Place,
    was: &Map<String, Value>,
    now: &Map<String, Value>,
    edits: &mut Vec<Edit>,
) {
    for (subject_type, now) in now {
        let place = place.key(subject_type.clone());
        match was.get(subject_type) {
            Some(was) => members(&place, was, now, edits),
            None => edits.push(Edit::Set { place, value: now.clone() }),
        }
    }
}

/// An API goes with all grants for it. One that is not there is gone already, as at Auth0: who repeats a
/// request whose answer was lost is not told that it failed.
fn delete(inventory: &Inventory, asked: &Asked) -> Result<Plan, Fault> {
    let Ok(api) = named(inventory, asked) else {
        asked.must_match(None)?;
        return Ok(Plan { change: Change::default(), then: Then::Gone });
    };
    may_be_written(api)?;
    asked.must_match(Some(&show(api).into()))?;
    if api.has_gate {
        let message = "this API is served: its gate stands in a file, and is taken out there first";
        return Err(Fault::new(StatusCode::CONFLICT, "resource_server_served", message));
    }
    let of_it = inventory.grants.iter().filter(|grant| grant.audience == api.identifier);
    // Grants first: no file between two that are written holds one for an API that is not there.
    let places = of_it.map(|grant| &grant.place).chain([api.place.entry()]);
    let edits = places.map(|place| Edit::Remove { place: place.clone() }).collect();
    Ok(Plan { change: Change { edits, new_file: None }, then: Then::Gone })
}

/// Nobody changes over HTTP who may call the Management API.
fn may_be_written(api: &KnownApi) -> Result<(), Fault> {
    if api.is_system { Err(Fault::system()) } else { Ok(()) }
}

/// What a body says, which is nothing of a gate.
fn without_gate(asked: &Asked) -> Result<Map<String, Value>, Fault> {
    let object = body::object(&asked.body)?;
    if object.contains_key("gate") {
        let what = "'Additional properties not allowed: gate' (upstreams and operations are changed in \
            files only)";
        return Err(body::invalid(what));
    }
    Ok(object)
}

/// Refuses what would be written and not hold. What stands there already is left to whoever wrote it: tools
/// send back all that they have read.
fn enforceable(api: &Value, written: &Map<String, Value>) -> Result<(), Fault> {
    let differs = |name: &&str| api.get(name) != written.get(*name);
    let new = |name: &str| Some(name).filter(differs).and_then(|name| api.get(name));
    let required = |proof: Option<&Value>| proof?.get("required")?.as_bool();
    if required(new("proof_of_possession")) == Some(true)
        && required(written.get("proof_of_possession")) != Some(true)
    {
        let what = "'the gate does not enforce sender-constrained tokens' on property \
            proof_of_possession.required";
        return Err(body::invalid(what));
    }
    if new("token_encryption").is_some_and(|encryption| !encryption.is_null()) {
        let what = "'the gate cannot read encrypted access tokens' on property token_encryption";
        return Err(body::invalid(what));
    }
    for (list, key) in [("scopes", "value"), ("authorization_details", "type")] {
        let items = new(list).and_then(Value::as_array).into_iter().flatten();
        let mut names: Vec<_> = items.filter_map(|item| item.get(key)?.as_str()).collect();
        names.sort_unstable();
        let twice = names.windows(2).find_map(|pair| match pair {
            [one, other] if one == other => Some(*one),
            _ => None,
        });
        if let Some(twice) = twice {
            return Err(body::invalid(format_args!("'`{twice}` comes twice' on property {list}")));
        }
    }
    Ok(())
}
