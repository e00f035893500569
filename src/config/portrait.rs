//! A snapshot as a configuration: what it says of access, in the configuration's own shapes.
//!
//! In comes a snapshot, out comes one JSON object that loads anywhere and allows the same:
//! `diff(snapshot, load(policy_document(snapshot)))` is empty. It is written in parts, so that of very many
//! grants no second copy is made, and each grant has a line of its own, as programs write such files.
//!
//! It holds no secret and needs no file: issuers come without keys, upstreams are one that nobody listens
//! at, limits, listeners, CORS and owners are left out, and so is the Management API with its grants. A
//! grant keeps its id, which tells where it came from.

use std::fmt;

use serde_json::{Map, Value, json};

use super::Source;
use super::snapshot::{Authorization, IssuerSettings, Operation, ServedApi, Snapshot, Unlisted};
use crate::policy::{
    Api, Ask, Audience, Enforcement, Grant, GrantKind, Holder, Issuer, NameSet, Names,
    OrganizationId, OrganizationRule, Organizations, OverCeiling, Party, Policy, StrictPolicy,
};
use crate::screen::{escape, harms};
use crate::token::{Algorithm, Custom, Profile, Rule, Test, Unproven};

/// What a snapshot says of access, as a configuration.
#[derive(Clone, Copy, Debug)]
pub struct PolicyDocument<'s>(&'s Snapshot);

/// What `snapshot` says of access, as a configuration.
pub fn policy_document(snapshot: &Snapshot) -> PolicyDocument<'_> {
    PolicyDocument(snapshot)
}

/// Where the grants begin: on a line of their own. No text of JSON holds an end of line, so that this stands
/// nowhere else.
const GRANTS: &str = "\n\"client_grants\": [\n";

impl<'s> PolicyDocument<'s> {
    /// The document in parts, to be written one after the other.
    pub fn parts(self) -> impl Iterator<Item = String> + 's {
        let snapshot = self.0;
        let head = json!({
            "issuers": shown_issuers(snapshot).map(issuer).collect::<Vec<_>>(),
            "resource_servers": shown(snapshot).map(|api| server(snapshot, api)).collect::<Vec<_>>(),
            "clients": clients(snapshot),
        });
        let mut head = plain(&head.to_string());
        head.pop();
        let mut is_first = true;
        let grants = shown(snapshot).flat_map(move |served| {
            let api = &served.api;
            in_order(api).into_iter().map(move |(issuer, holder, it)| {
                plain(&grant(api, issuer, &holder, it).to_string())
            })
        });
        let grants = grants.map(move |grant| {
            let comma = if std::mem::take(&mut is_first) { "" } else { ",\n" };
            format!("{comma}{grant}")
        });
        let head = std::iter::once(format!("{head},{GRANTS}"));
        head.chain(grants).chain(std::iter::once("\n]}\n".to_owned()))
    }

    /// The sources that a document is read from: one with its grants, which may be very many, and one with
    /// all else. A text that is no such document is one source.
    pub fn sources(name: &str, text: &str) -> Vec<Source> {
        match text.split_once(GRANTS) {
            Some((head, grants)) if head.ends_with(',') => vec![
                Source::new(name, format!("{}}}", head.trim_end_matches(','))),
                Source::new(
                    format!("{name} (client_grants)"),
                    format!("{{{}{grants}", GRANTS.trim_start()),
                ),
            ],
            _ => vec![Source::new(name, text)],
        }
    }
}

impl fmt::Display for PolicyDocument<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts().try_for_each(|part| f.write_str(&part))
    }
}

/// JSON without what a reader of YAML takes for something else, or a screen obeys.
fn plain(json: &str) -> String {
    let mut plain = String::with_capacity(json.len());
    for char in json.chars() {
        // What lies beyond needs two escapes, which YAML does not join.
        if harms(char) && char < '\u{10000}' {
            // Writing into a string does not fail.
            let _ = escape(char, &mut plain);
        } else {
            plain.push(char);
        }
    }
    plain
}

/// The APIs that stand behind an upstream: all but the gateway's own.
fn shown(snapshot: &Snapshot) -> impl Iterator<Item = &ServedApi> {
    snapshot.apis.iter().filter(|served| served.upstream.is_some())
}

/// The issuers that somebody described: all but the gateway's own, which stands last.
fn shown_issuers(snapshot: &Snapshot) -> impl Iterator<Item = &IssuerSettings> {
    let own = usize::from(snapshot.management.is_some());
    snapshot.issuers.iter().take(snapshot.issuers.len().saturating_sub(own))
}

/// An issuer: what its tokens are, and how they are read.
fn issuer(settings: &IssuerSettings) -> Value {
    let trust = &settings.trust;
    let accepted = Algorithm::ALL
        .into_iter()
        .filter(|algorithm| !algorithm.is_symmetric() && trust.algorithms.contains(*algorithm));
    let mut issuer = json!({
        "issuer": trust.issuer.as_str(),
        "profile": trust.profile.name(),
        "algorithms": accepted.map(Algorithm::as_str).collect::<Vec<_>>(),
        "leeway": format!("{}s", trust.leeway_seconds),
        "unproven": match trust.unproven {
            Unproven::Refuse => "refuse",
            Unproven::User => "user",
        },
        "jwks": {"keys": []},
    });
    if let (Profile::Custom(custom), Some(issuer)) = (&trust.profile, issuer.as_object_mut()) {
        spell(custom, issuer);
    }
    issuer
}

/// How an issuer's tokens are read, in one line.
pub(super) fn read_as(settings: &IssuerSettings) -> String {
    let mut read = issuer(settings);
    if let Some(read) = read.as_object_mut() {
        read.retain(|key, _| key != "issuer" && key != "jwks");
    }
    plain(&read.to_string())
}

/// Where tokens of a profile say what, in one line.
pub(super) fn spelled(profile: &Profile) -> String {
    let mut spelled = Map::new();
    if let Profile::Custom(custom) = profile {
        spell(custom, &mut spelled);
    }
    format!("{} {}", profile.name(), Value::Object(spelled))
}

fn spell(custom: &Custom, issuer: &mut Map<String, Value>) {
    let Custom { client, scopes, organization, details, types, machine, user } = custom;
    let claims = json!({
        "client_id": client,
        "scopes": scopes,
        "organization": organization,
        "authorization_details": details,
    });
    let signs = |rules: &[Rule]| -> Value {
        rules
            .iter()
            .map(|Rule { claim, test }| match test {
                Test::Contains(text) => json!({"claim": claim, "contains": text}),
                Test::Equals(text) => json!({"claim": claim, "equals": text}),
            })
            .collect()
    };
    issuer.insert("claims".to_owned(), claims);
    for (key, list) in [("types", json!(types)), ("machine", signs(machine)), ("user", signs(user))]
    {
        issuer.insert(key.to_owned(), list);
    }
}

fn server(snapshot: &Snapshot, served: &ServedApi) -> Value {
    let api = &served.api;
    let mut policies = json!({
        "user": {"policy": policy(api.access.user)},
        "client": {"policy": policy(api.access.client.into())},
    });
    // Where it is not written it is this.
    if api.access.anonymous_user != StrictPolicy::DenyAll {
        set(
            &mut policies,
            "anonymous_user",
            json!({"policy": policy(api.access.anonymous_user.into())}),
        );
    }
    json!({
        "identifier": api.identifier.as_str(),
        "scopes": api.scopes.iter().map(|name| json!({"value": &**name})).collect::<Vec<_>>(),
        "authorization_details":
            api.details.iter().map(|name| json!({"type": &**name})).collect::<Vec<_>>(),
        "subject_type_authorization": policies,
        "gate": gate(snapshot, served),
    })
}

fn policy(policy: Policy) -> &'static str {
    match policy {
        Policy::AllowAll => "allow_all",
        Policy::DenyAll => "deny_all",
        Policy::RequireClientGrant => "require_client_grant",
    }
}

/// Where nobody listens: the port is that of the discard service.
const NOWHERE: &str = "http://127.0.0.1:9";

fn gate(snapshot: &Snapshot, served: &ServedApi) -> Value {
    let trusted = served.trusted(snapshot).map(|trust| trust.issuer.as_str());
    let further = served.audiences.iter().filter(|audience| **audience != served.api.identifier);
    let mut gate = json!({
        "path_prefix": served.path_prefix.to_string(),
        "upstream": NOWHERE,
        "issuers": trusted.collect::<Vec<_>>(),
        "audiences": further.map(Audience::as_str).collect::<Vec<_>>(),
        "over_ceiling": match served.api.over_ceiling {
            OverCeiling::Reject => "reject",
            OverCeiling::Trim => "trim",
        },
        "authorization": match served.authorization {
            Authorization::Keep => "keep",
            Authorization::Remove => "remove",
        },
        "unlisted": match served.unlisted {
            Unlisted::AnyToken => "any_token",
            Unlisted::Deny => "deny",
        },
        "operations":
            served.operations.iter().map(|it| operation(&served.api, it)).collect::<Vec<_>>(),
    });
    if !served.hosts.is_empty() {
        set(&mut gate, "hosts", served.hosts.iter().map(ToString::to_string).collect());
    }
    if let Enforcement::Report { tokens } = served.api.enforcement {
        set(&mut gate, "enforcement", json!("report"));
        set(&mut gate, "report_tokens", json!(tokens));
    }
    gate
}

fn operation(api: &Api, operation: &Operation) -> Value {
    let mut written = Map::new();
    let mut add = |key: &str, value: Value| written.insert(key.to_owned(), value);
    add("on", json!(operation.on));
    match &operation.ask {
        Ask::Public => drop(add("public", json!(true))),
        Ask::Token(need) => {
            let any = need.any_scopes.iter().filter_map(|place| api.scopes.at(*place));
            let any: Vec<_> = any.map(|name| &**name).collect();
            let asked = [
                ("scopes", names(&api.scopes, &need.scopes)),
                ("any_scopes", any),
                ("authorization_details", names(&api.details, &need.details)),
            ];
            if asked.iter().all(|(_, names)| names.is_empty()) {
                add("any_token", json!(true));
            }
            for (key, names) in asked.into_iter().filter(|(_, names)| !names.is_empty()) {
                add(key, json!(names));
            }
        }
    }
    if operation.websocket {
        add("upgrade", json!(["websocket"]));
    }
    Value::Object(written)
}

fn names<'a>(declared: &'a Names, set: &'a NameSet) -> Vec<&'a str> {
    declared.of(set).map(|name| &**name).collect()
}

/// What is known of applications: whose they are, and what they are called.
fn clients(snapshot: &Snapshot) -> Vec<Value> {
    let mut known: Vec<_> = snapshot.clients.iter().map(|(issuer, id, _)| (issuer, id)).collect();
    known.extend(snapshot.client_names.iter().map(|(issuer, id, _)| (issuer, id)));
    known.sort();
    known.dedup();
    let described: Vec<_> = shown_issuers(snapshot).map(|settings| &settings.trust).collect();
    let entries = known.into_iter().filter_map(|(issuer, id)| {
        let trust = described.iter().find(|trust| trust.issuer == *issuer)?;
        let mut entry = json!({"client_id": id.as_str(), "issuer": issuer.as_str()});
        if let Some(name) = snapshot.client_names.find(issuer, id.as_str()) {
            set(&mut entry, "name", json!(name));
        }
        match snapshot.clients.find(issuer, id.as_str()) {
            None => {}
            Some(Party::Third) => set(&mut entry, "is_first_party", json!(false)),
            // The id is one of third parties: this one follows the policy all the same.
            Some(Party::First) if trust.profile.party(id.as_str()) == Party::Third => {
                set(&mut entry, "is_first_party", json!(false));
                set(&mut entry, "third_party_security_mode", json!("permissive"));
            }
            Some(Party::First) => set(&mut entry, "is_first_party", json!(true)),
        }
        Some(entry)
    });
    entries.collect()
}

fn set(object: &mut Value, key: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(key.to_owned(), value);
    }
}

/// The grants of an API, in an order that does not change from one time to the next.
fn in_order(api: &Api) -> Vec<(&Issuer, Holder, &Grant)> {
    let grants = api.grants.iter().map(|(issuer, holder, grant)| (issuer, holder, &**grant));
    let mut grants: Vec<_> = grants.collect();
    grants.sort_unstable_by(|(one, of, a), (other, to, b)| {
        (one, of, a.subject_type()).cmp(&(other, to, b.subject_type()))
    });
    grants
}

fn grant(api: &Api, issuer: &Issuer, holder: &Holder, grant: &Grant) -> Value {
    let mut written = Map::new();
    let mut add = |key: &str, value: Value| written.insert(key.to_owned(), value);
    add("id", json!(grant.id.as_str()));
    match holder {
        Holder::Client(id) => add("client_id", json!(id.as_str())),
        Holder::ThirdPartyClients => add("default_for", json!("third_party_clients")),
    };
    add("audience", json!(api.identifier.as_str()));
    add("issuer", json!(issuer.as_str()));
    add("subject_type", json!(grant.subject_type().as_str()));
    add("scope", json!(names(&api.scopes, &grant.ceiling)));
    match &grant.kind {
        GrantKind::AnonymousUser => {}
        GrantKind::User { details } if details.is_empty() => {}
        GrantKind::User { details } => {
            add("authorization_details_types", json!(names(&api.details, details)));
        }
        GrantKind::Client { organizations } => {
            let (usage, admitted) = match organizations {
                OrganizationRule::Deny => ("deny", None),
                OrganizationRule::Allow(admitted) => ("allow", Some(admitted)),
                OrganizationRule::Require(admitted) => ("require", Some(admitted)),
            };
            add("organization_usage", json!(usage));
            match admitted {
                None => {}
                Some(Organizations::Any) => drop(add("allow_any_organization", json!(true))),
                Some(Organizations::Associated(ids)) => {
                    add("organizations", ids.iter().map(OrganizationId::as_str).collect());
                }
            }
        }
    }
    if let Some(end) = grant.expires_at {
        add("expires_at", json!(end.to_string()));
    }
    Value::Object(written)
}

#[cfg(test)]
mod tests;
