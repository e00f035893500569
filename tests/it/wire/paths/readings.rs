//! What servers make of a path: the slow reference of the tests of paths.

use std::collections::BTreeSet;

/// Every way in which some server could take a path: each of these once, or several in any order.
pub fn readings(path: &str) -> BTreeSet<String> {
    let ways: [fn(&str) -> String; 9] = [
        decoded,
        unslashed,
        without_parameters,
        cut,
        resolved,
        unstacked,
        narrow,
        trimmed,
        unprintable_gone,
    ];
    let mut all = BTreeSet::from([path.to_owned()]);
    let mut fresh = vec![path.to_owned()];
    while let Some(path) = fresh.pop() {
        for way in ways {
            let other = way(&path);
            if all.len() < 500 && all.insert(other.clone()) {
                fresh.push(other);
            }
        }
    }
    all
}

/// Escapes once, overlong and `%u` ones too, every octet as a letter.
fn decoded(path: &str) -> String {
    let overlong = path.replace("%c0%ae", ".").replace("%e0%80%ae", ".").replace("%c0%af", "/");
    let overlong = overlong.replace("%e0%80%af", "/");
    let mut text = String::new();
    let mut rest = overlong.as_str();
    while let Some(at) = rest.find('%') {
        text.push_str(&rest[..at]);
        let escape = &rest[at + 1..];
        let (digits, length) = match escape.strip_prefix('u') {
            Some(digits) => (digits.get(..4), 6),
            None => (escape.get(..2), 3),
        };
        let letter = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        text.push(letter.map_or('%', |letter| char::from_u32(letter).unwrap_or('\u{fffd}')));
        rest = if letter.is_some() { &rest[at + length..] } else { escape };
    }
    // Octets that were UTF-8 are it again.
    let whole = text + rest;
    let octets: Option<Vec<u8>> =
        whole.chars().map(|letter| u8::try_from(u32::from(letter)).ok()).collect();
    octets.and_then(|octets| String::from_utf8(octets).ok()).unwrap_or(whole)
}

fn unslashed(path: &str) -> String {
    path.replace('\\', "/")
}

fn without_parameters(path: &str) -> String {
    let segments = path.split('/').map(|segment| segment.split(';').next().unwrap_or_default());
    segments.collect::<Vec<_>>().join("/")
}

/// What some servers take for the path's end.
fn cut(path: &str) -> String {
    path.split(['\0', '?', '#', '\r', '\n']).next().unwrap_or_default().to_owned()
}

fn resolved(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/').skip(1) {
        match segment {
            "." => {}
            ".." => drop(segments.pop()),
            other => segments.push(other),
        }
    }
    format!("/{}", segments.join("/"))
}

fn unstacked(path: &str) -> String {
    let mut path = path.to_owned();
    while path.contains("//") {
        path = path.replace("//", "/");
    }
    path
}

/// Full-width letters, and others that stand for path syntax, as those of ASCII.
fn narrow(path: &str) -> String {
    let letters = path.chars().map(|letter| match letter {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(letter) - 0xff01 + 0x21).unwrap(),
        '\u{2215}' | '\u{2044}' => '/',
        '\u{2024}' => '.',
        other => other,
    });
    letters.collect::<String>().replace('\u{2025}', "..")
}

/// What some file systems drop at the end of a name.
fn trimmed(path: &str) -> String {
    let name = |segment: &str| match segment {
        "." | ".." => segment.to_owned(),
        other => other.trim().trim_end_matches(['.', ' ']).to_owned(),
    };
    path.trim_end_matches('/').split('/').map(name).collect::<Vec<_>>().join("/")
}

/// Characters that some servers drop.
fn unprintable_gone(path: &str) -> String {
    path.chars().filter(|letter| !letter.is_control()).collect()
}
