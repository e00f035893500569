//! `security` → what a token must hold.
//!
//! Alternatives that ask what no token answers do not count, for they would let in by less than what is
//! left of them; nor does the one that asks nothing where there are others.

use std::collections::BTreeSet;

use super::super::tree::{Kind as NodeKind, Node};
use super::Asked;
use super::schemes::{Kind, Schemes};
use crate::policy::is_name;

/// What an operation asks, by the document.
pub(super) struct Security {
    pub(super) asked: Asked,
    /// Where it is more than the document says.
    pub(super) notes: Vec<String>,
}

/// Reads a list of requirements, of which one must be met.
///
/// # Errors
/// Why it has no counterpart.
pub(super) fn read(security: &Node, schemes: &Schemes<'_>) -> Result<Security, String> {
    let requirements = security.items().ok_or("its `security` is no list")?;
    if requirements.iter().all(asks_nothing) {
        return Ok(Security { asked: Asked::Public, notes: Vec::new() });
    }
    let mut notes = Vec::new();
    let mut alternatives: Vec<BTreeSet<&str>> = Vec::new();
    let mut reasons: Vec<String> = Vec::new();
    for requirement in requirements {
        if asks_nothing(requirement) {
            notes.push("a token is optional in the document, and asked for here".to_owned());
            continue;
        }
        match scopes(requirement, schemes) {
            Ok(scopes) => alternatives.push(scopes),
            Err(reason) => reasons.push(reason),
        }
    }
    if alternatives.is_empty() {
        reasons.dedup();
        return Err(reasons.join("; "));
    }
    reasons.sort();
    reasons.dedup();
    if !reasons.is_empty() {
        notes.push(format!("other ways are left out: {}", reasons.join("; ")));
    }
    let (asked, whole) = asked(alternatives);
    if !whole {
        notes.push(
            "of several sets of scopes only the first counts: `any_scopes` takes one scope of each"
                .to_owned(),
        );
    }
    Ok(Security { asked, notes })
}

fn asks_nothing(requirement: &Node) -> bool {
    requirement.is_map() && requirement.entries().is_empty()
}

/// The scopes that a requirement asks for, of whose schemes all must be met.
fn scopes<'t>(requirement: &'t Node, schemes: &Schemes<'_>) -> Result<BTreeSet<&'t str>, String> {
    if !requirement.is_map() {
        return Err("a requirement of its `security` is no mapping".to_owned());
    }
    let mut all = BTreeSet::new();
    for entry in requirement.entries() {
        let name = &entry.key;
        match schemes.find(name) {
            Some(Kind::Token) => {}
            Some(Kind::Other(what)) => {
                return Err(format!("the security scheme `{name}` asks for {what}"));
            }
            None => return Err(format!("the security scheme `{name}` is not described")),
        }
        let listed = match &entry.value.kind {
            NodeKind::List(listed) => listed.as_slice(),
            _ => return Err(format!("what it asks of the security scheme `{name}` is no list")),
        };
        for scope in listed {
            match scope.text() {
                Some(scope) if is_name(scope) => _ = all.insert(scope),
                Some(scope) => {
                    return Err(format!("`{scope}` cannot be a scope (RFC 6749 section 3.3)"));
                }
                None => return Err(format!("a scope of the security scheme `{name}` is no text")),
            }
        }
    }
    Ok(all)
}

/// What asks the same as one of these sets; and whether it does, or asks for the first of them alone.
fn asked(sets: Vec<BTreeSet<&str>>) -> (Asked, bool) {
    let mut least: Vec<BTreeSet<&str>> = Vec::new();
    for set in sets {
        // Whoever holds a larger set holds the smaller one.
        if least.iter().any(|known| known.is_subset(&set)) {
            continue;
        }
        least.retain(|known| !set.is_subset(known));
        least.push(set);
    }
    let mut common = least.first().cloned().unwrap_or_default();
    common.retain(|scope| least.iter().all(|set| set.contains(scope)));
    let rest: Vec<Vec<&str>> =
        least.iter().map(|set| set.difference(&common).copied().collect()).collect();
    let owned = |scopes: &mut dyn Iterator<Item = &str>| scopes.map(str::to_owned).collect();
    let is_whole = least.len() == 1 || rest.iter().all(|rest| rest.len() == 1);
    let asked = if least.len() > 1 && is_whole {
        Asked::Token {
            scopes: owned(&mut common.into_iter()),
            any_scopes: owned(&mut rest.into_iter().flatten()),
        }
    } else {
        let first = least.into_iter().next().unwrap_or_default();
        Asked::Token { scopes: owned(&mut first.into_iter()), any_scopes: Vec::new() }
    };
    (asked, is_whole)
}
