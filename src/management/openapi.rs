//! The description of the Management API (OpenAPI 3.1), made of what it is: the table of endpoints, the
//! parameters that each knows, and the types that bodies are read by and objects are shown by.

mod objects;
mod operations;
mod parameters;
mod responses;

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use self::objects::Objects;
use super::Endpoint;

/// The document.
pub fn description() -> &'static Value {
    static DOCUMENT: LazyLock<Value> = LazyLock::new(describe);
    &DOCUMENT
}

/// The same as it is sent.
pub(super) fn text() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| description().to_string());
    &TEXT
}

fn describe() -> Value {
    let (mut objects, mut paths) = (Objects::new(), Map::new());
    for &endpoint in Endpoint::ALL {
        let operation = operations::operation(endpoint, &mut objects);
        let methods = paths.entry(endpoint.path()).or_insert_with(|| json!({}));
        if let Some(methods) = methods.as_object_mut() {
            methods.insert(endpoint.method().as_str().to_lowercase(), operation);
        }
    }
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Grantgate Management API",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Client grants and APIs over HTTP, as Auth0's own clients speak it. The \
                gateway's files are the truth: a write is an edit of them, and decides when it is \
                answered. What is not described here is refused by its name.",
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": operations::tags(),
        "paths": paths,
        "components": {
            "schemas": objects.schemas(),
            "responses": responses::faults(),
            "headers": responses::headers(),
            "securitySchemes": security_schemes(),
        },
    });
    unwrap_lines(&mut document);
    document
}

fn security_schemes() -> Value {
    let scopes = Endpoint::ALL.iter().filter_map(|endpoint| endpoint.scope());
    let scopes: Map<_, _> = scopes.map(|scope| (scope.to_owned(), json!(about(scope)))).collect();
    json!({
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "A token of an issuer that `management.issuers` names.",
        },
        "client": {
            "type": "oauth2",
            "description": "A token for a client that `management.clients` lists.",
            "flows": {"clientCredentials": {"tokenUrl": "/oauth/token", "scopes": scopes}},
        },
    })
}

/// What a scope allows: `read:client_grants` is "Read client grants".
fn about(scope: &str) -> String {
    let words = scope.replace([':', '_'], " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A paragraph of a doc comment is one line: where it was broken in the code says nothing.
fn unwrap_lines(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(unwrap_lines),
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(text) if name == "description" => *text = text.replace('\n', " "),
                    value => unwrap_lines(value),
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
