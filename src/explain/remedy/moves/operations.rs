//! Moves of operations: a new one, and one that asks something else.

use serde_json::{Map, Value, json};

use super::super::{Files, tree};
use super::{Wanted, apis, append};
use crate::config::{Edit, Place};
use crate::policy::Audience;

pub(super) fn add(
    files: &Files<'_>,
    api: &Audience,
    on: &str,
    need: Option<&Wanted>,
) -> Option<Vec<Edit>> {
    let list = apis::gate(files, api)?.key("operations");
    let mut item = Map::new();
    item.insert("on".to_owned(), json!(on));
    let lists = need.into_iter().flat_map(Wanted::lists);
    for (key, names) in lists.filter(|(_, names)| !names.is_empty()) {
        item.insert(key.to_owned(), json!(names));
    }
    if item.len() == 1 {
        item.insert("any_token".to_owned(), json!(true));
    }
    Some(vec![Edit::Append { list, items: vec![item.into()] }])
}

pub(super) fn ask(files: &Files<'_>, api: &Audience, on: &str, need: &Wanted) -> Option<Vec<Edit>> {
    let place = place_of(files, api, on)?;
    let tree = tree::read(files.sources.get(place.source)?)?;
    let item = tree::at(&tree, &place)?;
    let mut edits = Vec::new();
    for (key, names) in need.lists() {
        let list = place.key(key);
        match tree::of_key(item, key) {
            Some(_) if names.is_empty() => edits.push(Edit::Remove { place: list }),
            Some(written) => {
                let there: Vec<_> = tree::items(written)
                    .iter()
                    .map(|it| tree::text(it).map(str::to_owned))
                    .collect();
                let there: Vec<String> = there.into_iter().collect::<Option<_>>()?;
                let gone = there.iter().enumerate().filter(|(_, name)| !names.contains(name));
                edits.extend(gone.map(|(index, _)| Edit::Remove { place: list.index(index) }));
                edits.extend(append(list, &there, names));
            }
            None if names.is_empty() => {}
            None => edits.push(Edit::Set { place: list, value: json!(names) }),
        }
    }
    if need.is_empty() {
        edits.push(Edit::Set { place: place.key("any_token"), value: Value::Bool(true) });
    }
    Some(edits)
}

/// Where an operation stands that is listed under this text.
pub(in super::super) fn place_of(files: &Files<'_>, api: &Audience, on: &str) -> Option<Place> {
    let list = apis::gate(files, api)?.key("operations");
    let tree = tree::read(files.sources.get(list.source)?)?;
    let items = tree::items(tree::at(&tree, &list)?);
    let is_it = |item| tree::of_key(item, "on").and_then(tree::text) == Some(on);
    items.iter().position(is_it).map(|index| list.index(index))
}
