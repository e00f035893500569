//! A client that writes the HTTP/2 frames it is told to, for what no good client does.
//!
//! Header fields are sent as literals without index or Huffman code, so that any byte can stand anywhere.
//! Of answers the status and the bytes are read.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::door::client::PATIENCE;
use crate::door::gateway::token;

pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const PRIORITY: u8 = 2;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const WINDOW_UPDATE: u8 = 8;
pub const CONTINUATION: u8 = 9;

/// Of DATA and HEADERS; of SETTINGS and PING it is an acknowledgement.
pub const END_STREAM: u8 = 1;
pub const ACK: u8 = 1;
pub const END_HEADERS: u8 = 4;

pub const HEADER_TABLE_SIZE: u16 = 1;
pub const INITIAL_WINDOW_SIZE: u16 = 4;

pub const NO_ERROR: u32 = 0;
pub const PROTOCOL_ERROR: u32 = 1;
pub const REFUSED_STREAM: u32 = 7;
pub const CANCEL: u32 = 8;
pub const ENHANCE_YOUR_CALM: u32 = 11;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub kind: u8,
    pub flags: u8,
    pub stream: u32,
    pub payload: Vec<u8>,
}

/// What became of a request.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Told {
    pub status: Option<u16>,
    pub body: Vec<u8>,
    /// Whether it came to its end.
    pub whole: bool,
    /// The reason of a reset, which may follow a whole answer whose request was not read.
    pub reset: Option<u32>,
    /// The reason of the connection's end, where that came first.
    pub goaway: Option<u32>,
}

impl Told {
    /// The code of a refusal.
    pub fn code(&self) -> String {
        let problem: serde_json::Value = serde_json::from_slice(&self.body).expect("no problem");
        problem["code"].as_str().unwrap().to_owned()
    }
}

pub struct Frames<S = TcpStream> {
    stream: S,
    /// Whether SETTINGS and PING are acknowledged as they come.
    pub acknowledges: bool,
}

impl Frames {
    /// One that has said nothing yet.
    pub fn silent(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Self { stream, acknowledges: true }
    }

    /// One that has greeted.
    pub fn connect(address: SocketAddr) -> Self {
        let mut client = Self::silent(address);
        client.greet(&[]);
        client
    }
}

impl<S: Read + Write> Frames<S> {
    pub fn over(stream: S) -> Self {
        Self { stream, acknowledges: true }
    }

    /// Says what a client says first. Answers must not refer to one another, as they are not understood.
    pub fn greet(&mut self, settings: &[(u16, u32)]) -> &mut Self {
        let all = [&[(HEADER_TABLE_SIZE, 0)], settings].concat();
        self.write(PREFACE).settings(&all)
    }

    pub fn write(&mut self, bytes: &[u8]) -> &mut Self {
        self.stream.write_all(bytes).unwrap();
        self
    }

    /// Writes what can be written; the other side may have closed already.
    pub fn try_write(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    pub fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> &mut Self {
        self.write(&frame(kind, flags, stream, payload))
    }

    pub fn settings(&mut self, settings: &[(u16, u32)]) -> &mut Self {
        let one =
            |(name, value): &(u16, u32)| [&name.to_be_bytes()[..], &value.to_be_bytes()].concat();
        let payload: Vec<_> = settings.iter().flat_map(one).collect();
        self.send(SETTINGS, 0, 0, &payload)
    }

    pub fn headers(&mut self, stream: u32, fields: &[(&str, &str)], is_whole: bool) -> &mut Self {
        let flags = END_HEADERS | if is_whole { END_STREAM } else { 0 };
        self.send(HEADERS, flags, stream, &block(fields))
    }

    /// A whole request that is allowed.
    pub fn get(&mut self, stream: u32) -> &mut Self {
        self.headers(stream, &as_slices(&allowed("GET")), true)
    }

    pub fn data(&mut self, stream: u32, data: &[u8], is_last: bool) -> &mut Self {
        self.send(DATA, u8::from(is_last) * END_STREAM, stream, data)
    }

    pub fn reset(&mut self, stream: u32, reason: u32) -> &mut Self {
        self.send(RST_STREAM, 0, stream, &reason.to_be_bytes())
    }

    pub fn window(&mut self, stream: u32, more: u32) -> &mut Self {
        self.send(WINDOW_UPDATE, 0, stream, &more.to_be_bytes())
    }

    pub fn ping(&mut self, opaque: [u8; 8]) -> &mut Self {
        self.send(PING, 0, 0, &opaque)
    }

    /// The next frame; nothing when the connection has ended. What must be acknowledged is.
    pub fn next(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.stream.read_exact(&mut head).ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        self.stream.read_exact(&mut payload).ok()?;
        let stream = u32::from_be_bytes([head[5] & 0x7f, head[6], head[7], head[8]]);
        let frame = Frame { kind: head[3], flags: head[4], stream, payload };
        if self.acknowledges && frame.flags & ACK == 0 && [SETTINGS, PING].contains(&frame.kind) {
            let echo = if frame.kind == PING { &frame.payload[..] } else { &[] };
            self.try_write(&self::frame(frame.kind, ACK, 0, echo));
        }
        Some(frame)
    }

    /// The next frame of this kind.
    pub fn next_of(&mut self, kind: u8) -> Option<Frame> {
        std::iter::from_fn(|| self.next()).find(|frame| frame.kind == kind)
    }

    /// What becomes of the request on this stream; what is told of others is passed over.
    pub fn told(&mut self, stream: u32) -> Told {
        let mut told = Told::default();
        while !told.whole && told.reset.is_none() {
            let Some(frame) = self.next() else { break };
            match frame.kind {
                GOAWAY => {
                    let reason = u32::from_be_bytes(frame.payload[4..8].try_into().unwrap());
                    told.goaway = Some(reason);
                }
                _ if frame.stream != stream => {}
                HEADERS => {
                    told.status = told.status.or_else(|| Some(status(&frame.payload)));
                    told.whole = frame.flags & END_STREAM != 0;
                }
                DATA => {
                    told.body.extend_from_slice(&frame.payload);
                    told.whole = frame.flags & END_STREAM != 0;
                }
                RST_STREAM => {
                    told.reset = Some(u32::from_be_bytes(frame.payload[..4].try_into().unwrap()));
                }
                _ => {}
            }
        }
        told
    }

    /// Reads until the other side closes; the reason for which it went away, if it said one.
    pub fn farewell(&mut self) -> Option<u32> {
        let mut reason = None;
        while let Some(frame) = self.next() {
            if frame.kind == GOAWAY {
                reason = Some(u32::from_be_bytes(frame.payload[4..8].try_into().unwrap()));
            }
        }
        reason
    }
}

pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let head = [&length[1..], &[kind, flags], &stream.to_be_bytes()].concat();
    [&head, payload].concat()
}

/// A header block of literals that are not indexed (RFC 7541 section 6.2.2).
pub fn block<N: AsRef<[u8]>, V: AsRef<[u8]>>(fields: &[(N, V)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name.as_ref(), value.as_ref()] {
            push_length(&mut block, text.len());
            block.extend_from_slice(text);
        }
    }
    block
}

/// An integer with a prefix of seven bits (RFC 7541 section 5.1).
fn push_length(block: &mut Vec<u8>, length: usize) {
    let Some(mut rest) = length.checked_sub(127) else {
        return block.push(u8::try_from(length).unwrap());
    };
    block.push(127);
    while rest >= 128 {
        block.push(u8::try_from(rest % 128).unwrap() | 128);
        rest /= 128;
    }
    block.push(u8::try_from(rest).unwrap());
}

/// The fields of a request of the application that has a grant.
pub fn allowed(method: &str) -> Vec<(String, String)> {
    let bearer = format!("Bearer {}", token());
    let fields = [
        (":method", method),
        (":scheme", "http"),
        (":path", "/orders/1"),
        (":authority", "orders.example.com"),
        ("authorization", &bearer),
    ];
    fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}

pub fn as_slices(fields: &[(String, String)]) -> Vec<(&str, &str)> {
    fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

/// The status, which is the first field of an answer's block.
fn status(block: &[u8]) -> u16 {
    // A table of another size is announced first.
    let field = block.iter().position(|byte| byte & 0xe0 != 0x20).unwrap();
    match block[field..] {
        [index @ 0x88..=0x8e, ..] => [200, 204, 206, 304, 400, 404, 500][usize::from(index - 0x88)],
        [_, length, ref value @ ..] => {
            let value = &value[..usize::from(length & 0x7f)];
            if length & 0x80 == 0 {
                std::str::from_utf8(value).unwrap().parse().unwrap()
            } else {
                digits(value)
            }
        }
        _ => panic!("no status in {block:?}"),
    }
}

/// Three digits in Huffman code: 0 to 2 have five bits, the others six (RFC 7541 appendix B).
fn digits(coded: &[u8]) -> u16 {
    let bits = coded.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1));
    let (mut code, mut length, mut number, mut count) = (0_u8, 0, 0, 0);
    for bit in bits {
        (code, length) = (code << 1 | bit, length + 1);
        let digit = match (length, code) {
            (5, 0..=2) => code,
            (6, 0b01_1001..=0b01_1111) => code - 0b01_0110,
            _ => continue,
        };
        (code, length, number, count) = (0, 0, number * 10 + u16::from(digit), count + 1);
        if count == 3 {
            break;
        }
    }
    number
}
