use std::fs::File;
use std::os::unix::fs::symlink;

use crate::config::Outside;
use crate::reload::Surroundings;
use crate::reload::stamp::MAX_BYTES;

use super::*;

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn read(path: &Path) -> Result<Vec<String>, Vec<String>> {
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    match Store::new(path).read() {
        Ok(sources) => Ok(sources
            .iter()
            .map(|source| format!("{}: {}", name(Path::new(&source.name)), source.text))
            .collect()),
        Err(unreadable) => Err(unreadable
            .errors
            .iter()
            .map(|error| format!("{}: {}", name(&error.path), error.reason))
            .collect()),
    }
}

fn fifo(path: &Path) {
    let made = std::process::Command::new("mkfifo").arg(path).status().unwrap();
    assert!(made.success());
}

#[test]
fn a_file_is_read_whatever_its_name() {
    let folder = folder(&[("grantgate.conf", "x"), ("other.yaml", "y")]);
    assert_eq!(read(&folder.path().join("grantgate.conf")).unwrap(), ["grantgate.conf: x"]);
}

#[test]
fn of_a_directory_the_configuration_files_are_read_in_the_order_of_their_names() {
    let files = ["b.yml", "a.yaml", "c.json", "B.yaml", ".hidden.yaml", "a.yaml~", "a.txt", "yaml"];
    let folder = folder(&files.map(|name| (name, "x")));
    symlink("a.txt", folder.path().join("f.yaml")).unwrap();
    let read = read(folder.path()).unwrap();
    assert_eq!(read, ["B.yaml: x", "a.yaml: x", "b.yml: x", "c.json: x", "f.yaml: x"]);
}

#[test]
fn a_pipe_in_the_file_s_place_holds_nobody_up() {
    let folder = folder(&[]);
    let path = folder.path().join("a.yaml");
    fifo(&path);
    assert_eq!(read(&path).unwrap_err(), ["a.yaml: it is not a regular file"]);
    let outside = Surroundings::default();
    let answer = outside.file(&folder.path().join("x").display().to_string(), "a.yaml");
    assert_eq!(answer.unwrap_err(), "it is not a regular file");
}

#[test]
fn every_file_that_cannot_be_read_is_told() {
    let folder = folder(&[("a.yaml", "x")]);
    fs::write(folder.path().join("b.yaml"), b"a: \xff").unwrap();
    symlink("nowhere", folder.path().join("c.yaml")).unwrap();
    File::create(folder.path().join("d.yaml")).unwrap().set_len(MAX_BYTES + 1).unwrap();
    fs::create_dir(folder.path().join("e.yaml")).unwrap();
    fifo(&folder.path().join("f.yaml"));
    assert_eq!(
        read(folder.path()).unwrap_err(),
        [
            "b.yaml: it is not UTF-8 from byte 3 on",
            "c.yaml: it is not there",
            "d.yaml: it is longer than 512 MiB",
            "e.yaml: it is not a regular file",
            "f.yaml: it is not a regular file",
        ]
    );
}

#[test]
fn beside_one_that_cannot_be_read_the_others_are_looked_at() {
    let folder = folder(&[("a.yaml", "isuers: []"), ("b.yaml", "reload: {quiet: [")]);
    symlink("nowhere", folder.path().join("c.yaml")).unwrap();
    let report = Store::new(folder.path()).read().unwrap_err().report();
    let mut codes: Vec<_> = report.iter().map(|found| found.code.as_str()).collect();
    codes.sort_unstable();
    assert_eq!(codes, ["config-unreadable", "key-unknown", "yaml-syntax"]);
}

#[test]
fn where_there_is_no_file_that_is_told() {
    let folder = folder(&[("a.txt", "x")]);
    assert!(read(folder.path()).unwrap_err()[0].contains("has no file named"));
    let report = Store::new(folder.path().join("gone")).read().unwrap_err().report();
    let found = report.iter().next().unwrap();
    assert_eq!(found.code, Code::ConfigUnreadable);
    assert!(found.message.ends_with("/gone` cannot be read: it is not there"), "{}", found.message);
}

#[test]
fn texts_of_two_generations_do_not_mix() {
    let folder = folder(&[]);
    let turn = |to: &str| {
        symlink(to, folder.path().join("..data_tmp")).unwrap();
        fs::rename(folder.path().join("..data_tmp"), folder.path().join("..data")).unwrap();
    };
    for version in ["..1", "..2"] {
        fs::create_dir(folder.path().join(version)).unwrap();
        for name in ["a.yaml", "b.yaml"] {
            fs::write(folder.path().join(version).join(name), version).unwrap();
        }
    }
    turn("..1");
    for name in ["a.yaml", "b.yaml"] {
        symlink(format!("..data/{name}"), folder.path().join(name)).unwrap();
    }
    let store = Store::new(folder.path());
    let before = store.list();
    assert_eq!(before.read().unwrap().len(), 2);
    // Turned while they are read, the texts of the other are not taken …
    turn("..2");
    let errors = before.read().unwrap_err().errors;
    assert!(errors.iter().all(|error| error.reason == CHANGES), "{errors:?}");
    // … and turned back, all are what they were, but not the way to them.
    turn("..1");
    assert!(before.read().is_ok());
    assert!(store.list() != before);
}
