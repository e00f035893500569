//! Did you mean: the known word that is closest to one that is not known.

use strsim::damerau_levenshtein;

/// Words longer than this are nobody's slip of the pen, and cost too much to compare.
const LONGEST: usize = 64;
/// More words than this are not compared: nobody waits for a suggestion.
const MOST: usize = 2000;
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
        .take(MOST)
        .filter_map(|candidate| {
            // A third of the letters may be wrong: `polcy` is `policy`, `key` is not `kind`.
            let most = candidate.len().max(meant.len()) / 3;
            let plain = plainly(candidate);
            let distance =
                may_be_within(most, &meant, &plain).then(|| damerau_levenshtein(&meant, &plain))?;
            (distance <= most).then_some((distance, candidate))
        })
        // Of two that are alike, the one in the same clothes.
        .min_by_key(|(distance, candidate)| (*distance, damerau_levenshtein(word, candidate)))
        .map(|(_, candidate)| candidate)
}

/// The first of `known` that is `word` but for so many slips of the pen.
pub(super) fn nearest<'a>(
    word: &str,
    known: impl IntoIterator<Item = &'a str>,
    slips: usize,
) -> Option<&'a str> {
    known
        .into_iter()
        .take(MOST)
        .find(|name| may_be_within(slips, word, name) && damerau_levenshtein(word, name) <= slips)
}

/// Whether two words can be so near to one another at all, by what is quickly counted: each slip
/// changes the length by one letter at most, and the letters that they have in common by one.
fn may_be_within(slips: usize, one: &str, other: &str) -> bool {
    if one.chars().count().abs_diff(other.chars().count()) > slips {
        return false;
    }
    let mut letters = [0_i32; 64];
    let mut count = |word: &str, by: i32| {
        for char in word.chars() {
            if let Some(letter) = letters.get_mut(char as usize % 64) {
                *letter += by;
            }
        }
    };
    count(one, 1);
    count(other, -1);
    let only_one = letters.iter().filter(|count| **count > 0).sum::<i32>();
    let only_other = letters.iter().filter(|count| **count < 0).sum::<i32>();
    usize::try_from(only_one.max(-only_other)).is_ok_and(|apart| apart <= slips)
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

    const KNOWN: [&str; 6] = [
        "subject_type",
        "scope",
        "organization_usage",
        "client_id",
        "resourceServers",
        "resource_servers",
    ];

    #[test]
    fn finds_what_was_meant() {
        for (word, meant) in [
            ("scpoe", Some("scope")),
            ("scopes", Some("scope")),
            ("subjectType", Some("subject_type")),
            ("client-id", Some("client_id")),
            ("organisation_usage", Some("organization_usage")),
            ("resource_server", Some("resource_servers")),
            ("resourceServer", Some("resourceServers")),
            ("upstream", None),
            ("", None),
        ] {
            assert_eq!(closest(word, KNOWN), meant, "{word:?}");
        }
    }

    #[test]
    fn what_cannot_be_near_is_told_without_comparing() {
        for (one, other) in [("scope", "scpoe"), ("", "ab"), ("scope", "scopes"), ("é", "e")] {
            let distance = damerau_levenshtein(one, other);
            assert!(may_be_within(distance, one, other), "{one} {other}");
        }
        assert!(!may_be_within(2, "abc", "abcdef"));
        assert!(!may_be_within(2, "abcde", "abxyz"));
        assert_eq!(
            nearest("https://a.example", ["https://a.example/"], 2),
            Some("https://a.example/")
        );
        assert_eq!(nearest("https://a.example", ["https://bc.example.d"], 2), None);
    }

    #[test]
    fn long_words_are_not_compared_and_shown_shortened() {
        let long = "é".repeat(1000);
        assert_eq!(closest(&long, KNOWN), None);
        assert_eq!(excerpt(&long).chars().count(), SHOWN + 1);
        assert_eq!(excerpt("short"), "short");
    }
}
