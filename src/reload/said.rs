//! What the log says of attempts: the outcome, and what is wrong, once.

use std::sync::Arc;

use super::{Applied, ReloadOutcome, Reloader, Status, Trigger};

impl Reloader {
    /// Logs an outcome; what was said before is not said again by a poll.
    pub(super) fn log(&self, trigger: Trigger, status: &Status, before: Option<&Status>) {
        let (path, generation) = (self.store.path().display(), status.generation);
        let (sha256, by) = (status.digest, trigger.as_str());
        let was_kept = |before: &Status| matches!(before.last, ReloadOutcome::Kept(_));
        match &status.last {
            ReloadOutcome::Applied(applied) => {
                let Applied { gained, lost, changed, access, .. } = applied;
                let Applied { restart_needed, warnings, .. } = applied;
                tracing::info!(
                    %path, generation, %sha256, by, gained, lost, changed, "configuration applied"
                );
                if !access.is_empty() {
                    tracing::info!("access is another now:\n{access}");
                }
                if !restart_needed.is_empty() {
                    let keys = restart_needed.join(", ");
                    tracing::warn!(keys, "some changes wait for a restart");
                }
                // Writes are many, and what they leave as it was is known.
                let is_known = before.is_some_and(|before| before.running.warnings == *warnings);
                if !warnings.is_empty() && !is_known {
                    tracing::warn!("warnings of the configuration:\n{warnings}");
                }
            }
            ReloadOutcome::Kept(report) => {
                let is_known = before.is_some_and(|before| match &before.last {
                    ReloadOutcome::Kept(known) => Arc::ptr_eq(known, report),
                    _ => false,
                });
                if is_known && trigger != Trigger::Signal {
                    tracing::debug!(%path, generation, %sha256, by, "configuration still refused");
                } else {
                    tracing::error!(
                        %path, generation, %sha256, by,
                        "configuration refused, the one before stays"
                    );
                    tracing::error!("what is said of the configuration:\n{report}");
                }
            }
            ReloadOutcome::Unchanged if before.is_some_and(was_kept) => {
                tracing::info!(%path, generation, %sha256, by, "configuration is as it runs again");
            }
            ReloadOutcome::Unchanged if trigger == Trigger::Signal => {
                tracing::info!(%path, generation, %sha256, by, "configuration unchanged");
            }
            ReloadOutcome::Unchanged => {
                tracing::debug!(%path, generation, %sha256, by, "configuration unchanged");
            }
        }
    }
}
