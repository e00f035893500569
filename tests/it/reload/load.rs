//! Reloads while clients call. No request is lost, each answer is one that the configuration before or the
//! one after gives, and no half of a file ever decides.

use std::env;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use grantgate::reload::ReloadOutcome;

use crate::door::client::Client;

use super::gate::{Gate, World, clients, request_of, told};
use super::site::Site;
use super::writers::{Ends, WRITERS, Writer};

/// Without it, a writer that is not scheduled for longer than the quiet is taken for one that has ended.
const RELOAD: &str = "quiet: 25ms, end_marker: required";

/// How many reloads there are of each writer; more where time is plenty.
fn reloads() -> usize {
    env::var("GRANTGATE_RELOADS").map_or(2, |count| count.parse().unwrap())
}

#[test]
fn no_writer_costs_a_request_and_no_half_is_live() {
    let world = World::new();
    let calls: usize = WRITERS.iter().map(|writer| under_load(&world, writer)).sum();
    eprintln!("{} writers, {} reloads of each, {calls} calls", WRITERS.len(), reloads());
}

/// Tells the callers that it is over, however it ends.
struct End<'d>(&'d AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn under_load(world: &World, writer: &Writer) -> usize {
    let name = writer.name;
    let text = |round: usize| {
        let clients: &[&str] = if round.is_multiple_of(2) { &["one"] } else { &["one", "two"] };
        world.text(clients, RELOAD)
    };
    let site = Site::new(writer.layout, &text(0));
    let live = Arc::new(Mutex::new(Vec::new()));
    let mut gate = Gate::told(&site.config(), {
        let live = live.clone();
        move |snapshot| live.lock().unwrap().push(clients(snapshot))
    });
    let (done, calls) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        // One connection for all calls, and connections for a few calls each.
        for patience in [usize::MAX, 20] {
            let (gate, calls, done) = (gate.address, &calls, &done);
            scope.spawn(move || {
                while !done.load(Ordering::Relaxed) {
                    let mut client = Client::connect(gate);
                    for _ in 0..patience {
                        if done.load(Ordering::Relaxed) {
                            break;
                        }
                        let [one, two, other] =
                            ["one", "two", "other"].map(|id| told(&client.ask(request_of(id))));
                        assert_eq!(one, (200, String::new()), "{name}");
                        let refused = (403, "grant-missing".to_owned());
                        assert!(two.0 == 200 || two == refused, "{name}: {two:?}");
                        assert_eq!(other, refused, "{name}");
                        calls.fetch_add(3, Ordering::Relaxed);
                    }
                }
            });
        }
        let _end = End(&done);
        let mut allowed =
            [(403, "grant-missing".to_owned()), (200, String::new())].into_iter().cycle();
        let mut expected = allowed.next().unwrap();
        for round in 1..=reloads() {
            let (before, seen) = (gate.generation(), gate.attempts.lock().unwrap().len());
            (writer.write)(&site, &text(round));
            match writer.ends {
                Ends::New => {}
                Ends::Same => {
                    let attempts = gate.attempts.clone();
                    gate.until(|status| {
                        let looked = attempts.lock().unwrap().len() > seen;
                        looked && matches!(status.last, ReloadOutcome::Unchanged)
                    });
                    assert_eq!(gate.generation(), before, "{name}");
                }
                Ends::Kept => {
                    gate.until_kept();
                    assert_eq!(gate.generation(), before, "{name}");
                }
            }
            if writer.ends != Ends::New {
                assert_eq!(told(&gate.client().ask(request_of("two"))), expected, "{name}");
                site.restore(&text(round));
            }
            expected = allowed.next().unwrap();
            let grants = if expected.0 == 200 { 3 } else { 2 };
            let live = live.clone();
            gate.until(|status| {
                let last = live.lock().unwrap().last().map_or(0, Vec::len);
                status.generation > before && last == grants
            });
            assert_eq!(told(&gate.client().ask(request_of("two"))), expected, "{name}");
        }
    });
    for clients in live.lock().unwrap().iter() {
        let is_whole = clients == &["last", "one"] || clients == &["last", "one", "two"];
        assert!(is_whole, "{name}: {clients:?}");
    }
    calls.into_inner()
}
