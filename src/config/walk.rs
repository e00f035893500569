//! A tree against a JSON Schema: unknown keys, wrong kinds and unknown values, and what is left.
//!
//! In come a [`Node`], and the schema that schemars derives from the raw type: the one table of
//! known keys. Out comes a value that serde takes for that type. Whatever is wrong is reported and
//! left out as if it were absent; where something must stand (a list's element, so that indexes
//! keep their meaning; a required key) a stand-in takes its place, and the report is told to say
//! no more about it. It never decides what anything means.

mod advice;
mod slip;

use serde_json::{Map, Value};

use self::advice::{as_text, elsewhere, known_keys, listed, written_right};
use self::slip::Slip;
use super::diagnostic::Code;
use super::place::{Place, Step};
use super::report::{Pushed, Report};
use super::scalar::{Plain, is_read_otherwise_elsewhere};
use super::secret::{Reference, looks_secret};
use super::shape::{MapShape, NumberShape, Shape};
use super::suggest::{closest, excerpt};
use super::tree::{Entry, Kind, Node};

/// Checks the tree that stands at `place`, and gives what of it can be used.
pub fn walk(node: &Node, schema: &Value, place: &Place, report: &mut Report) -> Value {
    let shape = Shape::of(schema, schema);
    let mut walk = Walk { root: schema, place: place.clone(), report };
    walk.value(node, &shape).unwrap_or_else(|| shape.stand_in(schema))
}

struct Walk<'s, 'r> {
    root: &'s Value,
    place: Place,
    report: &'r mut Report,
}

impl<'s> Walk<'s, '_> {
    /// What stands here; none when that is nothing, or was refused.
    fn value(&mut self, node: &Node, shape: &Shape<'s>) -> Option<Value> {
        if shape.secret && !is_reference(&node.kind) {
            self.report.mask(self.place.source, &node.span);
        }
        match (&node.kind, shape.list, &shape.map) {
            (Kind::List(items), Some(schema), _) => Some(self.list(items, schema)),
            (Kind::Map(entries), _, Some(map)) => Some(self.map(entries, map)),
            (Kind::Scalar { text, plain: true }, ..) => self.plain(node, text, shape),
            (Kind::Scalar { text, plain: false }, ..) => self.quoted(node, text, shape),
            (Kind::List(_), _, map) => {
                let help = map.as_ref().map(|_| "write its keys without `- ` and `[`".to_owned());
                self.wrong_kind(node, shape, "a list", help)
            }
            (Kind::Map(_), list, _) => {
                let help = list.map(|_| self.as_list(node).to_owned());
                self.wrong_kind(node, shape, "a mapping", help)
            }
            (Kind::Refused, ..) => {
                self.report.refuse(self.place.clone());
                None
            }
        }
    }

    fn list(&mut self, items: &[Node], schema: &'s Value) -> Value {
        let shape = Shape::of(self.root, schema);
        let mut values = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            self.place.path.push(Step::Index(index));
            let value = self.value(item, &shape);
            values.push(value.unwrap_or_else(|| shape.stand_in(self.root)));
            self.place.path.pop();
        }
        values.into()
    }

    fn map(&mut self, entries: &[Entry], map: &MapShape<'s>) -> Value {
        let mut values = Map::new();
        for entry in entries {
            let Some(schema) = map.value(&entry.key) else {
                self.unknown_key(entry, entries, map);
                continue;
            };
            let shape = Shape::of(self.root, schema);
            // Whole sections that nobody reads hold others' secrets under names that nobody knows.
            let unread = shape.any && (self.place.path.is_empty() || looks_secret(&entry.key));
            if unread && !is_reference(&entry.value.kind) {
                self.report.mask(self.place.source, &entry.value.span);
            }
            self.place.path.push(Step::Key(entry.key.clone().into()));
            let value = self.value(&entry.value, &shape);
            self.place.path.pop();
            if let Some(value) = value {
                values.insert(entry.key.clone(), value);
            }
        }
        for (key, schema) in map.required() {
            if !values.contains_key(key) {
                self.missing_key(key);
                let stand_in = Shape::of(self.root, schema).stand_in(self.root);
                values.insert(key.to_owned(), stand_in);
            }
        }
        values.into()
    }

    /// An unquoted scalar, which is what it looks like.
    fn plain(&mut self, node: &Node, text: &str, shape: &Shape<'s>) -> Option<Value> {
        if shape.choices.contains(&text) {
            return Some(text.into());
        }
        let plain = Plain::of(text);
        match plain {
            // A key with nothing after it is a line that somebody has not finished, or a file cut
            // short; that there is to be nothing can be said by `null`, or by leaving out the key.
            Plain::Null if text.is_empty() && !shape.any => self.nothing_written(node, shape),
            Plain::Null if shape.null => None,
            Plain::Null if !shape.any => self.wrong_kind(node, shape, "nothing", shape.empty()),
            Plain::Bool(bool) if shape.boolean => Some(bool.into()),
            Plain::Int(_) | Plain::Float(_) if shape.number.is_some() => {
                self.number(node, text, &plain, shape)
            }
            Plain::Text if shape.text && is_read_otherwise_elsewhere(text) => {
                self.unquoted(node, text, shape)
            }
            Plain::Text if shape.text => Some(text.into()),
            _ if shape.any => Some(plain.value().unwrap_or_else(|| text.into())),
            _ if shape.text => self.unquoted(node, text, shape),
            _ if !shape.choices.is_empty() => self.unknown_value(node, text, shape),
            _ => {
                let help = written_right(self.root, text, shape);
                self.wrong_kind(node, shape, plain.words(), help)
            }
        }
    }

    /// A quoted scalar, which is text whatever it looks like.
    fn quoted(&mut self, node: &Node, text: &str, shape: &Shape<'s>) -> Option<Value> {
        if shape.text || shape.any || shape.choices.contains(&text) {
            return Some(text.into());
        }
        if !shape.choices.is_empty() {
            return self.unknown_value(node, text, shape);
        }
        let fits = match Plain::of(text) {
            Plain::Bool(_) => shape.boolean,
            Plain::Int(_) | Plain::Float(_) => shape.number.is_some(),
            Plain::Null | Plain::Text => false,
        };
        let help = if fits {
            Some(format!("write it without quotes: `{}`", excerpt(text)))
        } else {
            written_right(self.root, text, shape)
        };
        self.wrong_kind(node, shape, "text", help)
    }

    fn number(
        &mut self,
        node: &Node,
        text: &str,
        plain: &Plain,
        shape: &Shape<'s>,
    ) -> Option<Value> {
        match (&shape.number, plain) {
            (Some(NumberShape::Whole(range)), Plain::Int(int)) if !range.contains(int) => {
                let (low, high) = (range.start(), range.end());
                let message = format!(
                    "{} must be from {low} to {high}, but this is `{}`",
                    self.name(),
                    excerpt(text)
                );
                self.refuse(Code::KindWrong, node, message);
                None
            }
            (Some(NumberShape::Whole(_)), Plain::Float(_)) => {
                self.wrong_kind(node, shape, "a number with a fraction", None)
            }
            _ => match plain.value() {
                Some(value) => Some(value),
                None => self.wrong_kind(node, shape, "not a finite number", None),
            },
        }
    }

    fn unquoted(&mut self, node: &Node, text: &str, shape: &Shape<'s>) -> Option<Value> {
        let found = match Plain::of(text) {
            Plain::Text => "a number or a date to many readers",
            plain => plain.words(),
        };
        let message = format!("{} must be text, but unquoted this is {found}", self.name());
        self.refuse(Code::StringUnquoted, node, message).help(as_text(text, shape));
        None
    }

    fn unknown_value(&mut self, node: &Node, text: &str, shape: &Shape<'s>) -> Option<Value> {
        let choices = || shape.choices.iter().copied();
        let message = format!("{} cannot be `{}`", self.name(), excerpt(text));
        let help = match closest(text, choices()) {
            Some(meant) => Some(format!("did you mean `{meant}`?")),
            None if shape.number.is_some() => {
                listed(choices()).map(|choices| format!("write a number or {choices}"))
            }
            None => listed(choices()).map(|choices| format!("write {choices}")),
        };
        self.refuse(Code::ValueUnknown, node, message).help_if(help);
        None
    }

    fn nothing_written(&mut self, node: &Node, shape: &Shape<'s>) -> Option<Value> {
        let help = match shape.empty() {
            Some(help) => help,
            None if shape.null => "write a value, or leave out the key".to_owned(),
            None => "write a value".to_owned(),
        };
        let message = format!("{} must be {}, but nothing is written", self.name(), shape.words());
        self.refuse(Code::KindWrong, node, message).help(help);
        None
    }

    fn wrong_kind(
        &mut self,
        node: &Node,
        shape: &Shape<'s>,
        found: &str,
        help: Option<String>,
    ) -> Option<Value> {
        let message = format!("{} must be {}, but this is {found}", self.name(), shape.words());
        self.refuse(Code::KindWrong, node, message).help_if(help);
        None
    }

    fn unknown_key(&mut self, entry: &Entry, entries: &[Entry], map: &MapShape<'s>) {
        let key = entry.key.as_str();
        if looks_secret(key) && !is_reference(&entry.value.kind) {
            self.report.mask(self.place.source, &entry.value.span);
        }
        let slip = Slip::find(self.root, &self.place, entry, map);
        if matches!(slip, Slip::KeySet) {
            // It may hold private parts, and all of it may stand on the key's line.
            self.report.mask(self.place.source, &entry.value.span);
        }
        let help = if self.report.is_full() { None } else { self.key_help(key, &slip, map) };
        let message = format!("unknown key `{}`", excerpt(key));
        let place = self.place.key(entry.key.clone());
        self.report
            .push(Code::KeyUnknown, &place, message)
            .at(entry.key_span.clone())
            .on_key()
            .help_if(help);
        self.report.refuse(place);
        // That the key which was meant is missing follows from this, and need not be said.
        match slip {
            Slip::Above => self.report.refuse(Place::root(self.place.source).key(key.to_owned())),
            Slip::Meant(meant) | Slip::Rewritten(meant)
                if entries.iter().all(|entry| entry.key != meant) =>
            {
                self.report.refuse(self.place.key(meant.to_owned()));
            }
            _ => {}
        }
    }

    fn key_help(&self, key: &str, slip: &Slip<'_>, map: &MapShape<'s>) -> Option<String> {
        let other = elsewhere(self.root, &self.pattern(), key);
        match (slip, other) {
            (Slip::KeySet, _) => Some(
                "this is a key set, which is no configuration: keep it outside the folder, or in a \
                folder of its own within it"
                    .to_owned(),
            ),
            (Slip::Rewritten(meant), _) => Some(format!(
                "written by a YAML 1.1 tool, to which `{meant}` is a truth value: write `\"{meant}\"`"
            )),
            (Slip::Above, _) => {
                Some("it belongs at the top level: write it without indentation".to_owned())
            }
            (_, Some(other)) if other.is_below => Some(format!("it belongs under `{}`", other.place)),
            (Slip::Meant(meant), _) => Some(format!("did you mean `{meant}`?")),
            (Slip::Unknown, Some(other)) => Some(format!("it belongs under `{}`", other.place)),
            (Slip::Unknown, None) => {
                known_keys(self.root, key, map).map(|keys| format!("the keys here are {keys}"))
            }
        }
    }

    fn missing_key(&mut self, key: &str) {
        let place = self.place.key(key.to_owned());
        self.report.push(Code::KeyMissing, &place, format!("the key `{key}` is missing"));
        self.report.refuse(place);
    }

    /// Reports what stands here, and takes it as refused.
    fn refuse(&mut self, code: Code, node: &Node, message: String) -> Pushed<'_> {
        self.report.push_refused(code, &self.place, node.span.clone(), message)
    }

    /// How a mapping would be written to be a list's only element.
    fn as_list(&self, node: &Node) -> &'static str {
        let text = self.report.documents().get(self.place.source).map(|of| of.text.as_str());
        let written = text.and_then(|text| text.get(node.span.clone())).unwrap_or_default();
        match written.strip_prefix('{') {
            Some(rest) if rest.trim_start().starts_with('}') => "write `[]` for an empty list",
            Some(_) => "put it into brackets: `[{…}]`",
            None => "begin each element with `- `",
        }
    }

    /// Where the walk is, as the schema sees it: `resource_servers[].gate`.
    fn pattern(&self) -> String {
        self.place.path.iter().fold(String::new(), |pattern, step| match step {
            Step::Index(_) => pattern + "[]",
            Step::Key(key) if pattern.is_empty() => key.to_string(),
            Step::Key(key) => pattern + "." + key,
        })
    }

    /// What stands here, as a message calls it.
    fn name(&self) -> String {
        let key = self.place.path.iter().rev().find_map(|step| match step {
            Step::Key(key) => Some(excerpt(key)),
            Step::Index(_) => None,
        });
        match (self.place.path.last(), key) {
            (None, _) => "the file".to_owned(),
            (Some(Step::Key(_)), Some(key)) => format!("`{key}`"),
            (Some(_), Some(key)) => format!("an element of `{key}`"),
            (Some(_), None) => "an element".to_owned(),
        }
    }
}

/// `${…}`: where a secret is to be found, which is none itself.
fn is_reference(kind: &Kind) -> bool {
    matches!(kind, Kind::Scalar { text, .. } if Reference::parse(text).is_some())
}

#[cfg(test)]
mod tests;
