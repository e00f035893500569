//! A gate that runs, asked by its admin listener: for verbs that else read files.
//!
//! In comes where it answers; out comes what it says, or in one line why it says nothing. A token is sent
//! to nobody but this machine, since it would travel in the clear.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::Value;
use tokio::runtime::{self, Runtime};

use crate::admin::{Question, Reasoned};
use crate::clock::now;
use crate::config::snapshot::Snapshot;
use crate::config::{PolicyDocument, load};
use crate::gate::Shown;
use crate::net::local::{Answered, Asked, Gate, Silence};
use crate::reload::Surroundings;

/// Asks a gate, and waits for its answer.
///
/// # Errors
/// When no whole answer came.
pub fn ask(gate: &Gate, asked: Asked<'_>) -> Result<Answered, Silence> {
    let runtime = runtime().map_err(|error| Silence::Broken(error.to_string()))?;
    let answered = runtime.block_on(gate.ask(asked));
    // A name that is still looked up is not waited for.
    runtime.shutdown_background();
    answered
}

fn runtime() -> io::Result<Runtime> {
    runtime::Builder::new_current_thread().enable_all().build()
}

/// Asks a gate what would become of a request, and why.
///
/// # Errors
/// On one line, with why nothing was answered.
pub fn explain(gate: &Gate, question: &Question) -> Result<Reasoned, String> {
    if matches!(question.shown, Shown::Token(_)) && !gate.is_here() {
        return Err(format!(
            "a token is not sent in the clear to `{gate}`: forward its port to this machine (`ssh -L`, \
             `kubectl port-forward`), or show the token's claims alone"
        ));
    }
    let body = Bytes::from(question.to_json().to_string());
    let answered = asked_of_admin(gate, Method::POST, "/explain", Some(body), MOST_EXPLAINED)?;
    serde_json::from_slice(&answered.body).map_err(|_| not_grantgate(gate))
}

/// The policy that a gate runs, as a configuration that means the same.
///
/// # Errors
/// On one line, with why there is none.
pub fn policy(gate: &Gate) -> Result<Snapshot, String> {
    let answered = asked_of_admin(gate, Method::GET, "/policy", None, MOST_POLICY)?;
    let text = str::from_utf8(&answered.body).map_err(|_| not_grantgate(gate))?;
    let sources = PolicyDocument::sources(&gate.to_string(), text);
    drop(answered);
    match load(&sources, &Surroundings::default(), now()) {
        // Its lines are those of a document that nobody has: grants are known by their ids alone.
        Ok(loaded) => Ok(Snapshot { files: Vec::new(), ..loaded.snapshot }),
        Err(_) => Err(not_grantgate(gate)),
    }
}

fn asked_of_admin(
    gate: &Gate,
    method: Method,
    path: &str,
    body: Option<Bytes>,
    most: usize,
) -> Result<Answered, String> {
    let asked = Asked { method, path, body, most, patience: PATIENCE };
    let answered = ask(gate, asked)
        .map_err(|silence| format!("no answer from `{gate}`: {silence}; {WHERE}"))?;
    let line = || {
        let text = String::from_utf8_lossy(&answered.body);
        text.lines().next().unwrap_or_default().chars().take(MOST_SAID).collect::<String>()
    };
    match answered.status {
        StatusCode::OK => Ok(answered),
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => Err(format!(
            "`{gate}` does not know `{path}`: it is an older version, or no admin listener; {WHERE}"
        )),
        StatusCode::FORBIDDEN => Err(match detail(&answered.body) {
            Some(detail) => format!("`{gate}` does not answer: {detail}"),
            None => not_grantgate(gate),
        }),
        // What is wrong is the question: it says so itself.
        StatusCode::BAD_REQUEST => Err(format!("`{gate}`: {}", line())),
        StatusCode::PAYLOAD_TOO_LARGE
        | StatusCode::REQUEST_TIMEOUT
        | StatusCode::SERVICE_UNAVAILABLE => Err(format!("`{gate}` does not answer: {}", line())),
        _ => Err(not_grantgate(gate)),
    }
}

/// What an admin listener says to whom it does not answer.
fn detail(body: &[u8]) -> Option<String> {
    let problem: Value = serde_json::from_slice(body).ok()?;
    let is_ours = problem.get("code")?.as_str()?.starts_with("admin-");
    is_ours.then(|| problem.get("detail")?.as_str().map(str::to_owned))?
}

fn not_grantgate(gate: &Gate) -> String {
    format!("what `{gate}` answers is not Grantgate's admin listener's; {WHERE}")
}

const WHERE: &str = "`admin.listen` says where it is, `127.0.0.1:9181` by default";

/// How long an answer may take: the listener gives none of its connections longer.
const PATIENCE: Duration = Duration::from_secs(40);

/// How long answers may be, in bytes.
const MOST_EXPLAINED: usize = 16 << 20;
const MOST_POLICY: usize = 1 << 30;

/// How much of a line is repeated that somebody unknown answered.
const MOST_SAID: usize = 500;
