//! Who may do what under one configuration.
//!
//! In come a snapshot, a question and a time; out come rows, one by one: of each API, who may call it on whose
//! behalf, by which grant or policy, with which scopes, and what that opens. Rows are found by the grant that
//! the decision itself would go by, and by the ceilings that differences are found by.
//!
//! Who may do nothing at that time has no row: of `deny_all`, of grants that have ended, of those that admit
//! no token.

mod csv;
mod json;
mod row;
mod table;

pub use csv::Csv;
pub use json::Json;
pub use row::{Admitted, By, Row};
pub use table::{Table, Widths};

use std::fmt;
use std::sync::Arc;

use foldhash::HashMap;
use http::Method;

use super::diff::alike::Side;
use super::diff::ceiling::Ceiling;
use super::snapshot::{Operation, ServedApi, Snapshot, Unlisted};
use super::{Caller, Which};
use crate::policy::{
    Ask, ClientId, Enforcement, Grant, GrantKind, Issuer, NameSet, OrganizationRule, Organizations,
    Party, SubjectType, UnixTime, governing_grant,
};
use crate::route::{CanonPath, Found};

/// What is asked. What is left out may be anything.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// At this API.
    pub api: Option<String>,
    /// By this application. It need not be named anywhere.
    pub client: Option<String>,
    /// By applications of this issuer.
    pub issuer: Option<String>,
    /// This operation: as it is written, or a method and a path.
    pub operation: Option<String>,
    /// With this scope.
    pub scope: Option<String>,
    /// On behalf of these.
    pub subject_type: Option<SubjectType>,
}

/// Shows each row of the answer to `each`, in an order that does not change from one time to the next.
///
/// # Errors
/// When `each` does.
pub fn access<'s>(
    snapshot: &'s Snapshot,
    question: &Question,
    now: UnixTime,
    each: &mut dyn FnMut(&Row<'s>) -> fmt::Result,
) -> fmt::Result {
    let mut apis: Vec<_> = snapshot.apis.iter().collect();
    apis.sort_by(|a, b| a.api.identifier.cmp(&b.api.identifier));
    for served in apis {
        if question.api.as_deref().is_none_or(|api| api == served.api.identifier.as_str()) {
            let side = Side { snapshot, served };
            let target = question.operation.as_deref().map(|text| aim(served, text));
            if target != Some(Target::None) {
                Answer { side, question, target, now, opened: HashMap::default() }.rows(each)?;
            }
        }
    }
    Ok(())
}

/// What an operation that is asked about is at one API.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Target<'s> {
    Listed(&'s str),
    None,
    Unlisted,
}

fn aim<'s>(served: &'s ServedApi, text: &str) -> Target<'s> {
    if let Some(operation) = served.operations.iter().find(|operation| operation.on == text) {
        return Target::Listed(&operation.on);
    }
    let parts = text.split_once(' ').and_then(|(method, path)| {
        Some((method.parse::<Method>().ok()?, CanonPath::parse(path.trim_start()).ok()?))
    });
    let Some((method, path)) = parts else { return Target::None };
    if served.path_prefix.strip(&path).is_none() {
        return Target::None;
    }
    match served.operations.find(&method, &path) {
        Found::Operation(operation) => Target::Listed(&operation.on),
        Found::Unlisted if served.unlisted == Unlisted::AnyToken => Target::Unlisted,
        Found::Near { .. } | Found::OtherMethods { .. } | Found::Unlisted => Target::None,
    }
}

/// The operations that a ceiling opens.
type Opened<'s> = HashMap<Ceiling, Arc<[&'s str]>>;

/// The rows of one API.
struct Answer<'s, 'q> {
    side: Side<'s>,
    question: &'q Question,
    target: Option<Target<'s>>,
    now: UnixTime,
    opened: Opened<'s>,
}

impl<'s> Answer<'s, '_> {
    fn rows(&mut self, each: &mut dyn FnMut(&Row<'s>) -> fmt::Result) -> fmt::Result {
        self.anyone(each)?;
        let Side { snapshot, served } = self.side;
        let asked = self.question.issuer.as_deref();
        let mut issuers: Vec<_> = self.side.trusted().map(|trust| &trust.issuer).collect();
        issuers.retain(|issuer| asked.is_none_or(|asked| asked == issuer.as_str()));
        issuers.sort();
        if let Some(client) = &self.question.client {
            for issuer in issuers {
                self.client(issuer, client, each)?;
            }
            return Ok(());
        }
        for issuer in &issuers {
            for which in [Which::FirstParty, Which::ThirdParty] {
                self.others(issuer, &which, each)?;
            }
        }
        let listed = snapshot.clients.iter().map(|(issuer, client, _)| (issuer, client));
        let mut named: Vec<_> = listed.chain(served.api.grants.clients()).collect();
        named.retain(|(issuer, _)| issuers.contains(issuer));
        named.sort_unstable();
        named.dedup();
        for (issuer, client) in named {
            for subject_type in SubjectType::ALL {
                if !self.is_as_others(issuer, client, subject_type) {
                    let which = Which::Client(client.clone());
                    self.application(issuer, client.as_str(), which, subject_type, each)?;
                }
            }
        }
        Ok(())
    }

    /// What needs no token, and what is only reported.
    fn anyone(&self, each: &mut dyn FnMut(&Row<'s>) -> fmt::Result) -> fmt::Result {
        let Question { client, issuer, scope, subject_type, .. } = self.question;
        if client.is_some() || issuer.is_some() || scope.is_some() || subject_type.is_some() {
            return Ok(());
        }
        let served = self.side.served;
        let reports = served.api.enforcement != Enforcement::Enforce;
        for (by, is_public) in [(By::Public, true), (By::Report, false)] {
            if !is_public && !reports {
                continue;
            }
            let operations = served.operations.iter();
            let operations =
                operations.filter(|operation| (operation.ask == Ask::Public) == is_public);
            let operations: Arc<[_]> = operations.map(|it| it.on.as_str()).collect();
            let unlisted = !is_public;
            let row = Row {
                api: &served.api.identifier,
                caller: Caller::Anyone,
                name: None,
                by,
                scopes: Vec::new(),
                details: Vec::new(),
                operations,
                unlisted,
                organizations: None,
                until: None,
            };
            if !is_public || !row.operations.is_empty() {
                self.show(&row, each)?;
            }
        }
        Ok(())
    }

    /// One application, whether it is named or not.
    fn client(
        &mut self,
        issuer: &'s Issuer,
        client: &str,
        each: &mut dyn FnMut(&Row<'s>) -> fmt::Result,
    ) -> fmt::Result {
        let Ok(id) = ClientId::new(client) else { return Ok(()) };
        for subject_type in SubjectType::ALL {
            self.application(issuer, client, Which::Client(id.clone()), subject_type, each)?;
        }
        Ok(())
    }

    /// Those that nothing is said of.
    fn others(
        &mut self,
        issuer: &'s Issuer,
        which: &Which,
        each: &mut dyn FnMut(&Row<'s>) -> fmt::Result,
    ) -> fmt::Result {
        // No application has such an id.
        let (client, party) = match which {
            Which::FirstParty => (" ", Party::First),
            _ => ("tpc_ ", Party::Third),
        };
        if self.side.party(issuer, client) != Some(party) {
            return Ok(());
        }
        for subject_type in SubjectType::ALL {
            self.application(issuer, client, which.clone(), subject_type, each)?;
        }
        Ok(())
    }

    /// Whether what is told of any first-party application holds for this one.
    fn is_as_others(&self, issuer: &Issuer, client: &ClientId, subject_type: SubjectType) -> bool {
        let grants = &self.side.served.api.grants;
        self.side.party(issuer, client.as_str()) == Some(Party::First)
            && grants.own(issuer, client.as_str(), subject_type).is_none()
    }

    fn application(
        &mut self,
        issuer: &'s Issuer,
        client: &str,
        which: Which,
        subject_type: SubjectType,
        each: &mut dyn FnMut(&Row<'s>) -> fmt::Result,
    ) -> fmt::Result {
        if self.question.subject_type.is_some_and(|asked| asked != subject_type) {
            return Ok(());
        }
        let Side { snapshot, served } = self.side;
        let api = &served.api;
        let Some(party) = self.side.party(issuer, client) else { return Ok(()) };
        let Ok(grant) = governing_grant(api, issuer, client, party, subject_type) else {
            return Ok(());
        };
        if grant.is_some_and(|grant| !holds(grant, self.now)) {
            return Ok(());
        }
        let (scopes, details) = match grant.map(|grant| (grant, &grant.kind)) {
            None => (api.scopes.all(), api.details.all()),
            Some((grant, GrantKind::User { details })) => (&grant.ceiling, details),
            Some((grant, _)) => (&grant.ceiling, &NONE),
        };
        let by = match grant {
            None => By::Policy,
            Some(grant) if api.grants.own(issuer, client, subject_type).is_some() => {
                By::Grant(grant)
            }
            Some(grant) => By::Default(grant),
        };
        let operations = self.opened(&Ceiling { scopes: scopes.clone(), details: details.clone() });
        let row = Row {
            api: &api.identifier,
            caller: Caller::Application { issuer: issuer.clone(), which, subject_type },
            name: snapshot.client_names.find(issuer, client),
            by,
            scopes: api.scopes.of(scopes).map(|name| &**name).collect(),
            details: api.details.of(details).map(|name| &**name).collect(),
            operations,
            unlisted: served.unlisted == Unlisted::AnyToken,
            organizations: grant.and_then(|grant| admitted(grant)),
            until: grant.and_then(|grant| grant.expires_at),
        };
        self.show(&row, each)
    }

    /// Shows a row, if it answers the question.
    fn show(&self, row: &Row<'s>, each: &mut dyn FnMut(&Row<'s>) -> fmt::Result) -> fmt::Result {
        let has_scope = self.question.scope.as_deref().is_none_or(|it| row.scopes.contains(&it));
        let calls = match &self.target {
            None => true,
            Some(Target::Listed(on)) => row.operations.contains(on),
            Some(Target::Unlisted) => row.unlisted,
            Some(Target::None) => false,
        };
        if has_scope && calls { each(row) } else { Ok(()) }
    }

    /// The operations that a ceiling opens, thought about once.
    fn opened(&mut self, ceiling: &Ceiling) -> Arc<[&'s str]> {
        if let Some(known) = self.opened.get(ceiling) {
            return known.clone();
        }
        let opens = |operation: &&Operation| match &operation.ask {
            Ask::Public => false,
            Ask::Token(need) => ceiling.opens(need),
        };
        let operations = self.side.served.operations.iter().filter(opens);
        let operations: Arc<[_]> = operations.map(|operation| operation.on.as_str()).collect();
        self.opened.insert(ceiling.clone(), operations.clone());
        operations
    }
}

static NONE: NameSet = NameSet::EMPTY;

/// Whether a grant admits any token at all.
fn holds(grant: &Grant, now: UnixTime) -> bool {
    let admits_nobody = matches!(
        &grant.kind,
        GrantKind::Client { organizations: OrganizationRule::Require(Organizations::Associated(ids)) }
            if ids.is_empty()
    );
    !admits_nobody && grant.expires_at.is_none_or(|end| end > now)
}

fn admitted(grant: &Grant) -> Option<Admitted<'_>> {
    let GrantKind::Client { organizations } = &grant.kind else { return None };
    let none = !matches!(organizations, OrganizationRule::Require(_));
    Some(match organizations {
        OrganizationRule::Deny => Admitted { none, any: false, ids: None },
        OrganizationRule::Allow(who) | OrganizationRule::Require(who) => match who {
            Organizations::Any => Admitted { none, any: true, ids: None },
            Organizations::Associated(ids) => Admitted { none, any: false, ids: Some(ids) },
        },
    })
}

#[cfg(test)]
mod tests;
