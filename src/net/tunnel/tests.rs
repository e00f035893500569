use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::task::yield_now;
use tokio::time::sleep;

use super::*;

const EXPIRED: Parting = Parting { code: "token-expired", grpc: 16, close: 1008 };
const LIMIT: Duration = Duration::from_mins(1);
const PATIENCE: Duration = Duration::from_secs(40);
const NEARLY: Duration = Duration::from_secs(59);

/// The Close frames that say so, to the client and to the upstream.
const TOLD: &[u8] = b"\x88\x0f\x03\xf0token-expired";
const TOLD_MASKED: &[u8] = b"\x88\x8f\0\0\0\0\x03\xf0token-expired";

/// A frame of a server and one of a client, of three bytes each.
const FRAME: &[u8] = b"\x81\x03abc";
const MASKED: &[u8] = b"\x81\x83\0\0\0\0abc";

/// Runs a tunnel, and with it what `both` does at its two ends; gives when the tunnel was over.
async fn between<F: Future<Output = ()>>(
    cord: &Cord,
    early: &'static [u8],
    both: impl FnOnce(DuplexStream, DuplexStream) -> F,
) -> Duration {
    let (client, mut near) = duplex(64);
    let (far, upstream) = duplex(64);
    let begun = Instant::now();
    let run = async {
        let tunnel = Tunnel::new(Box::new(far), Bytes::new(), LIMIT);
        tunnel.run(&mut near, Bytes::from_static(early), cord, PATIENCE).await;
        drop(near);
        begun.elapsed()
    };
    tokio::join!(run, both(client, upstream)).0
}

async fn reads(from: &mut DuplexStream, expected: &[u8]) {
    let mut read = vec![0; expected.len()];
    from.read_exact(&mut read).await.unwrap();
    assert_eq!(read, expected);
}

async fn ends(from: &mut DuplexStream) {
    assert_eq!(from.read(&mut [0]).await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn bytes_pass_both_ways_and_what_came_early_comes_first() {
    let both = async |mut client: DuplexStream, mut upstream: DuplexStream| {
        client.write_all(b"later").await.unwrap();
        reads(&mut upstream, b"earlylater").await;
        upstream.write_all(b"anything").await.unwrap();
        reads(&mut client, b"anything").await;
        drop(client);
        ends(&mut upstream).await;
    };
    between(&Cord::default(), b"early", both).await;
}

#[tokio::test(start_paused = true)]
async fn when_one_side_has_ended_the_other_still_can_say_something_but_not_for_ever() {
    for upstream_first in [true, false] {
        let both = async |client: DuplexStream, upstream: DuplexStream| {
            let (mut first, mut second) =
                if upstream_first { (upstream, client) } else { (client, upstream) };
            first.write_all(b"last").await.unwrap();
            first.shutdown().await.unwrap();
            reads(&mut second, b"last").await;
            ends(&mut second).await;
            second.write_all(b"words").await.unwrap();
            reads(&mut first, b"words").await;
            // The second says nothing more, and does not end.
            assert!(first.read(&mut [0]).await.is_ok());
        };
        assert_eq!(between(&Cord::default(), b"", both).await, HALF_OPEN);
    }
}

#[tokio::test(start_paused = true)]
async fn a_byte_of_either_side_keeps_it_and_silence_ends_it() {
    let both = async |mut client: DuplexStream, mut upstream: DuplexStream| {
        for _ in 0..3 {
            sleep(NEARLY).await;
            upstream.write_all(FRAME).await.unwrap();
            reads(&mut client, FRAME).await;
            sleep(NEARLY).await;
            client.write_all(MASKED).await.unwrap();
            reads(&mut upstream, MASKED).await;
        }
        reads(&mut client, b"\x88\x0d\x03\xe9stream-idle").await;
        reads(&mut upstream, b"\x88\x8d\0\0\0\0\x03\xe9stream-idle").await;
        ends(&mut client).await;
        ends(&mut upstream).await;
    };
    let lasted = between(&Cord::default(), b"", both).await;
    assert_eq!(lasted, NEARLY * 6 + LIMIT);
}

#[tokio::test(start_paused = true)]
async fn one_that_is_cut_tells_both_sides_why() {
    let cord = Cord::default();
    let both = async |mut client: DuplexStream, mut upstream: DuplexStream| {
        upstream.write_all(FRAME).await.unwrap();
        client.write_all(MASKED).await.unwrap();
        reads(&mut client, FRAME).await;
        reads(&mut upstream, MASKED).await;
        cord.cut(EXPIRED);
        client.write_all(MASKED).await.unwrap();
        reads(&mut client, TOLD).await;
        reads(&mut upstream, TOLD_MASKED).await;
        ends(&mut client).await;
        ends(&mut upstream).await;
    };
    assert_eq!(between(&cord, b"", both).await, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn one_that_was_cut_before_it_began_carries_nothing_more_than_it_holds() {
    let cord = Cord::default();
    cord.cut(EXPIRED);
    let both = async |mut client: DuplexStream, mut upstream: DuplexStream| {
        reads(&mut client, TOLD).await;
        ends(&mut client).await;
        reads(&mut upstream, MASKED).await;
        reads(&mut upstream, TOLD_MASKED).await;
        ends(&mut upstream).await;
    };
    between(&cord, MASKED, both).await;
}

#[tokio::test(start_paused = true)]
async fn the_close_stands_behind_the_frame_that_passes_and_before_the_next() {
    let cord = Cord::default();
    let both = async |mut client: DuplexStream, mut upstream: DuplexStream| {
        upstream.write_all(&FRAME[..4]).await.unwrap();
        client.write_all(&MASKED[..4]).await.unwrap();
        reads(&mut client, &FRAME[..4]).await;
        reads(&mut upstream, &MASKED[..4]).await;
        cord.cut(EXPIRED);
        // Nothing more of the client passes, and what would stand within its frame is not said.
        client.write_all(&MASKED[4..]).await.unwrap();
        ends(&mut upstream).await;
        upstream.write_all(&[&FRAME[4..], FRAME].concat()).await.unwrap();
        reads(&mut client, &[&FRAME[4..], TOLD].concat()).await;
        ends(&mut client).await;
    };
    assert_eq!(between(&cord, b"", both).await, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_does_not_end_is_not_waited_for_long() {
    let cord = Cord::default();
    let both = async |mut client: DuplexStream, mut upstream: DuplexStream| {
        upstream.write_all(b"\x82\x7f\0\0\0\0\x7f\0\0\0").await.unwrap();
        reads(&mut client, b"\x82\x7f\0\0\0\0\x7f\0\0\0").await;
        cord.cut(EXPIRED);
        let mut rest = Vec::new();
        let mut drip = async || {
            while upstream.write_all(b"x").await.is_ok() {
                sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::join!(client.read_to_end(&mut rest), drip()).0.unwrap();
        assert!(rest.iter().all(|&byte| byte == b'x'), "a close within a frame");
    };
    assert_eq!(between(&cord, b"", both).await, PARTING);
}

#[tokio::test(start_paused = true)]
async fn where_no_frames_pass_or_the_last_has_no_close_is_said() {
    for last in [&b"HTTP/1.1 200 OK"[..], b"\x88\x02\x03\xe8"] {
        let cord = Cord::default();
        let both = async |mut client: DuplexStream, mut upstream: DuplexStream| {
            upstream.write_all(last).await.unwrap();
            reads(&mut client, last).await;
            cord.cut(EXPIRED);
            ends(&mut client).await;
        };
        between(&cord, b"", both).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_nothing_stops_the_upstream_and_is_not_waited_for_when_it_is_cut() {
    let cord = Cord::default();
    let both = async |client: DuplexStream, mut upstream: DuplexStream| {
        let mut sent = 0;
        let flood = async {
            while upstream.write_all(&[0; 64]).await.is_ok() {
                sent += 64;
            }
        };
        let cut = async {
            sleep(LIMIT / 2).await;
            cord.cut(EXPIRED);
        };
        tokio::join!(flood, cut);
        assert!(sent <= STEP + 4 * 64, "{sent} bytes are held of a client that takes none");
        drop(client);
    };
    assert_eq!(between(&cord, b"", both).await, LIMIT / 2 + PARTING);
}

#[tokio::test(start_paused = true)]
async fn a_side_that_breaks_off_ends_the_other() {
    let both = async |client: DuplexStream, mut upstream: DuplexStream| {
        drop(client);
        ends(&mut upstream).await;
        yield_now().await;
        drop(upstream);
    };
    assert_eq!(between(&Cord::default(), b"", both).await, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_has_its_time_whatever_it_sends() {
    let both = async |mut client: DuplexStream, mut upstream: DuplexStream| {
        let sends = async {
            while client.write_all(MASKED).await.is_ok() {
                sleep(Duration::from_secs(1)).await;
            }
        };
        let (mut from_gate, mut to_gate) = tokio::io::split(&mut upstream);
        let hears = async {
            let mut heard = Vec::new();
            from_gate.read_to_end(&mut heard).await.unwrap();
            assert!(heard.ends_with(b"tunnel-stalled"), "{heard:?}");
        };
        let more = [FRAME; 100].concat();
        let floods = async { while to_gate.write_all(&more).await.is_ok() {} };
        tokio::select! { () = hears => {} () = async { tokio::join!(sends, floods); } => {} }
    };
    assert_eq!(between(&Cord::default(), b"", both).await, PATIENCE);
}
