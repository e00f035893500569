//! What the gateway tells about itself: decision records, metrics and its own log.
//!
//! Records go to standard output as one JSON line each, metrics are read by the health listener, the log
//! goes to standard error. Nothing here waits for whoever reads it: a reader that is too slow loses
//! records, which are counted, and never holds a request up.

pub mod log;
mod metrics;
mod record;
mod sink;

pub use metrics::{ConnectionError, Metrics, RequestLabels, Requests};
pub use record::{Record, Rfc3339, Ruling};
pub use sink::{Inlet, Recorder, Sink};
