//! What is not as it should be, for now: said by `/readyz`, `/status` and the probe.

use serde::Serialize;

/// One thing that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Condition {
    /// Its kind, under a name that never changes.
    pub code: &'static str,
    /// What it is, and since when, as people read it. Anybody who can reach the health listener reads
    /// it too.
    pub detail: String,
    /// Whether the gateway is not ready while it lasts; else it is ready, and degraded.
    pub unready: bool,
}

/// Who knows of conditions. Each is asked whenever somebody asks for them.
pub type Conditions = Vec<Box<dyn Fn() -> Vec<Condition> + Send + Sync>>;

pub(super) fn all(conditions: &Conditions) -> Vec<Condition> {
    conditions.iter().flat_map(|tell| tell()).collect()
}
