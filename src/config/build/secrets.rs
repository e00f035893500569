//! Secrets: what a reference leads to, and that of an API's HMAC-signed tokens.

use zeroize::Zeroizing;

use super::context::{At, Context};
use crate::config::secret::Reference;
use crate::config::{Code, Place, raw};
use crate::token::HsSecret;

/// The secret where one is meant; the outer `None` is one that cannot be used.
#[expect(clippy::option_option, reason = "no secret and a secret that cannot be used differ")]
pub(super) fn hs_secret(
    ctx: &mut Context<'_, '_>,
    gate: &At<&raw::Gate>,
    trusted: &[usize],
) -> Option<Option<HsSecret>> {
    let place = gate.place.key("hs_secret");
    let Some(text) = &gate.raw.hs_secret else {
        return (!ctx.report.is_refused(&place)).then_some(None);
    };
    let issuers = gate.place.key("issuers");
    if trusted.len() > 1 {
        ctx.report
            .push(
                Code::HsSecretIssuers,
                &place,
                format!("one secret for {} issuers: each could sign as the others", trusted.len()),
            )
            .also(&issuers, "those that this API trusts")
            .help("an API with a secret trusts exactly one issuer: name it under `issuers`");
        return None;
    }
    let secret = referred(ctx, &place, text)?;
    match HsSecret::new(secret.as_bytes()) {
        Ok(secret) => Some(Some(secret)),
        Err(error) => {
            ctx.report.push(Code::SecretWeak, &place, error.to_string()).help(
                "HS256 takes 32 bytes, HS384 48, HS512 64: make one with `openssl rand -base64 48`",
            );
            None
        }
    }
}

/// The secret that a reference leads to. It is wiped when it is dropped.
pub(super) fn referred(
    ctx: &mut Context<'_, '_>,
    place: &Place,
    text: &str,
) -> Option<Zeroizing<String>> {
    let Some(reference) = Reference::parse(text) else {
        // The text may be the secret: it is not repeated. Nor is it shown: its schema says so.
        ctx.report
            .push(Code::SecretLiteral, place, "a secret must not be written in a configuration")
            .help("write where to find it: `\"${env:NAME}\"` or `\"${file:/path}\"`");
        return None;
    };
    match reference.resolve(place.source, ctx.outside) {
        Ok(secret) => Some(Zeroizing::new(secret)),
        Err(why) => {
            ctx.report
                .push(Code::SecretMissing, place, format!("the secret is missing: {why}"))
                .help("set it, or write where else to find it");
            None
        }
    }
}
