//! Moves of grants: a new one, and what changes in one that is there.

use serde_json::{Map, Value, json};

use super::super::Files;
use super::append;
use crate::config::inventory::KnownGrant;
use crate::config::raw::OrganizationUsage;
use crate::config::{Destination, Edit};
use crate::policy::{Audience, ClientId, GrantId, Issuer, SubjectType};

/// A grant that is to be.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) struct NewGrant {
    pub(in super::super) client: ClientId,
    pub(in super::super) audience: Audience,
    pub(in super::super) issuer: Issuer,
    /// Whether the issuer is one of several that could be meant.
    pub(in super::super) is_one_of_several: bool,
    pub(in super::super) subject_type: SubjectType,
    /// How organizations are admitted, where they are, and which.
    pub(in super::super) organizations: Option<(&'static str, Vec<String>)>,
    pub(in super::super) scopes: Vec<String>,
    pub(in super::super) details: Vec<String>,
    /// Whether it takes the place of the default grant for third parties.
    pub(in super::super) replaces_default: bool,
    pub(in super::super) to: Destination,
}

impl NewGrant {
    pub(super) fn edit(&self) -> Edit {
        Edit::Append { list: self.to.list.clone(), items: vec![self.written()] }
    }

    /// As a careful person writes it: what narrows it comes before what it gives, so that a file that is cut
    /// short gives no more.
    fn written(&self) -> Value {
        let issuer = (self.is_one_of_several || self.to.is_export).then(|| self.issuer.as_str());
        let usage = self.organizations.as_ref().map(|(usage, _)| usage);
        let organizations = self.organizations.as_ref().map(|(_, ids)| ids);
        let details = Some(&self.details).filter(|types| !types.is_empty());
        let fields = [
            ("client_id", json!(self.client.as_str())),
            ("audience", json!(self.audience.as_str())),
            ("issuer", json!(issuer)),
            ("subject_type", json!(self.subject_type.as_str())),
            ("organization_usage", json!(usage)),
            ("organizations", json!(organizations)),
            ("scope", json!(self.scopes)),
            ("authorization_details_types", json!(details)),
        ];
        let fields = fields.into_iter().filter(|(_, value)| !value.is_null());
        fields.map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>().into()
    }
}

/// Where a grant for this API may be added, the best first: beside other grants for it, in a file that people
/// look after; then where its gate stands; and in a tenant export, which others write, last.
pub(in super::super) fn destinations(files: &Files<'_>, audience: &Audience) -> Vec<Destination> {
    let inventory = files.inventory;
    let gate = inventory.api(audience.as_str()).map(|api| api.place.key("gate").source);
    let for_it = |source: usize| {
        let mut grants = inventory.grants.iter();
        grants.any(|grant| grant.place.source == source && grant.audience == *audience)
    };
    let known = inventory.files.iter().enumerate();
    let mut ranked: Vec<_> = known
        .filter(|(source, file)| file.grants.is_some() || gate == Some(*source))
        .map(|(source, file)| {
            let to = Destination::of_grants(source, file);
            let rank = match (file.grants.is_some(), for_it(source)) {
                _ if to.is_export => 3,
                (true, true) => 0,
                (true, false) => 1,
                (false, _) => 2,
            };
            (rank, to)
        })
        .collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().map(|(_, to)| to).collect()
}

/// A grant as it stands in the files; none that exists only in a change.
fn known<'f>(files: &Files<'f>, grant: &GrantId) -> Option<&'f KnownGrant> {
    files.inventory.grant(grant.as_str())
}

pub(super) fn widen(
    files: &Files<'_>,
    grant: &GrantId,
    scopes: &[String],
    details: &[String],
) -> Option<Vec<Edit>> {
    let known = known(files, grant)?;
    let mut edits = Vec::new();
    // A grant of all scopes lists none: there is nothing to add.
    if let Some((key, listed)) = known.scopes() {
        edits.extend(append(known.place.key(key), listed, scopes));
    }
    let listed = known.written.authorization_details_types.as_deref().unwrap_or_default();
    let list = known.place.key("authorization_details_types");
    edits.extend(append(list, listed, details));
    Some(edits)
}

pub(super) fn renew(files: &Files<'_>, grant: &GrantId, until: &str) -> Option<Vec<Edit>> {
    let place = known(files, grant)?.place.key("expires_at");
    Some(vec![Edit::Set { place, value: json!(until) }])
}

pub(super) fn admit(
    files: &Files<'_>,
    grant: &GrantId,
    organization: Option<&str>,
) -> Option<Vec<Edit>> {
    let KnownGrant { place, written, .. } = known(files, grant)?;
    let set = |key: &'static str, value: Value| Edit::Set { place: place.key(key), value };
    let denied = matches!(written.organization_usage, None | Some(OrganizationUsage::Deny));
    let mut edits = Vec::new();
    if denied || organization.is_none() {
        edits.push(set("organization_usage", json!("allow")));
    }
    if denied && written.allow_any_organization == Some(true) {
        // It had no effect, and is not to get any by this.
        edits.push(set("allow_any_organization", json!(false)));
    }
    let listed = written.organizations.as_deref().unwrap_or_default();
    let named: Vec<_> = organization.map(str::to_owned).into_iter().collect();
    edits.extend(append(place.key("organizations"), listed, &named));
    Some(edits)
}
