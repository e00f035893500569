//! What may be written: the configuration as serde sees it, before anything is known of its meaning.
//!
//! The doc comments are the reference that users read, and the derived JSON Schema is what the walk
//! over the text holds against it. Whatever may be left out is an `Option` or an empty list; texts
//! with a meaning (durations, sizes, URLs, patterns) are still texts. No logic lives here.

pub(super) mod api;
pub(super) mod auth0;
mod client;
mod gate;
mod grant;
mod issuer;
mod management;
mod server;
mod suites;
mod tls;

pub use api::{
    DetailsType, Policy, PolicyOf, ProofOfPossession, ResourceServer, Scope, SubjectTypes,
};
pub use client::{Client, SecurityMode};
pub use gate::{
    AuthorizationHeader, Cors, Enforcement, Gate, Operation, OverCeiling, Preflight, Streams,
    Unlisted, Upgrade, UpstreamProtocol,
};
pub use grant::{ClientGrant, DefaultFor, OrganizationUsage, SubjectType};
pub use issuer::{Claims, Issuer, Profile, Sign, Unproven};
pub use management::{Management, ManagementClient};
pub use server::{
    Admin, EndMarker, Health, Http2, Limits, Log, LogFormat, Readiness, Reload, Server, Timeouts,
    Workers,
};
pub use suites::Tests;
pub use tls::{Certificate, ClientAuth, Tls, TlsVersion, UpstreamTls};

use schemars::{JsonSchema, Schema};
use serde::Deserialize;

/// A Grantgate configuration: one file, or the files of one directory, whose lists join.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(transform = |schema: &mut Schema| auth0::know(schema, &auth0::SECTIONS))]
pub struct Configuration {
    /// The traffic listener and its workers.
    pub server: Option<Server>,
    /// Where health and metrics are answered.
    pub health: Option<Health>,
    /// Where the gateway's state is told.
    pub admin: Option<Admin>,
    /// The Management API; off when left out.
    pub management: Option<Management>,
    /// Bounds on what a request may be.
    pub limits: Option<Limits>,
    /// Bounds on how long anything may take.
    pub timeouts: Option<Timeouts>,
    /// What is written about requests and about the gateway itself.
    pub log: Option<Log>,
    /// How changes of the files are noticed.
    pub reload: Option<Reload>,
    /// The policy suites.
    pub tests: Option<Tests>,
    /// Who may issue tokens.
    pub issuers: Vec<Issuer>,
    /// The APIs, as Auth0's resource servers; those with a `gate` are served. An API may stand in two
    /// entries of one `identifier`: one of them has the `gate`, and no other key stands in both.
    pub resource_servers: Option<Vec<ResourceServer>>,
    /// What is known of applications beyond their grants.
    pub clients: Vec<Client>,
    /// Required in some file. The client grants. "None" is written `client_grants: []`: a configuration
    /// that does not speak of grants at all is refused, because it may be half a file.
    pub client_grants: Option<Vec<ClientGrant>>,
    /// `resource_servers` as a tenant export of `auth0-deploy-cli` (`tenant.yaml`) spells it. A file
    /// has one spelling.
    #[serde(rename = "resourceServers")]
    pub exported_resource_servers: Option<Vec<ResourceServer>>,
    /// `client_grants` as a tenant export spells it: `client_id` is an id or a name that stands under
    /// `clients`. A file has one spelling.
    #[serde(rename = "clientGrants")]
    pub exported_client_grants: Option<Vec<ClientGrant>>,
}
