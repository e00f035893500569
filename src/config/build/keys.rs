//! Where an issuer's keys come from: a set that is written down, or one that is fetched and how.

use std::sync::Arc;
use std::time::Duration;

use super::context::{At, Context};
use super::{tls, units, urls};
use crate::config::snapshot::{KeySource, RemoteKeys};
use crate::config::tls::Identities;
use crate::config::{Code, Place, raw};
use crate::token::{KeyError, KeySet, SkippedKey};

const REFRESH_COOLDOWN: Duration = Duration::from_secs(30);
const MAX_STALE: Duration = Duration::from_hours(24);
/// As long as keys stay fresh at the least.
const LEAST_STALE: Duration = Duration::from_mins(1);
/// A week: whoever needs longer is better served by `jwks_file`.
const MOST_STALE: Duration = Duration::from_hours(7 * 24);

/// Where the keys come from: one place, discovery where none is said.
pub(super) fn build(ctx: &mut Context<'_, '_>, issuer: &At<&raw::Issuer>) -> Option<KeySource> {
    let At { place, raw } = issuer;
    let said = [
        ("jwks_uri", raw.jwks_uri.is_some()),
        ("jwks_file", raw.jwks_file.is_some()),
        ("jwks", raw.jwks.is_some()),
        ("pem_file", raw.pem_file.is_some()),
    ];
    let mut keys = said.iter().filter(|(_, said)| *said).map(|(key, _)| *key);
    if let (Some(first), Some(second)) = (keys.next(), keys.next()) {
        ctx.report
            .push(
                Code::KeysAmbiguous,
                &place.key(second),
                format!("`{first}` and `{second}` both say where the keys come from"),
            )
            .on_key()
            .also(&place.key(first), "and so does this")
            .help("keep one of them");
        return None;
    }
    // A place that was refused was meant: discovery would be something else than what was written.
    if said.iter().any(|(key, _)| ctx.report.is_refused(&place.key(*key))) {
        return None;
    }
    let fixed = if let Some(path) = &raw.jwks_file {
        let at = place.key("jwks_file");
        ctx.file(&at, path).map(|text| jwks(ctx, &at, &text))
    } else if let Some(set) = &raw.jwks {
        let none_is_meant =
            set.get("keys").is_some_and(|keys| keys.as_array().is_some_and(Vec::is_empty));
        if none_is_meant {
            // An issuer all of whose tokens are signed with the APIs' own secrets has no keys.
            Some(Some(KeySet::default()))
        } else {
            let text = serde_json::Value::Object(set.clone()).to_string();
            Some(jwks(ctx, &place.key("jwks"), &text))
        }
    } else if let Some(path) = &raw.pem_file {
        let at = place.key("pem_file");
        ctx.file(&at, path).map(|text| pem(ctx, &at, &text))
    } else {
        return remote(ctx, issuer);
    };
    fixed?.map(|keys| KeySource::Fixed(Arc::new(keys)))
}

fn jwks(ctx: &mut Context<'_, '_>, place: &Place, text: &str) -> Option<KeySet> {
    match KeySet::from_jwks(text) {
        Ok((keys, skipped)) => {
            let is_weak = |key: &SkippedKey| key.reason == KeyError::Size;
            let any_weak = skipped.iter().any(is_weak);
            if keys.is_empty() && skipped.is_empty() {
                ctx.report.push(Code::KeysInvalid, place, "the key set is empty").help(
                    "write the issuer's public keys into it; of an issuer that has none, because each of \
                    its APIs has a secret, say so: `jwks: {keys: []}`",
                );
                return None;
            }
            // Beside a key for signatures, some issuers show one for encryption.
            let unexpected = skipped.into_iter().filter(|key| key.reason != KeyError::Encryption);
            for key in unexpected {
                // Of the others some may be for other purposes; a weak key is never meant.
                let (code, help) = if is_weak(&key) {
                    (Code::KeysInvalid, "leave it out, and have the issuer sign with a longer one")
                } else {
                    (Code::KeySkipped, "leave it out if its issuer does not sign with it")
                };
                ctx.report.push(code, place, key.to_string()).help(help);
            }
            if any_weak {
                return None;
            }
            if keys.is_empty() {
                ctx.report
                    .push(Code::KeysInvalid, place, "the key set has no key that can be used")
                    .help("it needs one for signatures: RSA of 2048 bits or more, P-256, P-384, P-521 or Ed25519");
                return None;
            }
            all_tried(ctx, place, keys)
        }
        Err(error) => {
            ctx.report
                .push(Code::KeysInvalid, place, format!("the key set cannot be used: {error}"))
                .help("write a JSON Web Key Set: `{\"keys\": [...]}` (RFC 7517 section 5)");
            None
        }
    }
}

fn pem(ctx: &mut Context<'_, '_>, place: &Place, text: &str) -> Option<KeySet> {
    KeySet::from_pem(text)
        .map_err(|error| {
            ctx.report
                .push(Code::KeysInvalid, place, format!("the key cannot be used: {error}"))
                .help(
                    "write public keys or certificates into the file: `-----BEGIN PUBLIC KEY-----`",
                );
        })
        .ok()
        .and_then(|keys| all_tried(ctx, place, keys))
}

/// The keys, where none of them would be passed over.
fn all_tried(ctx: &mut Context<'_, '_>, place: &Place, keys: KeySet) -> Option<KeySet> {
    let Some(count) = keys.nameless_beyond() else { return Some(keys) };
    ctx.report
        .push(
            Code::KeysInvalid,
            place,
            format!(
                "{count} keys of one kind have no `kid`, and {} of them are tried for a token",
                KeySet::TRIES
            ),
        )
        .help("leave out those that are not used any more, or use a key set in which each has a `kid`");
    None
}

fn remote(ctx: &mut Context<'_, '_>, issuer: &At<&raw::Issuer>) -> Option<KeySource> {
    let At { place, raw } = issuer;
    let allow_http = raw.allow_http == Some(true);
    let (at, url) = match (&raw.jwks_uri, &raw.issuer) {
        (Some(uri), _) => (place.key("jwks_uri"), uri),
        (None, Some(name)) => (place.key("issuer"), name),
        (None, None) => return None,
    };
    if !urls::is_web(url) {
        let shown = urls::shown(ctx, &at, url);
        let message = match raw.jwks_uri {
            Some(_) => format!("`{shown}` is not a URL"),
            None => format!("the issuer `{shown}` is not a URL, so its keys cannot be discovered"),
        };
        ctx.report
            .push(Code::UrlInvalid, &at, message)
            .help("write `jwks_uri: https://…`, `jwks_file`, `jwks` or `pem_file`");
        return None;
    }
    if urls::is_open(url) && !allow_http {
        ctx.report
            .push(
                Code::UrlInvalid,
                &at,
                format!(
                    "the keys would be fetched from `{url}` by plain HTTP, which anybody on the \
                way can change"
                ),
            )
            .help("write `https://…`; or `allow_http: true` if the network itself is trusted");
        return None;
    }
    if urls::is_open(url) {
        let message = format!(
            "the keys are fetched from `{url}` by plain HTTP: whoever is on the way can put his own \
            in their place, and write any token"
        );
        ctx.report
            .push(Code::KeysPlaintext, &place.key("allow_http"), message)
            .help("write `https://…`, with `ca` where the authority is your own; or `jwks_file`");
    }
    let cooldown = place.key("refresh_cooldown");
    let refresh_cooldown =
        ctx.some_time(&cooldown, raw.refresh_cooldown.as_ref(), REFRESH_COOLDOWN);
    Some(KeySource::Remote(RemoteKeys {
        jwks_uri: raw.jwks_uri.clone(),
        allow_http,
        tls: tls::client(ctx, &place.key("ca"), raw.ca.as_deref(), Identities::default())?,
        refresh_cooldown,
        max_stale: max_stale(ctx, issuer),
    }))
}

fn max_stale(ctx: &mut Context<'_, '_>, issuer: &At<&raw::Issuer>) -> Duration {
    let place = issuer.place.key("max_stale");
    let written = issuer.raw.max_stale.as_ref();
    let max_stale = ctx.duration(&place, written, MAX_STALE, MOST_STALE);
    if max_stale < LEAST_STALE {
        let message = "keys would be given up before they are fetched for the second time";
        ctx.report
            .push(Code::DurationInvalid, &place, message)
            .help(format!("write `{}` or more", units::written(LEAST_STALE)));
    }
    max_stale
}
