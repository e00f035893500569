//! A changed client grant: what was sent, held against what is written → the keys and items that differ.

use std::collections::HashSet;

use serde::Serialize;
use serde_json::json;

use super::bodies::{Scopes, UpdateGrant};
use super::create::{belongs, both_scopes, distinct};
use super::show;
use crate::config::inventory::KnownGrant;
use crate::config::raw::OrganizationUsage;
use crate::config::{Edit, Place};
use crate::management::body::{self, Member};
use crate::management::{Asked, Fault, Plan, Then};
use crate::reload::Change;

pub(super) fn plan(grant: &KnownGrant, asked: &Asked) -> Result<Plan, Fault> {
    let update = body::read::<UpdateGrant>(&asked.body)?;
    asked.must_match(Some(&show(grant)))?;
    let admits = matches!(update.allow_any_organization, Member::Value(true))
        || matches!(update.organization_usage, Member::Value(usage) if usage != OrganizationUsage::Deny);
    let lists_details =
        update.authorization_details_types.as_ref().is_some_and(|types| !types.is_empty());
    belongs(grant.subject_type, admits, lists_details)?;
    let (place, written) = (&grant.place, &grant.written);
    let mut edits = scopes(grant, update.scope, &update.allow_all_scopes)?;
    let usage = place.key("organization_usage");
    edits.extend(member(usage, written.organization_usage, &update.organization_usage));
    let any = place.key("allow_any_organization");
    edits.extend(member(any, written.allow_any_organization, &update.allow_any_organization));
    if let Some(types) = update.authorization_details_types {
        let list = place.key("authorization_details_types");
        edits.extend(items(
            &list,
            written.authorization_details_types.as_deref(),
            &distinct(types.0),
        ));
    }
    let change = Change { edits, new_file: None };
    Ok(Plan { change, then: Then::Grant { id: grant.id.clone(), created: false } })
}

/// The scopes are listed, or all: never both, and one of the two is always said.
fn scopes(
    grant: &KnownGrant,
    scope: Member<Scopes>,
    all_scopes: &Member<bool>,
) -> Result<Vec<Edit>, Fault> {
    let (place, was_all) = (&grant.place, grant.written.allow_all_scopes);
    let all = match all_scopes {
        Member::Absent => was_all == Some(true),
        Member::Null => false,
        Member::Value(all) => *all,
    };
    let sent = match scope {
        Member::Absent => None,
        Member::Null => Some(Vec::new()),
        Member::Value(scopes) => Some(distinct(scopes.0)),
    };
    let mut edits = Vec::new();
    let (key, listed) = grant.scopes().unzip();
    let list = place.key(key.unwrap_or("scope"));
    match sent {
        Some(sent) if all && !sent.is_empty() => return Err(both_scopes()),
        _ if all && listed.is_some_and(|listed| !listed.is_empty()) => {
            edits.push(Edit::Remove { place: list });
        }
        _ if all => {}
        Some(sent) => edits.extend(items(&list, listed, &sent)),
        // They were all, and nobody says which remain: none.
        None if listed.is_none() => edits.push(Edit::Set { place: list, value: json!([]) }),
        None => {}
    }
    edits.extend(member(place.key("allow_all_scopes"), was_all, all_scopes));
    Ok(edits)
}

/// The edit that makes a key what was sent.
fn member<T: Copy + PartialEq + Serialize>(
    place: Place,
    written: Option<T>,
    sent: &Member<T>,
) -> Option<Edit> {
    match (sent, written) {
        (Member::Absent, _) | (Member::Null, None) => None,
        (Member::Null, Some(_)) => Some(Edit::Remove { place }),
        (Member::Value(sent), Some(written)) if *sent == written => None,
        (Member::Value(sent), _) => Some(Edit::Set { place, value: json!(sent) }),
    }
}

/// The edits that make a list what was sent, as a set: what stays is not touched.
fn items(list: &Place, written: Option<&[String]>, sent: &[String]) -> Vec<Edit> {
    let whole = || vec![Edit::Set { place: list.clone(), value: json!(sent) }];
    let Some(written) = written else { return whole() };
    let (were, are) = (written.iter().collect::<HashSet<_>>(), sent.iter().collect::<HashSet<_>>());
    if !written.is_empty() && were.is_disjoint(&are) {
        return whole();
    }
    let gone = written.iter().enumerate().filter(|(_, item)| !are.contains(item));
    let mut edits: Vec<_> =
        gone.map(|(index, _)| Edit::Remove { place: list.index(index) }).collect();
    let new: Vec<_> =
        sent.iter().filter(|item| !were.contains(item)).map(|item| json!(item)).collect();
    if !new.is_empty() {
        edits.push(Edit::Append { list: list.clone(), items: new });
    }
    edits
}
