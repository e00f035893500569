//! The program with an API behind it, on ports that the system chose, and what is asked of it.

use std::fs;
use std::net::SocketAddr;
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::Instant;

use serde_json::Value;
use tempfile::TempDir;

use crate::disk::KEYS;
use crate::door::client::{Answer, Client, PATIENCE};
use crate::door::gateway::configuration;
use crate::door::upstream::Upstream;
use crate::program::{Program, grantgate, outcome};

/// Doors on ports that the system chooses.
pub const DOORS: &str = r#"
server: {listen: "127.0.0.1:0", workers: 1, drain_delay: 0s}
health: {listen: "127.0.0.1:0"}
admin: {listen: "127.0.0.1:0"}
"#;

/// Whom the API trusts, so that there may be further issuers.
const TRUSTS: &str = "issuers: [\"https://issuer.example/\"]";

pub struct Served {
    program: Program,
    pub folder: TempDir,
    _upstream: Upstream,
}

impl Served {
    /// Runs with a configuration of `top` and an API, its records going nowhere.
    pub fn start(top: &str) -> Self {
        Self::writing_to(Stdio::null(), top)
    }

    /// Runs with records going to `stdout`.
    pub fn writing_to(stdout: Stdio, top: &str) -> Self {
        Self::within(tempfile::tempdir().unwrap(), stdout, top)
    }

    pub fn within(folder: TempDir, stdout: Stdio, top: &str) -> Self {
        let upstream = Upstream::start();
        fs::write(folder.path().join("keys.jwks"), KEYS).unwrap();
        let text = configuration(upstream.address, TRUSTS, top).replace("jwks.json", "keys.jwks");
        fs::write(folder.path().join("gateway.yaml"), text).unwrap();
        let program = Program::writing_to(stdout, folder.path());
        Self { program, folder, _upstream: upstream }
    }

    /// Changes the configuration's text, and has it looked at.
    pub fn edit(&self, change: impl Fn(&str) -> String) {
        let file = self.folder.path().join("gateway.yaml");
        let text = fs::read_to_string(&file).unwrap();
        let changed = change(&text);
        assert_ne!(text, changed);
        fs::write(file, changed).unwrap();
        self.signal("HUP");
    }

    pub fn client(&self) -> Client {
        Client::connect(self.address("traffic"))
    }

    /// What the health listener answers.
    pub fn asked(&self, path: &str) -> Answer {
        get(self.address("health"), path)
    }

    /// What `/status` tells.
    pub fn status(&self) -> Value {
        let answer = get(self.address("admin"), "/status");
        assert_eq!((answer.status, answer.one("content-type")), (200, Some("application/json")));
        serde_json::from_slice(&answer.body).unwrap()
    }

    /// The value of one series.
    pub fn metric(&self, series: &str) -> Option<f64> {
        let text = self.asked("/metrics");
        let mut lines = text.text().lines();
        lines.find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
    }

    /// Waits until a series is as it should be.
    pub fn wait_for(&self, series: &str, is: impl Fn(f64) -> bool) {
        let begun = Instant::now();
        while !self.metric(series).is_some_and(&is) {
            let metrics = self.asked("/metrics");
            assert!(begun.elapsed() < PATIENCE, "{series}\n{}", metrics.text());
            thread::yield_now();
        }
    }

    /// Ends it with SIGTERM, and waits.
    pub fn end(&mut self) {
        self.signal("TERM");
        assert_eq!(self.exit(), Some(0));
    }
}

impl Deref for Served {
    type Target = Program;

    fn deref(&self) -> &Program {
        &self.program
    }
}

impl DerefMut for Served {
    fn deref_mut(&mut self) -> &mut Program {
        &mut self.program
    }
}

/// Runs the probe.
pub fn probe(arguments: &[&str]) -> (Option<i32>, String) {
    let (code, data, talk) = outcome(grantgate(&["health"]).args(arguments));
    (code, data + &talk)
}

pub fn get(address: SocketAddr, path: &str) -> Answer {
    ask(address, &format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n\r\n"))
}

pub fn ask(address: SocketAddr, request: &str) -> Answer {
    Client::connect(address).ask(request)
}

/// A folder's file, whose path a test needs before the program runs.
pub fn in_folder(folder: &Path, name: &str) -> String {
    folder.join(name).to_str().unwrap().to_owned()
}
