//! What operations ask: of one another, and of the grants that there are.

use super::{Subject, operation_place, quoted};
use crate::config::build::{Given, KnownApi, Read};
use crate::config::{Code, Report};
use crate::policy::{Ask, Grant, GrantKind, NameSet, Need, Policy, SubjectType, UnixTime};
use crate::route::CanonPath;

/// How often an operation is held against a grant at most, in all.
const MOST_TRIED: usize = 50_000_000;

/// Operations that nobody can use: each scope that they ask for is given by some grant, and no grant gives
/// all that they ask. Of a scope that no grant gives it is said at the scope.
pub(super) fn unreachable(report: &mut Report, subject: &Subject<'_>, granted: &[NameSet]) {
    let apis = subject.apis.list.iter().zip(granted);
    let mut waiting: Vec<_> = apis.map(|(known, granted)| Waiting::of(known, granted)).collect();
    let mut tried = 0_usize;
    for given in subject.given {
        let Some((known, waiting)) =
            subject.apis.list.get(given.api).zip(waiting.get_mut(given.api))
        else {
            continue;
        };
        if !counts(given, known, subject.now) {
            continue;
        }
        waiting.has_grant = true;
        tried = tried.saturating_add(waiting.needs.len());
        if tried > MOST_TRIED {
            return;
        }
        waiting.needs.retain(|(need, _)| !answers(&given.grant, need));
    }
    for (known, Waiting { needs, has_grant }) in subject.apis.list.iter().zip(waiting) {
        let mut unreached: Vec<_> = needs.into_iter().flat_map(|(_, of)| of).collect();
        unreached.sort_unstable_by_key(|(index, _)| *index);
        if has_grant {
            for (index, on) in unreached {
                report
                    .push(
                        Code::OperationUnreachable,
                        &operation_place(known, index),
                        format!("nobody can use `{on}`: no grant gives all that it asks"),
                    )
                    .help("give one application all of it, or let the operation ask less");
            }
        } else if !unreached.is_empty() {
            let names = quoted(unreached.iter().map(|(_, on)| *on));
            report
                .push(
                    Code::OperationUnreachable,
                    &known.place.key("gate").key("operations"),
                    format!("nobody can use {names}: no grant for this API counts"),
                )
                .on_key()
                .help(
                    "write a grant for each application that should, or `deny_all` if none should",
                );
        }
    }
}

/// What operations of an API ask that nobody was found to answer, each with those that ask it.
#[derive(Default)]
struct Waiting<'a> {
    needs: Vec<(&'a Need, Vec<(usize, &'a str)>)>,
    has_grant: bool,
}

impl<'a> Waiting<'a> {
    fn of(known: &'a KnownApi, granted: &NameSet) -> Self {
        let mut waiting = Self::default();
        let access = known.api.access;
        let policies = SubjectType::ALL.map(|subject_type| access.policy(subject_type));
        // An API that lets all in needs no grant; one that denies all is meant to.
        let is_by_grant =
            policies.contains(&Policy::RequireClientGrant) && !policies.contains(&Policy::AllowAll);
        let Some(gate) = known.gate.as_ref().filter(|_| is_by_grant) else { return waiting };
        for (index, operation) in gate.operations.iter().take(MOST_COMPARED).enumerate() {
            let Ask::Token(need) = &operation.ask else { continue };
            let any = &need.any_scopes;
            let is_granted = granted.contains_all(&need.scopes)
                && (any.is_empty() || any.iter().any(|scope| granted.contains(*scope)));
            if !is_granted {
                continue;
            }
            let of = (index, operation.on.as_str());
            match waiting.needs.iter_mut().find(|(other, _)| *other == need) {
                Some((_, others)) => others.push(of),
                None => waiting.needs.push((need, vec![of])),
            }
        }
        waiting
    }
}

/// Whether a grant gives anything, by the policy and the time.
fn counts(given: &Given, known: &KnownApi, now: UnixTime) -> bool {
    known.api.access.policy(given.grant.subject_type()) == Policy::RequireClientGrant
        && given.grant.expires_at.is_none_or(|end| end > now)
}

fn answers(grant: &Grant, need: &Need) -> bool {
    let has_details = need.details.is_empty()
        || matches!(&grant.kind, GrantKind::User { details } if details.contains_all(&need.details));
    let mut any = need.any_scopes.iter();
    has_details
        && grant.ceiling.contains_all(&need.scopes)
        && (need.any_scopes.is_empty() || any.any(|scope| grant.ceiling.contains(*scope)))
}

/// More operations than this are not held against each other: that takes the square of their number.
const MOST_COMPARED: usize = 2000;

/// Operations that ask less than a more general one which they stand within: the exception may be
/// meant, or be a slip that opens what the general one guards.
pub(in crate::config) fn asks_less(report: &mut Report, operations: &[Read]) {
    if operations.len() > MOST_COMPARED {
        return;
    }
    for special in operations {
        let Some(sample) = sample(special.on.pattern.as_str()) else { continue };
        let Ok(path) = CanonPath::parse(&sample) else { continue };
        let general = operations.iter().find(|general| {
            general.on.pattern != special.on.pattern
                && general.on.pattern.matches(&path)
                && general.on.methods.overlaps(&special.on.methods)
                && implies(&general.operation.ask, &special.operation.ask)
                && !implies(&special.operation.ask, &general.operation.ask)
        });
        if let Some(general) = general {
            report
                .push(
                    Code::OperationAsksLess,
                    &special.place,
                    format!(
                        "`{}` asks less than `{}`, which covers it",
                        special.operation.on, general.operation.on
                    ),
                )
                .also(&general.place, "asks more")
                .help("let it ask at least as much, unless this is meant");
        }
    }
}

/// A path that stands for all of a pattern's: one that no other pattern names by a literal.
fn sample(pattern: &str) -> Option<String> {
    const NOBODY: &str = "-grantgate-sample-";
    let segments = pattern.strip_prefix('/')?.split('/').map(|segment| match segment {
        "*" => format!("{NOBODY}/{NOBODY}"),
        name if name.starts_with('{') => NOBODY.to_owned(),
        literal => literal.to_owned(),
    });
    Some(format!("/{}", segments.collect::<Vec<_>>().join("/")))
}

/// Whether whoever answers `more` answers `less`.
fn implies(more: &Ask, less: &Ask) -> bool {
    match (more, less) {
        (_, Ask::Public) => true,
        (Ask::Public, Ask::Token(_)) => false,
        (Ask::Token(more), Ask::Token(less)) => {
            more.scopes.contains_all(&less.scopes)
                && more.details.contains_all(&less.details)
                && implies_any(more, less)
        }
    }
}

fn implies_any(more: &Need, less: &Need) -> bool {
    let answers = |scope: &usize| less.any_scopes.contains(scope);
    less.any_scopes.is_empty()
        || less.any_scopes.iter().any(|scope| more.scopes.contains(*scope))
        || (!more.any_scopes.is_empty() && more.any_scopes.iter().all(answers))
}
