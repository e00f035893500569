//! A change as a patch: for `patch -p0` and `git apply -p0` in the folder where one stands.
//!
//! In come the differences of files as they were named; out comes one text with the names that such programs
//! take: none that begins at the root or leads upwards. A difference that hides something is none.

use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::explain::remedy::ChangedFile;
use crate::screen::harms;

/// What `patch` takes.
#[derive(Debug, PartialEq, Eq)]
pub struct Patch {
    pub text: String,
    /// Whether the names in it begin at the root, and not at the folder where one stands.
    pub is_from_root: bool,
}

impl Patch {
    /// The patch for these files, for who stands `here`.
    ///
    /// # Errors
    /// When there can be none, in words.
    pub fn of(files: &[ChangedFile], here: Option<&Path>) -> Result<Self, String> {
        for file in files {
            takes(file)?;
        }
        let below: Option<Vec<_>> = files.iter().map(|file| below(&file.name, here)).collect();
        let is_from_root = below.is_none();
        let names = below.map_or_else(
            || files.iter().map(|file| from_root(&file.name, here)).collect::<Result<Vec<_>, _>>(),
            Ok,
        )?;
        let text = files.iter().zip(names).map(|(file, name)| named(&file.diff, &name)).collect();
        Ok(Self { text, is_from_root })
    }
}

/// Whether a difference can be applied at all.
fn takes(file: &ChangedFile) -> Result<(), String> {
    let ChangedFile { name, masked, .. } = file;
    if *masked {
        return Err(format!(
            "what may be a secret stands beside the change of `{name}`, and no patch shows it: make the \
            change by hand, as `--format text` tells it"
        ));
    }
    if name.chars().any(|char| harms(char) || ['"', '\\'].contains(&char)) {
        return Err(format!("no patch can name `{name}`: make the change by hand"));
    }
    Ok(())
}

/// A name as it is from `here`; none where it is not below.
fn below(name: &str, here: Option<&Path>) -> Option<String> {
    let path = Path::new(name);
    let path = if path.is_absolute() { path.strip_prefix(here?).ok()? } else { path };
    plain(path)
}

/// A name as it is from the root.
fn from_root(name: &str, here: Option<&Path>) -> Result<String, String> {
    let path = here.map_or_else(|| PathBuf::from(name), |here| here.join(name));
    let whole = fs::canonicalize(&path).unwrap_or(path);
    let below = whole.strip_prefix("/").ok().and_then(plain);
    below.ok_or_else(|| format!("where `{name}` is cannot be told: name the files by a whole path"))
}

/// The names of a path, one below the other; none where it leads upwards.
fn plain(path: &Path) -> Option<String> {
    let names = path.components().filter(|part| *part != Component::CurDir);
    let names = names.map(|part| match part {
        Component::Normal(name) => name.to_str(),
        _ => None,
    });
    let names: Vec<_> = names.collect::<Option<_>>()?;
    Some(names.join("/"))
}

/// The difference under another name. One with blanks in it ends with a tab.
fn named(diff: &str, name: &str) -> String {
    let body = diff.splitn(3, '\n').nth(2).unwrap_or_default();
    let end = if name.contains(' ') { "\t" } else { "" };
    format!("--- {name}{end}\n+++ {name}{end}\n{body}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str) -> ChangedFile {
        ChangedFile {
            name: name.to_owned(),
            before: String::new(),
            after: String::new(),
            diff: format!("--- {name}\n+++ {name}\n@@ -1 +1 @@\n-a\n+b\n"),
            masked: false,
        }
    }

    fn names(names: &[&str]) -> Result<(Vec<String>, bool), String> {
        let files: Vec<_> = names.iter().map(|name| file(name)).collect();
        let patch = Patch::of(&files, Some(Path::new("/home/a b")))?;
        let names = patch.text.lines().filter_map(|line| line.strip_prefix("--- "));
        Ok((names.map(str::to_owned).collect(), patch.is_from_root))
    }

    #[test]
    fn names_are_those_that_patch_takes() {
        for (name, expected, is_from_root) in [
            ("gateway.yaml", "gateway.yaml", false),
            ("./gateway.yaml", "gateway.yaml", false),
            ("conf//gate way.yaml", "conf/gate way.yaml\t", false),
            ("/home/a b/gateway.yaml", "gateway.yaml", false),
            ("/not/there/gateway.yaml", "not/there/gateway.yaml", true),
        ] {
            assert_eq!(names(&[name]), Ok((vec![expected.to_owned()], is_from_root)), "{name}");
        }
        let mixed = names(&["a.yaml", "/not/there/b.yaml"]).unwrap();
        assert_eq!(
            mixed,
            (vec!["home/a b/a.yaml\t".to_owned(), "not/there/b.yaml".to_owned()], true)
        );
    }

    #[test]
    fn what_no_patch_can_say_is_none() {
        for name in ["a\nb.yaml", "a\"b.yaml", "../not/there.yaml"] {
            assert!(names(&[name]).is_err(), "{name}");
        }
        let masked = ChangedFile { masked: true, ..file("a.yaml") };
        assert!(Patch::of(&[masked], None).unwrap_err().contains("secret"));
    }
}
