//! What rule 3 saw: whose token it is, how far it was believed, and where that ended.

use serde_json::Value;

use crate::config::snapshot::ServedApi;
use crate::gate::{Code, Shown};

use super::case::Case;
use super::words::{list, short, time};
use crate::gate::Rule;

/// What is asked of a token, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Presence,
    One,
    Size,
    Shape,
    Issuer,
    Type,
    Algorithm,
    Key,
    Signature,
    Claims,
    Time,
    Audience,
    SenderConstraint,
}

impl Step {
    const ALL: [(Self, &'static str); 13] = [
        (Self::Presence, "presence"),
        (Self::One, "one credential"),
        (Self::Size, "size"),
        (Self::Shape, "shape"),
        (Self::Issuer, "issuer"),
        (Self::Type, "type"),
        (Self::Algorithm, "algorithm"),
        (Self::Key, "key"),
        (Self::Signature, "signature"),
        (Self::Claims, "claims"),
        (Self::Time, "time"),
        (Self::Audience, "audience"),
        (Self::SenderConstraint, "sender constraint"),
    ];
}

impl Case<'_> {
    pub(super) fn saw_token(&self) -> Vec<String> {
        let mut saw = Vec::new();
        if let Some(issuer) = self.issuer {
            let trust = &issuer.trust;
            let profile = trust.profile.name();
            saw.push(format!("issuer `{}`, read as profile `{profile}`", trust.issuer));
        }
        match (self.refused_by, self.refusal) {
            (Some(Rule::Token), Some(refusal)) => {
                saw.extend(refusal.detail.clone());
                saw.extend(self.what_is_wrong(refusal.code));
                saw.extend(self.how_far(refusal.code));
            }
            _ => match self.parsed.and_then(|parsed| parsed.time("exp")) {
                Some(end) => saw.push(format!("right for this API, and good until {}", time(end))),
                None => {
                    saw.push("right for this API, or it would have been named first".to_owned());
                }
            },
        }
        if matches!(self.supposed.shown, Shown::Claims(_)) {
            saw.push("signature not looked at: only claims were given".to_owned());
        }
        saw
    }

    /// How the token differs from what is asked of it.
    fn what_is_wrong(&self, code: Code) -> Vec<String> {
        let (Some(parsed), Some(served)) = (self.parsed, self.outcome.api) else {
            return Vec::new();
        };
        let claim = |name: &str| parsed.claim(name).map_or_else(|| "absent".to_owned(), short);
        match code {
            Code::TokenIssuerUnknown => {
                let mut saw = vec![format!("`iss` is {}", claim("iss"))];
                saw.extend(self.trusted_issuers(served, parsed.claim("iss")));
                saw
            }
            Code::TokenTypeRefused => {
                let Some(reading) = &self.reading else { return Vec::new() };
                let mark = reading.failed_mark.map(|mark| mark.to_string());
                let kind = (!reading.admits_type)
                    .then(|| "its `typ` is not that of an access token".to_owned());
                kind.into_iter().chain(mark).collect()
            }
            Code::TokenExpired => {
                let leeway = self.issuer.map_or(0, |issuer| issuer.trust.leeway_seconds);
                let end = parsed.time("exp").map_or_else(String::new, time);
                let now = time(self.now);
                vec![format!("`exp` is {end}, now is {now}, and clocks may differ by {leeway} s")]
            }
            Code::TokenNotYetValid => {
                let begins = ["nbf", "iat"].into_iter().filter_map(|name| {
                    let start = parsed.time(name).filter(|start| *start > self.now)?;
                    Some(format!("`{name}` is {}, now is {}", time(start), time(self.now)))
                });
                begins.collect()
            }
            Code::TokenAudienceMismatch => vec![
                format!("`aud` is {}", claim("aud")),
                format!("this API is {}", list(&served.audiences, "")),
            ],
            Code::SenderConstraintInvalid | Code::SenderConstraintMissing => {
                vec![format!("`cnf` is {}", claim("cnf"))]
            }
            _ => Vec::new(),
        }
    }

    fn trusted_issuers(&self, served: &ServedApi, named: Option<&Value>) -> Vec<String> {
        let trusted = || served.trusted(self.snapshot).map(|trust| trust.issuer.as_str());
        let plain = |name: &str| name.trim_end_matches('/').to_ascii_lowercase();
        let named = named.and_then(Value::as_str).map(plain);
        let near = trusted().find(|issuer| Some(plain(issuer)) == named);
        let mut saw = vec![format!("this API trusts {}", list(trusted(), "nobody"))];
        saw.extend(
            near.map(|near| format!("`{near}` differs by case or a slash, and every byte counts")),
        );
        saw
    }

    /// What was asked of the token before it was refused, and what was not any more.
    fn how_far(&self, code: Code) -> Option<String> {
        let at = self.step_of(code)?;
        let believed = matches!(self.supposed.shown, Shown::Claims(_));
        // Claims alone have no text, and nobody signed them.
        let asked = |step: Step| {
            let of_signature = (Step::Algorithm..=Step::Signature).contains(&step);
            let of_request = step < Step::Issuer;
            !(believed && (of_signature || of_request))
        };
        let names = |wanted: &dyn Fn(Step) -> bool| {
            let steps = Step::ALL.iter().filter(|(step, _)| asked(*step) && wanted(*step));
            steps.map(|(_, name)| *name).collect::<Vec<_>>().join(", ")
        };
        let (before, behind) = (names(&|step| step < at), names(&|step| step > at));
        let failed = names(&|step| step == at);
        Some(match (before.as_str(), behind.as_str()) {
            ("", _) => format!("failed: {failed}; not asked any more: {behind}"),
            (_, "") => format!("right: {before}; failed: {failed}"),
            _ => format!("right: {before}; failed: {failed}; not asked any more: {behind}"),
        })
    }

    /// Where a code ends the questions. A token may be malformed twice: as a text, and in its claims.
    fn step_of(&self, code: Code) -> Option<Step> {
        let unnamed = self.parsed.is_some_and(|parsed| parsed.issuer().is_err());
        let unseen = matches!(self.supposed.shown, Shown::Nothing);
        Some(match code {
            Code::TokenMissing => Step::Presence,
            // Of a token that nobody shows, the code alone does not tell which of two it was.
            Code::TokenClaimMissing | Code::TokenMalformed if unseen => return None,
            Code::CredentialAmbiguous => Step::One,
            Code::TokenTooLarge => Step::Size,
            Code::TokenMalformed if self.parsed.is_none() => Step::Shape,
            Code::TokenClaimMissing | Code::TokenMalformed if unnamed => Step::Issuer,
            Code::TokenClaimMissing | Code::TokenMalformed => Step::Claims,
            Code::TokenIssuerUnknown => Step::Issuer,
            Code::TokenTypeRefused => Step::Type,
            Code::TokenAlgorithmRefused => Step::Algorithm,
            Code::KeysUnavailable | Code::TokenKeyUnknown => Step::Key,
            Code::TokenSignatureInvalid => Step::Signature,
            Code::TokenExpired | Code::TokenNotYetValid => Step::Time,
            Code::TokenAudienceMismatch => Step::Audience,
            Code::SenderConstraintInvalid | Code::SenderConstraintMissing => Step::SenderConstraint,
            _ => return None,
        })
    }
}
