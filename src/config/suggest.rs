//! Did you mean: the known word that is closest to one that is not known.

use strsim::damerau_levenshtein;

/// Words longer than this are nobody's slip of the pen, and cost too much to compare.
const LONGEST: usize = 64;
/// What is shown of a text in a message, in characters.
const SHOWN: usize = 60;

/// The one of `known` that `word` most likely means, if any is close enough.
pub fn closest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > LONGEST {
        return None;
    }
    let meant = plainly(word);
    known
        .into_iter()
        .map(|candidate| (damerau_levenshtein(&meant, &plainly(candidate)), candidate))
        // A third of the letters may be wrong: `polcy` is `policy`, `key` is not `kind`.
        .filter(|(distance, candidate)| *distance <= candidate.len().max(meant.len()) / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `subjectType`, `subject-type` and `Subject_Type` are one word in different clothes.
fn plainly(word: &str) -> String {
    word.chars().filter(|c| !matches!(c, '_' | '-')).flat_map(char::to_lowercase).collect()
}

/// The beginning of a text, for a message.
pub(super) fn excerpt(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 4] = ["subject_type", "scope", "organization_usage", "client_id"];

    #[test]
    fn finds_what_was_meant() {
        for (word, meant) in [
            ("scpoe", Some("scope")),
            ("scopes", Some("scope")),
            ("subjectType", Some("subject_type")),
            ("client-id", Some("client_id")),
            ("organisation_usage", Some("organization_usage")),
            ("upstream", None),
            ("", None),
        ] {
            assert_eq!(closest(word, KNOWN), meant, "{word:?}");
        }
    }

    #[test]
    fn long_words_are_not_compared_and_shown_shortened() {
        let long = "é".repeat(1000);
        assert_eq!(closest(&long, KNOWN), None);
        assert_eq!(excerpt(&long).chars().count(), SHOWN + 1);
        assert_eq!(excerpt("short"), "short");
    }
}
