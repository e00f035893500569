//! Whom an API lets in as a whole, and whether it is there at all.

use std::collections::HashMap;

use super::Subject;
use crate::config::build::KnownApi;
use crate::config::snapshot::Unlisted;
use crate::config::{Code, Place, Report};
use crate::policy::{Enforcement, Policy};

/// A gateway that answers nothing but 404: of every API there is no more than what others say of it.
pub(super) fn nothing_served(report: &mut Report, subject: &Subject<'_>) {
    let apis = &subject.apis.list;
    if apis.iter().any(|known| known.gate.is_some()) {
        return;
    }
    let (place, message) = match subject.apis.described().first() {
        Some(first) => (first.place.key("identifier"), "no API has a `gate`, so nothing is served"),
        None => (Place::nowhere(), "there is no API, so nothing is served"),
    };
    report.push(Code::NothingServed, &place, message).help(
        "say where it is: `gate: {upstream: \"http://127.0.0.1:3000\", operations: [...]}`; for an \
            API of an export in a file of your own, under the same `identifier`",
    );
}

/// Users of every application, as Auth0 has it by default.
pub(super) fn open_to_all(report: &mut Report, known: &KnownApi) {
    if known.api.access.user == Policy::AllowAll {
        let place = known.place.key("subject_type_authorization").key("user").key("policy");
        report
            .push(
                Code::UserAllowAll,
                &place,
                "every application of its issuers may act for its users, with every scope",
            )
            .help("write `require_client_grant`, and a grant for each application that should");
    }
}

/// Paths that nobody thought of.
pub(super) fn unlisted(report: &mut Report, known: &KnownApi) {
    if known.gate.as_ref().is_some_and(|gate| gate.unlisted == Unlisted::AnyToken) {
        report
            .push(
                Code::UnlistedAnyToken,
                &known.place.key("gate").key("unlisted"),
                "paths that no operation lists are open to any token",
            )
            .help("list the operations, and write `unlisted: deny`");
    }
}

/// Refusals that are recorded and not enforced: what a gate begins with, and is not to stay with.
pub(super) fn only_report(report: &mut Report, subject: &Subject<'_>) {
    for known in &subject.apis.list {
        let Enforcement::Report { tokens } = known.api.enforcement else { continue };
        let message = if tokens {
            "refusals are recorded and not enforced: whoever calls is let through, with or without \
            a token"
        } else {
            "refusals are recorded and not enforced: every token of its issuers is let through"
        };
        report
            .push(Code::EnforcementReport, &known.place.key("gate").key("enforcement"), message)
            .help("once no record says `would_refuse` any more, write `enforcement: enforce`");
    }
}

/// Tokens that two APIs take: what is stolen at one, or sent to it, opens the other.
pub(super) fn audience_shared(report: &mut Report, subject: &Subject<'_>) {
    let mut by_audience: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, known) in subject.apis.list.iter().enumerate() {
        for audience in known.gate.iter().flat_map(|gate| &gate.audiences) {
            by_audience.entry(audience.as_str()).or_default().push(index);
        }
    }
    for (index, known) in subject.apis.list.iter().enumerate() {
        let further =
            subject.raw(index).and_then(|raw| raw.gate.as_ref()).map(|gate| &gate.audiences);
        for (at, audience) in further.into_iter().flatten().enumerate() {
            let others = by_audience.get(audience.as_str()).into_iter().flatten();
            // Of two that list it, the later one is told of.
            let other = others
                .filter_map(|other| Some((*other, subject.apis.list.get(*other)?)))
                .find(|(place, other)| {
                    *place != index
                        && (*place < index || other.api.identifier.as_str() == audience.as_str())
                        && other.trusted.iter().any(|issuer| known.trusted.contains(issuer))
                });
            let Some((_, other)) = other else { continue };
            let place = known.place.key("gate").key("audiences").index(at);
            let message =
                format!("tokens for `{audience}` are taken by two APIs, and both trust one issuer");
            report
                .push(Code::AudienceShared, &place, message)
                .also(&other.place.key("identifier"), "by this one too")
                .help("have tokens issued for each API by itself, and remove it");
        }
    }
}
