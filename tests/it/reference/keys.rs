//! The schema as tables: a heading for each section, a row for each key, those that are required first,
//! and what its names mean.

use std::fmt::Write as _;
use std::net::SocketAddr;

use serde_json::Value;

use super::cell;

/// The sections in the order in which people meet them; others follow.
const ORDER: &[&str] = &[
    "issuers",
    "resource_servers",
    "clients",
    "client_grants",
    "server",
    "health",
    "admin",
    "management",
    "limits",
    "timeouts",
    "log",
    "reload",
    "tests",
];

/// What Auth0 has and nobody here uses.
const NOT_USED: &str = "Auth0's own; not used.";

/// Every table under its heading, that of the whole file as `top`.
pub fn tables(schema: &Value, top: &str) -> String {
    let mut sections = Sections { schema, found: Vec::new() };
    let mut names: Vec<&str> =
        schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
    let place = |name: &&str| ORDER.iter().position(|one| one == name).unwrap_or(ORDER.len());
    names.sort_by_key(place);
    let own: Vec<_> = names
        .into_iter()
        .filter(|name| !is_an_exports(name, &schema["properties"][name]))
        .collect();
    for name in &own {
        sections.add(name, &schema["properties"][name]);
    }
    let mut out = format!("### {top}\n\n");
    out.push_str(HEAD);
    for name in &own {
        out.push_str(&sections.row(name, &schema["properties"][name], &Value::Null, name));
    }
    for (section, paths) in &sections.found {
        let paths: Vec<_> = paths.iter().map(|path| format!("`{path}`")).collect();
        let _ = write!(out, "\n### {}\n\n", paths.join(", "));
        let definition = &schema["definitions"][section];
        let _ = write!(out, "{}\n\n{HEAD}", text(definition));
        let mut names = String::new();
        let properties = definition["properties"].as_object().unwrap();
        let mut properties: Vec<_> =
            properties.iter().filter(|(_, of)| of["description"] != NOT_USED).collect();
        properties.sort_by_key(|(_, of)| !text(of).starts_with("Required"));
        for (key, property) in properties {
            let path = format!("{}.{key}", sections.path_of(section));
            out.push_str(&sections.row(key, property, &definition["examples"][0], &path));
            names.push_str(&sections.names(key, property));
        }
        if !names.is_empty() {
            let _ = write!(out, "\n{names}");
        }
    }
    out.trim_end().to_owned()
}

const HEAD: &str = "| key | value | default | example | meaning |\n|---|---|---|---|---|\n";

/// A heading's anchor, as GitHub makes it.
pub fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

/// A tenant export's own spellings, and its sections.
fn is_an_exports(name: &str, property: &Value) -> bool {
    name.contains(char::is_uppercase) || property["description"] == NOT_USED
}

struct Sections<'s> {
    schema: &'s Value,
    /// The definitions that are mappings, each with the paths where it stands.
    found: Vec<(String, Vec<String>)>,
}

impl Sections<'_> {
    fn add(&mut self, path: &str, property: &Value) {
        let (name, path) = match (reference(property), reference(&property["items"])) {
            (Some(name), _) => (name, path.to_owned()),
            (None, Some(name)) => (name, format!("{path}[]")),
            (None, None) => return,
        };
        let definition = &self.schema["definitions"][&name];
        let Some(properties) = definition["properties"].as_object() else { return };
        if let Some((_, paths)) = self.found.iter_mut().find(|(known, _)| *known == name) {
            paths.push(path);
            return;
        }
        self.found.push((name, vec![path.clone()]));
        for (key, property) in properties {
            self.add(&format!("{path}.{key}"), property);
        }
    }

    fn path_of(&self, section: &str) -> &str {
        &self.found.iter().find(|(name, _)| name == section).unwrap().1[0]
    }

    fn row(&self, key: &str, property: &Value, of_section: &Value, path: &str) -> String {
        let value = self.value(property);
        let default = code(&property["default"]);
        let example = self.example(key, property, of_section);
        let meaning = text(property);
        assert!(!meaning.is_empty(), "`{path}` has no doc comment");
        assert!(
            !example.is_empty() || value.contains("](#") || value == "text" || value == "any",
            "`{path}` has no example"
        );
        format!("| `{key}` | {value} | {default} | {example} | {} |\n", cell(&meaning))
    }

    /// What may stand there.
    fn value(&self, property: &Value) -> String {
        if let Some(name) = reference(property) {
            return self.reference(&name, "");
        }
        let pattern = property["pattern"].as_str().unwrap_or_default();
        match kind(property) {
            Some("array") => match reference(&property["items"]) {
                Some(name) => self.reference(&name, "list of "),
                None => format!("list of {}", self.value(&property["items"])),
            },
            Some("boolean") => "`true` or `false`".to_owned(),
            Some("integer" | "number") => "number".to_owned(),
            Some("object") => "mapping".to_owned(),
            Some("string") if pattern.contains("ms|") => "duration".to_owned(),
            Some("string") if pattern.contains("KiB|") => "size".to_owned(),
            Some("string") => "text".to_owned(),
            _ => "any".to_owned(),
        }
    }

    fn reference(&self, name: &str, list: &str) -> String {
        if let Some((_, paths)) = self.found.iter().find(|(known, _)| known == name) {
            let heading =
                paths.iter().map(|path| format!("`{path}`")).collect::<Vec<_>>().join(", ");
            return format!(
                "{list}[{}](#{})",
                if list.is_empty() { "mapping" } else { "mappings" },
                anchor(&heading)
            );
        }
        let names: Vec<_> =
            self.choices(name).iter().map(|(name, _)| format!("`{name}`")).collect();
        if names.is_empty() {
            let kinds = self.schema["definitions"][name]["oneOf"].as_array().into_iter().flatten();
            let kinds = kinds.map(|kind| match kind["enum"].as_array() {
                Some(names) => names.iter().map(code).collect::<Vec<_>>().join(", "),
                None => self.value(kind),
            });
            return kinds.collect::<Vec<_>>().join(" or ");
        }
        format!("{list}one of {}", names.join(", "))
    }

    /// The names that a definition allows, with what each means.
    fn choices(&self, name: &str) -> Vec<(String, String)> {
        let definition = &self.schema["definitions"][name];
        let documented = definition["oneOf"].as_array().into_iter().flatten();
        let documented =
            documented.filter_map(|one| Some((one["const"].as_str()?.to_owned(), text(one))));
        let bare = definition["enum"].as_array().into_iter().flatten();
        let bare = bare.filter_map(|name| Some((name.as_str()?.to_owned(), String::new())));
        documented.chain(bare).collect()
    }

    /// What each name of a key's value means, as a list.
    fn names(&self, key: &str, property: &Value) -> String {
        let choices = reference(property).map(|name| self.choices(&name)).unwrap_or_default();
        if choices.iter().all(|(_, meaning)| meaning.is_empty()) {
            return String::new();
        }
        let mut out = format!("- `{key}`:\n");
        for (name, meaning) in choices {
            let _ = writeln!(out, "  - `{name}`: {meaning}");
        }
        out
    }

    /// An example: the key's own, its part of the section's, or another value than the default.
    fn example(&self, key: &str, property: &Value, of_section: &Value) -> String {
        let named = reference(property).map(|name| self.choices(&name)).unwrap_or_default();
        let other = named.iter().find(|(name, _)| property["default"] != **name);
        match (&property["examples"][0], &of_section[key], other) {
            (Value::Null, Value::Null, Some((name, _))) => format!("`{name}`"),
            (Value::Null, Value::Null, None) => match kind(property) {
                Some("boolean") => code(&Value::Bool(property["default"] != true)),
                _ => code(&property["default"]),
            },
            (Value::Null, of_section, _) => code(of_section),
            (own, ..) => code(own),
        }
    }
}

/// The definition that a property refers to.
fn reference(property: &Value) -> Option<String> {
    let alternatives = ["allOf", "anyOf"].into_iter().filter_map(|of| property[of].as_array());
    let found = alternatives.flatten().chain([property]).find_map(|schema| schema["$ref"].as_str());
    found.and_then(|found| found.rsplit('/').next()).map(str::to_owned)
}

/// A property's kind, but for `null`.
fn kind(property: &Value) -> Option<&str> {
    match &property["type"] {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null"),
        kind => kind.as_str(),
    }
}

/// A value as it is written in YAML, on one line.
fn code(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        value => format!("`{}`", cell(&yaml(value, false))),
    }
}

fn yaml(value: &Value, within: bool) -> String {
    match value {
        Value::String(text) => {
            let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c))
                || !within && (text.starts_with("http") || text.parse::<SocketAddr>().is_ok());
            if plain { text.clone() } else { format!("\"{text}\"") }
        }
        Value::Array(items) => {
            format!(
                "[{}]",
                items.iter().map(|item| yaml(item, true)).collect::<Vec<_>>().join(", ")
            )
        }
        Value::Object(map) => {
            let entries = map.iter().map(|(key, value)| format!("{key}: {}", yaml(value, true)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// A doc comment on one line.
fn text(schema: &Value) -> String {
    schema["description"].as_str().unwrap_or_default().replace('\n', " ")
}
