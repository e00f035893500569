//! A difference as people read it in a terminal: by API, callers that gain and lose the same together.

use std::fmt::{self, Write};

use super::parts::{Group, Parts, groups};
use super::words::held;
use super::{AccessDiff, Difference, What};
use crate::screen::screened;

/// How long a line may become.
const WIDTH: usize = 110;
/// Of callers that gain and lose the same, so many are named where not all are asked for.
const NAMED: usize = 10;
/// So many lines of a difference stand in a log.
const LOGGED: usize = 60;

impl AccessDiff {
    /// Writes it as people read it; of callers who gain and lose the same with `all` each one, else the first.
    ///
    /// # Errors
    /// When `out` does.
    pub fn write_text(&self, out: &mut dyn Write, all: bool) -> fmt::Result {
        let mut api = None;
        for group in groups(self) {
            if api != Some(group.api) {
                let gap = if api.is_some() { "\n" } else { "" };
                writeln!(out, "{gap}{}", screened(group.api.as_str()))?;
                api = Some(group.api);
            }
            write_group(out, &group, all)?;
        }
        for changed in &self.changed {
            let (api, what) = (screened(changed.api.as_str()), screened(&changed.what));
            let (old, new) = (screened(&changed.old), screened(&changed.new));
            writeln!(out, "{api}: {what}\n  before  {old}\n  now     {new}")?;
        }
        Ok(())
    }

    /// How many gain and lose, in one line.
    pub fn sum(&self) -> String {
        let (gain, losing) = match self.callers_gaining_and_losing() {
            (0, losing) => ("nobody gains".to_owned(), losing),
            (1, losing) => ("1 caller gains".to_owned(), losing),
            (many, losing) => (format!("{many} callers gain"), losing),
        };
        let lose = match losing {
            0 => "nobody loses".to_owned(),
            1 => "1 caller loses".to_owned(),
            many => format!("{many} callers lose"),
        };
        format!("{gain}, {lose}")
    }

    /// The first lines of it, for a log.
    pub fn summary(&self) -> String {
        let mut text = Bounded::default();
        // It ends the writing when it is full.
        let _ = self.write_text(&mut text, false);
        let Bounded { mut text, is_full, .. } = text;
        if is_full {
            let callers = self.callers.len();
            // Writing into a string does not fail.
            let _ = write!(text, "… and more: {callers} callers in all");
        }
        text.truncate(text.trim_end().len());
        text
    }
}

/// The first lines of a text.
#[derive(Default)]
struct Bounded {
    text: String,
    lines: usize,
    is_full: bool,
}

impl Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for line in text.split_inclusive('\n') {
            if self.lines == LOGGED {
                self.is_full = true;
                return Err(fmt::Error);
            }
            self.text.push_str(line);
            self.lines += usize::from(line.ends_with('\n'));
        }
        Ok(())
    }
}

fn write_group(out: &mut dyn Write, group: &Group<'_>, all: bool) -> fmt::Result {
    let shown = if all { group.callers.len() } else { NAMED };
    for of in group.callers.iter().take(shown) {
        writeln!(out, "  {}", who(of))?;
    }
    match group.callers.len().saturating_sub(shown) {
        0 => {}
        more => writeln!(out, "  … and {more} more, likewise")?,
    }
    write_list(out, "gains", group.gained)?;
    write_list(out, "loses", group.lost)
}

/// A caller by name.
fn who(of: &Difference) -> String {
    let caller = screened(&of.caller.to_string());
    match &of.name {
        None => caller,
        Some(name) => caller.replacen(" (", &format!(", {} (", screened(name)), 1),
    }
}

fn write_list(out: &mut dyn Write, verb: &str, whats: &[What]) -> fmt::Result {
    let parts = Parts::of(whats);
    let mut lines: Vec<String> = Vec::new();
    for (kind, names) in parts.named() {
        if !names.is_empty() {
            let names: Vec<_> = names.iter().map(|name| screened(name)).collect();
            lines.extend(wrapped(kind, &names));
        }
    }
    for (on, scopes, details) in &parts.with {
        lines.push(screened(&format!("{on} with a token that holds {}", held(scopes, details))));
    }
    lines.extend(parts.others.iter().map(|words| screened(words)));
    for (index, line) in lines.iter().enumerate() {
        let verb = if index == 0 { verb } else { "" };
        writeln!(out, "    {verb:5}  {line}")?;
    }
    Ok(())
}

/// Names behind what they are, in lines of a width that is read well.
fn wrapped(kind: &str, names: &[String]) -> Vec<String> {
    let mut lines = vec![format!("{kind} ")];
    for (index, name) in names.iter().enumerate() {
        let comma = if index + 1 < names.len() { ", " } else { "" };
        let has_room =
            |line: &String| line.len() + name.len() + 11 <= WIDTH || line.trim().is_empty();
        match lines.last_mut() {
            Some(line) if has_room(line) => {
                line.push_str(name);
                line.push_str(comma);
            }
            _ => lines.push(format!("{:1$} {name}{comma}", "", kind.len())),
        }
    }
    lines.into_iter().map(|line| line.trim_end().to_owned()).collect()
}
