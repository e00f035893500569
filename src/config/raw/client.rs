//! Applications: what is known of them beyond their grants.

use schemars::{JsonSchema, Schema};
use serde::Deserialize;

use super::auth0;

/// Auth0's fields that say nothing to a gate. They are listed, rather than anything allowed, because
/// a misspelt `is_first_party: false` would make a third party's application one's own.
const NOT_USED: [&str; 58] = [
    "addons",
    "allowed_clients",
    "allowed_logout_urls",
    "allowed_origins",
    "app_type",
    "async_approval_notification_channels",
    "callback_url_template",
    "callbacks",
    "client_aliases",
    "client_authentication_methods",
    "client_metadata",
    "client_secret",
    "compliance_level",
    "cross_origin_auth",
    "cross_origin_authentication",
    "cross_origin_loc",
    "custom_login_page",
    "custom_login_page_on",
    "custom_login_page_preview",
    "default_organization",
    "description",
    "encryption_key",
    "express_configuration",
    "external_client_id",
    "external_metadata_created_by",
    "external_metadata_type",
    "form_template",
    "global",
    "grant_types",
    "initiate_login_uri",
    "is_token_endpoint_ip_header_trusted",
    "jwks_uri",
    "jwt_configuration",
    "logo_uri",
    "mobile",
    "my_organization_configuration",
    "native_social_login",
    "oidc_backchannel_logout",
    "oidc_conformant",
    "oidc_logout",
    "organization_discovery_methods",
    "organization_require_behavior",
    "organization_usage",
    "owners",
    "par_request_expiry",
    "refresh_token",
    "require_proof_of_possession",
    "require_pushed_authorization_requests",
    "resource_server_identifier",
    "session_transfer",
    "signed_request_object",
    "signing_keys",
    "skip_non_verifiable_callback_uri_confirmation_prompt",
    "sso",
    "sso_disabled",
    "tenant",
    "token_endpoint_auth_method",
    "web_origins",
];

/// An application. Auth0's further fields may stand here; they are not used.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(transform = |schema: &mut Schema| auth0::know(schema, &NOT_USED))]
pub struct Client {
    /// Required. Its id at its issuer. In a tenant export it may be missing: what stands there is then
    /// added to the entry of this `name` that has the id.
    pub client_id: Option<String>,
    /// Its name for people, and for the grants of a tenant export.
    pub name: Option<String>,
    /// The issuer, as `issuers[].issuer` names it; may be left out where one is configured. In a tenant
    /// export it is the one with the profile `auth0`.
    pub issuer: Option<String>,
    /// Whether it is one's own. Where nothing is said, the id tells: Auth0 gives third parties' ids that
    /// begin with `tpc_`, and every other is one's own.
    pub is_first_party: Option<bool>,
    /// Whether a third party's application needs a grant in any case (`strict`, the default) or
    /// follows the policy like one's own. Only beside `is_first_party: false`.
    #[schemars(extend("default" = "strict"))]
    pub third_party_security_mode: Option<SecurityMode>,
}

/// How a third party's application is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SecurityMode {
    /// It follows the policy like one's own.
    Permissive,
    /// It needs a grant in any case.
    Strict,
}
