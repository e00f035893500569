//! The operations of one API, and which of them a request means.
//!
//! [`Operations::build`] takes methods, patterns and whatever belongs to each; [`Operations::find`]
//! takes a method and a canonical path. An operation is a **candidate** when its pattern matches the
//! path and its methods cover the method. Of several candidates the most specific path wins, segment
//! by segment: literal, then `{name}`, then `*`. So `GET /orders/{id}` answers to `GET /orders/new`
//! where `/orders/new` lists `POST` alone.
//!
//! Servers differ in whether `/orders/NEW` and `/orders/new/` are `/orders/new`. Where such a spelling
//! would lead past a more specific operation, to none or to a wider pattern's, it is near and not found.
//!
//! The patterns are a tree of segments. Each node is visited at most once in a search, so that a
//! path can make it no longer than the configuration is; finding an operation never allocates.

use http::Method;

use super::literal::Literal;
use super::methods::Methods;
use super::path::CanonPath;
use super::pattern::{Kind, Pattern, Segment};

/// An immutable table of operations, each with a `T` of its owner's
#[derive(Clone, Debug)]
pub struct Operations<T> {
    root: Node<T>,
}

/// What a method and a path mean among the operations of an API
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found<'a, T> {
    /// In other ASCII case, or with a slash at the end more or less, or both, the path would be listed,
    /// or lead to a more specific operation than it does: whoever serves it may take it for that one
    Near {
        /// What belongs to such operations and to the one that the path itself leads to, as ordered in
        /// configuration; where it leads to none, to such operations of any method
        values: Vec<&'a T>,
    },
    /// The most specific operation for this path and method, in every spelling
    Operation(&'a T),
    /// The path is listed, but for other methods
    OtherMethods {
        /// Those methods by name, with `HEAD` where there is `GET`
        allow: Vec<Method>,
        /// What belongs to the operations on this path, as ordered in configuration
        values: Vec<&'a T>,
    },
    /// No path matches or nearly does
    Unlisted,
}

/// Two operations that no request could tell apart, by their places in what was built from
///
/// Their patterns are equal but for the names in braces, and they have a method in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Clash {
    /// The earlier one
    pub first: usize,
    /// The later one
    pub second: usize,
}

impl<T> Operations<T> {
    /// Makes the table, or names every pair of operations that clash
    pub fn build(
        operations: impl IntoIterator<Item = (Methods, Pattern, T)>,
    ) -> Result<Self, Vec<Clash>> {
        let mut root = Node::default();
        let mut clashes = Vec::new();
        for (index, (methods, pattern, value)) in operations.into_iter().enumerate() {
            let (kinds, place) = (pattern.kinds(), root.place(pattern.segments()));
            clashes.extend(
                place
                    .iter()
                    .filter(|earlier| earlier.methods.overlaps(&methods))
                    .map(|earlier| Clash { first: earlier.index, second: index }),
            );
            place.push(Entry { index, methods, kinds, value });
        }
        if clashes.is_empty() { Ok(Self { root }) } else { Err(clashes) }
    }

    /// The operation that `method` on `path` means, or how far from one it is
    pub fn find(&self, method: &Method, path: &CanonPath<'_>) -> Found<'_, T> {
        let Some(entry) = self.root.find(method, Some(path.relative())) else {
            return self.miss(path);
        };
        let mut near = self.nearer(entry, method, path);
        if near.is_empty() {
            return Found::Operation(&entry.value);
        }
        near.push(entry);
        Found::Near { values: values(near) }
    }

    /// What belongs to each operation, as ordered in configuration
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        let mut entries = Vec::new();
        self.root.all(&mut entries);
        values(entries).into_iter()
    }

    /// The operations that are more specific than the one that was found, and whose path is this one
    /// but for case and a slash at the end
    fn nearer<'a>(
        &'a self,
        found: &Entry<T>,
        method: &Method,
        path: &CanonPath<'_>,
    ) -> Vec<&'a Entry<T>> {
        let mut nearer = Vec::new();
        if found.kinds.iter().any(|kind| *kind != Kind::Literal) {
            self.root.resembling(Some(without_slash(path)), &mut |entry| {
                if entry.kinds < found.kinds && entry.methods.covers(method) {
                    nearer.push(entry);
                }
            });
        }
        nearer
    }

    fn miss(&self, path: &CanonPath<'_>) -> Found<'_, T> {
        let mut entries = Vec::new();
        self.root.gather(Some(path.relative()), &mut entries);
        if !entries.is_empty() {
            return Found::OtherMethods { allow: allow(&entries), values: values(entries) };
        }
        self.root.resembling(Some(without_slash(path)), &mut |entry| entries.push(entry));
        if entries.is_empty() { Found::Unlisted } else { Found::Near { values: values(entries) } }
    }
}

/// The relative path without the slash at its end
fn without_slash<'p>(path: &'p CanonPath<'_>) -> &'p str {
    let relative = path.relative();
    relative.strip_suffix('/').unwrap_or(relative)
}

fn allow<T>(entries: &[&Entry<T>]) -> Vec<Method> {
    let mut allow = Vec::new();
    for entry in entries {
        // An entry of any method would have been found.
        if let Methods::Listed(listed) = &entry.methods {
            allow.extend(listed.iter().cloned());
        }
    }
    if allow.contains(&Method::GET) {
        allow.push(Method::HEAD);
    }
    allow.sort_unstable_by(|one, other| one.as_str().cmp(other.as_str()));
    allow.dedup();
    allow
}

fn values<T>(mut entries: Vec<&Entry<T>>) -> Vec<&T> {
    entries.sort_unstable_by_key(|entry| entry.index);
    entries.dedup_by_key(|entry| entry.index);
    entries.into_iter().map(|entry| &entry.value).collect()
}

/// What can follow after the segments that led here
#[derive(Clone, Debug)]
struct Node<T> {
    /// Sorted
    literals: Vec<(Literal, Node<T>)>,
    name: Option<Box<Node<T>>>,
    /// Operations whose `*` stands here
    rest: Vec<Entry<T>>,
    /// Operations whose pattern ends here
    here: Vec<Entry<T>>,
}

#[derive(Clone, Debug)]
struct Entry<T> {
    index: usize,
    methods: Methods,
    kinds: Box<[Kind]>,
    value: T,
}

impl<T> Node<T> {
    /// Where operations with these segments belong, making the way there
    fn place(&mut self, segments: &[Segment]) -> &mut Vec<Entry<T>> {
        match segments.split_first() {
            None => &mut self.here,
            Some((Segment::Rest, _)) => &mut self.rest,
            Some((Segment::Name(_), tail)) => self.name.get_or_insert_default().place(tail),
            Some((Segment::Literal(literal), tail)) => self.child(literal).place(tail),
        }
    }

    fn child(&mut self, literal: &Literal) -> &mut Self {
        let at = self.literals.partition_point(|(known, _)| known < literal);
        if self.literals.get(at).is_none_or(|(known, _)| known != literal) {
            self.literals.insert(at, (literal.clone(), Self::default()));
        }
        #[expect(clippy::indexing_slicing, reason = "it was there, or has just been inserted")]
        &mut self.literals[at].1
    }

    /// The most specific operation for `method` on what is left of the path; `None` is its end
    fn find(&self, method: &Method, path: Option<&str>) -> Option<&Entry<T>> {
        let Some(path) = path else { return answering(&self.here, method) };
        let (segment, tail) = split(path);
        let literal = self.literals.binary_search_by(|(literal, _)| literal.order(segment));
        let literal = literal.ok().and_then(|at| self.literals.get(at));
        if let Some(entry) = literal.and_then(|(_, node)| node.find(method, tail)) {
            return Some(entry);
        }
        if segment.is_empty() {
            return None;
        }
        let named = self.name.as_ref().and_then(|node| node.find(method, tail));
        named.or_else(|| answering(&self.rest, method))
    }

    /// Every operation
    fn all<'a>(&'a self, into: &mut Vec<&'a Entry<T>>) {
        into.extend(self.here.iter().chain(&self.rest));
        let nodes = self.literals.iter().map(|(_, node)| node).chain(self.name.as_deref());
        nodes.for_each(|node| node.all(into));
    }

    /// Every operation, of whatever method, whose pattern matches what is left of the path
    fn gather<'a>(&'a self, path: Option<&str>, into: &mut Vec<&'a Entry<T>>) {
        let Some(path) = path else { return into.extend(&self.here) };
        let (segment, tail) = split(path);
        for (_, node) in self.literals.iter().filter(|(literal, _)| literal.is(segment)) {
            node.gather(tail, into);
        }
        if !segment.is_empty() {
            if let Some(node) = &self.name {
                node.gather(tail, into);
            }
            into.extend(&self.rest);
        }
    }

    /// Shows every operation, of whatever method, whose pattern matches what is left of a path that has
    /// lost the slash at its end, whatever the case of letters, with that slash or without
    fn resembling<'a>(&'a self, path: Option<&str>, see: &mut impl FnMut(&'a Entry<T>)) {
        let Some(path) = path else {
            let slash = self.literals.iter().filter(|(literal, _)| literal.is(""));
            let here = slash.flat_map(|(_, node)| &node.here).chain(&self.here);
            return here.for_each(see);
        };
        let (segment, tail) = split(path);
        for (_, node) in self.literals.iter().filter(|(literal, _)| literal.resembles(segment)) {
            node.resembling(tail, see);
        }
        if !segment.is_empty() {
            if let Some(node) = &self.name {
                node.resembling(tail, see);
            }
            self.rest.iter().for_each(see);
        }
    }
}

impl<T> Default for Node<T> {
    fn default() -> Self {
        Self { literals: Vec::new(), name: None, rest: Vec::new(), here: Vec::new() }
    }
}

fn answering<'a, T>(entries: &'a [Entry<T>], method: &Method) -> Option<&'a Entry<T>> {
    entries.iter().find(|entry| entry.methods.covers(method))
}

/// The first segment, and what follows its slash if there is one
fn split(path: &str) -> (&str, Option<&str>) {
    path.split_once('/').map_or((path, None), |(segment, tail)| (segment, Some(tail)))
}

#[cfg(test)]
mod tests;
