//! TLS: files with certificates, keys and authorities → what a handshake needs.

use super::context::{At, Context};
use crate::config::tls::{
    Authorities, ClientAuth, ClientTls, Identities, OldestTls, ServerTls, Spoken, TlsError,
};
use crate::config::{Code, Place, raw};
use crate::policy::UnixTime;

/// TLS of the traffic listener.
pub(super) fn server(
    ctx: &mut Context<'_, '_>,
    tls: &At<&raw::Tls>,
    http2: bool,
) -> Option<ServerTls> {
    let At { place, raw } = tls;
    let mut identities = Identities::default();
    let at_key = place.key("cert");
    let help = "write the certificate's file: `cert: tls.crt`, and its key's: `key: tls.key`";
    let mut whole = ctx.required(&at_key, raw.cert.as_ref(), help).is_some();
    let own = (raw.cert.as_deref(), raw.key.as_deref());
    let further = raw.certificates.iter().map(|one| (one.cert.as_deref(), one.key.as_deref()));
    whole &= identity(ctx, &At { place: place.clone(), raw: own }, &mut identities).is_some();
    for (index, pair) in further.enumerate() {
        let place = place.key("certificates").index(index);
        if pair.0.is_none() {
            ctx.missing(&place.key("cert"), help);
            whole = false;
        }
        whole &= identity(ctx, &At { place, raw: pair }, &mut identities).is_some();
    }
    let client_auth = client_auth(ctx, tls)?;
    let authorities = match &raw.client_ca {
        Some(path) => Some(authorities(ctx, &place.key("client_ca"), path)?),
        None => None,
    };
    let oldest = match raw.min_version {
        Some(raw::TlsVersion::Tls13) => OldestTls::Tls13,
        Some(raw::TlsVersion::Tls12) | None => OldestTls::Tls12,
    };
    if !whole {
        return None;
    }
    ServerTls::new(identities, authorities, client_auth, Spoken { oldest, http2 })
        .map_err(|error| refused(ctx, Code::CertificateInvalid, place, &error))
        .ok()
}

/// Warns of certificates that no client takes any more. They are no error: what else has changed in the
/// configuration, a grant that was removed perhaps, must not wait for them.
pub(super) fn expired(ctx: &mut Context<'_, '_>, place: &Place, tls: &ServerTls, now: UnixTime) {
    for index in tls.expired(now) {
        let place = match index.checked_sub(1) {
            None => place.key("cert"),
            Some(further) => place.key("certificates").index(further).key("cert"),
        };
        ctx.report
            .push(Code::CertificateExpired, &place, "the certificate has expired")
            .help("renew it; a running gate goes on with the one before, where that is still good");
    }
}

/// What is asked of clients: where authorities are named, a certificate, unless something else is
/// written.
fn client_auth(ctx: &mut Context<'_, '_>, tls: &At<&raw::Tls>) -> Option<ClientAuth> {
    let At { place, raw } = tls;
    let at = place.key("client_auth");
    let (message, help) = match (raw.client_auth, raw.client_ca.is_some()) {
        (None | Some(raw::ClientAuth::Required), true) => return Some(ClientAuth::Required),
        (Some(raw::ClientAuth::Optional), true) => return Some(ClientAuth::Optional),
        (None | Some(raw::ClientAuth::None), false) => return Some(ClientAuth::None),
        (Some(raw::ClientAuth::None), true) => (
            "no certificate is asked for, and authorities of certificates are named",
            "remove `client_ca`, or write `client_auth: required`",
        ),
        (Some(_), false) => (
            "clients are asked for a certificate, and nobody is named whose certificates count",
            "write a file with their authorities: `client_ca: clients-ca.crt`",
        ),
    };
    ctx.report.push(Code::ClientAuthConflict, &at, message).help(help);
    None
}

/// Adds the certificate and key whose files are named, if they are. `None` when they cannot be used.
pub(super) fn identity(
    ctx: &mut Context<'_, '_>,
    pair: &At<(Option<&str>, Option<&str>)>,
    identities: &mut Identities,
) -> Option<()> {
    let At { place, raw } = pair;
    let (at_certificate, at_key) = (place.key("cert"), place.key("key"));
    let (certificate, key) = match raw {
        (None, None) => {
            let refused = ctx.report.is_refused(&at_certificate) || ctx.report.is_refused(&at_key);
            return (!refused).then_some(());
        }
        (Some(_), None) => {
            ctx.missing(&at_key, "write the file of the certificate's private key: `key: tls.key`");
            return None;
        }
        (None, Some(_)) => {
            ctx.missing(&at_certificate, "write the certificate's file: `cert: tls.crt`");
            return None;
        }
        (Some(certificate), Some(key)) => {
            (ctx.file(&at_certificate, certificate), ctx.file(&at_key, key))
        }
    };
    let added = identities.add(&certificate?, &key?);
    added
        .map_err(|error| {
            let at = if error.is_of_key() { &at_key } else { &at_certificate };
            refused(ctx, Code::CertificateInvalid, at, &error);
        })
        .ok()
}

/// TLS of connections that trust the authorities in a file, or those of this machine.
pub(super) fn client(
    ctx: &mut Context<'_, '_>,
    place: &Place,
    ca: Option<&str>,
    identities: Identities,
) -> Option<ClientTls> {
    let trusted = match ca {
        Some(path) => authorities(ctx, place, path)?,
        None if ctx.report.is_refused(place) => return None,
        None => Authorities::of_machine(ctx.outside.authorities()),
    };
    ClientTls::new(trusted, identities)
        .map_err(|error| refused(ctx, Code::AuthoritiesInvalid, place, &error))
        .ok()
}

fn authorities(ctx: &mut Context<'_, '_>, place: &Place, path: &str) -> Option<Authorities> {
    let text = ctx.file(place, path)?;
    Authorities::read(&text)
        .map_err(|error| refused(ctx, Code::AuthoritiesInvalid, place, &error))
        .ok()
}

fn refused(ctx: &mut Context<'_, '_>, code: Code, place: &Place, error: &TlsError) {
    let help = match error {
        TlsError::CertificateMissing | TlsError::CertificateUnusable(..) => {
            "write certificates in PEM into the file: `-----BEGIN CERTIFICATE-----`"
        }
        TlsError::KeyMissing(_) => {
            "write the private key in PEM into the file, without a passphrase: \
            `-----BEGIN PRIVATE KEY-----`"
        }
        TlsError::KeyMismatch => {
            "name the key that the certificate was made for; in its file the certificate itself stands \
            first, and those that vouch for it behind it"
        }
        TlsError::KeyUnusable(_) => "use an RSA key of 2048 bits or more, P-256, P-384 or Ed25519",
        TlsError::Refused(_) => "have it issued anew, or look at it with `openssl x509 -text`",
    };
    ctx.report.push(code, place, format!("this cannot be used for TLS: {error}")).help(help);
}
