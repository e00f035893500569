//! What is taken away is gone with the next request: on connections that stay open, for tokens that were
//! verified before. And whether the gateway is ready, where what is taken away does not arrive.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Mutex, mpsc};
use std::thread;

use serde_json::Value;
use tokio::task::block_in_place;

use crate::disk::KEYS;
use crate::door::client::{Client, PATIENCE};

use super::gate::{Gate, World, request_of, told};
use super::site::{Layout, Site};

const QUIET: &str = "quiet: 25ms";

#[test]
fn what_is_taken_away_is_refused_on_the_next_request() {
    let world = World::new();
    let whole = world.text(&["one"], QUIET);
    let site = Site::new(Layout::File, &whole);
    let mut gate = Gate::start(&site.config());
    let (mut client, request) = (gate.client(), request_of("one"));
    let apply = |gate: &mut Gate, text: &str| {
        let before = gate.generation();
        site.restore(text);
        gate.until(|status| status.generation > before);
    };
    let (head, _) = whole.split_once("resource_servers:").unwrap();
    for (what, text, refusal) in [
        ("the grant", world.text(&[], QUIET), (403, "grant-missing")),
        (
            "its scope",
            whole.replacen("scope: [\"read:orders\"]", "scope: []", 1),
            (403, "scope-exceeds-grant"),
        ),
        (
            "its time",
            whole.replacen(
                "[\"read:orders\"]\n",
                "[\"read:orders\"]\n    expires_at: \"2020-01-01T00:00:00Z\"\n",
                1,
            ),
            (403, "grant-expired"),
        ),
        (
            "the issuer",
            whole.replace("https://issuer.example/", "https://other.example/"),
            (401, "token-issuer-unknown"),
        ),
        (
            "the operation",
            whole.replace("GET /orders/*", "GET /others/*"),
            (403, "operation-unlisted"),
        ),
        (
            "the api",
            format!("{head}resource_servers: []\nclient_grants: []\n...\n"),
            (404, "route-unknown"),
        ),
    ] {
        for _ in 0..3 {
            // Verified once, and remembered from then on.
            assert_eq!(told(&client.ask(&request)), (200, String::new()), "{what}");
        }
        apply(&mut gate, &text);
        let (status, code) = told(&client.ask(&request));
        assert_eq!((status, code.as_str()), refusal, "{what}");
        apply(&mut gate, &whole);
    }
    assert_eq!(told(&client.ask(&request)), (200, String::new()));
}

#[test]
fn files_that_stay_refused_for_too_long_make_the_gateway_unready() {
    let ready = |gate: &Gate| -> (u16, Value) {
        let answer = Client::connect(gate.health).ask("GET /readyz HTTP/1.1\r\nhost: a\r\n\r\n");
        (answer.status, serde_json::from_slice(&answer.body).unwrap())
    };
    let world = World::new();
    for (age, refused) in [("never", 200), ("24h", 200), ("0s", 503)] {
        let text = world.text(&["one"], &format!("{QUIET}, max_rejected_age: {age}"));
        let site = Site::new(Layout::File, &text);
        let mut gate = Gate::start(&site.config());
        assert_eq!(ready(&gate).0, 200);
        fs::write(site.file(), "").unwrap();
        gate.until_kept();
        let (status, body) = ready(&gate);
        assert_eq!((status, &body["ready"]), (refused, &(refused == 200).into()), "{age}: {body}");
        let condition = &body["conditions"][0];
        assert_eq!(condition["code"], "config-refused", "{age}: {body}");
        assert_eq!(condition["unready"], refused == 503, "{age}: {body}");
        // It goes on deciding all the same.
        assert_eq!(gate.client().ask(request_of("one")).status, 200);
        let before = gate.attempts.lock().unwrap().len();
        site.restore(&text);
        let attempts = gate.attempts.clone();
        gate.until(|status| attempts.lock().unwrap().len() > before && status.refused.is_none());
        assert_eq!(ready(&gate).0, 200);
    }
}

/// Its keys are asked for before its tokens are: none of them is told that nobody can tell.
#[test]
fn an_issuer_that_comes_is_known_by_its_keys_from_the_first_request_on() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (asked, fetches) = mpsc::channel();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut head = [0; 4096];
            let _ = stream.read(&mut head);
            let _ = asked.send(());
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{KEYS}",
                KEYS.len()
            );
        }
    });
    let world = World::new();
    let text = world.text(&["one"], QUIET);
    let site = Site::new(Layout::File, &text);
    let fetches = Mutex::new(fetches);
    let mut gate = Gate::told(&site.config(), move |_| {
        // Told before all others that the new one decides: by then its keys are on their way.
        block_in_place(|| {
            let waited = fetches.lock().unwrap().recv_timeout(PATIENCE);
            waited.expect("nobody asked for the keys");
        });
    });
    site.restore(
        &text.replace("jwks: {keys: []}", &format!("jwks_uri: \"http://{address}/jwks\"")),
    );
    gate.until_applied(2);
}
