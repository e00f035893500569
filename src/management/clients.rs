//! clients

use super::{Answer, Asked, Fault};
use crate::config::snapshot::Snapshot;

pub(super) fn read(snapshot: &Snapshot, asked: &Asked) -> Result<Answer, Fault> {
    let _ = (snapshot, asked);
    Err(Fault::not_found("not yet"))
}
