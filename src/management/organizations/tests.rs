use super::*;
use crate::config::Place;
use crate::management::fixture::{Managed, asked, section};

const CONFIGURATION: &str = "
issuers: [{issuer: 'https://a.example/', profile: auth0}]
resource_servers:
  - identifier: https://api.example
    scopes: [{value: read}]
    subject_type_authorization:
      user: {policy: require_client_grant}
      client: {policy: require_client_grant}
    gate:
      upstream: http://127.0.0.1:3000
      operations: [{on: GET /things, scopes: [read]}]
client_grants:
  - {id: cgr_1, client_id: batch, audience: 'https://api.example', scope: [read], organization_usage: require, organizations: [org_b, org_a, org_b]}
  - {id: cgr_2, client_id: other, audience: 'https://api.example', scope: [], organization_usage: allow}
  - {id: cgr_3, client_id: closed, audience: 'https://api.example', scope: []}
  - {id: cgr_4, client_id: batch, audience: 'https://api.example', scope: [], subject_type: user}
  - {id: cgr_s, client_id: tool, audience: 'urn:grantgate:management', scope: ['read:client_grants']}
";

fn managed() -> Managed {
    Managed::of(&[CONFIGURATION, &section("")])
}

fn associate(organization: &str, grant: &str) -> Asked {
    asked(Endpoint::Associate, &[organization]).with_body(&json!({"grant_id": grant}))
}

#[test]
fn both_ends_of_an_association_list_the_other() {
    let managed = managed();
    let of_grant = |id| managed.body(&asked(Endpoint::ListOrganizationsOfGrant, &[id]));
    assert_eq!(of_grant("cgr_1"), json!([{"id": "org_a"}, {"id": "org_b"}]));
    assert_eq!(of_grant("cgr_2"), json!([]));
    let of = |organization, query: &[(&str, &str)]| {
        managed.body(&asked(Endpoint::ListGrantsOfOrganization, &[organization]).with_query(query))
    };
    let shown = json!([{
        "id": "cgr_1", "grant_id": "cgr_1", "client_id": "batch", "audience": "https://api.example",
        "subject_type": "client", "scope": ["read"], "organization_usage": "require",
    }]);
    assert_eq!(of("org_a", &[]), shown);
    assert_eq!(of("org_none", &[]), json!([]));
    for (name, value, found) in [
        ("audience", "https://api.example", true),
        ("audience", "https://none.example", false),
        ("client_id", "batch", true),
        ("client_id", "other", false),
        ("grant_ids", "cgr_1", true),
        ("grant_ids", "cgr_2,cgr_1", true),
        ("grant_ids", "cgr_2", false),
    ] {
        assert_eq!(of("org_a", &[(name, value)]) == shown, found, "{name}={value}");
    }
}

#[test]
fn a_grant_that_is_not_there_has_no_organizations() {
    let fault = managed().read(&asked(Endpoint::ListOrganizationsOfGrant, &["cgr_9"])).unwrap_err();
    assert_eq!(fault.status, StatusCode::NOT_FOUND);
}

#[test]
fn an_association_is_an_item_of_the_grants_list() {
    let managed = managed();
    assert_eq!(
        managed.edits(&associate("org_c", "cgr_1")),
        [r#"0 client_grants[0].organizations + ["org_c"]"#]
    );
    let plan = managed.plan(&associate("org_c", "cgr_2")).unwrap();
    let list = Place::root(0).key("client_grants").index(1).key("organizations");
    assert_eq!(plan.change.edits, [Edit::Append { list, items: vec![json!("org_c")] }]);
    let Then::Association { id } = plan.then else { panic!("{:?}", plan.then) };
    let answer = written(&managed.snapshot, &id);
    assert_eq!(answer.status, StatusCode::CREATED);
    let body = answer.body.unwrap();
    assert_eq!((&body["id"], &body["grant_id"]), (&json!("cgr_2"), &json!("cgr_2")));
}

#[test]
fn an_association_that_would_mean_nothing_is_refused() {
    let managed = managed();
    for (organization, grant, wrong) in [
        ("org_a", "cgr_1", "409 organization_already_associated: "),
        ("org_a", "cgr_9", "404 inexistent_client_grant: "),
        ("org_a", "cgr_s", "403 system_object: "),
        ("org a", "cgr_1", "400 invalid_uri: "),
    ] {
        let refused = managed.refused(&associate(organization, grant));
        assert!(refused.starts_with(wrong), "{refused}");
    }
    let closed = managed.refused(&associate("org_a", "cgr_3"));
    assert!(closed.contains("set its `organization_usage` to `allow` or `require`"), "{closed}");
    let user = managed.refused(&associate("org_a", "cgr_4"));
    assert!(user.starts_with("400 invalid_body") && user.contains("`client`"), "{user}");
}

#[test]
fn an_association_is_taken_out_wherever_it_stands() {
    let managed = managed();
    let dissociate = |names: &[&str]| asked(Endpoint::Dissociate, names);
    assert_eq!(
        managed.edits(&dissociate(&["org_b", "cgr_1"])),
        ["0 client_grants[0].organizations[0] -", "0 client_grants[0].organizations[2] -"]
    );
    for names in [["org_z", "cgr_1"], ["org_a", "cgr_9"]] {
        assert!(managed.refused(&dissociate(&names)).starts_with("404 "), "{names:?}");
    }
    assert!(managed.refused(&dissociate(&["org_a", "cgr_s"])).starts_with("403 "));
}

#[test]
fn an_association_is_a_change_of_its_grant_as_it_was_read() {
    let managed = managed();
    let etag = |id| managed.read(&asked(Endpoint::GetGrant, &[id])).unwrap().etag.unwrap();
    let dissociate = || asked(Endpoint::Dissociate, &["org_b", "cgr_1"]);
    for tags in [etag("cgr_1"), "*".to_owned()] {
        assert!(managed.plan(&associate("org_c", "cgr_1").if_match(&*tags)).is_ok(), "{tags}");
        assert!(managed.plan(&dissociate().if_match(tags)).is_ok());
    }
    let other = etag("cgr_2");
    for asked in [associate("org_c", "cgr_1"), dissociate()] {
        let refused = managed.refused(&asked.if_match(&*other));
        assert!(refused.starts_with("412 precondition_failed: "), "{refused}");
    }
}

#[test]
fn associations_come_and_go_in_the_text() {
    let managed = managed();
    let (managed, _) = managed.write(&associate("org_c", "cgr_2"));
    assert!(managed.sources[0].text.contains("organization_usage: allow, organizations: [org_c]}"));
    let (managed, _) = managed.write(&associate("org_d", "cgr_2"));
    let (managed, _) = managed.write(&asked(Endpoint::Dissociate, &["org_c", "cgr_2"]));
    let (managed, _) = managed.write(&asked(Endpoint::Dissociate, &["org_b", "cgr_1"]));
    let of_grant = |id| managed.body(&asked(Endpoint::ListOrganizationsOfGrant, &[id]));
    assert_eq!(of_grant("cgr_2"), json!([{"id": "org_d"}]));
    assert_eq!(of_grant("cgr_1"), json!([{"id": "org_a"}]));
    assert!(managed.sources[0].text.contains("organizations: [org_a]}"));
}
