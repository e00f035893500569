//! Forged, bent and stolen tokens at the real door: each is refused with its code and nothing but 401,
//! none is told to anybody, and nothing that a token points to is ever fetched.

mod forged;

use std::fs::{self, File};
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::process::Child;
use std::time::Instant;

use crate::disk::root;
use crate::door::client::{Answer, Client, PATIENCE};
use crate::door::gateway::{Gateway, configuration};
use crate::program::on;

use super::recorder::Recorder;
use forged::{Issuer, Token};

fn text(issuer: &Issuer, upstream: SocketAddr, top: &str) -> String {
    configuration(upstream, "", top)
        .replace("jwks_file: jwks.json", &format!("jwks: {}", issuer.key_set()))
        .replace("      hs_secret: \"${env:LONG_SECRET}\"\n", "")
}

fn ask(client: &mut Client, token: &str) -> Answer {
    let head =
        format!("GET /orders/1 HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\n\r\n");
    client.ask(head)
}

/// Whether a text shows a token, or a part of one that is long enough to be known by.
fn shows(text: &str, token: &str) -> bool {
    token.split('.').any(|part| part.len() >= 16 && text.contains(part))
}

#[test]
fn no_forged_token_passes_and_each_is_refused_with_its_reason() {
    let (issuer, upstream) = (Issuer::new(), Recorder::start());
    let gateway = Gateway::start(&text(&issuer, upstream.address, ""));
    let mut client = gateway.client();
    assert_eq!(ask(&mut client, &issuer.good()).status, 200);
    assert_eq!(upstream.since().0.len(), 1);
    let mut wrong = Vec::new();
    for Token { name, text, code } in issuer.forged("http://127.0.0.1:1/") {
        let answer = ask(&mut client, &text);
        let challenge = answer.one("www-authenticate").unwrap_or_default();
        let is_right = answer.status == 401
            && answer.code() == code
            && challenge.contains("error=\"invalid_token\"")
            && !shows(&answer.head, &text)
            && !shows(answer.text(), &text)
            && !answer.text().contains(forged::CANARY);
        if !is_right {
            wrong.push(format!("{name}, {code}: {} {}", answer.status, answer.text()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for (name, token) in issuer.unusual() {
        assert_eq!(ask(&mut client, &token).status, 200, "{name}");
        assert_eq!(upstream.since().0.len(), 1, "{name}");
    }
    assert!(upstream.since().0.is_empty());
}

#[test]
fn nothing_of_a_refused_token_is_told_and_nothing_it_points_to_is_fetched() {
    let (issuer, upstream) = (Issuer::new(), Recorder::start());
    let folder = tempfile::tempdir().unwrap();
    let bait = TcpListener::bind("127.0.0.1:0").unwrap();
    bait.set_nonblocking(true).unwrap();
    let top = "server: {listen: \"127.0.0.1:0\", workers: 1, drain_delay: 0s}\n\
               health: {listen: \"127.0.0.1:0\"}\nadmin: {listen: \"127.0.0.1:0\"}\nlog: {level: trace}\n";
    let configured = folder.path().join("gateway.yaml");
    fs::write(&configured, text(&issuer, upstream.address, top)).unwrap();
    let file = |name: &str| File::create(folder.path().join(name)).unwrap();
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    let mut command = on("run", &configured);
    command.current_dir(root()).stdout(file("records")).stderr(file("log"));
    let mut program = Running(command.spawn().unwrap());
    let begun = Instant::now();
    let address: SocketAddr = loop {
        assert!(begun.elapsed() < PATIENCE, "{}", read("log"));
        let log = read("log");
        let line = log.lines().find(|line| line.contains("listening"));
        if let Some((_, rest)) = line.and_then(|line| line.split_once("traffic=")) {
            let address = rest.trim_start_matches('"').split(['"', ' ']).next().unwrap();
            break address.parse().unwrap();
        }
        std::thread::yield_now();
    };
    let tokens = issuer.forged(&format!("http://{}/", bait.local_addr().unwrap()));
    let mut client = Client::connect(address);
    for Token { name, text, .. } in &tokens {
        assert_eq!(ask(&mut client, text).status, 401, "{name}");
    }
    drop(client);
    assert_eq!(bait.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "somebody came");
    program.end();
    let (records, log) = (read("records"), read("log"));
    assert_eq!(records.lines().count(), tokens.len(), "{records}");
    for Token { name, text, .. } in tokens {
        assert!(!shows(&records, &text) && !shows(&log, &text), "{name}");
    }
    assert!(!log.contains(forged::CANARY), "{log}");
}

struct Running(Child);

impl Running {
    /// Ends it, and waits.
    fn end(&mut self) {
        let id = self.0.id().to_string();
        let told = std::process::Command::new("kill").args(["-TERM", &id]).status();
        assert!(told.unwrap().success() && self.0.wait().unwrap().success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Ended already, unless the test failed.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
