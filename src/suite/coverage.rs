//! Which grants, operations and codes of a snapshot the cases of suites touch.
//!
//! A grant is touched when a decision used it or looked at it, an operation when a request found it, a
//! code when a decision gave it. The codes are those of all rules but that of the token itself, as far as
//! the configuration can give them: nothing expires where no grant has an end.

use std::collections::{BTreeSet, HashSet};

use super::expect::codes_of_policy;
use crate::config::snapshot::{Operation, ServedApi, Snapshot, Unlisted};
use crate::gate::{Code, Outcome, Verdict};
use crate::policy::{
    Ask, Grant, GrantKind, Holder, Issuer, Need, OrganizationRule, Organizations, Origin,
    OverCeiling, Policy, SubjectType,
};
use crate::route::CanonPath;
use crate::token::Profile;

/// What was touched so far. Parts of the snapshot are told apart by where they lie in memory.
#[derive(Debug, Default)]
pub struct Coverage {
    grants: HashSet<*const Grant>,
    operations: HashSet<*const Operation>,
    codes: BTreeSet<Code>,
}

/// What was touched of a snapshot, and what was not.
#[derive(Clone, Debug, Default)]
pub struct Covered {
    /// Of its grants.
    pub grants: Tally,
    /// Of its operations.
    pub operations: Tally,
    /// Of the codes that it can give.
    pub codes: Tally,
}

/// How many there are of a kind, and which were not touched.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// How many there are.
    pub all: usize,
    /// Those that no case touches, in the order written.
    pub untouched: Vec<Untouched>,
}

/// What no case touches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Untouched {
    /// What it is, in words.
    pub what: String,
    /// Where it is written.
    pub line: Option<String>,
}

impl Tally {
    /// How many were touched.
    pub fn touched(&self) -> usize {
        self.all - self.untouched.len()
    }
}

impl Covered {
    /// The kinds, each under its name.
    pub fn tallies(&self) -> [(&'static str, &Tally); 3] {
        [("grants", &self.grants), ("operations", &self.operations), ("codes", &self.codes)]
    }

    /// Of a hundred, how many were touched, rounded down: only all of them are 100.
    pub fn percent(&self) -> usize {
        let sum = |of: fn(&Tally) -> usize| self.tallies().iter().map(|(_, tally)| of(tally)).sum();
        let (touched, all): (usize, usize) = (sum(Tally::touched), sum(|tally| tally.all));
        (touched * 100).checked_div(all).unwrap_or(100)
    }
}

impl Coverage {
    /// Takes in what a decision touched.
    pub fn see(&mut self, outcome: &Outcome<'_>) {
        self.operations.extend(outcome.operation.map(std::ptr::from_ref));
        let grant = match &outcome.verdict {
            Verdict::Pass(permit) => permit.grant(),
            Verdict::Preflight(_) => None,
            Verdict::Refuse(refusal) | Verdict::WouldRefuse(_, refusal) => {
                self.codes.insert(refusal.code);
                refusal.grant.as_ref()
            }
        };
        self.grants.extend(grant.map(|grant| std::ptr::from_ref(&**grant)));
    }

    /// What was touched of the snapshot that all decisions were about.
    pub fn of(&self, snapshot: &Snapshot) -> Covered {
        let grants = served(snapshot).flat_map(|served| {
            let audience = &served.api.identifier;
            served.api.grants.iter().map(move |(_, holder, grant)| {
                let what = move || {
                    let who = match holder {
                        Holder::Client(client) => format!("`{client}`"),
                        Holder::ThirdPartyClients => "third-party applications".to_owned(),
                    };
                    let subject_type = grant.subject_type().as_str();
                    format!("{who}, subject type `{subject_type}`, API `{audience}`")
                };
                (self.grants.contains(&std::ptr::from_ref(&**grant)), grant.origin, what)
            })
        });
        let operations = served(snapshot).flat_map(|served| {
            let audience = &served.api.identifier;
            served.operations.iter().map(move |operation| {
                let what = move || format!("`{}`, API `{audience}`", operation.on);
                let touched = self.operations.contains(&std::ptr::from_ref(operation));
                (touched, operation.origin, what)
            })
        });
        let codes = codes_of_policy().filter(|(_, code)| can_give(snapshot, *code));
        let codes = codes.map(|(rule, code)| {
            (self.codes.contains(&code), Origin::default(), move || format!("`{code}` ({rule})"))
        });
        Covered {
            grants: tally(snapshot, grants),
            operations: tally(snapshot, operations),
            codes: tally(snapshot, codes),
        }
    }
}

/// Counts what is touched; what is not is put into words and in the order written.
fn tally<W: FnOnce() -> String>(
    snapshot: &Snapshot,
    parts: impl Iterator<Item = (bool, Origin, W)>,
) -> Tally {
    let (mut all, mut untouched) = (0, Vec::new());
    for (touched, origin, what) in parts {
        all += 1;
        if !touched {
            let line = snapshot.line_of(origin);
            untouched.push(((origin.file, origin.line), Untouched { what: what(), line }));
        }
    }
    untouched.sort_by_key(|(at, _)| *at);
    Tally { all, untouched: untouched.into_iter().map(|(_, untouched)| untouched).collect() }
}

/// The APIs that requests are forwarded for.
fn served(snapshot: &Snapshot) -> impl Iterator<Item = &ServedApi> {
    snapshot.apis.iter().filter(|served| served.upstream.is_some())
}

/// Whether a request can get this code, as far as the configuration tells.
fn can_give(snapshot: &Snapshot, code: Code) -> bool {
    let any = |is: &dyn Fn(&ServedApi) -> bool| served(snapshot).any(is);
    let any_operation =
        |is: &dyn Fn(&Operation) -> bool| any(&|served| served.operations.iter().any(is));
    let any_policy = |policy: Policy| {
        any(&|served| {
            SubjectType::ALL.into_iter().any(|subject_type| {
                served.api.access.policy(subject_type) == policy
                    && can_show(snapshot, served, subject_type)
            })
        })
    };
    let any_grant = |is: &dyn Fn(&Issuer, &Grant) -> bool| {
        any(&|served| served.api.grants.iter().any(|(issuer, _, grant)| is(issuer, grant)))
    };
    let any_rule = |is: &dyn Fn(&OrganizationRule) -> bool| {
        any_grant(&|issuer, grant| {
            let names = profile(snapshot, issuer).is_some_and(|it| !matches!(it, Profile::Entra));
            match &grant.kind {
                GrantKind::Client { organizations } => names && is(organizations),
                GrantKind::AnonymousUser | GrantKind::User { .. } => false,
            }
        })
    };
    let needs = |operation: &Operation| match &operation.ask {
        Ask::Public => false,
        Ask::Token(need) => *need != Need::default(),
    };
    match code {
        Code::RouteUnknown => CanonPath::parse("/")
            .is_ok_and(|path| matches!(snapshot.sites.find("nowhere.invalid", &path), Ok(None))),
        Code::MethodRefused => any_operation(&|operation| !operation.on.starts_with('*')),
        Code::OperationUnlisted => any(&|served| served.unlisted == Unlisted::Deny),
        Code::PolicyDeniesAll => any_policy(Policy::DenyAll),
        Code::GrantMissing => any_policy(Policy::RequireClientGrant),
        Code::GrantExpired => any_grant(&|_, grant| grant.expires_at.is_some()),
        Code::OrganizationDenied => any_rule(&|rule| matches!(rule, OrganizationRule::Deny)),
        Code::OrganizationRequired => {
            any_rule(&|rule| matches!(rule, OrganizationRule::Require(_)))
        }
        Code::OrganizationNotAssociated => any_rule(&|rule| match rule {
            OrganizationRule::Allow(those) | OrganizationRule::Require(those) => {
                matches!(those, Organizations::Associated(_))
            }
            OrganizationRule::Deny => false,
        }),
        Code::ScopeExceedsGrant | Code::AuthorizationDetailsExceedGrant => {
            any(&|served| served.api.over_ceiling == OverCeiling::Reject)
        }
        Code::ScopeInsufficient => any_operation(&needs),
        // Where nothing is trimmed, what is above the ceiling is refused before.
        Code::ScopeNotGranted => any(&|served| {
            served.api.over_ceiling == OverCeiling::Trim && served.operations.iter().any(needs)
        }),
        _ => true,
    }
}

/// Whether a token that the API takes can be of this subject type.
fn can_show(snapshot: &Snapshot, served: &ServedApi, subject_type: SubjectType) -> bool {
    subject_type != SubjectType::AnonymousUser
        || served.trusted(snapshot).any(|trust| matches!(trust.profile, Profile::Auth0))
}

fn profile<'s>(snapshot: &'s Snapshot, issuer: &Issuer) -> Option<&'s Profile> {
    let found = snapshot.issuers.iter().find(|known| known.trust.issuer == *issuer)?;
    Some(&found.trust.profile)
}
