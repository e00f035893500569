//! The refusals: every code with its HTTP and gRPC status, its challenge and its sentence, in one table.
//!
//! A code is also the metric label, the record's `code` and the last part of the problem's `type`; it
//! never changes its meaning. What a particular refusal adds (which scopes, whom to ask) is a [`Refusal`].

use std::fmt;
use std::sync::Arc;

use http::{Method, StatusCode};

use crate::policy::Grant;
use crate::token::TokenError;

/// What `WWW-Authenticate` says (RFC 6750 section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// `Bearer` with a realm and no error: no token came, or another one would not help.
    Bare,
    /// `error="insufficient_scope"` with the scopes that are needed.
    InsufficientScope,
    /// `error="invalid_request"`.
    InvalidRequest,
    /// `error="invalid_token"`.
    InvalidToken,
    /// No challenge: this is not about authentication.
    Silent,
}

macro_rules! codes {
    ($($variant:ident $code:literal $status:ident $grpc:literal $challenge:ident $title:literal, $hint:literal;)*) => {
        /// One kind of refusal.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = concat!("`", $code, "`: ", $title, ".")] $variant,)*
        }

        impl Code {
            /// Every code, in the table's order.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The code as it is written everywhere.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// The HTTP status of the answer.
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status,)* }
            }

            /// The status of the answer to a gRPC request.
            pub const fn grpc(self) -> u8 {
                match self { $(Self::$variant => $grpc,)* }
            }

            /// What `WWW-Authenticate` says.
            pub const fn challenge(self) -> Challenge {
                match self { $(Self::$variant => Challenge::$challenge,)* }
            }

            /// What happened, in few words that are the same each time.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }

            /// What the caller can do next.
            pub const fn hint(self) -> &'static str {
                match self { $(Self::$variant => $hint,)* }
            }
        }
    };
}

codes! {
    TokenMissing "token-missing" UNAUTHORIZED 16 Bare
        "no access token came", "send one as `Authorization: Bearer`";
    TokenTooLarge "token-too-large" UNAUTHORIZED 16 InvalidToken
        "the access token is too large", "ask the issuer for a smaller one: 8 KiB is the most";
    TokenMalformed "token-malformed" UNAUTHORIZED 16 InvalidToken
        "the access token is malformed", "get a new one from the issuer and send it unchanged";
    TokenIssuerUnknown "token-issuer-unknown" UNAUTHORIZED 16 InvalidToken
        "the access token's issuer is not trusted here", "get one from an issuer that this API trusts";
    TokenTypeRefused "token-type-refused" UNAUTHORIZED 16 InvalidToken
        "this kind of token is no access token", "send the access token, not an ID token; if it is one, have the gateway's owner compare it with the issuer's profile";
    TokenAlgorithmRefused "token-algorithm-refused" UNAUTHORIZED 16 InvalidToken
        "the access token's signature algorithm is not accepted", "have the issuer sign with an accepted one";
    TokenKeyUnknown "token-key-unknown" UNAUTHORIZED 16 InvalidToken
        "the access token's key is not one of its issuer's", "get a new token from the issuer";
    TokenSignatureInvalid "token-signature-invalid" UNAUTHORIZED 16 InvalidToken
        "the access token's signature does not verify", "get a new token from the issuer and send it unchanged";
    TokenClaimMissing "token-claim-missing" UNAUTHORIZED 16 InvalidToken
        "the access token lacks a claim", "have the issuer add it";
    TokenExpired "token-expired" UNAUTHORIZED 16 InvalidToken
        "the access token has expired", "get a new one";
    TokenNotYetValid "token-not-yet-valid" UNAUTHORIZED 16 InvalidToken
        "the access token is not valid yet", "wait, or compare the clocks of issuer and gateway";
    TokenAudienceMismatch "token-audience-mismatch" UNAUTHORIZED 16 InvalidToken
        "the access token is meant for another API", "ask the issuer for one with this API as its audience";
    SenderConstraintMissing "sender-constraint-missing" UNAUTHORIZED 16 InvalidToken
        "the access token is bound to a key and came without its proof", "this gateway takes unbound tokens only";
    SenderConstraintInvalid "sender-constraint-invalid" UNAUTHORIZED 16 InvalidToken
        "the access token's binding cannot be read", "get a new token from the issuer";
    ClientUnidentified "client-unidentified" UNAUTHORIZED 16 InvalidToken
        "the access token does not tell which application calls", "have the issuer put one client id into it";
    SubjectTypeAmbiguous "subject-type-ambiguous" UNAUTHORIZED 16 InvalidToken
        "the access token does not tell on whose behalf it is used", "compare its claims with the issuer's profile";
    PolicyDeniesAll "policy-denies-all" FORBIDDEN 7 Bare
        "this API admits no application for this subject type", "its policy must be changed by its owner";
    GrantMissing "grant-missing" FORBIDDEN 7 Bare
        "the application has no client grant for this API and subject type", "ask the API's owner for one";
    GrantExpired "grant-expired" FORBIDDEN 7 Bare
        "the application's client grant has expired", "ask the API's owner to renew it";
    OrganizationDenied "organization-denied" FORBIDDEN 7 Bare
        "the client grant admits no organization", "use a token that was issued without one";
    OrganizationRequired "organization-required" FORBIDDEN 7 Bare
        "the client grant asks for an organization", "use a token that was issued for one";
    OrganizationNotAssociated "organization-not-associated" FORBIDDEN 7 Bare
        "the token's organization is not associated with the client grant", "ask the API's owner to associate it";
    ScopeExceedsGrant "scope-exceeds-grant" FORBIDDEN 7 Bare
        "the access token holds scopes above the client grant", "ask for a token without them, or the API's owner to grant them";
    ScopeNotGranted "scope-not-granted" FORBIDDEN 7 Bare
        "the operation needs scopes above the client grant", "ask the API's owner to grant them";
    AuthorizationDetailsExceedGrant "authorization-details-exceed-grant" FORBIDDEN 7 Bare
        "the access token holds authorization details above the client grant", "ask for a token without them, or the API's owner to grant them";
    OperationUnlisted "operation-unlisted" FORBIDDEN 7 Bare
        "the API lists no such operation", "compare the path with the API's description";
    ScopeInsufficient "scope-insufficient" FORBIDDEN 7 InsufficientScope
        "the operation needs scopes that the access token does not hold", "ask the issuer for a token with them";
    CredentialAmbiguous "credential-ambiguous" BAD_REQUEST 3 InvalidRequest
        "more than one credential came", "send one token, in one `Authorization` header";
    RequestMalformed "request-malformed" BAD_REQUEST 3 Silent
        "the request is malformed", "send what HTTP asks for";
    PathAmbiguous "path-ambiguous" BAD_REQUEST 3 Silent
        "the path can be read in more than one way", "send the path in its plain form";
    RouteUnknown "route-unknown" NOT_FOUND 12 Silent
        "no API is served at this host and path", "compare the URL with the API's description";
    MethodRefused "method-refused" METHOD_NOT_ALLOWED 12 Silent
        "the operation is not offered with this method", "use one that `Allow` names";
    HostMisdirected "host-misdirected" MISDIRECTED_REQUEST 12 Silent
        "the connection was made for another host", "connect anew, by the name of the host that is asked for";
    RequestTimeout "request-timeout" REQUEST_TIMEOUT 3 Silent
        "the request stopped coming", "send it without long pauses";
    BodyTooLarge "body-too-large" PAYLOAD_TOO_LARGE 3 Silent
        "the request's body is too large", "send less";
    UriTooLong "uri-too-long" URI_TOO_LONG 3 Silent
        "the request's target is too long", "send a shorter one";
    KeysUnavailable "keys-unavailable" SERVICE_UNAVAILABLE 14 Silent
        "the issuer's keys could not be fetched yet", "try again later";
    Overloaded "overloaded" SERVICE_UNAVAILABLE 14 Silent
        "the gateway has more connections than it may", "try again later";
    UpstreamUnreachable "upstream-unreachable" BAD_GATEWAY 14 Silent
        "the API did not answer", "try again later";
    UpstreamResponseInvalid "upstream-response-invalid" BAD_GATEWAY 14 Silent
        "the API's answer cannot be understood", "try again later";
    UpstreamTimeout "upstream-timeout" GATEWAY_TIMEOUT 4 Silent
        "the API did not answer in time", "try again later";
    Internal "internal" INTERNAL_SERVER_ERROR 13 Silent
        "the gateway failed", "try again later";
    LoopDetected "loop-detected" LOOP_DETECTED 13 Silent
        "the request has come through this gateway before", "have the gateway's owner check its upstreams";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<&TokenError> for Code {
    fn from(error: &TokenError) -> Self {
        match error {
            TokenError::Ambiguous => Self::CredentialAmbiguous,
            TokenError::TooLarge => Self::TokenTooLarge,
            TokenError::Malformed(_) => Self::TokenMalformed,
            TokenError::IssuerUnknown => Self::TokenIssuerUnknown,
            TokenError::TypeRefused => Self::TokenTypeRefused,
            TokenError::AlgorithmRefused => Self::TokenAlgorithmRefused,
            TokenError::KeyUnknown => Self::TokenKeyUnknown,
            TokenError::SignatureInvalid => Self::TokenSignatureInvalid,
            TokenError::ClaimMissing(_) => Self::TokenClaimMissing,
            TokenError::Expired => Self::TokenExpired,
            TokenError::NotYetValid => Self::TokenNotYetValid,
            TokenError::AudienceMismatch => Self::TokenAudienceMismatch,
            TokenError::SenderConstraintMissing => Self::SenderConstraintMissing,
            TokenError::SenderConstraintInvalid => Self::SenderConstraintInvalid,
            TokenError::ClientUnidentified => Self::ClientUnidentified,
            TokenError::SubjectTypeAmbiguous => Self::SubjectTypeAmbiguous,
        }
    }
}

/// One refusal, with what it says beyond its code. Nothing in it is the token, a secret, or another
/// application's affair.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// Its kind.
    pub code: Code,
    /// What was wrong in this case; the code's title is enough when absent.
    pub detail: Option<String>,
    /// Scopes (or authorization details types) that the operation needs and the caller lacks.
    pub missing_scopes: Vec<String>,
    /// Scopes (or types) that the token holds above the ceiling.
    pub excess_scopes: Vec<String>,
    /// Scopes to ask the issuer for.
    pub challenge_scopes: Vec<String>,
    /// Methods that the path is offered with.
    pub allow: Vec<Method>,
    /// The grant that was looked at. Of it the caller learns whom to ask, and nothing else.
    pub grant: Option<Arc<Grant>>,
    /// After how many seconds trying again makes sense.
    pub retry_after: Option<u32>,
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Self {
        Self {
            code,
            detail: None,
            missing_scopes: Vec::new(),
            excess_scopes: Vec::new(),
            challenge_scopes: Vec::new(),
            allow: Vec::new(),
            grant: None,
            retry_after: None,
        }
    }
}

impl From<TokenError> for Refusal {
    fn from(error: TokenError) -> Self {
        Self { detail: Some(error.to_string()), ..Code::from(&error).into() }
    }
}

impl Refusal {
    /// Whom the caller may ask: the grant's owner.
    pub fn contact(&self) -> Option<&str> {
        self.grant.as_ref()?.owner.as_deref()
    }

    /// A refusal that says what was wrong in this case.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..code.into() }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_are_kebab_case_and_distinct() {
        let codes: BTreeSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(codes.len(), Code::ALL.len());
        for code in codes {
            assert!(code.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{code}");
        }
    }

    #[test]
    fn a_challenge_comes_with_every_401_and_403() {
        for &code in Code::ALL {
            let authentication = matches!(code.status().as_u16(), 401 | 403);
            let silent = code.challenge() == Challenge::Silent;
            assert!(authentication != silent || code == Code::CredentialAmbiguous, "{code}");
        }
    }

    /// The table of the specification, written out once more.
    #[test]
    fn each_code_has_the_statuses_that_were_agreed_on() {
        let rows = [
            (
                "token-missing token-too-large token-malformed token-issuer-unknown \
                 token-type-refused token-algorithm-refused token-key-unknown \
                 token-signature-invalid token-claim-missing token-expired token-not-yet-valid \
                 token-audience-mismatch client-unidentified subject-type-ambiguous \
                 sender-constraint-missing sender-constraint-invalid",
                401,
                16,
            ),
            (
                "policy-denies-all grant-missing grant-expired organization-denied \
                 organization-required organization-not-associated scope-exceeds-grant \
                 scope-not-granted authorization-details-exceed-grant operation-unlisted \
                 scope-insufficient",
                403,
                7,
            ),
            ("credential-ambiguous request-malformed path-ambiguous", 400, 3),
            ("route-unknown", 404, 12),
            ("method-refused", 405, 12),
            ("host-misdirected", 421, 12),
            ("request-timeout", 408, 3),
            ("body-too-large", 413, 3),
            ("uri-too-long", 414, 3),
            ("keys-unavailable overloaded", 503, 14),
            ("upstream-unreachable upstream-response-invalid", 502, 14),
            ("upstream-timeout", 504, 4),
            ("internal", 500, 13),
            ("loop-detected", 508, 13),
        ];
        let agreed: BTreeSet<_> = rows
            .iter()
            .flat_map(|(codes, http, grpc)| codes.split(' ').map(move |code| (code, *http, *grpc)))
            .collect();
        let codes = Code::ALL.iter();
        let ours = codes.map(|code| (code.as_str(), code.status().as_u16(), code.grpc())).collect();
        assert_eq!(agreed, ours);
    }
}
