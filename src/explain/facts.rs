//! Who called what, by which grant, and what became of the token's scopes.

use crate::policy::{Ask, NameSet, Names, Organization, Party, Permit, Rfc3339};

use super::case::Case;
use super::explanation::{Caller, Details, Grant, Held, Named, Need, Operation, Request, Scopes};
use super::words::{list, names_of};
use crate::gate::Shown;
use crate::screen::screened;

impl Case<'_> {
    pub(super) fn request(&self) -> Request {
        let supposed = self.supposed;
        let path = supposed.canonical_path().map(|path| path.as_str().to_owned());
        Request {
            method: supposed.method.to_string(),
            host: screened(&supposed.host),
            origin: supposed.origin.as_deref().map(screened),
            path: path.unwrap_or_else(|_| screened(&supposed.path)),
            shown: match &supposed.shown {
                Shown::Claims(_) => "claims",
                Shown::Nothing => "nothing",
                Shown::Token(_) => "token",
            }
            .to_owned(),
        }
    }

    pub(super) fn api(&self) -> Option<Named> {
        let served = self.outcome.api?;
        let name = served.api.identifier.as_str().to_owned();
        Some(Named { name, at: self.snapshot.line_of(served.origin) })
    }

    pub(super) fn operation(&self) -> Option<Operation> {
        let (served, operation) = (self.outcome.api?, self.outcome.operation?);
        Some(Operation {
            on: operation.on.clone(),
            at: self.snapshot.line_of(operation.origin),
            needs: need(&operation.ask, &served.api.scopes, &served.api.details),
        })
    }

    pub(super) fn caller(&self) -> Option<Caller> {
        let (caller, issuer) = (self.outcome.caller.as_ref()?, self.issuer?);
        let identity = caller.identity.as_ref();
        let organization = match identity.map(|identity| identity.organization) {
            Some(Organization::Id(id)) => Some(id.to_owned()),
            Some(Organization::Absent | Organization::Unreadable) | None => None,
        };
        let party = self.party().map(|party| match party {
            Party::First => "first",
            Party::Third => "third",
        });
        Some(Caller {
            issuer: caller.issuer.to_string(),
            profile: issuer.trust.profile.name().to_owned(),
            client_id: caller.client.map(str::to_owned),
            party: party.map(str::to_owned),
            subject_type: identity.map(|identity| identity.subject_type.as_str().to_owned()),
            subject: identity.and_then(|identity| identity.subject).map(screened),
            organization,
        })
    }

    pub(super) fn grant(&self) -> Option<Grant> {
        let grant = self.counted()?;
        let holder = if self.is_own() { "application" } else { "third_party_clients" };
        Some(Grant {
            id: grant.id.to_string(),
            at: self.snapshot.line_of(grant.origin),
            holder: holder.to_owned(),
            expires_at: grant.expires_at.map(|end| Rfc3339(end).to_string()),
            owner: grant.owner.as_deref().map(str::to_owned),
        })
    }

    /// Whether the grant that counts is the application's own.
    pub(super) fn is_own(&self) -> bool {
        let own = self.outcome.api.zip(self.presented.as_ref()).and_then(|(served, presented)| {
            let (issuer, client) = (presented.issuer, presented.client);
            served.api.grants.own(issuer, client, presented.subject_type)
        });
        own.zip(self.counted()).is_some_and(|(own, counted)| own.id == counted.id)
    }

    pub(super) fn scopes(&self) -> Option<Scopes> {
        let (served, presented) = (self.outcome.api?, self.presented.as_ref()?);
        let declared = &served.api.scopes;
        let held = &presented.scopes;
        let ceiling = self.ceiling(served);
        let lists = self.reading.as_ref()?.scopes.as_ref().ok()?;
        let token: Vec<_> = lists
            .iter()
            .map(|list| Held {
                claim: list.claim.to_owned(),
                meaning: list.meaning.to_owned(),
                scopes: list.scopes.iter().map(|&scope| scope.to_owned()).collect(),
            })
            .collect();
        // Where each scope says whose it is, its name stands behind a slash.
        let counts = |scope: &str| {
            let claimed = declared.of(&held.claimed).any(|name| {
                let before = scope.strip_suffix(&**name);
                before.is_some_and(|before| before.is_empty() || before.ends_with('/'))
            });
            claimed || held.undeclared.contains(&scope)
        };
        let left_aside = self.identity()?.scopes().filter(|scope| !counts(scope));
        let effective = ceiling.map(|ceiling| held.usable.and(ceiling));
        let effective = self.permit().map(Permit::scopes).or(effective.as_ref());
        Some(Scopes {
            token,
            ceiling: ceiling.map(|ceiling| names_of(declared, ceiling)),
            excess: excess(declared, &held.claimed, ceiling, &held.undeclared),
            left_aside: left_aside.map(str::to_owned).collect(),
            effective: effective.map(|set| names_of(declared, set)).unwrap_or_default(),
        })
    }

    pub(super) fn details(&self) -> Option<Details> {
        let (served, presented) = (self.outcome.api?, self.presented.as_ref()?);
        let declared = &served.api.details;
        let held = &presented.details;
        if held.registered.is_empty() && held.unregistered.is_empty() {
            return None;
        }
        let ceiling = self.detail_ceiling(served);
        let unregistered = held.unregistered.iter().map(|name| screened(name));
        let effective = ceiling.map(|ceiling| held.registered.and(ceiling));
        let effective = self.permit().map(Permit::details).or(effective.as_ref());
        Some(Details {
            token: names_of(declared, &held.registered).into_iter().chain(unregistered).collect(),
            ceiling: ceiling.map(|ceiling| names_of(declared, ceiling)),
            excess: excess(declared, &held.registered, ceiling, &held.unregistered),
            effective: effective.map(|set| names_of(declared, set)).unwrap_or_default(),
        })
    }
}

/// What lies above a ceiling; nothing where there is none to be above.
fn excess(
    declared: &Names,
    held: &NameSet,
    ceiling: Option<&NameSet>,
    undeclared: &[&str],
) -> Vec<String> {
    let Some(ceiling) = ceiling else { return Vec::new() };
    let mut excess = names_of(declared, &held.without(ceiling));
    excess.extend(undeclared.iter().map(|name| screened(name)));
    excess
}

/// What an operation asks, in words and by name.
pub(super) fn need(ask: &Ask, scopes: &Names, details: &Names) -> Need {
    let need = match ask {
        Ask::Public => {
            let words = "nothing, not even a token (public)".to_owned();
            return Need { words, public: true, ..Need::default() };
        }
        Ask::Token(need) => need,
    };
    let all = names_of(scopes, &need.scopes);
    let any: Vec<_> =
        need.any_scopes.iter().filter_map(|&at| scopes.at(at)).map(ToString::to_string).collect();
    let types = names_of(details, &need.details);
    let mut words = Vec::new();
    match all.as_slice() {
        [] => {}
        [_] => words.push(list(&all, "")),
        _ => words.push(format!("all of {}", list(&all, ""))),
    }
    match any.as_slice() {
        [] => {}
        [_] => words.push(list(&any, "")),
        _ => words.push(format!("one of {}", list(&any, ""))),
    }
    if !types.is_empty() {
        words.push(format!("authorization details {}", list(&types, "")));
    }
    let words = if words.is_empty() { "any token".to_owned() } else { words.join(" and ") };
    Need { words, public: false, scopes: all, any_scopes: any, authorization_details: types }
}
