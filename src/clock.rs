//! The wall clock, for those above the wall.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::policy::UnixTime;

/// The time of this moment. A clock that stands before 1970 cannot be believed: by the latest of all
/// times every token and grant has expired.
pub fn now() -> UnixTime {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).ok();
    let milliseconds = since_epoch.and_then(|time| i64::try_from(time.as_millis()).ok());
    UnixTime::from_milliseconds(milliseconds.unwrap_or(i64::MAX))
}
