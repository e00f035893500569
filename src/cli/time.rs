//! A time on the command line: `--at 2030-01-01T00:00:00Z`.

use crate::config::instant;
use crate::policy::UnixTime;

/// Reads date, time and zone (RFC 3339).
///
/// # Errors
/// With what to write instead.
pub fn parse(text: &str) -> Result<UnixTime, String> {
    instant(text).ok_or_else(|| "write date, time and zone: 2030-01-01T00:00:00Z".to_owned())
}
