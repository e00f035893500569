//! Where the tokens of a kind of issuer say what: the application, its scopes, its organization, and
//! on whose behalf it calls.
//!
//! | | auth0 | cognito | entra | hydra | keycloak | okta | rfc9068 | custom |
//! |---|---|---|---|---|---|---|---|---|
//! | `typ` besides `at+jwt` | `JWT`, absent | `JWT`, absent | `JWT`, absent | `JWT`, absent | `JWT`, absent | `JWT`, absent | | `types`; `none` there admits absent |
//! | marks of an access token | no `nonce` | `token_use` is `access` | no `nonce`; `azp` or `appid` | no `nonce`, no `rat` | `typ` in the payload is `Bearer` or `DPoP` | no `nonce`; `jti` is not `ID.…` | no `nonce` | |
//! | client id | `azp`, `client_id` | `client_id` | `azp`, `appid` | `client_id` | `azp`, `client_id`, `clientId` | `cid` | `client_id` | `claims.client_id` |
//! | audience | `aud` | `aud`, else what the scopes name | `aud` | `aud` | `aud` | `aud` | `aud` | `aud` |
//! | scopes | `scope`, `scp` | `scope`, `scp`: each `identifier/scope` | `scope`, `scp` | `scope`, `scp` | `scope`, `scp` | `scope`, `scp` | `scope`, `scp` | `claims.scopes`; of `scope` and `scp` both |
//! | a user's bound, a client's scopes | `permissions` | | | | | | | |
//! | a client's scopes | | | `roles` | | | | | |
//! | organization | `org_id` | `org_id` | none | `org_id`, also in `ext` | `organization` | `org_id` | `org_id` | `claims.organization` |
//!
//! Several claims for the client id must agree. No access token has `at_hash`, `c_hash` or `s_hash`.
//! The subject type is weighed from all signals of the profile; each profile's file has its table.
//! A new kind of issuer is a variant here and a file beside it.

mod auth0;
mod cognito;
mod custom;
mod entra;
mod evidence;
mod hydra;
mod keycloak;
mod mark;
mod okta;
mod rfc9068;
mod signal;

pub use custom::{Custom, Rule, Test};
pub use evidence::{Evidence, Unproven};
pub use mark::Mark;
pub use signal::{Signal, Sought};

use serde_json::Value;

use super::TokenError;
use super::claims::{Claims, Recipients};
use super::scopes::{ScopeClaims, ScopeList, Shape};
use crate::policy::{Audience, Organization, Party, SubjectType, is_name};

/// A kind of issuer.
#[derive(Clone, Debug)]
pub enum Profile {
    /// Auth0, in any of its token dialects.
    Auth0,
    /// Amazon Cognito's user pools.
    Cognito,
    /// Spelled in the configuration.
    Custom(Box<Custom>),
    /// Microsoft Entra ID, access tokens of versions 1 and 2.
    Entra,
    /// Ory Hydra with JWT access tokens.
    Hydra,
    /// Keycloak.
    Keycloak,
    /// Okta's custom authorization servers.
    Okta,
    /// The JWT profile for access tokens.
    Rfc9068,
}

impl Profile {
    /// Its name, as the configuration writes it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Auth0 => "auth0",
            Self::Cognito => "cognito",
            Self::Custom(_) => "custom",
            Self::Entra => "entra",
            Self::Hydra => "hydra",
            Self::Keycloak => "keycloak",
            Self::Okta => "okta",
            Self::Rfc9068 => "rfc9068",
        }
    }

    /// Whether `typ` is that of an access token. RFC 9068 section 2.1 names two spellings; media
    /// types have no case (RFC 2045 section 5.1).
    pub(super) fn admits_type(&self, kind: Option<&str>) -> bool {
        let is = |name: &str| kind.is_some_and(|kind| kind.eq_ignore_ascii_case(name));
        is("at+jwt")
            || is("application/at+jwt")
            || match self {
                Self::Auth0
                | Self::Cognito
                | Self::Entra
                | Self::Hydra
                | Self::Keycloak
                | Self::Okta => is("JWT") || kind.is_none(),
                Self::Custom(custom) => custom.admits_type(kind),
                Self::Rfc9068 => false,
            }
    }

    /// The mark of an access token that the claims fail to bear, where there is one.
    pub(super) fn failed_mark(&self, claims: &Claims) -> Option<Mark> {
        let own: &[Mark] = match self {
            Self::Auth0 | Self::Rfc9068 => &[Mark::Lacks("nonce")],
            Self::Cognito => cognito::MARKS,
            Self::Custom(_) => &[],
            Self::Entra => entra::MARKS,
            Self::Hydra => hydra::MARKS,
            Self::Keycloak => keycloak::MARKS,
            Self::Okta => okta::MARKS,
        };
        mark::HASHES.iter().chain(own).find(|mark| !mark.is_borne(claims)).copied()
    }

    /// Whom the token is for.
    pub(super) fn recipients<'a>(&self, claims: &'a Claims) -> Result<Recipients<'a>, TokenError> {
        match self {
            Self::Cognito => cognito::recipients(claims),
            _ => claims.recipients(),
        }
    }

    /// The claims that hold scopes. `audiences` are those of the API that is called.
    pub(super) fn scopes<'a>(
        &'a self,
        claims: &'a Claims,
        audiences: &'a [Audience],
    ) -> Result<ScopeClaims<'a>, TokenError> {
        match self {
            Self::Auth0 => Ok(ScopeClaims {
                permissions: ScopeList::read(claims, "permissions", Shape::Listed)?,
                ..ScopeClaims::standard(claims)?
            }),
            Self::Cognito => {
                Ok(ScopeClaims { owners: Some(audiences), ..ScopeClaims::standard(claims)? })
            }
            Self::Custom(custom) => {
                let own = ScopeList::read(claims, &custom.scopes, Shape::Either)?;
                // A token with both standard claims is held to both; one alone is as configured.
                let other = match (own, custom.scopes.as_str()) {
                    (Some(_), "scope") => ScopeList::read(claims, "scp", Shape::Either)?,
                    (Some(_), "scp") => ScopeList::read(claims, "scope", Shape::Either)?,
                    _ => None,
                };
                Ok(ScopeClaims { lists: [own, other], ..ScopeClaims::default() })
            }
            Self::Entra => Ok(ScopeClaims {
                roles: ScopeList::read(claims, "roles", Shape::Listed)?,
                ..ScopeClaims::standard(claims)?
            }),
            Self::Hydra | Self::Keycloak | Self::Okta | Self::Rfc9068 => {
                ScopeClaims::standard(claims)
            }
        }
    }

    /// The claim that holds authorization details.
    pub(super) fn details_claim(&self) -> &str {
        match self {
            Self::Custom(custom) => &custom.details,
            _ => "authorization_details",
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
        agreed(claims, self.client_claims())
    }

    /// The claims that name the application.
    pub(super) fn client_claims(&self) -> impl Iterator<Item = &str> {
        let (known, spelled): (&[&str], &[String]) = match self {
            Self::Auth0 => (&["azp", "client_id"], &[]),
            Self::Cognito | Self::Hydra | Self::Rfc9068 => (&["client_id"], &[]),
            Self::Custom(custom) => (&[], &custom.client),
            Self::Entra => (&["azp", "appid"], &[]),
            Self::Keycloak => (&["azp", "client_id", "clientId"], &[]),
            Self::Okta => (&["cid"], &[]),
        };
        known.iter().copied().chain(spelled.iter().map(String::as_str))
    }

    /// What the token proves of its subject type.
    pub(super) fn evidence(&self, claims: &Claims, client: &str) -> Evidence {
        let mut evidence = Evidence::None;
        self.signals(claims, client, &mut |signal| evidence = evidence.and(signal.evidence));
        evidence
    }

    /// Shows each signal of the subject type, in the order of the profile's table.
    pub(super) fn signals<'a>(
        &'a self,
        claims: &Claims,
        client: &str,
        see: &mut impl FnMut(Signal<'a>),
    ) {
        match self {
            Self::Auth0 => auth0::signals(claims, client).into_iter().for_each(see),
            Self::Cognito => cognito::signals(claims, client).into_iter().for_each(see),
            Self::Custom(custom) => custom.signals(claims, client, see),
            Self::Entra => entra::signals(claims).into_iter().for_each(see),
            Self::Hydra => hydra::signals(claims, client).into_iter().for_each(see),
            Self::Keycloak => keycloak::signals(claims, client).into_iter().for_each(see),
            Self::Okta => okta::signals(claims, client).into_iter().for_each(see),
            Self::Rfc9068 => rfc9068::signals(claims, client).into_iter().for_each(see),
        }
    }

    /// The organization that the token was issued for. An `org_name` does not tell it: names change.
    pub(super) fn organization<'a>(&self, claims: &'a Claims) -> Organization<'a> {
        let standard = || organization(claims.find("org_id"), claims.find("org_name"));
        match self {
            Self::Auth0 | Self::Cognito | Self::Okta | Self::Rfc9068 => standard(),
            Self::Custom(custom) if custom.organization == "org_id" => standard(),
            Self::Custom(custom) => organization(claims.find(&custom.organization), None),
            Self::Entra => Organization::Absent,
            Self::Hydra => hydra::organization(claims),
            Self::Keycloak => keycloak::organization(claims),
        }
    }

    /// Whether any token proves that it is of `subject_type`.
    pub fn can_prove(&self, subject_type: SubjectType) -> bool {
        match (self, subject_type) {
            (Self::Auth0, SubjectType::AnonymousUser) => true,
            (_, SubjectType::AnonymousUser) => false,
            (Self::Custom(custom), SubjectType::Client) => !custom.machine.is_empty(),
            (Self::Custom(custom), SubjectType::User) => !custom.user.is_empty(),
            (_, SubjectType::Client | SubjectType::User) => true,
        }
    }

    /// Whether tokens name organizations at all.
    pub fn names_organizations(&self) -> bool {
        !matches!(self, Self::Entra)
    }

    /// Whether a token can name the organization with this id: those of Auth0 are marked as what they are.
    pub fn can_name(&self, organization: &str) -> bool {
        match self {
            Self::Auth0 => organization.starts_with("org_"),
            Self::Entra => false,
            _ => true,
        }
    }

    /// Whose application it is, as far as its id tells: Auth0 gives third parties' ids a prefix.
    pub fn party(&self, client: &str) -> Party {
        match self {
            Self::Auth0 if client.starts_with("tpc_") => Party::Third,
            _ => Party::First,
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

/// An organization by its id, where that is a name; a name without an id does not tell it.
fn organization<'a>(id: Option<&'a Value>, name: Option<&Value>) -> Organization<'a> {
    match (id, name) {
        (None, None) => Organization::Absent,
        (Some(Value::String(id)), None | Some(Value::String(_))) if is_printable(id) => {
            Organization::Id(id)
        }
        _ => Organization::Unreadable,
    }
}

/// What a claim proves that is a text in the tokens of one subject type, and in those alone.
fn text(claims: &Claims, name: &str, subject_type: SubjectType) -> Evidence {
    match claims.find(name) {
        None => Evidence::None,
        Some(Value::String(text)) if !text.is_empty() => Evidence::Points(subject_type),
        Some(_) => Evidence::Conflict,
    }
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
