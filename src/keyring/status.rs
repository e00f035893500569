//! How an issuer's keys stand, for those who run the gateway.

use std::time::Duration;

use crate::policy::{Issuer, UnixTime};
use crate::token::KeySet;

use super::discovery::Fetched;

/// How an issuer's keys stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerStatus {
    /// The issuer.
    pub issuer: Issuer,
    /// Where its keys come from.
    pub source: KeysFrom,
    /// How many keys can be used.
    pub keys: usize,
    /// What those are called that have a name, as the issuer wrote it.
    pub kids: Vec<String>,
    /// Why other keys were left out: the first of them.
    pub skipped: Vec<String>,
    /// How many were left out.
    pub left_out: usize,
    /// When the issuer last said which keys are its own.
    pub fetched_at: Option<UnixTime>,
    /// How long ago that is.
    pub age: Option<Duration>,
    /// Why the last fetch that failed did.
    pub last_error: Option<LastError>,
    /// When the keys are fetched next, nobody asking; nothing while they are being fetched.
    pub next_attempt_in: Option<Duration>,
}

/// Where an issuer's keys come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeysFrom {
    /// From where its discovery document says.
    Discovery,
    /// They stand in the configuration or in a file it names.
    Fixed,
    /// From this URL.
    JwksUri(String),
}

/// A fetch that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastError {
    /// Why.
    pub reason: String,
    /// When.
    pub at: UnixTime,
}

impl IssuerStatus {
    pub(super) fn new(issuer: &Issuer, source: KeysFrom) -> Self {
        Self {
            issuer: issuer.clone(),
            source,
            keys: 0,
            kids: Vec::new(),
            skipped: Vec::new(),
            left_out: 0,
            fetched_at: None,
            age: None,
            last_error: None,
            next_attempt_in: None,
        }
    }

    pub(super) fn with_keys(self, keys: &KeySet) -> Self {
        Self { keys: keys.len(), kids: keys.kids().map(str::to_owned).collect(), ..self }
    }

    pub(super) fn with_fetched(self, fetched: &Fetched) -> Self {
        let Fetched { keys, skipped, left_out, not_modified: _ } = fetched;
        let skipped = skipped.iter().map(ToString::to_string).collect();
        Self { skipped, left_out: *left_out, ..self.with_keys(keys) }
    }
}
