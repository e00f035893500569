//! Replacing files, with somebody else at every point between two steps.

use std::os::unix::fs::symlink;
use std::sync::Arc;

use super::*;

struct Disk(tempfile::TempDir);

impl Disk {
    fn with(files: &[(&str, &str)]) -> Self {
        let disk = Self(tempfile::tempdir().unwrap());
        for (name, text) in files {
            fs::write(disk.at(name), text).unwrap();
        }
        disk
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn says(&self, name: &str) -> String {
        fs::read_to_string(self.at(name)).unwrap()
    }

    fn rewrite(&self, name: &str, old: &str, new: &str) -> Rewrite {
        Rewrite {
            path: self.at(name),
            old: Some(Arc::new(old.to_owned())),
            new: Arc::new(new.to_owned()),
        }
    }

    /// A new text beside the file, for which the race begins.
    fn written<'r>(&self, rewrite: &'r Rewrite, end: &'r Path) -> Written<'r> {
        assert_eq!(end.parent(), Some(self.0.path()));
        Written::beside(rewrite, end).unwrap()
    }

    /// As the next write of a process that knows of nothing does.
    fn swept(&self, files: &[&str]) {
        let files = files.iter().map(|name| self.at(name)).collect();
        let asides = Asides::default();
        asides.sweep(self.0.path(), &files).unwrap();
        asides.judge_all();
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn replaced(rewrites: &[Rewrite]) -> Result<Vec<Aside>, Failure> {
    replace(rewrites, &[], &Asides::default())
}

fn is_disturbed<T>(result: &Result<T, Failure>) -> bool {
    matches!(result, Err(Failure::Disturbed))
}

#[test]
fn a_file_is_replaced_behind_its_links_with_its_permissions() {
    let disk = Disk::with(&[("real", "old")]);
    fs::set_permissions(disk.at("real"), Permissions::from_mode(0o640)).unwrap();
    symlink("real", disk.at("a.yaml")).unwrap();
    let asides = replaced(&[disk.rewrite("a.yaml", "old", "new")]).unwrap();
    assert_eq!(disk.says("real"), "new");
    assert!(disk.at("a.yaml").is_symlink());
    assert_eq!(fs::metadata(disk.at("real")).unwrap().mode() & 0o7777, 0o640);
    assert_eq!(fs::read_to_string(&asides[0].path).unwrap(), "old");
    disk.swept(&[]);
    assert_eq!(disk.names(), ["a.yaml", "real"]);
}

#[test]
fn a_file_that_comes_to_be_takes_nobodys_place() {
    let disk = Disk::with(&[]);
    fs::set_permissions(disk.0.path(), Permissions::from_mode(0o750)).unwrap();
    let rewrite = Rewrite { path: disk.at("new.json"), old: None, new: Arc::new("new".to_owned()) };
    assert!(replaced(std::slice::from_ref(&rewrite)).unwrap().is_empty());
    assert_eq!(fs::metadata(disk.at("new.json")).unwrap().mode() & 0o777, 0o640);
    fs::write(disk.at("new.json"), "by hand").unwrap();
    assert!(is_disturbed(&replaced(&[rewrite])));
    assert_eq!((disk.says("new.json").as_str(), disk.names().len()), ("by hand", 1));
}

#[test]
fn what_somebody_else_wrote_meanwhile_stays() {
    let disk = Disk::with(&[("a", "by hand")]);
    assert!(is_disturbed(&replaced(&[disk.rewrite("a", "old", "new")])));
    assert_eq!((disk.says("a").as_str(), disk.names().len()), ("by hand", 1));
    fs::remove_file(disk.at("a")).unwrap();
    assert!(is_disturbed(&replaced(&[disk.rewrite("a", "old", "new")])));
    assert!(disk.names().is_empty());
    // What is no file any more is not read, and stays.
    fs::create_dir(disk.at("a")).unwrap();
    assert!(is_disturbed(&replaced(&[disk.rewrite("a", "old", "new")])));
    assert!(disk.at("a").is_dir() && disk.names().len() == 1);
}

#[test]
fn several_files_are_replaced_or_none_is() {
    let disk = Disk::with(&[("a", "1"), ("b", "by hand")]);
    let all = |b: &str| {
        [
            Rewrite { path: disk.at("new"), old: None, new: Arc::new("3".to_owned()) },
            disk.rewrite("a", "1", "2"),
            disk.rewrite("b", b, "2"),
        ]
    };
    assert!(is_disturbed(&replaced(&all("1"))));
    assert_eq!(disk.names(), ["a", "b"]);
    assert_eq!((disk.says("a").as_str(), disk.says("b").as_str()), ("1", "by hand"));
    assert_eq!(replaced(&all("by hand")).unwrap().len(), 2);
    assert_eq!([disk.says("a"), disk.says("b"), disk.says("new")], ["2", "2", "3"]);
}

#[test]
fn a_third_text_that_comes_before_the_second_is_put_back_stays_and_the_second_is_kept() {
    let disk = Disk::with(&[("a", "third"), (".a.was-0000000000000000-0", "second")]);
    let rewrite = disk.rewrite("a", "first", "ours");
    put_back(&disk.at(".a.was-0000000000000000-0"), &rewrite, &disk.at("a"));
    assert_eq!(disk.names(), [".a.conflict-1", "a"]);
    assert_eq!((disk.says("a").as_str(), disk.says(".a.conflict-1").as_str()), ("third", "second"));
}

#[test]
fn where_names_cannot_be_exchanged_the_file_is_looked_at_last() {
    let disk = Disk::with(&[("a", "old")]);
    let (rewrite, end) = (disk.rewrite("a", "old", "new"), disk.at("a"));
    let Written { temporary, .. } = disk.written(&rewrite, &end);
    let placed = put_over(&temporary, &rewrite, &end, "old").unwrap();
    assert_eq!(disk.says("a"), "new");
    assert_eq!(fs::read_to_string(&placed.aside.unwrap().path).unwrap(), "old");
    let Written { temporary, .. } = disk.written(&rewrite, &end);
    let before = disk.names().len();
    assert!(is_disturbed(&put_over(&temporary, &rewrite, &end, "old")));
    assert_eq!((disk.says("a").as_str(), disk.names().len()), ("new", before));
}

#[test]
fn what_is_written_into_a_replaced_file_is_kept() {
    let disk = Disk::with(&[("a", "old")]);
    let mut editor = OpenOptions::new().append(true).open(disk.at("a")).unwrap();
    replaced(&[disk.rewrite("a", "old", "new")]).unwrap();
    editor.write_all(b" and more").unwrap();
    disk.swept(&[]);
    assert_eq!(disk.names(), [".a.conflict-1", "a"]);
    let kept = (disk.says("a"), disk.says(".a.conflict-1"));
    assert_eq!(kept, ("new".to_owned(), "old and more".to_owned()));
}

#[test]
fn what_a_crash_left_is_swept_and_other_files_are_not() {
    let others = [
        ".a.was-0-0",
        ".a.was-0000000000000000-zzzzzzzzzzzzzzzz-0",
        ".a.conflict-1",
        ".b.swp",
        // Of no file of the configuration.
        ".notes.grantgate",
        "a.grantgate",
    ];
    let disk = Disk::with(&[
        (".a.grantgate", "half"),
        ("a", "old"),
        (".b.grantgate", "half"),
        ("b", "old"),
    ]);
    for name in others {
        fs::write(disk.at(name), "").unwrap();
    }
    let files = [disk.at("a"), disk.at("b")];
    replace(&[disk.rewrite("a", "old", "new")], &files, &Asides::default()).unwrap();
    disk.swept(&[]);
    let mut left: Vec<_> = others.into_iter().chain(["a", "b"]).collect();
    left.sort_unstable();
    assert_eq!(disk.names(), left);
}

#[test]
fn a_folder_that_another_gateway_writes_to_is_left_to_it() {
    let disk = Disk::with(&[("a", "old")]);
    let other = File::open(disk.0.path()).unwrap();
    other.lock().unwrap();
    assert!(is_disturbed(&replaced(&[disk.rewrite("a", "old", "new")])));
    drop(other);
    replaced(&[disk.rewrite("a", "old", "new")]).unwrap();
}

#[test]
fn a_file_without_write_permission_is_not_replaced() {
    let disk = Disk::with(&[("a", "1"), ("b", "1")]);
    fs::set_permissions(disk.at("b"), Permissions::from_mode(0o444)).unwrap();
    let both = [disk.rewrite("a", "1", "2"), disk.rewrite("b", "1", "2")];
    let refused = replaced(&both).unwrap_err();
    assert!(matches!(refused, Failure::Protected { path } if path == disk.at("b")));
    assert_eq!((disk.says("a"), disk.says("b")), ("1".to_owned(), "1".to_owned()));
    assert_eq!(disk.names(), ["a", "b"]);
    fs::set_permissions(disk.at("b"), Permissions::from_mode(0o600)).unwrap();
    assert_eq!(replaced(&both).unwrap().len(), 2);
}
