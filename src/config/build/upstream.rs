//! Where an API's requests go.

use http::uri::Scheme;
use rustls::pki_types::ServerName;

use super::context::{At, Context};
use super::{tls, urls};
use crate::config::snapshot::{Upstream, UpstreamTls};
use crate::config::tls::Identities;
use crate::config::{Code, Place, raw};

pub(super) fn build(ctx: &mut Context<'_, '_>, gate: &At<&raw::Gate>) -> Option<Upstream> {
    let place = gate.place.key("upstream");
    let help = "write where requests go: `upstream: http://127.0.0.1:3000`";
    let text = ctx.required(&place, gate.raw.upstream.as_ref(), help)?;
    if let Some(path) = text.strip_prefix("unix:") {
        plain(ctx, gate, &place);
        return ctx.socket(&place, path, "unix:/run/orders.sock").map(Upstream::Unix);
    }
    match urls::origin(text) {
        Some((scheme, host, port)) if scheme == Scheme::HTTP => {
            plain(ctx, gate, &place);
            Some(Upstream::Tcp { host, port: port.unwrap_or(80), tls: None })
        }
        Some((scheme, host, port)) if scheme == Scheme::HTTPS => {
            let tls = secured(ctx, gate, &place, &host)?;
            Some(Upstream::Tcp { host, port: port.unwrap_or(443), tls: Some(tls) })
        }
        _ => {
            let shown = urls::shown(ctx, &place, text);
            ctx.report
                .push(Code::UrlInvalid, &place, format!("`{shown}` is not an upstream"))
                .help(
                    "write only scheme, host and port: `http://127.0.0.1:3000`, \
                    `https://orders.internal`; or a socket: `unix:/run/orders.sock`",
                );
            None
        }
    }
}

/// Says so when TLS is configured that would not be spoken.
fn plain(ctx: &mut Context<'_, '_>, gate: &At<&raw::Gate>, upstream: &Place) {
    if gate.raw.upstream_tls.is_some() {
        let message = "no TLS is spoken with this upstream";
        ctx.report
            .push(Code::UpstreamTlsUnused, &gate.place.key("upstream_tls"), message)
            .on_key()
            .also(upstream, "the upstream")
            .help("write `upstream: https://…`, or remove it");
    }
}

fn secured(
    ctx: &mut Context<'_, '_>,
    gate: &At<&raw::Gate>,
    upstream: &Place,
    host: &str,
) -> Option<UpstreamTls> {
    let place = gate.place.key("upstream_tls");
    let default = raw::UpstreamTls::default();
    let raw = gate.raw.upstream_tls.as_ref().unwrap_or(&default);
    let (at, name) = match &raw.server_name {
        Some(name) => (place.key("server_name"), name.as_str()),
        None => (upstream.clone(), host),
    };
    let server_name = ServerName::try_from(name.to_owned()).map_err(|_| {
        ctx.report
            .push(Code::HostInvalid, &at, format!("`{name}` is not a name for a certificate"))
            .help("write the name that the upstream's certificate is for: `orders.internal`");
    });
    let mut identities = Identities::default();
    let shown = tls::identity(
        ctx,
        &At { place: place.clone(), raw: (raw.cert.as_deref(), raw.key.as_deref()) },
        &mut identities,
    );
    let client = tls::client(ctx, &place.key("ca"), raw.ca.as_deref(), identities);
    shown?;
    Some(UpstreamTls { client: client?, server_name: server_name.ok()? })
}

#[cfg(test)]
mod tests;
