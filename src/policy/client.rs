//! What is known of applications beyond their grants: whether they are somebody else's.

use std::collections::HashMap;

use super::{ClientId, Issuer};

/// Whose application it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    /// One's own, or a third party's in permissive mode, which follows the policy like one's own.
    First,
    /// A third party's in strict mode: needs a grant even where the policy asks none, and may use
    /// the API's default grant for third parties.
    Third,
}

/// The applications that are listed in the configuration.
#[derive(Clone, Debug, Default)]
pub struct Clients {
    by_issuer: HashMap<Issuer, HashMap<ClientId, Party>>,
}

impl Clients {
    /// Lists `client` of `issuer`; the one listed before under the same key is returned.
    pub fn insert(&mut self, issuer: Issuer, client: ClientId, party: Party) -> Option<Party> {
        self.by_issuer.entry(issuer).or_default().insert(client, party)
    }

    /// What the list says of `client` of `issuer`.
    pub fn find(&self, issuer: &Issuer, client: &str) -> Option<Party> {
        self.by_issuer.get(issuer)?.get(client).copied()
    }

    /// Every listed application.
    pub fn iter(&self) -> impl Iterator<Item = (&Issuer, &ClientId, Party)> {
        self.by_issuer.iter().flat_map(|(issuer, clients)| {
            clients.iter().map(move |(client, &party)| (issuer, client, party))
        })
    }
}
