//! `run`: runs the gate until it is told to end.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tokio::runtime::{self, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::app::App;
use crate::reload::Reloader;
use crate::suite::Demand;
use crate::telemetry::log::{self, Log};

use super::{Exit, talk};

/// What `run` takes.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Options {
    /// The file or folder to read.
    #[arg(long, env = "GRANTGATE_CONFIG", default_value = "/etc/grantgate", value_name = "PATH")]
    config: PathBuf,

    /// Take a configuration only when it passes the policy suites that it names, now and when it changes
    #[arg(long)]
    require_tests: bool,
}

const EXAMPLES: &str = "\
Examples:
  # what /etc/grantgate holds
  grantgate run

  # a file, or a folder of files that are read together
  grantgate run --config gateway.yaml
  GRANTGATE_CONFIG=/srv/grantgate grantgate run

Signals:
  SIGHUP reads the files again; they are watched, too
  SIGTERM and SIGINT drain and leave; a second one leaves at once";

/// Runs the gate.
pub fn execute(options: &Options) -> Exit {
    let suites = if options.require_tests { Demand::Always } else { Demand::AsWritten };
    on_control_runtime(async {
        let running = async {
            let signals = Signals::catch()?;
            Ok(until_signalled(start(&options.config, suites).await?, signals).await)
        };
        running.await.unwrap_or_else(|exit| exit)
    })
}

/// Runs `work` on the control side's runtime: everything but the traffic.
pub fn on_control_runtime(work: impl Future<Output = Exit>) -> Exit {
    match control_runtime() {
        Ok(runtime) => {
            let exit = runtime.block_on(work);
            log::flush();
            // What still waits for a file system that hangs is not waited for.
            runtime.shutdown_background();
            exit
        }
        Err(error) => {
            talk(format_args!("grantgate: cannot start: {error}"));
            Exit::Failed
        }
    }
}

/// The runtime of the control side.
pub fn control_runtime() -> io::Result<Runtime> {
    runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()
}

/// Loads the configuration, sets the log up as it says, and binds the gate.
pub async fn start(config: &Path, suites: Demand) -> Result<App, Exit> {
    let reloader = load(config, suites).await?;
    let log = Log::start(&reloader.snapshot().load().log).map_err(|error| {
        talk(format_args!("grantgate: {error}"));
        Exit::Failed
    })?;
    reloader.announce();
    let reloader = reloader.followed_by(move |snapshot| {
        if let Err(error) = log.follow(&snapshot.log) {
            tracing::warn!(%error, "the log stays as it is");
        }
    });
    let app = bind(reloader, io::stdout()).await?;
    let (traffic, health) = (app.traffic(), app.health());
    let health = health.map_or_else(|| "none".to_owned(), |address| address.to_string());
    let admin = app.admin().map_or_else(|| "none".to_owned(), ToString::to_string);
    let management = app.management().map_or_else(|| "none".to_owned(), ToString::to_string);
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"), %traffic, health, admin, management, "listening"
    );
    Ok(app)
}

/// Loads the configuration; says all that is wrong with it.
pub async fn load(config: &Path, suites: Demand) -> Result<Reloader, Exit> {
    Reloader::start_demanding(config, suites).await.map_err(|report| {
        talk(format_args!("{report}"));
        Exit::Failed
    })
}

/// Binds the gate; says what hinders it.
pub async fn bind(reloader: Reloader, records: impl Write + Send + 'static) -> Result<App, Exit> {
    App::bind(reloader, records).await.map_err(|error| {
        talk(format_args!("grantgate: {error}"));
        Exit::Failed
    })
}

/// The signals that a gate heeds.
pub struct Signals {
    hangup: Signal,
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Catches them from now on. To be called before the gate is bound: one that comes as soon as it
    /// listens would end the process on the spot.
    pub fn catch() -> Result<Self, Exit> {
        let catch = |kind| {
            signal(kind).map_err(|error| {
                talk(format_args!("grantgate: signals cannot be caught: {error}"));
                Exit::Failed
            })
        };
        Ok(Self {
            hangup: catch(SignalKind::hangup())?,
            interrupt: catch(SignalKind::interrupt())?,
            terminate: catch(SignalKind::terminate())?,
        })
    }

    async fn end(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Runs the gate until SIGTERM or SIGINT; a second one ends it at once. SIGHUP reloads.
pub async fn until_signalled(mut app: App, mut signals: Signals) -> Exit {
    loop {
        tokio::select! {
            _ = signals.hangup.recv() => app.reload(),
            _ = signals.interrupt.recv() => break,
            _ = signals.terminate.recv() => break,
        }
    }
    tracing::info!("leaving: a second signal ends it at once");
    app.leave(signals.end()).await;
    tracing::info!("left");
    Exit::Yes
}
