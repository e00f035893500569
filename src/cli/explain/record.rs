//! A decision that was logged: one line of JSON among many, as [`crate::telemetry::Record`] writes it.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use serde::Deserialize;

/// What a record tells.
#[derive(Debug, Deserialize)]
pub struct Logged {
    pub time: String,
    pub decision_id: String,
    pub api: Option<String>,
    pub method: String,
    pub path: String,
    pub client_id: Option<String>,
    pub issuer: Option<String>,
    pub subject_type: Option<String>,
    pub decision: String,
    pub code: Option<String>,
    pub would_refuse: Option<String>,
    pub scopes: Vec<String>,
    pub effective_scopes: Vec<String>,
    pub excess_scopes: Vec<String>,
    pub organization: Option<String>,
}

impl Logged {
    /// The code of the refusal, also where it was but reported.
    pub fn refusal(&self) -> Option<&str> {
        self.would_refuse.as_deref().or(self.code.as_deref())
    }
}

/// Finds the record of a decision: the last one that there is. A stream that was cut has two.
///
/// # Errors
/// When there is none, or the log cannot be read.
pub fn find(log: &Path, id: &str) -> Result<Logged, String> {
    let name = log.display();
    let found = if log == Path::new("-") {
        last(io::stdin().lock(), id)
    } else {
        File::open(log).and_then(|file| last(BufReader::new(file), id))
    };
    found
        .map_err(|error| format!("`{name}` cannot be read: {error}"))?
        .ok_or_else(|| format!("`{name}` has no record of a decision `{id}`"))
}

/// Far longer than any record is, in bytes: what else stands in a log is not held whole.
const LONGEST: u64 = 1 << 20;

fn last(mut log: impl BufRead, id: &str) -> io::Result<Option<Logged>> {
    let (mut line, mut found, mut is_begun) = (Vec::new(), None, false);
    while (&mut log).take(LONGEST).read_until(b'\n', &mut line)? > 0 {
        // The rest of a line that is too long is no line.
        let is_whole = !is_begun && (line.ends_with(b"\n") || (line.len() as u64) < LONGEST);
        let holds = is_whole && line.windows(id.len().max(1)).any(|part| part == id.as_bytes());
        let record = holds.then(|| serde_json::from_slice::<Logged>(&line).ok()).flatten();
        found = record.filter(|record| record.decision_id == id).or(found);
        is_begun = !line.ends_with(b"\n");
        line.clear();
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(id: &str, path: &str) -> String {
        format!(
            r#"{{"time": "2026-11-22T00:00:00.000Z", "decision_id": "{id}", "api": null, "method": "GET",
            "path": "{path}", "client_id": null, "issuer": null, "subject_type": null, "decision": "refuse",
            "code": "route-unknown", "would_refuse": null, "scopes": [], "effective_scopes": [],
            "excess_scopes": [], "organization": null}}"#
        )
        .replace('\n', "")
    }

    #[test]
    fn the_last_record_of_a_decision_is_found_among_others_and_noise() {
        let log = [
            "level=info d1".to_owned(),
            line("d1", "/first"),
            line("d2", "/d1"),
            line("d1", "/last"),
            "{\"decision_id\": \"d1\"".to_owned(),
        ];
        let found = |id: &str| last(log.join("\n").as_bytes(), id).unwrap().map(|it| it.path);
        assert_eq!(found("d1").as_deref(), Some("/last"));
        assert_eq!(found("d2").as_deref(), Some("/d1"));
        assert_eq!(found("d3"), None);
        assert_eq!(found(""), None);
    }

    #[test]
    fn a_line_without_end_is_not_held_and_its_rest_is_no_record() {
        let record = line("d1", "/hidden");
        let longest = usize::try_from(LONGEST).unwrap();
        let log = format!("{}{record}\n{}\n", " ".repeat(longest), line("d2", "/seen"));
        assert!(last(log.as_bytes(), "d1").unwrap().is_none());
        assert_eq!(last(log.as_bytes(), "d2").unwrap().unwrap().path, "/seen");
    }
}
