//! The admin listener: `/status`, and `/`, which says what there is. It only tells; nothing is changed here.

use std::io;

use bytes::Bytes;
use http::{Request, StatusCode};

use crate::config::snapshot::Listen;
use crate::net::{Drain, ListenError};

use super::browsers::admit;
use super::listener::{Answer, Listener};
use super::status::State;

const INDEX: &str = "\
grantgate

/status   how the gateway stands: configuration, keys, APIs (JSON)
";

/// Answers those who run the gateway.
pub struct Admin {
    listener: Listener,
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
    pub async fn run(self, drain: Drain, state: State) {
        self.listener.run(drain, move |request| answer(&state, request)).await;
    }
}

fn answer<B>(state: &State, request: &Request<B>) -> Answer {
    if let Err(turned) = admit(request) {
        return turned.answer();
    }
    match request.uri().path() {
        "/" => Answer::text(StatusCode::OK, INDEX),
        "/status" => {
            let body = Bytes::from(state.document());
            Answer { status: StatusCode::OK, kind: "application/json", body }
        }
        _ => Answer::not_found(),
    }
}
