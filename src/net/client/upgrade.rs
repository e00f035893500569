//! A request that may turn its connection into a tunnel.
//!
//! It goes out on a fresh connection of its own, which speaks HTTP/1.1 and is used for nothing else.
//! Nothing but the request's head is written on it before the caller has found the answer right and lets
//! the tunnel run; an answer that opens none passes like any other.

use std::rc::Rc;
use std::time::Duration;

use http::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;

use crate::config::snapshot::{Upstream, UpstreamProtocol};
use crate::net::body::{Body, Upload};
use crate::net::received::Received;
use crate::net::tunnel::Tunnel;

use super::connect::{http1, open};
use super::pool::{Connection, Lease, Route};
use super::{Client, SendError, Terms, fault, unconnected, wait};

impl Client {
    /// Sends `request`, which has no body, and waits for the head of its response. With the status 101 the
    /// response carries a tunnel.
    pub async fn upgrade(
        self: &Rc<Self>,
        upstream: &Upstream,
        request: Request<Received>,
        terms: &Terms,
    ) -> Result<Response<Body>, SendError> {
        let (head, body) = request.into_parts();
        let cord = body.cord().clone();
        let (upload, progress) = Upload::new(body, terms.body_bytes, terms.clean);
        let request = Request::from_parts(head, upload);
        let pool = self.pool(upstream, UpstreamProtocol::Http1);
        let stream = open(upstream, &pool.lookups, terms).await;
        let stream = TokioIo::new(stream.map_err(|error| unconnected(upstream, &error))?);
        let spoken = http1(terms).handshake(stream).await;
        let (sender, driver) = spoken.map_err(|error| unconnected(upstream, &error.into()))?;
        let (mut connection, handed_over) = Connection::start_convertible(sender, driver);

        let progress = progress.as_deref();
        let sent = wait(connection.sender.try_send_request(request), progress, terms).await;
        let response = sent.ok_or_else(|| SendError::ResponseTimeout(upstream.clone()))?;
        let response = response.map_err(|error| fault(upstream, progress, error))?;
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            // Kept for no time at all: it is closed in order when the answer is over.
            let route = Route::Http1 { connection, is_kept: false };
            let lease = Lease::new(route, pool, Duration::ZERO);
            return Ok(response
                .map(|body| Body::upstream(body, terms.clean, lease, terms.response_read, cord)));
        }
        let Ok(parts) = handed_over.await else {
            return Err(SendError::Invalid(upstream.clone()));
        };
        let tunnel = Tunnel::new(parts.io.into_inner(), parts.read_buf, terms.stream_idle);
        Ok(response.map(|_| Body::tunnel(tunnel)))
    }
}
