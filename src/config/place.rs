//! A place: which source, and the keys and indexes that lead to a value in it.
//!
//! Raw types and their meaning stay free of positions: a problem names its place, and only the
//! report looks up where in the text that place stands.

use std::borrow::Cow;
use std::fmt;

use super::tree::{Kind, Node, Span};

/// One step down: into a mapping or into a list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// The list's element with this index, from 0.
    Index(usize),
    /// The mapping's value under this key.
    Key(Cow<'static, str>),
}

/// A symbolic position in the configuration. It prints as `resource_servers[1].gate`.
///
/// A place may name what is not there: a missing key's place is the key's own, and stands in the
/// text where its nearest ancestor does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The index of the source.
    pub source: usize,
    /// The way from the document's root.
    pub path: Vec<Step>,
}

impl Place {
    /// The whole document of a source.
    pub fn root(source: usize) -> Self {
        Self { source, path: Vec::new() }
    }

    /// No place in any text: what concerns the configuration as a whole.
    pub fn nowhere() -> Self {
        Self::root(usize::MAX)
    }

    /// The value under a key of this mapping.
    #[must_use]
    pub fn key(&self, key: impl Into<Cow<'static, str>>) -> Self {
        self.step(Step::Key(key.into()))
    }

    /// The element at an index of this list.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.step(Step::Index(index))
    }

    fn step(&self, step: Step) -> Self {
        let mut path = Vec::with_capacity(self.path.len() + 1);
        path.extend_from_slice(&self.path);
        path.push(step);
        Self { source: self.source, path }
    }

    /// The last key on the way: what a message calls it.
    pub fn last_key(&self) -> &str {
        let key = self.path.iter().rev().find_map(|step| match step {
            Step::Key(key) => Some(&**key),
            Step::Index(_) => None,
        });
        key.unwrap_or_default()
    }

    /// Whether this is `outer` itself or below it.
    pub fn is_within(&self, outer: &Place) -> bool {
        self.source == outer.source && self.path.starts_with(&outer.path)
    }

    /// Where the place stands in its document's tree: the value, or its key when `on_key`.
    ///
    /// What is absent stands where its nearest ancestor's key does: pointing at the start of all
    /// the ancestor holds would say less. A value of which nothing is written (`key:`) stands at
    /// its key.
    pub(super) fn span(&self, tree: &Node, on_key: bool) -> Span {
        let (mut node, mut key) = (tree, None);
        for step in &self.path {
            let Some((value, value_key)) = step.of(node) else {
                return key.unwrap_or(&node.span).clone();
            };
            (node, key) = (value, value_key);
        }
        match key {
            Some(key) if on_key || node.span.is_empty() => key.clone(),
            _ => node.span.clone(),
        }
    }
}

impl Step {
    /// What this step leads to, with its key where it has one.
    fn of<'t>(&self, node: &'t Node) -> Option<(&'t Node, Option<&'t Span>)> {
        match (self, &node.kind) {
            (Self::Index(index), Kind::List(items)) => items.get(*index).map(|item| (item, None)),
            (Self::Key(name), Kind::Map(entries)) => entries
                .iter()
                .find(|entry| entry.key == *name)
                .map(|entry| (&entry.value, Some(&entry.key_span))),
            _ => None,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            return f.write_str(".");
        }
        for (depth, step) in self.path.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) if is_plain(key) && depth == 0 => f.write_str(key)?,
                Step::Key(key) if is_plain(key) => write!(f, ".{key}")?,
                Step::Key(key) => write!(f, "[{key:?}]")?,
            }
        }
        Ok(())
    }
}

fn is_plain(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::super::{Report, Source, parse};
    use super::*;

    const TEXT: &str =
        "apis:\n  - name: one\n  - name: two\n    gate:\n      hosts: [a, b]\nnone:\n";

    fn at(place: &Place, on_key: bool) -> &'static str {
        let mut report = Report::new([Source::new("x", TEXT)]);
        let tree = parse(0, TEXT, &mut report).unwrap();
        &TEXT[place.span(&tree, on_key)]
    }

    #[test]
    fn prints_keys_and_indexes() {
        let place = Place::root(3).key("resource_servers").index(1).key("gate");
        assert_eq!(place.to_string(), "resource_servers[1].gate");
        assert_eq!(Place::root(0).to_string(), ".");
        assert_eq!(Place::root(0).key("a").key("b.c\u{1b}").to_string(), r#"a["b.c\u{1b}"]"#);
    }

    #[test]
    fn stands_at_its_value_or_key() {
        let hosts = Place::root(0).key("apis").index(1).key("gate").key("hosts");
        assert_eq!(at(&hosts, false), "[a, b]");
        assert_eq!(at(&hosts, true), "hosts");
        assert_eq!(at(&hosts.index(1), false), "b");
        assert_eq!(at(&Place::root(0).key("apis").index(0), false), "name: one");
    }

    #[test]
    fn what_is_absent_stands_at_its_nearest_ancestor() {
        let gate = Place::root(0).key("apis").index(1).key("gate");
        assert_eq!(at(&gate.key("upstream").key("ca"), false), "gate");
        assert_eq!(at(&Place::root(0).key("apis").index(0).key("gate"), false), "name: one");
        assert_eq!(at(&Place::root(0).key("apis").index(9), false), "apis");
        assert_eq!(at(&Place::root(0).key("none"), false), "none");
    }

    #[test]
    fn within_is_here_or_below_in_the_same_source() {
        let outer = Place::root(0).key("a");
        assert!(outer.is_within(&outer) && outer.key("b").is_within(&outer));
        assert!(!Place::root(0).is_within(&outer));
        assert!(!Place::root(1).key("a").is_within(&outer));
    }
}
