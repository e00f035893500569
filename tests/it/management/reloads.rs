//! What follows the files while the gateway runs: secrets, the certificate, and the section itself.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::thread;
use std::time::Instant;

use serde_json::{Value, json};

use super::managed::{Managed, NAME, OTHER_SECRET, SECRET, fault, form};
use crate::certificates::{connect, shown};
use crate::door::client::{Client, PATIENCE};
use crate::door::gateway;

const LIST: &str = "GET /api/v2/client-grants";

#[test]
fn a_changed_secret_counts_at_once_and_tokens_of_before_do_not() {
    let mut gate = Managed::start();
    let tool = gate.tool();
    assert_eq!(gate.ask(LIST, &tool, "").status, 200);
    let new = "another secret of the tool, long enough";
    gate.edit("tool.secret", |_| new.to_owned());
    assert_eq!(gate.asked_token(&form("tool", SECRET)).status, 401);
    assert_eq!(fault(&gate.ask(LIST, &tool, "")).1, "invalid_token");
    assert_eq!(gate.ask(LIST, &gate.authorized("tool", new), "").status, 200);
    assert_eq!(gate.ask(LIST, &gate.authorized("reader", OTHER_SECRET), "").status, 200);
}

#[test]
fn a_grant_that_is_taken_away_is_gone_with_the_next_request() {
    let mut gate = Managed::start();
    let reader = gate.reader();
    assert_eq!(gate.ask(LIST, &reader, "").status, 200);
    gate.edit("gateway.yaml", |text| {
        let lines = text.lines().filter(|line| !line.contains("{client_id: reader, audience"));
        lines.collect::<Vec<_>>().join("\n")
    });
    assert_eq!(fault(&gate.ask(LIST, &reader, "")).1, "grant-missing");
}

#[test]
fn a_new_certificate_is_shown_and_a_section_that_goes_answers_nothing_until_a_restart() {
    let mut gate = Managed::start();
    let tool = gate.tool();
    let before = shown(&connect(&gate.trusting(), gate.address, NAME).unwrap());
    let new = gate.authority.sign(NAME);
    gate.replace(&[("tls.key", &new.key), ("tls.crt", &new.certificate)]);
    let after = shown(&connect(&gate.trusting(), gate.address, NAME).unwrap());
    assert_ne!(before, after);
    assert_eq!(after, new.der());

    let applied = gate.edit("gateway.yaml", |text| {
        let (top, rest) = text.split_once("management:").unwrap();
        let (_, rest) = rest.split_once("\nissuers:").unwrap();
        let lines = rest.lines().filter(|line| !line.contains("urn:grantgate:management"));
        format!("{top}issuers:{}\n", lines.collect::<Vec<_>>().join("\n"))
    });
    assert!(applied.restart_needed.contains(&"management.listen"), "{:?}", applied.restart_needed);
    for (line, more) in [(LIST, &*tool), ("GET /openapi.json", ""), ("POST /oauth/token", "")] {
        assert_eq!(fault(&gate.ask(line, more, "")).0, 404, "{line}");
    }
    let after = shown(&connect(&gate.trusting(), gate.address, NAME).unwrap());
    assert_eq!(after, new.der(), "the last certificate stays");
}

#[test]
fn an_edit_of_a_file_that_a_write_replaced_is_a_condition_until_it_is_seen_to() {
    let gate = Managed::start();
    let file = gate.folder.path().join("gateway.yaml");
    let mut editor = OpenOptions::new().append(true).open(&file).unwrap();
    let more = format!("{}content-type: application/json\r\n", gate.tool());
    let create = |client: &str| {
        let grant = json!({
            "client_id": client, "audience": "https://orders.example.com", "scope": ["read:orders"],
        });
        let answer = gate.ask("POST /api/v2/client-grants", &more, &grant.to_string());
        assert_eq!(answer.status, 201, "{}", answer.text());
    };
    let ready = || {
        let answer = Client::connect(gate.health).ask(gateway::request("GET /readyz", ""));
        assert_eq!(answer.status, 200);
        serde_json::from_slice::<Value>(&answer.body).unwrap()["conditions"].clone()
    };
    create("one");
    editor.write_all(b"# by hand").unwrap();
    assert_eq!(ready(), json!([]));
    create("two");
    let conditions = ready();
    assert_eq!(conditions[0]["code"], "edit-conflict", "{conditions}");
    assert_eq!(conditions[0]["unready"], false);
    let detail = conditions[0]["detail"].as_str().unwrap();
    assert!(detail.contains("`.gateway.yaml.conflict-1`"), "{detail}");
    fs::remove_file(file.with_file_name(".gateway.yaml.conflict-1")).unwrap();
    let begun = Instant::now();
    while ready() != json!([]) {
        assert!(begun.elapsed() < PATIENCE);
        thread::yield_now();
    }
}
