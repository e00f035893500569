//! Characters that do harm where a text is shown: strangers choose many of the texts that people read.
//!
//! In comes a character or a text; out comes whether a screen shows it as what it is, or how to write it
//! so that it does.

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

/// Writes a character as JSON escapes it (RFC 8259 section 7).
///
/// # Errors
/// When `out` does.
pub fn escape(char: char, out: &mut impl Write) -> fmt::Result {
    char.encode_utf16(&mut [0; 2]).iter().try_for_each(|unit| write!(out, "\\u{unit:04x}"))
}
