//! The report as people read it: each problem with its lines, a caret, and what to write instead.
//!
//! In comes a [`Report`]; out goes text in the manner of rustc. Nothing of a configuration reaches
//! a terminal as it is: what could move its cursor or turn its text around is made visible first.
//! Only the lines that matter are looked at, and of a long line only the part around the caret.

mod github;
mod json;

pub(super) use github::github;
pub(super) use json::{diagnostics, json};

use std::fmt::Write as _;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::diagnostic::{Diagnostic, Related, Severity};
use super::excerpt::{Excerpt, Lines, harmless};
use super::report::Report;
use super::tree::Span;

/// Places this many lines apart are shown in one piece.
const MAX_APART: usize = 20;

/// How a rendered report looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// With the colours of a terminal.
    Colour,
    /// Text alone.
    Plain,
}

/// Renders every problem in the order of the texts, then how many there are. No problem: no text.
pub(super) fn render(report: &Report, style: Style) -> String {
    let look = match style {
        Style::Colour => Renderer::styled(),
        Style::Plain => Renderer::plain(),
    };
    let lines: Vec<_> =
        report.documents().iter().map(|document| Lines::of(&document.text)).collect();
    let sorted = report.sorted();
    let mut rendered = String::new();
    for diagnostic in &sorted {
        for line in look.render(&[group(report, &lines, diagnostic)]).lines() {
            if !is_bare_mark(line) {
                rendered.push_str(line);
                rendered.push('\n');
            }
        }
        rendered.push('\n');
    }
    let all = report.count(Severity::Error) + report.count(Severity::Warning);
    if let Some(more @ 1..) = all.checked_sub(sorted.len()) {
        let _ = write!(rendered, "… and {more} more\n\n");
    }
    if !sorted.is_empty() {
        rendered.push_str(&summary(report));
        rendered.push('\n');
    }
    rendered
}

/// Whether a line is the mark before a text's name without the name, which the renderer puts behind
/// a position that was given to it, as that of a long line is.
fn is_bare_mark(line: &str) -> bool {
    let mut pieces = line.split('\u{1b}');
    let first = pieces.next().unwrap_or_default();
    // Of each further piece, what stands behind the colour.
    let rest = pieces.map(|piece| piece.split_once('m').map_or("", |(_, text)| text));
    std::iter::once(first).chain(rest).collect::<String>().trim() == ":::"
}

/// `2 errors, 1 warning, 3 allowed`.
fn summary(report: &Report) -> String {
    let counts = [(Severity::Error, "error"), (Severity::Warning, "warning")];
    let counts = counts.map(|(severity, name)| match report.count(severity) {
        0 => None,
        1 => Some(format!("1 {name}")),
        count => Some(format!("{count} {name}s")),
    });
    let allowed = (report.allowed() > 0).then(|| format!("{} allowed", report.allowed()));
    counts.into_iter().chain([allowed]).flatten().collect::<Vec<_>>().join(", ")
}

fn group<'a>(report: &'a Report, lines: &'a [Lines<'a>], diagnostic: &'a Diagnostic) -> Group<'a> {
    let level = match diagnostic.code.severity() {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(harmless(&diagnostic.message)).id(diagnostic.code.as_str());
    let mut group = Group::with_title(title);
    for piece in pieces(report, lines, diagnostic) {
        group = piece.show(group);
    }
    match &diagnostic.help {
        Some(help) => group.element(Level::HELP.message(harmless(help))),
        None => group,
    }
}

/// What is pointed at in one text, near enough to one another to be shown together.
struct Piece<'a> {
    name: &'a str,
    lines: &'a Lines<'a>,
    /// The first names the piece's position. None: the text as a whole.
    marks: Vec<(Span, AnnotationKind, Option<String>)>,
}

fn pieces<'a>(
    report: &'a Report,
    lines: &'a [Lines<'a>],
    diagnostic: &Diagnostic,
) -> Vec<Piece<'a>> {
    let Diagnostic { place, span, on_key, .. } = diagnostic;
    let mut pieces: Vec<Piece<'a>> = Vec::new();
    let main = (place, span, *on_key, AnnotationKind::Primary, None);
    let related = diagnostic.related.iter().map(|Related { place, span, message }| {
        (place, span, false, AnnotationKind::Context, Some(harmless(message)))
    });
    for (place, span, on_key, kind, label) in std::iter::once(main).chain(related) {
        let Some((document, lines)) =
            report.documents().get(place.source).zip(lines.get(place.source))
        else {
            continue;
        };
        let Some(span) = report.locate(place, span.as_ref(), on_key) else {
            pieces.push(Piece { name: &document.name, lines, marks: Vec::new() });
            continue;
        };
        let near =
            pieces.iter_mut().find(|piece| piece.name == document.name && piece.is_near(&span));
        match near {
            Some(piece) => piece.marks.push((span, kind, label)),
            None => {
                pieces.push(Piece {
                    name: &document.name,
                    lines,
                    marks: vec![(span, kind, label)],
                });
            }
        }
    }
    pieces
}

impl<'a> Piece<'a> {
    fn is_near(&self, span: &Span) -> bool {
        !self.lines.is_long(span)
            && self.marks.iter().all(|(mark, ..)| {
                let apart = self.lines.line(mark.start).abs_diff(self.lines.line(span.start));
                apart <= MAX_APART && !self.lines.is_long(mark)
            })
    }

    fn show(self, group: Group<'a>) -> Group<'a> {
        let origin = Origin::path(harmless(self.name));
        let Some((first, ..)) = self.marks.first() else {
            return group.element(origin);
        };
        let spans: Vec<_> = self.marks.iter().map(|(span, ..)| span.clone()).collect();
        let is_cut = self.lines.is_long(first);
        let (line, column) = self.lines.position(first.start);
        let excerpt = Excerpt::of(self.lines, &spans);
        let marks = excerpt.marks.into_iter().zip(self.marks);
        let annotations = marks.map(|(mark, (_, kind, label))| kind.span(mark).label(label));
        let snippet =
            Snippet::source(excerpt.text).line_start(excerpt.first_line).annotations(annotations);
        if is_cut {
            // The column cannot be counted in what is left of the line.
            group.element(origin.line(line).char_column(column)).element(snippet)
        } else {
            group.element(snippet.path(harmless(self.name)))
        }
    }
}

#[cfg(test)]
mod tests;
