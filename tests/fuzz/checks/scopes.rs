//! The scopes of a token, from their text to the decision: split, held, compared with a ceiling and with a
//! need as sets of texts, where [`decide`] has bits.
//!
//! Input, a line each: what the API declares; `scope`; `scp`, as a list; `permissions`; the ceiling; what
//! is needed, all of it; what is needed, one of it; `user` for a user's token; `trim`. An empty line is a
//! claim that is not there. `name*200` stands for two hundred names.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use grantgate::policy::{
    ClientId, Decision, Grant, GrantId, GrantKind, Holder, NameSet, Names, Need, OrganizationRule,
    Origin, OverCeiling, Presented, Reason, decide,
};
use grantgate::token::{Parsed, Profile, TokenError, verify};
use serde_json::{Value, json};

use super::token::{AUDIENCE, ISSUER, NOW, World, api, now, signed};

const CLIENT: &str = "web-app";
const OPENID: [&str; 6] = ["openid", "profile", "email", "address", "phone", "offline_access"];

static WORLD: LazyLock<World> = LazyLock::new(|| World::of(Profile::Auth0));

pub fn check(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    let text: Vec<String> = text.split('\n').map(expanded).collect();
    let line = |index: usize| text.get(index).map_or("", String::as_str);
    let given = Given {
        declared: unique(line(0)),
        scope: Some(line(1)).filter(|scope| !scope.is_empty()),
        scp: list(line(2)),
        permissions: list(line(3)),
        ceiling: line(4).split(' ').collect(),
        all: line(5).split(' ').collect(),
        one: unique(line(6)),
        of_user: line(7) == "user",
        trim: line(8) == "trim",
    };
    check_token(&given);
}

/// `name*200` as two hundred names, so that few bytes fill more than one word of bits.
fn expanded(line: &str) -> String {
    let names = line.split(' ').map(|word| match word.split_once('*') {
        Some((name, count)) if count.parse().is_ok_and(|count: usize| count <= 300) => {
            let count: usize = count.parse().unwrap_or_default();
            (0..count).map(|number| format!("{name}{number}")).collect::<Vec<_>>().join(" ")
        }
        _ => word.to_owned(),
    });
    names.collect::<Vec<_>>().join(" ")
}

fn unique(line: &str) -> Vec<&str> {
    let mut words: Vec<&str> = Vec::new();
    for word in line.split(' ').filter(|word| !word.is_empty()) {
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words
}

fn list(line: &str) -> Option<Vec<&str>> {
    (!line.is_empty()).then(|| line.split(' ').collect())
}

/// What a case is about.
struct Given<'a> {
    declared: Vec<&'a str>,
    scope: Option<&'a str>,
    scp: Option<Vec<&'a str>>,
    permissions: Option<Vec<&'a str>>,
    ceiling: BTreeSet<&'a str>,
    all: BTreeSet<&'a str>,
    one: Vec<&'a str>,
    of_user: bool,
    trim: bool,
}

fn check_token(given: &Given<'_>) {
    let token = signed(br#"{"alg":"HS256"}"#, given.claims().to_string().as_bytes());
    let Ok(parsed) = Parsed::parse(&token).map(Arc::new) else {
        assert!(token.len() > 8192, "its shape is right");
        return;
    };
    let verified = match verify(&parsed, None, &WORLD.by_secret(), now()) {
        Ok(verified) => verified,
        Err(TokenError::Malformed(_)) => return assert!(!given.holds_scopes_alone()),
        Err(other) => panic!("{other:?}"),
    };
    assert!(given.holds_scopes_alone());

    let mut api = api(&given.declared);
    let ceiling = places(&api.scopes, &given.ceiling);
    let kind = if given.of_user {
        GrantKind::User { details: NameSet::EMPTY }
    } else {
        GrantKind::Client { organizations: OrganizationRule::Deny }
    };
    let id = GrantId::new("cgr_1").expect("a name");
    let origin = Origin::default();
    let grant = Grant { id, ceiling, expires_at: None, kind, owner: None, origin };
    let holder = Holder::Client(ClientId::new(CLIENT).expect("a name"));
    api.grants.insert(WORLD.trust.issuer.clone(), holder, grant);
    api.over_ceiling = if given.trim { OverCeiling::Trim } else { OverCeiling::Reject };

    let identity = verified.identity().expect("who calls is plain");
    let presented = identity.present(identity.party, &api);
    given.check_presented(&presented, &api.scopes);
    let need = Need {
        scopes: places(&api.scopes, &given.all),
        any_scopes: given.one.iter().filter_map(|one| api.scopes.find(one)).collect(),
        details: NameSet::EMPTY,
    };
    let decision = match decide(&api, &presented, &need, now()) {
        Decision::Allow(permit) => Answer::Allowed(texts(&api.scopes, permit.scopes())),
        Decision::Deny(denial) => match denial.reason {
            Reason::ScopeExceedsGrant { excess } => Answer::Exceeds(excess.into_iter().collect()),
            Reason::ScopeInsufficient { missing, challenge } => Answer::Insufficient {
                missing: missing.into_iter().collect(),
                challenge: challenge.into_iter().collect(),
            },
            Reason::ScopeNotGranted { missing } => {
                Answer::NotGranted(missing.into_iter().collect())
            }
            other => panic!("{other:?}"),
        },
    };
    assert_eq!(decision, given.answer());
}

fn places(names: &Names, texts: &BTreeSet<&str>) -> NameSet {
    texts.iter().filter_map(|text| names.find(text)).collect()
}

fn texts(names: &Names, set: &NameSet) -> BTreeSet<String> {
    names.of(set).map(ToString::to_string).collect()
}

/// What was decided, without the order of what is listed.
#[derive(Debug, PartialEq)]
enum Answer {
    Allowed(BTreeSet<String>),
    Exceeds(BTreeSet<String>),
    Insufficient { missing: BTreeSet<String>, challenge: BTreeSet<String> },
    NotGranted(BTreeSet<String>),
}

impl<'a> Given<'a> {
    fn claims(&self) -> Value {
        let subject = if self.of_user { "auth0|1" } else { "web-app@clients" };
        let mut claims = json!({
            "iss": ISSUER, "aud": AUDIENCE, "exp": NOW + 60, "azp": CLIENT, "sub": subject,
        });
        if let Some(scope) = self.scope {
            claims["scope"] = json!(scope);
        }
        if let Some(scp) = &self.scp {
            claims["scp"] = json!(scp);
        }
        if let Some(permissions) = &self.permissions {
            claims["permissions"] = json!(permissions);
        }
        claims
    }

    /// Whether everything in the claims for scopes is one (RFC 6749 section 3.3).
    fn holds_scopes_alone(&self) -> bool {
        let is_scope = |text: &&str| {
            let letters = |c: char| matches!(c, '!' | '#'..='[' | ']'..='~');
            !text.is_empty() && text.chars().all(letters)
        };
        let joined = self.scope.into_iter().flat_map(|scope| scope.split(' '));
        let listed = [&self.scp, &self.permissions].into_iter().flatten().flatten().copied();
        joined.filter(|text| !text.is_empty()).chain(listed).all(|text| is_scope(&text))
    }

    /// The claims that count as scopes, each a set.
    fn lists(&self) -> Vec<BTreeSet<&'a str>> {
        let scope =
            self.scope.map(|scope| scope.split(' ').filter(|one| !one.is_empty()).collect());
        let set = |list: &Option<Vec<&'a str>>| {
            list.as_ref().map(|list| list.iter().copied().collect::<BTreeSet<_>>())
        };
        let permissions = set(&self.permissions).filter(|_| !self.of_user);
        [scope, set(&self.scp), permissions].into_iter().flatten().collect()
    }

    /// All that any of the claims holds and that counts.
    fn claimed(&self) -> BTreeSet<&'a str> {
        let asks_issuer = |scope: &str| {
            self.of_user && OPENID.contains(&scope) && !self.declared.contains(&scope)
        };
        self.lists().into_iter().flatten().filter(|scope| !asks_issuer(scope)).collect()
    }

    /// What each of the claims holds, and the user's permissions where they are told.
    fn usable(&self) -> BTreeSet<&'a str> {
        let lists = self.lists();
        let bound = self.permissions.as_ref().filter(|_| self.of_user);
        let declared = self.declared.iter().copied();
        declared
            .filter(|scope| !lists.is_empty() && lists.iter().all(|list| list.contains(scope)))
            .filter(|scope| bound.is_none_or(|bound| bound.contains(scope)))
            .collect()
    }

    fn check_presented(&self, presented: &Presented<'_>, names: &Names) {
        let own = |set: BTreeSet<&str>| -> BTreeSet<String> {
            set.into_iter().map(str::to_owned).collect()
        };
        let (declared, unknown): (BTreeSet<&str>, BTreeSet<&str>) =
            self.claimed().into_iter().partition(|scope| self.declared.contains(scope));
        assert_eq!(texts(names, &presented.scopes.claimed), own(declared));
        assert_eq!(texts(names, &presented.scopes.usable), own(self.usable()));
        assert_eq!(presented.scopes.undeclared.len(), unknown.len(), "each once");
        assert_eq!(presented.scopes.undeclared.iter().copied().collect::<BTreeSet<_>>(), unknown);
    }

    fn answer(&self) -> Answer {
        let declared: BTreeSet<&str> = self.declared.iter().copied().collect();
        let own = |set: Vec<&str>| set.into_iter().map(str::to_owned).collect();
        let ceiling: BTreeSet<&str> = &self.ceiling & &declared;
        let excess: Vec<&str> = self.claimed().difference(&ceiling).copied().collect();
        if !self.trim && !excess.is_empty() {
            return Answer::Exceeds(own(excess));
        }
        let one: Vec<&str> =
            self.one.iter().copied().filter(|one| declared.contains(one)).collect();
        let missing = |held: &BTreeSet<&'a str>| -> Vec<&'a str> {
            let all = self.all.iter().filter(|scope| declared.contains(*scope));
            let lacking = all.filter(|scope| !held.contains(*scope)).copied();
            let unanswered = !one.iter().any(|scope| held.contains(scope));
            let any = self.one.iter().filter(|scope| declared.contains(*scope) && unanswered);
            lacking.chain(any.copied()).collect()
        };
        let usable = self.usable();
        let lacking = missing(&usable);
        if !lacking.is_empty() {
            let inside = one.iter().find(|scope| ceiling.contains(*scope)).or(one.first());
            let all = self.all.iter().filter(|scope| declared.contains(*scope));
            let challenge = own(all.chain(inside).copied().collect());
            return Answer::Insufficient { missing: own(lacking), challenge };
        }
        let effective: BTreeSet<&str> = &usable & &ceiling;
        let lacking = missing(&effective);
        if lacking.is_empty() {
            Answer::Allowed(own(effective.into_iter().collect()))
        } else {
            Answer::NotGranted(own(lacking))
        }
    }
}
