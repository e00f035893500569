//! Decision records: which are written, what is in them, and readers that do not read.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read;
use std::process::Stdio;

use serde_json::Value;

use crate::disk::root;
use crate::door::gateway::request;

use super::served::{DOORS, Served};

const DROPPED: &str = "grantgate_records_dropped_total";

/// Has the program run, ends it, and gives what it wrote.
fn recorded(top: &str, ask: impl FnOnce(&Served)) -> Vec<Value> {
    let mut program = Served::writing_to(Stdio::piped(), top);
    ask(&program);
    program.end();
    let mut text = String::new();
    program.child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Sends `count` requests that are refused, each with a long path, over one connection.
fn refuse(program: &Served, count: usize) {
    let mut client = program.client();
    let path = "/x".repeat(400);
    let one = format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n");
    for _ in 0..count / 50 {
        client.send(one.repeat(50));
        for _ in 0..50 {
            assert_eq!(client.answer().status, 401);
        }
    }
}

/// The memory that the program holds, in bytes.
fn resident(program: &Served) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", program.child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

#[test]
fn a_reader_that_never_reads_costs_records_and_nothing_else() {
    let mut program = Served::writing_to(Stdio::piped(), DOORS);
    // The pipe takes 64 KiB, the queue some MiB; a record has about a KiB.
    while program.metric(DROPPED) == Some(0.0) {
        refuse(&program, 500);
    }
    let before = resident(&program);
    let dropped = program.metric(DROPPED).unwrap();
    refuse(&program, 6000);
    program.wait_for(DROPPED, |now| now >= dropped + 5000.0);
    let grown = resident(&program).saturating_sub(before);
    assert!(grown < 4 << 20, "{grown} bytes more");
    assert_eq!(program.client().ask(request("GET /orders/1", "")).status, 200);
    // Nor does it keep the program from leaving: nobody has read a byte.
    program.end();
}

#[test]
fn a_reader_that_went_away_costs_records_and_nothing_else() {
    let mut program = Served::writing_to(Stdio::piped(), DOORS);
    drop(program.child.stdout.take());
    refuse(&program, 50);
    program.wait_for(DROPPED, |dropped| dropped >= 50.0);
    assert_eq!(program.client().ask(request("GET /orders/1", "")).status, 200);
    program.end();
}

#[test]
fn a_full_disk_costs_records_and_nothing_else() {
    let full = File::options().write(true).open("/dev/full").unwrap();
    let mut program = Served::writing_to(full.into(), DOORS);
    refuse(&program, 50);
    program.wait_for(DROPPED, |dropped| dropped >= 50.0);
    assert_eq!(program.client().ask(request("GET /orders/1", "")).status, 200);
    program.end();
}

#[test]
fn neither_token_nor_query_nor_header_is_in_a_record_and_the_path_is_the_canonical_one() {
    let token = crate::door::gateway::token();
    let records = recorded(DOORS, |program| {
        let ask = |line: &str, more: &str| program.client().ask(request(line, more)).status;
        assert_eq!(ask("GET /orders/%41%c3%bc?token=q-secret", "x-key: h-secret\r\n"), 200);
        assert_eq!(ask("GET /orders/3?access_token=q-secret", ""), 400);
        assert_eq!(ask("GET /or%64ers/1?q-secret", "cookie: h-secret\r\n"), 200);
        assert_eq!(ask("GET /orders/..%2f?q-secret", ""), 400);
        assert_eq!(ask("GET http://orders.example.com/orders/2?q-secret", ""), 200);
    });
    let paths: Vec<_> = records.iter().map(|record| record["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["/orders/A%C3%BC", "/orders/3", "/orders/1", "/orders/..%2f", "/orders/2"]);
    let text = serde_json::to_string(&records).unwrap();
    assert!(!text.contains("-secret") && !text.contains('?'), "{text}");
    let signature = token.rsplit('.').next().unwrap();
    assert!(!text.contains(&signature[..16]) && !text.contains("eyJ"), "{text}");
}

#[test]
fn of_allowed_requests_one_in_so_many_is_recorded_and_of_refused_ones_each() {
    let statuses = |one_in: u32| {
        let top = format!("{DOORS}log: {{allowed_one_in: {one_in}}}\n");
        let records = recorded(&top, |program| {
            let mut client = program.client();
            for _ in 0..10 {
                assert_eq!(client.ask(request("GET /orders/1", "")).status, 200);
                assert_eq!(client.ask(request("DELETE /orders/1", "")).status, 403);
            }
        });
        let with = |status: u16| records.iter().filter(|record| record["status"] == status).count();
        (with(200), with(403))
    };
    assert_eq!(statuses(1), (10, 10));
    assert_eq!(statuses(4), (3, 10));
    assert_eq!(statuses(0), (0, 10));
}

/// The fields that the reference tells of.
fn fields_on_the_page() -> BTreeSet<String> {
    let page = fs::read_to_string(root().join("config/README.md")).unwrap();
    let (_, records) = page.split_once("| field | what it is |\n|---|---|\n").unwrap();
    let rows = records.lines().map_while(|line| line.strip_prefix("| ")?.split(" | ").next());
    rows.flat_map(|names| names.split(", ")).map(|name| name.trim_matches('`').to_owned()).collect()
}

#[test]
fn what_is_recorded_changes_while_it_runs() {
    let records = recorded(&format!("{DOORS}log: {{records: false}}\n"), |program| {
        let ask = || program.client().ask(request("GET /orders/1", "")).status;
        assert_eq!(ask(), 200);
        program.edit(|text| text.replace("records: false", "records: true"));
        program.says(&["configuration applied"]);
        assert_eq!(ask(), 200);
    });
    assert_eq!(records.len(), 1);
    assert_eq!(records[0]["generation"], 2);
    let fields = records[0].as_object().unwrap().keys().cloned().collect();
    assert_eq!(fields_on_the_page(), fields);
}
