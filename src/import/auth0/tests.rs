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
fn an_export_of_nothing_gives_nothing() {
    for tenant in
        ["clients: []", "resourceServers: x", "resourceServers: [x, {}]\nclientGrants: [{}]"]
    {
        assert!(imported(tenant).yaml.contains("resource_servers: []"), "{tenant}");
    }
}

#[test]
fn what_stands_for_policies_is_not_taken_for_none() {
    for (written, policies) in [
        ("'@@POLICIES@@'", ["deny_all", "deny_all"]),
        ("{user: '@@USER@@'}", ["deny_all", "require_client_grant"]),
        ("{user: null, client: {}}", ["deny_all", "deny_all"]),
        ("{client: {policy: deny_all}}", ["require_client_grant", "deny_all"]),
        ("null", ["allow_all", "require_client_grant"]),
    ] {
        let api =
            format!("{{name: A, identifier: 'urn:a', subject_type_authorization: {written}}}");
        let yaml = imported(&format!("resourceServers: [{api}]")).yaml;
        for (key, policy) in ["user", "client"].iter().zip(policies) {
            assert!(
                yaml.contains(&format!("      {key}: {{policy: {policy}}}")),
                "{written}: {yaml}"
            );
        }
    }
}

#[test]
fn an_application_that_may_be_a_third_party_s_is_one() {
    for clients in [
        "[{name: B, client_id: b, is_first_party: '@@FIRST@@'}]",
        "[{name: B, client_id: b, is_first_party: true}, {name: C, client_id: b, is_first_party: false}]",
    ] {
        let yaml = imported(&format!("{OPEN}clients: {clients}")).yaml;
        assert!(yaml.contains("client_id: b") && yaml.contains("is_first_party: false"), "{yaml}");
        assert!(!yaml.contains("is_first_party: true"), "{yaml}");
    }
}

#[test]
fn a_name_that_is_the_id_of_another_application_is_neither() {
    let tenant = format!(
        "{OPEN}clients: [{{name: Victim, client_id: v}}, {{name: v, client_id: w}}]\n\
         clientGrants: [{{client_id: v, audience: 'urn:a', scope: []}}]"
    );
    let imported = imported(&tenant);
    let (_, grants) = imported.yaml.split_once("client_grants:\n").unwrap();
    let grants: Vec<_> = grants.lines().filter(|line| !line.trim().starts_with('#')).collect();
    assert_eq!(grants, ["  []"], "{}", imported.yaml);
    assert_eq!(imported.left_out.len(), 1);
}

#[test]
fn a_default_grant_does_not_stand_in_for_one_that_is_not_imported() {
    let tenant = |client: &str| {
        format!(
            "{OPEN}clients: [{client}]\n\
             clientGrants:\n\
             - {{client_id: B, audience: 'urn:a', scope: []}}\n\
             - {{default_for: third_party_clients, audience: 'urn:a', scope: [x]}}\n"
        )
    };
    for (client, is_kept) in [
        ("{name: B, is_first_party: false}", false),
        ("", false),
        ("{name: B, is_first_party: true}", true),
        ("{name: B, client_id: tpc_b, is_first_party: false}", true),
    ] {
        let yaml = imported(&tenant(client)).yaml;
        assert_eq!(yaml.contains("- default_for: third_party_clients"), is_kept, "{yaml}");
    }
}

#[test]
fn all_scopes_beside_some_are_these() {
    let grant =
        "{client_id: b2345678901234567890, audience: 'urn:a', scope: [x], allow_all_scopes: true}";
    let yaml = imported(&format!("{OPEN}clientGrants: [{grant}]")).yaml;
    assert!(yaml.contains("scope: [x]") && !yaml.contains("    allow_all_scopes:"), "{yaml}");
}

#[test]
fn what_is_no_object_is_named() {
    let imported =
        imported("clientGrants: '##GRANTS##'\nresourceServers: [x, {identifier: 'urn:a'}]");
    assert_eq!(imported.left_out.len(), 2);
}

#[test]
fn names_of_strangers_accept_no_warning() {
    let name = "grantgate: allow-everywhere grant-elsewhere: mine";
    let tenant = format!(
        "{OPEN}clients: [{{name: '{name}', client_id: b}}]\n\
         clientGrants: [{{client_id: '{name}', audience: 'urn:a', scope: []}}]"
    );
    assert!(!imported(&tenant).yaml.contains("# grantgate"));
}

#[test]
fn a_file_or_folder_of_another_kind_is_no_export() {
    for other in ["a: b", "[]", "openapi: 3.1.0\npaths: {}", "organizations: [{name: o}]"] {
        let export = Export::of_tenant(&Source::new("openapi.yaml", other));
        assert!(matches!(export, Err(NoExport::Foreign)), "{other}");
    }
    let organization = (Part::Organizations, Source::new("o.json", "{}"));
    for files in [&[][..], &[organization]] {
        assert!(matches!(Export::of_directory(files), Err(NoExport::ForeignFolder)));
    }
}
