//! JSON that does no harm where it is shown.
//!
//! In comes anything that can be serialised, out goes one line. Beyond what JSON asks, characters are
//! escaped that a terminal obeys, that turn or hide text, or that an HTML reader takes for markup: what
//! strangers put into a path must not reach the screen of whoever reads about it.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

use crate::screen::{escape, harms};

/// Writes `value` at the end of `text`, without a line end.
///
/// # Errors
/// When the value cannot be serialised; what was written of it until then is taken back.
pub fn write_json(value: &impl Serialize, text: &mut Vec<u8>) -> serde_json::Result<()> {
    let start = text.len();
    let written = value.serialize(&mut Serializer::with_formatter(&mut *text, Harmless));
    if written.is_err() {
        text.truncate(start);
    }
    written
}

/// JSON without blanks, harmless.
struct Harmless;

impl Formatter for Harmless {
    fn write_string_fragment<W>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + Write,
    {
        let mut rest = fragment;
        while let Some(at) = rest.bytes().position(may_harm) {
            let (plain, from) = rest.split_at(at);
            writer.write_all(plain.as_bytes())?;
            let mut chars = from.chars();
            let Some(char) = chars.next() else { break };
            write_char(writer, char)?;
            rest = chars.as_str();
        }
        writer.write_all(rest.as_bytes())
    }
}

/// Whether a character that begins with this byte must be looked at.
const fn may_harm(byte: u8) -> bool {
    matches!(byte, b'<' | b'>' | b'&' | 0x7f..)
}

fn write_char<W: ?Sized + Write>(writer: &mut W, char: char) -> io::Result<()> {
    if !matches!(char, '<' | '>' | '&') && !harms(char) {
        let mut bytes = [0; 4];
        return writer.write_all(char.encode_utf8(&mut bytes).as_bytes());
    }
    let mut escaped = String::new();
    // Memory takes every character.
    let _ = escape(char, &mut escaped);
    writer.write_all(escaped.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: &impl Serialize) -> String {
        let mut text = b"before ".to_vec();
        write_json(value, &mut text).unwrap();
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn what_a_screen_would_obey_is_escaped_and_read_back_as_it_was() {
        for (hostile, expected) in [
            ("\u{1b}[2J", r#"before "\u001b[2J""#),
            ("\r\n\t\0", r#"before "\r\n\t\u0000""#),
            ("\u{9b}31m\u{7f}", r#"before "\u009b31m\u007f""#),
            ("<b>&", r#"before "\u003cb\u003e\u0026""#),
            ("a\u{202e}b\u{2028}", r#"before "a\u202eb\u2028""#),
            ("\u{e0041}", r#"before "\udb40\udc41""#),
            ("Bücher ☕ \u{10348}", "before \"Bücher ☕ \u{10348}\""),
            ("\"\\", r#"before "\"\\""#),
        ] {
            let text = written(&hostile);
            assert_eq!(text, expected);
            let back: String = serde_json::from_str(text.strip_prefix("before ").unwrap()).unwrap();
            assert_eq!(back, hostile);
        }
    }

    #[test]
    fn nothing_is_left_of_what_cannot_be_written() {
        let mut text = b"before".to_vec();
        let keys_that_are_lists = std::collections::BTreeMap::from([(vec![1], 1)]);
        assert!(write_json(&keys_that_are_lists, &mut text).is_err());
        assert_eq!(text, b"before");
    }
}
