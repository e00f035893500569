//! The schemas of what is sent and shown: of the types that read and show it, and of what no type is alone.

use schemars::generate::{Contract, SchemaSettings};
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

/// Where schemas stand in the document.
const PATH: &str = "/components/schemas";

/// The schemas that the document refers to, gathered as they are referred to.
pub(super) struct Objects {
    /// Of what is sent.
    read: SchemaGenerator,
    /// Of what is shown.
    shown: SchemaGenerator,
}

impl Objects {
    pub(super) fn new() -> Self {
        let generator = |contract: Contract| {
            let settings = SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = PATH.into();
                settings.contract = contract;
            });
            settings.into_generator()
        };
        Self { read: generator(Contract::Deserialize), shown: generator(Contract::Serialize) }
    }

    /// What is read by a type.
    pub(super) fn read<T: JsonSchema>(&mut self) -> Value {
        self.read.subschema_for::<T>().to_value()
    }

    /// What is shown by a type.
    pub(super) fn shown<T: JsonSchema>(&mut self) -> Value {
        self.shown.subschema_for::<T>().to_value()
    }

    /// All of them, by name.
    pub(super) fn schemas(mut self) -> Map<String, Value> {
        let mut schemas = self.shown.take_definitions(true);
        for (name, schema) in &mut schemas {
            let members = schema.get_mut("properties").and_then(Value::as_object_mut);
            members.into_iter().flat_map(Map::values_mut).for_each(without_null);
            // `fields` may leave any of it out.
            if let ("Client", Some(schema)) = (&**name, schema.as_object_mut()) {
                schema.shift_remove("required");
            }
        }
        schemas.extend(self.read.take_definitions(true));
        let alone = [
            ("Fault", fault()),
            ("ResourceServer", api(schemas.get("CreateApi"))),
            ("Token", token()),
            ("TokenFault", token_fault()),
            ("TokenRequest", token_request()),
        ];
        schemas.extend(alone.map(|(name, schema)| (name.to_owned(), schema)));
        schemas.sort_keys();
        schemas
    }
}

/// What no type alone is.
pub(super) fn refer(name: &str) -> Value {
    json!({"$ref": format!("#{PATH}/{name}")})
}

/// An API as it is shown: what may be written of it and a little more. `fields` may leave any of it out.
fn api(create: Option<&Value>) -> Value {
    let mut properties = Map::new();
    properties.insert("id".to_owned(), text("Its id."));
    let written = create.and_then(|create| create.get("properties")?.as_object());
    for (name, schema) in written.into_iter().flatten() {
        if name != "signing_secret" {
            let mut schema = schema.clone();
            without_null(&mut schema);
            properties.insert(name.clone(), schema);
        }
    }
    properties.insert("client_id".to_owned(), text("Auth0's; stands in files."));
    let is_system = json!({
        "type": "boolean",
        "description": "Whether it is the gateway's own, and is changed in files alone.",
    });
    properties.insert("is_system".to_owned(), is_system);
    json!({
        "type": "object",
        "description": "An API.",
        "properties": properties,
        "additionalProperties": false,
    })
}

/// What is shown is there: null never is.
fn without_null(schema: &mut Value) {
    let Some(schema) = schema.as_object_mut() else { return };
    if let Some(Value::Array(kinds)) = schema.get_mut("type") {
        kinds.retain(|kind| kind != "null");
        if let [kind] = kinds.as_slice() {
            let kind = kind.clone();
            schema.insert("type".to_owned(), kind);
        }
    }
    if let Some(Value::Array(kinds)) = schema.get_mut("anyOf") {
        kinds.retain(|kind| kind.get("type") != Some(&json!("null")));
    }
}

fn text(about: &str) -> Value {
    json!({"type": "string", "description": about})
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
            "problems": {
                "type": "array",
                "description": "What is wrong with the files, or would be.",
                "items": {"type": "object"},
            },
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
