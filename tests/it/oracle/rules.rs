//! The oracle: the rules of the decision, transcribed from the specification.
//!
//! A world and a request go in, the [`Answer`] comes out. One function per rule, in the order of the
//! rules, each under the words that it transcribes; lists are scanned and sets are sets of strings.
//! Nothing of the engine is used here, or the two could be wrong together. Tokens are judged by what
//! was put into them, not by their text.

mod browsers;
mod caller;
mod ceiling;
mod target;
mod token;

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::request::Request;
use super::world::{Api, Issuer, Need, World};
use caller::{
    rule_4_application, rule_5_subject_type, rule_6_policy, rule_7_validity, rule_8_organization,
};
use ceiling::{Holding, rule_9_ceiling, rule_10_details, rule_11_need, token_scopes};
use target::{Listing, rule_1_api, rule_2_operation};
use token::{details_of, rule_3_token};

type Claims = Map<String, Value>;
type Set = BTreeSet<String>;

/// What the engine must say to a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Answer {
    /// Why it passes: `grant`, `allow-all`, `preflight`, `public` or `reported`; absent when it is refused.
    pub(super) basis: Option<&'static str>,
    /// The code of the refusal, or of what would be one if the API did more than report.
    pub(super) code: Option<&'static str>,
    pub(super) grant: Option<String>,
    pub(super) effective_scopes: Set,
    pub(super) effective_details: Set,
    pub(super) excess: Set,
    /// The scopes of the challenge.
    pub(super) challenge: Set,
    /// The owner of the grant that refuses.
    pub(super) contact: Option<String>,
    /// Of a preflight that the gate answers: whether what it asks is allowed.
    pub(super) preflight: Option<bool>,
}

impl Answer {
    fn refuse(code: &'static str) -> Self {
        Self { code: Some(code), ..Self::default() }
    }
}

/// "Rules in order; the first that fails names the code."
pub(super) fn decide(world: &World, request: &Request) -> Answer {
    let api = match rule_1_api(world, request) {
        Ok(api) => api,
        Err(code) => return Answer::refuse(code),
    };
    if let Some(answer) = browsers::preflight(api, request) {
        return answer;
    }
    let anything = Need { any_token: true, ..Need::default() };
    let (need, operation) = match rule_2_operation(api, request) {
        // "`public: true` needs no token, is open under any policy, ignores a token that comes".
        Listing::Listed(operation) if operation.need.public => {
            return Answer { basis: Some("public"), ..Answer::default() };
        }
        Listing::Listed(operation) => (&operation.need, Some(operation)),
        // "A refusal for the token is named before `method-refused`, `operation-unlisted` and the
        // case-or-slash ambiguity of section 5 (except on a path that has a public operation)".
        Listing::OtherMethods { public } => {
            return target_refused("method-refused", public, world, api, request);
        }
        Listing::Near { public } => {
            return target_refused("path-ambiguous", public, world, api, request);
        }
        // "A path not listed → as `unlisted` says: `deny` (`operation-unlisted`) or `any_token`."
        Listing::Unlisted if api.unlisted_any_token => (&anything, None),
        Listing::Unlisted => {
            return match rule_3_token(world, api, None, request) {
                Err(code) => token_refused(api, code),
                Ok(_) => refused_unless_reporting(api, Answer::refuse("operation-unlisted")),
            };
        }
    };
    let (issuer, token) = match rule_3_token(world, api, operation, request) {
        Err(code) => return token_refused(api, code),
        Ok(verified) => verified,
    };
    match rules_4_to_11(world, api, need, issuer, &token.claims) {
        Ok(allowed) => allowed,
        Err(refusal) => refused_unless_reporting(api, refusal),
    }
}

/// A refusal that report mode never covers ("Never covered: 400s, 404, 405"), behind the token's.
fn target_refused(
    code: &'static str,
    public: bool,
    world: &World,
    api: &Api,
    request: &Request,
) -> Answer {
    if !public
        && let Err(refusal) = rule_3_token(world, api, None, request)
        && !is_waived(api, refusal)
    {
        return Answer::refuse(refusal);
    }
    Answer::refuse(code)
}

/// "`report_tokens: true` widens it to the 401s of rule 3."
fn token_refused(api: &Api, code: &'static str) -> Answer {
    if is_waived(api, code) {
        return Answer { basis: Some("reported"), ..Answer::refuse(code) };
    }
    Answer::refuse(code)
}

/// Whether a refusal of rule 3 is let through: 400s never are.
fn is_waived(api: &Api, code: &str) -> bool {
    api.report && api.report_tokens && code != "credential-ambiguous"
}

/// "`enforcement: report` on an API lets refusals of rules 4–11 and `operation-unlisted` through as
/// `would_refuse`".
fn refused_unless_reporting(api: &Api, refusal: Answer) -> Answer {
    Answer { basis: api.report.then_some("reported"), ..refusal }
}

/// Everything behind the token: "Rules 4–10 run for every operation that is not public."
fn rules_4_to_11(
    world: &World,
    api: &Api,
    need: &Need,
    issuer: &Issuer,
    claims: &Claims,
) -> Result<Answer, Answer> {
    let client = rule_4_application(issuer, claims).map_err(Answer::refuse)?;
    let subject = rule_5_subject_type(issuer, claims, &client).map_err(Answer::refuse)?;
    let grant = rule_6_policy(world, api, issuer, &client, subject).map_err(Answer::refuse)?;
    let by_grant = |refusal: Answer| {
        let contact = grant.and_then(|grant| grant.owner.clone());
        Answer { contact, ..refusal }
    };
    rule_7_validity(grant).map_err(Answer::refuse).map_err(by_grant)?;
    rule_8_organization(grant, issuer, claims, subject)
        .map_err(Answer::refuse)
        .map_err(by_grant)?;

    let held = token_scopes(api, issuer, claims, subject);
    let ceiling = rule_9_ceiling(api, grant, &held).map_err(by_grant)?;
    let details = details_of(issuer, claims).expect("rule 3 has read them");
    let details_ceiling = rule_10_details(api, grant, &details).map_err(by_grant)?;
    let holds = Holding { scopes: held.usable, details };
    let may = Holding { scopes: ceiling, details: details_ceiling };
    rule_11_need(need, &holds, &may).map_err(by_grant)?;
    Ok(Answer {
        basis: Some(if grant.is_some() { "grant" } else { "allow-all" }),
        grant: grant.map(|grant| grant.id.clone()),
        effective_scopes: &holds.scopes & &may.scopes,
        effective_details: &holds.details & &may.details,
        ..Answer::default()
    })
}
