//! The admin listener: how the gateway stands, what its policy is, and why it decides as it does. It only
//! tells; nothing is changed here.

use std::io;
use std::sync::Arc;

use http::{Method, Request, StatusCode};
use hyper::body::Incoming;

use crate::config::snapshot::Listen;
use crate::net::{Drain, ListenError};

use super::answer::Answer;
use super::browsers::admit;
use super::listener::Listener;
use super::policy::Policy;
use super::reasons::{Grounds, Reasons};
use super::status::State;

const INDEX: &str = "\
grantgate

/status    how the gateway stands: configuration, keys, APIs (JSON)
/policy    the policy that runs, as a configuration (JSON)
/explain   why a request is allowed or refused: POST the question (JSON)
";

/// Answers those who run the gateway.
pub struct Admin {
    listener: Listener,
}

/// Who knows the answers.
struct Answers {
    state: State,
    policy: Policy,
    reasons: Reasons,
}

impl Admin {
    /// Listens; nothing is answered yet.
    pub async fn bind(listen: &Listen) -> Result<Self, ListenError> {
        Ok(Self { listener: Listener::bind(listen, "admin").await? })
    }

    /// Where it listens.
    pub fn address(&self) -> io::Result<Listen> {
        self.listener.address()
    }

    /// Answers until the gateway is gone.
    pub async fn run(self, drain: Drain, state: State, grounds: Grounds) {
        let policy = Policy::new(grounds.snapshot.clone());
        let answers = Arc::new(Answers { state, policy, reasons: Reasons::new(grounds) });
        let answer = move |request| {
            let answers = answers.clone();
            async move { answers.answer(request).await }
        };
        self.listener.run(drain, answer).await;
    }
}

impl Answers {
    async fn answer(&self, request: Request<Incoming>) -> Answer {
        if let Err(turned) = admit(&request) {
            return turned.answer();
        }
        let method = request.method().clone();
        let reads = [Method::GET, Method::HEAD].contains(&method);
        let answer = match request.uri().path() {
            "/explain" if method == Method::POST => return self.reasons.answer(request).await,
            "/explain" => return Answer::only_posted(),
            // Nothing is thought about for who is not answered.
            "/policy" if reads => self.policy.answer().await,
            "/status" if reads => Answer::json(self.state.document()),
            "/" | "/policy" | "/status" => Answer::text(StatusCode::OK, INDEX),
            _ => Answer::not_found(),
        };
        answer.for_readers(&method)
    }
}
