//! The path of an operation as configuration writes it: `/orders/{id}`, `/files/*`.
//!
//! Text comes in, a [`Pattern`] goes out; literal segments are held to the rules of
//! [`CanonPath`], so that a pattern that no request can ever match is an error and not a surprise.
//! [`Pattern::matches`] states what matching means, one pattern at a time;
//! [`Operations`](super::Operations) finds the same answer among many.

use super::literal::Literal;
use super::path::{CanonPath, PathError};

/// An absolute path in which a segment may be a name or, at the end, a star
///
/// `{name}` stands for one segment that is not empty, a last `*` for one or more segments of which
/// the first is not empty. A slash at the end is meant: `/orders/` matches `/orders/` alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    segments: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    Literal(Literal),
    Name(Box<str>),
    /// Always the last one
    Rest,
}

impl Segment {
    /// Whether it is what follows a slash at the end
    fn is_empty(&self) -> bool {
        matches!(self, Self::Literal(literal) if literal.is(""))
    }
}

/// What a segment is; the more specific is less
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Literal,
    Name,
    Rest,
}

impl Pattern {
    /// The most segments that a pattern may have: each is one step down a tree that is walked by
    /// recursion
    pub const MOST_SEGMENTS: usize = 128;

    /// Reads a pattern; escapes in its literals are made canonical
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        if text.is_empty() {
            return Err(PatternError::Empty);
        }
        let relative = text.strip_prefix('/').ok_or(PatternError::NotAbsolute)?;
        if relative.split('/').nth(Self::MOST_SEGMENTS).is_some() {
            return Err(PatternError::TooDeep);
        }
        let mut pattern = Self { text: String::with_capacity(text.len()), segments: Vec::new() };
        let mut at = 0;
        for written in relative.split('/') {
            pattern.push(written, at, at + 1 + written.len() == text.len())?;
            at += 1 + written.len();
        }
        Ok(pattern)
    }

    /// The pattern with its escapes made canonical
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether `path` is one of those that this pattern stands for
    pub fn matches(&self, path: &CanonPath<'_>) -> bool {
        let mut given = path.segments();
        for segment in &self.segments {
            let Some(given) = given.next() else { return false };
            match segment {
                Segment::Literal(literal) if literal.is(given) => {}
                Segment::Name(_) if !given.is_empty() => {}
                Segment::Rest => return !given.is_empty(),
                _ => return false,
            }
        }
        given.next().is_none()
    }

    /// Whether some path is one that both patterns stand for
    pub fn meets(&self, other: &Self) -> bool {
        let (mut ours, mut theirs) = (self.segments.iter(), other.segments.iter());
        loop {
            match (ours.next(), theirs.next()) {
                (None, None) => return true,
                (Some(Segment::Rest), Some(one)) | (Some(one), Some(Segment::Rest)) => {
                    return !one.is_empty();
                }
                (Some(Segment::Literal(one)), Some(Segment::Literal(two))) if one == two => {}
                (Some(Segment::Name(_)), Some(one)) | (Some(one), Some(Segment::Name(_)))
                    if !one.is_empty() => {}
                _ => return false,
            }
        }
    }

    /// Whether every path that it stands for is one of the other's too
    pub fn lies_in(&self, other: &Self) -> bool {
        let (mut ours, mut theirs) = (self.segments.iter(), other.segments.iter());
        loop {
            match (ours.next(), theirs.next()) {
                (None, None) => return true,
                (Some(one), Some(Segment::Rest)) => return !one.is_empty(),
                (Some(Segment::Literal(one)), Some(Segment::Literal(two))) if one == two => {}
                (Some(one @ (Segment::Literal(_) | Segment::Name(_))), Some(Segment::Name(_)))
                    if !one.is_empty() => {}
                _ => return false,
            }
        }
    }

    pub(super) fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The kinds of its segments, a slash at the end aside: of two patterns that stand for one path, the
    /// one whose kinds are less is the more specific
    pub(super) fn kinds(&self) -> Box<[Kind]> {
        let kind = |segment: &Segment| match segment {
            Segment::Literal(_) => Kind::Literal,
            Segment::Name(_) => Kind::Name,
            Segment::Rest => Kind::Rest,
        };
        let slash = self.segments.last().is_some_and(Segment::is_empty);
        let count = self.segments.len() - usize::from(slash);
        self.segments.iter().take(count).map(kind).collect()
    }

    /// Adds the segment `written` behind the slash at `slash`
    fn push(&mut self, written: &str, slash: usize, last: bool) -> Result<(), PatternError> {
        self.text.push('/');
        if written.contains(['{', '}']) {
            let name = name(written)?;
            if self.segments.iter().any(|s| matches!(s, Segment::Name(known) if **known == *name)) {
                return Err(PatternError::NameTwice { name: name.to_owned() });
            }
            self.text.push_str(written);
            self.segments.push(Segment::Name(name.into()));
        } else if written == "*" && last {
            self.text.push('*');
            self.segments.push(Segment::Rest);
        } else if written.contains('*') {
            return Err(PatternError::Star { segment: written.to_owned() });
        } else if written.is_empty() && !last {
            return Err(PatternError::EmptySegment { at: slash + 1 });
        } else {
            let alone = format!("/{written}");
            let canon = CanonPath::parse(&alone)
                .map_err(|error| PatternError::Literal { segment: written.to_owned(), error })?;
            self.text.push_str(canon.relative());
            self.segments.push(Segment::Literal(Literal::of(canon.relative())));
        }
        Ok(())
    }
}

/// The name in `{name}`
fn name(written: &str) -> Result<&str, PatternError> {
    written
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        .filter(|name| !name.is_empty())
        .filter(|name| name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b)))
        .ok_or_else(|| PatternError::Name { segment: written.to_owned() })
}

/// Why a text is no pattern
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Nothing was written
    #[error("the path is empty")]
    Empty,
    /// Two slashes in a row
    #[error("an empty segment at byte {at}")]
    EmptySegment {
        /// Where the second slash stands
        at: usize,
    },
    /// A literal segment that no request's path can have
    #[error("no path has the segment `{segment}`: {error}")]
    Literal {
        /// The segment as written
        segment: String,
        /// What a request with it would be refused for; counted from the slash before it
        error: PathError,
    },
    /// Braces that do not enclose one whole segment's name
    #[error(
        "`{segment}` is no `{{name}}`: braces enclose a whole segment, of letters, digits, `-`, `.` and `_`"
    )]
    Name {
        /// The segment as written
        segment: String,
    },
    /// Two segments of one name
    #[error("`{{{name}}}` stands there twice")]
    NameTwice {
        /// The name
        name: String,
    },
    /// The path does not begin with `/`
    #[error("the path does not begin with `/`")]
    NotAbsolute,
    /// A star that is not the whole last segment
    #[error("`*` in `{segment}`: it is the whole last segment or, as a character, `%2A`")]
    Star {
        /// The segment as written
        segment: String,
    },
    /// More than [`Pattern::MOST_SEGMENTS`]
    #[error("more than {} segments", Pattern::MOST_SEGMENTS)]
    TooDeep,
}

#[cfg(test)]
mod tests;
