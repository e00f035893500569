//! Applications → what is known of whose they are, and which of them a name means.
//!
//! An application of which the list does not say whether it is one's own is left out: the issuer's
//! profile then tells by its id. An entry of a tenant export may lack its id, which such exports leave
//! out by default; it then adds to the entry that has its name and the id, or says nothing.

use std::collections::HashMap;

use super::apis::SCOPE_CHARACTERS;
use super::context::{At, Context};
use super::export::{Exports, is_exported_grant};
use super::issuers::Issuers;
use super::merge::List;
use crate::config::inventory::KnownClient;
use crate::config::snapshot::ClientNames;
use crate::config::{Code, Place, raw};
use crate::policy::{ClientId, Clients, Issuer, Party};

/// What is known of applications.
pub(in crate::config) struct Listed {
    /// Whose they are.
    pub(in crate::config) clients: Clients,
    names: Names,
}

/// Which application a text in a tenant export means.
#[derive(Default)]
struct Names {
    /// By issuer and name, or id: the places among the entries.
    by_name: HashMap<(usize, String), Vec<usize>>,
    by_id: HashMap<(usize, ClientId), usize>,
    entries: Vec<Entry>,
    /// Some of the list could not be read: what is not found may be in there.
    doubtful: bool,
}

/// An application with its id.
struct Entry {
    issuer: usize,
    id: ClientId,
    name: Option<String>,
    place: Place,
    own: Option<(bool, Place)>,
    mode: Option<(raw::SecurityMode, Place)>,
    /// Whether an export says more of it, or holds it.
    is_exported: bool,
}

/// An application that is listed, and that nothing else names.
pub(in crate::config) struct Unnamed<'a> {
    pub(in crate::config) issuer: usize,
    pub(in crate::config) id: &'a ClientId,
    pub(in crate::config) place: &'a Place,
}

impl Listed {
    /// The application that `text` means in a grant of a tenant export: its id or its name.
    pub(super) fn find(
        &self,
        ctx: &mut Context<'_, '_>,
        place: &Place,
        issuer: usize,
        text: &str,
    ) -> Option<ClientId> {
        let found = self.names.meant(issuer, text);
        match found.as_slice() {
            [only] => return Some(only.id.clone()),
            [] if self.names.doubtful => {}
            [] => {
                ctx.report
                    .push(
                        Code::ClientUnknown,
                        place,
                        format!("the id of the application `{text}` is not known"),
                    )
                    .help(
                        "list it in a file of your own: `clients: [{client_id: …, name: …}]`; or \
                        export with `AUTH0_EXPORT_IDENTIFIERS: true`",
                    );
            }
            [first, second, ..] => {
                ctx.report
                    .push(
                        Code::ClientAmbiguous,
                        place,
                        format!("several applications may be meant by `{text}`"),
                    )
                    .also(&first.place, "this one")
                    .also(&second.place, "or this one")
                    .help("write the id of the one that is meant, or make their names differ");
            }
        }
        None
    }

    /// The application that `text` means, where a list tells.
    pub(super) fn known(&self, issuer: usize, text: &str) -> Option<&ClientId> {
        match self.names.meant(issuer, text).as_slice() {
            [only] => Some(&only.id),
            _ => None,
        }
    }

    /// Those that no grant names, for an API here or elsewhere, and no export.
    pub(super) fn unnamed(
        &self,
        grants: &[At<&raw::ClientGrant>],
        issuers: &Issuers,
    ) -> Vec<Unnamed<'_>> {
        let entries = &self.names.entries;
        let mut is_named: Vec<_> = entries.iter().map(|entry| entry.is_exported).collect();
        let mut by_text: HashMap<&str, Vec<usize>> = HashMap::new();
        for (index, entry) in entries.iter().enumerate().filter(|(_, entry)| !entry.is_exported) {
            for text in std::iter::once(entry.id.as_str()).chain(entry.name.as_deref()) {
                by_text.entry(text).or_default().push(index);
            }
        }
        for grant in grants {
            let Some(text) = grant.raw.client_id.as_deref() else { continue };
            for index in by_text.get(text).into_iter().flatten() {
                let Some(entry) = entries.get(*index) else { continue };
                let by_id = entry.id.as_str() == text;
                let issuer = issuers.name(entry.issuer).map(Issuer::as_str);
                let is_of_issuer =
                    grant.raw.issuer.is_none() || grant.raw.issuer.as_deref() == issuer;
                if let Some(is_named) = is_named.get_mut(*index) {
                    *is_named |= is_of_issuer && (by_id || is_exported_grant(&grant.place));
                }
            }
        }
        let unnamed = entries.iter().zip(is_named).filter(|(_, is_named)| !is_named);
        unnamed
            .map(|(Entry { issuer, id, place, .. }, _)| Unnamed { issuer: *issuer, id, place })
            .collect()
    }

    /// What they are called.
    pub(super) fn called(&self, issuers: &Issuers) -> ClientNames {
        let mut names = ClientNames::default();
        for entry in &self.names.entries {
            if let (Some(name), Some(issuer)) = (&entry.name, issuers.name(entry.issuer)) {
                names.insert(issuer.clone(), entry.id.clone(), name);
            }
        }
        names
    }

    /// Those that are listed with their ids, as they are shown.
    pub(super) fn shown(&self, issuers: &Issuers) -> Vec<KnownClient> {
        let shown = |entry: &Entry| {
            Some(KnownClient {
                id: entry.id.clone(),
                issuer: issuers.name(entry.issuer)?.clone(),
                name: entry.name.clone(),
                is_first_party: entry.own.as_ref().map(|(own, _)| *own),
            })
        };
        self.names.entries.iter().filter_map(shown).collect()
    }
}

pub(super) fn build(
    ctx: &mut Context<'_, '_>,
    written: &List<'_, raw::Client>,
    exports: &Exports,
    issuers: &Issuers,
) -> Listed {
    let mut names = Names { doubtful: written.doubtful, ..Names::default() };
    let (nameless, known): (Vec<_>, Vec<_>) =
        written.items.iter().partition(|client| lacks_id(ctx, client, exports));
    for client in known {
        match entry(ctx, client, exports, issuers) {
            Some(entry) => names.add(ctx, entry),
            None => names.doubtful = true,
        }
    }
    for client in nameless {
        names.join(ctx, client, issuers);
    }
    let mut clients = Clients::default();
    for entry in &names.entries {
        if let (Some(party), Some(issuer)) =
            (party(ctx, entry, issuers), issuers.name(entry.issuer))
        {
            clients.insert(issuer.clone(), entry.id.clone(), party);
        }
    }
    Listed { clients, names }
}

/// Whether it is an entry of an export that has a name alone.
fn lacks_id(ctx: &Context<'_, '_>, client: &At<&raw::Client>, exports: &Exports) -> bool {
    client.raw.client_id.is_none()
        && client.raw.name.is_some()
        && exports.hold(&client.place)
        && !ctx.report.is_refused(&client.place.key("client_id"))
}

fn entry(
    ctx: &mut Context<'_, '_>,
    client: &At<&raw::Client>,
    exports: &Exports,
    issuers: &Issuers,
) -> Option<Entry> {
    let At { place, raw } = client;
    let at_issuer = place.key("issuer");
    let why = "an application is known by its issuer and its id";
    let issuer = match &raw.issuer {
        Some(name) => issuers.resolve(ctx, &at_issuer, name),
        None if exports.hold(place) => issuers.exported(ctx, &at_issuer, why),
        None => issuers.only(ctx, &at_issuer, why),
    };
    let at_id = place.key("client_id");
    let id =
        ctx.required(&at_id, raw.client_id.as_ref(), "write the application's id at its issuer")?;
    let id = client_id(ctx, &at_id, id);
    Some(Entry {
        issuer: issuer?,
        id: id?,
        name: raw.name.clone(),
        place: at_id,
        own: raw.is_first_party.map(|own| (own, place.key("is_first_party"))),
        mode: raw.third_party_security_mode.map(|mode| (mode, place.key(MODE))),
        is_exported: exports.hold(place),
    })
}

const MODE: &str = "third_party_security_mode";

impl Names {
    /// The applications with this name or id.
    fn meant(&self, issuer: usize, text: &str) -> Vec<&Entry> {
        let mut found = self.by_name.get(&(issuer, text.to_owned())).cloned().unwrap_or_default();
        let by_id = ClientId::new(text).ok().and_then(|id| self.by_id.get(&(issuer, id)));
        found.extend(by_id.filter(|by_id| !found.contains(by_id)));
        found.into_iter().filter_map(|index| self.entries.get(index)).collect()
    }

    fn add(&mut self, ctx: &mut Context<'_, '_>, entry: Entry) {
        let index = self.entries.len();
        let first = *self.by_id.entry((entry.issuer, entry.id.clone())).or_insert(index);
        if let Some(first) = self.entries.get(first) {
            ctx.report
                .push(
                    Code::ClientDuplicate,
                    &entry.place,
                    format!("the application `{}` is listed twice", entry.id),
                )
                .also(&first.place, "first listed here")
                .help("keep one of them");
            return;
        }
        if let Some(name) = &entry.name {
            self.by_name.entry((entry.issuer, name.clone())).or_default().push(index);
        }
        self.entries.push(entry);
    }

    /// Adds what an export says of an application without its id to the entry with its name.
    fn join(&mut self, ctx: &mut Context<'_, '_>, client: &At<&raw::Client>, issuers: &Issuers) {
        let At { place, raw } = client;
        let Some(name) = &raw.name else { return };
        let third = raw.is_first_party == Some(false);
        let issuer = match &raw.issuer {
            Some(issuer) => issuers.resolve(ctx, &place.key("issuer"), issuer),
            None => issuers.exported(ctx, &place.key("issuer"), "an application is of an issuer"),
        };
        let Some(issuer) = issuer else {
            self.doubtful = true;
            return;
        };
        let found = self.by_name.get(&(issuer, name.clone())).map_or(&[][..], Vec::as_slice);
        let &[only] = found else {
            // Passed over, a third party's application would be taken for one's own.
            if third && !self.doubtful {
                let (code, message) = match found {
                    [] => (
                        Code::ClientUnknown,
                        "the id of this third party's application is not known",
                    ),
                    _ => {
                        (Code::ClientAmbiguous, "several applications have this third party's name")
                    }
                };
                ctx.report.push(code, &place.key("name"), message).help(
                    "list it in a file of your own: `clients: [{client_id: …, name: …}]`; or export \
                    with `AUTH0_EXPORT_IDENTIFIERS: true`",
                );
            }
            return;
        };
        let Some(entry) = self.entries.get_mut(only) else { return };
        entry.is_exported = true;
        let own = raw.is_first_party.map(|own| (own, place.key("is_first_party")));
        let mode = raw.third_party_security_mode.map(|mode| (mode, place.key(MODE)));
        add(ctx, &mut entry.own, own);
        add(ctx, &mut entry.mode, mode);
    }
}

fn add<T>(ctx: &mut Context<'_, '_>, into: &mut Option<(T, Place)>, from: Option<(T, Place)>) {
    match (into, from) {
        (Some((_, first)), Some((_, place))) => {
            let message = format!("both entries of this application have `{}`", place.last_key());
            ctx.report
                .push(Code::ClientDuplicate, &place, message)
                .on_key()
                .also(first, "written here too")
                .help("keep it in one of them");
        }
        (into @ None, from) => *into = from,
        (Some(_), None) => {}
    }
}

/// An application's id.
pub(super) fn client_id(ctx: &mut Context<'_, '_>, place: &Place, text: &str) -> Option<ClientId> {
    ClientId::new(text)
        .map_err(|error| {
            ctx.report
                .push(Code::NameInvalid, place, format!("`client_id` {error}"))
                .help(SCOPE_CHARACTERS);
        })
        .ok()
}

/// Whose it is, where the list says so.
fn party(ctx: &mut Context<'_, '_>, entry: &Entry, issuers: &Issuers) -> Option<Party> {
    let by_id = issuers.party(entry.issuer, &entry.id, &Clients::default());
    match (&entry.own, &entry.mode) {
        (Some((true, place)), _) if by_id == Some(Party::Third) => {
            let message =
                format!("`{}` is an id that the issuer gives to third parties only", entry.id);
            ctx.report.push(Code::ClientThirdParty, place, message).help(
                "write `false`; with `third_party_security_mode: permissive` it follows the policy",
            );
            None
        }
        (Some((true, _)), _) | (Some((false, _)), Some((raw::SecurityMode::Permissive, _))) => {
            Some(Party::First)
        }
        (Some((false, _)), Some((raw::SecurityMode::Strict, _)) | None) => Some(Party::Third),
        // Neither the list nor the id says that it is a third party's: to pass over the mode would
        // make it one's own.
        (None, Some((raw::SecurityMode::Strict, mode))) if by_id == Some(Party::First) => {
            let mut place = mode.clone();
            place.path.pop();
            ctx.report
                .push(
                    Code::KeyMissing,
                    &place.key("is_first_party"),
                    "`third_party_security_mode` has no effect without `is_first_party`",
                )
                .also(mode, "the mode")
                .help("write `is_first_party: false`, or remove the mode");
            None
        }
        (None, _) => None,
    }
}
