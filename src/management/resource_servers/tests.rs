use super::*;
use crate::config::{Edit, edit};
use crate::management::fixture::{Managed, asked, section};
use crate::management::{Plan, Then};

/// Two APIs, one of which is served, and grants for them and for the gateway's own.
const APIS: &str = "
resource_servers:
  - name: Orders
    identifier: https://orders.example.com
    token_lifetime: 7200
    scopes:
      - {value: 'read:item', description: Read items}
      - value: 'write:item'
    subject_type_authorization:
      user: {policy: allow_all}
      client: {policy: require_client_grant}
    gate:
      upstream: http://127.0.0.1:3000
      operations: [{on: GET /things, scopes: ['read:item']}]
  - identifier: urn:reports
    id: 0123456789abcdef01234567
    scopes: [{value: report}]
client_grants:
  - {client_id: web, audience: 'https://orders.example.com', scope: ['read:item']}
  - {client_id: web, audience: 'urn:reports', scope: [report]}
  - {client_id: tool, audience: 'urn:grantgate:management', scope: ['read:resource_servers']}
  - {client_id: other, audience: 'urn:reports', scope: []}
";

/// The file beside them, with more lines of its section `management`.
fn own(more: &str) -> String {
    format!("issuers: [{{issuer: 'https://a.example/', profile: auth0}}]\n{}", section(more))
}

fn managed() -> Managed {
    Managed::of(&[&own(""), APIS])
}

fn list(managed: &Managed, query: &str) -> Result<Answer, Fault> {
    let query = Query::read(query, Endpoint::ListApis)?;
    managed.read(&Asked { query, ..asked(Endpoint::ListApis, &[]) })
}

fn get(name: &str) -> Result<Answer, Fault> {
    managed().read(&asked(Endpoint::GetApi, &[name]))
}

fn planned(endpoint: Endpoint, name: &str, body: &Value) -> Result<Plan, Fault> {
    managed().plan(&asked(endpoint, &[name]).with_body(body))
}

fn created(body: &Value) -> Result<Plan, Fault> {
    planned(Endpoint::CreateApi, "", body)
}

const ORDERS: &str = "https://orders.example.com";

/// What a change of the first API is planned to be, an edit a line.
fn changed(body: &Value) -> Vec<String> {
    let asked = asked(Endpoint::UpdateApi, &[ORDERS]).with_body(body);
    let managed = managed();
    let identifier = Audience::new(ORDERS).unwrap();
    let then = managed.plan(&asked).unwrap().then;
    assert_eq!(then, Then::Api { identifier, created: false });
    managed.edits(&asked)
}

fn refused(plan: Result<Plan, Fault>) -> (u16, &'static str, String) {
    let fault = plan.unwrap_err();
    (fault.status.as_u16(), fault.code.unwrap_or_default(), fault.message.into_owned())
}

#[test]
fn an_api_is_shown_as_it_is_written_in_auth0s_order_and_without_its_gate() {
    let answer = get(ORDERS).unwrap();
    let shown = answer.body.unwrap();
    let names: Vec<_> = shown.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "id",
            "identifier",
            "name",
            "scopes",
            "subject_type_authorization",
            "token_lifetime",
            "is_system"
        ]
    );
    assert_eq!(shown["is_system"], false);
    assert_eq!(shown["scopes"][1], json!({"value": "write:item"}));
    assert_eq!(shown["token_lifetime"], 7200);
    let id = shown["id"].as_str().unwrap();
    assert!(id.len() == 24 && id.bytes().all(|b| b.is_ascii_hexdigit()), "{id}");
    let by_id = get(id).unwrap();
    assert_eq!((by_id.body, by_id.etag), (Some(shown), answer.etag));
    assert_eq!(get("0123456789abcdef01234567").unwrap().body.unwrap()["identifier"], "urn:reports");
}

#[test]
fn what_is_not_there_is_not_found_in_auth0s_words() {
    let fault = get("urn:nothing").unwrap_err();
    assert_eq!(
        fault.body(),
        json!({
            "statusCode": 404, "error": "Not Found",
            "message": "The resource server does not exist",
            "errorCode": "inexistent_resource_server",
        })
    );
}

#[test]
fn lists_hold_what_is_asked_for_but_the_gateways_own() {
    let managed = managed();
    let identifiers = |query: &str| {
        let body = list(&managed, query).unwrap().body.unwrap();
        let apis = body.get("resource_servers").unwrap_or(&body).as_array().unwrap().clone();
        apis.iter()
            .map(|api| api["identifier"].as_str().unwrap_or("?").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(identifiers(""), [ORDERS, "urn:reports"]);
    assert_eq!(identifiers("include_totals=true&page=1&per_page=1"), ["urn:reports"]);
    assert_eq!(identifiers("page=2"), Vec::<String>::new());
    assert_eq!(identifiers("identifiers=urn:reports&identifiers=urn:x"), ["urn:reports"]);
    let own = "urn:grantgate:management";
    assert_eq!(identifiers(&format!("identifiers={own}")), [own]);
    assert_eq!(identifiers(&format!("identifiers=urn:reports&identifiers={own}")).len(), 2);
    assert_eq!(identifiers("fields=id"), ["?", "?"]);
    let many = "identifiers=x&".repeat(11);
    assert_eq!(list(&managed, &many).unwrap_err().code, Some("invalid_query_string"));
    let own = get("urn:grantgate:management").unwrap().body.unwrap();
    assert_eq!(own["is_system"], true);
}

#[test]
fn a_search_is_not_offered() {
    let fault = managed().read(&asked(Endpoint::SearchApis, &[])).unwrap_err();
    assert_eq!(fault.status, StatusCode::NOT_IMPLEMENTED);
}

#[test]
fn a_new_api_has_the_policies_that_nobody_stated_and_no_secret() {
    let body = json!({
        "signing_secret": "0123456789abcdef", "token_lifetime": 60, "consent_policy": null,
        "scopes": [{"value": "read:item"}], "name": "New", "identifier": "urn:new",
    });
    let plan = created(&body).unwrap();
    let identifier = Audience::new("urn:new").unwrap();
    assert_eq!(plan.then, Then::Api { identifier, created: true });
    assert_eq!(plan.change.new_file, None);
    let item = r#"{"identifier":"urn:new","name":"New","scopes":[{"value":"read:item"}],"#
        .to_owned()
        + r#""subject_type_authorization":{"user":{"policy":"allow_all"},"#
        + r#""client":{"policy":"require_client_grant"}},"token_lifetime":60}"#;
    let asked = asked(Endpoint::CreateApi, &[]).with_body(&body);
    assert_eq!(managed().edits(&asked), [format!("1 resource_servers + [{item}]")]);

    let stated =
        json!({"client": {"policy": "deny_all"}, "anonymous_user": {"policy": "deny_all"}});
    let body = json!({"identifier": "urn:new", "subject_type_authorization": stated});
    let plan = created(&body).unwrap();
    let [Edit::Append { items, .. }] = plan.change.edits.as_slice() else { panic!() };
    assert_eq!(
        items[0]["subject_type_authorization"],
        json!({
            "user": {"policy": "allow_all"}, "client": {"policy": "deny_all"},
            "anonymous_user": {"policy": "deny_all"},
        })
    );
}

#[test]
fn new_apis_go_where_it_is_said_or_where_apis_are() {
    let to = |files: &[&str]| {
        let asked = asked(Endpoint::CreateApi, &[]).with_body(&json!({"identifier": "urn:new"}));
        let change = Managed::of(files).plan(&asked)?.change;
        let [Edit::Append { list, .. }] = change.edits.as_slice() else { panic!() };
        Ok::<_, Fault>((list.source, list.to_string(), change.new_file))
    };
    let at = |source, list: &str| Ok((source, list.to_owned(), None));
    let set = |file: &str| own(&format!("  file: {file}\n"));
    assert_eq!(to(&[&own(""), APIS]), at(1, "resource_servers"));
    let others = "resource_servers: [{identifier: urn:other}]\n";
    let unknown = to(&[&own(""), APIS, others]).unwrap_err();
    assert_eq!((unknown.status.as_u16(), unknown.code), (409, Some("file_unknown")));
    assert!(unknown.message.contains("`management.file`"), "{}", unknown.message);
    assert_eq!(to(&[&set("2.yaml"), APIS, others]), at(2, "resource_servers"));
    let new = to(&[&set("new.yaml"), APIS]);
    assert_eq!(new, Ok((2, "resource_servers".to_owned(), Some("new.yaml".to_owned()))));
    // A file of the gateway's own takes grants alone.
    assert_eq!(to(&[&set("grants.json"), APIS]), at(1, "resource_servers"));
    let unknown = to(&[&set("grants.json"), APIS, others]).unwrap_err();
    assert!(unknown.message.contains("by hand"), "{}", unknown.message);
    // Where there are no APIs, they are known where the grants are.
    assert_eq!(to(&[&own(""), "client_grants: []\n"]), at(1, "resource_servers"));
    let export = "clientGrants: []\nclients: []\ntenant: {}\n...\n";
    assert_eq!(to(&[&own(""), export]), at(1, "resourceServers"));
}

#[test]
fn what_cannot_hold_or_is_there_already_is_refused() {
    let pop = json!({"mechanism": "mtls", "required": true});
    for (member, value, says) in [
        ("gate", json!({}), "Additional properties not allowed: gate' (upstreams"),
        ("proof_of_possession", pop, "sender-constrained"),
        ("token_encryption", json!({"format": "compact-nested-jwe"}), "encrypted"),
        ("signing_secret", json!("short"), "on property signing_secret"),
        ("name", json!("<b>"), "on property name"),
        ("scopes", json!([{"value": "a"}, {"value": "a"}]), "`a` comes twice"),
        ("scopes", json!([{"value": "a", "descripton": "x"}]), "did you mean `description`?"),
        (
            "token_lifetime",
            json!(2_592_001),
            "'Value 2592001 is greater than maximum 2592000' on property token_lifetime",
        ),
        ("signing_alg", json!("none"), "'No enum match for: none, expected one of: HS256,"),
        ("scopes", json!("read"), "'Expected type array but found type string' on property scopes"),
        ("is_system", json!(true), "not allowed: is_system"),
        (
            "subject_type_authorization",
            json!({"client": {"policy": "allow_all"}}),
            "subject_type_authorization.client.policy",
        ),
    ] {
        for endpoint in [Endpoint::CreateApi, Endpoint::UpdateApi] {
            let mut body = json!({member: value});
            if endpoint == Endpoint::CreateApi {
                body["identifier"] = json!("urn:new");
            }
            let (status, code, message) = refused(planned(endpoint, ORDERS, &body));
            assert_eq!((status, code), (400, "invalid_body"), "{message}");
            assert!(message.contains(says), "{message}");
        }
    }
    let (status, code, _) = refused(created(&json!({"identifier": ORDERS})));
    assert_eq!((status, code), (409, "resource_server_already_exists"));
    let (status, _, message) = refused(created(&json!({"identifier": "with space"})));
    assert_eq!(status, 400);
    assert!(message.contains("on property identifier"), "{message}");
    for name in ["search", ".", ".."] {
        let (status, _, message) = refused(created(&json!({"identifier": name})));
        assert_eq!(status, 400, "{name}");
        assert!(message.contains("no path would lead to an API of this name"), "{message}");
    }
    let moved = planned(Endpoint::UpdateApi, ORDERS, &json!({"identifier": "urn:x"}));
    let (_, _, message) = refused(moved);
    assert!(message.contains("Additional properties not allowed: identifier"), "{message}");
}

#[test]
fn a_policy_changes_by_its_one_word() {
    let policies = |policies: Value| changed(&json!({"subject_type_authorization": policies}));
    let at = "1 resource_servers[0].subject_type_authorization";
    assert_eq!(
        policies(
            json!({"user": {"policy": "require_client_grant"}, "client": {"policy": "deny_all"}})
        ),
        [
            format!("{at}.user.policy = \"require_client_grant\""),
            format!("{at}.client.policy = \"deny_all\"")
        ]
    );
    assert_eq!(
        policies(json!({"anonymous_user": {"policy": "deny_all"}})),
        [format!("{at}.anonymous_user = {{\"policy\":\"deny_all\"}}")]
    );
    assert!(policies(json!({"user": {"policy": "allow_all"}})).is_empty());
    assert!(policies(json!({})).is_empty());
}

#[test]
fn scopes_change_one_by_one() {
    let scopes = |scopes: Value| changed(&json!({"scopes": scopes}));
    let at = "1 resource_servers[0].scopes";
    assert_eq!(
        scopes(json!([
            {"value": "update:item", "description": "Update"},
            {"value": "read:item", "description": "Read"},
        ])),
        [
            format!("{at}[0].description = \"Read\""),
            format!("{at}[1] -"),
            format!("{at} + [{{\"value\":\"update:item\",\"description\":\"Update\"}}]"),
        ]
    );
    assert_eq!(
        scopes(json!([{"value": "write:item"}, {"value": "read:item"}])),
        [format!("{at}[0].description -")]
    );
    let of_reports = |scopes: Value| {
        let body = json!({"scopes": scopes});
        managed().edits(&asked(Endpoint::UpdateApi, &["urn:reports"]).with_body(&body))
    };
    // Though a grant lists it.
    assert_eq!(of_reports(json!([])), ["1 resource_servers[1].scopes[0] -"]);
    assert_eq!(of_reports(Value::Null), ["1 resource_servers[1].scopes -"]);
}

#[test]
fn what_an_operation_asks_is_not_taken_away() {
    let operations = "operations: [{on: GET /things, scopes: ['read:item']}]";
    assert!(APIS.contains(operations));
    let more = "authorization_details: [{type: payment}, {type: other}]
    gate:";
    let pay = "operations:
        - {on: GET /open, public: true}
        - {on: GET /things, any_scopes: ['read:item', 'write:item']}
        - {on: POST /pay, authorization_details: [payment]}";
    let apis = APIS.replace(operations, pay).replacen("gate:", more, 1);
    let of_many = Managed::of(&[&own(""), &apis]);
    let (write, read) = (json!([{"value": "write:item"}]), json!([{"value": "read:item"}]));
    let other = json!([{"type": "other"}]);
    let (scope, details) = ("scopes", "authorization_details");
    let pay = "authorization details type `payment` is still asked by the operation POST /pay";
    for (managed, list, now, says) in [
        (
            &managed(),
            scope,
            &write,
            "scope `read:item` is still asked by the operation GET /things",
        ),
        (&managed(), scope, &json!([]), "scope `read:item` is"),
        (&managed(), scope, &Value::Null, "scope `read:item` is"),
        (&of_many, scope, &read, "scope `write:item` is"),
        (&of_many, details, &other, pay),
    ] {
        let change = asked(Endpoint::UpdateApi, &[ORDERS]).with_body(&json!({list: now}));
        let refused = managed.refused(&change);
        let begins = format!("400 invalid_body: Payload validation error: 'the {says}");
        assert!(refused.starts_with(&begins), "{refused}");
        assert!(refused.ends_with(&format!("' on property {list}.")), "{refused}");
    }
    let kept = json!({details: [{"type": "payment"}]});
    assert_eq!(of_many.edits(&asked(Endpoint::UpdateApi, &[ORDERS]).with_body(&kept)).len(), 1);
}

#[test]
fn other_fields_are_set_taken_away_or_left() {
    assert_eq!(
        changed(&json!({
            "authorization_details": [{"type": "credits_transfer"}], "token_lifetime": null,
            "name": "Orders", "enforce_policies": true, "consent_policy": null,
            "signing_secret": "0123456789abcdef",
        })),
        [
            "1 resource_servers[0].authorization_details = [{\"type\":\"credits_transfer\"}]",
            "1 resource_servers[0].token_lifetime -",
            "1 resource_servers[0].enforce_policies = true",
        ]
    );
    let shown = get(ORDERS).unwrap().body.unwrap();
    assert!(changed(&writable(shown)).is_empty());
    assert!(changed(&json!({})).is_empty());
}

#[test]
fn what_stands_in_a_file_may_be_sent_back_though_it_does_not_hold() {
    let text = "
resource_servers:
  - identifier: urn:reports
    proof_of_possession: {mechanism: mtls, required: true}
    token_encryption: {format: compact-nested-jwe, encryption_key: {name: k}}
    scopes: [{value: report}]
client_grants: []
";
    let managed = Managed::of(&[&own(""), text]);
    let change = |body: &Value| asked(Endpoint::UpdateApi, &["urn:reports"]).with_body(body);
    let mut whole = writable(managed.body(&asked(Endpoint::GetApi, &["urn:reports"])));
    assert_eq!(whole["proof_of_possession"]["required"], true);
    assert_eq!(managed.edits(&change(&whole)), [""; 0]);
    whole["name"] = json!("Reports");
    whole["proof_of_possession"]["mechanism"] = json!("dpop");
    assert_eq!(managed.edits(&change(&whole)).len(), 2);
    for (name, value) in [
        ("token_encryption", json!({"format": "compact-nested-jwe"})),
        ("scopes", json!([{"value": "twice"}, {"value": "twice"}])),
    ] {
        let refused = managed.refused(&change(&json!({name: value})));
        assert!(refused.starts_with("400 invalid_body: "), "{refused}");
    }
    let less = json!({"proof_of_possession": {"mechanism": "mtls", "required": false}});
    assert_eq!(managed.edits(&change(&less)).len(), 1);
}

/// What a client that read an API sends back.
fn writable(mut api: Value) -> Value {
    let members = api.as_object_mut().unwrap();
    for name in ["id", "identifier", "is_system"] {
        members.shift_remove(name);
    }
    api
}

#[test]
fn an_api_of_two_entries_changes_where_each_key_stands() {
    let gate = "
resource_servers:
  - identifier: urn:orders
    gate:
      upstream: http://127.0.0.1:3000
      operations: [{on: GET /things, scopes: [read]}]
client_grants: []
";
    let described = "
resource_servers:
  - identifier: urn:orders
    token_lifetime: 60
    scopes: [{value: read}]
    subject_type_authorization:
      {user: {policy: allow_all}, client: {policy: require_client_grant}}
";
    let managed = Managed::of(&[&own(""), gate, described]);
    let body = json!({"token_lifetime": 30, "scopes": [{"value": "read"}, {"value": "write"}]});
    let asked = asked(Endpoint::UpdateApi, &["urn:orders"]).with_body(&body);
    assert_eq!(
        managed.edits(&asked),
        [
            r#"2 resource_servers[0].scopes + [{"value":"write"}]"#,
            "2 resource_servers[0].token_lifetime = 30",
        ]
    );
}

#[test]
fn an_api_goes_with_its_grants_unless_it_is_served() {
    let removed = |name: &str| managed().plan(&asked(Endpoint::DeleteApi, &[name]));
    assert_eq!(removed("urn:reports").unwrap().then, Then::Gone);
    assert_eq!(
        managed().edits(&asked(Endpoint::DeleteApi, &["urn:reports"])),
        ["1 client_grants[1] -", "1 client_grants[3] -", "1 resource_servers[1] -"]
    );
    let (status, code, message) = refused(removed(ORDERS));
    assert_eq!((status, code), (409, "resource_server_served"), "{message}");
    let gone = removed("urn:nothing").unwrap();
    assert!(gone.change.edits.is_empty());
}

#[test]
fn the_gateways_own_api_is_not_written() {
    let own = "urn:grantgate:management";
    for (endpoint, body) in
        [(Endpoint::UpdateApi, json!({"name": "mine"})), (Endpoint::DeleteApi, Value::Null)]
    {
        let (status, code, _) = refused(planned(endpoint, own, &body));
        assert_eq!((status, code), (403, "system_object"), "{endpoint:?}");
    }
    assert_eq!(refused(created(&json!({"identifier": own}))).0, 409);
}

#[test]
fn a_write_is_answered_with_what_is_to_be_looked_at_in_its_object() {
    let warnings = |managed: &Managed, endpoint, name: &str, body: &Value| {
        managed.write(&asked(endpoint, &[name]).with_body(body)).1.warnings.unwrap_or_default()
    };
    let managed = managed();
    let enforced = json!({"identifier": "urn:new", "enforce_policies": true});
    assert_eq!(warnings(&managed, Endpoint::CreateApi, "", &enforced), "protection-unenforced");
    let plain = json!({"identifier": "urn:new"});
    assert_eq!(warnings(&managed, Endpoint::CreateApi, "", &plain), "");
    // Of the API that is changed alone, and also where nothing changes.
    let (same, enforced) = (json!({}), json!({"enforce_policies": true}));
    assert_eq!(
        warnings(&managed, Endpoint::UpdateApi, ORDERS, &same),
        "scope-unused, user-allow-all"
    );
    assert_eq!(
        warnings(&managed, Endpoint::UpdateApi, ORDERS, &enforced),
        "protection-unenforced, scope-unused, user-allow-all"
    );
    assert_eq!(warnings(&managed, Endpoint::UpdateApi, "urn:reports", &same), "");
}

#[test]
fn who_saw_another_state_changes_nothing() {
    let tag = get(ORDERS).unwrap().etag.unwrap();
    for endpoint in [Endpoint::UpdateApi, Endpoint::DeleteApi] {
        let with = |tag: &str| {
            let asked = asked(endpoint, &[ORDERS]).with_body(&json!({"name": "New"}));
            managed().plan(&asked.if_match(tag))
        };
        assert_eq!(refused(with("\"another\"")).0, 412);
        let fresh = with(&tag).map_err(|fault| fault.status);
        assert!(!matches!(fresh, Err(StatusCode::PRECONDITION_FAILED)), "{endpoint:?}");
    }
}

#[test]
fn only_what_differs_is_written_anew() {
    let managed = managed();
    let body = json!({
        "name": "Orders and more",
        "scopes": [{"value": "read:item", "description": "Read items"}, {"value": "update:item"}],
        "subject_type_authorization": {"client": {"policy": "deny_all"}},
        "token_lifetime": null,
    });
    let plan = managed.plan(&asked(Endpoint::UpdateApi, &[ORDERS]).with_body(&body)).unwrap();
    let text = edit(&managed.sources[1], &plan.change.edits).unwrap();
    let expected = APIS
        .replace("name: Orders", "name: Orders and more")
        .replace("    token_lifetime: 7200\n", "")
        .replace("'write:item'", "'update:item'")
        .replace("client: {policy: require_client_grant}", "client: {policy: deny_all}");
    assert_eq!(text, expected);

    let gone = managed.plan(&asked(Endpoint::DeleteApi, &["urn:reports"])).unwrap();
    let text = edit(&managed.sources[1], &gone.change.edits).unwrap();
    assert!(!text.contains("urn:reports"), "{text}");

    let others = json!({"scopes": [{"value": "none:before"}]});
    let others = asked(Endpoint::UpdateApi, &["urn:reports"]).with_body(&others);
    let text = edit(&managed.sources[1], &managed.plan(&others).unwrap().change.edits).unwrap();
    assert!(text.contains("none:before") && !text.contains("{value: report}"), "{text}");
}
