//! What a caller gains or loses, by kinds; and callers for whom it is the same, together.

use std::sync::Arc;

use foldhash::HashMap;

use super::{AccessDiff, Audience, Difference, What};

/// An operation, and the scopes and types of a token that opens it.
type With<'w> = (&'w str, &'w [Arc<str>], &'w [Arc<str>]);

/// A list of accesses by kinds.
#[derive(Default)]
pub(super) struct Parts<'w> {
    pub(super) scopes: Vec<&'w str>,
    pub(super) details: Vec<&'w str>,
    pub(super) operations: Vec<&'w str>,
    /// Operations, with the scopes and types of a token that opens them.
    pub(super) with: Vec<With<'w>>,
    pub(super) organizations: Vec<&'w str>,
    /// All else, in words.
    pub(super) others: Vec<String>,
}

impl<'w> Parts<'w> {
    pub(super) fn of(whats: &'w [What]) -> Self {
        let mut parts = Self::default();
        for what in whats {
            match what {
                What::Scope(name) => parts.scopes.push(name),
                What::DetailsType(name) => parts.details.push(name),
                What::Operation(on) => parts.operations.push(on),
                What::OperationWith { on, scopes, details } => {
                    parts.with.push((on, scopes, details));
                }
                What::Organization(id) => parts.organizations.push(id.as_str()),
                What::Above
                | What::Audience(_)
                | What::Beside(_)
                | What::OrganizationAny
                | What::OrganizationNone
                | What::Reported
                | What::ReportedOperation(_)
                | What::ReportedTokens
                | What::Time { .. }
                | What::Unlisted => parts.others.push(what.to_string()),
            }
        }
        parts
    }

    /// The kinds that have names, each with what it is called.
    pub(super) fn named(&self) -> [(&'static str, &[&'w str]); 4] {
        [
            ("scopes", &self.scopes),
            ("operations", &self.operations),
            ("organizations", &self.organizations),
            ("authorization details", &self.details),
        ]
    }
}

/// Callers of one API who gain and lose the same.
pub(super) struct Group<'d> {
    pub(super) api: &'d Audience,
    pub(super) callers: Vec<&'d Difference>,
    pub(super) gained: &'d [What],
    pub(super) lost: &'d [What],
}

/// The groups of callers, in the order in which the first of each comes.
pub(super) fn groups(diff: &AccessDiff) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut places = HashMap::default();
    for of in &diff.callers {
        let place = *places.entry((&of.api, &*of.gained, &*of.lost)).or_insert_with(|| {
            let (api, gained, lost) = (&of.api, &*of.gained, &*of.lost);
            groups.push(Group { api, callers: Vec::new(), gained, lost });
            groups.len() - 1
        });
        if let Some(group) = groups.get_mut(place) {
            group.callers.push(of);
        }
    }
    // Those of one API stay together; the order within it stays.
    groups.sort_by(|a, b| a.api.cmp(b.api));
    groups
}
