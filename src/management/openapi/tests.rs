use std::collections::BTreeSet;

use super::*;
use crate::management::body;
use crate::management::client_grants::{CreateGrant, UpdateGrant};
use crate::management::resource_servers::UpdateApi;

/// Every value under `name`, at any depth.
fn all<'v>(value: &'v Value, name: &str, found: &mut Vec<&'v Value>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| all(value, name, found)),
        Value::Object(members) => {
            found.extend(members.get(name));
            members.values().for_each(|value| all(value, name, found));
        }
        _ => {}
    }
}

#[test]
fn whatever_is_referred_to_is_there_and_the_other_way_round() {
    let document = description();
    let mut references = Vec::new();
    all(document, "$ref", &mut references);
    let references: BTreeSet<_> = references.iter().map(|text| text.as_str().unwrap()).collect();
    for reference in &references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    for kind in ["headers", "responses", "schemas"] {
        for name in document["components"][kind].as_object().unwrap().keys() {
            let reference = format!("#/components/{kind}/{name}");
            assert!(references.contains(&*reference), "{reference}");
        }
    }
}

#[test]
fn every_endpoint_is_described_with_all_its_parameters() {
    let document = description();
    for endpoint in Endpoint::ALL {
        let method = endpoint.method().as_str().to_lowercase();
        let operation = &document["paths"][endpoint.path()][method];
        let named = |place: &str| {
            let parameters = operation["parameters"].as_array().unwrap().iter();
            let parameters = parameters.filter(|parameter| parameter["in"] == place);
            parameters.map(|it| it["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(named("query"), endpoint.parameters(), "{endpoint:?}");
        let in_path = endpoint.path().matches('{').count();
        assert_eq!(named("path").len(), in_path, "{endpoint:?}");
        let scope = operation["security"].pointer("/0/client/0").and_then(Value::as_str);
        assert_eq!(scope, endpoint.scope(), "{endpoint:?}");
    }
}

#[test]
fn what_is_shown_is_never_null_and_holds_no_secret() {
    let document = description();
    let schemas = &document["components"]["schemas"];
    for name in ["Association", "Client", "Grant", "Organization", "ResourceServer"] {
        let mut kinds = Vec::new();
        all(&schemas[name], "type", &mut kinds);
        assert!(kinds.iter().all(|kind| *kind != "null" && !kind.is_array()), "{name}");
    }
    let api = schemas["ResourceServer"]["properties"].as_object().unwrap();
    assert!(!api.contains_key("signing_secret") && api.contains_key("token_lifetime"));
    assert_eq!(schemas["CreateApi"]["properties"]["signing_secret"]["writeOnly"], true);
}

#[test]
fn the_examples_of_the_models_documentation_are_read() {
    let grant = json!({
        "client_id": "app", "audience": "https://api.example.com/", "subject_type": "user",
        "scope": ["read:item"], "authorization_details_types": ["payment"],
    });
    body::read::<CreateGrant>(grant.to_string().as_bytes()).unwrap();
    let grant = json!({
        "scope": ["read:item", "update:item"],
        "authorization_details_types": ["payment", "credits_transfer"],
    });
    body::read::<UpdateGrant>(grant.to_string().as_bytes()).unwrap();
    let api = json!({"subject_type_authorization": {
        "user": {"policy": "require_client_grant"}, "client": {"policy": "deny_all"},
    }});
    body::read::<UpdateApi>(api.to_string().as_bytes()).unwrap();
}
