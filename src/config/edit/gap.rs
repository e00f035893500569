//! What stands between two parts in brackets, or between a part and a bracket: blanks, comments, and one
//! comma at most. Each comment speaks of something: of the line that it ends, or of what stands below it.

use std::ops::Range;

use super::page::Page;

/// From behind a part, or behind the opening bracket, to the next part or the closing one.
pub(super) struct Gap<'t> {
    /// As it is written.
    pub(super) raw: &'t str,
    pub(super) comma: Comma,
    /// The comment that ends the line on which the gap begins, with the blanks before it; empty where there
    /// is none.
    pub(super) tail: &'t str,
    /// The comment lines that go on with it.
    pub(super) more: Vec<&'t str>,
    /// The lines of comments, and blank ones, below.
    pub(super) lines: Vec<&'t str>,
    /// What stands before the next part on its line; none where the gap is on one line.
    pub(super) lead: Option<&'t str>,
}

/// Where a gap has its comma.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comma {
    /// On the line of the part behind it, which begins with it.
    Ahead,
    /// On the line of the part before it.
    Behind,
    Nowhere,
    /// On a line of its own.
    Odd,
}

impl<'t> Gap<'t> {
    /// The gap in `range`, behind a part that begins in `column`. None where something else stands there.
    pub(super) fn of(page: &Page<'t>, range: Range<usize>, column: usize) -> Option<Self> {
        let raw = page.slice(range);
        let mut rows = rows(raw);
        let lead = if rows.len() > 1 { rows.pop() } else { None };
        let mut rows = rows.into_iter();
        let (mut comma, mut tail) = (Comma::Nowhere, rows.next()?);
        if let Some(rest) = trimmed(tail).strip_prefix(',') {
            (comma, tail) = (Comma::Behind, rest);
        }
        let mut lines: Vec<_> = rows.collect();
        if !is_blank(tail) && !is_comment(tail) {
            return None;
        }
        for line in &lines {
            if trimmed(line).starts_with(',') {
                comma = Comma::Odd;
            } else if !is_blank(line) && !is_comment(line) {
                return None;
            }
        }
        match lead.map(trimmed) {
            None | Some("") => {}
            Some(lead) if lead.strip_prefix(',').is_some_and(is_blank) => comma = Comma::Ahead,
            Some(_) => return None,
        }
        let tail = if is_comment(tail) { tail } else { "" };
        let goes_on = |line: &&str| is_comment(line) && line.len() - trimmed(line).len() > column;
        let more =
            if tail.is_empty() { 0 } else { lines.iter().take_while(|l| goes_on(l)).count() };
        let rest = lines.split_off(more);
        Some(Self { raw, comma, tail, more: lines, lines: rest, lead })
    }

    pub(super) fn is_tall(&self) -> bool {
        self.lead.is_some()
    }

    pub(super) fn has_comment(&self) -> bool {
        self.raw.contains('#')
    }

    /// Which of its lines is the first of the comment directly above what follows: of the last lines those
    /// that are comments, and no part that is commented out.
    pub(super) fn head(&self) -> usize {
        let is_of_head = |line: &&&str| is_comment(line) && !is_commented_out(line);
        self.lines.len() - self.lines.iter().rev().take_while(is_of_head).count()
    }

    /// The comma with the blanks before it, for a part that is nothing but a key needs one.
    pub(super) fn comma_behind(&self) -> &'t str {
        let end = self.raw.find(',').filter(|_| self.comma == Comma::Behind);
        end.and_then(|end| self.raw.get(..=end)).unwrap_or(",")
    }

    /// What stands before the next part on its line, without a comma.
    pub(super) fn bare_lead(&self) -> Option<String> {
        self.lead.map(|lead| lead.replace(',', " "))
    }
}

fn rows(text: &str) -> Vec<&str> {
    let mut rows = Vec::new();
    let mut rest = text;
    while let Some(end) = rest.find(['\n', '\r']) {
        let (row, behind) = rest.split_at(end);
        rows.push(row);
        rest = behind.strip_prefix("\r\n").unwrap_or(behind.get(1..).unwrap_or_default());
    }
    rows.push(rest);
    rows
}

fn trimmed(line: &str) -> &str {
    line.trim_start_matches([' ', '\t'])
}

pub(super) fn is_blank(line: &str) -> bool {
    trimmed(line).is_empty()
}

fn is_comment(line: &str) -> bool {
    trimmed(line).starts_with('#')
}

/// `# {client_id: old},`, `# read:old,` or `# , read:old`.
fn is_commented_out(line: &str) -> bool {
    let text = line.trim().trim_start_matches('#').trim();
    text.starts_with(['{', '[', ',']) || text.ends_with(',') && !text.contains(char::is_whitespace)
}
