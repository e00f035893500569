//! Questions at random: a change is no larger than it must be.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;

/// Policies, and what stands in grants besides.
fn text() -> impl Strategy<Value = String> {
    let policies = || select(vec!["require_client_grant", "deny_all"]);
    let scopes = || subsequence(vec!["\"read:orders\"", "\"write:orders\""], 0..=2);
    let gate = select(vec![
        "",
        "      enforcement: report\n",
        "      over_ceiling: trim\n      authorization: remove\n",
        "      issuers: [https://a.eu.auth0.com/]\n",
    ]);
    let more = select(vec![
        "",
        "    expires_at: \"2020-01-01T00:00:00Z\"\n",
        "    organization_usage: require\n    organizations: [org_b]\n",
    ]);
    (policies(), policies(), gate, scopes(), scopes(), more).prop_filter_map(
        "nobody reports what is denied",
        |(user, client, gate, of_user, of_machine, more)| {
            if gate.contains("report") && [user, client].contains(&"deny_all") {
                return None;
            }
            let apis = APIS
                .replace("user: {policy: require_client_grant}", &format!("user: {{policy: {user}}}"))
                .replace("client: {policy: require_client_grant}", &format!("client: {{policy: {client}}}"))
                .replace("      upstream:", &format!("{gate}      upstream:"));
            Some(format!(
                "{ISSUERS}{apis}client_grants:\n  - client_id: web\n    audience: https://orders.example\n    \
                subject_type: user\n    scope: [{}]\n  - client_id: batch\n    audience: \
                https://orders.example\n{more}    scope: [{}]\n",
                of_user.join(", "),
                of_machine.join(", "),
            ))
        },
    )
}

fn shown() -> impl Strategy<Value = Map<String, Value>> {
    let scopes = subsequence(vec!["read:orders", "write:orders", "admin:orders", "other"], 0..=3);
    let organization = select(vec![None, Some("org_a"), Some("org_b")]);
    let details = select(vec![None, Some("payment"), Some("refund")]);
    let audience = select(vec!["https://orders.example", "https://other.example"]);
    let issuer = select(vec!["https://a.eu.auth0.com/", "https://b.eu.auth0.com/"]);
    (
        select(vec!["web", "batch", "new"]),
        any::<bool>(),
        scopes,
        organization,
        details,
        audience,
        issuer,
    )
        .prop_map(|(client, is_machine, scopes, organization, details, audience, issuer)| {
            let said = json!({
                "azp": client, "scope": scopes.join(" "), "aud": audience, "iss": issuer,
            });
            let mut said = if is_machine { machine(client, said) } else { claims(said) };
            said.extend(organization.map(|id| ("org_id".to_owned(), json!(id))));
            let details = details.map(|name| json!([{ "type": name }]));
            said.extend(details.map(|list| ("authorization_details".to_owned(), list)));
            said
        })
}

fn target() -> impl Strategy<Value = (&'static str, &'static str)> {
    select(vec![
        ("GET", "/orders/1"),
        ("POST", "/orders"),
        ("POST", "/pay"),
        ("PUT", "/orders/1"),
        ("GET", "/reports"),
        ("GET", "/Orders/1"),
        ("GET", "https://elsewhere.example/orders/1"),
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_move_of_a_change_is_needless(text in text(), shown in shown(), (method, url) in target()) {
        let case = Case::new(&[&text], method, url, shown);
        let loaded = Case::load(&case.sources);
        let files = Files {
            sources: &case.sources,
            snapshot: &loaded.snapshot,
            inventory: loaded.inventory.as_deref().unwrap(),
            outside: &Nothing,
        };
        let supposed = case.supposed(&loaded);
        let search = || Search::new(&files, &supposed, &Nothing, NOW);
        match search().run() {
            Found::Allowed => prop_assert_eq!(case.code(&case.sources), None),
            Found::None { first, .. } => {
                prop_assert_eq!(case.code(&case.sources), Some(first.code.to_string()));
            }
            Found::Change { moves, after } => {
                prop_assert_eq!(case.code(&after), None, "{:#?}", moves);
                for left_out in 0..moves.len() {
                    let mut fewer = moves.clone();
                    fewer.remove(left_out);
                    prop_assert!(!search().allows(&fewer), "{:#?}", moves);
                }
            }
        }
    }
}
