//! `/status`: what it tells, and to whom.

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::{fs, thread};

use serde_json::Value;

use crate::door::gateway::request;

use super::served::{DOORS, Served, ask, get, in_folder};

#[test]
fn the_status_tells_what_runs_and_apart_from_it_what_is_refused() {
    let program = Served::start(DOORS);
    let mut client = program.client();
    assert_eq!(client.ask(request("GET /orders/1", "")).status, 200);

    let first = program.status();
    assert_eq!(first["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!((&first["phase"], &first["workers"]), (&"running".into(), &1.into()));
    assert_eq!(first["connections"], 1);
    assert!(first["uptime_seconds"].as_f64().unwrap() >= 0.0);
    assert_eq!(first["conditions"], serde_json::json!([]));
    let config = &first["config"];
    assert_eq!((&config["generation"], &config["refused"]), (&1.into(), &().into()));
    assert_eq!(config["sha256"].as_str().unwrap().len(), 64);
    // The watch looks once as soon as it stands.
    let by = config["last_attempt"]["by"].as_str().unwrap();
    assert!(["start", "files"].contains(&by), "{config}");
    assert!(config["loaded_at"].as_str().unwrap().ends_with('Z'), "{config}");
    assert_eq!(config["warnings"][0]["code"], "scope-ungranted", "{config}");
    assert!(config["warnings_text"].as_str().unwrap().contains("write:orders"), "{config}");
    let issuer = &first["issuers"][0];
    assert_eq!(
        (&issuer["issuer"], &issuer["source"]),
        (&"https://issuer.example/".into(), &"configuration".into())
    );
    assert_eq!((&issuer["keys"], &issuer["kids"][0]), (&1.into(), &"1".into()));
    let api = &first["apis"][0];
    assert_eq!(api["identifier"], "https://orders.example.com");
    assert_eq!((&api["operations"], &api["path_prefix"]), (&4.into(), &"/".into()));
    assert_eq!((&api["enforcement"], &api["hosts"]), (&"enforce".into(), &serde_json::json!([])));
    assert!(api["upstream"].as_str().unwrap().starts_with("http://127.0.0.1:"), "{api}");
    assert!(!first.to_string().contains("ssss"), "a secret: {first}");

    program.edit(|text| text.replace("scope: [\"read:orders\"]", "scopee: []"));
    program.says(&["configuration refused"]);
    let refused = program.status();
    assert_eq!(refused["apis"], first["apis"]);
    let config = &refused["config"];
    assert_eq!((&config["generation"], &config["sha256"]), (&1.into(), &first["config"]["sha256"]));
    // Whichever of the two heard of the edit first.
    let by = config["last_attempt"]["by"].as_str().unwrap();
    assert!(["files", "signal"].contains(&by), "{config}");
    assert_eq!(config["last_attempt"]["outcome"], "kept");
    let codes: Vec<_> =
        config["refused"]["diagnostics"].as_array().unwrap().iter().map(|it| &it["code"]).collect();
    assert!(codes.contains(&&"key-unknown".into()), "{config}");
    assert!(config["refused"]["text"].as_str().unwrap().contains("did you mean"), "{config}");
    assert_eq!(refused["conditions"][0]["code"], "config-refused");
    let ready = program.asked("/readyz");
    assert_eq!(ready.status, 200);
    assert!(
        ready.text().contains("\"config-refused\"") && ready.text().contains("\"degraded\":true")
    );

    program.edit(|text| text.replace("scopee: []", "scope: []"));
    program.says(&["configuration applied"]);
    let applied = program.status();
    let config = &applied["config"];
    assert_eq!((&config["generation"], &config["refused"]), (&2.into(), &().into()));
    assert!(config["access"]["lost"].as_u64().unwrap() > 0, "{config}");
    assert_eq!(applied["conditions"], serde_json::json!([]));
    program.signal("HUP");
    program.says(&["configuration unchanged"]);
    let unchanged = program.status();
    assert_eq!(unchanged["config"]["last_attempt"]["outcome"], "unchanged");
    assert_eq!(unchanged["config"]["access"], config["access"], "it is of what runs");
}

#[test]
fn what_waits_for_a_restart_is_told() {
    let program = Served::start(DOORS);
    program.edit(|text| {
        text.replace("admin: {listen: \"127.0.0.1:0\"}", "admin: {listen: none}")
            .replace("workers: 1", "workers: 2")
    });
    program.says(&["configuration applied"]);
    let waits = &program.status()["config"]["restart_needed"];
    assert_eq!(*waits, serde_json::json!(["server.workers", "admin.listen"]));
}

#[test]
fn pages_from_elsewhere_get_nothing_and_nothing_can_be_changed() {
    let program = Served::start(DOORS);
    let admin = program.address("admin");
    let told = get(admin, "/status");
    assert_eq!((told.status, told.one("cache-control")), (200, Some("no-store")));
    assert_eq!(told.one("x-content-type-options"), Some("nosniff"));
    assert!(!told.head.to_lowercase().contains("access-control"), "{}", told.head);
    for (fields, code) in [
        ("host: rebound.example:9181", "admin-host-refused"),
        ("host: localhost\r\norigin: https://evil.example", "admin-origin-refused"),
        ("host: localhost\r\nsec-fetch-site: cross-site", "admin-origin-refused"),
    ] {
        for path in ["/status", "/", "/nothing"] {
            let answer = ask(admin, &format!("GET {path} HTTP/1.1\r\n{fields}\r\n\r\n"));
            assert_eq!((answer.status, answer.code().as_str()), (403, code), "{path} {fields}");
        }
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"] {
        let request =
            format!("{method} /status HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n");
        let answer = ask(admin, &request);
        assert_eq!((answer.status, answer.one("allow")), (405, Some("GET, HEAD")), "{method}");
    }
    assert!(get(admin, "/").text().contains("/status"));
    assert_eq!(get(program.address("traffic"), "/status").status, 401, "not at the main door");
    assert_eq!(program.asked("/status").status, 404, "not at the health listener");
}

#[test]
fn a_unix_socket_is_for_its_owner_and_outlives_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let socket = in_folder(folder.path(), "admin.sock");
    let top = DOORS.replace(
        "admin: {listen: \"127.0.0.1:0\"}",
        &format!("admin: {{listen: \"unix:{socket}\"}}"),
    );
    let told = || {
        let mut stream = UnixStream::connect(&socket).unwrap();
        stream
            .write_all(b"GET /status HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
            .unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text.starts_with("HTTP/1.1 200 ")
    };
    let mut crashed = Served::within(folder, Stdio::null(), &top);
    assert_eq!(crashed.address::<String>("admin"), format!("unix:{socket}"));
    assert!(told());
    assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    crashed.child.kill().unwrap();
    crashed.child.wait().unwrap();
    assert!(fs::exists(&socket).unwrap());

    let mut program = Served::start(&top);
    assert!(told());
    program.end();
    assert!(!fs::exists(&socket).unwrap());
}

#[test]
fn the_state_is_told_while_files_change() {
    let program = Served::start(DOORS);
    let admin = program.address("admin");
    let asking = thread::spawn(move || {
        let mut generation = 0;
        while generation < 11 {
            let status: Value = serde_json::from_slice(&get(admin, "/status").body).unwrap();
            let next = status["config"]["generation"].as_u64().unwrap();
            assert!(next >= generation, "{status}");
            generation = next;
        }
    });
    for _ in 0..5 {
        program.edit(|text| text.replace("orders-team", "orders-crew"));
        program.says(&["configuration applied"]);
        program.edit(|text| text.replace("orders-crew", "orders-team"));
        program.says(&["configuration applied"]);
    }
    asking.join().unwrap();
}
