//! Every input that is kept in `tests/fuzz/corpus`, through what the fuzzers check: what was found once
//! stays a test, and needs no fuzzer.

use std::fs;
use std::path::PathBuf;

use crate::disk::root;

#[path = "../fuzz/checks/mod.rs"]
pub mod checks;

/// Declares a test for each target, and the list of them.
macro_rules! targets {
    ($($target:ident),+) => {
        const TARGETS: &[&str] = &[$(stringify!($target)),+];

        mod kept {
            $(
                #[test]
                fn $target() {
                    super::replay(stringify!($target), super::checks::$target::check);
                }
            )+
        }
    };
}

targets![claims, config, credential, edit, jose, jwks, path, proxy_header, scopes];

fn replay(target: &str, check: fn(&[u8])) {
    for name in names(&format!("corpus/{target}")) {
        // Shown where the check does not return.
        eprintln!("{target}/{name}");
        check(&fs::read(folder().join("corpus").join(target).join(name)).unwrap());
    }
}

#[test]
fn every_target_is_built_and_has_a_corpus_and_a_dictionary() {
    let manifest = fs::read_to_string(folder().join("Cargo.toml")).unwrap();
    for target in TARGETS {
        assert!(manifest.contains(&format!("path = \"targets/{target}.rs\"")), "{target}");
        assert!(names(&format!("corpus/{target}")).len() >= 12, "{target}");
    }
    assert_eq!(names("corpus"), TARGETS);
    assert_eq!(names("dictionaries"), TARGETS);
    assert_eq!(names("targets"), TARGETS.iter().map(|it| format!("{it}.rs")).collect::<Vec<_>>());
}

fn folder() -> PathBuf {
    root().join("tests/fuzz")
}

/// What is in a folder below, in order.
fn names(of: &str) -> Vec<String> {
    let entries = fs::read_dir(folder().join(of)).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
