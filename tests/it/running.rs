//! TLS of the program that runs, under load: certificates are replaced, and it is told to end, and no
//! client is the worse for it.

use std::fs;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Instant;

use rustls::ClientConfig;
use tempfile::TempDir;

use crate::certificates::{Authority, Identity, client, connect, shown};
use crate::disk::{rename_over, turn_data};
use crate::door::client::{Client, PATIENCE};
use crate::door::upstream::Upstream;
use crate::program::Program;

const CONFIGURATION: &str = r#"
server:
  listen: "127.0.0.1:0"
  workers: 2
  drain_delay: 3s
  tls: {cert: tls.crt, key: tls.key, certificates: [{cert: projected/tls.crt, key: projected/tls.key}]}
health: {listen: "127.0.0.1:0"}
reload: {poll: 1s, quiet: 20ms}
log: {records: false}
issuers: [{issuer: "https://issuer.example/", profile: auth0, jwks: {keys: []}}]
resource_servers:
  - identifier: https://api.example
    scopes: []
    subject_type_authorization: {user: {policy: deny_all}, client: {policy: deny_all}}
    gate: {upstream: "http://UPSTREAM", operations: [{on: "GET /open/*", public: true}]}
client_grants: []
"#;

const REQUEST: &str = "GET /open/1 HTTP/1.1\r\nhost: api.example\r\n\r\n";

#[test]
fn with_few_open_files_one_connection_too_many_is_told_so_and_health_is_answered() {
    let (authority, upstream) = (Authority::new(), Upstream::start());
    let folder = configured(&authority, upstream.address);
    let file = folder.path().join("gateway.yaml");
    let plain = fs::read_to_string(&file).unwrap();
    let plain = plain.lines().filter(|line| !line.contains("tls:")).collect::<Vec<_>>();
    fs::write(&file, plain.join("\n")).unwrap();
    let gate = Program::start_with(&file, "ulimit -n 160");
    // Fewer than are answered at a time, more than there is room for.
    let address: SocketAddr = gate.address("traffic");
    let silent: Vec<_> = (0..48).map(|_| TcpStream::connect(address).unwrap()).collect();
    assert_eq!(Client::connect(address).answer().code(), "overloaded");
    let ready = "GET /readyz HTTP/1.1\r\nhost: localhost\r\n\r\n";
    assert_eq!(Client::connect(gate.address::<SocketAddr>("health")).ask(ready).status, 200);
    drop(silent);
    let begun = Instant::now();
    while Client::connect(address).ask(REQUEST).status != 200 {
        assert!(begun.elapsed() < PATIENCE, "there is never room again");
    }
}

/// The name of a certificate that is replaced file by file, and of one that kubelet would replace.
const NAMES: [&str; 2] = ["renamed.example", "projected.example"];

fn configured(authority: &Authority, upstream: SocketAddr) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let text = CONFIGURATION.replace("UPSTREAM", &upstream.to_string());
    fs::write(folder.path().join("gateway.yaml"), text).unwrap();
    replace(folder.path(), &authority.sign(NAMES[0]));
    let projected = folder.path().join("projected");
    fs::create_dir(&projected).unwrap();
    turn_data(&projected, 0, &files(&authority.sign(NAMES[1])));
    folder
}

/// The files of a certificate and its key.
fn files(identity: &Identity) -> [(&str, &str); 2] {
    [("tls.crt", &identity.certificate), ("tls.key", &identity.key)]
}

/// Replaces certificate and key as careful programs do, the one after the other.
fn replace(folder: &Path, identity: &Identity) {
    for (name, text) in files(identity) {
        rename_over(&folder.join(name), text);
    }
}

/// Waits until a connection by `name` is shown `pair`.
fn wait_until_shown(config: &Arc<ClientConfig>, address: SocketAddr, name: &str, pair: &Identity) {
    let begun = Instant::now();
    while shown(&connect(config, address, name).unwrap()) != pair.der() {
        assert!(begun.elapsed() < PATIENCE, "the new certificate of {name} is not shown");
        thread::yield_now();
    }
}

#[test]
fn certificates_are_replaced_fifty_times_and_every_connection_comes_about() {
    let (authority, upstream) = (Authority::new(), Upstream::start());
    let folder = configured(&authority, upstream.address);
    let gate = Program::start(folder.path());
    let (address, config) = (gate.address("traffic"), authority.trusted_by_client(None));
    let (is_over, served) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        for name in NAMES {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    let answer = client(&config, address, name).unwrap().ask(REQUEST);
                    assert_eq!(answer.status, 200);
                    served.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        // Also when an assertion fails: the scope waits for its threads.
        let _end = Over(&is_over);
        for round in 1..=25 {
            let (renamed, projected) = (authority.sign(NAMES[0]), authority.sign(NAMES[1]));
            replace(folder.path(), &renamed);
            wait_until_shown(&config, address, NAMES[0], &renamed);
            turn_data(&folder.path().join("projected"), round, &files(&projected));
            wait_until_shown(&config, address, NAMES[1], &projected);
        }

        let before = shown(&connect(&config, address, NAMES[0]).unwrap());
        let garbled = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        fs::write(folder.path().join("tls.crt"), garbled).unwrap();
        gate.says(&["its certificate 1 cannot be used"]);
        let shown = shown(&connect(&config, address, NAMES[0]).unwrap());
        assert!(shown == before, "what cannot be used is shown");

        replace(folder.path(), &authority.sign_for_years(NAMES[0], 2000, 2020));
        gate.says(&["a new certificate has expired, those before stay"]);
        let shown = crate::certificates::shown(&connect(&config, address, NAMES[0]).unwrap());
        assert!(shown == before, "what has expired is shown");
    });
    assert!(served.load(Ordering::Relaxed) > 50, "there was no load");
}

#[test]
fn it_is_told_to_end_under_load_and_no_request_is_lost() {
    let (go_on, wait) = mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let upstream = Upstream::with(move |seen, stream| {
        if seen.line().contains("slow") {
            wait.lock().unwrap().recv().unwrap();
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").is_ok()
    });
    let authority = Authority::new();
    let folder = configured(&authority, upstream.address);
    let mut gate = Program::start(folder.path());
    let (address, health) = (gate.address("traffic"), gate.address("health"));
    let config = authority.trusted_by_client(None);

    let mut slow = client(&config, address, NAMES[0]).unwrap();
    slow.send(REQUEST.replace("/open/1", "/open/slow"));
    while !upstream.next().line().contains("slow") {}
    let served = AtomicUsize::new(0);
    thread::scope(|scope| {
        // Who sends traffic here looks whether it should, and keeps connections or does not.
        for keeps in [true, true, false, false] {
            let (config, served) = (&config, &served);
            scope.spawn(move || {
                let mut kept = None;
                while is_ready(health) {
                    let fresh = || client(config, address, NAMES[0]).unwrap();
                    let mut client = kept.take().unwrap_or_else(fresh);
                    let answer = client.ask(REQUEST);
                    assert_eq!(answer.status, 200);
                    served.fetch_add(1, Ordering::Relaxed);
                    if keeps && answer.one("connection") != Some("close") {
                        kept = Some(client);
                    }
                }
            });
        }
        while served.load(Ordering::Relaxed) < 50 {
            thread::yield_now();
        }
        gate.signal("TERM");
    });
    while TcpStream::connect(address).is_ok() {
        thread::yield_now();
    }
    go_on.send(()).unwrap();
    let answer = slow.answer();
    assert_eq!((answer.status, answer.one("connection")), (200, Some("close")));
    assert!(slow.is_closed_cleanly(), "the end of TLS was not said");
    assert_eq!(gate.exit(), Some(0));
}

#[test]
fn a_second_signal_ends_it_at_once_and_a_unix_socket_goes_with_it() {
    let (_keep, wait) = mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let upstream = Upstream::with(move |_, _| wait.lock().unwrap().recv().is_ok());
    let folder = configured(&Authority::new(), upstream.address);
    let (file, socket) = (folder.path().join("gateway.yaml"), folder.path().join("gate.sock"));
    let text = fs::read_to_string(&file).unwrap();
    let listen = format!("listen: \"unix:{}\"", socket.display());
    let text = text.replacen("listen: \"127.0.0.1:0\"", &listen, 1);
    let text: Vec<_> = text.lines().filter(|line| !line.contains("tls:")).collect();
    fs::write(&file, text.join("\n").replace("drain_delay: 3s", "drain_delay: 1h")).unwrap();

    let mut gate = Program::start(folder.path());
    let stream = std::os::unix::net::UnixStream::connect(&socket).unwrap();
    let mut client = Client::over(stream);
    client.send(REQUEST);
    upstream.next();
    gate.signal("TERM");
    gate.says(&["leaving"]);
    gate.signal("TERM");
    assert_eq!(gate.exit(), Some(0));
    assert!(client.maybe_answer("GET").is_none() && !socket.exists());
}

fn is_ready(health: SocketAddr) -> bool {
    Client::connect(health).ask("GET /readyz HTTP/1.1\r\nhost: a\r\n\r\n").status == 200
}

/// Says that it is over when it is dropped.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
