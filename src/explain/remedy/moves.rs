//! A move: one small change in the words of the configuration, which names what it is about as people do: by
//! client, API and issuer, never by where that stands.
//!
//! In comes what stands in the files, out go the edits that make the move there. Whatever the files do not
//! hold in the expected form gives none.

mod apis;
mod grants;
mod issuers;
mod operations;

use super::Files;
use crate::config::{Edit, Place};
use crate::policy::{Audience, GrantId, Issuer, SubjectType};

pub(super) use grants::{NewGrant, destinations};

/// A small change.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Move {
    /// A grant also admits tokens of this organization; or, where none is named, tokens of none.
    Admit { grant: GrantId, organization: Option<String> },
    /// An operation asks this, and nothing else.
    AskLess {
        api: Audience,
        on: String,
        need: Wanted,
        /// What the token lacks.
        missing: Vec<String>,
        /// Whether the application may have that.
        is_granted: bool,
    },
    /// Tokens for this audience are taken by the API.
    Audience { api: Audience, audience: String },
    /// An API declares scopes, and registers authorization details types.
    Declare { api: Audience, scopes: Vec<String>, details: Vec<String> },
    /// A new grant.
    Grant(Box<NewGrant>),
    /// An API is served under a host.
    Host { api: Audience, host: String },
    /// A new issuer, which the API trusts.
    Issuer { api: Audience, issuer: Issuer, profile: &'static str },
    /// A new operation. What it needs is found out last: until then, nothing.
    Operation { api: Audience, on: String, need: Option<Wanted> },
    /// A subject type is admitted, with grants.
    Policy { api: Audience, subject_type: SubjectType },
    /// An API is served below another path.
    Prefix { api: Audience, prefix: String },
    /// A grant ends later.
    Renew { grant: GrantId, until: String },
    /// A configured issuer gets the name that its tokens say.
    Respell { from: Issuer, to: Issuer },
    /// An API trusts an issuer that is configured.
    Trust { api: Audience, issuer: Issuer },
    /// Tokens of this issuer that show neither user nor machine count as users'.
    Unproven { issuer: Issuer },
    /// A grant gives more.
    Widen { grant: GrantId, scopes: Vec<String>, details: Vec<String> },
}

/// Scopes and authorization details types, as an operation names them; nothing at all is any token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) scopes: Vec<String>,
    pub(super) any_scopes: Vec<String>,
    pub(super) details: Vec<String>,
}

impl Wanted {
    pub(super) fn is_empty(&self) -> bool {
        self.lists().iter().all(|(_, names)| names.is_empty())
    }

    /// Each list under its key.
    pub(super) fn lists(&self) -> [(&'static str, &[String]); 3] {
        [
            ("scopes", &self.scopes),
            ("any_scopes", &self.any_scopes),
            ("authorization_details", &self.details),
        ]
    }
}

impl Move {
    /// The edits that make it; none where it cannot be made.
    pub(super) fn edits(&self, files: &Files<'_>) -> Option<Vec<Edit>> {
        let edits = match self {
            Self::Admit { grant, organization } => {
                grants::admit(files, grant, organization.as_deref())?
            }
            Self::AskLess { api, on, need, .. } => operations::ask(files, api, on, need)?,
            Self::Audience { api, audience } => apis::audience(files, api, audience)?,
            Self::Declare { api, scopes, details } => apis::declare(files, api, scopes, details)?,
            Self::Grant(grant) => vec![grant.edit()],
            Self::Host { api, host } => apis::host(files, api, host)?,
            Self::Issuer { api, issuer, profile } => issuers::add(files, api, issuer, profile)?,
            Self::Operation { api, on, need } => operations::add(files, api, on, need.as_ref())?,
            Self::Policy { api, subject_type } => apis::policy(files, api, *subject_type)?,
            Self::Prefix { api, prefix } => apis::prefix(files, api, prefix)?,
            Self::Renew { grant, until } => grants::renew(files, grant, until)?,
            Self::Respell { from, to } => issuers::respell(files, from, to)?,
            Self::Trust { api, issuer } => issuers::trust(files, api, issuer)?,
            Self::Unproven { issuer } => issuers::unproven(files, issuer)?,
            Self::Widen { grant, scopes, details } => grants::widen(files, grant, scopes, details)?,
        };
        (!edits.is_empty()).then_some(edits)
    }
}

/// The edit that adds texts to a list which may be missing, those that are not there already.
fn append(list: Place, there: &[String], names: &[String]) -> Option<Edit> {
    let new = names.iter().filter(|name| !there.contains(name));
    let items: Vec<_> = new.map(|name| name.clone().into()).collect();
    (!items.is_empty()).then_some(Edit::Append { list, items })
}
