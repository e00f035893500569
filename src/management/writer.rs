//! Writes: planned, written and audited to their end, whether or not somebody still waits for the answer.
//!
//! They run on the control side. What can go wrong is told as faults that say what to do about it.

use std::sync::Arc;
use std::sync::mpsc as std_mpsc;

use http::{HeaderName, StatusCode};
use serde_json::{Value, json};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::audit::{End, Entry};
use super::reply::Reply;
use super::{Asked, Fault, Then, plan, written};
use crate::config::snapshot::Snapshot;
use crate::config::{EditError, Report, Source};
use crate::reload::{Reloader, WriteError, Written};
use crate::telemetry::Inlet;

/// So many problems of a configuration are told.
const MOST_PROBLEMS: usize = 20;

/// Writes for the management door.
#[derive(Clone)]
pub struct Writer {
    reloader: Arc<Reloader>,
    inlet: Inlet,
    /// Where writes run.
    control: Handle,
    /// Held by each write.
    under_way: mpsc::Sender<()>,
}

/// Tells when no write is under way any more, and none can come.
pub struct WritesEnded(mpsc::Receiver<()>);

impl WritesEnded {
    /// Waits until then.
    pub async fn wait(mut self) {
        while self.0.recv().await.is_some() {}
    }
}

impl Writer {
    /// One that writes by `reloader`, on the runtime that this is called on.
    pub fn new(reloader: Arc<Reloader>, inlet: Inlet) -> (Self, WritesEnded) {
        let (under_way, ended) = mpsc::channel(1);
        let writer = Self { reloader, inlet, control: Handle::current(), under_way };
        (writer, WritesEnded(ended))
    }

    /// Begins to write what was asked.
    pub(super) fn start(&self, asked: Asked, entry: Entry) -> JoinHandle<Reply> {
        let writer = self.clone();
        self.control.spawn(async move {
            let reply = writer.write(asked, entry).await;
            drop(writer.under_way);
            reply
        })
    }

    async fn write(&self, asked: Asked, entry: Entry) -> Reply {
        let named = asked.names.last().cloned();
        // A plan may be made more than once: what the last one says is what was written.
        let (tell, told) = std_mpsc::channel();
        let planned = move |snapshot: &Snapshot, sources: &[Source]| {
            let plan = plan(snapshot, sources, &asked)?;
            // Nobody hears of it where nobody waits any more.
            let _ = tell.send(plan.then);
            Ok::<_, Fault>(plan.change)
        };
        let outcome = self.reloader.write(planned).await;
        let then = told.try_iter().last();
        match (outcome, then) {
            (Ok(new), Some(then)) => {
                let reply = Reply::from(written(&new.snapshot, &then));
                self.close(&entry, Some(&new), object(&then).or(named.as_deref()), reply)
            }
            // A plan that was never made wrote nothing.
            (Ok(new), None) => {
                let fault = Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", INTERNAL);
                self.close(&entry, Some(&new), named.as_deref(), fault.into())
            }
            (Err(error), _) => self.close(&entry, None, named.as_deref(), refused(error)),
        }
    }

    fn close(
        &self,
        entry: &Entry,
        written: Option<&Written>,
        object: Option<&str>,
        reply: Reply,
    ) -> Reply {
        entry.close(&End { written, object, reply: &reply }, &self.inlet);
        reply
    }
}

/// What is said where there is nothing to say.
pub(super) const INTERNAL: &str = "the gateway failed: try again later";

/// The id of what was written.
fn object(then: &Then) -> Option<&str> {
    match then {
        Then::Gone => None,
        Then::Grant { id, .. } | Then::Association { id } => Some(id.as_str()),
        Then::Api { identifier, .. } => Some(identifier.as_str()),
    }
}

/// Why nothing was written, and what to do.
fn refused(error: WriteError<Fault>) -> Reply {
    let conflict =
        |code, message: String| Reply::from(Fault::new(StatusCode::CONFLICT, code, message));
    match error {
        WriteError::Refused(fault) => fault.into(),
        WriteError::Invalid(report) => {
            let problems = problems(&report);
            let first = problems.first().map(first_words).unwrap_or_default();
            let message = format!("Payload validation error: {first}");
            let fault = Fault::new(StatusCode::BAD_REQUEST, "invalid_body", message);
            Reply::from(fault).and("problems", problems.into())
        }
        WriteError::Broken(report) => {
            let message = "the gateway's files hold errors, and run as they were before: nothing is \
                added to them until somebody has corrected them";
            conflict("configuration_broken", message.to_owned())
                .and("problems", problems(&report).into())
        }
        WriteError::Unwritable { path, reason: _, read_only: true } => {
            let message = format!(
                "`{}` stands where nothing can be written. If it comes from a ConfigMap or an image, \
                 change it where that is made (in git, or with kubectl), and the gateway takes it \
                 over; or keep the configuration in a folder that the gateway may write to, with \
                 `management.file` for what is added",
                path.display()
            );
            conflict("read_only", message)
        }
        WriteError::Unwritable { path, reason, read_only: false } => {
            tracing::error!(path = %path.display(), reason, "a change could not be written");
            let message = format!("`{}` could not be written: {reason}", path.display());
            Fault::new(StatusCode::INSUFFICIENT_STORAGE, "not_written", message).into()
        }
        WriteError::Edit(error @ EditError::TooLarge { .. }) => {
            let message = format!(
                "{error}: write `management.file: grants.json` into the configuration, and what is \
                 added goes to a file of the gateway's own, which may be larger"
            );
            conflict("file_too_large", message)
        }
        WriteError::Edit(error @ (EditError::Missing(_) | EditError::Unfaithful(_))) => {
            let message = format!("{error}: change it in the gateway's files");
            conflict("edit_refused", message)
        }
        error @ WriteError::Restless => {
            let now = HeaderName::from_static("retry-after");
            conflict("conflict", format!("{error}: try again")).with(now, 1)
        }
    }
}

/// The errors of a configuration, for programs: `{code, message, place, help}`.
fn problems(report: &Report) -> Vec<Value> {
    let found = report.diagnostics().into_iter();
    let errors = found.filter(|problem| problem["severity"] == "error").take(MOST_PROBLEMS);
    let problem = |problem: Value| {
        let text = |key: &str| problem[key].as_str().unwrap_or_default().to_owned();
        let place = [text("file"), text("path")].into_iter().filter(|part| !part.is_empty());
        let place = place.collect::<Vec<_>>().join(": ");
        json!({
            "code": problem["code"], "message": problem["message"], "place": place,
            "help": problem["help"],
        })
    };
    errors.map(problem).collect()
}

/// A problem in one line.
fn first_words(problem: &Value) -> String {
    let text = |key: &str| problem.get(key).and_then(Value::as_str);
    let message = text("message").unwrap_or_default();
    text("help").map_or_else(|| message.to_owned(), |help| format!("{message}; {help}"))
}

#[cfg(test)]
mod tests;
