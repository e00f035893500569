//! What stands in the files, as the Management API shows it: also what does not count.

use std::sync::Arc;

use serde_json::json;

use super::management::{SECTION, codes, managed};
use super::*;
use crate::config::inventory::{Inventory, KnownGrant};

const ISSUERS: &str = "
issuers:
  - {issuer: 'https://a.example/', profile: auth0}
  - {issuer: 'https://b.example/', profile: okta}
";
const GATE: &str = "
resource_servers:
  - identifier: https://api.example
    gate:
      issuers: ['https://a.example/']
      upstream: http://127.0.0.1:3000
      operations: [{on: GET /things, scopes: [read]}]
";
const EXPORT: &str = "
resourceServers:
  - id: 0123456789abcdef01234567
    identifier: https://api.example
    name: Things
    scopes: [{value: read, description: Read things}]
    signing_secret: a secret that nobody is shown
    token_lifetime: 7200
    token_lifetime_for_web: null
    subject_type_authorization: {user: {policy: allow_all}, client: {policy: require_client_grant}}
  - {identifier: 'https://plain.example', is_system: false}
clients:
  - {name: Web, client_id: web1}
clientGrants:
  - {client_id: Web, audience: 'https://api.example', scope: [read]}
  - {client_id: Web, audience: 'https://plain.example', scope: []}
  - {client_id: Unlisted app, audience: 'https://plain.example', scope: []}
...
";
const OWN: &str = "
client_grants:
  - {client_id: web1, audience: 'https://plain.example', scopes: [x], subject_type: user}
  - {id: cgr_2, default_for: third_party_clients, audience: 'https://nowhere.example', issuer: 'https://b.example/', scope: []}
";

fn inventory() -> Arc<Inventory> {
    managed(&[ISSUERS, GATE, EXPORT, OWN, SECTION]).management.unwrap().inventory
}

fn said(grant: &KnownGrant) -> String {
    let holder = match &grant.holder {
        Holder::Client(client) => client.as_str(),
        Holder::ThirdPartyClients => "any third party",
    };
    let issuer = grant.issuer.as_ref().map_or("?", Issuer::as_str);
    let of = grant.subject_type.as_str();
    format!(
        "{}:{} {holder} of {issuer} for {} as {of}",
        grant.place.source, grant.place, grant.audience
    )
}

#[test]
fn an_api_is_known_by_what_both_its_entries_say() {
    let inventory = inventory();
    let api = inventory.api("https://api.example").unwrap();
    assert_eq!(
        serde_json::Value::from(api.written.clone()),
        json!({
            "identifier": "https://api.example", "name": "Things", "id": "0123456789abcdef01234567",
            "scopes": [{"value": "read", "description": "Read things"}], "token_lifetime": 7200,
            "subject_type_authorization": {
                "user": {"policy": "allow_all"}, "client": {"policy": "require_client_grant"},
            },
        })
    );
    assert!(api.has_gate && !api.is_system);
    assert_eq!(api.issuers.iter().map(Issuer::as_str).collect::<Vec<_>>(), ["https://a.example/"]);
    assert_eq!(api.place.key("gate"), Place::root(1).key("resource_servers").index(0).key("gate"));
    let exported = Place::root(2).key("resourceServers").index(0);
    assert_eq!(api.place.key("token_lifetime"), exported.key("token_lifetime"));
    assert_eq!(inventory.api("0123456789abcdef01234567").unwrap().identifier, api.identifier);
}

#[test]
fn an_api_without_an_id_has_one_that_stays() {
    let inventory = inventory();
    let plain = inventory.api("https://plain.example").unwrap();
    // The first digits of SHA-256("https://plain.example").
    assert_eq!(plain.id, "20f485b5cf95bc4eb5428a5c");
    assert_eq!(inventory.api(&plain.id).unwrap().identifier, plain.identifier);
    assert!(!plain.has_gate);
    assert_eq!(plain.issuers.len(), 2);
    let own: Vec<_> = inventory.apis.iter().filter(|api| api.is_system).collect();
    assert_eq!(
        own.iter().map(|api| api.identifier.as_str()).collect::<Vec<_>>(),
        ["urn:grantgate:management"]
    );
}

#[test]
fn grants_are_known_whether_they_count_or_not() {
    let inventory = inventory();
    let said: Vec<_> = inventory.grants.iter().map(said).collect();
    assert_eq!(
        said,
        [
            "2:clientGrants[0] web1 of https://a.example/ for https://api.example as client",
            "2:clientGrants[1] web1 of https://a.example/ for https://plain.example as client",
            "3:client_grants[0] web1 of ? for https://plain.example as user",
            "3:client_grants[1] any third party of https://b.example/ for https://nowhere.example as client",
        ]
    );
    let ids: Vec<_> = inventory.grants.iter().map(|grant| grant.id.as_str()).collect();
    assert_eq!(ids[3], "cgr_2");
    for (place, id) in ids.iter().enumerate() {
        assert_eq!(inventory.grant(id).unwrap().place, inventory.grants[place].place);
    }
    assert_eq!(inventory.grants[2].scopes(), Some(("scopes", &["x".to_owned()][..])));
}

#[test]
fn grants_come_in_the_order_of_their_ids_behind_any() {
    let inventory = inventory();
    let ids =
        |behind| inventory.grants_behind(behind).map(|grant| grant.id.as_str()).collect::<Vec<_>>();
    let all = ids(None);
    assert!(all.is_sorted() && all.len() == 4, "{all:?}");
    assert_eq!(ids(Some(all[1])), all[2..]);
    assert_eq!(ids(Some("cgr_")), all);
    assert_eq!(ids(Some("d")), [""; 0]);
}

#[test]
fn files_are_known_by_the_lists_that_they_have() {
    let inventory = inventory();
    let files = inventory.files.iter().map(|file| (&*file.name, file.apis, file.grants));
    assert_eq!(
        files.collect::<Vec<_>>(),
        [
            ("0.yaml", None, None),
            ("1.yaml", Some("resource_servers"), None),
            ("2.yaml", Some("resourceServers"), Some("clientGrants")),
            ("3.yaml", None, Some("client_grants")),
            ("4.yaml", None, None),
        ]
    );
    let clients =
        inventory.clients.iter().map(|client| (client.id.as_str(), client.name.as_deref()));
    assert_eq!(clients.collect::<Vec<_>>(), [("web1", Some("Web"))]);
}

#[test]
fn two_entries_of_an_api_do_not_both_say_what_is_not_used() {
    let twice = GATE.replace("    gate:", "    token_lifetime: 60\n    gate:");
    assert!(codes(&[ISSUERS, &twice, EXPORT, OWN, SECTION]).contains(&"resource-server-duplicate"));
}
