//! What stands around a new value, and shows how it is to be written: brackets or lines, quotes or none.

use serde_json::Value;

use super::super::scalar::Plain;
use super::super::tree::{Entry, Kind, Node};
use super::layout::is_flow;
use super::page::Page;
use super::words::{Medium, Quotes, is_plain};

/// How many of the nearest are looked at: a list may be long.
const NEAREST: usize = 16;

/// Values that a new one is written like.
#[derive(Clone, Debug, Default)]
pub(super) struct Models<'t> {
    /// Those in the same place of other items, the nearest one last.
    near: Vec<&'t Node>,
    /// Those beside it. They count where none of `near` is of its kind.
    far: Vec<&'t Node>,
}

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// On lines of its own, below its key.
    Block,
    /// In brackets.
    Flow {
        /// Each part on a line.
        tall: bool,
        /// With blanks within the brackets.
        padded: bool,
    },
}

impl Form {
    pub(super) const LINE: Self = Self::Flow { tall: false, padded: false };
}

impl<'t> Models<'t> {
    /// The other items of a list, for a new one.
    pub(super) fn of_items(items: &'t [Node]) -> Self {
        Self { near: nearest(items.iter()), far: Vec::new() }
    }

    /// For a value that takes the place of one.
    pub(super) fn or_first(mut self, old: &'t Node) -> Self {
        self.near.push(old);
        self
    }

    /// For the value of a key in one of a mapping's models.
    pub(super) fn entry(&self, key: &str) -> Self {
        let maps = self.maps();
        let near = maps.iter().filter_map(|entries| {
            entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
        });
        let beside = maps.iter().flat_map(|entries| entries.iter());
        let far = beside.filter(|entry| entry.key != key).map(|entry| &entry.value);
        Self { near: nearest(near), far: nearest(far) }
    }

    /// For an item in one of a list's models.
    pub(super) fn items(&self) -> Self {
        let lists = self.of_kind(|kind| match kind {
            Kind::List(items) => Some(items),
            _ => None,
        });
        Self { near: nearest(lists.iter().flat_map(|items| items.iter())), far: Vec::new() }
    }

    /// The form that a list or mapping is written in; none where nothing shows one.
    pub(super) fn form(&self, page: &Page<'_>, value: &Value) -> Option<Form> {
        let is_map = value.is_object();
        let alike = self.of_kind_nodes(|kind| match kind {
            Kind::List(items) => !is_map && !items.is_empty(),
            Kind::Map(entries) => is_map && !entries.is_empty(),
            Kind::Refused | Kind::Scalar { .. } => false,
        });
        let model = alike.last()?;
        if !is_flow(page, model) {
            return Some(Form::Block);
        }
        let inner = model.span.start + 1..model.span.end.saturating_sub(1);
        let padded = page.byte(inner.start) == Some(b' ');
        let first = page.skip(inner.start);
        Some(Form::Flow { tall: page.is_tall(inner.start..first), padded })
    }

    /// Whether the nearest mapping in braces has its keys in quotes, as JSON does.
    pub(super) fn is_json(&self, page: &Page<'_>) -> bool {
        let map = self.maps().into_iter().next_back();
        map.is_some_and(|entries| has_json_keys(page, entries))
    }

    /// The quotes that a text gets.
    pub(super) fn quotes(&self, page: &Page<'_>) -> Quotes {
        let near: Vec<_> = self.near.iter().filter_map(|node| written(page, node)).collect();
        if near.is_empty() {
            let beside: Vec<_> = self.far.iter().filter_map(|node| written(page, node)).collect();
            // Quotes that had to be show no habit.
            let chosen = |(quote, text): &(Option<u8>, &str)| {
                quote.is_none() || is_plain(text, Medium::Flow) && !text.contains(':')
            };
            let chosen: Vec<_> = beside.into_iter().filter(chosen).collect();
            return all_quoted(&chosen).unwrap_or_default();
        }
        let with_colon = near.iter().rev().find(|(_, text)| text.contains(':'));
        let never = with_colon.is_some_and(|(quote, _)| quote.is_none());
        all_quoted(&near).unwrap_or(if never { Quotes::Never } else { Quotes::Sparing })
    }

    fn maps(&self) -> Vec<&'t Vec<Entry>> {
        self.of_kind(|kind| match kind {
            Kind::Map(entries) => Some(entries),
            _ => None,
        })
    }

    fn of_kind<T>(&self, is: impl Fn(&'t Kind) -> Option<T>) -> Vec<T> {
        let near: Vec<T> = self.near.iter().filter_map(|node| is(&node.kind)).collect();
        if near.is_empty() {
            self.far.iter().filter_map(|node| is(&node.kind)).collect()
        } else {
            near
        }
    }

    fn of_kind_nodes(&self, is: impl Fn(&'t Kind) -> bool) -> Vec<&'t Node> {
        let near: Vec<_> = self.near.iter().copied().filter(|node| is(&node.kind)).collect();
        if near.is_empty() {
            self.far.iter().copied().filter(|node| is(&node.kind)).collect()
        } else {
            near
        }
    }
}

/// Whether all keys are quoted as JSON quotes them.
pub(super) fn has_json_keys(page: &Page<'_>, entries: &[Entry]) -> bool {
    let is_quoted = |entry: &Entry| page.byte(entry.key_span.start) == Some(b'"');
    !entries.is_empty() && entries.iter().all(is_quoted)
}

/// The last of them, in their order.
fn nearest<'t>(nodes: impl DoubleEndedIterator<Item = &'t Node>) -> Vec<&'t Node> {
    let mut nearest: Vec<_> = nodes.rev().take(NEAREST).collect();
    nearest.reverse();
    nearest
}

/// A text as it is written: its quote, and what it says. None where it is no text, or on several lines.
fn written<'t>(page: &Page<'_>, node: &'t Node) -> Option<(Option<u8>, &'t str)> {
    match &node.kind {
        Kind::Scalar { text, plain: true } => {
            (Plain::of(text) == Plain::Text).then_some((None, text.as_str()))
        }
        Kind::Scalar { text, plain: false } => {
            let quote = page.byte(node.span.start).filter(|byte| matches!(byte, b'"' | b'\''));
            quote.map(|quote| (Some(quote), text.as_str()))
        }
        Kind::List(_) | Kind::Map(_) | Kind::Refused => None,
    }
}

/// The quotes, where all have the same.
fn all_quoted(written: &[(Option<u8>, &str)]) -> Option<Quotes> {
    let all = |quote| !written.is_empty() && written.iter().all(|(it, _)| *it == Some(quote));
    match () {
        () if all(b'"') => Some(Quotes::Double),
        () if all(b'\'') => Some(Quotes::Single),
        () => None,
    }
}
