//! The parser's events, put together to a tree; what is refused on the way, reported.
//!
//! The builder holds the lists and mappings that are open, and knows the place of what comes next.
//! It stops where the text cannot be read on, and nowhere else.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;

use granit_parser::{ErrorKind, Event, Options, Parser, ScalarStyle, ScanError, options};

use super::super::diagnostic::Code;
use super::super::place::{Place, Step};
use super::super::report::Report;
use super::super::scalar::Plain;
use super::super::secret::looks_secret;
use super::super::suggest::excerpt;
use super::merge::{MERGE, merged};
use super::{Bounds, Entry, Kind, Node, Span, syntax};

/// Builds the tree of one text.
pub(super) struct Builder<'t, 'r> {
    bounds: Bounds,
    source: usize,
    text: &'t str,
    report: &'r mut Report,
    frames: Vec<Frame>,
    nodes: usize,
    root: Option<Node>,
    /// The place of the last node that has an anchor: the anchor's event follows it.
    anchored: Option<Place>,
    /// What aliases stand for, where those are read.
    anchors: HashMap<usize, Anchored>,
    /// How many values there are in `anchors`, which may lie in each other and are copies.
    kept: usize,
    /// The lists and mappings that are open.
    open: Vec<Open>,
}

/// What an alias stands for.
#[derive(Clone)]
struct Anchored {
    node: Node,
    /// How many values it holds, itself among them.
    count: usize,
    /// How many lists and mappings are nested in it, itself among them.
    height: usize,
}

/// What is known of a list or mapping before its end.
struct Open {
    anchor: usize,
    /// How many values came before.
    before: usize,
    /// How deeply lists and mappings are nested in it so far.
    height: usize,
}

/// The list or mapping that is being read.
enum Frame {
    List { start: usize, items: Vec<Node> },
    Map { start: usize, entries: Vec<Entry>, seen: HashMap<String, Span>, key: Option<Key> },
}

/// A key whose value has not come yet.
struct Key {
    name: String,
    span: Span,
    fate: Fate,
}

#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Keep,
    /// Refused and reported: its value is read, and dropped.
    Drop,
    /// As `Drop`, and the alias that is its value is what was reported.
    Merge,
}

/// Why there is no tree; it is in the report.
struct Stop;

impl<'t, 'r> Builder<'t, 'r> {
    pub(super) fn new(
        bounds: Bounds,
        source: usize,
        text: &'t str,
        report: &'r mut Report,
    ) -> Self {
        let (frames, open, anchors) = (Vec::new(), Vec::new(), HashMap::new());
        let (nodes, kept, root, anchored) = (0, 0, None, None);
        Self { bounds, source, text, report, frames, nodes, root, anchored, anchors, kept, open }
    }

    pub(super) fn build(mut self) -> Option<Node> {
        for event in Parser::new_from_str_with_options(self.text, parser_options(self.bounds)) {
            let (event, span) = match event {
                Ok(event) => event,
                Err(error) => {
                    self.syntax(&error);
                    return None;
                }
            };
            let bytes = span.byte_range().unwrap_or_default();
            if matches!(event, Event::DocumentStart(..)) && self.root.is_some() {
                self.report
                    .push(
                        Code::DocumentsSeveral,
                        &Place::root(self.source),
                        "a second document begins here",
                    )
                    .at(bytes)
                    .help("one file holds one document; put the second into a file of its own");
                break;
            }
            let tag = event.tag().filter(|_| !self.bounds.whole_yaml).map(|_| {
                span.tag_span().and_then(|tag| tag.byte_range()).unwrap_or_else(|| bytes.clone())
            });
            if self.event(event, bytes, tag).is_err() {
                return None;
            }
        }
        // A text without a document, such as one of comments alone, says what an empty one says.
        Some(self.root.unwrap_or(Node {
            span: 0..0,
            kind: Kind::Scalar { text: String::new(), plain: true },
        }))
    }

    fn syntax(&mut self, error: &ScanError) {
        let at = error.marker().byte_offset().unwrap_or_default().min(self.text.len());
        let rest = self.text.get(at..).unwrap_or_default();
        let span = at..at + rest.chars().next().map_or(0, char::len_utf8);
        if *error.kind() == ErrorKind::RecursionLimitExceeded {
            self.too_deep(&span);
            return;
        }
        syntax::report(self.source, self.text, error, self.report);
    }

    fn event(&mut self, event: Event<'_>, span: Span, tag: Option<Span>) -> Result<(), Stop> {
        match event {
            Event::Scalar(text, style, anchor, _) => {
                self.enter(&span, anchor)?;
                let kind = if let Some(tag) = tag {
                    self.refuse_tag(tag);
                    Kind::Refused
                } else {
                    let plain = style == ScalarStyle::Plain;
                    // The parser says `~` where nothing is written.
                    let text = if span.is_empty() { String::new() } else { text.into_owned() };
                    Kind::Scalar { text, plain }
                };
                let node = Node { span, kind };
                self.keep(anchor, &node, 1, 0)?;
                self.attach(node);
            }
            Event::SequenceStart(_, anchor, _) => {
                self.open(&span, anchor, tag)?;
                self.frames.push(Frame::List { start: span.start, items: Vec::new() });
            }
            Event::MappingStart(_, anchor, _) => {
                self.open(&span, anchor, tag)?;
                self.frames.push(Frame::Map {
                    start: span.start,
                    entries: Vec::new(),
                    seen: HashMap::new(),
                    key: None,
                });
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(&span)?,
            Event::Anchor(..) if self.bounds.whole_yaml => {}
            Event::Anchor(_, name) => self.refuse_anchor(&name, span),
            Event::Alias(anchor) if self.anchors.contains_key(&anchor) => {
                let Some(Anchored { count, height, .. }) = self.anchors.get(&anchor) else {
                    return Ok(());
                };
                let (count, height) = (*count, *height);
                self.count(count, &span)?;
                // What is nested in what is nested could be deeper than any text may be.
                self.nest(height, &span)?;
                if let Some(Anchored { node, .. }) = self.anchors.get(&anchor).cloned() {
                    self.attach(node);
                }
            }
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                self.enter(&span, 0)?;
                self.refuse_alias(&span);
                self.attach(Node { span, kind: Kind::Refused });
            }
            // The stream's and the document's ends say nothing; there are no comments.
            _ => {}
        }
        Ok(())
    }

    /// Counts a node, and remembers where it is when an anchor's event will follow.
    fn enter(&mut self, span: &Span, anchor: usize) -> Result<(), Stop> {
        self.count(1, span)?;
        self.anchored = (anchor != 0).then(|| self.place());
        Ok(())
    }

    fn count(&mut self, nodes: usize, span: &Span) -> Result<(), Stop> {
        self.nodes += nodes;
        let most = self.bounds.nodes;
        if self.nodes > most {
            return Err(self.too_large(span, format!("the file holds more than {most} values")));
        }
        Ok(())
    }

    /// Remembers what an anchor names, for its aliases.
    fn keep(
        &mut self,
        anchor: usize,
        node: &Node,
        count: usize,
        height: usize,
    ) -> Result<(), Stop> {
        if anchor != 0 && self.bounds.whole_yaml {
            self.kept += count;
            let most = self.bounds.nodes;
            if self.kept > most {
                let message = format!("the file's anchors name more than {most} values");
                return Err(self.too_large(&node.span, message));
            }
            self.anchors.insert(anchor, Anchored { node: node.clone(), count, height });
        }
        Ok(())
    }

    fn open(&mut self, span: &Span, anchor: usize, tag: Option<Span>) -> Result<(), Stop> {
        self.enter(span, anchor)?;
        if let Some(tag) = tag {
            self.refuse_tag(tag);
        }
        self.nest(1, span)?;
        self.open.push(Open { anchor, before: self.nodes - 1, height: 0 });
        Ok(())
    }

    /// Takes notice of lists and mappings, so deeply nested, in what is open.
    fn nest(&mut self, height: usize, span: &Span) -> Result<(), Stop> {
        if self.frames.len() + height > self.bounds.depth {
            return Err(self.too_deep(span));
        }
        if let Some(open) = self.open.last_mut() {
            open.height = open.height.max(height);
        }
        Ok(())
    }

    fn too_deep(&mut self, span: &Span) -> Stop {
        let message = format!("lists and mappings are nested deeper than {}", self.bounds.depth);
        self.too_large(span, message)
    }

    fn too_large(&mut self, span: &Span, message: String) -> Stop {
        self.report
            .push(Code::ConfigTooLarge, &Place::root(self.source), message)
            .at(span.clone())
            .help("no configuration needs so much: see what is written here by mistake");
        Stop
    }

    fn close(&mut self, end: &Span) -> Result<(), Stop> {
        let (start, last, kind) = match self.frames.pop() {
            Some(Frame::List { start, items }) => {
                (start, items.last().map(|item| item.span.end), Kind::List(items))
            }
            Some(Frame::Map { start, entries, .. }) => {
                let last = entries.last().map(|e| e.value.span.end.max(e.key_span.end));
                let entries = if self.bounds.whole_yaml { merged(entries) } else { entries };
                (start, last, Kind::Map(entries))
            }
            None => return Ok(()),
        };
        // A block ends where its last child does: its own end is found only at what comes next.
        let end = if end.is_empty() { last.unwrap_or(start) } else { end.end };
        let node = Node { span: start..end.max(start), kind };
        if let Some(Open { anchor, before, height }) = self.open.pop() {
            let height = height + 1;
            if let Some(around) = self.open.last_mut() {
                around.height = around.height.max(height);
            }
            self.keep(anchor, &node, self.nodes - before, height)?;
        }
        self.attach(node);
        Ok(())
    }

    /// Puts a finished node where it belongs: a list's element, a mapping's key or its value.
    fn attach(&mut self, node: Node) {
        match self.frames.last_mut() {
            None => self.root = Some(node),
            Some(Frame::List { items, .. }) => items.push(node),
            Some(Frame::Map { entries, key: pending @ Some(_), .. }) => {
                match pending.take() {
                    Some(Key { name, span, fate: Fate::Keep }) => {
                        entries.push(Entry { key: name, key_span: span, value: node });
                    }
                    // Nobody will look at it again, and the report shows its line.
                    Some(Key { name, .. }) if looks_secret(&name) => {
                        self.report.mask(self.source, &node.span);
                    }
                    _ => {}
                }
            }
            Some(Frame::Map { .. }) => {
                let taken = self.key(node);
                if let Some(Frame::Map { key, .. }) = self.frames.last_mut() {
                    *key = Some(taken);
                }
            }
        }
    }

    /// A mapping's key, judged.
    fn key(&mut self, node: Node) -> Key {
        let span = node.span;
        let (name, plain) = match node.kind {
            Kind::Scalar { text, plain } => (text, plain),
            Kind::Refused => return Key { name: String::new(), span, fate: Fate::Drop },
            Kind::List(_) | Kind::Map(_) => {
                return self.refuse_key(span, "a list or a mapping cannot be a key");
            }
        };
        if plain && name == MERGE && !self.bounds.whole_yaml {
            self.report
                .push(Code::YamlMergeKey, &self.place(), "merge keys are not supported")
                .at(span.clone())
                .help("write the keys out where they are meant");
            return Key { name, span, fate: Fate::Merge };
        }
        if plain && Plain::of(&name) == Plain::Null {
            return self.refuse_key(span, "a key must be text, but this is null");
        }
        let place = self.place().key(name.clone());
        let Some(Frame::Map { seen, .. }) = self.frames.last_mut() else {
            return Key { name, span, fate: Fate::Drop };
        };
        let fate = match seen.entry(name.clone()) {
            Slot::Vacant(slot) => {
                slot.insert(span.clone());
                Fate::Keep
            }
            Slot::Occupied(first) => {
                let message = format!("the key `{}` is written twice", excerpt(&name));
                self.report
                    .push(Code::KeyDuplicate, &place, message)
                    .at(span.clone())
                    .also_at(&place, first.get().clone(), "first written here")
                    .help("keep one of them");
                Fate::Drop
            }
        };
        Key { name, span, fate }
    }

    fn refuse_key(&mut self, span: Span, message: &str) -> Key {
        self.report
            .push(Code::KeyNotText, &self.place(), message)
            .at(span.clone())
            .help("write the key's name as text, in quotes if it could be read as something else");
        Key { name: String::new(), span, fate: Fate::Drop }
    }

    fn refuse_tag(&mut self, span: Span) {
        let place = self.place();
        self.is_hidden(&place, &span);
        self.report
            .push(Code::YamlTag, &place, "tags are not supported")
            .at(span)
            .help("remove it: quoted values are text, unquoted ones are what they look like");
    }

    fn refuse_anchor(&mut self, name: &str, span: Span) {
        let place = self.anchored.take().unwrap_or_else(|| Place::root(self.source));
        let message = if self.is_hidden(&place, &span) {
            "anchors are not supported".to_owned()
        } else {
            format!("the anchor `&{}` is not supported", excerpt(name))
        };
        self.report
            .push(Code::YamlAnchor, &place, message)
            .at(span)
            .help("remove it, and write out what its aliases stand for");
    }

    fn refuse_alias(&mut self, span: &Span) {
        if let Some(Frame::Map { key: Some(Key { fate: Fate::Merge, .. }), .. }) =
            self.frames.last()
        {
            return;
        }
        let place = self.place();
        let message = if self.is_hidden(&place, span) {
            "aliases are not supported".to_owned()
        } else {
            let alias = self.text.get(span.clone()).unwrap_or_default();
            format!("the alias `{}` is not supported", excerpt(alias))
        };
        self.report.push(Code::YamlAlias, &place, message).at(span.clone()).help(
            "write out what it stands for; text that begins with `*` is quoted: `\"* /admin/*\"`",
        );
    }

    /// Whether what stands at `place` may be a secret; if so it is masked. One that was made at random may
    /// begin with `!`, `&` or `*`.
    fn is_hidden(&mut self, place: &Place, span: &Span) -> bool {
        let of_secret = |step: &Step| matches!(step, Step::Key(key) if looks_secret(key));
        let is_hidden = place.path.iter().any(of_secret);
        if is_hidden {
            self.report.mask(self.source, span);
        }
        is_hidden
    }

    /// The place of the node that comes next.
    fn place(&self) -> Place {
        let path = self.frames.iter().filter_map(|frame| match frame {
            Frame::List { items, .. } => Some(Step::Index(items.len())),
            Frame::Map { key, .. } => {
                key.as_ref().map(|key| Step::Key(Cow::Owned(key.name.clone())))
            }
        });
        Place { source: self.source, path: path.collect() }
    }
}

/// How a text is read; its comments are told where somebody asks for them alone.
pub(super) fn parser_options(bounds: Bounds) -> Options {
    options! {
        disallow_directives: true,
        // Without these an unknown alias is an error that ends the parse, and an anchor has no span.
        emit_anchor_events: true,
        emit_unresolved_aliases: true,
        emit_comments: false,
        // Ours is met first; these are the parser's own guard.
        flow_nesting_limit: bounds.depth + 1,
        block_nesting_limit: bounds.depth + 1,
    }
}
