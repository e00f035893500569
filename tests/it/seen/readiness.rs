//! `/readyz` and the probe that asks it.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::process::Stdio;

use super::served::{DOORS, Served, probe};

/// Runs with a second issuer, whose keys never come: nobody listens there.
fn start(readiness: &str) -> Served {
    let folder = tempfile::tempdir().unwrap();
    let issuers = r#"
issuers: [{issuer: "https://gone.example/", profile: auth0, jwks_uri: "http://127.0.0.1:1/"}]
"#;
    fs::write(folder.path().join("issuers.yaml"), issuers).unwrap();
    let health = "health: {listen: \"127.0.0.1:0\"";
    let top = DOORS.replace(health, &format!("{health}, readiness: {readiness}"));
    Served::within(folder, Stdio::null(), &top)
}

#[test]
fn the_probe_says_ready_degraded_and_not_ready() {
    let lenient = start("lenient");
    let at = lenient.address::<SocketAddr>("health").to_string();
    let (code, text) = probe(&["--address", &at]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("keys-missing: ") && text.contains("https://gone.example/"), "{text}");
    assert_eq!(probe(&["--address", &at, "--live"]), (Some(0), String::new()));

    lenient.edit(|text| text.replace("readiness: lenient", "readiness: strict"));
    lenient.says(&["configuration applied"]);
    let (code, text) = probe(&["--address", &at]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("https://gone.example/"), "{text}");
    assert_eq!(probe(&["--address", &at, "--live"]).0, Some(0));
    let ready = lenient.asked("/readyz");
    assert_eq!(ready.status, 503);
    let state: serde_json::Value = serde_json::from_slice(&ready.body).unwrap();
    assert_eq!(
        (&state["ready"], &state["missing_keys"][0]),
        (&false.into(), &"https://gone.example/".into())
    );
    let age = lenient.metric("grantgate_keys_age_seconds{issuer=\"https://gone.example/\"}");
    assert_eq!(age, Some(f64::INFINITY));
    assert_eq!(lenient.status()["issuers"][1]["source"], "configuration");
    let gone = lenient.status()["issuers"][0].clone();
    assert_eq!((&gone["source"], &gone["keys"]), (&"jwks_uri".into(), &0.into()));
    lenient.wait_for(
        "grantgate_keys_refreshes_total{issuer=\"https://gone.example/\",outcome=\"failed\"}",
        |failed| failed > 0.0,
    );
    let error = lenient.status()["issuers"][0]["last_error"].clone();
    assert!(error["message"].as_str().unwrap().contains("127.0.0.1:1"), "{error}");
    assert!(error["at"].as_str().unwrap().ends_with('Z'), "{error}");
}

#[test]
fn the_probe_finds_the_address_itself_and_says_when_nobody_answers() {
    let everywhere =
        DOORS.replace("health: {listen: \"127.0.0.1:0\"}", "health: {listen: \"0.0.0.0:0\"}");
    let program = Served::start(&everywhere);
    let port = program.address::<SocketAddr>("health").port();
    let file = program.folder.path().join("probe.yml");
    fs::write(&file, format!("health: {{listen: \"0.0.0.0:{port}\"}}\n")).unwrap();
    assert_eq!(probe(&["--config", file.to_str().unwrap()]), (Some(0), String::new()));
    fs::write(&file, format!("health: {{listen: \"[::]:{port}\"}}\n")).unwrap();
    let (code, text) = probe(&["--config", file.to_str().unwrap()]);
    assert!(code == Some(2) && text.contains("no answer from [::1]"), "{text}");
    assert_eq!(probe(&["--address", "127.0.0.1:1"]).0, Some(2));
    let (code, text) = probe(&["--address", &program.address::<SocketAddr>("traffic").to_string()]);
    assert!(code == Some(2) && text.contains("no health listener"), "{text}");
    assert_eq!(probe(&["--config", "/not/there"]).0, Some(2));
}

#[test]
fn a_server_that_takes_the_question_and_says_nothing_is_not_waited_for() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let (code, text) = probe(&["--address", &address, "--timeout", "1"]);
    assert!(code == Some(2) && text.contains("no answer"), "{text}");
}
