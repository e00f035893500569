//! The model, and the decision.
//!
//! | word | meaning |
//! |---|---|
//! | API (resource server) | what is protected; known by its identifier, the token's audience |
//! | application (client) | the caller: a client id *of an issuer* |
//! | subject type | for itself (`client`), for a signed-in `user`, or for an `anonymous_user` |
//! | policy | per API and subject type: `allow_all`, `require_client_grant`, `deny_all` |
//! | grant | (issuer, application, API, subject type) → the ceiling and its rules |
//! | ceiling | what the application may use at most, whatever its token says |
//! | need | what one operation asks of a token |
//!
//! Everything here is plain data and pure functions over it: no module of ours is imported, no clock
//! is read, nothing waits, logs or fails late. What is built is right: names are checked when they
//! are made, and a policy that may not be said for a subject type has no variant.

mod access;
mod api;
mod client;
mod decide;
mod decision;
mod facts;
mod grant;
mod name;
mod names;
mod origin;
mod rfc3339;
mod time;

pub use access::{Access, Policy, StrictPolicy, SubjectType};
pub use api::{Api, Enforcement, OverCeiling};
pub use client::{Clients, Party};
pub use decide::{decide, governing_grant};
pub use decision::{Basis, Decision, Denial, Permit, Reason};
pub use facts::{Ask, DetailTypes, Need, Organization, Presented, Scopes};
pub use grant::{Grant, GrantKind, Grants, Holder, OrganizationRule, Organizations};
pub use name::{Audience, ClientId, GrantId, Issuer, NameError, OrganizationId, is_name};
pub use names::{NameSet, Names};
pub use origin::Origin;
pub use rfc3339::Rfc3339;
pub use time::UnixTime;
