//! The program as it runs: started, listened to, told to end.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::str::FromStr;
use std::sync::mpsc::{self, Receiver};
use std::thread;

use serde_json::Value;

use crate::door::client::PATIENCE;

/// The program with these arguments, and the secret that configurations name.
pub fn grantgate(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_grantgate"));
    command.args(arguments).env_remove("GRANTGATE_CONFIG").env("LONG_SECRET", "s".repeat(64));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A verb on a configuration.
pub fn on(verb: &str, config: &Path) -> Command {
    let mut command = grantgate(&[verb, "--config"]);
    command.arg(config);
    command
}

/// How it ended, its data and its talk.
pub fn outcome(command: &mut Command) -> (Option<i32>, String, String) {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

pub struct Program {
    pub child: Child,
    log: Receiver<String>,
    /// Its line about what it listens on.
    listening: String,
}

impl Program {
    /// Runs a gate. Its decision records go nowhere.
    pub fn start(config: &Path) -> Self {
        Self::writing_to(Stdio::null(), config)
    }

    /// Runs a gate whose decision records go to `stdout`.
    pub fn writing_to(stdout: Stdio, config: &Path) -> Self {
        let mut command = on("run", config);
        command.stdout(stdout);
        let mut program = Self::run(command);
        program.listening = program.says(&["listening", "traffic"]);
        program
    }

    /// One that a shell starts, which runs `before` first.
    pub fn start_with(config: &Path, before: &str) -> Self {
        let program = on("run", config);
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("{before}; exec \"$@\""), "sh"]);
        shell.arg(program.get_program()).args(program.get_args());
        shell.env_remove("GRANTGATE_CONFIG").stdin(Stdio::null()).stdout(Stdio::null());
        shell.stderr(Stdio::piped());
        let mut program = Self::run(shell);
        program.listening = program.says(&["listening", "traffic"]);
        program
    }

    /// One that may not come so far as to listen.
    pub fn run(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        // The log is read no faster than the test asks for it.
        let (told, log) = mpsc::sync_channel(0);
        thread::spawn(move || lines.map_while(Result::ok).all(|line| told.send(line).is_ok()));
        Self { child, log, listening: String::new() }
    }

    /// Waits for a line of the log with all of these in it.
    pub fn says(&self, words: &[&str]) -> String {
        let mut said = Vec::new();
        loop {
            let line = self.log.recv_timeout(PATIENCE);
            let Ok(line) = line else { panic!("it did not say {words:?}, but {said:#?}") };
            if words.iter().all(|word| line.contains(word)) {
                return line;
            }
            said.push(line);
        }
    }

    /// What is left of its log, until it ends.
    pub fn rest(&self) -> Vec<String> {
        std::iter::from_fn(|| self.log.recv_timeout(PATIENCE).ok()).collect()
    }

    /// Where it takes `what`: traffic, questions of health, or those of its admin.
    pub fn address<A: FromStr>(&self, what: &str) -> A {
        let text = field(&self.listening, what);
        text.parse().unwrap_or_else(|_| panic!("`{text}` is not an address"))
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

impl Drop for Program {
    fn drop(&mut self) {
        // Ended already, unless the test failed or needs no end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What stands behind `name=` in a line of the log, or under `name` where it is JSON.
fn field(line: &str, name: &str) -> String {
    if let Ok(Value::Object(fields)) = serde_json::from_str(line) {
        return fields[name].as_str().unwrap().to_owned();
    }
    let (_, rest) = line.split_once(&format!("{name}=")).unwrap();
    let rest = rest.strip_prefix('"').unwrap_or(rest);
    rest.split([' ', '"']).next().unwrap().to_owned()
}
