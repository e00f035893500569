//! Client grants in Auth0's shape, with what access reviews need.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::policy;

/// What one application may use of one API for one subject type, at most.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("examples" = [{"client_id": "web-app", "scope": ["read:orders"]}]))]
pub struct ClientGrant {
    /// Its id in records and headers, such as Auth0's `cgr_…`; derived from its key when left out.
    pub id: Option<String>,
    /// Required, this or `default_for`. The application that holds it, by its id at the issuer. Under
    /// `clientGrants` it may be a name that stands under `clients`.
    pub client_id: Option<String>,
    /// Instead of `client_id`: every third-party application without a grant of its own.
    pub default_for: Option<DefaultFor>,
    /// Required where several APIs are configured. The API's identifier.
    #[schemars(extend("examples" = ["https://orders.example.com"]))]
    pub audience: Option<String>,
    /// The application's issuer, as `issuers[].issuer` names it; may be left out where the API trusts one.
    /// Under `clientGrants` it is the one with the profile `auth0`.
    pub issuer: Option<String>,
    /// On whose behalf: client by default, as in Auth0. An application that calls both for itself and
    /// for users needs two grants.
    #[schemars(extend("default" = "client", "examples" = ["user"]))]
    pub subject_type: Option<SubjectType>,
    /// Required, this or `allow_all_scopes`. The scopes that it gives, the ceiling; `[]` gives none.
    #[schemars(extend("examples" = [["read:orders"]]))]
    pub scope: Option<Vec<String>>,
    /// Another spelling of `scope`; one of the two is written.
    #[schemars(extend("examples" = [["read:orders"]]))]
    pub scopes: Option<Vec<String>>,
    /// Gives every scope that the API declares, now and later: false.
    #[schemars(extend("default" = false))]
    pub allow_all_scopes: Option<bool>,
    /// The authorization details types that it gives (subject type `user` only); none by default.
    #[schemars(extend("examples" = [["payment"]]))]
    pub authorization_details_types: Option<Vec<String>>,
    /// Whether tokens issued for an organization are admitted: deny (subject type `client` only).
    #[schemars(extend("default" = "deny", "examples" = ["require"]))]
    pub organization_usage: Option<OrganizationUsage>,
    /// Admits every organization (subject type `client` only; never for third parties): false.
    #[schemars(extend("default" = false))]
    pub allow_any_organization: Option<bool>,
    /// The ids of the organizations that it admits, where `organization_usage` is `allow` or `require`
    /// (subject type `client` only).
    #[schemars(extend("examples" = [["org_acme"]]))]
    pub organizations: Option<Vec<String>>,
    /// From then on it gives nothing: date, time and zone in quotes (RFC 3339), such as
    /// `"2030-01-01T00:00:00Z"`. Never by default.
    #[schemars(extend("examples" = ["2030-01-01T00:00:00Z"]))]
    pub expires_at: Option<String>,
    /// Whom a caller may ask that this grant refuses: the refusal names it.
    pub owner: Option<String>,
    /// Why it was given, for access reviews; decides nothing.
    pub reason: Option<String>,
    /// Where it was decided, such as a ticket's number, for access reviews; decides nothing.
    pub ticket: Option<String>,
    /// Made by Auth0; not used.
    pub is_system: Option<Value>,
}

/// Whom a default grant is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DefaultFor {
    /// Third-party applications.
    ThirdPartyClients,
}

/// On whose behalf an application calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SubjectType {
    /// Someone who did not sign in.
    AnonymousUser,
    /// The application itself.
    #[default]
    Client,
    /// A signed-in user.
    User,
}

impl From<SubjectType> for policy::SubjectType {
    fn from(written: SubjectType) -> Self {
        match written {
            SubjectType::AnonymousUser => Self::AnonymousUser,
            SubjectType::Client => Self::Client,
            SubjectType::User => Self::User,
        }
    }
}

impl From<policy::SubjectType> for SubjectType {
    fn from(meant: policy::SubjectType) -> Self {
        match meant {
            policy::SubjectType::AnonymousUser => Self::AnonymousUser,
            policy::SubjectType::Client => Self::Client,
            policy::SubjectType::User => Self::User,
        }
    }
}

/// Whether tokens issued for an organization are admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrganizationUsage {
    /// With or without an organization.
    Allow,
    /// Without an organization only.
    Deny,
    /// With an organization only.
    Require,
}
