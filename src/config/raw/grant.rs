//! Client grants in Auth0's shape, with what access reviews need.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// What one application may use of one API for one subject type, at most.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("examples" = [{"client_id": "web-app", "scope": ["read:orders"]}]))]
pub struct ClientGrant {
    /// Its id in records and headers, such as Auth0's `cgr_…`; derived from its key when left out.
    pub id: Option<String>,
    /// The application that holds it.
    pub client_id: Option<String>,
    /// Instead of `client_id`: every third-party application without a grant of its own.
    pub default_for: Option<DefaultFor>,
    /// The API's identifier; may be left out where one API is configured.
    pub audience: Option<String>,
    /// The application's issuer; may be left out where the API trusts one.
    pub issuer: Option<String>,
    /// On whose behalf: client by default, as in Auth0.
    pub subject_type: Option<SubjectType>,
    /// The scopes that it gives; `[]` gives none.
    pub scope: Option<Vec<String>>,
    /// Read as `scope` is.
    pub scopes: Option<Vec<String>>,
    /// Gives every scope that the API declares, now and later.
    pub allow_all_scopes: Option<bool>,
    /// The authorization details types that it gives (subject type `user` only).
    pub authorization_details_types: Option<Vec<String>>,
    /// Whether tokens issued for an organization are admitted: deny (subject type `client` only).
    pub organization_usage: Option<OrganizationUsage>,
    /// Admits every organization (subject type `client` only).
    pub allow_any_organization: Option<bool>,
    /// The ids of the organizations associated with it (subject type `client` only).
    pub organizations: Option<Vec<String>>,
    /// From then on it gives nothing: RFC 3339, such as `"2030-01-01T00:00:00Z"`.
    #[schemars(extend("examples" = ["2030-01-01T00:00:00Z"]))]
    pub expires_at: Option<String>,
    /// Whom a refused caller may ask.
    pub owner: Option<String>,
    /// Why it was given.
    pub reason: Option<String>,
    /// Where that was decided.
    pub ticket: Option<String>,
    /// Made by Auth0; not used.
    pub is_system: Option<Value>,
}

/// Whom a default grant is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DefaultFor {
    /// Third-party applications.
    ThirdPartyClients,
}

/// On whose behalf an application calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SubjectType {
    /// Someone who did not sign in.
    AnonymousUser,
    /// The application itself.
    Client,
    /// A signed-in user.
    User,
}

/// Whether tokens issued for an organization are admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrganizationUsage {
    /// With or without an organization.
    Allow,
    /// Without an organization only.
    Deny,
    /// With an organization only.
    Require,
}
