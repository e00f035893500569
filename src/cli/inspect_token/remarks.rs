//! What is unusual about a token: what the gate refuses, and what often stands behind a refusal.

use serde_json::Value;

use crate::config::snapshot::Snapshot;
use crate::policy::{Organization, UnixTime};
use crate::telemetry::Rfc3339;
use crate::token::{Algorithm, Inspected, Reading};

/// Everything that somebody should look at.
pub fn of(
    inspected: &Inspected,
    reading: Option<&Reading<'_>>,
    snapshot: Option<&Snapshot>,
    now: UnixTime,
) -> Vec<String> {
    let mut remarks = Vec::new();
    if let Some(fault) = inspected.fault() {
        remarks.push(format!("no gate takes it: {fault}"));
    }
    // Claims alone have none.
    if !inspected.head().is_empty() {
        head(inspected, &mut remarks);
    }
    time(inspected, now, &mut remarks);
    issuer(inspected, snapshot, &mut remarks);
    claims(inspected, &mut remarks);
    if let Some(reading) = reading {
        profile(inspected, reading, &mut remarks);
    }
    remarks
}

fn head(inspected: &Inspected, remarks: &mut Vec<String>) {
    let head = inspected.head();
    match head.get("alg").map(Value::as_str) {
        None => remarks.push("the head has no `alg`".to_owned()),
        Some(Some(name)) if name.eq_ignore_ascii_case("none") => {
            remarks.push("`alg` is `none`: it is not signed".to_owned());
        }
        Some(name) => match name.and_then(Algorithm::find) {
            None => remarks.push("`alg` is no algorithm that is known".to_owned()),
            Some(algorithm) if algorithm.is_symmetric() => remarks.push(format!(
                "`alg` is `{}`: whoever can check it can write it; only an API's `gate.hs_secret` does",
                algorithm.as_str()
            )),
            Some(_) => {}
        },
    }
    if !head.contains_key("kid") {
        remarks.push("the head has no `kid`: every key of the issuer is tried".to_owned());
    }
}

fn time(inspected: &Inspected, now: UnixTime, remarks: &mut Vec<String>) {
    const WEEK: i64 = 7 * 24 * 60 * 60;
    match inspected.time("exp") {
        None => remarks.push("it has no `exp` that can be read: no gate takes it".to_owned()),
        Some(end) if end <= now => remarks.push(format!("it expired at {}", Rfc3339(end))),
        Some(end) => {
            let begins = inspected.time("iat").unwrap_or(now);
            if end > begins.plus_seconds(WEEK) {
                remarks.push(format!("it lasts for more than a week, until {}", Rfc3339(end)));
            }
        }
    }
    for claim in ["nbf", "iat"] {
        if let Some(start) = inspected.time(claim).filter(|start| *start > now) {
            remarks.push(format!("`{claim}` has not come: {}", Rfc3339(start)));
        }
    }
}

fn issuer(inspected: &Inspected, snapshot: Option<&Snapshot>, remarks: &mut Vec<String>) {
    let Some(name) = inspected.claims().get("iss").and_then(Value::as_str) else {
        remarks.push("it has no `iss` that is a text: no gate takes it".to_owned());
        return;
    };
    let Some(snapshot) = snapshot else { return };
    let issuers = || snapshot.issuers.iter().map(|issuer| issuer.trust.issuer.as_str());
    if issuers().any(|issuer| issuer == name) {
        return;
    }
    let plain = |name: &str| name.trim_end_matches('/').to_ascii_lowercase();
    match issuers().find(|issuer| plain(issuer) == plain(name)) {
        Some(near) => remarks.push(format!(
            "its issuer is not configured; `{near}` differs by case or a slash, and every byte counts"
        )),
        None => remarks.push("its issuer is not configured".to_owned()),
    }
}

fn claims(inspected: &Inspected, remarks: &mut Vec<String>) {
    let claims = inspected.claims();
    if claims.contains_key("cnf") {
        remarks
            .push("it is bound to its sender (`cnf`): it does not pass as a plain one".to_owned());
    }
    if claims.contains_key("act") {
        remarks.push("it was exchanged: `act` names who acts for its subject".to_owned());
    }
}

fn profile(inspected: &Inspected, reading: &Reading<'_>, remarks: &mut Vec<String>) {
    if let Some(mark) = reading.failed_mark {
        remarks.push(format!("it is no access token: {mark}"));
    }
    if !reading.admits_type {
        remarks.push("its `typ` is not that of an access token in this profile".to_owned());
    }
    if reading.client.is_err() {
        let claims = inspected.claims();
        let named = reading.client_claims.iter().any(|claim| claims.contains_key(*claim));
        let what = if named {
            "the claims that name the application differ, or are no names"
        } else {
            "no claim names the application"
        };
        remarks.push(what.to_owned());
    }
    if let Err(error) = &reading.details {
        remarks.push(error.to_string());
    }
    if reading.organization == Organization::Unreadable {
        remarks
            .push("its organization cannot be told by an id: grants compare ids alone".to_owned());
    }
    match &reading.scopes {
        Ok(lists) if lists.len() > 1 => {
            let names: Vec<_> = lists.iter().map(|list| format!("`{}`", list.claim)).collect();
            remarks.push(format!("several claims bear on scopes: {}", names.join(", ")));
        }
        Ok(_) => {}
        Err(error) => remarks.push(error.to_string()),
    }
}
