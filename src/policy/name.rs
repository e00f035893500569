//! Names that were checked when they were made: identifiers of APIs, applications, issuers, grants
//! and organizations. Two names are equal when their bytes are.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

/// Why a text is not a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing was written.
    #[error("is empty")]
    Empty,
    /// A character outside what this kind of name may hold.
    #[error("contains {0:?}, which is not allowed")]
    Character(char),
}

/// Whether `text` is a scope or client id: characters of RFC 6749's `scope-token`
/// (`%x21 / %x23-5B / %x5D-7E`), at least one.
pub fn is_name(text: &str) -> bool {
    check(text, is_name_character).is_ok()
}

fn is_name_character(character: char) -> bool {
    matches!(character, '\x21' | '\x23'..='\x5B' | '\x5D'..='\x7E')
}

fn is_printable(character: char) -> bool {
    matches!(character, '\x21'..='\x7E')
}

fn check(text: &str, allowed: fn(char) -> bool) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    match text.chars().find(|&character| !allowed(character)) {
        Some(character) => Err(NameError::Character(character)),
        None => Ok(()),
    }
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident: $allowed:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks `text` and keeps it.
            ///
            /// # Errors
            /// When it is empty or holds a character that such a name may not.
            pub fn new(text: &str) -> Result<Self, NameError> {
                check(text, $allowed)?;
                Ok(Self(text.into()))
            }

            /// The text as it was written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

names! {
    /// An API's identifier: what the token's `aud` names.
    Audience: is_printable;
    /// An application's id at its issuer (RFC 6749 section 2.2, in `scope-token` characters).
    ClientId: is_name_character;
    /// A client grant's id, as Auth0's `cgr_…` or as derived from the grant's key.
    GrantId: is_printable;
    /// An issuer, compared with `iss` byte for byte (RFC 9068 section 4).
    Issuer: is_printable;
    /// An organization's id (`org_id`).
    OrganizationId: is_printable;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_id_holds_scope_token_characters_only() {
        assert_eq!(ClientId::new(""), Err(NameError::Empty));
        for bad in ['"', '\\', ' ', '\x7f', 'é', '\t'] {
            assert_eq!(ClientId::new(&format!("a{bad}")), Err(NameError::Character(bad)));
        }
        assert_eq!(ClientId::new("!#[]~").unwrap().as_str(), "!#[]~");
    }
}
