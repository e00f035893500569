//! The door for those who manage: the Management API as Auth0's own clients speak it, over the files that
//! the gateway runs by.
//!
//! | step | file |
//! |---|---|
//! | a path and a method name an endpoint, before escapes are resolved | [`crate::config::endpoints`] |
//! | who calls, how often and with what is found out; the gate decides as about any call | `serve.rs`, `intake.rs`, `rates.rs` |
//! | tokens of its own clients: given, and held to what was given | `token.rs`, `own.rs` |
//! | what is asked is taken from the request | `asked.rs`, `parameters.rs`, `body.rs` |
//! | a question is answered from the running configuration's inventory | `client_grants.rs`, `resource_servers.rs`, `organizations.rs`, `clients.rs`; `fields.rs`, `paging.rs` |
//! | a write becomes a change of the files, which is taken over like any other | the same but the last three; `destination.rs`, and [`crate::reload`] |
//! | a write is carried out and recorded | `writer.rs`, `audit.rs` |
//! | an answer, a fault or a refusal is sent | `answer.rs`, `refused.rs`, `reply.rs` |
//! | all of it is described, from the same types | `openapi.rs` |
//! | tests share a configuration and questions | `fixture.rs` |
//!
//! What answers and what plans a write are pure functions: a snapshot and what was asked in, an answer or a
//! change out.

mod answer;
mod asked;
mod audit;
mod body;
mod client_grants;
mod clients;
mod destination;
mod fields;
#[cfg(test)]
mod fixture;
mod intake;
mod openapi;
mod organizations;
mod own;
mod paging;
mod parameters;
mod places;
mod problems;
mod rates;
mod refused;
mod reply;
mod resource_servers;
mod serve;
mod token;
mod writer;

pub use openapi::description;
pub use serve::Door;
pub use writer::{Writer, WritesEnded};

use self::answer::{Answer, Fault};
use self::asked::{Asked, Query};
use crate::config::endpoints::{Endpoint, Resource};
use crate::config::snapshot::{Management, Snapshot};
use crate::policy::{Audience, GrantId};
use crate::reload::Change;

/// A write: what changes in the files, and what is answered when it decides.
#[derive(Debug)]
struct Plan {
    /// What changes.
    change: Change,
    /// What is answered then.
    then: Then,
}

/// What is answered when a write decides.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Then {
    /// Nothing more is to be said (204).
    Gone,
    /// The grant as it is now: 201 where it was made, else 200.
    Grant {
        /// Its id.
        id: GrantId,
        /// Whether it was made.
        created: bool,
    },
    /// The API as it is now: 201 where it was made, else 200.
    Api {
        /// Its identifier.
        identifier: Audience,
        /// Whether it was made.
        created: bool,
    },
    /// The grant of which an organization became one (201).
    Association {
        /// The grant's id.
        id: GrantId,
    },
}

/// Answers a question from `snapshot`.
///
/// # Errors
/// With what is wrong with the question.
fn read(snapshot: &Snapshot, asked: &Asked) -> Result<Answer, Fault> {
    match asked.endpoint.resource() {
        Resource::ClientGrants => client_grants::read(snapshot, asked),
        Resource::Clients => clients::read(snapshot, asked),
        Resource::Organizations => organizations::read(snapshot, asked),
        Resource::ResourceServers => resource_servers::read(snapshot, asked),
        Resource::Gateway => Err(Fault::not_found("there is nothing to read")),
    }
}

/// Plans a write upon `snapshot`.
///
/// # Errors
/// With what is wrong with it.
fn plan(snapshot: &Snapshot, asked: &Asked) -> Result<Plan, Fault> {
    match asked.endpoint.resource() {
        Resource::ClientGrants => client_grants::plan(snapshot, asked),
        Resource::Organizations => organizations::plan(snapshot, asked),
        Resource::ResourceServers => resource_servers::plan(snapshot, asked),
        Resource::Clients | Resource::Gateway => {
            Err(Fault::not_found("there is nothing to change"))
        }
    }
}

/// The answer to a write that decides in `snapshot` now.
fn written(snapshot: &Snapshot, then: &Then) -> Answer {
    match then {
        Then::Gone => Answer::empty(),
        Then::Grant { id, created } => client_grants::written(snapshot, id, *created),
        Then::Api { identifier, created } => {
            resource_servers::written(snapshot, identifier, *created)
        }
        Then::Association { id } => organizations::written(snapshot, id),
    }
}

/// What is managed.
fn management(snapshot: &Snapshot) -> Result<&Management, Fault> {
    let off = || Fault::not_found("the Management API is not configured");
    snapshot.management.as_ref().ok_or_else(off)
}
