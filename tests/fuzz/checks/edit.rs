//! An edit of any text: it is refused, or what comes out is read without a complaint, and says what was
//! meant, told by JSON values alone; no edit changes nothing.
//!
//! Input: a text, and behind a zero byte lines that each begin with what is done (`+` adds an item, `-`
//! takes out, `=` writes) and a place (`a.0.b`), and end, behind a blank, with a value in JSON.

use grantgate::config::{Edit, Place, Report, Source, edit, parse};
use serde_json::{Value, json};

use super::meant::{meant, read};

pub fn check(input: &[u8]) {
    let Ok(input) = str::from_utf8(input) else { return };
    let (text, edits) = input.split_once('\0').unwrap_or((input, ""));
    let edits: Vec<Edit> = edits.lines().filter_map(read_edit).collect();
    let source = Source::new("edit.yaml", text);
    if let Ok(same) = edit(&source, &[]) {
        assert_eq!(same, text);
    }
    let Ok(edited) = edit(&source, &edits) else { return };
    if is_right(text) {
        assert!(is_right(&edited), "{edited}");
        // What YAML readers may understand in two ways is not told in one.
        if let (Some(before), Some(after)) = (said(text), said(&edited)) {
            assert_eq!(Some(after), meant(before, &edits), "{edits:?}\n{edited}");
        }
    } else {
        // What stands on a line that is not touched is nobody's concern there.
        assert!(edits.is_empty() || text.starts_with(ROWS), "{edited}");
    }
    assert_eq!(text.starts_with('\u{feff}'), edited.starts_with('\u{feff}'));
    if edits.iter().all(|edit| matches!(edit, Edit::Append { .. })) {
        // What is added takes nothing away but brackets, blanks and what says that there is nothing.
        let marks = |text: &str| text.matches('#').count();
        assert!(marks(&edited) >= marks(text), "{edited}");
    }
}

/// How a file begins that is edited by its lines.
const ROWS: &str = "{\"client_grants\": [\n";

/// Whether a text can be read, or says nothing.
fn is_right(text: &str) -> bool {
    let mut report = Report::new([Source::new("x", text)]);
    let tree = parse(0, text, &mut report);
    tree.is_some() && !report.has_errors() || is_empty(&report)
}

fn is_empty(report: &Report) -> bool {
    report.has_errors() && report.iter().all(|found| found.code.as_str() == "config-empty")
}

/// What a text says: where it says nothing, a mapping without keys.
fn said(text: &str) -> Option<Value> {
    let mut report = Report::new([Source::new("x", text)]);
    parse(0, text, &mut report);
    if is_empty(&report) { Some(json!({})) } else { read(text).map(|(_, said)| said) }
}

fn read_edit(line: &str) -> Option<Edit> {
    let (place, value) = line.split_once(' ').unwrap_or((line, "null"));
    let (kind, place) = place.split_at_checked(1)?;
    let place = place.split('.').fold(Place::root(0), |place, step| match step.parse() {
        Ok(index) => place.index(index),
        Err(_) => place.key(step.to_owned()),
    });
    let value: Value = serde_json::from_str(value).ok()?;
    match kind {
        "+" => Some(Edit::Append { list: place, items: vec![value] }),
        "-" => Some(Edit::Remove { place }),
        "=" => Some(Edit::Set { place, value }),
        _ => None,
    }
}
