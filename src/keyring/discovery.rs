//! From an issuer to its keys: discovery, then the key set.
//!
//! OIDC Discovery's document is asked for first and, where the host answers without it, RFC
//! 8414's. A document counts only when it names the configured issuer, byte for byte: whoever can
//! answer for one issuer must not answer for another.
//!
//! Each refresh begins with discovery, so that a key set that moved is found at once; where no
//! document comes, the key set is looked for where it was. What did not change since the last time is
//! not sent again.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use tokio::time::timeout;

use crate::config::snapshot::RemoteKeys;
use crate::net::fetch::{Document, FetchError, Fetcher, Means, PlainHttp};
use crate::policy::Issuer;
use crate::token::{KeySet, SkippedKey};

use super::KeyringError;

/// Keys that came, and what they are made of.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// The keys that can be used.
    pub keys: Arc<KeySet>,
    /// Why other keys were left out: the first of them.
    pub skipped: Arc<[SkippedKey]>,
    /// How many were left out.
    pub left_out: usize,
    /// Whether they are those of the fetch before, of which the issuer says that they are its still.
    pub not_modified: bool,
}

/// What a fetch found, for the next one to begin with.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) keys: Fetched,
    /// The key set.
    pub(super) document: Document,
    /// The discovery document, where there is one.
    discovery: Option<Document>,
}

/// Fetches an issuer's keys. `last` is what the last fetch found that succeeded.
pub(super) async fn fetch_keys(
    fetcher: &Fetcher,
    issuer: &Issuer,
    source: &RemoteKeys,
    last: Option<&Found>,
) -> Result<Found, KeyringError> {
    let plain = if source.allow_http { PlainHttp::Anywhere } else { PlainHttp::Loopback };
    let mut means = Means { tls: &source.tls, plain };
    let (url, discovery) = if let Some(url) = &source.jwks_uri {
        (url.clone(), None)
    } else {
        let issuer = issuer.as_str();
        let last = last.and_then(|last| last.discovery.as_ref());
        let document = discover(fetcher, issuer, means, last).await?;
        if !is_plain_http(issuer) && !source.allow_http {
            // A document from elsewhere does not send us to our own machine.
            means.plain = PlainHttp::Nowhere;
        }
        (read(&document, issuer)?, Some(document))
    };
    let known = last.map(|last| &last.document);
    let document = fetcher.fetch(&url, means, known).await.map_err(KeyringError::Keys)?;
    let keys = match last {
        Some(last) if document.not_modified => Fetched { not_modified: true, ..last.keys.clone() },
        _ => read_keys(&document)?,
    };
    Ok(Found { keys, document, discovery })
}

/// Whether an issuer's documents are fetched without TLS. A scheme has no case (RFC 3986 section 3.1).
fn is_plain_http(issuer: &str) -> bool {
    issuer.split_once(':').is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case("http"))
}

fn read_keys(document: &Document) -> Result<Fetched, KeyringError> {
    let refused = |why| KeyringError::KeySet { url: document.url.clone(), why };
    let (keys, mut skipped) =
        KeySet::from_jwks(&document.text).map_err(|error| refused(error.to_string()))?;
    let left_out = skipped.len();
    if keys.is_empty() {
        let first = skipped.first().map(|key| format!("; {key}")).unwrap_or_default();
        return Err(refused(format!("none of its {left_out} keys can be used{first}")));
    }
    skipped.truncate(KeySet::MAX);
    Ok(Fetched { keys: Arc::new(keys), skipped: skipped.into(), left_out, not_modified: false })
}

/// The document that says where an issuer's key set is; the last one, while none comes.
async fn discover(
    fetcher: &Fetcher,
    issuer: &str,
    means: Means<'_>,
    last: Option<&Document>,
) -> Result<Document, KeyringError> {
    let documents = documents(issuer).ok_or(KeyringError::Issuer)?;
    let asked = ask(fetcher, &documents, means, last);
    let Some(last) = last else { return asked.await.map_err(KeyringError::Discovery) };
    let reason = match timeout(PATIENCE, asked).await {
        Ok(Ok(document)) => return Ok(document),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no answer within {} s", PATIENCE.as_secs()),
    };
    tracing::warn!(issuer, reason, "no discovery: keys are looked for where they were");
    Ok(last.clone())
}

async fn ask(
    fetcher: &Fetcher,
    [openid, oauth]: &[String; 2],
    means: Means<'_>,
    last: Option<&Document>,
) -> Result<Document, FetchError> {
    match fetcher.fetch(openid, means, last).await {
        // The first document is what most issuers have: its error says more than the second's.
        Err(first) if first.failure.is_answer() => {
            fetcher.fetch(oauth, means, last).await.map_err(|_| first)
        }
        answer => answer,
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
struct Metadata {
    issuer: String,
    jwks_uri: String,
}

/// The URL of the key set.
fn read(document: &Document, issuer: &str) -> Result<String, KeyringError> {
    let url = || document.url.clone();
    match serde_json::from_str::<Metadata>(&document.text) {
        Err(error) => Err(KeyringError::Document { url: url(), why: excerpt(&error.to_string()) }),
        Ok(metadata) if metadata.issuer != issuer => {
            Err(KeyringError::IssuerMismatch { url: url(), named: excerpt(&metadata.issuer) })
        }
        Ok(metadata) if is_plain(&metadata.jwks_uri) => Ok(metadata.jwks_uri),
        Ok(_) => {
            Err(KeyringError::Document { url: url(), why: "its `jwks_uri` is no URL".to_owned() })
        }
    }
}

/// Whether a text can be a URL at all: errors and logs will name it.
fn is_plain(url: &str) -> bool {
    url.len() <= MAX_URL && url.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A stranger's text as it may go to the log: not more of it than a name has, and nothing in it
/// that moves a cursor.
fn excerpt(text: &str) -> String {
    text.chars().take(MAX_EXCERPT).flat_map(char::escape_debug).collect()
}

/// How long a new document is waited for where the last one will do: requests wait for the keys.
const PATIENCE: Duration = Duration::from_secs(2);
const MAX_EXCERPT: usize = 200;
const MAX_URL: usize = 2048;

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
    fn only_an_issuer_without_tls_may_send_us_to_our_own_machine() {
        for issuer in ["http://127.0.0.1:8080", "HTTP://localhost/"] {
            assert!(is_plain_http(issuer), "{issuer}");
        }
        for issuer in ["https://a.example", "HTTPS://a.example/", "Https://a.example"] {
            assert!(!is_plain_http(issuer), "{issuer}");
        }
    }

    #[test]
    fn a_document_of_another_issuer_gives_no_keys() {
        let text = r#"{"issuer": "https://a.example", "jwks_uri": "https://a.example/jwks"}"#;
        let document = Document::of("https://a.example/x", text);
        let read = |issuer| read(&document, issuer);
        assert_eq!(read("https://a.example").unwrap(), "https://a.example/jwks");
        for other in ["https://a.example/", "https://A.example", "http://a.example"] {
            assert!(matches!(read(other), Err(KeyringError::IssuerMismatch { .. })), "{other}");
        }
    }

    #[test]
    fn a_document_that_cannot_be_read_one_way_gives_no_keys() {
        for text in [
            r#"{"issuer": "i", "issuer": "i", "jwks_uri": "x"}"#,
            r#"{"issuer": "i"}"#,
            r#"{"issuer": "i", "jwks_uri": ["x"]}"#,
            r#"{"issuer": "i", "jwks_uri": "https://a.example/\u001b[2J"}"#,
            &format!(
                r#"{{"issuer": "i", "jwks_uri": "https://a.example/{}"}}"#,
                "x".repeat(MAX_URL)
            ),
            "<html>",
        ] {
            let read = read(&Document::of("u", text), "i");
            assert!(matches!(read, Err(KeyringError::Document { .. })), "{text}: {read:?}");
        }
    }
}
