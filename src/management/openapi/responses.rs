//! What is answered: the good news of each endpoint, and what may be wrong with a request.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::objects::refer;
use crate::management::{Endpoint, Resource};

pub(super) const JSON: &str = "application/json";

/// What is answered when all is well.
pub(super) enum Answers {
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

/// What an endpoint answers. `is_changed` says that it changes or removes one object.
pub(super) fn responses(
    endpoint: Endpoint,
    takes_body: bool,
    is_changed: bool,
    answers: &Answers,
) -> Map<String, Value> {
    let mut responses = Map::new();
    let is_written = endpoint.scope().is_some_and(|scope| !scope.starts_with("read:"));
    let good = match answers {
        Answers::Empty => Some((204, response("Done.", None, &[]))),
        Answers::List(name, item, checkpoint) => {
            let list = list(name, item, *checkpoint);
            Some((200, response("The list.", Some(list), &["Link"])))
        }
        Answers::Made(schema) => {
            let schema = Some(schema.clone());
            Some((201, response("It is there, and decides.", schema, WRITTEN)))
        }
        Answers::One(schema) => {
            let is_object = endpoint.resource() != Resource::Gateway;
            let headers = match (is_object, is_written) {
                (true, true) => WRITTEN,
                (true, false) => &["ETag"],
                (false, _) => &[],
            };
            Some((200, response("What it is.", Some(schema.clone()), headers)))
        }
        Answers::Unoffered => None,
    };
    responses.extend(good.map(|(status, response)| (status.to_string(), response)));
    let is_public = endpoint.scope().is_none();
    let is_token = endpoint == Endpoint::Token;
    for fault in FAULTS {
        let may_be = match fault.status.as_u16() {
            401 | 403 => !is_public || is_token,
            408 | 413 | 415 => takes_body,
            409 | 507 => is_written,
            412 => is_changed,
            501 => matches!(answers, Answers::Unoffered),
            _ => true,
        };
        if may_be {
            let response = if is_token {
                fault.response(json!({"anyOf": [refer("TokenFault"), refer("Fault")]}))
            } else {
                json!({"$ref": format!("#/components/responses/{}", fault.name())})
            };
            responses.insert(fault.status.as_str().to_owned(), response);
        }
    }
    responses
}

/// The headers of an object that was written.
const WRITTEN: &[&str] = &["ETag", "Grantgate-Warnings"];

/// A list in its shapes.
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

/// Something wrong.
struct Wrong {
    status: StatusCode,
    about: &'static str,
    /// What says more of it.
    headers: &'static [&'static str],
}

const fn wrong(status: StatusCode, about: &'static str, headers: &'static [&'static str]) -> Wrong {
    Wrong { status, about, headers }
}

const FAULTS: &[Wrong] = &[
    wrong(
        StatusCode::BAD_REQUEST,
        "The request is wrong, or the files would be: with what is wrong, and where.",
        &[],
    ),
    wrong(StatusCode::UNAUTHORIZED, "Who calls is not known.", &["WWW-Authenticate"]),
    wrong(
        StatusCode::FORBIDDEN,
        "The caller may not do this, or nobody may over HTTP.",
        &["WWW-Authenticate"],
    ),
    wrong(StatusCode::NOT_FOUND, "There is no such thing.", &[]),
    wrong(StatusCode::METHOD_NOT_ALLOWED, "The path takes other methods.", &["Allow"]),
    wrong(StatusCode::REQUEST_TIMEOUT, "The request did not come whole in time.", &[]),
    wrong(
        StatusCode::CONFLICT,
        "There is such a thing already, or the files cannot be changed so.",
        &[],
    ),
    wrong(StatusCode::PRECONDITION_FAILED, "It was changed since it was read.", &[]),
    wrong(StatusCode::PAYLOAD_TOO_LARGE, "The body is too long.", &[]),
    wrong(StatusCode::URI_TOO_LONG, "The path and query are too long.", &[]),
    wrong(StatusCode::UNSUPPORTED_MEDIA_TYPE, "The body is of another kind.", &[]),
    wrong(StatusCode::TOO_MANY_REQUESTS, "Too many requests.", &["Retry-After"]),
    wrong(StatusCode::INTERNAL_SERVER_ERROR, "The gateway failed.", &[]),
    wrong(StatusCode::NOT_IMPLEMENTED, "This is not offered.", &[]),
    wrong(StatusCode::SERVICE_UNAVAILABLE, "The gateway cannot answer now.", &["Retry-After"]),
    wrong(StatusCode::INSUFFICIENT_STORAGE, "The files cannot be written.", &[]),
];

impl Wrong {
    /// Its status in words, as one.
    fn name(&self) -> String {
        self.status.canonical_reason().unwrap_or_default().replace(' ', "")
    }

    fn response(&self, schema: Value) -> Value {
        response(self.about, Some(schema), self.headers)
    }
}

/// What may be wrong, by name.
pub(super) fn faults() -> Map<String, Value> {
    FAULTS.iter().map(|fault| (fault.name(), fault.response(refer("Fault")))).collect()
}

fn response(about: &str, schema: Option<Value>, headers: &[&str]) -> Value {
    let rates = ["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"];
    let all = rates.iter().chain(headers).map(|name| {
        let component = format!("#/components/headers/{name}");
        ((*name).to_owned(), json!({"$ref": component}))
    });
    let all: Map<_, _> = all.collect();
    let mut response = json!({"description": about, "headers": all});
    if let (Some(schema), Some(response)) = (schema, response.as_object_mut()) {
        response.insert("content".to_owned(), json!({JSON: {"schema": schema}}));
    }
    response
}

/// The headers of all responses, by name.
pub(super) fn headers() -> Value {
    let whole = |about: &str| json!({"description": about, "schema": {"type": "integer"}});
    let text = |about: &str| json!({"description": about, "schema": {"type": "string"}});
    json!({
        "Allow": text("The methods that the path takes."),
        "ETag": text("Changes with whatever is shown of the object."),
        "Grantgate-Warnings": text("Between commas, the codes of what somebody should look at in what was \
            written, as `grantgate check` tells of it; `protection-unenforced` where the API promises \
            what the gate does not enforce. Not there where there is nothing."),
        "Link": text("The first, next and last page, where the list is an array (RFC 8288)."),
        "Retry-After": whole("Seconds to wait."),
        "WWW-Authenticate": text("What is wrong with the token, or lacks of it (RFC 6750)."),
        "X-RateLimit-Limit": whole("Requests per second that the client may make."),
        "X-RateLimit-Remaining": whole("Requests that it may make at once."),
        "X-RateLimit-Reset": whole("When it may make the next one, in seconds since 1970: now, unless \
            it made too many."),
    })
}
