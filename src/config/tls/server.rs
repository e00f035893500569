//! TLS of a listener: the certificates that it shows, and what it asks of clients.
//!
//! What is shown, who is believed about clients and what is asked of them are kept apart, so that a
//! listener that runs can take over some of it: see [`ServerTls::renewed`].

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, Error, RootCertStore, ServerConfig};

use crate::config::source::{Digest, digest};
use crate::policy::UnixTime;

use super::{ALPN_HTTP1, ALPN_HTTP2, Authorities, Identities, OldestTls, TlsError, provider};

/// What is asked of clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientAuth {
    /// No certificate.
    #[default]
    None,
    /// A certificate; one that is shown must be good.
    Optional,
    /// A good certificate.
    Required,
}

/// TLS of a listener.
#[derive(Clone)]
pub struct ServerTls {
    /// What a handshake needs. The protocol that it agrees on is HTTP/2 or HTTP/1.1, as both like.
    pub config: Arc<ServerConfig>,
    /// What is asked of clients.
    pub client_auth: ClientAuth,
    shown: Shown,
    /// Nobody where nothing is asked.
    believed: Option<Believed>,
    spoken: Spoken,
}

/// What a handshake may agree on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) struct Spoken {
    /// The oldest version of TLS.
    pub(in crate::config) oldest: OldestTls,
    /// Whether HTTP/2 is offered (ALPN, RFC 7301).
    pub(in crate::config) http2: bool,
}

/// Certificates and their keys, in their order.
#[derive(Clone)]
struct Shown {
    keys: Arc<[Arc<CertifiedKey>]>,
    made_of: Digest,
}

/// Authorities of clients' certificates.
#[derive(Clone)]
struct Believed {
    roots: Arc<RootCertStore>,
    made_of: Digest,
}

impl ServerTls {
    /// TLS that shows `identities`, of which the first is shown where no name fits, and takes clients'
    /// certificates of `authorities`.
    pub(in crate::config) fn new(
        identities: Identities,
        authorities: Option<Authorities>,
        client_auth: ClientAuth,
        spoken: Spoken,
    ) -> Result<Self, TlsError> {
        let Identities { keys, texts } = identities;
        let shown = Shown { keys: keys.into(), made_of: digest(&texts) };
        let believed = authorities
            .map(|Authorities { roots, texts }| Believed { roots, made_of: digest(&texts) });
        Self::assemble(shown, believed, client_auth, spoken)
    }

    fn assemble(
        shown: Shown,
        believed: Option<Believed>,
        client_auth: ClientAuth,
        spoken: Spoken,
    ) -> Result<Self, TlsError> {
        let refused = |error: &dyn fmt::Display| TlsError::Refused(error.to_string());
        let builder = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(spoken.oldest.versions())
            .map_err(|error| refused(&error))?;
        let believed = believed.filter(|_| client_auth != ClientAuth::None);
        let builder = match &believed {
            None => builder.with_no_client_auth(),
            Some(Believed { roots, .. }) => {
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(roots.clone(), provider());
                let verifier = if client_auth == ClientAuth::Optional {
                    verifier.allow_unauthenticated()
                } else {
                    verifier
                };
                builder.with_client_cert_verifier(verifier.build().map_err(|e| refused(&e))?)
            }
        };
        let mut config = builder.with_cert_resolver(Arc::new(ByName(shown.keys.clone())));
        let http2 = spoken.http2.then(|| ALPN_HTTP2.to_vec());
        config.alpn_protocols = http2.into_iter().chain([ALPN_HTTP1.to_vec()]).collect();
        Ok(Self { config: Arc::new(config), client_auth, shown, believed, spoken })
    }

    /// What a listener that runs with these settings goes on with when `next` are written: their
    /// certificates, unless one of them has expired and none of these; their authorities, if they name
    /// any; their versions and protocols. What is asked of clients stays as it is.
    ///
    /// # Errors
    /// When the library refuses the whole.
    pub fn renewed(&self, next: &Self, now: UnixTime) -> Result<Self, TlsError> {
        let certificates = if self.outlives(next, now) { self } else { next };
        let believed = next.believed.as_ref().or(self.believed.as_ref());
        let Self { client_auth, .. } = *self;
        Self::assemble(certificates.shown.clone(), believed.cloned(), client_auth, next.spoken)
    }

    /// Whether a certificate of `next` has expired, and none of these.
    pub fn outlives(&self, next: &Self, now: UnixTime) -> bool {
        next.expired(now).next().is_some() && self.expired(now).next().is_none()
    }

    /// Whether both believe the same authorities about clients.
    pub fn believes_as(&self, other: &Self) -> bool {
        let made_of = |it: &Self| it.believed.as_ref().map(|believed| believed.made_of);
        made_of(self) == made_of(other)
    }

    /// Which of its certificates have expired, by their places: 0 is the one that is shown where no name
    /// fits.
    pub fn expired(&self, now: UnixTime) -> impl Iterator<Item = usize> {
        let expired = move |pair: &CertifiedKey| {
            pair.end_entity_cert().is_ok_and(|der| has_expired(der, now))
        };
        let keys = self.shown.keys.iter().enumerate();
        keys.filter(move |(_, pair)| expired(pair)).map(|(index, _)| index)
    }
}

/// What a verifier says first of a certificate is whether its time is right, whoever vouches for it.
fn has_expired(certificate: &CertificateDer<'_>, now: UnixTime) -> bool {
    let Ok(parsed) = ParsedCertificate::try_from(certificate) else { return false };
    let now = Duration::from_secs(u64::try_from(now.seconds()).unwrap_or_default());
    let verified = verify_server_cert_signed_by_trust_anchor(
        &parsed,
        &RootCertStore::empty(),
        &[],
        rustls::pki_types::UnixTime::since_unix_epoch(now),
        aws_lc_rs::default_provider().signature_verification_algorithms.all,
    );
    matches!(
        verified,
        Err(Error::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. }
        ))
    )
}

/// Shows the first certificate that is for the name that a client asks for, else the first of all.
#[derive(Debug)]
struct ByName(Arc<[Arc<CertifiedKey>]>);

impl ResolvesServerCert for ByName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name().and_then(|name| ServerName::try_from(name).ok());
        let fits = name.and_then(|name| self.0.iter().find(|pair| is_for(pair, &name)));
        fits.or_else(|| self.0.first()).cloned()
    }
}

fn is_for(pair: &CertifiedKey, name: &ServerName<'_>) -> bool {
    let parsed = pair.end_entity_cert().ok().and_then(|der| ParsedCertificate::try_from(der).ok());
    parsed.is_some_and(|certificate| verify_server_name(&certificate, name).is_ok())
}

impl PartialEq for ServerTls {
    fn eq(&self, other: &Self) -> bool {
        self.shown.made_of == other.shown.made_of
            && self.believes_as(other)
            && (self.client_auth, self.spoken) == (other.client_auth, other.spoken)
    }
}

impl Eq for ServerTls {}

impl fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { client_auth, shown, believed, spoken, .. } = self;
        let believed = believed.as_ref().map(|believed| believed.made_of.to_string());
        write!(f, "ServerTls({}, {client_auth:?} {believed:?}, {spoken:?})", shown.made_of)
    }
}

#[cfg(test)]
mod tests;
