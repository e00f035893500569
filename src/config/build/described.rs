//! Resource servers as they are described: one entry each, or two of one identifier that share no key.
//!
//! What an issuer's tools export, and what only a gate knows, may so stand in two files. One of the
//! two has the gate; a key that both had could be read from one and changed in the other.

use std::borrow::Cow;
use std::collections::HashMap;

use super::context::At;
use crate::config::raw::api::NOT_USED;
use crate::config::{Code, Place, Report, raw};

/// A resource server, whole.
pub(in crate::config) struct Server<'r> {
    pub(super) place: ServerPlace,
    pub(in crate::config) raw: Cow<'r, raw::ResourceServer>,
}

/// Where an API stands: key by key, where it has two entries.
#[derive(Clone, Debug)]
pub struct ServerPlace {
    first: Place,
    second: Option<(Place, Vec<&'static str>)>,
}

impl ServerPlace {
    pub(super) fn one(place: &Place) -> Self {
        Self { first: place.clone(), second: None }
    }

    /// Its entry: the first where it has two.
    pub fn entry(&self) -> &Place {
        &self.first
    }

    /// Whether `place` is in either of its entries.
    pub fn holds(&self, place: &Place) -> bool {
        let second = self.second.as_ref().map(|(second, _)| second);
        [Some(&self.first), second].into_iter().flatten().any(|entry| place.is_within(entry))
    }

    /// Where a key of it stands, or would.
    pub fn key(&self, key: &'static str) -> Place {
        match &self.second {
            Some((second, keys)) if keys.contains(&key) => second.key(key),
            _ => self.first.key(key),
        }
    }
}

/// Puts the entries of one identifier together. Those that do not belong together are all given, so
/// that everything in them is looked at: the first by its identifier, and no other.
pub(super) fn servers<'r>(
    written: &[At<&'r raw::ResourceServer>],
    report: &mut Report,
) -> Vec<Server<'r>> {
    let mut servers: Vec<Server<'r>> = Vec::new();
    let mut by_identifier: HashMap<&str, usize> = HashMap::new();
    for At { place, raw } in written {
        let alone = || Server { place: ServerPlace::one(place), raw: Cow::Borrowed(*raw) };
        let Some(identifier) = raw.identifier.as_deref() else {
            servers.push(alone());
            continue;
        };
        let index = *by_identifier.entry(identifier).or_insert(servers.len());
        let Some(first) = servers.get_mut(index) else {
            servers.push(alone());
            continue;
        };
        if first.place.second.is_some() || first.raw.gate.is_some() == raw.gate.is_some() {
            twice(report, identifier, place, &first.place);
            servers.push(alone());
        } else {
            join(report, first, place, raw);
        }
    }
    servers
}

fn twice(report: &mut Report, identifier: &str, place: &Place, first: &ServerPlace) {
    report
        .push(
            Code::ResourceServerDuplicate,
            &place.key("identifier"),
            format!("the API `{identifier}` is configured twice"),
        )
        .also(&first.key("identifier"), "first configured here")
        .help("keep one of them, or two of which one has only the `gate` and what the other lacks");
}

/// Adds what `second` has to `first`.
fn join(report: &mut Report, first: &mut Server<'_>, place: &Place, second: &raw::ResourceServer) {
    // Every key is named here: the compiler asks for those that come to be.
    let raw::ResourceServer {
        identifier: _,
        name,
        scopes,
        authorization_details,
        subject_type_authorization,
        gate,
        proof_of_possession,
        enforce_policies,
        token_encryption,
        others,
    } = second;
    let mut added = Vec::new();
    let into = first.raw.to_mut();
    let mut add = Add { report, place, first: &first.place, added: &mut added };
    add.key("name", &mut into.name, name.as_ref());
    add.key("scopes", &mut into.scopes, scopes.as_ref());
    add.key(
        "authorization_details",
        &mut into.authorization_details,
        authorization_details.as_ref(),
    );
    add.key(
        "subject_type_authorization",
        &mut into.subject_type_authorization,
        subject_type_authorization.as_ref(),
    );
    add.key("gate", &mut into.gate, gate.as_ref());
    add.key("proof_of_possession", &mut into.proof_of_possession, proof_of_possession.as_ref());
    add.key("enforce_policies", &mut into.enforce_policies, enforce_policies.as_ref());
    add.key("token_encryption", &mut into.token_encryption, token_encryption.as_ref());
    for key in NOT_USED {
        let mut kept = into.others.remove(key);
        add.key(key, &mut kept, others.get(key));
        into.others.extend(kept.map(|value| (key.to_owned(), value)));
    }
    first.place.second = Some((place.clone(), added));
}

struct Add<'a> {
    report: &'a mut Report,
    place: &'a Place,
    first: &'a ServerPlace,
    added: &'a mut Vec<&'static str>,
}

impl Add<'_> {
    fn key<T: Clone>(&mut self, key: &'static str, into: &mut Option<T>, from: Option<&T>) {
        let place = self.place.key(key);
        let was_refused = self.report.is_refused(&place);
        match from {
            Some(_) if into.is_some() => {
                self.report
                    .push(
                        Code::ResourceServerDuplicate,
                        &place,
                        format!("both entries of this API have `{key}`"),
                    )
                    .on_key()
                    .also(&self.first.key(key), "written here too")
                    .help("keep it in one of them");
                // Which of them is meant is not known: nothing follows from either.
                self.report.refuse(self.first.key(key));
            }
            Some(value) => {
                *into = Some(value.clone());
                self.added.push(key);
            }
            // What was written there and refused is not missing: its place tells.
            None if was_refused && into.is_none() => self.added.push(key),
            None => {}
        }
    }
}
