//! A difference as Markdown, for pull requests: a table for each API, of bounded length.
//!
//! Names are strangers' texts: each stands in a code span of harmless characters alone, or as character
//! references, so that none ends a cell, makes a link, calls a person or becomes HTML.

use std::fmt::Write;

use super::parts::{Group, Parts, groups};
use super::words::held;
use super::{AccessDiff, Caller, Difference, What, Which};
use crate::screen::screened;

/// GitHub refuses comments of more than 65536 characters.
const MOST_BYTES: usize = 60 << 10;
/// What a cell may hold of what is gained or lost.
const MOST_OF_CELL: usize = 4 << 10;
/// Of callers that gain and lose the same, so many are named.
const NAMED: usize = 10;

impl AccessDiff {
    /// The difference as Markdown; what is left out of a very long one is counted.
    pub fn to_markdown(&self) -> String {
        let mut text = String::from("### Access\n\n");
        if self.is_empty() {
            text.push_str("Nobody gains or loses access.\n");
            return text;
        }
        let (gaining, losing) = self.callers_gaining_and_losing();
        // Writing into a string does not fail.
        let _ = writeln!(
            text,
            "Callers that gain access: **{gaining}**; that lose access: **{losing}**."
        );
        let (mut api, mut left_out) = (None, 0);
        for group in groups(self) {
            let mut part = String::new();
            if api != Some(group.api) {
                let name = code(group.api.as_str());
                let _ = write!(part, "\n#### {name}\n\n| who | gains | loses |\n|---|---|---|\n");
            }
            part.push_str(&row(&group));
            if left_out > 0 || text.len() + part.len() > MOST_BYTES {
                left_out += group.callers.len();
                continue;
            }
            api = Some(group.api);
            text.push_str(&part);
        }
        if left_out > 0 {
            let _ = write!(text, "\n**{left_out} more callers are left out here.**\n");
        }
        let mut is_first = true;
        for changed in &self.changed {
            let line = format!(
                "- {}: {}: {} → {}\n",
                code(changed.api.as_str()),
                code(&changed.what),
                code(&changed.old),
                code(&changed.new)
            );
            if text.len() + line.len() > MOST_BYTES + (3 << 10) {
                text.push_str("- … and more\n");
                break;
            }
            if std::mem::take(&mut is_first) {
                text.push_str("\nChanged, and neither gained nor lost:\n\n");
            }
            text.push_str(&line);
        }
        text
    }
}

fn row(group: &Group<'_>) -> String {
    let mut who: Vec<_> = group.callers.iter().take(NAMED).map(|of| caller(of)).collect();
    if group.callers.len() > NAMED {
        who.push(format!("and {} more", group.callers.len() - NAMED));
    }
    format!("| {} | {} | {} |\n", who.join("<br>"), cell(group.gained), cell(group.lost))
}

fn caller(of: &Difference) -> String {
    let Caller::Application { issuer, which, subject_type } = &of.caller else {
        return "**anyone**".to_owned();
    };
    let which = match which {
        Which::Client(client) => code(client.as_str()),
        other => other.to_string(),
    };
    let name = of.name.as_ref().map(|name| format!(" ({})", code(name))).unwrap_or_default();
    format!("{which}{name}, subject type `{}`, of {}", subject_type.as_str(), code(issuer.as_str()))
}

fn cell(whats: &[What]) -> String {
    let parts = Parts::of(whats);
    let mut cell = Cell::default();
    for (kind, names) in parts.named() {
        for (index, name) in names.iter().enumerate() {
            let lead = if index == 0 { format!("{kind} ") } else { String::new() };
            cell.add(&lead, &code(name), index == 0);
        }
    }
    for (on, scopes, details) in &parts.with {
        cell.add("", &format!("{} with {}", code(on), code(&held(scopes, details))), true);
    }
    for words in &parts.others {
        cell.add("", &code(words), true);
    }
    cell.whole()
}

/// A cell that takes so much and counts the rest.
#[derive(Default)]
struct Cell {
    text: String,
    left_out: usize,
}

impl Cell {
    fn add(&mut self, lead: &str, item: &str, begins: bool) {
        if self.left_out > 0 || self.text.len() + item.len() > MOST_OF_CELL {
            self.left_out += 1;
            return;
        }
        let between = match (self.text.is_empty(), begins) {
            (true, _) => "",
            (false, true) => "<br>",
            (false, false) => ", ",
        };
        self.text.push_str(between);
        self.text.push_str(lead);
        self.text.push_str(item);
    }

    fn whole(mut self) -> String {
        if self.left_out > 0 {
            // Writing into a string does not fail.
            let _ = write!(self.text, "<br>… and {} more", self.left_out);
        }
        self.text
    }
}

/// A text of strangers, where Markdown stands.
fn code(text: &str) -> String {
    let text = screened(text);
    let plain = |char: char| {
        char.is_alphanumeric()
            || matches!(char, ' '..='/' | ':' | ';' | '=' | '?' | '@' | '_' | '{' | '}' | '~' | '…')
                && char != '&'
    };
    let spans = !text.is_empty() && text.chars().all(plain) && text.trim() == text;
    if spans {
        return format!("`{text}`");
    }
    if text.is_empty() {
        return text;
    }
    let mut escaped = String::new();
    for char in text.chars() {
        if char.is_alphanumeric() || char == ' ' {
            escaped.push(char);
        } else {
            // Writing into a string does not fail.
            let _ = write!(escaped, "&#{};", u32::from(char));
        }
    }
    // References alone keep Markdown away, and not what looks for `@name` and `#1` in the page that comes of
    // it: nothing is looked for in code.
    format!("<code>{escaped}</code>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_texts_stay_within_their_cells() {
        for (text, expected) in [
            ("GET /orders/{id}", "`GET /orders/{id}`"),
            ("@everyone", "`@everyone`"),
            ("@everyone|", "<code>&#64;everyone&#124;</code>"),
            ("a|b", "<code>a&#124;b</code>"),
            ("<script>", "<code>&#60;script&#62;</code>"),
            ("a`b", "<code>a&#96;b</code>"),
            ("[x](y)", "<code>&#91;x&#93;&#40;y&#41;</code>"),
            ("a\nb", "<code>a&#92;u000ab</code>"),
            ("a&lt;", "<code>a&#38;lt&#59;</code>"),
            ("", ""),
        ] {
            assert_eq!(code(text), expected, "{text}");
        }
    }
}
