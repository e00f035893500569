use serde_json::Value;

use super::*;
use crate::management::fixture::{Managed, asked, section};

const CONFIGURATION: &str = "
issuers:
  - {issuer: 'https://a.example/', profile: auth0}
  - {issuer: 'https://b.example/', profile: okta}
client_grants: []
clients:
  - {client_id: web, name: Web app, issuer: 'https://a.example/', is_first_party: true, app_type: spa}
  - {client_id: partner, issuer: 'https://a.example/', is_first_party: false}
  - {client_id: tpc_1, name: Register, issuer: 'https://a.example/'}
  - {client_id: native, name: Native, issuer: 'https://b.example/'}
";

fn managed(more: &str) -> Managed {
    Managed::of(&[CONFIGURATION, &section(more)])
}

fn ids(clients: &Value) -> Vec<&str> {
    let clients = clients.as_array().unwrap();
    clients.iter().map(|client| client["client_id"].as_str().unwrap()).collect()
}

#[test]
fn clients_are_shown_as_the_deploy_tool_reads_them() {
    let all = asked(Endpoint::ListClients, &[]).with_query(&[
        ("page", "0"),
        ("per_page", "100"),
        ("include_totals", "true"),
    ]);
    assert_eq!(
        managed("").body(&all),
        json!({"start": 0, "limit": 100, "total": 4, "clients": [
            {"client_id": "native", "name": "Native", "is_first_party": true},
            {"client_id": "partner", "name": "partner", "is_first_party": false},
            {"client_id": "tpc_1", "name": "Register", "is_first_party": false},
            {"client_id": "web", "name": "Web app", "is_first_party": true},
        ]})
    );
    let one = managed("").body(&asked(Endpoint::GetClient, &["web"]));
    assert_eq!(one, json!({"client_id": "web", "name": "Web app", "is_first_party": true}));
    let fault = managed("").read(&asked(Endpoint::GetClient, &["none"])).unwrap_err();
    assert_eq!((fault.status.as_u16(), fault.code), (404, Some("inexistent_client")));
}

#[test]
fn clients_are_narrowed() {
    let list = |more, query: &[(&str, &str)]| {
        managed(more).body(&asked(Endpoint::ListClients, &[]).with_query(query))
    };
    assert_eq!(ids(&list("", &[("is_first_party", "false")])), ["partner", "tpc_1"]);
    assert_eq!(ids(&list("", &[("app_type", "spa"), ("is_global", "false")])).len(), 4);
    let chosen = "  grants_issuer: https://b.example/\n";
    assert_eq!(ids(&list(chosen, &[])), ["native"]);
    let fields = [("fields", "client_id"), ("take", "1")];
    assert_eq!(list("", &fields)["clients"], json!([{"client_id": "native"}]));
}
