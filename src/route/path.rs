//! A path in its one canonical spelling.
//!
//! In comes the path of a request target as it was sent, without query. Out goes a [`CanonPath`],
//! which is both matched and forwarded, or the reason why the path could mean two things.
//! Escapes of unreserved characters are decoded and the others upper-cased (RFC 3986 section
//! 6.2.2); nothing else is repaired. What a server further on might read differently – dot
//! segments, `//`, `;`, encoded delimiters, bytes that are not UTF-8 – is refused, never resolved.

use std::borrow::Cow;
use std::ops::Range;

use super::lookalike::is_lookalike;

/// A path with one reading: the proof that [`CanonPath::parse`] found nothing to doubt
///
/// It begins with `/`, has no empty segment but perhaps the last, no dot segment, and spells every
/// character in one way. Parsing it again gives it back unchanged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CanonPath<'a>(Cow<'a, str>);

impl<'a> CanonPath<'a> {
    /// Reads the path of a request target; borrows it when it is canonical already
    ///
    /// Refused besides what the variants of [`PathError`] say plainly: raw characters that RFC 3986
    /// section 3.3 keeps out of paths. Letters outside ASCII pass where they are escaped, valid
    /// UTF-8, and do not become path syntax under Unicode's compatibility forms: full-width
    /// `%EF%BD%82` is a name of its own, different from `b`, full-width `%EF%BC%8F` (`／`) is refused.
    pub fn parse(raw: &'a str) -> Result<Self, PathError> {
        let bytes = raw.as_bytes();
        if bytes.first() != Some(&b'/') {
            return Err(PathError::NotAbsolute);
        }
        let mut canon = Rewrite::of(raw);
        let mut segment = Segment::begin(1);
        let mut at = 1;
        while let Some(&byte) = bytes.get(at) {
            let start = at;
            match byte {
                b'/' => {
                    segment.end(At::Slash(at))?;
                    at += 1;
                    segment = Segment::begin(at);
                }
                b'%' => {
                    let letter = escaped(bytes, at)?;
                    at += 3 * letter.len_utf8();
                    canon.escape(start..at, letter);
                    segment.push(letter);
                }
                _ => {
                    segment.push(plain(raw, at)?);
                    at += 1;
                }
            }
        }
        segment.end(At::End)?;
        Ok(Self(canon.finish()))
    }

    /// The canonical text, as it is forwarded
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same path, for as long as somebody wants to ask about it
    #[must_use]
    pub fn to_owned(&self) -> CanonPath<'static> {
        CanonPath(Cow::Owned(self.as_str().to_owned()))
    }

    /// The same path, borrowed
    pub fn borrowed(&self) -> CanonPath<'_> {
        CanonPath(Cow::Borrowed(self.as_str()))
    }

    /// What stands between the slashes; the last one is empty where the path ends in a slash
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.relative().split('/')
    }

    /// The path without its leading slash
    pub(super) fn relative(&self) -> &str {
        self.0.strip_prefix('/').unwrap_or_default()
    }
}

/// Why a path has no one canonical spelling; `at` counts bytes of the path as it was sent
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// `%` without two hexadecimal digits
    #[error("`%` without two hexadecimal digits at byte {at}")]
    BadEscape {
        /// Where the `%` stands
        at: usize,
    },
    /// A control character, raw or escaped; NUL and DEL too
    #[error("a control character at byte {at}")]
    Control {
        /// Where it stands
        at: usize,
    },
    /// A segment of dots alone, in any encoding
    #[error("a dot segment at byte {at}")]
    DotSegment {
        /// Where the segment begins
        at: usize,
    },
    /// Two slashes in a row
    #[error("an empty segment at byte {at}")]
    EmptySegment {
        /// Where the second slash stands
        at: usize,
    },
    /// An escaped character that a second decoding would turn into syntax: `/ \ ; ? # %`
    #[error("an escaped `{found}` at byte {at}")]
    Escaped {
        /// Where its escape begins
        at: usize,
        /// What the escape spells
        found: char,
    },
    /// Escaped octets that are not UTF-8, overlong forms and surrogates included
    #[error("escaped octets that are not UTF-8 at byte {at}")]
    InvalidUtf8 {
        /// Where the first of them begins
        at: usize,
    },
    /// An escaped character that Unicode normalisation would turn into syntax
    #[error("`{found}`, which can turn into path syntax, at byte {at}")]
    Lookalike {
        /// Where its escapes begin
        at: usize,
        /// What the escapes spell
        found: char,
    },
    /// The path does not begin with `/`
    #[error("the path does not begin with `/`")]
    NotAbsolute,
    /// A segment that ends in a dot, which some file systems drop
    #[error("a trailing dot in the segment at byte {at}")]
    TrailingDot {
        /// Where the segment begins
        at: usize,
    },
    /// A segment that ends in white space, which some file systems drop
    #[error("trailing white space in the segment at byte {at}")]
    TrailingSpace {
        /// Where the segment begins
        at: usize,
    },
    /// A raw character that has no place in a path, or none that all servers agree on, as `;` and `\`
    #[error("a raw `{found}` at byte {at}")]
    Unescaped {
        /// Where it stands
        at: usize,
        /// The character
        found: char,
    },
}

/// The character that stands unescaped at `at`
fn plain(raw: &str, at: usize) -> Result<char, PathError> {
    // Every byte before `at` was ASCII, so a character begins here.
    let found = raw.get(at..).and_then(|rest| rest.chars().next()).unwrap_or_default();
    match found {
        letter if is_unreserved(letter) => Ok(letter),
        // The rest of RFC 3986's `pchar`, except `;`: some servers cut parameters off there.
        '!' | '$' | '&' | '\'' | '(' | ')' | '*' | '+' | ',' | '=' | ':' | '@' => Ok(found),
        _ if found.is_control() => Err(PathError::Control { at }),
        _ => Err(PathError::Unescaped { at, found }),
    }
}

/// The character that the escapes from `at` on spell: one octet, or a whole UTF-8 sequence
fn escaped(bytes: &[u8], at: usize) -> Result<char, PathError> {
    let first = octet(bytes, at).ok_or(PathError::BadEscape { at })?;
    let invalid = PathError::InvalidUtf8 { at };
    let length = match first {
        0..=0x7F => 1,
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => return Err(invalid),
    };
    let mut sequence = [0; 4];
    for (slot, position) in sequence.iter_mut().zip((at..).step_by(3)).take(length) {
        *slot = octet(bytes, position).ok_or_else(|| invalid.clone())?;
    }
    let text = sequence.get(..length).and_then(|octets| str::from_utf8(octets).ok());
    let found = text.and_then(|text| text.chars().next()).ok_or(invalid)?;
    match found {
        '/' | '\\' | ';' | '?' | '#' | '%' => Err(PathError::Escaped { at, found }),
        _ if found.is_control() => Err(PathError::Control { at }),
        _ if is_lookalike(found) => Err(PathError::Lookalike { at, found }),
        _ => Ok(found),
    }
}

/// The octet that `%XX` at `at` stands for
fn octet(bytes: &[u8], at: usize) -> Option<u8> {
    let [b'%', high, low] = bytes.get(at..at.checked_add(3)?)? else { return None };
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

/// RFC 3986 section 2.3: those that mean the same escaped and not
fn is_unreserved(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.' | '_' | '~')
}

/// What has been seen of the segment that is being read
struct Segment {
    at: usize,
    last: Option<char>,
    dots_alone: bool,
}

/// What ended a segment
#[derive(Clone, Copy)]
enum At {
    End,
    Slash(usize),
}

impl Segment {
    fn begin(at: usize) -> Self {
        Self { at, last: None, dots_alone: true }
    }

    fn push(&mut self, letter: char) {
        self.dots_alone &= letter == '.';
        self.last = Some(letter);
    }

    fn end(&self, by: At) -> Result<(), PathError> {
        let at = self.at;
        match (self.last, by) {
            (None, At::Slash(at)) => Err(PathError::EmptySegment { at }),
            (Some('.'), _) if self.dots_alone => Err(PathError::DotSegment { at }),
            (Some('.'), _) => Err(PathError::TrailingDot { at }),
            (Some(last), _) if last.is_whitespace() => Err(PathError::TrailingSpace { at }),
            _ => Ok(()),
        }
    }
}

/// The canonical text, which is the raw one until something in it has to change
struct Rewrite<'a> {
    raw: &'a str,
    copied: usize,
    text: String,
}

impl<'a> Rewrite<'a> {
    fn of(raw: &'a str) -> Self {
        Self { raw, copied: 0, text: String::new() }
    }

    /// Spells what stands at `span` and means `letter` canonically
    fn escape(&mut self, span: Range<usize>, letter: char) {
        let written = self.raw.get(span.clone()).unwrap_or_default();
        let decode = is_unreserved(letter);
        if !decode && !written.bytes().any(|byte| byte.is_ascii_lowercase()) {
            return;
        }
        self.text.push_str(self.raw.get(self.copied..span.start).unwrap_or_default());
        if decode {
            self.text.push(letter);
        } else {
            self.text.extend(written.chars().map(|digit| digit.to_ascii_uppercase()));
        }
        self.copied = span.end;
    }

    fn finish(mut self) -> Cow<'a, str> {
        if self.copied == 0 {
            return Cow::Borrowed(self.raw);
        }
        self.text.push_str(self.raw.get(self.copied..).unwrap_or_default());
        Cow::Owned(self.text)
    }
}

#[cfg(test)]
mod tests;
