//! Which kinds of issuers may have written a token, where nobody says which one did: what each would read.
//!
//! It is a guess for people to go on from, and decides nothing.

use clap::ValueEnum;
use serde::Serialize;

use super::Known;
use crate::token::{Inspected, Profile, Unproven};

/// What one kind of issuer would mean by the token.
#[derive(Debug, Serialize)]
pub struct Candidate {
    /// Its profile.
    pub profile: &'static str,
    /// Whether the token is whole in its eyes: an access token of an application, for a subject type.
    pub fits: bool,
    /// Whether it is an access token.
    pub is_access_token: bool,
    /// The application.
    pub client_id: Option<String>,
    /// On whose behalf it calls, where that is proven.
    pub subject_type: Option<&'static str>,
}

/// What each profile that needs no further words would read.
pub fn of(inspected: &Inspected) -> Vec<Candidate> {
    let read = |known: &Known| {
        let profile = Profile::from(*known);
        let reading = inspected.through(&profile, &[]);
        let is_access_token = reading.admits_type && reading.failed_mark.is_none();
        let client_id = reading.client.ok().map(str::to_owned);
        // Where no application is known, nobody is told from it.
        let proven = reading.evidence.subject_type(Unproven::Refuse).ok();
        let proven = proven.filter(|_| client_id.is_some());
        Candidate {
            profile: profile.name(),
            fits: is_access_token && client_id.is_some() && proven.is_some(),
            is_access_token,
            client_id,
            subject_type: proven.map(crate::policy::SubjectType::as_str),
        }
    };
    Known::value_variants().iter().map(read).collect()
}
