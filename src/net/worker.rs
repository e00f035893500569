//! The workers: one thread each, with a runtime of its own.
//!
//! A request never changes threads: the listener that accepted its connection, what decides it and the
//! connection to its upstream all belong to one worker.

use std::io;
use std::num::NonZeroUsize;
use std::sync::{Arc, mpsc as std_mpsc};
use std::thread::{self, JoinHandle};

use tokio::runtime;
use tokio::sync::mpsc;
use tokio::task::LocalSet;

use crate::config::snapshot::Listen;
use crate::telemetry::Metrics;

use super::drain::Drain;
use super::listen::{ListenError, bind};
use super::reception::{Reception, Service, Totals};
use super::tls::Tls;

/// The workers of one listener.
pub struct Workers {
    listen: Listen,
    threads: Vec<JoinHandle<()>>,
    /// Closed when the last worker has ended.
    running: mpsc::Receiver<()>,
}

impl Workers {
    /// Binds `listen_on` and starts `count` workers, which speak TLS as `tls` says. `service` is called
    /// in each worker's thread, within its runtime, and makes what answers that worker's requests.
    pub fn start<S: Service>(
        listen_on: &Listen,
        tls: &Tls,
        count: NonZeroUsize,
        drain: &Drain,
        metrics: &Arc<Metrics>,
        service: impl Fn() -> S + Send + Sync + 'static,
    ) -> Result<Self, ListenError> {
        let error = |source| ListenError { listen: listen_on.clone(), source };
        let (listen, sockets) = bind(listen_on, count.get()).map_err(error)?;
        let service = Arc::new(service);
        let totals = Arc::<Totals>::default();
        let (alive, running) = mpsc::channel(1);
        let (report, listening) = std_mpsc::channel();
        let mut threads = Vec::with_capacity(sockets.len());
        for (number, socket) in sockets.into_iter().enumerate() {
            let (service, totals, drain) = (service.clone(), totals.clone(), drain.clone());
            let (metrics, alive, report) = (metrics.clone(), alive.clone(), report.clone());
            let tls = tls.clone();
            let runtime = runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.map_err(error)?;
            let work = move || {
                LocalSet::new().block_on(&runtime, async move {
                    let listener = match socket.listen() {
                        Ok(listener) => listener,
                        Err(error) => return drop(report.send(Err(error))),
                    };
                    let reception = Reception::new(service(), tls, drain, metrics, totals);
                    drop(report.send(Ok(())));
                    drop(report);
                    reception.run(listener).await;
                    drop(alive);
                });
            };
            let thread = thread::Builder::new().name(format!("worker-{number}")).spawn(work);
            threads.push(thread.map_err(error)?);
        }
        drop(report);
        listening.iter().collect::<io::Result<()>>().map_err(error)?;
        Ok(Self { listen, threads, running })
    }

    /// Where they listen: the port is the one that the system chose, if it was let.
    pub fn listen(&self) -> &Listen {
        &self.listen
    }

    /// Waits until every worker has ended.
    pub async fn ended(&mut self) {
        while self.running.recv().await.is_some() {}
    }

    /// Waits for the threads, after [`Workers::ended`].
    pub fn join(self) {
        for thread in self.threads {
            // One that panicked has ended too.
            let _ = thread.join();
        }
    }
}
