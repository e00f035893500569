//! Markers that `auth0-deploy-cli` fills in when it imports: `##NAME##` stands for a text, `@@NAME@@` for a
//! value of JSON. What they stand for is not in the export.

/// A text in which every marker that is a whole value stands in quotes: without them `##` begins a comment in
/// YAML, and `@` is no beginning of a value.
pub(super) fn in_quotes(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['#', '@']) {
        let (before, from) = rest.split_at(at);
        quoted.push_str(before);
        let length = length(from).unwrap_or(0);
        let (marker, behind) = from.split_at(length);
        let begins = before.trim_end_matches([' ', '\t']);
        let is_whole = (begins.len() < before.len() || begins.ends_with(['[', ',', ':']))
            && begins.ends_with([':', '-', '[', ','])
            && behind
                .chars()
                .next()
                .is_none_or(|next| matches!(next, ' ' | '\r' | '\n' | ',' | ']' | '}'));
        if length > 0 && is_whole && !is_within_quotes(&quoted) {
            quoted.extend(["\"", marker, "\""]);
            rest = behind;
        } else {
            let taken = length.max(1);
            let (marker, behind) = from.split_at(taken);
            quoted.push_str(marker);
            rest = behind;
        }
    }
    quoted.push_str(rest);
    quoted
}

/// Whether a text on the line that ends here is in double quotes, and is not closed.
fn is_within_quotes(before: &str) -> bool {
    let line = before.rsplit('\n').next().unwrap_or_default();
    let (mut is_within, mut is_escaped) = (false, false);
    for byte in line.bytes() {
        match byte {
            b'"' if !is_escaped => is_within = !is_within,
            b'\\' if is_within => {
                is_escaped = !is_escaped;
                continue;
            }
            _ => {}
        }
        is_escaped = false;
    }
    is_within
}

/// Whether something in a text is still to be filled in.
pub(super) fn has_marker(text: &str) -> bool {
    text.match_indices(['#', '@']).any(|(at, _)| text.get(at..).and_then(length).is_some())
}

/// How long the marker is that a text begins with.
fn length(text: &str) -> Option<usize> {
    ["##", "@@"].into_iter().find_map(|mark| {
        let inner = text.strip_prefix(mark)?;
        let end = inner.find(mark)?;
        let name = inner.get(..end)?;
        let is_name = !name.is_empty()
            && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
        is_name.then_some(end + 2 * mark.len())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_that_is_a_value_is_put_in_quotes() {
        for (text, quoted) in [
            ("a: ##X##\n", "a: \"##X##\"\n"),
            ("a: @@X_1@@", "a: \"@@X_1@@\""),
            ("- @@X@@", "- \"@@X@@\""),
            ("{\"a\": @@X@@, \"b\":@@Y@@}", "{\"a\": \"@@X@@\", \"b\":\"@@Y@@\"}"),
            ("a: \"##X##\"", "a: \"##X##\""),
            ("a: '@@X@@'", "a: '@@X@@'"),
            ("a: https://##X##/y", "a: https://##X##/y"),
            ("# ## a ##", "# ## a ##"),
            ("a: b # c @@d@@", "a: b # c @@d@@"),
            ("é@", "é@"),
            (
                "{\"a\": \"see: @@X@@ \", \"b\": @@Y@@}",
                "{\"a\": \"see: @@X@@ \", \"b\": \"@@Y@@\"}",
            ),
            (r#""a\", @@X@@ ""#, r#""a\", @@X@@ ""#),
        ] {
            assert_eq!(in_quotes(text), quoted);
        }
    }

    #[test]
    fn what_is_to_be_filled_in_is_known() {
        assert!(has_marker("https://##DOMAIN##/") && has_marker("@@A@@"));
        assert!(!has_marker("##") && !has_marker("a@@b@@") && !has_marker("####"));
    }
}
