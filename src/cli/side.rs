//! What is compared or asked: a configuration by its path.

use std::path::Path;

use super::progress::Progress;
use super::{configuration, harmless, talk};
use crate::config::snapshot::Snapshot;

/// What the configuration at `path` means. Of one that is refused the report is told, and there is none.
pub fn read(path: &Path, progress: &Progress) -> Option<Snapshot> {
    let name = harmless(&path.display().to_string().replace('\n', " "));
    progress.say(&format!("reading {name}"));
    match configuration::read(path) {
        Ok(configuration) => Some(configuration.loaded.snapshot),
        Err(report) => {
            progress.end();
            talk(format_args!("`{name}` is refused:\n{report}"));
            None
        }
    }
}
