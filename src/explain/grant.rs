//! What rules 6 to 8 saw: what the policy asks, which grant counts, until when, and for which organizations.

use crate::config::snapshot::ServedApi;
use crate::gate::Code;
use crate::policy::{
    GrantKind, Organization, OrganizationRule, Organizations, Party, Policy, SubjectType,
};

use super::case::Case;
use super::words::{shortened, time};

impl Case<'_> {
    pub(super) fn saw_policy(&self) -> Vec<String> {
        let (Some(served), Some(presented)) = (self.outcome.api, &self.presented) else {
            return Vec::new();
        };
        let (api, kind) = (&served.api, presented.subject_type);
        let policy = match api.access.policy(kind) {
            Policy::AllowAll => "allow_all",
            Policy::DenyAll => "deny_all",
            Policy::RequireClientGrant => "require_client_grant",
        };
        let mut saw = vec![format!("`{}: {{policy: {policy}}}`", kind.as_str())];
        match (self.counted(), self.refusal.map(|refusal| refusal.code)) {
            (Some(grant), _) => {
                let line = self.snapshot.line_of(grant.origin);
                let at = line.map(|at| format!(" at {at}")).unwrap_or_default();
                saw.push(if self.is_own() {
                    format!("grant `{}`{at}", grant.id)
                } else {
                    let words =
                        "the default for third-party applications, as it has none of its own";
                    format!("grant `{}`{at}: {words}", grant.id)
                });
            }
            (None, Some(Code::PolicyDeniesAll)) => {
                saw.push("nobody is let in, whatever grants exist".to_owned());
            }
            (None, Some(Code::GrantMissing)) => saw.extend(self.why_no_grant(served, kind)),
            (None, _) => saw.push("no grant is needed".to_owned()),
        }
        saw
    }

    /// That there is no grant, and those that are near.
    fn why_no_grant(&self, served: &ServedApi, kind: SubjectType) -> Vec<String> {
        let Some(presented) = &self.presented else { return Vec::new() };
        let (client, grants) = (presented.client, &served.api.grants);
        let audience = &served.api.identifier;
        let kind_name = kind.as_str();
        let mut saw = vec![format!(
            "`{client}` has no grant for `{audience}` and subject type `{kind_name}`"
        )];
        if presented.party == Party::Third {
            saw.push("nor is there a default one for third-party applications".to_owned());
        }
        let others = SubjectType::ALL.into_iter().filter(|other| *other != kind);
        saw.extend(others.filter_map(|other| {
            let grant = grants.own(presented.issuer, client, other)?;
            let at = self.snapshot.line_of(grant.origin).unwrap_or_else(|| grant.id.to_string());
            let other = other.as_str();
            Some(format!("its grant at {at} is for subject type `{other}`, which does not help"))
        }));
        saw
    }

    pub(super) fn saw_validity(&self) -> Vec<String> {
        let Some(grant) = self.counted() else { return Vec::new() };
        vec![match grant.expires_at {
            None => "the grant has no `expires_at`".to_owned(),
            Some(end) if end <= self.now => {
                format!("`expires_at: {}` is past at {}", time(end), time(self.now))
            }
            Some(end) => format!("`expires_at: {}` has not come", time(end)),
        }]
    }

    pub(super) fn saw_organization(&self) -> Vec<String> {
        let (Some(presented), Some(grant)) = (&self.presented, self.counted()) else {
            return vec!["no grant is needed, so none asks for an organization".to_owned()];
        };
        let GrantKind::Client { organizations: rule } = &grant.kind else {
            return vec!["a user's organization is the issuer's matter".to_owned()];
        };
        let token = match presented.organization {
            Organization::Absent => "the token names no organization".to_owned(),
            Organization::Id(id) => format!("the token is for organization `{id}`"),
            Organization::Unreadable => {
                "the token names an organization, but not by an id that can be read".to_owned()
            }
        };
        let (usage, admitted) = match rule {
            OrganizationRule::Allow(admitted) => ("allow", Some(admitted)),
            OrganizationRule::Deny => ("deny", None),
            OrganizationRule::Require(admitted) => ("require", Some(admitted)),
        };
        let admitted = match admitted {
            None => String::new(),
            Some(Organizations::Any) => ", `allow_any_organization: true`".to_owned(),
            Some(Organizations::Associated(ids)) => {
                let known = shortened(ids.iter().map(|id| format!("`{id}`")).collect());
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                format!(", associated: {known}")
            }
        };
        vec![format!("`organization_usage: {usage}`{admitted}"), token]
    }
}
