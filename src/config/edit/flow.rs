//! Parts of a list or mapping in brackets: taken out, and added behind the last one, on its line or on lines
//! of their own. Lines may end in commas or begin with them.
//!
//! What stands between two parts that stay is written anew where something between them goes or comes, and a
//! comment there stays with what it speaks of: one that ends a line with the parts on that line, one on lines
//! of its own with the part directly below. Those right below the bracket speak of all parts, unless the
//! second part has its own too. A comment behind which a new part would come to stand gets a line break.

use std::ops::Range;

use super::gap::{Comma, Gap, is_blank};
use super::layout::Part;
use super::page::{Page, Splices};

/// A list or mapping in brackets, and what becomes of its parts.
pub(super) struct Flow<'p, 't> {
    pub(super) page: &'p Page<'t>,
    /// From its opening bracket to behind the closing one.
    pub(super) span: Range<usize>,
    pub(super) parts: &'p [Part<'t>],
    /// Which parts are taken out.
    pub(super) removed: &'p [bool],
    /// What stands between two parts on one line, where none show it.
    pub(super) comma: &'static str,
    /// What a part on a line of its own is indented by, where none show it.
    pub(super) deeper: String,
    /// Whether parts get lines of their own, where none show it.
    pub(super) is_tall: bool,
}

impl<'t> Flow<'_, 't> {
    /// The indentation of a new part's line.
    pub(super) fn indentation(&self) -> String {
        match self.parts.last() {
            Some(last) => self.page.indentation(last.start).to_owned(),
            None => self.nested(),
        }
    }

    /// Takes parts out, and adds `added`. None where nobody could tell what a comment speaks of.
    pub(super) fn change(&self, added: &[String], splices: &mut Splices) -> Option<()> {
        let gaps = self.gaps()?;
        let is_odd = gaps.iter().any(|gap| gap.comma == Comma::Odd)
            || gaps.last().is_some_and(|gap| gap.comma == Comma::Ahead)
            || gaps.iter().any(|gap| gap.comma == Comma::Ahead)
                && gaps.iter().any(|gap| gap.comma == Comma::Behind && gap.is_tall());
        let (mut from, last) = (0, self.parts.len());
        for to in 0..=last {
            if self.removed.get(to).is_some_and(|removed| *removed) {
                continue;
            }
            if from < to || to == last && !added.is_empty() {
                if is_odd && gaps.iter().any(Gap::has_comment) {
                    return None;
                }
                let start = match from.checked_sub(1) {
                    Some(before) => self.parts.get(before)?.end,
                    None => self.inner().start,
                };
                let end = self.parts.get(to).map_or(self.inner().end, |part| part.start);
                let seam = Seam { flow: self, gaps: gaps.get(from..=to)?, from, to };
                let text = if to == last { seam.close(added, &gaps)? } else { seam.join(&gaps)? };
                splices.replace(start..end, text);
            }
            from = to + 1;
        }
        Some(())
    }

    fn inner(&self) -> Range<usize> {
        self.span.start + 1..self.span.end - 1
    }

    /// One indentation further than the line of the bracket.
    fn nested(&self) -> String {
        format!("{}{}", self.page.indentation(self.span.start), self.deeper)
    }

    /// What stands before each part, and before the closing bracket.
    fn gaps(&self) -> Option<Vec<Gap<'t>>> {
        let inner = self.inner();
        let mut gaps = Vec::with_capacity(self.parts.len() + 1);
        let (mut at, mut column) = (inner.start, usize::MAX);
        for part in self.parts {
            gaps.push(Gap::of(self.page, at..part.start, column)?);
            (at, column) = (part.end, self.page.column(part.start));
        }
        gaps.push(Gap::of(self.page, at..inner.end, column)?);
        Some(gaps)
    }

    /// What stands between two parts on one line.
    fn between(&self) -> &str {
        if let [.., before, last] = self.parts {
            let between = self.page.slice(before.end..last.start);
            if matches!(between.trim_end_matches(' '), ",") {
                return between;
            }
        }
        self.comma
    }

    /// What stands between two parts on lines of their own, and whether the line begins with the comma.
    fn line_between(&self, gaps: &[Gap<'_>]) -> (String, bool) {
        let line_break = self.page.line_break;
        let ahead = gaps.iter().rev().find(|gap| gap.comma == Comma::Ahead);
        if let Some(lead) = ahead.and_then(|gap| gap.lead) {
            return (format!("{line_break}{lead}"), true);
        }
        (format!(",{line_break}{}", self.line_indentation()), false)
    }

    /// The indentation of a part on a line of its own.
    fn line_indentation(&self) -> String {
        match self.parts.last() {
            Some(last)
                if self.page.line_start(last.start) != self.page.line_start(self.span.start) =>
            {
                self.page.indentation(last.start).to_owned()
            }
            _ => self.nested(),
        }
    }
}

/// What stands between two neighbours of which each is a part that stays, or a bracket: the gaps, and the
/// parts between them, all of which go.
struct Seam<'f, 't> {
    flow: &'f Flow<'f, 't>,
    gaps: &'f [Gap<'t>],
    /// Which part comes first behind the first neighbour.
    from: usize,
    /// Which part the second neighbour is: as many as there are where it is the closing bracket.
    to: usize,
}

impl Seam<'_, '_> {
    /// What stands before a part that stays.
    fn join(&self, all: &[Gap<'_>]) -> Option<String> {
        let (first, last) = (self.gaps.first()?, self.gaps.last()?);
        let mut lines = self.kept_lines(all);
        lines.extend(&last.lines);
        let lines = self.tidied(lines, all);
        let tail = self.tail();
        let is_behind_bracket = self.from == 0;
        let is_tall = first.is_tall()
            || !tail.is_empty()
            || !lines.is_empty()
            || !is_behind_bracket && self.gaps.iter().any(Gap::is_tall);
        if !is_tall {
            return Some(first.raw.to_owned());
        }
        let lead = if is_behind_bracket {
            let shown = if first.is_tall() { first } else { last };
            shown.bare_lead().unwrap_or_else(|| self.flow.nested())
        } else {
            self.gaps.iter().rev().find_map(|gap| gap.lead)?.to_owned()
        };
        let is_without = is_behind_bracket || lead.contains(',');
        let comma = if is_without { "" } else { first.comma_behind() };
        let line_break = self.flow.page.line_break;
        Some(format!("{comma}{tail}{}{line_break}{lead}", self.on_lines(&lines)))
    }

    /// What stands before the closing bracket.
    fn close(&self, added: &[String], all: &[Gap<'_>]) -> Option<String> {
        let page = self.flow.page;
        let (first, last) = (self.gaps.first()?, self.gaps.last()?);
        let line_break = page.line_break;
        let is_behind_bracket = self.from == 0;
        let closing = match last.bare_lead() {
            Some(lead) => lead,
            None => page.indentation(self.flow.span.end - 1).to_owned(),
        };
        let mut lines = self.kept_lines(all);
        let tail = self.tail();
        let is_closed = last.comma != Comma::Nowhere;
        if added.is_empty() {
            lines.extend(&last.lines);
            let lines = self.tidied(lines, all);
            let is_bare = tail.is_empty() && lines.is_empty();
            return Some(match () {
                () if is_bare && is_behind_bracket => String::new(),
                () if is_bare && !last.is_tall() => last.raw.to_owned(),
                () => {
                    let is_without = !is_closed || is_behind_bracket;
                    let comma = if is_without { "" } else { first.comma_behind() };
                    format!("{comma}{tail}{}{line_break}{closing}", self.on_lines(&lines))
                }
            });
        }
        if self.flow.parts.is_empty() {
            return Some(self.fill(added, last, &closing));
        }
        let lines = self.tidied(lines, all);
        let is_on_lines = !tail.is_empty()
            || !lines.is_empty()
            || all.iter().rev().nth(1).is_some_and(Gap::is_tall);
        let (between, is_ahead) = if is_on_lines {
            self.flow.line_between(all)
        } else {
            (self.flow.between().to_owned(), false)
        };
        let kept = format!("{tail}{}", self.on_lines(&lines));
        let start = match () {
            () if !is_behind_bracket && is_ahead => format!("{kept}{between}"),
            () if !is_behind_bracket => {
                let rest = between.trim_start_matches(',');
                format!("{}{kept}{rest}", first.comma_behind())
            }
            () if first.is_tall() || !kept.is_empty() => {
                let lead = first.bare_lead().unwrap_or_else(|| self.flow.line_indentation());
                format!("{kept}{line_break}{lead}")
            }
            () => first.raw.to_owned(),
        };
        let end = if last.is_tall() {
            let comma = if is_closed { "," } else { "" };
            format!("{comma}{}{line_break}{closing}", self.on_lines(&last.lines))
        } else {
            last.raw.find(',').and_then(|at| last.raw.get(at..)).unwrap_or(last.raw).to_owned()
        };
        Some(format!("{start}{}{end}", added.join(&between)))
    }

    /// Fills empty brackets; comments within speak of the list, and stay above.
    fn fill(&self, added: &[String], gap: &Gap<'_>, closing: &str) -> String {
        let line_break = self.flow.page.line_break;
        let is_bare = !gap.has_comment();
        if is_bare && !self.flow.is_tall {
            return added.join(self.flow.comma);
        }
        let lead = format!("{line_break}{}", self.flow.nested());
        let outer = self.flow.page.indentation(self.flow.span.start);
        let closing = if is_bare { outer } else { closing };
        let parts = added.join(&format!(",{lead}"));
        let lines: Vec<_> = gap.more.iter().chain(&gap.lines).copied().collect();
        let lines = if is_bare { String::new() } else { self.on_lines(&lines) };
        format!("{}{lines}{lead}{parts}{line_break}{closing}", spaced(gap.tail))
    }

    /// The comment that ends the line of the first neighbour, unless only parts that go are there too: then
    /// it is theirs.
    fn tail(&self) -> String {
        let ended = self.gaps.iter().position(Gap::is_tall);
        let ended = ended.filter(|at| self.from > 0 || *at == 0).and_then(|at| self.gaps.get(at));
        ended.map_or_else(String::new, |gap| {
            format!("{}{}", spaced(gap.tail), self.on_lines(&gap.more))
        })
    }

    /// The lines before parts that go that do not speak of these.
    fn kept_lines<'a>(&'a self, all: &[Gap<'_>]) -> Vec<&'a str> {
        let before_parts = self.gaps.len().saturating_sub(1);
        let mut kept = Vec::new();
        for (at, gap) in self.gaps.iter().take(before_parts).enumerate() {
            let head = gap.head();
            let above = head.checked_sub(1).and_then(|above| gap.lines.get(above));
            let next_has_one = self.flow.parts.len() > 1
                && all.get(1).is_some_and(|next| next.head() < next.lines.len());
            let speaks_of_all =
                self.from + at == 0 && !above.is_some_and(|line| is_blank(line)) && !next_has_one;
            let end = if speaks_of_all { gap.lines.len() } else { head };
            kept.extend(gap.lines.iter().take(end).copied());
        }
        kept
    }

    /// Lines without the blank ones that stood around what goes.
    fn tidied<'a>(&self, mut lines: Vec<&'a str>, all: &[Gap<'_>]) -> Vec<&'a str> {
        if self.gaps.len() < 2 {
            return lines;
        }
        lines.dedup_by(|line, before| is_blank(line) && is_blank(before));
        let begins_blank =
            all.first().is_some_and(|gap| gap.lines.first().is_some_and(|l| is_blank(l)));
        if self.from == 0 && !begins_blank && lines.first().is_some_and(|line| is_blank(line)) {
            lines.remove(0);
        }
        let ends_blank =
            all.last().is_some_and(|gap| gap.lines.last().is_some_and(|l| is_blank(l)));
        let is_last = self.to == self.flow.parts.len();
        if is_last && !ends_blank && lines.last().is_some_and(|line| is_blank(line)) {
            lines.pop();
        }
        lines
    }

    fn on_lines(&self, lines: &[&str]) -> String {
        lines.iter().flat_map(|line| [self.flow.page.line_break, line]).collect()
    }
}

/// A comment behind which a comma may go needs a blank before it.
fn spaced(tail: &str) -> String {
    let blank = if tail.starts_with('#') { " " } else { "" };
    format!("{blank}{tail}")
}
