//! Merge keys, in what is not ours to write: configurations have none.

use std::collections::HashSet;

use super::{Entry, Kind, Node};

/// The key whose mappings stand for entries of their own (YAML 1.1).
pub(super) const MERGE: &str = "<<";

/// A mapping with the entries that it merges: its own come first, and of several that are merged the
/// first that has a key.
pub(super) fn merged(mut entries: Vec<Entry>) -> Vec<Entry> {
    // What is no mapping stays under its key: dropped, it could leave nothing where something is asked.
    let is_mergeable = |value: &Node| {
        value.is_map() || value.items().is_some_and(|items| items.iter().all(Node::is_map))
    };
    let merge = |entry: &Entry| entry.key == MERGE && is_mergeable(&entry.value);
    let Some(at) = entries.iter().position(merge) else { return entries };
    let merge = entries.remove(at);
    let others = match merge.value.kind {
        Kind::Map(others) => others,
        Kind::List(maps) => maps.iter().flat_map(Node::entries).cloned().collect(),
        Kind::Refused | Kind::Scalar { .. } => Vec::new(),
    };
    let mut known: HashSet<String> = entries.iter().map(|entry| entry.key.clone()).collect();
    entries.extend(others.into_iter().filter(|other| known.insert(other.key.clone())));
    entries
}
