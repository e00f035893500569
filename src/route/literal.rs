//! One literal segment of a pattern or a prefix, compared by the octets that it spells.
//!
//! `/users/@me` and `/users/%40me` are one name to whatever serves them, so a literal keeps its
//! octets decoded and a segment of a request is decoded as it is compared, without allocating.
//! That no octet can be a slash or the like is [`CanonPath`](super::CanonPath)'s promise.

use std::cmp::Ordering;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

/// The octets of a literal segment
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Literal(Box<[u8]>);

impl Literal {
    /// Reads a segment of a canonical path
    pub(super) fn of(segment: &str) -> Self {
        Self(percent_decode_str(segment).collect())
    }

    /// How this literal sorts beside what `segment` spells
    pub(super) fn order(&self, segment: &str) -> Ordering {
        if segment.contains('%') {
            self.0.iter().copied().cmp(percent_decode_str(segment))
        } else {
            (*self.0).cmp(segment.as_bytes())
        }
    }

    pub(super) fn is(&self, segment: &str) -> bool {
        self.order(segment).is_eq()
    }

    /// The same but for the case of ASCII letters, and for other letters that some servers take for them
    pub(super) fn resembles(&self, segment: &str) -> bool {
        let (literal, spelled) =
            (String::from_utf8_lossy(&self.0), percent_decode_str(segment).decode_utf8_lossy());
        literal.chars().map(plain).eq(spelled.chars().map(plain))
    }
}

/// A letter without its case and width: what Unicode's compatibility forms, case folding and Windows'
/// "best fit" tables all make of full-width letters, the Kelvin sign and the long s
fn plain(letter: char) -> char {
    let narrow = match letter {
        '\u{FF01}'..='\u{FF5E}' => {
            char::from_u32(u32::from(letter) - 0xFF01 + 0x21).unwrap_or(letter)
        }
        '\u{212A}' => 'k',
        '\u{17F}' => 's',
        _ => letter,
    };
    narrow.to_ascii_lowercase()
}

impl std::fmt::Display for Literal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        percent_encode(&self.0, BESIDE_UNRESERVED).fmt(f)
    }
}

/// What is escaped where a literal is shown: all but RFC 3986's unreserved characters.
const BESIDE_UNRESERVED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_is_every_spelling_of_its_octets() {
        let literal = Literal::of("a:b%20c");
        assert!(literal.is("a:b%20c"));
        assert!(literal.is("a%3Ab%20c"));
        assert!(!literal.is("a:b"));
        assert!(!literal.is("A:b%20c"));
        assert_eq!(literal, Literal::of("a%3Ab%20c"));
    }

    #[test]
    fn resembling_forgets_the_case_and_width_of_ascii_letters_alone() {
        assert!(Literal::of("Me@x").resembles("mE%40X"));
        assert!(!Literal::of("me").resembles("me2"));
        assert!(!Literal::of("%C3%A9").resembles("%C3%89"), "É and é are two names");
        for wide in ["%EF%BD%8De", "m%EF%BD%85", "%EF%BC%ADe"] {
            assert!(Literal::of("me").resembles(wide) && Literal::of(wide).resembles("ME"));
        }
        assert!(Literal::of("kiss").resembles("%E2%84%AAi%C5%BFs"));
    }

    #[test]
    fn the_order_is_that_of_literals_among_themselves() {
        for (one, other) in [("a", "b"), ("a", "a%20"), ("%40", "a"), ("%C3%A9", "z"), ("", "a")] {
            let expected = Literal::of(one).cmp(&Literal::of(other));
            assert_eq!(Literal::of(one).order(other), expected, "{one} {other}");
        }
    }
}
