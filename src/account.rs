//! What is told about a request afterwards: its record, its counters, its times.
//!
//! An [`Account`] is opened with the decision and entered when it is dropped, so that a request whose
//! client went away before the answer is told about too. Every decision has a name ([`DecisionId`]).

mod decision_id;

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::header::UPGRADE;
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, Version};

use crate::config::snapshot::{Operation, ServedApi, Snapshot};
use crate::gate::{self, Caller, Code, Refusal};
use crate::net::Peer;
use crate::net::grpc::is_grpc;
use crate::policy::{Basis, Grant, NameSet, Permit, UnixTime};
use crate::telemetry::{Metrics, Record, Recorder, RequestLabels, Requests, Ruling};

pub use decision_id::{DecisionId, DecisionIds};

/// What stands for the operation of a preflight: what it asks about is not done.
const PREFLIGHT: &str = "preflight";

/// Where one worker's accounts are entered.
pub struct Ledger {
    metrics: Arc<Metrics>,
    requests: Requests,
    recorder: Recorder,
    /// How many allowed requests were not recorded since the last that was.
    passed_over: Cell<u32>,
}

impl Ledger {
    /// One that enters into these.
    pub fn new(metrics: Arc<Metrics>, recorder: Recorder) -> Self {
        Self { metrics, requests: Requests::default(), recorder, passed_over: Cell::new(0) }
    }

    /// Whether an allowed request is the one in so many that is recorded; the first one is.
    fn takes(&self, one_in: u32) -> bool {
        let passed_over = self.passed_over.get();
        let takes = one_in > 0 && (passed_over == 0 || passed_over >= one_in);
        self.passed_over.set(if takes { 1 } else { passed_over.saturating_add(1) });
        takes
    }
}

/// A request as it came.
pub struct Visit {
    /// Its decision's name.
    pub decision_id: DecisionId,
    /// Who sent it.
    pub peer: Peer,
    /// Its method.
    pub method: Method,
    /// The page that it comes from, where a browser names one.
    pub origin: Option<HeaderValue>,
    /// In which HTTP it came.
    pub version: Version,
    /// Whether it is a gRPC call, by what its body is said to be.
    pub grpc: bool,
    time: UnixTime,
    generation: u64,
    arrived: Instant,
    trace_parent: Option<HeaderValue>,
    records: bool,
    allowed_one_in: u32,
}

impl Visit {
    /// What came from `peer`, to be decided by `snapshot` at `now`.
    pub fn new(
        decision_id: DecisionId,
        peer: Peer,
        snapshot: &Snapshot,
        now: UnixTime,
        parts: &Parts,
    ) -> Self {
        Self {
            decision_id,
            peer,
            method: parts.method.clone(),
            origin: gate::origin(&parts.headers).cloned(),
            version: parts.version,
            grpc: is_call(parts),
            time: now,
            generation: snapshot.generation,
            arrived: Instant::now(),
            trace_parent: parts.headers.get("traceparent").cloned(),
            records: snapshot.log.records,
            allowed_one_in: snapshot.log.allowed_one_in,
        }
    }

    /// The trace that the request belongs to (W3C Trace Context, `traceparent`).
    fn trace_id(&self) -> Option<&str> {
        let id = self.trace_parent.as_ref()?.to_str().ok()?.split('-').nth(1)?;
        let is_id = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_id.then_some(id)
    }
}

/// Whether a request is a gRPC call, whose refusal has a status of success. To whoever asks for a tunnel or
/// another protocol that would say that it is open.
fn is_call(parts: &Parts) -> bool {
    is_grpc(&parts.headers)
        && parts.method != Method::CONNECT
        && !parts.headers.contains_key(UPGRADE)
}

/// What was found out about a request.
#[derive(Clone, Copy, Default)]
pub struct Findings<'a> {
    /// The API that it called.
    pub served: Option<&'a ServedApi>,
    /// The operation that it called.
    pub operation: Option<&'a Operation>,
    /// Who called, as far as a verified token told.
    pub caller: Option<&'a Caller<'a>>,
}

/// What became of a request, so far.
pub struct Account<'a> {
    ledger: &'a Ledger,
    visit: &'a Visit,
    path: &'a str,
    findings: Findings<'a>,
    /// As records call it.
    operation: Option<&'a str>,
    ruling: Ruling,
    code: Option<Code>,
    would_refuse: Option<Code>,
    grant: Option<Arc<Grant>>,
    effective_scopes: NameSet,
    excess_scopes: Vec<String>,
    gate: Duration,
    upstream: Option<Duration>,
    status: Option<StatusCode>,
}

impl<'a> Account<'a> {
    /// The account of a request that was refused.
    pub fn refused(
        ledger: &'a Ledger,
        visit: &'a Visit,
        path: &'a str,
        findings: Findings<'a>,
        refusal: &Refusal,
    ) -> Self {
        let mut account = Self::open(ledger, visit, path, findings);
        account.ruling = Ruling::Refuse;
        account.code = Some(refusal.code);
        account.grant.clone_from(&refusal.grant);
        account.excess_scopes.clone_from(&refusal.excess_scopes);
        account
    }

    /// The account of a preflight that the gate answers.
    pub fn preflight(
        ledger: &'a Ledger,
        visit: &'a Visit,
        path: &'a str,
        findings: Findings<'a>,
    ) -> Self {
        let mut account = Self::open(ledger, visit, path, findings);
        account.operation = Some(PREFLIGHT);
        account
    }

    /// The account of a request that may pass; `reported` is why it would have been refused.
    pub fn allowed(
        ledger: &'a Ledger,
        visit: &'a Visit,
        path: &'a str,
        findings: Findings<'a>,
        permit: &Permit,
        reported: Option<Refusal>,
    ) -> Self {
        let mut account = Self::open(ledger, visit, path, findings);
        account.effective_scopes = permit.scopes().clone();
        account.grant = permit.grant().cloned();
        if matches!(permit.basis(), Basis::Preflight) {
            account.operation = Some(PREFLIGHT);
        }
        if let Some(refusal) = reported {
            account.ruling = Ruling::WouldRefuse;
            account.would_refuse = Some(refusal.code);
            account.grant = refusal.grant;
            account.excess_scopes = refusal.excess_scopes;
        }
        account
    }

    fn open(ledger: &'a Ledger, visit: &'a Visit, path: &'a str, findings: Findings<'a>) -> Self {
        Self {
            ledger,
            visit,
            path,
            findings,
            operation: findings.operation.map(|operation| &*operation.on),
            ruling: Ruling::Allow,
            code: None,
            would_refuse: None,
            grant: None,
            effective_scopes: NameSet::EMPTY,
            excess_scopes: Vec::new(),
            gate: visit.arrived.elapsed(),
            upstream: None,
            status: None,
        }
    }

    /// Notes that the upstream failed, or that the rest of the request cannot be taken.
    pub fn failed(&mut self, code: Code) {
        self.code = Some(code);
        if !code.status().is_server_error() {
            self.ruling = Ruling::Refuse;
        }
    }

    /// Notes that the upstream has answered. Until then, the time runs from the decision.
    pub fn answered(&mut self) {
        self.upstream = Some(self.visit.arrived.elapsed().saturating_sub(self.gate));
    }

    /// Notes the status of the answer, and enters the account.
    pub fn close(mut self, status: StatusCode) {
        self.status = Some(status);
    }

    /// Whether it is recorded. What was refused, or would have been, or went wrong is never passed over;
    /// nor is an answer that its client did not wait for.
    fn is_to_be_told(&self) -> bool {
        let is_usual = self.ruling == Ruling::Allow && self.code.is_none() && self.status.is_some();
        !is_usual || self.ledger.takes(self.visit.allowed_one_in)
    }

    fn record(&self) -> Record<'_> {
        Record {
            time: self.visit.time,
            decision_id: self.visit.decision_id.as_str(),
            api: self.findings.served.map(|served| &served.api),
            operation: self.operation,
            method: self.visit.method.as_str(),
            path: self.path,
            caller: self.findings.caller,
            ruling: self.ruling,
            code: self.code,
            would_refuse: self.would_refuse,
            grant_id: self.grant.as_ref().map(|grant| grant.id.as_str()),
            effective_scopes: &self.effective_scopes,
            excess_scopes: &self.excess_scopes,
            generation: self.visit.generation,
            status: self.status.map(|status| status.as_u16()),
            gate_us: micros(self.gate),
            upstream_us: self.upstream.map(micros),
            trace_id: self.visit.trace_id(),
            peer: self.visit.peer.address,
        }
    }
}

impl Drop for Account<'_> {
    fn drop(&mut self) {
        let Ledger { metrics, requests, recorder, .. } = self.ledger;
        metrics.gate_seconds.record(self.gate);
        if let Some(upstream) = self.upstream {
            metrics.upstream_seconds.record(upstream);
        }
        let identity = self.findings.caller.and_then(|caller| caller.identity.as_ref());
        let labels = RequestLabels {
            ruling: self.ruling,
            code: self.code.or(self.would_refuse),
            subject_type: identity.map(|identity| identity.subject_type),
        };
        let api = self.findings.served.map(|served| &served.api.identifier);
        requests.count(metrics, api, labels);
        if self.visit.records && self.is_to_be_told() {
            recorder.push(&self.record());
        }
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
