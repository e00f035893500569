//! A body held against its type's schema, before it is read by the type: what JSON alone tells is wrong with
//! it is said in the words that Auth0's clients know. Bounds are held by the types themselves.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::{Fault, invalid};
use crate::config::closest;
use crate::screen::harms;

/// Refuses the first member that `schema` does not know, that is missing, or that is of another type.
pub(super) fn hold(value: &Value, schema: &Value) -> Result<(), Fault> {
    At { root: schema, path: String::new() }.hold(value, schema)
}

/// A text of a stranger's as it is said again: without what does harm on a screen, and not at length.
pub(in crate::management) fn screened(text: &str, most: usize) -> String {
    let mut shown = text.chars().filter(|char| !harms(*char));
    let mut cut: String = shown.by_ref().take(most).collect();
    if shown.next().is_some() {
        cut.push('…');
    }
    cut
}

/// So much is said again of a name.
pub(in crate::management) const NAME_CHARS: usize = 64;

/// A place in a body.
struct At<'s> {
    root: &'s Value,
    path: String,
}

impl At<'_> {
    fn hold(&self, value: &Value, schema: &Value) -> Result<(), Fault> {
        let referred = schema.get("$ref").and_then(Value::as_str);
        if let Some(pointer) = referred.and_then(|pointer| pointer.strip_prefix('#')) {
            return self.root.pointer(pointer).map_or(Ok(()), |schema| self.hold(value, schema));
        }
        // An `Option`: what is not null is the other.
        if let Some(schemas) = schema.get("anyOf").and_then(Value::as_array) {
            let is_null = |schema: &&Value| schema.get("type").is_some_and(|of| *of == "null");
            if value.is_null() && schemas.iter().any(|schema| is_null(&schema)) {
                return Ok(());
            }
            let mut schemas = schemas.iter().filter(|schema| !is_null(schema));
            return schemas.try_for_each(|schema| self.hold(value, schema));
        }
        self.is_of_type(value, schema)?;
        self.is_one_of(value, schema)?;
        match value {
            Value::Object(members) => self.members(members, schema),
            Value::Array(items) => schema.get("items").map_or(Ok(()), |schema| {
                let mut items = items.iter().enumerate();
                items.try_for_each(|(at, item)| self.below(&format!("[{at}]")).hold(item, schema))
            }),
            _ => Ok(()),
        }
    }

    fn members(&self, members: &Map<String, Value>, schema: &Value) -> Result<(), Fault> {
        let properties = schema.get("properties").and_then(Value::as_object);
        let closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
        for (name, value) in members {
            match properties.and_then(|properties| properties.get(name)) {
                Some(schema) => self.member(name).hold(value, schema)?,
                None if closed => return Err(self.unknown(name, properties)),
                None => {}
            }
        }
        let mut required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        let missing =
            required.find_map(|name| name.as_str().filter(|it| !members.contains_key(*it)));
        missing
            .map_or(Ok(()), |name| Err(self.wrong(&format!("Missing required property: {name}"))))
    }

    fn unknown(&self, name: &str, properties: Option<&Map<String, Value>>) -> Fault {
        let names = properties.into_iter().flat_map(Map::keys).map(String::as_str);
        let meant = closest(name, names).map(|meant| format!(" (did you mean `{meant}`?)"));
        let At { path, .. } = self.member(&screened(name, NAME_CHARS));
        let meant = meant.unwrap_or_default();
        invalid(format_args!("'Additional properties not allowed: {path}'{meant}"))
    }

    fn is_of_type(&self, value: &Value, schema: &Value) -> Result<(), Fault> {
        let types = match schema.get("type") {
            Some(Value::Array(types)) => types.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        let found = type_of(value);
        let fits = |of: &Value| of == found || (of == "number" && found == "integer");
        match types.iter().find_map(Value::as_str) {
            Some(expected) if !types.iter().any(fits) => {
                Err(self.wrong(&format!("Expected type {expected} but found type {found}")))
            }
            _ => Ok(()),
        }
    }

    fn is_one_of(&self, value: &Value, schema: &Value) -> Result<(), Fault> {
        let variants = schema.get("oneOf").and_then(Value::as_array).into_iter().flatten();
        let mut known = Vec::new();
        for schema in variants.chain([schema]) {
            known.extend(schema.get("const"));
            known.extend(schema.get("enum").and_then(Value::as_array).into_iter().flatten());
        }
        if known.is_empty() || known.contains(&value) {
            return Ok(());
        }
        let Value::String(text) = value else {
            let found = type_of(value);
            return Err(self.wrong(&format!("Expected type string but found type {found}")));
        };
        let mut what = format!("No enum match for: {}", screened(text, NAME_CHARS));
        for (index, name) in known.iter().filter_map(|name| name.as_str()).enumerate() {
            // Writing to a text does not fail.
            let _ = write!(what, "{}{name}", if index == 0 { ", expected one of: " } else { ", " });
        }
        Err(self.wrong(&what))
    }

    fn wrong(&self, what: &str) -> Fault {
        if self.path.is_empty() {
            return invalid(format_args!("'{what}'"));
        }
        invalid(format_args!("'{what}' on property {}", self.path))
    }

    fn member(&self, name: &str) -> Self {
        if self.path.is_empty() { self.below(name) } else { self.below(&format!(".{name}")) }
    }

    fn below(&self, step: &str) -> Self {
        Self { root: self.root, path: format!("{}{step}", self.path) }
    }
}

/// What JSON Schema calls a value.
fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
