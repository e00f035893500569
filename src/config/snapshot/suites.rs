//! The policy suites that a configuration names.

use std::path::Path;
use std::sync::Arc;

use crate::config::{Outside, Place};

/// The policy suites, which this snapshot must pass or may.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tests {
    /// The suites, in the order written.
    pub suites: Vec<NamedSuite>,
    /// Whether a configuration that fails them is not taken.
    pub required: bool,
}

/// A suite as the configuration names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedSuite {
    /// The file that names it.
    pub by: Arc<str>,
    /// Its path, which starts at the folder of that file where it is relative.
    pub path: Arc<str>,
    /// Where it is named.
    pub place: Place,
}

impl NamedSuite {
    /// Its path as people know it.
    pub fn name(&self) -> String {
        let folder = Path::new(&*self.by).parent().unwrap_or(Path::new(""));
        folder.join(&*self.path).display().to_string()
    }

    /// Its text.
    ///
    /// # Errors
    /// Why it cannot be read, as people are told.
    pub fn read(&self, outside: &dyn Outside) -> Result<String, String> {
        outside.file(&self.by, &self.path)
    }
}
