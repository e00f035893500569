//! From a request's `Authorization` values and raw query to the one credential that it carries.
//!
//! `Authorization: Bearer` counts (RFC 6750 section 2.1), and in a WebSocket's handshake the subprotocol
//! `grantgate.bearer.<token>`, as far as the gate lets it: a browser's page cannot send the former there. A token in the query alone is no
//! credential; beside the header it makes the request ambiguous, since what stands behind the gate
//! could prefer it. The token is not looked into here.

use std::fmt;
use std::sync::Arc;

use percent_encoding::percent_decode_str;

use super::{Parsed, TokenError};

/// The longest token that is read, in bytes.
pub(super) const MAX_TOKEN: usize = 8 * 1024;

/// The text of a bearer token, and how it came. It does not print.
#[derive(Clone, Copy)]
pub struct Credential<'a> {
    token: &'a str,
    way: Way<'a>,
}

/// How a credential came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way<'a> {
    /// As `Authorization`.
    Header,
    /// As a subprotocol of a WebSocket's handshake, from a page of this origin.
    Subprotocol {
        /// The one `Origin` of the handshake, as it came.
        origin: Option<&'a [u8]>,
    },
}

impl<'a> Credential<'a> {
    /// What stands for the credential of a token that is but supposed.
    pub fn supposed() -> Self {
        Self { token: "", way: Way::Header }
    }

    /// The token itself.
    pub fn token(self) -> &'a str {
        self.token
    }

    /// How it came.
    pub fn way(self) -> Way<'a> {
        self.way
    }
}

impl fmt::Debug for Credential<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(..)")
    }
}

/// What a request carried as its credential, for those who ask about it again when the request is gone.
/// It does not print.
pub struct KeptCredential(Result<Option<Kept>, TokenError>);

struct Kept {
    token: KeptToken,
    way: KeptWay,
}

enum KeptToken {
    /// Shared with the cache of verified tokens, most of the time.
    Parsed(Arc<Parsed>),
    /// One that nobody has looked into, or that cannot be read.
    Text(Box<str>),
}

enum KeptWay {
    Header,
    Subprotocol { origin: Option<Box<[u8]>> },
}

impl KeptCredential {
    /// Keeps `credential`; `parsed` is its token, where it was taken apart.
    pub fn new(
        credential: Result<Option<Credential<'_>>, TokenError>,
        parsed: Option<&Arc<Parsed>>,
    ) -> Self {
        let kept = |credential: Credential<'_>| Kept {
            token: match parsed {
                Some(parsed) if parsed.text() == credential.token => {
                    KeptToken::Parsed(parsed.clone())
                }
                Some(_) | None => KeptToken::Text(credential.token.into()),
            },
            way: match credential.way {
                Way::Header => KeptWay::Header,
                Way::Subprotocol { origin } => {
                    KeptWay::Subprotocol { origin: origin.map(Into::into) }
                }
            },
        };
        Self(credential.map(|credential| credential.map(kept)))
    }

    /// The credential as it came.
    pub fn credential(&self) -> Result<Option<Credential<'_>>, TokenError> {
        let kept = self.0.as_ref().map_err(|error| *error)?;
        Ok(kept.as_ref().map(|Kept { token, way }| Credential {
            token: match token {
                KeptToken::Parsed(parsed) => parsed.text(),
                KeptToken::Text(text) => text,
            },
            way: match way {
                KeptWay::Header => Way::Header,
                KeptWay::Subprotocol { origin } => Way::Subprotocol { origin: origin.as_deref() },
            },
        }))
    }

    /// Its token, where it was taken apart.
    pub fn parsed(&self) -> Option<&Arc<Parsed>> {
        match &self.0 {
            Ok(Some(Kept { token: KeptToken::Parsed(parsed), .. })) => Some(parsed),
            Ok(_) | Err(_) => None,
        }
    }
}

impl fmt::Debug for KeptCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeptCredential(..)")
    }
}

/// The credential of a request, when it carries one. `authorization` holds the value of every
/// `Authorization` header field, `query` the target's query as it came.
///
/// # Errors
/// [`TokenError::Ambiguous`] when there are several, [`TokenError::TooLarge`], and
/// [`TokenError::Malformed`] when what follows `Bearer` is no `b64token`.
pub fn credential<'a>(
    mut authorization: impl Iterator<Item = &'a [u8]>,
    query: Option<&str>,
) -> Result<Option<Credential<'a>>, TokenError> {
    let Some(value) = authorization.next() else {
        return Ok(None);
    };
    if authorization.next().is_some() {
        return Err(TokenError::Ambiguous);
    }
    // Nearly every request: one token, in which no comma can be.
    if let Some(token) = bearer(value).filter(|token| is_b64token(token)) {
        return match str::from_utf8(token) {
            _ if query.is_some_and(is_in_query) => Err(TokenError::Ambiguous),
            _ if token.len() > MAX_TOKEN => Err(TokenError::TooLarge),
            Ok(token) => Ok(Some(Credential { token, way: Way::Header })),
            Err(_) => Err(NO_TOKEN),
        };
    }
    // Other schemes have commas of their own: among them only a Bearer in the list is a second one.
    let mut listed = value.split(|&byte| byte == b',');
    let Some(token) = listed.next().and_then(bearer) else {
        return if listed.any(|part| bearer(part).is_some()) {
            Err(TokenError::Ambiguous)
        } else {
            Ok(None)
        };
    };
    if listed.next().is_some() || query.is_some_and(is_in_query) {
        return Err(TokenError::Ambiguous);
    }
    Err(if token.len() > MAX_TOKEN { TokenError::TooLarge } else { NO_TOKEN })
}

/// What the name of a subprotocol begins with that carries a token, in any case.
pub const OFFERED: &str = "grantgate.bearer.";

/// The token that a subprotocol carries, when it carries one.
pub fn offered(protocol: &str) -> Option<&str> {
    let (name, token) = protocol.split_at_checked(OFFERED.len())?;
    name.eq_ignore_ascii_case(OFFERED).then_some(token)
}

/// The credential of a WebSocket's handshake, where `offered` are the tokens of its subprotocols and
/// `origin` is the page's that offers them. Whether that way counts is not said here.
///
/// # Errors
/// Those of [`credential`]; a token that is offered twice, or beside any other credential, is ambiguous.
pub fn credential_of_handshake<'a>(
    mut offered: impl Iterator<Item = &'a str>,
    origin: Option<&'a [u8]>,
    mut authorization: impl Iterator<Item = &'a [u8]>,
    query: Option<&str>,
) -> Result<Option<Credential<'a>>, TokenError> {
    let Some(token) = offered.next() else {
        return credential(authorization, query);
    };
    let is_other = offered.next().is_some() || authorization.next().is_some();
    if is_other || query.is_some_and(is_in_query) {
        Err(TokenError::Ambiguous)
    } else if token.len() > MAX_TOKEN {
        Err(TokenError::TooLarge)
    } else if is_b64token(token.as_bytes()) {
        Ok(Some(Credential { token, way: Way::Subprotocol { origin } }))
    } else {
        Err(NO_OFFERED_TOKEN)
    }
}

const NO_OFFERED_TOKEN: TokenError = TokenError::Malformed("no token follows `grantgate.bearer.`");

const NO_TOKEN: TokenError = TokenError::Malformed("no token follows `Bearer`");

/// What follows the scheme `Bearer`, in any case; nothing for another scheme (RFC 9110 section 11.4).
fn bearer(value: &[u8]) -> Option<&[u8]> {
    const SCHEME: usize = "Bearer".len();
    let value = value.trim_ascii();
    let (scheme, rest) = value.split_at_checked(SCHEME)?;
    let ends = rest.first().is_none_or(u8::is_ascii_whitespace);
    (scheme.eq_ignore_ascii_case(b"Bearer") && ends).then(|| {
        let spaces = rest.iter().take_while(|&&byte| byte == b' ').count();
        rest.get(spaces..).unwrap_or_default()
    })
}

/// RFC 6750 section 2.1, `b64token`.
fn is_b64token(text: &[u8]) -> bool {
    let end = text.iter().rposition(|&byte| byte != b'=').map_or(0, |last| last + 1);
    let body = text.get(..end).unwrap_or_default();
    // Without a way out in the middle, so that many bytes are looked at together.
    !body.is_empty() && body.iter().fold(true, |all, &byte| all & is_b64token_byte(byte))
}

#[expect(clippy::needless_bitwise_bool, reason = "no way out in the middle: see above")]
fn is_b64token_byte(byte: u8) -> bool {
    let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
    let digit = byte.wrapping_sub(b'0') < 10;
    let dash_to_slash = byte.wrapping_sub(b'-') < 3;
    letter | digit | dash_to_slash | (byte == b'_') | (byte == b'~') | (byte == b'+')
}

/// Whether a parameter of a query is `access_token`, however it is escaped (RFC 6750 section 2.3).
/// Some servers split at `;` too.
pub fn is_in_query(query: &str) -> bool {
    query.split(['&', ';']).any(|parameter| {
        let name = parameter.split_once('=').map_or(parameter, |(name, _)| name);
        percent_decode_str(name).eq(b"access_token".iter().copied())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<'a>(headers: &[&'a str], query: Option<&str>) -> Result<Option<&'a str>, TokenError> {
        let values: Vec<&[u8]> = headers.iter().map(|header| header.as_bytes()).collect();
        let found = credential(values.into_iter(), query)?;
        Ok(found.map(Credential::token))
    }

    #[test]
    fn a_token_consists_of_rfc_6750s_characters() {
        for byte in 0..=255_u8 {
            let plain = byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
            assert_eq!(is_b64token_byte(byte), plain, "{byte}");
        }
        assert!(is_b64token(b"a==") && !is_b64token(b"==") && !is_b64token(b"a=a"));
    }

    #[test]
    fn bearer_counts_in_any_case_and_other_schemes_do_not() {
        for header in ["Bearer a.b.c", "bEARER a.b.c", "BEARER   a.b.c", " Bearer a.b.c "] {
            assert_eq!(read(&[header], None), Ok(Some("a.b.c")), "{header}");
        }
        for header in ["Basic a.b.c", "Bearertoken", "DPoP a.b.c", "Digest a=1, b=2", "", "Bea"] {
            assert_eq!(read(&[header], None), Ok(None), "{header}");
        }
        assert_eq!(read(&[], None), Ok(None));
    }

    #[test]
    fn several_credentials_are_ambiguous() {
        for headers in [
            &["Bearer a", "Bearer a"][..],
            &["Bearer a", "Basic b"],
            &["Bearer a, Bearer b"],
            &["Bearer a,b"],
            &["Bearer ,"],
            &["Basic a, bearer b"],
        ] {
            assert_eq!(read(headers, None), Err(TokenError::Ambiguous), "{headers:?}");
        }
    }

    #[test]
    fn a_token_in_the_query_beside_the_header_is_ambiguous() {
        let named = ["access_token=x", "a=1&access_token=x", "%61ccess_token=x", "access%5Ftoken="];
        for query in named.into_iter().chain(["access_token", "a;access_token=x"]) {
            assert_eq!(read(&["Bearer a"], Some(query)), Err(TokenError::Ambiguous), "{query}");
            assert_eq!(read(&[], Some(query)), Ok(None), "alone it is no credential: {query}");
        }
        for query in ["", "access_tokens=x", "a=access_token", "%2561ccess_token=x", "Access_Token"]
        {
            assert_eq!(read(&["Bearer a"], Some(query)), Ok(Some("a")), "{query}");
        }
    }

    #[test]
    fn what_follows_bearer_is_a_b64token_of_bounded_size() {
        for header in ["Bearer", "Bearer ", "Bearer =", "Bearer a b", "Bearer \"a\"", "Bearer a=b"]
        {
            assert!(matches!(read(&[header], None), Err(TokenError::Malformed(_))), "{header}");
        }
        for header in ["Bearer\ta", "Bearer é", "Bearer a\0"] {
            assert!(matches!(read(&[header], None), Err(TokenError::Malformed(_))), "{header}");
        }
        let bytes: &[u8] = b"Bearer \xff";
        let found = credential(std::iter::once(bytes), None);
        assert!(matches!(found, Err(TokenError::Malformed(_))));

        let (fits, exceeds) = ("a".repeat(MAX_TOKEN), "a".repeat(MAX_TOKEN + 1));
        assert_eq!(read(&[&format!("Bearer {fits}")], None).map(|_| ()), Ok(()));
        assert_eq!(read(&[&format!("Bearer {exceeds}")], None), Err(TokenError::TooLarge));
    }

    #[test]
    fn a_token_that_a_handshake_offers_is_the_only_credential() {
        let read = |protocols: &[&'static str], headers: &[&'static str], query| {
            let tokens = protocols.iter().filter_map(|protocol| offered(protocol));
            let values = headers.iter().map(|header| header.as_bytes());
            let found = credential_of_handshake(tokens, Some(b"https://a"), values, query)?;
            Ok(found.map(|found| (found.token(), found.way())))
        };
        let way = Way::Subprotocol { origin: Some(b"https://a") };
        for protocol in ["grantgate.bearer.a.b.c", "Grantgate.BEARER.a.b.c"] {
            assert_eq!(read(&["chat", protocol], &[], None), Ok(Some(("a.b.c", way))));
        }
        assert_eq!(read(&["chat"], &["Bearer a"], None), Ok(Some(("a", Way::Header))));
        let token = "grantgate.bearer.a";
        for (protocols, headers, query) in [
            (&[token, token][..], &[][..], None),
            (&[token, "GRANTGATE.bearer.b"], &[], None),
            (&[token, "grantgate.bearer."], &[], None),
            (&[token], &["Bearer a"], None),
            (&[token], &["Basic a"], None),
            (&[token], &[], Some("access_token=a")),
        ] {
            assert_eq!(
                read(protocols, headers, query),
                Err(TokenError::Ambiguous),
                "{protocols:?}"
            );
        }
        for protocol in ["grantgate.bearer.", "grantgate.bearer.=", "grantgate.bearer.a\"b"] {
            let found = read(&[protocol], &[], None);
            assert!(matches!(found, Err(TokenError::Malformed(_))), "{protocol}");
        }
        let exceeds = format!("grantgate.bearer.{}", "a".repeat(MAX_TOKEN + 1)).leak();
        assert_eq!(read(&[exceeds], &[], None), Err(TokenError::TooLarge));
    }

    #[test]
    fn a_credential_does_not_print() {
        let header: &[u8] = b"Bearer secret";
        let found = credential(std::iter::once(header), None);
        assert_eq!(format!("{found:?}"), "Ok(Some(Credential(..)))");
    }

    #[test]
    fn a_credential_is_kept_as_it_came_and_does_not_print() {
        let parsed = Arc::new(Parsed::parse("eyJhbGciOiJub25lIn0.e30.").unwrap());
        let header = format!("Bearer {}", parsed.text());
        for (header, parsed) in [(header.as_str(), Some(&parsed)), ("Bearer secret", None)] {
            let values = || std::iter::once(header.as_bytes());
            let kept = KeptCredential::new(credential(values(), None), parsed);
            let token = kept.credential().unwrap().unwrap().token();
            assert_eq!(header.strip_prefix("Bearer "), Some(token));
            assert_eq!(kept.parsed().is_some(), parsed.is_some());
            assert_eq!(format!("{kept:?}"), "KeptCredential(..)");
        }
        let nothing = KeptCredential::new(Ok(None), None);
        assert!(matches!(nothing.credential(), Ok(None)));
        let doubtful = KeptCredential::new(Err(TokenError::Ambiguous), None);
        assert_eq!(doubtful.credential().unwrap_err(), TokenError::Ambiguous);
    }
}
