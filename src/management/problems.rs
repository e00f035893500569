//! The problems of a configuration, as those who manage are told of them: by the names of its files, never
//! by where these are on this machine.

use std::path::Path;

use serde_json::{Value, json};

use crate::config::{Place, Report, Source};
use crate::reload::Change;

/// So many problems of a configuration are told.
const MOST_PROBLEMS: usize = 20;

/// What a change touches: in which files, by their names, and where there.
#[derive(Debug, Default)]
pub(super) struct Touched(Vec<(String, Place)>);

impl Touched {
    /// What `change` touches, which was planned upon `sources`.
    pub(super) fn by(change: &Change, sources: &[Source]) -> Self {
        let touched = change.edits.iter().filter_map(|edit| {
            let place = edit.place();
            let known = sources.get(place.source).map(|source| source.name.as_str());
            let name = known.or(change.new_file.as_deref())?;
            Some((file_name(Path::new(name)), place.clone()))
        });
        Self(touched.collect())
    }

    /// Whether a place of a file is within. Files may be counted otherwise by now.
    fn holds(&self, file: &str, place: &Place) -> bool {
        self.0.iter().any(|(name, outer)| name == file && place.path.starts_with(&outer.path))
    }
}

/// Why a changed configuration cannot be taken: whoever sent the change hears of it as a fault of his where
/// it stands in what he sent.
pub(super) fn invalid(report: &Report, touched: &Touched) -> String {
    let errors = || errors(report);
    let sent = errors().find(|(place, problem)| {
        let file = problem.get("file").and_then(Value::as_str).unwrap_or_default();
        touched.holds(&file_name(Path::new(file)), place)
    });
    if let Some((_, problem)) = sent {
        return format!("Payload validation error: '{}'", words(&told(report, &problem)));
    }
    let Some((_, problem)) = errors().next() else {
        return "the changed configuration would be refused".to_owned();
    };
    let problem = told(report, &problem);
    let place = text(&problem, "place");
    let place = if place.is_empty() { String::new() } else { format!("{place}: ") };
    format!("the changed configuration would be refused: {place}{}", words(&problem))
}

/// The errors of a configuration, for programs: `{code, message, place, help}`.
pub(super) fn problems(report: &Report) -> Vec<Value> {
    let errors = errors(report).take(MOST_PROBLEMS);
    errors.map(|(_, problem)| told(report, &problem)).collect()
}

/// The name of a file, without where it is.
pub(super) fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}

fn errors(report: &Report) -> impl Iterator<Item = (&Place, Value)> {
    let places = report.sorted().into_iter().map(|found| &found.place);
    places.zip(report.diagnostics()).filter(|(_, problem)| text(problem, "severity") == "error")
}

fn told(report: &Report, problem: &Value) -> Value {
    let file = file_name(Path::new(text(problem, "file")));
    let line = problem.get("line").and_then(Value::as_u64);
    let line = line.map(|line| format!("{file}:{line}"));
    let place = [line.unwrap_or(file), text(problem, "path").to_owned()];
    let place: Vec<_> = place.into_iter().filter(|part| !part.is_empty()).collect();
    let help = problem.get("help").and_then(Value::as_str);
    json!({
        "code": problem.get("code"), "message": without_folders(report, text(problem, "message")),
        "place": place.join(": "), "help": help.map(|help| without_folders(report, help)),
    })
}

/// A text without the folders that the files are in.
fn without_folders(report: &Report, text: &str) -> String {
    let names = report.documents().iter().map(|document| Path::new(&document.name));
    let folders = names.filter_map(Path::parent).filter(|folder| folder.is_absolute());
    folders
        .fold(text.to_owned(), |text, folder| text.replace(&format!("{}/", folder.display()), ""))
}

/// A problem in one line.
fn words(problem: &Value) -> String {
    let message = text(problem, "message");
    let help = problem.get("help").and_then(Value::as_str);
    help.map_or_else(|| message.to_owned(), |help| format!("{message}; {help}"))
}

fn text<'v>(problem: &'v Value, key: &str) -> &'v str {
    problem.get(key).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Code, Edit};

    #[test]
    fn what_the_caller_sent_is_told_apart_from_what_follows_and_no_folder_is_told() {
        let source = || Source::new("/etc/g/grants.yaml", "client_grants: []\n");
        let mut report = Report::new([source()]);
        let place = Place::root(0).key("client_grants");
        report.push(Code::GrantDuplicate, &place, "`/etc/g/a.pem` is bad").help("mend it");
        let touching = |place: Place| {
            let edits = vec![Edit::Remove { place }];
            Touched::by(&Change { edits, new_file: None }, &[source()])
        };
        let message = invalid(&report, &touching(Place::root(0).key("client_grants")));
        assert_eq!(message, "Payload validation error: '`a.pem` is bad; mend it'");
        let message = invalid(&report, &touching(Place::root(0).key("resource_servers")));
        let words = "the changed configuration would be refused: grants.yaml: client_grants: `a.pem` \
            is bad; mend it";
        assert_eq!(message, words);
    }
}
