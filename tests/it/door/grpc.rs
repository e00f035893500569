//! gRPC calls: matched by service and method, refused in their own shape.

use serde_json::json;

use super::gateway::{Gateway, configuration, request, token_with};
use super::http2::PRIOR_KNOWLEDGE;
use super::http2::frames::{
    END_HEADERS, END_STREAM, Frames, HEADERS, RST_STREAM, allowed, as_slices,
};
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
fn over_http2_a_refusal_is_one_head_that_ends_the_stream() {
    let upstream = Upstream::start();
    let text = configuration(upstream.address, "", PRIOR_KNOWLEDGE);
    let gateway = Gateway::start(&text.replace("operations:", OPERATIONS));
    for is_whole in [true, false] {
        let mut call = allowed("POST");
        call.retain(|(name, _)| name != ":path");
        call.insert(0, (":path".to_owned(), "/shop.v1.Orders/Write".to_owned()));
        call.push(("content-type".to_owned(), "application/grpc".to_owned()));
        let mut client = Frames::connect(gateway.address);
        client.headers(1, &as_slices(&call), is_whole);
        let refused = client.next_of(HEADERS).unwrap();
        assert_eq!((refused.stream, refused.flags), (1, END_HEADERS | END_STREAM));
        client.get(3);
        let others: Vec<_> = std::iter::from_fn(|| client.next())
            .take_while(|frame| frame.kind != HEADERS)
            .filter(|frame| frame.stream == 1)
            .map(|frame| frame.kind)
            .collect();
        // What comes of its request is not read.
        assert_eq!(others, if is_whole { vec![] } else { vec![RST_STREAM] });
    }
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

#[test]
fn no_cache_takes_a_refused_call_for_an_answer() {
    let gateway = gateway(&Upstream::start());
    for line in ["GET /orders/1", "POST /shop.v1.Orders/Read", "GET /nowhere"] {
        let asked = format!(
            "{line} HTTP/1.1\r\nhost: orders.example.com\r\ncontent-type: application/grpc\r\n\r\n"
        );
        let refused = gateway.client().ask(asked);
        assert_eq!((refused.status, refused.one("grpc-status")), (200, Some("16")), "{line}");
        assert_eq!(refused.one("cache-control"), Some("no-store"), "{line}");
    }
}

#[test]
fn who_asks_for_a_tunnel_is_not_told_of_a_success() {
    let gateway = gateway(&Upstream::start());
    for (asked, status) in [
        ("CONNECT orders.example.com:80 HTTP/1.1\r\nhost: orders.example.com:80\r\n", 400),
        ("GET /orders/1 HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n", 401),
    ] {
        let mut client = gateway.client();
        let answer = client.ask(format!("{asked}content-type: application/grpc\r\n\r\n"));
        assert_eq!((answer.status, answer.one("grpc-status")), (status, None), "{asked}");
    }
}
