//! What was asked when a decision was logged, as far as its record tells.
//!
//! A record of a caller who is known has all that the policy rules look at: a token that says the same is
//! made up for it. One without keeps no claims, and its code alone tells what was wrong.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::Known;
use super::answer::{Answer, Recorded};
use super::record::Logged;
use crate::config::instant;
use crate::config::snapshot::{ServedApi, Snapshot};
use crate::explain::remedy::Advice;
use crate::explain::{self, Explanation, explain};
use crate::gate::{Code, Env, Outcome, Refusal, Rule, Shown, Step, Supposed, Verdict};
use crate::policy::{Permit, SubjectType, UnixTime};
use crate::token::{Caller, Profile, VerifiedCache, compose};

/// A logged decision, made again.
pub struct Replayed {
    pub explanation: Explanation,
    /// What can be asked again, and its time; none where the record does not tell it.
    pub asked: Option<(Supposed, UnixTime)>,
    recorded: Recorded,
}

impl Replayed {
    pub fn answer(self, advice: Option<Advice>) -> Answer {
        let Self { explanation, recorded, .. } = self;
        Answer { explanation, advice, recorded: Some(recorded) }
    }
}

/// Makes the decision of a record again.
///
/// # Errors
/// When the record is no question that could be asked.
pub fn replay(record: &Logged, snapshot: &Snapshot) -> Result<Replayed, String> {
    let at = instant(&record.time).ok_or("the record's time cannot be read")?;
    let written = record.refusal();
    let code = Code::ALL.iter().copied().find(|code| Some(code.as_str()) == written);
    let rule = code.and_then(|code| Rule::of(code, record.api.is_some()));

    let served = record.api.as_deref().map(|name| served(name, snapshot)).transpose()?;
    let caller = KnownCaller::of(record);
    let shown = match (served, &caller) {
        (Some(served), Some(caller)) => Shown::Claims(caller.claims(record, served, snapshot, at)?),
        _ => Shown::Nothing,
    };
    let supposed = supposed(record, shown, snapshot, served)?;
    let explanation = match (served, code) {
        (Some(_), code) => {
            let code = code.filter(|_| caller.is_none());
            decided(&supposed, snapshot, at, code, record.would_refuse.is_some())
        }
        (None, Some(code)) => of_code(&supposed, snapshot, at, code),
        (None, None) => return Err("the record tells neither an API nor a code".to_owned()),
    };
    let remark = remark(caller.is_some(), rule, code);
    let now = explanation.refusal.as_ref().map(|refused| refused.code.as_str());
    let passed =
        record.would_refuse.is_some() == (explanation.verdict == explain::Verdict::WouldRefuse);
    let recorded = Recorded {
        decision_id: record.decision_id.clone(),
        time: record.time.clone(),
        decision: record.decision.clone(),
        code: written.map(str::to_owned),
        // What happened to the request after all rules is not decided again; a code that nobody here knows
        // is none of those.
        same: passed && now == written.filter(|_| rule.is_some() || code.is_none()),
        remark,
    };
    let asked = caller.is_some().then_some((supposed, at));
    Ok(Replayed { explanation, asked, recorded })
}

/// What to know about a decision that is made again.
fn remark(is_caller_known: bool, rule: Option<Rule>, code: Option<Code>) -> String {
    match (is_caller_known, rule, code) {
        (_, None, Some(code)) => {
            format!("no rule refused it, but: {}; {}", code.title(), code.hint())
        }
        (true, ..) => {
            "the token is made up from the record, which keeps its scopes and its organization, \
            and no other claims"
                .to_owned()
        }
        (false, Some(Rule::Api), _) => "records do not keep the host that was asked for".to_owned(),
        (false, ..) => {
            "the record keeps no claims of the token: to see more, explain the token itself"
                .to_owned()
        }
    }
}

fn served<'s>(name: &str, snapshot: &'s Snapshot) -> Result<&'s ServedApi, String> {
    let mut apis = snapshot.apis.iter().filter(|served| served.upstream.is_some());
    apis.find(|served| served.api.identifier.as_str() == name)
        .ok_or_else(|| format!("the record's API `{name}` is not served by this configuration"))
}

/// The request. Records do not keep the host: one that means the API stands for it.
fn supposed(
    record: &Logged,
    shown: Shown,
    snapshot: &Snapshot,
    served: Option<&ServedApi>,
) -> Result<Supposed, String> {
    let Logged { method, path, .. } = record;
    if path.ends_with('…') || method.ends_with('…') {
        return Err("the record keeps but the beginning of the request's path or method".to_owned());
    }
    if served.is_some() {
        return Supposed::new(method, path, shown, snapshot, served).map_err(|it| it.to_string());
    }
    let method = method.parse().map_err(|_| format!("`{method}` is no method"))?;
    Ok(Supposed {
        method,
        host: String::new(),
        origin: None,
        path: path.clone(),
        query: None,
        shown,
    })
}

/// What becomes of the request. Where no claims are known and the token was refused, `code` stands for what
/// was wrong with it.
fn decided(
    supposed: &Supposed,
    snapshot: &Snapshot,
    now: UnixTime,
    code: Option<Code>,
    reported: bool,
) -> Explanation {
    let (keys, cache, held) = (Known::default(), VerifiedCache::with_capacity(0), OnceCell::new());
    let env = Env { keys: &keys, cache: &cache, now };
    let (Step::Done(mut outcome) | Step::NeedKeys { otherwise: mut outcome, .. }) =
        supposed.ask(snapshot, &env, &held);
    if let Some(code) = code
        && stands(code, &outcome)
    {
        let permit = outcome.api.and_then(|served| Permit::reported(&served.api));
        outcome.verdict = match permit.filter(|_| reported) {
            Some(permit) => Verdict::WouldRefuse(permit, code.into()),
            None => Verdict::Refuse(code.into()),
        };
    }
    explain(snapshot, supposed, &outcome, held.get().map(|parsed| &**parsed), now)
}

/// Whether the configuration may still refuse with `code` what was found without any token.
fn stands(code: Code, outcome: &Outcome<'_>) -> bool {
    let (Verdict::Refuse(refusal) | Verdict::WouldRefuse(_, refusal)) = &outcome.verdict else {
        return false;
    };
    refusal.code == Code::TokenMissing
        && match Rule::of(code, true) {
            Some(Rule::Operation) => outcome.operation.is_none(),
            Some(rule) => rule > Rule::Operation,
            None => false,
        }
}

/// What a code alone tells.
fn of_code(supposed: &Supposed, snapshot: &Snapshot, now: UnixTime, code: Code) -> Explanation {
    let verdict = Verdict::Refuse(Refusal::from(code));
    let outcome = Outcome { verdict, api: None, operation: None, caller: None };
    explain(snapshot, supposed, &outcome, None, now)
}

/// Who called, where the record tells.
struct KnownCaller<'r> {
    issuer: &'r str,
    client: &'r str,
    subject_type: SubjectType,
}

impl<'r> KnownCaller<'r> {
    fn of(record: &'r Logged) -> Option<Self> {
        let kind = record.subject_type.as_deref()?;
        Some(Self {
            issuer: record.issuer.as_deref()?,
            client: record.client_id.as_deref()?,
            subject_type: SubjectType::ALL.into_iter().find(|known| known.as_str() == kind)?,
        })
    }

    /// The claims of a token that says what the record tells.
    fn claims(
        &self,
        record: &Logged,
        served: &ServedApi,
        snapshot: &Snapshot,
        issued: UnixTime,
    ) -> Result<Map<String, Value>, String> {
        let Self { issuer, client, subject_type } = *self;
        let known = snapshot.issuers.iter().find(|known| known.trust.issuer.as_str() == issuer);
        let (Some(known), Some(audience)) = (known, served.audiences.first()) else {
            // It is refused as one of an issuer that nobody trusts.
            return Ok([("iss".to_owned(), json!(issuer))].into_iter().collect());
        };
        let of_details = record.refusal() == Some(Code::AuthorizationDetailsExceedGrant.as_str());
        let excess = record.excess_scopes.iter().map(String::as_str);
        let (excess, details): (Vec<_>, Vec<_>) = if of_details {
            (Vec::new(), excess.collect())
        } else {
            (excess.collect(), Vec::new())
        };
        let profile = &known.trust.profile;
        let own = record.scopes.iter().filter_map(|scope| bare(scope, profile, served));
        let effective = record.effective_scopes.iter().map(String::as_str);
        let scopes: BTreeSet<_> = own
            .chain(effective)
            .chain(excess.iter().filter_map(|it| bare(it, profile, served)))
            .collect();
        let caller = Caller {
            issuer,
            audience,
            client,
            subject_type,
            scopes: scopes.into_iter().collect(),
            organization: record.organization.as_deref(),
            details,
            issued,
        };
        compose(profile, &caller).map_err(|error| error.to_string())
    }
}

/// A scope's name, where scopes say whose they are; none where it is another API's.
fn bare<'r>(scope: &'r str, profile: &Profile, served: &ServedApi) -> Option<&'r str> {
    match scope.rsplit_once('/').filter(|_| matches!(profile, Profile::Cognito)) {
        None => Some(scope),
        Some((owner, name)) => {
            served.audiences.iter().any(|audience| audience.as_str() == owner).then_some(name)
        }
    }
}
