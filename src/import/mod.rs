//! Other formats → the YAML of a configuration, with comments on what has no counterpart.
//!
//! | format | file |
//! |---|---|
//! | an OpenAPI document | `openapi.rs` |
//! | a tenant's export, as `auth0-deploy-cli` writes it | `auth0/` |
//! | how YAML is written | `emit.rs` |
//!
//! Texts come in, a text goes out that the gate takes. Nothing here reads a file.

mod auth0;
mod emit;
mod openapi;

pub use auth0::{Export, NoExport, Part, auth0};
pub use openapi::openapi;

use crate::config::{Nowhere, Report, Source, load};
use crate::policy::UnixTime;

/// What an import was made into.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The configuration.
    pub yaml: String,
    /// What there is in it, in one line.
    pub summary: String,
    /// What has no counterpart, each in one line.
    pub left_out: Vec<String>,
    /// What else somebody should know, each in one line.
    pub notes: Vec<String>,
}

/// What an export or a document does not say.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// The API's identifier.
    pub identifier: Option<String>,
    /// Who issues its tokens.
    pub issuer: Option<String>,
    /// Where its requests go.
    pub upstream: Option<String>,
    /// Whether the operations alone are asked for.
    pub operations_only: bool,
    /// Names of applications, and their ids.
    pub clients: Vec<(String, String)>,
}

/// An issuer of nobody.
const EXAMPLE_ISSUER: &str = "https://example.eu.auth0.com/";
/// An upstream on this machine.
const EXAMPLE_UPSTREAM: &str = "http://127.0.0.1:3000";

impl Imported {
    /// Whether the gate would take it.
    ///
    /// # Errors
    /// With the report of why it would not.
    pub fn check(&self, now: UnixTime) -> Result<(), Report> {
        load(&[Source::new("the import", &self.yaml)], &Nowhere, now).map(drop)
    }
}

/// The kind of issuer that its URL shows it to be; the standard's where it shows none.
fn profile(issuer: &str) -> &'static str {
    let host = issuer.trim_end_matches('/');
    if host.ends_with(".auth0.com") { "auth0" } else { "rfc9068" }
}
