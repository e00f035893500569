//! The gate of an API: what Auth0 does not know of it.

use schemars::JsonSchema;
use serde::Deserialize;

use super::UpstreamTls;

/// How an API is served.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Gate {
    /// The host names that mean it: exact, or `*.example.com`. Any when left out.
    #[schemars(extend("examples" = [["orders.example.com"]]))]
    pub hosts: Option<Vec<String>>,
    /// Where its paths begin: `/`. Of several APIs on a host the longest prefix wins.
    #[schemars(extend("default" = "/", "examples" = ["/orders"]))]
    pub path_prefix: Option<String>,
    /// Whether the prefix is removed before forwarding: false. Operations name whole paths anyway.
    #[schemars(extend("default" = false))]
    pub strip_prefix: Option<bool>,
    /// Its URL as clients see it; the identifier when left out.
    #[schemars(extend("examples" = ["https://orders.example.com"]))]
    pub public_url: Option<String>,
    /// Required. Where allowed requests go: scheme, host and port, nothing behind them
    /// (`http://127.0.0.1:3000`, `https://orders.internal`); or a unix socket by its whole path
    /// (`unix:/run/orders.sock`).
    #[schemars(extend("examples" = ["http://127.0.0.1:3000"]))]
    pub upstream: Option<String>,
    /// TLS towards an `https://` upstream.
    pub upstream_tls: Option<UpstreamTls>,
    /// What is spoken to the upstream: `auto` (the default) is HTTP/2 where an `https://` upstream offers
    /// it and HTTP/1.1 otherwise; `http1`; `http2`, also without TLS (h2c), which gRPC needs there.
    /// WebSockets always go out by HTTP/1.1.
    #[schemars(extend("default" = "auto"))]
    pub upstream_protocol: Option<UpstreamProtocol>,
    /// The issuers that it trusts, as `issuers[].issuer` names them; required once two are configured.
    #[schemars(extend("examples" = [["https://example.eu.auth0.com/"]]))]
    pub issuers: Option<Vec<String>>,
    /// Further audiences that mean this API, beside its identifier.
    #[schemars(extend("examples" = [["api://orders"]]))]
    pub audiences: Vec<String>,
    /// Whether refusals are enforced (the default) or only reported: with `report` a request that would
    /// be refused passes with `Grantgate-Decision: would-refuse` and without identity headers, and its
    /// record says `would_refuse`. Refused all the same: 400s, 404, 405, limits, missing keys; and 401s,
    /// unless `report_tokens`.
    #[schemars(extend("default" = "enforce"))]
    pub enforcement: Option<Enforcement>,
    /// With `enforcement: report`, whether refusals of the token itself (401) are only reported too:
    /// false.
    #[schemars(extend("default" = false))]
    pub report_tokens: Option<bool>,
    /// What happens to a token that holds more than its grant gives: reject.
    #[schemars(extend("default" = "reject"))]
    pub over_ceiling: Option<OverCeiling>,
    /// What becomes of the `Authorization` header of an allowed request: keep.
    #[schemars(extend("default" = "keep"))]
    pub authorization: Option<AuthorizationHeader>,
    /// What a path gets that no operation lists: deny (`operation-unlisted`).
    #[schemars(extend("default" = "deny"))]
    pub unlisted: Option<Unlisted>,
    /// What becomes of streams that are open (answers and uploads that are not over yet, WebSockets) when
    /// their token expires, or when a reload takes away what let them in: `cut` (the default) or `keep`.
    #[schemars(extend("default" = "cut"))]
    pub streams: Option<Streams>,
    /// What pages of other origins may do, answered by the gate: it answers their preflights and adds
    /// `Access-Control-*` to every answer, refusals too; those of the upstream are replaced.
    pub cors: Option<Cors>,
    /// What becomes of preflights (`OPTIONS` with `Origin` and `Access-Control-Request-Method`) where
    /// there is no `cors`: `decide` (the default) like any request, or `pass`: those that ask for a listed
    /// operation reach the upstream, without `Authorization` and cookies; one whose query holds a token
    /// does not.
    #[schemars(extend("default" = "decide"))]
    pub preflight: Option<Preflight>,
    /// Whether WebSocket clients may send their token as `Sec-WebSocket-Protocol:
    /// grantgate.bearer.<token>`, because browsers cannot send `Authorization` there: false. It counts
    /// from pages of `cors.origins` alone, and does not reach the upstream.
    #[schemars(extend("default" = false))]
    pub websocket_tokens: Option<bool>,
    /// The secret of HMAC-signed tokens for this API alone, of at least 32 bytes (HS256), 48 (HS384) or
    /// 64 (HS512): `"${env:NAME}"` or `"${file:/path}"`, never the secret itself. Such an API trusts
    /// exactly one issuer.
    #[schemars(extend("writeOnly" = true, "examples" = ["${env:ORDERS_SECRET}"]))]
    pub hs_secret: Option<String>,
    /// An OpenAPI document (3.0 or 3.1) whose operations count too, each with what its `security` asks: a
    /// path, of which a relative one starts at the folder of this file. It is read anew whenever it changes.
    /// An operation that stands under `operations` takes the place of the one in the document with that
    /// method and path.
    #[schemars(extend("examples" = ["openapi.yaml"]))]
    pub openapi: Option<String>,
    /// What can be done with the API, and what each asks. The most specific path wins, segment by
    /// segment: a literal before `{name}` before `*`.
    pub operations: Vec<Operation>,
}

/// What is spoken to an upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UpstreamProtocol {
    /// HTTP/2 where it is offered by TLS, else HTTP/1.1.
    Auto,
    /// HTTP/1.1.
    Http1,
    /// HTTP/2.
    Http2,
}

/// What becomes of open streams that would not be let in any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Streams {
    /// They end.
    Cut,
    /// They go on to their own end.
    Keep,
}

/// What pages of other origins may do (CORS).
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("examples" = [{"origins": ["https://app.example.com"]}]))]
pub struct Cors {
    /// Required. The origins: scheme and host, with a port where it is not the scheme's own
    /// (`https://app.example.com`); `"*"` is any, which cannot have `credentials`.
    #[schemars(extend("examples" = [["https://app.example.com"]]))]
    pub origins: Option<Vec<String>>,
    /// The methods: those of the API's operations when left out.
    #[schemars(extend("examples" = [["GET", "POST"]]))]
    pub methods: Option<Vec<String>>,
    /// The header fields that pages may send beside `authorization`: `content-type` when left out.
    #[schemars(extend("examples" = [["content-type", "x-request-id"]]))]
    pub headers: Option<Vec<String>>,
    /// Whether pages may let the browser send cookies along: false. Tokens need none.
    #[schemars(extend("default" = false))]
    pub credentials: Option<bool>,
    /// For how long browsers may remember a preflight's answer: 10m.
    #[schemars(extend("default" = "10m", "examples" = ["10m"]))]
    pub max_age: Option<String>,
}

/// What becomes of preflights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Preflight {
    /// They are decided like any request.
    Decide,
    /// Those that ask for a listed operation pass.
    Pass,
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
    /// Required. Methods and path: `GET /orders/{id}`, `POST,PUT /orders/*`, `* /admin/*`. `{name}` is one segment,
    /// a last `*` one or more (`/orders/*` is not `/orders`); `GET` covers `HEAD`; `*` as the method is any.
    #[schemars(extend("examples" = ["GET /orders/{id}"]))]
    pub on: Option<String>,
    /// Scopes that are needed, all of them.
    #[schemars(extend("examples" = [["read:orders"]]))]
    pub scopes: Vec<String>,
    /// Scopes of which one is needed, beside all `scopes`.
    #[schemars(extend("examples" = [["write:orders", "admin:orders"]]))]
    pub any_scopes: Vec<String>,
    /// Authorization details types that are needed, all of them.
    #[schemars(extend("examples" = [["payment"]]))]
    pub authorization_details: Vec<String>,
    /// `true`: any token that passes the other rules, with whatever scopes.
    pub any_token: Option<bool>,
    /// `true`: no token is needed, under any policy; one that comes is ignored and removed. The methods
    /// are named.
    pub public: Option<bool>,
    /// What a connection may be turned into: `[websocket]`, or nothing. Without it a request to upgrade
    /// is forwarded as a plain one.
    #[schemars(extend("examples" = [["websocket"]]))]
    pub upgrade: Vec<Upgrade>,
}

/// What a connection may be turned into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Upgrade {
    /// A WebSocket (RFC 6455; over HTTP/2, RFC 8441).
    Websocket,
}
