//! The methods of an operation: `GET`, `POST,PUT`, or `*`.
//!
//! Method tokens are case-sensitive (RFC 9110 section 9.1): `get` in configuration is an error and
//! not another spelling, and `get` in a request is a method that nobody listed.

use http::Method;

/// Which methods an operation answers to
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Methods {
    /// `*`
    Any,
    /// Those written, in their order; `GET` among them covers `HEAD`
    Listed(Vec<Method>),
}

impl Methods {
    /// Reads `*`, or methods joined by commas
    pub fn parse(text: &str) -> Result<Self, MethodsError> {
        if text == "*" {
            return Ok(Self::Any);
        }
        let mut listed = Vec::new();
        for token in text.split(',') {
            let method = method(token)?;
            if listed.contains(&method) {
                return Err(MethodsError::Twice { method });
            }
            listed.push(method);
        }
        Ok(Self::Listed(listed))
    }

    /// Whether a request with `method` is meant; `HEAD` is wherever `GET` is (RFC 9110 section 9.3.2)
    pub fn covers(&self, method: &Method) -> bool {
        match self {
            Self::Any => true,
            Self::Listed(listed) => {
                listed.contains(method) || *method == Method::HEAD && listed.contains(&Method::GET)
            }
        }
    }

    /// Whether every method that is meant here is meant there too
    pub fn lie_in(&self, other: &Self) -> bool {
        match (self, other) {
            (_, Self::Any) => true,
            (Self::Any, Self::Listed(_)) => false,
            (Self::Listed(listed), other) => listed.iter().all(|method| other.covers(method)),
        }
    }

    /// Whether some method is meant by both
    pub fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) | (_, Self::Any) => true,
            (Self::Listed(one), Self::Listed(two)) => {
                one.iter().any(|m| other.covers(m)) || two.iter().any(|m| self.covers(m))
            }
        }
    }
}

fn method(token: &str) -> Result<Method, MethodsError> {
    if token.is_empty() {
        return Err(MethodsError::Empty);
    }
    let not_one = || MethodsError::NotAMethod { found: token.to_owned() };
    // The parser of `http` is the one that reads requests: what it takes can be matched.
    let method = Method::from_bytes(token.as_bytes()).map_err(|_| not_one())?;
    if token.bytes().any(|byte| byte.is_ascii_lowercase()) {
        let (found, write) = (token.to_owned(), token.to_ascii_uppercase());
        return Err(MethodsError::LowerCase { found, write });
    }
    match method {
        Method::CONNECT | Method::TRACE => Err(MethodsError::Never { method }),
        _ if token.contains('*') => Err(not_one()),
        _ => Ok(method),
    }
}

/// Why a text names no methods
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MethodsError {
    /// Nothing where a method belongs
    #[error("a method is missing: write `GET`, `POST,PUT` without spaces, or `*`")]
    Empty,
    /// Methods are case-sensitive
    #[error("method `{found}`: write `{write}`")]
    LowerCase {
        /// What was written
        found: String,
        /// What is meant
        write: String,
    },
    /// A method that is refused before any operation is looked for
    #[error("method `{method}` is never forwarded")]
    Never {
        /// `CONNECT` or `TRACE`
        method: Method,
    },
    /// No token of RFC 9110, or a `*` beside something
    #[error("`{found}` is no method")]
    NotAMethod {
        /// What was written
        found: String,
    },
    /// One method more than once
    #[error("method `{method}` stands there twice")]
    Twice {
        /// The method
        method: Method,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn methods(text: &str) -> Methods {
        Methods::parse(text).unwrap()
    }

    #[test]
    fn get_covers_head_and_not_the_reverse() {
        assert!(methods("GET").covers(&Method::HEAD));
        assert!(methods("HEAD").covers(&Method::HEAD));
        assert!(!methods("HEAD").covers(&Method::GET));
        assert!(!methods("POST,PUT").covers(&Method::HEAD));
    }

    #[test]
    fn a_star_covers_every_method_and_a_list_its_own() {
        let purge = Method::from_bytes(b"PURGE").unwrap();
        assert!(methods("*").covers(&purge));
        assert!(methods("GET,PURGE").covers(&purge));
        assert!(!methods("GET").covers(&purge));
        assert!(!methods("GET").covers(&Method::from_bytes(b"get").unwrap()));
    }

    #[test]
    fn overlap_counts_head() {
        assert!(methods("GET").overlaps(&methods("HEAD")));
        assert!(methods("HEAD").overlaps(&methods("GET,POST")));
        assert!(methods("*").overlaps(&methods("DELETE")));
        assert!(!methods("GET,PUT").overlaps(&methods("POST,DELETE")));
    }

    #[test]
    fn what_names_no_methods_says_why() {
        let not_one = |found: &str| MethodsError::NotAMethod { found: found.into() };
        for (text, error) in [
            ("", MethodsError::Empty),
            ("GET,", MethodsError::Empty),
            (",GET", MethodsError::Empty),
            ("GET, PUT", not_one(" PUT")),
            ("GET,*", not_one("*")),
            ("G(T", not_one("G(T")),
            ("GÉT", not_one("GÉT")),
            ("CONNECT", MethodsError::Never { method: Method::CONNECT }),
            ("GET,TRACE", MethodsError::Never { method: Method::TRACE }),
            ("GET,GET", MethodsError::Twice { method: Method::GET }),
        ] {
            assert_eq!(Methods::parse(text), Err(error), "{text}");
        }
        let says = |text| Methods::parse(text).unwrap_err().to_string();
        assert_eq!(says("get"), "method `get`: write `GET`");
        assert_eq!(says("POST,Put"), "method `Put`: write `PUT`");
    }
}
