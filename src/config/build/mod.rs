//! What was written → what it means.
//!
//! In come the raw files; out comes a [`Snapshot`], or none when anything is wrong. Everything that
//! is wrong goes into the report: a part that cannot be built is left out, and what hangs on it is
//! held against the rules that do not need it. Nothing here stops at the first problem.

mod apis;
mod browsers;
mod clients;
mod context;
mod date;
mod described;
mod export;
mod gate;
pub(super) mod grant_id;
mod grants;
mod inventory;
mod issuers;
mod keys;
mod listeners;
mod management;
mod merge;
mod openapi;
mod operations;
mod profile;
mod rules;
mod secrets;
mod server;
mod suites;
mod tls;
mod units;
mod upstream;
mod urls;

pub(super) use apis::{Apis, KnownApi};
pub(super) use clients::{Listed, Unnamed};
pub use date::instant;
pub(super) use described::Server;
pub use described::ServerPlace;
pub(super) use grants::Given;
pub(super) use issuers::Issuers;
pub(super) use operations::Read;

use context::Context;

use std::sync::Arc;

use super::inventory::Inventory;
use super::outside::Reading;
use super::snapshot::{Management, ServedApi, Snapshot};
use super::{Code, Report, lint, raw};
use crate::policy::UnixTime;
use crate::route::{Site, Sites};

/// What is known beside the files.
pub(super) struct Wanted {
    pub(super) now: UnixTime,
    pub(super) end_marker: raw::EndMarker,
    /// Whether the inventory is wanted in any case.
    pub(super) inventory: bool,
}

/// A snapshot, and the inventory where it is wanted or the Management API shows it.
type Whole = (Snapshot, Option<Arc<Inventory>>);

/// Builds the snapshot of all files together; none when the report has errors.
pub(super) fn build(
    written: Vec<(usize, raw::Configuration)>,
    reading: &mut Reading<'_>,
    wanted: &Wanted,
    report: &mut Report,
) -> Option<Whole> {
    let now = wanted.now;
    let merged = merge::merge(&written, reading, wanted.end_marker, report);
    let ctx = &mut Context { report, outside: reading, end_marker: merged.end_marker };
    let mut issuers = issuers::build(ctx, &merged.issuers);
    let servers = described::servers(&merged.resource_servers.items, ctx.report);
    let mut apis = apis::build(ctx, &servers, merged.resource_servers.doubtful, &issuers);
    let declared = management::declare(ctx, &merged, &mut issuers, &mut apis);
    let listed = clients::build(ctx, &merged.clients, &merged.exports, &issuers);
    let given = grants::build(
        ctx,
        &merged.client_grants.items,
        &issuers,
        &listed,
        declared.as_ref(),
        &mut apis,
    );
    let sites = sites(ctx, &apis);
    let server = server::server(ctx, merged.server.as_ref());
    let (health, readiness) = listeners::health(ctx, merged.health.as_ref());
    let admin = listeners::admin(ctx, merged.admin.as_ref());
    if let (Some(tls), Some(at)) = (&server.tls, &merged.server) {
        tls::expired(ctx, &at.place.key("tls"), tls, now);
    }
    let management = declared.zip(merged.management.as_ref()).and_then(|(declared, section)| {
        let management = management::build(ctx, section, declared, &issuers, server.http2)?;
        tls::expired(ctx, &section.place.key("tls"), &management.tls, now);
        Some(management)
    });
    let managed_at = management.as_ref().map(|management| management.listen);
    listeners::listen_twice(ctx, &merged, &server.listen, health, admin.as_ref(), managed_at);
    let limits = server::limits(ctx, merged.limits.as_ref());
    let timeouts = server::timeouts(ctx, merged.timeouts.as_ref());
    let log = server::log(ctx, merged.log.as_ref());
    let reload = server::reload(ctx, merged.reload.as_ref());
    let tests = suites::build(ctx, merged.tests.as_ref());
    lint::snapshot(
        ctx.report,
        &lint::Subject {
            server: &server,
            apis: &apis,
            written: &servers,
            given: &given,
            unnamed: listed.unnamed(&merged.client_grants.items, &issuers),
            listed: &listed,
            issuers: &issuers,
            now,
        },
    );
    if ctx.report.has_errors() {
        return None;
    }
    let built = inventory::Built {
        sources: ctx.outside.sources(),
        issuers: &issuers,
        apis: &apis,
        listed: &listed,
        given: &given,
    };
    let is_shown = wanted.inventory || management.is_some();
    let shown = is_shown.then(|| (built.apis(&servers), built.issuers(&merged.issuers.items)));
    let inventory = shown.map(|(apis, issuers)| {
        let inventory = built.inventory(apis, written, ctx.report);
        Arc::new(inventory.with_issuers(issuers))
    });
    let own = apis.list.pop_if(|known| known.is_system);
    let mut apis: Vec<_> = apis.list.into_iter().filter_map(served).collect();
    let management = match management.zip(own) {
        Some((management, own)) => {
            let inventory = inventory.clone().unwrap_or_default();
            let management = Management { inventory, ..management };
            Some(management::serve(management, own, &mut apis)?)
        }
        None => None,
    };
    let client_names = listed.called(&issuers);
    let snapshot = Snapshot {
        server,
        health,
        readiness,
        admin,
        management,
        limits,
        timeouts,
        log,
        reload,
        tests,
        issuers: issuers.settings()?,
        sites: sites?,
        apis,
        clients: listed.clients,
        client_names,
        files: ctx.report.documents().iter().map(|file| file.name.as_str().into()).collect(),
        digest: ctx.outside.digest(),
        generation: 0,
    };
    Some((snapshot, inventory))
}

/// Which API answers where: places among those that are served.
fn sites(ctx: &mut Context<'_, '_>, apis: &Apis) -> Option<Sites> {
    let gates: Vec<_> =
        apis.list.iter().filter_map(|known| Some((known, known.gate.as_ref()?))).collect();
    let sites = gates.iter().enumerate().map(|(target, (_, gate))| Site {
        hosts: gate.hosts.clone(),
        path_prefix: gate.path_prefix.clone(),
        target,
    });
    let clashes = match Sites::build(sites) {
        Ok(sites) => return Some(sites),
        Err(clashes) => clashes,
    };
    for clash in clashes {
        let (Some((first, _)), Some((second, _))) =
            (gates.get(clash.first), gates.get(clash.second))
        else {
            continue;
        };
        let host = clash.host.map_or_else(|| "any host".to_owned(), |host| format!("`{host}`"));
        let (place, first) =
            (second.place.key("gate").key("hosts"), first.place.key("gate").key("hosts"));
        ctx.report
            .push(
                Code::SiteDuplicate,
                &place,
                format!("{host} is listed twice with this `path_prefix`"),
            )
            .also(&first, "first listed here")
            .help("make them differ in `hosts` or in `path_prefix`");
    }
    None
}

/// An API without a gate is known, and not served.
fn served(known: KnownApi) -> Option<ServedApi> {
    let gate = known.gate?;
    Some(ServedApi {
        api: known.api,
        origin: known.origin,
        issuers: known.trusted,
        audiences: gate.audiences,
        secret: gate.secret,
        operations: gate.operations,
        left_out: gate.left_out,
        unlisted: gate.unlisted,
        public_url: gate.public_url,
        upstream: Some(gate.upstream),
        upstream_protocol: gate.upstream_protocol,
        streams: gate.streams,
        browsers: gate.browsers,
        websocket_tokens: gate.websocket_tokens,
        authorization: gate.authorization,
        strip_prefix: gate.strip_prefix.then(|| gate.path_prefix.clone()),
        hosts: gate.hosts,
        path_prefix: gate.path_prefix,
    })
}
