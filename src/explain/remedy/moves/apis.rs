//! Moves of an API: what it declares, whom it lets in, where it is served, and whose tokens it takes.

use serde_json::{Value, json};

use super::super::{Files, tree};
use super::append;
use crate::config::inventory::KnownApi;
use crate::config::{Edit, Place};
use crate::policy::{Audience, SubjectType};

pub(super) fn known<'f>(files: &Files<'f>, api: &Audience) -> Option<&'f KnownApi> {
    files.inventory.api(api.as_str()).filter(|known| known.identifier == *api && !known.is_system)
}

/// Where the gate of a served API stands.
pub(super) fn gate(files: &Files<'_>, api: &Audience) -> Option<Place> {
    known(files, api).filter(|known| known.has_gate).map(|known| known.place.key("gate"))
}

/// The texts of a list in a gate.
pub(super) fn listed(files: &Files<'_>, list: &Place) -> Option<Vec<String>> {
    let tree = tree::read(files.sources.get(list.source)?)?;
    let list = tree::at(&tree, list)?;
    Some(tree::items(list).iter().filter_map(tree::text).map(str::to_owned).collect())
}

pub(super) fn declare(
    files: &Files<'_>,
    api: &Audience,
    scopes: &[String],
    details: &[String],
) -> Option<Vec<Edit>> {
    let place = &known(files, api)?.place;
    let mut edits = Vec::new();
    for (list, key, names) in
        [("scopes", "value", scopes), ("authorization_details", "type", details)]
    {
        let items: Vec<Value> = names.iter().map(|name| json!({ key: name })).collect();
        if !items.is_empty() {
            edits.push(Edit::Append { list: place.key(list), items });
        }
    }
    Some(edits)
}

pub(super) fn policy(
    files: &Files<'_>,
    api: &Audience,
    subject_type: SubjectType,
) -> Option<Vec<Edit>> {
    let known = known(files, api)?;
    let (key, name) = ("subject_type_authorization", subject_type.as_str());
    let policies = known.place.key(key);
    let policy = "require_client_grant";
    let edit = match known.written.get(key)?.get(name) {
        Some(Value::Object(_)) => {
            Edit::Set { place: policies.key(name).key("policy"), value: json!(policy) }
        }
        _ => Edit::Set { place: policies.key(name), value: json!({ "policy": policy }) },
    };
    Some(vec![edit])
}

pub(super) fn audience(files: &Files<'_>, api: &Audience, audience: &str) -> Option<Vec<Edit>> {
    let list = gate(files, api)?.key("audiences");
    let there = listed(files, &list).unwrap_or_default();
    Some(append(list, &there, &[audience.to_owned()]).into_iter().collect())
}

pub(super) fn host(files: &Files<'_>, api: &Audience, host: &str) -> Option<Vec<Edit>> {
    let list = gate(files, api)?.key("hosts");
    // Without a list it is served under any host already.
    let there = listed(files, &list)?;
    Some(append(list, &there, &[host.to_owned()]).into_iter().collect())
}

pub(super) fn prefix(files: &Files<'_>, api: &Audience, prefix: &str) -> Option<Vec<Edit>> {
    let place = gate(files, api)?.key("path_prefix");
    Some(vec![Edit::Set { place, value: json!(prefix) }])
}
