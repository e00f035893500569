//! `/healthz`, `/readyz` and `/metrics`, and nothing else.

use std::future::ready;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use http::{Request, StatusCode};
use hyper::body::Incoming;
use serde_json::json;

use crate::config::snapshot::Listen;
use crate::net::{Drain, ListenError, Phase};
use crate::policy::Issuer;
use crate::telemetry::{MEDIA_TYPE, write_json};

use super::answer::Answer;
use super::condition::{Condition, Conditions, all};
use super::listener::Listener;

/// Answers health checks.
pub struct Health {
    listener: Listener,
    answers: Answers,
}

/// What health checks are answered from. Each part is asked whenever somebody asks for it.
pub struct Vitals {
    /// The metrics, in Prometheus' text format.
    pub metrics: Box<dyn Fn() -> String + Send + Sync>,
    /// The issuers whose keys never came.
    pub missing_keys: Box<dyn Fn() -> Vec<Issuer> + Send + Sync>,
    /// What is not as it should be.
    pub conditions: Arc<Conditions>,
}

struct Answers {
    vitals: Vitals,
    drain: Drain,
}

impl Health {
    /// Listens on `address`.
    pub async fn bind(
        address: SocketAddr,
        drain: Drain,
        vitals: Vitals,
    ) -> Result<Self, ListenError> {
        let listener = Listener::bind(&Listen::Tcp(address), "health").await?;
        Ok(Self { listener, answers: Answers { vitals, drain } })
    }

    /// Where it listens.
    pub fn address(&self) -> io::Result<SocketAddr> {
        match self.listener.address()? {
            Listen::Tcp(address) => Ok(address),
            Listen::Unix(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// Answers until the gateway is gone. To be called when all else listens: from then on it is ready.
    pub async fn run(self) {
        let Self { listener, answers } = self;
        let drain = answers.drain.clone();
        let answer = move |request: Request<Incoming>| {
            ready(answers.answer(request.uri().path()).for_readers(request.method()))
        };
        listener.run(drain, answer).await;
    }
}

impl Answers {
    fn answer(&self, path: &str) -> Answer {
        match path {
            "/healthz" => Answer::text(StatusCode::OK, "ok\n"),
            "/readyz" => self.ready(),
            "/metrics" => Answer::new(StatusCode::OK, MEDIA_TYPE, (self.vitals.metrics)()),
            _ => Answer::not_found(),
        }
    }

    fn ready(&self) -> Answer {
        let mut conditions = all(&self.vitals.conditions);
        if self.drain.phase() != Phase::Running {
            let detail = "the gateway leaves".to_owned();
            conditions.push(Condition { code: "leaving", detail, unready: true });
        }
        let ready = conditions.iter().all(|condition| !condition.unready);
        let missing_keys = (self.vitals.missing_keys)();
        let missing_keys: Vec<_> = missing_keys.iter().map(Issuer::as_str).collect();
        let state = json!({
            "ready": ready,
            "degraded": !conditions.is_empty(),
            "conditions": conditions,
            "missing_keys": missing_keys,
        });
        let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        let mut body = Vec::new();
        // Texts, numbers and lists are always JSON.
        let _ = write_json(&state, &mut body);
        body.push(b'\n');
        Answer::new(status, "application/json", body)
    }
}

#[cfg(test)]
mod tests;
