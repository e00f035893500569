//! What a write put another file in the place of, until nobody can miss it.
//!
//! An editor that had opened a file before it was replaced writes into the one that was. So it is kept
//! beside the new one, under a name that is never read, for as long as `reload.quiet`; then it is
//! deleted if it still says what the write was planned upon, and else kept for people to look at. The
//! name tells what both texts are, so that what a crash left behind is judged in the same way.

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
    texts: Texts,
}

/// What the text is that was replaced, and the one in its place: by their hashes. A file that says either
/// of them says nothing that could be lost.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Texts {
    old: u64,
    new: u64,
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

    /// Judges what crashes have left behind in a folder, and deletes what was never put in place of one of
    /// `files`, or beside it.
    pub(super) fn sweep(&self, folder: &Path, files: &BTreeSet<PathBuf>) -> io::Result<()> {
        let ours: BTreeSet<PathBuf> = files.iter().map(|file| new_name(file)).collect();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.file_name().map(OsStr::to_string_lossy).unwrap_or_default();
            if ours.contains(&path) {
                // Where it cannot be, it does no harm either.
                let _ = fs::remove_file(&path);
            } else if let Some(texts) = Texts::in_name(&name)
                && !self.paths(|paths| paths.contains(&path))
            {
                Aside { path, texts }.judge();
            }
        }
        Ok(())
    }

    fn paths<T>(&self, ask: impl FnOnce(&mut BTreeSet<PathBuf>) -> T) -> T {
        ask(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Aside {
    /// Gives the file at `from`, which says `new`, the name under which the one at `path` that says `old`
    /// is set aside when the two are exchanged.
    pub(super) fn name(from: &Path, path: &Path, old: &str, new: &str) -> io::Result<Self> {
        let texts = Texts { old: hash(old), new: hash(new) };
        let path = rename_to_free(from, |n| texts.name(path, n))?;
        Ok(Self { path, texts })
    }

    /// Gives the file at `path` that name beside its own. None where a file has one name.
    pub(super) fn second_name(path: &Path, old: &str, new: &str) -> Option<Self> {
        let texts = Texts { old: hash(old), new: hash(new) };
        for n in 0.. {
            let aside = texts.name(path, n);
            match fs::hard_link(path, &aside) {
                Ok(()) => return Some(Self { path: aside, texts }),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(_) => break,
            }
        }
        None
    }

    /// Deletes it, if it says what it did.
    fn judge(&self) {
        let text = Stamp::of(&self.path).read(&self.path);
        if text.is_ok_and(|text| self.texts.has(&text)) {
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

impl Texts {
    fn name(self, path: &Path, n: usize) -> PathBuf {
        let Self { old, new } = self;
        beside(path, &format!("{WAS}{old:016x}-{new:016x}-{n}"))
    }

    fn in_name(name: &str) -> Option<Self> {
        let mut parts = name.strip_prefix('.')?.rsplit_once(WAS)?.1.split('-');
        let mut hash = || u64::from_str_radix(parts.next().filter(|it| it.len() == 16)?, 16).ok();
        let texts = Self { old: hash()?, new: hash()? };
        parts.next()?.parse::<usize>().ok()?;
        parts.next().is_none().then_some(texts)
    }

    fn has(self, text: &str) -> bool {
        [self.old, self.new].contains(&hash(text))
    }
}

/// Tells a text from any that people would write instead.
fn hash(text: &str) -> u64 {
    let mut hasher = FixedState::default().build_hasher();
    hasher.write(text.as_bytes());
    hasher.finish()
}

const NEW: &str = ".grantgate";
const WAS: &str = ".was-";
