//! The program, put together: everything is bound, run, and brought to its end.
//!
//! The traffic side is a number of workers, a thread each, which share nothing but the running snapshot
//! and keys. The control side is the runtime that this is called on: reloading, keys, health and metrics.

mod sight;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::admin::{Admin, Health};
use crate::clock::now;
use crate::config::snapshot::{self, Listen, Snapshot};
use crate::config::tls::ServerTls;
use crate::guard::Guard;
use crate::keyring::{self, KeyRing};
use crate::management::{self, Writer, WritesEnded};
use crate::net::fetch::Fetcher;
use crate::net::{Drain, ListenError, Tls, Workers, room};
use crate::proxy::{Door, Via};
use crate::reload::{self, Reloader, Status, Trigger};
use crate::telemetry::{Metrics, Sink};

use sight::Sight;

/// A gateway that listens.
pub struct App {
    reloader: Arc<Reloader>,
    workers: Workers,
    health: Option<SocketAddr>,
    admin: Option<Listen>,
    management: Option<Management>,
    drain: Drain,
    sink: Sink,
    /// What runs beside; ends with the gateway.
    control: JoinSet<()>,
}

/// The door for those who manage.
struct Management {
    workers: Workers,
    writes: WritesEnded,
}

/// For a write that is under way when the gateway leaves: a file system that hangs must not keep it.
const LAST_WRITES: Duration = Duration::from_secs(5);

/// Why a gateway cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address cannot be listened on.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The system refuses something.
    #[error("the system refuses to start the gateway: {0}")]
    System(#[from] io::Error),
}

impl App {
    /// Binds everything that the configuration of `reloader` names and begins to serve. Decision records
    /// are written to `records`.
    ///
    /// # Errors
    /// When an address is taken, or the system has no more threads or sockets.
    pub async fn bind(
        reloader: Reloader,
        records: impl Write + Send + 'static,
    ) -> Result<Self, StartError> {
        let snapshot = reloader.snapshot();
        let (started_at, metrics) = (now(), Arc::new(Metrics::new()));
        #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
        metrics.start_time.set(started_at.milliseconds() as f64 / 1e3);
        metrics.follow(&snapshot.load());
        let sink = Sink::start(records, metrics.clone())?;
        let keyring = Arc::new(KeyRing::start(&snapshot.load().issuers, Fetcher::new(), {
            let metrics = metrics.clone();
            move |issuer, outcome| {
                metrics.keys_refresh(issuer, refreshed(outcome));
            }
        }));
        let tls = Tls::of(snapshot.load().server.tls.as_ref());
        let management_tls = Tls::of(management_tls_of(&snapshot.load()));
        let listeners = [tls.clone(), management_tls.clone()];
        let reloader = Arc::new(followed(reloader, &keyring, &metrics, listeners));

        let (drain, mut control) = (Drain::new(), JoinSet::new());
        let settings = snapshot.load();
        let sight = Sight {
            snapshot: snapshot.clone(),
            reloader: reloader.clone(),
            reloads: reloader.status(),
            keyring: keyring.clone(),
            metrics: metrics.clone(),
            started_at,
        };
        let health = match settings.health {
            None => None,
            Some(address) => Some(Health::bind(address, drain.clone(), sight.vitals()).await?),
        };
        let admin = match &settings.admin {
            None => None,
            Some(admin) => bind_admin(admin).await?,
        };

        warn_of_little_room(settings.limits.connections);

        let (keys, requests, via) = (keyring.keys(), keyring.requests(), Via::new());
        let guard = {
            let (snapshot, metrics) = (snapshot.clone(), metrics.clone());
            move || Guard::new(&snapshot, &keys, requests.clone(), metrics.clone())
        };
        let service = {
            let (guard, metrics, inlet) = (guard.clone(), metrics.clone(), sink.inlet());
            move || Door::new(guard(), &via, &metrics, inlet.clone())
        };
        let count = settings.server.workers.or_else(|| available_parallelism().ok());
        let count = count.unwrap_or(NonZeroUsize::MIN);
        let workers =
            Workers::start(&settings.server.listen, &tls, count, &drain, &metrics, service)?;
        let management = settings.management.as_ref().map(|management| {
            let (writer, ended) = Writer::new(reloader.clone(), keyring.keys(), sink.inlet());
            let service = {
                let (metrics, inlet) = (metrics.clone(), sink.inlet());
                move || management::Door::new(guard(), writer.clone(), &metrics, inlet.clone())
            };
            let (listen, one) = (Listen::Tcp(management.listen), NonZeroUsize::MIN);
            let workers = Workers::start(&listen, &management_tls, one, &drain, &metrics, service)?;
            Ok::<_, ListenError>(Management { workers, writes: ended })
        });
        let management = management.transpose()?;

        control.spawn({
            let reloader = reloader.clone();
            async move { reload::watch(&reloader).await }
        });
        let at = health.as_ref().map(Health::address).transpose()?;
        let admin_at = admin.as_ref().map(Admin::address).transpose()?;
        if let Some(admin) = admin {
            let managed_at = management.as_ref().map(|it| it.workers.listen());
            let state = sight.state(count.get(), admin_at.as_ref(), managed_at, &drain);
            control.spawn(admin.run(drain.clone(), state, sight.grounds()));
        }
        if let Some(health) = health {
            control.spawn(health.run());
        }
        Ok(Self {
            reloader,
            workers,
            health: at,
            admin: admin_at,
            management,
            drain,
            sink,
            control,
        })
    }

    /// Where requests are taken.
    pub fn traffic(&self) -> &Listen {
        self.workers.listen()
    }

    /// Where health and metrics are answered.
    pub fn health(&self) -> Option<SocketAddr> {
        self.health
    }

    /// Where the state is told.
    pub fn admin(&self) -> Option<&Listen> {
        self.admin.as_ref()
    }

    /// Where the Management API is answered.
    pub fn management(&self) -> Option<&Listen> {
        self.management.as_ref().map(|management| management.workers.listen())
    }

    /// How the configuration stands; it changes with the end of each attempt to take it over.
    pub fn status(&self) -> watch::Receiver<Status> {
        self.reloader.status()
    }

    /// Has the configuration looked at now, because somebody asked for it. Does not wait: a file system
    /// that hangs must not keep a signal to end from being heard.
    pub fn reload(&mut self) {
        while self.control.try_join_next().is_some() {}
        let reloader = self.reloader.clone();
        self.control.spawn(async move { drop(reloader.attempt(Trigger::Signal).await) });
    }

    /// Leaves in order: unready first, then closed, then when nothing is in flight or the deadline is over.
    /// `hurry` breaks it off at once.
    pub async fn leave(mut self, hurry: impl Future<Output = ()>) {
        let server = self.reloader.snapshot().load().server.clone();
        let mut management = self.management;
        let idle = async {
            self.workers.ended().await;
            if let Some(Management { workers, .. }) = &mut management {
                workers.ended().await;
            }
        };
        self.drain.leave(server.drain_delay, server.drain_deadline, idle, hurry).await;
        self.workers.ended().await;
        self.workers.join();
        if let Some(Management { mut workers, writes }) = management {
            workers.ended().await;
            workers.join();
            if timeout(LAST_WRITES, writes.wait()).await.is_err() {
                tracing::warn!("a write of the Management API had not come to its end");
            }
        }
        self.control.shutdown().await;
        if timeout(LAST_WRITES, self.reloader.leave()).await.is_err() {
            tracing::warn!("files that were replaced are still there: their file system hangs");
        }
        self.sink.finish();
    }
}

/// The reloader, with all that follows the running configuration: keys, metrics, and TLS of the traffic
/// listener and of the Management API's.
fn followed(
    reloader: Reloader,
    keyring: &Arc<KeyRing>,
    metrics: &Arc<Metrics>,
    [tls, management_tls]: [Tls; 2],
) -> Reloader {
    // While one snapshot takes the other's place, requests may hold either: both find their keys. Of an
    // issuer whose source changes, the one that decides comes last, and counts.
    let prepare = {
        let keyring = keyring.clone();
        move |running: &Snapshot, next: &Snapshot| {
            let both = [next.issuers.as_slice(), running.issuers.as_slice()].concat();
            keyring.reconcile(&both);
        }
    };
    let follow = {
        let (keyring, metrics) = (keyring.clone(), metrics.clone());
        move |snapshot: &Snapshot| {
            keyring.reconcile(&snapshot.issuers);
            metrics.follow(snapshot);
        }
    };
    let observe = {
        let metrics = metrics.clone();
        move |status: &Status| metrics.config_reload(status.last.as_str())
    };
    let follow_tls = move |snapshot: &Snapshot| {
        tls.follow(snapshot.server.tls.as_ref());
        management_tls.follow(management_tls_of(snapshot));
    };
    reloader.prepared_by(prepare).followed_by(follow).followed_by(follow_tls).observed_by(observe)
}

/// TLS of the Management API, where there is one.
fn management_tls_of(snapshot: &Snapshot) -> Option<&ServerTls> {
    snapshot.management.as_ref().map(|management| &management.tls)
}

/// Listens for those who run the gateway. That nobody asked for it must not keep the gateway from starting
/// where another one, on the same machine, came first.
async fn bind_admin(settings: &snapshot::Admin) -> Result<Option<Admin>, ListenError> {
    match Admin::bind(&settings.listen).await {
        Ok(admin) => Ok(Some(admin)),
        Err(error) if settings.required => Err(error),
        Err(error) => {
            tracing::warn!(%error, "`/status` is not answered: `admin.listen` is not written, and its default is taken");
            Ok(None)
        }
    }
}

/// Says so when there may be fewer connections than are configured.
fn warn_of_little_room(connections: usize) {
    let room = room();
    if room < connections {
        tracing::warn!(
            room,
            "the limit of open files (`ulimit -n`) leaves room for fewer connections than `limits.connections`"
        );
    }
}

/// How a fetch of keys ended, as a label.
fn refreshed(outcome: &keyring::Outcome) -> &'static str {
    match outcome {
        Ok(fetched) if fetched.not_modified => "not_modified",
        Ok(_) => "fetched",
        Err(_) => "failed",
    }
}
