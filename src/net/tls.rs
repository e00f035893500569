//! TLS of a listener, as it runs.
//!
//! Certificates, authorities and versions are those of the running configuration, for every connection
//! that comes. Whether there is TLS at all and what is asked of clients are those that the program
//! started with: a file that lost its last lines must not open a plain port, nor let those in who show
//! no certificate. Connections that were let in on the word of authorities that are not the running ones
//! any more are asked to come again.

use std::sync::Arc;

use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::clock::now;
use crate::config::tls::{ClientAuth, ServerTls};
use crate::live::Live;

/// TLS of a listener, as it runs; there may be none.
#[derive(Clone)]
pub struct Tls(Option<Running>);

#[derive(Clone)]
struct Running {
    settings: Live<ServerTls>,
    /// Changes with the authorities of clients.
    believed: watch::Sender<()>,
}

/// What a client that comes now is offered.
pub(super) struct Offer {
    pub(super) acceptor: TlsAcceptor,
    /// Whether the client is asked for a certificate.
    pub(super) asks: bool,
    pub(super) trust: Trust,
}

/// Whether those are still believed on whose word a client was let in.
#[derive(Clone)]
pub(super) struct Trust(watch::Receiver<()>);

impl Trust {
    /// Waits until they are not.
    pub(super) async fn withdrawn(&mut self) {
        if self.0.changed().await.is_err() {
            // Nobody is left who could change it.
            std::future::pending::<()>().await;
        }
    }
}

impl Tls {
    /// What a program runs with that starts with these settings.
    pub fn of(settings: Option<&ServerTls>) -> Self {
        Self(settings.map(|tls| Running {
            settings: Live::new(Arc::new(tls.clone())),
            believed: watch::Sender::new(()),
        }))
    }

    /// Takes over what may change while the gateway runs: all but whether there is TLS, and what is
    /// asked of clients. Certificates of which one has expired are not taken where none of those that run
    /// has.
    pub fn follow(&self, next: Option<&ServerTls>) {
        let (Some(running), Some(next)) = (&self.0, next) else { return };
        let (before, now) = (running.settings.load(), now());
        if before.outlives(next, now) {
            tracing::error!("a new certificate has expired, those before stay");
        }
        let after = match before.renewed(next, now) {
            // Sessions are resumed within one and the same settings: those that are equal stay.
            Ok(after) if after == *before => return,
            Ok(after) => after,
            Err(error) => return tracing::error!(%error, "TLS stays as it is"),
        };
        let believes_as_before = after.believes_as(&before);
        running.settings.replace(Arc::new(after));
        if !believes_as_before {
            // Behind the settings: whoever comes from now on is judged by them.
            running.believed.send_replace(());
        }
    }

    /// Whether there is any.
    pub(super) fn is_spoken(&self) -> bool {
        self.0.is_some()
    }

    /// What a client that comes now is offered.
    pub(super) fn offer(&self) -> Option<Offer> {
        self.0.as_ref().map(|running| {
            // Before the settings: what changes between the two is noticed.
            let trust = Trust(running.believed.subscribe());
            let settings = running.settings.load();
            Offer {
                acceptor: TlsAcceptor::from(settings.config.clone()),
                asks: settings.client_auth != ClientAuth::None,
                trust,
            }
        })
    }
}
