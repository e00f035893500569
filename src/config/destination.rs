//! A list of a file that something new is added to, spelled as that file spells its lists.

use super::Place;
use super::inventory::File;

/// A list that something new is added to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// The list.
    pub list: Place,
    /// Whether it is a tenant export's list, where an issuer that is left out is the tenant.
    pub is_export: bool,
}

/// A list's key, and how tenant exports spell it.
type Spellings = (&'static str, &'static str);

const GRANTS: Spellings = ("client_grants", "clientGrants");
const APIS: Spellings = ("resource_servers", "resourceServers");

impl Destination {
    /// Of new grants in this file, which is the source with this index.
    pub fn of_grants(source: usize, file: &File) -> Self {
        Self::of(source, file, GRANTS)
    }

    /// Of new APIs in this file, which is the source with this index.
    pub fn of_apis(source: usize, file: &File) -> Self {
        Self::of(source, file, APIS)
    }

    fn of(source: usize, file: &File, (own, exported): Spellings) -> Self {
        let key = match [file.grants, file.apis]
            .into_iter()
            .flatten()
            .find(|key| [own, exported].contains(key))
        {
            Some(key) => key,
            None if file.is_export() => exported,
            None => own,
        };
        Self { list: Place::root(source).key(key), is_export: key == exported }
    }
}

impl File {
    /// Whether its lists are spelled as a tenant export spells them.
    pub fn is_export(&self) -> bool {
        [self.grants, self.apis].into_iter().flatten().any(|key| [GRANTS.1, APIS.1].contains(&key))
    }
}
