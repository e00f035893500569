//! A profile spelled in the configuration.
//!
//! | signal | points to |
//! |---|---|
//! | a `machine` rule holds | client |
//! | a `user` rule holds | user |
//! | a rule's claim is neither a string nor a list of them | conflict |
//! | `sub` is the client id, and no `machine` rule holds | conflict: that is no user |

use serde_json::Value;

use super::evidence::Evidence;
use super::signal::{Signal, Sought};
use crate::policy::SubjectType;
use crate::token::claims::Claims;

/// Which claims say what. Names are those of top-level claims, literally.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Custom {
    /// The claims that hold the client id; those that are there must agree.
    pub client: Vec<String>,
    /// The claim that holds the scopes, as a string or as a list.
    pub scopes: String,
    /// The claim that holds the organization's id.
    pub organization: String,
    /// The claim that holds authorization details.
    pub details: String,
    /// The types (`typ`) that are accepted besides `at+jwt`, in any case; `none` stands for a token
    /// without one.
    pub types: Vec<String>,
    /// Any of these proves that the application calls for itself.
    pub machine: Vec<Rule>,
    /// Any of these proves that it calls for a user.
    pub user: Vec<Rule>,
}

impl Default for Custom {
    fn default() -> Self {
        Self {
            client: vec!["azp".to_owned(), "client_id".to_owned()],
            scopes: "scope".to_owned(),
            organization: "org_id".to_owned(),
            details: "authorization_details".to_owned(),
            types: Vec::new(),
            machine: Vec::new(),
            user: Vec::new(),
        }
    }
}

/// What a claim must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The claim.
    pub claim: String,
    /// What it must be.
    pub test: Test,
}

/// What a claim must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// A string with this in it, or a list with exactly this among its items.
    Contains(String),
    /// Exactly this string.
    Equals(String),
}

impl Custom {
    pub(super) fn admits_type(&self, kind: Option<&str>) -> bool {
        const ABSENT: &str = "none";
        let wanted = match kind {
            // A type that is written `none` is not the absence of one.
            Some(kind) if kind.eq_ignore_ascii_case(ABSENT) => return false,
            Some(kind) => kind,
            None => ABSENT,
        };
        self.types.iter().any(|one| one.eq_ignore_ascii_case(wanted))
    }

    /// Shows each rule's signal, and what `sub` says beside the machine's.
    pub(super) fn signals<'a>(
        &'a self,
        claims: &Claims,
        client: &str,
        see: &mut impl FnMut(Signal<'a>),
    ) {
        let mut machine = Evidence::None;
        for rule in &self.machine {
            let signal = rule.signal(claims, SubjectType::Client);
            machine = machine.and(signal.evidence);
            see(signal);
        }
        for rule in &self.user {
            see(rule.signal(claims, SubjectType::User));
        }
        let itself = claims.find("sub").is_some_and(|subject| subject == client);
        let unsaid = itself && machine == Evidence::None;
        let evidence = if unsaid { Evidence::Conflict } else { Evidence::None };
        see(Signal::read("sub", "is the client id, and no machine rule holds", evidence));
    }
}

impl Rule {
    fn signal(&self, claims: &Claims, subject_type: SubjectType) -> Signal<'_> {
        let evidence = self.weigh(claims, subject_type);
        Signal { claim: &self.claim, sought: Sought::Test(&self.test), evidence }
    }

    fn weigh(&self, claims: &Claims, subject_type: SubjectType) -> Evidence {
        let holds = match (claims.find(&self.claim), &self.test) {
            (None, _) => false,
            (Some(Value::String(text)), Test::Contains(part)) => text.contains(part.as_str()),
            (Some(Value::String(text)), Test::Equals(whole)) => text == whole,
            (Some(Value::Array(list)), test) if list.iter().all(Value::is_string) => match test {
                Test::Contains(item) => list.iter().any(|one| one == item.as_str()),
                Test::Equals(_) => false,
            },
            (Some(_), _) => return Evidence::Conflict,
        };
        Evidence::of(subject_type, holds)
    }
}
