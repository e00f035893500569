//! What may be written in a suite, before anything is known of its meaning. The doc comments are the
//! reference that users read.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Expect;
use crate::config::raw::SubjectType;

/// A policy suite: cases that say how requests must be decided.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Suite {
    /// When the requests come, such as `"2026-01-01T00:00:00Z"` (RFC 3339); when the suite runs, where it
    /// is left out. A suite about grants that expire says it.
    #[schemars(extend("examples" = ["2026-01-01T00:00:00Z"]))]
    pub now: Option<String>,
    /// Required where several APIs are served and requests are written without a host. The `identifier` of
    /// the API that they are for.
    #[schemars(extend("examples" = ["https://orders.example.com"]))]
    pub api: Option<String>,
    /// Required. The cases, at most 10000 with all their rows.
    pub cases: Vec<Case>,
}

/// One case, or a table of them.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("examples" = [{"name": "the web app reads orders for its users"}]))]
pub struct Case {
    /// Required. What it says of the policy, in words.
    #[schemars(extend("examples" = ["the web app reads orders for its users"]))]
    pub name: Option<String>,
    /// Who calls, in a few words: the token is what the issuer would write for it. A case says exactly one
    /// of `caller`, `claims` and `no_token`.
    pub caller: Option<Caller>,
    /// Instead: the claims of the token. They are taken as they are, but that `iat` is the time of the
    /// request and `exp` an hour later where they are left out.
    #[schemars(extend("examples" = [{"iss": "https://example.eu.auth0.com/", "sub": "auth0|1"}]))]
    pub claims: Option<Map<String, Value>>,
    /// Instead: that no token comes.
    #[schemars(extend("default" = false))]
    pub no_token: Option<bool>,
    /// Required. The method, and a path or a whole URL.
    #[schemars(extend("examples" = ["GET /orders/42"]))]
    pub request: Option<String>,
    /// Required. How it must be decided: `allow`, or the code of the refusal. Of an API that only reports,
    /// the code is that of what would be refused.
    pub expect: Option<Expect>,
    /// Exactly the scopes that the request may use, where it is allowed. Not looked at when left out.
    #[schemars(extend("examples" = [["read:orders"]]))]
    pub effective_scopes: Option<Vec<String>>,
    /// A table: each row is this case with the keys that it writes in place of the case's own.
    pub rows: Vec<Row>,
}

/// A row of a table: what differs from its case.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("examples" = [{"request": "GET /orders/42", "expect": "allow"}]))]
pub struct Row {
    /// What this row says; its number, where it is left out.
    #[schemars(extend("examples" = ["for a partner"]))]
    pub name: Option<String>,
    /// Key by key in place of the case's `caller`; or instead of its `claims`.
    pub caller: Option<Caller>,
    /// Claim by claim in place of the case's `claims`, where `null` takes one away; or instead of its
    /// `caller`.
    #[schemars(extend("examples" = [{"org_id": "org_acme"}]))]
    pub claims: Option<Map<String, Value>>,
    /// That no token comes, whatever the case says.
    #[schemars(extend("default" = false))]
    pub no_token: Option<bool>,
    /// In place of the case's `request`.
    #[schemars(extend("examples" = ["GET /orders/42"]))]
    pub request: Option<String>,
    /// In place of the case's `expect`.
    pub expect: Option<Expect>,
    /// In place of the case's `effective_scopes`.
    #[schemars(extend("examples" = [["read:orders"]]))]
    pub effective_scopes: Option<Vec<String>>,
}

/// Who calls, in a few words.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("examples" = [{"client_id": "web-app", "subject_type": "user"}]))]
pub struct Caller {
    /// Required. The application, by its id at the issuer.
    #[schemars(extend("examples" = ["web-app"]))]
    pub client_id: Option<String>,
    /// Required where the API trusts several. The issuer, as `issuers[].issuer` names it.
    #[schemars(extend("examples" = ["https://example.eu.auth0.com/"]))]
    pub issuer: Option<String>,
    /// For whom the token is; the API's `identifier` when left out.
    #[schemars(extend("examples" = ["https://orders.example.com"]))]
    pub audience: Option<String>,
    /// On whose behalf it calls: client by default, as of a grant.
    #[schemars(extend("default" = "client", "examples" = ["user"]))]
    pub subject_type: Option<SubjectType>,
    /// What the token holds; nothing when left out.
    #[schemars(extend("examples" = [["read:orders"]]))]
    pub scopes: Option<Vec<String>>,
    /// The organization that the token was issued for; none when left out. A row cannot take it away.
    #[schemars(extend("examples" = ["org_acme"]))]
    pub organization: Option<String>,
    /// The types of the token's authorization details; none when left out.
    #[schemars(extend("examples" = [["payment"]]))]
    pub authorization_details_types: Option<Vec<String>>,
}

impl From<&Case> for Row {
    fn from(case: &Case) -> Self {
        Self {
            name: case.name.clone(),
            caller: case.caller.clone(),
            claims: case.claims.clone(),
            no_token: case.no_token,
            request: case.request.clone(),
            expect: case.expect,
            effective_scopes: case.effective_scopes.clone(),
        }
    }
}
