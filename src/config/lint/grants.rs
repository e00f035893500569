//! Grants that give nothing, or not for long, or not to whom they name.

use std::collections::HashMap;
use std::time::Duration;

use super::{Subject, quoted};
use crate::config::build::{Given, KnownApi};
use crate::config::{Code, Report};
use crate::policy::{
    ClientId, GrantKind, Holder, Issuer, OrganizationId, OrganizationRule, Organizations, Party,
    Policy, SubjectType, UnixTime,
};
use crate::token::{Profile, Unproven};

const SOON: Duration = Duration::from_hours(14 * 24);

pub(super) fn expires_soon(report: &mut Report, given: &Given, now: UnixTime) {
    let Some(end) = given.grant.expires_at else { return };
    let left = end.seconds().saturating_sub(now.seconds());
    let has_expired = end <= now;
    let message = if has_expired {
        "the grant has expired and gives nothing".to_owned()
    } else if left <= i64::try_from(SOON.as_secs()).unwrap_or(i64::MAX) {
        match left / (24 * 60 * 60) {
            0 => "the grant expires within a day".to_owned(),
            1 => "the grant expires in 1 day".to_owned(),
            days => format!("the grant expires in {days} days"),
        }
    } else {
        return;
    };
    let help = if has_expired {
        "remove the grant, or write a later `expires_at` where it is to give access again"
    } else {
        "write a later `expires_at` where it is to give access for longer; else it ends then, and can be \
         removed"
    };
    report.push(Code::GrantExpiresSoon, &given.place.key("expires_at"), message).help(help);
}

/// Grants that change no decision.
pub(super) fn pointless(report: &mut Report, given: &Given, subject: &Subject<'_>) {
    let is_served = |known: &&KnownApi| known.gate.is_some() || known.is_system;
    let Some(known) = subject.apis.list.get(given.api).filter(is_served) else { return };
    let subject_type = given.grant.subject_type();
    let name = subject_type.as_str();
    let reason = match known.api.access.policy(subject_type) {
        // What is wrong with such a grant is an error.
        _ if known.is_system => None,
        Policy::DenyAll => Some(format!("the API denies all for `{name}`")),
        Policy::AllowAll if subject.is_first_party(given) => {
            Some(format!("the API allows all for `{name}`, without a grant"))
        }
        Policy::AllowAll | Policy::RequireClientGrant => None,
    };
    if reason.is_none() && !known.is_system && !is_provable(given, subject) {
        unprovable(report, given);
        return;
    }
    if let Some(reason) = reason {
        let policies = known.place.key("subject_type_authorization");
        let policy = policies.key(name).key("policy");
        // A policy that could not be read stands as the strictest.
        if report.is_refused(&policy) || report.has_error_within(&policies) {
            return;
        }
        report
            .push(Code::GrantPointless, &given.place, format!("the grant has no effect: {reason}"))
            .also(&policy, "by this policy")
            .help("write `require_client_grant` as the policy, or remove the grant");
        return;
    }
    if let GrantKind::Client {
        organizations: OrganizationRule::Require(Organizations::Associated(ids)),
    } = &given.grant.kind
        && ids.is_empty()
        && !report.is_refused(&given.place.key("organizations"))
    {
        report
            .push(
                Code::GrantPointless,
                &given.place.key("organization_usage"),
                "the grant has no effect: it requires an organization and admits none",
            )
            .help(
                "name those it admits under `organizations`, or write \
                `allow_any_organization: true`",
            );
    }
}

/// Whether a token of the grant's issuer can be of the subject type that it is for.
fn is_provable(given: &Given, subject: &Subject<'_>) -> bool {
    let subject_type = given.grant.subject_type();
    subject.issuers.trust(given.issuer).is_none_or(|trust| {
        trust.profile.can_prove(subject_type)
            || (subject_type == SubjectType::User && trust.unproven == Unproven::User)
    })
}

fn unprovable(report: &mut Report, given: &Given) {
    let name = given.grant.subject_type().as_str();
    let message =
        format!("the grant has no effect: no token of its issuer is taken for one of `{name}`");
    let help = match given.grant.kind {
        GrantKind::AnonymousUser => "remove the grant: only Auth0 tells anonymous users apart",
        GrantKind::Client { .. } => "write how they are told as `machine` at the issuer",
        GrantKind::User { .. } => "write how they are told as `user` at the issuer",
    };
    report.push(Code::GrantPointless, &given.place, message).help(help);
}

/// Grants by default for third parties, where no application is one that has none of its own. At an issuer
/// that marks third parties by their ids, any may come.
pub(super) fn default_of_nobody(report: &mut Report, subject: &Subject<'_>) {
    let defaults =
        || subject.given.iter().filter(|given| given.holder == Holder::ThirdPartyClients);
    if defaults().next().is_none() {
        return;
    }
    let mut third_parties: HashMap<&Issuer, Vec<&ClientId>> = HashMap::new();
    for (issuer, client, party) in subject.listed.clients.iter() {
        if party == Party::Third {
            third_parties.entry(issuer).or_default().push(client);
        }
    }
    for given in defaults() {
        let Some(known) = subject.apis.list.get(given.api).filter(|known| known.gate.is_some())
        else {
            continue;
        };
        let Some(trust) = subject.issuers.trust(given.issuer) else { continue };
        let subject_type = given.grant.subject_type();
        let is_told_by_id = matches!(trust.profile, Profile::Auth0);
        if is_told_by_id || known.api.access.policy(subject_type) == Policy::DenyAll {
            continue;
        }
        let third_parties = third_parties.get(&trust.issuer).map_or(&[][..], Vec::as_slice);
        let has_own = |client: &&&ClientId| {
            known.api.grants.own(&trust.issuer, client.as_str(), subject_type).is_some()
        };
        let reason = match third_parties.iter().find(|client| !has_own(client)) {
            Some(_) => continue,
            None if third_parties.is_empty() => {
                "no application of its issuer is listed as a third party's"
            }
            None => "every third party that is listed has a grant of its own",
        };
        report
            .push(Code::GrantPointless, &given.place, format!("the grant has no effect: {reason}"))
            .help(
                "list those it is for under `clients` with `is_first_party: false`, or remove it",
            );
    }
}

/// Organizations that no token of the issuer can name.
pub(super) fn organizations(report: &mut Report, given: &Given, subject: &Subject<'_>) {
    let GrantKind::Client { organizations } = &given.grant.kind else { return };
    let (admitted, is_required) = match organizations {
        OrganizationRule::Deny => return,
        OrganizationRule::Allow(admitted) => (admitted, false),
        OrganizationRule::Require(admitted) => (admitted, true),
    };
    let Some(trust) = subject.issuers.trust(given.issuer) else { return };
    let profile = &trust.profile;
    if !profile.names_organizations() {
        let effect = if is_required { "the grant gives nothing" } else { "the rule has no effect" };
        let message = format!(
            "tokens of this issuer (`{}`) name no organization, so {effect}",
            profile.name()
        );
        report
            .push(Code::OrganizationUnpresentable, &given.place.key("organization_usage"), message)
            .help("remove the rules about organizations: the gate cannot keep them apart there");
        return;
    }
    let Organizations::Associated(ids) = admitted else { return };
    let mut unknown =
        ids.iter().map(OrganizationId::as_str).filter(|id| !profile.can_name(id)).peekable();
    if unknown.peek().is_some() {
        let message =
            format!("no token of this issuer (`{}`) names {}", profile.name(), quoted(unknown));
        report
            .push(Code::OrganizationUnpresentable, &given.place.key("organizations"), message)
            .help("write the organization's id, which begins with `org_`: its name may change");
    }
}
