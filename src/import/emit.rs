//! Lines of YAML: keys and values with their indentation, and comments.
//!
//! Texts are written as edits of a configuration write them ([`written`]), so that they read back as they
//! were. What strangers wrote stands in a comment as one line that is not too long, with what does harm on
//! screens escaped.

use std::fmt::Write as _;

use crate::config::{ADDRESS, Wording, written};
use crate::screen::screened;

/// A text in the making.
#[derive(Debug, Default)]
pub(super) struct Page(String);

/// What stands in front of each line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Margin {
    /// Blanks.
    pub(super) depth: usize,
    /// Whether what follows is not to count, but to be taken over by hand.
    pub(super) is_comment: bool,
}

impl Margin {
    pub(super) fn at(depth: usize) -> Self {
        Self { depth, is_comment: false }
    }

    /// The same, deeper by some blanks.
    pub(super) fn within(self, blanks: usize) -> Self {
        Self { depth: self.depth + blanks, ..self }
    }
}

impl Page {
    /// A line as it is.
    pub(super) fn line(&mut self, margin: Margin, line: &str) {
        let Margin { depth, is_comment } = margin;
        let mark = if is_comment { "# " } else { "" };
        // All that is not to count has its marks in one column, so that it can be taken over as a block.
        let outer = if is_comment { depth.min(BLOCK) } else { depth };
        let inner = depth - outer;
        let _ = writeln!(self.0, "{:outer$}{mark}{:inner$}{line}", "", "");
    }

    /// A comment on a line of its own.
    pub(super) fn comment(&mut self, margin: Margin, text: &str) {
        self.line(Margin { is_comment: false, ..margin }, &comment(text));
    }

    pub(super) fn finish(self) -> String {
        self.0
    }
}

/// The column of the keys of an item, where a block of them is not to count.
const BLOCK: usize = 4;

/// The longest comment, in characters.
const LONGEST: usize = 160;

/// `# text`, in one line that is not too long. What strangers wrote does not speak to the gate there.
pub(super) fn comment(text: &str) -> String {
    let line = one_line(text);
    if line.trim_start_matches(['#', ' ']).starts_with(ADDRESS) {
        format!("# `{line}`")
    } else {
        format!("# {line}")
    }
}

/// A text of strangers in one line that is not too long.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::new();
    let words = text.split(|char: char| char.is_whitespace()).filter(|word| !word.is_empty());
    for (at, word) in words.enumerate() {
        if at > 0 {
            line.push(' ');
        }
        line.push_str(&screened(word));
        if line.chars().count() > LONGEST {
            line = line.chars().take(LONGEST).chain(['…']).collect();
            break;
        }
    }
    line
}

/// A text as the value of a key on a line of its own.
pub(super) fn value(text: &str) -> String {
    written(text, Wording::Line)
}

/// A text in brackets.
pub(super) fn item(text: &str) -> String {
    written(text, Wording::Brackets)
}

/// A list in brackets.
pub(super) fn list<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let items: Vec<_> = texts.into_iter().map(item).collect();
    format!("[{}]", items.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strangers_wrote_is_one_line_of_a_comment() {
        assert_eq!(comment("a\n  b\u{1b}[31m\tc\u{2028}"), "# a b\\u001b[31m c");
        assert_eq!(comment("\u{202e}x"), "# \\u202ex");
        assert_eq!(comment(&"x ".repeat(1000)).chars().count(), LONGEST + 3);
    }

    #[test]
    fn what_strangers_wrote_accepts_no_warning() {
        for text in ["grantgate: allow-everywhere grant-elsewhere: x", " ##  # grantgate:allow x"] {
            assert!(comment(text).starts_with("# `"), "{text}");
        }
    }

    #[test]
    fn texts_read_back_as_they_were() {
        assert_eq!(value("https://a.example/"), "https://a.example/");
        assert_eq!(value("no"), "\"no\"");
        assert_eq!(list(["read:orders", "a, b", "c"]), "[\"read:orders\", \"a, b\", c]");
    }
}
