//! TLS and unix sockets, as clients of one gateway in this process meet them.

use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;

use grantgate::net::Phase;
use rustls::ClientConfig;
use tempfile::TempDir;

use super::client::{Answer, Client};
use super::gateway::{Gateway, configuration, request, snapshot};
use super::upstream::Upstream;
use crate::certificates::{Authority, Identity, client, connect, shown};

pub const NAME: &str = "orders.example.com";

/// A folder with what a listener shows and trusts.
pub struct Files {
    folder: TempDir,
    pub authority: Authority,
    pair: Identity,
}

impl Files {
    pub fn new() -> Self {
        let authority = Authority::new();
        let files =
            Self { folder: tempfile::tempdir().unwrap(), pair: authority.sign(NAME), authority };
        files.write("ca.crt", &files.authority.pem());
        files.show(&files.pair);
        files
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn show(&self, pair: &Identity) {
        self.write("tls.crt", &pair.certificate);
        self.write("tls.key", &pair.key);
    }

    /// A gate's configuration with TLS, and `more` in it; `top` stands beside.
    pub fn configuration(&self, upstream: SocketAddr, more: &str, top: &str) -> String {
        let file = |name: &str| self.path(name).display().to_string();
        let (cert, key, ca) = (file("tls.crt"), file("tls.key"), file("ca.crt"));
        let more = more.replace("CA", &ca);
        let server =
            format!("server: {{listen: \"127.0.0.1:0\", tls: {{cert: {cert}, key: {key}{more}}}}}");
        configuration(upstream, "", &format!("{server}\n{top}"))
    }

    fn client(&self, gateway: &Gateway) -> Client<crate::certificates::TlsStream> {
        client(&self.trusting(), gateway.address, NAME).unwrap()
    }

    pub fn trusting(&self) -> Arc<ClientConfig> {
        self.authority.trusted_by_client(None)
    }
}

#[test]
fn requests_come_by_tls_the_upstream_is_told_and_the_end_is_said() {
    let (files, upstream) = (Files::new(), Upstream::start());
    let gateway = Gateway::start(&files.configuration(upstream.address, "", ""));
    let mut client = files.client(&gateway);
    for _ in 0..2 {
        assert_eq!(client.ask(request("GET /orders/1", "")).status, 200);
        assert_eq!(upstream.next().one("x-forwarded-proto"), Some("https"));
    }
    gateway.drain.advance(Phase::Closing);
    assert!(client.is_closed_cleanly(), "the end of TLS was not said");
    assert_eq!(gateway.finish().len(), 2);
}

#[test]
fn a_plain_request_where_tls_is_spoken_is_told_so() {
    let (files, upstream) = (Files::new(), Upstream::start());
    let gateway = Gateway::start(&files.configuration(upstream.address, "", ""));
    let mut plain = gateway.client();
    let answer = plain.ask(request("GET /orders/1", ""));
    assert_eq!((answer.status, answer.text()), (400, "this port speaks TLS: ask by https://\n"));
    assert!(plain.is_closed_cleanly());
    gateway.wait_for_count("grantgate_connection_errors_total{kind=\"tls\"} 1");
    assert!(upstream.rest().is_empty());
}

#[test]
fn who_does_not_shake_hands_in_time_or_as_one_should_is_let_go() {
    let (files, upstream) = (Files::new(), Upstream::start());
    let times = "timeouts: {handshake: 1s}";
    let gateway = Gateway::start(&files.configuration(upstream.address, "", times));
    let (mut silent, mut slow) = (gateway.client(), gateway.client());
    // The beginning of a record that holds a handshake's message.
    slow.send(b"\x16\x03\x01\x02\x00\x01\x00");
    assert!(silent.is_closed() && slow.is_closed());
    gateway.wait_for_count("grantgate_connection_errors_total{kind=\"timeout\"} 2");

    let stranger = Authority::new().trusted_by_client(None);
    assert!(connect(&stranger, gateway.address, NAME).is_err());
    gateway.wait_for_count("grantgate_connection_errors_total{kind=\"tls\"} 1");
    // Those who only look whether somebody listens.
    drop(gateway.client());
    gateway.wait_for_count("grantgate_connections 0");
    assert!(gateway.counts("grantgate_connection_errors_total{kind=\"tls\"} 1"));
    assert_eq!(files.client(&gateway).ask(request("GET /orders/1", "")).status, 200);
}

#[test]
fn a_connection_that_stays_idle_is_closed_with_its_end_said() {
    let (files, upstream) = (Files::new(), Upstream::start());
    let times = "timeouts: {idle: 50ms}";
    let gateway = Gateway::start(&files.configuration(upstream.address, "", times));
    let mut client = files.client(&gateway);
    assert_eq!(client.ask(request("GET /orders/1", "")).status, 200);
    assert!(client.is_closed_cleanly());
}

#[test]
fn a_stream_that_is_cut_does_not_end_as_whole_ones_do() {
    let events = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\ndata\r\n";
    let (files, upstream) = (Files::new(), Upstream::answering(events));
    let text = files.configuration(upstream.address, "", "");
    let gateway = Gateway::start(&text);
    let mut client = files.client(&gateway);
    client.send(request("GET /orders/1", ""));
    upstream.next();
    gateway.reload(&text.replace("client_id: batch", "client_id: other"));
    let answer = client.answer();
    assert_eq!((answer.status, answer.text(), answer.whole), (200, "data", false));
    assert!(!client.is_closed_cleanly(), "its end was said");
}

#[test]
fn one_connection_too_many_is_closed_without_a_handshake() {
    let (files, upstream) = (Files::new(), Upstream::start());
    let limits = "limits: {connections: 1}";
    let gateway = Gateway::start(&files.configuration(upstream.address, "", limits));
    let mut only = files.client(&gateway);
    assert_eq!(only.ask(request("GET /orders/1", "")).status, 200);
    assert!(connect(&files.trusting(), gateway.address, NAME).is_err());
    assert!(gateway.counts("grantgate_connection_errors_total{kind=\"refused\"} 1"));
}

#[test]
fn a_new_certificate_is_shown_from_the_next_connection_on() {
    let (files, upstream) = (Files::new(), Upstream::start());
    let text = files.configuration(upstream.address, "", "");
    let gateway = Gateway::start(&text);
    let mut before = files.client(&gateway);
    let renewed = files.authority.sign(NAME);
    files.show(&renewed);
    gateway.reload(&text);
    let stream = connect(&files.trusting(), gateway.address, NAME).unwrap();
    assert_eq!(shown(&stream), renewed.der());
    assert_eq!(before.ask(request("GET /orders/1", "")).status, 200, "it stays as it was");
}

#[test]
fn whether_tls_is_spoken_and_what_it_asks_waits_for_a_restart() {
    let (files, upstream) = (Files::new(), Upstream::start());
    let required = files.configuration(upstream.address, ", client_ca: CA", "");
    let gateway = Gateway::start(&required);
    let (nobody, known) =
        (files.trusting(), files.authority.trusted_by_client(Some(&files.authority.sign("a"))));
    let is_served = |config| is_served(&gateway, config);
    assert!(!is_served(&nobody) && is_served(&known));
    let plain = configuration(upstream.address, "", "");
    let unasked = files.configuration(upstream.address, "", "");
    let optional =
        files.configuration(upstream.address, ", client_ca: CA, client_auth: optional", "");
    for torn in [plain, unasked, optional] {
        gateway.reload(&torn);
        assert!(!is_served(&nobody), "{torn}");
        assert!(is_served(&known), "{torn}");
        assert_eq!(gateway.client().ask(request("GET /orders/1", "")).status, 400, "{torn}");
    }

    let gateway = Gateway::before(upstream.address);
    gateway.reload(&required);
    assert_eq!(gateway.client().ask(request("GET /orders/1", "")).status, 200);
}

#[test]
fn who_is_let_in_with_a_certificate_asks_for_the_host_it_was_let_in_for() {
    let (files, upstream) = (Files::new(), Upstream::start());
    let both = files.authority.sign("client");
    let known = files.authority.trusted_by_client(Some(&both));
    let elsewhere = request("GET /orders/1", "").replace(NAME, "other.example.com");
    let with_port = request("GET /orders/1", "").replace(NAME, "Orders.Example.com.:8443");
    for auth in ["required", "optional"] {
        let asks = format!(", client_ca: CA, client_auth: {auth}");
        let gateway = Gateway::start(&files.configuration(upstream.address, &asks, ""));
        let mut client = client(&known, gateway.address, NAME).unwrap();
        let refused = client.ask(&elsewhere);
        assert_eq!((refused.status, refused.code().as_str()), (421, "host-misdirected"));
        assert_eq!(client.ask(&with_port).status, 200);
    }
    // Where nobody is asked who it is, a name more or less opens nothing.
    let gateway = Gateway::start(&files.configuration(upstream.address, "", ""));
    assert_eq!(files.client(&gateway).ask(&elsewhere).status, 200);
}

/// What is said to a client with a certificate that asks for another host than it was let in for.
pub fn misdirected(more: &str) -> Answer {
    let (files, upstream) = (Files::new(), Upstream::start());
    let asks = files.configuration(upstream.address, ", client_ca: CA", "");
    let gateway = Gateway::start(&asks);
    let pair = files.authority.sign("client");
    let known = files.authority.trusted_by_client(Some(&pair));
    let elsewhere = request("GET /orders/1", more).replace(NAME, "other.example.com");
    client(&known, gateway.address, NAME).unwrap().ask(elsewhere)
}

#[test]
fn connections_end_with_the_authority_that_vouched_for_their_clients() {
    let (files, upstream) = (Files::new(), Upstream::start());
    let (old, new) = (Authority::new(), Authority::new());
    let text = files.configuration(upstream.address, ", client_ca: CA", "");
    files.write("ca.crt", &old.pem());
    let gateway = Gateway::start(&text);
    let vouched = |by: &Authority| files.authority.trusted_by_client(Some(&by.sign("a")));
    let (by_old, by_new) = (vouched(&old), vouched(&new));
    let join = || client(&by_old, gateway.address, NAME).unwrap();
    let (mut used, mut unused, mut asking) = (join(), join(), join());
    asking.send("GET /orders/1 HT");
    assert_eq!(used.ask(request("GET /orders/1", "")).status, 200);

    // A renewed certificate of ours is no reason.
    files.show(&files.authority.sign(NAME));
    gateway.reload(&text);
    assert_eq!(used.ask(request("GET /orders/1", "")).status, 200);

    files.write("ca.crt", &new.pem());
    gateway.reload(&text);
    for client in [&mut used, &mut unused, &mut asking] {
        assert!(client.is_closed_cleanly());
    }
    assert!(!is_served(&gateway, &by_old), "a session of before was resumed");
    assert!(is_served(&gateway, &by_new));
    gateway.wait_for_count("grantgate_connections 0");
}

#[test]
fn certificates_and_authorities_are_renewed_though_something_else_waits_for_a_restart() {
    let (files, upstream) = (Files::new(), Upstream::start());
    let gateway = Gateway::start(&files.configuration(upstream.address, ", client_ca: CA", ""));
    let (renewed, new) = (files.authority.sign(NAME), Authority::new());
    let known = files.authority.trusted_by_client(Some(&new.sign("client")));
    let refused = files.authority.trusted_by_client(Some(&files.authority.sign("client")));
    files.show(&renewed);
    files.write("ca.crt", &new.pem());
    let optional = ", client_ca: CA, client_auth: optional";
    gateway.reload(&files.configuration(upstream.address, optional, ""));
    let mut client = client(&known, gateway.address, NAME).unwrap();
    assert_eq!(shown(client.stream()), renewed.der());
    assert_eq!(client.ask(request("GET /orders/1", "")).status, 200);
    assert!(!is_served(&gateway, &refused));
    assert!(!is_served(&gateway, &files.trusting()));
}

/// Whether a request is answered. In TLS 1.3 a client has its last word before it is refused: only an
/// answer shows that it was taken.
fn is_served(gateway: &Gateway, config: &Arc<ClientConfig>) -> bool {
    let client = client(config, gateway.address, NAME);
    let served = client.ok().and_then(|mut client| {
        client.try_send(request("GET /orders/1", "")).then(|| client.maybe_answer("GET"))
    });
    served.flatten().is_some_and(|answer| answer.status == 200)
}

#[test]
fn a_unix_socket_serves_all_the_same_and_trusts_nobody() {
    let (folder, upstream) = (tempfile::tempdir().unwrap(), Upstream::start());
    let path = folder.path().join("gate.sock");
    let server = format!(
        "server: {{listen: \"unix:{}\", trusted_proxies: [127.0.0.0/8, \"::1\"]}}\nlimits: {{connections: 1}}",
        path.display()
    );
    let gateway = Gateway::running(snapshot(&configuration(upstream.address, "", &server)));
    let mut client = unix(&path);
    let told = "x-forwarded-for: 127.0.0.1\r\nx-forwarded-proto: https\r\n";
    assert_eq!(client.ask(request("GET /orders/1", told)).status, 200);
    let seen = upstream.next();
    assert_eq!((seen.one("x-forwarded-for"), seen.one("x-forwarded-proto")), (None, Some("http")));
    assert_eq!(unix(&path).answer().code(), "overloaded");
    let records = gateway.finish();
    assert_eq!(records[0]["peer"], "unix:");
    assert!(client.is_closed() && !path.exists());
}

fn unix(path: &Path) -> Client<UnixStream> {
    let stream = UnixStream::connect(path).unwrap();
    stream.set_read_timeout(Some(super::client::PATIENCE)).unwrap();
    Client::over(stream)
}
