//! Small phrases that several rules use.

use std::fmt::Display;

use serde_json::Value;

use crate::policy::{NameSet, Names, Rfc3339, UnixTime};

/// Names in backticks: `` `a`, `b` ``; `nothing` where there are none.
pub(super) fn list<T: Display>(names: impl IntoIterator<Item = T>, nothing: &str) -> String {
    let names: Vec<_> = names.into_iter().map(|name| format!("`{name}`")).collect();
    if names.is_empty() { nothing.to_owned() } else { names.join(", ") }
}

/// The names in a set, owned.
pub(super) fn names_of(declared: &Names, set: &NameSet) -> Vec<String> {
    declared.of(set).map(ToString::to_string).collect()
}

/// A time without the milliseconds that it does not have.
pub(super) fn time(time: UnixTime) -> String {
    Rfc3339(time).to_string().replace(".000Z", "Z")
}

/// A claim's value on one line, cut where it is long.
pub(super) fn short(value: &Value) -> String {
    const MOST: usize = 80;
    let text = value.to_string();
    if text.chars().count() <= MOST {
        return text;
    }
    text.chars().take(MOST - 1).chain(['…']).collect()
}

/// The first few of many lines, and how many more there are.
pub(super) fn shortened(mut lines: Vec<String>) -> Vec<String> {
    const MOST: usize = 6;
    let more = lines.len().saturating_sub(MOST);
    if more > 0 {
        lines.truncate(MOST);
        lines.push(format!("and {more} more"));
    }
    lines
}
