//! The report as GitHub shows it beside the lines: one workflow command for each problem.
//!
//! `::error file=…,line=…,col=…,endLine=…,endColumn=…,title=…::message`: what a value may not hold is
//! escaped as `%XX`, and nothing of a configuration can begin a command of its own.

use std::fmt::Write as _;

use super::super::diagnostic::Diagnostic;
use super::super::excerpt::{Lines, harmless};
use super::super::report::Report;

/// The commands, a line each, in the order of the texts.
pub(in crate::config) fn github(report: &Report) -> String {
    let lines: Vec<_> =
        report.documents().iter().map(|document| Lines::of(&document.text)).collect();
    let mut out = String::new();
    for found in report.sorted() {
        let Diagnostic { code, message, help, .. } = found;
        let mut properties = Vec::new();
        if let Some(document) = report.documents().get(found.place.source) {
            properties.push(format!("file={}", property(&harmless(&document.name))));
        }
        if let Some((span, lines)) = report.span_of(found).zip(lines.get(found.place.source)) {
            let (line, column) = lines.position(span.start);
            // GitHub marks the last column too.
            let (end_line, behind) = lines.position(span.end);
            let end = behind.saturating_sub(1).max(if end_line == line { column } else { 1 });
            properties.push(format!("line={line},endLine={end_line},col={column},endColumn={end}"));
        }
        properties.push(format!("title={}", property(code.as_str())));
        let help = help.as_ref().map(|help| format!("\nhelp: {}", harmless(help)));
        let text = format!("{}{}", harmless(message), help.unwrap_or_default());
        let level = code.severity().as_str();
        let _ = writeln!(out, "::{level} {}::{}", properties.join(","), data(&text));
    }
    out
}

/// A message: no line ends in it, and no escapes but ours.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property's value: nothing in it that ends it.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
