//! Moves of issuers: whom an API trusts.
//!
//! Where there was one issuer, or one that an API trusts, nobody had to name it. With a second one everybody
//! has to: what was left out is written with it.

use serde_json::json;

use super::super::{Files, tree};
use super::{apis, append};
use crate::config::{Edit, Place};
use crate::policy::{Audience, Issuer};

/// The most things in which an issuer is written that was left out.
const MOST_NAMED: usize = 100;

pub(super) fn unproven(files: &Files<'_>, issuer: &Issuer) -> Option<Vec<Edit>> {
    let (_, place) = files.inventory.issuers.iter().find(|(name, _)| name == issuer)?;
    Some(vec![Edit::Set { place: place.key("unproven"), value: json!("user") }])
}

pub(super) fn trust(files: &Files<'_>, api: &Audience, issuer: &Issuer) -> Option<Vec<Edit>> {
    let list = apis::gate(files, api)?.key("issuers");
    let there = apis::listed(files, &list)?;
    let mut edits: Vec<_> = append(list, &there, &[issuer.to_string()]).into_iter().collect();
    if let [only] = apis::known(files, api)?.issuers.as_slice() {
        edits.extend(named_in_grants(files, only, |audience| audience == api)?);
    }
    Some(edits)
}

pub(super) fn add(
    files: &Files<'_>,
    api: &Audience,
    issuer: &Issuer,
    profile: &str,
) -> Option<Vec<Edit>> {
    let inventory = files.inventory;
    let (last, place) = inventory.issuers.last()?;
    let configured = Place { source: place.source, path: place.path.get(..1)?.to_vec() };
    let item = json!({ "issuer": issuer.as_str(), "profile": profile });
    let mut edits = vec![Edit::Append { list: configured, items: vec![item] }];
    if inventory.issuers.len() > 1 {
        edits.extend(trust(files, api, issuer)?);
        return Some(edits);
    }
    for served in inventory.apis.iter().filter(|known| known.has_gate && !known.is_system) {
        let trusted = served.place.key("gate").key("issuers");
        let there = apis::listed(files, &trusted);
        let is_it = served.identifier == *api;
        match there {
            Some(there) if is_it => edits.extend(append(trusted, &there, &[issuer.to_string()])),
            Some(_) => {}
            None => {
                let mut names = vec![last.as_str()];
                names.extend(is_it.then(|| issuer.as_str()));
                edits.push(Edit::Set { place: trusted, value: json!(names) });
            }
        }
    }
    let trusts_both = |audience: &Audience| {
        audience == api || inventory.api(audience.as_str()).is_none_or(|known| !known.has_gate)
    };
    edits.extend(named_in_grants(files, last, trusts_both)?);
    edits.extend(named_in_clients(files, last)?);
    Some(edits)
}

/// Writes an issuer's name anew, in its entry and wherever it is named.
pub(super) fn respell(files: &Files<'_>, from: &Issuer, to: &Issuer) -> Option<Vec<Edit>> {
    let inventory = files.inventory;
    let (_, entry) = inventory.issuers.iter().find(|(name, _)| name == from)?;
    let mut places = vec![entry.key("issuer")];
    for served in inventory.apis.iter().filter(|known| known.has_gate && !known.is_system) {
        let list = served.place.key("gate").key("issuers");
        let there = apis::listed(files, &list).unwrap_or_default();
        let named = there.iter().enumerate().filter(|(_, name)| *name == from.as_str());
        places.extend(named.map(|(index, _)| list.index(index)));
    }
    let of_it = |written: Option<&String>| written.is_some_and(|name| name == from.as_str());
    let grants = inventory.grants.iter().filter(|grant| of_it(grant.written.issuer.as_ref()));
    places.extend(grants.map(|grant| grant.place.key("issuer")));
    for (index, source) in files.sources.iter().enumerate() {
        let Some(tree) = tree::read(source) else { continue };
        let list = Place::root(index).key("clients");
        let clients = tree::of_key(&tree, "clients").map_or(&[][..], tree::items);
        let named = clients.iter().enumerate().filter(|(_, client)| {
            tree::of_key(client, "issuer").and_then(tree::text) == Some(from.as_str())
        });
        places.extend(named.map(|(index, _)| list.index(index).key("issuer")));
    }
    let set = |place| Edit::Set { place, value: json!(to.as_str()) };
    (places.len() <= MOST_NAMED).then(|| places.into_iter().map(set).collect())
}

/// Names the issuer in the grants for such APIs that do not say it. In tenant exports it is the tenant.
fn named_in_grants(
    files: &Files<'_>,
    issuer: &Issuer,
    for_such: impl Fn(&Audience) -> bool,
) -> Option<Vec<Edit>> {
    let unsaid = files.inventory.grants.iter().filter(|grant| {
        grant.written.issuer.is_none() && !is_exported(&grant.place) && for_such(&grant.audience)
    });
    let places: Vec<_> = unsaid.take(MOST_NAMED + 1).map(|grant| grant.place.clone()).collect();
    named(places, issuer)
}

fn named_in_clients(files: &Files<'_>, issuer: &Issuer) -> Option<Vec<Edit>> {
    let mut places = Vec::new();
    for (index, source) in files.sources.iter().enumerate() {
        let file = files.inventory.files.get(index)?;
        // In a tenant export it is the tenant.
        if file.is_export() {
            continue;
        }
        // What is too long to be read holds grants alone.
        let Some(tree) = tree::read(source) else { continue };
        let list = Place::root(index).key("clients");
        let clients = tree::of_key(&tree, "clients").map_or(&[][..], tree::items);
        let unsaid = clients
            .iter()
            .enumerate()
            .filter(|(_, client)| tree::of_key(client, "issuer").is_none());
        places.extend(unsaid.map(|(index, _)| list.index(index)));
    }
    named(places, issuer)
}

fn named(places: Vec<Place>, issuer: &Issuer) -> Option<Vec<Edit>> {
    let set =
        |place: Place| Edit::Set { place: place.key("issuer"), value: json!(issuer.as_str()) };
    (places.len() <= MOST_NAMED).then(|| places.into_iter().map(set).collect())
}

fn is_exported(grant: &Place) -> bool {
    matches!(grant.path.first(), Some(crate::config::Step::Key(key)) if key == "clientGrants")
}
