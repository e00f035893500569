//! Worlds: what a configuration says, as plain data.
//!
//! Everything is a `String` or a `Vec`, said once and in the words of the specification. The oracle
//! reads these structs, [`render`](super::render) writes them as YAML for the engine.

/// The time of every request: 2027-01-15T08:00:00Z.
pub(super) const NOW: i32 = 1_800_000_000;

/// A whole configuration.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) issuers: Vec<Issuer>,
    pub(super) apis: Vec<Api>,
    pub(super) grants: Vec<Grant>,
    pub(super) clients: Vec<Client>,
}

#[derive(Clone, Debug)]
pub(super) struct Issuer {
    pub(super) name: String,
    pub(super) profile: Profile,
    /// The default, every asymmetric one, when empty.
    pub(super) algorithms: Vec<String>,
    /// Key ids, and the places of the keys in the ring of [`sign`](super::sign).
    pub(super) keys: Vec<(String, usize)>,
    pub(super) unproven_user: bool,
    /// Half a minute when absent.
    pub(super) leeway: Option<i32>,
}

#[derive(Clone, Debug)]
pub(super) enum Profile {
    Auth0,
    Cognito,
    Custom(Custom),
    Entra,
    Hydra,
    Keycloak,
    Okta,
    Rfc9068,
}

/// The names of all profiles.
pub(super) const PROFILES: [&str; 8] =
    ["auth0", "cognito", "custom", "entra", "hydra", "keycloak", "okta", "rfc9068"];

impl Profile {
    pub(super) fn name(&self) -> &'static str {
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
}

/// A profile that is spelled out in YAML.
#[derive(Clone, Debug)]
pub(super) struct Custom {
    pub(super) client_id: Vec<String>,
    pub(super) scopes: String,
    pub(super) organization: String,
    pub(super) details: String,
    /// `none` stands for a token without `typ`.
    pub(super) types: Vec<String>,
    pub(super) machine: Vec<Sign>,
    pub(super) user: Vec<Sign>,
}

#[derive(Clone, Debug)]
pub(super) struct Sign {
    pub(super) claim: String,
    pub(super) test: SignTest,
}

#[derive(Clone, Debug)]
pub(super) enum SignTest {
    Equals(String),
    Contains(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    Client,
    User,
    AnonymousUser,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Policy {
    RequireClientGrant,
    AllowAll,
    DenyAll,
}

#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is one key of the configuration")]
pub(super) struct Api {
    pub(super) identifier: String,
    pub(super) audiences: Vec<String>,
    pub(super) scopes: Vec<String>,
    pub(super) details: Vec<String>,
    pub(super) user: Policy,
    pub(super) client: Policy,
    /// Not stated when absent.
    pub(super) anonymous_user: Option<Policy>,
    /// Any when empty.
    pub(super) hosts: Vec<String>,
    pub(super) prefix: String,
    pub(super) issuers: Vec<String>,
    pub(super) report: bool,
    pub(super) report_tokens: bool,
    pub(super) trim: bool,
    pub(super) remove_authorization: bool,
    pub(super) unlisted_any_token: bool,
    pub(super) operations: Vec<Operation>,
    pub(super) browsers: Browsers,
    pub(super) websocket_tokens: bool,
}

/// What is done about browsers.
#[derive(Clone, Debug)]
pub(super) enum Browsers {
    Nothing,
    /// `cors`.
    Cors(Cors),
    /// `preflight: pass`.
    Pass,
}

#[derive(Clone, Debug)]
pub(super) struct Cors {
    /// `*` alone means any.
    pub(super) origins: Vec<String>,
    pub(super) methods: Vec<String>,
    pub(super) headers: Vec<String>,
}

#[derive(Clone, Debug)]
pub(super) struct Operation {
    /// `*` alone means any.
    pub(super) methods: Vec<String>,
    pub(super) path: String,
    pub(super) need: Need,
    /// `upgrade: [websocket]`.
    pub(super) upgrade: bool,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Need {
    pub(super) public: bool,
    pub(super) any_token: bool,
    pub(super) scopes: Vec<String>,
    pub(super) any_scopes: Vec<String>,
    pub(super) details: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Usage {
    Deny,
    Allow,
    Require,
}

#[derive(Clone, Debug)]
pub(super) struct Grant {
    pub(super) id: String,
    pub(super) issuer: String,
    /// Absent: `default_for: third_party_clients`.
    pub(super) client: Option<String>,
    pub(super) audience: String,
    pub(super) subject: Subject,
    /// Absent: `allow_all_scopes: true`.
    pub(super) scopes: Option<Vec<String>>,
    pub(super) details: Vec<String>,
    /// Not written when absent.
    pub(super) usage: Option<Usage>,
    pub(super) allow_any_organization: bool,
    pub(super) organizations: Vec<String>,
    /// As written, and in seconds since the epoch.
    pub(super) expires: Option<(&'static str, i32)>,
    pub(super) owner: Option<String>,
}

/// An entry under `clients`.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) issuer: String,
    pub(super) id: String,
    pub(super) first_party: Option<bool>,
    pub(super) permissive: Option<bool>,
}

pub(super) const CLIENTS: [&str; 6] = ["web-app", "batch", "partner", "legacy", "tpc_1", "tpc_2"];
pub(super) const ORGANIZATIONS: [&str; 2] = ["org_acme", "org_zenith"];
pub(super) const SUBJECTS: [Subject; 3] = [Subject::Client, Subject::User, Subject::AnonymousUser];
