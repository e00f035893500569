use http::header::HeaderValue;
use serde_json::json;

use super::*;
use crate::management::fixture::{Managed, asked, said_fault, section};

const ISSUER: &str = "issuers: [{issuer: 'https://a.example/', profile: auth0}]\n";
const ISSUERS: &str = "
issuers:
  - {issuer: 'https://a.example/', profile: auth0}
  - {issuer: 'https://b.example/', profile: okta}
";
/// One API with a gate, and one without.
const APIS: &str = "
resource_servers:
  - identifier: https://api.example
    scopes: [{value: read}, {value: write}]
    authorization_details: [{type: payment}]
    subject_type_authorization:
      user: {policy: require_client_grant}
      client: {policy: require_client_grant}
    gate:
      issuers: ['https://a.example/']
      upstream: http://127.0.0.1:3000
      operations:
        - {on: GET /things, scopes: [read]}
        - {on: POST /things, scopes: [write]}
  - identifier: https://elsewhere.example
";
const GRANTS: &str = "
client_grants:
  - {id: cgr_b, client_id: web, audience: 'https://api.example', subject_type: user, scope: [read]}
  - id: cgr_a
    client_id: batch
    audience: https://api.example
    scopes: [read, write]
    organization_usage: allow
    allow_any_organization: true
    expires_at: '2090-01-01T00:00:00Z'
    owner: team
  - {id: cgr_d, default_for: third_party_clients, audience: 'https://api.example', subject_type: user, allow_all_scopes: true, scope: []}
  - {id: cgr_c, client_id: web, audience: 'https://nowhere.example', scope: []}
  - {id: cgr_s, client_id: tool, audience: 'urn:grantgate:management', scope: ['read:client_grants']}
";

fn managed() -> Managed {
    Managed::of(&[ISSUER, APIS, GRANTS, &section("")])
}

fn ids(answer: &Value) -> Vec<&str> {
    answer.as_array().unwrap().iter().map(|grant| grant["id"].as_str().unwrap()).collect()
}

fn create(body: &Value) -> Asked {
    asked(Endpoint::CreateGrant, &[]).with_body(body)
}

fn update(id: &str, body: &Value) -> Asked {
    asked(Endpoint::UpdateGrant, &[id]).with_body(body)
}

#[test]
fn grants_are_shown_as_they_are_written() {
    let managed = managed();
    let show = |id| managed.body(&asked(Endpoint::GetGrant, &[id]));
    let audience = "https://api.example";
    assert_eq!(
        show("cgr_b"),
        json!({"id": "cgr_b", "client_id": "web", "audience": audience, "subject_type": "user", "scope": ["read"]})
    );
    assert_eq!(
        show("cgr_a"),
        json!({"id": "cgr_a", "client_id": "batch", "audience": audience, "subject_type": "client",
            "scope": ["read", "write"], "organization_usage": "allow", "allow_any_organization": true})
    );
    assert_eq!(
        show("cgr_d"),
        json!({"id": "cgr_d", "default_for": "third_party_clients", "audience": audience,
            "subject_type": "user", "allow_all_scopes": true})
    );
}

#[test]
fn the_gateways_own_grants_are_shown_by_their_id_and_listed_by_their_api() {
    let managed = managed();
    let own = managed.body(&asked(Endpoint::GetGrant, &["cgr_s"]));
    assert_eq!(own["is_system"], json!(true));
    let listed = managed.body(&asked(Endpoint::ListGrants, &[]));
    assert_eq!(ids(&listed), ["cgr_a", "cgr_b", "cgr_c", "cgr_d"]);
}

#[test]
fn lists_are_narrowed_by_every_filter() {
    let managed = managed();
    let list = |query: &[(&str, &str)]| {
        let answer = managed.body(&asked(Endpoint::ListGrants, &[]).with_query(query));
        ids(&answer).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(list(&[("client_id", "web")]), ["cgr_b", "cgr_c"]);
    assert_eq!(list(&[("audience", "https://nowhere.example")]), ["cgr_c"]);
    assert_eq!(list(&[("subject_type", "user")]), ["cgr_b", "cgr_d"]);
    assert_eq!(list(&[("subject_type", "user"), ("client_id", "web")]), ["cgr_b"]);
    assert_eq!(list(&[("default_for", "third_party_clients")]), ["cgr_d"]);
    assert_eq!(list(&[("allow_any_organization", "true")]), ["cgr_a"]);
    assert_eq!(list(&[("audience", "urn:grantgate:management")]), ["cgr_s"]);
    let whose = [("audience", "urn:grantgate:management"), ("client_id", "web")];
    assert_eq!(list(&whose), [""; 0]);
}

#[test]
fn filters_that_are_no_values_are_refused() {
    let managed = managed();
    for (name, value) in
        [("subject_type", "machine"), ("default_for", "all"), ("allow_any_organization", "false")]
    {
        let asked = asked(Endpoint::ListGrants, &[]).with_query(&[(name, value)]);
        let fault = managed.read(&asked).unwrap_err();
        assert_eq!(fault.code, Some("invalid_query_string"), "{name}");
        assert!(fault.message.ends_with(&format!("on property {name}.")), "{}", fault.message);
    }
}

#[test]
fn a_list_is_walked_by_checkpoints() {
    let managed = managed();
    let page =
        |query: &[(&str, &str)]| managed.body(&asked(Endpoint::ListGrants, &[]).with_query(query));
    let first = page(&[("take", "3"), ("include_totals", "true")]);
    assert_eq!(ids(&first["client_grants"]), ["cgr_a", "cgr_b", "cgr_c"]);
    let second = page(&[("take", "3"), ("from", first["next"].as_str().unwrap())]);
    assert_eq!(ids(&second["client_grants"]), ["cgr_d"]);
    assert_eq!(second.get("next"), None);
}

#[test]
fn other_issuers_grants_are_not_there() {
    let more = "
  - {id: cgr_x, client_id: web, audience: 'https://elsewhere.example', issuer: 'https://b.example/', scope: []}
  - {id: cgr_y, client_id: web, audience: 'https://elsewhere.example', issuer: 'https://a.example/', scope: []}
";
    let chosen = section("  grants_issuer: https://a.example/\n");
    let managed = Managed::of(&[ISSUERS, APIS, &format!("{GRANTS}{more}"), &chosen]);
    let listed = managed.body(&asked(Endpoint::ListGrants, &[]));
    assert_eq!(ids(&listed), ["cgr_a", "cgr_b", "cgr_c", "cgr_d", "cgr_y"]);
    let hidden = managed.read(&asked(Endpoint::GetGrant, &["cgr_x"])).unwrap_err();
    assert_eq!(hidden.status, StatusCode::NOT_FOUND);
    assert!(managed.refused(&update("cgr_x", &json!({}))).starts_with("404"));
    // Those that manage come from issuers of their own.
    assert!(managed.read(&asked(Endpoint::GetGrant, &["cgr_s"])).is_ok());
    let own = [("audience", "urn:grantgate:management")];
    let listed = managed.body(&asked(Endpoint::ListGrants, &[]).with_query(&own));
    assert_eq!((ids(&listed), &listed[0]["is_system"]), (vec!["cgr_s"], &json!(true)));
}

#[test]
fn searching_is_not_offered() {
    let fault = managed().read(&asked(Endpoint::SearchGrants, &[])).unwrap_err();
    assert!(said_fault(&fault).starts_with("501 not_implemented: "));
}

#[test]
fn a_new_grant_is_written_as_a_person_would() {
    let managed = managed();
    let body = json!({
        "scope": ["write", "read", "write"], "audience": "https://api.example", "client_id": "new",
        "subject_type": "user", "authorization_details_types": ["payment"],
    });
    let plan = managed.plan(&create(&body)).unwrap();
    assert_eq!(
        managed.edits(&create(&body)),
        [
            r#"2 client_grants + [{"client_id":"new","audience":"https://api.example","subject_type":"user","scope":["write","read"],"authorization_details_types":["payment"]}]"#
        ]
    );
    assert_eq!(plan.change.new_file, None);
    let Then::Grant { id, created: true } = plan.then else { panic!("{:?}", plan.then) };

    let written =
        "  - {client_id: new, audience: 'https://api.example', subject_type: user, scope: []}\n";
    let managed = Managed::of(&[ISSUER, APIS, &format!("{GRANTS}{written}"), &section("")]);
    let answer = super::written(&managed.snapshot, &id, true);
    assert_eq!(answer.status, StatusCode::CREATED);
    assert_eq!(answer.body.unwrap()["client_id"], json!("new"));
    assert!(HeaderValue::try_from(answer.etag.unwrap()).is_ok());
}

#[test]
fn what_is_left_out_is_not_written_but_the_scopes() {
    let managed = managed();
    let body = json!({"audience": "https://api.example", "client_id": "new"});
    assert_eq!(
        managed.edits(&create(&body)),
        [
            r#"2 client_grants + [{"client_id":"new","audience":"https://api.example","subject_type":"client","scope":[]}]"#
        ]
    );
    let body = json!({
        "audience": "https://api.example", "default_for": "third_party_clients", "subject_type": "client",
        "scope": [], "allow_all_scopes": true, "organization_usage": "deny",
        "allow_any_organization": false,
    });
    assert_eq!(
        managed.edits(&create(&body)),
        [
            r#"2 client_grants + [{"default_for":"third_party_clients","audience":"https://api.example","subject_type":"client","organization_usage":"deny","allow_any_organization":false,"allow_all_scopes":true}]"#
        ]
    );
}

#[test]
fn bodies_that_mean_no_grant_are_refused() {
    let managed = managed();
    let api = "https://api.example";
    for (body, wrong) in [
        (
            json!({"client_id": "x"}),
            "400 invalid_body: Payload validation error: 'Missing required property: audience'.",
        ),
        (
            json!({"audience": api}),
            "400 invalid_body: Payload validation error: 'Missing required property: client_id or default_for'.",
        ),
        (
            json!({"audience": api, "client_id": "x", "default_for": "third_party_clients"}),
            "400 invalid_body: Payload validation error: 'a grant has `client_id` or `default_for`, not \
            both' on property default_for.",
        ),
        (
            json!({"audience": api, "client_id": "x y"}),
            "400 invalid_body: Payload validation error: 'it contains ' ', which is not allowed' on \
            property client_id.",
        ),
        (
            json!({"audience": api, "client_id": "x", "issuer": "https://a.example/"}),
            "400 invalid_body: Payload validation error: 'Additional properties not allowed: issuer'.",
        ),
        (
            json!({"audience": api, "client_id": "x", "is_system": false}),
            "400 invalid_body: Payload validation error: 'Additional properties not allowed: is_system'.",
        ),
        (
            json!({"audience": api, "client_id": "x", "scope": null}),
            "400 invalid_body: Payload validation error: 'Expected type array but found type \
            null' on property scope.",
        ),
        (
            json!({"audience": api, "client_id": "x", "scope": vec!["read"; 1001]}),
            "400 invalid_body: Payload validation error: 'Array is too long (1001), maximum 1000' on \
            property scope.",
        ),
        (
            json!({"audience": api, "client_id": "x", "authorization_details_types": vec!["x"; 101]}),
            "400 invalid_body: Payload validation error: 'Array is too long (101), maximum 100' on \
            property authorization_details_types.",
        ),
        (
            json!({"audience": api, "client_id": "x", "subject_type": "machine"}),
            "400 invalid_body: Payload validation error: 'No enum match for: machine, expected one of: \
            anonymous_user, client, user' on property subject_type.",
        ),
        (
            json!({"audience": api, "client_id": "x", "scope": ["read"], "allow_all_scopes": true}),
            "400 invalid_body: Payload validation error: 'a grant gives all scopes or those that it \
            lists: send `allow_all_scopes: false` beside `scope`, or leave out `scope`' on property \
            allow_all_scopes.",
        ),
        (
            json!({"audience": api, "client_id": "x", "subject_type": "user", "organization_usage": "require"}),
            "400 invalid_body: Payload validation error: 'organizations have no meaning in a grant for \
            `user`' on property organization_usage.",
        ),
        (
            json!({"audience": api, "client_id": "x", "authorization_details_types": ["payment"]}),
            "400 invalid_body: Payload validation error: 'they have no meaning in a grant for `client`' \
            on property authorization_details_types.",
        ),
        (
            json!({"audience": "https://none.example", "client_id": "x"}),
            "404 -: No resource with identifier https://none.example",
        ),
        (
            json!({"audience": "urn:grantgate:management", "client_id": "x", "scope": ["create:client_grants"]}),
            "403 system_object: the gateway's own API and the grants for it stand in its files, and are \
            changed there alone",
        ),
        (
            json!({"audience": "https://grants.example.com/api/v2/", "client_id": "x"}),
            "403 system_object: the gateway's own API and the grants for it stand in its files, and are \
            changed there alone",
        ),
        (
            json!({"audience": api, "client_id": "web", "subject_type": "user"}),
            "409 client_grant_already_exists: A client grant already exists between web and \
            https://api.example for the subject type user: cgr_b",
        ),
        (
            json!({"audience": api, "default_for": "third_party_clients", "subject_type": "user"}),
            "409 client_grant_already_exists: A client grant already exists between \
            third_party_clients and https://api.example for the subject type user: cgr_d",
        ),
    ] {
        assert_eq!(managed.refused(&create(&body)), wrong, "{body}");
    }
    let id = managed.snapshot.management.as_ref().unwrap().inventory.apis[0].id.clone();
    let by_id = managed.refused(&create(&json!({"audience": id, "client_id": "x"})));
    assert!(by_id.starts_with("404"), "an API's id is no audience: {by_id}");
}

#[test]
fn an_id_that_another_grant_has_is_not_given_again() {
    let body = json!({"audience": "https://api.example", "client_id": "x"});
    let Then::Grant { id, .. } = managed().plan(&create(&body)).unwrap().then else { panic!() };
    let grants = GRANTS.replace("cgr_c", id.as_str());
    let refused = Managed::of(&[ISSUER, APIS, &grants, &section("")]).refused(&create(&body));
    assert!(refused.starts_with("409 client_grant_already_exists: The id that"), "{refused}");
    assert!(refused.contains(id.as_str()), "{refused}");
}

#[test]
fn a_write_is_answered_with_what_is_to_be_looked_at_in_the_grant() {
    let managed = Managed::of(&[ISSUER, APIS, GRANTS, &section("  file: 2.yaml\n")]);
    let with = |scopes: &[&str]| {
        let body = json!({"audience": "https://api.example", "client_id": "x", "scope": scopes});
        managed.write(&create(&body)).1.warnings
    };
    assert_eq!(with(&["read"]), None);
    assert_eq!(with(&["read", "none"]).as_deref(), Some("grant-scope-undeclared"));
    let elsewhere = managed.write(&update("cgr_c", &json!({}))).1;
    assert_eq!(elsewhere.warnings.as_deref(), Some("grant-elsewhere"));
}

#[test]
fn another_subject_type_is_another_grant() {
    let managed = managed();
    let body = json!({"audience": "https://api.example", "client_id": "web"});
    assert_eq!(managed.edits(&create(&body)).len(), 1);
}

#[test]
fn the_issuer_is_written_where_it_cannot_be_left_out() {
    let body = json!({"audience": "https://elsewhere.example", "client_id": "x"});
    let several = Managed::of(&[ISSUERS, APIS, GRANTS, &section("")]);
    let refused = several.refused(&create(&body));
    assert!(refused.starts_with("400 invalid_body"), "{refused}");
    assert!(refused.contains("trusts 2 issuers: set `management.grants_issuer`"), "{refused}");

    let chosen = |issuer: &str| {
        let section = section(&format!("  grants_issuer: {issuer}\n"));
        Managed::of(&[ISSUERS, APIS, GRANTS, &section])
    };
    let b = chosen("https://b.example/");
    assert_eq!(
        b.edits(&create(&body)),
        [
            r#"2 client_grants + [{"client_id":"x","audience":"https://elsewhere.example","issuer":"https://b.example/","subject_type":"client","scope":[]}]"#
        ]
    );
    let body = json!({"audience": "https://api.example", "client_id": "x"});
    let refused = b.refused(&create(&body));
    assert!(refused.contains("does not trust https://b.example/"), "{refused}");
    let a = chosen("https://a.example/");
    assert!(!a.edits(&create(&body))[0].contains("issuer"));
}

#[test]
fn new_grants_go_to_the_file_that_is_said() {
    let body = json!({"audience": "https://api.example", "client_id": "x"});
    let to = |texts: &[&str]| {
        let managed = Managed::of(texts);
        let plan = managed.plan(&create(&body)).map_err(|fault| said_fault(&fault))?;
        let Edit::Append { list, .. } = &plan.change.edits[0] else { panic!() };
        Ok::<_, String>((format!("{} {list}", list.source), plan.change.new_file))
    };
    let named = |name| section(&format!("  file: {name}\n"));
    let none: Option<String> = None;
    assert_eq!(
        to(&[ISSUER, APIS, GRANTS, &named("0.yaml")]),
        Ok(("0 client_grants".to_owned(), none.clone()))
    );
    assert_eq!(
        to(&[ISSUER, APIS, GRANTS, &named("grants.json")]),
        Ok(("4 client_grants".to_owned(), Some("grants.json".to_owned())))
    );
    let two = to(&[ISSUER, APIS, GRANTS, &section(""), "client_grants: []\n"]).unwrap_err();
    assert!(two.starts_with("409 file_unknown: More than one file has client grants"), "{two}");
    assert!(two.contains("`management.file`"), "{two}");

    let exported = "clientGrants: []\nclients: [{client_id: x, name: X}]\n...\n";
    let managed = Managed::of(&[ISSUER, APIS, exported, &section("")]);
    assert_eq!(
        managed.edits(&create(&body)),
        [
            r#"2 clientGrants + [{"client_id":"x","audience":"https://api.example","issuer":"https://a.example/","subject_type":"client","scope":[]}]"#
        ]
    );
}

#[test]
fn a_change_touches_what_differs_alone() {
    let managed = managed();
    for (id, body, edits) in [
        (
            "cgr_b",
            json!({"scope": ["read", "write"]}),
            &[r#"2 client_grants[0].scope + ["write"]"#][..],
        ),
        ("cgr_b", json!({"scope": ["write"]}), &[r#"2 client_grants[0].scope = ["write"]"#]),
        ("cgr_b", json!({"scope": []}), &["2 client_grants[0].scope = []"]),
        ("cgr_b", json!({"scope": null}), &["2 client_grants[0].scope = []"]),
        ("cgr_a", json!({"scope": ["write"]}), &["2 client_grants[1].scopes[0] -"]),
        (
            "cgr_a",
            json!({"scope": ["new", "write"]}),
            &["2 client_grants[1].scopes[0] -", r#"2 client_grants[1].scopes + ["new"]"#],
        ),
        (
            "cgr_a",
            json!({"organization_usage": "require", "allow_any_organization": null}),
            &[
                r#"2 client_grants[1].organization_usage = "require""#,
                "2 client_grants[1].allow_any_organization -",
            ],
        ),
        (
            "cgr_b",
            json!({"authorization_details_types": ["payment"]}),
            &[r#"2 client_grants[0].authorization_details_types = ["payment"]"#],
        ),
        (
            "cgr_b",
            json!({"allow_all_scopes": true}),
            &["2 client_grants[0].scope -", "2 client_grants[0].allow_all_scopes = true"],
        ),
        (
            "cgr_d",
            json!({"allow_all_scopes": false, "scope": []}),
            &["2 client_grants[2].allow_all_scopes = false"],
        ),
        (
            "cgr_d",
            json!({"allow_all_scopes": null, "scope": ["read"]}),
            &[r#"2 client_grants[2].scope + ["read"]"#, "2 client_grants[2].allow_all_scopes -"],
        ),
    ] {
        assert_eq!(managed.edits(&update(id, &body)), edits, "{id} {body}");
    }
}

#[test]
fn a_change_to_what_is_there_already_is_none() {
    let managed = managed();
    let whole = json!({
        "scope": ["write", "read"], "organization_usage": "allow", "allow_any_organization": true,
        "allow_all_scopes": null,
    });
    let plan = managed.plan(&update("cgr_a", &whole)).unwrap();
    assert!(plan.change.edits.is_empty());
    assert_eq!(plan.then, Then::Grant { id: GrantId::new("cgr_a").unwrap(), created: false });
    assert_eq!(managed.edits(&update("cgr_b", &json!({}))), [""; 0]);
    assert_eq!(managed.edits(&update("cgr_d", &json!({"allow_all_scopes": true}))), [""; 0]);
}

#[test]
fn scopes_that_were_all_and_are_named_no_more_are_none() {
    let all = "client_grants: [{id: cgr_1, client_id: x, audience: 'https://api.example', allow_all_scopes: true}]\n";
    let managed = Managed::of(&[ISSUER, APIS, all, &section("")]);
    assert_eq!(
        managed.edits(&update("cgr_1", &json!({"allow_all_scopes": false}))),
        ["2 client_grants[0].scope = []", "2 client_grants[0].allow_all_scopes = false"]
    );
    let refused = managed.refused(&update("cgr_1", &json!({"scope": ["read"]})));
    assert!(refused.contains("send `allow_all_scopes: false` beside `scope`"), "{refused}");
}

#[test]
fn what_never_changes_is_no_member_of_a_change() {
    let managed = managed();
    for key in ["client_id", "audience", "subject_type", "default_for", "is_system", "id", "gate"] {
        let refused = managed.refused(&update("cgr_b", &json!({key: "x"})));
        assert_eq!(
            refused.split(" (did").next().unwrap().trim_end_matches('.'),
            format!(
                "400 invalid_body: Payload validation error: 'Additional properties not allowed: {key}'"
            )
        );
    }
    let refused = managed.refused(&update("cgr_b", &json!({"authorization_details_types": null})));
    assert!(refused.starts_with("400 invalid_body"), "{refused}");
    let refused = managed.refused(&update("cgr_b", &json!({"allow_any_organization": true})));
    assert!(refused.contains("no meaning in a grant for `user`"), "{refused}");
}

#[test]
fn nobody_widens_himself() {
    let managed = managed();
    let body = json!({"scope": ["read:client_grants", "create:client_grants"]});
    assert!(managed.refused(&update("cgr_s", &body)).starts_with("403 system_object"));
    assert!(
        managed.refused(&asked(Endpoint::DeleteGrant, &["cgr_s"])).starts_with("403 system_object")
    );
}

#[test]
fn a_grant_is_taken_out_where_it_stands() {
    let managed = managed();
    assert_eq!(managed.edits(&asked(Endpoint::DeleteGrant, &["cgr_d"])), ["2 client_grants[2] -"]);
    let plan = managed.plan(&asked(Endpoint::DeleteGrant, &["cgr_gone"])).unwrap();
    assert!(plan.change.edits.is_empty());
    assert_eq!(plan.then, Then::Gone);
}

#[test]
fn a_state_that_is_no_more_is_not_written_over() {
    let managed = managed();
    let etag = managed.read(&asked(Endpoint::GetGrant, &["cgr_b"])).unwrap().etag.unwrap();
    let body = json!({"scope": []});
    for tags in [etag.as_str(), "*", &format!("\"other\", {etag}")] {
        assert!(managed.plan(&update("cgr_b", &body).if_match(tags)).is_ok(), "{tags}");
    }
    assert!(managed.refused(&update("cgr_a", &body).if_match(&*etag)).starts_with("412"));
    let delete = |id| asked(Endpoint::DeleteGrant, &[id]);
    assert!(managed.plan(&delete("cgr_b").if_match(&*etag)).is_ok());
    assert!(managed.refused(&delete("cgr_a").if_match(&*etag)).starts_with("412"));
    for tags in [&*etag, "*"] {
        assert!(managed.refused(&delete("cgr_gone").if_match(tags)).starts_with("412"), "{tags}");
    }
}

#[test]
fn a_grant_lives_in_a_file_that_people_write() {
    // Its keys come in the order in which they stand around it.
    let text = "\
# Who may do what.
client_grants:
  # Nightly exports.
  - client_id: batch        # runs at 2
    audience: https://api.example
    scope:
      - read                # for the report
      - write
";
    let new = "
  - client_id: new
    audience: https://api.example
    subject_type: user
    scope:
      - write
      - read
    authorization_details_types:
      - payment
";
    let body = json!({
        "scope": ["write", "read"], "audience": "https://api.example", "client_id": "new",
        "subject_type": "user", "authorization_details_types": ["payment"],
    });
    let before = Managed::of(&[ISSUER, APIS, text, &section("  file: 2.yaml\n")]);
    let (managed, answer) = before.write(&create(&body));
    assert_eq!(
        *managed.sources[2].text,
        format!("{}\n{}", text.trim_end(), new.trim_start_matches('\n'))
    );
    let mut shown = answer.body.unwrap();
    let id = shown["id"].as_str().unwrap().to_owned();
    assert_eq!(shown, managed.body(&asked(Endpoint::GetGrant, &[&id])));
    shown.as_object_mut().unwrap().remove("id");
    assert_eq!(shown, body);

    let (managed, answer) = managed.write(&update(&id, &json!({"scope": ["write", "admin"]})));
    assert_eq!(answer.body.unwrap()["scope"], json!(["write", "admin"]));
    assert!(managed.sources[2].text.contains("      - write\n      - admin\n"));

    let batch =
        managed.body(&asked(Endpoint::ListGrants, &[]).with_query(&[("client_id", "batch")]));
    let batch = batch[0]["id"].as_str().unwrap();
    let (narrowed, _) = managed.write(&update(batch, &json!({"scope": ["read"]})));
    assert!(narrowed.sources[2].text.starts_with(&text.replace("      - write\n", "")));

    let (managed, answer) = managed.write(&asked(Endpoint::DeleteGrant, &[&id]));
    assert_eq!((answer.status, answer.body), (StatusCode::NO_CONTENT, None));
    assert_eq!(*managed.sources[2].text, text);
}

#[test]
fn the_first_grant_makes_its_file() {
    let body = json!({"audience": "https://api.example", "client_id": "new", "scope": ["read"]});
    let section = section("  file: grants.yaml\n");
    let managed = Managed::of(&[ISSUER, APIS, "client_grants: []\n", &section]);
    let (managed, answer) = managed.write(&create(&body));
    assert_eq!(answer.status, StatusCode::CREATED);
    assert_eq!(managed.sources[4].name, "grants.yaml");
    let (_, again) =
        managed.write(&create(&json!({"audience": "https://api.example", "client_id": "x"})));
    assert_eq!(again.status, StatusCode::CREATED);
}
