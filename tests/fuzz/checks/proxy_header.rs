//! Whose connection a load balancer passes on: the header of the PROXY protocol against a reference, and
//! the same answer however many bytes have come.
//!
//! Input: the first bytes of a connection.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use grantgate::net::proxy_header::{Header, Reading, read};

const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// What is read at most: the fixed part of version 2, and what may follow.
const LONGEST: usize = 16 + 4096;

pub fn check(input: &[u8]) {
    let whole = read(input);
    let found = match whole {
        Reading::Complete(Header { source, bytes }) => Some((source, bytes)),
        Reading::Incomplete(_) | Reading::Invalid => None,
    };
    assert_eq!(found, text(input).or_else(|| binary(input)));

    // Bytes come in pieces: more are waited for until it is known, and what is known stays.
    let mut known = None;
    for come in 0..=input.len().min(LONGEST + 1) {
        let reading = read(&input[..come]);
        match (reading, known) {
            (Reading::Incomplete(least), None) => {
                assert!((come + 1..=LONGEST).contains(&least), "{least} after {come}");
            }
            (Reading::Complete(Header { bytes, .. }), None) => assert_eq!(bytes, come),
            (Reading::Invalid, None) => {}
            (again, known) => assert_eq!(Some(again), known, "after {come}"),
        }
        if !matches!(reading, Reading::Incomplete(_)) {
            known = Some(reading);
        }
    }
}

/// Version 1: whom the line names, and how long it is.
fn text(input: &[u8]) -> Option<(Option<SocketAddr>, usize)> {
    let end = input.windows(2).position(|two| two == b"\r\n").filter(|end| *end <= 105)?;
    let line = &input[..end];
    if line.contains(&b'\r') || line.contains(&b'\n') {
        return None;
    }
    let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    let words: Vec<&str> = match words.as_slice() {
        [b"PROXY", b"UNKNOWN", ..] => return Some((None, end + 2)),
        words => words.iter().map(|word| str::from_utf8(word)).collect::<Result<_, _>>().ok()?,
    };
    let ["PROXY", family, source, destination, port, other_port] = words.as_slice() else {
        return None;
    };
    let address = |text: &str| match *family {
        "TCP4" => four(text).map(IpAddr::V4),
        "TCP6" => text.parse().ok().map(IpAddr::V6),
        _ => None,
    };
    let (source, _) = (address(source)?, address(destination)?);
    let (port, _) = (number(port, 65535)?, number(other_port, 65535)?);
    Some((Some(client(source, u16::try_from(port).ok()?)), end + 2))
}

fn four(text: &str) -> Option<Ipv4Addr> {
    let octets: Option<Vec<u32>> = text.split('.').map(|octet| number(octet, 255)).collect();
    let octets: [u32; 4] = octets?.try_into().ok()?;
    Some(Ipv4Addr::from(octets.iter().fold(0, |address, octet| address << 8 | octet)))
}

/// A number as it is written in one way: digits, and no zero before others.
fn number(text: &str, most: u32) -> Option<u32> {
    let value: u32 =
        text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())??;
    (value <= most && value.to_string() == text).then_some(value)
}

/// Version 2: whom the addresses name, and how long it is.
fn binary(input: &[u8]) -> Option<(Option<SocketAddr>, usize)> {
    let behind = input.strip_prefix(SIGNATURE)?;
    let [version, kind, high, low, said @ ..] = behind else { return None };
    let length = usize::from(*high) * 256 + usize::from(*low);
    if said.len() < length || length > 4096 {
        return None;
    }
    let (said, bytes) = (&said[..length], 16 + length);
    let number = |at: usize| u16::from(said[at]) * 256 + u16::from(said[at + 1]);
    let (source, addresses) = match (version, kind) {
        (0x20, _) | (0x21, 0x00) => return Some((None, bytes)),
        (0x21, 0x11) if length >= 12 => {
            let octets: [u8; 4] = said[..4].try_into().ok()?;
            (Some(client(IpAddr::V4(octets.into()), number(8))), 12)
        }
        (0x21, 0x21) if length >= 36 => {
            let octets: [u8; 16] = said[..16].try_into().ok()?;
            (Some(client(IpAddr::V6(octets.into()), number(32))), 36)
        }
        (0x21, 0x31) if length >= 216 => (None, 216),
        _ => return None,
    };
    let mut at = addresses;
    while at < length {
        at += 3 + usize::from(*said.get(at + 1)?) * 256 + usize::from(*said.get(at + 2)?);
    }
    (at == length).then_some((source, bytes))
}

/// An IPv4 address in the clothes of an IPv6 one is that IPv4 address.
fn client(address: IpAddr, port: u16) -> SocketAddr {
    let address = match address {
        IpAddr::V6(six) => match six.segments() {
            [0, 0, 0, 0, 0, 0xffff, high, low] => {
                IpAddr::V4(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)))
            }
            _ => address,
        },
        IpAddr::V4(_) => address,
    };
    SocketAddr::new(address, port)
}
