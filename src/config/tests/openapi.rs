//! Gates whose operations stand in an OpenAPI document.

use super::*;
use crate::config::snapshot::Operation;
use crate::policy::Ask;

const DOCUMENT: &str = "\
openapi: 3.1.0
info: {title: Things}
security:
  - oauth: [read]
servers:
  - url: https://api.example/v1
paths:
  /things:
    get:
      summary: List things
    post:
      security:
        - oauth:
            - write
            - read
  /things/{id}:
    get:
      security:
        - oauth: [write]
        - oauth: [admin]
  /health:
    get:
      security: []
components:
  securitySchemes:
    oauth:
      type: oauth2
      flows:
        clientCredentials:
          scopes:
            read: Read things
            admin: Everything
    key: {type: apiKey, in: header, name: X-Key}
";

fn gate(keys: &str) -> String {
    format!(
        "resource_servers:\n\
         - identifier: https://api.example\n\
         \x20 scopes: [{{value: write}}]\n\
         \x20 subject_type_authorization: {{user: {{policy: deny_all}}, client: {{policy: require_client_grant}}}}\n\
         \x20 gate: {{upstream: 'http://127.0.0.1:3000', {keys}}}\n\
         client_grants: [{{client_id: x, scope: [read, write, admin]}}]\n"
    )
}

fn try_document(keys: &str, document: &'static str) -> Result<Loaded, Report> {
    let beside: &'static [_] = Box::leak(Box::new([("openapi.yaml", document)]));
    try_load(&[ISSUER, &gate(keys)], &Given(beside))
}

fn operations(loaded: &Loaded) -> Vec<&Operation> {
    loaded.snapshot.apis[0].operations.iter().collect()
}

fn codes_of(report: &Report) -> Vec<&'static str> {
    report.iter().map(|found| found.code.as_str()).collect()
}

/// What an operation asks, by name.
fn asked(loaded: &Loaded, operation: &Operation) -> String {
    let scopes = &loaded.snapshot.apis[0].api.scopes;
    match &operation.ask {
        Ask::Public => "public".to_owned(),
        Ask::Token(need) => {
            let all: Vec<&str> = scopes.of(&need.scopes).map(|name| &**name).collect();
            let any = need.any_scopes.iter().filter_map(|place| scopes.iter().nth(*place));
            let any: Vec<&str> = any.map(|name| &**name).collect();
            format!("{} | {}", all.join(" "), any.join(" "))
        }
    }
}

#[test]
fn the_operations_of_a_document_are_listed_with_their_lines() {
    let loaded = try_document("openapi: openapi.yaml, path_prefix: /v1", DOCUMENT).unwrap();
    let all: Vec<_> = operations(&loaded)
        .into_iter()
        .map(|one| {
            let line = loaded.snapshot.line_of(one.origin).unwrap();
            format!("{} {} {line}", one.on, asked(&loaded, one))
        })
        .collect();
    assert_eq!(
        all,
        [
            "GET /v1/things read |  openapi.yaml:10",
            "POST /v1/things write read |  openapi.yaml:12",
            "GET /v1/things/{id}  | write admin openapi.yaml:18",
            "GET /v1/health public openapi.yaml:23",
        ]
    );
    assert!(loaded.warnings.iter().next().is_none(), "{}", loaded.warnings);
}

#[test]
fn what_is_written_by_hand_takes_its_place_and_is_told_where_it_asks_less() {
    let keys = "openapi: openapi.yaml, operations: [{on: 'GET,POST /v1/things', any_token: true}]";
    let loaded = try_document(keys, DOCUMENT).unwrap();
    assert_eq!(operations(&loaded).len(), 3);
    let warned = ["operation-asks-less", "operation-asks-less", "grant-wider-than-needed"];
    assert_eq!(codes_of(&loaded.warnings), warned);
    let keys =
        "openapi: openapi.yaml, operations: [{on: 'GET,POST /v1/things', scopes: [read, write]}]";
    let loaded = try_document(keys, DOCUMENT).unwrap();
    assert!(loaded.warnings.iter().next().is_none(), "{}", loaded.warnings);
}

#[test]
fn operations_outside_the_prefix_are_one_error() {
    let report = try_document("openapi: openapi.yaml, path_prefix: /v2", DOCUMENT).unwrap_err();
    assert_eq!(codes_of(&report), ["operation-outside"]);
}

#[test]
fn what_has_no_counterpart_is_a_warning_and_never_open() {
    const KEY: &str = "openapi: 3.0.3\npaths: {/x: {get: {security: [{key: []}]}, put: {}, trace: {}}}\n\
        components: {securitySchemes: {key: {type: apiKey}}}\n...";
    let loaded = try_document("openapi: openapi.yaml", KEY).unwrap();
    assert!(operations(&loaded).is_empty());
    assert_eq!(
        codes_of(&loaded.warnings).iter().filter(|code| **code == "openapi-unmapped").count(),
        3
    );
    let report = try_document("openapi: openapi.yaml, unlisted: any_token", KEY).unwrap_err();
    assert!(codes_of(&report).contains(&"openapi-unlisted"), "{report}");
    let keys = "openapi: openapi.yaml, unlisted: any_token, operations: [{on: 'GET,PUT /x', any_token: true}]";
    try_document(keys, KEY).unwrap();
}

#[test]
fn a_scope_that_nobody_declares_is_an_error_at_the_line_of_the_document() {
    const ROLE: &str = "openapi: 3.1.0\npaths:\n  /x:\n    get: {security: [{b: [role]}]}\n\
        components: {securitySchemes: {b: {type: http, scheme: bearer}}}\n...";
    let report = try_document("openapi: openapi.yaml", ROLE).unwrap_err();
    assert_eq!(codes_of(&report)[0], "scope-undeclared");
    assert!(report.to_string().contains("--> openapi.yaml:4:5"), "{report}");
}

#[test]
fn a_document_that_is_not_there_or_is_none_is_an_error() {
    let report = try_load(&[ISSUER, &gate("openapi: gone.yaml")], &Given(&[])).unwrap_err();
    assert_eq!(codes_of(&report), ["file-unreadable"]);
    let report = try_document("openapi: openapi.yaml", "a: b").unwrap_err();
    assert_eq!(codes_of(&report), ["openapi-invalid"]);
}

#[test]
fn a_document_in_the_folder_is_no_part_of_the_configuration_where_a_gate_names_it() {
    let all = |name: &str, text: &str| {
        let keys = gate("openapi: ./openapi.yaml");
        let sources = [("a/b.yaml", ISSUER), ("a/g.yaml", &keys), (name, text)];
        let sources = sources.map(|(name, text)| Source::new(name, text));
        load(&sources, &Given(&[("./openapi.yaml", DOCUMENT)]), UnixTime::from_seconds(0))
    };
    all("a/openapi.yaml", DOCUMENT).unwrap();
    all("a/./openapi.yaml", "{\"openapi\": \"3.1.0\"}").unwrap();
    assert!(all("a/other.yaml", DOCUMENT).is_err());
    assert!(all("b/openapi.yaml", DOCUMENT).is_err());
    assert!(all("a/openapi.yaml", "client_grants: []").is_ok());
}

#[test]
fn a_document_that_is_cut_short_allows_no_more_than_the_whole() {
    // Every order in which sections stand in documents.
    let (head, rest) = DOCUMENT.split_at(DOCUMENT.find("security:").unwrap());
    let (security, rest) = rest.split_at(rest.find("servers:").unwrap());
    let (servers, rest) = rest.split_at(rest.find("paths:").unwrap());
    let (paths, components) = rest.split_at(rest.find("components:").unwrap());
    let sections = [security, servers, paths, components];
    let mut orders: Vec<Vec<&str>> = vec![Vec::new()];
    for _ in sections {
        orders = orders
            .iter()
            .flat_map(|order| {
                sections.iter().filter(|one| !order.contains(one)).map(|one| {
                    let mut order = order.clone();
                    order.push(one);
                    order
                })
            })
            .collect();
    }
    assert_eq!(orders.len(), 24);
    let keys = "openapi: openapi.yaml";
    let whole = try_document(keys, DOCUMENT).unwrap();
    let known: Vec<_> =
        operations(&whole).iter().map(|one| (one.on.clone(), asked(&whole, one))).collect();
    for order in orders {
        let text: &'static str = format!("{head}{}", order.concat()).leak();
        for (end, _) in text.match_indices('\n') {
            if let Ok(cut) = try_document(keys, &text[..=end]) {
                for one in operations(&cut) {
                    let one = (one.on.clone(), asked(&cut, one));
                    assert!(known.contains(&one), "{one:?} by\n{}", &text[..=end]);
                }
            }
        }
    }
}
