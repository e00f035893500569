//! A change of the configuration → the text that a person would have written: one node changes, and
//! comments, order, quotes and line ends stay.
//!
//! | step | file |
//! |---|---|
//! | edits, put together by where they stand; no two are about one thing | `changes.rs` |
//! | what the text is to mean then | `meaning.rs` |
//! | where keys, items, commas and comments stand in the text | `page.rs`, `layout.rs` |
//! | the tree and the changes become splices of the text | `plan.rs`, `block.rs`, `flow.rs`, `replace.rs` |
//! | how what is new is written, as what stands around it is | `models.rs`, `write.rs`, `words.rs` |
//! | the new text is read again, and has to mean what was meant | here |
//!
//! What programs write, a grant on each line, is edited by its lines ([`machine`]).
//!
//! The text is cut only where the tree says that something stands, so that all else stays as it is, byte for
//! byte. Nothing here knows what any key means.

mod block;
mod changes;
mod flow;
mod gap;
mod layout;
mod meaning;
mod models;
pub(super) mod page;
mod plan;
mod replace;
mod words;
mod write;

use std::sync::Arc;

use serde_json::Value;

use self::changes::Change;
use self::meaning::Meaning;
use self::page::Page;
use self::words::{Medium, Quotes};
use super::diagnostic::Code;
use super::tree::{Kind, Node, parse};
use super::{Place, Report, Source, machine};

/// The longest text that is edited, in bytes: longer ones are no person's.
const MAX_BYTES: usize = 5 << 20;

/// One change of one file. Places are those of the text before any change; changes of one file do not
/// overlap.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// Adds items behind the last one of a list. Where the list's key is missing, or nothing is written
    /// under it, the list comes to be.
    Append {
        /// The list.
        list: Place,
        /// What is added.
        items: Vec<Value>,
    },
    /// Writes the value of a key, which is added behind the last one of its mapping where it is missing.
    Set {
        /// The key's place.
        place: Place,
        /// The value.
        value: Value,
    },
    /// Takes a key or an item out, and the comments that speak of it alone. The last item of a list
    /// leaves `[]`.
    Remove {
        /// The key's or item's place.
        place: Place,
    },
}

impl Edit {
    /// What it is about.
    pub fn place(&self) -> &Place {
        match self {
            Self::Append { list: place, .. } | Self::Remove { place } | Self::Set { place, .. } => {
                place
            }
        }
    }
}

/// Where a text is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wording {
    /// In brackets, beside others.
    Brackets,
    /// On a line of its own.
    Line,
}

/// A text as a person would write it in YAML: in quotes where it needs them, or looks as if it did.
pub fn written(text: &str, wording: Wording) -> String {
    let medium = match wording {
        Wording::Brackets => Medium::Flow,
        Wording::Line => Medium::Block,
    };
    words::text(text, Quotes::default(), medium)
}

/// Why a text is not edited. It is as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// A block scalar (`|+`) keeps the blank lines at the end of the text, which would become others.
    #[error(
        "`{0}` ends in a way that keeps blank lines; end the file with a line break, or write it without `+`"
    )]
    Keeping(String),
    /// There is no such place in it, or something else than the change expects.
    #[error("`{0}` is not there")]
    Missing(String),
    /// Two changes are about one place, or one is about what is within the other's.
    #[error("two changes are about `{0}`")]
    Overlapping(String),
    /// The text is too long to be edited.
    #[error("`{name}` is longer than {} MiB", .most >> 20)]
    TooLarge {
        /// The file.
        name: String,
        /// The most bytes.
        most: usize,
    },
    /// What came out does not read as what was meant.
    #[error("the change of `{0}` cannot be written without touching more than it is about")]
    Unfaithful(String),
}

/// Edits the text of `source`. What comes out was read again, and means what was meant.
///
/// # Errors
/// When that cannot be done.
pub fn edit(source: &Source, edits: &[Edit]) -> Result<String, EditError> {
    let change = Change::gather(edits)?;
    if let Some(edited) = machine::edit(source, edits) {
        return edited;
    }
    if source.text.len() > MAX_BYTES {
        return Err(EditError::TooLarge { name: source.name.clone(), most: MAX_BYTES });
    }
    let unfaithful = || {
        let place = edits.first().map(|edit| edit.place().to_string());
        EditError::Unfaithful(place.unwrap_or_else(|| source.name.clone()))
    };
    let tree = read(source).ok_or_else(unfaithful)?;
    let meant = Meaning::of(&tree, &change, &Place::root(0))?;
    let page = Page::new(&source.text);
    let splices = plan::plan(&page, &tree, &change).ok_or_else(unfaithful)?;
    let text = splices.apply(&source.text).ok_or_else(unfaithful)?;
    if text == *source.text {
        return Ok(text);
    }
    let edited = Source::new(source.name.as_str(), text);
    match read(&edited) {
        Some(tree) if meant.is_said_by(&tree) => Ok(Arc::unwrap_or_clone(edited.text)),
        _ => Err(keeping(&page, &tree).unwrap_or_else(unfaithful)),
    }
}

/// Without a line break at the end of the text, a block scalar that keeps the blank lines there says less than
/// it would with one: nothing can be written behind it.
fn keeping(page: &Page<'_>, tree: &Node) -> Option<EditError> {
    if page.text.ends_with(['\n', '\r']) {
        return None;
    }
    let path = layout::keeper(page, tree, None)?;
    Some(EditError::Keeping(Place { source: 0, path }.to_string()))
}

/// The tree of a text in which nothing is wrong; a text that says nothing is a mapping without keys.
fn read(source: &Source) -> Option<Node> {
    let mut report = Report::new([source.clone()]);
    let tree = parse(0, &source.text, &mut report);
    if !report.has_errors() {
        return tree;
    }
    let is_empty = report.iter().all(|found| found.code == Code::ConfigEmpty);
    is_empty.then(|| Node { span: 0..0, kind: Kind::Map(Vec::new()) })
}

#[cfg(test)]
mod tests;
