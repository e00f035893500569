//! Auth0's own fields: what an Auth0 object holds beside what a gate reads.

use schemars::Schema;
use serde_json::{Value, json};

/// Adds fields that may hold anything to a schema, so that they are known, and closes the schema:
/// whatever else is written is a slip. Secrets among them are marked, and no report shows them.
pub(super) fn know(schema: &mut Schema, fields: &[&str]) {
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        for field in fields {
            let secret = field.ends_with("_secret");
            let anything = if secret { json!({"writeOnly": true}) } else { Value::Bool(true) };
            properties.entry(*field).or_insert(anything);
        }
    }
    schema.insert("additionalProperties".to_owned(), Value::Bool(false));
}
