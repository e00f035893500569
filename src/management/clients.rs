//! Applications: those that the configuration lists, as far as it knows them. They are not changed here.
//!
//! Auth0's deploy tool asks for them all before it does anything with grants, and resolves names through
//! them.

use http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::fields::Shown;
use super::paging::Page;
use super::{Answer, Asked, Endpoint, Fault, management};
use crate::config::inventory::KnownClient;
use crate::config::snapshot::{Management, Snapshot};
use crate::policy::Party;

/// An application.
#[derive(Debug, Serialize, JsonSchema)]
#[expect(clippy::struct_field_names, reason = "they are Auth0's")]
pub(super) struct Client<'c> {
    /// Its id at its issuer.
    client_id: &'c str,
    /// Its name for people; its id where it has none.
    name: &'c str,
    /// Whether it is one's own.
    is_first_party: bool,
}

pub(super) fn read(snapshot: &Snapshot, asked: &Asked) -> Result<Answer, Fault> {
    let management = management(snapshot)?;
    let shown = Shown::of(&asked.query)?;
    let mut clients = listed(management);
    if asked.endpoint == Endpoint::GetClient {
        let id = asked.names.first().map_or("", String::as_str);
        let client = clients.into_iter().find(|client| client.id.as_str() == id);
        let client = client.ok_or_else(|| {
            let message = "The client does not exist";
            Fault::new(StatusCode::NOT_FOUND, "inexistent_client", message)
        })?;
        return Ok(Answer::part(&shown, show(snapshot, client)));
    }
    let page = Page::of(&asked.query, true)?;
    // What else Auth0 filters by is not known of them, and passed over.
    if let Some(wanted) = asked.query.flag("is_first_party")? {
        clients.retain(|client| is_first_party(snapshot, client) == wanted);
    }
    clients.sort_by(|one, other| one.id.cmp(&other.id));
    let clients = clients.into_iter().map(|client| (client.id.as_str(), client));
    Ok(page.answer(asked, "clients", clients, |client| shown.of_object(show(snapshot, client))))
}

/// Those of the issuer whose applications grants are given to, where one is chosen.
fn listed(management: &Management) -> Vec<&KnownClient> {
    let chosen = management.grants_issuer.as_ref();
    let is_chosen = |client: &&KnownClient| chosen.is_none_or(|issuer| client.issuer == *issuer);
    management.inventory.clients.iter().filter(is_chosen).collect()
}

/// An application as it is shown.
fn show(snapshot: &Snapshot, client: &KnownClient) -> Map<String, Value> {
    let client_id = client.id.as_str();
    let shown = Client {
        client_id,
        name: client.name.as_deref().unwrap_or(client_id),
        is_first_party: is_first_party(snapshot, client),
    };
    match json!(shown) {
        Value::Object(shown) => shown,
        _ => Map::new(),
    }
}

/// Whether it is one's own: as written, else as the issuer's ids tell.
fn is_first_party(snapshot: &Snapshot, client: &KnownClient) -> bool {
    let by_id = || {
        let mut issuers = snapshot.issuers.iter();
        let issuer = issuers.find(|issuer| issuer.trust.issuer == client.issuer);
        issuer.map(|issuer| issuer.trust.profile.party(client.id.as_str())) != Some(Party::Third)
    };
    client.is_first_party.unwrap_or_else(by_id)
}

#[cfg(test)]
mod tests;
