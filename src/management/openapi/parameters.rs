//! What each parameter of a path or query may be.

use serde_json::{Value, json};

use crate::management::Endpoint;

/// The parameters of an endpoint: those of its path, its query, and `If-Match` where it changes an object.
pub(super) fn parameters(endpoint: Endpoint, is_changed: bool) -> Vec<Value> {
    let names = endpoint.path().split('/');
    let names = names.filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
    let mut parameters: Vec<_> = names.map(|name| in_path(endpoint, name)).collect();
    parameters.extend(endpoint.parameters().iter().map(|name| in_query(name)));
    if is_changed {
        parameters.push(json!({
            "name": "If-Match",
            "in": "header",
            "description": "The `ETag` of the object as it was read, of an association that of its grant: \
                412 where it is another by now.",
            "schema": {"type": "string"},
        }));
    }
    parameters
}

fn in_path(endpoint: Endpoint, name: &str) -> Value {
    let about = match endpoint {
        Endpoint::DeleteApi | Endpoint::GetApi | Endpoint::UpdateApi => {
            "The API's id, or its identifier as one segment: percent-encoded."
        }
        Endpoint::GetClient => "The application's id.",
        Endpoint::Associate | Endpoint::ListGrantsOfOrganization => "The organization's id.",
        Endpoint::Dissociate if name == "id" => "The organization's id.",
        _ => "The grant's id.",
    };
    json!({
        "name": name,
        "in": "path",
        "required": true,
        "description": about,
        "schema": {"type": "string", "minLength": 1},
    })
}

fn in_query(name: &str) -> Value {
    let (about, schema) = match name {
        "allow_any_organization" => {
            ("Those that admit every organization.", json!({"type": "boolean", "enum": [true]}))
        }
        "audience" => ("Those for the API with this identifier.", text()),
        "client_id" => ("Those of this application.", text()),
        "default_for" => (
            "Those of every third-party application without a grant of its own.",
            json!({"type": "string", "enum": ["third_party_clients"]}),
        ),
        "fields" => ("Names between commas: what is shown of each object.", text()),
        "from" => ("The `next` of an answer: the list goes on behind it.", text()),
        "grant_ids" => ("Those with one of these ids.", list()),
        "identifiers" => {
            ("Those with one of these identifiers; only so the gateway's own is listed.", list())
        }
        "include_fields" => ("Whether `fields` are what is shown; else what is not.", flag(true)),
        "include_totals" => ("Whether it is told how many there are.", flag(false)),
        "page" => ("Which page, from 0.", json!({"type": "integer", "minimum": 0, "default": 0})),
        "per_page" => ("How long a page is.", length()),
        "subject_type" => (
            "Those for calls on this one's behalf.",
            json!({"type": "string", "enum": ["anonymous_user", "client", "user"]}),
        ),
        "take" => ("How many come at most; the list is then read on by its `next`.", length()),
        "is_first_party" => ("Those that are one's own, or others'.", json!({"type": "boolean"})),
        _ => ("Not looked at.", text()),
    };
    json!({"name": name, "in": "query", "description": about, "schema": schema})
}

fn text() -> Value {
    json!({"type": "string"})
}

fn list() -> Value {
    json!({"type": "array", "items": {"type": "string"}, "maxItems": 10})
}

fn flag(default: bool) -> Value {
    json!({"type": "boolean", "default": default})
}

fn length() -> Value {
    json!({"type": "integer", "minimum": 1, "maximum": 100, "default": 50})
}
