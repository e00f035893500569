//! A text as people are shown it, and the difference between two, as `diff -u` shows it.
//!
//! What stands near a change is shown with it. What a report would not show is not shown here: there may be
//! secrets that nobody reads, in what was pasted.

use similar::{ChangeTag, TextDiff};

use crate::config::{Place, Report, Source, inspect};

/// Lines that are shown around a change.
const CONTEXT: usize = 3;

/// A text without what may be a secret.
pub(super) struct Shown {
    report: Report,
}

impl Shown {
    pub(super) fn of(source: &Source) -> Self {
        Self { report: inspect(std::slice::from_ref(source)) }
    }

    /// Its name, and the line of a place in it, or of what is nearest around that.
    pub(super) fn line(&self, place: &Place) -> String {
        let name = self.report.documents().first().map_or("", |document| &document.name);
        let place = Place { source: 0, path: place.path.clone() };
        match self.report.line(&place) {
            Some(line) => format!("{name}:{line}"),
            None => name.to_owned(),
        }
    }

    /// The difference to what it becomes.
    pub(super) fn unified(&self, name: &str, after: &Self) -> String {
        unified(name, self.text(), after.text())
    }

    /// Whether the difference to what it becomes is not that of the texts themselves: something in it is
    /// not shown.
    pub(super) fn masks(&self, before: &Source, (is, after): (&Self, &Source)) -> bool {
        let is_whole = self.text() == *before.text && is.text() == *after.text;
        !is_whole && self.unified("", is) != unified("", &before.text, &after.text)
    }

    /// The lines that are in `after` alone, as they stand there but for what all are indented by.
    pub(super) fn added(&self, after: &Self) -> String {
        let diff = TextDiff::from_lines(self.text(), after.text());
        let new = diff.iter_all_changes().filter(|change| change.tag() == ChangeTag::Insert);
        let lines = new.map(|change| change.value().trim_end()).filter(|line| !line.is_empty());
        let lines: Vec<&str> = lines.collect();
        let blanks = |line: &&str| line.len() - line.trim_start_matches(' ').len();
        let common = lines.iter().map(blanks).min().unwrap_or_default();
        let mut added = String::new();
        for line in lines {
            added.push_str(line.get(common..).unwrap_or_default());
            added.push('\n');
        }
        added
    }

    fn text(&self) -> &str {
        self.report.documents().first().map_or("", |document| &document.text)
    }
}

/// A difference as `diff -u` shows it. A name with blanks in it ends with a tab, as `patch` wants it.
fn unified(name: &str, before: &str, after: &str) -> String {
    let end = if name.contains(' ') { "\t" } else { "" };
    let name = format!("{name}{end}");
    let diff = TextDiff::from_lines(before, after);
    diff.unified_diff().context_radius(CONTEXT).header(&name, &name).to_string()
}
