//! Keys that live: every issuer's fetched key set, kept fresh while the gateway runs.
//!
//! In come the issuers of the running configuration and the wishes of workers; out come
//! [`FetchedKeys`], replaced whole each time a set is fetched. Each issuer has one task on the
//! control runtime, so that one that hangs holds up no other. A fetch that fails takes no keys away
//! before the issuer's `max_stale` has passed; a source that changes takes its keys with it at once. It
//! never decides what a key may be used for.

mod discovery;
mod keeper;
mod refresh;
mod status;
mod unknown;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;

use crate::config::snapshot::{IssuerSettings, KeySource, RemoteKeys};
use crate::gate::Keys;
use crate::live::Live;
use crate::net::fetch::{FetchError, Fetcher};
use crate::policy::Issuer;
use crate::token::KeySet;

pub use discovery::Fetched;
use refresh::Desk;
pub use refresh::KeyRequests;
pub use status::{IssuerStatus, KeysFrom, LastError};

/// Why an issuer's keys could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// No discovery document came.
    #[error("discovery: {0}")]
    Discovery(FetchError),
    /// The discovery document cannot be read.
    #[error("the discovery document at `{url}` cannot be read: {why}")]
    Document {
        /// Where it is.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// Nothing can be discovered from what the issuer is called.
    #[error("keys are discovered from an https or http url without query and fragment")]
    Issuer,
    /// The discovery document speaks of another issuer (OIDC Discovery section 4.3, RFC 8414
    /// section 3.3).
    #[error("the discovery document at `{url}` is for the issuer `{named}`")]
    IssuerMismatch {
        /// Where it is.
        url: String,
        /// The issuer that it names.
        named: String,
    },
    /// No key set came.
    #[error("key set: {0}")]
    Keys(FetchError),
    /// The key set that came is none that can be used.
    #[error("the key set at `{url}` cannot be used: {why}")]
    KeySet {
        /// Where it is.
        url: String,
        /// What is wrong with it.
        why: String,
    },
}

/// How a fetch of an issuer's keys ended.
pub type Outcome = Result<Fetched, KeyringError>;

/// The keys that were fetched, each set with the source it came from.
#[derive(Clone, Default)]
pub struct FetchedKeys {
    /// Counts how often they were replaced.
    pub generation: u64,
    by_issuer: HashMap<Issuer, (RemoteKeys, Arc<KeySet>)>,
}

impl Keys for FetchedKeys {
    fn find(&self, issuer: &Issuer, source: &RemoteKeys) -> Option<&KeySet> {
        self.by_issuer
            .get(issuer)
            .filter(|(fetched_from, _)| is_same_place(fetched_from, source))
            .map(|(_, keys)| &**keys)
    }
}

/// Whether two sources give the same keys. How often one may be asked, and how long they may be used,
/// does not matter to them.
fn is_same_place(one: &RemoteKeys, other: &RemoteKeys) -> bool {
    let RemoteKeys { jwks_uri, allow_http, tls, refresh_cooldown: _, max_stale: _ } = one;
    *jwks_uri == other.jwks_uri && *allow_http == other.allow_http && *tls == other.tls
}

/// The keeper of all fetched keys. Fetching ends when it is dropped; the keys stay with who has
/// them.
pub struct KeyRing {
    ring: Arc<Ring>,
    fetcher: Fetcher,
    runtime: Handle,
    /// The keys that need no fetching.
    fixed: Mutex<Vec<(Issuer, Arc<KeySet>)>>,
}

impl KeyRing {
    /// Begins to fetch the keys of `issuers`, and goes on for as long as the keyring stands.
    /// `observe` is told how each fetch ended.
    ///
    /// # Panics
    /// Outside of a tokio runtime; fetching is done on the one that this is called on.
    pub fn start(
        issuers: &[IssuerSettings],
        fetcher: Fetcher,
        observe: impl Fn(&Issuer, &Outcome) + Send + Sync + 'static,
    ) -> Self {
        let ring = Arc::new(Ring {
            keys: Live::new(Arc::default()),
            desks: Mutex::default(),
            observe: Box::new(observe),
        });
        let fixed = Mutex::default();
        let keyring = Self { ring, fetcher, runtime: Handle::current(), fixed };
        keyring.reconcile(issuers);
        keyring
    }

    /// Takes over the issuers of a new configuration. Keys of an issuer that left, or whose source
    /// is another now, are gone when this returns; all others stay.
    pub fn reconcile(&self, issuers: &[IssuerSettings]) {
        let remote: HashMap<&Issuer, &RemoteKeys> = issuers.iter().filter_map(remote).collect();
        let mut desks = self.ring.desks();
        desks.retain(|issuer, desk| {
            remote.get(issuer).is_some_and(|source| is_same_place(&desk.source, source))
        });
        let mut keys = FetchedKeys::clone(&self.ring.keys.load());
        keys.by_issuer.retain(|issuer, _| desks.contains_key(issuer));
        keys.generation += 1;
        self.ring.keys.replace(Arc::new(keys));
        for (issuer, source) in remote {
            if let Some(desk) = desks.get_mut(issuer) {
                desk.adopt(source);
            } else {
                let desk = Desk::open(issuer, source, &self.fetcher, &self.ring, &self.runtime);
                desks.insert(issuer.clone(), desk);
            }
        }
        *self.fixed() = issuers.iter().filter_map(fixed).collect();
    }

    /// The keys, as they are now and will be.
    pub fn keys(&self) -> Live<FetchedKeys> {
        self.ring.keys.clone()
    }

    /// The way workers ask for newer keys.
    pub fn requests(&self) -> KeyRequests {
        KeyRequests::new(self.ring.clone())
    }

    /// The issuers whose keys never came, in their order.
    pub fn missing(&self) -> Vec<Issuer> {
        let desks = self.ring.desks();
        let keys = self.ring.keys.load();
        let without = desks.keys().filter(|&issuer| !keys.by_issuer.contains_key(issuer));
        let mut missing: Vec<_> = without.cloned().collect();
        missing.sort();
        missing
    }

    /// How the keys of all issuers stand, in the issuers' order.
    pub fn status(&self) -> Vec<IssuerStatus> {
        let mut all: Vec<_> = self
            .fixed()
            .iter()
            .map(|(issuer, keys)| IssuerStatus::new(issuer, KeysFrom::Fixed).with_keys(keys))
            .collect();
        all.extend(self.ring.desks().iter().map(|(issuer, desk)| desk.status(issuer)));
        all.sort_by(|one, other| one.issuer.cmp(&other.issuer));
        all
    }

    fn fixed(&self) -> MutexGuard<'_, Vec<(Issuer, Arc<KeySet>)>> {
        // The list is replaced whole: a panic elsewhere does not spoil it.
        self.fixed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for KeyRing {
    fn drop(&mut self) {
        // Workers may hold the ring for longer: the tasks end with their desks.
        self.ring.desks().clear();
    }
}

fn remote(settings: &IssuerSettings) -> Option<(&Issuer, &RemoteKeys)> {
    match &settings.keys {
        KeySource::Remote(source) => Some((&settings.trust.issuer, source)),
        KeySource::Fixed(_) => None,
    }
}

fn fixed(settings: &IssuerSettings) -> Option<(Issuer, Arc<KeySet>)> {
    match &settings.keys {
        KeySource::Fixed(keys) => Some((settings.trust.issuer.clone(), keys.clone())),
        KeySource::Remote(_) => None,
    }
}

type Observer = dyn Fn(&Issuer, &Outcome) + Send + Sync;

/// What the keyring, its tasks and those who ask have in common.
struct Ring {
    keys: Live<FetchedKeys>,
    /// Whoever changes `keys` holds this lock while doing so.
    desks: Mutex<HashMap<Issuer, Desk>>,
    observe: Box<Observer>,
}

impl Ring {
    fn desks(&self) -> MutexGuard<'_, HashMap<Issuer, Desk>> {
        // The map is whole between any two statements: a panic elsewhere does not spoil it.
        self.desks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts keys in place, unless their source was left while they were under way.
    fn install(&self, issuer: &Issuer, source: &RemoteKeys, fetched: &Arc<KeySet>) {
        self.change(issuer, source, |keys| {
            keys.by_issuer.insert(issuer.clone(), (source.clone(), fetched.clone()));
        });
    }

    /// Takes keys away that are too old, unless their source was left meanwhile.
    fn discard(&self, issuer: &Issuer, source: &RemoteKeys) {
        self.change(issuer, source, |keys| {
            keys.by_issuer.remove(issuer);
        });
    }

    fn change(&self, issuer: &Issuer, source: &RemoteKeys, change: impl FnOnce(&mut FetchedKeys)) {
        let desks = self.desks();
        if !desks.get(issuer).is_some_and(|desk| is_same_place(&desk.source, source)) {
            return;
        }
        let mut keys = FetchedKeys::clone(&self.keys.load());
        change(&mut keys);
        keys.generation += 1;
        self.keys.replace(Arc::new(keys));
    }
}

#[cfg(test)]
mod tests;
