//! Paths that are bent: every trick in every place of public and protected paths.

use std::collections::BTreeSet;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// What is bent.
#[rustfmt::skip]
const BASES: &[&str] = &[
    "/orders/1", "/open/x", "/open/x/y", "/open/admin/1", "/open/private",
];

/// Segments that some server takes for a dot segment, or for nothing.
#[rustfmt::skip]
const DOTS: &[&str] = &[
    ".", "..", "...", "%2e", "%2E%2e", ".%2e", "%2e.", "%252e%252e", "%c0%ae%c0%ae", "%e0%80%ae%e0%80%ae",
    "%EF%BC%8E%EF%BC%8E", "%E2%80%A5", "%u002e%u002e", "..;", "..;x=1", ";", "..%3b", "..%00", "..%20",
    "..%09", "%2e%2e;", "..%0d%0a", ". .", "%20..", "..%ff", "..%5c", "..\\", "\\..", "%uff0e%uff0e",
];

/// What some server takes for the end of a segment.
#[rustfmt::skip]
const SLASHES: &[&str] = &[
    "/", "//", "/./", "%2f", "%2F", "%252f", "%5c", "\\", "%255c", "%c0%af", "%e0%80%af", "%EF%BC%8F",
    "%E2%88%95", "%E2%81%84", "%u2215", ";/", "/;/", "/%20/", "/%09/", "/.;/", "%00/", "%2f/", "/%2f",
    "\\/", "%3b/",
];

/// What some server leaves off at the end of a segment.
#[rustfmt::skip]
const ENDS: &[&str] = &[
    "/", "//", "/.", "/..", "/./", ".", "%2e", "..", "%20", "%09", "%00", "%0a", "%0d%0a", "%ff", "%c2%a0",
    "%e3%80%80", ";", ";x=1", "%3b", "%3bx", "\\", "%5c", "%2f", "%3f", "%3fq", "%23", "%23x", "%25",
    "%2500", "%252e", "%", "%z", "%2", "::$DATA", "~1", "*", ".json", "%7e", "%E2%80%A4", "%EF%BC%8E",
    "%C2%AD", ",", "@", ":80", "%40",
];

/// All of them, each once.
pub fn spellings() -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for base in BASES {
        all.insert((*base).to_owned());
        bend_segments(base, &mut all);
        bend_letters(base, &mut all);
    }
    lead_astray(&mut all);
    // What an origin-form target cannot hold is for the tables of targets.
    all.retain(|path| !path.contains([' ', '?', '#']) && path.starts_with('/'));
    all
}

fn bend_segments(base: &str, all: &mut BTreeSet<String>) {
    for (at, _) in base.match_indices('/').chain([(base.len(), "")]) {
        let (before, behind) = base.split_at(at);
        let rest = behind.strip_prefix('/').unwrap_or_default();
        all.extend(DOTS.iter().map(|dots| format!("{before}/{dots}{behind}")));
        all.extend(ENDS.iter().map(|end| format!("{before}{end}{behind}")));
        for slash in SLASHES {
            all.insert(format!("{before}{slash}{rest}"));
            // Down something and up again.
            all.extend(DOTS.iter().map(|dots| format!("{before}/x{slash}{dots}{behind}")));
        }
    }
}

fn bend_letters(base: &str, all: &mut BTreeSet<String>) {
    for (at, letter) in base.char_indices().skip(1).filter(|(_, letter)| *letter != '/') {
        let (before, behind) = (&base[..at], &base[at + 1..]);
        let byte = u32::from(letter);
        let wide = char::from_u32(byte - 0x21 + 0xff01).unwrap().to_string();
        for letter in [
            format!("%{byte:02x}"),
            format!("%{byte:02X}"),
            format!("%25{byte:02x}"),
            format!("%u00{byte:02x}"),
            letter.to_ascii_uppercase().to_string(),
            utf8_percent_encode(&wide, NON_ALPHANUMERIC).to_string(),
            // In two octets where one is enough.
            format!("%{:02x}%{:02x}", 0xc0 | (byte >> 6), 0x80 | (byte & 0x3f)),
        ] {
            all.insert(format!("{before}{letter}{behind}"));
        }
    }
}

/// From what is public to what is not, and back.
fn lead_astray(all: &mut BTreeSet<String>) {
    for dots in DOTS {
        for slash in SLASHES {
            all.insert(format!("/open{slash}{dots}{slash}orders/1"));
            all.insert(format!("/open{slash}{dots}/orders/1"));
            all.insert(format!("/open/{dots}{slash}orders/1"));
            all.insert(format!("/open/x{slash}{dots}{slash}admin/1"));
            all.insert(format!("/open/x{slash}{dots}{slash}private"));
            all.insert(format!("/orders{slash}{dots}{slash}open/x"));
        }
    }
}
