//! An access in words: `application batch (issuer https://…, subject type client): scope read:orders of https://…`.

use std::fmt;
use std::sync::Arc;

use super::{Access, Caller, What, Which};

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { api, caller, what } = self;
        write!(f, "{caller}: {what} of {api}")
    }
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anyone => f.write_str("anyone"),
            Self::Application { issuer, which, subject_type } => {
                let subject_type = subject_type.as_str();
                write!(f, "{which} (issuer {issuer}, subject type {subject_type})")
            }
        }
    }
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(client) => write!(f, "application {client}"),
            Self::FirstParty => f.write_str("any first-party application without a grant"),
            Self::ThirdParty => f.write_str("any other third-party application"),
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Above => f.write_str("tokens that hold more, which is left aside"),
            Self::Audience(audience) => write!(f, "tokens for {audience}"),
            Self::Beside(scope) => write!(f, "tokens that also hold {scope}, which is left aside"),
            Self::DetailsType(name) => write!(f, "authorization details type {name}"),
            Self::Operation(on) => write!(f, "operation {on}"),
            Self::OperationWith { on, scopes, details } => {
                let held = held(scopes, details);
                write!(f, "operation {on} with a token that holds {held}")
            }
            Self::Organization(id) => write!(f, "tokens of organization {id}"),
            Self::OrganizationAny => f.write_str("tokens of any organization"),
            Self::OrganizationNone => f.write_str("tokens without an organization"),
            Self::Reported => f.write_str("everything, because refusals are only reported"),
            Self::ReportedOperation(on) => {
                write!(f, "{on}, because refusals are only reported")
            }
            Self::ReportedTokens => f.write_str(
                "everything without a good token, because such refusals are only reported",
            ),
            Self::Scope(name) => write!(f, "scope {name}"),
            Self::Time { from, until: Some(until) } => {
                write!(f, "all of this from {from} until {until}")
            }
            Self::Time { from, until: None } => {
                write!(f, "all of this from {from} on, without end")
            }
            Self::Unlisted => f.write_str("what no operation lists"),
        }
    }
}

/// What a token holds and no more.
pub(super) fn held(scopes: &[Arc<str>], details: &[Arc<str>]) -> String {
    let details = details.iter().map(|name| format!("authorization details type {name}"));
    let names: Vec<_> = scopes.iter().map(ToString::to_string).chain(details).collect();
    match names.as_slice() {
        [] => "nothing".to_owned(),
        [only] => format!("{only} alone"),
        names => format!("{} alone", names.join(" and ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Audience, ClientId, Issuer, SubjectType};

    #[test]
    fn it_says_who_may_do_what_where() {
        let api = Audience::new("https://orders.example.com").unwrap();
        let caller = Caller::Application {
            issuer: Issuer::new("https://issuer.example/").unwrap(),
            which: Which::Client(ClientId::new("batch").unwrap()),
            subject_type: SubjectType::Client,
        };
        let access = |caller, what| Access { api: api.clone(), caller, what }.to_string();
        assert_eq!(
            access(caller, What::Scope("read:orders".into())),
            "application batch (issuer https://issuer.example/, subject type client): \
             scope read:orders of https://orders.example.com"
        );
        assert_eq!(
            access(Caller::Anyone, What::Operation("GET /open".into())),
            "anyone: operation GET /open of https://orders.example.com"
        );
    }
}
