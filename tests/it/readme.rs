//! What the README shows is what the program does.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::disk::root;
use crate::program::grantgate;

/// The README's fenced blocks of one language.
fn blocks(language: &str) -> Vec<String> {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let open = format!("```{language}\n");
    let blocks = readme.split(&open).skip(1);
    blocks.map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn the_readme_is_short_and_its_shell_commands_are_those_that_are_run_here() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    assert!(readme.lines().count() <= 280);
    let shell = blocks("sh");
    // What manages is run, as it stands there, by tests/interop/management; what explains, below.
    let [demo, explain, serve, first_grant, test] = &shell[..] else { panic!("{shell:?}") };
    assert_eq!([&**demo, &**test], ["cargo run --release -- demo\n", "cargo test\n"]);
    assert!(explain.contains("grantgate explain --config gateway.yaml"), "{explain}");
    assert!(serve.ends_with("grantgate run --config gateway.yaml &\n"), "{serve}");
    assert!(first_grant.contains("/api/v2/client-grants"), "{first_grant}");
    let help = grantgate(&["--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let shown = readme.lines().filter_map(|line| line.strip_prefix("| `grantgate "));
    let shown: Vec<_> = shown.map(|rest| rest.split([' ', '`']).next().unwrap()).collect();
    assert!(!shown.is_empty());
    for verb in shown {
        assert!(help.contains(&format!("  {verb} ")), "{verb}");
        assert!(grantgate(&[verb, "--help"]).output().unwrap().status.success(), "{verb}");
    }
}

#[test]
fn demo_once_prints_what_the_readme_shows() {
    let output = grantgate(&["demo", "--once"]).output().unwrap();
    let shown = blocks("text");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), shown[0]);
    assert!(output.status.success());
}

#[test]
fn the_readmes_configuration_is_right() {
    let folder = tempfile::tempdir().unwrap();
    let [yaml] = &blocks("yaml")[..] else { panic!("one configuration") };
    assert!(yaml.lines().count() <= 15);
    fs::write(folder.path().join("gateway.yaml"), yaml).unwrap();
    let output = grantgate(&["check", "--config"]).arg(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

/// As it stands there, in a folder with the configuration that stands there.
#[test]
fn why_a_request_is_refused_is_told_as_the_readme_shows() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("gateway.yaml"), &blocks("yaml")[0]).unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_grantgate"));
    let path =
        format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let explained = Command::new("sh")
        .args(["-c", &blocks("sh")[1]])
        .current_dir(&folder)
        .env("PATH", path)
        .output()
        .unwrap();
    let said = String::from_utf8(explained.stdout).unwrap();
    assert_eq!(explained.status.code(), Some(1));
    let shown = &blocks("text")[1];
    let (beginning, end) = shown.split_once("…\n").unwrap();
    assert!(said.starts_with(beginning), "{said}");
    assert_eq!(said.strip_suffix(end).map(|_| ()), Some(()), "{said}");
}

#[test]
fn the_demo_invites_to_requests_that_come_out_as_it_says_and_ends_cleanly() {
    let mut demo = Demo::start();
    let mut refusals = 0;
    for Invitation { shows, status, code, curl } in &demo.invitations {
        let (seen, body) = send(curl);
        assert_eq!(seen, *status, "{shows}: {body}");
        if let Some(code) = code {
            let problem: Value = serde_json::from_str(&body).unwrap();
            assert_eq!(problem["code"], **code, "{shows}");
            refusals += 1;
        }
        if shows == "a scope above the grant" {
            let mut seen: Value = serde_json::from_str(&body).unwrap();
            let mut shown: Value = serde_json::from_str(&blocks("json")[0]).unwrap();
            for problem in [&mut seen, &mut shown] {
                assert!(problem.as_object_mut().unwrap().remove("decision_id").is_some());
            }
            assert_eq!(seen, shown);
        }
    }
    assert!(refusals >= 7, "{refusals}");
    let words: Vec<_> = demo.explain.split(' ').skip(1).collect();
    let explained = grantgate(&words).output().unwrap();
    let said = String::from_utf8(explained.stdout).unwrap();
    assert!(said.starts_with("refused: grant-missing (rule 6, policy)\n"), "{said}");
    assert!(said.contains("decided again with this change: allowed"), "{said}");
    assert!(Path::new(&demo.configuration).is_file());
    let interrupted = Command::new("kill").args(["-INT", &demo.child.id().to_string()]).status();
    assert!(interrupted.unwrap().success());
    assert!(demo.child.wait().unwrap().success());
    assert!(!Path::new(&demo.configuration).exists());
}

/// A demo that runs, and what it printed.
struct Demo {
    child: Child,
    configuration: String,
    invitations: Vec<Invitation>,
    /// The command line that tells why one is refused.
    explain: String,
}

/// One request to paste.
struct Invitation {
    shows: String,
    status: u16,
    code: Option<String>,
    curl: String,
}

impl Demo {
    fn start() -> Self {
        let mut child = grantgate(&["demo"]).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut demo = Self {
            child,
            configuration: String::new(),
            invitations: Vec::new(),
            explain: String::new(),
        };
        let mut about = String::new();
        for line in lines.by_ref().take_while(|line| !line.starts_with("Ctrl-C")) {
            if line.starts_with("    /") {
                line.trim().clone_into(&mut demo.configuration);
            } else if line.starts_with("grantgate explain ") {
                demo.explain = line;
            } else if let Some(text) = line.strip_prefix("# ") {
                text.clone_into(&mut about);
            } else if line.starts_with("curl ") {
                let (shows, outcome) = about.split_once(": ").unwrap();
                let (status, code) = match outcome.split_once([' ', ',']) {
                    Some((status, code)) => (status, code),
                    None => (outcome, ""),
                };
                demo.invitations.push(Invitation {
                    shows: shows.to_owned(),
                    status: status.parse().unwrap(),
                    code: (status != "200").then(|| code.to_owned()),
                    curl: line,
                });
            }
        }
        demo
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // Ended already, unless the test failed.
        let _ = self.child.kill();
    }
}

/// Does what a printed `curl` line does: status and body of the answer.
fn send(curl: &str) -> (u16, String) {
    let words: Vec<_> = curl.split(' ').collect();
    let after = |flag| words.iter().position(|word| *word == flag).map(|at| words[at + 1]);
    let url = words.last().unwrap().strip_prefix("http://").unwrap();
    let (host, path) = url.split_once('/').unwrap();
    let method = after("-X").unwrap_or("GET");
    let header = after("-H").map_or_else(String::new, |file| {
        fs::read_to_string(file.strip_prefix('@').unwrap()).unwrap().trim().to_owned() + "\r\n"
    });
    let mut stream = TcpStream::connect(host).unwrap();
    let request =
        format!("{method} /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{header}\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}
