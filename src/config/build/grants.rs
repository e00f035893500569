//! Client grants → the ceilings, each given to its API.
//!
//! Every rule of a grant is held against it whatever becomes of its key, so that all problems are
//! said. A grant for an API that is not here, or that has no gate, is checked and left out.

use std::sync::Arc;

use foldhash::HashMap;

use super::apis::{Apis, KnownApi};
use super::clients::{Listed, client_id};
use super::context::{At, Context, choice, nearly};
use super::export::is_exported_grant;
use super::issuers::Issuers;
use super::management::Declared;
use super::{grant_id, rules};
use crate::config::inventory::SYSTEM_API;
use crate::config::{Code, Place, raw};
use crate::policy::{Grant, GrantId, Holder, Issuer, Party, SubjectType};

/// A grant that counts, and where it was written.
pub(in crate::config) struct Given {
    pub(in crate::config) place: Place,
    /// The issuer's place.
    pub(in crate::config) issuer: usize,
    pub(in crate::config) holder: Holder,
    /// The API's place among all that are configured.
    pub(in crate::config) api: usize,
    pub(in crate::config) grant: Arc<Grant>,
}

/// Builds every grant, gives each API its own, and tells which were given.
pub(super) fn build(
    ctx: &mut Context<'_, '_>,
    written: &[At<&raw::ClientGrant>],
    issuers: &Issuers,
    listed: &Listed,
    management: Option<&Declared>,
    apis: &mut Apis,
) -> Vec<Given> {
    let mut given: Vec<Given> = Vec::new();
    let mut keys: HashMap<(usize, Holder, usize, SubjectType), usize> = HashMap::default();
    let mut ids: HashMap<GrantId, &At<&raw::ClientGrant>> = HashMap::default();
    for grant in written {
        let Some(built) = build_one(ctx, grant, issuers, listed, management, apis) else {
            // It is shown and changed by its id, too.
            let id = grant.raw.id.as_ref().and_then(|id| GrantId::new(id).ok());
            if let Some(first) = id.and_then(|id| ids.insert(id, grant)) {
                one_id(ctx, first, grant);
            }
            continue;
        };
        let key = (built.issuer, built.holder.clone(), built.api, built.grant.subject_type());
        if let Some(first) = keys.get(&key).and_then(|first| given.get(*first)) {
            ctx.report
                .push(
                    Code::GrantDuplicate,
                    &built.place,
                    "another grant has the same application, API and subject type",
                )
                .also(&first.place, "first given here")
                .help(
                    "keep one of them; a grant is identified by issuer, application, API and \
                    subject type",
                );
            continue;
        }
        keys.insert(key, given.len());
        if let Some(first) = ids.insert(built.grant.id.clone(), grant) {
            one_id(ctx, first, grant);
        }
        given.push(built);
    }
    for one in &given {
        if let (Some(known), Some(issuer)) = (apis.list.get_mut(one.api), issuers.name(one.issuer))
        {
            known.api.grants.insert(issuer.clone(), one.holder.clone(), one.grant.clone());
        }
    }
    given
}

/// Says that two grants have one id, of which at least one was written: it may be the one that another
/// grant gets that has none.
fn one_id(
    ctx: &mut Context<'_, '_>,
    first: &At<&raw::ClientGrant>,
    second: &At<&raw::ClientGrant>,
) {
    let (of, other) = if second.raw.id.is_some() { (second, first) } else { (first, second) };
    let id = of.raw.id.as_deref().unwrap_or_default();
    ctx.report
        .push(
            Code::GrantIdDuplicate,
            &of.place.key("id"),
            format!("the id `{id}` belongs to another grant"),
        )
        .also(&other.place, "that grant")
        .help("leave out `id`, and one is derived from what the grant is for");
}

fn build_one(
    ctx: &mut Context<'_, '_>,
    written: &At<&raw::ClientGrant>,
    issuers: &Issuers,
    listed: &Listed,
    management: Option<&Declared>,
    apis: &Apis,
) -> Option<Given> {
    let At { place, raw } = written;
    let api = api(ctx, written, apis);
    let known = api.and_then(|api| apis.list.get(api));
    let issuer = known.and_then(|known| issuer(ctx, written, issuers, known));
    let names = is_exported_grant(place).then_some(Exported {
        listed,
        issuer,
        counts: known.is_some_and(|known| known.has_gate),
    });
    let holder = holder(ctx, written, names.as_ref());
    let subject_type = subject_type(raw);
    let declared = known.filter(|known| !known.doubtful).map(|known| &known.api);
    let is_system = known.is_some_and(|known| known.is_system);
    let undeclared = if is_system { Code::ManagementGrant } else { Code::GrantScopeUndeclared };
    let ceiling = rules::ceiling(ctx, written, declared.map(|api| &api.scopes), undeclared);
    let third_party = holder.as_ref().is_some_and(|holder| match holder {
        Holder::Client(client) => {
            issuer.and_then(|issuer| issuers.party(issuer, client, &listed.clients))
                == Some(Party::Third)
        }
        Holder::ThirdPartyClients => true,
    });
    if let Some(management) = management.filter(|_| is_system) {
        let own = holder.as_ref().filter(|_| issuer.is_some() && issuer == issuers.own());
        management.allows(ctx, written, own, third_party);
    }
    // Which rules are its own is not known where the subject type could not be read.
    let kind = if ctx.report.is_refused(&place.key("subject_type")) {
        None
    } else {
        rules::kind(ctx, written, subject_type, third_party, declared.map(|api| &api.details))
    };
    let expires_at = rules::expires_at(ctx, written);
    let id = raw.id.as_ref().map(|id| ctx.name(&place.key("id"), id, GrantId::new));
    let (known, issuer, holder) = (known?, issuer?, holder?);
    let derived = || {
        let issuer = issuers.name(issuer)?.as_str();
        grant_id::derive(issuer, &holder, &known.api.identifier, subject_type)
    };
    let id = id.unwrap_or_else(derived)?;
    let owner = raw.owner.as_deref().map(Arc::from);
    let origin = ctx.report.origin(place);
    let grant =
        Grant { id, ceiling: ceiling?, expires_at: expires_at?, kind: kind?, owner, origin };
    Some(Given { place: place.clone(), issuer, holder, api: api?, grant: Arc::new(grant) })
}

/// On whose behalf a grant is, as written or by default.
pub(super) fn subject_type(grant: &raw::ClientGrant) -> SubjectType {
    grant.subject_type.unwrap_or_default().into()
}

/// What a grant of a tenant export needs to know of its application, which it may name.
struct Exported<'a> {
    listed: &'a Listed,
    issuer: Option<usize>,
    /// Whether it is for an API that is served: of others nobody need know the applications.
    counts: bool,
}

fn holder(
    ctx: &mut Context<'_, '_>,
    written: &At<&raw::ClientGrant>,
    exported: Option<&Exported<'_>>,
) -> Option<Holder> {
    let At { place, raw } = written;
    // Made where they are needed: there may be very many grants.
    let (at_id, at_default) = (|| place.key("client_id"), || place.key("default_for"));
    match (&raw.client_id, raw.default_for) {
        (Some(id), None) => match exported {
            None => client_id(ctx, &at_id(), id).map(Holder::Client),
            Some(Exported { listed, issuer: Some(issuer), counts: true }) => {
                listed.find(ctx, &at_id(), *issuer, id).map(Holder::Client)
            }
            Some(_) => None,
        },
        (None, Some(raw::DefaultFor::ThirdPartyClients)) => Some(Holder::ThirdPartyClients),
        (Some(_), Some(_)) => {
            ctx.report
                .push(
                    Code::GrantHolder,
                    &at_id(),
                    "a grant is for one application or a default, not both",
                )
                .also(&at_default(), "a default here")
                .help("keep one of them, and write a second grant for the other");
            None
        }
        (None, None) => {
            if !ctx.report.is_refused(&at_default()) {
                ctx.report
                    .push(Code::GrantHolder, &at_id(), "the grant does not say whom it is for")
                    .help("write `client_id`, or `default_for: third_party_clients`");
            }
            None
        }
    }
}

fn api(ctx: &mut Context<'_, '_>, written: &At<&raw::ClientGrant>, apis: &Apis) -> Option<usize> {
    let place = || written.place.key("audience");
    let Some(audience) = &written.raw.audience else {
        let described = apis.described();
        if described.len() == 1 && !apis.doubtful {
            return Some(0);
        }
        if !apis.doubtful {
            let message = match described.len() {
                0 => "the grant does not say which API it is for".to_owned(),
                count => format!("the grant does not say which of the {count} APIs it is for"),
            };
            let help = if described.is_empty() {
                "write the API's identifier: `audience: https://orders.example.com`".to_owned()
            } else {
                choice("audience", described.iter().map(|known| known.api.identifier.as_str()))
            };
            ctx.report.push(Code::AudienceAmbiguous, &place(), message).help(help);
        }
        return None;
    };
    let found = apis.find(audience);
    if found.is_none() && !apis.doubtful {
        let message =
            format!("the API `{audience}` is not configured here, so the grant is not used");
        let help = || nearly(audience, apis.identifiers(), "the APIs here are");
        ctx.report.push(Code::GrantElsewhere, &place(), message).help_by(help);
    }
    found
}

fn issuer(
    ctx: &mut Context<'_, '_>,
    written: &At<&raw::ClientGrant>,
    issuers: &Issuers,
    known: &KnownApi,
) -> Option<usize> {
    let place = || written.place.key("issuer");
    if let Some(name) = &written.raw.issuer {
        let found = match issuers.own() {
            Some(own) if known.is_system && name == SYSTEM_API => own,
            _ => issuers.resolve(ctx, &place(), name)?,
        };
        if !known.trusted.contains(&found) && !ctx.report.has_error_within(&known.issuers_place()) {
            untrusted(ctx, &place(), known);
        }
        return Some(found);
    }
    if is_exported_grant(&written.place) && known.has_gate {
        return exported_by(ctx, &place(), issuers, known);
    }
    if let Some(own) = issuers.own()
        && known.is_system
    {
        return Some(own);
    }
    match known.trusted.as_slice() {
        [only] => Some(*only),
        // Why the API trusts none is said there; without a gate the grant is not used.
        [] => None,
        _ if !known.has_gate => None,
        several => {
            let names = several.iter().filter_map(|index| issuers.name(*index)).map(Issuer::as_str);
            let message = format!(
                "the grant does not say which of the {} issuers that the API trusts is meant",
                several.len()
            );
            let help = choice("issuer", names);
            ctx.report.push(Code::IssuerAmbiguous, &place(), message).help(help);
            None
        }
    }
}

/// The issuer of a grant in a tenant export: the tenant, which the API may not trust at all.
fn exported_by(
    ctx: &mut Context<'_, '_>,
    place: &Place,
    issuers: &Issuers,
    known: &KnownApi,
) -> Option<usize> {
    let tenant = issuers.exported(ctx, place, "a grant of an export is of an issuer")?;
    if !known.trusted.contains(&tenant) && !ctx.report.has_error_within(&known.issuers_place()) {
        untrusted(ctx, place, known);
    }
    Some(tenant)
}

fn untrusted(ctx: &mut Context<'_, '_>, place: &Place, known: &KnownApi) {
    let message = format!(
        "the API `{}` does not trust this issuer, so the grant has no effect",
        known.api.identifier
    );
    ctx.report
        .push(Code::GrantPointless, place, message)
        .also(&known.issuers_place(), "those that it trusts")
        .help(if known.is_system {
            "add the issuer to `management.issuers`, or remove the grant"
        } else {
            "add the issuer to the API's `gate.issuers`, or remove the grant"
        });
}
