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

    /// The same but for the case of ASCII letters
    pub(super) fn resembles(&self, segment: &str) -> bool {
        let lower = |octet: u8| octet.to_ascii_lowercase();
        self.0.iter().copied().map(lower).eq(percent_decode_str(segment).map(lower))
    }
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
    fn resembling_forgets_ascii_case_alone() {
        assert!(Literal::of("Me@x").resembles("mE%40X"));
        assert!(!Literal::of("me").resembles("me2"));
        assert!(!Literal::of("%C3%A9").resembles("%C3%89"), "É and é are two names");
    }

    #[test]
    fn the_order_is_that_of_literals_among_themselves() {
        for (one, other) in [("a", "b"), ("a", "a%20"), ("%40", "a"), ("%C3%A9", "z"), ("", "a")] {
            let expected = Literal::of(one).cmp(&Literal::of(other));
            assert_eq!(Literal::of(one).order(other), expected, "{one} {other}");
        }
    }
}
