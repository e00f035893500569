//! Where the comments of a text stand: what the parser takes for one, and nothing else. A `#` within a
//! text that is quoted, or that goes over several lines, begins none.

use granit_parser::{Event, Parser};

use super::builder::parser_options;
use super::{OWN, Span};

/// The comments of a text, each from its `#` to the end of its line; up to where the text cannot be read on.
pub(in crate::config) fn comments(text: &str) -> Vec<Span> {
    let mut options = parser_options(OWN);
    options.emit_comments = true;
    // The text is bounded, and so are they.
    options.max_buffered_comment_events = usize::MAX;
    Parser::new_from_str_with_options(text, options)
        .map_while(Result::ok)
        .filter(|(event, _)| matches!(event, Event::Comment(..)))
        .filter_map(|(_, span)| span.byte_range())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_told_from_what_looks_like_one() {
        let text = "# head\r\na: 1 # one\nb: \"x # no\"\nc: |\n  # no\n  text\n# behind\nd: x#no\n\
             e: [1, # two\n  '# no', 2]\nf: >-\n  folded\n\n  # no\n # after a block\ng: a\n  b # three\n...\n# end";
        let found: Vec<_> = comments(text).into_iter().map(|span| &text[span]).collect();
        assert_eq!(
            found,
            ["# head", "# one", "# behind", "# two", "# after a block", "# three", "# end"]
        );
    }

    #[test]
    fn very_many_comments_are_read() {
        let text = format!("{}a: 1 # last", "# one\n".repeat(5000));
        assert_eq!(comments(&text).len(), 5001);
    }
}
