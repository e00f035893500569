//! A change of the configuration → the text that a person would have written: one node changes, and
//! comments, order, quotes and line ends stay.

use serde_json::Value;

use super::{Place, Source, machine};

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

/// Why a text is not edited. It is as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// There is no such place in it, or something else than the change expects.
    #[error("`{0}` is not there")]
    Missing(String),
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
    if let Some(edited) = machine::edit(source, edits) {
        return edited;
    }
    Err(EditError::Missing(source.name.clone()))
}
