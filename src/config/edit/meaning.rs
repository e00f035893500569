//! What a text is to mean when its changes are made, told from the tree and the changes alone: the new text
//! is compared with it, however it was written.

use serde_json::Value;

use super::super::place::{Place, Step};
use super::super::scalar::Plain;
use super::super::tree::{Entry, Kind, Node};
use super::EditError;
use super::changes::{Change, What};

/// What is to stand at a place.
pub(super) enum Meaning<'t> {
    /// What stands there now, word for word.
    Kept(&'t Node),
    List(Vec<Meaning<'t>>),
    Map(Vec<(String, Meaning<'t>)>),
    /// Something new.
    Written(Value),
}

impl<'t> Meaning<'t> {
    /// What `node` means with `change` made.
    ///
    /// # Errors
    /// When the change is about what is not there.
    pub(super) fn of(
        node: &'t Node,
        change: &Change<'_>,
        place: &Place,
    ) -> Result<Self, EditError> {
        let missing = || EditError::Missing(place.to_string());
        match (&change.what, &node.kind) {
            (What::Set(_), _) if place.path.is_empty() => Err(missing()),
            (What::Set(value), _) => Ok(Self::Written((*value).clone())),
            (What::Nothing | What::Append(_), Kind::List(items)) => {
                let mut meant = Self::items(items, change, place)?;
                if let What::Append(added) = &change.what {
                    meant.extend(added.iter().map(|item| Self::Written((*item).clone())));
                }
                Ok(Self::List(meant))
            }
            (What::Nothing, Kind::Map(entries)) => Self::entries(entries, change, place),
            (What::Append(items), Kind::Scalar { text, plain: true })
                if change.below.is_empty() && Plain::of(text) == Plain::Null =>
            {
                Ok(Self::Written(items.iter().copied().cloned().collect()))
            }
            (What::Nothing, _) if change.below.is_empty() => Ok(Self::Kept(node)),
            _ => Err(missing()),
        }
    }

    fn items(
        items: &'t [Node],
        change: &Change<'_>,
        place: &Place,
    ) -> Result<Vec<Self>, EditError> {
        for step in change.below.keys() {
            if !matches!(step, Step::Index(index) if *index < items.len()) {
                return Err(missing(place, step));
            }
        }
        let mut meant = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            match change.below.get(&Step::Index(index)) {
                None => meant.push(Self::Kept(item)),
                Some(Change { what: What::Remove, .. }) => {}
                Some(below) => meant.push(Self::of(item, below, &place.index(index))?),
            }
        }
        Ok(meant)
    }

    fn entries(
        entries: &'t [Entry],
        change: &Change<'_>,
        place: &Place,
    ) -> Result<Self, EditError> {
        let mut meant = Vec::with_capacity(entries.len());
        let mut new: Vec<_> = change.below.iter().collect();
        for Entry { key, value, .. } in entries {
            let changed =
                new.iter().position(|(step, _)| matches!(step, Step::Key(it) if it == key));
            match changed.map(|at| new.remove(at).1) {
                None => meant.push((key.clone(), Self::Kept(value))),
                Some(Change { what: What::Remove, .. }) => {}
                Some(change) => {
                    let value = Self::of(value, change, &place.key(key.clone()))?;
                    meant.push((key.clone(), value));
                }
            }
        }
        new.sort_by_key(|(_, change)| change.order);
        for (step, change) in new {
            match (step, change.made()) {
                (Step::Key(key), Some(value)) => {
                    meant.push((key.to_string(), Self::Written(value)));
                }
                _ => return Err(missing(place, step)),
            }
        }
        Ok(Self::Map(meant))
    }

    /// Whether it is what a tree says.
    pub(super) fn is_said_by(&self, node: &Node) -> bool {
        match (self, &node.kind) {
            (Self::Kept(old), _) => is_same(old, node),
            (Self::List(meant), Kind::List(items)) => {
                meant.len() == items.len()
                    && meant.iter().zip(items).all(|(meant, item)| meant.is_said_by(item))
            }
            (Self::Map(meant), Kind::Map(entries)) => {
                meant.len() == entries.len()
                    && meant.iter().zip(entries).all(|((key, meant), entry)| {
                        *key == entry.key && meant.is_said_by(&entry.value)
                    })
            }
            (Self::Written(value), _) => says(node, value),
            _ => false,
        }
    }
}

fn missing(place: &Place, step: &Step) -> EditError {
    let mut place = place.clone();
    place.path.push(step.clone());
    EditError::Missing(place.to_string())
}

/// Whether two trees say the same, quoted where it is quoted: only places may differ.
fn is_same(old: &Node, new: &Node) -> bool {
    match (&old.kind, &new.kind) {
        (Kind::List(old), Kind::List(new)) => {
            old.len() == new.len() && old.iter().zip(new).all(|(old, new)| is_same(old, new))
        }
        (Kind::Map(old), Kind::Map(new)) => {
            old.len() == new.len()
                && old
                    .iter()
                    .zip(new)
                    .all(|(old, new)| old.key == new.key && is_same(&old.value, &new.value))
        }
        (old @ Kind::Scalar { .. }, new) => old == new,
        _ => false,
    }
}

/// Whether a tree says a value: text as text, a number as that number.
fn says(node: &Node, value: &Value) -> bool {
    match (value, &node.kind) {
        (Value::Array(values), Kind::List(items)) => {
            values.len() == items.len()
                && values.iter().zip(items).all(|(value, item)| says(item, value))
        }
        (Value::Object(values), Kind::Map(entries)) => {
            values.len() == entries.len()
                && entries.iter().all(|entry| {
                    values.get(&entry.key).is_some_and(|value| says(&entry.value, value))
                })
        }
        (Value::String(value), Kind::Scalar { text, plain }) => {
            value == text && (!plain || Plain::of(text) == Plain::Text)
        }
        (Value::Null | Value::Bool(_) | Value::Number(_), Kind::Scalar { text, plain: true }) => {
            !text.is_empty() && Plain::of(text).value().as_ref() == Some(value)
        }
        _ => false,
    }
}
