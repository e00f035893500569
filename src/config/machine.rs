//! Grants by the hundred thousand: a file of JSON that programs write, one grant on each line.
//!
//! ```json
//! {"client_grants": [
//! {"client_id":"web-app","audience":"https://orders.example.com","scope":["read:orders"]},
//! {"client_id":"billing","audience":"https://orders.example.com","scope":[]}
//! ]}
//! ```
//!
//! It is a configuration like any other, and means what it means as YAML. Where every line is plainly a
//! grant it is read without a tree, and may be longer than what people write. At the first doubt it is
//! read as any other file, so that what is wrong with it is told as well as ever; and of a line that
//! something is said of, a tree is made then.

mod edit;

use serde::de::IgnoredAny;

use super::place::{Place, Step};
use super::raw::ClientGrant;
use super::report::Report;
use super::tree::{Span, parse};

pub(super) use edit::edit;

/// The longest text in this layout, in bytes: some three million grants. All of it is read when anything of
/// it changes, and what it takes then in memory is about four times as long as the text, beside the
/// configuration that runs meanwhile.
pub const MAX_BYTES: usize = 512 << 20;

/// What the first line is, and the last.
const HEAD: &str = "{\"client_grants\": [\n";
const TAIL: &str = "]}";

/// A file in this layout, read.
pub(super) struct Grants {
    pub(super) grants: Vec<ClientGrant>,
    pub(super) rows: Rows,
}

/// Where each grant stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rows {
    /// Where its line begins; at last, where the last line does.
    starts: Vec<usize>,
}

/// A line that is not what it should be.
pub(super) struct Slip {
    pub(super) span: Span,
    pub(super) message: String,
}

/// Reads a text in this layout; none where it is in another.
pub(super) fn read(text: &str) -> Option<Result<Grants, Slip>> {
    let body = body(text)?;
    // Grown step by step, both would be copied while they are long.
    let count = rows(body).count();
    let (mut starts, mut grants) = (Vec::with_capacity(count + 1), Vec::with_capacity(count));
    let mut start = HEAD.len();
    for row in rows(body) {
        starts.push(start);
        let slip = |message: String| Slip { span: start..start + row.len(), message };
        match grant(row, start + row.len() == HEAD.len() + body.len()) {
            Ok(grant) => grants.push(grant),
            Err(message) => return Some(Err(slip(message))),
        }
        start += row.len() + 1;
    }
    starts.push(HEAD.len() + body.len() + usize::from(!body.is_empty()));
    Some(Ok(Grants { grants, rows: Rows { starts } }))
}

impl Rows {
    /// Where a place stands in the text, as [`Place::span`] has it.
    pub(super) fn span(&self, text: &str, place: &Place, on_key: bool) -> Span {
        let end = text.trim_end().len();
        match place.path.as_slice() {
            [Step::Key(key), rest @ ..] if key == KEY => match rest {
                [Step::Index(index), within @ ..] => {
                    self.span_in_row(text, *index, within, on_key).unwrap_or(KEY_SPAN)
                }
                _ if on_key => KEY_SPAN,
                _ => HEAD.len() - "[\n".len()..end.saturating_sub("}".len()),
            },
            _ => 0..end,
        }
    }

    fn span_in_row(&self, text: &str, index: usize, within: &[Step], on_key: bool) -> Option<Span> {
        let (start, end) = (*self.starts.get(index)?, *self.starts.get(index + 1)?);
        let row = text.get(start..end)?.trim_end_matches(['\n', ',']);
        if within.is_empty() {
            return Some(start..start + row.len());
        }
        let tree = parse(0, row, &mut Report::default())?;
        let span = Place { source: 0, path: within.to_vec() }.span(&tree, on_key);
        Some(start + span.start..start + span.end)
    }
}

const KEY: &str = "client_grants";
const KEY_SPAN: Span = 1..1 + KEY.len() + 2;

/// What stands between the first line and the last, without the line end before the last.
fn body(text: &str) -> Option<&str> {
    let rest = text.strip_prefix(HEAD).filter(|_| text.len() <= MAX_BYTES)?;
    let body = rest.strip_suffix('\n').unwrap_or(rest).strip_suffix(TAIL)?;
    if body.is_empty() { Some(body) } else { body.strip_suffix('\n') }
}

/// The lines of the grants.
fn rows(body: &str) -> impl Iterator<Item = &str> {
    body.split('\n').filter(|_| !body.is_empty())
}

/// Whether each line is one whole entry: what people have broken into lines otherwise is not edited by them.
fn is_by_lines(body: &str) -> bool {
    let mut rows = rows(body).peekable();
    while let Some(row) = rows.next() {
        let json = if rows.peek().is_some() { row.strip_suffix(',') } else { Some(row) };
        let is_entry =
            |json: &str| json.starts_with('{') && serde_json::from_str::<IgnoredAny>(json).is_ok();
        if !json.is_some_and(is_entry) {
            return false;
        }
    }
    true
}

/// The grant of a line, or what there is to doubt.
fn grant(row: &str, is_last: bool) -> Result<ClientGrant, String> {
    let json = match row.strip_suffix(',') {
        Some(json) if !is_last => json,
        None if is_last => row,
        Some(_) => return Err("the last grant is followed by a comma".to_owned()),
        None => return Err("a grant is not followed by a comma".to_owned()),
    };
    if json.chars().any(is_doubtful) {
        return Err("the line holds a character that is not taken here".to_owned());
    }
    if !json.starts_with('{') {
        return Err("the line does not begin with a grant".to_owned());
    }
    let grant: ClientGrant = serde_json::from_str(json).map_err(|error| {
        let message = error.to_string();
        message.split(" at line ").next().unwrap_or_default().to_owned()
    })?;
    match grant.is_system {
        // In what it holds a key could stand twice.
        Some(ref value) if value.is_object() || value.is_array() => {
            Err("`is_system` must be true or false".to_owned())
        }
        _ => Ok(grant),
    }
}

/// What JSON lets stand, and YAML refuses or takes for the end of a line.
fn is_doubtful(char: char) -> bool {
    match char {
        ' '..='~' => false,
        '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => true,
        _ => char.is_control(),
    }
}

#[cfg(test)]
mod tests;
