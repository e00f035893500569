//! Host names: of requests, and as configuration writes them.
//!
//! [`normal_host`] takes what a request says it is for and gives it the one spelling that hosts are
//! compared in: lower-case, without port and trailing dot. [`HostPattern::parse`] reads a name or
//! `*.suffix` into the same spelling. Names are ASCII: an internationalised one is written as its
//! `xn--` form, as clients send it. Nothing here asks a resolver.

use std::borrow::Cow;
// The address itself, not the network: it only parses.
use core::net::Ipv6Addr;

/// DNS knows no longer name; the bound keeps the walk over a name's suffixes short
const LONGEST: usize = 253;

/// A request's host in the spelling that hosts are compared in; borrows it when it is that already
///
/// `raw` is the value of `Host` or an authority: `name`, `name:port`, `[v6]` or `[v6]:port`. User
/// information, lists and anything else that no host name contains is refused.
pub fn normal_host(raw: &str) -> Result<Cow<'_, str>, HostError> {
    let (host, port) = split_port(raw);
    if port.is_some_and(|port| !is_port(port)) {
        return Err(HostError::Port);
    }
    lower_name(host)
}

/// A host as configuration writes it
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HostPattern {
    /// This one
    Exact(String),
    /// `*.suffix`: whatever has this suffix behind one or more labels, the suffix alone not
    Suffix(String),
}

impl HostPattern {
    /// Reads a name, an address (IPv6 in brackets) or `*.suffix`, without port
    pub fn parse(text: &str) -> Result<Self, HostError> {
        let (host, port) = split_port(text);
        match port {
            Some(port) if is_port(port) => return Err(HostError::PortGiven),
            Some(_) => return Err(HostError::Character { at: host.len(), found: ':' }),
            None => {}
        }
        match host.strip_prefix("*.") {
            Some(suffix) if suffix.starts_with('[') => Err(HostError::Wildcard),
            Some(suffix) => Ok(Self::Suffix(lower_name(suffix)?.into_owned())),
            None if host.contains('*') => Err(HostError::Wildcard),
            None => Ok(Self::Exact(lower_name(host)?.into_owned())),
        }
    }
}

impl HostPattern {
    /// A host that it means.
    pub fn example(&self) -> String {
        match self {
            Self::Exact(name) => name.clone(),
            Self::Suffix(suffix) => format!("any.{suffix}"),
        }
    }

    /// Whether some host is meant by both.
    pub fn meets(&self, other: &Self) -> bool {
        let is_below = |name: &str, suffix: &str| {
            name.strip_suffix(suffix).is_some_and(|labels| labels.ends_with('.'))
        };
        match (self, other) {
            (Self::Exact(one), Self::Exact(other)) => one == other,
            (Self::Exact(name), Self::Suffix(suffix))
            | (Self::Suffix(suffix), Self::Exact(name)) => is_below(name, suffix),
            (Self::Suffix(one), Self::Suffix(other)) => {
                one == other || is_below(one, other) || is_below(other, one)
            }
        }
    }
}

impl std::fmt::Display for HostPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exact(name) => f.write_str(name),
            Self::Suffix(suffix) => write!(f, "*.{suffix}"),
        }
    }
}

/// Splits at the colon behind a name or behind the bracket of an IPv6 address
fn split_port(text: &str) -> (&str, Option<&str>) {
    let bracket = text.rfind(']').unwrap_or(0);
    match text.rfind(':') {
        Some(colon) if colon >= bracket => {
            let (host, port) = text.split_at(colon);
            (host, port.strip_prefix(':'))
        }
        _ => (text, None),
    }
}

fn is_port(text: &str) -> bool {
    // `parse` alone would take `+80`.
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

/// A name or bracketed address without port, lower-case and without trailing dot
fn lower_name(host: &str) -> Result<Cow<'_, str>, HostError> {
    let name = host.strip_suffix('.').unwrap_or(host);
    if name.is_empty() {
        return Err(HostError::Empty);
    }
    if let Some(address) = host.strip_prefix('[') {
        let address = address.strip_suffix(']').ok_or(HostError::Address)?;
        address.parse::<Ipv6Addr>().map_err(|_| HostError::Address)?;
        return Ok(lower(host));
    }
    if let Some((at, found)) = name.char_indices().find(|&(_, c)| !is_name_character(c)) {
        return Err(HostError::Character { at, found });
    }
    if name.split('.').any(str::is_empty) {
        return Err(HostError::EmptyLabel);
    }
    if name.len() > LONGEST {
        return Err(HostError::TooLong);
    }
    Ok(lower(name))
}

/// Of RFC 3986's `reg-name` what occurs in names; no escapes and no `,`, `;` or `=`, in which lists hide
fn is_name_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_')
}

fn lower(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

/// Why a text is no host
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// Brackets around something that is no IPv6 address
    #[error("no IPv6 address in brackets")]
    Address,
    /// A character that no host name has, as in user information, lists and URLs
    #[error("no host name has a `{found}`, as at byte {at}")]
    Character {
        /// Where it stands
        at: usize,
        /// The character
        found: char,
    },
    /// No name at all
    #[error("the host is empty")]
    Empty,
    /// Two dots in a row, or one at the beginning
    #[error("an empty label in the host name")]
    EmptyLabel,
    /// Something behind the colon that is no number from 0 to 65535
    #[error("the port is no number from 0 to 65535")]
    Port,
    /// A port where hosts are compared without
    #[error("a host is written without port")]
    PortGiven,
    /// Longer than any name in DNS
    #[error("the host name is longer than {LONGEST} bytes")]
    TooLong,
    /// A star elsewhere than in `*.suffix`
    #[error("`*` stands for the first labels alone, as in `*.example.com`")]
    Wildcard,
}

#[cfg(test)]
mod tests;
