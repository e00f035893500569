//! The gateway's own log: lines for people, or of JSON, on standard error.

mod lines;

use std::io::{self, IsTerminal};
use std::sync::OnceLock;
use std::time::Duration;

use tracing_subscriber::filter::ParseError;
use tracing_subscriber::layer::{Layered, SubscriberExt};
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, reload};

use crate::config::snapshot::{self, LogFormat};

use lines::Lines;

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The filter cannot be read.
    #[error("the log level cannot be read: {0}")]
    Filter(#[from] ParseError),
    /// The process has a log already.
    #[error("the log cannot be set up: {0}")]
    Init(#[from] TryInitError),
    /// The system gives no thread.
    #[error("the log cannot be written: {0}")]
    Thread(#[from] io::Error),
    /// The log is gone.
    #[error("the log cannot be changed: {0}")]
    Reload(#[from] reload::Error),
}

/// What is written to, once what is written was chosen.
type Filtered = Layered<reload::Layer<EnvFilter, Registry>, Registry>;

type Form = Box<dyn Layer<Filtered> + Send + Sync>;

/// Where the lines of this process go.
static LINES: OnceLock<Lines> = OnceLock::new();

/// For what was logged last: a reader that takes nothing must not keep the program from ending.
const LAST_WRITE: Duration = Duration::from_secs(1);

/// The log of this process; its level and format can change while it runs.
pub struct Log {
    filter: reload::Handle<EnvFilter, Registry>,
    form: reload::Handle<Form, Filtered>,
    lines: Lines,
}

impl Log {
    /// Sets the process's log up.
    pub fn start(settings: &snapshot::Log) -> Result<Self, LogError> {
        let (choice, filter) = reload::Layer::new(EnvFilter::try_new(&settings.level)?);
        let lines = Lines::start(io::stderr())?;
        let (written, form_handle) = reload::Layer::new(form(settings.format, &lines));
        tracing_subscriber::registry().with(choice).with(written).try_init()?;
        let lines = LINES.get_or_init(|| lines).clone();
        Ok(Self { filter, form: form_handle, lines })
    }

    /// Logs as `settings` say from now on.
    pub fn follow(&self, settings: &snapshot::Log) -> Result<(), LogError> {
        self.filter.reload(EnvFilter::try_new(&settings.level)?)?;
        Ok(self.form.reload(form(settings.format, &self.lines))?)
    }
}

/// Waits until what was logged is written. To be called before the process ends.
pub fn flush() {
    if let Some(lines) = LINES.get() {
        lines.flush(LAST_WRITE);
    }
}

fn form(format: LogFormat, lines: &Lines) -> Form {
    lines.are_json(format == LogFormat::Json);
    let layer = fmt::layer().with_writer(lines.clone());
    match format {
        LogFormat::Json => layer.json().flatten_event(true).boxed(),
        LogFormat::Text => layer.with_ansi(io::stderr().is_terminal()).boxed(),
    }
}
