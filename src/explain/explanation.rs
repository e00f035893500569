//! All that is said of a decision, as data: what JSON shows, what the admin listener sends, and what the text
//! is written from. Where something stands is `file:line`, absent where it is written nowhere.

use serde::{Deserialize, Serialize};

/// Why a call is decided as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// How it is decided.
    pub verdict: Verdict,
    /// Why it is, or would be, refused.
    pub refusal: Option<Refused>,
    /// The time that it is decided at (RFC 3339).
    pub time: String,
    /// What was asked for.
    pub request: Request,
    /// The API, once known.
    pub api: Option<Named>,
    /// The operation, once known.
    pub operation: Option<Operation>,
    /// Who called, once the token is believed.
    pub caller: Option<Caller>,
    /// The grant that counts, where one does.
    pub grant: Option<Grant>,
    /// The token's scopes and what becomes of them, once it is known who called.
    pub scopes: Option<Scopes>,
    /// The same for authorization details, where the token holds any.
    pub authorization_details: Option<Details>,
    /// Every rule in its order.
    pub rules: Vec<Finding>,
}

/// How a call is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It passes.
    Allowed,
    /// It does not.
    Refused,
    /// It would not, and passes because its API only reports.
    WouldRefuse,
}

impl Verdict {
    /// As it is written everywhere.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Refused => "refused",
            Self::WouldRefuse => "would_refuse",
        }
    }
}

/// Why a call is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// The code, as in answers, records and metrics.
    pub code: String,
    /// The rule that refuses, from 1 to 11.
    pub rule: Option<u8>,
    /// The HTTP status of the answer.
    pub status: u16,
    /// What happened, in words that are the same each time.
    pub title: String,
    /// What was wrong in this case.
    pub detail: Option<String>,
    /// What the caller can do next.
    pub hint: String,
    /// Scopes or authorization details types that the operation needs and the caller lacks.
    pub missing: Vec<String>,
    /// Scopes or types that the token holds above the ceiling.
    pub excess: Vec<String>,
    /// Methods that the path is offered with.
    pub allow: Vec<String>,
    /// Whom the caller may ask: the grant's owner.
    pub contact: Option<String>,
}

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The host.
    pub host: String,
    /// Scheme, host and port as they were asked for, where they were: `https://orders.example.com:8443`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// The path in its one spelling, or as it is written where it has none. Never the query.
    pub path: String,
    /// What was shown: `token`, `claims` or `nothing`.
    pub shown: String,
}

/// Something with a name, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub at: Option<String>,
}

/// The operation that was called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// As configured: `GET /orders/{id}`.
    pub on: String,
    /// Where it stands.
    pub at: Option<String>,
    /// What it needs.
    pub needs: Need,
}

/// What an operation needs: all that is given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Need {
    /// In words.
    pub words: String,
    /// Nothing, not even a token.
    pub public: bool,
    /// All of these scopes.
    pub scopes: Vec<String>,
    /// One of these scopes.
    pub any_scopes: Vec<String>,
    /// All of these authorization details types.
    pub authorization_details: Vec<String>,
}

/// Who called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// The token's issuer.
    pub issuer: String,
    /// How its tokens are read.
    pub profile: String,
    /// The application, once known.
    pub client_id: Option<String>,
    /// Whose application it is, once known: `first` or `third`.
    pub party: Option<String>,
    /// On whose behalf it calls, once known.
    pub subject_type: Option<String>,
    /// The token's `sub`.
    pub subject: Option<String>,
    /// The organization that the token was issued for.
    pub organization: Option<String>,
}

/// The grant that counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Its id.
    pub id: String,
    /// Where it stands.
    pub at: Option<String>,
    /// Whose it is: `application`, or `third_party_clients`, whose default one it is.
    pub holder: String,
    /// From when on it gives nothing (RFC 3339).
    pub expires_at: Option<String>,
    /// Whom to ask about it.
    pub owner: Option<String>,
}

/// The token's scopes, and what becomes of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scopes {
    /// What the token holds, by claim.
    pub token: Vec<Held>,
    /// What may be used at most; none where neither policy nor grant gives anything.
    pub ceiling: Option<Vec<String>>,
    /// What the token holds above the ceiling.
    pub excess: Vec<String>,
    /// What it holds that is not about this API.
    pub left_aside: Vec<String>,
    /// What may be used of the token: what it holds within the ceiling.
    pub effective: Vec<String>,
}

/// The scopes in one claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The claim.
    pub claim: String,
    /// What they are, in words.
    pub meaning: String,
    /// The scopes, as they are written.
    pub scopes: Vec<String>,
}

/// The token's authorization details types, and what becomes of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// What the token holds.
    pub token: Vec<String>,
    /// What may be used at most; none where neither policy nor grant gives anything.
    pub ceiling: Option<Vec<String>>,
    /// What the token holds above that.
    pub excess: Vec<String>,
    /// What may be used.
    pub effective: Vec<String>,
}

/// A rule, and how it went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Its number, from 1 to 11.
    pub rule: u8,
    /// Its name.
    pub name: String,
    /// How it went.
    pub outcome: RuleOutcome,
    /// What it saw, each a sentence.
    pub saw: Vec<String>,
}

/// How a rule went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleOutcome {
    /// It has nothing to say of this call.
    NotNeeded,
    /// An earlier one refused.
    NotReached,
    /// It let the call through.
    Passed,
    /// It refused the call.
    Refused,
}
