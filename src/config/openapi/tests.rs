//! Documents as people write them, and what becomes of them.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;

use super::super::Source;
use super::*;
use crate::route::{CanonPath, Found, Operations};

pub(super) fn tree(text: &str) -> &'static Node {
    let mut report = Report::new([Source::new("openapi.yaml", text)]);
    let tree = parse_foreign(0, text, &mut report).unwrap_or_else(|| panic!("{report}"));
    Box::leak(Box::new(tree))
}

/// A document with these paths, and schemes of every kind.
fn document(paths: &str) -> String {
    format!(
        "openapi: 3.1.0\n\
         info: {{title: Orders}}\n\
         components:\n\
         \x20 securitySchemes:\n\
         \x20   oauth: {{type: oauth2, flows: {{clientCredentials: {{scopes: {{a: All, b: '', openid: Id}}}}}}}}\n\
         \x20   oidc: {{type: openIdConnect}}\n\
         \x20   bearer: {{type: http, scheme: Bearer}}\n\
         \x20   basic: {{type: http, scheme: basic}}\n\
         \x20   key: {{type: apiKey, in: header, name: X-Key}}\n\
         \x20   tls: {{type: mutualTLS}}\n\
         \x20   again: {{$ref: '#/components/securitySchemes/oauth'}}\n\
         {paths}\n"
    )
}

fn describe(text: &str) -> Description {
    let mut report = Report::new([Source::new("openapi.yaml", text)]);
    Description::read(0, text, &mut report).unwrap_or_else(|| panic!("{report}"))
}

/// What becomes of one operation with this `security`: what it asks and how many notes there are, or why it
/// is left out.
fn asked(security: &str) -> Result<(String, usize), String> {
    let paths = format!("paths: {{/x: {{get: {{security: {security}}}}}}}");
    let description = describe(&document(&paths));
    match (description.operations.as_slice(), description.left_out.as_slice()) {
        ([one], []) => Ok((shown(&one.asked), one.notes.len())),
        ([], [one]) => Err(one.reason.clone()),
        _ => panic!("{description:?}"),
    }
}

fn shown(asked: &Asked) -> String {
    match asked {
        Asked::Public => "public".to_owned(),
        Asked::Token { scopes, any_scopes } => {
            format!("{} | {}", scopes.join(" "), any_scopes.join(" "))
        }
    }
}

#[test]
fn security_is_what_a_token_must_hold() {
    for (security, expected, notes) in [
        ("[{oauth: [a]}]", "a | ", 0),
        ("[{oauth: [b, a, b]}]", "a b | ", 0),
        ("[{oauth: []}]", " | ", 0),
        ("[{bearer: []}]", " | ", 0),
        ("[{bearer: [role]}]", "role | ", 0),
        ("[{oidc: [openid]}]", "openid | ", 0),
        ("[{again: [a]}]", "a | ", 0),
        ("[{oauth: [a], bearer: [c]}]", "a c | ", 0),
        ("[{oauth: [a]}, {oauth: [b]}]", " | a b", 0),
        ("[{oauth: [a, c]}, {oauth: [b, c]}]", "c | a b", 0),
        ("[{oauth: [a]}, {oauth: [a, b]}]", "a | ", 0),
        ("[{oauth: [a]}, {bearer: []}]", " | ", 0),
        ("[{oauth: [a, b]}, {oauth: [c]}]", "a b | ", 1),
        ("[{oauth: [a]}, {key: []}]", "a | ", 1),
        ("[{key: []}, {oauth: [a]}, {basic: []}]", "a | ", 1),
        ("[{oauth: [a]}, {}]", "a | ", 1),
        ("[]", "public", 0),
        ("[{}]", "public", 0),
    ] {
        assert_eq!(asked(security), Ok((expected.to_owned(), notes)), "{security}");
    }
}

#[test]
fn security_that_no_token_answers_says_why() {
    for (security, reason) in [
        ("[{key: []}]", "the security scheme `key` asks for an API key in the header `X-Key`"),
        ("[{basic: []}]", "the security scheme `basic` asks for HTTP authentication `basic`"),
        ("[{tls: []}]", "the security scheme `tls` asks for a client certificate"),
        ("[{nobody: []}]", "the security scheme `nobody` is not described"),
        (
            "[{oauth: [a], key: []}]",
            "the security scheme `key` asks for an API key in the header `X-Key`",
        ),
        ("[{}, {key: []}]", "the security scheme `key` asks for an API key in the header `X-Key`"),
        ("[{oauth: ['a b']}]", "`a b` cannot be a scope (RFC 6749 section 3.3)"),
        ("[{oauth: a}]", "what it asks of the security scheme `oauth` is no list"),
        ("[{oauth: [[a]]}]", "a scope of the security scheme `oauth` is no text"),
        ("{oauth: [a]}", "its `security` is no list"),
        ("[oauth]", "a requirement of its `security` is no mapping"),
    ] {
        assert_eq!(asked(security), Err(reason.to_owned()), "{security}");
    }
}

/// What is listed, and what is left out, of some paths.
fn mapped(paths: &str) -> (Vec<String>, Vec<String>) {
    let mut description = describe(&document(&format!("security: [{{oauth: [a]}}]\n{paths}")));
    description.beside(&[]);
    let listed =
        description.operations.iter().map(|one| format!("{} {}", one.on(), shown(&one.asked)));
    let left_out = description.left_out.iter().map(|one| one.what.clone());
    (listed.collect(), left_out.collect())
}

fn check(paths: &str, listed: &[&str], left_out: &[&str]) {
    let (is_listed, is_left_out) = mapped(paths);
    assert_eq!(is_listed, listed, "{paths}");
    assert_eq!(is_left_out, left_out, "{paths}");
}

#[test]
fn an_operation_has_its_own_security_or_that_of_all() {
    check(
        "paths: {/x: {get: {}, post: {security: [{oauth: [b]}]}, put: {security: []}}}",
        &["GET /x a | ", "POST /x b | ", "PUT /x public"],
        &[],
    );
}

#[test]
fn paths_begin_with_the_nearest_servers() {
    check(
        "servers: [{url: /v1}]\npaths: {/x: {get: {}, post: {servers: [{url: /up}]}}, \
         /y: {servers: [{url: 'https://b.example'}], get: {}, put: {servers: [{url: '/{v}'}]}}}",
        &["GET /v1/x a | ", "POST /up/x a | ", "GET /y a | "],
        &["PUT /y"],
    );
}

#[test]
fn references_within_the_document_are_followed() {
    check(
        "paths: {/x: {$ref: '#/components/pathItems/x~1y'}, /y: {$ref: other.yaml#/y}, /z: {$ref: '#/paths/~1z'}}",
        &[],
        &["/x", "/y", "/z"],
    );
    check(
        "paths: {/x: {$ref: '#/x-items/0'}, /w: {$ref: '#/paths/~1x'}}\nx-items: [{get: {}}]",
        &["GET /x a | ", "GET /w a | "],
        &[],
    );
}

#[test]
fn what_has_no_counterpart_is_left_out() {
    check(
        "paths: {'/a/{x}.json': {get: {}}, /b: {trace: {}, query: {}, get: []}, x-c: {get: {}}, /d: 1}",
        &[],
        &["GET /a/{x}.json", "TRACE /b", "QUERY /b", "GET /b", "/d"],
    );
}

#[test]
fn head_is_covered_by_get_where_that_asks_enough() {
    check("paths: {/x: {head: {}, get: {}}}", &["GET /x a | "], &[]);
    check("paths: {/x: {head: {security: []}, get: {}}}", &["GET /x a | "], &[]);
    check("paths: {/x: {head: {}}}", &["HEAD /x a | "], &[]);
    check("paths: {/x: {head: {}, get: {security: []}}}", &[], &["HEAD /x", "GET /x"]);
    check("paths: {/x: {head: {security: [{key: []}]}, get: {}}}", &[], &["HEAD /x", "GET /x"]);
}

#[test]
fn what_would_answer_for_what_is_left_out_is_left_out_too() {
    let key = "{security: [{key: []}]}";
    check(
        &format!(
            "paths: {{/u/me: {{get: {key}, put: {{}}}}, '/u/{{id}}': {{get: {{}}, post: {{}}}}}}"
        ),
        &["PUT /u/me a | ", "POST /u/{id} a | "],
        &["GET /u/me", "GET /u/{id}"],
    );
    // From one to the next.
    check(
        &format!(
            "paths: {{/u/me: {{get: {key}}}, '/u/{{id}}': {{get: {{}}}}, '/{{a}}/{{b}}': {{get: {{security: []}}}}}}"
        ),
        &[],
        &["GET /u/me", "GET /u/{id}", "GET /{a}/{b}"],
    );
    // What is narrower is told apart.
    check(
        &format!("paths: {{/u/me: {{get: {{}}}}, '/u/{{id}}': {{get: {key}}}}}"),
        &["GET /u/me a | "],
        &["GET /u/{id}"],
    );
    // What asks as much lets nobody in who should not be.
    check(
        "paths: {'/f/{name}.json': {get: {}}, '/f/{name}': {get: {security: [{oauth: [a, b]}]}}}",
        &["GET /f/{name} a b | "],
        &["GET /f/{name}.json"],
    );
    check(
        "paths: {'/f/{name}.json': {get: {}}, '/f/{name}': {get: {security: [{oauth: [b]}]}}, /f/x: {get: {}}}",
        &["GET /f/x a | "],
        &["GET /f/{name}.json", "GET /f/{name}"],
    );
    check(
        "paths: {/a: {$ref: b.yaml}, '/{x}': {get: {}, put: {}}}",
        &[],
        &["/a", "GET /{x}", "PUT /{x}"],
    );
    check(
        "paths: {'/a/{x}': {get: {}}, '/a/{y}': {get: {security: []}}}",
        &["GET /a/{x} a | "],
        &["GET /a/{y}"],
    );
    check(
        "paths: {'/a/{x}': {get: {security: []}}, '/a/{y}': {get: {}}}",
        &[],
        &["GET /a/{y}", "GET /a/{x}"],
    );
}

#[test]
fn what_is_written_by_hand_takes_the_place_of_what_is_described() {
    let text = document(
        "paths: {/u/me: {get: {security: [{key: []}]}}, '/u/{id}': {get: {security: []}, put: {security: []}}}",
    );
    let mut description = describe(&text);
    let hand = |on: &str| crate::route::On::parse(on).unwrap();
    let replaced = description.beside(&[hand("GET /u/me"), hand("GET,POST /u/{user}")]);
    assert_eq!(replaced.iter().map(Described::on).collect::<Vec<_>>(), ["GET /u/{id}"]);
    assert!(description.left_out.is_empty());
    assert_eq!(
        description.operations.iter().map(Described::on).collect::<Vec<_>>(),
        ["PUT /u/{id}"]
    );
}

#[test]
fn what_says_nothing_of_its_security_asks_any_token_or_is_left_out() {
    let mut description = describe(&document("paths: {/x: {get: {}}, /y: {get: {security: []}}}"));
    assert_eq!(shown(&description.operations[0].asked), " | ");
    description.leave_out_unstated();
    assert_eq!(description.operations.len(), 1);
    assert_eq!(description.left_out[0].what, "GET /x");
}

#[test]
fn scopes_of_flows_are_declared_and_those_of_openid_where_they_are_asked_for() {
    let scopes = |security: &str| {
        let paths = format!("paths: {{/x: {{get: {{security: [{{oauth: [{security}]}}]}}}}}}");
        let description = describe(&document(&paths));
        description.scopes.iter().map(|scope| scope.value.clone()).collect::<Vec<_>>()
    };
    assert_eq!(scopes("a"), ["a", "b"]);
    assert_eq!(scopes("openid"), ["a", "b", "openid"]);
    let description = describe(&document("paths: {}"));
    assert_eq!(description.scopes[0].description.as_deref(), Some("All"));
    assert_eq!(description.scopes[1].description, None);
}

#[test]
fn aliases_and_merge_keys_mean_what_they_mean_in_yaml() {
    check(
        "x-one: &one {security: [{oauth: [b]}]}\n\
         paths: {/x: {get: *one, put: {<<: *one, summary: s}, post: {<<: [{summary: t}, *one], security: []}}}",
        &["GET /x b | ", "PUT /x b | ", "POST /x public"],
        &[],
    );
}

#[test]
fn what_is_written_elsewhere_asks_nobody_knows_what() {
    check("paths: {/x: {get: {$ref: './x.yaml'}}}", &[], &["GET /x"]);
    check(
        "paths: {/x: {$ref: '#/paths/~1z', post: {security: [{oauth: [b]}]}}, '/{y}': {post: {}}, /z: {get: {}}}",
        &["GET /z a | "],
        &["/x", "POST /{y}"],
    );
}

#[test]
fn what_cannot_be_merged_is_no_leave_to_ask_nothing() {
    for merged in ["<<: 1", "<<: [{}, 1]", "<<:"] {
        assert!(asked(&format!("[{{{merged}}}]")).is_err(), "{merged}");
    }
}

#[test]
fn a_scheme_that_is_described_elsewhere_is_not_known_by_what_stands_beside() {
    let text = "openapi: 3.0.0\npaths: {/x: {get: {security: [{s: []}]}}}\n\
                components: {securitySchemes: {s: {$ref: 'a.yaml', type: oauth2}}}";
    assert!(describe(text).operations.is_empty());
}

#[test]
fn json_is_read_too_however_it_is_indented() {
    let json = "{\n\t\"openapi\": \"3.0.3\",\n\t\"paths\": {\n\t\t\"/x\": {\"get\": {\"security\": []}}\n\t}\n}\n";
    assert_eq!(describe(json).operations[0].on(), "GET /x");
}

#[test]
fn what_is_no_document_says_why() {
    for (text, message) in [
        ("a: b", "this is no OpenAPI document: it has no `openapi`"),
        ("swagger: '2.0'\npaths: {}", "OpenAPI before 3.0 is not read"),
        ("openapi: 3.2.0\npaths: {}", "OpenAPI `3.2.0` is not read"),
        ("openapi: 3.10.0\npaths: {}", "OpenAPI `3.10.0` is not read"),
        ("openapi: 3.1.0", "the document has no `paths`"),
        ("openapi: 3.1.0\npaths: []", "the document has no `paths`"),
        ("openapi: 3.1.0\npaths: {/a: {}, /a: {}}", "the key `/a` is written twice"),
        ("openapi: 3.1.0\npaths: *a", "the alias `*a` is not supported"),
    ] {
        let mut report = Report::new([Source::new("x", text)]);
        assert!(Description::read(0, text, &mut report).is_none(), "{text}");
        let messages: Vec<_> = report.iter().map(|found| found.message.as_str()).collect();
        assert_eq!(messages[0], message);
    }
}

/// Alternatives, as they are written and as the scopes of which all are needed; none where no token will do.
const ALTERNATIVES: [(&str, Option<&[&str]>); 8] = [
    ("{oauth: [a]}", Some(&["a"])),
    ("{oauth: [b]}", Some(&["b"])),
    ("{oauth: [a, c]}", Some(&["a", "c"])),
    ("{oauth: [b], bearer: [c]}", Some(&["b", "c"])),
    ("{bearer: []}", Some(&[])),
    ("{key: []}", None),
    ("{oauth: [a], key: []}", None),
    ("{}", Some(&[])),
];
/// Templates by how specific they are, segment by segment, with the requests that each is about.
const TEMPLATES: [(&str, &[&str]); 7] = [
    ("/a", &["/a"]),
    ("/{y}", &["/a", "/q"]),
    ("/a/b", &["/a/b"]),
    ("/a/{x}.json", &["/a/q.json"]),
    ("/a/{x}", &["/a/b", "/a/q", "/a/q.json"]),
    ("/{y}/b", &["/a/b", "/q/b"]),
    ("/{y}/{z}", &["/a/b", "/a/q", "/a/q.json", "/q/b"]),
];

proptest! {
    /// Whom the gate lets in by what it made of a document, the document lets in.
    #[test]
    fn no_operation_asks_less_than_its_document(
        paths in btree_map(0..TEMPLATES.len(), vec(select(&ALTERNATIVES[..]), 0..4), 1..6),
        held in vec(select(&["a", "b", "c"][..]), 0..3),
    ) {
        let written = paths.iter().map(|(template, security)| {
            let security: Vec<_> = security.iter().map(|(written, _)| *written).collect();
            format!("'{}': {{get: {{security: [{}]}}}}", TEMPLATES[*template].0, security.join(", "))
        });
        let written = written.collect::<Vec<_>>().join(", ");
        let mut description = describe(&document(&format!("paths: {{{written}}}")));
        description.beside(&[]);
        let listed = description.operations.into_iter();
        let table = Operations::build(listed.map(|one| (one.methods, one.pattern, one.asked))).unwrap();
        for request in ["/a", "/q", "/a/b", "/a/q", "/a/q.json", "/q/b"] {
            let found = table.find(&http::Method::GET, &CanonPath::parse(request).unwrap());
            let lets_in = match found {
                Found::Operation(Asked::Public) => true,
                Found::Operation(Asked::Token { scopes, any_scopes }) => {
                    let holds = |scope: &String| held.contains(&scope.as_str());
                    scopes.iter().all(holds) && (any_scopes.is_empty() || any_scopes.iter().any(holds))
                }
                _ => false,
            };
            let meant = paths.iter().find(|(template, _)| TEMPLATES[**template].1.contains(&request));
            let may = meant.is_some_and(|(_, security)| {
                let met = |scopes: &&[&str]| scopes.iter().all(|scope| held.contains(scope));
                security.is_empty() || security.iter().any(|(_, scopes)| scopes.as_ref().is_some_and(met))
            });
            prop_assert!(!lets_in || may, "{} of {}", request, written);
        }
    }
}
