//! Thousands of attackers at once and one after the other, at the program as it runs: its memory stays
//! as it is, and whoever asks properly is answered all the while.

use std::collections::VecDeque;
use std::fs;
use std::net::Shutdown;

use crate::door::client::Client;
use crate::door::gateway::request;
use crate::seen::served::{DOORS, Served};

use super::case::Case;
use super::{credentials, framing, hops, hosts, identity, proxies, targets, upgrades};

/// How often every case is sent before memory is looked at, and then again.
const ROUNDS: usize = 10;

/// How many attackers stay, and say no more.
const STAYING: usize = 64;

/// What the program may have grown by, in bytes: less than an allocator keeps for later.
const MOST_GROWTH: usize = 6 << 20;

#[test]
fn attackers_leave_no_memory_behind_and_keep_nobody_from_being_served() {
    let program = Served::start(DOORS);
    let cases: Vec<_> = tables().iter().flat_map(|table| table.iter().map(Case::bytes)).collect();
    let mut steady = program.client();
    let mut staying = VecDeque::new();
    let mut attack = |rounds: usize| {
        for (number, bytes) in (0..rounds).flat_map(|_| &cases).enumerate() {
            let mut client = program.client();
            client.try_send(bytes);
            match number % 4 {
                // Gone, with the answer unread.
                0 => drop(client),
                1 => staying.push_back(client),
                _ => finish(&mut client),
            }
            if staying.len() > STAYING {
                staying.pop_front();
            }
            if number % 16 == 0 {
                assert_eq!(steady.ask(request("GET /orders/1", "")).status, 200);
            }
        }
        staying.clear();
        program.wait_for("grantgate_connections", |open| open <= 1.0);
        resident(&program)
    };
    let before = attack(ROUNDS / 2);
    let after = attack(ROUNDS);
    assert!(after <= before + MOST_GROWTH, "{before} bytes, and then {after}");
}

fn tables() -> [&'static [Case]; 13] {
    [
        credentials::CASES,
        framing::CHUNKS,
        framing::HEADS,
        framing::LINES,
        framing::TRAILERS,
        hops::CASES,
        hosts::CASES,
        identity::CASES,
        proxies::TRUSTED,
        proxies::UNTRUSTED,
        targets::CASES,
        targets::PROBES,
        upgrades::CASES,
    ]
}

/// Says no more, and takes what comes.
fn finish(client: &mut Client) {
    let _ = client.stream().shutdown(Shutdown::Write);
    while client.maybe_answer("GET").is_some() {}
}

/// What the program has in memory, in bytes.
fn resident(program: &Served) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", program.child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() << 10
}
