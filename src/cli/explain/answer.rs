//! All that is shown, and how.

use serde::Serialize;

use super::Format;
use crate::cli::{Exit, harmless, show, talk};
use crate::explain::remedy::Advice;
use crate::explain::{Explanation, Verdict, text};

/// All that is shown.
#[derive(Debug, Serialize)]
pub struct Answer {
    /// Why it is decided so.
    pub explanation: Explanation,
    /// What would have to be otherwise; none where it is allowed.
    pub advice: Option<Advice>,
    /// What was decided when it was logged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recorded: Option<Recorded>,
}

/// What was decided when it was logged.
#[derive(Debug, Serialize)]
pub struct Recorded {
    /// The decision's id.
    pub decision_id: String,
    /// When it was made.
    pub time: String,
    /// What was decided: `allow`, `cut`, `refuse` or `would_refuse`.
    pub decision: String,
    /// With which code.
    pub code: Option<String>,
    /// Whether the configuration at hand decides the same.
    pub same: bool,
    /// What to know about the comparison.
    pub remark: String,
}

/// Prints an answer: yes when the request is allowed.
pub fn print(answer: &Answer, format: Format) -> Exit {
    match format {
        Format::Text => {
            let mut shown = String::new();
            if let Some(recorded) = &answer.recorded {
                shown = format!("{}\n\n", sentence(recorded));
            }
            shown.push_str(&text(&answer.explanation, answer.advice.as_ref()));
            show(format_args!("{}", harmless(shown.trim_end())));
        }
        Format::Json => match serde_json::to_string_pretty(answer) {
            Ok(json) => show(format_args!("{}", harmless(&json))),
            Err(error) => {
                talk(format_args!("grantgate: {error}"));
                return Exit::Failed;
            }
        },
        Format::Patch => {
            if let Some(Advice::Change(change)) = &answer.advice {
                let patch: String = change.files.iter().map(|file| &*file.diff).collect();
                show(format_args!("{}", patch.trim_end_matches('\n')));
            }
        }
    }
    match answer.explanation.verdict {
        Verdict::Allowed => Exit::Yes,
        Verdict::Refused | Verdict::WouldRefuse => Exit::No,
    }
}

fn sentence(recorded: &Recorded) -> String {
    let Recorded { decision_id, time, decision, code, same, remark } = recorded;
    let code = code.as_ref().map(|code| format!(", {code}")).unwrap_or_default();
    let same = if *same {
        "this configuration decides the same"
    } else {
        "this configuration decides otherwise: it has changed since, or the token said more than the record"
    };
    format!("recorded: {decision}{code}, decision {decision_id} of {time}\n  {same}\n  {remark}")
}
