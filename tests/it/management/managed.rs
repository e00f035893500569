//! A gateway with a Management API, in this process, on ports that the system chose, and a client of it.

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};

use grantgate::app::App;
use grantgate::config::snapshot::Listen;
use grantgate::reload::{Applied, Reloader, Status};
use rustls::ClientConfig;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::{self, Runtime};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::certificates::{Authority, TlsStream, client};
use crate::disk::rename_over;
use crate::door::client::{Answer, Client, PATIENCE};
use crate::signing::Key;

/// The name that the certificate is for.
pub const NAME: &str = "grants.example.com";

/// The secret of `tool`, and of `reader`.
pub const SECRET: &str = "the secret of a tool: 32 bytes and more";
pub const OTHER_SECRET: &str = "the secret of a reader: 32 bytes and more";

/// What `tool` may do, and `reader`.
const ALL: &str = "\"read:client_grants\", \"create:client_grants\", \"update:client_grants\", \
    \"delete:client_grants\", \"read:resource_servers\", \"create:resource_servers\", \
    \"update:resource_servers\", \"delete:resource_servers\", \"read:clients\", \
    \"read:organization_client_grants\", \"create:organization_client_grants\", \
    \"delete:organization_client_grants\"";

pub struct Managed {
    pub folder: TempDir,
    pub authority: Authority,
    /// Of an issuer whose tokens the Management API takes.
    pub issuer: Key,
    pub address: SocketAddr,
    /// Where the APIs are.
    pub traffic: SocketAddr,
    pub health: SocketAddr,
    app: Option<App>,
    status: watch::Receiver<Status>,
    control: Runtime,
    records: Receiver<Vec<u8>>,
}

impl Managed {
    pub fn start() -> Self {
        Self::with("")
    }

    /// With `more` in the section.
    pub fn with(more: &str) -> Self {
        let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new());
        let issuer = Key::new();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        let shown = authority.sign(NAME);
        write("tls.crt", &shown.certificate);
        write("tls.key", &shown.key);
        write("tool.secret", SECRET);
        write("reader.secret", OTHER_SECRET);
        write("issuer.jwks", &json!({"keys": [issuer.jwk("1")]}).to_string());
        write("gateway.yaml", &configuration(folder.path(), more));
        let control =
            runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (lines, records) = mpsc::channel();
        let app = control.block_on(async {
            let reloader = Reloader::start(folder.path()).await;
            let reloader = reloader.unwrap_or_else(|report| panic!("{report}"));
            App::bind(reloader, Lines(Mutex::new(lines))).await.unwrap()
        });
        let (Some(Listen::Tcp(address)), Listen::Tcp(traffic)) = (app.management(), app.traffic())
        else {
            panic!("it listens elsewhere");
        };
        let (address, traffic) = (*address, *traffic);
        let (status, health) = (app.status(), app.health().unwrap());
        Self {
            folder,
            authority,
            issuer,
            address,
            traffic,
            health,
            app: Some(app),
            status,
            control,
            records,
        }
    }

    pub fn trusting(&self) -> Arc<ClientConfig> {
        self.authority.trusted_by_client(None)
    }

    pub fn client(&self) -> Client<TlsStream> {
        client(&self.trusting(), self.address, NAME).unwrap()
    }

    /// Sends a request without credentials; `more` are header fields, each with its line end.
    pub fn ask(&self, line: &str, more: &str, body: &str) -> Answer {
        self.client().ask(request(line, more, body))
    }

    /// The answer to a request for a token.
    pub fn asked_token(&self, form: &str) -> Answer {
        let kind = "content-type: application/x-www-form-urlencoded\r\n";
        self.ask("POST /oauth/token", kind, form)
    }

    /// `Authorization` of a client, with its line end.
    pub fn authorized(&self, client: &str, secret: &str) -> String {
        let answer = self.asked_token(&form(client, secret));
        assert_eq!(answer.status, 200, "{}", answer.text());
        format!("authorization: Bearer {}\r\n", json(&answer)["access_token"].as_str().unwrap())
    }

    /// The same of who may do everything.
    pub fn tool(&self) -> String {
        self.authorized("tool", SECRET)
    }

    /// The same of who may only read client grants.
    pub fn reader(&self) -> String {
        self.authorized("reader", OTHER_SECRET)
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap()
    }

    /// Changes a file, and waits until that decides; what it brings.
    pub fn edit(&mut self, name: &str, change: impl Fn(&str) -> String) -> Arc<Applied> {
        let text = change(&self.read(name));
        self.replace(&[(name, &text)])
    }

    /// The same with several files, each by its new text.
    pub fn replace(&mut self, files: &[(&str, &str)]) -> Arc<Applied> {
        let before = self.status.borrow().generation;
        for (name, text) in files {
            rename_over(&self.folder.path().join(name), text);
        }
        let decides = self.status.wait_for(|status| status.generation != before);
        self.control
            .block_on(async { timeout(PATIENCE, decides).await.unwrap().unwrap().running.clone() })
    }

    /// Ends the gateway in order.
    pub fn leave(&mut self) {
        if let Some(app) = self.app.take() {
            self.control.block_on(app.leave(std::future::pending()));
        }
    }

    /// Ends the gateway, and gives what it told, line by line.
    pub fn finish(mut self) -> Vec<Value> {
        self.leave();
        let text: Vec<u8> = self.records.try_iter().flatten().collect();
        let text = String::from_utf8(text).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Drop for Managed {
    fn drop(&mut self) {
        if let Some(app) = self.app.take() {
            self.control.block_on(app.leave(std::future::ready(())));
        }
    }
}

fn configuration(folder: &Path, more: &str) -> String {
    let file = |name: &str| folder.join(name).display().to_string();
    let (tool, reader) = (file("tool.secret"), file("reader.secret"));
    format!(
        r#"# What runs here.
server: {{listen: "127.0.0.1:0", workers: 1, drain_delay: 0s}}
health: {{listen: "127.0.0.1:0"}}
admin: {{listen: none}}
reload: {{poll: 1s, quiet: 1ms}}
management:
  listen: "127.0.0.1:0"
  tls: {{cert: tls.crt, key: tls.key}}
  issuers: ["https://issuer.example/"]
  clients:
    - {{client_id: tool, client_secret: "${{file:{tool}}}"}}
    - {{client_id: reader, client_secret: "${{file:{reader}}}"}}
    - {{client_id: nobody, client_secret: "${{file:{tool}}}"}}
  {more}
issuers:
  - {{issuer: "https://issuer.example/", profile: rfc9068, jwks_file: issuer.jwks}}
resource_servers:
  - identifier: https://orders.example.com
    scopes: [{{value: "read:orders"}}, {{value: "write:orders"}}]
    subject_type_authorization: {{user: {{policy: require_client_grant}}, client: {{policy: require_client_grant}}}}
    gate:
      upstream: http://127.0.0.1:9
      operations: [{{on: "GET /orders/*", scopes: ["read:orders"]}}]
client_grants:
  # The batch job of the warehouse.
  - {{client_id: batch, audience: "https://orders.example.com", scope: ["read:orders"]}}
  - {{client_id: tool, audience: "urn:grantgate:management", scope: [{ALL}]}}
  - {{client_id: reader, audience: "urn:grantgate:management", scope: ["read:client_grants"]}}
"#
    )
}

/// A request as bytes, with the length of its body where it has one.
pub fn request(line: &str, more: &str, body: &str) -> String {
    let length = match body.len() {
        0 => String::new(),
        length => format!("content-length: {length}\r\n"),
    };
    format!("{line} HTTP/1.1\r\nhost: {NAME}:9443\r\n{more}{length}\r\n{body}")
}

/// What a client sends for a token.
pub fn form(client: &str, secret: &str) -> String {
    let secret = secret.replace(' ', "+").replace(':', "%3A");
    format!("grant_type=client_credentials&client_id={client}&client_secret={secret}")
}

pub fn json(answer: &Answer) -> Value {
    let kind = Some("application/json; charset=utf-8");
    assert_eq!(answer.one("content-type"), kind, "{}", answer.head);
    serde_json::from_slice(&answer.body).unwrap()
}

/// Status, `errorCode` and message of a fault; it says its status twice.
pub fn fault(answer: &Answer) -> (u16, String, String) {
    let body = json(answer);
    assert_eq!(body["statusCode"], answer.status, "{body}");
    assert!(body["error"].as_str().is_some_and(|error| !error.is_empty()), "{body}");
    let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
    (answer.status, text("errorCode"), text("message"))
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
