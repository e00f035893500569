//! The program as it runs: started, listened to, told to end.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use crate::door::client::PATIENCE;

pub fn grantgate(verb: &str, config: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_grantgate"));
    command.args([verb, "--config"]).arg(config).env_remove("GRANTGATE_CONFIG");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A gate that runs. Its decision records go nowhere.
pub struct Gate {
    child: Child,
    log: Receiver<String>,
    /// Its line about what it listens on.
    listening: String,
}

impl Gate {
    pub fn start(config: &Path) -> Self {
        let mut gate = Self::run(grantgate("run", config));
        gate.listening = gate.says(&["listening", "traffic="]);
        gate
    }

    /// One that may not come so far as to listen.
    pub fn run(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::null()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (lines, log) = mpsc::channel();
        // Read on in any case: a log that nobody reads would hold it up.
        thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|l| lines.send(l)));
        Self { child, log, listening: String::new() }
    }

    /// Waits for a line of the log with all of these in it.
    pub fn says(&self, words: &[&str]) -> String {
        loop {
            let line = self.log.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("it never said {words:?}"));
            if words.iter().all(|word| line.contains(word)) {
                return line;
            }
        }
    }

    /// Where it takes `what`: traffic, or questions of health.
    pub fn address(&self, what: &str) -> SocketAddr {
        let (_, rest) = self.listening.split_once(&format!("{what}=")).unwrap();
        rest.split_whitespace().next().unwrap().trim_matches('"').parse().unwrap()
    }

    pub fn signal(&self, name: &str) {
        let signal = format!("-{name}");
        let sent = Command::new("kill").args([&signal, &self.child.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }

    /// Waits until it has ended.
    pub fn exit(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        // Ended already, unless the test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
