//! A time on the command line (`--at`): as RFC 3339 writes it.

use crate::config::instant;
use crate::policy::UnixTime;

/// Reads a time.
///
/// # Errors
/// When it is none.
pub fn time(text: &str) -> Result<UnixTime, String> {
    instant(text).ok_or_else(|| "write it as `2030-01-01T00:00:00Z`".to_owned())
}
