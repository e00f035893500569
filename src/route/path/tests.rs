//! A table of single paths, and properties against a canonicaliser written the other way round.

use proptest::prelude::*;

use super::*;

fn canon(raw: &str) -> Result<String, PathError> {
    CanonPath::parse(raw).map(|path| path.as_str().to_owned())
}

#[test]
fn what_can_mean_one_thing_passes_in_its_canonical_spelling() {
    for (raw, expected) in [
        ("/", "/"),
        ("/b", "/b"),
        ("/b/", "/b/"),
        ("/B", "/B"),
        ("/%62", "/b"),
        ("/%7Euser/%2Dx%5fy", "/~user/-x_y"),
        ("/.well-known/%2ehidden", "/.well-known/.hidden"),
        ("/a..b/a.b", "/a..b/a.b"),
        ("/a%20b", "/a%20b"),
        ("/%20a", "/%20a"),
        ("/a%3ab%5b%7c", "/a%3Ab%5B%7C"),
        ("/!$&'()*+,=:@", "/!$&'()*+,=:@"),
        ("/caf%c3%a9", "/caf%C3%A9"),
        ("/%f0%9f%90%a2/%4f", "/%F0%9F%90%A2/O"),
        ("/a%22%3C%3e", "/a%22%3C%3E"),
        // Full-width and other compatibility letters are names of their own.
        ("/%ef%bd%82", "/%EF%BD%82"),
        ("/%EF%BC%A2", "/%EF%BC%A2"),
        ("/%E2%84%AA", "/%E2%84%AA"),
    ] {
        assert_eq!(canon(raw).as_deref(), Ok(expected), "{raw}");
    }
}

#[test]
fn what_can_mean_two_things_is_refused() {
    use PathError as E;
    for (raw, error) in [
        ("", E::NotAbsolute),
        ("*", E::NotAbsolute),
        ("b", E::NotAbsolute),
        ("http://other/b", E::NotAbsolute),
        ("example.com:443", E::NotAbsolute),
        ("%2Fb", E::NotAbsolute),
        ("//b", E::EmptySegment { at: 1 }),
        ("//", E::EmptySegment { at: 1 }),
        ("/b//", E::EmptySegment { at: 3 }),
        ("/a//b", E::EmptySegment { at: 3 }),
        ("//other/b", E::EmptySegment { at: 1 }),
        ("/a/../b", E::DotSegment { at: 3 }),
        ("/a/./b", E::DotSegment { at: 3 }),
        ("/..", E::DotSegment { at: 1 }),
        ("/.", E::DotSegment { at: 1 }),
        ("/a/%2e%2e/b", E::DotSegment { at: 3 }),
        ("/a/.%2E/b", E::DotSegment { at: 3 }),
        ("/a/%2e/b", E::DotSegment { at: 3 }),
        ("/a/.../b", E::DotSegment { at: 3 }),
        ("/a/..%2fb", E::Escaped { at: 5, found: '/' }),
        ("/a%2f..%2fb", E::Escaped { at: 2, found: '/' }),
        ("/a%2Fb", E::Escaped { at: 2, found: '/' }),
        ("/a/%252e%252e/b", E::Escaped { at: 3, found: '%' }),
        ("/a%5c..%5cb", E::Escaped { at: 2, found: '\\' }),
        ("/b%3bx=1", E::Escaped { at: 2, found: ';' }),
        ("/b%3fq", E::Escaped { at: 2, found: '?' }),
        ("/b%23x", E::Escaped { at: 2, found: '#' }),
        ("/a/..;/b", E::Unescaped { at: 5, found: ';' }),
        ("/b;x=1", E::Unescaped { at: 2, found: ';' }),
        ("/a/..\\b", E::Unescaped { at: 5, found: '\\' }),
        ("/b?", E::Unescaped { at: 2, found: '?' }),
        ("/b#x", E::Unescaped { at: 2, found: '#' }),
        ("/b c", E::Unescaped { at: 2, found: ' ' }),
        ("/{id}", E::Unescaped { at: 1, found: '{' }),
        ("/a[0]", E::Unescaped { at: 2, found: '[' }),
        ("/é", E::Unescaped { at: 1, found: 'é' }),
        ("/b\u{a}", E::Control { at: 2 }),
        ("/b\u{0}", E::Control { at: 2 }),
        ("/b\u{7f}", E::Control { at: 2 }),
        ("/b%00", E::Control { at: 2 }),
        ("/b%0a", E::Control { at: 2 }),
        ("/b%0D%0A", E::Control { at: 2 }),
        ("/b%09", E::Control { at: 2 }),
        ("/b%7f", E::Control { at: 2 }),
        ("/b%c2%85", E::Control { at: 2 }),
        ("/b.", E::TrailingDot { at: 1 }),
        ("/b%2e", E::TrailingDot { at: 1 }),
        ("/b./c", E::TrailingDot { at: 1 }),
        ("/a/b..", E::TrailingDot { at: 3 }),
        ("/b%20", E::TrailingSpace { at: 1 }),
        ("/b%20/c", E::TrailingSpace { at: 1 }),
        ("/%20", E::TrailingSpace { at: 1 }),
        ("/b%C2%A0", E::TrailingSpace { at: 1 }),
        ("/b%E3%80%80", E::TrailingSpace { at: 1 }),
        ("/b%ff", E::InvalidUtf8 { at: 2 }),
        ("/b%80", E::InvalidUtf8 { at: 2 }),
        ("/b%c3", E::InvalidUtf8 { at: 2 }),
        ("/b%c3a", E::InvalidUtf8 { at: 2 }),
        ("/b%c3%zz", E::InvalidUtf8 { at: 2 }),
        ("/%c0%ae%c0%ae/b", E::InvalidUtf8 { at: 1 }),
        ("/%c0%af", E::InvalidUtf8 { at: 1 }),
        ("/%e0%80%af", E::InvalidUtf8 { at: 1 }),
        ("/%f0%80%80%af", E::InvalidUtf8 { at: 1 }),
        ("/%ed%a0%80", E::InvalidUtf8 { at: 1 }),
        ("/%f4%90%80%80", E::InvalidUtf8 { at: 1 }),
        ("/b%", E::BadEscape { at: 2 }),
        ("/b%4", E::BadEscape { at: 2 }),
        ("/b%4g", E::BadEscape { at: 2 }),
        ("/b%+1", E::BadEscape { at: 2 }),
        ("/b%u002e", E::BadEscape { at: 2 }),
        ("/b%é", E::BadEscape { at: 2 }),
        ("/a/%EF%BC%8E%EF%BC%8E/b", E::Lookalike { at: 3, found: '．' }),
        ("/a%EF%BC%8Fb", E::Lookalike { at: 2, found: '／' }),
        ("/a%EF%BC%BCb", E::Lookalike { at: 2, found: '＼' }),
        ("/b%EF%BC%9Bx", E::Lookalike { at: 2, found: '；' }),
        ("/%EF%BC%852e", E::Lookalike { at: 1, found: '％' }),
        ("/b%EF%BC%9Fq", E::Lookalike { at: 2, found: '？' }),
        ("/b%EF%BC%83x", E::Lookalike { at: 2, found: '＃' }),
        ("/a/%E2%80%A5/b", E::Lookalike { at: 3, found: '‥' }),
        ("/a%E2%88%95b", E::Lookalike { at: 2, found: '∕' }),
        ("/b%CD%BEx", E::Lookalike { at: 2, found: '\u{37E}' }),
    ] {
        assert_eq!(canon(raw), Err(error), "{raw}");
    }
}

#[test]
fn a_canonical_path_is_borrowed() {
    let borrows = |raw| matches!(CanonPath::parse(raw).unwrap().0, Cow::Borrowed(_));
    assert!(borrows("/orders/7/a%3Ab%C3%A9/"));
    assert!(!borrows("/orders/a%3ab"));
    assert!(!borrows("/%6Frders"));
}

#[test]
fn segments_are_what_stands_between_the_slashes() {
    let segments = |raw| {
        let path = CanonPath::parse(raw).unwrap();
        path.segments().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(segments("/"), [""]);
    assert_eq!(segments("/a"), ["a"]);
    assert_eq!(segments("/a/%62/"), ["a", "b", ""]);
}

#[test]
fn errors_name_what_and_where() {
    let says = |raw| CanonPath::parse(raw).unwrap_err().to_string();
    assert_eq!(says("/a%2fb"), "an escaped `/` at byte 2");
    assert_eq!(says("/a/../b"), "a dot segment at byte 3");
    assert_eq!(says("/a%4"), "`%` without two hexadecimal digits at byte 2");
}

/// Decodes the whole path into octets first, each marked as escaped or not, and judges them then
fn reference(raw: &str) -> Option<String> {
    let mut octets = Vec::new();
    let mut rest = raw.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'%' {
            octets.push((*first, false));
            continue;
        }
        let digits = std::str::from_utf8(tail.get(..2)?).ok()?;
        if !digits.chars().all(|c| c.is_ascii_hexdigit()) {
            return None;
        }
        octets.push((u8::from_str_radix(digits, 16).ok()?, true));
        rest = &tail[2..];
    }
    let text = String::from_utf8(octets.iter().map(|(octet, _)| *octet).collect()).ok()?;
    let letters: Vec<(char, bool)> = text.char_indices().map(|(at, c)| (c, octets[at].1)).collect();
    // Where `/` came escaped it is refused here, so that the split below sees real ones alone.
    let fine = |(c, escaped): &(char, bool)| match (c, escaped) {
        (c, true) => !c.is_control() && !"/\\;?#%".contains(*c) && !COMPATIBLE.contains(c),
        (c, false) => c.is_ascii_graphic() && !"\"#;<>?[\\]^`{|}".contains(*c),
    };
    let inner = text.strip_prefix('/')?;
    let segments: Vec<&str> = inner.split('/').collect();
    let (_, all_but_last) = segments.split_last()?;
    let unclear = |s: &&str| s.ends_with('.') || s.trim_end() != *s;
    if !letters.iter().all(fine)
        || all_but_last.contains(&"")
        || segments.iter().any(unclear)
        // A sequence that is escaped in part only is no escape sequence at all.
        || octets.iter().any(|(octet, escaped)| *octet >= 0x80 && !escaped)
    {
        return None;
    }
    let spell = |(c, escaped): (char, bool)| {
        let plain = !escaped || c.is_ascii_alphanumeric() || "-._~".contains(c);
        if plain { c.to_string() } else { escape_all(c).to_uppercase() }
    };
    Some(letters.into_iter().map(spell).collect())
}

/// NFKC of Unicode 14 has one of `. / \ ; % ? #` for these; the last three are Windows' best fit
const COMPATIBLE: &[char] = &[
    '\u{37E}', '․', '‥', '…', '⁇', '⁈', '⁉', '℀', '℁', '℅', '℆', '⒈', '⒉', '⒊', '⒋', '⒌', '⒍', '⒎',
    '⒏', '⒐', '⒑', '⒒', '⒓', '⒔', '⒕', '⒖', '⒗', '⒘', '⒙', '⒚', '⒛', '㏂', '㏇', '㏘', '︔', '︖',
    '︙', '︰', '﹒', '﹔', '﹖', '﹟', '﹨', '﹪', '＃', '％', '．', '／', '；', '？', '＼', '🄀',
    '⁄', '∕', '∖',
];

#[test]
fn the_lookalikes_are_those_of_the_reference() {
    for letter in '\0'..=char::MAX {
        assert_eq!(is_lookalike(letter), COMPATIBLE.contains(&letter), "U+{:X}", u32::from(letter));
    }
}

/// Texts that are nearly paths: most of what they are made of passes, so that the rest is reached
fn nearly_paths() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => Just("/".to_owned()),
        8 => "[a-cA-C0-9._~-]",
        3 => "[!$&'()*+,=:@]",
        2 => "%[46][0-9a-fA-F]",
        1 => "%[0-9a-fA-F]{2}",
        1 => "[ -~]",
        1 => "%(2[eEfF35]|3[bBfF]|5[cC]|20|00|7[fF])",
        2 => "%[cC]3%[aAbB][0-9]",
        1 => "%[cCeEfF][0-9a-fA-F]%[89abAB][0-9a-fA-F](%[89ab][0-9A-F]){0,2}",
        1 => any::<char>().prop_map(escape_all),
        1 => proptest::sample::select(COMPATIBLE).prop_map(escape_all),
        1 => proptest::sample::select(vec!["%", "%a", "é", "\u{0}", "\u{7f}", "..", ";", "\\"])
            .prop_map(str::to_owned),
    ];
    proptest::collection::vec(piece, 0..8).prop_map(|pieces| format!("/{}", pieces.concat()))
}

fn escape_all(letter: char) -> String {
    letter.to_string().bytes().map(|byte| format!("%{byte:02x}")).collect::<Vec<_>>().concat()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn parse_agrees_with_the_reference(raw in nearly_paths()) {
        prop_assert_eq!(canon(&raw).ok(), reference(&raw));
    }

    #[test]
    fn parse_agrees_with_the_reference_on_anything(raw in any::<String>()) {
        let raw = format!("/{raw}");
        prop_assert_eq!(canon(&raw).ok(), reference(&raw));
    }

    #[test]
    fn parse_gives_a_canonical_path_back(raw in nearly_paths()) {
        if let Ok(path) = CanonPath::parse(&raw) {
            let again = CanonPath::parse(path.as_str());
            prop_assert_eq!(again.as_ref(), Ok(&path));
            prop_assert!(matches!(again.unwrap().0, Cow::Borrowed(_)));
        }
    }

    #[test]
    fn escaping_what_needs_no_escape_changes_nothing(
        raw in nearly_paths(),
        coins in proptest::collection::vec(any::<bool>(), 128),
    ) {
        let mut coins = coins.into_iter().cycle();
        let mut escaped = String::new();
        let mut letters = raw.chars();
        while let Some(letter) = letters.next() {
            let coin = coins.next().unwrap();
            if letter == '%' {
                let digits: String = letters.by_ref().take(2).collect();
                let digits = if coin { digits.to_ascii_lowercase() } else { digits };
                escaped.extend(['%'].into_iter().chain(digits.chars()));
            } else if coin && is_unreserved(letter) {
                escaped.push_str(&escape_all(letter));
            } else {
                escaped.push(letter);
            }
        }
        prop_assert_eq!(canon(&raw).ok(), canon(&escaped).ok(), "{} {}", raw, escaped);
    }
}
