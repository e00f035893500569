//! Where the tokens of a kind of issuer say what: the application, its scopes, its organization, and
//! on whose behalf it calls.
//!
//! | | auth0 | rfc9068 | custom |
//! |---|---|---|---|
//! | `typ` besides `at+jwt` | `JWT`, absent | | `types`; `none` there admits absent |
//! | signs of an ID token | `nonce` | `nonce` | |
//! | client id | `azp`, `client_id` | `client_id` | `claims.client_id` |
//! | scopes | `scope`, `scp` | `scope`, `scp` | `claims.scopes`; of `scope` and `scp` both |
//! | permissions | `permissions` | | |
//! | organization | `org_id` | `org_id` | `claims.organization` |
//!
//! The subject type is weighed from all signals of the profile; each profile's file has its table.
//! A new kind of issuer is a variant here and a file beside it.

mod auth0;
mod custom;
mod evidence;
mod rfc9068;

pub use custom::{Custom, Rule, Test};
pub use evidence::Unproven;

use serde_json::Value;

use super::TokenError;
use super::claims::Claims;
use super::scopes::{ScopeClaims, ScopeList, Shape};
use crate::policy::{Organization, Party, is_name};
use evidence::Evidence;

/// A kind of issuer.
#[derive(Clone, Debug)]
pub enum Profile {
    /// Auth0, in any of its token dialects.
    Auth0,
    /// Spelled in the configuration.
    Custom(Box<Custom>),
    /// The JWT profile for access tokens.
    Rfc9068,
}

impl Profile {
    /// Whether `typ` is that of an access token. RFC 9068 section 2.1 names two spellings; media
    /// types have no case (RFC 2045 section 5.1).
    pub(super) fn admits_type(&self, kind: Option<&str>) -> bool {
        let is = |name: &str| kind.is_some_and(|kind| kind.eq_ignore_ascii_case(name));
        is("at+jwt")
            || is("application/at+jwt")
            || match self {
                Self::Auth0 => is("JWT") || kind.is_none(),
                Self::Custom(custom) => custom.admits_type(kind),
                Self::Rfc9068 => false,
            }
    }

    /// Claims that the issuer's ID tokens have and its access tokens never.
    pub(super) fn id_token_signs(&self) -> &'static [&'static str] {
        match self {
            Self::Auth0 | Self::Rfc9068 => &["nonce"],
            Self::Custom(_) => &[],
        }
    }

    /// The claims that hold scopes.
    pub(super) fn scopes<'a>(&self, claims: &'a Claims) -> Result<ScopeClaims<'a>, TokenError> {
        match self {
            Self::Auth0 => Ok(ScopeClaims {
                permissions: ScopeList::read(claims, "permissions", Shape::Listed)?,
                ..ScopeClaims::standard(claims)?
            }),
            Self::Custom(custom) => {
                let own = ScopeList::read(claims, &custom.scopes, Shape::Either)?;
                // A token with both standard claims is held to both; one alone is as configured.
                let other = match (own, custom.scopes.as_str()) {
                    (Some(_), "scope") => ScopeList::read(claims, "scp", Shape::Either)?,
                    (Some(_), "scp") => ScopeList::read(claims, "scope", Shape::Either)?,
                    _ => None,
                };
                Ok(ScopeClaims { lists: [own, other], permissions: None })
            }
            Self::Rfc9068 => ScopeClaims::standard(claims),
        }
    }

    /// The claim that holds authorization details.
    pub(super) fn details_claim(&self) -> &str {
        match self {
            Self::Auth0 | Self::Rfc9068 => "authorization_details",
            Self::Custom(custom) => &custom.details,
        }
    }

    /// The application that calls: what the profile's claims agree on.
    pub(super) fn client<'a>(&self, claims: &'a Claims) -> Result<&'a str, TokenError> {
        // Whatever the profile reads, a token that names two applications names none.
        if let (Some(azp), Some(client)) = (claims.find("azp"), claims.find("client_id"))
            && azp != client
        {
            return Err(TokenError::ClientUnidentified);
        }
        match self {
            Self::Auth0 => agreed(claims, ["azp", "client_id"].into_iter()),
            Self::Custom(custom) => agreed(claims, custom.client.iter().map(String::as_str)),
            Self::Rfc9068 => agreed(claims, ["client_id"].into_iter()),
        }
    }

    /// What the token proves of its subject type.
    pub(super) fn evidence(&self, claims: &Claims, client: &str) -> Evidence {
        match self {
            Self::Auth0 => auth0::evidence(claims, client),
            Self::Custom(custom) => custom.evidence(claims, client),
            Self::Rfc9068 => rfc9068::evidence(claims, client),
        }
    }

    /// The organization that the token was issued for. An `org_name` does not tell it: names change.
    pub(super) fn organization<'a>(&self, claims: &'a Claims) -> Organization<'a> {
        let claim = match self {
            Self::Auth0 | Self::Rfc9068 => "org_id",
            Self::Custom(custom) => &custom.organization,
        };
        let name = claims.find("org_name").filter(|_| claim == "org_id");
        match (claims.find(claim), name) {
            (None, None) => Organization::Absent,
            (Some(Value::String(id)), None | Some(Value::String(_))) if is_printable(id) => {
                Organization::Id(id)
            }
            _ => Organization::Unreadable,
        }
    }

    /// Whose application it is, as far as its id tells: Auth0 gives third parties' ids a prefix.
    pub fn party(&self, client: &str) -> Party {
        match self {
            Self::Auth0 if client.starts_with("tpc_") => Party::Third,
            Self::Auth0 | Self::Custom(_) | Self::Rfc9068 => Party::First,
        }
    }
}

/// The client id that stands in all those of the claims `names` that are there, and in one at least.
fn agreed<'a, 'n>(
    claims: &'a Claims,
    names: impl Iterator<Item = &'n str>,
) -> Result<&'a str, TokenError> {
    let mut agreed: Option<&str> = None;
    for value in names.filter_map(|name| claims.find(name)) {
        match value {
            Value::String(id) if is_name(id) && agreed.is_none_or(|other| other == id) => {
                agreed = Some(id);
            }
            _ => return Err(TokenError::ClientUnidentified),
        }
    }
    agreed.ok_or(TokenError::ClientUnidentified)
}

/// Whether `id` could be an organization's in the configuration.
fn is_printable(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Whether `subject` is the application itself: its id, or as Auth0 writes it (exactly: a user's id
/// may end in `@clients` too).
fn names_client(subject: &str, client: &str) -> bool {
    matches!(subject.strip_prefix(client), Some("" | "@clients"))
}
