//! A request's body: JSON in; out comes what a type says that it may be, or exactly what is wrong with it.
//!
//! The types are those that the description of the API is made from: what it says of a body holds. A body
//! is one object, in which no member comes twice and each is known.

mod shape;

use std::any::TypeId;
use std::collections::HashMap;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use http::StatusCode;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::error::Category;
use serde_json::{Map, Value};

pub(super) use self::shape::{NAME_CHARS, screened};
use super::Fault;
use crate::config::schema_of;
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
        // It names what comes twice.
        Err(error) if error.classify() == Category::Data => {
            Err(invalid(screened(&error.to_string(), 2 * NAME_CHARS)))
        }
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
    shape::hold(&object, &schema)?;
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
                "String is too short ({length} chars), minimum {MIN}"
            ))),
            length if length > MAX => {
                let what = format_args!("String is too long ({length} chars), maximum {MAX}");
                Err(D::Error::custom(what))
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
        // One that is no `u64` is below zero, since the schema was held.
        let number = serde_json::Number::deserialize(deserializer)?;
        match number.as_u64() {
            Some(whole) if (MIN..=MAX).contains(&whole) => Ok(Self(whole)),
            Some(whole) if whole > MAX => {
                let what = format_args!("Value {number} is greater than maximum {MAX}");
                Err(D::Error::custom(what))
            }
            _ => {
                let what = format_args!("Value {number} is less than minimum {MIN}");
                Err(D::Error::custom(what))
            }
        }
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
            let what = format_args!("Array is too long ({many}), maximum {MAX}");
            return Err(D::Error::custom(what));
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
mod tests;
