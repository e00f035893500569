//! The gateway as it runs, in this process, on a configuration on disk.

use std::fs;
use std::future::pending;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use grantgate::app::App;
use grantgate::config::snapshot::{Listen, Snapshot};
use grantgate::policy::Holder;
use grantgate::reload::{ReloadOutcome, Reloader, Status};
use serde_json::json;
use tempfile::TempDir;
use tokio::runtime::{self, Runtime};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::door::client::{Answer, Client, PATIENCE};
use crate::door::gateway::token_with;
use crate::door::upstream::Upstream;

/// Configurations of one API, and what stands around them and does not change.
pub struct World {
    folder: TempDir,
    upstream: SocketAddr,
}

impl World {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // It answers for as long as the process runs; what it received nobody looks at.
        let world = Self { folder, upstream: Upstream::start().address };
        fs::write(world.secret(), [b's'; 64]).unwrap();
        world
    }

    /// The file that the secret of all tokens is in.
    pub fn secret(&self) -> PathBuf {
        self.folder.path().join("secret")
    }

    /// A configuration that lets `clients` read, and `last` of whom nothing else is said. It is told
    /// whole by its last grant; `reload` are further keys of that section.
    pub fn text(&self, clients: &[&str], reload: &str) -> String {
        let grants: Vec<_> = clients
            .iter()
            .chain(["last"].iter())
            .map(|id| format!("  - client_id: {id}\n    scope: [\"read:orders\"]\n"))
            .collect();
        let grants = grants.concat();
        let (upstream, secret) = (self.upstream, self.secret().display().to_string());
        format!(
            r#"server: {{listen: "127.0.0.1:0", workers: 2, drain_delay: 0s, drain_deadline: 5s}}
health: {{listen: "127.0.0.1:0"}}
log: {{level: "off"}}
reload: {{poll: 1h, {reload}}}
issuers: [{{issuer: "https://issuer.example/", profile: auth0, jwks: {{keys: []}}}}]
resource_servers:
  - identifier: https://orders.example.com
    scopes: [{{value: "read:orders"}}]
    subject_type_authorization: {{user: {{policy: deny_all}}, client: {{policy: require_client_grant}}}}
    gate:
      upstream: http://{upstream}
      hs_secret: "${{file:{secret}}}"
      operations:
        - {{on: "GET /orders/*", scopes: ["read:orders"]}}
client_grants:
{grants}...
"#
        )
    }
}

/// Whom a configuration lets in, in the order of their names.
pub fn clients(snapshot: &Snapshot) -> Vec<String> {
    let grants = snapshot.apis.iter().flat_map(|served| served.api.grants.iter());
    let mut clients: Vec<_> = grants
        .map(|(_, holder, _)| match holder {
            Holder::Client(client) => client.as_str().to_owned(),
            Holder::ThirdPartyClients => "third parties".to_owned(),
        })
        .collect();
    clients.sort();
    clients
}

pub struct Gate {
    runtime: Runtime,
    app: Option<App>,
    pub address: SocketAddr,
    pub health: SocketAddr,
    pub status: watch::Receiver<Status>,
    /// How each attempt ended.
    pub attempts: Arc<Mutex<Vec<Status>>>,
}

impl Gate {
    pub fn start(config: &Path) -> Self {
        Self::told(config, |_| {})
    }

    /// Lets `tell` know of every snapshot but the first.
    pub fn told(config: &Path, tell: impl Fn(&Snapshot) + Send + Sync + 'static) -> Self {
        let runtime =
            runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let attempts = Arc::new(Mutex::new(Vec::new()));
        let app = runtime.block_on(async {
            let reloader =
                Reloader::start(config).await.unwrap_or_else(|report| panic!("{report}"));
            let attempts = attempts.clone();
            let observe = move |status: &Status| attempts.lock().unwrap().push(status.clone());
            App::bind(reloader.followed_by(tell).observed_by(observe), std::io::sink())
                .await
                .unwrap()
        });
        let &Listen::Tcp(address) = app.traffic() else { panic!("{}", app.traffic()) };
        let (health, status) = (app.health().unwrap(), app.status());
        let mut gate = Self { runtime, app: Some(app), address, health, status, attempts };
        // The first look of the eyes, after they have opened.
        gate.until(|status| matches!(status.last, ReloadOutcome::Unchanged));
        gate
    }

    pub fn until(&mut self, reached: impl FnMut(&Status) -> bool) -> Status {
        let status = &mut self.status;
        let waited =
            self.runtime.block_on(async { timeout(PATIENCE, status.wait_for(reached)).await });
        waited.expect("nothing was seen").unwrap().clone()
    }

    pub fn until_applied(&mut self, generation: u64) {
        self.until(|status| status.generation >= generation);
    }

    pub fn until_kept(&mut self) -> String {
        let status = self.until(|status| matches!(status.last, ReloadOutcome::Kept(_)));
        match status.last {
            ReloadOutcome::Kept(report) => report.to_string(),
            other => panic!("{other:?}"),
        }
    }

    pub fn generation(&self) -> u64 {
        self.status.borrow().generation
    }

    /// How many tasks the control side has.
    pub fn tasks(&self) -> usize {
        self.runtime.metrics().num_alive_tasks()
    }

    pub fn client(&self) -> Client {
        Client::connect(self.address)
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        if let Some(app) = self.app.take() {
            self.runtime.block_on(app.leave(pending()));
        }
    }
}

/// A request of an application, with its own token.
pub fn request_of(client: &str) -> String {
    request_with(&token_with(&json!({"azp": client, "sub": format!("{client}@clients")})))
}

/// A request with a token.
pub fn request_with(token: &str) -> String {
    format!(
        "GET /orders/1 HTTP/1.1\r\nhost: orders.example.com\r\nauthorization: Bearer {token}\r\n\r\n"
    )
}

/// A status, and the code of a refusal.
pub fn told(answer: &Answer) -> (u16, String) {
    let code = if answer.status == 200 { String::new() } else { answer.code() };
    (answer.status, code)
}
