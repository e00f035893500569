//! The section `management` → where the Management API listens, who its clients are, and the API of the
//! model that it is.
//!
//! Who may call is declared first, because grants are held against it; then comes what is its door's
//! alone. Secrets leave here as hashes and as a signing key, and are in no report.

mod api;
mod rules;

pub(super) use api::{serve, shown};

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use super::apis::Apis;
use super::clients::client_id;
use super::context::{At, Context};
use super::issuers::Issuers;
use super::merge::Merged;
use super::{secrets, tls, units, urls};
use crate::config::inventory::SYSTEM_API;
use crate::config::snapshot::{Http2, IssuerSettings, KeySource, Management, ManagementClient};
use crate::config::{Code, Place, raw};
use crate::policy::{ClientId, Issuer};
use crate::route::Sites;
use crate::token::{Profile, SecretHash, Signer, Trust, Unproven};

/// Who may call the Management API, and what its tokens name.
pub(super) struct Declared {
    clients: Vec<Client>,
    /// Some of the clients could not be read: one that is not found may be that one.
    doubtful: bool,
    signer: Option<Arc<Signer>>,
    /// Its URL as clients see it.
    public_url: Option<String>,
}

/// A client, whatever becomes of its secret.
struct Client {
    id: ClientId,
    place: Place,
    secret: Option<SecretHash>,
}

/// Reads who may call. The API, and the issuer of its own clients' tokens, come behind those that
/// somebody described; their names are nobody else's, whether the section is written or not.
pub(super) fn declare(
    ctx: &mut Context<'_, '_>,
    merged: &Merged<'_>,
    issuers: &mut Issuers,
    apis: &mut Apis,
) -> Option<Declared> {
    let Some(section) = merged.management.as_ref() else {
        api::reserved(ctx, merged, &api::audiences(None));
        return None;
    };
    let At { place, raw } = section;
    let (clients, signer) = clients(ctx, section);
    let doubtful =
        clients.iter().any(Option::is_none) || ctx.report.is_refused(&place.key("clients"));
    let clients: Vec<_> = clients.into_iter().flatten().collect();
    if !raw.clients.is_empty() || doubtful {
        let name = Issuer::new(SYSTEM_API).ok()?;
        issuers.add_own(name.clone(), signer.as_ref().and_then(|signer| own_issuer(name, signer)));
    }
    let public_url = public_url(ctx, section);
    let declared = Declared { clients, doubtful, signer, public_url };
    let trusted = trusted(ctx, section, issuers);
    let audiences = api::audiences(declared.public_url.as_deref());
    api::reserved(ctx, merged, &audiences);
    apis.add_own(api::own(place, trusted)?);
    Some(declared)
}

/// The clients, none in the place of each whose id cannot be read; and what signs their tokens, where
/// all have their secrets.
fn clients(
    ctx: &mut Context<'_, '_>,
    section: &At<&raw::Management>,
) -> (Vec<Option<Client>>, Option<Arc<Signer>>) {
    let list = section.place.key("clients");
    let mut clients: Vec<Option<Client>> = Vec::new();
    let mut known = Vec::new();
    for (index, raw) in section.raw.clients.iter().enumerate() {
        let place = list.index(index);
        let (at_id, at_secret) = (place.key("client_id"), place.key("client_secret"));
        let id = ctx
            .required(&at_id, raw.client_id.as_ref(), "write what it calls itself: `deploy-tool`")
            .and_then(|id| client_id(ctx, &at_id, id));
        let help =
            "write where to find it: `client_secret: \"${env:NAME}\"` or `\"${file:/path}\"`";
        let secret = ctx
            .required(&at_secret, raw.client_secret.as_ref(), help)
            .and_then(|text| secrets::referred(ctx, &at_secret, text));
        let hash = secret.as_ref().and_then(|secret| {
            let hash = SecretHash::of(secret.as_bytes());
            if hash.is_none() {
                weak(ctx, &at_secret, secret.len());
            }
            hash
        });
        known.extend(secret.filter(|_| hash.is_some()));
        let first = id.as_ref().and_then(|id| clients.iter().flatten().find(|one| one.id == *id));
        if let Some(first) = first {
            ctx.report
                .push(
                    Code::ClientDuplicate,
                    &at_id,
                    format!("the application `{}` is listed twice", first.id),
                )
                .also(&first.place, "first listed here")
                .help("keep one of them");
            continue;
        }
        clients.push(id.map(|id| Client { id, place: at_id, secret: hash }));
    }
    let whole = !known.is_empty() && known.len() == section.raw.clients.len();
    let signer = whole.then(|| Signer::of(known.iter().map(|secret| secret.as_bytes())));
    (clients, signer.map(Arc::new))
}

fn weak(ctx: &mut Context<'_, '_>, place: &Place, length: usize) {
    ctx.report
        .push(
            Code::SecretWeak,
            place,
            format!("it has {length} bytes where a client's secret has {}", SecretHash::MIN),
        )
        .help("make one with `openssl rand -base64 48`");
}

/// What is trusted in the tokens that the gateway itself signs.
fn own_issuer(name: Issuer, signer: &Signer) -> Option<IssuerSettings> {
    let trust = Trust {
        issuer: name,
        algorithms: [Signer::ALGORITHM].into_iter().collect(),
        profile: Profile::Rfc9068,
        leeway_seconds: 0,
        unproven: Unproven::Refuse,
    };
    let keys = signer.keys().ok()?;
    Some(IssuerSettings { trust, keys: KeySource::Fixed(Arc::new(keys)) })
}

/// The issuers whose tokens are taken: the gateway's own, where it has clients, and those that are named.
fn trusted(
    ctx: &mut Context<'_, '_>,
    section: &At<&raw::Management>,
    issuers: &Issuers,
) -> Vec<usize> {
    let list = section.place.key("issuers");
    let mut trusted: Vec<_> = issuers.own().into_iter().collect();
    for (index, name) in section.raw.issuers.iter().enumerate() {
        let found = issuers.resolve(ctx, &list.index(index), name);
        trusted.extend(found.filter(|found| !trusted.contains(found)));
    }
    if issuers.own().is_none() && section.raw.issuers.is_empty() && !ctx.report.is_refused(&list) {
        ctx.missing(
            &section.place.key("clients"),
            "write who may call: `clients: [{client_id: deploy-tool, client_secret: \
            \"${env:DEPLOY_TOOL_SECRET}\"}]`; or `issuers`, whose tokens are taken",
        );
    }
    trusted
}

/// Its URL as clients see it, without a slash at its end.
fn public_url(ctx: &mut Context<'_, '_>, section: &At<&raw::Management>) -> Option<String> {
    let place = section.place.key("public_url");
    let text = section.raw.public_url.as_ref()?;
    if !urls::web(ctx, &place, text) {
        return None;
    }
    if !text.starts_with("https://") || text.contains('?') {
        ctx.report
            .push(Code::UrlInvalid, &place, format!("`{text}` is not where clients would find it"))
            .help("write an `https://` URL and no query: `https://grants.example.com:9443`");
        return None;
    }
    Some(text.trim_end_matches('/').to_owned())
}

/// Builds what its door needs. Which API answers there is known when all are served: see [`serve`].
pub(super) fn build(
    ctx: &mut Context<'_, '_>,
    section: &At<&raw::Management>,
    declared: Declared,
    issuers: &Issuers,
    http2: Http2,
) -> Option<Management> {
    let At { place, raw } = section;
    let at_listen = place.key("listen");
    let listen = ctx
        .required(&at_listen, raw.listen.as_ref(), "write an address and a port: `127.0.0.1:9443`")
        .and_then(|text| ctx.address(&at_listen, text));
    let at_tls = place.key("tls");
    let help = "write the files of its certificate and key: `tls: {cert: tls.crt, key: tls.key}`";
    let tls = ctx.required(&at_tls, raw.tls.as_ref(), help).and_then(|raw| {
        tls::server(ctx, &At { place: at_tls.clone(), raw }, http2 != Http2::Never)
    });
    let token_lifetime = token_lifetime(ctx, section);
    let at_grants = place.key("grants_issuer");
    let grants_issuer =
        raw.grants_issuer.as_ref().map(|name| issuers.resolve(ctx, &at_grants, name));
    let file = raw.file.as_ref().map(|name| file(ctx, &place.key("file"), name));
    let clients = declared
        .clients
        .into_iter()
        .map(|Client { id, secret, .. }| Some(ManagementClient { id, secret: secret? }));
    Some(Management {
        listen: listen?,
        tls: tls?,
        public_url: declared.public_url,
        sites: Sites::default(),
        clients: clients.collect::<Option<_>>()?,
        signer: declared.signer,
        token_lifetime,
        grants_issuer: match grants_issuer {
            Some(found) => Some(issuers.name(found?)?.clone()),
            None => None,
        },
        file: match file {
            Some(name) => Some(name?),
            None => None,
        },
        rate_limit: raw.rate_limit.and_then(NonZeroU32::new).unwrap_or(RATE_LIMIT),
        inventory: Arc::default(),
    })
}

const TOKEN_LIFETIME: Duration = Duration::from_mins(10);
const LONGEST_TOKEN: Duration = Duration::from_hours(24);
const RATE_LIMIT: NonZeroU32 = NonZeroU32::MIN.saturating_add(49);

/// How long a token is good: whole seconds, as tokens tell the time.
fn token_lifetime(ctx: &mut Context<'_, '_>, section: &At<&raw::Management>) -> Duration {
    let place = section.place.key("token_lifetime");
    let written = section.raw.token_lifetime.as_ref();
    let lifetime = ctx.duration(&place, written, TOKEN_LIFETIME, LONGEST_TOKEN);
    if lifetime.is_zero() || lifetime.subsec_nanos() != 0 {
        let message = format!("`{}` is not whole seconds, at least one", units::written(lifetime));
        ctx.report
            .push(Code::DurationInvalid, &place, message)
            .help(format!("write `{}s`", lifetime.as_secs() + 1));
    }
    lifetime
}

/// The name of a file beside the others, which they would be read with.
fn file(ctx: &mut Context<'_, '_>, place: &Place, name: &str) -> Option<String> {
    let kind = name.rsplit_once('.').map(|(_, kind)| kind);
    let fits = matches!(kind, Some("yaml" | "yml" | "json"))
        && !name.starts_with('.')
        && !name.chars().any(|char| matches!(char, '/' | '\\') || char.is_control());
    if !fits {
        ctx.report
            .push(Code::NameInvalid, place, format!("`{name}` is no file of the configuration"))
            .help("write a file's name alone, `*.yaml`, `*.yml` or `*.json`: `grants.yaml`");
    }
    fits.then(|| name.to_owned())
}
