//! Parts of a list or mapping that stands on lines: taken out with what belongs to them, and added behind
//! the last one.
//!
//! To a part belong the comment behind it, those below that are indented further, and those directly above.
//! Above the first part it is open whether a comment speaks of it or of all. Set off from the key above by a
//! blank line, or followed by a part that has its own, it is the first part's and goes with it; else it stays,
//! under `[]` too, when the first part is the only one: too much said harms less than too little. An item that
//! is commented out (`# - x`) belongs to no other, and stays.

use std::ops::Range;

use super::layout::Part;
use super::page::{Page, Splices};

/// A list or mapping on lines, and what becomes of its parts.
pub(super) struct Block<'p, 't> {
    pub(super) page: &'p Page<'t>,
    pub(super) parts: &'p [Part<'t>],
    /// Which parts are taken out.
    pub(super) removed: &'p [bool],
    /// Behind the colon or dash that it stands behind; none for the whole document.
    pub(super) anchor: Option<usize>,
    /// What is left when nothing is: `[]` or `{}`.
    pub(super) empty: &'static str,
}

impl Block<'_, '_> {
    /// Takes parts out, and adds lines for each of `added`.
    pub(super) fn change(&self, added: &[Vec<String>], splices: &mut Splices) {
        let leaves_nothing = added.is_empty() && self.removed.iter().all(|removed| *removed);
        if leaves_nothing && let Some(anchor) = self.anchor {
            splices.insert(anchor, format!(" {}", self.empty));
        }
        for region in self.regions() {
            self.take_out(&region, !added.is_empty(), splices);
        }
        self.add(added, splices);
    }

    /// The lines that are taken out, those that touch together; with the indexes of their parts.
    fn regions(&self) -> Vec<Region> {
        let mut regions: Vec<Region> = Vec::new();
        for (index, part) in self.parts.iter().enumerate() {
            if !self.removed.get(index).is_some_and(|removed| *removed) {
                continue;
            }
            let lines = self.start(index, part)..self.behind(part);
            match regions.last_mut() {
                Some(last) if self.page.slice(last.lines.end..lines.start).trim().is_empty() => {
                    last.lines.end = lines.end;
                    last.last = index;
                }
                _ => {
                    let is_behind_dash = !self.page.is_first_on_line(part.start);
                    regions.push(Region { lines, first: index, last: index, is_behind_dash });
                }
            }
        }
        regions
    }

    /// Where a part begins with the comment lines above that speak of it. Those right below the list's key,
    /// or at the file's head, speak of all parts, unless the next part has its own too.
    fn start(&self, index: usize, part: &Part<'_>) -> usize {
        if !self.page.is_first_on_line(part.start) {
            return part.start;
        }
        let own = self.page.line_start(part.start);
        let head = self.head(part);
        let is_set_off = self.page.is_below_blank(head) || head > self.page.head(part.start);
        if index > 0 || is_set_off {
            return if self.anchor.is_none() && index == 0 { own } else { head };
        }
        let next_has_one = self.parts.get(1).is_some_and(|next| {
            self.page.is_first_on_line(next.start)
                && self.head(next) < self.page.line_start(next.start)
        });
        if next_has_one && self.anchor.is_some() { head } else { own }
    }

    /// The start of the comment lines directly above that speak of a part: an item that is commented out is
    /// another one.
    fn head(&self, part: &Part<'_>) -> usize {
        let head = self.page.head(part.start);
        if part.key.is_some() { head } else { self.page.behind_commented_out(head, part.start) }
    }

    fn behind(&self, part: &Part<'_>) -> usize {
        self.page.behind(part.end, self.page.column(part.start))
    }

    fn take_out(&self, region: &Region, is_added_to: bool, splices: &mut Splices) {
        let page = self.page;
        let Range { mut start, mut end } = region.lines;
        let is_first = region.first == 0;
        let is_last = region.last + 1 == self.parts.len();
        if region.is_behind_dash {
            // What follows moves up to the dash.
            match self.anchor {
                Some(anchor) if is_last => start = anchor,
                _ => {
                    while page.next_line(end).is_some_and(|next| page.is_blank(next)) {
                        end = page.next_line(end).map_or(end, |next| page.line_end(next));
                    }
                    let next = page.next_line(end).unwrap_or(end);
                    end = next + page.indentation(next).len();
                }
            }
            splices.delete(start..end);
            return;
        }
        let is_spaced = page.is_below_blank(start) && page.is_above_blank(end);
        if (is_last || is_spaced) && !is_first {
            // The blank lines behind a `|+` are its own.
            let before = region.first.checked_sub(1).and_then(|before| self.parts.get(before));
            let most = before.map_or(0, |part| page.line_end(part.end));
            while page.is_below_blank(start) {
                let above = page.previous_end(start).map_or(start, |above| page.line_start(above));
                if above <= most {
                    break;
                }
                start = above;
            }
        } else if is_first && !is_last && page.is_above_blank(end) {
            while page.is_above_blank(end) {
                end = page.next_line(end).map_or(end, |below| page.line_end(below));
            }
        }
        match page.previous_end(start) {
            Some(above) => splices.delete(above..end),
            None if is_added_to && is_last => splices.delete(start..end),
            None => splices.delete(start..page.next_line(end).unwrap_or(end)),
        }
    }

    fn add(&self, added: &[Vec<String>], splices: &mut Splices) {
        let Some(last) = self.parts.last() else { return };
        let line_break = self.page.line_break;
        let gap = if self.is_spaced() { line_break } else { "" };
        let mut text = String::new();
        for lines in added {
            text.push_str(gap);
            for line in lines {
                text.push_str(line_break);
                text.push_str(line);
            }
        }
        if !text.is_empty() {
            splices.insert(self.behind(last), text);
        }
    }

    /// Whether the last two parts have a blank line between them.
    fn is_spaced(&self) -> bool {
        let [.., before, last] = self.parts else { return false };
        let between = before.end..self.page.line_start(last.start);
        self.page.slice(between).lines().skip(1).any(|line| line.trim().is_empty())
    }
}

struct Region {
    lines: Range<usize>,
    first: usize,
    last: usize,
    is_behind_dash: bool,
}
