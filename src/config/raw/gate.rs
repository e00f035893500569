//! The gate of an API: what Auth0 does not know of it.

use schemars::JsonSchema;
use serde::Deserialize;

use super::UpstreamTls;

/// How an API is served.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Gate {
    /// The host names that mean it: exact, or `*.example.com`. Any when left out.
    pub hosts: Option<Vec<String>>,
    /// Where its paths begin: `/`. Of several APIs on a host the longest prefix wins.
    #[schemars(extend("examples" = ["/orders"]))]
    pub path_prefix: Option<String>,
    /// Whether the prefix is removed before forwarding: false. Operations name whole paths anyway.
    pub strip_prefix: Option<bool>,
    /// Its URL as clients see it; the identifier when that is a URL.
    #[schemars(extend("examples" = ["https://orders.example.com"]))]
    pub public_url: Option<String>,
    /// Where allowed requests go: `http://127.0.0.1:3000`, `https://orders.internal` or
    /// `unix:/run/orders.sock`.
    #[schemars(extend("examples" = ["http://127.0.0.1:3000"]))]
    pub upstream: Option<String>,
    /// TLS towards an `https://` upstream.
    pub upstream_tls: Option<UpstreamTls>,
    /// The issuers that it trusts; required once two are configured.
    pub issuers: Option<Vec<String>>,
    /// Further audiences that mean this API.
    pub audiences: Vec<String>,
    /// Whether refusals are enforced (the default) or only reported.
    pub enforcement: Option<Enforcement>,
    /// With `enforcement: report`, whether refusals of the token itself are only reported too: false.
    pub report_tokens: Option<bool>,
    /// What happens to a token that holds more than its grant gives: reject.
    pub over_ceiling: Option<OverCeiling>,
    /// What becomes of the `Authorization` header of an allowed request: keep.
    pub authorization: Option<AuthorizationHeader>,
    /// What a path gets that no operation lists: deny.
    pub unlisted: Option<Unlisted>,
    /// The secret of HMAC-signed tokens for this API alone: `"${env:NAME}"` or `"${file:/path}"`.
    #[schemars(extend("writeOnly" = true))]
    pub hs_secret: Option<String>,
    /// What can be done with the API, and what each asks.
    pub operations: Vec<Operation>,
}

/// Whether refusals are enforced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Enforcement {
    /// A refused request ends at the gate.
    Enforce,
    /// It passes, and is recorded.
    Report,
}

/// What happens to a token that holds more than its grant gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OverCeiling {
    /// The request is refused.
    Reject,
    /// What is above the grant is dropped; needs `authorization: remove`.
    Trim,
}

/// What becomes of the `Authorization` header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuthorizationHeader {
    /// The upstream receives it.
    Keep,
    /// The upstream does not.
    Remove,
}

/// What a path gets that no operation lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unlisted {
    /// Any token that passes the other rules is let through.
    AnyToken,
    /// It is refused.
    Deny,
}

/// Methods and path, and what they ask. Exactly one kind of need is written: scopes or details
/// types, or `any_token: true`, or `public: true`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("examples" = [{"on": "GET /orders", "scopes": ["read:orders"]}]))]
pub struct Operation {
    /// Methods and path: `GET /orders/{id}`, `POST,PUT /orders/*`, `* /admin/*`.
    pub on: Option<String>,
    /// Scopes that are needed, all of them.
    pub scopes: Vec<String>,
    /// Scopes of which one is needed.
    pub any_scopes: Vec<String>,
    /// Authorization details types that are needed, all of them.
    pub authorization_details: Vec<String>,
    /// Any token that passes the other rules.
    pub any_token: Option<bool>,
    /// No token at all, under any policy.
    pub public: Option<bool>,
}
