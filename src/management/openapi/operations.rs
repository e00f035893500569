//! What each endpoint takes and answers.

use serde_json::{Value, json};

use super::objects::{Objects, refer};
use super::parameters::parameters;
use super::responses::{Answers, JSON, responses};
use crate::management::client_grants::{CreateGrant, Grant, UpdateGrant};
use crate::management::clients::Client;
use crate::management::organizations::{Associate, Association, Organization};
use crate::management::resource_servers::{CreateApi, UpdateApi};
use crate::management::{Endpoint, Resource};

/// An endpoint's operation.
pub(super) fn operation(endpoint: Endpoint, objects: &mut Objects) -> Value {
    let (summary, body, answers) = about(endpoint, objects);
    let is_changed = matches!(
        endpoint,
        Endpoint::Associate
            | Endpoint::DeleteApi
            | Endpoint::DeleteGrant
            | Endpoint::Dissociate
            | Endpoint::UpdateApi
            | Endpoint::UpdateGrant
    );
    let mut operation = json!({
        "operationId": format!("{endpoint:?}"),
        "summary": summary,
        "tags": [tag(endpoint.resource())],
        "parameters": parameters(endpoint, is_changed),
        "responses": responses(endpoint, body.is_some(), is_changed, &answers),
    });
    let Some(members) = operation.as_object_mut() else { return operation };
    if let Some(schema) = body {
        let media = if endpoint == Endpoint::Token { FORM } else { JSON };
        let mut content = json!({media: {"schema": schema}});
        if let (Endpoint::Token, Some(content)) = (endpoint, content.as_object_mut()) {
            content.insert(JSON.to_owned(), json!({"schema": schema}));
        }
        members.insert("requestBody".to_owned(), json!({"required": true, "content": content}));
    }
    let security = match endpoint.scope() {
        Some(scope) => json!([{"client": [scope]}, {"bearer": [scope]}]),
        None => json!([]),
    };
    members.insert("security".to_owned(), security);
    operation
}

const FORM: &str = "application/x-www-form-urlencoded";

/// What an endpoint is for, the body that it takes, what it answers.
fn about(endpoint: Endpoint, objects: &mut Objects) -> (&'static str, Option<Value>, Answers) {
    use Answers::{Empty, List, Made, One, Unoffered};
    match endpoint {
        Endpoint::ListGrants => {
            ("Lists client grants", None, List("client_grants", objects.shown::<Grant<'_>>(), true))
        }
        Endpoint::CreateGrant => {
            let made = Made(objects.shown::<Grant<'_>>());
            ("Makes a client grant", Some(objects.read::<CreateGrant>()), made)
        }
        Endpoint::SearchGrants => ("Searches client grants: not offered", None, Unoffered),
        Endpoint::GetGrant => ("Shows a client grant", None, One(objects.shown::<Grant<'_>>())),
        Endpoint::UpdateGrant => {
            let one = One(objects.shown::<Grant<'_>>());
            ("Changes a client grant", Some(objects.read::<UpdateGrant>()), one)
        }
        Endpoint::DeleteGrant => {
            ("Removes a client grant; one that is not there is gone already", None, Empty)
        }
        Endpoint::ListOrganizationsOfGrant => {
            let organizations = List("organizations", objects.shown::<Organization<'_>>(), true);
            ("Lists the organizations that a client grant admits", None, organizations)
        }
        Endpoint::ListGrantsOfOrganization => {
            let grants = List("client_grants", objects.shown::<Association<'_>>(), false);
            ("Lists the client grants that admit an organization", None, grants)
        }
        Endpoint::Associate => {
            let made = Made(objects.shown::<Association<'_>>());
            ("Makes a client grant admit an organization", Some(objects.read::<Associate>()), made)
        }
        Endpoint::Dissociate => {
            ("Makes a client grant admit an organization no longer", None, Empty)
        }
        Endpoint::ListApis => {
            ("Lists APIs", None, List("resource_servers", refer("ResourceServer"), false))
        }
        Endpoint::CreateApi => {
            let made = Made(refer("ResourceServer"));
            let about =
                "Makes an API, which is known and not served: its gate is written in a file";
            (about, Some(objects.read::<CreateApi>()), made)
        }
        Endpoint::SearchApis => ("Searches APIs: not offered", None, Unoffered),
        Endpoint::GetApi => ("Shows an API", None, One(refer("ResourceServer"))),
        Endpoint::UpdateApi => {
            let one = One(refer("ResourceServer"));
            ("Changes an API", Some(objects.read::<UpdateApi>()), one)
        }
        Endpoint::DeleteApi => {
            let about =
                "Removes an API and all grants for it; one that is not there is gone already";
            (about, None, Empty)
        }
        Endpoint::ListClients => (
            "Lists the applications that are known",
            None,
            List("clients", objects.shown::<Client<'_>>(), true),
        ),
        Endpoint::GetClient => ("Shows an application", None, One(objects.shown::<Client<'_>>())),
        Endpoint::Token => {
            let issued = One(refer("Token"));
            ("Issues a token to a client of this API", Some(refer("TokenRequest")), issued)
        }
        Endpoint::Description => ("Shows this document", None, One(json!({"type": "object"}))),
    }
}

/// What the endpoints are about.
pub(super) fn tags() -> Value {
    let tags = [
        Resource::ClientGrants,
        Resource::ResourceServers,
        Resource::Organizations,
        Resource::Clients,
        Resource::Gateway,
    ];
    tags.into_iter().map(|resource| json!({"name": tag(resource)})).collect()
}

fn tag(resource: Resource) -> &'static str {
    match resource {
        Resource::ClientGrants => "client-grants",
        Resource::Clients => "clients",
        Resource::Gateway => "gateway",
        Resource::Organizations => "organizations",
        Resource::ResourceServers => "resource-servers",
    }
}
