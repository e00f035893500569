//! An edit of any text: it is refused, or what comes out is read without a complaint, and says what the
//! edit was about; no edit changes nothing.
//!
//! Input: a text, and behind a zero byte lines that each begin with what is done (`+` adds an item, `-`
//! takes out, `=` writes) and a place (`a.0.b`), and end, behind a blank, with a value in JSON.

use grantgate::config::{Edit, Place, Report, Source, edit, parse};
use serde_json::Value;

pub fn check(input: &[u8]) {
    let Ok(input) = str::from_utf8(input) else { return };
    let (text, edits) = input.split_once('\0').unwrap_or((input, ""));
    let edits: Vec<Edit> = edits.lines().filter_map(read).collect();
    let source = Source::new("edit.yaml", text);
    if let Ok(same) = edit(&source, &[]) {
        assert_eq!(same, text);
    }
    let Ok(edited) = edit(&source, &edits) else { return };
    let mut report = Report::new([Source::new("edit.yaml", edited.as_str())]);
    let tree = parse(0, &edited, &mut report);
    let is_empty = report.iter().all(|found| found.code.as_str() == "config-empty");
    assert!((tree.is_some() && !report.has_errors()) || is_empty, "{report}");
    assert_eq!(text.starts_with('\u{feff}'), edited.starts_with('\u{feff}'));
    if edits.iter().all(|edit| matches!(edit, Edit::Append { .. })) {
        // What is added takes nothing away but brackets, blanks and what says that there is nothing.
        let marks = |text: &str| text.matches('#').count();
        assert!(marks(&edited) >= marks(text), "{edited}");
    }
}

fn read(line: &str) -> Option<Edit> {
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
