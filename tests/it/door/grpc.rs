//! gRPC calls: matched by service and method, refused in their own shape.

use serde_json::json;

use super::gateway::{Gateway, configuration, request, token_with};
use super::upstream::Upstream;

const OPERATIONS: &str = "operations:\n        \
    - {on: \"POST /shop.v1.Orders/Read\", scopes: [\"read:orders\"]}\n        \
    - {on: \"POST /shop.v1.Orders/*\", scopes: [\"write:orders\"]}";

fn gateway(upstream: &Upstream) -> Gateway {
    let text = configuration(upstream.address, "", "");
    Gateway::start(&text.replace("operations:", OPERATIONS))
}

fn call(method: &str, kind: &str) -> String {
    let fields = format!("content-type: {kind}\r\nte: trailers\r\ncontent-length: 5\r\n");
    request(&format!("POST /shop.v1.Orders/{method}"), &fields) + "\0\0\0\0\0"
}

#[test]
fn a_call_is_matched_by_its_service_and_method() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream);
    let mut client = gateway.client();
    assert_eq!(client.ask(call("Read", "application/grpc")).status, 200);
    let seen = upstream.next();
    assert_eq!(seen.line(), "POST /shop.v1.Orders/Read HTTP/1.1");
    assert_eq!((seen.one("te"), seen.body.len()), (Some("trailers"), 5));

    let refused = client.ask(call("Write", "application/grpc"));
    assert_eq!((refused.status, refused.one("grpc-status")), (200, Some("7")));
    assert_eq!(client.ask(call("Read", "application/grpc")).status, 200, "it is kept");
    let records = gateway.finish();
    let told: Vec<_> =
        ["operation", "decision", "code", "status"].map(|name| records[1][name].clone()).into();
    assert_eq!(
        told,
        [json!("POST /shop.v1.Orders/*"), json!("refuse"), json!("scope-insufficient"), json!(403)]
    );
}

#[test]
fn the_media_type_picks_the_shape_of_a_refusal_and_nothing_else() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream);
    for (kind, is_grpc) in [
        ("application/grpc", true),
        ("application/grpc;charset=utf-8", true),
        ("APPLICATION/GRPC+json", true),
        ("application/grpc-web", false),
        ("application/grpc-web+proto", false),
        ("application/json", false),
    ] {
        assert_eq!(gateway.client().ask(call("Read", kind)).status, 200, "{kind}");
        upstream.next();
        let refused = gateway.client().ask(call("Write", kind));
        let told = (refused.status, refused.one("grpc-status"), refused.body.is_empty());
        let expected = if is_grpc { (200, Some("7"), true) } else { (403, None, false) };
        assert_eq!(told, expected, "{kind}");
    }
    assert!(upstream.rest().is_empty());
}

#[test]
fn what_is_said_of_a_call_holds_nothing_of_the_token() {
    let gateway = gateway(&Upstream::start());
    let token = token_with(&json!({"scope": "read:orders <b>\u{e9}"}));
    let call = call("Read", "application/grpc");
    let (head, tail) = call.split_once("Bearer ").unwrap();
    let (_, tail) = tail.split_once("\r\n").unwrap();
    let refused = gateway.client().ask(format!("{head}Bearer {token}\r\n{tail}"));
    let message = refused.one("grpc-message").unwrap();
    assert!(message.starts_with("token-malformed: ") && !message.contains("<b>"), "{message}");
}
