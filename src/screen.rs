//! Characters that do harm where a text is shown: strangers choose many of the texts that people read.
//!
//! In comes a character or a text; out comes whether a screen shows it as what it is, or the same written so
//! that it does.

use std::fmt::{self, Write};

/// Whether a screen obeys it, or does not show it although it changes what is shown: controls, and
/// Unicode's `Cf`, `Zl` and `Zp` as far as they act on what surrounds them (bidirectional marks,
/// joiners, separators of lines, tags).
pub const fn harms(char: char) -> bool {
    matches!(
        char,
        '\0'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

/// `text` without characters that do harm, each written as JSON escapes it, so that JSON stays the JSON it
/// was. Line ends stay.
pub fn harmless(text: &str) -> String {
    escaped(text, |char| harms(char) && char != '\n')
}

/// The same on one line: line ends are written out too.
pub fn screened(text: &str) -> String {
    escaped(text, harms)
}

fn escaped(text: &str, is_escaped: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        if is_escaped(char) {
            // Writing into a string does not fail.
            let _ = escape(char, &mut out);
        } else {
            out.push(char);
        }
    }
    out
}

/// Writes a character as JSON escapes it (RFC 8259 section 7).
///
/// # Errors
/// When `out` does.
pub fn escape(char: char, out: &mut impl Write) -> fmt::Result {
    char.encode_utf16(&mut [0; 2]).iter().try_for_each(|unit| write!(out, "\\u{unit:04x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_written_out() {
        assert_eq!(
            harmless("a\u{1b}[31m\u{9b}b\u{202e}c\r\n\té"),
            "a\\u001b[31m\\u009bb\\u202ec\\u000d\n\\u0009é"
        );
    }

    #[test]
    fn what_nobody_sees_is_written_out_and_json_stays_what_it_was() {
        let hidden = "a\u{61c}b\u{200b}c\u{ad}d\u{e0041}";
        let json = serde_json::to_string(hidden).unwrap();
        let shown = harmless(&json);
        assert_eq!(shown, r#""a\u061cb\u200bc\u00add\udb40\udc41""#);
        assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), hidden);
    }
}
