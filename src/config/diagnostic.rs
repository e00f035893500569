//! One problem of the configuration: its code, its place, what is wrong, what to write instead.
//!
//! The table of codes is here; each row is one code, how bad it is, and what it means. A code never
//! changes its meaning. [`super::Report`] gathers what this file describes.

use super::place::Place;
use super::tree::Span;

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The configuration is refused.
    Error,
    /// The configuration is taken, and somebody should look.
    Warning,
}

impl Severity {
    /// `error` or `warning`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// Declares [`Code`] from one table: `Variant, "kebab-case", Severity, "what it means";`.
macro_rules! codes {
    ($($variant:ident, $text:literal, $severity:ident, $meaning:literal;)+) => {
        /// What kind of problem it is, under a name that never changes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $meaning] $variant,)+
        }

        impl Code {
            /// Every code, in the table's order.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)+];

            /// The code as people see it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $text,)+ }
            }

            /// How bad it is.
            pub const fn severity(self) -> Severity {
                match self { $(Code::$variant => Severity::$severity,)+ }
            }

            /// What it means, in one sentence.
            pub const fn meaning(self) -> &'static str {
                match self { $(Code::$variant => $meaning,)+ }
            }
        }
    };
}

codes! {
    // The text: what no YAML or JSON reader, or no reader of ours, takes.
    ConfigEmpty, "config-empty", Error, "The file is empty.";
    ConfigTooLarge, "config-too-large", Error, "The file is longer, or nested deeper, than is read.";
    ConfigUnreadable, "config-unreadable", Error, "A file or folder cannot be read, or not as what it should be.";
    DocumentsSeveral, "documents-several", Error, "The file holds more than one YAML document.";
    YamlAlias, "yaml-alias", Error, "A YAML alias (`*name`) is used.";
    YamlAnchor, "yaml-anchor", Error, "A YAML anchor (`&name`) is used.";
    YamlMergeKey, "yaml-merge-key", Error, "A YAML merge key (`<<`) is used.";
    YamlSyntax, "yaml-syntax", Error, "The file is not well-formed YAML or JSON.";
    YamlTag, "yaml-tag", Error, "A YAML tag (`!name`) is used.";

    // The shape: keys that nobody knows, values of another kind than is meant.
    KeyDuplicate, "key-duplicate", Error, "A key is written twice in one mapping.";
    KeyMissing, "key-missing", Error, "A key that must be written is not.";
    KeyNotText, "key-not-text", Error, "A mapping's key is a list, a mapping or nothing.";
    KeyUnknown, "key-unknown", Error, "A key is not known where it is written.";
    KindWrong, "kind-wrong", Error, "A value is of another kind than its key takes.";
    StringUnquoted, "string-unquoted", Error, "A number, date or truth value is written without quotes where text is meant.";
    ValueUnknown, "value-unknown", Error, "A value is not one of those that its key takes.";

    // The sources as a whole.
    ClientGrantsMissing, "client-grants-missing", Error, "No file has the key `client_grants`.";
    EndMarkerMissing, "end-marker-missing", Error, "A file does not end with `...` although `reload.end_marker`, or what stands last in a tenant export, requires it.";
    SectionSpelledTwice, "section-spelled-twice", Error, "A file has a section in Grantgate's spelling and in that of a tenant export.";
    SectionTwice, "section-twice", Error, "A section other than a list is written in two files.";
    SourcesMissing, "sources-missing", Error, "There is no file at all.";

    // Values that say something else than their key takes.
    AdminRemote, "admin-remote", Error, "The admin listener can be reached from other machines, and nobody said that it may.";
    AddressInvalid, "address-invalid", Error, "A text is not an address to listen on, or a socket is not named by its whole path.";
    DurationInvalid, "duration-invalid", Error, "A text is not a duration, or one out of bounds.";
    ListEmpty, "list-empty", Error, "A list is empty, and left out it would mean everything.";
    ListenTwice, "listen-twice", Error, "Two listeners cannot both have their address.";
    LogLevelInvalid, "log-level-invalid", Error, "A text is neither a log level nor a filter.";
    NameInvalid, "name-invalid", Error, "A name is empty or holds a character that it may not.";
    NetworkInvalid, "network-invalid", Error, "A text is not a network.";
    SizeInvalid, "size-invalid", Error, "A text is not a size, or one out of bounds.";
    TimeInvalid, "time-invalid", Error, "A text is not a date and time.";
    TrustedProxiesEverybody, "trusted-proxies-everybody", Error, "Everybody would be a trusted proxy.";
    UrlInvalid, "url-invalid", Error, "A text is not a URL, or one that cannot be used here.";

    // Files and secrets that the configuration names.
    FileUnreadable, "file-unreadable", Error, "A file that the configuration names cannot be read.";
    SecretLiteral, "secret-literal", Error, "A secret is written out instead of referred to.";
    SecretMissing, "secret-missing", Error, "A secret is not where its reference says.";
    SecretWeak, "secret-weak", Error, "A secret is shorter than its algorithm allows.";

    // TLS.
    AuthoritiesInvalid, "authorities-invalid", Error, "A file of certificate authorities cannot be used.";
    CertificateInvalid, "certificate-invalid", Error, "A certificate and its private key cannot be used.";
    ClientAuthConflict, "client-auth-conflict", Error, "What is asked of clients and the authorities that could prove it do not fit.";

    // Issuers.
    AlgorithmRefused, "algorithm-refused", Error, "A signature algorithm is unknown or not for an issuer.";
    IssuerAmbiguous, "issuer-ambiguous", Error, "Several issuers could be meant, and none is named.";
    IssuerDuplicate, "issuer-duplicate", Error, "An issuer is configured twice.";
    IssuerUnknown, "issuer-unknown", Error, "An issuer is named that is not configured.";
    IssuersMissing, "issuers-missing", Error, "An API is served and no issuer is configured.";
    KeysAmbiguous, "keys-ambiguous", Error, "An issuer's keys come from two places.";
    KeysInvalid, "keys-invalid", Error, "A key set or key cannot be used.";
    ProfileMismatch, "profile-mismatch", Error, "Keys of the profile `custom` are written for another profile, or are missing.";

    // APIs and their gates.
    AllowAllRefused, "allow-all-refused", Error, "`allow_all` is the policy for applications themselves or for anonymous users.";
    CorsConflict, "cors-conflict", Error, "What is said about pages of other origins cannot hold together.";
    DetailsTypeUnregistered, "details-type-unregistered", Error, "An authorization details type is used that the API does not register.";
    HostInvalid, "host-invalid", Error, "A text is neither a host nor `*.suffix`.";
    HsSecretIssuers, "hs-secret-issuers", Error, "An API with a secret of its own does not trust exactly one issuer.";
    OpenapiInvalid, "openapi-invalid", Error, "A document that a gate names is no OpenAPI document of 3.0 or 3.1.";
    OpenapiUnlisted, "openapi-unlisted", Error, "An operation that a document describes and that is left out would be open to any token.";
    OperationDuplicate, "operation-duplicate", Error, "Two operations have path and method in common.";
    OperationInvalid, "operation-invalid", Error, "A text is not methods and a path.";
    OperationNeedConflict, "operation-need-conflict", Error, "An operation says both what it needs and that it needs nothing.";
    OperationNeedMissing, "operation-need-missing", Error, "An operation does not say what it needs.";
    OperationOutside, "operation-outside", Error, "An operation's path lies outside the API's `path_prefix`.";
    OperationPublicMethods, "operation-public-methods", Error, "A public operation does not name its methods.";
    OperationUpgradeMethods, "operation-upgrade-methods", Error, "An operation that may become a WebSocket is not offered with `GET`.";
    OriginInvalid, "origin-invalid", Error, "A text is not the origin of a page.";
    OriginsMissing, "origins-missing", Error, "Tokens of WebSocket clients are taken, and the origins are not listed that they count from.";
    PoliciesMissing, "policies-missing", Error, "A served API does not state its policy for users or for applications.";
    PrefixInvalid, "prefix-invalid", Error, "A text is not a path prefix.";
    ProofOfPossessionUnsupported, "proof-of-possession-unsupported", Error, "Sender-constrained tokens are required, which is not enforced yet.";
    ReportDeniesAll, "report-denies-all", Error, "An API denies all and only reports its refusals.";
    ResourceServerDuplicate, "resource-server-duplicate", Error, "An API, or a key of it, is configured twice.";
    ScopeUndeclared, "scope-undeclared", Error, "An operation asks for a scope that the API does not declare.";
    SiteDuplicate, "site-duplicate", Error, "Two APIs have host and prefix in common.";
    TrimKeepsAuthorization, "trim-keeps-authorization", Error, "What is trimmed would still reach the upstream in the token.";
    UpstreamTlsUnused, "upstream-tls-unused", Error, "TLS is configured for an upstream that is not `https://`.";

    // Grants and applications.
    AllScopesWithScopes, "all-scopes-with-scopes", Error, "A grant gives all scopes and lists some.";
    AnyOrganizationThirdParty, "any-organization-third-party", Error, "A third party's grant admits every organization.";
    AudienceAmbiguous, "audience-ambiguous", Error, "A grant does not say which of several APIs it is for.";
    ClientAmbiguous, "client-ambiguous", Error, "A name in a tenant export may mean several applications.";
    ClientDuplicate, "client-duplicate", Error, "An application, or a key of it, is listed twice.";
    ClientThirdParty, "client-third-party", Error, "An application is listed as one's own, and its id is a third party's.";
    ClientUnknown, "client-unknown", Error, "A tenant export names an application whose id is not known.";
    GrantDuplicate, "grant-duplicate", Error, "Two grants have issuer, application, API and subject type in common.";
    GrantHolder, "grant-holder", Error, "A grant does not name exactly one of `client_id` and `default_for`.";
    GrantIdDuplicate, "grant-id-duplicate", Error, "Two grants have one id.";
    GrantRulesMisplaced, "grant-rules-misplaced", Error, "A grant has rules of another subject type than its own.";
    GrantScopeMissing, "grant-scope-missing", Error, "A grant does not say which scopes it gives.";
    GrantScopeTwice, "grant-scope-twice", Error, "A grant has both `scope` and `scopes`.";

    // Policy suites.
    PolicyTestFailed, "policy-test-failed", Error, "A case of a policy suite that is required is not decided as it says.";
    PolicyTestInvalid, "policy-test-invalid", Error, "A case of a policy suite cannot be asked.";

    // The Management API.
    ManagementGrant, "management-grant", Error, "A grant for the Management API gives more than such a grant may.";
    ManagementReserved, "management-reserved", Error, "An API or issuer has a name that is the Management API's.";

    // Legal, and suspicious.
    AllowInvalid, "allow-invalid", Warning, "A comment is about to allow a warning, and allows none.";
    AllowUnused, "allow-unused", Warning, "A comment allows a warning that is not there.";
    AudienceShared, "audience-shared", Warning, "Tokens for one API are taken by another.";
    CertificateExpired, "certificate-expired", Warning, "A certificate of a listener has expired.";
    ClientUnused, "client-unused", Warning, "An application is listed that nothing is about.";
    EnforcementReport, "enforcement-report", Warning, "An API lets through what its policies refuse.";
    GrantElsewhere, "grant-elsewhere", Warning, "A grant is for an API that is not here.";
    GrantExpiresSoon, "grant-expires-soon", Warning, "A grant expires within 14 days, or has expired.";
    GrantPointless, "grant-pointless", Warning, "A grant has no effect.";
    GrantScopeUndeclared, "grant-scope-undeclared", Warning, "A grant lists a scope or details type that the API does not declare.";
    GrantWiderThanNeeded, "grant-wider-than-needed", Warning, "Grants give a scope that no operation asks for.";
    GrpcDowngraded, "grpc-downgraded", Warning, "An operation looks like a gRPC method, and HTTP/2 is not spoken on its whole way.";
    IssuerUnused, "issuer-unused", Warning, "An issuer is configured that no API trusts.";
    KeySkipped, "key-skipped", Warning, "A key of a key set is left out because it cannot be used.";
    KeysPlaintext, "keys-plaintext", Warning, "An issuer's keys are fetched by plain HTTP.";
    NothingServed, "nothing-served", Warning, "No API has a gate, so that every request is answered with 404.";
    OpenapiUnmapped, "openapi-unmapped", Warning, "Something that an OpenAPI document describes has no counterpart, and is left out.";
    OperationAsksLess, "operation-asks-less", Warning, "A more specific operation asks less than the one that covers it.";
    OperationUnreachable, "operation-unreachable", Warning, "An operation asks what no grant gives as a whole.";
    OrganizationUnpresentable, "organization-unpresentable", Warning, "A grant admits an organization that no token of its issuer can name.";
    OrganizationsUnused, "organizations-unused", Warning, "A grant lists organizations and admits none.";
    ProtectionUnenforced, "protection-unenforced", Warning, "A protection is stated that the gate does not enforce.";
    ReportTokensUnused, "report-tokens-unused", Warning, "`report_tokens` is written where refusals are enforced.";
    ScopeUngranted, "scope-ungranted", Warning, "A declared scope is given by no grant.";
    ScopeUnused, "scope-unused", Warning, "A declared scope is asked for by no operation, and given by no grant.";
    UnlistedAnyToken, "unlisted-any-token", Warning, "Paths that no operation lists are open to any token.";
    UserAllowAll, "user-allow-all", Warning, "Every application may act for its users without a grant.";
}

/// One problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its kind.
    pub code: Code,
    /// The place that it concerns.
    pub place: Place,
    /// Where it stands, when that is more exact than its place.
    pub span: Option<Span>,
    /// Whether the place's key is what is wrong, rather than the value.
    pub on_key: bool,
    /// What is wrong: one line, lower-case, no period, the text's own words in backticks.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
    /// Other places that have to do with it.
    pub related: Vec<Related>,
}

/// Another place that has to do with a problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Related {
    /// The place.
    pub place: Place,
    /// Where it stands, when that is more exact than its place.
    pub span: Option<Span>,
    /// What it has to do with the problem.
    pub message: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_kebab_case_and_told_apart() {
        let mut seen = std::collections::BTreeSet::new();
        for code in Code::ALL {
            let text = code.as_str();
            assert!(text.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{text}");
            assert!(seen.insert(text), "`{text}` stands twice");
            assert!(code.meaning().ends_with('.'), "{text}");
        }
    }
}
