//! What became of an attempt to take over the configuration on disk, and of all of them together.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use serde_json::Value;

use crate::config::snapshot::{Admin, Server, Snapshot};
use crate::config::tls::ClientAuth;
use crate::config::{Digest, Report};
use crate::policy::UnixTime;

/// Why the configuration was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// Something happened to the files.
    Files,
    /// Somebody wants to change it over the Management API, or has.
    Management,
    /// It was time.
    Poll,
    /// Somebody asked for it.
    Signal,
    /// The program started.
    Start,
}

impl Trigger {
    /// Its name in logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Management => "management",
            Self::Poll => "poll",
            Self::Signal => "signal",
            Self::Start => "start",
        }
    }
}

/// What became of an attempt.
#[derive(Clone, Debug)]
pub enum ReloadOutcome {
    /// What is on disk decides from now on.
    Applied(Applied),
    /// What is on disk cannot be taken; what ran before stays.
    Kept(Arc<Report>),
    /// What is on disk is what runs.
    Unchanged,
}

impl ReloadOutcome {
    /// Its name in logs and metrics.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Applied(_) => "applied",
            Self::Kept(_) => "kept",
            Self::Unchanged => "unchanged",
        }
    }
}

/// What a configuration that was taken over brings.
#[derive(Clone, Debug, Default)]
pub struct Applied {
    /// How many accesses it allows that were not allowed before.
    pub gained: usize,
    /// How many it no longer allows.
    pub lost: usize,
    /// How much else differs that decides.
    pub changed: usize,
    /// All that in words, of very much the first; empty where there is nothing.
    pub access: String,
    /// The keys whose values differ from those that the program started with, and wait for the next
    /// start.
    pub restart_needed: Vec<&'static str>,
    /// What somebody should look at, as people read it; empty where there is nothing. The report
    /// itself would hold all texts for as long as the configuration runs.
    pub warnings: String,
    /// The same, as [`Report::to_json`] has it.
    pub diagnostics: Vec<Value>,
}

/// How the configuration stands, for who watches the gateway.
#[derive(Clone, Debug)]
pub struct Status {
    /// Counts the configurations that were taken over, the first one as 1.
    pub generation: u64,
    /// The digest of the one that runs.
    pub digest: Digest,
    /// When it was taken over.
    pub loaded_at: UnixTime,
    /// When what is on disk was last found to be what runs.
    pub whole_at: UnixTime,
    /// What became of the last attempt.
    pub last: ReloadOutcome,
    /// When that was.
    pub last_at: UnixTime,
    /// Why it was made.
    pub last_by: Trigger,
    /// What the configuration that runs brought.
    pub running: Arc<Applied>,
    /// Since when whatever was found on disk has been refused; none where it is what runs.
    pub refused: Option<RefusedSince>,
}

/// When what is on disk was refused first, of all times since.
#[derive(Clone, Copy, Debug)]
pub struct RefusedSince {
    /// For people.
    pub time: UnixTime,
    /// For counting: no clock that is set moves it.
    pub instant: Instant,
}

impl Status {
    /// Whether what is on disk has been refused for longer than it may be.
    pub fn refused_for_too_long(&self, max_rejected_age: Option<Duration>) -> bool {
        let age = self.refused.map(|refused| refused.instant.elapsed());
        age.zip(max_rejected_age).is_some_and(|(age, most)| age > most)
    }
}

/// The values that the program took at its start and does not take again.
pub(super) struct AtStart {
    server: Server,
    health: Option<SocketAddr>,
    admin: Option<Admin>,
    management: Option<(SocketAddr, ClientAuth)>,
    token_cache_bytes: u64,
}

impl AtStart {
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        Self {
            server: snapshot.server.clone(),
            health: snapshot.health,
            admin: snapshot.admin.clone(),
            management: management(snapshot),
            token_cache_bytes: snapshot.limits.token_cache_bytes,
        }
    }

    /// The keys whose values are others in `snapshot`.
    pub(super) fn differences(&self, snapshot: &Snapshot) -> Vec<&'static str> {
        let Snapshot { server, health, admin, limits, .. } = snapshot;
        let management = management(snapshot);
        let listens = |at: Option<(SocketAddr, _)>| at.map(|(listen, _)| listen);
        let both = self.management.zip(management);
        let keys = [
            ("server.listen", self.server.listen == server.listen),
            ("server.tls", self.server.asked_of_clients() == server.asked_of_clients()),
            ("server.workers", self.server.workers == server.workers),
            ("health.listen", self.health == *health),
            (
                "admin.listen",
                self.admin.as_ref().map(|it| &it.listen) == admin.as_ref().map(|it| &it.listen),
            ),
            ("management.listen", listens(self.management) == listens(management)),
            ("management.tls", both.is_none_or(|((_, before), (_, now))| before == now)),
            ("limits.token_cache_bytes", self.token_cache_bytes == limits.token_cache_bytes),
        ];
        keys.into_iter().filter(|(_, is_same)| !is_same).map(|(key, _)| key).collect()
    }
}

/// Where the Management API listens, and what is asked of its clients.
fn management(snapshot: &Snapshot) -> Option<(SocketAddr, ClientAuth)> {
    snapshot.management.as_ref().map(|management| (management.listen, management.tls.client_auth))
}
