//! Small configurations, edits of them, and requests.

use std::cell::OnceCell;
use std::fmt::{self, Write};
use std::sync::Arc;

use grantgate::config::snapshot::{RemoteKeys, Snapshot};
use grantgate::config::{Source, load};
use grantgate::gate::{Env, Keys, Shown, Step, Supposed, Verdict};
use grantgate::policy::{Issuer, UnixTime};
use grantgate::token::{KeySet, Parsed, VerifiedCache};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::disk::{Fake, NOW, root};

pub const ISSUER: &str = "https://a.example/";
pub const API: &str = "https://api.example";
pub const OTHER_AUDIENCE: &str = "api://other";
pub const SCOPES: [&str; 4] = ["a", "b", "c", "openid"];
pub const DETAILS: [&str; 2] = ["payment", "loan"];
pub const CLIENTS: [&str; 5] = ["web", "batch", "theirs", "nobody", "tpc_x"];
const PATHS: [&str; 7] = ["/x", "/x/{id}", "/x/new", "/x/new/*", "/{any}/new", "/x/*", "/y/"];
const METHODS: [&str; 4] = ["GET", "POST", "GET,PUT", "*"];
const ENDS: [&str; 3] = ["2001-01-01T00:00:00Z", "2030-01-01T00:00:00Z", "2032-01-01T00:00:00Z"];

/// A configuration of one API.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the configuration")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    declared: u8,
    policies: [u8; 3],
    trim: bool,
    unlisted: bool,
    report: u8,
    audience: bool,
    operations: Vec<(u8, u8, u8, u8)>,
    third: bool,
    grants: Vec<Grant>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    holder: u8,
    subject: u8,
    scopes: u8,
    details: u8,
    organizations: u8,
    end: u8,
}

/// A change of something.
#[derive(Clone, Debug)]
pub enum Edit {
    Audience,
    Declared(u8),
    Grant(usize, u8, u8),
    GrantGone(usize),
    GrantNew(Box<Grant>),
    Need(usize, u8, u8),
    OperationGone(usize),
    OperationNew((u8, u8, u8, u8)),
    Policy(u8, u8),
    Report(u8),
    Third,
    Trim,
    Unlisted,
}

impl Arbitrary for Grant {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        // Tokens of this kind of issuer are never of anonymous users.
        (0..4_u8, 1..3_u8, 0..16_u8, 0..4_u8, 0..6_u8, 0..6_u8)
            .prop_map(|(holder, subject, scopes, details, organizations, end)| Self {
                holder,
                subject,
                scopes,
                details,
                organizations,
                end,
            })
            .boxed()
    }
}

fn operation() -> impl Strategy<Value = (u8, u8, u8, u8)> {
    (0..4_u8, 0..7_u8, 0..8_u8, 0..8_u8)
}

impl Arbitrary for Site {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        (
            any::<u8>(),
            (1..3_u8, 0..2_u8, 1..3_u8),
            (any::<bool>(), any::<bool>(), 0..5_u8, any::<bool>(), any::<bool>()),
            prop::collection::vec(operation(), 0..5),
            prop::collection::vec(any::<Grant>(), 0..5),
        )
            .prop_map(|(declared, (user, anonymous, client), flags, operations, grants)| {
                let (trim, unlisted, report, audience, third) = flags;
                Self {
                    declared,
                    policies: [anonymous, client, user],
                    trim,
                    unlisted: unlisted && trim,
                    report,
                    audience,
                    operations,
                    third,
                    grants,
                }
                .right()
            })
            .boxed()
    }
}

impl Arbitrary for Edit {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        prop_oneof![
            Just(Self::Audience),
            any::<u8>().prop_map(Self::Declared),
            Just(Self::Declared(3)),
            (0..5_usize, 0..4_u8, any::<u8>()).prop_map(|(at, what, to)| Self::Grant(at, what, to)),
            (0..5_usize, 0..4_u8, any::<u8>()).prop_map(|(at, what, to)| Self::Grant(at, what, to)),
            (0..5_usize).prop_map(Self::GrantGone),
            any::<Grant>().prop_map(|grant| Self::GrantNew(Box::new(grant))),
            (0..5_usize, 0..8_u8, 0..8_u8).prop_map(|(at, need, of)| Self::Need(at, need, of)),
            (0..5_usize, 0..8_u8, 0..8_u8).prop_map(|(at, need, of)| Self::Need(at, need, of)),
            (0..5_usize).prop_map(Self::OperationGone),
            operation().prop_map(Self::OperationNew),
            (0..3_u8, 0..3_u8).prop_map(|(of, to)| Self::Policy(of, to)),
            (0..5_u8).prop_map(Self::Report),
            Just(Self::Third),
            Just(Self::Trim),
            Just(Self::Unlisted),
        ]
        .boxed()
    }
}

/// Some of `names`, by bits.
fn some(names: &[&str], bits: u8) -> Vec<String> {
    let chosen = names.iter().enumerate().filter(|(at, _)| bits & (1 << at) != 0);
    chosen.map(|(_, name)| (*name).to_owned()).collect()
}

impl Site {
    /// Without what a configuration refuses.
    fn right(mut self) -> Self {
        self.declared |= 1;
        let mut kept: Vec<(u8, u8, u8, u8)> = Vec::new();
        for one in std::mem::take(&mut self.operations) {
            if kept.iter().all(|other| other.1 != one.1) {
                kept.push(one);
            }
        }
        self.operations = kept;
        let mut grants: Vec<Grant> = Vec::new();
        for one in std::mem::take(&mut self.grants) {
            if grants.iter().all(|other| (other.holder, other.subject) != (one.holder, one.subject))
            {
                grants.push(one);
            }
        }
        self.grants = grants;
        if self.report == 3 || self.report == 4 {
            // What is denied to all is not let through.
            self.policies = self.policies.map(|policy| policy.max(1));
        }
        self
    }

    pub fn change(&mut self, edit: &Edit) {
        match edit {
            Edit::Audience => self.audience = !self.audience,
            Edit::Declared(bits) => self.declared ^= 1 << (bits % 8),
            Edit::Grant(at, what, to) => {
                if let Some(grant) = self.grants.get_mut(*at) {
                    match what {
                        0 => grant.scopes ^= 1 << (to % 4),
                        1 => grant.details ^= 1 << (to % 2),
                        2 => grant.organizations = to % 6,
                        _ => grant.end = to % 6,
                    }
                }
            }
            Edit::GrantGone(at) if *at < self.grants.len() => drop(self.grants.remove(*at)),
            Edit::GrantNew(grant) => self.grants.push((**grant).clone()),
            Edit::Need(at, need, of) => {
                if let Some(operation) = self.operations.get_mut(*at) {
                    (operation.2, operation.3) = (*need, *of);
                }
            }
            Edit::OperationGone(at) if *at < self.operations.len() => {
                self.operations.remove(*at);
            }
            Edit::GrantGone(_) | Edit::OperationGone(_) => {}
            Edit::OperationNew(operation) => self.operations.push(*operation),
            Edit::Policy(of, to) => self.policies[usize::from(*of)] = *to,
            Edit::Report(to) => self.report = *to,
            Edit::Third => self.third = !self.third,
            Edit::Trim => self.trim = !self.trim,
            Edit::Unlisted => self.unlisted = !self.unlisted,
        }
        *self = self.clone().right();
    }

    pub fn load(&self) -> Snapshot {
        let source = Source::new("gateway.yaml", self.to_string());
        match load(&[source], &Fake { folder: root() }, NOW) {
            Ok(loaded) => loaded.snapshot,
            Err(report) => panic!("{report}"),
        }
    }
}

/// As a configuration is written.
impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let declared = some(&SCOPES, self.declared & 15);
        let details = some(&DETAILS, self.declared >> 4 & 3);
        let policy = |of: usize| match (of, self.policies[of]) {
            (_, 0) => "deny_all",
            (2, 2) => "allow_all",
            _ => "require_client_grant",
        };
        let report = self.report == 3 || self.report == 4;
        let listed = |names: &[String]| names.join(", ");
        let scopes: Vec<_> = declared.iter().map(|scope| format!("{{value: {scope}}}")).collect();
        let types: Vec<_> = details.iter().map(|name| format!("{{type: {name}}}")).collect();
        let mut operations = String::new();
        for &(method, path, need, of) in &self.operations {
            let (method, path) = (METHODS[usize::from(method)], PATHS[usize::from(path)]);
            let some_scopes = some(&SCOPES, of.max(1));
            let held: Vec<_> =
                some_scopes.into_iter().filter(|scope| declared.contains(scope)).collect();
            let asked = match need {
                0 if method != "*" => "public: true".to_owned(),
                1 | 2 if !held.is_empty() => format!("scopes: [{}]", listed(&held)),
                3..=5 if !held.is_empty() => format!("any_scopes: [{}]", listed(&held)),
                6 if !held.is_empty() => {
                    format!("scopes: [a], any_scopes: [{}]", listed(&held))
                }
                7 if !details.is_empty() => {
                    format!("authorization_details: [{}]", details[0])
                }
                _ => "any_token: true".to_owned(),
            };
            let _ = writeln!(operations, "        - {{on: '{method} {path}', {asked}}}");
        }
        let mut grants = String::new();
        for grant in &self.grants {
            let holder = match grant.holder {
                3 => "default_for: third_party_clients".to_owned(),
                at => format!("client_id: {}", CLIENTS[usize::from(at)]),
            };
            let subject = ["anonymous_user", "client", "user"][usize::from(grant.subject)];
            let scopes = listed(&some(&SCOPES, grant.scopes));
            let _ = write!(grants, "  - {{{holder}, subject_type: {subject}, scope: [{scopes}]");
            if subject == "user" {
                let types = listed(&some(&DETAILS, grant.details));
                let _ = write!(grants, ", authorization_details_types: [{types}]");
            }
            if subject == "client" {
                grants.push_str(match grant.organizations {
                    0 | 1 => "",
                    2 => ", organization_usage: require, organizations: [org_a]",
                    3 => ", organization_usage: allow, organizations: [org_a, org_b]",
                    4 if grant.holder < 2 => {
                        ", organization_usage: allow, allow_any_organization: true"
                    }
                    4 => ", organization_usage: allow",
                    _ => ", organization_usage: require",
                });
            }
            if let Some(end) = ENDS.get(usize::from(grant.end)) {
                let _ = write!(grants, ", expires_at: '{end}'");
            }
            grants.push_str("}\n");
        }
        if grants.is_empty() {
            grants.push_str("  []\n");
        }
        writeln!(f, "issuers: [{{issuer: '{ISSUER}', profile: auth0, jwks: {{keys: []}}}}]")?;
        writeln!(f, "clients: [{{client_id: theirs, is_first_party: {}}}]", !self.third)?;
        writeln!(f, "resource_servers:\n  - identifier: {API}")?;
        writeln!(
            f,
            "    scopes: [{}]\n    authorization_details: [{}]",
            scopes.join(", "),
            types.join(", ")
        )?;
        writeln!(f, "    subject_type_authorization:")?;
        for (of, name) in ["anonymous_user", "client", "user"].iter().enumerate() {
            writeln!(f, "      {name}: {{policy: {}}}", policy(of))?;
        }
        writeln!(f, "    gate:\n      upstream: http://127.0.0.1:9\n      authorization: remove")?;
        writeln!(f, "      over_ceiling: {}", if self.trim { "trim" } else { "reject" })?;
        writeln!(f, "      unlisted: {}", if self.unlisted { "any_token" } else { "deny" })?;
        if self.audience {
            writeln!(f, "      audiences: ['{OTHER_AUDIENCE}']")?;
        }
        if report {
            writeln!(f, "      enforcement: report\n      report_tokens: {}", self.report == 4)?;
        }
        let none = if operations.is_empty() { " []" } else { "" };
        writeln!(f, "      operations:{none}\n{operations}client_grants:\n{grants}")
    }
}

/// A request, and what its token says.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    pub path: String,
    /// None where no token comes.
    pub token: Option<Token>,
}

#[derive(Clone, Debug)]
pub struct Token {
    pub audience: &'static str,
    pub client: String,
    pub is_user: bool,
    pub scopes: Vec<String>,
    /// A second claim with scopes: of both, the union must be allowed and the intersection is used.
    pub further: Option<Vec<String>>,
    pub details: Vec<String>,
    pub organization: Option<&'static str>,
}

/// Any request.
pub fn request() -> impl Strategy<Value = Asked> {
    let path = prop::sample::select(vec![
        "/",
        "/x",
        "/x/",
        "/X",
        "/x/1",
        "/x/new",
        "/x/NEW",
        "/x/new/",
        "/x/new/1",
        "/x/new/1/2",
        "/x/1/2",
        "/z/new",
        "/z",
        "/y/",
        "/y",
        "/y/new",
    ]);
    let method = prop::sample::select(vec!["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"]);
    let names = || (0..32_u8).prop_map(|bits| some(&["a", "b", "c", "openid", "zzz"], bits));
    let token = (
        prop::bool::weighted(0.2),
        prop::sample::select(CLIENTS.to_vec()),
        any::<bool>(),
        names(),
        prop::option::weighted(0.2, names()),
        (0..8_u8).prop_map(|bits| {
            if bits > 5 { Vec::new() } else { some(&["payment", "loan", "other"], bits) }
        }),
        prop::sample::select(vec![None, None, Some("org_a"), Some("org_b"), Some("org_z")]),
    );
    let token =
        token.prop_map(|(other, client, is_user, scopes, further, details, organization)| {
            let audience = if other { OTHER_AUDIENCE } else { API };
            let client = client.to_owned();
            Token { audience, client, is_user, scopes, further, details, organization }
        });
    (method, path, prop::option::weighted(0.95, token)).prop_map(|(method, path, token)| Asked {
        method: method.to_owned(),
        path: path.to_owned(),
        token,
    })
}

struct NoKeys;

impl Keys for NoKeys {
    fn find(&self, _: &Issuer, _: &RemoteKeys) -> Option<&KeySet> {
        None
    }
}

impl Asked {
    /// What the gate decides at a time, in one line: with what may be used, where it is allowed.
    pub fn decide(&self, snapshot: &Snapshot, now: UnixTime) -> String {
        let shown = match &self.token {
            None => Shown::Nothing,
            Some(token) => Shown::Claims(token.claims(now)),
        };
        let url = format!("https://any.example{}", self.path);
        let supposed = Supposed::new(&self.method, &url, shown, snapshot, None).unwrap();
        let cache = VerifiedCache::with_capacity(0);
        let held: OnceCell<Arc<Parsed>> = OnceCell::new();
        let step = supposed.ask(snapshot, &Env { keys: &NoKeys, cache: &cache, now }, &held);
        let (Step::Done(outcome) | Step::NeedKeys { otherwise: outcome, .. }) = step;
        match (&outcome.verdict, outcome.api) {
            (Verdict::Pass(permit), Some(served)) => {
                let scopes: Vec<_> = served.api.scopes.of(permit.scopes()).collect();
                let mut details: Vec<_> = served.api.details.of(permit.details()).collect();
                let mut scopes: Vec<_> = scopes.into_iter().map(ToString::to_string).collect();
                scopes.sort();
                details.sort();
                let token = !matches!(permit.basis(), grantgate::policy::Basis::Public);
                format!("allowed {token} {scopes:?} {details:?}")
            }
            (Verdict::WouldRefuse(..), _) => "would be refused".to_owned(),
            _ => "refused".to_owned(),
        }
    }
}

impl Token {
    fn claims(&self, now: UnixTime) -> Map<String, Value> {
        let mut claims = json!({
            "iss": ISSUER,
            "aud": self.audience,
            "azp": self.client,
            "sub": if self.is_user { "auth0|1".to_owned() } else { format!("{}@clients", self.client) },
            "exp": now.seconds() + 60,
            "scope": self.scopes.join(" "),
        });
        let object = claims.as_object_mut().unwrap();
        if !self.is_user {
            object.insert("gty".to_owned(), json!("client-credentials"));
        }
        if let Some(further) = &self.further {
            object.insert("scp".to_owned(), json!(further));
        }
        if let Some(organization) = self.organization {
            object.insert("org_id".to_owned(), json!(organization));
        }
        if !self.details.is_empty() {
            let details: Vec<_> = self.details.iter().map(|name| json!({"type": name})).collect();
            object.insert("authorization_details".to_owned(), json!(details));
        }
        object.clone()
    }
}
