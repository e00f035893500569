//! The way of a request through the door for those who manage: read, decided by the gate like any other
//! call, counted, answered.
//!
//! Where the section `management` has gone from the configuration while the program runs, nothing is
//! there any more, whatever listens.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::header::{AUTHORIZATION, IF_MATCH};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};

use super::audit::Entry;
use super::intake::{BODY_TIME, MOST_BODY, MOST_TOKEN_REQUEST, TOKEN_REQUEST_TIME};
use super::intake::{Media, Target, Unread};
use super::openapi;
use super::own;
use super::places::Places;
use super::rates::{Allowance, Rates, Who};
use super::refused::refuse;
use super::reply::{Reply, tell};
use super::token::{Denied, TokenRequest, Tokens};
use super::writer::{Leave, Writer};
use super::{Asked, Endpoint, Fault, Query, read};
use crate::account::{Account, DecisionIds, Findings, Ledger, Visit};
use crate::config::endpoints::Unfound;
use crate::config::snapshot::{Management, ServedApi, Snapshot};
use crate::gate::{Call, Code, Listener, Outcome, Refusal, Verdict};
use crate::guard::{Guard, Held};
use crate::net::{Body, Bounds, Peer, Received, Service, Times};
use crate::route::CanonPath;
use crate::telemetry::{Inlet, Metrics, Recorder};
use crate::token;

/// Connections that may be open, and requests: those who manage are few.
const MOST_CONNECTIONS: usize = 256;

/// The door for those who manage.
pub struct Door {
    guard: Guard,
    ledger: Ledger,
    ids: DecisionIds,
    rates: Rates,
    places: Places,
    tokens: Tokens,
    writer: Writer,
}

impl Door {
    /// A door that `guard` decides at and `writer` writes for. Must be made in the thread and the
    /// `LocalSet` that it will serve in.
    pub fn new(guard: Guard, writer: Writer, metrics: &Arc<Metrics>, inlet: Inlet) -> Self {
        Self {
            guard,
            ledger: Ledger::new(metrics.clone(), Recorder::new(inlet)),
            ids: DecisionIds::new(),
            rates: Rates::default(),
            places: Places::default(),
            tokens: Tokens::new(),
            writer,
        }
    }
}

impl Service for Door {
    fn bounds(&self, _: Option<SocketAddr>) -> Bounds {
        let Snapshot { limits, timeouts, .. } = &*self.guard.open().snapshot;
        Bounds {
            connections: MOST_CONNECTIONS,
            header_bytes: limits.header_bytes,
            prior_knowledge: false,
            streams: limits.streams,
            times: Times {
                handshake: timeouts.handshake,
                header_read: timeouts.header_read,
                body_read: timeouts.body_read,
                response_write: timeouts.response_write,
                idle: timeouts.idle,
            },
            announced: false,
        }
    }

    async fn serve(&self, peer: Peer, request: Request<Received>) -> Response<Body> {
        let Some(_place) = self.places.take(peer.address) else {
            return self.turn_away(peer, request);
        };
        let held = self.guard.open();
        let (parts, body) = request.into_parts();
        let visit = Visit::new(self.ids.next(), peer, &held.snapshot, held.now, &parts);
        let mut body = Unread::new(body);
        let reply = self.answer(&held, &visit, &parts, &mut body).await;
        let doubted = reply.code == Some(Code::RequestMalformed.as_str());
        let close = body.close(&parts, doubted).await;
        reply.response(&visit.method, close)
    }

    fn turn_away(&self, peer: Peer, request: Request<Received>) -> Response<Body> {
        let held = self.guard.open();
        let (parts, body) = request.into_parts();
        let visit = Visit::new(self.ids.next(), peer, &held.snapshot, held.now, &parts);
        let refusal = Refusal { retry_after: Some(1), ..Code::Overloaded.into() };
        let reply = self.refuse(&visit, parts.uri.path(), &refusal, None);
        let close = !Unread::new(body).is_empty() && parts.version < http::Version::HTTP_2;
        reply.response(&visit.method, close)
    }

    /// Nothing: it could be sent without TLS alone, and here there is TLS.
    fn overloaded(&self) -> Bytes {
        Bytes::new()
    }

    /// There is nothing to cut: answers are made at once, and writes come to their end by themselves.
    fn leave(&self) -> bool {
        false
    }
}

/// A request that was read, and is for an endpoint.
struct Passage<'a> {
    held: &'a Held,
    visit: &'a Visit,
    parts: &'a Parts,
    target: &'a Target<'a>,
    management: &'a Management,
    endpoint: Endpoint,
}

impl Door {
    async fn answer(&self, held: &Held, visit: &Visit, parts: &Parts, body: &mut Unread) -> Reply {
        let management = held.snapshot.management.as_ref();
        let target = match Target::read(parts, &held.snapshot.limits) {
            Ok(target) => target,
            Err(refusal) => return self.refuse(visit, parts.uri.path(), &refusal, management),
        };
        let found = match management {
            None => Err(Code::RouteUnknown.into()),
            Some(management) => Endpoint::find(&parts.method, target.path)
                .map(|(endpoint, names)| (management, endpoint, names))
                .map_err(unfound),
        };
        let (management, endpoint, names) = match found {
            Ok(found) => found,
            Err(refusal) => return self.refuse(visit, target.path, &refusal, management),
        };
        let passage = Passage { held, visit, parts, target: &target, management, endpoint };
        self.decide(&passage, names, body).await
    }

    /// Answers a request that is for no endpoint.
    fn refuse(
        &self,
        visit: &Visit,
        path: &str,
        refusal: &Refusal,
        management: Option<&Management>,
    ) -> Reply {
        let findings = Findings::default();
        let account = Account::refused(&self.ledger, visit, path, findings, refusal);
        let mut reply = refuse(refusal, None, findings);
        if let Some(management) = management {
            let who = Who::stranger(visit.peer.address);
            let allowance = self.rates.take(who, management.rate_limit, Instant::now());
            reply = within(allowance, reply);
            tell(allowance, crate::clock::now(), &mut reply.headers);
        }
        account.close(reply.status);
        reply
    }

    async fn decide(&self, passage: &Passage<'_>, names: Vec<String>, body: &mut Unread) -> Reply {
        let Passage { held, visit, parts, target, management, endpoint } = passage;
        let path = endpoint.operation();
        let Ok(path) = CanonPath::parse(&path) else {
            return self.refuse(visit, target.path, &Code::Internal.into(), Some(management));
        };
        let stranger = Who::stranger(visit.peer.address);
        let limit = management.rate_limit;
        let authorization = parts.headers.get_all(AUTHORIZATION).iter();
        let call = Call {
            listener: Listener::Management,
            method: &endpoint.method(),
            host: Cow::Borrowed(&target.host),
            path,
            preflight: None,
            credential: token::credential(authorization.map(HeaderValue::as_bytes), target.query),
        };
        // Who shows no token is refused whatever is asked: after too much, nothing is decided for it.
        let nameless = match &call.credential {
            Ok(Some(_)) => None,
            Ok(None) => Some(Code::TokenMissing),
            Err(error) => Some(Code::from(error)),
        };
        if let (Some(code), Some(_)) = (nameless, endpoint.scope())
            && self.rates.look(&stranger, limit, Instant::now()).exceeded.is_some()
        {
            return self.refuse(visit, target.path, &code.into(), Some(management));
        }
        let mut outcome = self.guard.admit(held, &call).await;
        own::hold(&mut outcome, held.parsed().map(|parsed| &**parsed), management);
        let Outcome { verdict, api, operation, caller } = outcome;
        let findings = Findings { served: api, operation, caller: caller.as_ref() };
        let permit = match verdict {
            Verdict::Pass(permit) => Ok(permit),
            Verdict::Refuse(refusal) => Err(refusal),
            // It reports nothing and answers no browser.
            Verdict::Preflight(_) | Verdict::WouldRefuse(..) => Err(Code::Internal.into()),
        };
        let client = caller.as_ref().and_then(|caller| Some((caller.issuer, caller.client?)));
        let who = client.map_or(stranger, |(issuer, client)| Who::client(issuer.as_str(), client));
        let (account, mut reply, allowance) = match permit {
            Err(refusal) => {
                let account =
                    Account::refused(&self.ledger, visit, target.path, findings, &refusal);
                let allowance = self.rates.take(who, limit, Instant::now());
                let reply = refuse(&refusal, Some(*endpoint), findings);
                (account, within(allowance, reply), allowance)
            }
            Ok(permit) => {
                let mut account =
                    Account::allowed(&self.ledger, visit, target.path, findings, &permit, None);
                let (done, allowance) = if let (Endpoint::Token, Some(api)) = (endpoint, api) {
                    self.give_token(passage, api, body).await
                } else {
                    let allowance = self.rates.take(who, limit, Instant::now());
                    let done = match allowance.exceeded {
                        Some(wait) => Ok(Reply::too_many(wait)),
                        None => self.do_as_asked(passage, &call, names, findings, body).await,
                    };
                    (done, allowance)
                };
                let reply = done.unwrap_or_else(|refusal| {
                    account.failed(refusal.code);
                    refuse(&refusal, Some(*endpoint), findings)
                });
                (account, reply, allowance)
            }
        };
        tell(allowance, crate::clock::now(), &mut reply.headers);
        account.close(reply.status);
        reply
    }

    /// Answers who asks for a token. Who fails is counted where it comes from, and who does so too often
    /// is not listened to, whatever it says; who does not, is counted as who it is.
    async fn give_token(
        &self,
        passage: &Passage<'_>,
        api: &ServedApi,
        body: &mut Unread,
    ) -> (Result<Reply, Refusal>, Allowance) {
        let Passage { held, visit, parts, target, management, .. } = passage;
        let (limit, applicant) = (management.rate_limit, Who::applicant(visit.peer.address));
        let too_many = || {
            let allowance = self.rates.look(&applicant, limit, Instant::now());
            allowance.exceeded.map(|wait| (Ok(Reply::too_many(wait)), allowance))
        };
        if let Some(answered) = too_many() {
            return answered;
        }
        let read = body.read(MOST_TOKEN_REQUEST, TOKEN_REQUEST_TIME).await;
        // Others may have failed while this one's body came.
        if let Some(answered) = too_many() {
            return answered;
        }
        let issued = read.map(|body| {
            if target.query.is_some_and(|query| !query.is_empty()) {
                return Err(Denied::malformed("parameters belong into the body"));
            }
            let request = TokenRequest::read(&parts.headers, &body)?;
            self.tokens.issue(&request, &target.authority, (management, api), held.now)
        });
        match issued {
            Ok(Ok(issued)) => {
                let who = Who::client(api.api.identifier.as_str(), &issued.client);
                let allowance = self.rates.take(who, limit, Instant::now());
                (Ok(within(allowance, issued.reply)), allowance)
            }
            Ok(Err(denied)) => {
                (Ok(denied.into()), self.rates.take(applicant, limit, Instant::now()))
            }
            Err(refusal) => (Err(refusal), self.rates.take(applicant, limit, Instant::now())),
        }
    }

    /// Answers a question, or writes what is asked for.
    async fn do_as_asked(
        &self,
        passage: &Passage<'_>,
        call: &Call<'_>,
        names: Vec<String>,
        findings: Findings<'_>,
        body: &mut Unread,
    ) -> Result<Reply, Refusal> {
        let Passage { held, visit, parts, target, endpoint, .. } = passage;
        let endpoint = *endpoint;
        let query = match Query::read(target.query.unwrap_or_default(), endpoint) {
            Ok(query) => query,
            Err(fault) => return Ok(fault.into()),
        };
        if endpoint == Endpoint::Description {
            return Ok(Reply::ready(openapi::text()));
        }
        let takes_body = [Method::PATCH, Method::POST].contains(&endpoint.method());
        if takes_body && !body.is_empty() && Media::of(&parts.headers) != Some(Media::Json) {
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            let message = "the body must be `application/json`, in UTF-8 and not compressed";
            return Ok(Fault::new(status, "unsupported_media_type", message).into());
        }
        let text = if takes_body { body.read(MOST_BODY, BODY_TIME).await? } else { Bytes::new() };
        let if_match = if_match(&parts.headers);
        let asked = Asked { endpoint, names, query, body: text, if_match };
        if endpoint.method() == Method::GET {
            return Ok(read(&held.snapshot, &asked).map_or_else(Reply::from, Reply::from));
        }
        let id = visit.decision_id.as_str();
        let (caller, peer) = (findings.caller, visit.peer.address);
        let entry = Entry::new(id, endpoint, caller, &parts.headers, target.path, peer);
        let leave = Leave(call.keep(held.parsed()));
        Ok(self.writer.write(asked, leave, entry).await)
    }
}

/// The reply, if it is within the allowance of whoever gets it.
fn within(allowance: Allowance, reply: Reply) -> Reply {
    allowance.exceeded.map_or(reply, Reply::too_many)
}

fn unfound(unfound: Unfound) -> Refusal {
    match unfound {
        Unfound::Path => Code::RouteUnknown.into(),
        Unfound::Method(allow) => Refusal { allow, ..Code::MethodRefused.into() },
        Unfound::Spelling(why) => Refusal::new(Code::PathAmbiguous, why),
    }
}

/// All that `If-Match` says; what cannot be read matches nothing.
fn if_match(headers: &HeaderMap) -> Option<String> {
    let values = headers.get_all(IF_MATCH).iter().map(|value| value.to_str().unwrap_or_default());
    let values: Vec<_> = values.collect();
    (!values.is_empty()).then(|| values.join(", "))
}
