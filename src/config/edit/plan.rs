//! A tree and its changes → splices of the text: each change is written where its place stands, in the form
//! of what is there.

use serde_json::Value;

use super::super::place::Step;
use super::super::tree::{Kind, Node};
use super::block::Block;
use super::changes::{Change, What};
use super::flow::Flow;
use super::layout::{Part, is_flow, parts};
use super::models::{Form, Models, has_json_keys};
use super::page::{Page, Splices};
use super::replace::replace;
use super::words::Medium;
use super::write::Pen;

/// Plans all changes of a page. None where the text is not what the tree says.
pub(super) fn plan(page: &Page<'_>, tree: &Node, change: &Change<'_>) -> Option<Splices> {
    let mut plan = Plan { page, pen: Pen::new(page, tree), splices: Splices::default() };
    let whole = Site { anchor: None, start: page.start, in_flow: false, models: Models::default() };
    plan.value(tree, change, &whole)?;
    Some(plan.splices)
}

struct Plan<'p> {
    page: &'p Page<'p>,
    pen: Pen<'p>,
    splices: Splices,
}

/// Where a value stands.
pub(super) struct Site<'t> {
    /// Behind its colon or dash; none for the whole document, and for what stands in brackets alone.
    pub(super) anchor: Option<usize>,
    /// Where its key or dash begins.
    pub(super) start: usize,
    /// Whether brackets are around it.
    pub(super) in_flow: bool,
    /// What stands in the same place elsewhere.
    pub(super) models: Models<'t>,
}

impl<'p> Plan<'p> {
    fn value(&mut self, node: &'p Node, change: &Change<'_>, site: &Site<'p>) -> Option<()> {
        match &change.what {
            What::Set(value) => self.replace(node, value, site),
            What::Append(items) if self.is_begun_anew(node, items, site) => {
                let list: Value = items.iter().copied().cloned().collect();
                self.replace(node, &list, site)
            }
            What::Append(_) | What::Nothing => self.container(node, change, site),
            What::Remove => None,
        }
    }

    fn replace(&mut self, node: &'p Node, value: &Value, site: &Site<'p>) -> Option<()> {
        replace(self.page, &self.pen, node, value, site, &mut self.splices)
    }

    /// Whether items are not added to what is written: there is nothing, or `[]` in which nobody would
    /// write them.
    fn is_begun_anew(&self, node: &Node, items: &[&Value], site: &Site<'_>) -> bool {
        match &node.kind {
            Kind::List(old) if old.is_empty() && !site.in_flow && !self.page.is_json => {
                let is_bare = !self.page.has_comment(node.span.clone());
                is_bare && items.iter().any(|item| item.is_array() || item.is_object())
            }
            Kind::List(_) => false,
            _ => true,
        }
    }

    /// What changes within a list or mapping: below its parts first, then the parts.
    fn container(&mut self, node: &'p Node, change: &Change<'_>, site: &Site<'p>) -> Option<()> {
        let in_flow = site.in_flow || is_flow(self.page, node);
        let parts = parts(self.page, node, site.anchor, in_flow)?;
        let mut removed = vec![false; parts.len()];
        let mut new: Vec<(usize, &str, Value)> = Vec::new();
        for (step, below) in &change.below {
            let index = match step {
                Step::Index(index) => Some(*index),
                Step::Key(key) => parts.iter().position(|part| part.key == Some(key)),
            };
            match (index, step) {
                (Some(index), _) if matches!(below.what, What::Remove) => {
                    *removed.get_mut(index)? = true;
                }
                (Some(index), _) => {
                    let part = parts.get(index)?;
                    let models = match part.key {
                        Some(key) => models_within(node, site).entry(key),
                        None => items_within(node, site),
                    };
                    let (anchor, start) = (part.anchor, part.start);
                    let site = Site { anchor, start, in_flow, models };
                    self.value(part.value, below, &site)?;
                }
                (None, Step::Key(key)) => new.push((below.order, key, below.made()?)),
                (None, Step::Index(_)) => return None,
            }
        }
        new.sort_by_key(|(order, ..)| *order);
        let items: Vec<&Value> = match &change.what {
            What::Append(items) => items.clone(),
            _ => Vec::new(),
        };
        if in_flow {
            return self.flow(node, &parts, &removed, (&new, &items), site);
        }
        self.block(node, &parts, &removed, (&new, &items), site);
        Some(())
    }

    fn block(
        &mut self,
        node: &'p Node,
        parts: &[Part<'p>],
        removed: &[bool],
        (new, items): (&[(usize, &str, Value)], &[&Value]),
        site: &Site<'p>,
    ) {
        let (Some(first), Some(last)) = (parts.first(), parts.last()) else {
            if !new.is_empty() {
                self.begin(new);
            }
            return;
        };
        let column = self.page.column(first.start);
        let models = models_within(node, site);
        let mut added: Vec<Vec<String>> = Vec::new();
        for (_, key, value) in new {
            added.push(self.pen.entry(key, value, column, &models.entry(key)));
        }
        let gap = last.anchor.map_or(1, |anchor| self.page.gap(anchor));
        let models = items_within(node, site);
        for item in items {
            added.push(self.pen.item(item, column, gap, &models));
        }
        let empty = if matches!(node.kind, Kind::List(_)) { "[]" } else { "{}" };
        let block = Block { page: self.page, parts, removed, anchor: site.anchor, empty };
        block.change(&added, &mut self.splices);
    }

    fn flow(
        &mut self,
        node: &'p Node,
        parts: &[Part<'p>],
        removed: &[bool],
        (new, items): (&[(usize, &str, Value)], &[&Value]),
        site: &Site<'p>,
    ) -> Option<()> {
        if !matches!(self.page.byte(node.span.start), Some(b'[' | b'{')) {
            // A pair without braces: `[a: 1]`.
            return None;
        }
        let medium = self.medium(node);
        let is_tall = matches!(self.pen.usual(medium), Form::Flow { tall: true, .. });
        let deeper = self.pen.tab(self.page.indentation(node.span.start));
        let comma = self.pen.comma();
        let span = node.span.clone();
        let flow = Flow { page: self.page, span, parts, removed, comma, deeper, is_tall };
        let indentation = flow.indentation();
        let mut added: Vec<String> = Vec::new();
        let models = models_within(node, site);
        for (_, key, value) in new {
            added.push(self.pen.pair(key, value, &models.entry(key), &indentation, medium));
        }
        let models = items_within(node, site);
        for item in items {
            added.push(self.pen.on_line(item, &models, &indentation, medium));
        }
        flow.change(&added, &mut self.splices)
    }

    /// JSON where the page is, or where the keys beside are quoted as JSON has them.
    fn medium(&self, node: &Node) -> Medium {
        let is_json = match &node.kind {
            Kind::Map(entries) => has_json_keys(self.page, entries),
            _ => false,
        };
        if self.page.is_json || is_json { Medium::Json } else { Medium::Flow }
    }

    /// The first keys of a document that has none: behind its comments, before its end marker.
    fn begin(&mut self, new: &[(usize, &str, Value)]) {
        let page = self.page;
        let mut lines = Vec::new();
        for (_, key, value) in new {
            lines.extend(self.pen.entry(key, value, 0, &Models::default()));
        }
        let end = page.text.trim_end();
        let marker = end.lines().next_back().filter(|line| *line == "...");
        let at = marker.map_or(page.text.len(), |marker| end.len() - marker.len());
        let lead = if page.column(at.max(page.start)) == 0 { "" } else { page.line_break };
        let text = lines.join(page.line_break);
        self.splices.insert(at.max(page.start), format!("{lead}{text}{}", page.line_break));
    }
}

/// The models of a mapping's entries: the mapping itself, and what stands in its place elsewhere.
fn models_within<'t>(node: &'t Node, site: &Site<'t>) -> Models<'t> {
    site.models.clone().or_first(node)
}

/// The models of a list's items: the others, and where there are none those of lists in its place.
fn items_within<'t>(node: &'t Node, site: &Site<'t>) -> Models<'t> {
    match &node.kind {
        Kind::List(items) if !items.is_empty() => Models::of_items(items),
        _ => site.models.items(),
    }
}
