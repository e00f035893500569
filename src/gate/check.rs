//! The rules in order. The first that fails names the code.
//!
//! | rule | by |
//! |---|---|
//! | 1 API, 2 operation | [`crate::route`] |
//! | between them: preflights, where the API says so | `preflight` |
//! | 3 token | [`crate::token`] |
//! | 4 application, 5 subject type | the issuer's profile |
//! | 6 policy … 11 need | [`crate::policy`] |
//!
//! What is wrong with the token is said before what is wrong with the operation, so that strangers
//! cannot tell operations apart; only on a path that has a public operation is nothing hidden. Where an
//! API only reports, refusals of rules 4 to 11 and unlisted operations pass and are remembered.

use std::cell::OnceCell;
use std::sync::Arc;

use crate::config::snapshot::{
    Browsers, IssuerSettings, KeySource, Operation, RemoteKeys, ServedApi, Snapshot, Unlisted,
};
use crate::policy::{
    self, Ask, Decision, Denial, Enforcement, Issuer, Need, Party, Permit, Reason, SubjectType,
    UnixTime,
};
use crate::route::Found;
use crate::token::{self, KeySet, Parsed, Terms, TokenError, Verified, VerifiedCache, Way};

use super::{Call, Caller, Code, Listener, Outcome, Preflight, Refusal, Verdict};

/// What is at hand when a call is checked.
#[derive(Clone, Copy)]
pub struct Env<'a> {
    /// The keys that were fetched.
    pub keys: &'a dyn Keys,
    /// The tokens that were verified.
    pub cache: &'a VerifiedCache,
    /// The one time of this call.
    pub now: UnixTime,
}

/// The keys that were fetched. They are told apart by issuer *and* source, so that an issuer whose
/// source was changed never verifies with the keys of the old one.
pub trait Keys {
    /// The keys of `issuer` from `source`; none when they never came.
    fn find(&self, issuer: &Issuer, source: &RemoteKeys) -> Option<&KeySet>;
}

/// How far a check came.
#[derive(Debug)]
pub enum Step<'a> {
    /// To its end.
    Done(Outcome<'a>),
    /// It lacks keys of an issuer, or those at hand may be old.
    NeedKeys {
        /// Whose keys to fetch before asking again.
        issuer: &'a IssuerSettings,
        /// The key that the token names, where none of the issuer's is called so.
        kid: Option<&'a str>,
        /// What stands when there are no newer ones.
        otherwise: Outcome<'a>,
    },
}

/// Checks `call` by the rules in order. The parsed token is left in `held`, which outlives the outcome
/// that speaks of it.
pub fn check<'a>(
    snapshot: &'a Snapshot,
    env: &Env<'_>,
    call: &Call<'_>,
    held: &'a OnceCell<Arc<Parsed>>,
) -> Step<'a> {
    let mut outcome = Outcome {
        verdict: Verdict::Refuse(Code::RouteUnknown.into()),
        api: None,
        operation: None,
        caller: None,
    };
    let sites = match (call.listener, &snapshot.management) {
        (Listener::Traffic, _) => &snapshot.sites,
        (Listener::Management, Some(management)) => &management.sites,
        (Listener::Management, None) => return Step::Done(outcome),
    };
    let site = match sites.find(&call.host, &call.path) {
        Ok(site) => site,
        Err(near) => {
            let refusal = Refusal::new(Code::PathAmbiguous, near.to_string());
            outcome.verdict = Verdict::Refuse(refusal);
            return Step::Done(outcome);
        }
    };
    let Some(served) = site.and_then(|site| snapshot.apis.get(site)) else {
        return Step::Done(outcome);
    };
    outcome.api = Some(served);
    if let Some(verdict) = call.preflight.as_ref().and_then(|asked| answer(served, asked, call)) {
        outcome.verdict = verdict;
        return Step::Done(outcome);
    }

    let target = Target::find(served, call);
    if let Target::Operation(operation) = &target {
        outcome.operation = Some(operation);
        if let Some(permit) = Permit::public(&operation.ask) {
            outcome.verdict = Verdict::Pass(permit);
            return Step::Done(outcome);
        }
    }
    if let Target::Refused { refusal, open: true } = target {
        outcome.verdict = Verdict::Refuse(refusal);
        return Step::Done(outcome);
    }

    let authentication = authenticate(snapshot, served, env, call, outcome.operation, held);
    let lacking = authentication.as_ref().err().and_then(|halt| halt.lacking);
    outcome.verdict = match (authentication, target) {
        (Err(Halt { refusal, .. }), Target::Refused { .. }) if !reported(served, refusal.code) => {
            Verdict::Refuse(refusal)
        }
        (_, Target::Refused { refusal, .. }) => Verdict::Refuse(refusal),
        (Err(Halt { refusal, .. }), _) => settle(served, refusal),
        (Ok((issuer, verified)), target) => {
            let caller = outcome.caller.insert(Caller {
                issuer: &issuer.trust.issuer,
                until: verified.until(),
                client: None,
                identity: None,
            });
            authorize(snapshot, served, env.now, issuer, &verified, &target, caller)
                .map_or_else(|refusal| settle(served, refusal), Verdict::Pass)
        }
    };
    match lacking {
        Some(Lack { issuer, kid }) => Step::NeedKeys { issuer, kid, otherwise: outcome },
        None => Step::Done(outcome),
    }
}

/// A preflight's verdict, before all other rules: browsers send no token with it. Nothing where it is
/// decided like any other request: where nothing is said about browsers, where the operation that it asks
/// about is not listed, and where it would bring a token along.
fn answer(served: &ServedApi, asked: &Preflight<'_>, call: &Call<'_>) -> Option<Verdict> {
    match &served.browsers {
        Browsers::None => None,
        Browsers::Cors(cors) => Some(Verdict::Preflight(asked.is_allowed(cors))),
        Browsers::Preflights => match served.operations.find(&asked.method, &call.path) {
            Found::Operation(operation) if !asked.has_token => {
                Some(Verdict::Pass(Permit::preflight(&operation.ask)))
            }
            _ => None,
        },
    }
}

/// What a call aims at, once its API is known.
enum Target<'a> {
    /// A listed operation.
    Operation(&'a Operation),
    /// Nothing that any token may call; `open` where the path's public operation leaves nothing to hide.
    Refused { refusal: Refusal, open: bool },
    /// A path that is not listed.
    Unlisted,
}

impl<'a> Target<'a> {
    fn find(served: &'a ServedApi, call: &Call<'_>) -> Self {
        let open = |operations: &[&Operation]| {
            operations.iter().any(|operation| matches!(operation.ask, Ask::Public))
        };
        match served.operations.find(call.method, &call.path) {
            Found::Operation(operation) => Self::Operation(operation),
            Found::OtherMethods { allow, values } => {
                let refusal = Refusal { allow, ..Code::MethodRefused.into() };
                Self::Refused { refusal, open: open(&values) }
            }
            Found::Near { values } => {
                let detail = "it differs from a listed path only by case or a trailing slash";
                let refusal = Refusal::new(Code::PathAmbiguous, detail);
                Self::Refused { refusal, open: open(&values) }
            }
            Found::Unlisted => Self::Unlisted,
        }
    }
}

/// Why there is no verified token.
struct Halt<'a> {
    refusal: Refusal,
    /// The newer keys that could change that.
    lacking: Option<Lack<'a>>,
}

/// Keys that are not there.
#[derive(Clone, Copy)]
struct Lack<'a> {
    issuer: &'a IssuerSettings,
    kid: Option<&'a str>,
}

impl<R: Into<Refusal>> From<R> for Halt<'_> {
    fn from(refusal: R) -> Self {
        Self { refusal: refusal.into(), lacking: None }
    }
}

/// Rule 3: the token, from the header's text to verified claims.
fn authenticate<'a>(
    snapshot: &'a Snapshot,
    served: &'a ServedApi,
    env: &Env<'_>,
    call: &Call<'_>,
    operation: Option<&Operation>,
    held: &'a OnceCell<Arc<Parsed>>,
) -> Result<(&'a IssuerSettings, Verified<'a>), Halt<'a>> {
    let credential = call.credential?.ok_or(Code::TokenMissing)?;
    if !counts(credential.way(), served, operation) {
        let detail = "a token among the subprotocols counts where the operation may become a \
            WebSocket and the API takes such tokens, from pages of its origins";
        return Err(Refusal::new(Code::TokenMissing, detail).into());
    }
    let cached = env.cache.find(credential.token());
    let verified_by = cached.as_ref().map(|(_, key)| *key);
    let parsed = match (held.get(), cached) {
        (Some(parsed), _) => parsed,
        (None, Some((parsed, _))) => held.get_or_init(|| parsed),
        (None, None) => {
            let parsed = Arc::new(Parsed::parse(credential.token())?);
            held.get_or_init(|| parsed)
        }
    };

    let name = parsed.issuer()?;
    let issuer = served
        .issuers
        .iter()
        .filter_map(|&place| snapshot.issuers.get(place))
        .find(|issuer| issuer.trust.issuer.as_str() == name)
        .ok_or(TokenError::IssuerUnknown)?;
    let (keys, remote) = match &issuer.keys {
        KeySource::Fixed(keys) => (Some(&**keys), false),
        KeySource::Remote(source) => (env.keys.find(&issuer.trust.issuer, source), true),
    };
    let terms = Terms {
        trust: &issuer.trust,
        keys,
        secret: served.secret.as_ref(),
        audiences: &served.audiences,
    };
    match token::verify(parsed, verified_by, &terms, env.now) {
        Ok(verified) => {
            if verified_by != verified.key() {
                env.cache.insert(&verified);
            }
            Ok((issuer, verified))
        }
        Err(error) => {
            let lacks = match error {
                TokenError::KeyUnknown => true,
                TokenError::SignatureInvalid => !parsed.is_signed_with_secret(),
                _ => false,
            };
            let refusal = if keys.is_none() && error == TokenError::KeyUnknown {
                keys_unavailable(&issuer.trust.issuer)
            } else {
                error.into()
            };
            let kid = parsed.kid().filter(|_| error == TokenError::KeyUnknown);
            Err(Halt { refusal, lacking: (remote && lacks).then_some(Lack { issuer, kid }) })
        }
    }
}

/// Whether a credential that came this way is one. A page may be anybody's: tokens that browsers can send
/// without knowing whose page it is count where they are expected, and from the pages that may send them.
fn counts(way: Way<'_>, served: &ServedApi, operation: Option<&Operation>) -> bool {
    match way {
        Way::Header => true,
        Way::Subprotocol { origin } => {
            operation.is_some_and(|operation| operation.websocket)
                && origin.is_some_and(|origin| served.takes_websocket_tokens_of(origin))
        }
    }
}

/// No keys: asking again helps as soon as they are there, and the guard knows when that may be.
fn keys_unavailable(issuer: &Issuer) -> Refusal {
    Refusal {
        retry_after: Some(1),
        ..Refusal::new(Code::KeysUnavailable, format!("no keys of `{issuer}` are at hand"))
    }
}

/// Rules 4 to 11, and the operation that is not listed.
fn authorize<'a>(
    snapshot: &'a Snapshot,
    served: &'a ServedApi,
    now: UnixTime,
    issuer: &'a IssuerSettings,
    verified: &Verified<'a>,
    target: &Target<'_>,
    caller: &mut Caller<'a>,
) -> Result<Permit, Refusal> {
    let client = verified.client();
    caller.client = client.as_ref().ok().copied();
    let any_token = Need::default();
    let need = match target {
        Target::Operation(Operation { ask: Ask::Token(need), .. }) => need,
        Target::Unlisted if served.unlisted == Unlisted::AnyToken => &any_token,
        // A public operation and a refused target were answered before; a doubt is a refusal.
        _ => return Err(Code::OperationUnlisted.into()),
    };
    let client = client?;
    let identity = caller.identity.insert(verified.identity()?);
    let listed = snapshot.clients.find(&issuer.trust.issuer, client);
    let party = listed.unwrap_or(identity.party);
    let presented = identity.present(party, &served.api);
    match policy::decide(&served.api, &presented, need, now) {
        Decision::Allow(permit) => Ok(permit),
        Decision::Deny(denial) => {
            Err(refusal(denial, served, client, identity.subject_type, party))
        }
    }
}

/// A refusal as the API's enforcement has it.
fn settle(served: &ServedApi, refusal: Refusal) -> Verdict {
    match Permit::reported(&served.api) {
        Some(permit) if reported(served, refusal.code) => Verdict::WouldRefuse(permit, refusal),
        Some(_) | None => Verdict::Refuse(refusal),
    }
}

/// Whether the API lets a request pass that this code would refuse. Never where the request itself is
/// doubtful (400), or aims at nothing (404, 405), or keys are missing.
fn reported(served: &ServedApi, code: Code) -> bool {
    let Enforcement::Report { tokens } = served.api.enforcement else {
        return false;
    };
    match code {
        Code::ClientUnidentified | Code::SubjectTypeAmbiguous => true,
        _ => match code.status().as_u16() {
            401 => tokens,
            403 => true,
            _ => false,
        },
    }
}

/// A denial in words for the caller: who, what for, and what to do about it.
fn refusal(
    denial: Denial,
    served: &ServedApi,
    client: &str,
    subject_type: SubjectType,
    party: Party,
) -> Refusal {
    let audience = &served.api.identifier;
    let kind = subject_type.as_str();
    let whose = match party {
        Party::First => "application",
        Party::Third => "third-party application",
    };
    let who = format!("{whose} `{client}`, subject type `{kind}`, API `{audience}`");
    let mut refusal = Refusal::new(Code::from(&denial.reason), who);
    refusal.grant = denial.grant;
    match denial.reason {
        Reason::ScopeExceedsGrant { excess }
        | Reason::AuthorizationDetailsExceedGrant { excess } => {
            refusal.excess_scopes = excess;
        }
        Reason::ScopeInsufficient { missing, challenge } => {
            refusal.missing_scopes = missing;
            refusal.challenge_scopes = challenge;
        }
        Reason::ScopeNotGranted { missing } => refusal.missing_scopes = missing,
        Reason::GrantExpired
        | Reason::GrantMissing
        | Reason::OrganizationDenied
        | Reason::OrganizationNotAssociated
        | Reason::OrganizationRequired
        | Reason::PolicyDeniesAll => {}
    }
    refusal
}

impl From<&Reason> for Code {
    fn from(reason: &Reason) -> Self {
        match reason {
            Reason::PolicyDeniesAll => Self::PolicyDeniesAll,
            Reason::GrantMissing => Self::GrantMissing,
            Reason::GrantExpired => Self::GrantExpired,
            Reason::OrganizationDenied => Self::OrganizationDenied,
            Reason::OrganizationRequired => Self::OrganizationRequired,
            Reason::OrganizationNotAssociated => Self::OrganizationNotAssociated,
            Reason::ScopeExceedsGrant { .. } => Self::ScopeExceedsGrant,
            Reason::AuthorizationDetailsExceedGrant { .. } => Self::AuthorizationDetailsExceedGrant,
            Reason::ScopeInsufficient { .. } => Self::ScopeInsufficient,
            Reason::ScopeNotGranted { .. } => Self::ScopeNotGranted,
        }
    }
}
