//! Writes: a change of the running configuration → the files → the ordinary attempt.
//!
//! ```text
//! look → plan → draft → replace → conclude
//! ```
//!
//! A write is an attempt, and takes its turn like one: it looks at the disk first, so that what somebody
//! has edited by hand is part of what it is planned upon, and what it has put on disk is taken over in
//! the same way as anything else there. The candidate was judged before anything was written, and so it
//! is not judged again. A hand edit that comes while the files are replaced is never lost: it is found
//! out, and the write begins anew upon it.

use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::Arc;

use tokio::task::spawn_blocking;
use tokio::time::sleep;

use crate::config::snapshot::Snapshot;
use crate::config::{AccessDiff, Edit, EditError, Report, Source};

use super::aside::Asides;
use super::draft::{Draft, draft};
use super::look::{Asked, Found, Judged, Known};
use super::replace::{Failure, replace};
use super::{Applied, ReloadOutcome, Reloader, Store, Trigger, broken};

/// What is to be changed in the files.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// The edits, by the sources that they were planned upon. They are written file by file, in the order
    /// in which the files first come here; each file between two of them is whole.
    pub edits: Vec<Edit>,
    /// The name of a file that comes to be: edits of the source behind the last one are for it.
    pub new_file: Option<String>,
}

/// A change that is on disk and decides.
#[derive(Debug)]
pub struct Written {
    /// The configuration that decides now.
    pub snapshot: Arc<Snapshot>,
    /// What it brings.
    pub applied: Applied,
    /// What it newly allows, and no longer.
    pub diff: AccessDiff,
    /// The files that were changed, by their names.
    pub files: Vec<String>,
}

/// Why a change was not written. Nothing is lost, and what ran before decides.
#[derive(Debug, thiserror::Error)]
pub enum WriteError<E> {
    /// The plan was refused by who made it.
    #[error("the change is refused")]
    Refused(E),
    /// What is on disk cannot be taken as it is, and is not added to.
    #[error("the configuration on disk is refused as it is")]
    Broken(Arc<Report>),
    /// What would come to be cannot be taken.
    #[error("the changed configuration would be refused")]
    Invalid(Box<Report>),
    /// The text cannot be edited.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// The file cannot be written.
    #[error("`{}` cannot be written: {reason}", .path.display())]
    Unwritable {
        /// Which file.
        path: PathBuf,
        /// Why not, and where somebody can do something about it, what.
        reason: String,
        /// Whether it stays so until somebody keeps the files otherwise: they stand where nothing can be
        /// written, such as a mounted `ConfigMap`. Else it may be written once the disk is well again.
        read_only: bool,
    },
    /// Somebody else writes to the files all the time.
    #[error("the files are changed by somebody else at the same time")]
    Restless,
}

impl Reloader {
    /// Changes the configuration: `plan` is given the running one, which is what is on disk, and its texts.
    /// It is asked again when somebody else has changed the files before they were written. Returns when
    /// the change is on disk for good and decides.
    ///
    /// Who stops waiting does not stop the write: what it puts on disk is found there.
    ///
    /// # Errors
    /// When it is not, and why.
    pub async fn write<E: Send + 'static>(
        &self,
        mut plan: impl FnMut(&Snapshot, &[Source]) -> Result<Change, E> + Send + 'static,
    ) -> Result<Written, WriteError<E>> {
        let mut known = self.known.lock().await;
        for _ in 0..TRIES {
            let Some(sources) = self.standing(&mut known).await.map_err(WriteError::Broken)? else {
                continue;
            };
            let snapshot = self.snapshot.load();
            let (store, asides) = (self.store.clone(), self.asides.clone());
            let asked = self.asked(&snapshot);
            let work = spawn_blocking({
                let snapshot = snapshot.clone();
                move || {
                    let change = plan(&snapshot, &sources).map_err(WriteError::Refused);
                    let done = change
                        .and_then(|change| put_on_disk(&store, sources, change, asked, &asides));
                    (done, plan)
                }
            });
            let Ok((done, planner)) = work.await else {
                return Err(WriteError::Broken(Arc::new(broken())));
            };
            plan = planner;
            match done? {
                Done::Nothing => return Ok(Written::nothing(snapshot)),
                Done::Replaced(judged, files) => {
                    drop(snapshot);
                    let found = Some(Found::New(judged));
                    let ended = self.conclude(&mut known, found, Trigger::Management).await;
                    return match ended {
                        (ReloadOutcome::Applied(applied), diff) => {
                            Ok(Written { snapshot: self.snapshot.load(), applied, diff, files })
                        }
                        // Only what can be taken was put on disk.
                        _ => Err(WriteError::Broken(Arc::new(broken()))),
                    };
                }
                Done::Disturbed => sleep(snapshot.reload.quiet).await,
            }
        }
        Err(WriteError::Restless)
    }

    /// The texts of what runs, if that is what is on disk. What is new there is taken over; then it is to
    /// be looked at again.
    async fn standing(&self, known: &mut Known) -> Result<Option<Vec<Source>>, Arc<Report>> {
        let found = self.look(known, Trigger::Management).await;
        if let Some(Found::Running(sources)) = found {
            return Ok(Some(sources));
        }
        match self.conclude(known, found, Trigger::Management).await {
            (ReloadOutcome::Kept(report), _) => Err(report),
            _ => Ok(None),
        }
    }
}

impl Written {
    fn nothing(snapshot: Arc<Snapshot>) -> Self {
        let (applied, diff) = (Applied::default(), AccessDiff::default());
        Self { snapshot, applied, diff, files: Vec::new() }
    }
}

/// What became of the files.
enum Done {
    Nothing,
    Replaced(Judged, Vec<String>),
    Disturbed,
}

/// Puts a change on disk, if what comes to be can be taken over. Called where tokio is.
fn put_on_disk<E>(
    store: &Store,
    sources: Vec<Source>,
    change: Change,
    asked: Asked,
    asides: &Asides,
) -> Result<Done, WriteError<E>> {
    let Draft { rewrites, judged, files } = draft(store, sources, change, asked)?;
    let Some(judged) = judged else { return Ok(Done::Nothing) };
    let replaced = replace(&rewrites, &files, asides);
    if replaced.is_err() {
        // Those that were found.
        asides.hold(Vec::new());
    }
    match replaced {
        Ok(replaced) => {
            asides.hold(replaced);
            let files = rewrites.into_iter().map(|rewrite| rewrite.path.display().to_string());
            Ok(Done::Replaced(judged, files.collect()))
        }
        Err(Failure::Disturbed) => Ok(Done::Disturbed),
        Err(Failure::Unwritable { path, error }) => Err(unwritable(path, &error)),
        Err(Failure::Protected { path }) => {
            Err(WriteError::Unwritable { path, reason: PROTECTED.to_owned(), read_only: true })
        }
    }
}

fn unwritable<E>(path: PathBuf, error: &io::Error) -> WriteError<E> {
    let advice = match error.kind() {
        ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => {
            Some("keep the configuration in a directory that the gateway may write to")
        }
        // As a ConfigMap's file that is mounted with `subPath`.
        ErrorKind::ResourceBusy | ErrorKind::CrossesDevices => Some(
            "it is mounted by itself and cannot be replaced; mount the directory that it is in",
        ),
        ErrorKind::NotADirectory | ErrorKind::IsADirectory => {
            Some("see which of its path are directories, and which are files")
        }
        ErrorKind::InvalidFilename => Some("give it a shorter name: others are written beside it"),
        ErrorKind::Unsupported => {
            Some("keep the configuration on a file system that can rename files")
        }
        _ => None,
    };
    let reason = advice.map_or_else(|| error.to_string(), |advice| format!("{error}: {advice}"));
    WriteError::Unwritable { path, reason, read_only: advice.is_some() }
}

/// Said of a file that somebody has made read-only.
const PROTECTED: &str = "its permissions say that the gateway does not write to it: let its user write to \
                         the file, as with `chmod u+w`, if it is to be changed over HTTP";

/// How often a change is planned anew because somebody else was faster.
const TRIES: usize = 8;

#[cfg(test)]
mod tests;
