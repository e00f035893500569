//! What a client grant gives, and under which conditions: its scopes, the rules of its subject type,
//! its end. Whom and what it is for is read beside this, in `grants`.

use std::collections::BTreeSet;

use super::apis::SCOPE_CHARACTERS;
use super::context::{At, Context, meant};
use super::date;
use crate::config::{Code, Place, raw};
use crate::policy::{
    GrantKind, NameSet, Names, OrganizationId, OrganizationRule, Organizations, SubjectType,
    UnixTime, is_name,
};

/// The scopes that the grant gives, of those that the API declares; `undeclared` is what another one is.
/// Where it is not known what the API declares, the rules are held against the grant all the same.
pub(super) fn ceiling(
    ctx: &mut Context<'_, '_>,
    written: &At<&raw::ClientGrant>,
    declared: Option<&Names>,
    undeclared: Code,
) -> Option<NameSet> {
    let At { place, raw } = written;
    let (at_scope, at_scopes) = (|| place.key("scope"), || place.key("scopes"));
    let (list, scopes) = match (&raw.scope, &raw.scopes) {
        (Some(_), Some(_)) => {
            ctx.report
                .push(
                    Code::GrantScopeTwice,
                    &at_scopes(),
                    "`scope` and `scopes` are one key under two names",
                )
                .also(&at_scope(), "written here too")
                .help("write all of them under `scope`");
            return None;
        }
        (Some(scopes), None) => ("scope", scopes.as_slice()),
        (None, Some(scopes)) => ("scopes", scopes.as_slice()),
        (None, None) if raw.allow_all_scopes == Some(true) => {
            return Some(declared.map(|names| names.all().clone()).unwrap_or_default());
        }
        (None, None) => {
            let all = place.key("allow_all_scopes");
            if !ctx.report.is_refused(&at_scopes()) && !ctx.report.is_refused(&all) {
                ctx.report
                    .push(
                        Code::GrantScopeMissing,
                        &at_scope(),
                        "the grant does not say which scopes it gives",
                    )
                    .help(
                        "write `scope: []` if it gives none; a file that was cut short may have lost them",
                    );
            }
            return None;
        }
    };
    if raw.allow_all_scopes == Some(true) {
        if scopes.is_empty() {
            return Some(declared.map(|names| names.all().clone()).unwrap_or_default());
        }
        ctx.report
            .push(
                Code::AllScopesWithScopes,
                &place.key("allow_all_scopes"),
                "a grant gives all scopes, or those that it lists",
            )
            .also(&place.key(list), "some are listed here")
            .help("keep one of them");
        return None;
    }
    let mut ceiling = NameSet::default();
    let mut whole = true;
    for (index, scope) in scopes.iter().enumerate() {
        let at = || place.key(list).index(index);
        if !is_name(scope) {
            let message = format!("`{scope}` is not a scope");
            ctx.report.push(Code::NameInvalid, &at(), message).help(SCOPE_CHARACTERS);
            whole = false;
            continue;
        }
        let named = Named { word: "scope", name: scope, undeclared };
        declare(ctx, at, &named, declared, &mut ceiling);
    }
    whole.then_some(ceiling)
}

/// What a grant names.
struct Named<'n> {
    word: &'static str,
    name: &'n str,
    /// What it is where the API does not declare it.
    undeclared: Code,
}

/// Adds a name to those that are given; one that the API does not declare gives nothing.
fn declare(
    ctx: &mut Context<'_, '_>,
    at: impl FnOnce() -> Place,
    named: &Named<'_>,
    declared: Option<&Names>,
    given: &mut NameSet,
) {
    let Some(declared) = declared else { return };
    let Named { word, name, undeclared } = *named;
    if let Some(found) = declared.find(name) {
        given.insert(found);
        return;
    }
    let message = format!("the API does not declare the {word} `{name}`, so it gives nothing");
    let help = || meant(name, declared.iter().map(|name| &**name), "the API declares");
    ctx.report.push(undeclared, &at(), message).help_by(help);
}

/// The rules of the grant's subject type, and none of another's.
pub(super) fn kind(
    ctx: &mut Context<'_, '_>,
    written: &At<&raw::ClientGrant>,
    subject_type: SubjectType,
    third_party: bool,
    declared: Option<&Names>,
) -> Option<GrantKind> {
    let At { place, raw } = written;
    let lists_details =
        raw.authorization_details_types.as_ref().is_some_and(|types| !types.is_empty());
    let admits = raw.organization_usage.is_some_and(|usage| usage != raw::OrganizationUsage::Deny)
        || raw.allow_any_organization == Some(true)
        || raw.organizations.as_ref().is_some_and(|ids| !ids.is_empty());
    let mut misplaced = |key: &'static str, of: &str| {
        let message = format!("`{key}` has no meaning in a grant for `{}`", subject_type.as_str());
        ctx.report
            .push(Code::GrantRulesMisplaced, &place.key(key), message)
            .on_key()
            .help(format!("remove it, or write `subject_type: {of}`"));
    };
    if lists_details && subject_type != SubjectType::User {
        misplaced("authorization_details_types", "user");
        return None;
    }
    if admits && subject_type != SubjectType::Client {
        let key = match (raw.organization_usage, raw.allow_any_organization) {
            (Some(_), _) => "organization_usage",
            (None, Some(true)) => "allow_any_organization",
            _ => "organizations",
        };
        misplaced(key, "client");
        return None;
    }
    Some(match subject_type {
        SubjectType::AnonymousUser => GrantKind::AnonymousUser,
        SubjectType::Client => {
            GrantKind::Client { organizations: organizations(ctx, written, third_party)? }
        }
        SubjectType::User => {
            let mut details = NameSet::default();
            for (index, name) in raw.authorization_details_types.iter().flatten().enumerate() {
                let named = Named {
                    word: "authorization details type",
                    name,
                    undeclared: Code::GrantScopeUndeclared,
                };
                let at = || place.key("authorization_details_types").index(index);
                declare(ctx, at, &named, declared, &mut details);
            }
            GrantKind::User { details }
        }
    })
}

fn organizations(
    ctx: &mut Context<'_, '_>,
    written: &At<&raw::ClientGrant>,
    third_party: bool,
) -> Option<OrganizationRule> {
    let At { place, raw } = written;
    let any = raw.allow_any_organization == Some(true);
    let mut ids = BTreeSet::new();
    let mut whole = true;
    for (index, id) in raw.organizations.iter().flatten().enumerate() {
        match ctx.name(&place.key("organizations").index(index), id, OrganizationId::new) {
            Some(id) => drop(ids.insert(id)),
            None => whole = false,
        }
    }
    if any && third_party {
        ctx.report
            .push(
                Code::AnyOrganizationThirdParty,
                &place.key("allow_any_organization"),
                "a third party's grant cannot admit every organization",
            )
            .help("name those it admits under `organizations`");
        return None;
    }
    let listed = !ids.is_empty();
    let admitted = if any { Organizations::Any } else { Organizations::Associated(ids) };
    let rule = match raw.organization_usage {
        Some(raw::OrganizationUsage::Allow) => OrganizationRule::Allow(admitted),
        Some(raw::OrganizationUsage::Require) => OrganizationRule::Require(admitted),
        Some(raw::OrganizationUsage::Deny) | None => {
            // A usage that could not be read may well be another than the default.
            let is_said = || !ctx.report.is_refused(&place.key("organization_usage"));
            if (any || listed) && is_said() {
                let key = if any { "allow_any_organization" } else { "organizations" };
                ctx.report
                    .push(
                        Code::OrganizationsUnused,
                        &place.key(key),
                        format!("`{key}` admits nobody while `organization_usage` is `deny`"),
                    )
                    .help("write `organization_usage: allow` or `require`, or remove it");
            }
            OrganizationRule::Deny
        }
    };
    whole.then_some(rule)
}

/// When the grant ends; the outer `None` is an instant that cannot be read.
#[expect(
    clippy::option_option,
    reason = "not said and not readable differ: one is a grant without end"
)]
pub(super) fn expires_at(
    ctx: &mut Context<'_, '_>,
    written: &At<&raw::ClientGrant>,
) -> Option<Option<UnixTime>> {
    let Some(text) = &written.raw.expires_at else { return Some(None) };
    let instant = date::instant(text);
    if instant.is_none() {
        ctx.report
            .push(
                Code::TimeInvalid,
                &written.place.key("expires_at"),
                format!("`{text}` is not a date and time"),
            )
            .help("write date, time and zone (RFC 3339): `\"2030-01-01T00:00:00Z\"`");
    }
    instant.map(Some)
}
