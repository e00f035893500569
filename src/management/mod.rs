//! The door for those who manage: the Management API as Auth0's own clients speak it, over the files that
//! the gateway runs by.
//!
//! | step | file |
//! |---|---|
//! | a path and a method name an endpoint, before escapes are resolved | [`crate::config::endpoints`] |
//! | who calls, how often and with what is found out; the gate decides as about any call | `serve.rs`, `intake.rs`, `parameters.rs`, `rates.rs` |
//! | an answer, a fault or a refusal is sent | `reply.rs`, `refused.rs` |
//! | a question is answered from the running configuration's inventory | `client_grants.rs`, `resource_servers.rs`, `organizations.rs`, `clients.rs` |
//! | a write becomes a change of the files, which is taken over like any other | the same, and [`crate::reload`] |
//! | a write is carried out and recorded | `writer.rs`, `audit.rs` |
//! | its own clients get tokens | `token.rs` |
//! | all of it is described, from the same types | `openapi.rs` |
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
mod paging;
mod parameters;
mod rates;
mod refused;
mod reply;
mod resource_servers;
mod serve;
mod token;
mod writer;

pub use crate::config::endpoints::{Endpoint, Resource};
pub use answer::{Answer, Fault};
pub use asked::{Asked, Query};
pub use openapi::description;
pub use serve::Door;
pub use writer::{Writer, WritesEnded};

use crate::config::snapshot::{Management, Snapshot};
use crate::policy::{Audience, GrantId};
use crate::reload::Change;

/// A write: what changes in the files, and what is answered when it decides.
#[derive(Debug)]
pub struct Plan {
    /// What changes.
    pub change: Change,
    /// What is answered then.
    pub then: Then,
}

/// What is answered when a write decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Then {
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
pub fn read(snapshot: &Snapshot, asked: &Asked) -> Result<Answer, Fault> {
    match asked.endpoint.resource() {
        Resource::ClientGrants => client_grants::read(snapshot, asked),
        Resource::Clients => clients::read(snapshot, asked),
        Resource::Organizations => organizations::read(snapshot, asked),
        Resource::ResourceServers => resource_servers::read(snapshot, asked),
        Resource::Gateway => Ok(Answer::list(description(), None)),
    }
}

/// Plans a write upon `snapshot`.
///
/// # Errors
/// With what is wrong with it.
pub fn plan(snapshot: &Snapshot, asked: &Asked) -> Result<Plan, Fault> {
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
pub fn written(snapshot: &Snapshot, then: &Then) -> Answer {
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
