//! The JSON Schema for editors: what completes keys, shows what they mean and marks slips while one
//! types. Draft 7, which is what editors' YAML support reads.
//!
//! In come the raw types with their doc comments; out goes a schema that says what the walk does: no
//! other keys, one kind for each, and nothing written (`key:`) is no value. Only `check` knows what
//! the configuration means.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::raw::Configuration;

/// What may be `null` because Auth0 writes so what is not set.
const PASTED: [&str; 3] = ["Client", "ClientGrant", "ResourceServer"];

/// The schema, with everything that it refers to.
pub fn editor_schema() -> Value {
    editor_schema_of::<Configuration>("Grantgate configuration")
}

/// The schema of another file that people write.
pub fn editor_schema_of<T: JsonSchema>(title: &str) -> Value {
    let schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<T>();
    let mut schema = schema.to_value();
    if let Some(root) = schema.as_object_mut() {
        let definitions = root.get_mut("definitions").and_then(Value::as_object_mut);
        for (name, definition) in definitions.into_iter().flatten() {
            polish(definition, PASTED.contains(&name.as_str()));
        }
        root.insert("title".to_owned(), json!(title));
    }
    polish(&mut schema, false);
    unwrap_lines(&mut schema);
    // Keys are looked up here by people: in the order of the alphabet.
    schema.sort_all_objects();
    schema
}

/// A paragraph of a doc comment is one line: where it was broken in the code says nothing.
fn unwrap_lines(schema: &mut Value) {
    match schema {
        Value::Array(schemas) => schemas.iter_mut().for_each(unwrap_lines),
        Value::Object(keywords) => {
            for (keyword, value) in keywords {
                match value {
                    Value::String(text) if keyword == "description" => {
                        *text = text.replace('\n', " ");
                    }
                    value => unwrap_lines(value),
                }
            }
        }
        _ => {}
    }
}

fn polish(schema: &mut Value, pasted: bool) {
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else {
        return;
    };
    for property in properties.values_mut().filter_map(Value::as_object_mut) {
        if !pasted {
            without_null(property);
        }
        // The Rust type that a number has here says nothing to an editor.
        property.remove("format");
        if property.get("default").is_some_and(is_nothing) {
            property.remove("default");
        }
        if let Some(pattern) = pattern(property) {
            property.entry("pattern").or_insert_with(|| json!(pattern));
        }
    }
}

/// What is left out is not written; a default of nothing says nothing.
fn is_nothing(default: &Value) -> bool {
    default.is_null()
        || default.as_array().is_some_and(Vec::is_empty)
        || default.as_object().is_some_and(Map::is_empty)
}

fn without_null(property: &mut Map<String, Value>) {
    if let Some(Value::Array(kinds)) = property.get_mut("type") {
        kinds.retain(|kind| kind != "null");
        if let [only] = kinds.as_slice() {
            let only = only.clone();
            property.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(alternatives)) = property.get_mut("anyOf") {
        alternatives.retain(|schema| schema.get("type") != Some(&json!("null")));
        if let [_] = alternatives.as_slice()
            && let Some(only) = property.remove("anyOf")
        {
            // Beside a `$ref` draft 7 reads nothing; within `allOf` it does.
            property.insert("allOf".to_owned(), only);
        }
    }
}

/// The form of a text that its example shows: a duration or a size. A single word may stand for a
/// value without a number, such as `unlimited`.
fn pattern(property: &Map<String, Value>) -> Option<&'static str> {
    let example = property.get("examples")?.get(0)?.as_str()?;
    let unit = example.trim_start_matches(|c: char| c.is_ascii_digit());
    match unit {
        _ if unit.len() == example.len() => None,
        "ms" | "s" | "m" | "h" => Some("^([0-9]+(ms|s|m|h)|[a-z]+)$"),
        "B" | "KiB" | "MiB" | "GiB" => Some("^([0-9]+(B|KiB|MiB|GiB)|[a-z]+)$"),
        _ => None,
    }
}
