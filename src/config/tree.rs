//! Text → tree: one YAML (or JSON) document as lists, mappings and scalars that know where they stand.
//!
//! Stricter than YAML: one document; no aliases, anchors, tags, merge keys or directives; no key
//! twice; keys are text. What is refused is reported and stays in the tree as [`Kind::Refused`], so
//! that indexes keep their meaning and everything else is still read. Depth, length and the number
//! of nodes are bounded. What others write, and not for the gate, is read with all that YAML has and
//! wider bounds. Nothing outside names the YAML parser.

mod builder;
mod comments;
mod merge;
mod syntax;

use std::ops::Range;

use serde_json::Value;

pub(super) use self::comments::comments;

use self::builder::Builder;
use super::diagnostic::Code;
use super::machine;
use super::place::Place;
use super::report::Report;
use super::scalar::Plain;

/// A range of bytes in a source's text.
pub type Span = Range<usize>;

/// The longest text that is read, in bytes.
pub(super) const MAX_BYTES: usize = OWN.bytes;

/// The longest text that is read of what others write, in bytes.
pub const MAX_FOREIGN: usize = FOREIGN.bytes;

/// How much a text may hold, and what of YAML it may use.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    /// Its length.
    bytes: usize,
    /// The deepest nesting of lists and mappings.
    depth: usize,
    /// Lists, mappings and scalars, those that aliases stand for among them.
    nodes: usize,
    /// Whether anchors, aliases, merge keys and tags are read.
    whole_yaml: bool,
}

/// What is written for the gate.
const OWN: Bounds = Bounds { bytes: 8 << 20, depth: 16, nodes: 1_000_000, whole_yaml: false };

/// What others write for many readers: published descriptions of APIs have 12 MiB, 25 levels and 600,000
/// values.
const FOREIGN: Bounds = Bounds { bytes: 32 << 20, depth: 100, nodes: 2_000_000, whole_yaml: true };

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Where it stands; empty where nothing is written (`key:`).
    pub span: Span,
    /// What it is.
    pub kind: Kind,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A list.
    List(Vec<Node>),
    /// A mapping; no two entries have one key.
    Map(Vec<Entry>),
    /// Something that was refused, and reported.
    Refused,
    /// Text, a number, a truth value or nothing.
    Scalar {
        /// The text, its escapes resolved.
        text: String,
        /// Not quoted: what it is depends on how it looks.
        plain: bool,
    },
}

/// A key of a mapping with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub key_span: Span,
    /// The value.
    pub value: Node,
}

impl Node {
    /// What stands under a key of this mapping.
    pub(super) fn value(&self, key: &str) -> Option<&Self> {
        self.entries().iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// The entries of this mapping; none of anything else.
    pub(super) fn entries(&self) -> &[Entry] {
        match &self.kind {
            Kind::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of this list, if it is one.
    pub(super) fn items(&self) -> Option<&[Self]> {
        match &self.kind {
            Kind::List(items) => Some(items),
            _ => None,
        }
    }

    /// This text; none where nothing is written, or `null`.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar { text, plain } if !plain || Plain::of(text) != Plain::Null => Some(text),
            _ => None,
        }
    }

    pub(super) fn is_map(&self) -> bool {
        matches!(self.kind, Kind::Map(_))
    }

    /// The value as JSON has it; what was refused is nothing.
    pub(super) fn to_json(&self) -> Value {
        match &self.kind {
            Kind::List(items) => items.iter().map(Self::to_json).collect(),
            Kind::Map(entries) => {
                let pair = |entry: &Entry| (entry.key.clone(), entry.value.to_json());
                Value::Object(entries.iter().map(pair).collect())
            }
            Kind::Refused => Value::Null,
            Kind::Scalar { text, plain: true } => {
                Plain::of(text).value().unwrap_or_else(|| Value::String(text.clone()))
            }
            Kind::Scalar { text, plain: false } => Value::String(text.clone()),
        }
    }
}

/// Reads a source's text. Gives no tree where the text cannot be read to its end.
pub fn parse(source: usize, text: &str, report: &mut Report) -> Option<Node> {
    parse_within(OWN, source, text, report)
}

/// Reads a text that others wrote, and not for the gate: a description of an API, a tenant's export. Its
/// anchors, aliases and merge keys mean what they mean in YAML, each alias counted as what it stands for;
/// its tags say nothing.
pub(super) fn parse_foreign(source: usize, text: &str, report: &mut Report) -> Option<Node> {
    parse_within(FOREIGN, source, text, report)
}

fn parse_within(bounds: Bounds, source: usize, text: &str, report: &mut Report) -> Option<Node> {
    let root = Place::root(source);
    if text.len() > bounds.bytes {
        let limit = bounds.bytes >> 20;
        report
            .push(Code::ConfigTooLarge, &root, format!("the file is longer than {limit} MiB"))
            .help(format!(
                "split it: lists of several files in one directory are joined. Very many grants are written \
                 as programs write them: JSON with a grant on each line, which may have {} MiB",
                machine::MAX_BYTES >> 20
            ));
        return None;
    }
    if let Some((at, char)) = text.char_indices().find(|&(at, char)| is_refused_char(at, char)) {
        let message = format!("the character U+{:04X} is not allowed in a file", u32::from(char));
        report
            .push(Code::YamlSyntax, &root, message)
            .at(at..at + char.len_utf8())
            .help("remove it: no configuration needs it");
        return None;
    }
    let tree = Builder::new(bounds, source, text, report).build()?;
    let is_empty = |node: &Node| match &node.kind {
        Kind::Scalar { text, plain: true } => Plain::of(text) == Plain::Null,
        _ => false,
    };
    if is_empty(&tree) {
        report.push(Code::ConfigEmpty, &root, "the file is empty").at(0..0).help(
            "remove it, or write at least `client_grants: []`, which says that there are none",
        );
        return None;
    }
    Some(tree)
}

/// YAML's `c-printable` the other way round (section 5.1), and a byte order mark that is not first.
fn is_refused_char(at: usize, char: char) -> bool {
    match char {
        '\t' | '\n' | '\r' | '\u{85}' => false,
        '\u{feff}' => at != 0,
        '\u{fffe}' | '\u{ffff}' => true,
        _ => char.is_control(),
    }
}

#[cfg(test)]
mod tests;
