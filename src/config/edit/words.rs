//! Text → how it is written: plain where it reads back as this text here and elsewhere, else in quotes.

use std::fmt::Write as _;

use super::super::scalar::{Plain, is_read_otherwise_elsewhere};

/// How a text would be written, were it up to what stands around it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Quotes {
    Double,
    /// None, even around what has colons, such as `read:orders`.
    Never,
    /// None, where a person would not think twice.
    #[default]
    Sparing,
    Single,
}

/// Where a text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Medium {
    Block,
    Flow,
    Json,
}

/// Writes a text, quoted as is wished where it can be.
pub(super) fn text(text: &str, quotes: Quotes, medium: Medium) -> String {
    match quotes {
        _ if medium == Medium::Json => double_quoted(text, medium),
        Quotes::Single if !text.contains(is_escaped) => format!("'{}'", text.replace('\'', "''")),
        Quotes::Never if is_plain(text, medium) => text.to_owned(),
        Quotes::Sparing if is_plain(text, medium) && !looks_special(text, medium) => {
            text.to_owned()
        }
        _ => double_quoted(text, medium),
    }
}

/// Writes a mapping's key.
pub(super) fn key(name: &str, medium: Medium) -> String {
    let quotes = if name.contains(':') { Quotes::Double } else { Quotes::Never };
    text(name, quotes, medium)
}

/// Whether a text needs no quotes: to no reader, of whichever version of YAML, it is anything else.
pub(super) fn is_plain(text: &str, medium: Medium) -> bool {
    let is_letter = |letter: char| letter.is_alphanumeric() || matches!(letter, '/' | '_');
    let is_allowed = |letter: char| match letter {
        ',' | '[' | ']' | '{' | '}' => medium == Medium::Block,
        ' ' | '!' | '"' | '#' | '$' | '%' | '&' | '\'' | '(' | ')' | '*' | '+' | '-' | '.'
        | ':' | ';' | '<' | '=' | '>' | '?' | '@' | '|' | '~' | '–' | '…' | '’' => true,
        _ => is_letter(letter),
    };
    let ends_a_key = |(at, _): (usize, &str)| {
        let behind = text.get(at + 1..).and_then(|rest| rest.chars().next());
        behind.is_none_or(|next| !next.is_alphanumeric() && !matches!(next, '/' | '_' | '-' | '*'))
    };
    text.starts_with(is_letter)
        && text.chars().all(is_allowed)
        && !text.ends_with(' ')
        && !text.contains(" #")
        && !text.match_indices(':').any(ends_a_key)
        && Plain::of(text) == Plain::Text
        && !is_read_otherwise_elsewhere(text)
        && !is_number_in_parts(text)
        && !is_truth_elsewhere(text)
}

/// Whether a person would quote a text though it needs no quotes: `read:orders` is none, a URL on a line of
/// its own is.
fn looks_special(text: &str, medium: Medium) -> bool {
    text.contains(':') && !(medium == Medium::Block && text.contains("://"))
}

/// To YAML 1.1, `1:30` is 90, `1_0.5` is 10.5 and `0b11` is 3.
fn is_number_in_parts(text: &str) -> bool {
    let has_base = |base: &str| text.get(..2).is_some_and(|it| it.eq_ignore_ascii_case(base));
    let is_of_digits =
        || text.bytes().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.' | b'_'));
    ["0b", "0o", "0x"].into_iter().any(has_base)
        || text.starts_with(|first: char| first.is_ascii_digit())
            && text.contains([':', '_'])
            && is_of_digits()
}

/// To YAML 1.1.
pub(super) fn is_truth_elsewhere(text: &str) -> bool {
    ["y", "n", "yes", "no", "on", "off"].iter().any(|word| text.eq_ignore_ascii_case(word))
}

fn double_quoted(text: &str, medium: Medium) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if !is_escaped(letter) => out.push(letter),
            _ if u32::from(letter) > 0xffff && medium != Medium::Json => {
                let _ = write!(out, "\\U{:08X}", u32::from(letter));
            }
            _ => {
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
    out
}

/// What is not written as it is: what a file cannot hold, what is not seen, and what turns the order of the
/// letters around.
fn is_escaped(letter: char) -> bool {
    let code = u32::from(letter);
    letter.is_control()
        || matches!(letter, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(letter, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fdd0}'..='\u{fdef}')
        || matches!(letter, '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
        || code & 0xfffe == 0xfffe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_any_reader_takes_for_this_text_is_plain() {
        for plain in [
            "web-app",
            "Orders API",
            "it's",
            "a#b",
            "1.2.3",
            "10s",
            "é",
            "https://orders.example.com",
            "/orders/*",
        ] {
            assert_eq!(text(plain, Quotes::Sparing, Medium::Block), plain);
        }
        for quoted in [
            "",
            " ",
            "no",
            "Yes",
            "OFF",
            "n",
            "null",
            "~",
            "true",
            "1",
            "1.10",
            "1e3",
            "0x1F",
            "012",
            "1_000",
            "1:30",
            "0b1",
            "0x_1",
            "1_0.5",
            "2024-01-01",
            " a",
            "a ",
            "a: b",
            "a:",
            "a #b",
            "#x",
            "- a",
            "-",
            "?",
            "*a",
            "&a",
            "!a",
            "%a",
            "@a",
            "`a",
            "'a",
            "\"a\"",
            "[a]",
            "{a}",
            "---",
            "...",
            ".inf",
            "<<",
            "=",
            "|",
            ">",
            "“a”",
            "read:orders",
        ] {
            assert_eq!(
                text(quoted, Quotes::Sparing, Medium::Block),
                serde_json::json!(quoted).to_string()
            );
        }
    }

    #[test]
    fn in_brackets_less_is_plain() {
        assert_eq!(text("a, b", Quotes::Sparing, Medium::Block), "a, b");
        for quoted in ["a, b", "a]", "{a}", "https://a.example"] {
            assert_eq!(text(quoted, Quotes::Sparing, Medium::Flow), format!("\"{quoted}\""));
        }
        assert_eq!(text("a", Quotes::Sparing, Medium::Json), "\"a\"");
    }

    #[test]
    fn quotes_follow_what_is_wished_where_they_can() {
        assert_eq!(text("read:orders", Quotes::Never, Medium::Flow), "read:orders");
        assert_eq!(text("no", Quotes::Never, Medium::Flow), "\"no\"");
        assert_eq!(text("a:]", Quotes::Never, Medium::Flow), "\"a:]\"");
        assert_eq!(text("it's", Quotes::Single, Medium::Flow), "'it''s'");
        assert_eq!(text("a\nb", Quotes::Single, Medium::Flow), "\"a\\nb\"");
        assert_eq!(text("a", Quotes::Double, Medium::Block), "\"a\"");
    }

    #[test]
    fn what_is_not_seen_is_escaped() {
        let unseen = "\u{0}\u{1b}\u{85}\u{2028}\u{202e}\u{feff}\u{ffff}\u{10ffff}\"\\é😀";
        assert_eq!(
            text(unseen, Quotes::Never, Medium::Block),
            "\"\\u0000\\u001b\\u0085\\u2028\\u202e\\ufeff\\uffff\\U0010FFFF\\\"\\\\é😀\""
        );
        let json = text(unseen, Quotes::Never, Medium::Json);
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), unseen);
    }
}
