//! One path has one meaning: [`CanonPath`] and the tables that find operations and sites by it, against
//! references that decode everything first and then look at it.
//!
//! Input: the path on the first line; on the others what is listed, `GET /orders/{id}` for an operation,
//! `/orders` for a prefix that is served. Without any, a table that has every kind of pattern.

mod table;

use grantgate::route::CanonPath;

use self::table::Table;

const LISTED: &str = "GET /\nGET,PUT /orders/{id}\nPOST /orders/new\nDELETE /orders/*\n* /files/*\n\
    GET /files/read/\nGET /users/@me\nGET /a%20b/{x}/c\n/\n/orders\n/files/read";

pub fn check(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    let (raw, listed) = text.split_once('\n').unwrap_or((text, ""));
    let reference = reference(raw);
    let path = match CanonPath::parse(raw) {
        Ok(path) => path,
        Err(error) => {
            assert_eq!(reference, None, "refused: {error}");
            return;
        }
    };
    let segments = reference.expect("the reference refuses what was taken");
    assert_eq!(path.as_str(), spelled(&segments, canonical));
    assert_eq!(CanonPath::parse(path.as_str()).as_ref(), Ok(&path), "canonical already");
    assert!(path.segments().eq(path.as_str().split('/').skip(1)));

    let decoded = decoded(&segments);
    let table = Table::of(if listed.is_empty() { LISTED } else { listed });
    table.check(&path, &decoded);
    for write in OTHERWISE {
        let spelling = spelled(&segments, write);
        let other = CanonPath::parse(&spelling).expect("another spelling of a path that was taken");
        table.check(&other, &decoded);
    }
}

/// A letter of a segment, and whether it was escaped.
type Letter = (char, bool);

/// The segments of a path, decoded; none where it could be read in two ways.
fn reference(raw: &str) -> Option<Vec<Vec<Letter>>> {
    let segments: Option<Vec<_>> = raw.strip_prefix('/')?.split('/').map(letters).collect();
    let segments = segments?;
    for (index, segment) in segments.iter().enumerate() {
        let text: String = segment.iter().map(|(letter, _)| letter).collect();
        let is_last = index + 1 == segments.len();
        let is_clear = if text.is_empty() { is_last } else { !text.ends_with('.') };
        if !is_clear || text.trim_end() != text || !segment.iter().copied().all(is_plain) {
            return None;
        }
    }
    Some(segments)
}

/// Decodes a segment: every octet by itself, then all of them as UTF-8.
fn letters(segment: &str) -> Option<Vec<Letter>> {
    let mut octets: Vec<(u8, bool)> = Vec::new();
    let mut rest = segment;
    while let Some(first) = rest.chars().next() {
        if first == '%' {
            let digits = rest.get(1..3).filter(|two| two.chars().all(|c| c.is_ascii_hexdigit()))?;
            octets.push((u8::from_str_radix(digits, 16).ok()?, true));
            rest = &rest[3..];
        } else if first.is_ascii() {
            octets.push((first as u8, false));
            rest = &rest[1..];
        } else {
            return None;
        }
    }
    let text = String::from_utf8(octets.iter().map(|(octet, _)| *octet).collect()).ok()?;
    Some(text.char_indices().map(|(at, letter)| (letter, octets[at].1)).collect())
}

/// Whether nobody further on can take the letter for syntax.
fn is_plain((letter, escaped): Letter) -> bool {
    if escaped {
        let operators = ['\u{2044}', '\u{2215}', '\u{2216}'];
        !letter.is_control()
            && !"/\\;?#%".contains(letter)
            && !operators.contains(&letter)
            && !COMPATIBLE.contains(letter)
    } else {
        letter.is_ascii_alphanumeric() || "-._~!$&'()*+,=:@".contains(letter)
    }
}

/// What Unicode's compatibility forms (NFKC) turn into something with one of `. / \ ; % ? #`.
const COMPATIBLE: &str =
    "\u{37e}․‥…⁇⁈⁉℀℁℅℆⒈⒉⒊⒋⒌⒍⒎⒏⒐⒑⒒⒓⒔⒕⒖⒗⒘⒙⒚⒛㏂㏇㏘︔︖︙︰﹒﹔﹖﹟﹨﹪＃％．／；？＼🄀";

/// A path, each of its letters written by `write`.
fn spelled(segments: &[Vec<Letter>], write: fn(Letter) -> String) -> String {
    let mut path = String::new();
    for segment in segments {
        path.push('/');
        path.extend(segment.iter().copied().map(write));
    }
    path
}

/// The canonical spelling: escapes of unreserved letters are none, others are in capitals.
fn canonical((letter, escaped): Letter) -> String {
    let unreserved = letter.is_ascii_alphanumeric() || "-._~".contains(letter);
    if escaped && !unreserved { escape(letter) } else { letter.to_string() }
}

fn escape(letter: char) -> String {
    let octets = letter.to_string().into_bytes();
    octets.iter().map(|octet| format!("%{octet:02X}")).collect::<Vec<_>>().concat()
}

/// How else a client might spell a path: all of it escaped, in capitals or not; as little as may be.
const OTHERWISE: [fn(Letter) -> String; 3] = [
    |(letter, _)| escape(letter),
    |(letter, _)| escape(letter).to_ascii_lowercase(),
    |(letter, _)| if is_plain((letter, false)) { letter.to_string() } else { escape(letter) },
];

fn decoded(segments: &[Vec<Letter>]) -> Vec<String> {
    segments.iter().map(|segment| segment.iter().map(|(letter, _)| letter).collect()).collect()
}
