//! Applications → what is known of whose they are.
//!
//! An application of which the list does not say whether it is one's own is left out: the issuer's
//! profile then tells by its id.

use std::collections::HashMap;

use super::apis::SCOPE_CHARACTERS;
use super::context::{At, Context};
use super::issuers::Issuers;
use crate::config::{Code, raw};
use crate::policy::{ClientId, Clients, Party};

pub(super) fn build(
    ctx: &mut Context<'_, '_>,
    written: &[At<&raw::Client>],
    issuers: &Issuers,
) -> Clients {
    let mut clients = Clients::default();
    let mut first = HashMap::new();
    for client in written {
        let Some((issuer, id)) = key(ctx, client, issuers) else { continue };
        let place = client.place.key("client_id");
        if let Some(first) = first.insert((issuer, id.clone()), place.clone()) {
            ctx.report
                .push(
                    Code::ClientDuplicate,
                    &place,
                    format!("the application `{id}` is listed twice"),
                )
                .also(&first, "first listed here")
                .help("keep one of them");
            continue;
        }
        let Some(party) = party(client.raw) else {
            strict_alone(ctx, client, issuers.party(issuer, &id, &Clients::default()));
            continue;
        };
        let own = client.raw.is_first_party == Some(true);
        if own && issuers.party(issuer, &id, &Clients::default()) == Some(Party::Third) {
            let message = format!("`{id}` is an id that the issuer gives to third parties only");
            ctx.report
                .push(Code::ClientThirdParty, &client.place.key("is_first_party"), message)
                .help("write `false`; with `third_party_security_mode: permissive` it follows the policy");
            continue;
        }
        if let Some(issuer) = issuers.name(issuer) {
            clients.insert(issuer.clone(), id, party);
        }
    }
    clients
}

fn key(
    ctx: &mut Context<'_, '_>,
    client: &At<&raw::Client>,
    issuers: &Issuers,
) -> Option<(usize, ClientId)> {
    let At { place, raw } = client;
    let at_issuer = place.key("issuer");
    let issuer = match &raw.issuer {
        Some(name) => issuers.resolve(ctx, &at_issuer, name),
        None => issuers.only(ctx, &at_issuer, "an application is known by its issuer and its id"),
    };
    let at_id = place.key("client_id");
    let id =
        ctx.required(&at_id, raw.client_id.as_ref(), "write the application's id at its issuer")?;
    let id = client_id(ctx, &at_id, id);
    Some((issuer?, id?))
}

/// An application's id.
pub(super) fn client_id(
    ctx: &mut Context<'_, '_>,
    place: &crate::config::Place,
    text: &str,
) -> Option<ClientId> {
    ClientId::new(text)
        .map_err(|error| {
            ctx.report
                .push(Code::NameInvalid, place, format!("`client_id` {error}"))
                .help(SCOPE_CHARACTERS);
        })
        .ok()
}

/// The strict mode, where neither the list nor the id says that the application is a third party's: to
/// pass over it would make the application one's own.
fn strict_alone(ctx: &mut Context<'_, '_>, client: &At<&raw::Client>, by_id: Option<Party>) {
    let strict = client.raw.third_party_security_mode == Some(raw::SecurityMode::Strict);
    if strict && by_id == Some(Party::First) {
        ctx.report
            .push(
                Code::KeyMissing,
                &client.place.key("is_first_party"),
                "`third_party_security_mode` has no effect without `is_first_party`",
            )
            .also(&client.place.key("third_party_security_mode"), "the mode")
            .help("write `is_first_party: false`, or remove the mode");
    }
}

fn party(client: &raw::Client) -> Option<Party> {
    match (client.is_first_party?, client.third_party_security_mode) {
        (true, _) | (false, Some(raw::SecurityMode::Permissive)) => Some(Party::First),
        (false, Some(raw::SecurityMode::Strict) | None) => Some(Party::Third),
    }
}
