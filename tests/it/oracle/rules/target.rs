//! Rules 1 and 2: which API, and which of its operations.

use super::super::request::Request;
use super::super::world::{Api, Operation, World};

/// "1. API. Host and path choose it, else `route-unknown`. Exact host before `*.suffix` before any;
/// then the longest `path_prefix`, on whole segments."
///
/// A path that only its case keeps from another API is ambiguous.
pub(super) fn rule_1_api<'a>(world: &'a World, request: &Request) -> Result<&'a Api, &'static str> {
    let (api, rank) = best_api(world, request, str::to_owned).ok_or("route-unknown")?;
    let other = best_api(world, request, str::to_ascii_lowercase);
    if other.is_some_and(|(_, other)| other > rank) {
        return Err("path-ambiguous");
    }
    Ok(api)
}

type Rank = (usize, usize, usize);

fn best_api<'a>(
    world: &'a World,
    request: &Request,
    fold: fn(&str) -> String,
) -> Option<(&'a Api, Rank)> {
    let path = fold(&request.path);
    let mut best: Option<(&Api, Rank)> = None;
    for api in &world.apis {
        let prefix = fold(api.prefix.trim_end_matches('/'));
        let below = path.strip_prefix(&prefix);
        if !below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
            continue;
        }
        let mut hosts: Vec<(usize, usize)> = Vec::new();
        if api.hosts.is_empty() {
            hosts.push((0, 0));
        }
        for host in &api.hosts {
            match host.strip_prefix('*') {
                Some(suffix) if request.host.ends_with(suffix) => hosts.push((1, suffix.len())),
                None if request.host == *host => hosts.push((2, 0)),
                _ => {}
            }
        }
        for (kind, length) in hosts {
            let rank = (kind, length, prefix.len());
            if best.is_none_or(|(_, so_far)| rank > so_far) {
                best = Some((api, rank));
            }
        }
    }
    best
}

/// What a method and path are among the operations of an API.
pub(super) enum Listing<'a> {
    Listed(&'a Operation),
    OtherMethods { public: bool },
    Near { public: bool },
    Unlisted,
}

/// "2. Operation. The most specific path wins, segment by segment: literal, then `{name}` (one
/// segment), then trailing `*` (one or more segments). GET covers HEAD. A listed path with another
/// method → `method-refused`." And section 5: "A listed path that differs only by case or a trailing
/// slash makes the unlisted one ambiguous", and so one that leads to a less specific operation. An
/// operation competes where its methods cover the method.
pub(super) fn rule_2_operation<'a>(api: &'a Api, request: &Request) -> Listing<'a> {
    let listed: Vec<_> =
        api.operations.iter().filter(|op| matches(&op.path, &request.path)).collect();
    let mut candidates: Vec<_> = listed.iter().filter(|op| covers(op, &request.method)).collect();
    candidates.sort_by_key(|op| specificity(&op.path));
    let near: Vec<_> =
        api.operations.iter().filter(|op| nearly_matches(&op.path, &request.path)).collect();
    if let Some(operation) = candidates.first() {
        let least = specificity(&operation.path);
        let passed: Vec<_> = near
            .iter()
            .filter(|op| covers(op, &request.method) && specificity(&op.path) < least)
            .collect();
        if passed.is_empty() {
            return Listing::Listed(operation);
        }
        return Listing::Near {
            public: operation.need.public || passed.iter().any(|op| op.need.public),
        };
    }
    if !listed.is_empty() {
        return Listing::OtherMethods { public: listed.iter().any(|op| op.need.public) };
    }
    if !near.is_empty() {
        return Listing::Near { public: near.iter().any(|op| op.need.public) };
    }
    Listing::Unlisted
}

fn covers(operation: &Operation, method: &str) -> bool {
    operation
        .methods
        .iter()
        .any(|own| own == "*" || own == method || (own == "GET" && method == "HEAD"))
}

fn matches(pattern: &str, path: &str) -> bool {
    let pattern: Vec<_> = pattern.split('/').collect();
    let path: Vec<_> = path.split('/').collect();
    for (n, segment) in pattern.iter().enumerate() {
        let Some(own) = path.get(n) else { return false };
        if *segment == "*" {
            return !own.is_empty();
        }
        let fits = if segment.starts_with('{') { !own.is_empty() } else { segment == own };
        if !fits {
            return false;
        }
    }
    path.len() == pattern.len()
}

fn nearly_matches(pattern: &str, path: &str) -> bool {
    let (pattern, path) = (pattern.to_ascii_lowercase(), path.to_ascii_lowercase());
    let other = path.strip_suffix('/').map_or_else(|| format!("{path}/"), ToOwned::to_owned);
    matches(&pattern, &path) || matches(&pattern, &other)
}

/// Ascending: 0 for a literal segment, 1 for a name, 2 for the star; a slash at the end counts for none.
fn specificity(pattern: &str) -> Vec<u8> {
    let rank = |segment: &str| match segment {
        "*" => 2,
        name if name.starts_with('{') => 1,
        _ => 0,
    };
    pattern.trim_end_matches('/').split('/').map(rank).collect()
}
