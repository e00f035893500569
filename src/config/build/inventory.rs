//! What stands in the files, whether it counts or not → the inventory of the Management API.
//!
//! It is made when everything was found right, so that nothing here is said about what is wrong. Grants
//! are moved into it as they were written: there may be very many of them.

use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Map, Value, json};

use super::clients::Listed;
use super::context::At;
use super::described::Server;
use super::export::{self, is_exported_grant};
use super::grants::{Given, subject_type};
use super::issuers::Issuers;
use super::{Apis, grant_id, management};
use crate::config::inventory::{File, Inventory, KnownApi, KnownGrant, SYSTEM_API};
use crate::config::{Place, Report, Source, raw};
use crate::hex::hex;
use crate::policy::{Audience, ClientId, GrantId, Holder, Issuer};

/// What the parts of the configuration were built to.
pub(super) struct Built<'a> {
    pub(super) sources: &'a [Source],
    pub(super) issuers: &'a Issuers,
    pub(super) apis: &'a Apis,
    pub(super) listed: &'a Listed,
    /// In the order in which they are written.
    pub(super) given: &'a [Given],
}

impl Built<'_> {
    /// The APIs as they are shown.
    pub(super) fn apis(&self, servers: &[Server<'_>]) -> Vec<KnownApi> {
        let described = servers.iter().filter_map(|server| {
            let index = self.apis.find(server.raw.identifier.as_deref()?)?;
            Some(self.api(self.apis.list.get(index)?, written(&server.raw)))
        });
        let own = self.apis.list.iter().filter(|built| built.is_system);
        described.chain(own.map(|built| self.api(built, management::shown(&built.api)))).collect()
    }

    fn api(&self, built: &super::KnownApi, written: Map<String, Value>) -> KnownApi {
        let identifier = &built.api.identifier;
        let id = written.get("id").and_then(Value::as_str);
        KnownApi {
            id: id.map_or_else(|| api_id(identifier), str::to_owned),
            identifier: identifier.clone(),
            place: built.place.clone(),
            has_gate: built.has_gate,
            is_system: built.is_system,
            issuers: built
                .trusted
                .iter()
                .filter_map(|index| self.issuers.name(*index).cloned())
                .collect(),
            written,
        }
    }

    /// Where the issuers are written.
    pub(super) fn issuers(&self, written: &[At<&raw::Issuer>]) -> Vec<(Issuer, Place)> {
        let named = written.iter().filter_map(|at| {
            let index = self.issuers.find(at.raw.issuer.as_deref()?)?;
            Some((self.issuers.name(index)?.clone(), at.place.clone()))
        });
        named.collect()
    }

    /// Everything as it is shown: `apis`, and what `written` holds. There are but warnings in `report`.
    pub(super) fn inventory(
        &self,
        apis: Vec<KnownApi>,
        written: Vec<(usize, raw::Configuration)>,
        report: &Report,
    ) -> Inventory {
        let file_name = |source: &Source| {
            let name = Path::new(&source.name).file_name().and_then(|name| name.to_str());
            name.unwrap_or(&source.name).to_owned()
        };
        let mut files: Vec<_> = self
            .sources
            .iter()
            .map(|source| File { name: file_name(source), apis: None, grants: None })
            .collect();
        let mut grants = Vec::new();
        let mut given = self.given.iter().peekable();
        for (source, raw) in written {
            let root = Place::root(source);
            let lists = [
                ("client_grants", raw.client_grants),
                (export::GRANTS, raw.exported_client_grants),
            ];
            if let Some(file) = files.get_mut(source) {
                file.apis = match (&raw.resource_servers, &raw.exported_resource_servers) {
                    (Some(_), _) => Some("resource_servers"),
                    (None, Some(_)) => Some("resourceServers"),
                    (None, None) => None,
                };
                file.grants = lists.iter().find_map(|(key, list)| list.as_ref().map(|_| *key));
            }
            for (key, list) in lists {
                let list = list.into_iter().flatten().enumerate();
                let place = root.key(key);
                grants.extend(list.filter_map(|(index, written)| {
                    let place = place.index(index);
                    match given.next_if(|given| given.place == place) {
                        Some(given) => self.counted(given, written),
                        None => self.uncounted(place, written),
                    }
                }));
            }
        }
        let warnings = report.iter().map(|found| (found.place.clone(), found.code)).collect();
        Inventory::of(apis, grants, self.listed.shown(self.issuers), files, warnings)
    }

    fn counted(&self, given: &Given, written: raw::ClientGrant) -> Option<KnownGrant> {
        let api = self.apis.list.get(given.api)?;
        Some(KnownGrant {
            id: given.grant.id.clone(),
            place: given.place.clone(),
            issuer: self.issuers.name(given.issuer).cloned(),
            holder: given.holder.clone(),
            is_system: api.api.identifier.as_str() == SYSTEM_API,
            audience: api.api.identifier.clone(),
            subject_type: given.grant.subject_type(),
            written,
        })
    }

    /// A grant that is known and not used. None where the export that it stands in does not say whose it
    /// is, but by a name that nothing tells the id of.
    fn uncounted(&self, place: Place, written: raw::ClientGrant) -> Option<KnownGrant> {
        let is_exported = is_exported_grant(&place);
        let implied = || self.issuers.name(self.issuers.implied(is_exported)?).cloned();
        let issuer = match &written.issuer {
            Some(name) => Issuer::new(name).ok(),
            None => implied(),
        };
        let holder = match &written.client_id {
            Some(text) => Holder::Client(self.client(text, is_exported, issuer.as_ref())?),
            None => Holder::ThirdPartyClients,
        };
        let audience = match &written.audience {
            Some(text) => Audience::new(text).ok()?,
            None => self.apis.list.first()?.api.identifier.clone(),
        };
        let subject_type = subject_type(&written);
        let derived = || {
            let issuer = issuer.as_ref().map_or("", Issuer::as_str);
            grant_id::derive(issuer, &holder, &audience, subject_type)
        };
        let id = written.id.as_ref().map_or_else(derived, |id| GrantId::new(id).ok())?;
        let is_system = audience.as_str() == SYSTEM_API;
        Some(KnownGrant { id, place, issuer, holder, audience, subject_type, is_system, written })
    }

    fn client(&self, text: &str, is_exported: bool, issuer: Option<&Issuer>) -> Option<ClientId> {
        let named = || {
            let issuer = self.issuers.find(issuer?.as_str())?;
            self.listed.known(issuer, text).cloned()
        };
        let named = if is_exported { named() } else { None };
        named.or_else(|| ClientId::new(text).ok())
    }
}

/// The fields of an API that are shown: all but its gate.
fn written(server: &raw::ResourceServer) -> Map<String, Value> {
    let raw::ResourceServer {
        identifier,
        name,
        scopes,
        authorization_details,
        subject_type_authorization,
        gate: _,
        proof_of_possession,
        enforce_policies,
        token_encryption,
        others,
    } = server;
    let fields = [
        ("identifier", json!(identifier)),
        ("name", json!(name)),
        ("scopes", json!(scopes)),
        ("authorization_details", json!(authorization_details)),
        ("subject_type_authorization", json!(subject_type_authorization)),
        ("proof_of_possession", json!(proof_of_possession)),
        ("enforce_policies", json!(enforce_policies)),
        ("token_encryption", json!(token_encryption)),
    ];
    let fields = fields.into_iter().filter(|(_, value)| !value.is_null());
    let fields = fields.map(|(name, value)| (name.to_owned(), value));
    fields.chain(others.clone()).collect()
}

/// How many digits the id of an API has at Auth0.
const API_ID_DIGITS: usize = 24;

/// The id of an API that was not given one: the same after every reload and in every replica.
fn api_id(identifier: &Audience) -> String {
    let hash = digest(&SHA256, identifier.as_str().as_bytes());
    hex(hash.as_ref().iter().take(API_ID_DIGITS / 2))
}
