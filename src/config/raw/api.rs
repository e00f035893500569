//! Resource servers in Auth0's shape. Fields that Auth0 has and that do not concern a gate are known
//! and silent, so that an Auth0 object can be pasted in.

use schemars::{JsonSchema, Schema};
use serde::Deserialize;
use serde_json::Value;

use super::{Gate, auth0};

/// Auth0's fields that say nothing to a gate.
const NOT_USED: [&str; 17] = [
    "access_token",
    "allow_offline_access",
    "allow_online_access",
    "allow_online_access_with_ephemeral_sessions",
    "authorization_policy",
    "client_id",
    "consent_policy",
    "id",
    "is_system",
    "require_consent_non_repudiation",
    "signing_alg",
    "signing_secret",
    "skip_consent_for_verifiable_first_party_clients",
    "token_dialect",
    "token_lifetime",
    "token_lifetime_for_anonymous_access_tokens",
    "token_lifetime_for_web",
];

/// An API, as Auth0's resource server. Auth0's further fields may stand here; they are not used.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(transform = |schema: &mut Schema| auth0::know(schema, &NOT_USED))]
pub struct ResourceServer {
    /// What the token's audience names.
    pub identifier: Option<String>,
    /// Its name for people.
    pub name: Option<String>,
    /// The scopes that it declares.
    pub scopes: Vec<Scope>,
    /// The authorization details types registered on it (RFC 9396).
    pub authorization_details: Vec<DetailsType>,
    /// Its policy per subject type. Where there is a gate, `user` and `client` are stated.
    pub subject_type_authorization: Option<SubjectTypes>,
    /// How it is served. Without a gate the API is known, and not served.
    pub gate: Option<Gate>,

    /// Sender-constrained tokens. Not enforced yet: `required: true` is an error.
    pub proof_of_possession: Option<ProofOfPossession>,
    /// Auth0's role-based access control, which works when tokens are issued; the gate reads
    /// `permissions` whatever is said here.
    pub enforce_policies: Option<bool>,
    /// Encrypted access tokens. The gate does not read them.
    pub token_encryption: Option<Value>,
}

/// A scope that an API declares.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("examples" = [{"value": "read:orders"}]))]
pub struct Scope {
    /// The scope.
    pub value: Option<String>,
    /// What it allows, for people.
    pub description: Option<String>,
}

/// An authorization details type registered on an API.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("examples" = [{"type": "payment"}]))]
pub struct DetailsType {
    /// The type.
    #[serde(rename = "type")]
    pub name: Option<String>,
}

/// An API's policy per subject type.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("examples" = [{"client": {"policy": "require_client_grant"}, "user": {"policy": "require_client_grant"}}]))]
pub struct SubjectTypes {
    /// For signed-in users.
    pub user: Option<PolicyOf>,
    /// For applications themselves: `require_client_grant` or `deny_all`.
    pub client: Option<PolicyOf>,
    /// For anonymous users: `require_client_grant` or `deny_all`, which is the default.
    pub anonymous_user: Option<PolicyOf>,
}

/// The policy for one subject type.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("examples" = [{"policy": "require_client_grant"}]))]
pub struct PolicyOf {
    /// The policy.
    pub policy: Option<Policy>,
}

/// What an API asks of applications.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// No grant is needed (users only).
    AllowAll,
    /// Nobody is let in, whatever grants exist.
    DenyAll,
    /// A client grant is needed, and is the ceiling.
    RequireClientGrant,
}

/// Sender-constrained tokens (Auth0's `proof_of_possession`).
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProofOfPossession {
    /// `mtls` or `dpop`.
    pub mechanism: Option<String>,
    /// Whether tokens must be constrained.
    pub required: Option<bool>,
    /// For which applications.
    pub required_for: Option<Value>,
}
