//! Exports, and what the gate makes of them.

use super::*;
use crate::policy::UnixTime;

fn imported(tenant: &str) -> Imported {
    let export = Export::of_tenant(&Source::new("tenant.yaml", tenant)).unwrap();
    let imported = auth0(&export, "tenant.yaml", &Wanted::default());
    if let Err(report) = imported.check(UnixTime::from_seconds(0)) {
        panic!("{report}\n{}", imported.yaml);
    }
    imported
}

const OPEN: &str = "resourceServers: [{name: A, identifier: urn:a}]\n";

#[test]
fn what_auth0_has_by_default_is_written_out() {
    let yaml = imported(OPEN).yaml;
    assert!(yaml.contains("user: {policy: allow_all}"), "{yaml}");
    assert!(yaml.contains("client: {policy: require_client_grant}"), "{yaml}");
}

#[test]
fn a_third_party_whose_id_is_not_known_is_not_let_in_as_ones_own() {
    let tenant = format!("{OPEN}clients: [{{name: B, is_first_party: false}}]");
    let imported = imported(&tenant);
    assert!(!imported.yaml.contains("allow_all}"), "{}", imported.yaml);
    assert_eq!(imported.left_out.len(), 2);
}

#[test]
fn a_policy_that_is_none_denies() {
    let tenant = "resourceServers: [{name: A, identifier: urn:a, subject_type_authorization: \
                  {user: {policy: sometimes}, client: {policy: allow_all}}}]";
    assert_eq!(imported(tenant).yaml.matches("{policy: deny_all}").count(), 2);
}

#[test]
fn an_organization_goes_to_the_only_grant_that_can_have_it() {
    let tenant = |second: &str| {
        format!(
            "{OPEN}clients: [{{name: B, client_id: b}}]\n\
             organizations: [{{name: o, id: org_1, client_grants: [{{client_id: B}}]}}]\n\
             clientGrants:\n\
             - {{client_id: B, audience: 'urn:a', scope: [], organization_usage: require}}\n{second}"
        )
    };
    let one = imported(&tenant(""));
    assert!(one.yaml.contains("organizations: [org_1]"), "{}", one.yaml);
    let two = "- {client_id: B, audience: 'urn:b', scope: [], organization_usage: require}\n";
    let two = imported(&tenant(two));
    assert!(!two.yaml.contains("org_1"), "{}", two.yaml);
}

#[test]
fn what_is_no_export_gives_nothing() {
    for tenant in
        ["a: b", "[]", "resourceServers: x", "resourceServers: [x, {}]\nclientGrants: [{}]"]
    {
        assert!(imported(tenant).yaml.contains("resource_servers: []"), "{tenant}");
    }
}
