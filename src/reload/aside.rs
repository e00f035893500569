//! What a write put another file in the place of, until nobody can miss it.
//!
//! An editor that had opened a file before it was replaced writes into the one that was. So it is kept
//! beside the new one, under a name that is never read, for as long as `reload.quiet`; then it is
//! deleted if it still says what the write was planned upon, and else kept for people to look at. The
//! name tells what it said, so that what a crash left behind is judged in the same way.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::hash::{BuildHasher, Hasher};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use foldhash::quality::FixedState;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use super::stamp::Stamp;

/// The files that are set aside and not judged yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Asides(Arc<Mutex<BTreeSet<PathBuf>>>);

/// A file that is set aside.
#[derive(Debug)]
pub(super) struct Aside {
    /// Under which name.
    pub(super) path: PathBuf,
    /// What a hash of its text was.
    hash: u64,
}

impl Asides {
    /// Judges `aside` when nobody has written into it for `quiet`. Called where tokio is.
    pub(super) fn hold(&self, aside: Aside, quiet: Duration) {
        let asides = self.clone();
        asides.paths(|paths| paths.insert(aside.path.clone()));
        tokio::spawn(async move {
            tokio::time::sleep(quiet).await;
            let judge = move || {
                aside.judge();
                asides.paths(|paths| paths.remove(&aside.path));
            };
            // What is not judged now is found in the folder by the next write.
            let _ = tokio::task::spawn_blocking(judge).await;
        });
    }

    /// Judges what crashes have left behind in a folder, and deletes what was never put in place.
    pub(super) fn sweep(&self, folder: &Path) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.file_name().map(OsStr::to_string_lossy).unwrap_or_default();
            if name.starts_with('.') && name.ends_with(NEW) {
                // Where it cannot be, it does no harm either.
                let _ = fs::remove_file(&path);
            } else if let Some(hash) = hash_in(&name)
                && !self.paths(|paths| paths.contains(&path))
            {
                Aside { path, hash }.judge();
            }
        }
        Ok(())
    }

    fn paths<T>(&self, ask: impl FnOnce(&mut BTreeSet<PathBuf>) -> T) -> T {
        ask(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Aside {
    /// Gives what stands at `from` the name under which it is set aside from `path`, as what says `text`.
    pub(super) fn name(from: &Path, path: &Path, text: &str) -> io::Result<Self> {
        let hash = hash(text.as_bytes());
        let path = rename_to_free(from, |n| beside(path, &format!("{WAS}{hash:016x}-{n}")))?;
        Ok(Self { path, hash })
    }

    /// As [`Self::name`], where the file keeps its own name as well. None where a file has one name.
    pub(super) fn second_name(path: &Path, text: &str) -> Option<Self> {
        let hash = hash(text.as_bytes());
        for n in 0.. {
            let aside = beside(path, &format!("{WAS}{hash:016x}-{n}"));
            match fs::hard_link(path, &aside) {
                Ok(()) => return Some(Self { path: aside, hash }),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(_) => break,
            }
        }
        None
    }

    /// Deletes it, if it says what it did.
    fn judge(&self) {
        let text = Stamp::of(&self.path).read(&self.path);
        if text.is_ok_and(|text| hash(text.as_bytes()) == self.hash) {
            // What is left is judged again by the next write.
            let _ = fs::remove_file(&self.path);
        } else {
            keep(&self.path);
        }
    }
}

/// Keeps what stands at `path`, which somebody has written and no reader will find where it was meant to
/// be, under a name that people see.
pub(super) fn keep(path: &Path) {
    let Some(name) = path.file_name().map(OsStr::to_string_lossy) else { return };
    let meant = name.split(WAS).next().unwrap_or_default().trim_start_matches('.').to_owned();
    let meant = path.with_file_name(meant);
    match rename_to_free(path, |n| beside(&meant, &format!(".conflict-{}", n + 1))) {
        Ok(kept) => tracing::error!(
            path = %meant.display(), kept = %kept.display(),
            "the file was written by somebody else while it was replaced: what was written is kept \
             and not read, see what is missing"
        ),
        // Somebody has taken it away.
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => tracing::error!(
            path = %meant.display(), kept = %path.display(), %error,
            "the file was written by somebody else while it was replaced: what was written is not read"
        ),
    }
}

/// The name for what is written and not yet in its place.
pub(super) fn new_name(path: &Path) -> PathBuf {
    beside(path, NEW)
}

/// Gives a file another name, if nothing has it.
///
/// # Errors
/// With [`ErrorKind::AlreadyExists`] where something does.
pub(super) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(error) if is_unsupported(error) => {
            fs::hard_link(from, to)?;
            fs::remove_file(from)
        }
        renamed => Ok(renamed?),
    }
}

/// Whether a file system does not know what it was asked for.
pub(super) fn is_unsupported(error: Errno) -> bool {
    [Errno::INVAL, Errno::NOSYS, Errno::OPNOTSUPP].contains(&error)
}

/// Gives a file the first of some names that nothing has.
fn rename_to_free(from: &Path, name: impl Fn(usize) -> PathBuf) -> io::Result<PathBuf> {
    for n in 0.. {
        let to = name(n);
        match rename_new(from, &to) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            renamed => return renamed.map(|()| to),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

/// A name beside `path` that no configuration has: it begins with a dot.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(suffix);
    path.with_file_name(name)
}

/// The hash in the name of what is set aside.
fn hash_in(name: &str) -> Option<u64> {
    let (hash, n) = name.strip_prefix('.')?.rsplit_once(WAS)?.1.split_once('-')?;
    n.parse::<usize>().ok()?;
    (hash.len() == 16).then(|| u64::from_str_radix(hash, 16).ok())?
}

/// Tells a text from any that people would write instead.
fn hash(text: &[u8]) -> u64 {
    let mut hasher = FixedState::default().build_hasher();
    hasher.write(text);
    hasher.finish()
}

const NEW: &str = ".grantgate";
const WAS: &str = ".was-";
