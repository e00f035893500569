//! A value takes another's place: behind its key or dash, with the comment behind it kept.

use serde_json::Value;

use super::super::tree::{Kind, Node};
use super::layout::{header, is_empty, is_flow, parts, token, trimmed};
use super::models::{Form, Models};
use super::page::{Page, Splices};
use super::plan::Site;
use super::words::Medium;
use super::write::Pen;

/// Writes `value` where `node` stands. None where nothing can take its place.
pub(super) fn replace<'p>(
    page: &'p Page<'p>,
    pen: &Pen<'_>,
    node: &'p Node,
    value: &Value,
    site: &Site<'p>,
    splices: &mut Splices,
) -> Option<()> {
    let models = site.models.clone().or_first(node);
    if site.in_flow {
        in_brackets(page, pen, node, value, site, &models, splices);
        return Some(());
    }
    let anchor = site.anchor?;
    let old = Old::of(page, node, anchor)?;
    let column = page.column(site.start);
    let behind = page.behind(old.end, column);
    if pen.form(value, &models) != Form::Block {
        let text = pen.on_line(value, &models, &" ".repeat(column), Medium::Block);
        match old.kind {
            Stands::Inline => splices.replace(old.start..old.end, text),
            Stands::Headed => {
                splices.replace(old.start..old.header_end, text);
                splices.delete(
                    page.line_end(old.header_end)..old.end.max(page.line_end(old.header_end)),
                );
            }
            Stands::Below | Stands::Nowhere => {
                splices.insert(anchor, format!(" {text}"));
                old.clear(page, anchor, behind, splices);
            }
        }
        return Some(());
    }
    let is_item = page.byte(site.start) == Some(b'-') && anchor == site.start + 1;
    let is_remarked = !matches!(old.kind, Stands::Below) && page.has_comment(old.end..behind);
    if is_item && !is_remarked {
        let lines = pen.item(value, column, page.gap(anchor), &models).join(page.line_break);
        splices.replace(site.start..behind, lines.get(column..)?);
        return Some(());
    }
    old.clear(page, anchor, behind, splices);
    let lines = if is_item {
        pen.block(value, column + 2, &models)
    } else {
        pen.below(value, column, &models)
    };
    let lines = lines.iter().map(|line| format!("{}{line}", page.line_break));
    splices.insert(behind, lines.collect::<String>());
    Some(())
}

/// Within brackets what is written has neither lines nor comments of its own.
fn in_brackets(
    page: &Page<'_>,
    pen: &Pen<'_>,
    node: &Node,
    value: &Value,
    site: &Site<'_>,
    models: &Models<'_>,
    splices: &mut Splices,
) {
    let medium = if page.is_json { Medium::Json } else { Medium::Flow };
    let text = pen.on_line(value, models, page.indentation(site.start), medium);
    match site.anchor {
        _ if !is_empty(node) => splices.replace(node.span.clone(), text),
        Some(anchor) => splices.insert(anchor, format!(" {text}")),
        // A key without a colon: `{a}`.
        None => splices.insert(node.span.start, format!(": {text}")),
    }
}

/// A value as it stands in a block.
struct Old {
    kind: Stands,
    start: usize,
    end: usize,
    /// For a block scalar: behind its `|` or `>`.
    header_end: usize,
}

#[derive(Clone, Copy)]
enum Stands {
    /// A list or mapping, on lines.
    Below,
    /// A block scalar.
    Headed,
    /// A scalar, or brackets.
    Inline,
    Nowhere,
}

impl Old {
    fn of(page: &Page<'_>, node: &Node, anchor: usize) -> Option<Self> {
        let start = token(page, node, Some(anchor));
        if is_empty(node) {
            let (start, end, header_end) = (anchor, anchor, anchor);
            return Some(Self { kind: Stands::Nowhere, start, end, header_end });
        }
        if let Some(header) = header(page, node, anchor) {
            let end = trimmed(page, node).max(header.end);
            return Some(Self { kind: Stands::Headed, start, end, header_end: header.end });
        }
        let is_block = matches!(node.kind, Kind::List(_) | Kind::Map(_)) && !is_flow(page, node);
        let (kind, end) = if is_block {
            (Stands::Below, parts(page, node, Some(anchor), false)?.last()?.end)
        } else {
            (Stands::Inline, node.span.end)
        };
        Some(Self { kind, start, end, header_end: start })
    }

    /// Takes it out; comments between it and its anchor stay, for they speak of the key.
    fn clear(&self, page: &Page<'_>, anchor: usize, behind: usize, splices: &mut Splices) {
        let is_on_line = self.start < page.line_end(anchor);
        match self.kind {
            Stands::Nowhere => {}
            Stands::Inline if is_on_line => splices.delete(anchor..self.end),
            // The comments behind it stay where they are.
            Stands::Inline if page.has_comment(self.end..page.line_end(self.end)) => {
                splices.delete(self.start..self.end);
            }
            Stands::Headed if is_on_line => {
                let line = page.line_end(self.header_end);
                splices.delete(anchor..self.header_end);
                splices.delete(line..self.end.max(line));
            }
            Stands::Below if is_on_line => splices.delete(anchor..behind),
            Stands::Inline => {
                let above = page.previous_end(self.start).unwrap_or(anchor);
                splices.delete(above..page.line_end(self.end));
            }
            Stands::Below | Stands::Headed => {
                let above = page.previous_end(self.start).unwrap_or(anchor);
                splices.delete(above..behind);
            }
        }
    }
}
