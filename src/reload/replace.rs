//! Files are replaced: all that somebody else may do to them meanwhile is found out, and undone is ours.
//!
//! A new text is written beside the file and brought to the disk; then the two files exchange their
//! names. At any moment the name leads to the one text or to the other, whole. What stood there is in
//! our hand then: if it is not what the text was made from, the names are exchanged back. Nothing that
//! anybody else has written is ever deleted or overwritten. File systems that cannot exchange names are
//! looked at last thing before the new file takes the name.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{Access, CWD, RenameFlags, access, renameat_with};
use rustix::io::Errno;

use super::aside::{Aside, Asides, is_unsupported, keep, new_name, rename_new};
use super::stamp::Stamp;

/// What becomes of one file.
#[derive(Debug)]
pub(super) struct Rewrite {
    /// The file, as people know it.
    pub(super) path: PathBuf,
    /// What it says; none where it comes to be.
    pub(super) old: Option<Arc<String>>,
    /// What it is to say.
    pub(super) new: Arc<String>,
}

/// Why nothing was replaced.
#[derive(Debug)]
pub(super) enum Failure {
    /// Somebody else has changed a file, or is about to.
    Disturbed,
    /// A file cannot be written.
    Unwritable { path: PathBuf, error: io::Error },
    /// Somebody wants a file not to be written.
    Protected { path: PathBuf },
}

/// Replaces files one by one, or none of them. Gives what stood in their places. What crashes have left
/// beside any of `files`, the whole configuration, goes.
pub(super) fn replace(
    rewrites: &[Rewrite],
    files: &[PathBuf],
    asides: &Asides,
) -> Result<Vec<Aside>, Failure> {
    let ends = rewrites.iter().map(|rewrite| {
        let end = end_of(rewrite).map_err(|error| rewrite.fails(error))?;
        if rewrite.old.is_some() && is_protected(&end).map_err(|error| rewrite.fails(error))? {
            return Err(Failure::Protected { path: rewrite.path.clone() });
        }
        Ok((rewrite, end))
    });
    let ends = ends.collect::<Result<Vec<_>, Failure>>()?;
    let known = files.iter().filter_map(|file| fs::canonicalize(file).ok());
    let files = known.chain(ends.iter().map(|(_, end)| end.clone())).collect();
    let folders = Folders::lock(&ends, &files, asides)?;
    // All of them first: that a disk is full is found out before anything is replaced.
    let written = ends
        .iter()
        .map(|(rewrite, end)| Written::beside(rewrite, end).map_err(|error| rewrite.fails(error)));
    let written = written.collect::<Result<Vec<_>, Failure>>()?;
    let mut placed: Vec<Placed<'_>> = Vec::new();
    for file in written {
        let rewrite = file.rewrite;
        let done = file.place().and_then(|file| {
            placed.push(file);
            folders.sync().map_err(|error| rewrite.fails(error))
        });
        if let Err(failure) = done {
            placed.iter().rev().for_each(Placed::undo);
            // What was there is there again, on disk or at the latest when it is written to next.
            let _ = folders.sync();
            return Err(failure);
        }
    }
    Ok(placed.into_iter().filter_map(|file| file.aside).collect())
}

impl Rewrite {
    fn fails(&self, error: io::Error) -> Failure {
        match error.kind() {
            // What was there a moment ago was taken away, or what was not there has come.
            ErrorKind::NotFound | ErrorKind::AlreadyExists => Failure::Disturbed,
            _ => Failure::Unwritable { path: self.path.clone(), error },
        }
    }
}

/// The file itself, behind all links that lead to it.
fn end_of(rewrite: &Rewrite) -> io::Result<PathBuf> {
    if rewrite.old.is_some() {
        return fs::canonicalize(&rewrite.path);
    }
    let folder = fs::canonicalize(folder_of(&rewrite.path))?;
    Ok(folder.join(rewrite.path.file_name().unwrap_or_default()))
}

/// Whether a file's permissions say that it is not written. They hold for those as well whom the system
/// would let write to it, and they are not gone round by putting another file in its place.
fn is_protected(file: &Path) -> io::Result<bool> {
    if fs::metadata(file)?.mode() & 0o222 == 0 {
        return Ok(true);
    }
    match access(file, Access::WRITE_OK) {
        Ok(()) => Ok(false),
        Err(Errno::ACCESS | Errno::PERM) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The folders of the files, each held so that no other gateway replaces files in it.
struct Folders(BTreeMap<PathBuf, File>);

impl Folders {
    fn lock(
        ends: &[(&Rewrite, PathBuf)],
        files: &BTreeSet<PathBuf>,
        asides: &Asides,
    ) -> Result<Self, Failure> {
        let mut folders = BTreeMap::new();
        for (rewrite, end) in ends {
            let path = folder_of(end);
            if folders.contains_key(path) {
                continue;
            }
            let folder = File::open(path).map_err(|error| rewrite.fails(error))?;
            // Not every file system has locks; all have the rest of what is done here.
            if let Err(TryLockError::WouldBlock) = folder.try_lock() {
                return Err(Failure::Disturbed);
            }
            asides.sweep(path, files).map_err(|error| rewrite.fails(error))?;
            folders.insert(path.to_owned(), folder);
        }
        Ok(Self(folders))
    }

    fn sync(&self) -> io::Result<()> {
        self.0.values().try_for_each(File::sync_all)
    }
}

/// A new text, on disk beside the file that it is for. It is deleted where it takes no place.
struct Written<'r> {
    rewrite: &'r Rewrite,
    end: &'r Path,
    temporary: Temporary,
}

/// A file that nobody misses.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // It may have got its place, and else the next write finds it.
        let _ = fs::remove_file(&self.0);
    }
}

impl<'r> Written<'r> {
    fn beside(rewrite: &'r Rewrite, end: &'r Path) -> io::Result<Self> {
        let (mode, like) = if rewrite.old.is_some() {
            let like = fs::metadata(end)?;
            (like.mode() & 0o7777, like)
        } else {
            // Who may look into a folder may read what is in it.
            let like = fs::metadata(folder_of(end))?;
            (like.mode() & 0o666, like)
        };
        let path = new_name(end);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        let temporary = Temporary(path);
        // Only some may give a file away. What its owner could do, the gateway's own user can now.
        let _ = fchown(&file, Some(like.uid()), Some(like.gid()));
        file.set_permissions(Permissions::from_mode(mode))?;
        file.write_all(rewrite.new.as_bytes())?;
        file.sync_all()?;
        Ok(Self { rewrite, end, temporary })
    }

    /// Takes the file's place.
    fn place(self) -> Result<Placed<'r>, Failure> {
        let Self { rewrite, end, temporary } = self;
        let Some(old) = &rewrite.old else {
            rename_new(&temporary.0, end).map_err(|error| rewrite.fails(error))?;
            return Ok(Placed { rewrite, end, aside: None });
        };
        // From now on the name beside tells what a crash leaves under it.
        let aside = Aside::name(&temporary.0, end, old, &rewrite.new)
            .map_err(|error| rewrite.fails(error))?;
        match exchange(&aside.path, end) {
            Ok(()) if says(&aside.path, old) => Ok(Placed { rewrite, end, aside: Some(aside) }),
            Ok(()) => {
                put_back(&aside.path, rewrite, end);
                Err(Failure::Disturbed)
            }
            Err(error) => {
                let written = Temporary(aside.path);
                if is_unsupported(error) {
                    put_over(&written, rewrite, end, old)
                } else {
                    Err(rewrite.fails(error.into()))
                }
            }
        }
    }
}

/// A file that has its place.
struct Placed<'r> {
    rewrite: &'r Rewrite,
    end: &'r Path,
    aside: Option<Aside>,
}

impl Placed<'_> {
    fn undo(&self) {
        match &self.aside {
            Some(aside) => put_back(&aside.path, self.rewrite, self.end),
            None if says(self.end, &self.rewrite.new) => {
                let _ = fs::remove_file(self.end);
            }
            None => {}
        }
    }
}

/// Takes the place of a file that cannot be exchanged, if it says what it did until now.
fn put_over<'r>(
    written: &Temporary,
    rewrite: &'r Rewrite,
    end: &'r Path,
    old: &str,
) -> Result<Placed<'r>, Failure> {
    let aside = Aside::second_name(end, old, &rewrite.new);
    let replaced = if says(end, old) {
        fs::rename(&written.0, end).map_err(|error| rewrite.fails(error))
    } else {
        Err(Failure::Disturbed)
    };
    if let (Err(_), Some(aside)) = (&replaced, &aside) {
        // It has its own name still.
        let _ = fs::remove_file(&aside.path);
    }
    replaced.map(|()| Placed { rewrite, end, aside })
}

/// Gives what was replaced, and stands at `was` now, its name back.
fn put_back(was: &Path, rewrite: &Rewrite, end: &Path) {
    match exchange(was, end) {
        Ok(()) if says(was, &rewrite.new) => {
            let _ = fs::remove_file(was);
        }
        // Somebody has put a third text there in between: it is the latest, and so it stays there.
        Ok(()) => {
            let _ = exchange(was, end);
            let _ = keep(was);
        }
        Err(error) if is_unsupported(error) && says(end, &rewrite.new) => {
            let _ = fs::rename(was, end);
        }
        Err(_) => drop(keep(was)),
    }
}

fn exchange(one: &Path, other: &Path) -> Result<(), Errno> {
    renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)
}

/// Whether a file, which is no link, says this.
fn says(path: &Path, text: &str) -> bool {
    fs::symlink_metadata(path).is_ok_and(|data| data.is_file())
        && Stamp::of(path).read(path).is_ok_and(|said| said == text)
}

#[cfg(test)]
mod tests;
