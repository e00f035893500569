//! Random texts in random styles, and random edits of them: what comes out says what was meant, told by JSON
//! values alone, with every comment that does not speak of what is gone, and nothing else changed.

use grantgate::config::{Edit, EditError, Kind, Node, Place, Source, Step, edit};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use crate::fuzz::checks::meant::{find, meant, read};

/// A value, and how it is written.
#[derive(Clone, Debug)]
enum Written {
    Scalar(&'static str),
    List { items: Vec<Written>, style: Style },
    Map { entries: Vec<(&'static str, Written)>, style: Style },
}

#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a coin that is tossed")]
struct Style {
    flow: bool,
    tall: bool,
    /// Lines begin with commas.
    ahead: bool,
    /// A trailing comma.
    closed: bool,
    /// Blank lines between parts.
    spaced: bool,
    /// Comment lines above parts.
    heads: bool,
    /// Comments behind parts.
    tails: bool,
    /// Dashes stand below their key's first letter.
    flat: bool,
}

const KEYS: [&str; 6] = ["client_id", "scope", "name", "\"a: b\"", "'it''s'", "x"];
const SCALARS: [&str; 12] = [
    "web-app",
    "\"read:orders\"",
    "read:orders",
    "'no'",
    "no",
    "1.10",
    "-7",
    "true",
    "null",
    "é b",
    "\"\\u2028\"",
    "https://a.example/",
];
const NEW: [&str; 8] =
    ["plain", "no", "a: b", "", "#", "read:orders", "\u{1b}\u{2028}\n", "it's, [so]"];

fn style() -> impl Strategy<Value = Style> {
    (any::<[bool; 7]>(), 0..3u8).prop_map(
        |([tall, closed, spaced, heads, tails, flat, ahead], flow)| Style {
            flow: flow == 0,
            tall,
            ahead,
            closed: closed && !(tall && ahead),
            spaced,
            heads,
            tails,
            flat,
        },
    )
}

fn written() -> impl Strategy<Value = Written> {
    let scalar = prop::sample::select(&SCALARS[..]).prop_map(Written::Scalar);
    scalar.prop_recursive(4, 24, 4, |inner| {
        let entries = prop::collection::vec(inner.clone(), 0..4).prop_flat_map(|values| {
            let keys = prop::sample::subsequence(&KEYS[..], values.len());
            keys.prop_map(move |keys| keys.into_iter().zip(values.clone()).collect::<Vec<_>>())
        });
        prop_oneof![
            (prop::collection::vec(inner, 0..4), style())
                .prop_map(|(items, style)| Written::List { items, style }),
            (entries, style()).prop_map(|(entries, style)| Written::Map { entries, style }),
        ]
    })
}

fn document() -> impl Strategy<Value = String> {
    let top = prop::collection::vec(written(), 1..4);
    (top, style(), any::<[bool; 5]>()).prop_map(
        |(values, mut style, [crlf, bom, marked, ended, above])| {
            style.flow = false;
            let entries = ["one", "two", "three"].into_iter().zip(values).collect();
            let mut paper = Paper::default();
            if above {
                paper.comment(0);
                paper.line(String::new());
            }
            paper.block(&Written::Map { entries, style }, 0);
            if marked {
                paper.line("...".to_owned());
            }
            let mut text = paper.lines.join("\n");
            if ended {
                text.push('\n');
            }
            let text = if crlf { text.replace('\n', "\r\n") } else { text };
            if bom { format!("\u{feff}{text}") } else { text }
        },
    )
}

/// Lines that are written; comments are counted, so that each can be told.
#[derive(Default)]
struct Paper {
    lines: Vec<String>,
    comments: usize,
}

impl Paper {
    fn line(&mut self, line: String) {
        self.lines.push(line);
    }

    fn mark(&mut self) -> String {
        self.comments += 1;
        format!("# c{}.", self.comments)
    }

    fn comment(&mut self, column: usize) {
        let mark = self.mark();
        self.line(format!("{}{mark}", " ".repeat(column)));
    }

    fn push(&mut self, text: &str) {
        self.lines.last_mut().unwrap().push_str(text);
    }

    /// A list or mapping with parts, on lines of its own.
    fn block(&mut self, written: &Written, column: usize) {
        let (parts, style): (Vec<(String, &Written)>, _) = match written {
            Written::List { items, style } => {
                (items.iter().map(|item| ("-".to_owned(), item)).collect(), style)
            }
            Written::Map { entries, style } => {
                (entries.iter().map(|(key, value)| (format!("{key}:"), value)).collect(), style)
            }
            Written::Scalar(_) => unreachable!(),
        };
        for (index, (lead, value)) in parts.into_iter().enumerate() {
            if style.spaced && index > 0 {
                self.line(String::new());
            }
            if style.heads {
                self.comment(column);
            }
            self.line(format!("{}{lead}", " ".repeat(column)));
            self.value(value, column, style, lead == "-");
        }
    }

    /// What stands behind a colon or dash.
    fn value(&mut self, value: &Written, column: usize, around: &Style, is_item: bool) {
        match value {
            Written::Map { entries, style } if !entries.is_empty() && !style.flow => {
                if is_item && !style.heads && !around.tails {
                    // `- a: 1`
                    let dash = self.lines.pop().unwrap();
                    let first = self.lines.len();
                    self.block(value, column + 2);
                    self.lines[first].replace_range(..=column, &dash);
                } else {
                    self.tail(around);
                    self.block(value, column + 2);
                }
            }
            Written::List { items, style } if !items.is_empty() && !style.flow => {
                self.tail(around);
                self.block(value, if style.flat && !is_item { column } else { column + 2 });
            }
            _ => {
                self.push(" ");
                self.flow(value, column + 2);
                self.tail(around);
            }
        }
    }

    fn tail(&mut self, style: &Style) {
        if style.tails {
            let mark = self.mark();
            self.push(&format!("  {mark}"));
        }
    }

    fn flow(&mut self, value: &Written, column: usize) {
        let (open, close, parts, style): (_, _, Vec<(String, &Written)>, _) = match value {
            Written::Scalar(text) => return self.push(text),
            Written::List { items, style } => {
                ("[", "]", items.iter().map(|item| (String::new(), item)).collect(), style)
            }
            Written::Map { entries, style } => {
                let parts =
                    entries.iter().map(|(key, value)| (format!("{key}: "), value)).collect();
                ("{", "}", parts, style)
            }
        };
        self.push(open);
        let count = parts.len();
        for (index, (lead, value)) in parts.into_iter().enumerate() {
            if style.tall {
                if style.heads {
                    self.comment(column);
                }
                self.line(" ".repeat(column));
                if style.ahead && index > 0 {
                    self.push(", ");
                }
            } else if index > 0 {
                self.push(" ");
            }
            self.push(&lead);
            self.flow(value, column + 2);
            if !(style.tall && style.ahead) && index + 1 < count || style.closed {
                self.push(",");
            }
            if style.tall {
                self.tail(style);
            }
        }
        if style.tall && count > 0 {
            self.line(" ".repeat(column - 1));
        }
        self.push(close);
    }
}

/// All places below a node.
fn places(node: &Node, at: &Place, into: &mut Vec<Place>) {
    match &node.kind {
        Kind::List(items) => {
            for (index, item) in items.iter().enumerate() {
                into.push(at.index(index));
                places(item, &at.index(index), into);
            }
        }
        Kind::Map(entries) => {
            for entry in entries {
                into.push(at.key(entry.key.clone()));
                places(&entry.value, &at.key(entry.key.clone()), into);
            }
        }
        _ => {}
    }
}

#[derive(Clone, Debug)]
struct Seed {
    at: Index,
    kind: u8,
    new: Index,
    /// Whether a key is added, rather than written.
    fresh: bool,
}

fn seeds() -> impl Strategy<Value = Vec<Seed>> {
    let seed = (any::<Index>(), 0..3u8, any::<Index>(), any::<bool>());
    prop::collection::vec(
        seed.prop_map(|(at, kind, new, fresh)| Seed { at, kind, new, fresh }),
        1..4,
    )
}

/// Edits of what is there.
fn planned(tree: &Node, value: &mut Value, seeds: &[Seed]) -> Vec<Edit> {
    let mut all = Vec::new();
    places(tree, &Place::root(0), &mut all);
    let edit = |seed: &Seed| {
        let place = seed.at.get(&all).clone();
        let new = json!(seed.new.get(&NEW));
        let new = match seed.new.index(5) {
            0 => json!([new, "x"]),
            1 => json!({"client_id": new, "scope": ["read:orders", 1.5], "m": {"n": null}}),
            2 => json!([{"client_id": new}]),
            _ => new,
        };
        let there = find(value, &place.path).cloned().unwrap_or_default();
        match (seed.kind, there) {
            (0, _) => Edit::Remove { place },
            (1, Value::Array(_) | Value::Null) => {
                Edit::Append { list: place, items: vec![new, json!("y")] }
            }
            (_, Value::Object(_)) if seed.fresh => {
                Edit::Set { place: place.key("fresh"), value: new }
            }
            _ => Edit::Set { place, value: new },
        }
    };
    seeds.iter().map(edit).collect()
}

/// The lines that an edit may touch: those of its node, from its key on, with comments around. The last
/// part that is taken out leaves `[]`, at the end of the line before.
fn touched(text: &str, tree: &Node, edit: &Edit) -> std::ops::Range<usize> {
    let mut place = edit.place().clone();
    let is_removal = matches!(edit, Edit::Remove { .. });
    if is_removal {
        place.path.pop();
    }
    let mut node = tree;
    let mut from = 0;
    for step in &place.path {
        match (step, &node.kind) {
            (Step::Index(index), Kind::List(items)) => node = &items[*index],
            (Step::Key(key), Kind::Map(entries)) => {
                let Some(entry) = entries.iter().find(|entry| entry.key == *key) else { break };
                from = entry.key_span.start;
                node = &entry.value;
            }
            _ => break,
        }
    }
    let is_idle = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
    let from = from.min(node.span.start);
    let mut start = text[..from].rfind('\n').map_or(0, |at| at + 1);
    while start > 0 {
        let above = text[..start - 1].rfind('\n').map_or(0, |at| at + 1);
        if !is_idle(&text[above..start]) {
            break;
        }
        start = above;
    }
    if is_removal && start > 0 {
        start = text[..start - 1].rfind('\n').map_or(0, |at| at + 1);
    }
    let mut end = text[node.span.end.max(from)..]
        .find('\n')
        .map_or(text.len(), |at| node.span.end.max(from) + at + 1);
    while end < text.len() {
        let below = text[end..].find('\n').map_or(text.len(), |at| end + at + 1);
        if !is_idle(&text[end..below]) {
            break;
        }
        end = below;
    }
    start..end
}

fn marks(text: &str) -> Vec<&str> {
    let mut marks: Vec<_> =
        text.split("# c").skip(1).map(|rest| rest.split('.').next().unwrap()).collect();
    marks.sort_unstable();
    marks
}

/// What stands on its line before a comment, without the blanks and commas around it, nor what opens.
fn before_mark<'t>(text: &'t str, mark: &str) -> &'t str {
    let before = text.split(&format!("# c{mark}.")).next().unwrap();
    let line = before.rsplit('\n').next().unwrap();
    let line = line.trim_end();
    let line = line.strip_suffix("[]").or_else(|| line.strip_suffix("{}")).unwrap_or(line);
    line.trim_start_matches([' ', ',', '-', '[', '{', '\u{feff}']).trim_end_matches([' ', ',', '['])
}

/// The lines in which a comment may come to stand behind something else: those of what is written anew, and
/// those that begin with what is taken out.
fn touched_values(text: &str, tree: &Node, edits: &[Edit]) -> Vec<std::ops::Range<usize>> {
    let mut ranges = Vec::new();
    for edit in edits {
        let (mut node, mut from) = (tree, 0);
        for step in &edit.place().path {
            match (step, &node.kind) {
                (Step::Index(index), Kind::List(items)) => node = &items[*index],
                (Step::Key(key), Kind::Map(entries)) => {
                    let Some(entry) = entries.iter().find(|entry| entry.key == *key) else { break };
                    (node, from) = (&entry.value, entry.key_span.start);
                    continue;
                }
                _ => break,
            }
            from = node.span.start;
        }
        if matches!((edit, &node.kind), (Edit::Append { .. }, Kind::List(items)) if !items.is_empty())
        {
            continue;
        }
        let start = text[..from.min(node.span.start)].rfind('\n').map_or(0, |at| at + 1);
        let end = node.span.end.max(from);
        ranges.push(start..text[end..].find('\n').map_or(text.len(), |at| end + at));
    }
    ranges
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn edits_are_faithful_and_touch_nothing_else(text in document(), seeds in seeds()) {
        let (tree, mut value) = read(&text).expect("the text is well-formed");
        let edits = planned(&tree, &mut value, &seeds);
        let edited = match edit(&Source::new("x", text.as_str()), &edits) {
            Ok(edited) => edited,
            Err(EditError::Overlapping(_)) => return Ok(()),
            Err(error) => panic!("{error}\n{edits:?}\n{text}"),
        };
        let shown = || format!("{edits:?}\n{text}\n--\n{edited}");
        // Where all keys are gone, nothing is left to be read.
        let said = read(&edited).map_or_else(|| json!({}), |(_, said)| said);
        prop_assert_eq!(said, meant(value, &edits).unwrap(), "{}", shown());

        let regions: Vec<_> = edits.iter().map(|edit| touched(&text, &tree, edit)).collect();
        let (start, end) = (
            regions.iter().map(|region| region.start).min().unwrap(),
            regions.iter().map(|region| region.end).max().unwrap(),
        );
        prop_assert!(edited.starts_with(&text[..start]), "{}", shown());
        prop_assert!(edited.ends_with(&text[end..]), "{}", shown());

        let (before, after) = (marks(&text), marks(&edited));
        let may_go = |mark: &str| {
            let at = text.find(&format!("# c{mark}.")).unwrap();
            edits.iter().zip(&regions).any(|(edit, region)| {
                !matches!(edit, Edit::Append { .. }) && region.contains(&at)
            })
        };
        for mark in &before {
            prop_assert!(after.contains(mark) || may_go(mark), "c{mark} is gone: {}", shown());
        }
        prop_assert!(after.iter().all(|mark| before.contains(mark)) && after.len() <= before.len());
        // Behind an item of brackets, a comment stays on its line.
        for mark in &after {
            let (old, new) = (before_mark(&text, mark), before_mark(&edited, mark));
            // Behind closed brackets it speaks of all of them, and of what is added within.
            let is_kept = old == new
                || old.is_empty()
                || old.ends_with([']', '}'])
                || touched_values(&text, &tree, &edits).iter().any(|range| {
                    let at = text.find(&format!("# c{mark}.")).unwrap();
                    range.contains(&at)
                });
            prop_assert!(is_kept, "c{mark} was behind `{old}` and is behind `{new}`: {}", shown());
        }
        let bare = edited.replace("\r\n", "");
        prop_assert!(!bare.contains('\r'));
        prop_assert!(!text.contains('\r') || !bare.contains('\n'));
        prop_assert_eq!(text.trim_end().ends_with("..."), edited.trim_end().ends_with("..."));
    }
}
