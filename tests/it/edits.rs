//! Every kind of edit, as a difference of texts that a person reads: `tests/golden/edit/<kind>/` holds the
//! edits, and what they change in a commented file, `before.yaml` there or beside. `UPDATE_GOLDEN=1` writes
//! the differences anew.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use grantgate::config::{Edit, Place, Source, edit};
use serde_json::Value;

use crate::disk::root;

/// Random texts and edits.
mod random;

#[test]
fn every_kind_of_edit_changes_what_it_is_about_alone() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut wrong = Vec::new();
    for folder in kinds() {
        let before = before(&folder);
        let edits = fs::read_to_string(folder.join("edits.json")).unwrap();
        let edits = edits_of(&serde_json::from_str(&edits).unwrap());
        let after = match edit(&before, &edits) {
            Ok(after) => after,
            Err(error) => {
                wrong.push(format!("{}: {error}", folder.display()));
                continue;
            }
        };
        let mut shown = vec![("diff.txt", diff(&before.text, &after))];
        if folder.join(&before.name).exists() {
            shown.push((
                if before.name.ends_with("json") { "after.json" } else { "after.yaml" },
                after,
            ));
        }
        for (name, text) in shown {
            let path = folder.join(name);
            if update {
                fs::write(&path, &text).unwrap();
            }
            let expected = fs::read_to_string(&path).unwrap_or_default();
            if text != expected {
                wrong.push(format!("{}: expected\n{expected}\nand got\n{text}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// The folders of `tests/golden/edit`.
fn kinds() -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join("tests/golden/edit")).unwrap();
    let mut kinds: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    kinds.retain(|path| path.is_dir());
    kinds.sort();
    assert!(kinds.len() > 20, "there are only {}", kinds.len());
    kinds
}

fn before(folder: &Path) -> Source {
    let own = ["before.yaml", "before.json"].map(|name| folder.join(name));
    let shared = root().join("tests/golden/edit/before.yaml");
    let path = own.into_iter().find(|path| path.exists()).unwrap_or(shared);
    let name = path.file_name().unwrap().to_str().unwrap();
    Source::new(name, fs::read_to_string(&path).unwrap())
}

/// `[{"append": […], "items": […]}, {"set": […], "value": …}, {"remove": […]}]`.
fn edits_of(written: &Value) -> Vec<Edit> {
    let place = |steps: &Value| {
        let steps = steps.as_array().unwrap();
        steps.iter().fold(Place::root(0), |place, step| match step.as_u64() {
            Some(index) => place.index(usize::try_from(index).unwrap()),
            None => place.key(step.as_str().unwrap().to_owned()),
        })
    };
    let edit = |edit: &Value| {
        if let Some(list) = edit.get("append") {
            let items = edit["items"].as_array().unwrap().clone();
            Edit::Append { list: place(list), items }
        } else if let Some(key) = edit.get("set") {
            Edit::Set { place: place(key), value: edit["value"].clone() }
        } else {
            Edit::Remove { place: place(&edit["remove"]) }
        }
    };
    written.as_array().unwrap().iter().map(edit).collect()
}

/// The lines that differ, with two around them; `\r` and a missing last line break are shown.
fn diff(before: &str, after: &str) -> String {
    let lines = |text: &'_ str| -> Vec<String> {
        text.split_inclusive('\n')
            .map(|line| match line.strip_suffix('\n') {
                Some(line) => line.replace('\r', "\\r"),
                None => format!("{line}\\"),
            })
            .collect()
    };
    let (old, new) = (lines(before), lines(after));
    // The longest common subsequence, from behind.
    let mut common = vec![vec![0_usize; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i][j] = if old[i] == new[j] {
                common[i + 1][j + 1] + 1
            } else {
                common[i + 1][j].max(common[i][j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut all: Vec<(char, &str)> = Vec::new();
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            all.push((' ', &old[i]));
            (i, j) = (i + 1, j + 1);
        } else if i < old.len() && (j == new.len() || common[i + 1][j] >= common[i][j + 1]) {
            all.push(('-', &old[i]));
            i += 1;
        } else {
            all.push(('+', &new[j]));
            j += 1;
        }
    }
    let mut shown = String::new();
    let mut last = 0;
    for (index, (sign, line)) in all.iter().enumerate() {
        let around = index.saturating_sub(2)..(index + 3).min(all.len());
        if all[around].iter().all(|(sign, _)| *sign == ' ') {
            continue;
        }
        if index > last {
            shown.push_str("@@\n");
        }
        last = index + 1;
        let _ = writeln!(shown, "{}", format!("{sign}{line}").trim_end_matches(' '));
    }
    shown
}
