//! HTTP/2 as good clients speak it.

use http::Method;

use super::client::{Http2, get, request, run};
use crate::door::gateway::{Gateway, configuration};
use crate::door::upstream::Upstream;

pub const PRIOR: &str = "server: {listen: \"127.0.0.1:0\", http2: prior_knowledge}";

#[test]
fn requests_pass_and_are_refused_on_one_connection() {
    let upstream = Upstream::start();
    let gateway = Gateway::start(&configuration(upstream.address, "", PRIOR));
    run(async {
        let mut client = Http2::connect(gateway.address).await;
        let answer = client.ask(get("/orders/1?a=b")).await;
        assert_eq!((answer.status.as_u16(), answer.text()), (200, "ok"));
        let seen = upstream.next();
        assert_eq!(seen.line(), "GET /orders/1?a=b HTTP/1.1");
        assert_eq!(seen.one("host"), Some("orders.example.com"));
        assert_eq!(seen.one("x-forwarded-proto"), Some("http"), "`:scheme` says what it likes");
        assert_eq!(seen.one("grantgate-client-id"), Some("batch"));
        let refused = client.ask(request(Method::DELETE, "/orders/1")).await;
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (403, "scope-insufficient"));
        assert_eq!(refused.headers.get("connection"), None);
        assert_eq!(client.ask(get("/orders/2")).await.status, 200);
    });
    assert_eq!(gateway.finish().len(), 3);
}
