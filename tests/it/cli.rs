//! The program as it is started: exit codes, what goes where, and signals.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::program::{Program, grantgate, on, outcome};

/// A right configuration, on ports that the system chooses.
const RIGHT: &str = r#"
server: {listen: "127.0.0.1:0", workers: 1, drain_delay: 0s}
health: {listen: "127.0.0.1:0"}
admin: {listen: "127.0.0.1:0"}
issuers: [{issuer: "https://issuer.example/", profile: auth0, jwks_file: keys.jwks}]
resource_servers:
  - identifier: https://api.example
    scopes: [{value: "read:things"}]
    subject_type_authorization: {user: {policy: deny_all}, client: {policy: require_client_grant}}
    gate: {upstream: "http://127.0.0.1:9", operations: [{on: "GET /things", scopes: ["read:things"]}]}
client_grants: [{client_id: app, scope: ["read:things"]}]
"#;

fn folder(configuration: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("gateway.yaml"), configuration).unwrap();
    fs::write(folder.path().join("keys.jwks"), crate::disk::KEYS).unwrap();
    folder
}

#[test]
fn check_says_yes_no_or_that_it_cannot_tell() {
    let check = |config: &Path| outcome(&mut on("check", config));
    let right = folder(RIGHT);
    let (code, data, talk) = check(right.path());
    assert_eq!((code, data.as_str()), (Some(0), ""));
    assert!(talk.starts_with("no problems in "), "{talk}");

    let wrong = folder(&RIGHT.replace("scope:", "scopee:"));
    let (code, report, talk) = check(wrong.path());
    assert_eq!((code, talk.as_str()), (Some(1), ""));
    assert!(report.contains("error[key-unknown]") && report.contains("`scope`"), "{report}");

    let (code, report, talk) = check(&right.path().join("not-there"));
    assert_eq!((code, report.as_str()), (Some(2), ""));
    assert!(talk.contains("not-there"), "{talk}");

    assert_eq!(outcome(&mut grantgate(&["chekc"])).0, Some(2));
}

#[test]
fn how_far_it_is_stands_on_a_terminal_alone_and_leaves_nothing_there() {
    let right = folder(RIGHT);
    let (_, _, talk) = outcome(&mut on("check", right.path()));
    assert!(!talk.contains("reading") && !talk.contains('\u{1b}'), "{talk}");
    // `script` runs it at a terminal of its own.
    let mut terminal = Command::new("script");
    terminal.args(["-qec", "\"$PROGRAM\" check --config \"$FOLDER\"", "/dev/null"]);
    terminal.env("PROGRAM", env!("CARGO_BIN_EXE_grantgate")).env("FOLDER", right.path());
    let Ok(output) = terminal.stdin(Stdio::null()).output() else {
        eprintln!("not tested: there is no `script` here");
        return;
    };
    let shown = String::from_utf8(output.stdout).unwrap();
    let (said, rest) = shown.split_once("…\r\u{1b}[K").unwrap_or_else(|| panic!("{shown:?}"));
    assert!(said.contains("reading ") && rest.starts_with("no problems in "), "{shown:?}");
    assert!(output.status.success());
}

#[test]
fn check_speaks_to_programs() {
    let check =
        |format: &str, config: &Path| outcome(on("check", config).args(["--format", format]));
    let right = folder(RIGHT);
    let (code, data, talk) = check("json", right.path());
    let report: Value = serde_json::from_str(&data).unwrap();
    assert_eq!((code, talk.as_str()), (Some(0), ""));
    assert_eq!(report["summary"], json!({"errors": 0, "warnings": 0, "allowed": 0, "files": 1}));
    assert_eq!(check("github", right.path()).1, "");

    let wrong = folder(&RIGHT.replace("scope:", "scopee:"));
    let (code, data, talk) = check("json", wrong.path());
    let report: Value = serde_json::from_str(&data).unwrap();
    assert_eq!((code, talk.as_str()), (Some(1), ""));
    assert_eq!(report["diagnostics"][0]["code"], "key-unknown");
    assert_eq!(report["diagnostics"][0]["path"], "client_grants[0].scopee");
    assert_eq!(report["diagnostics"][0]["line"], 11);
    let (code, data, talk) = check("github", wrong.path());
    assert_eq!((code, talk.as_str()), (Some(1), ""));
    assert!(data.starts_with("::error file=") && data.contains(",line=11,"), "{data}");

    let (code, data, talk) = check("json", &right.path().join("not-there"));
    let report: Value = serde_json::from_str(&data).unwrap();
    assert_eq!((code, talk.as_str()), (Some(2), ""));
    assert_eq!(report["diagnostics"][0]["code"], "config-unreadable");
}

#[test]
fn check_shows_programs_nothing_that_a_terminal_obeys() {
    let folder = folder("\"\\u009b31m\\u202e\": 1\nclient_grants: []\n");
    let run = |format: &str| outcome(on("check", folder.path()).args(["--format", format])).1;
    for format in ["text", "json", "github"] {
        let shown = run(format);
        assert!(!shown.contains(['\u{9b}', '\u{202e}']), "{shown:?}");
    }
    let json: Value = serde_json::from_str(&run("json")).unwrap();
    assert_eq!(json["diagnostics"][0]["message"], "unknown key `\u{9b}31m\u{202e}`");
}

#[test]
fn schema_prints_what_is_shipped() {
    for (arguments, path) in [
        (&["schema"][..], "config/schema.json"),
        (&["schema", "--management"], "config/openapi.json"),
    ] {
        let (code, data, talk) = outcome(&mut grantgate(arguments));
        assert_eq!((code, talk.as_str()), (Some(0), ""));
        let shipped = fs::read_to_string(crate::disk::root().join(path)).unwrap();
        assert!(data == shipped, "`{path}` is another one");
    }
}

#[test]
fn a_wrong_configuration_is_reported_whole_and_nothing_starts() {
    let wrong = folder(&RIGHT.replace("upstream:", "upstraem:").replace("auth0", "auht0"));
    let (code, data, talk) = outcome(&mut on("run", wrong.path()));
    assert_eq!((code, data.as_str()), (Some(2), ""));
    assert!(talk.contains("error[key-unknown]") && talk.contains("error[value-unknown]"), "{talk}");
}

#[test]
fn an_address_that_is_taken_is_said_and_nothing_starts() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (key, folder) in [
        ("server", folder(&RIGHT.replacen("127.0.0.1:0", &address, 1))),
        (
            "health",
            folder(&RIGHT.replace(
                "health: {listen: \"127.0.0.1:0",
                &format!("health: {{listen: \"{address}"),
            )),
        ),
        (
            "admin",
            folder(&RIGHT.replace(
                "admin: {listen: \"127.0.0.1:0",
                &format!("admin: {{listen: \"{address}"),
            )),
        ),
    ] {
        let (code, data, talk) = outcome(&mut on("run", folder.path()));
        assert_eq!((code, data.as_str()), (Some(2), ""), "{key}: {talk}");
        assert!(talk.contains(&address), "{key}: {talk}");
    }
}

#[test]
fn signals_reload_and_end_it() {
    let folder = folder(RIGHT);
    let mut gate = Program::start(folder.path());
    gate.signal("HUP");
    gate.says(&["configuration unchanged", "signal"]);
    fs::write(folder.path().join("gateway.yaml"), "issuers: [").unwrap();
    gate.says(&["configuration refused, the one before stays"]);
    fs::write(folder.path().join("gateway.yaml"), RIGHT.replace("[\"read:things\"]}]\n", "[]}]\n"))
        .unwrap();
    gate.says(&["configuration applied", "generation=2", "lost="]);
    gate.signal("TERM");
    assert_eq!(gate.exit(), Some(0));
}

/// `run` in namespaces of its own, after `before` was done there; none where the system forbids them.
fn apart(config: &Path, before: &str) -> Option<Command> {
    let unshare = |work: &str| {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", work, "sh"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    };
    if !unshare("true").status().is_ok_and(|status| status.success()) {
        eprintln!("not tested: there are no namespaces here");
        return None;
    }
    let mut command = unshare(&format!("{before} && exec \"$@\""));
    command.args([env!("CARGO_BIN_EXE_grantgate"), "run", "--config"]).arg(config);
    Some(command)
}

#[test]
fn where_inotify_is_exhausted_it_is_said_and_files_are_polled() {
    let polled = format!("{RIGHT}reload: {{poll: 20ms, quiet: 10ms}}\n");
    let folder = folder(&polled);
    let none_left = "echo 0 > /proc/sys/user/max_inotify_instances";
    let Some(command) = apart(folder.path(), none_left) else { return };
    let gate = Program::run(command);
    gate.says(&["files cannot be watched: they are polled"]);
    fs::write(folder.path().join("gateway.yaml"), polled.replace("client_id: app", "client_id: b"))
        .unwrap();
    gate.says(&["configuration applied"]);
}

#[test]
fn a_single_file_that_is_mounted_is_seen_when_it_is_written() {
    let quiet = format!("{RIGHT}reload: {{poll: 1h, quiet: 10ms}}\n");
    let (inside, outside) = (folder(""), folder(&quiet));
    let (from, to) = (outside.path().join("gateway.yaml"), inside.path().join("gateway.yaml"));
    let mount = format!("mount --bind '{}' '{}'", from.display(), to.display());
    let Some(command) = apart(&to, &mount) else { return };
    let gate = Program::run(command);
    gate.says(&["listening"]);
    fs::write(&from, quiet.replace("client_id: app", "client_id: b")).unwrap();
    gate.says(&["configuration applied"]);
    // Put in its place outside, it is not what is mounted, which is still there.
    fs::write(outside.path().join("next"), "issuers: [").unwrap();
    fs::rename(outside.path().join("next"), &from).unwrap();
    gate.signal("HUP");
    gate.says(&["configuration unchanged"]);
}
