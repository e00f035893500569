//! The gateway's own log: lines for people, on standard error.

use std::io::{self, IsTerminal};

use tracing_subscriber::filter::ParseError;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{EnvFilter, Registry, fmt, reload};

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The filter cannot be read.
    #[error("the log level cannot be read: {0}")]
    Filter(#[from] ParseError),
    /// The process has a log already.
    #[error("the log cannot be set up: {0}")]
    Init(#[from] TryInitError),
    /// The log is gone.
    #[error("the log level cannot be changed: {0}")]
    Reload(#[from] reload::Error),
}

/// The log of this process; its level can change while it runs.
pub struct Log(reload::Handle<EnvFilter, Registry>);

impl Log {
    /// Sets the process's log up. `level` is a `tracing` filter such as `info`.
    pub fn start(level: &str) -> Result<Self, LogError> {
        let (filter, handle) = reload::Layer::new(EnvFilter::try_new(level)?);
        let lines = fmt::layer().with_writer(io::stderr).with_ansi(io::stderr().is_terminal());
        tracing_subscriber::registry().with(filter).with(lines).try_init()?;
        Ok(Self(handle))
    }

    /// Logs by another level from now on.
    pub fn set_level(&self, level: &str) -> Result<(), LogError> {
        Ok(self.0.reload(EnvFilter::try_new(level)?)?)
    }
}
