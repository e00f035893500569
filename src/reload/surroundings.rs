//! What the configuration refers to: the process's environment, and files.
//!
//! Which files were asked for is remembered, with what each answered and what it was, so that they can
//! be watched and told from later ones. Their texts, which may be secrets, are not kept.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::RootCertStore;

use crate::config::{Digest, Outside, Source, digest};
use crate::net::authorities;

use super::stamp::Stamp;

/// Answers from the process's environment and from disk.
#[derive(Debug, Default)]
pub struct Surroundings {
    asked: RefCell<BTreeMap<PathBuf, Asked>>,
}

#[derive(Debug)]
struct Asked {
    answer: Answer,
    stamp: Stamp,
}

/// The digest of a file's text, or why it could not be read.
type Answer = Result<Digest, String>;

/// The files that were asked for, and what they answered.
pub(super) type Answers = BTreeMap<PathBuf, Answer>;

impl Surroundings {
    /// What was answered, and what the files were then.
    pub(super) fn into_answers(self) -> (Answers, BTreeMap<PathBuf, Stamp>) {
        let (mut answers, mut stamps) = (Answers::new(), BTreeMap::new());
        for (path, Asked { answer, stamp }) in self.asked.into_inner() {
            answers.insert(path.clone(), answer);
            stamps.insert(path, stamp);
        }
        (answers, stamps)
    }

    /// Whether all files would answer as they did.
    pub(super) fn are_still(answers: &Answers) -> bool {
        answers.iter().all(|(path, answer)| {
            let text = Stamp::of(path).read(path);
            answer_of(path, text.as_deref()) == *answer
        })
    }
}

impl Outside for Surroundings {
    fn env(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn file(&self, source: &str, path: &str) -> Result<String, String> {
        let path = Path::new(source).parent().unwrap_or(Path::new("")).join(path);
        let stamp = Stamp::of(&path);
        let text = stamp.read(&path);
        let answer = answer_of(&path, text.as_deref());
        // Of a file that is asked for twice the first answer counts: another one after it is told by
        // the stamp, which is none any more.
        self.asked.borrow_mut().entry(path).or_insert(Asked { answer, stamp });
        text
    }

    fn authorities(&self) -> Arc<RootCertStore> {
        authorities::of_machine()
    }
}

fn answer_of(path: &Path, text: Result<&str, &String>) -> Answer {
    let text = text.map_err(Clone::clone)?;
    Ok(digest(&[Source::new(path.display().to_string(), text)]))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn files_outside_are_beside_their_source_and_remembered() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("keys.jwks"), "keys").unwrap();
        let source = folder.path().join("a.yaml").display().to_string();
        let outside = Surroundings::default();
        assert_eq!(outside.file(&source, "keys.jwks").unwrap(), "keys");
        let absolute = folder.path().join("keys.jwks").display().to_string();
        assert_eq!(outside.file("elsewhere/a.yaml", &absolute).unwrap(), "keys");
        assert_eq!(outside.file(&source, "gone").unwrap_err(), "it is not there");

        let (answers, stamps) = outside.into_answers();
        assert!(answers.keys().eq([&folder.path().join("gone"), &folder.path().join("keys.jwks")]));
        assert!(answers.keys().eq(stamps.keys()));
        assert!(Surroundings::are_still(&answers));
        fs::write(folder.path().join("gone"), "came").unwrap();
        assert!(!Surroundings::are_still(&answers));
        fs::remove_file(folder.path().join("gone")).unwrap();
        assert!(Surroundings::are_still(&answers));
        fs::write(folder.path().join("keys.jwks"), "others").unwrap();
        assert!(!Surroundings::are_still(&answers));
    }
}
