//! What was found in a token, as text.

use std::fmt::{self, Write};

use serde_json::{Map, Value};

use super::candidates::Candidate;
use super::findings::{Details, Findings, Issuer, Read, Row, Scopes};
use super::verification::{Signature, State, Verification};

/// The text.
pub fn text(findings: &Findings<'_>) -> String {
    let mut text = String::new();
    // Writing into a string does not fail.
    let _ = write(&mut text, findings);
    text
}

fn write(out: &mut String, findings: &Findings<'_>) -> fmt::Result {
    verification(out, findings.verification)?;
    issuer(out, &findings.issuer)?;
    // Claims alone have no header.
    if !findings.header.is_empty() {
        writeln!(out, "\nheader")?;
        object(out, findings.header)?;
    }
    writeln!(out, "\nclaims")?;
    object(out, findings.claims)?;
    match &findings.reading {
        Some(read) => reading(out, read)?,
        None => writeln!(
            out,
            "\nno profile: name its issuer's configuration (`--config`) or its kind (`--profile`)"
        )?,
    }
    if let Some(candidates) = &findings.candidates {
        guess(out, candidates)?;
    }
    if !findings.unusual.is_empty() {
        writeln!(out, "\nunusual")?;
        for remark in &findings.unusual {
            writeln!(out, "  - {remark}")?;
        }
    }
    Ok(())
}

fn verification(out: &mut String, verification: &Verification) -> fmt::Result {
    let Verification { state, why, signature, apis } = verification;
    let state = match (state, signature) {
        (State::NotVerified, _) => "not verified: anybody could have written this token",
        (State::Refused, Signature::Right) => "refused, though its issuer has written it",
        (State::Refused, Signature::NotChecked) => {
            "refused, and not verified: anybody could have written this token"
        }
        (State::Refused, Signature::Wrong) => "refused: its issuer has not written it",
        (State::Verified, _) => "verified",
    };
    writeln!(out, "{state}\n  {why}")?;
    let signature = match signature {
        Signature::NotChecked => "not checked",
        Signature::Wrong => "wrong",
        Signature::Right => "right",
    };
    writeln!(out, "  signature: {signature}")?;
    for answer in apis {
        let says = answer.code.unwrap_or("valid for it; policies and grants are not looked at");
        writeln!(out, "  {}: {says}", answer.api)?;
    }
    Ok(())
}

fn issuer(out: &mut String, issuer: &Issuer<'_>) -> fmt::Result {
    let name = issuer.name.map_or_else(|| "none".to_owned(), short);
    match issuer.profile {
        Some(profile) => writeln!(out, "  issuer: {name}, configured as {profile}"),
        None => writeln!(out, "  issuer: {name}, not configured"),
    }
}

/// What each kind of issuer would read.
fn guess(out: &mut String, candidates: &[Candidate]) -> fmt::Result {
    let heads = ["profile", "fits", "access token", "client id", "subject type"].map(str::to_owned);
    let yes = |is: bool| if is { "yes" } else { "no" }.to_owned();
    let cells = candidates.iter().map(|candidate| {
        [
            candidate.profile.to_owned(),
            yes(candidate.fits),
            yes(candidate.is_access_token),
            candidate.client_id.clone().unwrap_or_else(|| "none".to_owned()),
            candidate.subject_type.unwrap_or("not proven").to_owned(),
        ]
    });
    writeln!(out, "\nas each kind of issuer would mean it")?;
    table(out, std::iter::once(heads).chain(cells).collect())
}

fn object(out: &mut String, object: &Map<String, Value>) -> fmt::Result {
    let json = serde_json::to_string_pretty(object).unwrap_or_default();
    for line in json.lines() {
        writeln!(out, "  {line}")?;
    }
    Ok(())
}

fn reading(out: &mut String, read: &Read<'_>) -> fmt::Result {
    let who = match read.chosen_by {
        "option" => "as `--profile` says",
        _ => "as the configuration says of its issuer",
    };
    writeln!(out, "\nread as {}, {who}", read.profile)?;
    let kind = read.why_not.as_ref().map_or_else(|| "yes".to_owned(), |why| format!("no: {why}"));
    writeln!(out, "  access token  {kind}")?;
    writeln!(out, "  client id     {}", read.client_id.value.unwrap_or("none"))?;
    for claim in &read.client_id.claims {
        let value = claim.value.map_or_else(|| "absent".to_owned(), short);
        writeln!(out, "                  {} {value}", claim.claim)?;
    }
    let subject_type = &read.subject_type;
    let value = subject_type.value.unwrap_or("not proven");
    writeln!(out, "  subject type  {value}: {}", subject_type.why)?;
    match &read.scopes {
        Scopes::Held(lists) if lists.is_empty() => writeln!(out, "  scopes        none")?,
        Scopes::Held(lists) => {
            for (index, list) in lists.iter().enumerate() {
                let label = if index == 0 { "scopes" } else { "" };
                let meaning = match list.meaning {
                    "scopes" => String::new(),
                    meaning => format!(" ({meaning})"),
                };
                let scopes = list.scopes.join(" ");
                writeln!(out, "  {label:<12}  {}{meaning}: {scopes}", list.claim)?;
            }
        }
        Scopes::Unreadable { unreadable } => writeln!(out, "  scopes        {unreadable}")?,
    }
    let organization = match (read.organization.id, read.organization.named) {
        (Some(id), _) => id,
        (None, true) => "named, but not so that it can be told which",
        (None, false) => "none",
    };
    writeln!(out, "  organization  {organization}")?;
    match &read.authorization_details {
        Details::Types([]) => writeln!(out, "  details       none")?,
        Details::Types(types) => writeln!(out, "  details       {}", types.join(" "))?,
        Details::Unreadable { unreadable } => writeln!(out, "  details       {unreadable}")?,
    }
    signals(out, &subject_type.signals)
}

/// The profile's table, each row with what stands in the token.
fn signals(out: &mut String, rows: &[Row<'_>]) -> fmt::Result {
    let heads = ["claim", "sought", "value", "points to"].map(str::to_owned);
    let cells = rows.iter().map(|row| {
        [
            row.claim.to_owned(),
            row.sought.clone(),
            row.value.map_or_else(|| "absent".to_owned(), short),
            row.points_to.unwrap_or("-").to_owned(),
        ]
    });
    writeln!(out, "\nsignals of the subject type")?;
    table(out, std::iter::once(heads).chain(cells).collect())
}

/// Rows of cells, in columns.
fn table<const N: usize>(out: &mut String, rows: Vec<[String; N]>) -> fmt::Result {
    let mut widths = [0; N];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    for row in rows {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        writeln!(out, "  {}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}

/// A value on one line, cut where it is long.
fn short(value: &Value) -> String {
    const MOST: usize = 48;
    let text = value.to_string();
    if text.chars().count() <= MOST {
        return text;
    }
    let mut short: String = text.chars().take(MOST - 1).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_are_cut_between_characters() {
        assert_eq!(short(&Value::from("é".repeat(46))).chars().count(), 48);
        let cut = short(&Value::from("é".repeat(47)));
        assert!(cut.ends_with("é…") && cut.chars().count() == 48, "{cut}");
    }
}
