//! Issuers: what is trusted in their tokens, and where their keys come from.

use schemars::JsonSchema;
use serde::Deserialize;

/// An issuer of tokens.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("examples" = [{"issuer": "https://example.eu.auth0.com/", "profile": "auth0"}]))]
pub struct Issuer {
    /// Required. Its name, compared with the token's `iss` byte for byte: a final slash counts. Where
    /// keys are discovered, a URL.
    #[schemars(extend("examples" = ["https://example.eu.auth0.com/"]))]
    pub issuer: Option<String>,
    /// Required. What kind of issuer it is: how its tokens say which application calls, and for whom.
    pub profile: Option<Profile>,
    /// The signature algorithms that are accepted: `RS256`, `RS384`, `RS512`, `PS256`, `PS384`, `PS512`,
    /// `ES256`, `ES384`, `ES512`, `EdDSA`; all of these by default. HMAC belongs to one API: see
    /// `gate.hs_secret`.
    #[schemars(extend("examples" = [["RS256"]]))]
    pub algorithms: Option<Vec<String>>,
    /// The URL of its key set, where discovery (`/.well-known/openid-configuration` below the issuer)
    /// is not wanted. Of `jwks_uri`, `jwks_file`, `jwks` and `pem_file` at most one is written.
    #[schemars(extend("examples" = ["https://example.eu.auth0.com/.well-known/jwks.json"]))]
    pub jwks_uri: Option<String>,
    /// A file with its key set as JSON, relative to this file; read again when it changes.
    #[schemars(extend("examples" = ["keys.json"]))]
    pub jwks_file: Option<String>,
    /// Its key set, written here. `{keys: []}` says that it has none, where every API that trusts it
    /// has a secret of its own.
    #[schemars(extend("examples" = [{"keys": []}]))]
    pub jwks: Option<serde_json::Map<String, serde_json::Value>>,
    /// A file with public keys or certificates as PEM, relative to this file: at most 4 of one kind,
    /// for they have no `kid` and each is tried.
    #[schemars(extend("examples" = ["issuer.pem"]))]
    pub pem_file: Option<String>,
    /// Whether its keys may be fetched by plain HTTP: false; loopback always may.
    #[schemars(extend("default" = false))]
    pub allow_http: Option<bool>,
    /// A file with the authorities that the certificates of its hosts may come from, as PEM, relative
    /// to this file; those of this machine when left out.
    #[schemars(extend("examples" = ["issuer-ca.crt"]))]
    pub ca: Option<String>,
    /// How far the clocks of issuer and gateway may be apart, in whole seconds and at most 5m: 30s.
    #[schemars(extend("default" = "30s", "examples" = ["30s"]))]
    pub leeway: Option<String>,
    /// The least time between two fetches of its keys that requests caused: 30s. Without requests they
    /// are fetched as often as their host's cache headers say, between 1m and 24h; every 15m where those
    /// say nothing.
    #[schemars(extend("default" = "30s", "examples" = ["30s"]))]
    pub refresh_cooldown: Option<String>,
    /// How long fetched keys stay in use while they cannot be fetched again, between 1m and 168h: 24h.
    /// Then its tokens are answered `keys-unavailable` until a fetch succeeds.
    #[schemars(extend("default" = "24h", "examples" = ["24h"]))]
    pub max_stale: Option<String>,
    /// What a token is that shows neither a user nor a machine: refused by default
    /// (`subject-type-ambiguous`).
    #[schemars(extend("default" = "refuse"))]
    pub unproven: Option<Unproven>,
    /// Which claims hold what (profile `custom` only).
    pub claims: Option<Claims>,
    /// Token types (`typ`) accepted beside `at+jwt` (profile `custom` only); `none` stands for
    /// tokens without one.
    #[schemars(extend("examples" = [["JWT"]]))]
    pub types: Vec<String>,
    /// Any of these tells a token that an application got for itself (profile `custom` only).
    #[schemars(extend("examples" = [[{"claim": "gty", "equals": "client-credentials"}]]))]
    pub machine: Vec<Sign>,
    /// Any of these tells a token that an application got for a user (profile `custom` only).
    #[schemars(extend("examples" = [[{"claim": "sub", "contains": "|"}]]))]
    pub user: Vec<Sign>,
}

/// How an issuer's tokens say who calls for whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// Auth0, in all four of its token dialects.
    Auth0,
    /// Amazon Cognito. Where a token has no `aud`, its scopes say whose they are: those that begin
    /// with the API's `identifier` (or one of its `gate.audiences`) and a slash count, without them.
    Cognito,
    /// As `claims`, `types`, `machine` and `user` say.
    Custom,
    /// Microsoft Entra ID, tokens of version 1.0 and 2.0. An application's `roles` are its scopes; a
    /// user's roles are not. Tokens have no organization: name each tenant's issuer.
    Entra,
    /// Ory Hydra with JWT access tokens. An organization is read from `org_id`, also within `ext`.
    Hydra,
    /// Keycloak. Organizations are known by their alias.
    Keycloak,
    /// Okta's custom authorization servers.
    Okta,
    /// RFC 9068 to the letter.
    Rfc9068,
}

/// What a token is that shows neither a user nor a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unproven {
    /// It is refused.
    Refuse,
    /// It counts as a user's.
    User,
}

/// Which claims hold what.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Claims {
    /// The claims that name the application, `azp` and `client_id` when left out; those that are
    /// present must agree.
    #[schemars(extend("default" = ["azp", "client_id"]))]
    pub client_id: Vec<String>,
    /// The claim that holds the scopes, a text or a list: `scope`.
    #[schemars(extend("default" = "scope"))]
    pub scopes: Option<String>,
    /// The claim that holds the organization's id: `org_id`.
    #[schemars(extend("default" = "org_id"))]
    pub organization: Option<String>,
    /// The claim that holds authorization details: `authorization_details`.
    #[schemars(extend("default" = "authorization_details"))]
    pub authorization_details: Option<String>,
}

/// A sign in a token: a claim that equals or contains a text. Exactly one of `equals` and `contains`
/// is written.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Sign {
    /// Required. The claim's name, at the top level of the token.
    pub claim: Option<String>,
    /// The text that it equals.
    pub equals: Option<String>,
    /// The text that it contains somewhere; of a list, the item that is in it.
    pub contains: Option<String>,
}
