//! The gate of an API: where it is served, whom it trusts, where its requests go.

use super::context::{At, Context};
use super::described::Server;
use super::issuers::Issuers;
use super::{browsers, operations, secrets, upstream, urls};
use crate::config::openapi::Description;
use crate::config::snapshot::{
    Authorization, Browsers, LeftOut, Operation, Streams, Unlisted, Upstream, UpstreamProtocol,
};
use crate::config::{Code, raw};
use crate::policy::{Audience, Names};
use crate::route::{HostPattern, Operations, Prefix};
use crate::token::HsSecret;

/// What an API declares, as its gate needs it.
pub(super) struct Declared<'a> {
    pub(super) identifier: Option<&'a Audience>,
    pub(super) scopes: &'a Names,
    pub(super) details: &'a Names,
    /// Some of them could not be read: what is not found may be one of those.
    pub(super) doubtful: bool,
}

/// A gate without errors.
pub(in crate::config) struct Gate {
    pub(in crate::config) hosts: Vec<HostPattern>,
    pub(in crate::config) path_prefix: Prefix,
    pub(in crate::config) strip_prefix: bool,
    pub(in crate::config) audiences: Vec<Audience>,
    pub(in crate::config) secret: Option<HsSecret>,
    pub(in crate::config) operations: Operations<Operation>,
    pub(in crate::config) left_out: Vec<LeftOut>,
    pub(in crate::config) unlisted: Unlisted,
    pub(in crate::config) public_url: String,
    pub(in crate::config) upstream: Upstream,
    pub(in crate::config) upstream_protocol: UpstreamProtocol,
    pub(in crate::config) streams: Streams,
    pub(in crate::config) browsers: Browsers,
    pub(in crate::config) websocket_tokens: bool,
    pub(in crate::config) authorization: Authorization,
}

/// Builds a gate. Each part is built whatever becomes of the others, so that all problems are said.
pub(super) fn build(
    ctx: &mut Context<'_, '_>,
    gate: &At<&raw::Gate>,
    declared: &Declared<'_>,
    trusted: &[usize],
    described: Option<Description>,
) -> Option<Gate> {
    let At { place, raw } = gate;
    let hosts = hosts(ctx, gate);
    let path_prefix = prefix(ctx, gate);
    let audiences = audiences(ctx, gate, declared);
    let secret = secrets::hs_secret(ctx, gate, trusted);
    let left_out = left_out(ctx, described.as_ref());
    let operations = operations::build(ctx, gate, declared, path_prefix.as_ref(), described);
    let public_url = public_url(ctx, gate, declared);
    let upstream = upstream::build(ctx, gate);
    let browsers = browsers::build(ctx, gate);
    let authorization = match raw.authorization {
        Some(raw::AuthorizationHeader::Remove) => Authorization::Remove,
        Some(raw::AuthorizationHeader::Keep) | None => Authorization::Keep,
    };
    if raw.over_ceiling == Some(raw::OverCeiling::Trim) && authorization == Authorization::Keep {
        ctx.report
            .push(
                Code::TrimKeepsAuthorization,
                &place.key("over_ceiling"),
                "`trim` drops scopes that the upstream would still read in the token",
            )
            .help("write `authorization: remove` beside it, or `over_ceiling: reject`");
    }
    Some(Gate {
        hosts: hosts?,
        path_prefix: path_prefix?,
        strip_prefix: raw.strip_prefix == Some(true),
        audiences: audiences?,
        secret: secret?,
        operations: operations?,
        left_out,
        unlisted: match raw.unlisted {
            Some(raw::Unlisted::AnyToken) => Unlisted::AnyToken,
            Some(raw::Unlisted::Deny) | None => Unlisted::Deny,
        },
        public_url: public_url?,
        upstream: upstream?,
        upstream_protocol: match raw.upstream_protocol {
            None | Some(raw::UpstreamProtocol::Auto) => UpstreamProtocol::Auto,
            Some(raw::UpstreamProtocol::Http1) => UpstreamProtocol::Http1,
            Some(raw::UpstreamProtocol::Http2) => UpstreamProtocol::Http2,
        },
        streams: match raw.streams {
            None | Some(raw::Streams::Cut) => Streams::Cut,
            Some(raw::Streams::Keep) => Streams::Keep,
        },
        browsers: browsers?,
        websocket_tokens: raw.websocket_tokens == Some(true),
        authorization,
    })
}

/// What a document describes and that is not listed, as far as some request is about it.
fn left_out(ctx: &Context<'_, '_>, described: Option<&Description>) -> Vec<LeftOut> {
    let all = described.into_iter().flat_map(|described| &described.left_out);
    let reachable = all.filter_map(|left| {
        let (methods, pattern) = left.requests()?;
        Some(LeftOut {
            methods: methods.clone(),
            pattern: pattern.clone(),
            reason: left.reason.clone(),
            origin: ctx.report.origin(&left.place),
        })
    });
    reachable.collect()
}

/// The issuers that an API trusts: those its gate names, or the only one. Without a gate, all.
pub(super) fn trusted(
    ctx: &mut Context<'_, '_>,
    server: &Server<'_>,
    issuers: &Issuers,
) -> Vec<usize> {
    let Some(gate) = server.raw.gate.as_ref() else {
        return (0..issuers.len()).collect();
    };
    let place = server.place.key("gate").key("issuers");
    let written = ctx.some(&place, gate.issuers.as_ref(), "the only one that is configured");
    if gate.issuers.is_none() {
        if issuers.is_empty() {
            ctx.report
                .push(
                    Code::IssuersMissing,
                    &place,
                    "no issuer is configured whose tokens this API could take",
                )
                .help(
                    "write one: `issuers: [{issuer: \"https://example.eu.auth0.com/\", \
                    profile: auth0}]`",
                );
        }
        if issuers.len() > 1 {
            let count = issuers.len();
            let names =
                issuers.names().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
            ctx.report
                .push(
                    Code::IssuerAmbiguous,
                    &place,
                    format!("the gate does not say which of the {count} issuers this API trusts"),
                )
                .help(format!("keep those that it trusts of `issuers: [{names}]`"));
            return Vec::new();
        }
        return (0..issuers.len()).collect();
    }
    let mut trusted = Vec::new();
    for (index, name) in written.iter().enumerate() {
        let found = issuers.resolve(ctx, &place.index(index), name);
        trusted.extend(found.filter(|found| !trusted.contains(found)));
    }
    trusted
}

fn hosts(ctx: &mut Context<'_, '_>, gate: &At<&raw::Gate>) -> Option<Vec<HostPattern>> {
    let list = gate.place.key("hosts");
    let written = ctx.some(&list, gate.raw.hosts.as_ref(), "any host");
    let hosts = written.iter().enumerate().map(|(index, text)| {
        HostPattern::parse(text)
            .map_err(|error| {
                ctx.report.push(Code::HostInvalid, &list.index(index), error.to_string()).help(
                    "write a host name alone, `orders.example.com`, or `*.example.com`; \
                        leave out `hosts` for any host",
                );
            })
            .ok()
    });
    // Collected in two steps: an `Option` would stop at the first that is wrong.
    hosts.collect::<Vec<_>>().into_iter().collect()
}

fn prefix(ctx: &mut Context<'_, '_>, gate: &At<&raw::Gate>) -> Option<Prefix> {
    let place = gate.place.key("path_prefix");
    Prefix::parse(gate.raw.path_prefix.as_deref().unwrap_or("/"))
        .map_err(|error| {
            ctx.report
                .push(Code::PrefixInvalid, &place, error.to_string())
                .help("write a path that others begin with, such as `/orders`");
        })
        .ok()
}

/// The identifier, then the further audiences.
fn audiences(
    ctx: &mut Context<'_, '_>,
    gate: &At<&raw::Gate>,
    declared: &Declared<'_>,
) -> Option<Vec<Audience>> {
    let list = gate.place.key("audiences");
    let further = gate.raw.audiences.iter().enumerate();
    let further: Vec<_> =
        further.map(|(index, text)| ctx.name(&list.index(index), text, Audience::new)).collect();
    let identifier = declared.identifier.cloned();
    let mut audiences = vec![identifier?];
    for audience in further {
        let audience = audience?;
        if !audiences.contains(&audience) {
            audiences.push(audience);
        }
    }
    Some(audiences)
}

/// The API's URL as clients see it.
fn public_url(
    ctx: &mut Context<'_, '_>,
    gate: &At<&raw::Gate>,
    declared: &Declared<'_>,
) -> Option<String> {
    match &gate.raw.public_url {
        Some(text) => urls::web(ctx, &gate.place.key("public_url"), text).then(|| text.clone()),
        None => declared.identifier.map(ToString::to_string),
    }
}
