//! Why a token is refused. What varies is a fixed text: nothing of the token can get into an error.

/// Why a token is refused; the variants stand in the order in which they are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// More than one credential came.
    #[error("the request carries more than one credential")]
    Ambiguous,
    /// The token is longer than any that is read.
    #[error("the token is too large")]
    TooLarge,
    /// The token is no JWT of the shape that is accepted, or a claim has a wrong JSON type.
    #[error("the token is malformed: {0}")]
    Malformed(&'static str),
    /// The token's issuer is not the one that is trusted.
    #[error("the token's issuer is not trusted here")]
    IssuerUnknown,
    /// The token is of another kind than an access token.
    #[error("the token is not an access token")]
    TypeRefused,
    /// The token's algorithm is not accepted, or not for its key.
    #[error("the token's signature algorithm is not accepted")]
    AlgorithmRefused,
    /// No known key is the one that the token names. Fresh keys may help.
    #[error("the key that signed the token is not known")]
    KeyUnknown,
    /// The signature is not that of the key. Fresh keys may help.
    #[error("the token's signature is not valid")]
    SignatureInvalid,
    /// A claim that must be there is not.
    #[error("the token has no `{0}` claim")]
    ClaimMissing(&'static str),
    /// The token's time is over.
    #[error("the token has expired")]
    Expired,
    /// The token's time has not come.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// The token is for somebody else.
    #[error("the token is for another audience")]
    AudienceMismatch,
    /// The token is bound to a key of its sender, of which no proof came (RFC 7800).
    #[error("the token is bound to its sender, and no proof came with it")]
    SenderConstraintMissing,
    /// The token is bound to its sender in a way that cannot be read.
    #[error("the token is bound to its sender in a way that cannot be read")]
    SenderConstraintInvalid,
    /// The token does not say which application calls, or says it in two ways that differ.
    #[error("the token does not say which application calls")]
    ClientUnidentified,
    /// The token does not prove on whose behalf the application calls, or contradicts itself.
    #[error("the token does not prove on whose behalf the application calls")]
    SubjectTypeAmbiguous,
}
