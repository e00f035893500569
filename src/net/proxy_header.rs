//! The PROXY protocol's header, in which a load balancer says whose connection it passes on
//! (<https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt>, versions 1 and 2).
//!
//! In come the first bytes of a connection, out comes what they say, how many more it takes to know, or
//! that they are no such header. Only who the client is counts; where it wanted to go, and what else is
//! said of it, is checked for its form and left aside. Whether the balancer is believed is decided
//! elsewhere.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

/// The longest header of version 1, its line end included.
const MOST_TEXT: usize = 107;

/// The most that follows the fixed part of a header of version 2: far more than addresses, and the name
/// and certificate facts that balancers add.
const MOST_BINARY: usize = 4096;

const TEXT: &[u8] = b"PROXY ";
const LINE_END: &[u8] = b"\r\n";
const BINARY: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// What the first bytes of a connection are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// A header, whatever follows it.
    Complete(Header),
    /// The beginning of one that has at least so many bytes.
    Incomplete(usize),
    /// No header.
    Invalid,
}

/// A header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The client, where it is known by an address: not of the balancer's own health checks. An IPv4
    /// address is never an IPv6 one.
    pub source: Option<SocketAddr>,
    /// How many bytes it takes.
    pub bytes: usize,
}

/// Reads the header that a connection begins with.
pub fn read(bytes: &[u8]) -> Reading {
    let reading = if bytes.is_empty() {
        Some(Reading::Incomplete(1))
    } else if begins_as(bytes, BINARY) {
        binary(bytes)
    } else if begins_as(bytes, TEXT) {
        text(bytes)
    } else {
        None
    };
    reading.unwrap_or(Reading::Invalid)
}

/// Whether there is nothing in these bytes that is not in the signature, as far as they go.
fn begins_as(bytes: &[u8], signature: &[u8]) -> bool {
    bytes.iter().zip(signature).all(|(byte, expected)| byte == expected)
}

/// Version 1: a line.
fn text(bytes: &[u8]) -> Option<Reading> {
    let line = bytes.get(..MOST_TEXT).unwrap_or(bytes);
    let Some(end) = line.iter().position(|byte| LINE_END.contains(byte)) else {
        return (line.len() < MOST_TEXT).then_some(Reading::Incomplete(line.len() + 1));
    };
    match line.get(end..end + LINE_END.len()) {
        Some(found) if found == LINE_END => {}
        None if line.get(end..) == Some(b"\r") && line.len() < MOST_TEXT => {
            return Some(Reading::Incomplete(line.len() + 1));
        }
        Some(_) | None => return None,
    }
    let said = line.get(TEXT.len()..end)?;
    let header = |source| Reading::Complete(Header { source, bytes: end + LINE_END.len() });
    // What a balancer adds that does not know its client is not to be looked at.
    if said == b"UNKNOWN" || said.starts_with(b"UNKNOWN ") {
        return Some(header(None));
    }
    let mut words = str::from_utf8(said).ok()?.split(' ');
    let source = match words.next()? {
        "TCP4" => addresses::<Ipv4Addr>(&mut words)?,
        "TCP6" => addresses::<Ipv6Addr>(&mut words)?,
        _ => return None,
    };
    words.next().is_none().then(|| header(Some(source)))
}

/// Source and destination address, source and destination port.
fn addresses<'a, A>(words: &mut impl Iterator<Item = &'a str>) -> Option<SocketAddr>
where
    A: FromStr + Into<IpAddr>,
{
    let mut address = || words.next()?.parse::<A>().ok();
    let (source, _destination) = (address()?, address()?);
    let mut port = || port(words.next()?);
    let (source_port, _destination_port) = (port()?, port()?);
    Some(client(source, source_port))
}

/// A port as it is written: in digits, without zeros before them.
fn port(text: &str) -> Option<u16> {
    let is_plain = text == "0" || !text.starts_with(['0', '+']);
    text.parse().ok().filter(|_| is_plain)
}

/// Version 2: a fixed part, and what its length says.
fn binary(bytes: &[u8]) -> Option<Reading> {
    const FIXED: usize = 16;
    let Some(&[version_and_command, kind, high, low]) = bytes.get(BINARY.len()..FIXED) else {
        return Some(Reading::Incomplete(FIXED));
    };
    let is_local = match version_and_command {
        0x20 => true,
        0x21 => false,
        _ => return None,
    };
    let length = usize::from(u16::from_be_bytes([high, low]));
    if length > MOST_BINARY || (!is_local && length < addresses_length(kind)?) {
        return None;
    }
    let Some(said) = bytes.get(FIXED..FIXED + length) else {
        return Some(Reading::Incomplete(FIXED + length));
    };
    let header = |source| Reading::Complete(Header { source, bytes: FIXED + length });
    // What comes with a connection of the balancer's own, or of an unknown kind, is not to be looked at.
    if is_local || kind == UNSPECIFIED {
        return Some(header(None));
    }
    let (addresses, more) = said.split_at_checked(addresses_length(kind)?)?;
    let source = match kind {
        TCP4 => {
            let (source, rest) = addresses.split_first_chunk::<4>()?;
            Some(client(Ipv4Addr::from(*source), source_port::<4>(rest)?))
        }
        TCP6 => {
            let (source, rest) = addresses.split_first_chunk::<16>()?;
            Some(client(Ipv6Addr::from(*source), source_port::<16>(rest)?))
        }
        _ => None,
    };
    are_whole(more).then(|| header(source))
}

/// The kinds of connections that there may be behind a listener of ours.
const UNSPECIFIED: u8 = 0x00;
const TCP4: u8 = 0x11;
const TCP6: u8 = 0x21;
const UNIX: u8 = 0x31;

/// How long the addresses of a kind are together.
fn addresses_length(kind: u8) -> Option<usize> {
    match kind {
        UNSPECIFIED => Some(0),
        TCP4 => Some(2 * 4 + 2 * 2),
        TCP6 => Some(2 * 16 + 2 * 2),
        UNIX => Some(2 * 108),
        _ => None,
    }
}

/// The first of two ports, behind a destination address of `N` bytes.
fn source_port<const N: usize>(rest: &[u8]) -> Option<u16> {
    let (_destination, ports) = rest.split_first_chunk::<N>()?;
    ports.first_chunk().copied().map(u16::from_be_bytes)
}

/// Whether what follows the addresses is a row of whole fields: type, length, value.
fn are_whole(mut fields: &[u8]) -> bool {
    while let Some((&[_, high, low], rest)) = fields.split_first_chunk() {
        let length = usize::from(u16::from_be_bytes([high, low]));
        let Some(rest) = rest.get(length..) else { return false };
        fields = rest;
    }
    fields.is_empty()
}

fn client(address: impl Into<IpAddr>, port: u16) -> SocketAddr {
    SocketAddr::new(address.into().to_canonical(), port)
}

#[cfg(test)]
mod tests;
