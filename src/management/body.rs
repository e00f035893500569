//! A request's body: JSON in; out comes what a type says that it may be, or exactly what is wrong with it.
//!
//! The types are those that the description of the API is made from: what it says of a body holds. A body
//! is one object, in which no member comes twice and each is known.

use std::any::TypeId;
use std::collections::HashMap;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use http::StatusCode;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{DeserializeOwned, Error, Unexpected};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::error::Category;
use serde_json::{Map, Value};

use super::Fault;
use crate::config::{closest, schema_of};
use crate::token::strict_json;

/// Reads a body.
///
/// # Errors
/// 400 `invalid_body`, with what is wrong and where.
pub(super) fn read<T: DeserializeOwned + JsonSchema + 'static>(body: &[u8]) -> Result<T, Fault> {
    typed(object(body)?)
}

/// The object that a body is, whatever it says.
///
/// # Errors
/// As [`read`].
pub(super) fn object(body: &[u8]) -> Result<Map<String, Value>, Fault> {
    if body.is_empty() {
        return Err(invalid("a JSON object is missing"));
    }
    match strict_json(body) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(invalid("the body must be a JSON object")),
        Err(error) if error.classify() == Category::Data => Err(invalid(error)),
        Err(error) => Err(invalid(format_args!("not JSON: {error}"))),
    }
}

/// What an object says.
///
/// # Errors
/// As [`read`].
pub(super) fn typed<T: DeserializeOwned + JsonSchema + 'static>(
    object: Map<String, Value>,
) -> Result<T, Fault> {
    let (schema, object) = (schema::<T>(), Value::Object(object));
    known(&object, &schema, &schema, "")?;
    serde_path_to_error::deserialize(object).map_err(|error| {
        let path = error.path().to_string();
        let on = if path == "." { String::new() } else { format!(" on property {path}") };
        invalid(format_args!("'{}'{on}", error.into_inner()))
    })
}

/// The schema of a type, which is made once.
fn schema<T: JsonSchema + 'static>() -> Arc<Value> {
    static MADE: LazyLock<Mutex<HashMap<TypeId, Arc<Value>>>> = LazyLock::new(Mutex::default);
    // Whoever panicked in between left a whole map behind.
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    made.entry(TypeId::of::<T>()).or_insert_with(|| schema_of::<T>().into()).clone()
}

/// What is wrong with a body.
pub(super) fn invalid(what: impl fmt::Display) -> Fault {
    let message = format!("Payload validation error: {what}.");
    Fault::new(StatusCode::BAD_REQUEST, "invalid_body", message)
}

/// Refuses the first member that `schema` does not know. What it says else, serde holds.
fn known(value: &Value, schema: &Value, root: &Value, path: &str) -> Result<(), Fault> {
    let referred = schema.get("$ref").and_then(Value::as_str);
    if let Some(pointer) = referred.and_then(|pointer| pointer.strip_prefix('#')) {
        return root.pointer(pointer).map_or(Ok(()), |schema| known(value, schema, root, path));
    }
    // An `Option`: whatever of it the value is, unknown members are the same.
    for schema in schema.get("anyOf").and_then(Value::as_array).into_iter().flatten() {
        known(value, schema, root, path)?;
    }
    match value {
        Value::Object(members) => {
            let properties = schema.get("properties").and_then(Value::as_object);
            let closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
            for (name, value) in members {
                let inner = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                match properties.and_then(|properties| properties.get(name)) {
                    Some(schema) => known(value, schema, root, &inner)?,
                    None if closed => return Err(unknown(name, &inner, properties)),
                    None => {}
                }
            }
            Ok(())
        }
        Value::Array(items) => schema.get("items").map_or(Ok(()), |schema| {
            let mut items = items.iter().enumerate();
            items.try_for_each(|(at, item)| known(item, schema, root, &format!("{path}[{at}]")))
        }),
        _ => Ok(()),
    }
}

fn unknown(name: &str, path: &str, properties: Option<&Map<String, Value>>) -> Fault {
    let names = properties.into_iter().flat_map(Map::keys).map(String::as_str);
    let meant = closest(name, names).map(|meant| format!(" (did you mean `{meant}`?)"));
    invalid(format!("'Additional properties not allowed: {path}'{}", meant.unwrap_or_default()))
}

/// Reads a member that may be left out, and is never `null`.
pub(super) fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    value: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(value).map(Some)
}

/// What a change says of a member: its absence leaves what is there, `null` takes it away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Member<T> {
    /// Nothing.
    #[default]
    Absent,
    /// That there is to be none.
    Null,
    /// What it is to be.
    Value(T),
}

impl<T> Member<T> {
    /// Whether nothing is said.
    pub(super) fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

impl<T: Serialize> Serialize for Member<T> {
    /// A member that is absent is `#[serde(skip_serializing_if = "Member::is_absent")]`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Absent | Self::Null => serializer.serialize_none(),
            Self::Value(value) => value.serialize(serializer),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Member<T> {
    /// A member that is absent is `#[serde(default)]`.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Option::deserialize(deserializer)?;
        Ok(value.map_or(Self::Null, Self::Value))
    }
}

impl<T: JsonSchema> JsonSchema for Member<T> {
    fn inline_schema() -> bool {
        Option::<T>::inline_schema()
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        Option::<T>::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Option::<T>::json_schema(generator)
    }
}

/// A text of so many characters; `usize::MAX` is no limit of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub(super) struct Text<const MIN: usize, const MAX: usize>(pub(super) String);

impl<const MIN: usize, const MAX: usize> Deref for Text<MIN, MAX> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'de, const MIN: usize, const MAX: usize> Deserialize<'de> for Text<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.chars().count() {
            length if length < MIN => Err(D::Error::custom(format_args!(
                "too short ({length} characters), at least {MIN}"
            ))),
            length if length > MAX => {
                Err(D::Error::custom(format_args!("too long ({length} characters), at most {MAX}")))
            }
            _ => Ok(Self(text)),
        }
    }
}

impl<const MIN: usize, const MAX: usize> JsonSchema for Text<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Text_{MIN}_{MAX}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let mut schema = json_schema!({"type": "string", "minLength": MIN});
        if MAX < usize::MAX {
            schema.insert("maxLength".to_owned(), MAX.into());
        }
        schema
    }
}

/// A whole number in a range, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Whole<const MIN: u64, const MAX: u64>(pub(super) u64);

impl<'de, const MIN: u64, const MAX: u64> Deserialize<'de> for Whole<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u64::deserialize(deserializer)?;
        if (MIN..=MAX).contains(&number) {
            return Ok(Self(number));
        }
        let range = format!("a whole number from {MIN} to {MAX}");
        Err(D::Error::invalid_value(Unexpected::Unsigned(number), &&*range))
    }
}

impl<const MIN: u64, const MAX: u64> JsonSchema for Whole<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Whole_{MIN}_{MAX}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "integer", "minimum": MIN, "maximum": MAX})
    }
}

/// A list of at most so many items.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct List<T, const MAX: usize>(pub(super) Vec<T>);

impl<T, const MAX: usize> Deref for List<T, MAX> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for List<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let items = Vec::deserialize(deserializer)?;
        if items.len() > MAX {
            let many = items.len();
            return Err(D::Error::custom(format_args!("too many items ({many}), at most {MAX}")));
        }
        Ok(Self(items))
    }
}

impl<T: JsonSchema, const MAX: usize> JsonSchema for List<T, MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("List_{}_{MAX}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let items = generator.subschema_for::<T>();
        json_schema!({"type": "array", "items": items, "maxItems": MAX})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(dead_code, reason = "it is read, and that is all")]
    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Example {
        audience: Text<1, 5>,
        #[serde(default)]
        scope: Member<List<Text<1, 3>, 2>>,
        number: Option<Whole<1, 9>>,
        inner: Option<Vec<Inner>>,
        anything: Option<Value>,
    }

    #[expect(dead_code, reason = "it is read, and that is all")]
    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[serde(rename = "type")]
        name: String,
    }

    fn message(body: &str) -> String {
        let fault = read::<Example>(body.as_bytes()).expect_err(body);
        assert_eq!((fault.status, fault.code), (StatusCode::BAD_REQUEST, Some("invalid_body")));
        let message = fault.message.strip_prefix("Payload validation error: ");
        message.expect("begins as Auth0's").to_owned()
    }

    #[test]
    fn what_is_wrong_is_named_with_its_path() {
        for (body, wrong) in [
            ("", "a JSON object is missing."),
            ("[]", "the body must be a JSON object."),
            ("{", "not JSON: EOF while parsing an object at line 1 column 1."),
            ("audience: a", "not JSON: expected value at line 1 column 1."),
            (r#"{"audience":"a","audience":"b"}"#, "`audience` comes twice at line 1 column 31."),
            ("{}", "'missing field `audience`'."),
            (
                r#"{"audience":"a","scop":[]}"#,
                "'Additional properties not allowed: scop' (did you mean `scope`?).",
            ),
            (
                r#"{"audience":"a","inner":[{"type":"x"},{"type":"x","zzz":1}]}"#,
                "'Additional properties not allowed: inner[1].zzz'.",
            ),
            (r#"{"audience":""}"#, "'too short (0 characters), at least 1' on property audience."),
            (
                r#"{"audience":"éééééé"}"#,
                "'too long (6 characters), at most 5' on property audience.",
            ),
            (
                r#"{"audience":"a","scope":["a","long"]}"#,
                "'too long (4 characters), at most 3' on property scope[1].",
            ),
            (
                r#"{"audience":"a","scope":["a","b","c"]}"#,
                "'too many items (3), at most 2' on property scope.",
            ),
            (
                r#"{"audience":"a","number":0}"#,
                "'invalid value: integer `0`, expected a whole number from 1 to 9' on property number.",
            ),
            (
                r#"{"audience":7}"#,
                "'invalid type: integer `7`, expected a string' on property audience.",
            ),
        ] {
            assert_eq!(message(body), wrong, "{body}");
        }
    }

    #[test]
    fn absent_null_and_a_value_are_three() {
        let scope = |body: &str| read::<Example>(body.as_bytes()).unwrap().scope;
        assert_eq!(scope(r#"{"audience":"a"}"#), Member::Absent);
        assert_eq!(scope(r#"{"audience":"a","scope":null}"#), Member::Null);
        let one = Member::Value(List(vec![Text("x".to_owned())]));
        assert_eq!(scope(r#"{"audience":"a","scope":["x"]}"#), one);
    }

    #[test]
    fn what_no_type_describes_is_kept_as_it_was_written() {
        let body = r#"{"number":1,"audience":"éé","anything":{"b":1,"a":[null]}}"#;
        let read = read::<Example>(body.as_bytes()).unwrap();
        assert_eq!(read.anything.unwrap().to_string(), r#"{"b":1,"a":[null]}"#);
        assert_eq!(&*read.audience, "éé");
    }

    #[test]
    fn a_schema_is_made_once_for_each_type() {
        assert!(Arc::ptr_eq(&schema::<Example>(), &schema::<Example>()));
        assert_eq!(*schema::<Inner>(), schema_of::<Inner>());
        assert_ne!(schema::<Example>(), schema::<Inner>());
    }

    #[test]
    fn the_schema_says_the_bounds() {
        let schema = schema_of::<Example>();
        assert_eq!(schema["required"], serde_json::json!(["audience"]));
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(schema["properties"]["audience"]["maxLength"], 5);
        assert_eq!(schema["properties"]["scope"]["maxItems"], 2);
        assert_eq!(schema["properties"]["scope"]["type"], serde_json::json!(["array", "null"]));
        assert_eq!(schema["properties"]["number"]["maximum"], 9);
    }
}
