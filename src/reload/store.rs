//! The configuration's files: what is on disk, as texts.
//!
//! In comes a path, of one file or of a directory of them; out come its texts in the order of their
//! names, or which of them cannot be read. A [`Listing`] is what stood there at one moment: texts that
//! are read between two equal ones belong together. It never tells what a text means.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::config::{Code, Place, Report, Source, inspect};

use super::stamp::{CHANGES, Stamp};

/// Something on disk that should be read and cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` cannot be read: {reason}", path.display())]
pub struct StoreError {
    /// Where it is.
    pub path: PathBuf,
    /// Why not.
    pub reason: String,
}

impl StoreError {
    fn new(path: &Path, reason: impl Into<String>) -> Self {
        Self { path: path.to_owned(), reason: reason.into() }
    }
}

/// A configuration of which something cannot be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unreadable {
    /// What cannot.
    pub errors: Vec<StoreError>,
    /// What can.
    pub sources: Vec<Source>,
}

impl Unreadable {
    /// All that is wrong, as far as it can be told.
    pub fn report(&self) -> Report {
        let mut report = inspect(&self.sources);
        for error in &self.errors {
            report.push(Code::ConfigUnreadable, &Place::nowhere(), error.to_string());
        }
        report
    }
}

impl From<StoreError> for Unreadable {
    fn from(error: StoreError) -> Self {
        Self { errors: vec![error], sources: Vec::new() }
    }
}

/// Where a configuration is: a file, or a directory whose `*.yaml`, `*.yml` and `*.json` are read,
/// save those that begin with a dot.
#[derive(Clone, Debug)]
pub struct Store(PathBuf);

impl Store {
    /// The configuration at `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Where a file of the directory is that is not there yet.
    ///
    /// # Errors
    /// When the configuration is one file, or would not have one of that name.
    pub(super) fn new_file(&self, name: &str) -> Result<PathBuf, StoreError> {
        let path = self.0.join(name);
        if !self.0.is_dir() {
            return Err(StoreError::new(
                &self.0.with_file_name(name),
                "the configuration is one file, and no other is read: keep it in a directory, and name \
                 that to the gateway; or leave `management.file` out",
            ));
        }
        // Not a path that leads elsewhere.
        if path.file_name() != Some(OsStr::new(name)) || !is_configuration(OsStr::new(name)) {
            let reason = "a file of the configuration is named `*.yaml`, `*.yml` or `*.json`";
            return Err(StoreError::new(&path, reason));
        }
        Ok(path)
    }

    /// Reads all texts. They belong together: were one of them replaced meanwhile, all are read
    /// anew.
    ///
    /// # Errors
    /// When any of them cannot be read, there is none, or they do not come to rest.
    pub fn read(&self) -> Result<Vec<Source>, Unreadable> {
        for _ in 0..TRIES {
            let listing = self.list();
            let read = listing.read();
            if self.list() == listing {
                return read;
            }
        }
        Err(self.changes())
    }

    /// What stands there at this moment.
    pub(super) fn list(&self) -> Listing {
        let stamp = Stamp::of(&self.0);
        let changed = stamp.changed();
        let files = if stamp.is_directory() {
            self.names().map(|names| {
                let listed = names.iter().map(|name| {
                    let path = self.0.join(name);
                    let stamp = Stamp::of(&path);
                    (path, stamp)
                });
                listed.collect()
            })
        } else if let Some(reason) = stamp.error() {
            Err(StoreError::new(&self.0, reason))
        } else {
            Ok(vec![(self.0.clone(), stamp)])
        };
        Listing { changed, files }
    }

    fn names(&self) -> Result<Vec<OsString>, StoreError> {
        let entries = fs::read_dir(&self.0).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let entries = entries.map_err(|error| StoreError::new(&self.0, error.to_string()))?;
        let mut names: Vec<_> = entries.into_iter().map(|entry| entry.file_name()).collect();
        names.retain(|name| is_configuration(name));
        names.sort();
        if names.is_empty() {
            let reason = "the directory has no file named `*.yaml`, `*.yml` or `*.json`";
            return Err(StoreError::new(&self.0, reason));
        }
        Ok(names)
    }

    /// What is told when it does not come to rest.
    pub(super) fn changes(&self) -> Unreadable {
        StoreError::new(&self.0, CHANGES).into()
    }
}

fn is_configuration(name: &OsStr) -> bool {
    let extension = Path::new(name).extension().map(OsStr::as_bytes);
    !name.as_bytes().starts_with(b".") && matches!(extension, Some(b"yaml" | b"yml" | b"json"))
}

/// What stood at a configuration's place at one moment: its files, each by what it was.
#[derive(Clone, Debug)]
pub(super) struct Listing {
    /// When the path itself was last changed: a directory, when a name came or went.
    changed: Option<i64>,
    files: Result<Vec<(PathBuf, Stamp)>, StoreError>,
}

/// Whether the same files are there. Names that are not read may come and go.
impl PartialEq for Listing {
    fn eq(&self, other: &Self) -> bool {
        self.files == other.files
    }
}

impl Listing {
    /// The texts of all files, as long as each is still what it was.
    pub(super) fn read(&self) -> Result<Vec<Source>, Unreadable> {
        let files = self.files.as_ref().map_err(Clone::clone)?;
        let mut sources = Vec::with_capacity(files.len());
        let mut errors = Vec::new();
        for (path, stamp) in files {
            match stamp.read(path) {
                Ok(text) => sources.push(Source::new(path.display().to_string(), text)),
                Err(reason) => errors.push(StoreError::new(path, reason)),
            }
        }
        if errors.is_empty() { Ok(sources) } else { Err(Unreadable { errors, sources }) }
    }

    /// The files, as far as they can be told.
    pub(super) fn files(&self) -> impl Iterator<Item = (&Path, &Stamp)> {
        self.files.iter().flatten().map(|(path, stamp)| (path.as_path(), stamp))
    }

    /// When anything of it was last changed, in milliseconds, if that can be told.
    pub(super) fn changed(&self) -> Option<i64> {
        let files = self.files.as_ref().ok()?;
        let times = files.iter().map(|(_, stamp)| stamp.changed()).chain([self.changed]);
        times.reduce(|latest, time| Some(latest?.max(time?))).flatten()
    }
}

/// How often texts that change under one's eyes are read anew at once.
pub(super) const TRIES: usize = 4;

#[cfg(test)]
mod tests;
