//! What rules 9 to 11 saw: what the token holds, what it may use of that, and what the operation needs.

use crate::gate::Code;
use crate::policy::OverCeiling;
use crate::screen::screened;
use crate::token::ScopesRead;

use super::case::Case;
use super::words::{list, names_of};

impl Case<'_> {
    pub(super) fn saw_ceiling(&self) -> Vec<String> {
        let (Some(served), Some(scopes)) = (self.outcome.api, self.scopes()) else {
            return Vec::new();
        };
        let mut saw = vec![above(&scopes.excess, served.api.over_ceiling, "scopes")];
        if let Some(presented) = &self.presented
            && !presented.scopes.undeclared.is_empty()
        {
            let undeclared = presented.scopes.undeclared.iter().map(|name| screened(name));
            saw.push(format!("the API does not declare {}", list(undeclared, "")));
        }
        if !scopes.left_aside.is_empty() {
            saw.push(format!("left aside, as not this API's: {}", list(&scopes.left_aside, "")));
        }
        saw
    }

    pub(super) fn saw_details(&self) -> Vec<String> {
        let (Some(served), Some(details)) = (self.outcome.api, self.details()) else {
            return vec!["the token holds none".to_owned()];
        };
        vec![above(&details.excess, served.api.over_ceiling, "authorization details")]
    }

    pub(super) fn saw_need(&self) -> Vec<String> {
        let needs = self.operation().map(|operation| operation.needs.words);
        let needs = needs.unwrap_or_else(|| "any token".to_owned());
        let Some(refusal) = self.refusal else {
            return vec![format!("needs {needs}: it is held and granted")];
        };
        let missing = list(&refusal.missing_scopes, "");
        let mut saw = vec![format!("needs {needs}")];
        if refusal.code == Code::ScopeNotGranted {
            saw.push(format!("the token holds {missing}, and the ceiling does not"));
            return saw;
        }
        saw.push(format!("the token does not hold {missing}"));
        let ungranted = self.ceiling_lacks(&refusal.missing_scopes);
        saw.push(match ungranted.as_slice() {
            [] => "the ceiling would give it: another token would do".to_owned(),
            ungranted => format!("the ceiling does not give {}, either", list(ungranted, "")),
        });
        saw.extend(refusal.missing_scopes.iter().filter_map(|scope| self.held_in_part(scope)));
        saw
    }

    /// Of a scope that some claims hold and others do not: which.
    fn held_in_part(&self, scope: &str) -> Option<String> {
        let lists = self.reading.as_ref()?.scopes.as_ref().ok()?.iter();
        let (with, without): (Vec<_>, Vec<_>) =
            lists.partition(|list| list.scopes.contains(&scope));
        let claims = |lists: &[&ScopesRead<'_>]| list(lists.iter().map(|list| list.claim), "");
        let (held, lacked) = (claims(&with), claims(&without));
        match (with.is_empty(), without.is_empty()) {
            (true, _) => None,
            // A claim that holds scopes holds it, in a form that is not this API's.
            (false, true) if with.iter().any(|list| list.meaning == "scopes") => Some(format!(
                "`{scope}` is in {held} as it stands there, which the issuer's profile does not read as this \
                API's"
            )),
            (false, true) => {
                Some(format!("`{scope}` is in {held}, which gives a user nothing by itself"))
            }
            (false, false) => Some(format!(
                "`{scope}` is in {held} but not in {lacked}: it would have to be in both"
            )),
        }
    }

    /// Those of these names that the ceiling does not hold either.
    fn ceiling_lacks(&self, names: &[String]) -> Vec<String> {
        let scopes = self.scopes().and_then(|scopes| scopes.ceiling).unwrap_or_default();
        let Some(served) = self.outcome.api else { return Vec::new() };
        let types = self.detail_ceiling(served);
        let types = types.map(|types| names_of(&served.api.details, types));
        let types = types.unwrap_or_default();
        let lacks = |name: &&String| !scopes.contains(name) && !types.contains(name);
        names.iter().filter(lacks).cloned().collect()
    }
}

/// What lies above the ceiling, and what is done about it.
fn above(excess: &[String], over_ceiling: OverCeiling, what: &str) -> String {
    match (excess, over_ceiling) {
        ([], _) => format!("the token's {what} lie within the ceiling"),
        (excess, OverCeiling::Reject) => {
            format!("above the ceiling: {} (`over_ceiling: reject`)", list(excess, ""))
        }
        (excess, OverCeiling::Trim) => {
            format!("dropped, as above the ceiling: {} (`over_ceiling: trim`)", list(excess, ""))
        }
    }
}
