//! The sections that concern the process: traffic, bounds, log, reload.

use core::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use ipnet::{IpNet, Ipv6Net};

use super::context::{At, Context, LONGEST};
use super::tls;
use crate::config::snapshot::{Http2, Limits, Log, LogFormat, Reload, Server, Timeouts};
use crate::config::{Code, Place, raw};

pub(super) fn server(ctx: &mut Context<'_, '_>, section: Option<&At<&raw::Server>>) -> Server {
    let defaults = Server::default();
    let Some(At { place, raw }) = section else { return defaults };
    let listen = raw.listen.as_deref().and_then(|text| ctx.listen(&place.key("listen"), text));
    let proxies = place.key("trusted_proxies");
    let balancers = place.key("proxy_protocol_from");
    let http2 = match raw.http2 {
        None | Some(raw::Http2::Alpn) => Http2::Alpn,
        Some(raw::Http2::Never) => Http2::Never,
        Some(raw::Http2::PriorKnowledge) => Http2::PriorKnowledge,
    };
    let tls = raw.tls.as_ref().and_then(|raw| {
        tls::server(ctx, &At { place: place.key("tls"), raw }, http2 != Http2::Never)
    });
    Server {
        tls,
        listen: listen.unwrap_or(defaults.listen),
        workers: match raw.workers {
            None | Some(raw::Workers::Auto) => None,
            Some(raw::Workers::Count(count)) => Some(count),
        },
        http2,
        trusted_proxies: networks(ctx, &proxies, &raw.trusted_proxies),
        proxy_protocol_from: networks(ctx, &balancers, &raw.proxy_protocol_from),
        drain_delay: ctx.duration(
            &place.key("drain_delay"),
            raw.drain_delay.as_ref(),
            defaults.drain_delay,
            LONGEST,
        ),
        drain_deadline: ctx.duration(
            &place.key("drain_deadline"),
            raw.drain_deadline.as_ref(),
            defaults.drain_deadline,
            LONGEST,
        ),
    }
}

/// The networks of trusted proxies, which together must not be everybody either.
fn networks(ctx: &mut Context<'_, '_>, list: &Place, written: &[String]) -> Vec<IpNet> {
    let read = written.iter().enumerate();
    let networks: Vec<_> =
        read.filter_map(|(index, text)| network(ctx, &list.index(index), text)).collect();
    let together = IpNet::aggregate(&networks);
    // All of IPv4 has a second home in IPv6 (RFC 4291 section 2.5.5.2).
    let mapped = IpNet::V6(Ipv6Net::new_assert(Ipv4Addr::UNSPECIFIED.to_ipv6_mapped(), 96));
    if !ctx.report.has_error_within(list)
        && together.iter().any(|network| network.prefix_len() == 0 || network.contains(&mapped))
    {
        ctx.report
            .push(Code::TrustedProxiesEverybody, list, "together these networks are everybody")
            .help("write the networks of your own proxies, such as `10.0.0.0/8`");
    }
    networks
}

/// A network of trusted proxies. A network of everybody would trust what any client writes.
fn network(ctx: &mut Context<'_, '_>, place: &Place, text: &str) -> Option<IpNet> {
    // An address alone is the network of one.
    let parsed = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    let Ok(network) = parsed else {
        ctx.report
            .push(Code::NetworkInvalid, place, format!("`{text}` is not a network"))
            .help("write an address and the length of its prefix: `10.0.0.0/8`, `fd00::/8`");
        return None;
    };
    if network.prefix_len() == 0 {
        ctx.report
            .push(Code::TrustedProxiesEverybody, place, format!("`{text}` trusts everybody"))
            .help("write the networks of your own proxies, such as `10.0.0.0/8`");
        return None;
    }
    Some(network)
}

pub(super) fn limits(ctx: &mut Context<'_, '_>, section: Option<&At<&raw::Limits>>) -> Limits {
    let defaults = Limits::default();
    let Some(At { place, raw }) = section else { return defaults };
    let bytes =
        |ctx: &mut Context<'_, '_>, key: &'static str, text: Option<&String>, default: usize| {
            let size = ctx.size(&place.key(key), text, default as u64, LEAST_HEAD);
            usize::try_from(size).unwrap_or(usize::MAX)
        };
    Limits {
        header_bytes: bytes(ctx, "header_bytes", raw.header_bytes.as_ref(), defaults.header_bytes),
        uri_bytes: bytes(ctx, "uri_bytes", raw.uri_bytes.as_ref(), defaults.uri_bytes),
        body_bytes: match raw.body_bytes.as_ref() {
            None => defaults.body_bytes,
            Some(text) if text == "unlimited" => None,
            text => Some(ctx.size(&place.key("body_bytes"), text, 0, 0)),
        },
        connections: raw.connections.map_or(defaults.connections, |count| count as usize),
        streams: raw.streams.unwrap_or(defaults.streams),
        token_cache_bytes: ctx.size(
            &place.key("token_cache_bytes"),
            raw.token_cache_bytes.as_ref(),
            defaults.token_cache_bytes,
            0,
        ),
    }
}

/// A head below this could not even hold an access token.
const LEAST_HEAD: u64 = 1024;

pub(super) fn timeouts(
    ctx: &mut Context<'_, '_>,
    section: Option<&At<&raw::Timeouts>>,
) -> Timeouts {
    let defaults = Timeouts::default();
    let Some(At { place, raw }) = section else { return defaults };
    let mut time = |key: &'static str, text: Option<&String>, default: Duration| {
        ctx.some_time(&place.key(key), text, default)
    };
    Timeouts {
        handshake: time("handshake", raw.handshake.as_ref(), defaults.handshake),
        header_read: time("header_read", raw.header_read.as_ref(), defaults.header_read),
        body_read: time("body_read", raw.body_read.as_ref(), defaults.body_read),
        response_write: time(
            "response_write",
            raw.response_write.as_ref(),
            defaults.response_write,
        ),
        idle: time("idle", raw.idle.as_ref(), defaults.idle),
        connect: time("connect", raw.connect.as_ref(), defaults.connect),
        response: time("response", raw.response.as_ref(), defaults.response),
        response_read: time("response_read", raw.response_read.as_ref(), defaults.response_read),
        stream_idle: time("stream_idle", raw.stream_idle.as_ref(), defaults.stream_idle),
        upstream_idle: time("upstream_idle", raw.upstream_idle.as_ref(), defaults.upstream_idle),
    }
}

pub(super) fn log(ctx: &mut Context<'_, '_>, section: Option<&At<&raw::Log>>) -> Log {
    let defaults = Log::default();
    let Some(At { place, raw }) = section else { return defaults };
    let level = raw.level.clone().filter(|level| {
        let fits = level.split(',').all(is_directive);
        if !fits {
            ctx.report
                .push(
                    Code::LogLevelInvalid,
                    &place.key("level"),
                    format!("`{level}` is not a log level"),
                )
                .help(
                    "write `error`, `warn`, `info`, `debug`, `trace` or `off`, or a filter \
                    such as `info,grantgate::reload=debug`",
                );
        }
        fits
    });
    Log {
        records: raw.records.unwrap_or(defaults.records),
        allowed_one_in: raw.allowed_one_in.unwrap_or(defaults.allowed_one_in),
        level: level.unwrap_or(defaults.level),
        format: match raw.format {
            None | Some(raw::LogFormat::Text) => LogFormat::Text,
            Some(raw::LogFormat::Json) => LogFormat::Json,
        },
    }
}

/// A level, or a module with its level.
fn is_directive(text: &str) -> bool {
    let is_level = |level| matches!(level, "off" | "error" | "warn" | "info" | "debug" | "trace");
    match text.split_once('=') {
        None => is_level(text),
        Some((module, level)) => {
            let in_module = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
            !module.is_empty() && module.chars().all(in_module) && is_level(level)
        }
    }
}

pub(super) fn reload(ctx: &mut Context<'_, '_>, section: Option<&At<&raw::Reload>>) -> Reload {
    let defaults = Reload::default();
    let Some(At { place, raw }) = section else { return defaults };
    Reload {
        poll: ctx.some_time(&place.key("poll"), raw.poll.as_ref(), defaults.poll),
        quiet: ctx.duration(
            &place.key("quiet"),
            raw.quiet.as_ref(),
            defaults.quiet,
            Duration::from_secs(2),
        ),
        end_marker: raw.end_marker.unwrap_or(defaults.end_marker),
        max_rejected_age: match raw.max_rejected_age.as_ref() {
            None => defaults.max_rejected_age,
            Some(text) if text == "never" => None,
            text => {
                let place = place.key("max_rejected_age");
                Some(ctx.duration(&place, text, Duration::ZERO, LONGEST))
            }
        },
    }
}
