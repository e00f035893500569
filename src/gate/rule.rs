//! The rules by number, and which of them each code is of.

use std::fmt;

use super::Code;

/// A rule of the decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Rule {
    /// Which API.
    Api = 1,
    /// Which of its operations.
    Operation,
    /// Whether the token is to be believed.
    Token,
    /// Which application.
    Application,
    /// On whose behalf.
    SubjectType,
    /// What the API's policy asks, and which grant counts.
    Policy,
    /// Until when the grant counts.
    Validity,
    /// For which organizations.
    Organization,
    /// Which scopes at most.
    Ceiling,
    /// Which authorization details at most.
    AuthorizationDetails,
    /// What the operation needs.
    Need,
}

impl Rule {
    /// All of them, in their order.
    pub const ALL: [Self; 11] = [
        Self::Api,
        Self::Operation,
        Self::Token,
        Self::Application,
        Self::SubjectType,
        Self::Policy,
        Self::Validity,
        Self::Organization,
        Self::Ceiling,
        Self::AuthorizationDetails,
        Self::Need,
    ];

    /// Its number, from 1.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Api => "API",
            Self::Operation => "operation",
            Self::Token => "token",
            Self::Application => "application",
            Self::SubjectType => "subject type",
            Self::Policy => "policy",
            Self::Validity => "validity",
            Self::Organization => "organization",
            Self::Ceiling => "ceiling",
            Self::AuthorizationDetails => "authorization details",
            Self::Need => "need",
        }
    }

    /// The rule that refuses with `code`; none where no rule does, but a door before or after all of them.
    /// What a path means is asked twice: before the API is known and after, which `api_known` tells apart.
    pub const fn of(code: Code, api_known: bool) -> Option<Self> {
        Some(match code {
            Code::RequestMalformed | Code::RouteUnknown => Self::Api,
            Code::PathAmbiguous if !api_known => Self::Api,
            Code::MethodRefused | Code::OperationUnlisted | Code::PathAmbiguous => Self::Operation,
            Code::CredentialAmbiguous
            | Code::KeysUnavailable
            | Code::SenderConstraintInvalid
            | Code::SenderConstraintMissing
            | Code::TokenAlgorithmRefused
            | Code::TokenAudienceMismatch
            | Code::TokenClaimMissing
            | Code::TokenExpired
            | Code::TokenIssuerUnknown
            | Code::TokenKeyUnknown
            | Code::TokenMalformed
            | Code::TokenMissing
            | Code::TokenNotYetValid
            | Code::TokenSignatureInvalid
            | Code::TokenTooLarge
            | Code::TokenTypeRefused => Self::Token,
            Code::ClientUnidentified => Self::Application,
            Code::SubjectTypeAmbiguous => Self::SubjectType,
            Code::GrantMissing | Code::PolicyDeniesAll => Self::Policy,
            Code::GrantExpired => Self::Validity,
            Code::OrganizationDenied
            | Code::OrganizationNotAssociated
            | Code::OrganizationRequired => Self::Organization,
            Code::ScopeExceedsGrant => Self::Ceiling,
            Code::AuthorizationDetailsExceedGrant => Self::AuthorizationDetails,
            Code::ScopeInsufficient | Code::ScopeNotGranted => Self::Need,
            Code::BodyTooLarge
            | Code::HostMisdirected
            | Code::Internal
            | Code::LoopDetected
            | Code::Overloaded
            | Code::RequestTimeout
            | Code::UpstreamResponseInvalid
            | Code::UpstreamTimeout
            | Code::UpstreamUnreachable
            | Code::UriTooLong => return None,
        })
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rule {}, {}", self.number(), self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_counted_from_one() {
        let numbers: Vec<_> = Rule::ALL.iter().map(|rule| rule.number()).collect();
        assert_eq!(numbers, (1..=11).collect::<Vec<_>>());
    }

    #[test]
    fn every_code_of_the_tokens_and_policies_statuses_is_a_rules() {
        for &code in Code::ALL {
            let decided = matches!(code.status().as_u16(), 401 | 403 | 404 | 405);
            let rules = [true, false].map(|api_known| Rule::of(code, api_known));
            assert!(!decided || rules.iter().all(Option::is_some), "{code}");
            let twice = rules[0] != rules[1];
            assert_eq!(twice, code == Code::PathAmbiguous, "{code}");
        }
    }
}
