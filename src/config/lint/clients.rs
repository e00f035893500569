//! Applications that are listed, and about which nothing is said.

use super::Subject;
use crate::config::build::Unnamed;
use crate::config::{Code, Report};
use crate::policy::{Clients, Holder, Policy};

/// Entries that no grant and no export names, and that change no decision: what is left of applications
/// that went, or the id of one that was meant otherwise. Where grants are given by the Management API, an
/// application is listed before it has any.
pub(super) fn unused(report: &mut Report, subject: &Subject<'_>) {
    if subject.apis.list.iter().any(|known| known.is_system) {
        return;
    }
    for unnamed in subject.unnamed.iter().filter(|unnamed| !decides(subject, unnamed)) {
        report
            .push(
                Code::ClientUnused,
                unnamed.place,
                format!("no grant is for `{}`, and its entry changes no decision", unnamed.id),
            )
            .help("write a grant for it, or remove the entry");
    }
}

/// Whether it matters whose application it is: where all are let in it tells of whom a grant is asked, and
/// who has the grant of third parties.
fn decides(subject: &Subject<'_>, unnamed: &Unnamed<'_>) -> bool {
    let party = |listed| subject.issuers.party(unnamed.issuer, unnamed.id, listed);
    if party(&subject.listed.clients) == party(&Clients::default()) {
        return false;
    }
    let mut trusting =
        subject.apis.list.iter().filter(|known| known.trusted.contains(&unnamed.issuer));
    let is_default = |holder: &Holder| *holder == Holder::ThirdPartyClients;
    trusting.any(|known| known.gate.is_some() && known.api.access.user == Policy::AllowAll)
        || subject
            .given
            .iter()
            .any(|given| given.issuer == unnamed.issuer && is_default(&given.holder))
}
