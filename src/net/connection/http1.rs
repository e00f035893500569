//! A client's connection that speaks HTTP/1 (RFC 9112), one exchange after the other.
//!
//! How long anything may take is told by the connection's [`Pace`]. What a response turns into a tunnel is
//! handed on, with what the client has sent behind its request.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;

use http::header::{CONNECTION, UPGRADE};
use http::{HeaderValue, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1::{self, Parts};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::time::sleep;

use crate::net::answer::Answer;
use crate::net::cord::{self, Cord, CordEnd};
use crate::net::drain::Phase;
use crate::net::pace::{Late, Pace};
use crate::net::peer::Peer;
use crate::net::received::Received;
use crate::net::reception::{Bounds, Reception, Service};
use crate::net::tls::Trust;
use crate::net::wire::{Line, Wire};
use crate::telemetry::ConnectionError;

use super::{Opened, say_last, withdrawn};

/// What is read ahead of a client, at least; hyper takes no less than 8 KiB.
const BUFFER_BYTES: usize = 64 * 1024;

const TOO_LATE: &[u8] =
    b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

impl<S: Service> Reception<S> {
    /// Answers requests until the connection ends; what the client did wrong, if it did.
    pub(super) async fn speak_http1(
        &self,
        line: Line,
        peer: &Peer,
        trust: Option<Trust>,
        pace: Rc<Pace>,
        bounds: &Bounds,
    ) -> Option<ConnectionError> {
        let (opened, upgrade_asked) = (Cell::new(None), Cell::new(false));
        let current = RefCell::new(CordEnd::default());
        let answer = |request: Request<Incoming>| {
            let (answering, cord) = (self.begin(&pace, bounds), Cord::default());
            current.replace(cord.end());
            if request.headers().contains_key(UPGRADE) {
                upgrade_asked.set(true);
            }
            // Boxed: hyper keeps room for it for as long as the connection stands, idle or not.
            Box::pin(async {
                let version = request.version();
                let request = request.map(|body| Received::new(body, &pace, cord.clone()));
                let mut response = self.answer(&answering, peer.clone(), request).await;
                if let Some(tunnel) = response.body_mut().take_tunnel() {
                    let answering = self.begin(&pace, bounds);
                    opened.set(Some(Opened { tunnel, cord: cord.clone(), answering }));
                } else if self.leaving.get() {
                    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
                Ok::<_, Infallible>(Answer::begin(response, version, cord, answering))
            })
        };
        let mut connection = builder(bounds)
            .serve_connection(TokioIo::new(Wire::http1(line, pace.clone())), service_fn(answer));
        let mut closing = std::pin::pin!(self.drain.reached(Phase::Closing));
        let mut withdrawn = std::pin::pin!(withdrawn(trust));
        let mut is_withdrawn = false;
        let (mut is_closing, mut fault_seen) = (false, None);
        let mut overdue = std::pin::pin!(pace.overdue());
        // Looked at behind the connection, which is where another exchange becomes the current one.
        let mut unheard = std::pin::pin!(unheard(&current));
        loop {
            let late = tokio::select! {
                // No request is taken any more where both come at once.
                biased;
                () = &mut withdrawn, if !is_withdrawn => {
                    is_withdrawn = true;
                    if !pace.is_within_exchange() && !pace.is_writing() {
                        // A head that has begun would still be waited for.
                        say_last(connection.into_parts().io.into_inner(), b"").await;
                        return fault_seen;
                    }
                    Pin::new(&mut connection).graceful_shutdown();
                    continue;
                }
                () = &mut closing, if !is_closing => {
                    is_closing = true;
                    Pin::new(&mut connection).graceful_shutdown();
                    continue;
                }
                ended = &mut connection => {
                    if let Err(error) = &ended {
                        return fault_seen.or_else(|| fault(error));
                    }
                    // What does not run in any thread but its own hyper cannot hand to a waiting upgrade:
                    // once one was asked for, it stops and leaves the rest to us, the end too.
                    let Parts { io, read_buf, .. } = connection.into_parts();
                    let mut wire = io.into_inner();
                    if let Some(opened) = opened.take() {
                        let withdrawn = async {
                            if !is_withdrawn {
                                withdrawn.await;
                            }
                        };
                        wire.stay_half_open(true);
                        if !self.carry(&mut wire, read_buf, opened, withdrawn).await {
                            pace.abort();
                            return fault_seen;
                        }
                        wire.stay_half_open(false);
                    }
                    if upgrade_asked.get() {
                        say_last(wire, b"").await;
                    }
                    return fault_seen;
                }
                () = &mut unheard => {
                    pace.abort();
                    return fault_seen;
                }
                late = overdue.as_mut() => late,
            };
            match late {
                Late::First | Late::Next => {
                    fault_seen = (late == Late::First).then_some(ConnectionError::Timeout);
                    pace.leave();
                    Pin::new(&mut connection).graceful_shutdown();
                    overdue.set(pace.overdue());
                }
                Late::Head if !pace.is_writing() => {
                    say_last(connection.into_parts().io.into_inner(), TOO_LATE).await;
                    return Some(ConnectionError::Timeout);
                }
                Late::Head | Late::Answer => {
                    pace.abort();
                    return Some(ConnectionError::Timeout);
                }
                Late::End => return fault_seen,
            }
        }
    }
}

fn builder(bounds: &Bounds) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        // How long anything may take is for `pace` to say, which can tell one thing from another.
        .header_read_timeout(None)
        .max_header_size(bounds.header_bytes)
        .max_buf_size(bounds.header_bytes.max(BUFFER_BYTES))
        .half_close(false)
        .ignore_invalid_headers(false);
    builder
}

/// Waits until an exchange was cut whose client does not take what it is told last.
async fn unheard(current: &RefCell<CordEnd>) {
    loop {
        let cut = poll_fn(|cx| match current.borrow().cord() {
            Some(cord) => cord.poll_cut(cx).map(|_| cord.end()),
            None => Poll::Pending,
        });
        let cut = cut.await;
        sleep(cord::LAST_WORDS).await;
        if !cut.is_over() {
            return;
        }
    }
}

/// What a connection's end says of the client; nothing when it was our own doing.
fn fault(error: &hyper::Error) -> Option<ConnectionError> {
    tracing::debug!(%error, "HTTP/1 ended in the middle");
    if error.is_parse_too_large() {
        Some(ConnectionError::TooLarge)
    } else if error.is_parse() {
        Some(ConnectionError::Malformed)
    } else if error.is_user() {
        None
    } else {
        Some(ConnectionError::Aborted)
    }
}
