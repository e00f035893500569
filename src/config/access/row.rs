//! A row: what somebody may do at one API, and why.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::config::Caller;
use crate::policy::{Audience, Grant, OrganizationId, UnixTime};

/// What somebody may do at one API.
#[derive(Clone, Debug)]
pub struct Row<'s> {
    /// The API.
    pub api: &'s Audience,
    /// Who.
    pub caller: Caller,
    /// What the application is called, where that is written.
    pub name: Option<&'s str>,
    /// Why.
    pub by: By<'s>,
    /// The scopes that it may use.
    pub scopes: Vec<&'s str>,
    /// The authorization details types that it may use.
    pub details: Vec<&'s str>,
    /// The operations that it may call with them, as written.
    pub operations: Arc<[&'s str]>,
    /// Whether it may call what no operation lists.
    pub unlisted: bool,
    /// Whose tokens are admitted; none where that is not asked.
    pub organizations: Option<Admitted<'s>>,
    /// When it ends.
    pub until: Option<UnixTime>,
}

/// Why somebody may do something.
#[derive(Clone, Copy, Debug)]
pub enum By<'s> {
    /// The default grant for third parties.
    Default(&'s Grant),
    /// A grant of its own.
    Grant(&'s Grant),
    /// The policy asks no grant.
    Policy,
    /// The operations ask no token.
    Public,
    /// Refusals are only reported.
    Report,
}

impl By<'_> {
    /// Its name in data.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Default(_) => "default_grant",
            Self::Grant(_) => "grant",
            Self::Policy => "allow_all",
            Self::Public => "public",
            Self::Report => "report",
        }
    }

    /// The grant, where it is one.
    pub fn grant(&self) -> Option<&Grant> {
        match self {
            Self::Default(grant) | Self::Grant(grant) => Some(grant),
            Self::Policy | Self::Public | Self::Report => None,
        }
    }
}

/// Whose tokens are admitted.
#[derive(Clone, Copy, Debug)]
pub struct Admitted<'s> {
    /// Those of no organization.
    pub none: bool,
    /// Those of any.
    pub any: bool,
    /// Those of these; none where any is admitted.
    pub ids: Option<&'s BTreeSet<OrganizationId>>,
}

impl Admitted<'_> {
    /// Whose tokens are admitted, in words.
    pub fn words(&self) -> Vec<&str> {
        let none = self.none.then_some("(none)");
        let any = self.any.then_some("(any)");
        let ids = self.ids.into_iter().flatten().map(OrganizationId::as_str);
        none.into_iter().chain(any).chain(ids).collect()
    }
}
