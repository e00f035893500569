//! Issuers that are configured for nobody.

use super::Subject;
use crate::config::{Code, Report};

/// Issuers that no API trusts: their keys are fetched, and their tokens are refused.
pub(super) fn unused(report: &mut Report, subject: &Subject<'_>) {
    // Where nothing is served, that is what is said.
    if !subject.apis.list.iter().any(|known| known.gate.is_some()) {
        return;
    }
    let counts = |known: &&crate::config::build::KnownApi| known.gate.is_some() || known.is_system;
    let mut is_trusted = vec![false; subject.issuers.names().count()];
    for issuer in subject.apis.list.iter().filter(counts).flat_map(|known| &known.trusted) {
        if let Some(is_trusted) = is_trusted.get_mut(*issuer) {
            *is_trusted = true;
        }
    }
    for (issuer, _) in is_trusted.into_iter().enumerate().filter(|(_, is_trusted)| !is_trusted) {
        let Some((name, place)) = subject.issuers.named(issuer) else { continue };
        report
            .push(
                Code::IssuerUnused,
                &place.key("issuer"),
                format!("no API trusts `{name}`, so every token of it is refused"),
            )
            .help("name it under the `gate.issuers` of an API, or remove it");
    }
}
