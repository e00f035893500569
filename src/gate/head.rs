//! What every door reads of a request's head in the same one way: the host that it is for, and how its body
//! is framed. What could be read in two ways is refused (RFC 9112 sections 3.2 and 6.3).

use std::borrow::Cow;

use http::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::request::Parts;
use http::{HeaderMap, Version};

use super::{Code, Refusal};
use crate::route::normal_host;

/// A host and its port.
#[derive(PartialEq, Eq)]
pub struct Host<'a> {
    /// The host in its normal spelling.
    pub name: Cow<'a, str>,
    /// The port, where one came.
    pub port: Option<&'a str>,
}

impl<'a> Host<'a> {
    /// The host that a request is for: of its `Host`; in HTTP/2 of `:authority`, beside which a `Host` may
    /// say the same (RFC 9113 section 8.3.1). Where both came they are equal.
    ///
    /// # Errors
    /// [`Code::RequestMalformed`], where there is none, or more than one.
    pub fn of(parts: &'a Parts) -> Result<Self, Refusal> {
        let authority = parts.uri.authority().map(|authority| Self::parse(authority.as_str()));
        let authority = authority.transpose()?;
        let own = parts.version == Version::HTTP_2 && !parts.headers.contains_key(HOST);
        match authority {
            Some(authority) if own => Ok(authority),
            Some(authority) if authority != Self::read(&parts.headers)? => {
                Err(malformed("the target names another host than `Host`"))
            }
            Some(_) | None => Self::read(&parts.headers),
        }
    }

    /// The one `Host` of a request (RFC 9112 section 3.2).
    fn read(headers: &'a HeaderMap) -> Result<Self, Refusal> {
        let mut values = headers.get_all(HOST).iter();
        match (values.next(), values.next()) {
            (Some(value), None) => {
                Self::parse(value.to_str().map_err(|_| malformed("`Host` is no host"))?)
            }
            (None, _) => Err(malformed("`Host` is missing")),
            (Some(_), Some(_)) => Err(malformed("`Host` came more than once")),
        }
    }

    fn parse(text: &'a str) -> Result<Self, Refusal> {
        let name = normal_host(text)
            .map_err(|error| Refusal::new(Code::RequestMalformed, error.to_string()))?;
        // What follows the last colon is the port, unless that colon is within an IPv6 address.
        let port = text.rsplit_once(':').map(|(_, port)| port);
        let port = port.filter(|port| !port.ends_with(']'));
        Ok(Self { name, port })
    }
}

/// One framing, in one field (RFC 9112 section 6.3). The connection of whoever doubts it is closed.
///
/// # Errors
/// [`Code::RequestMalformed`], where there are two, or one that is not known.
pub fn check_framing(headers: &HeaderMap) -> Result<(), Refusal> {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    match (codings.next(), lengths.next()) {
        (Some(_), Some(_)) => Err(malformed("`Content-Length` beside `Transfer-Encoding`")),
        (Some(coding), None)
            if codings.next().is_some() || !coding.as_bytes().eq_ignore_ascii_case(b"chunked") =>
        {
            Err(malformed("`Transfer-Encoding` is more than `chunked`"))
        }
        (None, Some(_)) if lengths.next().is_some() => {
            Err(malformed("`Content-Length` came more than once"))
        }
        (Some(_), None) | (None, Some(_) | None) => Ok(()),
    }
}

/// A request that is none.
pub fn malformed(detail: &'static str) -> Refusal {
    Refusal::new(Code::RequestMalformed, detail)
}
