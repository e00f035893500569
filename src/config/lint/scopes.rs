//! Scopes: what is declared, what operations ask for, and what grants give. Of each declared scope one
//! thing is said at most.
//!
//! | asked for | given | |
//! |---|---|---|
//! | yes | yes | |
//! | yes | no | `scope-ungranted`: nobody can do that |
//! | no | yes | `grant-wider-than-needed`: nobody here needs that |
//! | no | no | `scope-unused` |

use std::collections::HashMap;

use super::{Subject, quoted};
use crate::config::build::{Given, KnownApi};
use crate::config::snapshot::Unlisted;
use crate::config::{Code, Place, Report};
use crate::policy::{Ask, NameSet, Policy};

/// What each API's grants give together.
pub(super) fn granted(subject: &Subject<'_>) -> Vec<NameSet> {
    let mut granted = vec![NameSet::EMPTY; subject.apis.list.len()];
    for given in subject.given {
        if let Some(of_api) = granted.get_mut(given.api) {
            *of_api = of_api.or(&given.grant.ceiling);
        }
    }
    granted
}

/// Holds what is declared against what is asked and given.
pub(super) fn lint(report: &mut Report, subject: &Subject<'_>, granted: &[NameSet]) {
    let mut wide = HashMap::new();
    for (index, (known, granted)) in subject.apis.list.iter().zip(granted).enumerate() {
        let Some(asked) = asked(known) else { continue };
        let declared = known.api.scopes.all();
        // Under a policy that lets all in, everybody has every scope.
        if known.api.access.user != Policy::AllowAll {
            ungranted(report, known, &declared.without(granted).and(&asked));
        }
        // What no operation lists may be what asks for them.
        if known.gate.as_ref().is_some_and(|gate| gate.unlisted == Unlisted::Deny) {
            unused(report, known, &declared.without(granted).without(&asked));
            let excess = granted.without(&asked);
            if !excess.is_empty() {
                wide.insert(index, excess);
            }
        }
    }
    if !wide.is_empty() {
        wider(report, subject, &wide);
    }
}

/// The scopes that some operation asks for; none where there are no operations to ask.
fn asked(known: &KnownApi) -> Option<NameSet> {
    let mut asked = NameSet::default();
    for operation in known.gate.as_ref()?.operations.iter() {
        if let Ask::Token(need) = &operation.ask {
            asked = asked.or(&need.scopes);
            need.any_scopes.iter().for_each(|scope| asked.insert(*scope));
        }
    }
    Some(asked)
}

/// Scopes that no token can use.
fn ungranted(report: &mut Report, known: &KnownApi, lacking: &NameSet) {
    if lacking.is_empty() {
        return;
    }
    let names = quoted(known.api.scopes.of(lacking).map(|name| &**name));
    report
        .push(Code::ScopeUngranted, &known.place.key("scopes"), format!("no grant gives {names}"))
        .on_key()
        .help("grant it to the applications that need it, or remove it");
}

/// Scopes that are neither asked for nor given.
fn unused(report: &mut Report, known: &KnownApi, unused: &NameSet) {
    if unused.is_empty() {
        return;
    }
    let names = quoted(known.api.scopes.of(unused).map(|name| &**name));
    let and_given = match known.api.access.user {
        Policy::AllowAll => "all applications may use that for their users",
        Policy::DenyAll | Policy::RequireClientGrant => "no grant gives that",
    };
    report
        .push(
            Code::ScopeUnused,
            &known.place.key("scopes"),
            format!("no operation asks for {names}, and {and_given}"),
        )
        .on_key()
        .help(
            "have the operations ask for it that it is meant for, or remove it; where the upstream \
            asks for it itself, allow this for that reason",
        );
}

/// The grants that give a scope which nothing asks for.
#[derive(Default)]
struct Givers<'a> {
    count: usize,
    first: Vec<&'a Given>,
}

/// As many of the grants are shown.
const MOST_SHOWN: usize = 3;

/// Scopes that no operation asks for, and that grants give: no decision of the gate needs them, and the
/// upstream may take them for more than was meant. It is said once for each scope, where that is
/// declared: of the grants there may be very many.
fn wider(report: &mut Report, subject: &Subject<'_>, wide: &HashMap<usize, NameSet>) {
    let mut givers: HashMap<(usize, usize), Givers<'_>> = HashMap::new();
    for given in subject.given {
        let Some(excess) = wide.get(&given.api) else { continue };
        for scope in excess.and(&given.grant.ceiling).iter() {
            let givers = givers.entry((given.api, scope)).or_default();
            givers.count += 1;
            if givers.first.len() < MOST_SHOWN {
                givers.first.push(given);
            }
        }
    }
    let mut givers: Vec<_> = givers.into_iter().collect();
    givers.sort_unstable_by_key(|(of, _)| *of);
    for ((api, scope), Givers { count, first }) in givers {
        let Some(known) = subject.apis.list.get(api) else { continue };
        let Some(name) = known.api.scopes.at(scope) else { continue };
        let grants = match count {
            1 => "a grant gives it".to_owned(),
            count => format!("{count} grants give it"),
        };
        let found = report.push(
            Code::GrantWiderThanNeeded,
            &declared_at(subject, api, known, name),
            format!("no operation asks for `{name}`, and {grants}"),
        );
        first.into_iter().fold(found, |found, given| found.also(&given.place, "given here")).help(
            "take it from the grants, or have the operations ask for it that it is meant for; where \
            the upstream asks for it itself, allow this for that reason",
        );
    }
}

/// Where a scope is declared.
fn declared_at(subject: &Subject<'_>, api: usize, known: &KnownApi, name: &str) -> Place {
    let list = known.place.key("scopes");
    let written = subject.raw(api).and_then(|raw| raw.scopes.as_ref());
    let at = written
        .and_then(|scopes| scopes.iter().position(|scope| scope.value.as_deref() == Some(name)));
    at.map_or(list.clone(), |at| list.index(at).key("value"))
}
