//! The description of the Management API (OpenAPI 3.1), made of what it is: the table of endpoints, the
//! parameters that each knows, and the types that bodies are read by and objects are shown by.

mod objects;
mod operations;
mod parameters;

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::Endpoint;

/// Where schemas stand in the document.
const SCHEMAS: &str = "/components/schemas";

/// The document.
pub fn description() -> Value {
    let settings =
        SchemaSettings::draft2020_12().with(|settings| settings.definitions_path = SCHEMAS.into());
    let mut generator = settings.into_generator();
    let mut paths = Map::new();
    for &endpoint in Endpoint::ALL {
        let operation = operations::operation(endpoint, &mut generator);
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
            "schemas": schemas(generator),
            "headers": headers(),
            "securitySchemes": security_schemes(),
        },
    });
    unwrap_lines(&mut document);
    document
}

/// Schemas of what the operations refer to.
fn schemas(mut generator: SchemaGenerator) -> Map<String, Value> {
    let mut schemas = generator.take_definitions(true);
    schemas.extend(objects::schemas(&schemas));
    schemas.sort_keys();
    schemas
}

fn headers() -> Value {
    let whole = |about: &str| json!({"description": about, "schema": {"type": "integer"}});
    let text = |about: &str| json!({"description": about, "schema": {"type": "string"}});
    json!({
        "Allow": text("The methods that the path takes."),
        "ETag": text("Changes with whatever is shown of the object."),
        "Link": text("The first, next and last page (RFC 8288)."),
        "RateLimit": whole("Requests per second that the client may make."),
        "RateLimitRemaining": whole("Requests that it may make at once."),
        "RateLimitReset": whole("When it may make the next one, in seconds since 1970; now, unless it \
            made too many."),
        "RetryAfter": whole("Seconds to wait."),
        "WwwAuthenticate": text("What is wrong with the token, or lacks of it (RFC 6750)."),
    })
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
