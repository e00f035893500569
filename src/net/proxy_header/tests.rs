use proptest::prelude::*;

use super::*;

/// Version 2 with what follows the signature and the length.
fn binary(version_and_command: u8, kind: u8, said: &[u8]) -> Vec<u8> {
    let length = u16::try_from(said.len()).unwrap().to_be_bytes();
    [BINARY, &[version_and_command, kind], &length, said].concat()
}

fn tcp4() -> Vec<u8> {
    [&[192, 0, 2, 7][..], &[198, 51, 100, 1], &[0x12, 0x67], &[0x01, 0xbb]].concat()
}

fn tcp6() -> Vec<u8> {
    let [client, server]: [Ipv6Addr; 2] =
        ["2001:db8::7", "2001:db8::1"].map(|it| it.parse().unwrap());
    [&client.octets()[..], &server.octets(), &[0x12, 0x67], &[0x01, 0xbb]].concat()
}

/// A field of version 2.
fn field(kind: u8, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len()).unwrap().to_be_bytes();
    [&[kind], &length[..], value].concat()
}

/// Whole headers, and whom they name.
fn headers() -> Vec<(Vec<u8>, Option<&'static str>)> {
    let with = |addresses: Vec<u8>, fields: &[Vec<u8>]| [addresses, fields.concat()].concat();
    let (four, six) = (Some("192.0.2.7:4711"), Some("[2001:db8::7]:4711"));
    let tls = field(0x20, &[&[1, 0, 0, 0, 0][..], &field(0x21, b"TLSv1.3")].concat());
    let mapped: Ipv6Addr = "::ffff:192.0.2.7".parse().unwrap();
    let mut mapped_client = tcp6();
    mapped_client.splice(..16, mapped.octets());
    let most = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
    [
        ("PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n".to_owned(), four),
        (
            "PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n".into(),
            Some("255.255.255.255:65535"),
        ),
        ("PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n".into(), Some("0.0.0.0:0")),
        ("PROXY TCP6 2001:db8::7 2001:db8::1 4711 443\r\n".into(), six),
        ("PROXY TCP6 2001:DB8:0:0:0:0:0:7 ::1 4711 443\r\n".into(), six),
        ("PROXY TCP6 ::ffff:192.0.2.7 ::ffff:198.51.100.1 4711 443\r\n".into(), four),
        ("PROXY UNKNOWN\r\n".into(), None),
        (format!("PROXY UNKNOWN {most} {most} 65535 65535\r\n"), None),
        ("PROXY UNKNOWN 192.0.2.7 \0\u{e9}\r\n".into(), None),
    ]
    .map(|(text, source)| (text.into_bytes(), source))
    .into_iter()
    .chain([
        (binary(0x21, TCP4, &tcp4()), four),
        (binary(0x21, TCP6, &tcp6()), six),
        (binary(0x21, TCP6, &mapped_client), four),
        (binary(0x21, TCP4, &with(tcp4(), &[field(0x05, b"id"), tls, field(0x04, &[0; 9])])), four),
        (binary(0x21, TCP6, &with(tcp6(), &[field(0xe0, &[])])), six),
        (binary(0x21, TCP4, &with(tcp4(), &[field(0x04, &vec![0; MOST_BINARY - 15])])), four),
        (binary(0x21, UNIX, &[b'/'; 216]), None),
        (binary(0x21, UNSPECIFIED, &[]), None),
        (binary(0x21, UNSPECIFIED, b"no fields"), None),
        (binary(0x20, UNSPECIFIED, &[]), None),
        // The kind and the addresses of a balancer's own connection are not to be looked at.
        (binary(0x20, TCP4, &tcp4()), None),
        (binary(0x20, 0xff, b"anything"), None),
    ])
    .collect()
}

#[test]
fn a_header_names_the_client_and_ends_where_it_says() {
    for (header, source) in headers() {
        let source = source.map(|source| source.parse().unwrap());
        let complete = Reading::Complete(Header { source, bytes: header.len() });
        for more in [&b""[..], b"G", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01", b"PROXY ", BINARY]
        {
            assert_eq!(read(&[&header, more].concat()), complete, "{}", header.escape_ascii());
        }
    }
}

#[test]
fn a_header_that_is_cut_anywhere_is_waited_for_and_never_beyond_its_end() {
    for (header, _) in headers() {
        for cut in 0..header.len() {
            let reading = read(&header[..cut]);
            let Reading::Incomplete(least) = reading else {
                panic!("{reading:?} after {cut} bytes of {}", header.escape_ascii());
            };
            assert!(cut < least && least <= header.len(), "{cut} < {least} <= {}", header.len());
        }
    }
}

#[test]
fn what_is_no_header_in_text_is_refused_as_soon_as_it_shows() {
    for text in [
        "G",
        "PROXX",
        "PROXY\r\n",
        "PROXY\t",
        "proxy TCP4 192.0.2.7 198.51.100.1 4711 443\r\n",
        "PROXY \r\n",
        "PROXY TCP4\r\n",
        "PROXY tcp4 192.0.2.7 198.51.100.1 4711 443\r\n",
        "PROXY UDP4 192.0.2.7 198.51.100.1 4711 443\r\n",
        "PROXY UNKNOWNS\r\n",
        "PROXY unknown\r\n",
        "PROXY UNKNOWN\n",
        "PROXY UNKNOWN\rX",
        "PROXY UNKNOWN\r\r\n",
        "PROXY  TCP4 192.0.2.7 198.51.100.1 4711 443\r\n",
        "PROXY TCP4  192.0.2.7 198.51.100.1 4711 443\r\n",
        "PROXY TCP4 192.0.2.7 198.51.100.1 4711 443 \r\n",
        "PROXY TCP4 192.0.2.7 198.51.100.1 4711 443 1\r\n",
        "PROXY TCP4 192.0.2.7 198.51.100.1 4711\r\n",
        "PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\n",
        "PROXY TCP4 192.0.2.7 198.51.100.1 4711 65536\r\n",
        "PROXY TCP4 192.0.2.7 198.51.100.1 04711 443\r\n",
        "PROXY TCP4 192.0.2.7 198.51.100.1 +4711 443\r\n",
        "PROXY TCP4 192.0.2.7 198.51.100.1 -1 443\r\n",
        "PROXY TCP4 192.0.2.7 198.51.100.1 47 11 443\r\n",
        "PROXY TCP4 192.0.2.7 198.51.100.1 4711 \r\n",
        "PROXY TCP4 192.0.2.256 198.51.100.1 4711 443\r\n",
        "PROXY TCP4 192.0.2.07 198.51.100.1 4711 443\r\n",
        "PROXY TCP4 192.0.2 198.51.100.1 4711 443\r\n",
        "PROXY TCP4 192.0.2.7 elsewhere 4711 443\r\n",
        "PROXY TCP4 2001:db8::7 2001:db8::1 4711 443\r\n",
        "PROXY TCP6 192.0.2.7 198.51.100.1 4711 443\r\n",
        "PROXY TCP6 [2001:db8::7] [2001:db8::1] 4711 443\r\n",
        "PROXY TCP6 fe80::1%eth0 2001:db8::1 4711 443\r\n",
        "PROXY TCP6 2001:db8::7::1 2001:db8::1 4711 443\r\n",
        "PROXY TCP4 \u{661}92.0.2.7 198.51.100.1 4711 443\r\n",
    ] {
        assert_eq!(read(text.as_bytes()), Reading::Invalid, "{text:?}");
    }
    let long = |spaces: usize| format!("PROXY UNKNOWN{}\r\n", " ".repeat(spaces));
    assert!(matches!(read(long(MOST_TEXT - 15).as_bytes()), Reading::Complete(_)));
    let text = long(MOST_TEXT - 14);
    assert_eq!(read(text.as_bytes()), Reading::Invalid);
    assert_eq!(read(&text.as_bytes()[..MOST_TEXT]), Reading::Invalid, "its end can no more come");
}

#[test]
fn what_is_no_header_in_bytes_is_refused_before_its_content_comes() {
    let fixed = |version_and_command, kind, length: usize| {
        let length = u16::try_from(length).unwrap().to_be_bytes();
        [BINARY, &[version_and_command, kind], &length].concat()
    };
    for (version_and_command, kind, length) in [
        (0x22, TCP4, 12),
        (0x2f, TCP4, 12),
        (0x11, TCP4, 12),
        (0x31, TCP4, 12),
        (0x01, TCP4, 12),
        // Datagrams, and kinds that are half said or unknown.
        (0x21, 0x12, 12),
        (0x21, 0x22, 36),
        (0x21, 0x32, 216),
        (0x21, 0x10, 12),
        (0x21, 0x01, 12),
        (0x21, 0x41, 12),
        (0x21, TCP4, 0),
        (0x21, TCP4, 11),
        (0x21, TCP6, 35),
        (0x21, UNIX, 215),
        (0x21, TCP4, MOST_BINARY + 1),
        (0x21, UNSPECIFIED, 0xffff),
        (0x20, UNSPECIFIED, MOST_BINARY + 1),
    ] {
        let header = fixed(version_and_command, kind, length);
        assert_eq!(read(&header), Reading::Invalid, "{version_and_command:x} {kind:x} {length}");
    }
    for fields in [&[1][..], &[1, 0], &[1, 0, 1], &[1, 0, 0, 1], &[1, 0xff, 0xff, 0]] {
        let said = [&tcp4()[..], fields].concat();
        assert_eq!(read(&binary(0x21, TCP4, &said)), Reading::Invalid, "{fields:?}");
    }
    for other in [&b"\r\n\r\n\0\r\nQUIT\r"[..], b"\r\n\r\n\r\n", b"\n", b"\0"] {
        assert_eq!(read(other), Reading::Invalid, "{other:?}");
    }
}

proptest! {
    #[test]
    fn whatever_comes_is_read_within_bounds(
        (signature, more) in (
            prop::sample::select(vec![&b""[..], TEXT, b"PROXY TCP4 ", b"PROXY TCP6 ", BINARY]),
            prop::collection::vec(any::<u8>(), 0..300),
        )
    ) {
        let bytes = [signature, &more].concat();
        match read(&bytes) {
            Reading::Complete(header) => {
                prop_assert!(header.bytes <= bytes.len());
                // What follows it changes nothing, and nothing less is enough.
                prop_assert_eq!(read(&bytes[..header.bytes]), Reading::Complete(header));
                let shorter = read(&bytes[..header.bytes - 1]);
                prop_assert!(matches!(shorter, Reading::Incomplete(_)));
            }
            Reading::Incomplete(least) => {
                prop_assert!(bytes.len() < least && least <= 16 + MOST_BINARY);
            }
            Reading::Invalid => {
                let longer = [&bytes, &b"\r\n"[..]].concat();
                prop_assert_eq!(read(&longer), Reading::Invalid);
            }
        }
    }
}
