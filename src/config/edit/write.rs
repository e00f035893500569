//! A new value → its lines, or its one line: as its models are written, else as a person would.
//!
//! Long texts are never folded, and nothing is shortened.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::tree::{Kind, Node};
use super::layout::{is_flow, token};
use super::models::{Form, Models};
use super::page::Page;
use super::words::{self, Medium};

/// The longest list that is written in brackets where nothing shows how: in bytes, about.
const LINE: usize = 80;

/// What says which requests an operation is about. It is never taken for a truth value here.
const OPERATION: &str = "on";

/// Writes new values into a page, in its habits.
pub(super) struct Pen<'t> {
    page: &'t Page<'t>,
    /// How far a mapping's keys are indented below their own.
    nested: usize,
    /// How far a list's dashes are indented below its key.
    dash: usize,
    /// What JSON and brackets have between two parts on a line, and behind a key.
    comma: &'static str,
    colon: &'static str,
    /// Keys that the page writes without the quotes that they would get, such as `on`.
    bare: BTreeSet<String>,
}

impl<'t> Pen<'t> {
    pub(super) fn new(page: &'t Page<'t>, tree: &Node) -> Self {
        let mut habits = Habits::default();
        habits.look(page, tree, 1_000);
        let is_close = page.is_json && page.text.contains("\":") && !page.text.contains("\": ");
        let (comma, colon) = if is_close { (",", ":") } else { (", ", ": ") };
        let (nested, dash) = (habits.nested.unwrap_or(2), habits.dash.unwrap_or(2));
        let mut bare = BTreeSet::from([OPERATION.to_owned()]);
        bare_keys(page, tree, &mut bare);
        Self { page, nested, dash, comma, colon, bare }
    }

    /// A key, as the page writes it elsewhere.
    fn key(&self, name: &str, medium: Medium) -> String {
        if medium != Medium::Json && self.bare.contains(name) {
            return name.to_owned();
        }
        words::key(name, medium)
    }

    /// What stands between two parts on one line.
    pub(super) fn comma(&self) -> &'static str {
        self.comma
    }

    /// How a value is written in a block.
    pub(super) fn form(&self, value: &Value, models: &Models<'_>) -> Form {
        let is_written_out = match value {
            Value::Array(items) => !items.is_empty(),
            Value::Object(entries) => !entries.is_empty(),
            _ => false,
        };
        if !is_written_out {
            return Form::LINE;
        }
        models.form(self.page, value).unwrap_or_else(|| match value {
            Value::Array(items) if items.iter().all(is_scalar) && is_short(items) => Form::LINE,
            // An operation is one line, as everywhere that nothing shows another habit.
            Value::Object(entries) if entries.contains_key(OPERATION) => Form::LINE,
            _ => Form::Block,
        })
    }

    /// A key and its value in a block; the first line is indented by `column` too.
    pub(super) fn entry(
        &self,
        key: &str,
        value: &Value,
        column: usize,
        models: &Models<'_>,
    ) -> Vec<String> {
        let blanks = " ".repeat(column);
        let key = self.key(key, Medium::Block);
        if self.form(value, models) == Form::Block {
            let mut lines = vec![format!("{blanks}{key}:")];
            lines.extend(self.below(value, column, models));
            return lines;
        }
        vec![format!("{blanks}{key}: {}", self.on_line(value, models, &blanks, Medium::Block))]
    }

    /// The lines of a list or mapping below its key, which stands in `column`.
    pub(super) fn below(&self, value: &Value, column: usize, models: &Models<'_>) -> Vec<String> {
        let offset = if value.is_array() { self.dash } else { self.nested };
        self.block(value, column + offset, models)
    }

    /// An item of a block list and its dash in `column`, with `gap` blanks behind.
    pub(super) fn item(
        &self,
        value: &Value,
        column: usize,
        gap: usize,
        models: &Models<'_>,
    ) -> Vec<String> {
        let dash = format!("{}-{}", " ".repeat(column), " ".repeat(gap));
        if self.form(value, models) != Form::Block {
            let blanks = " ".repeat(column);
            return vec![format!("{dash}{}", self.on_line(value, models, &blanks, Medium::Block))];
        }
        let mut lines = self.block(value, dash.len(), models);
        if let Some(first) = lines.first_mut() {
            first.replace_range(..dash.len(), &dash);
        }
        lines
    }

    /// The lines of a list or mapping whose parts begin in `column`.
    pub(super) fn block(&self, value: &Value, column: usize, models: &Models<'_>) -> Vec<String> {
        match value {
            Value::Array(items) => {
                let models = models.items();
                items.iter().flat_map(|item| self.item(item, column, 1, &models)).collect()
            }
            Value::Object(map) => map
                .iter()
                .flat_map(|(key, value)| self.entry(key, value, column, &models.entry(key)))
                .collect(),
            _ => Vec::new(),
        }
    }

    /// A value behind its key, dash or comma. Where its models have each part on a line, so has it, and
    /// those are indented further than `indentation`.
    pub(super) fn on_line(
        &self,
        value: &Value,
        models: &Models<'_>,
        indentation: &str,
        medium: Medium,
    ) -> String {
        let is_json = medium == Medium::Json || (value.is_object() && models.is_json(self.page));
        let within = if is_json { Medium::Json } else { Medium::Flow };
        let deeper = format!("{indentation}{}", self.tab(indentation));
        let parts: Vec<String> = match value {
            Value::String(text) => return words::text(text, models.quotes(self.page), medium),
            Value::Null | Value::Bool(_) | Value::Number(_) => return value.to_string(),
            Value::Array(items) => {
                let models = models.items();
                items.iter().map(|item| self.on_line(item, &models, &deeper, within)).collect()
            }
            Value::Object(map) => map
                .iter()
                .map(|(key, value)| self.pair(key, value, &models.entry(key), &deeper, within))
                .collect(),
        };
        let (open, close) = if value.is_array() { ("[", "]") } else { ("{", "}") };
        let form = models.form(self.page, value).unwrap_or_else(|| self.usual(medium));
        match form {
            _ if parts.is_empty() => format!("{open}{close}"),
            Form::Flow { tall: true, .. } => {
                let line_break = format!("{}{deeper}", self.page.line_break);
                let parts = parts.join(&format!(",{line_break}"));
                format!("{open}{line_break}{parts}{}{indentation}{close}", self.page.line_break)
            }
            Form::Flow { padded: true, .. } => format!("{open} {} {close}", parts.join(self.comma)),
            Form::Block | Form::Flow { .. } => {
                format!("{open}{}{close}", parts.join(self.comma))
            }
        }
    }

    /// A key and its value in brackets.
    pub(super) fn pair(
        &self,
        key: &str,
        value: &Value,
        models: &Models<'_>,
        indentation: &str,
        medium: Medium,
    ) -> String {
        let value = self.on_line(value, models, indentation, medium);
        format!("{}{}{value}", self.key(key, medium), self.colon)
    }

    /// How brackets are filled where nothing shows it: JSON on several lines goes on so.
    pub(super) fn usual(&self, medium: Medium) -> Form {
        let is_tall = medium == Medium::Json
            && self.page.is_json
            && (self.page.is_tall(self.page.start..self.page.text.trim_end().len())
                || !self.page.text.contains(':'));
        Form::Flow { tall: is_tall, padded: false }
    }

    /// What a line in brackets is indented by, beyond the one around it.
    pub(super) fn tab(&self, indentation: &str) -> String {
        let first = self.page.next_line(self.page.start).map(|line| self.page.indentation(line));
        match first {
            Some(first) if self.page.is_json && !first.is_empty() => first.to_owned(),
            _ if indentation.starts_with('\t') => "\t".to_owned(),
            _ => "  ".to_owned(),
        }
    }
}

/// How far a page indents: the first list and the first mapping below a key show it.
#[derive(Default)]
struct Habits {
    nested: Option<usize>,
    dash: Option<usize>,
}

impl Habits {
    /// Looks at up to `most` nodes, and gives how many are left to look at.
    fn look(&mut self, page: &Page<'_>, node: &Node, most: usize) -> usize {
        if most == 0 || is_flow(page, node) || (self.nested.is_some() && self.dash.is_some()) {
            return 0;
        }
        let mut left = most - 1;
        match &node.kind {
            Kind::List(items) => {
                for item in items {
                    left = self.look(page, item, left);
                }
            }
            Kind::Map(entries) => {
                for entry in entries {
                    self.see(page, entry.key_span.start, entry.key_span.end, &entry.value);
                    left = self.look(page, &entry.value, left);
                }
            }
            Kind::Refused | Kind::Scalar { .. } => {}
        }
        left
    }

    fn see(&mut self, page: &Page<'_>, key: usize, key_end: usize, value: &Node) {
        let into = match value.kind {
            Kind::List(_) => &mut self.dash,
            Kind::Map(_) => &mut self.nested,
            Kind::Refused | Kind::Scalar { .. } => return,
        };
        if into.is_none() && !is_flow(page, value) {
            let first = token(page, value, Some(page.skip(key_end) + 1));
            *into = page.column(first).checked_sub(page.column(key));
        }
    }
}

/// Gathers the keys that are words with another meaning to other readers, and stand there without quotes.
fn bare_keys(page: &Page<'_>, node: &Node, into: &mut BTreeSet<String>) {
    match &node.kind {
        Kind::List(items) => items.iter().for_each(|item| bare_keys(page, item, into)),
        Kind::Map(entries) => {
            for entry in entries {
                let is_bare = page.text.get(entry.key_span.clone()) == Some(&*entry.key);
                if is_bare && words::is_truth_elsewhere(&entry.key) {
                    into.insert(entry.key.clone());
                }
                bare_keys(page, &entry.value, into);
            }
        }
        Kind::Refused | Kind::Scalar { .. } => {}
    }
}

fn is_scalar(value: &Value) -> bool {
    !value.is_array() && !value.is_object()
}

fn is_short(items: &[Value]) -> bool {
    let bytes = |item: &Value| item.as_str().map_or(5, str::len) + 4;
    items.iter().map(bytes).sum::<usize>() <= LINE
}
