//! A source: one named text of the configuration, as whoever read it hands it over.
//!
//! The digest tells whether two sets of sources are the same, byte for byte, name for name.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256, SHA256_OUTPUT_LEN};

use crate::hex::hex;

/// One text of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// What people know it by: a path, as a report shows it.
    pub name: String,
    /// What it says, YAML or JSON. It may be very long, and many hold it.
    pub text: Arc<String>,
}

impl Source {
    /// A text under a name.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: Arc::new(text.into()) }
    }

    /// Whether the text says itself that it is whole, so that a text cut short can be told.
    ///
    /// YAML does so by `...` alone on its last line. A text that is one `{…}` needs no marker:
    /// without its last bracket it does not parse.
    pub fn has_end_marker(&self) -> bool {
        let text = self.text.strip_prefix('\u{feff}').unwrap_or(&self.text);
        let last = text.trim_end().lines().next_back().unwrap_or_default();
        last == "..." || text.trim_start().starts_with('{')
    }
}

/// The SHA-256 of a set of sources; prints as hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Digest([u8; SHA256_OUTPUT_LEN]);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

/// Digests names and texts in their order.
pub fn digest<'a>(sources: impl IntoIterator<Item = &'a Source>) -> Digest {
    let mut context = Context::new(&SHA256);
    for part in sources.into_iter().flat_map(|source| [&source.name, &*source.text]) {
        // The length first: else `ab` + `c` would digest as `a` + `bc` does.
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    let mut digest = [0; SHA256_OUTPUT_LEN];
    // Both are 32 bytes; zip cannot panic where they would differ.
    for (into, from) in digest.iter_mut().zip(context.finish().as_ref()) {
        *into = *from;
    }
    Digest(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digest_is_sha256_over_lengths_names_and_texts() {
        assert_eq!(
            digest(&[]).to_string(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(digest(&[Source::new("a", "b")]), digest(&[Source::new("a", "b")]));
    }

    #[test]
    fn digest_tells_apart_where_names_texts_and_order_differ() {
        let one = digest(&[Source::new("ab", "c")]);
        assert_ne!(one, digest(&[Source::new("a", "bc")]));
        assert_ne!(one, digest(&[Source::new("ab", "c"), Source::new("", "")]));
        let (a, b) = (Source::new("a", "1"), Source::new("b", "2"));
        assert_ne!(digest(&[a.clone(), b.clone()]), digest(&[b, a]));
    }

    #[test]
    fn end_marker_is_three_dots_alone_on_the_last_line() {
        for whole in
            ["a: 1\n...", "a: 1\n...\n", "a: 1\r\n...\r\n\n", "...", "{\"a\": 1}", "\u{feff} {}"]
        {
            assert!(Source::new("x", whole).has_end_marker(), "{whole:?}");
        }
        for torn in ["", "a: 1\n", "a: 1\n..", "a: 1\n ...", "a: ...", "...\na: 1\n", "a: {}"] {
            assert!(!Source::new("x", torn).has_end_marker(), "{torn:?}");
        }
    }
}
