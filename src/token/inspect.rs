//! A token taken apart for people to look at: all that it says, and what a profile reads in it.
//!
//! Nothing here is believed and nothing is decided: no key is asked for, and what the gate would refuse
//! is shown all the same. What a profile reads is read by the code that decides.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::claims::Claims;
use super::scopes::ScopeList;
use super::{Evidence, Mark, Parsed, Profile, Signal, TokenError, json};
use crate::policy::{Audience, Organization, UnixTime};

/// What a token says, believed or not.
pub struct Inspected {
    head: Map<String, Value>,
    claims: Claims,
    fault: Option<TokenError>,
}

impl Inspected {
    /// Reads what can be read of a token: more than the gate takes.
    ///
    /// # Errors
    /// Why the gate refuses its shape, where there are no two objects to show.
    pub fn read(token: &str) -> Result<Self, TokenError> {
        let fault = Parsed::parse(token).err();
        let mut parts = token.split('.').map(|part| part.trim_end_matches('='));
        let mut next = || parts.next().and_then(object);
        match (next(), next(), fault) {
            (Some(head), Some(claims), fault) => {
                Ok(Self { head, claims: Claims::new(claims), fault })
            }
            (_, _, fault) => Err(fault.unwrap_or(TokenError::Malformed("it has not three parts"))),
        }
    }

    /// Takes claims for those of a token, which there is none of.
    ///
    /// # Errors
    /// When the text is no JSON object.
    pub fn of_claims(text: &str) -> Result<Self, TokenError> {
        let claims = json::object(text.as_bytes()).or_else(|| serde_json::from_str(text).ok());
        let claims = claims.ok_or(TokenError::Malformed("the claims are not a JSON object"))?;
        Ok(Self { head: Map::new(), claims: Claims::new(claims), fault: None })
    }

    /// The head; empty where there are claims alone.
    pub fn head(&self) -> &Map<String, Value> {
        &self.head
    }

    /// The claims.
    pub fn claims(&self) -> &Map<String, Value> {
        self.claims.all()
    }

    /// Why the gate refuses the token's shape, if it does.
    pub fn fault(&self) -> Option<TokenError> {
        self.fault
    }

    /// The time in a claim, where it is one that the gate reads.
    pub fn time(&self, claim: &str) -> Option<UnixTime> {
        self.claims.time(claim).ok().flatten()
    }

    /// What `profile` reads in the token, for an API that has these audiences.
    pub fn through<'a>(&'a self, profile: &'a Profile, audiences: &'a [Audience]) -> Reading<'a> {
        let admits_type = match self.head.get("typ") {
            // Claims alone have no head to say it.
            None if self.head.is_empty() => true,
            None => profile.admits_type(None),
            Some(kind) => kind.as_str().is_some_and(|kind| profile.admits_type(Some(kind))),
        };
        Reading::of(&self.claims, admits_type, profile, audiences)
    }
}

/// What people are shown of a token that the gate takes apart.
impl Parsed {
    /// The claim as it came.
    pub fn claim(&self, name: &str) -> Option<&Value> {
        self.claims().find(name)
    }

    /// The time in a claim, where it is one that the gate reads.
    pub fn time(&self, claim: &str) -> Option<UnixTime> {
        self.claims().time(claim).ok().flatten()
    }

    /// What `profile` reads in the token, for an API that has these audiences.
    pub fn through<'a>(&'a self, profile: &'a Profile, audiences: &'a [Audience]) -> Reading<'a> {
        let admits_type = profile.admits_type(self.head().kind.as_deref());
        Reading::of(self.claims(), admits_type, profile, audiences)
    }
}

impl fmt::Debug for Inspected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Inspected(..)")
    }
}

/// What a profile reads in a token.
#[derive(Debug)]
pub struct Reading<'a> {
    /// Whether the head's `typ` is that of an access token.
    pub admits_type: bool,
    /// The mark of an access token that is not borne.
    pub failed_mark: Option<Mark>,
    /// The application.
    pub client: Result<&'a str, TokenError>,
    /// The claims that may name it.
    pub client_claims: Vec<&'a str>,
    /// Each row of the profile's table.
    pub signals: Vec<Signal<'a>>,
    /// What they prove together.
    pub evidence: Evidence,
    /// The claims that hold scopes.
    pub scopes: Result<Vec<ScopesRead<'a>>, TokenError>,
    /// The organization.
    pub organization: Organization<'a>,
    /// The types of its authorization details, one for each.
    pub details: Result<Vec<&'a str>, TokenError>,
}

impl<'a> Reading<'a> {
    fn of(
        claims: &'a Claims,
        admits_type: bool,
        profile: &'a Profile,
        audiences: &'a [Audience],
    ) -> Self {
        // No claim is equal to what no application is called.
        const NOBODY: &str = "\0";

        let client = profile.client(claims);
        let mut signals = Vec::new();
        profile.signals(claims, client.unwrap_or(NOBODY), &mut |signal| signals.push(signal));
        Self {
            admits_type,
            failed_mark: profile.failed_mark(claims),
            client,
            client_claims: profile.client_claims().collect(),
            signals,
            evidence: profile.evidence(claims, client.unwrap_or(NOBODY)),
            scopes: profile.scopes(claims, audiences).map(|scopes| {
                let [first, second] = scopes.lists.map(|list| (list, "scopes"));
                let permissions = (scopes.permissions, "a client's scopes, a user's bound");
                let roles = (scopes.roles, "a client's scopes, nothing of a user's");
                [first, second, permissions, roles].into_iter().filter_map(ScopesRead::of).collect()
            }),
            organization: profile.organization(claims),
            details: claims.details(profile.details_claim()).map(|details| {
                let types = details.iter().filter_map(|detail| detail.get("type")?.as_str());
                types.collect()
            }),
        }
    }
}

/// A claim that holds scopes.
#[derive(Debug)]
pub struct ScopesRead<'a> {
    /// The claim.
    pub claim: &'a str,
    /// What they are, in words.
    pub meaning: &'static str,
    /// What it holds, as it is written.
    pub scopes: Vec<&'a str>,
}

impl<'a> ScopesRead<'a> {
    fn of((list, meaning): (Option<ScopeList<'a>>, &'static str)) -> Option<Self> {
        list.map(|list| Self { claim: list.claim, meaning, scopes: list.iter().collect() })
    }
}

/// A part of the token, also where the gate would refuse how it is written.
fn object(part: &str) -> Option<Map<String, Value>> {
    let text = URL_SAFE_NO_PAD.decode(part).ok()?;
    json::object(&text).or_else(|| serde_json::from_slice(&text).ok())
}
