//! A text as lines, blanks and comments; and the splices that make another of it.
//!
//! All positions are bytes. A line ends before its line break, which is `\n`, `\r\n` or `\r`.

use std::ops::Range;

use serde::de::IgnoredAny;

/// A text that is looked at.
pub(in crate::config) struct Page<'t> {
    pub(super) text: &'t str,
    /// How its lines end.
    pub(super) line_break: &'static str,
    /// Whether it is JSON, and what is written into it is.
    pub(super) is_json: bool,
    /// Where it starts, behind a byte order mark.
    pub(super) start: usize,
}

impl<'t> Page<'t> {
    pub(in crate::config) fn new(text: &'t str) -> Self {
        let start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let first = text.find('\n').and_then(|at| text.get(..at));
        let line_break = if first.is_some_and(|line| line.ends_with('\r')) { "\r\n" } else { "\n" };
        let is_json = text.get(start..).is_some_and(is_json);
        Self { text, line_break, is_json, start }
    }

    pub(super) fn slice(&self, range: Range<usize>) -> &'t str {
        self.text.get(range).unwrap_or_default()
    }

    pub(super) fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    pub(in crate::config) fn line_start(&self, at: usize) -> usize {
        let before = self.slice(self.start..at);
        before.rfind(['\n', '\r']).map_or(self.start, |found| self.start + found + 1)
    }

    pub(in crate::config) fn line_end(&self, at: usize) -> usize {
        self.slice(at..self.text.len()).find(['\n', '\r']).map_or(self.text.len(), |end| at + end)
    }

    /// Where the line behind that of `at` starts; none on the last one.
    pub(in crate::config) fn next_line(&self, at: usize) -> Option<usize> {
        let end = self.line_end(at);
        match self.slice(end..self.text.len()) {
            "" => None,
            rest if rest.starts_with("\r\n") => Some(end + 2),
            _ => Some(end + 1),
        }
    }

    /// Where the line before that of `at` ends; none on the first one.
    pub(super) fn previous_end(&self, at: usize) -> Option<usize> {
        let start = self.line_start(at);
        let before = self.slice(self.start..start);
        let ended = before.strip_suffix("\r\n").or_else(|| before.strip_suffix(['\n', '\r']))?;
        Some(self.start + ended.len())
    }

    /// How far `at` is from the start of its line.
    pub(super) fn column(&self, at: usize) -> usize {
        at.saturating_sub(self.line_start(at))
    }

    /// The blanks and tabs that its line begins with.
    pub(super) fn indentation(&self, at: usize) -> &'t str {
        let line = self.line(at);
        line.get(..line.len() - line.trim_start_matches([' ', '\t']).len()).unwrap_or_default()
    }

    pub(super) fn line(&self, at: usize) -> &'t str {
        self.slice(self.line_start(at)..self.line_end(at))
    }

    pub(in crate::config) fn is_blank(&self, at: usize) -> bool {
        self.line(at).trim_matches([' ', '\t']).is_empty()
    }

    pub(in crate::config) fn is_comment(&self, at: usize) -> bool {
        self.line(at).trim_start_matches([' ', '\t']).starts_with('#')
    }

    /// Whether nothing stands before it on its line.
    pub(in crate::config) fn is_first_on_line(&self, at: usize) -> bool {
        self.column(at) == self.indentation(at).len()
    }

    /// Where the next thing stands that is neither blank nor a comment.
    pub(super) fn skip(&self, from: usize) -> usize {
        let mut at = from;
        loop {
            match self.byte(at) {
                Some(b' ' | b'\t' | b'\n' | b'\r') => at += 1,
                Some(b'#') => at = self.line_end(at),
                _ => return at,
            }
        }
    }

    /// How many blanks are between a dash and what stands behind it; one where that is on another line.
    pub(super) fn gap(&self, anchor: usize) -> usize {
        let line = self.slice(anchor..self.line_end(anchor));
        let written = line.trim_start_matches(' ');
        if written.is_empty() || written.starts_with('#') { 1 } else { line.len() - written.len() }
    }

    /// Whether there is a comment between two places between which nothing else stands but blanks and a comma.
    pub(super) fn has_comment(&self, range: Range<usize>) -> bool {
        self.slice(range).contains('#')
    }

    /// Whether there is a line break within.
    pub(super) fn is_tall(&self, range: Range<usize>) -> bool {
        self.slice(range).contains(['\n', '\r'])
    }

    /// The end of what belongs to a thing of a block that ends at `end` and begins in `column`: the comment
    /// behind it, and those on lines below that are indented further. What is indented as the thing is
    /// speaks of what follows.
    pub(super) fn behind(&self, end: usize, column: usize) -> usize {
        let mut end = self.line_end(end);
        let mut line = end;
        while let Some(next) = self.next_line(line) {
            if self.is_comment(next) && self.indentation(next).len() > column {
                end = self.line_end(next);
            } else if !self.is_blank(next) {
                break;
            }
            line = next;
        }
        end
    }

    /// The end of the last of the blank lines directly below.
    pub(super) fn behind_blanks(&self, end: usize) -> usize {
        let mut end = self.line_end(end);
        while let Some(next) = self.next_line(end).filter(|next| *next < self.text.len())
            && self.is_blank(next)
        {
            end = self.line_end(next);
        }
        end
    }

    /// Where in the comment lines directly above an item, which begin at `head`, those begin that speak of
    /// it: behind the last item that is commented out (`# - x`). Below a line that ends in a colon, dashes
    /// are those of an enumeration.
    pub(super) fn behind_commented_out(&self, head: usize, item: usize) -> usize {
        let (mut start, mut line, mut is_told) = (head, head, false);
        let mut dash = None;
        while line < self.line_start(item) {
            let text = self.line(line).trim_start_matches([' ', '\t']).trim_start_matches('#');
            let words = text.trim();
            let depth = text.len() - text.trim_start().len();
            let is_dashed = words.starts_with("- ") || words == "-";
            let Some(next) = self.next_line(line) else { break };
            match dash {
                Some(column) if depth > column => start = next,
                _ if is_dashed && !is_told => (dash, start) = (Some(depth), next),
                _ => {
                    dash = None;
                    is_told = words.ends_with(':') || is_told && is_dashed;
                }
            }
            line = next;
        }
        start
    }

    /// The start of the comment lines directly above a line that are indented as it is.
    pub(super) fn head(&self, at: usize) -> usize {
        let indentation = self.indentation(at);
        let mut start = self.line_start(at);
        while let Some(above) = self.previous_end(start) {
            if !self.is_comment(above) || self.indentation(above) != indentation {
                break;
            }
            start = self.line_start(above);
        }
        start
    }

    /// Whether a blank line stands directly above a line.
    pub(super) fn is_below_blank(&self, at: usize) -> bool {
        self.previous_end(at).is_some_and(|above| self.is_blank(above))
    }

    /// Whether a blank line stands directly below a line.
    pub(super) fn is_above_blank(&self, at: usize) -> bool {
        self.next_line(at).is_some_and(|below| below < self.text.len() && self.is_blank(below))
    }
}

/// Whether a text is JSON: what begins with a brace may be YAML too.
fn is_json(text: &str) -> bool {
    text.trim_start().starts_with('{') && serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// Ranges of a text with what takes their places.
#[derive(Debug, Default)]
pub(super) struct Splices(Vec<(Range<usize>, String)>);

impl Splices {
    pub(super) fn insert(&mut self, at: usize, text: impl Into<String>) {
        self.replace(at..at, text);
    }

    pub(super) fn delete(&mut self, range: Range<usize>) {
        self.replace(range, "");
    }

    pub(super) fn replace(&mut self, range: Range<usize>, text: impl Into<String>) {
        self.0.push((range, text.into()));
    }

    /// The text with all of them; none where two are about the same bytes. What is inserted at one place
    /// stands in the order in which it came.
    pub(super) fn apply(mut self, text: &str) -> Option<String> {
        self.0.sort_by_key(|(range, _)| (range.start, range.end));
        let mut out = String::with_capacity(text.len() + 256);
        let mut at = 0;
        for (range, new) in self.0 {
            out.push_str(text.get(at..range.start)?);
            out.push_str(&new);
            at = range.end;
        }
        out.push_str(text.get(at..)?);
        Some(out)
    }
}
