//! What a decision was made from, read once more for people, by the same code that the decision reads it with.

use crate::config::snapshot::{IssuerSettings, ServedApi, Snapshot};
use crate::gate::{Outcome, Refusal, Supposed, Verdict};
use crate::policy::{Basis, Grant, GrantKind, NameSet, Party, Permit, Presented, UnixTime};
use crate::token::{Identity, Parsed, Reading};

use crate::gate::Rule;

/// A question, its answer, and what lies behind both.
pub(super) struct Case<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) supposed: &'a Supposed,
    pub(super) outcome: &'a Outcome<'a>,
    pub(super) parsed: Option<&'a Parsed>,
    pub(super) now: UnixTime,
    /// Why it is, or would be, refused.
    pub(super) refusal: Option<&'a Refusal>,
    pub(super) refused_by: Option<Rule>,
    /// The issuer that the token names, among those that the API trusts.
    pub(super) issuer: Option<&'a IssuerSettings>,
    /// What its profile reads in the token.
    pub(super) reading: Option<Reading<'a>>,
    /// What the decision weighed, where it came so far.
    pub(super) presented: Option<Presented<'a>>,
}

impl<'a> Case<'a> {
    pub(super) fn new(
        snapshot: &'a Snapshot,
        supposed: &'a Supposed,
        outcome: &'a Outcome<'a>,
        parsed: Option<&'a Parsed>,
        now: UnixTime,
    ) -> Self {
        let refusal = match &outcome.verdict {
            Verdict::Refuse(refusal) | Verdict::WouldRefuse(_, refusal) => Some(refusal),
            Verdict::Pass(_) | Verdict::Preflight(_) => None,
        };
        let served = outcome.api;
        let named = parsed.and_then(|parsed| parsed.issuer().ok());
        let issuer = served.zip(named).and_then(|(served, named)| {
            let trusted = served.issuers.iter().filter_map(|&place| snapshot.issuers.get(place));
            trusted.into_iter().find(|issuer| issuer.trust.issuer.as_str() == named)
        });
        let reading = parsed.zip(issuer).zip(served).map(|((parsed, issuer), served)| {
            parsed.through(&issuer.trust.profile, &served.audiences)
        });
        let mut case = Self {
            snapshot,
            supposed,
            outcome,
            parsed,
            now,
            refusal,
            refused_by: refusal.and_then(|refusal| Rule::of(refusal.code, served.is_some())),
            issuer,
            reading,
            presented: None,
        };
        case.presented = served
            .zip(case.identity())
            .zip(case.party())
            .map(|((served, identity), party)| identity.present(party, &served.api));
        case
    }

    /// Whether the operation asks for no token.
    pub(super) fn is_public(&self) -> bool {
        self.permit().is_some_and(|permit| matches!(permit.basis(), Basis::Public))
    }

    pub(super) fn permit(&self) -> Option<&'a Permit> {
        match &self.outcome.verdict {
            Verdict::Pass(permit) => Some(permit),
            Verdict::Preflight(_) | Verdict::Refuse(_) | Verdict::WouldRefuse(..) => None,
        }
    }

    pub(super) fn identity(&self) -> Option<&'a Identity<'a>> {
        self.outcome.caller.as_ref()?.identity.as_ref()
    }

    pub(super) fn client(&self) -> Option<&'a str> {
        self.outcome.caller.as_ref()?.client
    }

    /// What the configuration says of the application.
    pub(super) fn listed(&self) -> Option<Party> {
        let caller = self.outcome.caller.as_ref()?;
        self.snapshot.clients.find(caller.issuer, caller.client?)
    }

    /// Whose application it is: what the configuration says stands above what its id tells.
    pub(super) fn party(&self) -> Option<Party> {
        let (issuer, client) = (self.issuer?, self.client()?);
        Some(self.listed().unwrap_or_else(|| issuer.trust.profile.party(client)))
    }

    /// The grant that counts.
    pub(super) fn counted(&self) -> Option<&'a Grant> {
        let allowed = self.permit().and_then(Permit::grant);
        let refused = self.refusal.and_then(|refusal| refusal.grant.as_ref());
        allowed.or(refused).map(|grant| &**grant)
    }

    /// Whether the policy let the call through without a grant.
    pub(super) fn is_open(&self) -> bool {
        let later = self.refused_by.is_some_and(|rule| rule > Rule::Policy);
        let passed = self.permit().is_some_and(|permit| matches!(permit.basis(), Basis::Open));
        passed || (later && self.counted().is_none())
    }

    /// The scopes that may be used at most; none where nothing gives any.
    pub(super) fn ceiling(&self, served: &'a ServedApi) -> Option<&'a NameSet> {
        match self.counted() {
            Some(grant) => Some(&grant.ceiling),
            None => self.is_open().then(|| served.api.scopes.all()),
        }
    }

    /// The authorization details types that may be used at most; none where nothing gives any.
    pub(super) fn detail_ceiling(&self, served: &'a ServedApi) -> Option<&'a NameSet> {
        static NONE: NameSet = NameSet::EMPTY;
        match self.counted().map(|grant| &grant.kind) {
            Some(GrantKind::User { details }) => Some(details),
            Some(GrantKind::AnonymousUser | GrantKind::Client { .. }) => Some(&NONE),
            None => self.is_open().then(|| served.api.details.all()),
        }
    }
}
