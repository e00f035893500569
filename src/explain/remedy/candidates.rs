//! A refusal → what may help against it: changes that give this caller what this request needs, and nobody
//! more than that, the narrowest first. Whether one helps is found out by whoever tries it.
//!
//! | rules | file |
//! |---|---|
//! | 1 and 2, API and operation; 11, what an operation asks | `targets.rs` |
//! | 3, token: audience and issuer; 5, subject type | `tokens.rs` |
//! | 6 to 11, what a grant gives | `grants.rs` |
//!
//! No candidate makes an operation public, lets everybody in, takes a token that is not verified, or ends
//! what a grant protects: against such refusals nothing is proposed.

mod grants;
mod targets;
mod tokens;

use serde_json::{Map, Value};

use super::Files;
use super::moves::Move;
use crate::config::snapshot::{Operation, ServedApi, Snapshot};
use crate::gate::{Code, Outcome, Refusal, Shown, Supposed};
use crate::policy::{Ask, NameSet, Names, Need, Presented, UnixTime};
use crate::token::Inspected;

/// A request that was refused, and what with.
pub(super) struct Seen<'s> {
    /// The files as they are written.
    pub(super) files: &'s Files<'s>,
    pub(super) supposed: &'s Supposed,
    pub(super) now: UnixTime,
    /// What the request was decided with: what the files mean with the changes so far.
    pub(super) snapshot: &'s Snapshot,
    pub(super) outcome: &'s Outcome<'s>,
    pub(super) refusal: &'s Refusal,
}

/// What may help, each a change by itself.
pub(super) fn candidates(seen: &Seen<'_>) -> Vec<Vec<Move>> {
    let found = match seen.refusal.code {
        Code::RouteUnknown => targets::route(seen),
        Code::OperationUnlisted | Code::PathAmbiguous => targets::unlisted(seen),
        Code::MethodRefused => targets::method(seen),
        Code::TokenAudienceMismatch => tokens::audience(seen),
        Code::TokenIssuerUnknown => tokens::issuer(seen),
        Code::SubjectTypeAmbiguous => tokens::unproven(seen),
        Code::PolicyDeniesAll => grants::policy(seen),
        Code::GrantMissing => grants::missing(seen),
        Code::GrantExpired => grants::expired(seen),
        Code::OrganizationDenied | Code::OrganizationNotAssociated | Code::OrganizationRequired => {
            grants::organization(seen)
        }
        Code::ScopeExceedsGrant | Code::AuthorizationDetailsExceedGrant => grants::exceeded(seen),
        Code::ScopeNotGranted => grants::not_granted(seen),
        Code::ScopeInsufficient => targets::ask_less(seen),
        _ => None,
    };
    found.unwrap_or_default()
}

impl<'s> Seen<'s> {
    fn served(&self) -> Option<&'s ServedApi> {
        self.outcome.api
    }

    /// What the token says, in the words of the API; none before that is known.
    fn presented(&self) -> Option<Presented<'s>> {
        let identity = self.outcome.caller.as_ref()?.identity?;
        let listed = self.snapshot.clients.find(identity.issuer, identity.client);
        Some(identity.present(listed.unwrap_or(identity.party), &self.served()?.api))
    }

    /// What the operation asks; nothing more where none is listed.
    fn need(&self) -> Need {
        match self.outcome.operation {
            Some(Operation { ask: Ask::Token(need), .. }) => need.clone(),
            _ => Need::default(),
        }
    }
}

/// The names of a set, in the order in which they are declared.
fn names(declared: &Names, set: &NameSet) -> Vec<String> {
    declared.of(set).map(ToString::to_string).collect()
}

/// What is shown says this, believed or not.
fn said(shown: &Shown) -> Option<Map<String, Value>> {
    match shown {
        Shown::Claims(claims) => Some(claims.clone()),
        Shown::Nothing => None,
        Shown::Token(token) => Some(Inspected::read(token).ok()?.claims().clone()),
    }
}

/// The audiences in `aud`.
fn said_audiences(claims: &Map<String, Value>) -> Vec<&str> {
    match claims.get("aud") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}
