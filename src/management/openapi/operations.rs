//! What each endpoint takes and answers.

use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::SCHEMAS;
use super::parameters::parameters;
use crate::management::client_grants::{CreateGrant, Grant, UpdateGrant};
use crate::management::organizations::Associate;
use crate::management::resource_servers::{CreateApi, UpdateApi};
use crate::management::{Endpoint, Resource};

/// What is answered when all is well.
enum Answers {
    /// Nothing (204).
    Empty,
    /// A list, by its name and its items' schema; whether it can be read on by `next`.
    List(&'static str, Value, bool),
    /// One object that came to be (201).
    Made(Value),
    /// One object (200).
    One(Value),
    /// That it is not offered (501).
    Unoffered,
}

/// An endpoint's operation.
pub(super) fn operation(endpoint: Endpoint, generator: &mut SchemaGenerator) -> Value {
    let (summary, body, answers) = about(endpoint, generator);
    let mut operation = json!({
        "operationId": format!("{endpoint:?}"),
        "summary": summary,
        "tags": [tag(endpoint.resource())],
        "parameters": parameters(endpoint, is_changed(endpoint)),
        "responses": responses(endpoint, body.is_some(), &answers),
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
const JSON: &str = "application/json";

/// What an endpoint is for, the body that it takes, what it answers.
fn about(
    endpoint: Endpoint,
    generator: &mut SchemaGenerator,
) -> (&'static str, Option<Value>, Answers) {
    use Answers::{Empty, List, Made, One, Unoffered};
    let mut grant = || read::<Grant<'_>>(generator);
    match endpoint {
        Endpoint::ListGrants => ("Lists client grants", None, List("client_grants", grant(), true)),
        Endpoint::CreateGrant => {
            let made = Made(grant());
            ("Makes a client grant", Some(read::<CreateGrant>(generator)), made)
        }
        Endpoint::SearchGrants => ("Searches client grants: not offered", None, Unoffered),
        Endpoint::GetGrant => ("Shows a client grant", None, One(grant())),
        Endpoint::UpdateGrant => {
            let one = One(grant());
            ("Changes a client grant", Some(read::<UpdateGrant>(generator)), one)
        }
        Endpoint::DeleteGrant => {
            ("Removes a client grant; one that is not there is gone already", None, Empty)
        }
        Endpoint::ListOrganizationsOfGrant => {
            let organizations = List("organizations", refer("Organization"), true);
            ("Lists the organizations that a client grant admits", None, organizations)
        }
        Endpoint::ListGrantsOfOrganization => {
            let grants = List("client_grants", grant(), false);
            ("Lists the client grants that admit an organization", None, grants)
        }
        Endpoint::Associate => {
            let made = Made(refer("Association"));
            ("Makes a client grant admit an organization", Some(read::<Associate>(generator)), made)
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
            (about, Some(read::<CreateApi>(generator)), made)
        }
        Endpoint::SearchApis => ("Searches APIs: not offered", None, Unoffered),
        Endpoint::GetApi => ("Shows an API", None, One(refer("ResourceServer"))),
        Endpoint::UpdateApi => {
            let one = One(refer("ResourceServer"));
            ("Changes an API", Some(read::<UpdateApi>(generator)), one)
        }
        Endpoint::DeleteApi => {
            let about =
                "Removes an API and all grants for it; one that is not there is gone already";
            (about, None, Empty)
        }
        Endpoint::ListClients => {
            ("Lists the applications that are known", None, List("clients", refer("Client"), true))
        }
        Endpoint::GetClient => ("Shows an application", None, One(refer("Client"))),
        Endpoint::Token => {
            let issued = One(refer("Token"));
            ("Issues a token to a client of this API", Some(refer("TokenRequest")), issued)
        }
        Endpoint::Description => ("Shows this document", None, One(json!({"type": "object"}))),
    }
}

/// The schema of what is read or shown by a type.
fn read<T: JsonSchema>(generator: &mut SchemaGenerator) -> Value {
    generator.subschema_for::<T>().to_value()
}

/// The schema of what no type alone is.
fn refer(name: &str) -> Value {
    json!({"$ref": format!("#{SCHEMAS}/{name}")})
}

fn is_changed(endpoint: Endpoint) -> bool {
    matches!(
        endpoint,
        Endpoint::DeleteApi | Endpoint::DeleteGrant | Endpoint::UpdateApi | Endpoint::UpdateGrant
    )
}

fn responses(endpoint: Endpoint, takes_body: bool, answers: &Answers) -> Map<String, Value> {
    let mut responses = Map::new();
    let mut add = |status: u16, response: Value| responses.insert(status.to_string(), response);
    match answers {
        Answers::Empty => add(204, response("Done.", None, &[])),
        Answers::List(name, item, checkpoint) => {
            add(200, response("The list.", Some(list(name, item, *checkpoint)), &["Link"]))
        }
        Answers::Made(schema) => {
            add(201, response("It is there, and decides.", Some(schema.clone()), &["ETag"]))
        }
        Answers::One(schema) => {
            let tagged = endpoint.resource() != Resource::Gateway;
            let headers: &[_] = if tagged { &["ETag"] } else { &[] };
            add(200, response("What it is.", Some(schema.clone()), headers))
        }
        Answers::Unoffered => None,
    };
    for &(status, about, headers) in FAULTS {
        if may_be(endpoint, takes_body, status, answers) {
            let denied = endpoint == Endpoint::Token && matches!(status, 400..=403 | 415);
            let schema = if denied {
                json!({"anyOf": [refer("TokenFault"), refer("Fault")]})
            } else {
                refer("Fault")
            };
            add(status, response(about, Some(schema), headers));
        }
    }
    responses
}

/// What may be wrong, and which headers say more of it.
const FAULTS: &[(u16, &str, &[&str])] = &[
    (
        400,
        "What is wrong with the request, by its parts; or what would be wrong with the files.",
        &[],
    ),
    (401, "Who calls is not known.", &["WWW-Authenticate"]),
    (403, "The caller may not do this, or nobody may over HTTP.", &["WWW-Authenticate"]),
    (404, "There is no such thing.", &[]),
    (405, "The path takes other methods.", &["Allow"]),
    (408, "The request did not come whole in time.", &[]),
    (409, "There is such a thing already, or the files cannot be changed.", &[]),
    (412, "It was changed since it was read.", &[]),
    (413, "The body is too long.", &[]),
    (414, "The path and query are too long.", &[]),
    (415, "The body is of another kind.", &[]),
    (429, "Too many requests.", &["Retry-After"]),
    (500, "The gateway failed.", &[]),
    (501, "This is not offered.", &[]),
    (503, "The gateway cannot answer now.", &["Retry-After"]),
];

/// Whether an endpoint may answer with a fault's status.
fn may_be(endpoint: Endpoint, takes_body: bool, status: u16, answers: &Answers) -> bool {
    let is_public = endpoint.scope().is_none();
    let is_written = endpoint.scope().is_some_and(|scope| !scope.starts_with("read:"));
    match status {
        401 | 403 => !is_public || endpoint == Endpoint::Token,
        409 => is_written,
        412 => is_changed(endpoint),
        408 | 413 | 415 => takes_body,
        501 => matches!(answers, Answers::Unoffered),
        _ => true,
    }
}

fn response(about: &str, schema: Option<Value>, headers: &[&str]) -> Value {
    let mut all = json!({
        "x-ratelimit-limit": {"$ref": "#/components/headers/RateLimit"},
        "x-ratelimit-remaining": {"$ref": "#/components/headers/RateLimitRemaining"},
        "x-ratelimit-reset": {"$ref": "#/components/headers/RateLimitReset"},
    });
    for name in headers {
        let component = match *name {
            "Retry-After" => "RetryAfter",
            "WWW-Authenticate" => "WwwAuthenticate",
            name => name,
        };
        if let Some(all) = all.as_object_mut() {
            let header = json!({"$ref": format!("#/components/headers/{component}")});
            all.insert((*name).to_owned(), header);
        }
    }
    let mut response = json!({"description": about, "headers": all});
    if let (Some(schema), Some(response)) = (schema, response.as_object_mut()) {
        response.insert("content".to_owned(), json!({JSON: {"schema": schema}}));
    }
    response
}

/// A list in its three shapes.
fn list(name: &str, item: &Value, checkpoint: bool) -> Value {
    let items = json!({"type": "array", "items": item});
    let whole = json!({"type": "integer", "minimum": 0});
    let totals = json!({
        "type": "object",
        "description": "With `include_totals`.",
        "properties": {"start": whole, "limit": whole, "total": whole, name: items},
        "required": ["start", "limit", "total", name],
        "additionalProperties": false,
    });
    let behind = json!({
        "type": "object",
        "description": "With `from` or `take`: without `next` where the list ends.",
        "properties": {name: items, "next": {"type": "string"}},
        "required": [name],
        "additionalProperties": false,
    });
    let mut shapes = vec![items, totals];
    shapes.extend(checkpoint.then_some(behind));
    json!({"oneOf": shapes})
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
