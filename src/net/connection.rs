//! One connection of a client, from its handshake to its end.
//!
//! What is spoken on it is agreed on first (`greeting`), then it is HTTP/1 (`http1`) or HTTP/2 (`http2`).
//! Each has a bound on the size of a head and on everything that the client can take its time for. What
//! hyper's parser refuses by itself gets its bare answer and is counted. Here is what all have in common.

mod greeting;
mod http1;
mod http2;
mod recall;
mod streams;
mod websocket;

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use crate::telemetry::Gauge;

use super::answer::Answering;
use super::body::Body;
use super::cord::{Cord, Parting};
use super::drain::Phase;
use super::linger::Linger;
use super::pace::Pace;
use super::peer::Peer;
use super::received::Received;
use super::reception::{Bounds, Reception, Service};
use super::stream::Stream;
use super::tls::Trust;
use super::tunnel::{Duplex, Tunnel};

use greeting::Agreed;

/// How long our last words may take to go out.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Why a tunnel ends whose client was let in on the word of somebody who is not believed any more.
const WITHDRAWN: Parting = Parting { code: "certificate-not-trusted", grpc: 16, close: 1008 };

impl<S: Service> Reception<S> {
    /// Serves a connection that was just accepted.
    pub(super) async fn serve(
        self: &Rc<Self>,
        stream: Stream,
        address: Option<SocketAddr>,
        bounds: &Bounds,
    ) {
        stream.hasten();
        let pace = Rc::new(Pace::new(bounds.times));
        let linger = Linger::new(stream, pace.clone());
        let agreed = tokio::select! {
            agreed = self.meet(linger, address, &pace, bounds) => agreed,
            () = self.drain.reached(Phase::Closing) => return,
        };
        let fault = match agreed {
            Ok(Some((Agreed { line, http2, admitted_for, trust }, address))) => {
                let peer = Peer { address, secure: self.tls.is_spoken(), admitted_for };
                if http2 {
                    self.speak_http2(line, peer, trust, pace, bounds).await
                } else {
                    self.speak_http1(line, &peer, trust, pace, bounds).await
                }
            }
            Ok(None) => None,
            Err(fault) => Some(fault),
        };
        if let Some(fault) = fault {
            tracing::debug!(peer = ?address, kind = fault.as_str(), "a client's connection went wrong");
            self.metrics.connection_error(fault);
        }
    }

    /// Notes that a request's head has come.
    fn begin(&self, pace: &Rc<Pace>, bounds: &Bounds) -> Answering {
        pace.begin();
        let (in_flight, is_too_many) = self.take_in(bounds);
        Answering { pace: pace.clone(), is_too_many, _in_flight: in_flight }
    }

    async fn answer(
        &self,
        answering: &Answering,
        peer: Peer,
        request: Request<Received>,
    ) -> Response<Body> {
        if answering.is_too_many {
            return self.service.turn_away(peer, request);
        }
        self.service.serve(peer, request).await
    }

    /// Lets a connection, or one stream of it, be a tunnel until its end; whether its client still
    /// listens.
    async fn carry(
        &self,
        near: &mut impl Duplex,
        early: Bytes,
        opened: Opened,
        withdrawn: impl Future<Output = ()>,
    ) -> bool {
        let Opened { tunnel, cord, answering } = opened;
        let patience = answering.pace.times().response_write;
        self.metrics.tunnels.increment(1.0);
        let _open = Open(&self.metrics.tunnels);
        let believed = async {
            withdrawn.await;
            cord.cut(WITHDRAWN);
            std::future::pending().await
        };
        tokio::select! {
            listens = tunnel.run(near, early, &cord, patience) => listens,
            listens = believed => listens,
        }
    }
}

/// A tunnel that waits for its client's answer to be written.
struct Opened {
    tunnel: Box<Tunnel>,
    cord: Cord,
    /// The answer is over with the tunnel, not with its head.
    answering: Answering,
}

/// An open tunnel; counted until it is dropped.
struct Open<'a>(&'a Gauge);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

/// Waits until those on whose word a client was let in are not believed any more.
async fn withdrawn(trust: Option<Trust>) {
    match trust {
        Some(mut trust) => trust.withdrawn().await,
        None => std::future::pending().await,
    }
}

/// Writes `words` and closes, if the client takes them in time.
async fn say_last(mut to: impl AsyncWrite + Unpin, words: &[u8]) {
    let said = async {
        to.write_all(words).await?;
        to.shutdown().await
    };
    // Who does not take them goes without.
    let _: Result<io::Result<()>, _> = timeout(LAST_WORDS, said).await;
}
