//! Client grants on the wire: what makes one, what changes one, and what is shown of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::inventory::KnownGrant;
use crate::config::raw::{DefaultFor, OrganizationUsage, SubjectType};
use crate::management::body::{List, Member, Text, present};
use crate::policy::Holder;

/// Scopes: as many as an API may declare.
pub(super) type Scopes = List<Text<1, 280>, 1000>;
/// Authorization details types: as many as an API may have.
pub(super) type DetailsTypes = List<Text<1, 255>, 100>;

/// What makes a client grant. Exactly one of `client_id` and `default_for` is there.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::management) struct CreateGrant {
    /// The identifier of an API that is there.
    pub(super) audience: Text<1, 600>,
    /// The application that holds it, by its id.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Text<1, 255>")]
    pub(super) client_id: Option<Text<1, 255>>,
    /// Every third-party application without a grant of its own.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "DefaultFor")]
    pub(super) default_for: Option<DefaultFor>,
    /// On whose behalf: `client` when left out.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "SubjectType")]
    pub(super) subject_type: Option<SubjectType>,
    /// The scopes that it gives; none when left out.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Scopes")]
    pub(super) scope: Option<Scopes>,
    /// Whether it gives every scope that the API declares, now and later; not beside a `scope` that is not
    /// empty.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "bool")]
    pub(super) allow_all_scopes: Option<bool>,
    /// Whether tokens issued for an organization are admitted (subject type `client` only).
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "OrganizationUsage")]
    pub(super) organization_usage: Option<OrganizationUsage>,
    /// Whether every organization is admitted (subject type `client` only; never for third parties).
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "bool")]
    pub(super) allow_any_organization: Option<bool>,
    /// The authorization details types that it gives (subject type `user` only).
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "DetailsTypes")]
    pub(super) authorization_details_types: Option<DetailsTypes>,
}

/// What changes a client grant. What is left out stays; `null` takes away what is written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::management) struct UpdateGrant {
    /// The scopes that it gives, all of them.
    #[serde(default)]
    pub(super) scope: Member<Scopes>,
    /// Whether it gives every scope that the API declares, now and later.
    #[serde(default)]
    pub(super) allow_all_scopes: Member<bool>,
    /// Whether tokens issued for an organization are admitted (subject type `client` only).
    #[serde(default)]
    pub(super) organization_usage: Member<OrganizationUsage>,
    /// Whether every organization is admitted (subject type `client` only; never for third parties).
    #[serde(default)]
    pub(super) allow_any_organization: Member<bool>,
    /// The authorization details types that it gives, all of them (subject type `user` only).
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "DetailsTypes")]
    pub(super) authorization_details_types: Option<DetailsTypes>,
}

/// A client grant.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::management) struct Grant<'g> {
    /// Its id.
    id: &'g str,
    /// The application that holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<&'g str>,
    /// Instead of an application: every third-party application without a grant of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    default_for: Option<DefaultFor>,
    /// The identifier of its API.
    audience: &'g str,
    /// On whose behalf.
    subject_type: SubjectType,
    /// The scopes that it gives; not there where it gives all.
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'g [String]>,
    /// Whether it gives every scope that the API declares.
    #[serde(skip_serializing_if = "Option::is_none")]
    allow_all_scopes: Option<bool>,
    /// Whether tokens issued for an organization are admitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    organization_usage: Option<OrganizationUsage>,
    /// Whether every organization is admitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    allow_any_organization: Option<bool>,
    /// The authorization details types that it gives.
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization_details_types: Option<&'g [String]>,
    /// Whether it is for the gateway's own API, and is changed in files alone.
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    is_system: bool,
}

impl<'g> Grant<'g> {
    /// What is shown of a grant.
    pub(in crate::management) fn of(grant: &'g KnownGrant) -> Self {
        let (client_id, default_for) = match &grant.holder {
            Holder::Client(client) => (Some(client.as_str()), None),
            Holder::ThirdPartyClients => (None, Some(DefaultFor::ThirdPartyClients)),
        };
        let written = &grant.written;
        let gives_all = written.allow_all_scopes == Some(true);
        Self {
            id: grant.id.as_str(),
            client_id,
            default_for,
            audience: grant.audience.as_str(),
            subject_type: grant.subject_type.into(),
            scope: grant.scopes().map(|(_, scopes)| scopes).filter(|_| !gives_all),
            allow_all_scopes: written.allow_all_scopes,
            organization_usage: written.organization_usage,
            allow_any_organization: written.allow_any_organization,
            authorization_details_types: written.authorization_details_types.as_deref(),
            is_system: grant.is_system,
        }
    }
}
