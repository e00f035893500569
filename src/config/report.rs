//! The report: every problem of every source, with the texts that it needs to show them.
//!
//! Whoever finds a problem pushes it with its place; nobody stops at the first. What was refused
//! once is not refused again: problems at or below a place that the text layer dropped are left
//! out, because they would be about what is no longer there. A warning that a comment allows is
//! counted by itself, and left out too.

mod pushed;

pub use pushed::Pushed;

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::allow::Allows;
use super::diagnostic::{Code, Diagnostic, Severity};
use super::machine::Rows;
use super::place::Place;
use super::render::{self, Style};
use super::source::Source;
use super::tree::{Node, Span};
use crate::policy::Origin;
use pushed::Told;

/// Problems of one severity beyond this many are counted, not kept: nobody reads them, and a file
/// that is all wrong is not to cost more memory than one that is right.
const MAX_KEPT: usize = 1000;

/// A source and, once it is parsed, where everything in it stands.
#[derive(Clone, Debug)]
pub struct Document {
    /// The name of the source.
    pub name: String,
    /// Its text, without the secrets in it: the source's own as long as there are none.
    pub text: Arc<String>,
    pub(super) tree: Option<Node>,
    /// Instead of a tree, where programs write the file.
    rows: Option<Rows>,
    /// Where its lines begin, once somebody asks for one.
    lines: OnceLock<Box<[usize]>>,
}

impl Document {
    fn new(Source { name, text }: Source) -> Self {
        Self { name, text, tree: None, rows: None, lines: OnceLock::new() }
    }

    /// The line of a byte, from 1.
    fn line(&self, at: usize) -> usize {
        let starts = self.lines.get_or_init(|| {
            let breaks = self.text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
            std::iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect()
        });
        starts.partition_point(|start| *start <= at)
    }

    fn is_unread(&self) -> bool {
        self.tree.is_none() && self.rows.is_none()
    }
}

/// The problems of a set of sources.
///
/// It is an error to `?`, prints as the rendered text, and holds warnings alone as well as errors.
#[derive(Clone, Debug, Default)]
pub struct Report {
    documents: Vec<Document>,
    diagnostics: Vec<Diagnostic>,
    /// What was dropped from its document, so that nothing follows from its absence.
    refused: BTreeSet<Place>,
    /// What comments accept.
    allows: Allows,
    counts: Counts,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    errors: usize,
    warnings: usize,
    allowed: usize,
}

impl Counts {
    fn of(&mut self, severity: Severity) -> &mut usize {
        match severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        }
    }
}

impl Report {
    /// No problem yet in these sources. [`Place::source`] counts in their order.
    pub fn new(sources: impl IntoIterator<Item = Source>) -> Self {
        Self { documents: sources.into_iter().map(Document::new).collect(), ..Self::default() }
    }

    /// Takes in one more source, such as a text that another refers to; gives the number by which places
    /// in it are told.
    pub fn open(&mut self, source: Source) -> usize {
        self.documents.push(Document::new(source));
        self.documents.len() - 1
    }

    /// Adds a problem; its severity is the code's. What is returned takes what else there is to
    /// say: `report.push(code, &place, "two grants for …").help("…").also(&first, "first here")`.
    ///
    /// Push what is missing at the place that it is missing from with its own key: then nothing is
    /// said when it is missing only because it was refused.
    pub fn push(&mut self, code: Code, place: &Place, message: impl Into<String>) -> Pushed<'_> {
        if self.is_refused(place) {
            return Pushed(None);
        }
        self.add(code, place, None, message.into())
    }

    fn add(
        &mut self,
        code: Code,
        place: &Place,
        span: Option<Span>,
        message: String,
    ) -> Pushed<'_> {
        if self.allows.accept_anywhere(code, place.source) {
            self.counts.allowed += 1;
            return Pushed(None);
        }
        let count = self.counts.of(code.severity());
        let is_full = *count >= MAX_KEPT;
        if is_full && !self.allows.name_lines(code, place.source) {
            *count += 1;
            return Pushed(None);
        }
        let diagnostic = Diagnostic {
            code,
            place: place.clone(),
            span,
            on_key: false,
            message,
            help: None,
            related: Vec::new(),
        };
        Pushed(Some(Told { report: self, diagnostic, is_full }))
    }

    /// Counts a problem of which all is said, and keeps it where it is shown.
    fn settle(&mut self, diagnostic: Diagnostic) {
        let (code, source) = (diagnostic.code, diagnostic.place.source);
        if self.allows.name_lines(code, source)
            && let Some(span) = self.span_of(&diagnostic)
            && self.allows.accept_line(code, source, span.start)
        {
            self.counts.allowed += 1;
            return;
        }
        let count = self.counts.of(code.severity());
        *count += 1;
        if *count <= MAX_KEPT {
            self.diagnostics.push(diagnostic);
        }
    }

    /// Accepts from now on what comments of a source accept.
    pub(super) fn allow(&mut self, allows: Allows) {
        self.allows.join(allows);
    }

    /// Says which comments accept what is not there, once all is said.
    pub(super) fn close(&mut self) {
        for unused in self.allows.take_unused() {
            self.push(Code::AllowUnused, &Place::root(unused.source), unused.message)
                .at(unused.span)
                .help("remove the comment: what it accepts would go unseen when it comes");
        }
    }

    /// Adds a problem, and takes its place as refused.
    pub(super) fn push_refused(
        &mut self,
        code: Code,
        place: &Place,
        span: Span,
        message: String,
    ) -> Pushed<'_> {
        self.refuse(place.clone());
        // An empty span is where nothing is written: the key says more then.
        let span = (!span.is_empty()).then_some(span);
        self.add(code, place, span, message)
    }

    /// Makes a secret unreadable in the text, so that no excerpt shows it. Every other byte stays
    /// where it is, but for a comment on its line: what is written without quotes ends before ` #`.
    pub(super) fn mask(&mut self, source: usize, span: &Span) {
        let Some(document) = self.documents.get_mut(source) else { return };
        let end = end_with_comment(&document.text, span.end);
        let span = span.start..end;
        let masked = document.text.get(span.clone()).map(|secret| {
            secret.bytes().map(|byte| if byte == b'\n' { '\n' } else { '*' }).collect::<String>()
        });
        if let Some(masked) = masked {
            Arc::make_mut(&mut document.text).replace_range(span, &masked);
        }
    }

    /// Takes what stands at a place, and all below it, as refused: nothing more is said there.
    pub(super) fn refuse(&mut self, place: Place) {
        self.refused.insert(place);
    }

    /// Whether nothing is said at a place, because it was refused already.
    pub(super) fn is_refused(&self, place: &Place) -> bool {
        if self.refused.is_empty() {
            return false;
        }
        let mut outer = place.clone();
        loop {
            if self.refused.contains(&outer) {
                return true;
            }
            if outer.path.pop().is_none() {
                return false;
            }
        }
    }

    /// Whether there is an error anywhere: the configuration is to be refused.
    pub fn has_errors(&self) -> bool {
        self.counts.errors > 0
    }

    /// Whether there is an error at a place or below it, so that what was built from there is not
    /// all of what was written.
    pub fn has_error_within(&self, place: &Place) -> bool {
        self.iter()
            .any(|found| found.code.severity() == Severity::Error && found.place.is_within(place))
    }

    /// Whether further errors are counted alone, so that nothing need be thought up to say of them.
    pub(super) fn is_full(&self) -> bool {
        self.counts.errors >= MAX_KEPT
    }

    /// How many problems of a severity there are.
    pub fn count(&self, severity: Severity) -> usize {
        match severity {
            Severity::Error => self.counts.errors,
            Severity::Warning => self.counts.warnings,
        }
    }

    /// How many warnings there are that comments allow, and that are shown and counted nowhere else.
    pub fn allowed(&self) -> usize {
        self.counts.allowed
    }

    /// The problems in the order in which they were found; of very many, the first.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.diagnostics.iter()
    }

    /// The problems in the order of the texts: by source, then by where they stand. Sources that could
    /// not be read come first: what is said of others may follow from it.
    pub fn sorted(&self) -> Vec<&Diagnostic> {
        let mut sorted: Vec<_> = self.iter().collect();
        // Cached: to locate a place walks its document's tree.
        sorted.sort_by_cached_key(|found| {
            let start = self.span_of(found).map_or(0, |span| span.start);
            let source = found.place.source;
            let unread = self.documents.get(source).is_some_and(Document::is_unread);
            (!unread, source, start)
        });
        sorted
    }

    /// The sources.
    pub fn documents(&self) -> &[Document] {
        &self.documents
    }

    /// Where a problem stands in its text, in bytes; none when it stands in no text.
    pub fn span_of(&self, diagnostic: &Diagnostic) -> Option<Range<usize>> {
        self.locate(&diagnostic.place, diagnostic.span.as_ref(), diagnostic.on_key)
    }

    pub(super) fn locate(&self, place: &Place, span: Option<&Span>, on_key: bool) -> Option<Span> {
        let Document { text, tree, rows, .. } = self.documents.get(place.source)?;
        let by_tree = || tree.as_ref().map(|tree| place.span(tree, on_key));
        let by_rows = || rows.as_ref().map(|rows| rows.span(text, place, on_key));
        span.cloned().or_else(by_tree).or_else(by_rows)
    }

    /// The line in which a place stands, from 1; none where it stands in no text.
    pub fn line(&self, place: &Place) -> Option<usize> {
        let span = self.locate(place, None, false)?;
        Some(self.documents.get(place.source)?.line(span.start))
    }

    /// The line in which a place stands, as what is built of it remembers it.
    pub fn origin(&self, place: &Place) -> Origin {
        let number = |number: usize| u32::try_from(number).unwrap_or(0);
        self.line(place).map_or_else(Origin::default, |line| Origin {
            file: number(place.source),
            line: number(line),
        })
    }

    /// Gives a document the tree in which its places are looked up.
    pub(super) fn attach(&mut self, source: usize, tree: Node) {
        if let Some(document) = self.documents.get_mut(source) {
            document.tree = Some(tree);
        }
    }

    /// Gives a document that was read without a tree the lines in which its places are looked up.
    pub(super) fn attach_rows(&mut self, source: usize, rows: Rows) {
        if let Some(document) = self.documents.get_mut(source) {
            document.rows = Some(rows);
        }
    }

    /// The report for programs to read: one object, `{summary, diagnostics}`.
    pub fn to_json(&self) -> serde_json::Value {
        render::json(self)
    }

    /// The `diagnostics` of [`Self::to_json`], which hold none of the texts and can be kept.
    pub fn diagnostics(&self) -> Vec<serde_json::Value> {
        render::diagnostics(self)
    }

    /// The report as GitHub's workflow commands, a line for each problem.
    pub fn to_github(&self) -> String {
        render::github(self)
    }

    /// The report for people to read.
    pub fn render(&self, style: Style) -> String {
        render::render(self, style)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(Style::Plain))
    }
}

impl std::error::Error for Report {}

/// Where the comment ends that stands behind a value that ends at `end`; there, where there is none.
fn end_with_comment(text: &str, end: usize) -> usize {
    let line = text.get(end..).and_then(|rest| rest.lines().next()).unwrap_or_default();
    let is_comment = line.trim_start_matches([' ', '\t', ':']).starts_with('#');
    if is_comment { end + line.len() } else { end }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_very_many_problems_the_first_are_kept_and_all_are_counted() {
        let mut report = Report::new([Source::new("x", "")]);
        for _ in 0..MAX_KEPT + 5 {
            report.push(Code::KindWrong, &place(), "wrong").help("right");
        }
        assert_eq!(report.iter().count(), MAX_KEPT);
        assert_eq!(report.count(Severity::Error), MAX_KEPT + 5);
        assert!(report.to_string().ends_with("… and 5 more\n\n1005 errors\n"));
    }

    #[test]
    fn no_help_is_looked_for_that_nobody_will_read() {
        let mut report = Report::new([Source::new("x", "")]);
        let mut asked = 0;
        for _ in 0..MAX_KEPT + 5 {
            report.push(Code::GrantElsewhere, &place(), "elsewhere").help_by(|| {
                asked += 1;
                None
            });
        }
        assert_eq!(asked, MAX_KEPT);
    }

    fn place() -> Place {
        Place::root(0).key("apis").index(0)
    }

    #[test]
    fn a_problem_carries_what_is_said_of_it() {
        let mut report = Report::new([Source::new("x", "")]);
        report
            .push(Code::KeyUnknown, &place(), "wrong")
            .help("right")
            .also(&Place::root(0), "see")
            .on_key();
        let found = report.iter().next().unwrap();
        assert_eq!((found.message.as_str(), found.help.as_deref()), ("wrong", Some("right")));
        assert!(found.on_key);
        assert_eq!(found.related.len(), 1);
    }

    #[test]
    fn nothing_is_said_below_what_was_refused() {
        let mut report = Report::new([Source::new("x", "")]);
        report.refuse(place());
        report.push(Code::KeyMissing, &place().key("gate"), "no gate").help("write it");
        report.push(Code::KeyMissing, &place(), "no api");
        assert!(!report.has_errors());
        report.push(Code::KeyMissing, &Place::root(0).key("apis"), "no apis");
        assert!(report.has_errors());
    }

    #[test]
    fn an_error_is_within_the_places_above_it() {
        let mut report = Report::new([Source::new("x", "")]);
        report.push(Code::KindWrong, &place().key("gate"), "wrong");
        assert!(report.has_error_within(&place()));
        assert!(report.has_error_within(&Place::root(0)));
        assert!(!report.has_error_within(&place().key("gate").key("hosts")));
        assert!(!report.has_error_within(&Place::root(1)));
    }
}
