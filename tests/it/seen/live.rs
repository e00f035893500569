//! Verbs that ask a gate that runs: they say what they say of its files, and what is wrong where they cannot.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::Stdio;
use std::thread;

use crate::door::gateway::token;
use crate::program::{grantgate, outcome};

use super::served::{DOORS, Served, in_folder};

type Said = (Option<i32>, String, String);

/// Runs `explain` with a token that is read from a file of the program's folder.
fn explain(program: &Served, arguments: &[&str], token: &str) -> Said {
    let file = program.folder.path().join("token.txt");
    fs::write(&file, token).unwrap();
    let mut command = grantgate(&["explain"]);
    command.args(arguments).arg(format!("@{}", file.display()));
    outcome(&mut command)
}

/// What does not change from one moment to the next.
fn timeless(said: &Said) -> (Option<i32>, Vec<&str>) {
    let is_of_time = |line: &&str| line.contains("\"time\"") || line.contains("time");
    (said.0, said.1.lines().filter(|line| !is_of_time(line)).collect())
}

#[test]
fn explain_says_of_the_gate_what_it_says_of_its_files() {
    let program = Served::start(DOORS);
    let admin = format!("http://{}", program.address::<SocketAddr>("admin"));
    let config = program.folder.path().to_str().unwrap();
    let token = token();
    for (method, path) in [("GET", "/orders/1"), ("DELETE", "/orders/1"), ("GET", "/nothing")] {
        for format in ["text", "json"] {
            let rest = ["--format", format, "--at", "2030-01-01T00:00:00Z", method, path];
            let live = explain(&program, &[&["--live", &admin], &rest[..]].concat(), &token);
            let files = explain(&program, &[&["--config", config], &rest[..]].concat(), &token);
            assert_eq!(timeless(&live), timeless(&files), "{live:?}");
            assert!(live.0.is_some_and(|code| code < 2) && !live.1.contains(&token), "{live:?}");
        }
    }
}

#[test]
fn explain_asks_over_a_socket_and_says_when_the_files_are_not_what_runs() {
    let folder = tempfile::tempdir().unwrap();
    let socket = format!("unix:{}", in_folder(folder.path(), "admin.sock"));
    let admin = format!("admin: {{listen: \"{socket}\"}}");
    let top = DOORS.replace("admin: {listen: \"127.0.0.1:0\"}", &admin);
    let program = Served::within(folder, Stdio::null(), &top);
    let asked = ["--live", &socket, "GET", "/nothing"];
    let (code, _, talk) = explain(&program, &asked, &token());
    let said =
        format!("grantgate: the files are named as in the folder of the gate at `{socket}`\n");
    assert_eq!((code, talk), (Some(1), said));
    program.edit(|text| text.replace("scope: [", "scopee: ["));
    program.says(&["configuration refused"]);
    let (code, data, talk) = explain(&program, &asked, &token());
    assert_eq!(code, Some(1), "{data}");
    assert!(talk.contains("the files on disk are not the configuration that runs"), "{talk}");
}

#[test]
fn who_does_not_answer_is_told_in_one_line() {
    let program = Served::start(DOORS);
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = other.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for mut stream in other.incoming().map_while(Result::ok) {
            // A question that is answered before it was asked is none.
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}");
        }
    });
    let health = program.address::<SocketAddr>("health").to_string();
    let traffic = program.address::<SocketAddr>("traffic").to_string();
    for (gate, told) in [
        ("127.0.0.1:1", "refused"),
        (&*health, "no admin listener"),
        (&traffic, "is not Grantgate's admin listener"),
        (&at, "is not Grantgate's admin listener"),
        ("unix:/nowhere/admin.sock", "no answer from `unix:/nowhere/admin.sock`"),
        ("10.0.0.1:9181", "is not sent in the clear"),
        ("https://127.0.0.1:9181", "write `http://127.0.0.1:9181`"),
    ] {
        let (code, data, talk) = explain(&program, &["--live", gate, "GET", "/orders/1"], &token());
        assert_eq!((code, data.as_str()), (Some(2), ""), "{gate}: {talk}");
        assert!(talk.contains(told), "{gate}: {talk}");
    }
}

#[test]
fn diff_compares_files_with_what_runs_and_access_reads_it() {
    let program = Served::start(DOORS);
    let admin = program.address::<SocketAddr>("admin").to_string();
    let config = program.folder.path().to_str().unwrap();
    let diff = |format: &str| {
        outcome(&mut grantgate(&["diff", "--live", &admin, config, "--format", format]))
    };
    let access = |from: [&str; 2]| {
        let rest = ["--client", "batch", "--at", "2030-01-01T00:00:00Z", "--format", "csv"];
        outcome(&mut grantgate(&[&["access"], &from[..], &rest].concat()))
    };
    let (code, data, talk) = diff("text");
    assert_eq!((code, data.as_str()), (Some(0), ""), "{talk}");
    let (live, files) = (access(["--live", &admin]), access(["--config", config]));
    assert_eq!(live.0, Some(0), "{live:?}");
    assert!(live.1.contains("read:orders") && files.1.contains("read:orders"), "{live:?}");

    // What is refused decides nothing, and what is not taken over yet is what would change.
    program.edit(|text| text.replace("server: {", "limits: {connections: 0}\nserver: {"));
    program.says(&["configuration refused"]);
    assert_eq!(diff("text").0, Some(2));
    let file = program.folder.path().join("gateway.yaml");
    let text = fs::read_to_string(&file).unwrap().replace("limits: {connections: 0}\n", "");
    let other = tempfile::tempdir().unwrap();
    fs::copy(program.folder.path().join("keys.jwks"), other.path().join("keys.jwks")).unwrap();
    let new = in_folder(other.path(), "gateway.yaml");
    fs::write(
        &new,
        text.replace("\"read:orders\"], owner", "\"read:orders\", \"write:orders\"], owner"),
    )
    .unwrap();
    let (code, data, talk) = outcome(&mut grantgate(&["diff", "--live", &admin, &new]));
    assert!(code == Some(1) && data.contains("write:orders"), "{data}{talk}");
    for (verb, more) in [("diff", &[config][..]), ("access", &[])] {
        let arguments = [&[verb, "--live", "127.0.0.1:1"], more].concat();
        let (code, data, talk) = outcome(&mut grantgate(&arguments));
        assert_eq!((code, data.as_str()), (Some(2), ""), "{talk}");
        assert!(talk.contains("no answer from `http://127.0.0.1:1`"), "{talk}");
    }
    for wrong in [&["diff", config][..], &["diff", "--live", &admin, config, config]] {
        assert_eq!(outcome(&mut grantgate(wrong)).0, Some(2));
    }
}
