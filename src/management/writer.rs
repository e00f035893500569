//! Writes: planned, written and audited to their end, whether or not somebody still waits for the answer.
//!
//! They run on the control side, one after the other, and so many may wait. Who waits for his turn is
//! decided about again when it comes: by then his token may have ended, or his grant. What can go wrong is
//! told as faults that say what to do about it.

use std::cell::OnceCell;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc as std_mpsc;

use http::StatusCode;
use http::header::RETRY_AFTER;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::audit::{End, Entry, Opened};
use super::own;
use super::problems::{Touched, file_name, invalid, problems};
use super::refused::fault;
use super::reply::Reply;
use super::{Asked, Endpoint, Fault, Then, plan, written};
use crate::account::Findings;
use crate::clock::now;
use crate::config::snapshot::Snapshot;
use crate::config::{EditError, Source};
use crate::gate::{Code, Env, KeptCall, Outcome, Step, Verdict, check};
use crate::keyring::FetchedKeys;
use crate::live::Live;
use crate::policy::UnixTime;
use crate::reload::{Reloader, WriteError, Written};
use crate::telemetry::Inlet;
use crate::token::VerifiedCache;

/// So many writes may be under way, of which one is written and the others wait.
const MOST_WRITES: usize = 32;

/// Writes for the management door.
#[derive(Clone)]
pub struct Writer {
    reloader: Arc<Reloader>,
    keys: Live<FetchedKeys>,
    inlet: Inlet,
    /// Where writes run.
    control: Handle,
    room: Arc<Semaphore>,
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
    pub fn new(
        reloader: Arc<Reloader>,
        keys: Live<FetchedKeys>,
        inlet: Inlet,
    ) -> (Self, WritesEnded) {
        let (under_way, ended) = mpsc::channel(1);
        let (control, room) = (Handle::current(), Arc::new(Semaphore::new(MOST_WRITES)));
        let writer = Self { reloader, keys, inlet, control, room, under_way };
        (writer, WritesEnded(ended))
    }

    /// Writes what was asked, to the end even where nobody waits for that.
    pub(super) async fn write(&self, asked: Asked, leave: Leave, entry: Entry) -> Reply {
        let opened = Opened::new(entry, self.inlet.clone());
        let room = match enter(&self.room) {
            Ok(room) => room,
            Err(full) => return close(opened, None, asked.names.last().map(String::as_str), full),
        };
        let writer = self.clone();
        let written = self.control.spawn(async move {
            let reply = writer.carry_out(asked, leave, opened).await;
            drop((room, writer.under_way));
            reply
        });
        written.await.unwrap_or_else(|error| {
            tracing::error!(%error, "a write broke off");
            Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", INTERNAL).into()
        })
    }

    async fn carry_out(&self, asked: Asked, leave: Leave, opened: Opened) -> Reply {
        let named = asked.names.last().cloned();
        // A plan may be made more than once: what the last one says is what was written.
        let (tell, told) = std_mpsc::channel();
        let keys = self.keys.clone();
        let planned = move |snapshot: &Snapshot, sources: &[Source]| {
            leave.holds(snapshot, &keys.load(), asked.endpoint, now())?;
            let plan = plan(snapshot, &asked)?;
            // Nobody hears of it where nobody waits any more.
            let _ = tell.send((plan.then, Touched::by(&plan.change, sources)));
            Ok::<_, Fault>(plan.change)
        };
        let outcome = self.reloader.write(planned).await;
        let (then, touched) = told.try_iter().last().unzip();
        match (outcome, then) {
            (Ok(new), Some(then)) => {
                let reply = Reply::from(written(&new.snapshot, &then));
                close(opened, Some(&new), object(&then).or(named.as_deref()), reply)
            }
            // A plan that was never made wrote nothing.
            (Ok(new), None) => {
                let fault = Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", INTERNAL);
                close(opened, Some(&new), named.as_deref(), fault.into())
            }
            (Err(error), _) => close(opened, None, named.as_deref(), {
                refused(error, &touched.unwrap_or_default())
            }),
        }
    }
}

fn close(opened: Opened, written: Option<&Written>, object: Option<&str>, reply: Reply) -> Reply {
    opened.close(&End { written, object, reply: &reply });
    reply
}

/// A place among those who wait; where none is left, what is said.
fn enter(room: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Reply> {
    room.clone().try_acquire_owned().map_err(|_| {
        let message = "too many others wait to write: wait for as long as `Retry-After` says";
        let fault = Fault::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", message);
        Reply::from(fault).with(RETRY_AFTER, 1)
    })
}

/// The call by which somebody may write.
pub(super) struct Leave(pub(super) KeptCall);

impl Leave {
    /// Whether it still holds `now`: the gate decides again, for the time has gone on, and another
    /// configuration or other keys may decide.
    fn holds(
        &self,
        snapshot: &Snapshot,
        keys: &FetchedKeys,
        endpoint: Endpoint,
        now: UnixTime,
    ) -> Result<(), Fault> {
        let held = self.0.parsed().cloned().map(OnceCell::from).unwrap_or_default();
        let cache = VerifiedCache::with_capacity(0);
        let env = Env { keys, cache: &cache, now };
        let step = check(snapshot, &env, &self.0.call(), &held);
        let (Step::Done(outcome) | Step::NeedKeys { otherwise: outcome, .. }) = step;
        let mut outcome = outcome;
        if let Some(management) = &snapshot.management {
            own::hold(&mut outcome, held.get().map(|parsed| &**parsed), management);
        }
        let Outcome { verdict, api, operation, caller } = outcome;
        let refusal = match verdict {
            Verdict::Pass(_) => return Ok(()),
            Verdict::Refuse(refusal) => refusal,
            Verdict::Preflight(_) | Verdict::WouldRefuse(..) => Code::Internal.into(),
        };
        let findings = Findings { served: api, operation, caller: caller.as_ref() };
        Err(fault(&refusal, Some(endpoint), findings))
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

/// Why nothing was written, and what to do. `touched` is what was to be changed.
fn refused(error: WriteError<Fault>, touched: &Touched) -> Reply {
    let conflict =
        |code, message: String| Reply::from(Fault::new(StatusCode::CONFLICT, code, message));
    match error {
        WriteError::Refused(fault) => fault.into(),
        WriteError::Invalid(report) => {
            let message = invalid(&report, touched);
            let fault = Fault::new(StatusCode::BAD_REQUEST, "invalid_body", message);
            Reply::from(fault).and("problems", problems(&report).into())
        }
        WriteError::Broken(report) => {
            let message = "the gateway's files hold errors, and run as they were before: nothing is \
                changed while they do; somebody has to correct them";
            conflict("configuration_broken", message.to_owned())
                .and("problems", problems(&report).into())
        }
        WriteError::Unwritable { path, reason, read_only: true } => {
            let message = format!(
                "`{}` cannot be written: {reason}; if it comes from a ConfigMap or an image, change it \
                 where that is made (in git, or with kubectl), and the gateway takes it over; or keep the \
                 configuration in a folder that the gateway may write to, with `management.file` for \
                 what is added",
                file_name(&path)
            );
            conflict("read_only", message)
        }
        WriteError::Unwritable { path, reason, read_only: false } => {
            tracing::error!(path = %path.display(), reason, "a change could not be written");
            let file = file_name(&path);
            let message = format!("`{file}` cannot be written: {reason}; nothing is changed");
            Fault::new(StatusCode::INSUFFICIENT_STORAGE, "not_written", message).into()
        }
        WriteError::Edit(error @ EditError::TooLarge { .. }) => {
            let message = format!(
                "{}: write `management.file: grants.json` into the configuration, and what is \
                 added goes to a file of the gateway's own, which may be larger",
                edit_error(&error)
            );
            conflict("file_too_large", message)
        }
        WriteError::Edit(error) => {
            let message = format!("{}: change it in the gateway's files", edit_error(&error));
            conflict("edit_refused", message)
        }
        error @ WriteError::Restless => {
            conflict("conflict", format!("{error}: try again")).with(RETRY_AFTER, 1)
        }
    }
}

/// What cannot be edited, by the name of its file.
fn edit_error(error: &EditError) -> String {
    let text = error.to_string();
    let (EditError::TooLarge { name, .. } | EditError::Unfaithful(name)) = error else {
        return text;
    };
    text.replace(name.as_str(), &file_name(Path::new(name)))
}

#[cfg(test)]
mod tests;
