//! The way of a request through the main door.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::EXPECT;
use http::request::Parts;
use http::{Request, Response, Version};
use hyper::body::Body as _;
use ipnet::IpNet;

use crate::account::{Account, DecisionIds, Findings, Ledger, Visit};
use crate::config::snapshot::Http2;
use crate::gate::{Call, Code, Listener, Outcome, Preflight, Refusal, Verdict};
use crate::guard::{Guard, Held};
use crate::net::{Body, Bounds, Peer, Received, Service, Times, discard};
use crate::policy::Permit;
use crate::route::CanonPath;
use crate::telemetry::{Inlet, Metrics, Recorder};

use super::Via;
use super::cors;
use super::forward::{Forwarder, Onward};
use super::headers::Origin;
use super::intake::{self, Target};
use super::refuse::{Address, one_too_many, overloaded, refuse};
use super::streams::{Entry, Exchange, Streams};
use super::upgrade::Handshake;

/// A refused request's body up to this size is read, so that its connection can be used again.
const SMALL_BODY: u64 = 64 * 1024;

/// For how long such a body is waited for.
const PATIENCE: Duration = Duration::from_millis(500);

/// One worker's main door.
pub struct Door {
    guard: Rc<Guard>,
    streams: Rc<Streams>,
    forwarder: Forwarder,
    ledger: Ledger,
    via: Via,
    ids: DecisionIds,
    /// Made once: when it is needed there is no time to make it.
    overloaded: Bytes,
}

impl Door {
    /// A door that `guard` decides at. Must be made in the thread and the `LocalSet` that it will serve in.
    pub fn new(guard: Guard, via: &Via, metrics: &Arc<Metrics>, inlet: Inlet) -> Self {
        let guard = Rc::new(guard);
        Self {
            streams: Streams::new(guard.clone(), metrics.clone(), Recorder::new(inlet.clone())),
            guard,
            forwarder: Forwarder::new(),
            ledger: Ledger::new(metrics.clone(), Recorder::new(inlet)),
            via: via.clone(),
            ids: DecisionIds::new(),
            overloaded: overloaded(),
        }
    }
}

impl Service for Door {
    fn bounds(&self, from: Option<SocketAddr>) -> Bounds {
        let snapshot = self.guard.open().snapshot;
        Bounds {
            connections: snapshot.limits.connections,
            header_bytes: snapshot.limits.header_bytes,
            prior_knowledge: snapshot.server.http2 == Http2::PriorKnowledge,
            streams: snapshot.limits.streams,
            times: Times {
                handshake: snapshot.timeouts.handshake,
                header_read: snapshot.timeouts.header_read,
                body_read: snapshot.timeouts.body_read,
                response_write: snapshot.timeouts.response_write,
                idle: snapshot.timeouts.idle,
            },
            announced: is_among(from, &snapshot.server.proxy_protocol_from),
        }
    }

    async fn serve(&self, peer: Peer, request: Request<Received>) -> Response<Body> {
        let held = self.guard.open();
        let (parts, body) = request.into_parts();
        let visit = Visit::new(self.ids.next(), peer, &held.snapshot, held.now, &parts);
        let target = match Target::read(&parts, &held.snapshot.limits, &self.via) {
            Ok(target) => target,
            Err(refusal) => return self.unread(&visit, &parts, body, &refusal).await,
        };
        let path = check_admission(&visit.peer, target.host()).and_then(|()| target.path());
        let path = match path {
            Ok(path) => path,
            Err(refusal) => return self.unread(&visit, &parts, body, &refusal).await,
        };
        let upgrade = Handshake::read(&parts, !body.is_end_stream());
        let handshake = upgrade.as_ref().and_then(|read| read.as_ref().ok());
        let call = Call {
            listener: Listener::Traffic,
            method: &visit.method,
            host: Cow::Borrowed(target.host()),
            path: path.clone(),
            preflight: Preflight::read(
                &visit.method,
                &parts.headers,
                target.query(),
                !body.is_end_stream(),
            ),
            credential: intake::credential(&parts.headers, &target, handshake),
        };
        let Outcome { verdict, api, operation, caller } = self.guard.admit(&held, &call).await;
        let findings = Findings { served: api, operation, caller: caller.as_ref() };
        let passing = match verdict {
            Verdict::Pass(permit) => (permit, None),
            Verdict::WouldRefuse(permit, refusal) => (permit, Some(refusal)),
            Verdict::Preflight(allowed) => {
                return self.answer_preflight(&visit, path.as_str(), findings, allowed);
            }
            Verdict::Refuse(refusal) => {
                return self.refuse(&visit, path.as_str(), findings, &parts, body, &refusal).await;
            }
        };
        let exchange = self.streams.enter(&Entry {
            cord: body.cord(),
            call: &call,
            held: &held,
            served: api,
            caller: caller.as_ref(),
            permit: &passing.0,
            peer: visit.peer.address,
            upgrades: handshake.is_some() && operation.is_some_and(|it| it.websocket),
            decision_id: visit.decision_id,
        });
        drop(call);
        let request = Request::from_parts(parts, body);
        let asked = Asked {
            held: &held,
            visit: &visit,
            target: &target,
            path: &path,
            upgrade: upgrade.as_ref(),
            exchange: &exchange,
        };
        self.pass(&asked, findings, passing, request).await
    }

    fn turn_away(&self, peer: Peer, request: Request<Received>) -> Response<Body> {
        let held = self.guard.open();
        let (parts, body) = request.into_parts();
        let visit = Visit::new(self.ids.next(), peer, &held.snapshot, held.now, &parts);
        let (refusal, findings) = (one_too_many(), Findings::default());
        let account = Account::refused(&self.ledger, &visit, parts.uri.path(), findings, &refusal);
        let response = refuse(&refusal, &address(&visit, findings, !body.is_end_stream()));
        account.close(refusal.code.status());
        response
    }

    fn overloaded(&self) -> Bytes {
        self.overloaded.clone()
    }

    fn leave(&self) -> bool {
        self.streams.leave()
    }
}

impl Door {
    /// Answers a request that could not be read.
    async fn unread(
        &self,
        visit: &Visit,
        parts: &Parts,
        body: Received,
        refusal: &Refusal,
    ) -> Response<Body> {
        self.refuse(visit, parts.uri.path(), Findings::default(), parts, body, refusal).await
    }

    async fn refuse(
        &self,
        visit: &Visit,
        path: &str,
        findings: Findings<'_>,
        parts: &Parts,
        body: Received,
        refusal: &Refusal,
    ) -> Response<Body> {
        let account = Account::refused(&self.ledger, visit, path, findings, refusal);
        // Whoever expects to be asked for the body is not, and of a malformed request nothing is believed.
        // What is not read of a stream goes with it.
        let read = visit.version < Version::HTTP_2
            && !parts.headers.contains_key(EXPECT)
            && refusal.code != Code::RequestMalformed
            && discard(body, SMALL_BODY, PATIENCE).await;
        let mut response = refuse(refusal, &address(visit, findings, !read));
        cors::share(response.headers_mut(), findings.served, visit.origin.as_ref());
        account.close(refusal.code.status());
        response
    }

    fn answer_preflight(
        &self,
        visit: &Visit,
        path: &str,
        findings: Findings<'_>,
        allowed: bool,
    ) -> Response<Body> {
        let account = Account::preflight(&self.ledger, visit, path, findings);
        let response = cors::preflight(findings.served, visit.origin.as_ref(), allowed);
        account.close(response.status());
        response
    }

    async fn pass(
        &self,
        asked: &Asked<'_>,
        findings: Findings<'_>,
        (permit, reported): (Permit, Option<Refusal>),
        request: Request<Received>,
    ) -> Response<Body> {
        let Asked { held, visit, target, path, upgrade, exchange } = asked;
        let path_text = path.as_str();
        let mut account =
            Account::allowed(&self.ledger, visit, path_text, findings, &permit, reported);
        let bodiless = request.body().is_end_stream();
        let may_upgrade = findings.operation.is_some_and(|operation| operation.websocket);
        let version = request.version();
        // Only of who showed a token: a stranger's silence would take a place for as long as it liked.
        let is_call = visit.grpc && version == Version::HTTP_2 && findings.caller.is_some();
        let sent = match findings.served {
            // Nothing passes before its API is known.
            None => Err(Code::Internal.into()),
            // In HTTP/2 it asks for nothing else, and any success would be taken for one.
            Some(_) if !may_upgrade && upgrade.is_some() && version == Version::HTTP_2 => {
                Err(Refusal::new(Code::RequestMalformed, "the operation offers no WebSocket"))
            }
            Some(served) => {
                let trusted = &held.snapshot.server.trusted_proxies;
                let origin = Origin {
                    peer: &visit.peer,
                    trusted: is_among(visit.peer.address, trusted),
                    host: target.host_and_port(),
                    version,
                    via: &self.via,
                };
                let onward = Onward {
                    snapshot: &held.snapshot,
                    served,
                    caller: findings.caller,
                    target,
                    path,
                    origin,
                    is_call,
                    decision_id: visit.decision_id.as_str(),
                    upgrade: upgrade.filter(|_| may_upgrade),
                };
                let cord = request.body().cord().clone();
                if is_call {
                    cord.converse(held.snapshot.timeouts.stream_idle);
                }
                tokio::select! {
                    biased;
                    // While its request still comes: one that waits for its answer is never cut, unless
                    // it is a call, whose answer may be a stream without a beginning yet.
                    _ = cord.until_cut(), if !bodiless || is_call => Err(exchange.refusal()),
                    sent = self.forwarder.forward(permit, request, &onward) => sent,
                }
            }
        };
        let mut response = match sent {
            Ok(response) => {
                account.answered();
                account.close(response.status());
                response
            }
            Err(refusal) => {
                account.failed(refusal.code);
                // What follows a handshake that is none may be anything.
                let close = !bodiless || refusal.code == Code::RequestMalformed;
                account.close(refusal.code.status());
                refuse(&refusal, &address(visit, findings, close))
            }
        };
        cors::share(response.headers_mut(), findings.served, visit.origin.as_ref());
        response
    }
}

/// Where a certificate is asked for, a connection is for the host that it was made for: a client that was
/// let in by one name cannot ask for what stands under another (RFC 9110 section 15.5.20).
fn check_admission(peer: &Peer, host: &str) -> Result<(), Refusal> {
    match &peer.admitted_for {
        Some(name) if **name != *host => Err(Code::HostMisdirected.into()),
        Some(_) | None => Ok(()),
    }
}

/// Whether a peer is one of these. Who came through a unix socket has no address to be known by.
fn is_among(address: Option<SocketAddr>, networks: &[IpNet]) -> bool {
    let ip = address.map(|address| address.ip());
    ip.is_some_and(|ip| networks.iter().any(|network| network.contains(&ip)))
}

/// A request that was read.
struct Asked<'a> {
    held: &'a Held,
    visit: &'a Visit,
    target: &'a Target,
    path: &'a CanonPath<'a>,
    /// The upgrade that it asks for, or why that is none.
    upgrade: Option<&'a Result<Handshake, &'static str>>,
    exchange: &'a Exchange,
}

fn address<'a>(visit: &'a Visit, findings: Findings<'a>, close: bool) -> Address<'a> {
    Address {
        decision_id: Some(visit.decision_id.as_str()),
        served: findings.served,
        caller: findings.caller,
        method: &visit.method,
        grpc: visit.grpc,
        // Of HTTP/2 only the stream ends, and `Connection` is no field there (RFC 9113 section 8.2.2).
        close: close && visit.version < Version::HTTP_2,
    }
}
