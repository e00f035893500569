//! What those who run the gateway see of it: what its parts know, put together for the doors that tell it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::admin::{Condition, Conditions, Grounds, State, Vitals};
use crate::clock::now;
use crate::config::snapshot::{Listen, Readiness, Snapshot};
use crate::keyring::{KeyRing, KeysFrom};
use crate::live::Live;
use crate::net::Drain;
use crate::policy::UnixTime;
use crate::reload::{ReloadOutcome, Reloader, Status};
use crate::telemetry::{Metrics, Rfc3339};

/// The parts that are looked at.
#[derive(Clone)]
pub(super) struct Sight {
    pub(super) snapshot: Live<Snapshot>,
    pub(super) reloader: Arc<Reloader>,
    pub(super) reloads: watch::Receiver<Status>,
    pub(super) keyring: Arc<KeyRing>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) started_at: UnixTime,
}

impl Sight {
    /// For the health listener.
    pub(super) fn vitals(&self) -> Vitals {
        let (scraped, keyring) = (self.clone(), self.keyring.clone());
        Vitals {
            metrics: Box::new(move || scraped.scrape()),
            missing_keys: Box::new(move || keyring.missing()),
            conditions: Arc::new(self.conditions()),
        }
    }

    /// For the admin listener.
    pub(super) fn state(
        &self,
        workers: usize,
        admin: Option<&Listen>,
        management: Option<&Listen>,
        drain: &Drain,
    ) -> State {
        let (keyring, metrics) = (self.keyring.clone(), self.metrics.clone());
        State {
            snapshot: self.snapshot.clone(),
            reloads: self.reloads.clone(),
            keys: Box::new(move || keyring.status()),
            conditions: Arc::new(self.conditions()),
            connections: Box::new(move || metrics.open_connections()),
            workers,
            admin: admin.cloned(),
            management: management.cloned(),
            started_at: self.started_at,
            drain: drain.clone(),
        }
    }

    /// For questions at the admin listener.
    pub(super) fn grounds(&self) -> Grounds {
        Grounds {
            snapshot: self.snapshot.clone(),
            keys: self.keyring.keys(),
            requests: self.keyring.requests(),
            store: self.reloader.store().clone(),
        }
    }

    fn conditions(&self) -> Conditions {
        let (keys, config, edits) = (self.clone(), self.clone(), self.clone());
        vec![
            Box::new(move || keys.missing_keys()),
            Box::new(move || config.refused_config()),
            Box::new(move || edits.conflicts()),
        ]
    }

    fn missing_keys(&self) -> Vec<Condition> {
        let missing = self.keyring.missing();
        let names: Vec<_> = missing.iter().map(|issuer| format!("`{}`", issuer.as_str())).collect();
        let unready = self.snapshot.load().readiness == Readiness::Strict;
        let detail = format!("keys never came of {}", names.join(", "));
        let condition = Condition { code: "keys-missing", detail, unready };
        if missing.is_empty() { Vec::new() } else { vec![condition] }
    }

    fn refused_config(&self) -> Vec<Condition> {
        let reloads = self.reloads.borrow();
        let ReloadOutcome::Kept(_) = reloads.last else { return Vec::new() };
        let since = Rfc3339(reloads.refused.map_or(reloads.last_at, |refused| refused.time));
        let detail =
            format!("the configuration on disk is refused since {since}, the one before decides");
        let most = self.snapshot.load().reload.max_rejected_age;
        let unready = reloads.refused_for_too_long(most);
        vec![Condition { code: "config-refused", detail, unready }]
    }

    /// Edits that were saved into files which writes had just replaced.
    fn conflicts(&self) -> Vec<Condition> {
        let kept = self.reloader.conflicts().into_iter().map(|kept| {
            let kept = kept.file_name().unwrap_or_default().display();
            let detail = format!(
                "an edit came while its file was replaced, and is not read: it is kept as `{kept}` until \
                 that is deleted"
            );
            Condition { code: "edit-conflict", detail, unready: false }
        });
        kept.collect()
    }

    /// The metrics, those that grow by themselves as they are now.
    fn scrape(&self) -> String {
        let (metrics, snapshot, now) = (&self.metrics, self.snapshot.load(), now());
        let whole_at = self.reloads.borrow().whole_at;
        #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
        metrics.config_generation.set(snapshot.generation as f64);
        metrics.config_loaded_whole.set(between(whole_at, now).as_secs_f64());
        for keys in self.keyring.status() {
            if keys.source != KeysFrom::Fixed {
                metrics.keys_age(&keys.issuer, keys.age);
            }
        }
        metrics.render()
    }
}

/// How long it is from one time to another, and nothing where a clock went back.
fn between(from: UnixTime, to: UnixTime) -> Duration {
    let milliseconds = to.milliseconds().saturating_sub(from.milliseconds());
    Duration::from_millis(u64::try_from(milliseconds).unwrap_or(0))
}
