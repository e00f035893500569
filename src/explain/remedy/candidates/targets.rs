//! What may help where a request aims at nothing that is served, and where an operation asks more than the
//! token holds.

use super::super::moves::{Move, Wanted};
use super::{Seen, names, said, said_audiences};
use crate::config::snapshot::{Operation, ServedApi};
use crate::policy::{Ask, NameSet, Need};
use crate::route::{CanonPath, On};

/// The API that the token is meant for, or the only one, is served there, too.
pub(super) fn route(seen: &Seen<'_>) -> Option<Vec<Vec<Move>>> {
    let path = seen.supposed.canonical_path().ok()?;
    let served = meant(seen)?;
    let api = served.api.identifier.clone();
    let host = || (!served.hosts.is_empty()).then(|| seen.supposed.host.clone());
    let host = host().map(|host| Move::Host { api: api.clone(), host });
    let prefix = common_prefix(served, &path);
    let prefix = prefix.map(|prefix| Move::Prefix { api: api.clone(), prefix });
    let both = host.clone().zip(prefix.clone()).map(|(host, prefix)| vec![host, prefix]);
    let alone = [host, prefix].into_iter().flatten().map(|one| vec![one]);
    Some(alone.chain(both).collect())
}

/// The served API that the token's audience names; where there is but one, that.
fn meant<'s>(seen: &Seen<'s>) -> Option<&'s ServedApi> {
    let mut served = seen.snapshot.apis.iter().filter(|served| served.upstream.is_some());
    let claims = said(&seen.supposed.shown).unwrap_or_default();
    let audiences = said_audiences(&claims);
    let is_named = |served: &&ServedApi| {
        served.audiences.iter().any(|audience| audiences.contains(&audience.as_str()))
    };
    served.clone().find(is_named).or_else(|| {
        let only = served.next();
        only.filter(|_| served.next().is_none())
    })
}

/// The longest prefix that the API's own and the path have in common; none where it is the API's own, or a
/// shorter one would send other paths to the upstream.
fn common_prefix(served: &ServedApi, path: &CanonPath<'_>) -> Option<String> {
    if served.strip_prefix.is_some() || served.path_prefix.strip(path).is_some() {
        return None;
    }
    let prefix = served.path_prefix.to_string();
    let both = prefix.split('/').skip(1).zip(path.segments());
    let same: Vec<_> = both.take_while(|(one, other)| one == other).map(|(one, _)| one).collect();
    Some(format!("/{}", same.join("/")))
}

/// An operation for just this method and path; or for the path as the API's document has it.
pub(super) fn unlisted(seen: &Seen<'_>) -> Option<Vec<Vec<Move>>> {
    let served = seen.served()?;
    let (api, method) = (served.api.identifier.clone(), &seen.supposed.method);
    let path = seen.supposed.canonical_path().ok()?;
    let described = served.left_out(method, &path);
    // In a pattern a star has a meaning.
    let pattern = described
        .map_or_else(|| path.as_str().replace('*', "%2A"), |left| left.pattern.as_str().to_owned());
    let on = format!("{method} {pattern}");
    Some(vec![vec![Move::Operation { api, on, need: None }]])
}

/// An operation for this method on the path as it is listed: asking what the listed one asks, else what this
/// caller may use.
pub(super) fn method(seen: &Seen<'_>) -> Option<Vec<Vec<Move>>> {
    let served = seen.served()?;
    let path = seen.supposed.canonical_path().ok()?;
    let listed = served.operations.iter().filter_map(|operation| {
        let pattern = On::parse(&operation.on).ok()?.pattern;
        pattern.matches(&path).then(|| (pattern.as_str().to_owned(), operation))
    });
    // The most specific: literals before names before a star, which ends a pattern.
    let wildness = |(pattern, _): &(String, &Operation)| {
        let segments = || pattern.split('/');
        (segments().any(|it| it == "*"), segments().filter(|it| it.starts_with('{')).count())
    };
    let (pattern, operation) = listed.min_by_key(wildness)?;
    let (api, on) = (&served.api, format!("{} {pattern}", seen.supposed.method));
    let as_listed = match &operation.ask {
        Ask::Token(need) => Some(wanted(served, need)).filter(|need| !need.is_empty()),
        Ask::Public => None,
    };
    let new = |need| vec![Move::Operation { api: api.identifier.clone(), on: on.clone(), need }];
    Some(as_listed.map(Some).into_iter().chain([None]).map(new).collect())
}

fn wanted(served: &ServedApi, need: &Need) -> Wanted {
    let any = need.any_scopes.iter().filter_map(|&place| served.api.scopes.at(place));
    Wanted {
        scopes: names(&served.api.scopes, &need.scopes),
        any_scopes: any.map(ToString::to_string).collect(),
        details: names(&served.api.details, &need.details),
    }
}

/// The operation asks what this caller may use: less of what it asks, or instead of that one thing that he
/// may use; where he may use nothing, any token.
pub(super) fn ask_less(seen: &Seen<'_>) -> Option<Vec<Vec<Move>>> {
    let (served, operation, presented) =
        (seen.served()?, seen.outcome.operation?, seen.presented()?);
    let api = &served.api;
    let ceiling = seen.refusal.grant.as_ref().map_or(api.scopes.all(), |grant| &grant.ceiling);
    let effective = presented.scopes.usable.and(ceiling);
    let need = seen.need();
    let kept = need.scopes.and(&effective);
    let answered = need.any_scopes.iter().any(|&scope| effective.contains(scope));
    let details = need.details.and(&presented.details.registered);
    let mut less = Need { scopes: kept, any_scopes: need.any_scopes.clone(), details };
    let instead = effective.iter().next();
    let lost = need.scopes.without(&effective);
    if less.scopes.is_empty() && !lost.is_empty() {
        // Whoever had them keeps his way in; beside that, one that this caller has.
        less.any_scopes = if need.any_scopes.is_empty() {
            instead.map(|_| lost.iter().collect()).unwrap_or_default()
        } else {
            need.any_scopes.clone()
        };
    }
    let is_open = less.any_scopes.iter().any(|&scope| effective.contains(scope));
    if !less.any_scopes.is_empty() && !answered && !is_open {
        match instead {
            Some(scope) => less.any_scopes.push(scope),
            None => less.any_scopes.clear(),
        }
    }
    let missing = &seen.refusal.missing_scopes;
    let lacked: NameSet = missing.iter().filter_map(|name| api.scopes.find(name)).collect();
    let is_granted = if need.any_scopes.is_empty() {
        ceiling.contains_all(&lacked)
    } else {
        lacked.iter().any(|scope| ceiling.contains(scope))
    };
    Some(vec![vec![Move::AskLess {
        api: api.identifier.clone(),
        on: operation.on.clone(),
        need: wanted(served, &less),
        missing: if seen.refusal.challenge_scopes.is_empty() {
            missing.clone()
        } else {
            seen.refusal.challenge_scopes.clone()
        },
        is_granted,
    }]])
}
