//! Where the parts of a list or mapping stand in the text: brackets, dashes, colons, commas. The tree knows
//! where values and keys are; between them are blanks, comments and these alone.

use std::ops::Range;

use super::super::Step;
use super::super::tree::{Kind, Node};
use super::page::Page;

/// An item of a list, or a key with its value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'t> {
    /// Its key, where it has one.
    pub(super) key: Option<&'t str>,
    /// Where it begins: at its dash, its key, or itself.
    pub(super) start: usize,
    /// Behind its dash or colon; none where it has neither.
    pub(super) anchor: Option<usize>,
    /// Where its value ends, without line breaks.
    pub(super) end: usize,
    pub(super) value: &'t Node,
}

/// Whether nothing is written.
pub(super) fn is_empty(node: &Node) -> bool {
    matches!(&node.kind, Kind::Scalar { text, plain: true } if text.is_empty())
}

/// Where a value's first character stands: its bracket, dash, quote or key.
pub(super) fn token(page: &Page<'_>, node: &Node, anchor: Option<usize>) -> usize {
    anchor.map_or(node.span.start, |anchor| page.skip(anchor))
}

/// Whether a list or mapping is written in brackets.
pub(super) fn is_flow(page: &Page<'_>, node: &Node) -> bool {
    let first = match &node.kind {
        Kind::List(items) => items.first().map(|item| item.span.start),
        Kind::Map(entries) => entries.first().map(|entry| entry.key_span.start),
        Kind::Refused | Kind::Scalar { .. } => return false,
    };
    // A list without indentation starts where its first item does, which may have brackets.
    matches!(page.byte(node.span.start), Some(b'[' | b'{')) && first != Some(node.span.start)
}

/// Where the header of a block scalar (`|`, `>-`) stands, if the value is one.
pub(super) fn header(page: &Page<'_>, node: &Node, anchor: usize) -> Option<Range<usize>> {
    if !matches!(node.kind, Kind::Scalar { plain: false, .. }) {
        return None;
    }
    let at = page.skip(anchor);
    let rest = page.slice(at..page.line_end(at));
    rest.starts_with(['|', '>']).then(|| at..at + rest.find([' ', '\t']).unwrap_or(rest.len()))
}

/// The parts of a list or mapping that stands behind `anchor`, in brackets or not. None where the text is
/// not what the tree says.
pub(super) fn parts<'t>(
    page: &Page<'_>,
    node: &'t Node,
    anchor: Option<usize>,
    in_flow: bool,
) -> Option<Vec<Part<'t>>> {
    match &node.kind {
        Kind::List(items) if in_flow => Some(items.iter().map(flow_item).collect()),
        Kind::List(items) => block_items(page, items, token(page, node, anchor)),
        Kind::Map(entries) => entries
            .iter()
            .map(|entry| {
                let colon = page.skip(entry.key_span.end);
                let anchor = (page.byte(colon) == Some(b':')).then_some(colon + 1);
                let behind = anchor.unwrap_or(entry.key_span.end);
                Some(Part {
                    key: Some(&entry.key),
                    start: entry.key_span.start,
                    anchor,
                    end: end(page, &entry.value, behind, in_flow)?,
                    value: &entry.value,
                })
            })
            .collect(),
        Kind::Refused | Kind::Scalar { .. } => None,
    }
}

fn flow_item(item: &Node) -> Part<'_> {
    Part { key: None, start: item.span.start, anchor: None, end: item.span.end, value: item }
}

fn block_items<'t>(page: &Page<'_>, items: &'t [Node], first: usize) -> Option<Vec<Part<'t>>> {
    let mut at = first;
    let mut parts = Vec::with_capacity(items.len());
    for item in items {
        let dash = page.skip(at);
        if page.byte(dash) != Some(b'-') {
            return None;
        }
        at = end(page, item, dash + 1, false)?;
        parts.push(Part { key: None, start: dash, anchor: Some(dash + 1), end: at, value: item });
    }
    Some(parts)
}

/// Where a value behind `anchor` ends. What the tree gives for a block runs into the line break behind
/// it, or stops before an empty value.
fn end(page: &Page<'_>, node: &Node, anchor: usize, in_flow: bool) -> Option<usize> {
    if is_empty(node) {
        return Some(anchor);
    }
    if let Some(header) = header(page, node, anchor) {
        let end = trimmed(page, node).max(header.end);
        let keeps = page.slice(header).contains('+');
        return Some(if keeps { page.behind_blanks(end) } else { end });
    }
    let is_block = !in_flow && !is_flow(page, node);
    match &node.kind {
        Kind::List(_) | Kind::Map(_) if is_block => {
            parts(page, node, Some(anchor), false)?.last().map(|last| last.end)
        }
        _ => Some(trimmed(page, node)),
    }
}

/// The last block scalar within a value that keeps the blank lines behind it (`|+`), as the steps that lead
/// there.
pub(super) fn keeper(page: &Page<'_>, node: &Node, anchor: Option<usize>) -> Option<Vec<Step>> {
    if let Some(anchor) = anchor
        && let Some(header) = header(page, node, anchor)
    {
        return page.slice(header).contains('+').then(Vec::new);
    }
    if is_flow(page, node) {
        return None;
    }
    let parts = parts(page, node, anchor, false)?;
    parts.iter().enumerate().rev().find_map(|(index, part)| {
        let mut steps = keeper(page, part.value, part.anchor)?;
        let step = part.key.map_or(Step::Index(index), |key| Step::Key(key.to_owned().into()));
        steps.insert(0, step);
        Some(steps)
    })
}

/// Where a value ends, without the line breaks that a block scalar's own end runs into.
pub(super) fn trimmed(page: &Page<'_>, node: &Node) -> usize {
    node.span.start + page.slice(node.span.clone()).trim_end_matches([' ', '\t', '\r', '\n']).len()
}
