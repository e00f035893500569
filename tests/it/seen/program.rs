//! The program as it runs, with an API behind it, on ports that the system chose.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::disk::KEYS;
use crate::door::client::{Answer, Client};
use crate::door::gateway::configuration;
use crate::door::upstream::Upstream;

/// Doors on ports that the system chooses.
pub const DOORS: &str = r#"
server: {listen: "127.0.0.1:0", workers: 1, drain_delay: 0s}
health: {listen: "127.0.0.1:0"}
admin: {listen: "127.0.0.1:0"}
"#;

/// Whom the API trusts, so that there may be further issuers.
const TRUSTS: &str = "issuers: [\"https://issuer.example/\"]";

pub struct Program {
    pub child: Child,
    pub folder: TempDir,
    pub traffic: SocketAddr,
    pub health: SocketAddr,
    /// As the log names it.
    pub admin: String,
    log: Receiver<String>,
    _upstream: Upstream,
}

impl Program {
    /// Runs with a configuration of `top` and an API, its records going nowhere.
    pub fn start(top: &str) -> Self {
        Self::writing_to(Stdio::null(), top)
    }

    /// Runs with records going to `stdout`.
    pub fn writing_to(stdout: Stdio, top: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::within(folder, stdout, top)
    }

    pub fn within(folder: TempDir, stdout: Stdio, top: &str) -> Self {
        let upstream = Upstream::start();
        fs::write(folder.path().join("keys.jwks"), KEYS).unwrap();
        let text = configuration(upstream.address, TRUSTS, top).replace("jwks.json", "keys.jwks");
        fs::write(folder.path().join("gateway.yaml"), text).unwrap();
        let mut command = grantgate(&["run", "--config"]);
        command.arg(folder.path()).stdin(Stdio::null()).stdout(stdout).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        // The log is read no faster than the test asks for it.
        let (told, log) = mpsc::sync_channel(0);
        thread::spawn(move || lines.map_while(Result::ok).all(|line| told.send(line).is_ok()));
        let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
        let (traffic, health, admin) = (nowhere, nowhere, String::new());
        let mut program = Self { child, folder, traffic, health, admin, log, _upstream: upstream };
        let line = program.says(&["listening", "traffic"]);
        program.traffic = word(&line, "traffic").parse().unwrap();
        program.health = word(&line, "health").parse().unwrap();
        program.admin = word(&line, "admin");
        program
    }

    /// Waits for a line of the log with all of these in it.
    pub fn says(&self, words: &[&str]) -> String {
        let mut said = Vec::new();
        loop {
            let line = self.log.recv_timeout(Duration::from_mins(1));
            let Ok(line) = line else { panic!("it did not say {words:?}, but {said:#?}") };
            if words.iter().all(|word| line.contains(word)) {
                return line;
            }
            said.push(line);
        }
    }

    pub fn signal(&self, name: &str) {
        let signal = format!("-{name}");
        let sent = Command::new("kill").args([&signal, &self.child.id().to_string()]).status();
        assert!(sent.unwrap().success());
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
        Client::connect(self.traffic)
    }

    /// What the health listener answers.
    pub fn asked(&self, path: &str) -> Answer {
        get(self.health, path)
    }

    /// What `/status` tells.
    pub fn status(&self) -> Value {
        let answer = get(self.admin.parse().unwrap(), "/status");
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
            assert!(begun.elapsed() < Duration::from_mins(1), "{series}\n{}", metrics.text());
            thread::yield_now();
        }
    }

    /// Ends it with SIGTERM, and waits.
    pub fn end(&mut self) {
        self.signal("TERM");
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Ended already, unless the test failed or needs no end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program with these arguments, and the secret that the configuration names.
pub fn grantgate(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_grantgate"));
    command.args(arguments).env_remove("GRANTGATE_CONFIG").env("LONG_SECRET", "s".repeat(64));
    command
}

/// Runs the probe.
pub fn probe(arguments: &[&str]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } =
        grantgate(&["health"]).args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout) + &text(stderr))
}

pub fn get(address: SocketAddr, path: &str) -> Answer {
    ask(address, &format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n\r\n"))
}

pub fn ask(address: SocketAddr, request: &str) -> Answer {
    Client::connect(address).ask(request)
}

/// What stands behind `name=` in a line of the log.
fn word(line: &str, name: &str) -> String {
    if let Ok(Value::Object(fields)) = serde_json::from_str(line) {
        return fields[name].as_str().unwrap().to_owned();
    }
    let (_, rest) = line.split_once(&format!("{name}=")).unwrap();
    let rest = rest.strip_prefix('"').unwrap_or(rest);
    rest.split([' ', '"']).next().unwrap().to_owned()
}

/// A folder's file, whose path a test needs before the program runs.
pub fn in_folder(folder: &Path, name: &str) -> String {
    folder.join(name).to_str().unwrap().to_owned()
}
