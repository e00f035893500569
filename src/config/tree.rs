//! Text → tree: one YAML (or JSON) document as lists, mappings and scalars that know where they stand.
//!
//! Stricter than YAML: one document; no aliases, anchors, tags, merge keys or directives; no key
//! twice; keys are text. What is refused is reported and stays in the tree as [`Kind::Refused`], so
//! that indexes keep their meaning and everything else is still read. Depth, length and the number
//! of nodes are bounded. Nothing outside names the YAML parser.

mod builder;
mod comments;
mod syntax;

use std::ops::Range;

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
pub(super) const MAX_BYTES: usize = 8 << 20;
/// The deepest nesting of lists and mappings.
const MAX_DEPTH: usize = 16;
/// The most lists, mappings and scalars in one text.
const MAX_NODES: usize = 1_000_000;

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

/// Reads a source's text. Gives no tree where the text cannot be read to its end.
pub fn parse(source: usize, text: &str, report: &mut Report) -> Option<Node> {
    let root = Place::root(source);
    if text.len() > MAX_BYTES {
        let limit = MAX_BYTES >> 20;
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
    let tree = Builder::new(source, text, report).build()?;
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
