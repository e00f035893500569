//! How a client's connection begins: whom a balancer announces, TLS, and what is spoken from then on.
//!
//! In comes a socket, out comes what HTTP is spoken over, or what the client did wrong. Nothing comes
//! of one that went away at once, as those do who only look whether somebody listens.

use std::net::SocketAddr;
use std::rc::Rc;

use tokio::time::timeout;

use crate::config::tls::ALPN_HTTP2;
use crate::net::ahead::Ahead;
use crate::net::linger::Linger;
use crate::net::pace::Pace;
use crate::net::proxy_header::{self, Header, Reading};
use crate::net::reception::{Bounds, Reception, Service};
use crate::net::tls::{Offer, Trust};
use crate::net::wire::{Line, PREFACE};
use crate::telemetry::ConnectionError;

use super::say_last;

const SPEAK_TLS: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\n\
    content-length: 38\r\nconnection: close\r\n\r\nthis port speaks TLS: ask by https://\n";

/// What a client and we have agreed on.
pub(super) struct Agreed {
    pub(super) line: Line,
    /// Whether HTTP/2 is spoken on it.
    pub(super) http2: bool,
    /// See [`crate::net::Peer::admitted_for`].
    pub(super) admitted_for: Option<Rc<str>>,
    /// Where others vouched for the client.
    pub(super) trust: Option<Trust>,
}

impl<S: Service> Reception<S> {
    /// Learns who the client is, where a balancer says so first, and comes to terms with it. Nothing when
    /// it went away at once, as those do who only look whether somebody listens.
    pub(super) async fn meet(
        &self,
        mut linger: Linger,
        address: Option<SocketAddr>,
        pace: &Pace,
        bounds: &Bounds,
    ) -> Result<Option<(Agreed, Option<SocketAddr>)>, ConnectionError> {
        let mut client = address;
        if bounds.announced {
            let announced = timeout(bounds.times.handshake, announced(linger.ahead())).await;
            match announced.unwrap_or(Err(ConnectionError::ProxyHeader))? {
                Some(header) => client = header.source.or(address),
                None => return Ok(None),
            }
        }
        let agreed = self.greet(linger, pace, bounds).await?;
        Ok(agreed.map(|agreed| (agreed, client)))
    }

    /// Comes to terms with the client about what is spoken.
    async fn greet(
        &self,
        mut linger: Linger,
        pace: &Pace,
        bounds: &Bounds,
    ) -> Result<Option<Agreed>, ConnectionError> {
        let Some(offer) = self.tls.offer() else {
            pace.start();
            let http2 = bounds.prior_knowledge
                && tokio::select! {
                    begun = begins_http2(&mut linger) => begun,
                    // HTTP/1 has words for those who are late.
                    _ = pace.overdue() => false,
                };
            let line = Line::Plain(linger);
            return Ok(Some(Agreed { line, http2, admitted_for: None, trust: None }));
        };
        let agreed = timeout(bounds.times.handshake, shake_hands(offer, linger));
        let agreed = agreed.await.unwrap_or(Err(ConnectionError::Timeout));
        pace.start();
        agreed
    }
}

/// Reads the header that a balancer's connection begins with. Nothing when it went away at once.
async fn announced(ahead: &mut Ahead) -> Result<Option<Header>, ConnectionError> {
    let mut least = 1;
    loop {
        let bytes = match ahead.look(least).await {
            Ok([]) | Err(_) => return Ok(None),
            Ok(bytes) => bytes,
        };
        match proxy_header::read(bytes) {
            Reading::Complete(header) => {
                ahead.skip(header.bytes);
                return Ok(Some(header));
            }
            Reading::Incomplete(more) if bytes.len() >= least => least = more,
            // It has ended before its header did.
            Reading::Incomplete(_) | Reading::Invalid => return Err(ConnectionError::ProxyHeader),
        }
    }
}

/// Whether a client begins as HTTP/2 does where both sides know of it before (RFC 9113 section 3.3). No
/// more is waited for than tells: the whole head of an HTTP/1 request may be shorter.
async fn begins_http2(linger: &mut Linger) -> bool {
    let mut seen = 0;
    loop {
        match linger.ahead().look(seen + 1).await {
            Ok(bytes) if bytes.starts_with(PREFACE) => return true,
            Ok(bytes) if bytes.len() > seen && PREFACE.starts_with(bytes) => seen = bytes.len(),
            // Whoever reads next meets the same end.
            Ok(_) | Err(_) => return false,
        }
    }
}

async fn shake_hands(offer: Offer, mut linger: Linger) -> Result<Option<Agreed>, ConnectionError> {
    match linger.ahead().look(1).await {
        Ok([first, ..]) if first.is_ascii_uppercase() => {
            say_last(linger, SPEAK_TLS).await;
            return Err(ConnectionError::Tls);
        }
        Ok([]) | Err(_) => return Ok(None),
        Ok(_) => {}
    }
    let Offer { acceptor, asks, trust } = offer;
    match acceptor.accept(linger).into_fallible().await {
        Ok(stream) => {
            let named = stream.get_ref().1.server_name().filter(|_| asks);
            let admitted_for =
                named.map(|name| Rc::from(name.trim_end_matches('.').to_ascii_lowercase()));
            let http2 = stream.get_ref().1.alpn_protocol() == Some(ALPN_HTTP2);
            let line = Line::Tls(Box::new(stream));
            Ok(Some(Agreed { line, http2, admitted_for, trust: Some(trust).filter(|_| asks) }))
        }
        Err((error, linger)) => {
            tracing::debug!(%error, "a TLS handshake failed");
            // An alert says why; it must not be overtaken by a reset.
            say_last(linger, b"").await;
            Err(ConnectionError::Tls)
        }
    }
}
