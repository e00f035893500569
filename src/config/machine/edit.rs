//! Edits of a file that programs write: lines come, go and are written anew, each in one form. What comes
//! out is read again: each line that was touched has to mean what was meant, and the others are as they were.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

use super::{HEAD, KEY, TAIL, body, is_by_lines, is_doubtful, rows};
use crate::config::{Edit, EditError, Place, Source, Step};

/// Edits a text in this layout, or begins one where a file named `*.json` comes to be for grants alone;
/// none where it is in another.
pub(in crate::config) fn edit(
    source: &Source,
    edits: &[Edit],
) -> Option<Result<String, EditError>> {
    let is_new = source.text.is_empty() && is_json(&source.name) && edits.iter().all(appends);
    let body = if is_new { "" } else { body(&source.text).filter(|body| is_by_lines(body))? };
    let end = if is_new || source.text.ends_with('\n') { "\n" } else { "" };
    let edited = Changes::gather(edits).and_then(|changes| changes.made(body)).and_then(|made| {
        let text = print(&made, end);
        let place = edits.first().map(|edit| edit.place().to_string());
        let unfaithful = || EditError::Unfaithful(place.unwrap_or_else(|| source.name.clone()));
        says(&text, &made).then_some(text).ok_or_else(unfaithful)
    });
    Some(edited)
}

fn is_json(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|kind| kind == "json")
}

fn appends(edit: &Edit) -> bool {
    matches!(edit, Edit::Append { list, .. } if *list.path == [Step::Key(KEY.into())])
}

/// What becomes of the lines, by their places.
#[derive(Default)]
struct Changes<'e> {
    gone: BTreeSet<usize>,
    other: BTreeMap<usize, Vec<(&'e [Step], Op<'e>)>>,
    added: Vec<&'e Value>,
}

/// In the order in which they are done: what is taken out of a list has its place from before.
#[derive(Clone, Copy, PartialEq)]
enum Op<'e> {
    Set(&'e Value),
    Remove,
    Append(&'e [Value]),
}

impl<'e> Changes<'e> {
    fn gather(edits: &'e [Edit]) -> Result<Self, EditError> {
        let mut changes = Self::default();
        for edit in edits {
            let (place, op) = match edit {
                Edit::Append { list, items } => (list, Op::Append(items)),
                Edit::Set { place, value } => (place, Op::Set(value)),
                Edit::Remove { place } => (place, Op::Remove),
            };
            match (place.path.as_slice(), op) {
                ([Step::Key(key)], Op::Append(items)) if key == KEY => changes.added.extend(items),
                ([Step::Key(key), Step::Index(row)], Op::Remove) if key == KEY => {
                    changes.gone.insert(*row);
                }
                ([Step::Key(key), Step::Index(row), within @ ..], op)
                    if key == KEY && !within.is_empty() =>
                {
                    changes.other.entry(*row).or_default().push((within, op));
                }
                _ => return Err(missing(&place.path)),
            }
        }
        Ok(changes)
    }

    /// The lines that there are to be.
    fn made(mut self, body: &str) -> Result<Vec<Row<'_>>, EditError> {
        let mut made = Vec::new();
        for (index, line) in rows(body).enumerate() {
            let is_gone = self.gone.remove(&index);
            let written = line.strip_suffix(',').unwrap_or(line);
            match self.other.remove(&index) {
                _ if is_gone => {}
                Some(changes) => made.push(Row::Meant(changed(index, written, changes)?)),
                None => made.push(Row::Kept(written)),
            }
        }
        if let Some(index) = self.gone.first().or(self.other.keys().next()) {
            return Err(missing(&[Step::Key(KEY.into()), Step::Index(*index)]));
        }
        made.extend(self.added.into_iter().cloned().map(Row::Meant));
        Ok(made)
    }
}

/// A line that there is to be.
pub(super) enum Row<'b> {
    /// One that stays, byte for byte.
    Kept(&'b str),
    /// One that is written anew.
    Meant(Value),
}

impl Row<'_> {
    /// Whether a line is this one.
    fn is_said_by(&self, line: &str) -> bool {
        match self {
            Self::Kept(kept) => *kept == line,
            Self::Meant(meant) => {
                !line.chars().any(is_doubtful)
                    && serde_json::from_str::<Value>(line).is_ok_and(|said| said == *meant)
            }
        }
    }
}

/// A text of these lines, `end` at its end.
fn print(made: &[Row<'_>], end: &str) -> String {
    let mut text = HEAD.to_owned();
    for (index, row) in made.iter().enumerate() {
        text.push_str(if index > 0 { ",\n" } else { "" });
        match row {
            Row::Kept(kept) => text.push_str(kept),
            Row::Meant(meant) => text.push_str(&line(meant)),
        }
    }
    text.push_str(if made.is_empty() { "" } else { "\n" });
    text.push_str(TAIL);
    text.push_str(end);
    text
}

/// Whether a text, read again, says these lines and no other.
pub(super) fn says(text: &str, made: &[Row<'_>]) -> bool {
    body(text).is_some_and(|body| {
        let mut said = rows(body).map(|line| line.strip_suffix(',').unwrap_or(line));
        made.iter().all(|row| said.next().is_some_and(|line| row.is_said_by(line)))
            && said.next().is_none()
    })
}

/// What a line says with its changes.
fn changed(
    index: usize,
    written: &str,
    mut changes: Vec<(&[Step], Op<'_>)>,
) -> Result<Value, EditError> {
    let at = |within: &[Step]| {
        let mut path = vec![Step::Key(KEY.into()), Step::Index(index)];
        path.extend_from_slice(within);
        missing(&path)
    };
    let mut grant: Value = serde_json::from_str(written).map_err(|_| at(&[]))?;
    // The last item of a list first: the others keep their places.
    changes.sort_by(|(one, _), (other, _)| other.cmp(one));
    changes.sort_by_key(|(_, op)| match op {
        Op::Set(_) => 0,
        Op::Remove => 1,
        Op::Append(_) => 2,
    });
    for (within, op) in changes {
        do_one(&mut grant, within, op).ok_or_else(|| at(within))?;
    }
    Ok(grant)
}

fn do_one(grant: &mut Value, within: &[Step], op: Op<'_>) -> Option<()> {
    let (last, way) = within.split_last()?;
    let holder = way.iter().try_fold(grant, |value, step| match step {
        Step::Index(index) => value.get_mut(*index),
        Step::Key(key) => value.get_mut(&**key),
    })?;
    match (holder, last, op) {
        (Value::Object(map), Step::Key(key), Op::Set(value)) => {
            map.insert(key.to_string(), value.clone());
        }
        (Value::Array(held), Step::Index(index), Op::Set(value)) => {
            held.get_mut(*index)?.clone_from(value);
        }
        (Value::Object(map), Step::Key(key), Op::Remove) => {
            // The others keep their order.
            map.shift_remove(&**key)?;
        }
        (Value::Array(held), Step::Index(index), Op::Remove) if *index < held.len() => {
            held.remove(*index);
        }
        (Value::Object(map), Step::Key(key), Op::Append(items)) => {
            let held = map.entry(&**key).or_insert(Value::Null);
            if held.is_null() {
                *held = Value::Array(Vec::new());
            }
            held.as_array_mut()?.extend_from_slice(items);
        }
        _ => return None,
    }
    Some(())
}

/// A grant on one line, in characters that can be read back.
fn line(grant: &Value) -> String {
    let json = in_order(grant);
    if !json.chars().any(is_doubtful) {
        return json;
    }
    // Outside of its strings JSON has none of them.
    json.chars().fold(String::with_capacity(json.len() + 8), |mut written, char| {
        if is_doubtful(char) {
            let _ = write!(written, "\\u{:04x}", u32::from(char));
        } else {
            written.push(char);
        }
        written
    })
}

fn in_order(grant: &Value) -> String {
    let Value::Object(map) = grant else { return grant.to_string() };
    let known = ORDER.iter().filter_map(|key| map.get_key_value(*key));
    let other = map.iter().filter(|(key, _)| !ORDER.contains(&key.as_str()));
    let entries =
        known.chain(other).map(|(key, value)| format!("{}:{value}", Value::String(key.clone())));
    format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
}

/// The keys of a grant, as people read it: whose it is, for what, and how much.
const ORDER: [&str; 14] = [
    "id",
    "client_id",
    "default_for",
    "audience",
    "issuer",
    "subject_type",
    "scope",
    "scopes",
    "allow_all_scopes",
    "authorization_details_types",
    "organization_usage",
    "allow_any_organization",
    "organizations",
    "expires_at",
];

fn missing(path: &[Step]) -> EditError {
    EditError::Missing(Place { source: 0, path: path.to_vec() }.to_string())
}
