//! A change that was found → what people are told of it: its steps in words, where each is made, what is
//! written there, and what to think of before it is made.

use std::collections::BTreeMap;

use http::Method;

use super::difference::Shown;
use super::moves::{Move, NewGrant, Wanted};
use super::{Change, ChangedFile, Files, Step};
use crate::config::inventory::{File, KnownGrant};
use crate::config::{self, Edit, Place, Source};
use crate::policy::{Audience, GrantId, Holder, Policy, SubjectType};
use crate::route::{CanonPath, Found, On};

/// The change that `moves` are, which made `after` of the texts.
pub(super) fn change(files: &Files<'_>, moves: &[Move], after: &[Source]) -> Option<Change> {
    let mut cautions: Vec<String> = Vec::new();
    let mut planned = Vec::new();
    for one in moves {
        let edits = one.edits(files)?;
        for caution in caution(files, one).into_iter().chain(of_export(files, &edits)) {
            if !cautions.contains(&caution) {
                cautions.push(caution);
            }
        }
        planned.push((one, edits));
    }
    // They may be long: each is looked at once.
    let pairs = files.sources.iter().zip(after).enumerate();
    let pairs: Vec<_> = pairs.filter(|(_, (before, after))| before != after).collect();
    let shown: BTreeMap<usize, Pair> = pairs
        .iter()
        .map(|&(index, (before, after))| {
            (index, Pair { before: Shown::of(before), after: Shown::of(after) })
        })
        .collect();
    let steps = planned.iter().map(|(one, edits)| {
        let at = edits.first().map(Edit::place);
        let at = at.and_then(|place| Some(shown.get(&place.source)?.before.line(place)));
        let yaml = shown.iter().map(|(index, pair)| match planned.as_slice() {
            [_] => pair.before.added(&pair.after),
            _ => alone(files, *index, pair, edits),
        });
        Step { words: words(files, one), at: at.unwrap_or_default(), yaml: yaml.collect() }
    });
    let changed = pairs.iter().filter_map(|&(index, (before, after))| {
        let Pair { before: was, after: is } = shown.get(&index)?;
        Some(ChangedFile {
            name: before.name.clone(),
            before: before.text.to_string(),
            after: after.text.to_string(),
            diff: was.unified(&before.name, is),
            masked: was.masks(before, (is, after)),
        })
    });
    Some(Change {
        instead: instead(files, moves),
        steps: steps.collect(),
        files: changed.collect(),
        caution: (!cautions.is_empty()).then(|| cautions.join("; ")),
    })
}

/// A file before and after a change.
struct Pair {
    before: Shown,
    after: Shown,
}

/// What these edits alone write into a file.
fn alone(files: &Files<'_>, index: usize, pair: &Pair, edits: &[Edit]) -> String {
    let of_it = edits.iter().filter(|edit| edit.place().source == index);
    let of_it: Vec<_> = of_it.cloned().collect();
    let source = files.sources.get(index).filter(|_| !of_it.is_empty());
    let text = source.and_then(|source| config::edit(source, &of_it).ok());
    let after = source.zip(text).map(|(source, text)| Source::new(&*source.name, text));
    after.map_or_else(String::new, |after| pair.before.added(&Shown::of(&after)))
}

fn of_export(files: &Files<'_>, edits: &[Edit]) -> Option<String> {
    let exported = edits.iter().any(|edit| is_export(files, edit.place()));
    exported.then(|| {
        "the file is a tenant export, and the next one takes its place: make the change in the \
        tenant, too"
            .to_owned()
    })
}

fn is_export(files: &Files<'_>, place: &Place) -> bool {
    files.inventory.files.get(place.source).is_some_and(File::is_export)
}

fn words(files: &Files<'_>, one: &Move) -> String {
    match one {
        Move::Admit { grant, organization: Some(id) } => {
            format!("admit the organization `{id}` in {}", grant_of(files, grant))
        }
        Move::Admit { grant, organization: None } => {
            format!("admit tokens without an organization in {}", grant_of(files, grant))
        }
        Move::AskLess { on, need, .. } => format!("let `{on}` ask {}", needs(need)),
        Move::Audience { api, audience } => {
            format!("take tokens for the audience `{audience}` at `{api}`")
        }
        Move::Declare { api, scopes, details } => {
            let scopes = (!scopes.is_empty()).then(|| format!("declare {}", listed(scopes)));
            let details = (!details.is_empty())
                .then(|| format!("register {} for authorization details", listed(details)));
            let both: Vec<_> = scopes.into_iter().chain(details).collect();
            format!("{} on `{api}`", both.join(" and "))
        }
        Move::Grant(grant) => new_grant(grant),
        Move::Host { api, host } => format!("serve `{api}` under the host `{host}`"),
        Move::Issuer { api, issuer, profile } => {
            format!(
                "configure the issuer `{issuer}` with the profile `{profile}`, and trust it at `{api}`"
            )
        }
        Move::Operation { api, on, need } => {
            let need = need.clone().unwrap_or_default();
            format!("list `{on}` at `{api}`, asking {}", needs(&need))
        }
        Move::Policy { api, subject_type } => format!(
            "let applications with a grant in at `{api}` for the subject type `{}`",
            subject_type.as_str()
        ),
        Move::Prefix { api, prefix } => format!("serve `{api}` below `{prefix}`"),
        Move::Renew { grant, until } => {
            format!("let {} last until `{until}`", grant_of(files, grant))
        }
        Move::Respell { from, to } => {
            format!("correct the issuer's name from `{from}` to `{to}`, wherever it is written")
        }
        Move::Trust { api, issuer } => format!("trust the issuer `{issuer}` at `{api}`"),
        Move::Unproven { issuer } => {
            format!("let tokens of `{issuer}` that show neither user nor machine count as users\'")
        }
        Move::Widen { grant, scopes, details } => {
            let grant = grant_of(files, grant);
            match (scopes.is_empty(), details.is_empty()) {
                (false, true) => format!("add {} to the scopes of {grant}", listed(scopes)),
                (true, _) => {
                    format!("add {} to the authorization details types of {grant}", listed(details))
                }
                (false, false) => format!(
                    "add the scope {} and the authorization details type {} to {grant}",
                    listed(scopes),
                    listed(details)
                ),
            }
        }
    }
}

fn new_grant(grant: &NewGrant) -> String {
    let NewGrant { client, audience, subject_type, .. } = grant;
    let kind = subject_type.as_str();
    let own = if grant.replaces_default { "a grant of its own" } else { "a grant" };
    format!("add {own} for `{client}` to `{audience}`, subject type `{kind}`")
}

/// A grant as people call it.
fn grant_of(files: &Files<'_>, grant: &GrantId) -> String {
    match files.inventory.grant(grant.as_str()).map(|known| &known.holder) {
        Some(Holder::Client(client)) => format!("the grant of `{client}`"),
        Some(Holder::ThirdPartyClients) | None => format!("the grant `{grant}`"),
    }
}

fn needs(need: &Wanted) -> String {
    let mut parts = Vec::new();
    if !need.scopes.is_empty() {
        parts.push(listed(&need.scopes));
    }
    if !need.any_scopes.is_empty() {
        let quoted: Vec<_> = need.any_scopes.iter().map(|name| format!("`{name}`")).collect();
        parts.push(format!("one of {}", quoted.join(", ")));
    }
    if !need.details.is_empty() {
        parts.push(format!("authorization details of type {}", listed(&need.details)));
    }
    if parts.is_empty() { "any token".to_owned() } else { parts.join(", and ") }
}

/// Names in backticks: `` `a`, `b` and `c` ``.
fn listed(names: &[String]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}

/// What is done in most cases: another token.
fn instead(files: &Files<'_>, moves: &[Move]) -> Option<String> {
    let parts: Vec<_> = moves.iter().filter_map(|one| other_token(files, one)).collect();
    (!parts.is_empty()).then(|| parts.join("; and "))
}

/// The token with which a move is not needed.
fn other_token(files: &Files<'_>, one: &Move) -> Option<String> {
    match one {
        Move::AskLess { missing, is_granted, .. } => {
            let missing = listed(missing);
            let granted = if *is_granted {
                ": the application may have that"
            } else {
                "; the application may not have that yet: its grant must give it, too"
            };
            Some(format!("ask the issuer for a token that holds {missing}{granted}"))
        }
        Move::Audience { api, .. } => {
            Some(format!("ask the issuer for a token with the audience `{api}`"))
        }
        Move::Issuer { api, .. } | Move::Trust { api, .. } => {
            let known = files.inventory.api(api.as_str())?;
            let trusted: Vec<_> = known.issuers.iter().map(ToString::to_string).collect();
            (!trusted.is_empty()).then(|| {
                format!("get a token from an issuer that this API trusts: {}", listed(&trusted))
            })
        }
        _ => None,
    }
}

/// What else comes with a move: who gains by it beside this caller.
fn caution(files: &Files<'_>, one: &Move) -> Option<String> {
    match one {
        Move::Admit { grant, organization } => admitted(files, grant, organization.is_some()),
        Move::AskLess { on, .. } => {
            Some(format!("this opens `{on}` to every caller that passes the other rules"))
        }
        Move::Audience { audience, .. } => Some(format!(
            "tokens that are meant for `{audience}` are taken here then, whoever holds them"
        )),
        Move::Declare { api, scopes, details } => declared(files, api, scopes, details),
        Move::Grant(grant) if grant.replaces_default => Some(format!(
            "the default grant for third parties no longer counts for `{}`",
            grant.client
        )),
        Move::Grant(_) | Move::Renew { .. } | Move::Widen { .. } => None,
        Move::Host { host, .. } => {
            Some(format!("only where `{host}` is one of this API\'s own names"))
        }
        Move::Issuer { issuer, .. } => Some(format!(
            "whoever runs `{issuer}` decides then who calls: only where it is known to be yours, and its \
            keys are found there"
        )),
        Move::Operation { api, on, .. } if is_listed(files, api, on) && !on.contains('{') => {
            Some("check what the operation is to ask".to_owned())
        }
        Move::Operation { api, on, .. } => Some(operation(files, api, on)),
        Move::Policy { api, subject_type } => policy(files, api, *subject_type),
        Move::Prefix { prefix, .. } => {
            Some(format!("the API then answers for everything below `{prefix}`"))
        }
        Move::Respell { from, to } => Some(format!(
            "the two differ only by case or a slash at the end, and every byte counts: only where the \
            issuer calls itself `{to}`; tokens of `{from}` are refused then"
        )),
        Move::Trust { issuer, .. } => Some(format!(
            "applications of `{issuer}` get in then as far as grants and policies let them"
        )),
        Move::Unproven { issuer } => Some(format!(
            "machines of `{issuer}` whose tokens do not show it count as users then: only where it never \
            issues tokens to machines"
        )),
    }
}

/// What a new operation opens: one path, or all that a listed pattern stands for.
fn operation(files: &Files<'_>, api: &Audience, on: &str) -> String {
    let (method, path) = on.split_once(' ').unwrap_or(("", on));
    if path.split('/').any(|segment| segment == "*" || segment.starts_with('{')) {
        return format!(
            "`{on}` opens all such paths to every caller that passes the other rules: check what the \
            operation is to ask"
        );
    }
    let served = files.snapshot.apis.iter().find(|served| served.api.identifier == *api);
    let asked = method.parse::<Method>().ok().zip(CanonPath::parse(path).ok());
    let is_near = served.zip(asked).is_some_and(|(served, (method, path))| {
        matches!(served.operations.find(&method, &path), Found::Near { .. })
    });
    let near = if is_near {
        "; a listed path differs by case or a slash alone, and an upstream that takes the two for one is \
        asked for that one then, with the need of this"
    } else {
        ""
    };
    format!(
        "`{on}` is this one path: write `{{id}}` where a segment of it names a thing, and check what the \
        operation is to ask{near}"
    )
}

/// Whether another operation of the API, or what its document describes, has the same path.
fn is_listed(files: &Files<'_>, api: &Audience, on: &str) -> bool {
    let pattern = |on: &str| Some(On::parse(on).ok()?.pattern.as_str().to_owned());
    let served = files.snapshot.apis.iter().find(|served| served.api.identifier == *api);
    let (Some(served), Some(new)) = (served, pattern(on)) else { return false };
    let listed = served.operations.iter().filter_map(|operation| pattern(&operation.on));
    let described = served.left_out.iter().map(|left| left.pattern.as_str().to_owned());
    listed.chain(described).any(|known| known == new)
}

fn admitted(files: &Files<'_>, grant: &GrantId, is_named: bool) -> Option<String> {
    let written = &files.inventory.grant(grant.as_str())?.written;
    let ids = written.organizations.as_deref().unwrap_or_default();
    let was_unused = !matches!(
        written.organization_usage,
        Some(config::raw::OrganizationUsage::Allow | config::raw::OrganizationUsage::Require)
    );
    (is_named && was_unused && !ids.is_empty())
        .then(|| format!("{} in the grant already, and admitted then, too", listed(ids)))
}

/// Whoever may use all that is declared may use this, too, and so may those whose grants list it already.
fn declared(
    files: &Files<'_>,
    api: &Audience,
    scopes: &[String],
    details: &[String],
) -> Option<String> {
    let served = files.snapshot.apis.iter().find(|served| served.api.identifier == *api)?;
    let is_open = served.api.access.policy(SubjectType::User) == Policy::AllowAll;
    let names_one = |listed: Option<&[String]>, of: &[String]| {
        listed.unwrap_or_default().iter().any(|name| of.contains(name))
    };
    let gives = |grant: &KnownGrant| {
        let types = grant.written.authorization_details_types.as_deref();
        grant.written.allow_all_scopes == Some(true) && !scopes.is_empty()
            || names_one(grant.scopes().map(|(_, listed)| listed), scopes)
            || names_one(types, details)
    };
    let mut grants = files.inventory.grants.iter().filter(|grant| grant.audience == *api);
    (is_open || grants.any(gives)).then(|| {
        let names = listed(&[scopes, details].concat());
        format!(
            "{names} may then be used by everybody whom `{api}` lets use all that it declares, or whose \
            grant lists it already"
        )
    })
}

/// Grants that had no effect get one.
fn policy(files: &Files<'_>, api: &Audience, subject_type: SubjectType) -> Option<String> {
    let served = files.snapshot.apis.iter().find(|served| served.api.identifier == *api)?;
    let of_it = served.api.grants.iter().filter(|(.., grant)| grant.subject_type() == subject_type);
    let count = of_it.count();
    (count > 0).then(|| {
        let kind = subject_type.as_str();
        format!("grants for `{kind}` that are written already get their effect by this: {count}")
    })
}
