//! From a token's text to its parts (RFC 7515 section 3.1, RFC 7519 section 7.2): three parts of
//! canonical base64url, the first two JSON objects. What is read here is not believed yet.
//!
//! Whatever would make the token mean something else than three plain signed parts is refused:
//! critical extensions, detached or compressed payloads, encryption, nesting, keys that come along.

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::claims::Claims;
use super::credential::MAX_TOKEN;
use super::{Algorithm, TokenError, json};

/// A token of right shape; nothing in it is verified.
pub struct Parsed {
    text: Box<str>,
    head: Head,
    claims: Claims,
    /// Nobody signed it, and nobody sent it.
    supposed: bool,
}

/// What the head says (JOSE header).
pub(super) struct Head {
    /// `alg`, when it is one that is known.
    pub(super) algorithm: Option<Algorithm>,
    /// `kid`.
    pub(super) kid: Option<Box<str>>,
    /// `typ`.
    pub(super) kind: Option<Box<str>>,
}

impl Parsed {
    /// Takes the token apart.
    ///
    /// # Errors
    /// [`TokenError::TooLarge`], else [`TokenError::Malformed`], naming what is wrong.
    pub fn parse(token: &str) -> Result<Self, TokenError> {
        if token.len() > MAX_TOKEN {
            return Err(TokenError::TooLarge);
        }
        let mut parts = token.split('.');
        let (Some(head), Some(claims), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(TokenError::Malformed("it has not three parts"));
        };
        let head = Head::read(&decode(head)?)?;
        let claims = json::object(&decode(claims)?).map(Claims::new).ok_or(
            TokenError::Malformed("its claims are no JSON object, or hold a member twice"),
        )?;
        decode(signature)?;
        Ok(Self { text: token.into(), head, claims, supposed: false })
    }

    /// Claims that nobody signed, for those who ask what would become of a token that says this. All rules
    /// hold for it but those of the algorithm, the key and the signature.
    //
    // INVARIANT: nothing that comes with a request is made into one. `gate::Supposed` alone calls this, and
    // a test holds that.
    pub fn supposed(claims: Map<String, Value>) -> Self {
        let head = Head { algorithm: None, kid: None, kind: Some("at+jwt".into()) };
        Self { text: "".into(), head, claims: Claims::new(claims), supposed: true }
    }

    /// Whether nobody signed it.
    pub(super) fn is_supposed(&self) -> bool {
        self.supposed
    }

    /// Who claims to have issued the token (`iss`).
    ///
    /// # Errors
    /// [`TokenError::ClaimMissing`], or [`TokenError::Malformed`] when it is not one string.
    pub fn issuer(&self) -> Result<&str, TokenError> {
        self.claims.issuer()
    }

    /// The key that the token names in its header.
    pub fn kid(&self) -> Option<&str> {
        self.head.kid.as_deref()
    }

    /// For how long it says to be good, from `iat` to `exp`; nothing where it does not say both.
    pub fn lifetime(&self) -> Option<Duration> {
        self.claims.validity().ok()?.lifetime()
    }

    /// Whether it is signed with a secret that its issuer and an API share, if it is signed at all.
    pub fn is_signed_with_secret(&self) -> bool {
        self.head.algorithm.is_some_and(Algorithm::is_symmetric)
    }

    /// The whole token.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn head(&self) -> &Head {
        &self.head
    }

    pub(super) fn claims(&self) -> &Claims {
        &self.claims
    }

    /// The bytes that are signed, and the signature (RFC 7515 section 5.2).
    pub(super) fn signed(&self) -> Result<(&[u8], Vec<u8>), TokenError> {
        let (message, signature) = self.text.rsplit_once('.').unwrap_or_default();
        Ok((message.as_bytes(), decode(signature)?))
    }
}

impl fmt::Debug for Parsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Parsed(..)")
    }
}

impl Head {
    const MAX: usize = 1024;
    const MAX_KID: usize = 256;
    /// Members that change what the token is, or bring the key that it is to be verified by.
    const REFUSED: [&str; 9] = ["b64", "crit", "cty", "enc", "jku", "jwk", "x5c", "x5u", "zip"];

    fn read(text: &[u8]) -> Result<Self, TokenError> {
        if text.len() > Self::MAX {
            return Err(TokenError::Malformed("its head is too large"));
        }
        let mut head = json::object(text)
            .ok_or(TokenError::Malformed("its head is no JSON object, or holds a member twice"))?;
        if Self::REFUSED.iter().any(|member| head.contains_key(*member)) {
            return Err(TokenError::Malformed("its head has a member that is not accepted"));
        }
        let algorithm = text_member(&mut head, "alg")
            .and_then(|name| name.ok_or(TokenError::Malformed("its head has no `alg`")))?;
        let kid = text_member(&mut head, "kid")?;
        if kid.as_ref().is_some_and(|kid| kid.len() > Self::MAX_KID) {
            return Err(TokenError::Malformed("its `kid` is too long"));
        }
        Ok(Self {
            algorithm: Algorithm::find(&algorithm),
            kid,
            kind: text_member(&mut head, "typ")?,
        })
    }
}

fn text_member(head: &mut Map<String, Value>, name: &str) -> Result<Option<Box<str>>, TokenError> {
    match head.remove(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.into())),
        Some(_) => Err(TokenError::Malformed("its head has a member of a wrong type")),
    }
}

/// Canonical base64url without padding: of the texts that some decoders accept for the same bytes,
/// one is read (RFC 4648 section 3.5).
fn decode(part: &str) -> Result<Vec<u8>, TokenError> {
    URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| TokenError::Malformed("a part is not canonical base64url"))
}
