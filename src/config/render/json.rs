//! The report as programs read it: one JSON object, whose shape `config/README.md` documents.
//!
//! Lines and columns count from 1, columns in characters; an end is just behind what is meant. Keys
//! are always there, `null` where there is nothing to say: keys may be added, and never change.

use serde_json::{Value, json};

use super::super::diagnostic::{Diagnostic, Related, Severity};
use super::super::excerpt::Lines;
use super::super::place::Place;
use super::super::report::Report;
use super::super::tree::Span;

/// Every problem that is kept, and how many there are.
pub(in crate::config) fn json(report: &Report) -> Value {
    json!({
        "summary": {
            "errors": report.count(Severity::Error),
            "warnings": report.count(Severity::Warning),
            "allowed": report.allowed(),
            "files": report.documents().len(),
        },
        "diagnostics": diagnostics(report),
    })
}

/// Every problem that is kept, in the order of the texts.
pub(in crate::config) fn diagnostics(report: &Report) -> Vec<Value> {
    let lines: Vec<_> =
        report.documents().iter().map(|document| Lines::of(&document.text)).collect();
    report.sorted().iter().map(|found| diagnostic(report, &lines, found)).collect()
}

fn diagnostic(report: &Report, lines: &[Lines<'_>], found: &Diagnostic) -> Value {
    let Diagnostic { code, place, span, on_key, message, help, related } = found;
    let related = related.iter().map(|Related { place, span, message }| {
        let mut value = position(report, lines, place, span.as_ref(), false);
        insert(&mut value, "message", json!(message));
        value
    });
    let related: Vec<_> = related.collect();
    let mut value = position(report, lines, place, span.as_ref(), *on_key);
    insert(&mut value, "code", json!(code.as_str()));
    insert(&mut value, "severity", json!(code.severity().as_str()));
    insert(&mut value, "message", json!(message));
    insert(&mut value, "help", json!(help));
    insert(&mut value, "related", json!(related));
    value
}

fn insert(into: &mut Value, key: &str, value: Value) {
    if let Some(map) = into.as_object_mut() {
        map.insert(key.to_owned(), value);
    }
}

fn position(
    report: &Report,
    lines: &[Lines<'_>],
    place: &Place,
    span: Option<&Span>,
    on_key: bool,
) -> Value {
    let file = report.documents().get(place.source).map(|document| &document.name);
    let path = file.map(|_| place.to_string());
    let at = report.locate(place, span, on_key).zip(lines.get(place.source));
    let at = at.map(|(span, lines)| (lines.position(span.start), lines.position(span.end)));
    json!({
        "file": file,
        "path": path,
        "line": at.map(|((line, _), _)| line),
        "column": at.map(|((_, column), _)| column),
        "end": at.map(|(_, (line, column))| json!({"line": line, "column": column})),
    })
}
