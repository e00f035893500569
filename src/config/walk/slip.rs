//! What a key that is not known was meant to be: a section one level too deep, a name misspelled, what
//! another tool made of a name, or no key of a configuration at all.

use serde_json::Value;

use super::super::place::Place;
use super::super::shape::{MapShape, Shape};
use super::super::suggest::closest;
use super::super::tree::{Entry, Kind};

/// What became of a key.
pub(super) enum Slip<'s> {
    /// It is a section of the file, and stands within another.
    Above,
    /// The file is a JSON Web Key Set, and this its `keys`.
    KeySet,
    /// Another key of the same mapping, misspelled.
    Meant(&'s str),
    /// YAML 1.1 takes some names for truth values, and writes them out as such.
    Rewritten(&'static str),
    /// None of those.
    Unknown,
}

impl<'s> Slip<'s> {
    /// What became of the key of `entry`, which stands in the mapping at `place` and is none of those that
    /// `map` knows.
    pub(super) fn find(root: &'s Value, place: &Place, entry: &Entry, map: &MapShape<'s>) -> Self {
        let key = entry.key.as_str();
        let is_list = matches!(entry.value.kind, Kind::List(_));
        if place.path.is_empty() && key == "keys" && is_list {
            return Self::KeySet;
        }
        if key == "true" && map.value("on").is_some() {
            return Self::Rewritten("on");
        }
        if !place.path.is_empty() && is_section(root, entry) {
            return Self::Above;
        }
        // Of what an export spells in its own way, ours is meant.
        let ours = map.keys().filter(|known| !known.contains(char::is_uppercase));
        match closest(key, ours).or_else(|| closest(key, map.keys())) {
            Some(meant) => Self::Meant(meant),
            None => Self::Unknown,
        }
    }
}

/// Whether an entry is one that stands at the top level: by its name, and by what its value is made of.
/// `clients: [web-app]` may be meant for something else.
fn is_section(root: &Value, entry: &Entry) -> bool {
    let Some(map) = Shape::of(root, root).map else { return false };
    let Some(schema) = map.value(&entry.key) else { return false };
    let shape = Shape::of(root, schema);
    match &entry.value.kind {
        Kind::List(items) => {
            let is_map = |kind: &Kind| matches!(kind, Kind::Map(_));
            !shape.any && shape.list.is_some() && items.iter().all(|item| is_map(&item.kind))
        }
        Kind::Map(_) => !shape.any && shape.map.is_some(),
        Kind::Refused | Kind::Scalar { .. } => false,
    }
}
