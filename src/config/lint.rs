//! What is legal and suspicious: each lint is one function, and each says what it looks for.
//!
//! | file | what is looked at |
//! |---|---|
//! | `apis` | whom an API lets in as a whole |
//! | `clients` | applications that are listed |
//! | `grants` | grants that give nothing, or not for long |
//! | `grpc` | operations that look like gRPC methods |
//! | `issuers` | issuers, and whose tokens are whose |
//! | `operations` | what operations ask, of one another and of the grants |
//! | `scopes` | what is declared, asked for and given |
//!
//! Nothing here refuses anything. A lint is silent about what has errors: it would only guess. Each looks
//! at every grant a fixed number of times: there may be very many.

mod apis;
mod clients;
mod grants;
mod grpc;
mod issuers;
mod operations;
mod scopes;

pub(super) use operations::asks_less;

use super::build::{Apis, Given, Issuers, Listed, Server as Described, Unnamed};
use super::snapshot::Server;
use super::{Place, Report, raw};
use crate::policy::{Holder, Party, UnixTime};

/// What is looked at.
pub(super) struct Subject<'a> {
    pub(super) server: &'a Server,
    pub(super) apis: &'a Apis,
    /// The APIs as they are written; as many as there are, where nothing is wrong.
    pub(super) written: &'a [Described<'a>],
    pub(super) given: &'a [Given],
    pub(super) listed: &'a Listed,
    /// The applications that are listed and named nowhere else.
    pub(super) unnamed: Vec<Unnamed<'a>>,
    pub(super) issuers: &'a Issuers,
    pub(super) now: UnixTime,
}

/// Lints a configuration as a whole.
pub(super) fn snapshot(report: &mut Report, subject: &Subject<'_>) {
    for known in subject.apis.list.iter().filter(|known| known.gate.is_some()) {
        apis::open_to_all(report, known);
        apis::unlisted(report, known);
        grpc::downgraded(report, known, subject.server);
    }
    // A grant, or an API, that was refused may be the one that matters.
    if !report.has_errors() {
        apis::nothing_served(report, subject);
        apis::only_report(report, subject);
        apis::audience_shared(report, subject);
        clients::unused(report, subject);
        issuers::unused(report, subject);
        let granted = scopes::granted(subject);
        scopes::lint(report, subject, &granted);
        operations::unreachable(report, subject, &granted);
        grants::default_of_nobody(report, subject);
    }
    for given in subject.given {
        grants::expires_soon(report, given, subject.now);
        grants::pointless(report, given, subject);
        grants::organizations(report, given, subject);
    }
}

impl Subject<'_> {
    /// An API as it was written.
    fn raw(&self, api: usize) -> Option<&raw::ResourceServer> {
        self.written.get(api).map(|server| &*server.raw)
    }

    fn is_first_party(&self, given: &Given) -> bool {
        let Holder::Client(client) = &given.holder else { return false };
        self.issuers.party(given.issuer, client, &self.listed.clients) == Some(Party::First)
    }
}

/// `` `a`, `b` ``
fn quoted<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<_> = names.into_iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// Where an operation is written, by its place in the list.
fn operation_place(known: &super::build::KnownApi, index: usize) -> Place {
    known.place.key("gate").key("operations").index(index)
}

#[cfg(test)]
mod tests;
