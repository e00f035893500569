//! An issuer's keys, fetched once for a question.

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::config::snapshot::IssuerSettings;
use crate::keyring::KeyRing;
use crate::net::fetch::Fetcher;
use crate::token::KeySet;

use super::run::control_runtime;

/// The keys that the issuer publishes now.
///
/// # Errors
/// When they cannot be fetched: why, in words.
pub fn fetched(issuer: &IssuerSettings) -> Result<Arc<KeySet>, String> {
    let name = &issuer.trust.issuer;
    let work = async {
        let (told, mut outcomes) = mpsc::unbounded_channel();
        let keyring =
            KeyRing::start(std::slice::from_ref(issuer), Fetcher::new(), move |_, outcome| {
                let outcome = outcome.as_ref().map(|fetched| fetched.keys.clone());
                // Only the first is waited for.
                let _ = told.send(outcome.map_err(ToString::to_string));
            });
        let first = outcomes.recv().await;
        drop(keyring);
        first.unwrap_or_else(|| Err("the fetch ended without an answer".to_owned()))
    };
    let runtime = control_runtime().map_err(|error| error.to_string())?;
    runtime.block_on(work).map_err(|why| format!("the keys of `{name}` cannot be fetched: {why}"))
}
