//! What an operation is listed under: `GET /orders/{id}`.
//!
//! Methods, spaces, a path: the text of `on` in configuration becomes the two things that
//! [`Operations`](super::Operations) is built from.

use super::methods::{Methods, MethodsError};
use super::pattern::{Pattern, PatternError};

/// Methods and path of an operation
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct On {
    /// Which methods
    pub methods: Methods,
    /// Which paths
    pub pattern: Pattern,
}

impl On {
    /// Reads methods and a path with one or more spaces between
    pub fn parse(text: &str) -> Result<Self, OnError> {
        let (methods, path) = text.split_once(' ').ok_or(OnError::OnePart)?;
        Ok(Self {
            methods: Methods::parse(methods)?,
            pattern: Pattern::parse(path.trim_start_matches(' '))?,
        })
    }
}

/// Why a text is nothing to list an operation under
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OnError {
    /// The part before the space
    #[error(transparent)]
    Methods(#[from] MethodsError),
    /// No space in it
    #[error("methods and a path are needed, as in `GET /orders/{{id}}`")]
    OnePart,
    /// The part behind the space
    #[error(transparent)]
    Pattern(#[from] PatternError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_and_path_stand_apart_by_spaces() {
        let on = On::parse("POST,PUT   /orders/*").unwrap();
        assert_eq!(on.methods, Methods::parse("POST,PUT").unwrap());
        assert_eq!(on.pattern, Pattern::parse("/orders/*").unwrap());
        assert_eq!(On::parse("* /x").unwrap().methods, Methods::Any);
    }

    #[test]
    fn what_is_lacking_is_named() {
        for (text, error) in [
            ("", OnError::OnePart),
            ("GET", OnError::OnePart),
            ("/orders", OnError::OnePart),
            ("GET\t/orders", OnError::OnePart),
            (" /orders", MethodsError::Empty.into()),
            ("GET ", PatternError::Empty.into()),
            ("POST, PUT /orders", MethodsError::Empty.into()),
            ("GET POST /orders", PatternError::NotAbsolute.into()),
        ] {
            assert_eq!(On::parse(text), Err(error), "{text}");
        }
        assert!(matches!(On::parse("GET /a "), Err(OnError::Pattern(_))));
    }
}
