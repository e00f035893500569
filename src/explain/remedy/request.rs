//! What is done where no change of the configuration helps: the request, the token or the issuer is otherwise.

use super::Advice;
use crate::gate::{Code, Refusal};

/// What the caller does instead. `last` refuses where something helped against `first`.
pub(super) fn words(first: &Refusal, last: Option<&Refusal>) -> String {
    let advice = of(first);
    match last {
        Some(last) => format!(
            "{advice}; if the configuration let that pass, `{}` would refuse next: {}",
            last.code,
            of(last)
        ),
        None => advice,
    }
}

/// A change was found, and could not be told.
pub(super) fn unwritten() -> Advice {
    Advice::Request("the files cannot be edited: change them by hand".to_owned())
}

fn of(refusal: &Refusal) -> String {
    let said = match refusal.code {
        Code::TokenMissing => "send an access token as `Authorization: Bearer`",
        Code::TokenExpired => "get a new access token: this one has expired",
        Code::TokenNotYetValid => {
            "wait until the token is valid, or compare the clocks of issuer and gateway"
        }
        Code::TokenTypeRefused => "send the access token: an ID token, or another kind, was shown",
        Code::TokenKeyUnknown | Code::TokenSignatureInvalid => {
            "get a new access token from the issuer and send it unchanged: nothing in the \
            configuration makes this signature a good one"
        }
        Code::TokenAudienceMismatch => {
            "ask the issuer for a token whose audience is this API's identifier"
        }
        Code::TokenIssuerUnknown => {
            "ask an issuer that this API trusts for a token, or add this one under `issuers` with the \
            profile of its tokens"
        }
        Code::ClientUnidentified => {
            "have the issuer put one client id into its tokens, where its profile looks for it"
        }
        Code::SubjectTypeAmbiguous => {
            "have the issuer's tokens tell users from machines: what this one says contradicts itself"
        }
        Code::OrganizationDenied | Code::OrganizationNotAssociated => {
            "have the issuer name the organization by its id: this token's cannot be told"
        }
        Code::AuthorizationDetailsExceedGrant => {
            "ask for a token without authorization details: grants for this subject type give none"
        }
        Code::PathAmbiguous => "send the path in its plain form, as it is listed",
        Code::RequestMalformed => "send a method and a path that are served over HTTP",
        Code::RouteUnknown => {
            "compare host and path with the `gate.hosts` and `gate.path_prefix` of the APIs"
        }
        Code::KeysUnavailable => {
            "nothing is decided without the issuer's keys: ask again when they can be fetched"
        }
        code => code.hint(),
    };
    said.to_owned()
}
