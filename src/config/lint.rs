//! What is legal and suspicious: each lint is one function, and each says what it looks for.
//!
//! Nothing here refuses anything. A lint is silent about what has errors: it would only guess.

use std::time::Duration;

use super::build::{Apis, Given, Issuers, KnownApi, Read};
use super::snapshot::{Http2, Server, Unlisted, Upstream, UpstreamProtocol};
use super::{Code, Place, Report};
use crate::policy::{
    Ask, Clients, GrantKind, Holder, NameSet, Need, OrganizationRule, Organizations, Party, Policy,
    UnixTime,
};
use crate::route::CanonPath;

/// What is looked at.
pub(super) struct Subject<'a> {
    pub(super) server: &'a Server,
    pub(super) apis: &'a Apis,
    pub(super) given: &'a [Given],
    pub(super) clients: &'a Clients,
    pub(super) issuers: &'a Issuers,
    pub(super) now: UnixTime,
}

/// Lints a configuration as a whole.
pub(super) fn snapshot(report: &mut Report, subject: &Subject<'_>) {
    for known in subject.apis.list.iter().filter(|known| known.gate.is_some()) {
        open_to_all(report, known);
        unlisted(report, known);
        grpc_downgraded(report, known, subject.server);
    }
    // A grant, or an API, that was refused may be the one that matters.
    if !report.has_errors() {
        nothing_served(report, subject);
        ungranted(report, subject);
    }
    for given in subject.given {
        expires_soon(report, given, subject.now);
        pointless(report, given, subject);
    }
}

/// A gateway that answers nothing but 404: of every API there is no more than what others say of it.
fn nothing_served(report: &mut Report, subject: &Subject<'_>) {
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

/// A gRPC method behind HTTP/1.1, by which no client and no server of gRPC speaks.
fn grpc_downgraded(report: &mut Report, known: &KnownApi, server: &Server) {
    let Some(gate) = &known.gate else { return };
    let Some(operation) = gate.operations.iter().find(|operation| is_grpc_method(&operation.on))
    else {
        return;
    };
    let gate_place = known.place.key("gate");
    let has_tls = matches!(gate.upstream, Upstream::Tcp { tls: Some(_), .. });
    let by_http1 = match gate.upstream_protocol {
        UpstreamProtocol::Auto => !has_tls,
        UpstreamProtocol::Http1 => true,
        UpstreamProtocol::Http2 => false,
    };
    if by_http1 {
        let message = format!(
            "`{}` looks like a gRPC method, and the upstream is spoken to by HTTP/1.1",
            operation.on
        );
        report
            .push(Code::GrpcDowngraded, &gate_place.key("upstream"), message)
            .help("write `upstream_protocol: http2` beside `upstream`");
    }
    let from_clients = match server.http2 {
        Http2::Alpn => server.tls.is_some(),
        Http2::Never => false,
        Http2::PriorKnowledge => true,
    };
    if !from_clients {
        let message = format!(
            "`{}` looks like a gRPC method, and HTTP/2 is not spoken to clients",
            operation.on
        );
        report
            .push(Code::GrpcDowngraded, &gate_place.key("operations"), message)
            .help("write `server: {http2: prior_knowledge}`, or `server.tls`");
    }
}

/// `POST /package.Service/Method`.
fn is_grpc_method(on: &str) -> bool {
    let Some((service, method)) = on.strip_prefix("POST /").and_then(|path| path.split_once('/'))
    else {
        return false;
    };
    let is_name =
        |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let upper = |name: &str| name.starts_with(|first: char| first.is_ascii_uppercase());
    let has_service = service.rsplit_once('.').is_some_and(|(_, service)| upper(service));
    has_service && service.split('.').all(is_name) && upper(method) && is_name(method)
}

/// Users of every application, as Auth0 has it by default.
fn open_to_all(report: &mut Report, known: &KnownApi) {
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
fn unlisted(report: &mut Report, known: &KnownApi) {
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

/// Scopes that no token can use.
fn ungranted(report: &mut Report, subject: &Subject<'_>) {
    for (index, known) in subject.apis.list.iter().enumerate() {
        if known.gate.is_none() || known.api.access.user == Policy::AllowAll {
            continue;
        }
        let grants = subject.given.iter().filter(|given| given.api == index);
        let granted = grants.fold(NameSet::EMPTY, |all, given| all.or(&given.grant.ceiling));
        let lacking = known.api.scopes.all().without(&granted);
        let names: Vec<_> = known.api.scopes.of(&lacking).map(|name| format!("`{name}`")).collect();
        if !names.is_empty() {
            report
                .push(
                    Code::ScopeUngranted,
                    &known.place.key("scopes"),
                    format!("no grant gives {}", names.join(", ")),
                )
                .on_key()
                .help("grant it to the applications that need it, or remove it");
        }
    }
}

const SOON: Duration = Duration::from_hours(14 * 24);

fn expires_soon(report: &mut Report, given: &Given, now: UnixTime) {
    let Some(end) = given.grant.expires_at else { return };
    let left = end.seconds().saturating_sub(now.seconds());
    let message = if end <= now {
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
    report
        .push(Code::GrantExpiresSoon, &given.place.key("expires_at"), message)
        .help("write a later time, or remove the grant");
}

/// Grants that change no decision.
fn pointless(report: &mut Report, given: &Given, subject: &Subject<'_>) {
    let is_served = |known: &&KnownApi| known.gate.is_some() || known.is_system;
    let Some(known) = subject.apis.list.get(given.api).filter(is_served) else { return };
    let subject_type = given.grant.subject_type();
    let name = subject_type.as_str();
    let reason = match known.api.access.policy(subject_type) {
        // What is wrong with such a grant is an error.
        _ if known.is_system => None,
        Policy::DenyAll => Some(format!("the API denies all for `{name}`")),
        Policy::AllowAll if is_first_party(given, subject) => {
            Some(format!("the API allows all for `{name}`, without a grant"))
        }
        Policy::AllowAll | Policy::RequireClientGrant => None,
    };
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

fn is_first_party(given: &Given, subject: &Subject<'_>) -> bool {
    let Holder::Client(client) = &given.holder else { return false };
    subject.issuers.party(given.issuer, client, subject.clients) == Some(Party::First)
}

/// More operations than this are not held against each other: that takes the square of their number.
const MOST_COMPARED: usize = 2000;

/// Operations that ask less than a more general one which they stand within: the exception may be
/// meant, or be a slip that opens what the general one guards.
pub(super) fn operations(report: &mut Report, operations: &[Read]) {
    if operations.len() > MOST_COMPARED {
        return;
    }
    for special in operations {
        let Some(sample) = sample(special.on.pattern.as_str()) else { continue };
        let Ok(path) = CanonPath::parse(&sample) else { continue };
        let general = operations.iter().find(|general| {
            general.on.pattern != special.on.pattern
                && general.on.pattern.matches(&path)
                && general.on.methods.overlaps(&special.on.methods)
                && implies(&general.operation.ask, &special.operation.ask)
                && !implies(&special.operation.ask, &general.operation.ask)
        });
        if let Some(general) = general {
            report
                .push(
                    Code::OperationAsksLess,
                    &special.place,
                    format!(
                        "`{}` asks less than `{}`, which covers it",
                        special.operation.on, general.operation.on
                    ),
                )
                .also(&general.place, "asks more")
                .help("let it ask at least as much, unless this is meant");
        }
    }
}

/// A path that stands for all of a pattern's: one that no other pattern names by a literal.
pub(super) fn sample(pattern: &str) -> Option<String> {
    const NOBODY: &str = "-grantgate-sample-";
    let segments = pattern.strip_prefix('/')?.split('/').map(|segment| match segment {
        "*" => format!("{NOBODY}/{NOBODY}"),
        name if name.starts_with('{') => NOBODY.to_owned(),
        literal => literal.to_owned(),
    });
    Some(format!("/{}", segments.collect::<Vec<_>>().join("/")))
}

/// Whether whoever answers `more` answers `less`.
fn implies(more: &Ask, less: &Ask) -> bool {
    match (more, less) {
        (_, Ask::Public) => true,
        (Ask::Public, Ask::Token(_)) => false,
        (Ask::Token(more), Ask::Token(less)) => {
            more.scopes.contains_all(&less.scopes)
                && more.details.contains_all(&less.details)
                && implies_any(more, less)
        }
    }
}

fn implies_any(more: &Need, less: &Need) -> bool {
    let answers = |scope: &usize| less.any_scopes.contains(scope);
    less.any_scopes.is_empty()
        || less.any_scopes.iter().any(|scope| more.scopes.contains(*scope))
        || (!more.any_scopes.is_empty() && more.any_scopes.iter().all(answers))
}
