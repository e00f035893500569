//! What a configuration refers to and does not hold: environment variables and files.
//!
//! Whoever loads a configuration answers; nothing here reads the environment or a file. Everything
//! that was answered goes into the snapshot's digest, so that a changed secret or key file is a
//! changed configuration.

use std::sync::Arc;

use rustls::RootCertStore;

use super::source::{Digest, Source, digest};

/// Answers for what a configuration refers to.
pub trait Outside {
    /// The environment variable `name`; none when it is not set.
    fn env(&self, name: &str) -> Option<String>;

    /// The text of the file at `path`; a relative path starts at the folder of the source that is
    /// named `source`.
    ///
    /// # Errors
    /// Why it cannot be read, as people are told.
    fn file(&self, source: &str, path: &str) -> Result<String, String>;

    /// The certificate authorities that this machine trusts; none unless it is said.
    fn authorities(&self) -> Arc<RootCertStore> {
        Arc::new(RootCertStore::empty())
    }
}

/// Where no variable is set and no file is: for configurations that refer to nothing.
#[derive(Clone, Copy, Debug)]
pub struct Nowhere;

impl Outside for Nowhere {
    fn env(&self, _: &str) -> Option<String> {
        None
    }

    fn file(&self, _: &str, _: &str) -> Result<String, String> {
        Err("there is no such file".to_owned())
    }
}

/// Asks, and remembers what was answered.
pub(super) struct Reading<'o> {
    sources: &'o [Source],
    outside: &'o dyn Outside,
    /// Under what each was asked for, its digest: an answer may be a secret, and is not kept.
    answered: Vec<Source>,
}

impl<'o> Reading<'o> {
    pub(super) fn new(sources: &'o [Source], outside: &'o dyn Outside) -> Self {
        Self { sources, outside, answered: Vec::new() }
    }

    pub(super) fn env(&mut self, name: &str) -> Option<String> {
        let answer = self.outside.env(name)?;
        Some(self.remember(format!("${{env:{name}}}"), answer))
    }

    /// The text of a file that the source with this index names.
    pub(super) fn file(&mut self, source: usize, path: &str) -> Result<String, String> {
        let name = self.sources.get(source).map_or("", |source| &source.name);
        let answer = self.outside.file(name, path)?;
        Ok(self.remember(path.to_owned(), answer))
    }

    pub(super) fn authorities(&self) -> Arc<RootCertStore> {
        self.outside.authorities()
    }

    fn remember(&mut self, name: String, answer: String) -> String {
        let answer = Source::new("", answer);
        self.answered.push(Source::new(name, digest([&answer]).to_string()));
        Arc::unwrap_or_clone(answer.text)
    }

    pub(super) fn sources(&self) -> &'o [Source] {
        self.sources
    }

    /// The digest of the sources and of every answer, in the order in which they were asked.
    pub(super) fn digest(&self) -> Digest {
        digest(self.sources.iter().chain(&self.answered))
    }
}
