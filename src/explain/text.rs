//! An explanation as text: the answer in one sentence, the facts behind it, every rule, and what to change.
//!
//! Strangers chose many of the names in it, and a gate that was asked may be anybody's: none breaks a line.

use std::fmt::{self, Write};

use super::explanation::{Explanation, Finding, Refused, RuleOutcome, Verdict};
use super::remedy::{Advice, Change};
use crate::gate::Rule;
use crate::screen::screened;

/// The text, which ends with a line end.
pub fn text(explanation: &Explanation, advice: Option<&Advice>) -> String {
    let mut text = String::new();
    // Writing into a string does not fail.
    let _ = write(&mut text, explanation, advice);
    text
}

fn write(out: &mut String, explanation: &Explanation, advice: Option<&Advice>) -> fmt::Result {
    sentence(out, explanation)?;
    writeln!(out)?;
    facts(out, explanation)?;
    writeln!(out, "\nrules")?;
    for finding in &explanation.rules {
        rule(out, finding)?;
    }
    advice.map_or(Ok(()), |advice| what_to_do(out, advice))
}

/// The answer, and in other words why.
fn sentence(out: &mut String, explanation: &Explanation) -> fmt::Result {
    let verdict = explanation.verdict.as_str();
    let Some(refused) = &explanation.refusal else {
        let public = explanation.operation.as_ref().is_some_and(|it| it.needs.public);
        let why = match (&explanation.grant, public) {
            (_, true) => "the operation is public",
            (Some(grant), _) => {
                return writeln!(out, "{verdict}: by grant {}", screened(&grant.id));
            }
            (None, false) => "by the API's policy, which asks for no grant",
        };
        return writeln!(out, "{verdict}: {why}");
    };
    let Refused { code, rule, status, title, hint, missing, excess, allow, contact, .. } = refused;
    let rule = rule.and_then(|number| Rule::ALL.get(usize::from(number).checked_sub(1)?));
    let by = rule.map(|rule| format!(" (rule {}, {})", rule.number(), rule.name()));
    writeln!(out, "{verdict}: {}{}", screened(code), by.unwrap_or_default())?;
    let names = if excess.is_empty() { missing } else { excess };
    let names = if names.is_empty() { String::new() } else { format!(": {}", names.join(" ")) };
    writeln!(out, "  {}", screened(&format!("{title}{names}")))?;
    writeln!(out, "  {}", screened(hint))?;
    if !allow.is_empty() {
        writeln!(out, "  allowed here: {}", screened(&allow.join(", ")))?;
    }
    if let Some(contact) = contact {
        writeln!(out, "  the grant's owner is {}", screened(contact))?;
    }
    match explanation.verdict {
        Verdict::WouldRefuse => {
            writeln!(out, "  the API only reports: it passes, without an identity, and is recorded")
        }
        Verdict::Allowed | Verdict::Refused => writeln!(out, "  the caller is answered {status}"),
    }
}

fn facts(out: &mut String, explanation: &Explanation) -> fmt::Result {
    let Explanation { request, api, operation, caller, grant, scopes, .. } = explanation;
    let mut row = |label: &str, value: &str, at: Option<&String>| {
        let at = at.map(|at| format!("  [{at}]")).unwrap_or_default();
        writeln!(out, "{label:<13} {}", screened(&format!("{value}{at}")))
    };
    let asked = request.origin.as_ref().unwrap_or(&request.host);
    row("request", &format!("{} {asked}{}", request.method, request.path), None)?;
    row("time", &explanation.time.replace(".000Z", "Z"), None)?;
    if let Some(api) = api {
        row("API", &api.name, api.at.as_ref())?;
    }
    if let Some(operation) = operation {
        row("operation", &operation.on, operation.at.as_ref())?;
        row("  needs", &operation.needs.words.replace('`', ""), None)?;
    }
    if let Some(caller) = caller {
        let client = caller.client_id.as_deref().unwrap_or("one that is not told,");
        let party = caller.party.as_ref().map(|party| format!(" ({party}-party)"));
        let party = party.unwrap_or_default();
        row("application", &format!("{client}{party} of {}", caller.issuer), None)?;
        if let Some(subject_type) = &caller.subject_type {
            row("subject type", subject_type, None)?;
        }
        if let Some(organization) = &caller.organization {
            row("organization", organization, None)?;
        }
    }
    if let Some(grant) = grant {
        let default = if grant.holder == "application" { "" } else { " (third parties' default)" };
        row("grant", &format!("{}{default}", grant.id), grant.at.as_ref())?;
    }
    let names = |names: &[String]| if names.is_empty() { "-".into() } else { names.join(" ") };
    if let Some(scopes) = scopes {
        if scopes.token.is_empty() {
            row("token scopes", "-", None)?;
        }
        for (index, held) in scopes.token.iter().enumerate() {
            let label = if index == 0 { "token scopes" } else { "" };
            let meaning = match held.meaning.as_str() {
                "scopes" => String::new(),
                meaning => format!(": {meaning}"),
            };
            row(label, &format!("{} (`{}`{meaning})", names(&held.scopes), held.claim), None)?;
        }
        if let Some(ceiling) = &scopes.ceiling {
            row("ceiling", &names(ceiling), None)?;
            row("excess", &names(&scopes.excess), None)?;
            row("effective", &names(&scopes.effective), None)?;
        }
    }
    if let Some(details) = &explanation.authorization_details {
        row("token details", &names(&details.token), None)?;
        if let Some(ceiling) = &details.ceiling {
            row("  ceiling", &names(ceiling), None)?;
            row("  excess", &names(&details.excess), None)?;
            row("  effective", &names(&details.effective), None)?;
        }
    }
    Ok(())
}

/// A rule with what it saw, one under the other.
fn rule(out: &mut String, finding: &Finding) -> fmt::Result {
    let (mark, outcome) = match finding.outcome {
        RuleOutcome::NotNeeded => ('-', "not needed"),
        RuleOutcome::NotReached => ('.', "not reached"),
        RuleOutcome::Passed => ('+', "passed"),
        RuleOutcome::Refused => ('x', "REFUSED"),
    };
    let name = screened(&finding.name);
    let head = format!("{mark} {:>2} {name:<21} {outcome:<11}", finding.rule);
    let mut saw = finding.saw.iter().map(|line| screened(line));
    let first = saw.next().unwrap_or_default();
    writeln!(out, "{}", format!("{head}  {first}").trim_end())?;
    saw.try_for_each(|line| writeln!(out, "{:<width$}  {line}", "", width = head.len()))
}

fn what_to_do(out: &mut String, advice: &Advice) -> fmt::Result {
    match advice {
        Advice::Nothing => Ok(()),
        Advice::Request(words) => {
            writeln!(out, "\nwhat to do")?;
            writeln!(out, "  {}", screened(words))
        }
        Advice::Change(change) => what_to_change(out, change),
    }
}

fn what_to_change(out: &mut String, change: &Change) -> fmt::Result {
    let Change { instead, steps, files, caution } = change;
    let or = if let Some(instead) = instead {
        writeln!(out, "\nwhat to do, in most cases\n  {}", screened(instead))?;
        "or "
    } else {
        ""
    };
    writeln!(out, "\n{or}what to change")?;
    for step in steps {
        writeln!(out, "  {}", screened(&format!("{}: {}", step.at, step.words)))?;
    }
    if let Some(caution) = caution {
        writeln!(out, "  mind: {}", screened(caution))?;
    }
    writeln!(out)?;
    for file in files {
        // What ends lines elsewhere, and names with blanks in them, says nothing to people.
        for line in file.diff.lines() {
            writeln!(out, "{}", line.trim_end_matches(['\r', '\t']))?;
        }
    }
    writeln!(out, "\ndecided again with this change: allowed")
}
