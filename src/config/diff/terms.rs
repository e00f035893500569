//! What hangs on a grant beside its ceiling: whose tokens it admits, and for how long.

use std::collections::BTreeSet;

use super::What;
use super::compare::Held;
use crate::policy::{OrganizationRule, Organizations};

/// Whether no token whatever is admitted.
pub(super) fn admits_nobody(rule: &OrganizationRule) -> bool {
    matches!(rule, OrganizationRule::Require(Organizations::Associated(ids)) if ids.is_empty())
}

/// What hangs on the grant beside its ceiling: whose tokens it admits, and for how long.
pub(super) fn of_grants(held: &[Option<Held<'_>>; 2], opens: [bool; 2]) -> [Vec<What>; 2] {
    let [old, new] = held;
    let [opened, opens] = opens;
    let (old, new) = (old.as_ref().filter(|_| opened), new.as_ref().filter(|_| opens));
    let mut both = [Vec::new(), Vec::new()];
    let [gained, lost] = &mut both;
    let rules = [old, new].map(|held| held.and_then(|held| held.organizations));
    let [before, after] = rules;
    if before != after {
        let (before, after) = (admitted(before, rules), admitted(after, rules));
        gained.extend(after.difference(&before).cloned());
        lost.extend(before.difference(&after).cloned());
    }
    if let (Some(old), Some(new)) = (old, new) {
        match (old.end, new.end) {
            (Some(from), until) if until.is_none_or(|until| from < until) => {
                gained.push(What::Time { from, until });
            }
            (until, Some(from)) if until.is_none_or(|until| from < until) => {
                lost.push(What::Time { from, until });
            }
            _ => {}
        }
    }
    both
}

/// Whose tokens a rule admits, of those that either names.
fn admitted(
    rule: Option<&OrganizationRule>,
    both: [Option<&OrganizationRule>; 2],
) -> BTreeSet<What> {
    let mut whats = BTreeSet::new();
    let Some(rule) = rule else { return whats };
    if !matches!(rule, OrganizationRule::Require(_)) {
        whats.insert(What::OrganizationNone);
    }
    let ids = |rule: &OrganizationRule| match rule {
        OrganizationRule::Allow(Organizations::Associated(ids))
        | OrganizationRule::Require(Organizations::Associated(ids)) => ids.clone(),
        _ => BTreeSet::default(),
    };
    match rule {
        OrganizationRule::Deny => {}
        OrganizationRule::Allow(Organizations::Any)
        | OrganizationRule::Require(Organizations::Any) => {
            whats.insert(What::OrganizationAny);
            whats.extend(both.into_iter().flatten().flat_map(ids).map(What::Organization));
        }
        OrganizationRule::Allow(_) | OrganizationRule::Require(_) => {
            whats.extend(ids(rule).into_iter().map(What::Organization));
        }
    }
    whats
}
