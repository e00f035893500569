//! Tenant exports (`tenant.yaml` of auth0-deploy-cli) among the files: which files are some, and
//! whether they are whole.
//!
//! An export is read as it is: its other sections are known and silent, its applications may lack
//! their ids, its grants may name applications. What is laxer for an export holds in its file alone.

use super::merge::Merged;
use crate::config::outside::Reading;
use crate::config::raw::auth0::SECTIONS;
use crate::config::{Code, Kind, Place, Report, Step, raw};

/// Where an export has its grants.
pub(super) const GRANTS: &str = "clientGrants";

/// The sections that an export may not lose the end of: behind a grant's scopes stand what it is for
/// and what narrows it, and an application that is lost is taken for one's own.
const NEVER_LAST: [&str; 2] = [GRANTS, "clients"];

/// Which files are tenant exports.
#[derive(Default)]
pub(super) struct Exports(Vec<bool>);

impl Exports {
    /// Finds them among the first `count` documents: files with a section in an export's spelling.
    pub(super) fn find(count: usize, report: &Report) -> Self {
        let is_export = |source| keys(report, source).iter().any(|key| is_exports(key));
        Self((0..count).map(is_export).collect())
    }

    /// Whether a place is in an export.
    pub(super) fn hold(&self, place: &Place) -> bool {
        self.0.get(place.source).copied().unwrap_or_default()
    }
}

/// Whether a grant stands under an export's key, where it may name its application.
pub(super) fn is_exported_grant(grant: &Place) -> bool {
    matches!(grant.path.first(), Some(Step::Key(key)) if key == GRANTS)
}

/// Says which exports may have lost their end. Keys stand there in an order that is not ours, so that
/// one cut short could allow more than the whole.
pub(super) fn whole(merged: &Merged<'_>, reading: &Reading<'_>, report: &mut Report) {
    if merged.end_marker == raw::EndMarker::Required {
        return;
    }
    let open = merged.resource_servers.items.iter().any(|server| {
        let policies = server.raw.subject_type_authorization.as_ref();
        policies.and_then(|of| of.user.as_ref()).and_then(|of| of.policy)
            == Some(raw::Policy::AllowAll)
    });
    for (source, text) in reading.sources().iter().enumerate() {
        if !merged.exports.hold(&Place::root(source)) || text.has_end_marker() {
            continue;
        }
        let keys = keys(report, source);
        let message = match keys.last() {
            Some(last) if NEVER_LAST.contains(last) => {
                format!("the export may have been cut short: `{last}` is its last section")
            }
            Some(_) if open && !keys.contains(&"clients") => {
                "the export may have been cut short: it has no `clients`, and where a policy is \
                `allow_all` those that are third parties' must be known"
                    .to_owned()
            }
            _ => continue,
        };
        let end = text.text.trim_end().len();
        report
            .push(Code::EndMarkerMissing, &Place::root(source), message)
            .at(end..end)
            .help("where it is whole, end it with a line `...`");
    }
}

/// The top-level keys of a file, in the order written.
fn keys(report: &Report, source: usize) -> Vec<&str> {
    let tree = report.documents().get(source).and_then(|document| document.tree.as_ref());
    match tree.map(|tree| &tree.kind) {
        Some(Kind::Map(entries)) => entries.iter().map(|entry| entry.key.as_str()).collect(),
        _ => Vec::new(),
    }
}

fn is_exports(key: &str) -> bool {
    key == GRANTS || key == "resourceServers" || SECTIONS.contains(&key)
}
