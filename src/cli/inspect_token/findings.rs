//! All that is shown of a token, as data: the JSON answer, and what the text is written from.

use serde::Serialize;
use serde_json::{Map, Value};

use super::candidates::Candidate;
use super::verification::Verification;
use crate::config::snapshot::IssuerSettings;
use crate::policy::Organization;
use crate::token::{Evidence, Inspected, Profile, Reading, ScopesRead, Unproven};

/// What was found in a token.
#[derive(Debug, Serialize)]
pub struct Findings<'a> {
    /// Whether it is to be believed.
    pub verification: &'a Verification,
    /// The head.
    pub header: &'a Map<String, Value>,
    /// The claims.
    pub claims: &'a Map<String, Value>,
    /// Who it says issued it.
    pub issuer: Issuer<'a>,
    /// What its profile reads in it, where there is one.
    pub reading: Option<Read<'a>>,
    /// What each kind of issuer would read in it, where none was chosen.
    pub candidates: Option<Vec<Candidate>>,
    /// What is unusual.
    pub unusual: Vec<String>,
}

/// Who a token says issued it.
#[derive(Debug, Serialize)]
pub struct Issuer<'a> {
    /// `iss`.
    pub name: Option<&'a Value>,
    /// Whether the configuration knows it.
    pub configured: bool,
    /// The profile that the configuration gives it.
    pub profile: Option<&'static str>,
}

/// What a profile reads in a token.
#[derive(Debug, Serialize)]
pub struct Read<'a> {
    /// The profile.
    pub profile: &'static str,
    /// Who says so: `configuration` or `option`.
    pub chosen_by: &'static str,
    /// Whether it is an access token.
    pub is_access_token: bool,
    /// Why it is none.
    pub why_not: Option<String>,
    /// The application.
    pub client_id: Client<'a>,
    /// On whose behalf it calls.
    pub subject_type: SubjectType<'a>,
    /// The claims that hold scopes.
    pub scopes: Scopes<'a>,
    /// The organization.
    pub organization: Named<'a>,
    /// The types of its authorization details.
    pub authorization_details: Details<'a>,
}

/// The types of authorization details.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Details<'a> {
    /// One for each.
    Types(&'a [&'a str]),
    /// They cannot be read.
    Unreadable {
        /// Why not.
        unreadable: String,
    },
}

/// The application, and where it is named.
#[derive(Debug, Serialize)]
pub struct Client<'a> {
    /// Its id.
    pub value: Option<&'a str>,
    /// The claims that the profile reads, absent ones too.
    pub claims: Vec<Claim<'a>>,
}

/// A claim, and what it says.
#[derive(Debug, Serialize)]
pub struct Claim<'a> {
    /// Its name.
    pub claim: &'a str,
    /// What stands in it; none where it is absent.
    pub value: Option<&'a Value>,
}

/// The subject type, and what speaks for it.
#[derive(Debug, Serialize)]
pub struct SubjectType<'a> {
    /// What is proven.
    pub value: Option<&'static str>,
    /// Why, or why nothing is.
    pub why: &'static str,
    /// The rows of the profile's table.
    pub signals: Vec<Row<'a>>,
}

/// A row of a profile's table.
#[derive(Debug, Serialize)]
pub struct Row<'a> {
    /// The claim that is looked at.
    pub claim: &'a str,
    /// What is looked for in it.
    pub sought: String,
    /// What stands in it.
    pub value: Option<&'a Value>,
    /// What that points to: a subject type, `conflict`, or nothing.
    pub points_to: Option<&'static str>,
}

/// What the claims with scopes hold.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Scopes<'a> {
    /// Each claim's.
    Held(Vec<Held<'a>>),
    /// They cannot be read.
    Unreadable {
        /// Why not.
        unreadable: String,
    },
}

/// The scopes of one claim.
#[derive(Debug, Serialize)]
pub struct Held<'a> {
    /// The claim.
    pub claim: &'a str,
    /// What they are, in words.
    pub meaning: &'static str,
    /// Its scopes, as they are written.
    pub scopes: &'a [&'a str],
}

impl<'a> From<&'a ScopesRead<'a>> for Held<'a> {
    fn from(read: &'a ScopesRead<'a>) -> Self {
        Self { claim: read.claim, meaning: read.meaning, scopes: &read.scopes }
    }
}

/// The organization.
#[derive(Debug, Serialize)]
pub struct Named<'a> {
    /// Its id.
    pub id: Option<&'a str>,
    /// Whether the token names one at all.
    pub named: bool,
}

impl<'a> Findings<'a> {
    /// Gathers what is shown.
    pub fn new(
        inspected: &'a Inspected,
        read: Option<(&'a Profile, &'a Reading<'a>)>,
        chosen_by: &'static str,
        issuer: Option<&IssuerSettings>,
        verification: &'a Verification,
        candidates: Option<Vec<Candidate>>,
        unusual: Vec<String>,
    ) -> Self {
        let claims = inspected.claims();
        let unproven = issuer.map(|issuer| issuer.trust.unproven).unwrap_or_default();
        Self {
            verification,
            header: inspected.head(),
            claims,
            issuer: Issuer {
                name: claims.get("iss"),
                configured: issuer.is_some(),
                profile: issuer.map(|issuer| issuer.trust.profile.name()),
            },
            reading: read.map(|(profile, reading)| Read {
                profile: profile.name(),
                chosen_by,
                is_access_token: reading.admits_type && reading.failed_mark.is_none(),
                why_not: why_not(reading),
                client_id: Client {
                    value: reading.client.ok(),
                    claims: reading
                        .client_claims
                        .iter()
                        .map(|&claim| Claim { claim, value: claims.get(claim) })
                        .collect(),
                },
                subject_type: subject_type(reading, unproven, claims),
                scopes: match &reading.scopes {
                    Ok(lists) => Scopes::Held(lists.iter().map(Held::from).collect()),
                    Err(error) => Scopes::Unreadable { unreadable: error.to_string() },
                },
                organization: match reading.organization {
                    Organization::Absent => Named { id: None, named: false },
                    Organization::Id(id) => Named { id: Some(id), named: true },
                    Organization::Unreadable => Named { id: None, named: true },
                },
                authorization_details: match &reading.details {
                    Ok(types) => Details::Types(types),
                    Err(error) => Details::Unreadable { unreadable: error.to_string() },
                },
            }),
            candidates,
            unusual,
        }
    }
}

fn why_not(reading: &Reading<'_>) -> Option<String> {
    match (reading.admits_type, reading.failed_mark) {
        (false, _) => Some("its `typ` is not that of an access token".to_owned()),
        (true, Some(mark)) => Some(mark.to_string()),
        (true, None) => None,
    }
}

fn subject_type<'a>(
    reading: &'a Reading<'a>,
    unproven: Unproven,
    claims: &'a Map<String, Value>,
) -> SubjectType<'a> {
    let proven = reading.evidence.subject_type(unproven).ok();
    let why = match (reading.evidence, proven) {
        (Evidence::Points(_), _) => "all signals that are there point to it",
        (Evidence::None, Some(_)) => {
            "no signal is there, and `unproven: user` says what that means"
        }
        (Evidence::None, None) => "no signal is there",
        (Evidence::Conflict, _) => "the signals contradict each other, or one cannot be read",
    };
    SubjectType {
        value: proven.map(crate::policy::SubjectType::as_str),
        why,
        signals: reading
            .signals
            .iter()
            .map(|signal| Row {
                claim: signal.claim,
                sought: signal.sought.to_string(),
                value: claims.get(signal.claim),
                points_to: match signal.evidence {
                    Evidence::Conflict => Some("conflict"),
                    Evidence::None => None,
                    Evidence::Points(subject_type) => Some(subject_type.as_str()),
                },
            })
            .collect(),
    }
}
