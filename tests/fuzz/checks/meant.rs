//! What edits of a text are to mean, told by JSON values alone: slow, and right at a glance.

use std::slice;

use grantgate::config::{Edit, Node, Place, Report, Source, Step, parse, walk};
use serde_json::{Value, json};

/// What a text says, as a tree and as a value; none where something is wrong with it.
pub fn read(text: &str) -> Option<(Node, Value)> {
    let mut report = Report::new([Source::new("x", text)]);
    let tree = parse(0, text, &mut report)?;
    let value = walk(&tree, &Value::Bool(true), &Place::root(0), &mut report);
    (!report.has_errors()).then_some((tree, value))
}

/// The value at a place, if it is there.
pub fn find<'v>(value: &'v mut Value, path: &[Step]) -> Option<&'v mut Value> {
    path.iter().try_fold(value, |value, step| match step {
        Step::Index(index) => value.get_mut(*index),
        Step::Key(key) => value.get_mut(&**key),
    })
}

/// A value with edits made that are not about one thing twice; none where one is about what is not there.
/// Those further behind come first so that indexes hold, and what is taken out goes last.
pub fn meant(mut value: Value, edits: &[Edit]) -> Option<Value> {
    let mut edits: Vec<&Edit> = edits.iter().collect();
    edits.sort_by(|one, other| {
        let is_removal = |edit: &Edit| matches!(edit, Edit::Remove { .. });
        (is_removal(one), &other.place().path).cmp(&(is_removal(other), &one.place().path))
    });
    for edit in edits {
        make(&mut value, edit)?;
    }
    Some(value)
}

fn make(value: &mut Value, edit: &Edit) -> Option<()> {
    let Some((last, above)) = edit.place().path.split_last() else {
        // The whole text is added to at most.
        let Edit::Append { items, .. } = edit else { return None };
        value.as_array_mut()?.extend(items.iter().cloned());
        return Some(());
    };
    let parent = find(value, above)?;
    match (edit, last) {
        (Edit::Append { items, .. }, _) => {
            if let (Value::Object(map), Step::Key(key)) = (&mut *parent, last) {
                map.entry(&**key).or_insert(Value::Null);
            }
            let grown = find(parent, slice::from_ref(last))?;
            if grown.is_null() {
                *grown = json!([]);
            }
            grown.as_array_mut()?.extend(items.iter().cloned());
        }
        (Edit::Remove { .. }, Step::Index(index)) => {
            let items = parent.as_array_mut()?;
            items.get(*index)?;
            items.remove(*index);
        }
        (Edit::Remove { .. }, Step::Key(key)) => {
            parent.as_object_mut()?.remove(&**key)?;
        }
        (Edit::Set { value, .. }, Step::Index(index)) => {
            parent.as_array_mut()?.get_mut(*index)?.clone_from(value);
        }
        (Edit::Set { value, .. }, Step::Key(key)) => {
            parent.as_object_mut()?.insert(key.to_string(), value.clone());
        }
    }
    Some(())
}
