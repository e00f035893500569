//! What stands in the files about APIs, grants and applications, as the Management API shows and changes
//! it: the words themselves, and where they stand. Nothing here decides anything.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};

use super::build::ServerPlace;
use super::{Place, raw};
use crate::policy::{Audience, ClientId, GrantId, Holder, Issuer, SubjectType};

/// The APIs, grants and applications of all files.
#[derive(Debug, Default)]
pub struct Inventory {
    /// In the order of the files.
    pub apis: Vec<KnownApi>,
    /// In the order of the files.
    pub grants: Vec<KnownGrant>,
    /// In the order of the files.
    pub clients: Vec<KnownClient>,
    /// By source: what each file holds.
    pub files: Vec<File>,
    /// Places in `grants`, in the order of the ids.
    pub(super) grants_by_id: BTreeMap<GrantId, usize>,
    /// Places in `apis`, by id and by identifier.
    pub(super) apis_by_name: HashMap<String, usize>,
}

/// An API, whether it is served or not.
#[derive(Debug)]
pub struct KnownApi {
    /// 24 hexadecimal digits: as written, else derived from the identifier.
    pub id: String,
    /// Its identifier.
    pub identifier: Audience,
    /// Where each of its keys stands, or would.
    pub place: ServerPlace,
    /// Whether it has a gate.
    pub has_gate: bool,
    /// Whether it is the gateway's own, which is not changed over HTTP.
    pub is_system: bool,
    /// The issuers that it trusts.
    pub issuers: Vec<Issuer>,
    /// Its fields as they are written, without `gate` and without secrets; those of both its entries,
    /// where it has two.
    pub written: Map<String, Value>,
}

/// A grant, whether it counts or not.
#[derive(Debug)]
pub struct KnownGrant {
    /// As written, else derived from its key.
    pub id: GrantId,
    /// Where it stands.
    pub place: Place,
    /// The issuer of its application; none where that cannot be told, and the grant is not used.
    pub issuer: Option<Issuer>,
    /// Who holds it.
    pub holder: Holder,
    /// The API's identifier.
    pub audience: Audience,
    /// On whose behalf.
    pub subject_type: SubjectType,
    /// Whether it is for the gateway's own API: then it is not changed over HTTP.
    pub is_system: bool,
    /// As it is written.
    pub written: raw::ClientGrant,
}

/// An application that is listed.
#[derive(Debug)]
pub struct KnownClient {
    /// Its id.
    pub id: ClientId,
    /// Its issuer.
    pub issuer: Issuer,
    /// Its name, where it has one.
    pub name: Option<String>,
    /// As it is written, where it is.
    pub is_first_party: Option<bool>,
}

/// A file of the configuration.
#[derive(Debug)]
pub struct File {
    /// Its name, without its folder.
    pub name: String,
    /// Under which key it has a list of APIs.
    pub apis: Option<&'static str>,
    /// Under which key it has a list of grants.
    pub grants: Option<&'static str>,
}

impl Inventory {
    /// The API with this id or identifier.
    pub fn api(&self, name: &str) -> Option<&KnownApi> {
        self.apis.get(*self.apis_by_name.get(name)?)
    }

    /// The grant with this id.
    pub fn grant(&self, id: &str) -> Option<&KnownGrant> {
        self.grants.get(*self.grants_by_id.get(id)?)
    }

    /// The grants in the order of their ids, behind `id` where one is given.
    pub fn grants_behind(&self, id: Option<&GrantId>) -> impl Iterator<Item = &KnownGrant> {
        use std::ops::Bound::{Excluded, Unbounded};
        let from = id.map_or(Unbounded, Excluded);
        let indexes = self.grants_by_id.range::<GrantId, _>((from, Unbounded));
        indexes.filter_map(|(_, index)| self.grants.get(*index))
    }
}
