//! TLS of the traffic listener, as it runs.
//!
//! Certificates, authorities and versions are those of the running configuration, for every connection
//! that comes. Whether there is TLS at all and what is asked of clients are those that the program
//! started with: a file that lost its last lines must not open a plain port, nor let those in who show
//! no certificate.

use std::sync::Arc;

use tokio_rustls::TlsAcceptor;

use crate::clock::now;
use crate::config::snapshot::Server;
use crate::config::tls::ServerTls;
use crate::live::Live;

/// TLS of the traffic listener, as it runs; there may be none.
#[derive(Clone)]
pub struct Tls(Option<Live<ServerTls>>);

impl Tls {
    /// What a program runs with that starts with these settings.
    pub fn of(server: &Server) -> Self {
        Self(server.tls.clone().map(|tls| Live::new(Arc::new(tls))))
    }

    /// Takes over settings that ask of clients what those asked that the program started with, unless
    /// a certificate of theirs has expired and none of those that run.
    pub fn follow(&self, server: &Server) {
        let (Some(running), Some(tls)) = (&self.0, &server.tls) else { return };
        let (before, now) = (running.load(), now());
        // Sessions are resumed within one and the same settings: those that are equal stay.
        if before.client_auth != tls.client_auth || *before == *tls {
            return;
        }
        if tls.expired(now).next().is_some() && before.expired(now).next().is_none() {
            return tracing::error!("a new certificate has expired, those before stay");
        }
        running.replace(Arc::new(tls.clone()));
    }

    /// Whether there is any.
    pub(super) fn is_spoken(&self) -> bool {
        self.0.is_some()
    }

    /// What makes a handshake with a client that comes now.
    pub(super) fn acceptor(&self) -> Option<TlsAcceptor> {
        self.0.as_ref().map(|running| TlsAcceptor::from(running.load().config.clone()))
    }
}
