//! TLS as a configuration means it, ready to be used: what a listener shows and asks, and whom a
//! connection to another machine trusts.
//!
//! In come PEM texts; out come rustls' own settings, which nothing needs to check again. Two are equal
//! when they are made of the same texts, so that what hangs on one (connections, keys) can tell
//! whether a reload changed it.

mod server;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::ParsedCertificate;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion, version};

use super::snapshot::UpstreamProtocol;
use super::source::{Digest, Source, digest};

pub(super) use server::Spoken;
pub use server::{ClientAuth, ServerTls};

/// Why a text gives nothing to speak TLS with.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    /// There is no certificate in it.
    #[error("it holds no certificate")]
    CertificateMissing,
    /// A certificate in it cannot be read.
    #[error("its certificate {0} cannot be used: {1}")]
    CertificateUnusable(usize, String),
    /// There is no private key in it, or one that cannot be read.
    #[error("it holds no private key that can be read: {0}")]
    KeyMissing(String),
    /// The key is another certificate's.
    #[error("the private key is not the certificate's")]
    KeyMismatch,
    /// The key is of a kind that is not supported.
    #[error("the private key cannot be used: {0}")]
    KeyUnusable(String),
    /// The library refuses the whole.
    #[error("{0}")]
    Refused(String),
}

impl TlsError {
    /// Whether it is the private key's fault.
    pub(super) fn is_of_key(&self) -> bool {
        matches!(self, Self::KeyMissing(_) | Self::KeyMismatch | Self::KeyUnusable(_))
    }
}

/// The oldest version of TLS that is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OldestTls {
    /// TLS 1.2.
    #[default]
    Tls12,
    /// TLS 1.3.
    Tls13,
}

impl OldestTls {
    fn versions(self) -> &'static [&'static SupportedProtocolVersion] {
        match self {
            Self::Tls12 => FROM_TLS12,
            Self::Tls13 => FROM_TLS13,
        }
    }
}

const FROM_TLS12: &[&SupportedProtocolVersion] = &[&version::TLS13, &version::TLS12];
const FROM_TLS13: &[&SupportedProtocolVersion] = &[&version::TLS13];

const ALPN_HTTP1: &[u8] = b"http/1.1";

/// The name by which a handshake agrees on HTTP/2 (ALPN, RFC 7301).
pub const ALPN_HTTP2: &[u8] = b"h2";

/// TLS of connections to another machine.
#[derive(Clone)]
pub struct ClientTls {
    /// What a handshake needs. It asks for no protocol (ALPN).
    pub config: Arc<ClientConfig>,
    http1: Arc<ClientConfig>,
    http2: Arc<ClientConfig>,
    either: Arc<ClientConfig>,
    made_of: Digest,
}

/// Certificates with their private keys, as texts and as what they mean.
#[derive(Default)]
pub(super) struct Identities {
    keys: Vec<Arc<CertifiedKey>>,
    texts: Vec<Source>,
}

/// Authorities, as texts and as what they mean.
pub(super) struct Authorities {
    roots: Arc<RootCertStore>,
    texts: Vec<Source>,
}

impl Identities {
    /// Adds a certificate with those that lead to its authority, and its key.
    pub(super) fn add(&mut self, certificate: &str, key: &str) -> Result<(), TlsError> {
        let chain = certificates(certificate)?;
        let end_entity = chain.first().ok_or(TlsError::CertificateMissing)?;
        ParsedCertificate::try_from(end_entity)
            .map_err(|error| TlsError::CertificateUnusable(1, error.to_string()))?;
        let private = PrivateKeyDer::from_pem_slice(key.as_bytes())
            .map_err(|error| TlsError::KeyMissing(fault(&error).to_owned()))?;
        let signs = aws_lc_rs::sign::any_supported_type(&private)
            .map_err(|error| TlsError::KeyUnusable(error.to_string()))?;
        let pair = CertifiedKey::new(chain, signs);
        pair.keys_match().map_err(|_| TlsError::KeyMismatch)?;
        self.keys.push(Arc::new(pair));
        self.texts.extend([Source::new("certificate", certificate), Source::new("key", key)]);
        Ok(())
    }
}

impl Authorities {
    /// Those that stand in a text.
    pub(super) fn read(text: &str) -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        for (index, certificate) in certificates(text)?.into_iter().enumerate() {
            roots
                .add(certificate)
                .map_err(|error| TlsError::CertificateUnusable(index + 1, error.to_string()))?;
        }
        Ok(Self { roots: Arc::new(roots), texts: vec![Source::new("authorities", text)] })
    }

    /// Those of this machine.
    pub(super) fn of_machine(roots: Arc<RootCertStore>) -> Self {
        Self { roots, texts: Vec::new() }
    }
}

impl ClientTls {
    /// TLS that trusts `authorities`, and shows the first of `identities` where it is asked.
    pub(super) fn new(authorities: Authorities, identities: Identities) -> Result<Self, TlsError> {
        let builder = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(OldestTls::default().versions())
            .map_err(|error| TlsError::Refused(error.to_string()))?
            .with_root_certificates(authorities.roots);
        let config = match identities.keys.into_iter().next() {
            None => builder.with_no_client_auth(),
            Some(pair) => builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(pair))),
        };
        let made_of = digest(authorities.texts.iter().chain(&identities.texts));
        Ok(Self {
            http1: asking(&config, &[ALPN_HTTP1]),
            http2: asking(&config, &[ALPN_HTTP2]),
            either: asking(&config, &[ALPN_HTTP2, ALPN_HTTP1]),
            config: Arc::new(config),
            made_of,
        })
    }

    /// What a handshake needs that agrees on a protocol too (ALPN, RFC 7301). A session that was begun by
    /// one of them can be resumed by each.
    pub fn asking_for(&self, protocol: UpstreamProtocol) -> &Arc<ClientConfig> {
        match protocol {
            UpstreamProtocol::Auto => &self.either,
            UpstreamProtocol::Http1 => &self.http1,
            UpstreamProtocol::Http2 => &self.http2,
        }
    }

    /// TLS that trusts nobody, for sources that are fetched without.
    #[cfg(test)]
    pub(crate) fn trusting_nobody() -> Self {
        let nobody = Authorities::of_machine(Arc::new(RootCertStore::empty()));
        Self::new(nobody, Identities::default()).unwrap()
    }

    /// TLS that trusts the authorities in a PEM text.
    #[cfg(test)]
    pub(crate) fn trusting(authorities: &str) -> Self {
        Self::new(Authorities::read(authorities).unwrap(), Identities::default()).unwrap()
    }
}

/// The same, asking for these protocols, the first before the second.
fn asking(config: &ClientConfig, protocols: &[&[u8]]) -> Arc<ClientConfig> {
    let mut config = config.clone();
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    Arc::new(config)
}

/// The provider is named: were two in the program, the default one would be a panic. It prefers the
/// hybrid key exchange (X25519MLKEM768), which a quantum computer cannot undo later.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// What is wrong with a PEM text, in our words: the library's show the line that it stumbled over, which
/// in a file that lost its line ends is the private key.
fn fault(error: &pem::Error) -> &'static str {
    match error {
        pem::Error::NoItemsFound => "none is in it",
        pem::Error::MissingSectionEnd { .. } => "it has no line that says where it ends",
        pem::Error::IllegalSectionStart { .. } => {
            "the line where it begins holds something else too"
        }
        pem::Error::Base64Decode(_) => "it is not base64",
        _ => "it is not PEM",
    }
}

fn certificates(text: &str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read = CertificateDer::pem_slice_iter(text.as_bytes()).enumerate();
    let read = read.map(|(index, certificate)| {
        let unusable = |error| TlsError::CertificateUnusable(index + 1, fault(&error).to_owned());
        certificate.map_err(unusable)
    });
    let certificates: Vec<_> = read.collect::<Result<_, _>>()?;
    if certificates.is_empty() { Err(TlsError::CertificateMissing) } else { Ok(certificates) }
}

impl PartialEq for ClientTls {
    fn eq(&self, other: &Self) -> bool {
        self.made_of == other.made_of
    }
}

impl Eq for ClientTls {}

impl Hash for ClientTls {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.made_of.hash(state);
    }
}

impl fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientTls({})", self.made_of)
    }
}

#[cfg(test)]
mod tests;
