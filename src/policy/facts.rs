//! What goes into a decision beside the API: what a verified token says, and what the operation asks.

use super::{Issuer, NameSet, Names, Party, SubjectType};

/// What a verified token says of its caller, in the words of the API that is called.
#[derive(Clone, Debug)]
pub struct Presented<'a> {
    /// Who issued the token.
    pub issuer: &'a Issuer,
    /// The application's id at that issuer.
    pub client: &'a str,
    /// Whose application it is.
    pub party: Party,
    /// On whose behalf it calls.
    pub subject_type: SubjectType,
    /// The scopes it holds.
    pub scopes: Scopes<'a>,
    /// The organization it was issued for.
    pub organization: Organization<'a>,
    /// The authorization details types it holds.
    pub details: DetailTypes<'a>,
}

/// The scopes of a token. Where several claims hold scopes they may differ, and doubt counts against
/// the caller both ways: all of them must lie within the ceiling, and only what each of them holds
/// may be used.
#[derive(Clone, Debug, Default)]
pub struct Scopes<'a> {
    /// Declared scopes that any of the claims holds: these must lie within the ceiling.
    pub claimed: NameSet,
    /// Scopes that the API does not declare: above any ceiling.
    pub undeclared: Vec<&'a str>,
    /// Declared scopes that every one of the claims holds: these may answer a need.
    pub usable: NameSet,
}

/// The organization that a token was issued for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Organization<'a> {
    /// None.
    Absent,
    /// The one with this id.
    Id(&'a str),
    /// One that cannot be told by its id: an `org_name` alone, or an `org_id` that is no string.
    Unreadable,
}

/// The authorization details types of a token (RFC 9396).
#[derive(Clone, Debug, Default)]
pub struct DetailTypes<'a> {
    /// Those registered on the API.
    pub registered: NameSet,
    /// Those that are not: above any ceiling.
    pub unregistered: Vec<&'a str>,
}

/// What an operation asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Nothing, not even a token.
    Public,
    /// A token that answers this need.
    Token(Need),
}

/// What an operation asks of a token; the empty need asks for any token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Need {
    /// All of these scopes.
    pub scopes: NameSet,
    /// One of these scopes (their places, in the order written), where any is named.
    pub any_scopes: Vec<usize>,
    /// All of these authorization details types.
    pub details: NameSet,
}

impl Need {
    /// The scopes that a caller should ask its issuer for: all of `scopes`, and of `any_scopes` the
    /// first inside `ceiling`, or else the first of all (RFC 6750 section 3, `scope`).
    pub fn challenge(&self, declared: &Names, ceiling: &NameSet) -> Vec<String> {
        let inside = self.any_scopes.iter().find(|&&scope| ceiling.contains(scope));
        let any = inside.or(self.any_scopes.first());
        declared
            .of(&self.scopes)
            .chain(any.and_then(|&scope| declared.at(scope)))
            .map(ToString::to_string)
            .collect()
    }
}
