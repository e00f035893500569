//! Thousands of reloads leave nothing behind: no task, no thread, no file, no watch, no memory; and no
//! table grows with the names that came and went.
//!
//! A process is measured as a whole: the test starts itself again, alone.

use std::env;
use std::fs;
use std::process::Command;

use serde_json::json;

use crate::disk::rename_over;
use crate::door::client::Client;
use crate::door::gateway::token_with;

use super::gate::{Gate, World, request_with};
use super::site::{Layout, Site};

const ALONE: &str = "GRANTGATE_TEST_ALONE";

/// How many reloads; more where time is plenty.
fn reloads() -> usize {
    env::var("GRANTGATE_SOAK").map_or(600, |count| count.parse().unwrap())
}

#[test]
fn reloads_leave_nothing_behind() {
    if env::var_os(ALONE).is_some() {
        return measure();
    }
    let alone = Command::new(env::current_exe().unwrap())
        .args(["reload::growth::reloads_leave_nothing_behind", "--exact", "--nocapture"])
        .env(ALONE, "1")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&alone.stderr);
    assert!(alone.status.success(), "{told}");
    eprint!("{told}");
}

fn measure() {
    let world = World::new();
    // Every reload brings an issuer and an API that nobody has heard of before.
    let text = |round: usize| {
        let keys = "jwks_uri: \"http://127.0.0.1:9/jwks\"";
        let text = world.text(&["one"], "quiet: 0ms").replace("jwks: {keys: []}", keys);
        let text = text.replace("//issuer.", &format!("//issuer{round}."));
        let text = text.replace("//orders.", &format!("//orders{round}."));
        text.replace("client_grants:", "limits: {token_cache_bytes: 64KiB}\nclient_grants:")
    };
    let site = Site::new(Layout::File, &text(0));
    let mut gate = Gate::start(&site.config());
    let mut client = gate.client();
    let mut reload = |gate: &mut Gate, round: usize| {
        rename_over(&site.file(), text(round));
        gate.until(|status| status.generation > round as u64);
        // What this test itself remembers.
        *gate.attempts.lock().unwrap() = Vec::new();
        let claims = json!({
            "iss": format!("https://issuer{round}.example/"),
            "aud": format!("https://orders{round}.example.com"),
            "azp": "one",
            "sub": "one@clients",
        });
        assert_eq!(client.ask(request_with(&token_with(&claims))).status, 200);
    };
    let (warm, all) = (reloads() / 2, reloads());
    (1..=warm).for_each(|round| reload(&mut gate, round));
    let before = Sizes::of(&gate);
    (warm + 1..=all).for_each(|round| reload(&mut gate, round));
    let after = Sizes::of(&gate);
    eprintln!("after {warm}: {before:?}\nafter {all}: {after:?}");
    assert!(after.tasks <= before.tasks + 8, "tasks");
    assert!(after.threads <= before.threads + 4, "threads");
    assert!(after.files <= before.files + 8, "files");
    assert!(after.watches <= before.watches + 2, "watches");
    assert!(after.memory <= before.memory + (8 << 10), "memory, in KiB");
    assert!(after.metrics <= MOST_METRICS, "metrics");
}

/// What the names of a thousand issuers and APIs take, and all else.
const MOST_METRICS: usize = 1 << 20;

#[derive(Debug)]
struct Sizes {
    tasks: usize,
    threads: usize,
    files: usize,
    watches: usize,
    /// In KiB.
    memory: usize,
    /// In bytes of text.
    metrics: usize,
}

impl Sizes {
    fn of(gate: &Gate) -> Self {
        let of_process = |key: &str| -> usize {
            let status = fs::read_to_string("/proc/self/status").unwrap();
            let line = status.lines().find(|line| line.starts_with(key)).unwrap();
            line.split_whitespace().nth(1).unwrap().parse().unwrap()
        };
        let watches = fs::read_dir("/proc/self/fdinfo").unwrap().map(|entry| {
            let told = fs::read_to_string(entry.unwrap().path()).unwrap_or_default();
            told.lines().filter(|line| line.starts_with("inotify ")).count()
        });
        let metrics = "GET /metrics HTTP/1.1\r\nhost: a\r\n\r\n";
        Self {
            tasks: gate.tasks(),
            threads: of_process("Threads:"),
            files: fs::read_dir("/proc/self/fd").unwrap().count(),
            watches: watches.sum(),
            memory: of_process("VmRSS:"),
            metrics: Client::connect(gate.health).ask(metrics).body.len(),
        }
    }
}
