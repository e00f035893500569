//! Edits → one tree of changes, by the steps that lead to them: what is about one list or mapping comes
//! together, and what is about the same thing twice is refused.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::Step;
use super::{Edit, EditError};

/// What changes at a place, and below it.
#[derive(Debug, Default)]
pub(super) struct Change<'e> {
    /// Which edit it came with: keys are added in this order.
    pub(super) order: usize,
    pub(super) what: What<'e>,
    pub(super) below: BTreeMap<&'e Step, Change<'e>>,
}

/// What happens at a place itself.
#[derive(Debug, Default)]
pub(super) enum What<'e> {
    Append(Vec<&'e Value>),
    #[default]
    Nothing,
    Remove,
    Set(&'e Value),
}

impl<'e> Change<'e> {
    /// Puts edits together.
    pub(super) fn gather(edits: &'e [Edit]) -> Result<Self, EditError> {
        let mut root = Self::default();
        for (order, edit) in edits.iter().enumerate() {
            root.add(order, edit)
                .ok_or_else(|| EditError::Overlapping(edit.place().to_string()))?;
        }
        Ok(root)
    }

    /// None where it overlaps with what is there.
    fn add(&mut self, order: usize, edit: &'e Edit) -> Option<()> {
        let mut at = self;
        for step in &edit.place().path {
            if matches!(at.what, What::Remove | What::Set(_)) {
                return None;
            }
            at = at.below.entry(step).or_insert_with(|| Change { order, ..Self::default() });
        }
        match (edit, &mut at.what) {
            (Edit::Append { items, .. }, What::Append(more)) => more.extend(items),
            (Edit::Append { items, .. }, what @ What::Nothing) => {
                *what = What::Append(items.iter().collect());
            }
            (Edit::Remove { .. }, what @ What::Nothing) if at.below.is_empty() => {
                *what = What::Remove;
            }
            (Edit::Set { value, .. }, what @ What::Nothing) if at.below.is_empty() => {
                *what = What::Set(value);
            }
            _ => return None,
        }
        Some(())
    }

    /// The value of a key that is not there yet; none where the change does not make one.
    pub(super) fn made(&self) -> Option<Value> {
        match &self.what {
            _ if !self.below.is_empty() => None,
            What::Append(items) => Some(items.iter().copied().cloned().collect()),
            What::Set(value) => Some((*value).clone()),
            What::Nothing | What::Remove => None,
        }
    }
}
