//! What to write instead: the helps of the walk, each a form that the next check takes.
//!
//! In come what was written and the shape that is meant there; out goes one line. Where text of a
//! special form is meant, the schema's example shows it. No secret is ever repeated.

use core::net::SocketAddr;

use serde_json::Value;
use strsim::damerau_levenshtein;

use super::super::scalar::{Plain, is_read_otherwise_elsewhere};
use super::super::shape::{MapShape, Shape};
use super::super::suggest::excerpt;

/// As many names as can be listed in a help without drowning it.
const MAX_LISTED: usize = 12;

/// How to write what is meant to be text.
pub(super) fn as_text(text: &str, shape: &Shape<'_>) -> String {
    if shape.secret {
        return "quote it: `\"…\"`".to_owned();
    }
    match shape.example.and_then(Value::as_str) {
        Some(example) => in_form(text, example),
        None => format!("quote it: `\"{}\"`", excerpt(text)),
    }
}

fn in_form(text: &str, example: &str) -> String {
    if let (Ok(mut address), Ok(port)) = (example.parse::<SocketAddr>(), text.parse()) {
        address.set_port(port);
        return format!("write an address and the port: `{address}`");
    }
    if !is_read_otherwise_elsewhere(example) {
        return format!("write it in the form `{example}`");
    }
    // A date: what it lacks is added, so that it need not be written a third time.
    let alike = |(written, shown): &(u8, u8)| {
        written == shown || (written.is_ascii_digit() && shown.is_ascii_digit())
    };
    let begun = text.bytes().zip(example.bytes()).take_while(alike).count();
    match example.get(begun..) {
        _ if text.len() >= example.len() && begun + 1 >= example.len() => {
            format!("quote it: `\"{}\"`", excerpt(text))
        }
        Some(rest) if begun == text.len() && text.contains('-') => {
            format!("write it in full: `\"{text}{rest}\"`")
        }
        _ => format!("write it in the form `\"{example}\"`"),
    }
}

/// How a scalar would be written to be what is meant, where that can be guessed.
pub(super) fn written_right(root: &Value, text: &str, shape: &Shape<'_>) -> Option<String> {
    let digits = text.replace('_', "");
    let digits = digits.trim_start_matches('0');
    if shape.boolean {
        let bool = match text.to_ascii_lowercase().as_str() {
            "yes" | "y" | "on" | "1" => "true",
            "no" | "n" | "off" | "0" => "false",
            _ => return Some("write `true` or `false`".to_owned()),
        };
        Some(format!("write `{bool}`"))
    } else if shape.number.is_some() && matches!(Plain::of(digits), Plain::Int(_)) {
        Some(format!("write `{}`", excerpt(digits)))
    } else if shape.number.is_some() {
        Some("write a number".to_owned())
    } else if let Some(elements) = shape.list {
        let element = Shape::of(root, elements);
        Some(match entry(root, text, &element) {
            Some(entry) => format!("write a list: `[{entry}]`"),
            None if element.map.is_some() => "write a list, each element with `- `".to_owned(),
            None => format!("write a list: `[{}]`", names(text)),
        })
    } else if let Some(map) = &shape.map {
        Some(match entry(root, text, shape) {
            Some(entry) => format!("write `{entry}`"),
            None => format!("write a mapping: the keys here are {}", known_keys(root, text, map)?),
        })
    } else {
        None
    }
}

/// `{value: "read:orders"}`: the schema's example of a mapping, with `text` in its first key where
/// text is meant there.
fn entry(root: &Value, text: &str, shape: &Shape<'_>) -> Option<String> {
    let map = shape.map.as_ref()?;
    let mut entries = shape.example?.as_object()?.iter();
    let (key, shown) = entries.next()?;
    let inner = Shape::of(root, map.value(key)?);
    let fits = !inner.secret && (inner.text || inner.choices.contains(&text));
    let first = if fits { scalar(text) } else { flow(shown) };
    let first = format!("{key}: {first}");
    let rest = entries.map(|(key, shown)| format!("{key}: {}", flow(shown)));
    Some(format!("{{{}}}", std::iter::once(first).chain(rest).collect::<Vec<_>>().join(", ")))
}

/// A value as one writes it on one line.
fn flow(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        Value::Object(map) => {
            let entries: Vec<_> =
                map.iter().map(|(key, value)| format!("{key}: {}", flow(value))).collect();
            format!("{{{}}}", entries.join(", "))
        }
        Value::Array(values) => {
            format!("[{}]", values.iter().map(flow).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// `"a", "b"`: names that were written in one text, as OAuth writes scopes.
fn names(text: &str) -> String {
    let names = excerpt(text);
    let names = names.split([' ', ',', '\t', '\n']).filter(|name| !name.is_empty());
    let names: Vec<_> = names.map(|name| format!("\"{name}\"")).collect();
    if names.is_empty() { "\"\"".to_owned() } else { names.join(", ") }
}

fn scalar(text: &str) -> String {
    let text = excerpt(text);
    let is_word = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if is_word && Plain::of(&text) == Plain::Text { text } else { format!("\"{text}\"") }
}

/// The keys that are known, the likest first where they are many. Those that may hold anything are
/// known only so that they can be pasted in, and are left out.
pub(super) fn known_keys(root: &Value, key: &str, map: &MapShape<'_>) -> Option<String> {
    let meant = |key: &&str| map.value(key).is_some_and(|of| !Shape::of(root, of).any);
    let mut keys: Vec<_> = map.keys().filter(meant).collect();
    let more = keys.len().saturating_sub(MAX_LISTED);
    if more == 0 {
        return listed(keys.into_iter());
    }
    keys.sort_by_cached_key(|known| damerau_levenshtein(&excerpt(key), known));
    let keys: Vec<_> = keys.iter().take(MAX_LISTED).map(|key| format!("`{key}`")).collect();
    Some(format!("{} and {more} more", keys.join(", ")))
}

/// `` `a`, `b` or `c` ``; nothing where there are none, or too many to help.
pub(super) fn listed<'a>(names: impl Iterator<Item = &'a str>) -> Option<String> {
    let names: Vec<_> = names.map(|name| format!("`{name}`")).collect();
    match names.as_slice() {
        [only] => Some(only.clone()),
        [first @ .., last] if names.len() <= MAX_LISTED => {
            Some(format!("{} or {last}", first.join(", ")))
        }
        _ => None,
    }
}

/// Where else a key is known: the one place below `here`, or the only one of all. Places are
/// written `resource_servers[].gate`.
pub(super) struct Elsewhere {
    pub(super) place: String,
    pub(super) is_below: bool,
}

pub(super) fn elsewhere(root: &Value, here: &str, key: &str) -> Option<Elsewhere> {
    let mut all = Vec::new();
    collect(root, root, "", key, MAX_DEPTH, &mut all);
    let below: Vec<_> = all
        .iter()
        .filter_map(|place| place.strip_prefix(here))
        .map(|place| place.strip_prefix('.').unwrap_or(place))
        .collect();
    match (below.as_slice(), all.as_slice()) {
        ([only], _) => Some(Elsewhere { place: (*only).to_owned(), is_below: true }),
        (_, [only]) => Some(Elsewhere { place: only.clone(), is_below: false }),
        _ => None,
    }
}

/// Keys further down than this are not looked for.
const MAX_DEPTH: u8 = 8;

fn collect(
    root: &Value,
    schema: &Value,
    place: &str,
    key: &str,
    depth: u8,
    found: &mut Vec<String>,
) {
    let shape = Shape::of(root, schema);
    let Some(depth) = depth.checked_sub(1).filter(|_| !shape.any) else { return };
    if let Some(map) = &shape.map {
        for name in map.keys() {
            // What an export spells in its own way is known under our name too.
            let exported = place.is_empty() && name.contains(char::is_uppercase);
            let Some(inner) = map.value(name).filter(|_| !exported) else { continue };
            if name == key && !place.is_empty() && !Shape::of(root, inner).any {
                found.push(place.to_owned());
            }
            let dot = if place.is_empty() { "" } else { "." };
            collect(root, inner, &format!("{place}{dot}{name}"), key, depth, found);
        }
    }
    if let Some(elements) = shape.list {
        collect(root, elements, &format!("{place}[]"), key, depth, found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_a_form_is_shown_in_it() {
        for (text, example, help) in [
            ("5", "5s", "write it in the form `5s`"),
            ("9090", "0.0.0.0:8080", "write an address and the port: `0.0.0.0:9090`"),
            ("1.5", "0.0.0.0:8080", "write it in the form `0.0.0.0:8080`"),
            ("2030-05-01", DATE, "write it in full: `\"2030-05-01T00:00:00Z\"`"),
            ("2030-05-01T10:00:00", DATE, "write it in full: `\"2030-05-01T10:00:00Z\"`"),
            ("2030-05-01T10:00:00Z", DATE, "quote it: `\"2030-05-01T10:00:00Z\"`"),
            ("2030-05-01T10:00:00+02:00", DATE, "quote it: `\"2030-05-01T10:00:00+02:00\"`"),
            ("5", DATE, "write it in the form `\"2030-01-01T00:00:00Z\"`"),
            ("true", DATE, "write it in the form `\"2030-01-01T00:00:00Z\"`"),
        ] {
            assert_eq!(in_form(text, example), help, "{text}");
        }
    }

    const DATE: &str = "2030-01-01T00:00:00Z";
}
