//! What a case may expect: that it is allowed, or one of the codes that a case can see.
//!
//! A code that only the wire or a signature brings about can be no case's.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use crate::gate::{Code, Rule};

/// How a request must be decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Expect {
    /// It is allowed.
    Allow,
    /// It is refused with this code, or would be.
    Refuse(Code),
}

impl Expect {
    /// Every expectation that a case can have.
    fn all() -> impl Iterator<Item = Self> {
        std::iter::once(Self::Allow).chain(visible().map(|(_, code)| Self::Refuse(code)))
    }

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Refuse(code) => code.as_str(),
        }
    }
}

/// The codes of all rules but that of the token itself, in the order of the rules.
pub(super) fn codes_of_policy() -> impl Iterator<Item = (Rule, Code)> {
    visible().filter(|(rule, _)| *rule != Rule::Token)
}

/// The codes that a case can see, in the order of the rules.
fn visible() -> impl Iterator<Item = (Rule, Code)> {
    let mut codes: Vec<_> = Code::ALL
        .iter()
        .filter(|code| !UNSEEN.contains(code))
        .filter_map(|code| Some((Rule::of(*code, false)?, *code)))
        .collect();
    codes.sort_by_key(|(rule, _)| *rule);
    codes.into_iter()
}

/// What only a token shows that somebody signed and sent.
const UNSEEN: [Code; 6] = [
    Code::CredentialAmbiguous,
    Code::KeysUnavailable,
    Code::TokenAlgorithmRefused,
    Code::TokenKeyUnknown,
    Code::TokenSignatureInvalid,
    Code::TokenTooLarge,
];

impl fmt::Display for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl TryFrom<String> for Expect {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::all().find(|one| one.as_str() == text).ok_or("`allow`, or the code of a refusal")
    }
}

impl JsonSchema for Expect {
    fn schema_name() -> Cow<'static, str> {
        "Expect".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let all: Vec<_> = Self::all().map(Self::as_str).collect();
        json_schema!({"type": "string", "enum": all})
    }
}
