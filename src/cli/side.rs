//! What is compared or asked: a configuration by its path, or the policy of a gate that runs.

use std::path::Path;

use super::progress::Progress;
use super::{configuration, harmless, live, talk};
use crate::config::snapshot::Snapshot;
use crate::net::local::Gate;

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

/// What `gate` runs. Where it cannot be asked it is told why, and there is none.
pub fn ask(gate: &Gate, progress: &Progress) -> Option<Snapshot> {
    progress.say(&format!("asking {}", harmless(&gate.to_string())));
    let asked = live::policy(gate);
    if let Err(why) = &asked {
        progress.end();
        talk(format_args!("grantgate: {}", harmless(why)));
    }
    asked.ok()
}
