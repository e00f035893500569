//! Cases by name; beside them the tree against a list that is searched pattern by pattern.

mod list;

use super::*;
use crate::route::On;

fn table(ons: &[&'static str]) -> Operations<&'static str> {
    build(ons).unwrap()
}

fn build(ons: &[&'static str]) -> Result<Operations<&'static str>, Vec<Clash>> {
    Operations::build(ons.iter().map(|text| {
        let On { methods, pattern } = On::parse(text).unwrap();
        (methods, pattern, *text)
    }))
}

fn method(name: &str) -> Method {
    Method::from_bytes(name.as_bytes()).unwrap()
}

/// The operation's text, or the variant's name and what it carries
fn answer(table: &Operations<&'static str>, request: &str) -> String {
    let (name, path) = request.split_once(' ').unwrap();
    match table.find(&method(name), &CanonPath::parse(path).unwrap()) {
        Found::Near { values } => {
            format!("near: {}", values.into_iter().copied().collect::<Vec<_>>().join("; "))
        }
        Found::Operation(on) => (*on).to_owned(),
        Found::OtherMethods { allow, values } => {
            let allow: Vec<_> = allow.iter().map(Method::as_str).collect();
            let values: Vec<_> = values.into_iter().copied().collect();
            format!("allow {}: {}", allow.join(","), values.join("; "))
        }
        Found::Unlisted => "unlisted".to_owned(),
    }
}

#[test]
fn the_most_specific_path_wins_segment_by_segment() {
    let table = table(&[
        "GET /*",
        "GET /{a}/lines",
        "GET /orders/*",
        "GET /orders/{id}",
        "GET /orders/new",
    ]);
    for (request, on) in [
        ("GET /orders/new", "GET /orders/new"),
        ("GET /orders/7", "GET /orders/{id}"),
        ("GET /orders/lines", "GET /orders/{id}"),
        ("GET /orders/7/lines", "GET /orders/*"),
        ("GET /carts/lines", "GET /{a}/lines"),
        ("GET /orders", "GET /*"),
        ("GET /orders/", "GET /*"),
        ("GET /carts/7", "GET /*"),
    ] {
        assert_eq!(answer(&table, request), on, "{request}");
    }
}

#[test]
fn the_search_goes_back_where_a_literal_leads_nowhere() {
    let table = table(&["GET /a/b/c", "GET /{x}/b/d", "GET /{x}/*", "GET /a/{y}/e"]);
    assert_eq!(answer(&table, "GET /a/b/d"), "GET /{x}/b/d");
    assert_eq!(answer(&table, "GET /a/b/e"), "GET /a/{y}/e");
    assert_eq!(answer(&table, "GET /a/b/f"), "GET /{x}/*");
}

#[test]
fn a_more_specific_path_without_the_method_gives_way() {
    let table = table(&["POST /orders/new", "GET /orders/{id}", "* /files/*", "GET /files/a"]);
    assert_eq!(answer(&table, "GET /orders/new"), "GET /orders/{id}");
    assert_eq!(answer(&table, "POST /orders/new"), "POST /orders/new");
    assert_eq!(answer(&table, "PUT /files/a"), "* /files/*");
    assert_eq!(answer(&table, "HEAD /files/a"), "GET /files/a");
}

#[test]
fn another_method_is_answered_with_all_that_the_path_has() {
    let table = table(&[
        "POST,GET /orders/{id}",
        "DELETE /orders/*",
        "PUT,POST /{any}/7",
        "PATCH /carts/7",
    ]);
    assert_eq!(
        answer(&table, "PATCH /orders/7"),
        "allow DELETE,GET,HEAD,POST,PUT: POST,GET /orders/{id}; DELETE /orders/*; PUT,POST /{any}/7"
    );
    assert_eq!(answer(&table, "get /orders/a/b"), "allow DELETE: DELETE /orders/*");
}

#[test]
fn an_unlisted_path_that_resembles_a_listed_one_is_near() {
    let table = table(&["GET /Orders/{id}", "POST /carts/", "GET /files/*", "GET /files/a@b"]);
    for (request, expected) in [
        ("GET /orders/7", "near: GET /Orders/{id}"),
        ("POST /Orders/7/", "near: GET /Orders/{id}"),
        ("GET /oRDERS/A/", "near: GET /Orders/{id}"),
        ("DELETE /carts", "near: POST /carts/"),
        ("DELETE /CARTS", "near: POST /carts/"),
        ("GET /FILES/A%40B", "near: GET /files/*; GET /files/a@b"),
        ("GET /FILES/x/y/", "near: GET /files/*"),
        ("GET /orders", "unlisted"),
        ("GET /files", "unlisted"),
        ("GET /files/", "unlisted"),
        ("GET /", "unlisted"),
        ("GET /orders/7/lines", "unlisted"),
    ] {
        assert_eq!(answer(&table, request), expected, "{request}");
    }
}

#[test]
fn a_listed_path_never_is_near_another() {
    let table = table(&["GET /B", "POST /b", "GET /a", "POST /a/"]);
    assert_eq!(answer(&table, "GET /b"), "allow POST: POST /b");
    assert_eq!(answer(&table, "POST /a"), "allow GET,HEAD: GET /a");
}

#[test]
fn case_and_slash_do_not_lead_past_the_more_specific_operation() {
    let table = table(&[
        "GET /orders/*",
        "GET /orders/admin",
        "POST /orders/batch",
        "GET /carts/*",
        "GET /carts/{id}",
        "GET /users/me",
        "GET /users/me/",
        "GET /users/{name}",
    ]);
    for (request, expected) in [
        ("GET /orders/admin", "GET /orders/admin"),
        ("GET /orders/admin/", "near: GET /orders/*; GET /orders/admin"),
        ("HEAD /orders/ADMIN", "near: GET /orders/*; GET /orders/admin"),
        ("GET /orders/Admin/", "near: GET /orders/*; GET /orders/admin"),
        ("GET /orders/%41dmin", "near: GET /orders/*; GET /orders/admin"),
        ("GET /orders/7/", "GET /orders/*"),
        ("GET /orders/admin/x", "GET /orders/*"),
        // Of another method, it would not have been found in the listed spelling either.
        ("GET /orders/batch/", "GET /orders/*"),
        ("GET /carts/7", "GET /carts/{id}"),
        ("GET /carts/7/", "near: GET /carts/*; GET /carts/{id}"),
        ("GET /carts/7/x/", "GET /carts/*"),
        ("GET /users/me/", "GET /users/me/"),
        ("GET /users/you", "GET /users/{name}"),
        ("GET /users/Me", "near: GET /users/me; GET /users/me/; GET /users/{name}"),
    ] {
        assert_eq!(answer(&table, request), expected, "{request}");
    }
}

#[test]
fn an_escape_does_not_lead_past_the_more_specific_operation() {
    let table = table(&["GET /users/{id}", "GET /users/@me", "POST /orders/batch%3Acancel"]);
    assert_eq!(answer(&table, "GET /users/%40me"), "GET /users/@me");
    assert_eq!(answer(&table, "POST /orders/batch:cancel"), "POST /orders/batch%3Acancel");
}

#[test]
fn the_root_and_the_empty_table() {
    assert_eq!(answer(&table(&["GET /"]), "GET /"), "GET /");
    assert_eq!(answer(&table(&["GET /"]), "GET /a"), "unlisted");
    assert_eq!(answer(&table(&[]), "GET /"), "unlisted");
}

#[test]
fn every_clash_is_named() {
    let clash = |first, second| Clash { first, second };
    let clashes = build(&[
        "GET /orders/{id}",
        "POST /orders/{id}",
        "HEAD /orders/{number}",
        "* /files/*",
        "PUT,POST /orders/{x}",
        "GET /orders/*",
        "PURGE /files/*",
        "GET /a@b",
        "GET /a%40b",
        "GET /a@b/",
    ])
    .unwrap_err();
    assert_eq!(clashes, [clash(0, 2), clash(1, 4), clash(3, 6), clash(7, 8)]);
    assert_eq!(
        build(&["GET /a", "GET /a", "GET /a"]).unwrap_err(),
        [clash(0, 1), clash(0, 2), clash(1, 2)]
    );
}
