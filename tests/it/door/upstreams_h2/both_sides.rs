//! HTTP/2 on both sides of the gate.

use http::{Method, StatusCode};

use super::*;
use crate::door::http2::PRIOR_KNOWLEDGE;
use crate::door::http2::client::{Http2, next, request as asking, run};

fn between(upstream: SocketAddr) -> Gateway {
    Gateway::start(&configuration(upstream, "upstream_protocol: http2", PRIOR_KNOWLEDGE))
}

#[test]
fn each_side_is_heard_while_the_other_still_speaks_and_has_the_last_word() {
    let (tell, seen) = told();
    let upstream = StreamsUpstream::with(Allows::default(), move |mut stream| {
        let tell = tell.clone();
        Box::pin(async move {
            let mut body = stream.begin();
            while let Some(Ok(data)) = stream.next().await {
                body.send_data(data, false).unwrap();
            }
            let trailers = stream.request.body_mut().trailers().await.unwrap().unwrap();
            tell((stream.head(), trailers));
            let last = [("grpc-status", "0"), ("x-sum", "6"), ("set-cookie", "a=b")];
            body.send_trailers(fields(&last)).unwrap();
        })
    });
    let gateway = between(upstream.address);
    run(async {
        let mut client = Http2::connect(gateway.address).await;
        let mut request = asking(Method::POST, "/orders/1");
        request.headers_mut().insert("te", HeaderValue::from_static("trailers"));
        let (answer, mut upload) = client.begin(request, false).await;
        let answer = answer.await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let mut heard = answer.into_body();
        for piece in ["one", "two"] {
            upload.send_data(piece.into(), false).unwrap();
            assert_eq!(next(&mut heard).await.unwrap().unwrap(), piece);
        }
        upload.send_trailers(fields(&[("x-sum", "6"), ("grantgate-subject", "root")])).unwrap();
        assert_eq!(next(&mut heard).await.unwrap(), None);
        let last = heard.trailers().await.unwrap().unwrap();
        assert_eq!(last, fields(&[("grpc-status", "0"), ("x-sum", "6")]));
    });
    let (head, trailers) = seen.recv().unwrap();
    assert_eq!(head["te"], "trailers");
    assert!(head["via"].to_str().unwrap().starts_with("2.0 grantgate-"));
    assert_eq!(trailers, fields(&[("x-sum", "6")]));
}

#[test]
fn a_stream_that_its_client_takes_back_is_taken_back_from_the_upstream_and_no_other() {
    let (upstream, arrived, resets) = silent(Allows::default());
    let gateway = between(upstream.address);
    run(async {
        let mut client = Http2::connect(gateway.address).await;
        let (_answer, mut upload) = client.begin(asking(Method::POST, "/orders/1"), false).await;
        tokio::task::spawn_blocking(move || arrived.recv().unwrap()).await.unwrap();
        upload.send_reset(Reason::CANCEL);
        let reset = tokio::task::spawn_blocking(move || resets.recv().unwrap()).await.unwrap();
        assert_eq!(reset, Reason::CANCEL);
        assert_eq!(client.ask(asking(Method::GET, "/orders/ok")).await.status, StatusCode::OK);
    });
    assert_eq!(upstream.connections(), 1);
}

fn fields(fields: &[(&'static str, &'static str)]) -> HeaderMap {
    let field = |(name, value): &(&'static str, &'static str)| {
        (http::HeaderName::from_static(name), HeaderValue::from_static(value))
    };
    fields.iter().map(field).collect()
}
