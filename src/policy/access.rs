//! Whom an application acts for, and what an API's policy says for each of them.

/// On whose behalf an application calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SubjectType {
    /// Someone who did not sign in.
    AnonymousUser,
    /// The application itself: machine to machine.
    Client,
    /// A signed-in user.
    User,
}

impl SubjectType {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::AnonymousUser, Self::Client, Self::User];

    /// Auth0's word, as in configuration, records and headers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AnonymousUser => "anonymous_user",
            Self::Client => "client",
            Self::User => "user",
        }
    }
}

/// What an API asks of applications that act for users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// No grant is needed; the ceiling is every scope that the API declares.
    AllowAll,
    /// Nobody, whatever grants exist.
    DenyAll,
    /// A client grant, which is the ceiling.
    RequireClientGrant,
}

/// What an API asks of applications that act for themselves or for anonymous users:
/// `allow_all` cannot be said here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StrictPolicy {
    /// Nobody, whatever grants exist.
    #[default]
    DenyAll,
    /// A client grant, which is the ceiling.
    RequireClientGrant,
}

impl From<StrictPolicy> for Policy {
    fn from(policy: StrictPolicy) -> Self {
        match policy {
            StrictPolicy::DenyAll => Self::DenyAll,
            StrictPolicy::RequireClientGrant => Self::RequireClientGrant,
        }
    }
}

/// An API's policies (`subject_type_authorization`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// For anonymous users; `deny_all` where nothing is stated.
    pub anonymous_user: StrictPolicy,
    /// For applications themselves.
    pub client: StrictPolicy,
    /// For signed-in users.
    pub user: Policy,
}

impl Access {
    /// The policy for one subject type.
    pub fn policy(&self, subject_type: SubjectType) -> Policy {
        match subject_type {
            SubjectType::AnonymousUser => self.anonymous_user.into(),
            SubjectType::Client => self.client.into(),
            SubjectType::User => self.user,
        }
    }
}
