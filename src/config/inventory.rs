//! What stands in the files about APIs, grants and applications: the words themselves, and where they stand,
//! as the Management API shows and changes them and as a change is thought up. Nothing here decides anything.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound::{Excluded, Unbounded};

use serde_json::{Map, Value};

use super::build::{ServerPlace, grant_id};
use super::{Code, Place, raw};
use crate::policy::{Audience, ClientId, GrantId, Holder, Issuer, SubjectType};

/// The identifier of the gateway's own API, and the issuer of its own clients' tokens. Nothing else has
/// this name.
pub const SYSTEM_API: &str = "urn:grantgate:management";

/// The APIs, grants and applications of all files.
#[derive(Debug, Default)]
pub struct Inventory {
    /// In the order of the files.
    pub apis: Vec<KnownApi>,
    /// In the order of the files.
    pub grants: Vec<KnownGrant>,
    /// In the order of the files.
    pub clients: Vec<KnownClient>,
    /// The issuers, and where each is written, in the order of the files.
    pub issuers: Vec<(Issuer, Place)>,
    /// By source: what each file holds.
    pub files: Vec<File>,
    /// What somebody should look at: where it stands, and its kind. Of very many, the first.
    warnings: Vec<(Place, Code)>,
    /// Places in `grants`, in the order of the ids.
    grants_by_id: BTreeMap<GrantId, usize>,
    /// Places in `apis`, by id and by identifier.
    apis_by_name: HashMap<String, usize>,
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

impl KnownGrant {
    /// The scopes that are written, and under which key.
    pub fn scopes(&self) -> Option<(&'static str, &[String])> {
        match (&self.written.scope, &self.written.scopes) {
            (Some(scopes), _) => Some(("scope", scopes)),
            (None, Some(scopes)) => Some(("scopes", scopes)),
            (None, None) => None,
        }
    }
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
    /// An inventory of these. Where something that does not count has the id of something else, the
    /// first of both is found by it.
    pub(super) fn of(
        apis: Vec<KnownApi>,
        grants: Vec<KnownGrant>,
        clients: Vec<KnownClient>,
        files: Vec<File>,
        warnings: Vec<(Place, Code)>,
    ) -> Self {
        // Of two with one id the first counts: it is the last that is put in. All at once, since there may
        // be very many.
        let by_id = grants.iter().enumerate().rev().map(|(index, grant)| (grant.id.clone(), index));
        let grants_by_id = by_id.collect();
        let mut apis_by_name = HashMap::new();
        for (index, api) in apis.iter().enumerate() {
            apis_by_name.insert(api.identifier.as_str().to_owned(), index);
        }
        for (index, api) in apis.iter().enumerate() {
            apis_by_name.entry(api.id.clone()).or_insert(index);
        }
        let issuers = Vec::new();
        Self { apis, grants, clients, issuers, files, warnings, grants_by_id, apis_by_name }
    }

    pub(super) fn with_issuers(self, issuers: Vec<(Issuer, Place)>) -> Self {
        Self { issuers, ..self }
    }

    /// The id of a grant that is not given one.
    pub fn id_of(
        issuer: &Issuer,
        holder: &Holder,
        audience: &Audience,
        subject_type: SubjectType,
    ) -> Option<GrantId> {
        grant_id::derive(issuer.as_str(), holder, audience, subject_type)
    }

    /// The API with this id or identifier.
    pub fn api(&self, name: &str) -> Option<&KnownApi> {
        self.apis.get(*self.apis_by_name.get(name)?)
    }

    /// The grant with this id.
    pub fn grant(&self, id: &str) -> Option<&KnownGrant> {
        self.grants.get(*self.grants_by_id.get(id)?)
    }

    /// The kinds of what somebody should look at where `within` says.
    pub fn warnings(&self, within: impl Fn(&Place) -> bool) -> BTreeSet<&'static str> {
        let there = self.warnings.iter().filter(|(place, _)| within(place));
        there.map(|(_, code)| code.as_str()).collect()
    }

    /// The grants in the order of their ids, behind `id` where one is given.
    pub fn grants_behind(&self, id: Option<&str>) -> impl Iterator<Item = &KnownGrant> {
        let from = id.map_or(Unbounded, Excluded);
        let indexes = self.grants_by_id.range::<str, _>((from, Unbounded));
        indexes.filter_map(|(_, index)| self.grants.get(*index))
    }
}
