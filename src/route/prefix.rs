//! The path prefix that an API is served under.
//!
//! Text comes in, a [`Prefix`] goes out, which fits a path on whole segments: `/api` fits `/api`,
//! `/api/` and `/api/orders`, never `/apis`. What is left of the path behind it comes along for
//! those who forward without it.

use super::literal::Literal;
use super::path::{CanonPath, PathError};

/// A canonical path that others begin with
///
/// Two are equal when they fit the same paths, however their characters are escaped.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Prefix {
    segments: Vec<Literal>,
}

impl std::fmt::Display for Prefix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.segments.is_empty() {
            return f.write_str("/");
        }
        self.segments.iter().try_for_each(|segment| write!(f, "/{segment}"))
    }
}

impl Prefix {
    /// Reads a prefix; a slash at its end says nothing
    pub fn parse(text: &str) -> Result<Self, PrefixError> {
        if text.contains('*') {
            return Err(PrefixError::Wildcard);
        }
        let canon = CanonPath::parse(text)?;
        let relative = canon.relative();
        let relative = relative.strip_suffix('/').unwrap_or(relative);
        let segments = match relative {
            "" => Vec::new(),
            _ => relative.split('/').map(Literal::of).collect(),
        };
        Ok(Self { segments })
    }

    /// What is left of `path` behind this prefix, itself an absolute path; `None` where it does not fit
    pub fn strip<'p>(&self, path: &'p CanonPath<'_>) -> Option<&'p str> {
        self.strip_by(path, Literal::is)
    }

    /// Whether it would fit `path` if letters had no case
    pub(super) fn resembles(&self, path: &CanonPath<'_>) -> bool {
        self.strip_by(path, Literal::resembles).is_some()
    }

    fn strip_by<'p>(
        &self,
        path: &'p CanonPath<'_>,
        same: fn(&Literal, &str) -> bool,
    ) -> Option<&'p str> {
        let mut rest = path.as_str();
        for literal in &self.segments {
            let tail = rest.strip_prefix('/')?;
            let end = tail.find('/').unwrap_or(tail.len());
            let (segment, behind) = tail.split_at(end);
            if !same(literal, segment) {
                return None;
            }
            rest = behind;
        }
        Some(if rest.is_empty() { "/" } else { rest })
    }

    /// How many segments it has: of two that fit one path, the one with more is the longer
    pub(super) fn depth(&self) -> usize {
        self.segments.len()
    }
}

/// Why a text is no prefix
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrefixError {
    /// No canonical path
    #[error(transparent)]
    Path(#[from] PathError),
    /// A star in it
    #[error("a prefix has no `*`: it fits whatever lies below it")]
    Wildcard,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strip(prefix: &str, path: &'static str) -> Option<String> {
        let path = CanonPath::parse(path).unwrap();
        Prefix::parse(prefix).unwrap().strip(&path).map(str::to_owned)
    }

    #[test]
    fn a_prefix_fits_on_whole_segments() {
        for (prefix, path, rest) in [
            ("/", "/", Some("/")),
            ("/", "/a/b", Some("/a/b")),
            ("/api", "/api", Some("/")),
            ("/api", "/api/", Some("/")),
            ("/api", "/api/a/", Some("/a/")),
            ("/api/", "/api/a", Some("/a")),
            ("/api", "/apis", None),
            ("/api", "/", None),
            ("/api", "/API/a", None),
            ("/api/v1", "/api", None),
            ("/api/v1", "/api/v1/a", Some("/a")),
            ("/a@b", "/a%40b/c", Some("/c")),
        ] {
            assert_eq!(strip(prefix, path).as_deref(), rest, "{prefix} {path}");
        }
    }

    #[test]
    fn equal_prefixes_are_equal_in_every_spelling() {
        let prefix = |text| Prefix::parse(text).unwrap();
        assert_eq!(prefix("/api/"), prefix("/%61pi"));
        assert_eq!(prefix("/a%40b"), prefix("/a@b"));
        assert_ne!(prefix("/api"), prefix("/API"));
    }

    #[test]
    fn what_is_no_prefix_says_why() {
        for (text, error) in [
            ("", PathError::NotAbsolute.into()),
            ("api", PathError::NotAbsolute.into()),
            ("/api//", PathError::EmptySegment { at: 5 }.into()),
            ("/api/../x", PathError::DotSegment { at: 5 }.into()),
            ("/{tenant}", PathError::Unescaped { at: 1, found: '{' }.into()),
            ("/api/*", PrefixError::Wildcard),
        ] {
            assert_eq!(Prefix::parse(text), Err(error), "{text}");
        }
    }
}
