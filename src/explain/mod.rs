//! Why a call is decided as it is, and what would have to change for it to pass.
//!
//! | file | |
//! |---|---|
//! | `explanation` | all that is said of a decision, as data |
//! | `case` | what the decision was made from, read once more for people |
//! | `facts` | who called what, and by which grant |
//! | `findings` | each rule in its order: how it went |
//! | `place` `token` `application` `grant` `ceiling` | what the rules saw |
//! | `text` | the explanation as text |
//! | `remedy` | what would have to be otherwise |
//!
//! In comes a question and the [`Outcome`] that [`gate::check`](crate::gate::check()) gave it; out comes an
//! [`Explanation`]. The outcome is the truth: which rule refused is told by its code, those before it
//! passed, and what is added is but what they saw. Nothing here decides, and nothing holds a token or a query.

mod application;
mod case;
mod ceiling;
mod explanation;
mod facts;
mod findings;
mod grant;
mod place;
pub mod remedy;
mod text;
mod token;
mod words;

#[cfg(test)]
mod tests;

pub use explanation::{
    Caller, Details, Explanation, Finding, Grant, Held, Named, Need, Operation, Refused, Request,
    RuleOutcome, Scopes, Verdict,
};
pub use text::text;

use crate::config::snapshot::Snapshot;
use crate::gate::{self, Outcome, Refusal, Rule, Supposed};
use crate::policy::{Rfc3339, UnixTime};
use crate::token::Parsed;

use case::Case;

/// Explains `outcome`, which was given to `supposed` at `now`. `parsed` is the token that was taken apart for
/// it, where one was.
pub fn explain(
    snapshot: &Snapshot,
    supposed: &Supposed,
    outcome: &Outcome<'_>,
    parsed: Option<&Parsed>,
    now: UnixTime,
) -> Explanation {
    let case = Case::new(snapshot, supposed, outcome, parsed, now);
    let (verdict, refusal) = match &outcome.verdict {
        gate::Verdict::Pass(_) | gate::Verdict::Preflight(true) => (Verdict::Allowed, None),
        gate::Verdict::Preflight(false) => (Verdict::Refused, None),
        gate::Verdict::Refuse(refusal) => (Verdict::Refused, Some(refusal)),
        gate::Verdict::WouldRefuse(_, refusal) => (Verdict::WouldRefuse, Some(refusal)),
    };
    Explanation {
        verdict,
        refusal: refusal.map(|refusal| refused(refusal, case.refused_by)),
        time: Rfc3339(now).to_string(),
        request: case.request(),
        api: case.api(),
        operation: case.operation(),
        caller: case.caller(),
        grant: case.grant(),
        scopes: case.scopes(),
        authorization_details: case.details(),
        rules: case.findings(),
    }
}

fn refused(refusal: &Refusal, rule: Option<Rule>) -> Refused {
    let code = refusal.code;
    Refused {
        code: code.as_str().to_owned(),
        rule: rule.map(Rule::number),
        status: code.status().as_u16(),
        title: code.title().to_owned(),
        detail: refusal.detail.clone(),
        hint: code.hint().to_owned(),
        missing: refusal.missing_scopes.clone(),
        excess: refusal.excess_scopes.clone(),
        allow: refusal.allow.iter().map(ToString::to_string).collect(),
        contact: refusal.contact().map(str::to_owned),
    }
}
