//! Floods of frames, each within bounds that a test may have: the program takes leave or goes on, its
//! memory stays as it is, and others are served all the while.

use std::cell::Cell;
use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::door::gateway::{request, token};
use crate::door::http2::frames::{
    self, ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, Frames, GOAWAY, HEADERS, PING,
    PRIORITY, RST_STREAM, SETTINGS, WINDOW_UPDATE, block, frame,
};
use crate::seen::served::Served;

const DOORS: &str = r#"
server: {listen: "127.0.0.1:0", workers: 1, drain_delay: 0s, http2: prior_knowledge}
health: {listen: "127.0.0.1:0"}
admin: {listen: "127.0.0.1:0"}
"#;

/// What the program may have grown by behind the floods, and at any time within them, in bytes.
const MOST_LEFT: usize = 8 << 20;
const MOST_AT_ONCE: usize = 48 << 20;

/// How a connection stands behind a flood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    /// It was taken leave of.
    Gone,
    /// It goes on, and a further request is served.
    Served,
    /// The one or the other, as bytes and reads happen to meet.
    Either,
    /// Nothing is read, and nothing said.
    Stuck,
}

type Flood = fn() -> Vec<u8>;

#[rustfmt::skip]
const FLOODS: &[(&str, Flood, Left)] = &[
    ("requests that are taken back at once", rapid_reset, Left::Gone),
    ("requests that make us take them back", made_you_reset, Left::Gone),
    ("data behind the end of streams", data_behind_the_end, Left::Gone),
    ("windows that overflow, on streams", overflowing_streams, Left::Gone),
    ("a window that overflows, of the connection", || frame(WINDOW_UPDATE, 0, 0, &0x7fff_ffff_u32.to_be_bytes()), Left::Gone),
    ("a window that grows by nothing", || frame(WINDOW_UPDATE, 0, 0, &[0; 4]), Left::Gone),
    ("header blocks that never end", || continued(&[b'x'; 1024], 4096), Left::Gone),
    ("header blocks that never end and hold nothing", || continued(&[], 50_000), Left::Gone),
    ("a list of fields of a mebibyte", mebibyte, Left::Gone),
    ("a small block that unfolds", bomb, Left::Gone),
    ("settings", || frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 255, 255]).repeat(20_000), Left::Either),
    ("settings that acknowledge nothing", || frame(SETTINGS, ACK, 0, &[]).repeat(20_000), Left::Either),
    ("pings", || frame(PING, 0, 0, b"ping-me!").repeat(50_000), Left::Either),
    ("pongs", || frame(PING, ACK, 0, b"ping-me!").repeat(50_000), Left::Served),
    ("priorities", || (0..50_000_u32).flat_map(|stream| frame(PRIORITY, 0, 2 * stream + 1, &[0, 0, 0, 0, 9])).collect(), Left::Served),
    ("frames that nobody knows", || frame(0xfa, 0xff, 1, &[0; 64]).repeat(50_000), Left::Served),
    ("empty data", empty_data, Left::Either),
    ("padding alone", padding, Left::Either),
    ("resets of streams that never were", || (1..20_000_u32).flat_map(|stream| frame(RST_STREAM, 0, 2 * stream + 101, &[0; 4])).collect(), Left::Gone),
    ("streams that stay half open", half_open, Left::Either),
    ("answers that are not taken", untaken, Left::Either),
    ("farewells", || frame(GOAWAY, 0, 0, &[0; 8]).repeat(20_000), Left::Either),
    ("frames that are longer than they may be", || frame(DATA, 0, 1, &[0; 70_000]), Left::Gone),
    ("frames on streams of the server", || frame(HEADERS, END_HEADERS | END_STREAM, 2, &good("GET")), Left::Gone),
];

#[test]
fn floods_of_frames_leave_no_memory_behind_and_keep_nobody_from_being_served() {
    let program = Served::start(DOORS);
    let address: SocketAddr = program.address("traffic");
    let mut steady = program.client();
    let mut round = |wrong: &mut Vec<String>| {
        for (name, flood, expected) in FLOODS {
            let left = pour(address, &flood());
            let either = *expected == Left::Either && left != Left::Stuck;
            if left != *expected && !either {
                wrong.push(format!("{name}: {left:?}"));
            }
            assert_eq!(steady.ask(request("GET /orders/1", "")).status, 200, "behind {name}");
        }
        program.wait_for("grantgate_connections", |open| open <= 1.0);
    };
    let mut wrong = Vec::new();
    round(&mut wrong);
    assert!(wrong.is_empty(), "{wrong:#?}");
    let before = memory(&program, "VmRSS:");
    round(&mut wrong);
    let (after, most) = (memory(&program, "VmRSS:"), memory(&program, "VmHWM:"));
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(after <= before + MOST_LEFT, "{before} bytes, and then {after}");
    assert!(most <= before + MOST_AT_ONCE, "{before} bytes, and in between {most}");
}

/// Pours it out, as much of it as is taken, and looks how the connection stands.
fn pour(address: SocketAddr, flood: &[u8]) -> Left {
    let stream = TcpStream::connect(address).unwrap();
    // Whoever does not read is not written to for ever. Nothing is measured by this.
    stream.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let is_stuck = Cell::new(false);
    let mut client = Frames::over(Watched { stream, is_stuck: &is_stuck });
    client.greet(&[]);
    let further = 1_000_001;
    let taken = client.try_write(flood)
        && client.try_write(&frame(HEADERS, END_HEADERS | END_STREAM, further, &good("GET")));
    let told = client.told(further);
    match told.status {
        Some(200) if taken => Left::Served,
        _ if is_stuck.get() => Left::Stuck,
        _ => Left::Gone,
    }
}

/// Notes that a write or a read waited for too long.
struct Watched<'a> {
    stream: TcpStream,
    is_stuck: &'a Cell<bool>,
}

impl Watched<'_> {
    fn noted(&self, moved: io::Result<usize>) -> io::Result<usize> {
        moved.inspect_err(|error| {
            self.is_stuck.set(self.is_stuck.get() || error.kind() == ErrorKind::WouldBlock);
        })
    }
}

impl Read for Watched<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let moved = self.stream.read(room);
        self.noted(moved)
    }
}

impl Write for Watched<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let moved = self.stream.write(bytes);
        self.noted(moved)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

fn good(method: &str) -> Vec<u8> {
    block(&frames::allowed(method))
}

fn get(stream: u32) -> Vec<u8> {
    frame(HEADERS, END_HEADERS | END_STREAM, stream, &good("GET"))
}

fn post(stream: u32) -> Vec<u8> {
    frame(HEADERS, END_HEADERS, stream, &good("POST"))
}

/// The streams of a client, from the first one on.
fn streams(count: u32) -> impl Iterator<Item = u32> {
    (0..count).map(|number| 2 * number + 1)
}

fn rapid_reset() -> Vec<u8> {
    let one = |stream| [get(stream), frame(RST_STREAM, 0, stream, &frames::CANCEL.to_be_bytes())];
    streams(2000).flat_map(one).flatten().collect()
}

fn made_you_reset() -> Vec<u8> {
    let one = |stream| [post(stream), frame(WINDOW_UPDATE, 0, stream, &[0; 4])];
    streams(2000).flat_map(one).flatten().collect()
}

fn data_behind_the_end() -> Vec<u8> {
    let one = |stream| [get(stream), frame(DATA, 0, stream, b"more")];
    streams(2000).flat_map(one).flatten().collect()
}

fn overflowing_streams() -> Vec<u8> {
    let more = 0x7fff_ffff_u32.to_be_bytes();
    let one = |stream| [post(stream), frame(WINDOW_UPDATE, 0, stream, &more)];
    streams(2000).flat_map(one).flatten().collect()
}

fn continued(piece: &[u8], count: usize) -> Vec<u8> {
    let head = frame(HEADERS, END_STREAM, 1, &good("GET"));
    // A field whose value is all that follows.
    let open = frame(CONTINUATION, 0, 1, &[0, 1, b'x', 0x7f, 0xff, 0xff, 0xff, 0x7f]);
    [head, open, frame(CONTINUATION, 0, 1, piece).repeat(count)].concat()
}

fn mebibyte() -> Vec<u8> {
    let field = block(&[("x-long", "x".repeat(8000))]);
    let more = frame(CONTINUATION, 0, 1, &field).repeat(131);
    [frame(HEADERS, END_STREAM, 1, &good("GET")), more, frame(CONTINUATION, END_HEADERS, 1, &[])]
        .concat()
}

/// One field of 4,000 bytes is put into the table, and named some 16,000 times.
fn bomb() -> Vec<u8> {
    let mut indexed = block(&[("x", "x".repeat(4000))]);
    indexed[0] = 0x40;
    let block = [good("GET"), indexed, vec![0xbe; 16_000 - 4100 - token().len()]].concat();
    let rounds =
        streams(50).flat_map(|stream| frame(HEADERS, END_HEADERS | END_STREAM, stream, &block));
    rounds.collect()
}

fn empty_data() -> Vec<u8> {
    [post(1), frame(DATA, 0, 1, &[]).repeat(50_000)].concat()
}

fn padding() -> Vec<u8> {
    const PADDED: u8 = 8;
    let padding = [&[255][..], &[0; 255]].concat();
    [post(1), frame(DATA, PADDED, 1, &padding).repeat(5000)].concat()
}

fn half_open() -> Vec<u8> {
    streams(1000).flat_map(post).collect()
}

fn untaken() -> Vec<u8> {
    let none = frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0]);
    [none, streams(1000).flat_map(get).collect()].concat()
}

/// What the program has in memory, in bytes.
fn memory(program: &Served, key: &str) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", program.child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() << 10
}
