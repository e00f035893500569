//! What became of a call: the verdict, with all that records, headers and answers say about it.

use crate::config::snapshot::{Operation, ServedApi};
use crate::policy::{Issuer, Permit, UnixTime};
use crate::token::Identity;

use super::Refusal;

/// What became of a call.
#[derive(Debug)]
pub struct Outcome<'a> {
    /// Whether it may pass.
    pub verdict: Verdict,
    /// The API that it called, once known.
    pub api: Option<&'a ServedApi>,
    /// The operation that it called, once known.
    pub operation: Option<&'a Operation>,
    /// Who called, as far as a verified token told.
    pub caller: Option<Caller<'a>>,
}

/// Whether a call may pass.
#[derive(Debug)]
pub enum Verdict {
    /// It may.
    Pass(Permit),
    /// The gate answers it: whether pages may send the request that it asks about.
    Preflight(bool),
    /// It may not.
    Refuse(Refusal),
    /// It may not, but the API only reports: it passes, without any identity.
    WouldRefuse(Permit, Refusal),
}

/// Who called, as far as a verified token told.
#[derive(Clone, Debug)]
pub struct Caller<'a> {
    /// The token's issuer.
    pub issuer: &'a Issuer,
    /// From when on the token has expired.
    pub until: UnixTime,
    /// The application's id at that issuer.
    pub client: Option<&'a str>,
    /// What else the token says.
    pub identity: Option<Identity<'a>>,
}
