//! Where one WebSocket frame ends and the next begins (RFC 6455 section 5.2), and nothing else of them.
//!
//! In go the bytes of one direction as they pass; out comes whether a frame of ours may stand behind
//! them. Payloads are counted and not looked at. What is no frame makes all that follows unreadable:
//! then nothing of ours may stand anywhere.

use bytes::Bytes;

use super::cord::Parting;

/// The frames of one direction.
pub(super) struct Frames {
    /// Whether they are masked, as a client's are.
    masked: bool,
    at: At,
}

/// Where the bytes that passed end.
#[derive(Clone, Copy)]
enum At {
    /// Between two frames.
    Between,
    /// Behind the first byte of a frame.
    Begun { opcode: u8 },
    /// Within a length of two or eight bytes.
    Length { opcode: u8, so_far: u64, missing: u8 },
    /// Within a frame of which so much is to come.
    Within { opcode: u8, rest: u64 },
    /// Behind a Close frame, the last one.
    Closed,
    /// Where no frame is.
    Lost,
}

/// Whether a frame of ours may stand behind what has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gap {
    /// It may.
    Here,
    /// Not before more has passed.
    Later,
    /// It never may.
    Never,
}

const CLOSE: u8 = 0x8;
const FINAL: u8 = 0x80;
const MASKED: u8 = 0x80;
const MASK_BYTES: usize = 4;

/// What a control frame may hold (RFC 6455 section 5.5).
const MOST_IN_CONTROL: u8 = 125;

impl Frames {
    /// Those of a client.
    pub(super) fn of_client() -> Self {
        Self { masked: true, at: At::Between }
    }

    /// Those of a server.
    pub(super) fn of_server() -> Self {
        Self { masked: false, at: At::Between }
    }

    /// Notes that these bytes pass.
    pub(super) fn pass(&mut self, mut bytes: &[u8]) {
        while let Some(after) = self.step(bytes) {
            bytes = after;
        }
    }

    /// Notes that of these bytes as many pass as lead to the next gap, or all; tells how many.
    pub(super) fn pass_to_gap(&mut self, bytes: &[u8]) -> usize {
        let mut rest = bytes;
        while let Some(after) = self.step(rest) {
            rest = after;
            if self.gap() != Gap::Later {
                break;
            }
        }
        bytes.len() - rest.len()
    }

    pub(super) fn gap(&self) -> Gap {
        match self.at {
            At::Between => Gap::Here,
            At::Begun { .. } | At::Length { .. } | At::Within { .. } => Gap::Later,
            At::Closed | At::Lost => Gap::Never,
        }
    }

    /// The frame that says why this direction ends (RFC 6455 section 5.5.1).
    pub(super) fn close(&self, parting: &Parting) -> Bytes {
        let status = parting.close.to_be_bytes();
        let reason =
            parting.code.as_bytes().iter().take(usize::from(MOST_IN_CONTROL) - status.len());
        let payload: Vec<u8> = status.iter().chain(reason).copied().collect();
        let length = u8::try_from(payload.len()).unwrap_or(MOST_IN_CONTROL);
        let mut frame = vec![FINAL | CLOSE, length];
        if self.masked {
            frame = vec![FINAL | CLOSE, MASKED | length];
            // A mask hides what a page chose from what stands between; here nobody chose anything.
            frame.extend([0; MASK_BYTES]);
        }
        frame.extend(payload);
        frame.into()
    }

    /// Passes some bytes, to the end of a frame at most; gives those behind them, nothing at the end.
    fn step<'b>(&mut self, bytes: &'b [u8]) -> Option<&'b [u8]> {
        let (&first, after) = bytes.split_first()?;
        match self.at {
            At::Between => self.begin(first),
            At::Begun { opcode } => self.measure(opcode, first),
            At::Length { opcode, so_far, missing } => {
                let so_far = so_far << 8 | u64::from(first);
                match missing - 1 {
                    0 => self.enter(opcode, so_far),
                    missing => self.at = At::Length { opcode, so_far, missing },
                }
            }
            At::Within { opcode, rest } => {
                let passed = usize::try_from(rest).unwrap_or(usize::MAX).min(bytes.len());
                self.stay(opcode, rest.saturating_sub(passed as u64));
                return bytes.get(passed..);
            }
            At::Closed | At::Lost => return None,
        }
        Some(after)
    }

    fn begin(&mut self, byte: u8) {
        let opcode = byte & 0x0f;
        self.at = match opcode {
            0x0..=0x2 => At::Begun { opcode },
            CLOSE..=0xa if byte & FINAL != 0 => At::Begun { opcode },
            _ => At::Lost,
        };
    }

    fn measure(&mut self, opcode: u8, byte: u8) {
        let length = byte & !MASKED;
        let is_sound =
            (byte & MASKED != 0) == self.masked && (opcode < CLOSE || length <= MOST_IN_CONTROL);
        match length {
            _ if !is_sound => self.at = At::Lost,
            126 => self.at = At::Length { opcode, so_far: 0, missing: 2 },
            127 => self.at = At::Length { opcode, so_far: 0, missing: 8 },
            _ => self.enter(opcode, length.into()),
        }
    }

    fn enter(&mut self, opcode: u8, length: u64) {
        if length >> 63 != 0 {
            self.at = At::Lost;
            return;
        }
        let mask = if self.masked { MASK_BYTES as u64 } else { 0 };
        self.stay(opcode, length + mask);
    }

    fn stay(&mut self, opcode: u8, rest: u64) {
        self.at = match (rest, opcode) {
            (0, CLOSE) => At::Closed,
            (0, _) => At::Between,
            (rest, opcode) => At::Within { opcode, rest },
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXPIRED: Parting = Parting { code: "token-expired", grpc: 16, close: 1008 };

    fn frame(first: u8, length: &[u8], payload: usize) -> Vec<u8> {
        [&[first], length, &vec![0xff; payload]].concat()
    }

    #[test]
    fn gaps_are_where_frames_end_however_the_bytes_come() {
        let frames = [
            frame(0x81, &[0], 0),
            frame(0x01, &[5], 5),
            frame(0x89, &[125], 125),
            frame(0xc0, &[126, 1, 0], 256),
            frame(0x82, &[127, 0, 0, 0, 0, 0, 1, 0, 0], 65536),
        ];
        let ends: Vec<usize> = frames
            .iter()
            .scan(0, |end, frame| {
                *end += frame.len();
                Some(*end)
            })
            .collect();
        let bytes = frames.concat();
        let mut one_by_one = Frames::of_server();
        for (index, &byte) in bytes.iter().enumerate() {
            one_by_one.pass(&[byte]);
            let here = ends.contains(&(index + 1));
            assert_eq!(one_by_one.gap(), if here { Gap::Here } else { Gap::Later }, "{index}");
        }
        let (mut to_gaps, mut at) = (Frames::of_server(), 0);
        for end in ends {
            at += to_gaps.pass_to_gap(&bytes[at..]);
            assert_eq!((at, to_gaps.gap()), (end, Gap::Here));
        }
        let mut at_once = Frames::of_server();
        at_once.pass(&bytes);
        assert_eq!(at_once.gap(), Gap::Here);
    }

    #[test]
    fn what_a_client_sends_is_masked_and_what_a_server_sends_is_not() {
        let masked = [0x81, 0x81, 1, 2, 3, 4, 9];
        let (mut client, mut server) = (Frames::of_client(), Frames::of_server());
        client.pass(&masked);
        server.pass(&masked);
        assert_eq!((client.gap(), server.gap()), (Gap::Here, Gap::Never));
        let mut client = Frames::of_client();
        client.pass(&[0x81, 0x01, 9]);
        assert_eq!(client.gap(), Gap::Never);
    }

    #[test]
    fn nothing_stands_behind_a_close_nor_where_no_frames_are() {
        for bytes in [
            &[0x88, 2, 3, 0xe8][..],
            b"HTTP/1.1 200 OK",
            &[0x83, 0],
            &[0x08, 0],
            &[0x89, 126],
            &[0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0],
        ] {
            let mut frames = Frames::of_server();
            frames.pass(bytes);
            frames.pass(&[0x81, 0]);
            assert_eq!(frames.gap(), Gap::Never, "{bytes:x?}");
        }
    }

    #[test]
    fn a_close_says_status_and_reason_and_is_one_frame_of_its_direction() {
        let close = Frames::of_server().close(&EXPIRED);
        assert_eq!(close, [&[0x88, 15, 0x03, 0xf0], &b"token-expired"[..]].concat());
        for mut frames in [Frames::of_client(), Frames::of_server()] {
            let long = Parting { code: "x".repeat(200).leak(), ..EXPIRED };
            let close = frames.close(&long);
            assert_eq!(frames.pass_to_gap(&close), close.len());
            assert!(matches!(frames.at, At::Closed));
        }
    }
}
