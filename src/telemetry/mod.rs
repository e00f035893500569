//! What the gateway tells about itself: decision records, metrics and its own log.
//!
//! Records go to standard output as one JSON line each, metrics are read by the health listener, the log
//! goes to standard error. Nothing here waits for whoever reads it: a reader that is too slow loses
//! records, which are counted, and never holds a request up.

mod json;
pub mod log;
mod metrics;
mod record;
mod sink;

pub use crate::policy::Rfc3339;
pub use json::write_json;
pub use metrics::{
    ConnectionError, Counter, Gauge, Histogram, MEDIA_TYPE, Metrics, RequestLabels, Requests,
};
pub use record::{Record, Ruling};
pub use sink::{Inlet, Recorder, Sink};
