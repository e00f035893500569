//! What to watch so that no way of changing a file goes unseen.
//!
//! A watched file says nothing once another is put in its place, and a watched directory says
//! nothing of a file that is mounted into it. So both are watched: the file, its directory, and the
//! directory of every link on the way, as `..data` is one where Kubernetes mounts a map.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

/// What to watch, each with the device and inode that tell it from a later one of the same name.
pub(super) type Places = BTreeMap<PathBuf, (u64, u64)>;

/// Adds what to watch for the file or directory at `path`.
pub(super) fn follow(path: &Path, places: &mut Places) {
    let end = walk(path, |link| add(link.parent().unwrap_or(Path::new("")), places));
    if !end.is_dir() {
        add(end.parent().unwrap_or(Path::new("")), places);
    }
    add(&end, places);
}

/// Goes the way to `path` and tells every link on it; gives where it ends, which need not be there.
pub(super) fn walk(path: &Path, mut tell: impl FnMut(&Path)) -> PathBuf {
    let mut rest: Vec<OsString> = components(path);
    let mut at = PathBuf::new();
    let mut links = 0;
    while let Some(name) = rest.pop() {
        if name == ".." && at.file_name().is_some() {
            // No link is left in `at`: its parent is where it stands.
            at.pop();
            continue;
        }
        let next = at.join(name);
        match fs::read_link(&next) {
            Ok(target) if links < MAX_LINKS => {
                links += 1;
                tell(&next);
                rest.extend(components(&target));
            }
            _ => at = next,
        }
    }
    at
}

/// The parts of a path, the first one last. To join the root begins anew.
fn components(path: &Path) -> Vec<OsString> {
    let parts = path.components().filter(|part| *part != Component::CurDir);
    parts.rev().map(|part| part.as_os_str().to_owned()).collect()
}

/// Adds a place or, where it is not there, the one that will see it come.
fn add(place: &Path, places: &mut Places) {
    for place in place.ancestors() {
        let place = if place.as_os_str().is_empty() { Path::new(".") } else { place };
        if let Ok(data) = fs::metadata(place) {
            places.insert(place.to_owned(), (data.dev(), data.ino()));
            return;
        }
    }
}

/// As many as Linux follows.
const MAX_LINKS: usize = 40;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn places(path: &Path) -> Vec<PathBuf> {
        let mut places = Places::new();
        follow(path, &mut places);
        places.into_keys().collect()
    }

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().canonicalize().unwrap();
        (folder, path)
    }

    #[test]
    fn a_file_is_watched_with_its_directory() {
        let (_keep, at) = folder();
        fs::write(at.join("a.yaml"), "").unwrap();
        assert_eq!(places(&at.join("a.yaml")), [at.clone(), at.join("a.yaml")]);
        assert_eq!(places(&at), [&*at]);
    }

    #[test]
    fn every_link_is_watched_where_it_stands() {
        let (_keep, at) = folder();
        fs::create_dir_all(at.join("mount/..1")).unwrap();
        fs::create_dir(at.join("etc")).unwrap();
        fs::write(at.join("mount/..1/a.yaml"), "").unwrap();
        symlink("..1", at.join("mount/..data")).unwrap();
        symlink("..data/a.yaml", at.join("mount/a.yaml")).unwrap();
        symlink(at.join("mount"), at.join("etc/grantgate")).unwrap();
        assert_eq!(
            places(&at.join("etc/grantgate/a.yaml")),
            [at.join("etc"), at.join("mount"), at.join("mount/..1"), at.join("mount/..1/a.yaml"),]
        );
    }

    #[test]
    fn where_nothing_is_its_coming_is_seen() {
        let (_keep, at) = folder();
        assert_eq!(places(&at.join("not/there/a.yaml")), [&*at]);
        symlink("nowhere", at.join("dangling")).unwrap();
        assert_eq!(places(&at.join("dangling")), [at]);
    }

    #[test]
    fn links_in_a_circle_end() {
        let (_keep, at) = folder();
        symlink("b", at.join("a")).unwrap();
        symlink("a", at.join("b")).unwrap();
        assert_eq!(places(&at.join("a")), [at]);
    }
}
