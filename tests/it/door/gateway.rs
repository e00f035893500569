//! A gateway with one API behind it, in this process, on ports that the system chose.

use std::io::Write;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use grantgate::config::snapshot::{Listen, Snapshot};
use grantgate::config::{Source, Style, load};
use grantgate::guard::Guard;
use grantgate::keyring::KeyRing;
use grantgate::live::Live;
use grantgate::net::fetch::Fetcher;
use grantgate::net::{Drain, Phase, Tls, Workers};
use grantgate::proxy::{Door, Via};
use grantgate::telemetry::{Metrics, Sink};
use serde_json::{Value, json};
use tokio::runtime::{self, Runtime};

use crate::disk::{Fake, NOW};

use super::client::{Client, PATIENCE};

/// What `LONG_SECRET` is.
const SECRET: [u8; 64] = [b's'; 64];

pub struct Gateway {
    /// Where it listens, unless on a unix socket.
    pub address: SocketAddr,
    pub drain: Drain,
    metrics: Arc<Metrics>,
    snapshot: Live<Snapshot>,
    tls: Tls,
    workers: Option<Workers>,
    sink: Option<Sink>,
    records: Receiver<Vec<u8>>,
    control: Runtime,
    _keyring: KeyRing,
}

/// The configuration of an API at `upstream`; `more` is written into its gate, `top` beside it.
pub fn configuration(upstream: SocketAddr, more: &str, top: &str) -> String {
    let server = if top.contains("server:") { "" } else { "server: {listen: \"127.0.0.1:0\"}" };
    format!(
        r#"
{server}
issuers: [{{issuer: "https://issuer.example/", profile: auth0, jwks_file: jwks.json}}]
resource_servers:
  - identifier: https://orders.example.com
    scopes: [{{value: "read:orders"}}, {{value: "write:orders"}}]
    subject_type_authorization: {{user: {{policy: require_client_grant}}, client: {{policy: require_client_grant}}}}
    gate:
      upstream: http://{upstream}
      hs_secret: "${{env:LONG_SECRET}}"
      operations:
        - {{on: "GET /orders/{{id}}", scopes: ["read:orders"]}}
        - {{on: "POST,PUT /orders/*", scopes: ["read:orders"]}}
        - {{on: "DELETE /orders/{{id}}", scopes: ["write:orders"]}}
        - {{on: "GET,POST /open/*", public: true}}
      {more}
client_grants:
  - {{client_id: batch, scope: ["read:orders"], owner: orders-team@example.com}}
{top}
"#
    )
}

pub fn snapshot(text: &str) -> Arc<Snapshot> {
    let sources = [Source::new("gateway.yaml", text)];
    match load(&sources, &Fake { folder: Path::new("/nowhere") }, NOW) {
        Ok(loaded) => Arc::new(loaded.snapshot),
        Err(report) => panic!("{}\n{text}", report.render(Style::Plain)),
    }
}

impl Gateway {
    pub fn before(upstream: SocketAddr) -> Self {
        Self::start(&configuration(upstream, "", ""))
    }

    pub fn start(text: &str) -> Self {
        Self::running(snapshot(text))
    }

    pub fn running(snapshot: Arc<Snapshot>) -> Self {
        Self::following(Live::new(snapshot))
    }

    /// One whose configuration somebody else replaces.
    pub fn following(snapshot: Live<Snapshot>) -> Self {
        let control =
            runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let first = snapshot.load();
        let listen = first.server.listen.clone();
        let tls = Tls::of(first.server.tls.as_ref());
        let keyring = {
            let _context = control.enter();
            KeyRing::start(&first.issuers, Fetcher::new(), |_, _| {})
        };
        let (drain, metrics) = (Drain::new(), Arc::new(Metrics::new()));
        let (lines, records) = mpsc::channel();
        let sink = Sink::start(Lines(Mutex::new(lines)), metrics.clone()).unwrap();
        let door = {
            let (snapshot, keys, requests) = (snapshot.clone(), keyring.keys(), keyring.requests());
            let (via, metrics, inlet) = (Via::new(), metrics.clone(), sink.inlet());
            move || {
                let guard = Guard::new(&snapshot, &keys, requests.clone(), metrics.clone());
                Door::new(guard, &via, &metrics, inlet.clone())
            }
        };
        let count = first.server.workers.unwrap_or(NonZeroUsize::new(2).unwrap());
        let workers = Workers::start(&listen, &tls, count, &drain, &metrics, door).unwrap();
        let address = match workers.listen() {
            Listen::Tcp(address) => *address,
            Listen::Unix(_) => SocketAddr::from(([0, 0, 0, 0], 0)),
        };
        let (workers, sink) = (Some(workers), Some(sink));
        Self {
            address,
            drain,
            metrics,
            snapshot,
            tls,
            workers,
            sink,
            records,
            control,
            _keyring: keyring,
        }
    }

    pub fn client(&self) -> Client {
        Client::connect(self.address)
    }

    /// What a counter says, in Prometheus' text.
    pub fn counts(&self, line: &str) -> bool {
        self.metrics.render().lines().any(|other| other == line)
    }

    /// Waits until a counter says so.
    pub fn wait_for_count(&self, line: &str) {
        let begun = Instant::now();
        while !self.counts(line) {
            assert!(begun.elapsed() < PATIENCE, "{}", self.metrics.render());
            thread::yield_now();
        }
    }

    /// What stands behind the name and labels of a series.
    pub fn number(&self, series: &str) -> Option<f64> {
        let text = self.metrics.render();
        let number = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        number.map(|number| number.parse().unwrap())
    }

    pub fn reload(&self, text: &str) {
        let mut snapshot = snapshot(text);
        let generation = self.snapshot.load().generation + 1;
        Arc::get_mut(&mut snapshot).unwrap().generation = generation;
        self.take_over(snapshot);
    }

    pub fn take_over(&self, snapshot: Arc<Snapshot>) {
        self.tls.follow(snapshot.server.tls.as_ref());
        self.snapshot.replace(snapshot);
    }

    /// Closes, waits for what is in flight, and gives the records.
    pub fn finish(mut self) -> Vec<Value> {
        self.drain.advance(Phase::Closing);
        self.wait();
        self.records
            .try_iter()
            .flat_map(|batch| {
                let lines = String::from_utf8(batch).unwrap();
                lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<_>>()
            })
            .collect()
    }

    pub fn wait(&mut self) {
        if let Some(mut workers) = self.workers.take() {
            self.control.block_on(workers.ended());
            workers.join();
        }
        if let Some(sink) = self.sink.take() {
            sink.finish();
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.drain.advance(Phase::Gone);
        self.wait();
    }
}

struct Lines(Mutex<mpsc::Sender<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let _ = self.0.lock().unwrap().send(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A token of a machine, `claims` put over the usual ones; null takes one away.
pub fn token_with(claims: &Value) -> String {
    token_of(r#"{"alg":"HS256","typ":"at+jwt"}"#, claims)
}

/// The same under another head, signed as ever.
pub fn token_of(head: &str, claims: &Value) -> String {
    let encode = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
    let message = format!("{}.{}", encode(head), encode(&claims_with(claims).to_string()));
    let key = hmac::Key::new(hmac::HMAC_SHA256, &SECRET);
    let signature = hmac::sign(&key, message.as_bytes());
    format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature.as_ref()))
}

/// The usual claims, with `claims` put over them; null takes one away.
pub fn claims_with(claims: &Value) -> Value {
    let mut all = json!({
        "iss": "https://issuer.example/", "aud": "https://orders.example.com",
        "sub": "batch@clients", "azp": "batch", "gty": "client-credentials",
        "scope": "read:orders", "iat": 1_700_000_000, "exp": 4_000_000_000_u64,
    });
    for (name, value) in claims.as_object().unwrap() {
        all[name] = value.clone();
    }
    all.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    all
}

/// The token of the application that has a grant.
pub fn token() -> String {
    token_with(&json!({}))
}

/// A request with that token; `more` are further header fields, each with its line end.
pub fn request(line: &str, more: &str) -> String {
    let token = token();
    format!(
        "{line} HTTP/1.1\r\nhost: orders.example.com\r\nauthorization: Bearer {token}\r\n{more}\r\n"
    )
}
