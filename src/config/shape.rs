//! A JSON Schema, read as the walk needs it: which kinds of value may stand here.
//!
//! Understands what schemars makes of structs, enums of names, `Option`, `Vec`, maps, text, numbers
//! and truth values. Alternatives (`anyOf`, `oneOf`) are taken together, which tells them apart
//! because no key has two shapes of one kind. A keyword that is not known here is left to serde.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};

/// References deeper than this are a schema that refers to itself.
const MAX_HOPS: u8 = 16;

/// What may stand at a place.
#[expect(clippy::struct_excessive_bools, reason = "a set of kinds, some of which say more")]
#[derive(Debug, Default)]
pub(super) struct Shape<'s> {
    /// Whatever it is.
    pub(super) any: bool,
    pub(super) boolean: bool,
    /// One of these names.
    pub(super) choices: Vec<&'s str>,
    /// What may stand here, for instance.
    pub(super) example: Option<&'s Value>,
    /// A list; of what, where that is said.
    pub(super) list: Option<&'s Value>,
    pub(super) map: Option<MapShape<'s>>,
    /// Nothing: an `Option`.
    pub(super) null: bool,
    pub(super) number: Option<NumberShape>,
    /// A secret, never to be shown (`writeOnly`).
    pub(super) secret: bool,
    pub(super) text: bool,
}

#[derive(Debug)]
pub(super) struct MapShape<'s> {
    properties: Option<&'s Map<String, Value>>,
    /// What the keys take that are not among the properties; none: there are no others.
    rest: Option<&'s Value>,
    required: Option<&'s Vec<Value>>,
}

/// Whole numbers in a range, or any number.
#[derive(Debug, PartialEq)]
pub(super) enum NumberShape {
    Any,
    Whole(RangeInclusive<i128>),
}

const ANY: &Value = &Value::Bool(true);

impl<'s> Shape<'s> {
    /// Reads `schema`, whose references are looked up in `root`.
    pub(super) fn of(root: &'s Value, schema: &'s Value) -> Self {
        let mut shape = Self::default();
        shape.take(root, schema, MAX_HOPS);
        shape
    }

    fn take(&mut self, root: &'s Value, schema: &'s Value, hops: u8) {
        let Value::Object(keywords) = schema else {
            if *schema != Value::Bool(false) {
                self.take_anything();
            }
            return;
        };
        let Some(hops) = hops.checked_sub(1) else {
            return self.take_anything();
        };
        self.secret |= keywords.get("writeOnly") == Some(&Value::Bool(true));
        let examples = keywords.get("examples").and_then(Value::as_array);
        self.example = self.example.or(examples.and_then(|examples| examples.first()));
        let mut known = false;
        if let Some(pointer) = keywords.get("$ref").and_then(Value::as_str) {
            known = true;
            let target = pointer.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
            self.take(root, target.unwrap_or(ANY), hops);
        }
        for alternatives in ["allOf", "anyOf", "oneOf"] {
            for alternative in
                keywords.get(alternatives).and_then(Value::as_array).into_iter().flatten()
            {
                known = true;
                self.take(root, alternative, hops);
            }
        }
        let names = keywords.get("enum").and_then(Value::as_array).into_iter().flatten();
        let names: Vec<_> = names.chain(keywords.get("const")).collect();
        self.choices.extend(names.iter().filter_map(|name| name.as_str()));
        self.null |= names.iter().any(|name| name.is_null());
        match keywords.get("type") {
            Some(Value::String(kind)) => self.kind(kind, keywords, names.is_empty()),
            Some(Value::Array(kinds)) => {
                for kind in kinds.iter().filter_map(Value::as_str) {
                    self.kind(kind, keywords, names.is_empty());
                }
            }
            _ if !known && names.is_empty() => self.take_anything(),
            _ => {}
        }
    }

    fn take_anything(&mut self) {
        self.any = true;
        self.list.get_or_insert(ANY);
        self.map.get_or_insert(MapShape { properties: None, rest: Some(ANY), required: None });
    }

    fn kind(&mut self, kind: &str, keywords: &'s Map<String, Value>, open: bool) {
        match kind {
            "array" => self.list = Some(keywords.get("items").unwrap_or(ANY)),
            "boolean" => self.boolean = true,
            "integer" => self.number = Some(NumberShape::Whole(whole(keywords))),
            "null" => self.null = true,
            "number" => self.number = Some(NumberShape::Any),
            "object" => self.map = Some(MapShape::of(keywords)),
            "string" => self.text |= open,
            _ => self.take_anything(),
        }
    }

    /// What may stand here, in plain words.
    pub(super) fn words(&self) -> String {
        let mut words = Vec::new();
        if let Some(number) = &self.number {
            words.push(match number {
                NumberShape::Whole(_) => "a whole number",
                NumberShape::Any => "a number",
            });
        }
        let kinds = [
            (self.boolean, "true or false"),
            (self.text || !self.choices.is_empty(), "text"),
            (self.list.is_some(), "a list"),
            (self.map.is_some(), "a mapping"),
        ];
        words.extend(kinds.into_iter().filter(|(may, _)| *may).map(|(_, word)| word));
        words.join(" or ")
    }

    /// How to write that there is none of it; for lists and mappings.
    pub(super) fn empty(&self) -> Option<String> {
        let (brackets, what) = match (self.list, &self.map) {
            (Some(_), _) => ("[]", "list"),
            (None, Some(_)) => ("{}", "mapping"),
            (None, None) => return None,
        };
        Some(format!("write `{brackets}` for an empty {what}"))
    }

    /// A value that serde takes in place of what was refused, or is missing.
    pub(super) fn stand_in(&self, root: &'s Value) -> Value {
        if self.null || self.any {
            return Value::Null;
        }
        if let Some(map) = &self.map {
            let required = map
                .required()
                .map(|(key, schema)| (key.to_owned(), Shape::of(root, schema).stand_in(root)));
            return Value::Object(required.collect());
        }
        match (&self.number, self.choices.first()) {
            (Some(NumberShape::Whole(range)), _) => {
                Value::from(i64::try_from(*range.start()).map_or(0, |min| min.max(0)))
            }
            (Some(NumberShape::Any), _) => Value::from(0),
            _ if self.list.is_some() => Value::Array(Vec::new()),
            _ if self.boolean => Value::Bool(false),
            (None, Some(choice)) => Value::from(*choice),
            (None, None) => Value::from(""),
        }
    }
}

impl<'s> MapShape<'s> {
    fn of(keywords: &'s Map<String, Value>) -> Self {
        let properties = keywords.get("properties").and_then(Value::as_object);
        let rest = match keywords.get("additionalProperties") {
            Some(Value::Bool(false)) => None,
            Some(schema) => Some(schema),
            // A struct that does not say so takes no other keys either: an unknown key is a slip.
            None => properties.is_none().then_some(ANY),
        };
        let required = keywords.get("required").and_then(Value::as_array);
        Self { properties, rest, required }
    }

    /// What a key takes; none for a key that is not known.
    pub(super) fn value(&self, key: &str) -> Option<&'s Value> {
        self.properties.and_then(|properties| properties.get(key)).or(self.rest)
    }

    /// The keys that are known.
    pub(super) fn keys(&self) -> impl Iterator<Item = &'s str> {
        self.properties.into_iter().flat_map(Map::keys).map(String::as_str)
    }

    /// The keys that must be there, with what they take.
    pub(super) fn required(&self) -> impl Iterator<Item = (&'s str, &'s Value)> {
        self.required
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(|key| (key, self.value(key).unwrap_or(ANY)))
    }
}

/// The whole numbers that a schema allows: by its limits, or by the Rust type it was made from.
fn whole(keywords: &Map<String, Value>) -> RangeInclusive<i128> {
    let (low, high): (i128, i128) = match keywords.get("format").and_then(Value::as_str) {
        Some("int32") => (i32::MIN.into(), i32::MAX.into()),
        Some("uint32") => (0, u32::MAX.into()),
        Some("uint" | "uint64") => (0, u64::MAX.into()),
        // `u64::MAX` would not fit what was declared; JSON numbers go no further than these two.
        Some(_) => (i64::MIN.into(), i64::MAX.into()),
        None => (i64::MIN.into(), u64::MAX.into()),
    };
    let limit =
        |name| keywords.get(name).and_then(Value::as_number).and_then(serde_json::Number::as_i128);
    limit("minimum").map_or(low, |min| min.max(low))
        ..=limit("maximum").map_or(high, |max| max.min(high))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn alternatives_are_taken_together() {
        let schema = json!({
            "$defs": {"Policy": {"oneOf": [
                {"const": "allow", "type": "string", "description": "a"},
                {"type": "string", "enum": ["deny", "ask"]},
            ]}},
            "anyOf": [{"$ref": "#/$defs/Policy"}, {"type": "null"}],
        });
        let shape = Shape::of(&schema, &schema);
        assert_eq!(shape.choices, ["allow", "deny", "ask"]);
        assert!(shape.null && !shape.text && !shape.any);
        assert_eq!(shape.words(), "text");
    }

    #[test]
    fn a_struct_takes_no_other_keys_and_a_map_takes_all() {
        let structure = json!({"type": "object", "properties": {"a": {"type": "string"}}});
        let map = json!({"type": "object", "additionalProperties": {"type": "integer"}});
        assert!(Shape::of(ANY, &structure).map.unwrap().value("b").is_none());
        assert_eq!(Shape::of(ANY, &map).map.unwrap().value("b").unwrap()["type"], "integer");
    }

    #[test]
    fn a_schema_that_says_nothing_or_goes_in_circles_takes_anything() {
        let circle = json!({"$ref": "#"});
        for schema in
            [json!(true), json!({}), json!({"description": "x"}), json!({"$ref": "#/x"}), circle]
        {
            assert!(Shape::of(&schema, &schema).any, "{schema}");
        }
    }

    #[test]
    fn limits_are_the_types_and_the_schemas() {
        let range = |schema| match Shape::of(ANY, &schema).number {
            Some(NumberShape::Whole(range)) => range,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            range(json!({"type": "integer", "format": "uint16", "minimum": 0, "maximum": 65535})),
            0..=65535
        );
        assert_eq!(
            range(json!({"type": "integer", "format": "uint32", "minimum": 1})),
            1..=u32::MAX.into()
        );
        assert_eq!(
            range(json!({"type": "integer", "format": "uint64", "minimum": 0})),
            0..=u64::MAX.into()
        );
    }
}
