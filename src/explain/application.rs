//! What rules 4 and 5 saw: which application, and on whose behalf.

use crate::policy::Party;
use crate::token::Evidence;

use super::case::Case;
use super::words::{list, short};

impl Case<'_> {
    pub(super) fn saw_application(&self) -> Vec<String> {
        let Some(reading) = &self.reading else { return Vec::new() };
        let claims: Vec<_> = reading
            .client_claims
            .iter()
            .filter_map(|&claim| Some((claim, self.parsed?.claim(claim)?)))
            .map(|(claim, value)| format!("`{claim}` is {}", short(value)))
            .collect();
        let (Ok(client), Some(party)) = (reading.client, self.party()) else {
            let looked = list(&reading.client_claims, "");
            return if claims.is_empty() {
                vec![format!("none of the claims {looked} is there")]
            } else {
                vec![format!("{}: they differ, or are no client id", claims.join(", "))]
            };
        };
        let why = match (self.listed(), party) {
            (Some(Party::First), _) => "counts as first-party: `clients` says so",
            (Some(Party::Third), _) => "counts as third-party: `clients` says so",
            (None, Party::First) => "first-party: it is not listed under `clients`",
            (None, Party::Third) => "third-party: its id begins with `tpc_`",
        };
        vec![format!("`{client}` ({})", claims.join(", ")), why.to_owned()]
    }

    pub(super) fn saw_subject_type(&self) -> Vec<String> {
        let (Some(reading), Some(issuer)) = (&self.reading, self.issuer) else {
            return Vec::new();
        };
        let trust = &issuer.trust;
        let spoke: Vec<_> = reading
            .signals
            .iter()
            .filter_map(|signal| {
                let points_to = match signal.evidence {
                    Evidence::None => return None,
                    Evidence::Conflict => "cannot be read",
                    Evidence::Points(subject_type) => subject_type.as_str(),
                };
                let value = self.parsed?.claim(signal.claim).map(short);
                let value = value.map(|value| format!(", as {value}")).unwrap_or_default();
                Some(format!("`{}` {}{value}: {points_to}", signal.claim, signal.sought))
            })
            .collect();
        let proven = reading.evidence.subject_type(trust.unproven);
        let (first, looked) = match (reading.evidence, proven) {
            (_, Ok(subject_type)) if !spoke.is_empty() => {
                (format!("`{}`: all signals say so", subject_type.as_str()), false)
            }
            (_, Ok(subject_type)) => {
                let words = "no signal is there, and `unproven: user` says what that means";
                (format!("`{}`: {words}", subject_type.as_str()), false)
            }
            (Evidence::Conflict, Err(_)) => {
                ("the signals contradict each other, or one cannot be read".to_owned(), false)
            }
            (_, Err(_)) => {
                (format!("no signal of profile `{}` is there", trust.profile.name()), true)
            }
        };
        let sought = reading
            .signals
            .iter()
            .filter(|_| looked)
            .map(|signal| format!("sought: `{}` {}", signal.claim, signal.sought));
        std::iter::once(first).chain(spoke).chain(sought).collect()
    }
}
