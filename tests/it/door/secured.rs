//! Upstreams behind TLS: who is trusted, what is shown, and what becomes of it when files change.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::thread;

use grantgate::reload::{self, ReloadOutcome, Reloader};
use rustls::{CertificateError, NamedGroup, ProtocolVersion};
use tokio::runtime::{self, Runtime};
use tokio::sync::watch;

use super::client::PATIENCE;
use super::gateway::{Gateway, configuration, request};
use super::secure_upstream::{Event, SecureUpstream, Shows, Then};
use crate::certificates::{Authority, Identity};
use crate::disk::rename_over;

/// A folder with what a gateway needs to speak TLS with an upstream.
pub struct Files(tempfile::TempDir);

impl Files {
    pub fn with_ca(authority: &Authority) -> Self {
        let files = Self(tempfile::tempdir().unwrap());
        files.write("ca.crt", &authority.pem());
        files
    }

    /// With a certificate to show, too.
    fn with_identity(authority: &Authority, identity: &Identity) -> Self {
        let files = Self::with_ca(authority);
        files.write("gate.crt", &identity.certificate);
        files.write("gate.key", &identity.key);
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Replaces a file whole, as whoever rotates certificates does.
    fn write(&self, name: &str, text: &str) {
        rename_over(&self.path(name), text);
    }

    /// The configuration of an upstream at `host`, with `more` about its TLS.
    pub fn configuration(&self, host: &str, address: SocketAddr, more: &str) -> String {
        let tls = format!("upstream_tls: {{ca: {}{more}}}", self.path("ca.crt").display());
        let plain = format!("http://{address}");
        let secure = format!("https://{host}:{}", address.port());
        configuration(address, &tls, "timeouts: {connect: 20s}").replace(&plain, &secure)
    }

    fn showing(&self) -> String {
        let (certificate, key) = (self.path("gate.crt"), self.path("gate.key"));
        format!(", cert: {}, key: {}", certificate.display(), key.display())
    }
}

fn ask(gateway: &Gateway) -> (u16, Option<String>) {
    let answer = gateway.client().ask(request("GET /orders/1", ""));
    assert!(!answer.text().contains("ertificate"), "that is for the log alone: {}", answer.text());
    (answer.status, (answer.status != 200).then(|| answer.code()))
}

fn unreachable() -> (u16, Option<String>) {
    (502, Some("upstream-unreachable".to_owned()))
}

#[test]
fn an_upstream_of_a_named_authority_is_reached_with_a_key_exchange_that_outlives_quantum_computers()
{
    let authority = Authority::new();
    let upstream = SecureUpstream::start(&Shows::only(&authority.sign("localhost")));
    let files = Files::with_ca(&authority);
    let gateway = Gateway::start(&files.configuration("localhost", upstream.address, ""));
    let mut client = gateway.client();
    assert_eq!(client.ask(request("GET /orders/1", "")).status, 200);
    let agreed = upstream.agreed();
    assert_eq!(
        (agreed.version, agreed.group, agreed.name.as_deref(), agreed.client),
        (ProtocolVersion::TLSv1_3, NamedGroup::X25519MLKEM768, Some("localhost"), None)
    );
    assert!(upstream.request().contains("\r\nhost: orders.example.com\r\n"));
    assert_eq!(client.ask(request("GET /orders/2", "")).status, 200);
    assert!(upstream.request().starts_with("GET /orders/2 "), "on the same connection");
}

#[test]
fn an_upstream_that_speaks_tls_1_2_alone_is_reached() {
    let authority = Authority::new();
    let upstream = SecureUpstream::start(&Shows::in_tls12(&authority.sign("localhost")));
    let files = Files::with_ca(&authority);
    let gateway = Gateway::start(&files.configuration("localhost", upstream.address, ""));
    assert_eq!(ask(&gateway), (200, None));
    assert_eq!(upstream.agreed().version, ProtocolVersion::TLSv1_2);
}

#[test]
fn a_certificate_that_is_not_good_is_refused_and_nothing_is_sent() {
    let (trusted, other) = (Authority::new(), Authority::new());
    for bad in [
        other.sign("localhost"),
        trusted.sign("orders.internal"),
        trusted.sign("127.0.0.1"),
        trusted.sign_for_years("localhost", 2020, 2021),
        trusted.sign_for_years("localhost", 3000, 3001),
    ] {
        let upstream = SecureUpstream::start(&Shows::only(&bad));
        let files = Files::with_ca(&trusted);
        let gateway = Gateway::start(&files.configuration("localhost", upstream.address, ""));
        assert_eq!(ask(&gateway), unreachable());
        assert!(matches!(upstream.next(), Event::Failed(_)));
        assert!(upstream.got_no_request());
    }
}

#[test]
fn without_a_ca_the_machines_authorities_count_and_a_private_one_is_refused() {
    let upstream = SecureUpstream::start(&Shows::only(&Authority::new().sign("localhost")));
    let plain = format!("http://{}", upstream.address);
    let secure = format!("https://localhost:{}", upstream.address.port());
    let gateway = Gateway::start(&configuration(upstream.address, "", "").replace(&plain, &secure));
    assert_eq!(ask(&gateway), unreachable());
    assert!(upstream.got_no_request());
}

#[test]
fn an_upstream_without_tls_gets_no_request_in_its_stead() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut first = [0; 1024];
            let length = stream.read(&mut first).unwrap();
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
            tell.send(first[..length].to_vec()).unwrap();
        }
    });
    let files = Files::with_ca(&Authority::new());
    let gateway = Gateway::start(&files.configuration("localhost", address, ""));
    assert_eq!(ask(&gateway), unreachable());
    let sent = told.recv().unwrap();
    assert_eq!(sent[0], 0x16, "a handshake record");
    assert!(told.try_recv().is_err(), "and no second attempt");
}

#[test]
fn a_handshake_that_does_not_end_in_time_is_a_timeout() {
    // Its queue takes the connection, and nobody says anything on it.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let files = Files::with_ca(&Authority::new());
    let text = files.configuration("localhost", silent.local_addr().unwrap(), "");
    let gateway = Gateway::start(&text.replace("connect: 20s", "connect: 100ms"));
    assert_eq!(ask(&gateway), (504, Some("upstream-timeout".to_owned())));
}

#[test]
fn a_host_that_is_an_address_is_what_the_certificate_must_be_for() {
    let authority = Authority::new();
    let files = Files::with_ca(&authority);
    for (at, name, host) in [("127.0.0.1:0", "127.0.0.1", "127.0.0.1"), ("[::1]:0", "::1", "[::1]")]
    {
        let upstream = SecureUpstream::on(at, &Shows::only(&authority.sign(name)), |wire| {
            wire.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
            Then::GoOn
        });
        let gateway = Gateway::start(&files.configuration(host, upstream.address, ""));
        assert_eq!(ask(&gateway), (200, None), "{host}");
        assert_eq!(upstream.agreed().name, None, "an address is not asked for by name");
        upstream.show(&Shows::only(&authority.sign("localhost")));
        let gateway = Gateway::start(&files.configuration(host, upstream.address, ""));
        assert_eq!(ask(&gateway), unreachable(), "{host}");
    }
}

#[test]
fn a_name_that_is_configured_is_asked_for_and_must_fit() {
    let authority = Authority::new();
    let upstream = SecureUpstream::start(&Shows::only(&authority.sign("orders.internal")));
    let files = Files::with_ca(&authority);
    let named = |name| {
        let more = format!(", server_name: {name}");
        files.configuration("127.0.0.1", upstream.address, &more)
    };
    let gateway = Gateway::start(&named("orders.internal"));
    assert_eq!(ask(&gateway), (200, None));
    assert_eq!(upstream.agreed().name.as_deref(), Some("orders.internal"));
    upstream.request();
    gateway.reload(&named("reports.internal"));
    assert_eq!(ask(&gateway), unreachable(), "the kept connection is of another name");
}

#[test]
fn the_certificate_that_an_upstream_asks_for_is_shown() {
    let (servers, clients) = (Authority::new(), Authority::new());
    let server = servers.sign("localhost");
    let upstream = SecureUpstream::start(&Shows::to_clients_of(&server, &clients));
    let gate = clients.sign("gate");
    let files = Files::with_identity(&servers, &gate);
    let text = files.configuration("localhost", upstream.address, &files.showing());
    assert_eq!(ask(&Gateway::start(&text)), (200, None));
    assert_eq!(upstream.agreed().client, Some(gate.der()));
    upstream.request();

    let without = Gateway::start(&files.configuration("localhost", upstream.address, ""));
    assert_eq!(ask(&without), unreachable());
    assert!(matches!(upstream.next(), Event::Failed(rustls::Error::NoCertificatesPresented)));

    let stranger = Files::with_identity(&servers, &servers.sign("gate"));
    let text = stranger.configuration("localhost", upstream.address, &stranger.showing());
    assert_eq!(ask(&Gateway::start(&text)), unreachable());
    let refused = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
    assert!(matches!(upstream.next(), Event::Failed(error) if error == refused));
}

#[test]
fn a_session_is_resumed_and_never_under_another_certificate() {
    let (servers, clients) = (Authority::new(), Authority::new());
    let server = servers.sign("localhost");
    let upstream = SecureUpstream::closing(&Shows::to_clients_of(&server, &clients));
    let (first, second) = (clients.sign("first"), clients.sign("second"));
    let files = Files::with_identity(&servers, &first);
    let text = files.configuration("localhost", upstream.address, &files.showing());
    let gateway = Gateway::start(&text);
    let handshake = || {
        let agreed = upstream.agreed();
        upstream.request();
        (agreed.resumed, agreed.client.unwrap())
    };
    let mut client = gateway.client();
    let mut ask = || assert_eq!(client.ask(request("GET /orders/1", "")).status, 200);
    ask();
    assert_eq!(handshake(), (false, first.der()));
    ask();
    assert_eq!(handshake(), (true, first.der()));
    files.write("gate.crt", &second.certificate);
    files.write("gate.key", &second.key);
    gateway.reload(&text);
    ask();
    assert_eq!(handshake(), (false, second.der()));
}

#[test]
fn an_answer_whose_connection_is_torn_never_looks_whole() {
    let authority = Authority::new();
    for (head, torn) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", true),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\n", true),
        ("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n", true),
        ("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n", false),
    ] {
        let upstream =
            SecureUpstream::with(&Shows::only(&authority.sign("localhost")), move |wire| {
                wire.write_all(head.as_bytes()).unwrap();
                wire.write_all(b"cut").unwrap();
                if torn { Then::Tear } else { Then::Close }
            });
        let files = Files::with_ca(&authority);
        let gateway = Gateway::start(&files.configuration("localhost", upstream.address, ""));
        let mut client = gateway.client();
        let answer = client.ask(request("GET /orders/1", ""));
        assert_eq!((answer.status, answer.whole), (200, !torn), "{head:?}");
        assert!(!torn || client.is_closed());
    }
}

/// A gateway whose configuration is on disk, and is looked at when the disk changes.
struct OnDisk {
    gateway: Gateway,
    status: watch::Receiver<reload::Status>,
    control: Runtime,
}

impl OnDisk {
    fn start(files: &Files, text: &str) -> Self {
        let text = text.to_owned() + "\nreload: {poll: 1h, quiet: 1ms}\n";
        files.write("secret", &"s".repeat(64));
        let secret = format!("${{file:{}}}", files.path("secret").display());
        let text = text.replace("${env:LONG_SECRET}", &secret);
        files.write("gateway.yaml", &text);
        files.write("jwks.json", crate::disk::KEYS);
        let control =
            runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let reloader = Reloader::start(files.path("gateway.yaml"));
        let reloader = control.block_on(reloader).unwrap_or_else(|report| panic!("{report}"));
        let (gateway, status) = (Gateway::following(reloader.snapshot()), reloader.status());
        let reloader = Arc::new(reloader);
        control.spawn(async move { reload::watch(&reloader).await });
        Self { gateway, status, control }
    }

    /// Waits until a change was taken over, whatever came before.
    fn wait_for_generation(&mut self, generation: u64) {
        let reached = self.status.wait_for(|status| status.generation >= generation);
        let waited = async { tokio::time::timeout(PATIENCE, reached).await };
        let status = self.control.block_on(waited).expect("nothing was taken over").unwrap();
        assert!(matches!(status.last, ReloadOutcome::Applied(_)), "{:?}", status.last);
    }
}

#[test]
fn an_authority_that_is_replaced_on_disk_is_trusted_from_the_next_connection_on() {
    let (old, new) = (Authority::new(), Authority::new());
    let (old_server, new_server) = (old.sign("localhost"), new.sign("localhost"));
    let upstream = SecureUpstream::start(&Shows::only(&old_server));
    let files = Files::with_ca(&old);
    let text = files.configuration("localhost", upstream.address, "");
    let mut running = OnDisk::start(&files, &text);
    assert_eq!(ask(&running.gateway), (200, None));
    upstream.agreed();
    upstream.request();

    files.write("ca.crt", "-----BEGIN CERTIFICATE-----\nhalf");
    files.write("ca.crt", &new.pem());
    running.wait_for_generation(2);
    assert_eq!(ask(&running.gateway), unreachable(), "the kept connection is of the old authority");
    assert!(matches!(upstream.next(), Event::Failed(_)));
    upstream.show(&Shows::only(&new_server));
    assert_eq!(ask(&running.gateway), (200, None));
    assert!(!upstream.agreed().resumed);
}

#[test]
fn a_certificate_of_ours_that_is_replaced_on_disk_is_shown_from_the_next_connection_on() {
    let (servers, clients) = (Authority::new(), Authority::new());
    let server = servers.sign("localhost");
    let upstream = SecureUpstream::start(&Shows::to_clients_of(&server, &clients));
    let (first, second) = (clients.sign("first"), clients.sign("second"));
    let files = Files::with_identity(&servers, &first);
    let text = files.configuration("localhost", upstream.address, &files.showing());
    let mut running = OnDisk::start(&files, &text);
    assert_eq!(ask(&running.gateway), (200, None));
    assert_eq!(upstream.agreed().client, Some(first.der()));
    upstream.request();

    // Between the two the key is not the certificate's: what runs stays.
    files.write("gate.crt", &second.certificate);
    files.write("gate.key", &second.key);
    running.wait_for_generation(2);
    assert_eq!(ask(&running.gateway), (200, None));
    assert_eq!(upstream.agreed().client, Some(second.der()));
}
