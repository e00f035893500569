//! What a write put another file in the place of, until nobody can miss it.
//!
//! An editor that had opened a file before it was replaced writes into the one that was. So it is kept
//! beside the new one for a while, under a name that is never read; then it is deleted if it still says
//! what the write was planned upon, and else kept for people to look at. Writes that come meanwhile look
//! into it too. The name tells what both texts are, so that what a crash left behind is judged in the
//! same way.

use std::collections::{BTreeSet, VecDeque};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::hash::{BuildHasher, Hasher};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use foldhash::quality::FixedState;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep_until};

use super::stamp::Stamp;

/// The files that are set aside and not judged yet, and what was found in those that were.
#[derive(Clone, Debug, Default)]
pub(super) struct Asides {
    held: Arc<Mutex<Held>>,
    conflicts: Conflicts,
}

/// What is kept for people to look at. Who asks for it does not wait for a file system.
#[derive(Clone, Debug, Default)]
struct Conflicts(Arc<Mutex<BTreeSet<PathBuf>>>);

#[derive(Debug, Default)]
struct Held {
    /// The oldest first.
    files: VecDeque<HeldFile>,
    /// Whether somebody judges them in time.
    is_tended: bool,
}

#[derive(Debug)]
struct HeldFile {
    aside: Aside,
    /// Nobody has written into it if it is still this.
    seen: Option<Stamp>,
    length: u64,
    until: Instant,
}

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
    /// Has `asides` judged when [`HELD`] is over, and those that were found before.
    /// Called where tokio is.
    pub(super) fn hold(&self, asides: Vec<Aside>) {
        let mut held = self.held();
        for aside in asides {
            held.add(aside);
        }
        while held.are_too_many() {
            held.judge_oldest(&self.conflicts);
        }
        if let Some(oldest) = held.files.front()
            && !held.is_tended
        {
            let tend = self.clone().tend(oldest.until);
            held.is_tended = true;
            tokio::spawn(tend);
        }
    }

    /// Judges one after the other in its time, until none is left.
    async fn tend(self, mut until: Instant) {
        loop {
            sleep_until(until).await;
            let asides = self.clone();
            match spawn_blocking(move || asides.judge_due(Instant::now())).await {
                Ok(Some(next)) => until = next,
                // What is not judged by now is found in the folder by the next process that writes.
                Ok(None) | Err(_) => return,
            }
        }
    }

    /// Judges those whose time is over; tells when that of the next one is.
    fn judge_due(&self, now: Instant) -> Option<Instant> {
        let mut held = self.held();
        while held.files.front().is_some_and(|file| file.until <= now) {
            held.judge_oldest(&self.conflicts);
        }
        let next = held.files.front().map(|file| file.until);
        held.is_tended = next.is_some();
        next
    }

    /// Judges all of them now: nobody will be there to do so later.
    pub(super) fn judge_all(&self) {
        let mut held = self.held();
        while !held.files.is_empty() {
            held.judge_oldest(&self.conflicts);
        }
    }

    /// What somebody wrote into a file that was replaced, as far as it is still kept.
    pub(super) fn conflicts(&self) -> Vec<PathBuf> {
        self.conflicts.paths().iter().cloned().collect()
    }

    /// Forgets the conflicts that somebody has taken away.
    pub(super) fn look_after(&self) {
        for path in self.conflicts() {
            if fs::symlink_metadata(&path).is_err() {
                self.conflicts.paths().remove(&path);
            }
        }
    }

    /// Finds what was written into the files that are held. Holds as well what crashes have left behind in
    /// a folder, and deletes what was never put in place of one of `files`, or beside it.
    pub(super) fn sweep(&self, folder: &Path, files: &BTreeSet<PathBuf>) -> io::Result<()> {
        let ours: BTreeSet<PathBuf> = files.iter().map(|file| new_name(file)).collect();
        let mut held = self.held();
        held.look_through(&self.conflicts);
        let known: BTreeSet<_> = held.files.iter().map(|file| file.aside.path.clone()).collect();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.file_name().map(OsStr::to_string_lossy).unwrap_or_default();
            if ours.contains(&path) {
                // Where it cannot be, it does no harm either.
                let _ = fs::remove_file(&path);
            } else if meant_by_conflict(&path).is_some_and(|meant| files.contains(&meant)) {
                self.conflicts.paths().insert(path);
            } else if let Some(texts) = Texts::in_name(&name)
                && !known.contains(&path)
            {
                held.add(Aside { path, texts });
            }
        }
        Ok(())
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Conflicts {
    fn add(&self, kept: Option<PathBuf>) {
        self.paths().extend(kept);
    }

    fn paths(&self) -> MutexGuard<'_, BTreeSet<PathBuf>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn add(&mut self, aside: Aside) {
        let length = fs::symlink_metadata(&aside.path).map_or(0, |data| data.len());
        let until = Instant::now() + HELD;
        self.files.push_back(HeldFile { aside, seen: None, length, until });
    }

    fn are_too_many(&self) -> bool {
        let bytes: u64 = self.files.iter().map(|file| file.length).sum();
        self.files.len() > MAX_FILES || bytes > MAX_BYTES
    }

    fn judge_oldest(&mut self, conflicts: &Conflicts) {
        if let Some(HeldFile { aside, .. }) = self.files.pop_front() {
            conflicts.add(aside.judge());
        }
    }

    /// Finds which of them somebody has written into already.
    fn look_through(&mut self, conflicts: &Conflicts) {
        self.files.retain_mut(|file| {
            let stamp = Stamp::of(&file.aside.path);
            if file.seen.as_ref() == Some(&stamp) {
                return true;
            }
            let is_as_it_was = file.aside.says_nothing_new(&stamp);
            if is_as_it_was {
                file.seen = Some(stamp);
            } else {
                conflicts.add(keep(&file.aside.path));
            }
            is_as_it_was
        });
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

    /// Deletes it, if it says what it did; else gives where it is kept.
    fn judge(&self) -> Option<PathBuf> {
        if !self.says_nothing_new(&Stamp::of(&self.path)) {
            return keep(&self.path);
        }
        // What is left is judged again by the next process that writes.
        let _ = fs::remove_file(&self.path);
        None
    }

    fn says_nothing_new(&self, stamp: &Stamp) -> bool {
        stamp.read(&self.path).is_ok_and(|text| self.texts.has(&text))
    }
}

/// Keeps what stands at `path`, which somebody has written and no reader will find where it was meant to
/// be, under a name that people see, and gives that.
pub(super) fn keep(path: &Path) -> Option<PathBuf> {
    let name = path.file_name().map(OsStr::to_string_lossy)?;
    let meant = name.split(WAS).next().unwrap_or_default().trim_start_matches('.').to_owned();
    let meant = path.with_file_name(meant);
    match rename_to_free(path, |n| beside(&meant, &format!("{CONFLICT}{}", n + 1))) {
        Ok(kept) => {
            tracing::error!(
                path = %meant.display(), kept = %kept.display(),
                "the file was written by somebody else while it was replaced: what was written is kept \
                 and not read; see what is missing, and delete it then"
            );
            Some(kept)
        }
        // Somebody has taken it away.
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => {
            tracing::error!(
                path = %meant.display(), kept = %path.display(), %error,
                "the file was written by somebody else while it was replaced: what was written is not \
                 read"
            );
            Some(path.to_owned())
        }
    }
}

/// The file that a conflict is about, if `path` has the name of one.
fn meant_by_conflict(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?.strip_prefix('.')?;
    let (meant, n) = name.rsplit_once(CONFLICT)?;
    n.parse::<usize>().ok().map(|_| path.with_file_name(meant))
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
const CONFLICT: &str = ".conflict-";
/// For so long a file is held: who has it open writes into it by then, or opens it anew.
const HELD: Duration = Duration::from_mins(1);
/// No more files are held than these, and the newest whatever its length.
const MAX_FILES: usize = 64;
const MAX_BYTES: u64 = 64 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_replaced_file_is_let_go_of_after_a_minute_and_not_before() {
        let folder = tempfile::tempdir().unwrap();
        let (new, path) = (folder.path().join("new"), folder.path().join("a"));
        let asides = Asides::default();
        fs::write(&new, "old").unwrap();
        let aside = Aside::name(&new, &path, "old", "new").unwrap();
        let was = aside.path.clone();
        asides.hold(vec![aside]);
        let begun = Instant::now();
        assert_eq!(asides.judge_due(begun + HELD / 2), Some(begun + HELD));
        assert!(was.exists() && HELD >= Duration::from_mins(1));
        assert_eq!(asides.judge_due(begun + HELD), None);
        assert!(!was.exists() && asides.conflicts().is_empty());
    }

    #[test]
    fn the_oldest_is_judged_first_where_there_are_too_many_bytes() {
        let mut held = Held::default();
        for n in 0..3 {
            let path = PathBuf::from(format!("{n}"));
            let aside = Aside { path, texts: Texts { old: 0, new: 0 } };
            let length = MAX_BYTES / 2;
            held.files.push_back(HeldFile { aside, seen: None, length, until: Instant::now() });
        }
        assert!(held.are_too_many());
        held.judge_oldest(&Conflicts::default());
        assert!(!held.are_too_many());
        assert_eq!(held.files[0].aside.path, Path::new("1"));
    }
}
