//! Parts of a list or mapping in brackets: taken out with a comma, and added behind the last one, on its line
//! or on lines of their own.

use std::ops::Range;

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

impl Flow<'_, '_> {
    /// The indentation of a new part's line.
    pub(super) fn indentation(&self) -> String {
        match self.parts.last() {
            Some(last) => self.page.indentation(last.start).to_owned(),
            None => format!("{}{}", self.page.indentation(self.span.start), self.deeper),
        }
    }

    /// Takes parts out, and adds `added`.
    pub(super) fn change(&self, added: &[String], splices: &mut Splices) {
        let kept = self.removed.iter().rposition(|removed| !removed);
        match (kept, self.parts.first(), self.parts.last()) {
            (None, Some(first), Some(last)) if !added.is_empty() => {
                splices.replace(first.start..last.end, added.join(&self.between()));
            }
            (None, Some(_), _) => splices.delete(self.inner()),
            (None, None, _) => self.fill(added, splices),
            (Some(kept), ..) => {
                self.take_out(kept, splices);
                self.add(kept, added, splices);
            }
        }
    }

    fn inner(&self) -> Range<usize> {
        self.span.start + 1..self.span.end - 1
    }

    /// Behind the comma of a part, where it has one.
    fn comma_behind(&self, part: &Part<'_>) -> Option<usize> {
        let at = self.page.skip(part.end);
        (self.page.byte(at) == Some(b',')).then_some(at + 1)
    }

    /// Whether the parts are on lines of their own, the last bracket too.
    fn is_on_lines(&self) -> bool {
        let page = self.page;
        let starts_line = |part: &Part<'_>| page.is_first_on_line(part.start);
        self.parts.last().is_some_and(starts_line) && page.is_first_on_line(self.span.end - 1)
    }

    /// What stands between two parts.
    fn between(&self) -> String {
        if self.parts.last().is_some_and(|last| self.page.is_first_on_line(last.start)) {
            return format!(",{}{}", self.page.line_break, self.indentation());
        }
        if let [.., before, last] = self.parts {
            let between = self.page.slice(before.end..last.start);
            if matches!(between.trim_end_matches(' '), ",") {
                return between.to_owned();
            }
        }
        self.comma.to_owned()
    }

    /// Takes out what stands before the last part that is kept.
    fn take_out(&self, kept: usize, splices: &mut Splices) {
        for (index, part) in self.parts.iter().enumerate().take(kept) {
            if !self.removed.get(index).is_some_and(|removed| *removed) {
                continue;
            }
            let end = self.comma_behind(part).unwrap_or(part.end);
            match self.parts.get(index + 1) {
                Some(next) if !self.page.is_tall(end..next.start) => {
                    splices.delete(part.start..next.start);
                }
                _ => self.take_line(index, part, end, splices),
            }
        }
    }

    /// Takes out a part behind which its line ends, `end` being behind its comma.
    fn take_line(&self, index: usize, part: &Part<'_>, end: usize, splices: &mut Splices) {
        let page = self.page;
        if !page.is_first_on_line(part.start) || !page.is_last_on_line(end) {
            let before = page.slice(page.line_start(part.start)..part.start);
            let blanks = before.len() - before.trim_end_matches(' ').len();
            let blanks = if page.is_first_on_line(part.start) { 0 } else { blanks };
            splices.delete(part.start - blanks..end);
            return;
        }
        // With the comments that speak of it alone; those below the bracket speak of all.
        let head = page.head(part.start);
        let speaks_of_all = index == 0 && !page.is_below_blank(head);
        let start = if speaks_of_all { page.line_start(part.start) } else { head };
        if let Some(above) = page.previous_end(start) {
            splices.delete(above..page.line_end(end));
        }
    }

    /// Takes out what stands behind the last part that is kept, and adds `added`.
    fn add(&self, kept: usize, added: &[String], splices: &mut Splices) {
        let (Some(kept_part), Some(last)) = (self.parts.get(kept), self.parts.last()) else {
            return;
        };
        let between = self.between();
        let (lead, behind_comma) = between.split_at(1);
        let parts = added.join(&between);
        let is_closed = self.comma_behind(last);
        let end = if is_closed.is_some() { "," } else { "" };
        match self.comma_behind(kept_part) {
            // The last one stays.
            _ if added.is_empty() && kept + 1 == self.parts.len() => {}
            Some(comma) if kept + 1 == self.parts.len() => {
                let at = if self.is_on_lines() { self.page.line_end(comma) } else { comma };
                splices.insert(at, format!("{behind_comma}{parts},"));
            }
            None if self.is_on_lines() => {
                splices.insert(last.end, lead);
                splices.insert(self.page.line_end(last.end), format!("{behind_comma}{parts}"));
            }
            None => splices.insert(last.end, format!("{between}{parts}")),
            // All behind it goes.
            Some(comma) if !self.page.is_tall(comma..last.end) => {
                if added.is_empty() {
                    splices.delete(kept_part.end..last.end);
                } else {
                    splices.replace(comma..last.end, format!("{behind_comma}{parts}"));
                }
            }
            Some(comma) => {
                for (index, part) in self.parts.iter().enumerate().skip(kept + 1) {
                    let end = self.comma_behind(part).unwrap_or(part.end);
                    self.take_line(index, part, end, splices);
                }
                if !added.is_empty() {
                    let next = self.parts.get(kept + 1);
                    let is_below = next.is_some_and(|next| self.page.is_first_on_line(next.start));
                    let at = if is_below { self.page.line_end(comma) } else { comma };
                    splices.insert(at, format!("{behind_comma}{parts}{end}"));
                } else if is_closed.is_none() {
                    splices.delete(comma - 1..comma);
                }
            }
        }
    }

    /// Fills empty brackets.
    fn fill(&self, added: &[String], splices: &mut Splices) {
        if added.is_empty() {
            return;
        }
        let inner = self.inner();
        let is_bare = !self.page.has_comment(inner.clone());
        let (line_break, outer) = (self.page.line_break, self.page.indentation(self.span.start));
        let indentation = self.indentation();
        let parts = if self.is_tall {
            let between = format!(",{line_break}{indentation}");
            let close = if is_bare { format!("{line_break}{outer}") } else { String::new() };
            format!("{line_break}{indentation}{}{close}", added.join(&between))
        } else {
            added.join(self.comma)
        };
        if is_bare {
            splices.replace(inner, parts);
        } else {
            splices.insert(inner.start, parts);
        }
    }
}
