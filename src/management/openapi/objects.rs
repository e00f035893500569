//! Objects that no type alone is: what is shown of an API is what may be written of it and a little more.

use serde_json::{Map, Value, json};

/// Their schemas, by name. `read` holds those of what is read.
pub(super) fn schemas(read: &Map<String, Value>) -> Map<String, Value> {
    let objects = [
        ("Association", association()),
        ("Client", client()),
        ("Fault", fault()),
        ("Organization", organization()),
        ("ResourceServer", api(read.get("CreateApi"))),
        ("Token", token()),
        ("TokenFault", token_fault()),
        ("TokenRequest", token_request()),
    ];
    objects.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect()
}

/// An API as it is shown: `fields` may leave any of it out.
fn api(create: Option<&Value>) -> Value {
    let mut properties = Map::new();
    properties.insert("id".to_owned(), json!({"type": "string", "description": "Its id."}));
    let written = create.and_then(|create| create.get("properties")?.as_object());
    for (name, schema) in
        written.into_iter().flatten().filter(|(name, _)| *name != "signing_secret")
    {
        let mut schema = schema.clone();
        without_null(&mut schema);
        properties.insert(name.clone(), schema);
    }
    let client = json!({"type": "string", "description": "Auth0's; stored in files."});
    properties.insert("client_id".to_owned(), client);
    let system = json!({
        "type": "boolean",
        "description": "Whether it is the gateway's own, and is changed in files alone.",
    });
    properties.insert("is_system".to_owned(), system);
    json!({
        "type": "object",
        "description": "An API.",
        "properties": properties,
        "additionalProperties": false,
    })
}

/// What is shown is there: null is never written.
fn without_null(schema: &mut Value) {
    if let Some(Value::Array(kinds)) = schema.get_mut("type") {
        kinds.retain(|kind| kind != "null");
        if let [kind] = kinds.as_slice() {
            let kind = kind.clone();
            schema["type"] = kind;
        }
    }
    if let Some(Value::Array(kinds)) = schema.get_mut("anyOf") {
        kinds.retain(|kind| kind.get("type") != Some(&json!("null")));
    }
}

fn text(about: &str) -> Value {
    json!({"type": "string", "description": about})
}

fn association() -> Value {
    json!({"type": "object"})
}

fn organization() -> Value {
    json!({"type": "object"})
}

fn client() -> Value {
    json!({"type": "object"})
}

fn fault() -> Value {
    json!({
        "type": "object",
        "description": "What is wrong.",
        "properties": {
            "statusCode": {"type": "integer", "description": "The status."},
            "error": text("The status in words."),
            "message": text("What is wrong, and what to do about it."),
            "errorCode": text("Its code, which never changes its meaning."),
        },
        "required": ["statusCode", "error", "message"],
    })
}

fn token_request() -> Value {
    json!({
        "type": "object",
        "description": "Asks for a token (RFC 6749 section 4.4). The credentials may come in \
            `Authorization: Basic` instead.",
        "properties": {
            "grant_type": {"type": "string", "enum": ["client_credentials"]},
            "client_id": text("The client's id."),
            "client_secret": text("Its secret."),
            "audience": text("This API: `urn:grantgate:management`, or its URL with `/api/v2/`."),
            "scope": text("The scopes that the token is to hold, between spaces; all that are granted \
                when left out."),
        },
        "required": ["grant_type"],
    })
}

fn token() -> Value {
    json!({
        "type": "object",
        "description": "A token (RFC 6749 section 5.1).",
        "properties": {
            "access_token": text("The token."),
            "token_type": {"type": "string", "enum": ["Bearer"]},
            "expires_in": {"type": "integer", "description": "For how many seconds it is good."},
            "scope": text("The scopes that it holds, between spaces."),
        },
        "required": ["access_token", "token_type", "expires_in"],
    })
}

fn token_fault() -> Value {
    json!({
        "type": "object",
        "description": "Why there is no token (RFC 6749 section 5.2).",
        "properties": {"error": text("Its code."), "error_description": text("What is wrong.")},
        "required": ["error"],
    })
}
