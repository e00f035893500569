//! From an issuer to its keys: discovery, then the key set.
//!
//! OIDC Discovery's document is asked for first and, where the host answers without it, RFC
//! 8414's. A document counts only when it names the configured issuer, byte for byte: whoever can
//! answer for one issuer must not answer for another.

use std::sync::Arc;

use serde::Deserialize;

use crate::config::snapshot::RemoteKeys;
use crate::net::fetch::{Fetcher, PlainHttp};
use crate::policy::Issuer;
use crate::token::{KeySet, SkippedKey};

use super::{KeyringError, Outcome};

/// A key set that came, and what it is made of.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// The keys that can be used.
    pub keys: Arc<KeySet>,
    /// Why each of the other keys was left out.
    pub skipped: Vec<SkippedKey>,
}

/// Fetches an issuer's keys.
pub(super) async fn fetch_keys(fetcher: &Fetcher, issuer: &Issuer, source: &RemoteKeys) -> Outcome {
    let plain = if source.allow_http { PlainHttp::Anywhere } else { PlainHttp::Loopback };
    let url = match &source.jwks_uri {
        Some(url) => url.clone(),
        None => discover(fetcher, issuer.as_str(), plain).await?,
    };
    let text = fetcher.fetch(&url, plain).await.map_err(KeyringError::Keys)?;
    match KeySet::from_jwks(&text) {
        Ok((keys, skipped)) if keys.is_empty() => {
            let why = format!("none of its {} keys can be used", skipped.len());
            Err(KeyringError::KeySet { url, why })
        }
        Ok((keys, skipped)) => Ok(Fetched { keys: Arc::new(keys), skipped }),
        Err(error) => Err(KeyringError::KeySet { url, why: error.to_string() }),
    }
}

/// The URL of an issuer's key set.
async fn discover(
    fetcher: &Fetcher,
    issuer: &str,
    plain: PlainHttp,
) -> Result<String, KeyringError> {
    let [openid, oauth] = documents(issuer).ok_or(KeyringError::Issuer)?;
    match fetcher.fetch(&openid, plain).await {
        Ok(text) => read(openid, &text, issuer),
        Err(error) if error.failure.is_answer() => match fetcher.fetch(&oauth, plain).await {
            Ok(text) => read(oauth, &text, issuer),
            // The first document is what most issuers have: its error says more.
            Err(_) => Err(KeyringError::Discovery(error)),
        },
        Err(error) => Err(KeyringError::Discovery(error)),
    }
}

/// Where the documents are: OIDC Discovery section 4, RFC 8414 section 3.1.
fn documents(issuer: &str) -> Option<[String; 2]> {
    if issuer.contains(['?', '#']) {
        return None;
    }
    let issuer = issuer.strip_suffix('/').unwrap_or(issuer);
    let (scheme, rest) = issuer.split_once("://")?;
    let (host, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
    Some([
        format!("{issuer}/.well-known/openid-configuration"),
        format!("{scheme}://{host}/.well-known/oauth-authorization-server{path}"),
    ])
}

/// What is read of a discovery document.
#[derive(Deserialize)]
struct Document {
    issuer: String,
    jwks_uri: String,
}

fn read(url: String, text: &str, issuer: &str) -> Result<String, KeyringError> {
    match serde_json::from_str::<Document>(text) {
        Err(error) => Err(KeyringError::Document { url, why: excerpt(&error.to_string()) }),
        Ok(document) if document.issuer != issuer => {
            Err(KeyringError::IssuerMismatch { url, named: excerpt(&document.issuer) })
        }
        Ok(document) => Ok(document.jwks_uri),
    }
}

/// A stranger's text as it may go to the log: not more of it than a name has, and nothing in it
/// that moves a cursor.
fn excerpt(text: &str) -> String {
    text.chars().take(MAX_EXCERPT).flat_map(char::escape_debug).collect()
}

const MAX_EXCERPT: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_stand_after_the_issuer_and_before_its_path() {
        assert_eq!(
            documents("https://a.example/realms/x/").unwrap(),
            [
                "https://a.example/realms/x/.well-known/openid-configuration",
                "https://a.example/.well-known/oauth-authorization-server/realms/x",
            ]
        );
        for issuer in ["https://a.example", "https://a.example/"] {
            assert_eq!(
                documents(issuer).unwrap(),
                [
                    "https://a.example/.well-known/openid-configuration",
                    "https://a.example/.well-known/oauth-authorization-server",
                ]
            );
        }
        for other in ["a.example", "https://a.example/?x", "https://a.example/#x"] {
            assert_eq!(documents(other), None, "{other}");
        }
    }

    #[test]
    fn a_document_of_another_issuer_gives_no_keys() {
        let text = r#"{"issuer": "https://a.example", "jwks_uri": "https://a.example/jwks"}"#;
        let read = |issuer| read("https://a.example/x".to_owned(), text, issuer);
        assert_eq!(read("https://a.example").unwrap(), "https://a.example/jwks");
        for other in ["https://a.example/", "https://A.example", "http://a.example"] {
            assert!(matches!(read(other), Err(KeyringError::IssuerMismatch { .. })), "{other}");
        }
    }

    #[test]
    fn a_document_that_says_a_thing_twice_is_not_read() {
        for text in [
            r#"{"issuer": "i", "issuer": "i", "jwks_uri": "x"}"#,
            r#"{"issuer": "i"}"#,
            r#"{"issuer": "i", "jwks_uri": ["x"]}"#,
            "<html>",
        ] {
            let read = read("u".to_owned(), text, "i");
            assert!(matches!(read, Err(KeyringError::Document { .. })), "{text}: {read:?}");
        }
    }
}
