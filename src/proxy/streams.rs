//! Streams end when their permission does.
//!
//! In comes every exchange that was let in, held by nothing but a way to end it. Those that are streams by
//! then (their answer has begun, or their request still comes) are asked about again, by the same question,
//! when their token or grant has come to its end and when the configuration or the keys are others: who
//! would not be let in any more is cut, unless the API keeps its streams. What waits for its answer is
//! left alone, and asked about when the answer has begun. That keys are missing is no answer, but a token
//! that has expired needs none. What another API would say at the same place is no answer either: a stream
//! goes to its own. Nor may one go on whose upstream was told of scopes that are not the caller's any more.
//!
//! One task per worker looks around, as long as there is anything to look at.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::mem::take;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::task::{spawn_local, yield_now};
use tokio::time::sleep;

use crate::account::{DecisionId, Findings};
use crate::clock::now;
use crate::config::snapshot;
use crate::gate::{Call, Caller, Code, KeptCall, Outcome, Refusal, Verdict};
use crate::guard::{Guard, Held, Standing};
use crate::net::{Cord, CordEnd, Parting};
use crate::policy::{Audience, Basis, NameSet, Permit, UnixTime};
use crate::telemetry::{Metrics, Record, Recorder, Ruling};

/// How often it is looked around.
const TICK: Duration = Duration::from_millis(250);

/// How many are asked about before others get their turn.
const CHUNK: usize = 64;

/// When to ask again where nobody could tell.
const LATER_SECONDS: i64 = 2;

/// The least number of exchanges among which those that are over are looked for.
const FEW: usize = 64;

/// Cuts are logged this often at most, by each worker.
const QUIET: Duration = Duration::from_secs(1);

/// What is said of an exchange that is still under way when the gateway leaves.
const DRAINING: Parting = Parting { code: "draining", grpc: 14, close: 1001 };

/// One worker's exchanges.
pub(super) struct Streams {
    guard: Rc<Guard>,
    metrics: Arc<Metrics>,
    recorder: Recorder,
    exchanges: RefCell<Vec<Rc<Exchange>>>,
    /// At how many of them those that are over are looked for.
    crowd: Cell<usize>,
    /// Whether somebody looks around.
    awake: Cell<bool>,
    /// How many exchanges the metrics were told of.
    told: Cell<usize>,
    logged: Cell<Option<Instant>>,
    unlogged: Cell<usize>,
}

/// An exchange that was let in, with what is needed to ask about it again.
pub(super) struct Exchange {
    end: CordEnd,
    call: KeptCall,
    peer: Option<SocketAddr>,
    /// Whether it may have become a WebSocket.
    upgrades: bool,
    decision_id: DecisionId,
    api: Option<Audience>,
    /// By what it was decided last.
    standing: Cell<Standing>,
    /// When to ask again, whatever the standing.
    again: Cell<Option<UnixTime>>,
    /// From when on its token has expired, as far as one was verified.
    expires: Cell<Option<UnixTime>>,
    /// The scopes that the upstream was told of.
    told: Box<[Arc<str>]>,
    /// Why it was cut.
    refusal: RefCell<Option<Refusal>>,
}

/// What an exchange was let in by.
pub(super) struct Entry<'a> {
    pub(super) cord: &'a Cord,
    pub(super) call: &'a Call<'a>,
    pub(super) held: &'a Held,
    pub(super) served: Option<&'a snapshot::ServedApi>,
    pub(super) caller: Option<&'a Caller<'a>>,
    pub(super) permit: &'a Permit,
    pub(super) peer: Option<SocketAddr>,
    pub(super) upgrades: bool,
    pub(super) decision_id: DecisionId,
}

impl Streams {
    /// A registry whose exchanges are asked about by `guard`.
    pub(super) fn new(guard: Rc<Guard>, metrics: Arc<Metrics>, recorder: Recorder) -> Rc<Self> {
        Rc::new(Self {
            guard,
            metrics,
            recorder,
            exchanges: RefCell::default(),
            crowd: Cell::new(FEW),
            awake: Cell::new(false),
            told: Cell::new(0),
            logged: Cell::new(None),
            unlogged: Cell::new(0),
        })
    }

    /// Takes an exchange that was let in. Must be called within a `LocalSet`.
    pub(super) fn enter(self: &Rc<Self>, entry: &Entry<'_>) -> Rc<Exchange> {
        let exchange = Rc::new(Exchange {
            end: entry.cord.end(),
            call: entry.call.keep(entry.held.parsed()),
            peer: entry.peer,
            upgrades: entry.upgrades,
            decision_id: entry.decision_id,
            api: entry.served.map(|served| served.api.identifier.clone()),
            standing: Cell::new(entry.held.standing),
            again: Cell::new(ends(entry.caller, entry.permit)),
            expires: Cell::new(entry.caller.map(|caller| caller.until)),
            told: entry.served.map(|served| scopes(served, entry.permit)).unwrap_or_default(),
            refusal: RefCell::default(),
        });
        if self.exchanges.borrow().len() >= self.crowd.get() {
            self.forget_those_that_are_over();
        }
        self.exchanges.borrow_mut().push(exchange.clone());
        if !self.awake.replace(true) {
            spawn_local(self.clone().look_around());
        }
        exchange
    }

    /// Cuts what is still answered, because the gateway leaves; whether there was anything.
    pub(super) fn leave(&self) -> bool {
        let mut any = false;
        for exchange in self.exchanges.borrow().iter() {
            if let Some(cord) = exchange.end.cord().filter(Cord::is_answered) {
                any = true;
                self.metrics.stream_cut(exchange.api.as_ref(), DRAINING.code);
                cord.cut(DRAINING);
            }
        }
        any
    }

    async fn look_around(self: Rc<Self>) {
        loop {
            sleep(TICK).await;
            self.forget_those_that_are_over();
            self.tell();
            if self.exchanges.borrow().is_empty() {
                self.awake.set(false);
                return;
            }
            let (standing, now) = (self.guard.open().standing, now());
            let due = |exchange: &&Rc<Exchange>| exchange.is_due(standing, now);
            let due: Vec<_> = self.exchanges.borrow().iter().filter(due).cloned().collect();
            for chunk in due.chunks(CHUNK) {
                for exchange in chunk {
                    self.ask(exchange).await;
                }
                yield_now().await;
            }
        }
    }

    /// Asks about an exchange. One whose answer takes time, because keys must come first, keeps none of
    /// the others waiting.
    async fn ask(self: &Rc<Self>, exchange: &Rc<Exchange>) {
        let mut asking = Box::pin(self.clone().settle(exchange.clone()));
        let poll = poll_fn(|cx| Poll::Ready(asking.as_mut().poll(cx))).await;
        if poll.is_pending() {
            spawn_local(asking);
        }
    }

    async fn settle(self: Rc<Self>, exchange: Rc<Exchange>) {
        let held = self.guard.reopen(&exchange.call);
        exchange.standing.set(held.standing);
        exchange.again.set(None);
        let call = exchange.call.call();
        let Outcome { verdict, api, operation, caller } = self.guard.admit(&held, &call).await;
        if exchange.standing.get() != held.standing {
            // Asked anew meanwhile.
            return;
        }
        if let Some(caller) = &caller {
            exchange.expires.set(Some(caller.until));
        }
        let verdict = exchange.of_this_exchange(verdict, api, operation, held.now);
        match verdict {
            // Only questions of browsers end so, and those are no streams.
            Verdict::Preflight(_) => {}
            Verdict::Pass(permit) | Verdict::WouldRefuse(permit, _) => {
                exchange.again.set(ends(caller.as_ref(), &permit));
            }
            Verdict::Refuse(refusal) if refusal.code == Code::KeysUnavailable => {
                let later = held.now.plus_seconds(LATER_SECONDS);
                let again = exchange.expires.get().map_or(later, |end| end.min(later));
                exchange.again.set(Some(again));
            }
            Verdict::Refuse(refusal) => {
                let own = held.snapshot.apis.iter().find(|served| exchange.is_of(served));
                if own.is_none_or(|served| served.streams == snapshot::Streams::Cut) {
                    let findings = Findings { served: own, operation, caller: caller.as_ref() };
                    self.tell_of_cut(&exchange, &held, findings, &refusal);
                    let label = own.map(|served| &served.api.identifier);
                    self.cut(&exchange, label, refusal, held.now);
                }
            }
        }
    }

    /// Records that an answer is cut. One that has not begun is told about when it is refused.
    fn tell_of_cut(
        &self,
        exchange: &Exchange,
        held: &Held,
        findings: Findings<'_>,
        refusal: &Refusal,
    ) {
        let is_answered = exchange.end.cord().is_some_and(|cord| cord.is_answered());
        if !is_answered || !held.snapshot.log.records {
            return;
        }
        let call = exchange.call.call();
        self.recorder.push(&Record {
            time: held.now,
            decision_id: exchange.decision_id.as_str(),
            api: findings.served.map(|served| &served.api),
            operation: findings.operation.map(|operation| &*operation.on),
            method: call.method.as_str(),
            path: call.path.as_str(),
            caller: findings.caller,
            ruling: Ruling::Cut,
            code: Some(refusal.code),
            would_refuse: None,
            grant_id: refusal.grant.as_ref().map(|grant| grant.id.as_str()),
            effective_scopes: &NameSet::EMPTY,
            excess_scopes: &refusal.excess_scopes,
            generation: held.snapshot.generation,
            status: None,
            gate_us: 0,
            upstream_us: None,
            trace_id: None,
            peer: exchange.peer,
        });
    }

    fn cut(&self, exchange: &Exchange, api: Option<&Audience>, refusal: Refusal, now: UnixTime) {
        let Some(cord) = exchange.end.cord() else { return };
        if !cord.is_stream() {
            // Its request was sent whole while it was asked about.
            exchange.again.set(Some(now));
            return;
        }
        let code = refusal.code;
        self.metrics.stream_cut(api, code.as_str());
        self.log(exchange.decision_id.as_str(), code);
        exchange.refusal.replace(Some(refusal));
        cord.cut(parting(code));
    }

    fn log(&self, decision_id: &str, code: Code) {
        if self.logged.get().is_some_and(|last| last.elapsed() < QUIET) {
            return self.unlogged.update(|others| others + 1);
        }
        self.logged.set(Some(Instant::now()));
        let others = self.unlogged.take();
        tracing::info!(decision_id, %code, others, "a stream was cut that would not be let in any more");
    }

    fn forget_those_that_are_over(&self) {
        let mut exchanges = self.exchanges.borrow_mut();
        exchanges.retain(|exchange| !exchange.end.is_over());
        let crowd = FEW.max(2 * exchanges.len());
        exchanges.shrink_to(crowd);
        self.crowd.set(crowd);
    }

    /// Tells the metrics how many there are; other workers add theirs.
    fn tell(&self) {
        let exchanges = self.exchanges.borrow().len();
        self.tell_of(exchanges);
    }

    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
    fn tell_of(&self, exchanges: usize) {
        let before = self.told.replace(exchanges);
        self.metrics.exchanges.increment(exchanges as f64 - before as f64);
    }
}

impl Drop for Streams {
    fn drop(&mut self) {
        self.tell_of(0);
    }
}

impl Exchange {
    /// Why it was cut, while its request was still sent.
    pub(super) fn refusal(&self) -> Refusal {
        take(&mut *self.refusal.borrow_mut()).unwrap_or(Code::Internal.into())
    }

    fn is_of(&self, served: &snapshot::ServedApi) -> bool {
        self.api.as_ref() == Some(&served.api.identifier)
    }

    /// What a verdict on its request means for what has become of that.
    fn of_this_exchange(
        &self,
        verdict: Verdict,
        api: Option<&snapshot::ServedApi>,
        operation: Option<&snapshot::Operation>,
        now: UnixTime,
    ) -> Verdict {
        if api.is_some_and(|served| !self.is_of(served)) {
            return Verdict::Refuse(Code::RouteUnknown.into());
        }
        match verdict {
            Verdict::Pass(_) | Verdict::WouldRefuse(..)
                if self.upgrades && !operation.is_some_and(|it| it.websocket) =>
            {
                Verdict::Refuse(Code::OperationUnlisted.into())
            }
            // Who is let in without a token is told of no one, whoever it was before.
            Verdict::Pass(permit) if matches!(permit.basis(), Basis::Grant(_) | Basis::Open) => {
                let held = api.map(|served| scopes(served, &permit)).unwrap_or_default();
                let excess: Vec<_> = self.told.iter().filter(|told| !held.contains(told)).collect();
                if excess.is_empty() {
                    return Verdict::Pass(permit);
                }
                Verdict::Refuse(Refusal {
                    excess_scopes: excess.into_iter().map(ToString::to_string).collect(),
                    grant: permit.grant().cloned(),
                    ..Code::ScopeExceedsGrant.into()
                })
            }
            Verdict::Refuse(refusal)
                if refusal.code == Code::KeysUnavailable
                    && self.expires.get().is_some_and(|end| end <= now) =>
            {
                Verdict::Refuse(Code::TokenExpired.into())
            }
            verdict => verdict,
        }
    }

    fn is_due(&self, standing: Standing, now: UnixTime) -> bool {
        let is_over_time = self.again.get().is_some_and(|again| again <= now);
        (is_over_time || self.standing.get() != standing)
            && self.end.cord().is_some_and(|cord| cord.is_stream() && cord.parting().is_none())
    }
}

/// The scopes that a permit gives, by their names: in another configuration they stand elsewhere.
fn scopes(served: &snapshot::ServedApi, permit: &Permit) -> Box<[Arc<str>]> {
    served.api.scopes.of(permit.scopes()).cloned().collect()
}

/// When what let a call in comes to its end by itself: its token, or the grant.
fn ends(caller: Option<&Caller<'_>>, permit: &Permit) -> Option<UnixTime> {
    let token = caller.map(|caller| caller.until);
    let grant = permit.grant().and_then(|grant| grant.expires_at);
    token.into_iter().chain(grant).min()
}

/// What is said of an exchange that would be refused with `code` now.
fn parting(code: Code) -> Parting {
    let close = if code.status().is_server_error() { 1011 } else { 1008 };
    Parting { code: code.as_str(), grpc: code.grpc(), close }
}

#[cfg(test)]
mod tests;
