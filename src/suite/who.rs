//! Who calls in a case: what it says and what its row says instead, and the claims that this comes to.

use serde_json::{Map, Value, json};

use super::case::At;
use super::raw;
use crate::config::snapshot::{IssuerSettings, ServedApi, Snapshot};
use crate::config::{Code, Place, Report};
use crate::policy::{Audience, SubjectType, UnixTime};
use crate::token::{self, compose};

/// How long a token is good for that does not say it.
const LIFETIME: i64 = 3600;

/// Who calls, as it is written.
pub(super) enum Subject {
    /// Somebody with these claims.
    Claims(Map<String, Value>),
    /// Somebody in a few words.
    Caller(raw::Caller),
    /// Somebody without a token.
    Nobody,
}

/// Who calls, and where that is said; the row's word joined with the case's where they are of one kind.
pub(super) fn subject(
    outer: &At<'_>,
    row: Option<&At<'_>>,
    report: &mut Report,
) -> Option<(Place, Subject)> {
    let of_case = said(outer, report);
    let of_row = row.map_or(Ok(None), |row| said(row, report));
    let (of_case, of_row) = (of_case.ok()?, of_row.ok()?);
    let joined = match (of_case, of_row) {
        (Some((_, Subject::Claims(mut claims))), Some((place, Subject::Claims(own)))) => {
            claims.extend(own);
            Some((place, Subject::Claims(claims)))
        }
        (Some((_, Subject::Caller(caller))), Some((place, Subject::Caller(own)))) => {
            Some((place, Subject::Caller(over(caller, own))))
        }
        (of_case, of_row) => of_row.or(of_case),
    };
    let place = row.unwrap_or(outer).place;
    if joined.is_none() && !report.has_error_within(outer.place) {
        report
            .push(Code::PolicyTestInvalid, place, "the case does not say who calls")
            .help("write `caller: {client_id: …}`, `claims: {…}`, or `no_token: true`");
    }
    let (place, subject) = joined?;
    Some(match subject {
        Subject::Claims(claims) => {
            let there = claims.into_iter().filter(|(_, value)| !value.is_null());
            (place, Subject::Claims(there.collect()))
        }
        other => (place, other),
    })
}

/// What a case or a row says by itself.
fn said(at: &At<'_>, report: &mut Report) -> Result<Option<(Place, Subject)>, ()> {
    let of = |key: &'static str| at.place.key(key);
    let all = [
        at.row.caller.clone().map(|caller| (of("caller"), Subject::Caller(caller))),
        at.row.claims.clone().map(|claims| (of("claims"), Subject::Claims(claims))),
        at.row.no_token.filter(|no| *no).map(|_| (of("no_token"), Subject::Nobody)),
    ];
    let mut said = all.into_iter().flatten();
    let first = said.next();
    let (Some((first, _)), Some((second, _))) = (&first, said.next()) else { return Ok(first) };
    let (one, other) = (first.last_key(), second.last_key());
    report
        .push(Code::PolicyTestInvalid, &second, format!("`{one}` and `{other}` both say who calls"))
        .on_key()
        .also(first, "said here")
        .help("keep one of them");
    Err(())
}

/// The caller of a case, with what its row says in place of it.
fn over(case: raw::Caller, row: raw::Caller) -> raw::Caller {
    raw::Caller {
        client_id: row.client_id.or(case.client_id),
        issuer: row.issuer.or(case.issuer),
        audience: row.audience.or(case.audience),
        subject_type: row.subject_type.or(case.subject_type),
        scopes: row.scopes.or(case.scopes),
        organization: row.organization.or(case.organization),
        authorization_details_types: row
            .authorization_details_types
            .or(case.authorization_details_types),
    }
}

/// What is known where a caller calls.
pub(super) struct World<'s> {
    pub(super) snapshot: &'s Snapshot,
    /// The API that is called.
    pub(super) api: Option<&'s ServedApi>,
    pub(super) now: UnixTime,
}

impl World<'_> {
    /// The claims, with the times that they leave out.
    pub(super) fn claims(&self, mut claims: Map<String, Value>) -> Map<String, Value> {
        let now = self.now.seconds();
        for (name, time) in [("iat", now), ("exp", now.saturating_add(LIFETIME))] {
            claims.entry(name).or_insert_with(|| json!(time));
        }
        claims
    }

    /// The claims that the caller's issuer would write; none where that cannot be told.
    pub(super) fn composed(
        &self,
        place: &Place,
        caller: &raw::Caller,
        report: &mut Report,
    ) -> Option<Map<String, Value>> {
        // What was refused in it may be what is missed.
        if report.has_error_within(place) {
            return None;
        }
        let Some(client) = caller.client_id.as_deref() else {
            report
                .push(Code::KeyMissing, &place.key("client_id"), "the key `client_id` is missing")
                .help("write the application's id at its issuer");
            return None;
        };
        let issuer = self.issuer(place, caller, report)?;
        let audience = self.audience(place, caller, report)?;
        let list = |list: &'_ Option<Vec<String>>| list.clone().unwrap_or_default();
        let (scopes, details) = (list(&caller.scopes), list(&caller.authorization_details_types));
        let composed = compose(
            &issuer.trust.profile,
            &token::Caller {
                issuer: issuer.trust.issuer.as_str(),
                audience: &audience,
                client,
                subject_type: caller.subject_type.map_or(SubjectType::Client, Into::into),
                scopes: scopes.iter().map(String::as_str).collect(),
                organization: caller.organization.as_deref(),
                details: details.iter().map(String::as_str).collect(),
                issued: self.now,
            },
        );
        composed
            .map_err(|error| {
                report
                    .push(Code::PolicyTestInvalid, place, error.to_string())
                    .help("write what the token says under `claims`, instead of `caller`");
            })
            .ok()
    }

    /// The issuer that is named, or the only one that the API trusts.
    fn issuer(
        &self,
        place: &Place,
        caller: &raw::Caller,
        report: &mut Report,
    ) -> Option<&IssuerSettings> {
        let issuers = &self.snapshot.issuers;
        let key = place.key("issuer");
        let Some(name) = &caller.issuer else {
            let trusted = self.api.map(|api| api.issuers.as_slice());
            let all: Vec<usize> = (0..issuers.len()).collect();
            let only = match trusted.unwrap_or(&all) {
                [only] => issuers.get(*only),
                _ => None,
            };
            if only.is_none() {
                report
                    .push(Code::IssuerAmbiguous, &key, "the caller's issuer could be several")
                    .help("write `issuer`, as `issuers[].issuer` of the configuration names it");
            }
            return only;
        };
        let found = issuers.iter().find(|issuer| issuer.trust.issuer.as_str() == name);
        if found.is_none() {
            report
                .push(Code::IssuerUnknown, &key, format!("the issuer `{name}` is not configured"))
                .help(
                    "name one under `issuers` of the configuration; what another would write stands \
                     under `claims`, instead of `caller`",
                );
        }
        found
    }

    /// The audience that is named, or the API's identifier.
    fn audience(
        &self,
        place: &Place,
        caller: &raw::Caller,
        report: &mut Report,
    ) -> Option<Audience> {
        let key = place.key("audience");
        match (&caller.audience, self.api) {
            (Some(name), _) => Audience::new(name)
                .map_err(|error| {
                    report.push(Code::NameInvalid, &key, format!("`audience` {error}"));
                })
                .ok(),
            (None, Some(api)) => Some(api.api.identifier.clone()),
            (None, None) => {
                report
                    .push(
                        Code::AudienceAmbiguous,
                        &key,
                        "the request is for no API, and several could be meant by the token",
                    )
                    .help("write `audience`, or `api` for the whole suite");
                None
            }
        }
    }
}
