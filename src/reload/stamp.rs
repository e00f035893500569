//! One file, looked at and read: what tells this state of it from any other, and its text.
//!
//! A [`Stamp`] names the file that a path leads to, when it was last changed, and every link on the way:
//! links that are turned and turned back are others than before. The time is the one that nobody can
//! set, so that a copy which keeps its original's dates is seen too. Only what is a regular file is
//! opened, once and without waiting: a pipe in its place holds nobody up, and to open a device may
//! already do something.

use std::fs::{self, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::SystemTime;

use crate::config::MAX_SOURCE;

use super::chain::walk;

/// What a path leads to, and on which way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    links: Vec<Option<State>>,
    end: Result<End, String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum End {
    Directory(State),
    File(State),
    /// A pipe, a socket, a device.
    Other,
}

/// One state of one file, directory or link.
#[derive(Clone, Debug, PartialEq, Eq)]
struct State {
    device: u64,
    inode: u64,
    /// The number of a file that is gone is given to another soon. Not every file system knows.
    born: Option<SystemTime>,
    length: u64,
    /// Seconds and nanoseconds.
    changed: (i64, i64),
}

impl Stamp {
    /// What is at `path` at this moment.
    pub(super) fn of(path: &Path) -> Self {
        let mut links = Vec::new();
        walk(path, |link| links.push(fs::symlink_metadata(link).ok().as_ref().map(State::of)));
        let end = fs::metadata(path).map_err(|error| why(&error)).map(|data| End::of(&data));
        Self { links, end }
    }

    pub(super) fn is_directory(&self) -> bool {
        matches!(self.end, Ok(End::Directory(_)))
    }

    /// Why nothing can be told of what is there.
    pub(super) fn error(&self) -> Option<&String> {
        self.end.as_ref().err()
    }

    /// When the file, or a link to it, was last changed, in milliseconds; where there is no file,
    /// nobody can tell.
    pub(super) fn changed(&self) -> Option<i64> {
        let (Ok(End::File(state) | End::Directory(state)), links) = (&self.end, &self.links) else {
            return None;
        };
        let mut latest = state.changed;
        for link in links {
            latest = latest.max(link.as_ref()?.changed);
        }
        Some(latest.0.saturating_mul(1000).saturating_add(latest.1 / 1_000_000))
    }

    /// Whether this is the same file as in `earlier`, and was changed since.
    pub(super) fn is_rewritten_since(&self, earlier: &Self) -> bool {
        match (&self.end, &earlier.end) {
            (Ok(End::File(now)), Ok(End::File(then))) => {
                let identity = |state: &State| (state.device, state.inode, state.born);
                identity(now) == identity(then) && now != then
            }
            _ => false,
        }
    }

    /// The text of the file at `path`, which must still be in this state; or why it cannot be read, as
    /// people are told.
    pub(super) fn read(&self, path: &Path) -> Result<String, String> {
        let expected = match &self.end {
            Ok(End::File(state)) => state,
            Ok(End::Directory(_) | End::Other) => return Err(NOT_REGULAR.to_owned()),
            Err(why) => return Err(why.clone()),
        };
        if expected.length > MAX_BYTES {
            return Err(too_long());
        }
        let mut bytes = Vec::with_capacity(usize::try_from(expected.length).unwrap_or(0));
        let state = read(path, &mut bytes).map_err(|error| why(&error))?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(too_long());
        }
        if state.as_ref() != Some(expected) {
            return Err(CHANGES.to_owned());
        }
        String::from_utf8(bytes).map_err(|error| {
            format!("it is not UTF-8 from byte {} on", error.utf8_error().valid_up_to())
        })
    }
}

impl End {
    fn of(data: &Metadata) -> Self {
        if data.is_dir() {
            Self::Directory(State::of(data))
        } else if data.is_file() {
            Self::File(State::of(data))
        } else {
            Self::Other
        }
    }
}

impl State {
    fn of(data: &Metadata) -> Self {
        Self {
            device: data.dev(),
            inode: data.ino(),
            born: data.created().ok(),
            length: data.len(),
            changed: (data.ctime(), data.ctime_nsec()),
        }
    }
}

/// Reads what is there; gives in which state it was, if it is a regular file.
fn read(path: &Path, into: &mut Vec<u8>) -> io::Result<Option<State>> {
    // It was a file when it was looked at. A pipe that came meanwhile would be waited for, and a
    // terminal would become ours.
    let flags = libc::O_NONBLOCK | libc::O_NOCTTY;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let data = file.metadata()?;
    if !data.is_file() {
        return Ok(None);
    }
    file.take(MAX_BYTES + 1).read_to_end(into)?;
    Ok(Some(State::of(&data)))
}

fn too_long() -> String {
    format!("it is longer than {} MiB", MAX_BYTES >> 20)
}

fn why(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "it is not there".to_owned(),
        ErrorKind::PermissionDenied => "permission is denied".to_owned(),
        _ => error.to_string(),
    }
}

/// Said of what changes under one's eyes.
pub(super) const CHANGES: &str = "it changes while it is read";
const NOT_REGULAR: &str = "it is not a regular file";
/// The parser's own limit is lower for what people write and its report points at the file; this one
/// bounds what is read.
pub(super) const MAX_BYTES: u64 = MAX_SOURCE as u64;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_link_that_is_turned_and_turned_back_is_another() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for version in ["v1", "v2"] {
            fs::create_dir(at(version)).unwrap();
            fs::write(at(version).join("a"), version).unwrap();
        }
        let turn = |to: &str| {
            symlink(to, at("next")).unwrap();
            fs::rename(at("next"), at("now")).unwrap();
        };
        turn("v1");
        let path = at("now/a");
        let before = Stamp::of(&path);
        assert_eq!(before.read(&path).unwrap(), "v1");
        turn("v2");
        let between = Stamp::of(&path);
        assert_ne!(before, between);
        assert_eq!(before.read(&path).unwrap_err(), CHANGES);
        assert!(!between.is_rewritten_since(&before));
        turn("v1");
        let after = Stamp::of(&path);
        assert_eq!(before.end, after.end);
        assert_ne!(before.links, after.links);
    }

    #[test]
    fn a_file_that_is_written_in_place_is_the_same_and_rewritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "one").unwrap();
        let before = Stamp::of(&path);
        assert!(before.changed().is_some());
        assert_eq!(Stamp::of(&path), before);
        fs::write(&path, "longer").unwrap();
        assert!(Stamp::of(&path).is_rewritten_since(&before));
        fs::remove_file(&path).unwrap();
        let gone = Stamp::of(&path);
        assert_eq!((gone.changed(), gone.is_rewritten_since(&before)), (None, false));
        assert_eq!(gone.read(&path).unwrap_err(), "it is not there");
    }
}
