//! What is told of writes.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::managed::{Managed, json};

fn audited(records: &[Value]) -> Vec<&Value> {
    records.iter().filter(|record| !record["audit"].is_null()).collect()
}

#[test]
fn each_write_is_told_of_with_who_made_it_and_what_it_changed_though_records_are_off() {
    let mut gate = Managed::with("file: grants.json");
    gate.edit("gateway.yaml", |text| format!("log: {{records: false}}\n{text}"));
    let file = gate.folder.path().join("grants.json").display().to_string();
    let tool = BASE64_STANDARD.encode(r#"{"name": "node-auth0", "version": "7.1.0"}"#);
    let more = format!("{}content-type: application/json\r\nauth0-client: {tool}\r\n", gate.tool());
    let body = json!({
        "client_id": "partner", "audience": "https://orders.example.com", "scope": ["read:orders"],
    });
    let create = |body: &Value| gate.ask("POST /api/v2/client-grants", &more, &body.to_string());
    let created = create(&body);
    assert_eq!(created.status, 201, "{}", created.text());
    let id = json(&created)["id"].as_str().unwrap().to_owned();
    assert_eq!(create(&body).status, 409);
    let grant = format!("/api/v2/client-grants/{id}");
    let same = json!({"scope": ["read:orders"]}).to_string();
    assert_eq!(gate.ask(&format!("PATCH {grant}"), &more, &same).status, 200);
    assert_eq!(gate.ask(&format!("DELETE {grant}"), &more, "").status, 204);

    let records = gate.finish();
    let told = audited(&records);
    assert_eq!(records.len(), told.len(), "decision records are off");
    let of = |key: &str| told.iter().map(|record| record[key].clone()).collect::<Vec<_>>();
    assert_eq!(
        of("audit"),
        [
            "client_grants.create",
            "client_grants.create",
            "client_grants.update",
            "client_grants.delete"
        ]
    );
    assert_eq!(of("outcome"), ["applied", "refused", "unchanged", "applied"]);
    assert_eq!(of("status"), [201, 409, 200, 204]);
    assert_eq!(of("object"), [json!(id), json!(null), json!(id), json!(id)]);
    let file = json!([file]);
    assert_eq!(of("files"), [file.clone(), json!([]), json!([]), file]);
    let first = told[0];
    assert_eq!((&first["client_id"], &first["subject"]), (&json!("tool"), &json!("tool")));
    assert_eq!(first["issuer"], "urn:grantgate:management");
    assert_eq!(first["tool"], json!({"name": "node-auth0", "version": "7.1.0"}));
    assert_eq!(
        (&first["method"], &first["path"]),
        (&json!("POST"), &json!("/api/v2/client-grants"))
    );
    assert!(first["peer"].as_str().unwrap().starts_with("127.0.0.1:"), "{first}");
    let scope = "application partner (issuer https://issuer.example/, subject type client): \
        scope read:orders of https://orders.example.com";
    assert!(first["gained"]["accesses"].as_array().unwrap().contains(&json!(scope)), "{first}");
    assert_eq!(first["lost"], json!({"count": 0, "accesses": []}));
    assert_eq!(told[3]["lost"], first["gained"]);
    assert_eq!(first["warnings"], Value::Null);
    assert!(told[1]["code"].is_string(), "{}", told[1]);
}

#[test]
fn what_is_to_be_looked_at_is_answered_and_told_of() {
    let gate = Managed::with("file: grants.json");
    let more = format!("{}content-type: application/json\r\n", gate.tool());
    let body = json!({"identifier": "urn:new", "enforce_policies": true}).to_string();
    let created = gate.ask("POST /api/v2/resource-servers", &more, &body);
    assert_eq!(created.status, 201, "{}", created.text());
    assert_eq!(created.one("grantgate-warnings"), Some("protection-unenforced"));
    let body = json!({"enforce_policies": false}).to_string();
    let changed = gate.ask("PATCH /api/v2/resource-servers/urn:new", &more, &body);
    assert_eq!((changed.status, changed.one("grantgate-warnings")), (200, None));

    let records = gate.finish();
    let warnings: Vec<_> = audited(&records).iter().map(|record| &record["warnings"]).collect();
    assert_eq!(warnings, [&json!("protection-unenforced"), &Value::Null]);
}
