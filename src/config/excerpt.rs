//! A piece of a text as a report shows it: few lines, never long ones, nothing in them that a
//! terminal would obey.

use super::tree::Span;
use crate::screen::harms;

/// Lines longer than this are shown in part, in bytes.
const MAX_LINE: usize = 200;
/// What is shown of a long line before what is marked in it, in characters.
const BEFORE: usize = 60;
/// What is shown of a long line, in characters.
const SHOWN: usize = 160;

/// A text whose lines can be looked up.
#[derive(Debug)]
pub(super) struct Lines<'t> {
    text: &'t str,
    /// Where each line begins; never empty.
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self { text, starts: std::iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect() }
    }

    /// The line of a byte, from 0.
    pub(super) fn line(&self, at: usize) -> usize {
        self.starts.partition_point(|start| *start <= at).saturating_sub(1)
    }

    /// The line and the column of a byte, from 1; columns count characters.
    pub(super) fn position(&self, at: usize) -> (usize, usize) {
        let line = self.line(at);
        let (start, text) = self.line_text(line);
        let before = text.get(..text.floor_char_boundary(at - start)).unwrap_or_default();
        let before = before.strip_prefix('\u{feff}').unwrap_or(before);
        (line + 1, before.chars().count() + 1)
    }

    /// Where a line begins, and its text without its break.
    fn line_text(&self, line: usize) -> (usize, &'t str) {
        let start = self.starts.get(line).copied().unwrap_or(self.text.len());
        let end = self.starts.get(line + 1).copied().unwrap_or(self.text.len());
        let text = self.text.get(start..end).unwrap_or_default();
        (
            start,
            text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text)),
        )
    }

    /// Whether one of the lines that hold these spans' beginnings is long.
    pub(super) fn is_long(&self, span: &Span) -> bool {
        self.line_text(self.line(span.start)).1.len() > MAX_LINE
    }
}

/// Lines of a text, made harmless, with what is marked in them.
#[derive(Debug)]
pub(super) struct Excerpt {
    pub(super) text: String,
    /// The number of its first line, from 1.
    pub(super) first_line: usize,
    /// The given spans, in bytes of the excerpt's text, each cut at the end of its first line.
    pub(super) marks: Vec<Span>,
}

impl Excerpt {
    /// The lines from the first to the last span. Long lines are cut around the first span that
    /// begins in them.
    pub(super) fn of(lines: &Lines<'_>, spans: &[Span]) -> Self {
        let first = spans.iter().map(|span| lines.line(span.start)).min().unwrap_or_default();
        let last = spans.iter().map(|span| lines.line(span.start)).max().unwrap_or_default();
        let mut text = String::new();
        let mut marks = vec![0..0; spans.len()];
        for line in first..=last {
            let (start, whole) = lines.line_text(line);
            let here = |span: &Span| lines.line(span.start) == line;
            let marked = spans.iter().find(|span| here(span)).map_or(0, |span| span.start - start);
            let (skipped, shown) = cut(whole, marked);
            if skipped > 0 {
                text.push('…');
            }
            let base = text.len();
            for (span, mark) in spans.iter().zip(&mut marks).filter(|(span, _)| here(span)) {
                let within = |at: usize| {
                    let at = at.saturating_sub(start + skipped).min(shown.len());
                    harmless(shown.get(..shown.floor_char_boundary(at)).unwrap_or_default()).len()
                };
                // What goes on in further lines is marked to where the first one's content ends.
                let end = if span.end > start + whole.len() {
                    span.start.max(start + content_end(whole, span.start - start))
                } else {
                    span.end
                };
                *mark = base + within(span.start)..base + within(end);
            }
            text.push_str(&harmless(shown));
            if skipped + shown.len() < whole.len() {
                text.push('…');
            }
            // Room for a caret where something is missing at the end of a line.
            if marks.contains(&(text.len()..text.len())) {
                text.push(' ');
            }
            text.push('\n');
        }
        for mark in marks.iter_mut().filter(|mark| mark.start == mark.end) {
            let next = text.get(mark.start..).and_then(|rest| rest.chars().next());
            mark.end = mark.start + next.map_or(0, char::len_utf8);
        }
        Self { text, first_line: first + 1, marks }
    }
}

/// Where the content of a line ends that begins at `from`: before a comment and the blanks there.
fn content_end(line: &str, from: usize) -> usize {
    let mut quote = None;
    let mut before = ' ';
    for (at, char) in line.char_indices().skip_while(|(at, _)| *at < from) {
        match (quote, char) {
            (None, '#') if before.is_whitespace() => {
                return line.get(..at).map_or(at, |content| content.trim_end().len());
            }
            // Within a word a quote is an apostrophe.
            (None, '"' | '\'') if !before.is_alphanumeric() => quote = Some(char),
            (Some(open), _) if open == char && before != '\\' => quote = None,
            _ => {}
        }
        before = char;
    }
    line.trim_end().len()
}

/// The part of a line that is shown, and how many bytes before it are not.
fn cut(line: &str, marked: usize) -> (usize, &str) {
    if line.len() <= MAX_LINE {
        return (0, line);
    }
    let (before, after) = line.split_at(line.floor_char_boundary(marked));
    let from = before.char_indices().rev().take(BEFORE).last().map_or(before.len(), |(at, _)| at);
    let to =
        after.char_indices().nth(SHOWN - BEFORE).map_or(line.len(), |(at, _)| before.len() + at);
    (from, line.get(from..to).unwrap_or_default())
}

/// The text with everything made visible that would move a terminal's cursor, change its colours,
/// hide, or turn the order of what is written.
pub(super) fn harmless(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\t' => out.push(' '),
            '\u{feff}' => {}
            '\0'..='\x1f' => {
                out.push(char::from_u32(u32::from(char) + 0x2400).unwrap_or('\u{fffd}'));
            }
            '\x7f' => out.push('␡'),
            _ if harms(char) => out.push('\u{fffd}'),
            _ => out.push(char),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(text: &str, span: Span) -> (String, String) {
        let lines = Lines::of(text);
        let excerpt = Excerpt::of(&lines, std::slice::from_ref(&span));
        let mark = excerpt.text[excerpt.marks[0].clone()].to_owned();
        (excerpt.text, mark)
    }

    #[test]
    fn positions_count_lines_and_characters_from_one() {
        let lines = Lines::of("\u{feff}aé\r\nb\n");
        assert_eq!(lines.position(3), (1, 1));
        assert_eq!(lines.position(6), (1, 3));
        assert_eq!(lines.position(8), (2, 1));
        assert_eq!(lines.position(10), (3, 1));
        assert_eq!(Lines::of("").position(0), (1, 1));
    }

    #[test]
    fn marks_what_was_marked_though_the_text_changes_before_it() {
        assert_eq!(marked("a\u{202e}b: \u{1b}[31mred", 7..15).1, "␛[31mred");
        assert_eq!(marked("x: é\nnext", 3..9).1, "é");
    }

    #[test]
    fn a_comment_is_not_marked_with_what_stands_before_it() {
        assert_eq!(marked("- id: photo   # acts\n  b: c", 2..26).1, "id: photo");
        assert_eq!(marked("- id: 'a # \"b'   # acts\n  b: c", 2..32).1, "id: 'a # \"b'");
        assert_eq!(marked("- it's: a#b # acts\n  b: c", 2..24).1, "it's: a#b");
        assert_eq!(marked("a: \"#1\" # x", 3..7).1, "\"#1\"");
    }

    #[test]
    fn an_empty_span_marks_one_character() {
        assert_eq!(marked("key:\nb", 4..4).1, " ");
        assert_eq!(marked("", 0..0).1, " ");
        assert_eq!(marked("é", 0..0).1, "é");
    }

    #[test]
    fn a_long_line_is_shown_around_the_mark() {
        let text = format!("{}MARK{}", "é".repeat(100_000), "x".repeat(100_000));
        let (text, mark) = marked(&text, 200_000..200_004);
        assert_eq!(mark, "MARK");
        assert!(text.starts_with('…') && text.trim_end().ends_with('…'));
        assert!(text.chars().count() <= SHOWN + 4);
    }

    #[test]
    fn nothing_that_a_terminal_obeys_is_left() {
        let shown = harmless("a\0\x1b\x7f\u{9b}\u{200f}\u{2028}\u{2066}\u{e0041}é\u{feff}");
        assert_eq!(shown, "a␀␛␡\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}é");
    }
}
