//! What strangers wrote, as it may be shown: tokens and the names and texts of files are not ours.

use crate::screen::{escape, harms};

/// `text` without characters that do harm on a screen, each written as JSON escapes it, so that JSON
/// stays the JSON it was. Line ends stay.
pub fn harmless(text: &str) -> String {
    let mut harmless = String::with_capacity(text.len());
    for char in text.chars() {
        if harms(char) && char != '\n' {
            // Writing into a string does not fail.
            let _ = escape(char, &mut harmless);
        } else {
            harmless.push(char);
        }
    }
    harmless
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
