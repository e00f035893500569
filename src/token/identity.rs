//! From a verified token to the facts that the decision weighs: which application calls, on whose
//! behalf, and with what, in the words of the API that is called.

use super::claims::type_of;
use super::scopes::{Owner, ScopeClaims, ScopeList};
use super::{TokenError, Verified};
use crate::policy::{
    Api, DetailTypes, Issuer, NameSet, Organization, Party, Presented, Scopes, SubjectType,
};
use serde_json::Value;

/// Who calls, as a verified token says it.
#[derive(Clone, Copy, Debug)]
pub struct Identity<'a> {
    /// Who issued the token.
    pub issuer: &'a Issuer,
    /// The application's id at that issuer.
    pub client: &'a str,
    /// `sub`.
    pub subject: Option<&'a str>,
    /// On whose behalf the application calls.
    pub subject_type: SubjectType,
    /// The organization that the token was issued for.
    pub organization: Organization<'a>,
    /// Whose application it is, as far as its id alone tells. What the configuration says of the
    /// application stands above it.
    pub party: Party,
    scopes: ScopeClaims<'a>,
    details: &'a [Value],
}

impl<'a> Verified<'a> {
    /// The application that calls.
    ///
    /// # Errors
    /// [`TokenError::ClientUnidentified`] when the token names none, or two.
    pub fn client(&self) -> Result<&'a str, TokenError> {
        self.trust.profile.client(self.parsed.claims())
    }

    /// Who calls.
    ///
    /// # Errors
    /// [`TokenError::ClientUnidentified`], then [`TokenError::SubjectTypeAmbiguous`].
    pub fn identity(&self) -> Result<Identity<'a>, TokenError> {
        let (trust, claims) = (self.trust, self.parsed.claims());
        let client = self.client()?;
        Ok(Identity {
            issuer: &trust.issuer,
            client,
            subject: self.subject,
            subject_type: trust.profile.evidence(claims, client).subject_type(trust.unproven)?,
            organization: trust.profile.organization(claims),
            party: trust.profile.party(client),
            scopes: self.scopes,
            details: self.details,
        })
    }
}

impl<'a> Identity<'a> {
    /// The facts for a decision about `api`. `party` is whose application it is after all.
    pub fn present(&self, party: Party, api: &Api) -> Presented<'a> {
        Presented {
            issuer: self.issuer,
            client: self.client,
            party,
            subject_type: self.subject_type,
            scopes: self.scopes_of(api),
            organization: self.organization,
            details: self.details_of(api),
        }
    }

    /// The scopes of the token as they are written, for records; of several claims, each scope once.
    pub fn scopes(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let [first, second] = self.scopes.lists;
        let first_has =
            move |scope: &str| first.is_some_and(|list| list.iter().any(|other| other == scope));
        let rest = second.into_iter().flat_map(ScopeList::iter).filter(move |one| !first_has(one));
        first.into_iter().flat_map(ScopeList::iter).chain(rest)
    }

    /// The claims that hold scopes may differ: all of them must lie within the ceiling, and what each
    /// of them holds may be used. A user's `permissions` list what the user's roles allow, whatever
    /// was asked for: never a claim, only a further bound. A user's `roles` are no scopes at all.
    fn scopes_of(&self, api: &Api) -> Scopes<'a> {
        let of_user = self.subject_type == SubjectType::User;
        let ScopeClaims { lists: [first, second], permissions, roles, .. } = self.scopes;
        let bound = permissions.filter(|_| of_user);
        let counted = [permissions, roles].map(|list| list.filter(|_| !of_user));

        let mut scopes = Scopes::default();
        let mut usable: Option<NameSet> = None;
        for list in [first, second].into_iter().chain(counted).flatten() {
            let mut held = NameSet::default();
            for scope in list.iter() {
                let name = match self.scopes.owner(scope) {
                    Owner::Another => continue,
                    Owner::Nobody => None,
                    Owner::Ours(name) => Some(name),
                };
                match name.and_then(|name| api.scopes.find(name)) {
                    Some(place) => held.insert(place),
                    None if of_user && self.scopes.asks_issuer(scope) => {}
                    None if scopes.undeclared.contains(&scope) => {}
                    None => scopes.undeclared.push(scope),
                }
            }
            scopes.claimed = scopes.claimed.or(&held);
            usable = Some(usable.map_or_else(|| held.clone(), |usable| usable.and(&held)));
        }
        scopes.usable = usable.unwrap_or_default();
        if let Some(permissions) = bound {
            let held = permissions.iter().filter_map(|scope| api.scopes.find(scope)).collect();
            scopes.usable = scopes.usable.and(&held);
        }
        scopes
    }

    fn details_of(&self, api: &Api) -> DetailTypes<'a> {
        let mut types = DetailTypes::default();
        for name in self.details.iter().filter_map(type_of) {
            match api.details.find(name) {
                Some(place) => types.registered.insert(place),
                None if types.unregistered.contains(&name) => {}
                None => types.unregistered.push(name),
            }
        }
        types
    }
}
