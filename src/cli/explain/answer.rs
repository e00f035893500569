//! All that is shown, and how.

use std::env;
use std::io::{self, IsTerminal};

use serde::Serialize;

use super::Format;
use super::patch::Patch;
use crate::cli::{Exit, harmless, show, talk};
use crate::explain::remedy::Advice;
use crate::explain::{Explanation, Verdict, text};
use crate::screen::screened;

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
pub fn print(answer: &Answer, format: Format, even_so: bool) -> Exit {
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
            if let Err(why) = print_patch(answer.advice.as_ref(), even_so) {
                talk(format_args!("grantgate: {}", harmless(&why)));
                return Exit::Failed;
            }
        }
    }
    match answer.explanation.verdict {
        Verdict::Allowed => Exit::Yes,
        Verdict::Refused | Verdict::WouldRefuse => Exit::No,
    }
}

/// Prints the change that is suggested, unless something else is done in most cases. What to mind is said
/// beside it.
fn print_patch(advice: Option<&Advice>, even_so: bool) -> Result<(), String> {
    let say = |words: &str| talk(format_args!("grantgate: {}", screened(words)));
    let change = match advice {
        Some(Advice::Change(change)) => change,
        Some(Advice::Request(words)) => {
            say(&format!("no change is suggested: {words}"));
            return Ok(());
        }
        Some(Advice::Nothing) | None => return Ok(()),
    };
    let instead = change.instead.as_ref().filter(|_| !even_so);
    if let Some(instead) = instead {
        say(&format!(
            "in most cases, rather {instead}; `--format patch --even-so` prints the change"
        ));
    }
    if let Some(caution) = &change.caution {
        say(&format!("mind: {caution}"));
    }
    if instead.is_some() {
        return Ok(());
    }
    let here = env::current_dir().ok();
    let patch = Patch::of(&change.files, here.as_deref())?;
    if patch.is_from_root {
        say("not all files are below this folder: apply it with `patch -p0 -d /`");
    }
    let text = patch.text.trim_end_matches('\n');
    if io::stdout().is_terminal() {
        show(format_args!("{}", harmless(text)));
    } else {
        show(format_args!("{text}"));
    }
    Ok(())
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
