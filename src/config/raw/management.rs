//! The Management API: where it listens, who may call it, where its writes go.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Tls;

/// The Management API: grants and policies over HTTP, as Auth0's own clients speak it. It is an API of the
/// model itself, `urn:grantgate:management`: what its callers may do, client grants say, which stand in
/// files and are not changed over HTTP. Off when left out.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Management {
    /// Required. Address and port. Changes wait for a restart.
    #[schemars(extend("examples" = ["127.0.0.1:9443"]))]
    pub listen: Option<String>,
    /// Required. Auth0's clients speak HTTPS and nothing else.
    pub tls: Option<Tls>,
    /// Its URL as clients see it, such as `https://grants.example.com:9443`: `/api/v2/` below it is then
    /// an audience of the tokens of `issuers`, too.
    #[schemars(extend("examples" = ["https://grants.example.com:9443"]))]
    pub public_url: Option<String>,
    /// Applications that get their tokens here, by `POST /oauth/token`. Each has a client grant for
    /// `urn:grantgate:management`.
    pub clients: Vec<ManagementClient>,
    /// How long such a token is good: 10m, at most 24h.
    #[schemars(extend("default" = "10m", "examples" = ["10m"]))]
    pub token_lifetime: Option<String>,
    /// Issuers whose tokens are taken, too: those of `issuers` by their names. None by default.
    #[schemars(extend("examples" = [["https://example.eu.auth0.com/"]]))]
    pub issuers: Vec<String>,
    /// Whose applications grants are given to: an issuer of `issuers`, by its name. May be left out where the
    /// grant's API trusts one. Where it stands, grants of other issuers are not shown.
    #[schemars(extend("examples" = ["https://example.eu.auth0.com/"]))]
    pub grants_issuer: Option<String>,
    /// The file that new grants and APIs are added to: the name of a `*.yaml`, `*.yml` or `*.json` of the
    /// configuration's folder, which comes to be with the first. A `*.json` that comes to be so is the
    /// gateway's own, and takes very many grants. Left out: the only file that has such a list.
    #[schemars(extend("examples" = ["grants.yaml"]))]
    pub file: Option<String>,
    /// Requests per second that each client may make on average, and so many at once: 50. Requests without
    /// a good token are counted by the address that they come from, and so are failed requests for a token,
    /// apart from them. Clients that come from one address, a balancer's, share the latter: while somebody
    /// guesses secrets there faster than this, none of them gets a token; tokens that they hold stay good.
    #[schemars(extend("default" = 50, "minimum" = 1, "maximum" = 10000))]
    pub rate_limit: Option<u32>,
}

/// An application that manages, and gets its tokens here.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("examples" = [{"client_id": "deploy-tool", "client_secret": "${env:DEPLOY_TOOL_SECRET}"}]))]
pub struct ManagementClient {
    /// Required. Its id.
    pub client_id: Option<String>,
    /// Required. Where its secret is, at least 32 bytes: `"${env:NAME}"` or `"${file:/path}"`.
    #[schemars(extend("writeOnly" = true, "examples" = ["${env:DEPLOY_TOOL_SECRET}"]))]
    pub client_secret: Option<String>,
    /// Its name for people; decides nothing.
    pub name: Option<String>,
}
