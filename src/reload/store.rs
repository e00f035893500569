//! The configuration's files: what is on disk, as texts.
//!
//! In comes a path, of one file or of a directory of them; out come its texts in the order of their
//! names, or which of them cannot be read. Only regular files are read, each opened once and
//! without waiting, so that a pipe in a file's place holds nobody up. It never tells what a text
//! means.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::RootCertStore;

use crate::config::{Code, Digest, Outside, Place, Report, Source, digest, inspect};
use crate::net::authorities;

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

    /// Reads all texts. They belong together: were one of them replaced meanwhile, all are read
    /// anew.
    ///
    /// # Errors
    /// When any of them cannot be read, there is none, or they do not come to rest.
    pub fn read(&self) -> Result<Vec<Source>, Unreadable> {
        let mut listed = self.list()?;
        for _ in 0..TRIES {
            let read = read_all(&listed);
            let now = self.list()?;
            if now == listed {
                return read;
            }
            listed = now;
        }
        Err(StoreError::new(&self.0, "it changes while it is read").into())
    }

    /// The files that [`Self::read`] reads, as far as they can be told.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        self.list().unwrap_or_default().into_iter().map(|listed| listed.path).collect()
    }

    fn list(&self) -> Result<Vec<Listed>, StoreError> {
        let failed = |error| StoreError::new(&self.0, why(&error));
        if !fs::metadata(&self.0).map_err(failed)?.is_dir() {
            return Ok(vec![Listed::new(self.0.clone())]);
        }
        let entries = fs::read_dir(&self.0).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let entries = entries.map_err(failed)?;
        let mut names: Vec<_> = entries.into_iter().map(|entry| entry.file_name()).collect();
        names.retain(|name| is_configuration(name));
        names.sort();
        if names.is_empty() {
            let reason = "the directory has no file named `*.yaml`, `*.yml` or `*.json`";
            return Err(StoreError::new(&self.0, reason));
        }
        Ok(names.iter().map(|name| Listed::new(self.0.join(name))).collect())
    }
}

fn is_configuration(name: &OsStr) -> bool {
    let extension = Path::new(name).extension().map(OsStr::as_bytes);
    !name.as_bytes().starts_with(b".") && matches!(extension, Some(b"yaml" | b"yml" | b"json"))
}

/// A file's name and what it stood for when it was looked at.
#[derive(Debug, PartialEq, Eq)]
struct Listed {
    path: PathBuf,
    stamp: Result<Stamp, String>,
}

/// What tells one file, and one state of it, from another.
#[derive(Debug, PartialEq, Eq)]
enum Stamp {
    File { device: u64, inode: u64, length: u64, changed: (i64, i64) },
    Other,
}

impl Listed {
    fn new(path: PathBuf) -> Self {
        let stamp = fs::metadata(&path).map_err(|error| why(&error));
        let stamp = stamp.map(|data| {
            if !data.is_file() {
                return Stamp::Other;
            }
            Stamp::File {
                device: data.dev(),
                inode: data.ino(),
                length: data.len(),
                changed: (data.ctime(), data.ctime_nsec()),
            }
        });
        Self { path, stamp }
    }
}

fn read_all(listed: &[Listed]) -> Result<Vec<Source>, Unreadable> {
    let mut sources = Vec::with_capacity(listed.len());
    let mut errors = Vec::new();
    for Listed { path, .. } in listed {
        match read_text(path) {
            Ok(text) => sources.push(Source::new(path.display().to_string(), text)),
            Err(reason) => errors.push(StoreError::new(path, reason)),
        }
    }
    if errors.is_empty() { Ok(sources) } else { Err(Unreadable { errors, sources }) }
}

/// What the configuration refers to: the process's environment, and files. Remembers which files
/// were asked for, so that they can be watched.
#[derive(Debug, Default)]
pub struct Surroundings {
    asked: RefCell<Answers>,
}

/// The files that were asked for, each with the digest of its text or why it could not be read.
pub(super) type Answers = BTreeMap<PathBuf, Result<Digest, String>>;

impl Surroundings {
    pub(super) fn into_answers(self) -> Answers {
        self.asked.into_inner()
    }

    /// Whether all files would answer as they did.
    pub(super) fn are_still(answers: &Answers) -> bool {
        answers.iter().all(|(path, answer)| digest_of(path, &read_text(path)) == *answer)
    }
}

impl Outside for Surroundings {
    fn env(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn file(&self, source: &str, path: &str) -> Result<String, String> {
        let path = Path::new(source).parent().unwrap_or(Path::new("")).join(path);
        let text = read_text(&path);
        let answer = digest_of(&path, &text);
        self.asked.borrow_mut().insert(path, answer);
        text
    }

    fn authorities(&self) -> Arc<RootCertStore> {
        authorities::of_machine()
    }
}

fn digest_of(path: &Path, text: &Result<String, String>) -> Result<Digest, String> {
    let text = text.as_ref().map_err(Clone::clone)?;
    Ok(digest(&[Source::new(path.display().to_string(), text.as_str())]))
}

/// The text of a regular file; or why it cannot be read, as people are told.
fn read_text(path: &Path) -> Result<String, String> {
    // Opening a pipe for reading would otherwise wait until somebody writes to it.
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path);
    let mut bytes = Vec::new();
    let read =
        file.and_then(|file| read_regular(&file, &mut bytes)).map_err(|error| why(&error))?;
    if !read {
        return Err("it is not a regular file".to_owned());
    }
    if bytes.len() as u64 > MAX_BYTES {
        return Err(format!("it is longer than {} MiB", MAX_BYTES >> 20));
    }
    String::from_utf8(bytes).map_err(|error| {
        format!("it is not UTF-8 from byte {} on", error.utf8_error().valid_up_to())
    })
}

fn read_regular(file: &File, into: &mut Vec<u8>) -> io::Result<bool> {
    if !file.metadata()?.is_file() {
        return Ok(false);
    }
    file.take(MAX_BYTES + 1).read_to_end(into)?;
    Ok(true)
}

fn why(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "it is not there".to_owned(),
        ErrorKind::PermissionDenied => "permission is denied".to_owned(),
        _ => error.to_string(),
    }
}

/// The parser's own limit is lower and its report points at the file; this one bounds what is read.
const MAX_BYTES: u64 = 16 << 20;
/// How often texts that change under one's eyes are read anew. Whatever changes them ends with an
/// event or is found by the next poll.
const TRIES: usize = 4;

#[cfg(test)]
mod tests;
