//! Resource servers in Auth0's shape. Fields that Auth0 has and that do not concern a gate are known,
//! kept and silent, so that an Auth0 object can be pasted in, and is shown again as it is.

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::{Gate, auth0};

/// Auth0's fields that say nothing to a gate.
pub(in crate::config) const NOT_USED: [&str; 17] = [
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
    /// Required. What the `aud` of its tokens names, byte for byte.
    #[schemars(extend("examples" = ["https://orders.example.com"]))]
    pub identifier: Option<String>,
    /// Its name for people; decides nothing.
    pub name: Option<String>,
    /// The scopes that it declares. Operations and grants can name these and no others.
    pub scopes: Option<Vec<Scope>>,
    /// The authorization details types registered on it (RFC 9396).
    pub authorization_details: Option<Vec<DetailsType>>,
    /// Required where there is a gate. Its policy per subject type: `user` and `client` are stated, never
    /// implied.
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

    /// Auth0's fields that are not used, but its secret.
    #[serde(flatten, deserialize_with = "others")]
    #[schemars(skip)]
    pub others: Map<String, Value>,
}

/// What is written, and may be shown.
fn others<'de, D: Deserializer<'de>>(fields: D) -> Result<Map<String, Value>, D::Error> {
    let mut fields = Map::deserialize(fields)?;
    fields.retain(|name, value| name != "signing_secret" && !value.is_null());
    Ok(fields)
}

/// A scope that an API declares.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("examples" = [{"value": "read:orders"}]))]
pub struct Scope {
    /// Required. The scope, as tokens and grants name it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// What it allows, for people; decides nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// An authorization details type registered on an API.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("examples" = [{"type": "payment"}]))]
pub struct DetailsType {
    /// Required. The type, as tokens and grants name it.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// An API's policy per subject type.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("examples" = [{"client": {"policy": "require_client_grant"}, "user": {"policy": "require_client_grant"}}]))]
pub struct SubjectTypes {
    /// Required where there is a gate. For applications that call for a signed-in user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<PolicyOf>,
    /// Required where there is a gate. For applications that call for themselves (machine to machine):
    /// `require_client_grant` or `deny_all`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<PolicyOf>,
    /// For applications that call for someone who did not sign in: `require_client_grant` or
    /// `deny_all`, which is the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anonymous_user: Option<PolicyOf>,
}

/// The policy for one subject type.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("examples" = [{"policy": "require_client_grant"}]))]
pub struct PolicyOf {
    /// Required. The policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
}

/// What an API asks of applications.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// No grant is needed, and every declared scope may be used (users only). A third party's
    /// application needs a grant all the same.
    AllowAll,
    /// Nobody is let in, whatever grants exist.
    DenyAll,
    /// A client grant is needed, and is the ceiling: nothing above it is let through, whatever the
    /// token holds.
    RequireClientGrant,
}

/// Sender-constrained tokens (Auth0's `proof_of_possession`).
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProofOfPossession {
    /// `mtls` or `dpop`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mechanism: Option<String>,
    /// Whether tokens must be constrained.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required: Option<bool>,
    /// For which applications.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required_for: Option<Value>,
}
