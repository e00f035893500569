//! Hosts of requests and of configuration, by table.

use super::*;

#[test]
fn hosts_have_one_spelling() {
    for (raw, normal) in [
        ("example.com", "example.com"),
        ("Example.COM", "example.com"),
        ("example.com.", "example.com"),
        ("example.com:8080", "example.com"),
        ("EXAMPLE.com.:65535", "example.com"),
        ("example.com:0", "example.com"),
        ("my_service", "my_service"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("127.0.0.1:80", "127.0.0.1"),
        ("[::1]", "[::1]"),
        ("[2001:DB8::A]:443", "[2001:db8::a]"),
        ("[::ffff:127.0.0.1]", "[::ffff:127.0.0.1]"),
    ] {
        assert_eq!(normal_host(raw).as_deref(), Ok(normal), "{raw}");
    }
}

#[test]
fn a_normal_host_is_borrowed() {
    for raw in ["example.com", "example.com:80", "example.com.", "[::1]:80"] {
        assert!(matches!(normal_host(raw), Ok(Cow::Borrowed(_))), "{raw}");
    }
}

#[test]
fn what_is_no_host_is_refused() {
    let character = |at, found| HostError::Character { at, found };
    for (raw, error) in [
        ("", HostError::Empty),
        (".", HostError::Empty),
        (":80", HostError::Empty),
        ("a.example:", HostError::Port),
        ("..", HostError::EmptyLabel),
        ("a..b", HostError::EmptyLabel),
        (".example.com", HostError::EmptyLabel),
        ("example.com..", HostError::EmptyLabel),
        ("user@example.com", character(4, '@')),
        ("a, b", character(1, ',')),
        ("b/x", character(1, '/')),
        ("b\\x", character(1, '\\')),
        ("a b", character(1, ' ')),
        (" a", character(0, ' ')),
        ("a\u{0}", character(1, '\0')),
        ("a%2eb", character(1, '%')),
        ("bücher.example", character(1, 'ü')),
        ("a?b", character(1, '?')),
        ("a#b", character(1, '#')),
        ("*.example.com", character(0, '*')),
        ("user:pass@example.com", HostError::Port),
        ("example.com:80a", HostError::Port),
        ("example.com:+80", HostError::Port),
        ("example.com:65536", HostError::Port),
        ("example.com:80:80", character(11, ':')),
        ("::1", character(0, ':')),
        ("2001:db8::1", character(4, ':')),
        ("[::1", HostError::Address),
        ("[::1].", HostError::Address),
        ("[::1]x", HostError::Address),
        ("[]", HostError::Address),
        ("[127.0.0.1]", HostError::Address),
        ("[fe80::1%25eth0]", HostError::Address),
        ("[v1.x]", HostError::Address),
        ("a]:80", character(1, ']')),
    ] {
        assert_eq!(normal_host(raw), Err(error), "{raw}");
    }
    assert!(normal_host(&("a.".repeat(126) + "b")).is_ok());
    assert_eq!(normal_host(&("a.".repeat(126) + "bc")), Err(HostError::TooLong));
}

#[test]
fn patterns_are_read_into_the_same_spelling() {
    let exact = |name: &str| Ok(HostPattern::Exact(name.into()));
    let suffix = |name: &str| Ok(HostPattern::Suffix(name.into()));
    for (text, pattern) in [
        ("Orders.Example.com.", exact("orders.example.com")),
        ("*.Example.com.", suffix("example.com")),
        ("*.localhost", suffix("localhost")),
        ("10.0.0.1", exact("10.0.0.1")),
        ("[2001:DB8::1]", exact("[2001:db8::1]")),
        ("", Err(HostError::Empty)),
        ("*.", Err(HostError::Empty)),
        ("*", Err(HostError::Wildcard)),
        ("*example.com", Err(HostError::Wildcard)),
        ("a.*.example.com", Err(HostError::Wildcard)),
        ("*.[::1]", Err(HostError::Wildcard)),
        ("*.*.example.com", Err(HostError::Character { at: 0, found: '*' })),
        ("example.com:443", Err(HostError::PortGiven)),
        ("[::1]:443", Err(HostError::PortGiven)),
        ("https://example.com", Err(HostError::Character { at: 5, found: ':' })),
        ("example.com/x", Err(HostError::Character { at: 11, found: '/' })),
        ("bücher.example", Err(HostError::Character { at: 1, found: 'ü' })),
    ] {
        assert_eq!(HostPattern::parse(text), pattern, "{text}");
    }
}

#[test]
fn a_pattern_prints_as_it_is_written() {
    for text in ["orders.example.com", "*.example.com", "[::1]"] {
        assert_eq!(HostPattern::parse(text).unwrap().to_string(), text);
    }
}

#[test]
fn hosts_meet_where_some_name_is_of_both() {
    let meet = |one: &str, other: &str| {
        let of = |text| HostPattern::parse(text).unwrap();
        assert_eq!(of(one).meets(&of(other)), of(other).meets(&of(one)));
        of(one).meets(&of(other))
    };
    assert!(meet("a.example", "A.example.") && meet("a.example", "*.example"));
    assert!(meet("*.b.example", "*.example") && meet("*.example", "*.example"));
    assert!(!meet("a.example", "b.example") && !meet("example", "*.example"));
    assert!(!meet("aexample", "*.example") && !meet("*.bexample", "*.example"));
}
