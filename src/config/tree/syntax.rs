//! What the parser cannot read → a problem that says where it is and what to write instead.
//!
//! The parser stops where it can go no further, which is often behind the slip itself: a tab is met
//! at the end of the value before it, an open quote at the next one. Such a place is looked for in
//! the text again. Whatever stands on a line that looks like a secret is masked, for no tree will
//! tell where secrets are.

use granit_parser::{ErrorKind, ScanError};

use super::super::diagnostic::Code;
use super::super::place::Place;
use super::super::report::Report;
use super::super::scalar::TYPOGRAPHIC_QUOTES;
use super::super::secret::looks_secret;
use super::Span;

/// Reports why the text is not well-formed.
pub(super) fn report(source: usize, text: &str, error: &ScanError, report: &mut Report) {
    mask_secrets(source, text, report);
    let root = Place::root(source);
    let at = error.marker().byte_offset().unwrap_or_default().min(text.len());
    let mut message = error.kind().to_string();
    let mut span = one_char(text, at);
    let mut opened = None;
    match error.kind() {
        kind if is_tab(kind) => {
            if let Some(tab) = tab(text, at) {
                span = tab..tab + 1;
            }
            "a tab is used for indentation".clone_into(&mut message);
        }
        ErrorKind::InvalidTrailingSingleQuotedScalar => opened = opening(text, at, '\''),
        ErrorKind::InvalidTrailingDoubleQuotedScalar => opened = opening(text, at, '"'),
        _ => {}
    }
    let help = if is_in_typographic_quotes(text, at) {
        "quotes are typographic ones here, which quote nothing: write `\"`"
    } else {
        help(error.kind())
    };
    let pushed = report.push(Code::YamlSyntax, &root, message).at(span).help(help);
    if let Some(opened) = opened {
        pushed.also_at(&root, one_char(text, opened), "opened here");
    }
}

/// Whether the line of `at` has them, beside what it may say in a comment.
fn is_in_typographic_quotes(text: &str, at: usize) -> bool {
    let line = text.get(line_start(text, at)..).and_then(|rest| rest.lines().next());
    let written = line.and_then(|line| line.split(" #").next()).unwrap_or_default();
    written.contains(TYPOGRAPHIC_QUOTES)
}

fn one_char(text: &str, at: usize) -> Span {
    let rest = text.get(at..).unwrap_or_default();
    at..at + rest.chars().next().map_or(0, char::len_utf8)
}

fn is_tab(kind: &ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::TabInBlockIndentation
            | ErrorKind::TabInIndentation
            | ErrorKind::TabInPlainScalar
            | ErrorKind::TabNotAllowed
    )
}

/// The first tab that a line is indented with, from the line of `at` on; else the first tab.
fn tab(text: &str, at: usize) -> Option<usize> {
    let start = line_start(text, at);
    let mut begin = start;
    for line in text.get(start..)?.split_inclusive('\n') {
        let indentation = line.len() - line.trim_start_matches([' ', '\t']).len();
        let tab = line.get(..indentation).and_then(|indentation| indentation.find('\t'));
        if let Some(tab) = tab.filter(|_| !line.trim().is_empty()) {
            return Some(begin + tab);
        }
        begin += line.len();
    }
    text.get(start..)?.find('\t').map(|tab| start + tab)
}

/// Where the quoted text was opened that ends before `at`, when that is on another line.
fn opening(text: &str, at: usize, quote: char) -> Option<usize> {
    let closing = text.get(..at)?.rfind(quote)?;
    let opened = text.get(..closing)?.rfind(quote)?;
    (opened < line_start(text, at)).then_some(opened)
}

fn line_start(text: &str, at: usize) -> usize {
    text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1)
}

/// Masks what follows a key that sounds like a secret's: to the end of its line, and the lines behind
/// it that are indented further or in the same quotes.
fn mask_secrets(source: usize, text: &str, report: &mut Report) {
    let mut begin = 0;
    // Where the value that is being masked goes on.
    let mut open: Option<Open> = None;
    for line in text.split_inclusive('\n') {
        let end = begin + line.trim_end().len();
        if open.as_ref().is_some_and(|open| open.goes_on(line)) {
            report.mask(source, &(begin..end));
            if let Some(open) = &mut open {
                open.see(line);
            }
            begin += line.len();
            continue;
        }
        open = None;
        let mut rest = line;
        while let Some((key, value)) = rest.split_once(':') {
            let key = key.rsplit(['{', ',', ' ', '\t']).next().unwrap_or_default();
            if looks_secret(key.trim_matches(['"', '\'']))
                && !value.trim_start_matches([' ', '"', '\'']).starts_with("${")
            {
                let from = (begin + line.len() - value.len()).min(end);
                report.mask(source, &(from..end));
                open = Some(Open::of(line, value));
                break;
            }
            rest = value;
        }
        begin += line.len();
    }
}

/// A value that may go on in the next line.
struct Open {
    indentation: usize,
    /// The quote that is not closed yet.
    quote: Option<char>,
}

impl Open {
    fn of(line: &str, value: &str) -> Self {
        let mut open = Self { indentation: indentation(line), quote: None };
        let value = value.trim_start();
        if let Some(quote @ ('"' | '\'')) = value.chars().next() {
            open.quote = Some(quote);
            open.see(value.get(1..).unwrap_or_default());
        }
        open
    }

    fn goes_on(&self, line: &str) -> bool {
        self.quote.is_some() || line.trim().is_empty() || indentation(line) > self.indentation
    }

    /// Looks for the end of the quotes.
    fn see(&mut self, text: &str) {
        if let Some(quote) = self.quote
            && text.trim_end_matches(['}', ']', ',', ' ', '\t', '\r', '\n']).ends_with(quote)
        {
            self.quote = None;
        }
    }
}

/// How far a line is indented; the `- ` of an element's first key counts as blanks.
fn indentation(line: &str) -> usize {
    line.len() - line.trim_start_matches([' ', '\t', '-']).len()
}

/// What to do about the slips that people make most.
fn help(kind: &ErrorKind) -> &'static str {
    match kind {
        kind if is_tab(kind) => "indent with spaces, not with tabs",
        ErrorKind::DirectiveDisallowed => "remove the line: directives are not supported",
        ErrorKind::MappingValueNotAllowed => {
            "indent all keys of a mapping equally; quote text that holds `: `"
        }
        ErrorKind::MissingAnchorOrAliasName => {
            "quote text that begins with `*` or `&`: `\"* /admin/*\"`"
        }
        ErrorKind::UnexpectedCharacter { .. } => "quote text that begins with this character",
        ErrorKind::ExpectedFlowMappingSeparator | ErrorKind::ExpectedFlowSequenceSeparator => {
            "quote text that holds `{`, `}`, `[`, `]` or `: `; or a comma or bracket is missing"
        }
        ErrorKind::ExpectedBlockMappingKey | ErrorKind::ExpectedBlockSequenceEntry => {
            "align it with the entry above that it belongs beside: same indentation, same `- `"
        }
        ErrorKind::UnclosedQuotedScalar
        | ErrorKind::InvalidTrailingSingleQuotedScalar
        | ErrorKind::InvalidTrailingDoubleQuotedScalar
        | ErrorKind::InvalidQuotedScalarIndent => {
            "close each quote where its text ends; an earlier quote may be open"
        }
        ErrorKind::InvalidColonPlacement
        | ErrorKind::UnclosedFlowCollection { .. }
        | ErrorKind::MismatchedFlowCollectionEnd { .. } => {
            "close each bracket; an earlier one may be open"
        }
        _ => "see whether a bracket, a quote or a space is missing here or on a line before",
    }
}
