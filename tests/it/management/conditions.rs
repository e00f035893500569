//! `ETag` and `If-Match`, and writes that the files refuse.

use serde_json::json;

use super::managed::{Managed, fault, json};

const GRANTS: &str = "/api/v2/client-grants";

#[test]
fn who_read_an_older_state_changes_nothing_and_who_read_this_one_does() {
    let gate = Managed::start();
    let tool = gate.tool();
    let listed = gate.ask(&format!("GET {GRANTS}"), &tool, "");
    let id = json(&listed)[0]["id"].as_str().unwrap().to_owned();
    let grant = format!("{GRANTS}/{id}");
    let tag = || {
        let read = gate.ask(&format!("GET {grant}"), &tool, "");
        (read.one("etag").unwrap().to_owned(), json(&read)["scope"].clone())
    };
    let write = |line: &str, tag: &str, body: &str| {
        let more = format!("{tool}content-type: application/json\r\nif-match: {tag}\r\n");
        gate.ask(line, &more, body)
    };
    let scopes = |scope: &[&str]| json!({"scope": scope}).to_string();
    let (first, _) = tag();
    assert_eq!(tag().0, first, "it changes with the grant alone");
    let before = gate.read("gateway.yaml");

    let patch = format!("PATCH {grant}");
    let both = scopes(&["read:orders", "write:orders"]);
    assert_eq!(fault(&write(&patch, "\"other\"", &both)).1, "precondition_failed");
    assert_eq!(gate.read("gateway.yaml"), before);
    let done = write(&patch, &first, &both);
    assert_eq!(done.status, 200, "{}", done.text());
    let (second, scope) = tag();
    assert_eq!(scope, json!(["read:orders", "write:orders"]));
    assert_eq!(done.one("etag"), Some(&*second));
    assert_ne!(first, second);

    assert_eq!(write(&patch, &first, &scopes(&[])).status, 412);
    let delete = format!("DELETE {grant}");
    assert_eq!(write(&delete, &first, "").status, 412);
    assert_eq!(tag().0, second, "nothing was changed");
    assert_eq!(write(&delete, &format!("\"other\", {second}"), "").status, 204);
    assert_eq!(gate.ask(&format!("GET {grant}"), &tool, "").status, 404);
}

#[test]
fn a_hand_written_file_that_is_too_large_is_left_alone() {
    let mut gate = Managed::start();
    gate.edit("gateway.yaml", |text| {
        let line = format!("# {}\n", "-".repeat(997));
        format!("{text}{}", line.repeat(5 * 1024 * 1024 / line.len() + 1))
    });
    let more = format!("{}content-type: application/json\r\n", gate.tool());
    let body = json!({"client_id": "x", "audience": "https://orders.example.com", "scope": []});
    let refused = gate.ask(&format!("POST {GRANTS}"), &more, &body.to_string());
    let (status, code, message) = fault(&refused);
    assert_eq!((status, &*code), (409, "file_too_large"), "{message}");
    assert!(message.contains("management.file: grants.json"), "{message}");
}
