//! HTTP/2 by TLS: what is agreed on, and for which host.

use std::sync::Arc;

use http::{Request, Version};
use rustls::ClientConfig;

use super::client::{Http2, get, run, whole};
use super::frames::{self, Frames};
use crate::certificates::{Authority, client, connect};
use crate::door::gateway::{Gateway, request, token};
use crate::door::tls::{Files, NAME};
use crate::door::upstream::Upstream;

fn offering(config: &ClientConfig, protocols: &[&str]) -> Arc<ClientConfig> {
    let mut config = config.clone();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    Arc::new(config)
}

#[test]
fn what_is_spoken_is_what_was_agreed_on() {
    let (files, upstream) = (Files::new(), Upstream::start());
    let gateway = Gateway::start(&files.configuration(upstream.address, "", ""));
    let trusting = files.trusting();
    run(async {
        let mut client = Http2::secure(&trusting, gateway.address, NAME).await;
        let answer = client.ask(get("/orders/1")).await;
        assert_eq!((answer.status.as_u16(), answer.text()), (200, "ok"));
    });
    assert_eq!(upstream.next().one("x-forwarded-proto"), Some("https"));
    for protocols in [&["http/1.1"][..], &[]] {
        let mut client = client(&offering(&trusting, protocols), gateway.address, NAME).unwrap();
        assert_eq!(client.ask(request("GET /orders/1", "")).status, 200);
    }
    // What was not agreed on is not spoken.
    let stream = connect(&offering(&trusting, &["http/1.1"]), gateway.address, NAME).unwrap();
    assert_eq!(Frames::over(stream).greet(&[]).told(1).status, None);
    let mut mistaken = client(&offering(&trusting, &["h2"]), gateway.address, NAME).unwrap();
    mistaken.send(request("GET /orders/1", ""));
    let stream = mistaken.into_stream();
    assert_eq!(Frames::over(stream).told(1).status, None);
}

#[test]
fn http2_is_offered_as_the_running_configuration_says() {
    let (files, upstream) = (Files::new(), Upstream::start());
    let with = files.configuration(upstream.address, "", "");
    let never = with.replace("server: {", "server: {http2: never, ");
    let gateway = Gateway::start(&never);
    let both = offering(&files.trusting(), &["h2", "http/1.1"]);
    let agreed = || {
        let stream = connect(&both, gateway.address, NAME).unwrap();
        String::from_utf8(stream.conn.alpn_protocol().unwrap().to_vec()).unwrap()
    };
    assert_eq!(agreed(), "http/1.1");
    gateway.reload(&with);
    assert_eq!(agreed(), "h2");
    gateway.reload(&never);
    assert_eq!(agreed(), "http/1.1");
    assert!(connect(&offering(&files.trusting(), &["h2"]), gateway.address, NAME).is_err());
}

#[test]
fn each_request_of_who_was_let_in_for_a_host_is_for_that_host() {
    let (files, upstream) = (Files::new(), Upstream::start());
    let asks = files.configuration(upstream.address, ", client_ca: CA", "");
    let gateway = Gateway::start(&asks);
    let known = files.authority.trusted_by_client(Some(&files.authority.sign("client")));
    run(async {
        let mut client = Http2::secure(&known, gateway.address, NAME).await;
        assert_eq!(client.ask(get("/orders/1")).await.status, 200);
        // A certificate for several hosts invites clients to ask for all of them on one connection.
        let elsewhere = Request::get("https://other.example.com/orders/1")
            .version(Version::HTTP_2)
            .header("authorization", format!("Bearer {}", token()));
        let refused = client.ask(elsewhere.body(()).unwrap()).await;
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (421, "host-misdirected"));
        assert_eq!(client.ask(get("/orders/2")).await.status, 200);
    });
    assert_eq!(upstream.rest().len(), 2);
}

#[test]
fn connections_are_told_to_go_with_the_authority_that_vouched_for_their_clients() {
    let (files, upstream) = (Files::new(), Upstream::start());
    let (old, new) = (Authority::new(), Authority::new());
    let text = files.configuration(upstream.address, ", client_ca: CA", "");
    files.write("ca.crt", &old.pem());
    let gateway = Gateway::start(&text);
    let known = files.authority.trusted_by_client(Some(&old.sign("client")));
    let stream = connect(&offering(&known, &["h2"]), gateway.address, NAME).unwrap();
    let mut deaf = Frames::over(stream);
    deaf.acknowledges = false;
    assert_eq!(deaf.greet(&[]).get(1).told(1).status, Some(200));
    run(async {
        let mut client = Http2::secure(&known, gateway.address, NAME).await;
        let (answer, mut upload) =
            client.begin(super::client::request(http::Method::POST, "/orders/1"), false).await;
        upload.send_data("x".into(), false).unwrap();
        assert_eq!(client.ask(get("/orders/1")).await.status, 200);
        files.write("ca.crt", &new.pem());
        gateway.reload(&text);
        // What was under way comes to its end.
        while let Ok((answer, _)) = client.try_begin(get("/orders/2"), true).await {
            drop(whole(answer).await);
        }
        upload.send_data("y".into(), true).unwrap();
        assert_eq!(whole(answer).await.unwrap().status, 200);
        client.end.await.unwrap().unwrap();
    });
    // From who does not hear it nothing more is taken.
    assert!(deaf.next_of(frames::GOAWAY).is_some());
    let told = deaf.get(3).told(3);
    assert_eq!((told.status, told.reset), (None, Some(frames::REFUSED_STREAM)));
}
