//! What patterns match, what is none, and how that is said.

use super::*;

fn matches(pattern: &str, path: &str) -> bool {
    Pattern::parse(pattern).unwrap().matches(&CanonPath::parse(path).unwrap())
}

#[test]
fn the_root_matches_itself_alone() {
    assert!(matches("/", "/"));
    assert!(!matches("/", "/a"));
    assert!(!matches("/{id}", "/"));
    assert!(!matches("/*", "/"));
}

#[test]
fn a_name_is_one_segment_that_is_not_empty() {
    assert!(matches("/orders/{id}", "/orders/7"));
    assert!(!matches("/orders/{id}", "/orders"));
    assert!(!matches("/orders/{id}", "/orders/"));
    assert!(!matches("/orders/{id}", "/orders/7/"));
    assert!(!matches("/orders/{id}", "/orders/7/lines"));
    assert!(matches("/{a}/{b}/lines", "/orders/7/lines"));
}

#[test]
fn a_star_is_one_segment_or_more() {
    for path in ["/files/a", "/files/a/b", "/files/a/", "/files/a/b/c"] {
        assert!(matches("/files/*", path), "{path}");
    }
    for path in ["/files", "/files/", "/filesa", "/other/a"] {
        assert!(!matches("/files/*", path), "{path}");
    }
}

#[test]
fn a_slash_at_the_end_is_meant() {
    assert!(matches("/orders/", "/orders/"));
    assert!(!matches("/orders/", "/orders"));
    assert!(!matches("/orders", "/orders/"));
    assert!(matches("/{id}/", "/7/"));
}

#[test]
fn literals_become_canonical() {
    let pattern = Pattern::parse("/%6Frders/a%3ab/{id}/*").unwrap();
    assert_eq!(pattern.as_str(), "/orders/a%3Ab/{id}/*");
    assert!(matches("/a%3ab", "/a:b") && matches("/a:b", "/a%3Ab"));
    assert!(matches("/%2A", "/*"));
    assert!(!matches("/%2A", "/a"));
}

#[test]
fn what_is_no_pattern_says_why() {
    let star = |segment: &str| PatternError::Star { segment: segment.into() };
    let name = |segment: &str| PatternError::Name { segment: segment.into() };
    let literal = |segment: &str, error| PatternError::Literal { segment: segment.into(), error };
    for (text, error) in [
        ("", PatternError::Empty),
        ("orders", PatternError::NotAbsolute),
        ("*", PatternError::NotAbsolute),
        ("http://x/orders", PatternError::NotAbsolute),
        ("/a//b", PatternError::EmptySegment { at: 3 }),
        ("//", PatternError::EmptySegment { at: 1 }),
        ("/*/a", star("*")),
        ("/*/", star("*")),
        ("/a*", star("a*")),
        ("/**", star("**")),
        ("/a{id}", name("a{id}")),
        ("/{id}.json", name("{id}.json")),
        ("/{}", name("{}")),
        ("/{", name("{")),
        ("/a}", name("a}")),
        ("/{a}{b}", name("{a}{b}")),
        ("/{id:[0-9]+}", name("{id:[0-9]+}")),
        ("/{*rest}", name("{*rest}")),
        ("/{a}/b/{a}", PatternError::NameTwice { name: "a".into() }),
        ("/a?b", literal("a?b", PathError::Unescaped { at: 2, found: '?' })),
        ("/a#b", literal("a#b", PathError::Unescaped { at: 2, found: '#' })),
        ("/a b", literal("a b", PathError::Unescaped { at: 2, found: ' ' })),
        ("/é", literal("é", PathError::Unescaped { at: 1, found: 'é' })),
        ("/..", literal("..", PathError::DotSegment { at: 1 })),
        ("/a/b%2Fc", literal("b%2Fc", PathError::Escaped { at: 2, found: '/' })),
    ] {
        assert_eq!(Pattern::parse(text), Err(error), "{text}");
    }
}

#[test]
fn depth_has_an_end() {
    assert!(Pattern::parse(&"/a".repeat(Pattern::MOST_SEGMENTS)).is_ok());
    let deep = "/a".repeat(Pattern::MOST_SEGMENTS + 1);
    assert_eq!(Pattern::parse(&deep), Err(PatternError::TooDeep));
}

#[test]
fn errors_read_as_sentences() {
    let says = |text| Pattern::parse(text).unwrap_err().to_string();
    assert_eq!(says("/{a}/{a}"), "`{a}` stands there twice");
    assert_eq!(says("/a;b"), "no path has the segment `a;b`: a raw `;` at byte 2");
}

#[test]
fn patterns_meet_where_some_path_is_both_and_lie_within_where_all_are() {
    let pattern = |text| Pattern::parse(text).unwrap();
    for (one, two, meets, lies, holds) in [
        ("/a", "/a", true, true, true),
        ("/a@b", "/a%40b", true, true, true),
        ("/a", "/b", false, false, false),
        ("/a", "/A", false, false, false),
        ("/a", "/a/", false, false, false),
        ("/a", "/{x}", true, true, false),
        ("/{x}", "/{y}", true, true, true),
        ("/a/{x}", "/{y}/b", true, false, false),
        ("/a/{x}", "/a", false, false, false),
        ("/a/", "/a/{x}", false, false, false),
        ("/a/b/c", "/a/*", true, true, false),
        ("/{x}/b", "/a/*", true, false, false),
        ("/{x}/*", "/a/*", true, false, true),
        ("/a", "/a/*", false, false, false),
        ("/a/", "/a/*", false, false, false),
    ] {
        let (one, two) = (pattern(one), pattern(two));
        let said = (one.meets(&two), one.lies_in(&two), two.lies_in(&one));
        assert_eq!(said, (meets, lies, holds), "{one:?} {two:?}");
        assert_eq!(two.meets(&one), meets, "{one:?} {two:?}");
    }
}
