//! Rows as a table for people: a part for each API, a line for each scope and operation.
//!
//! Columns are as wide as what stands in them, within bounds. Rows are looked at twice, so that none is kept.

use std::fmt::{self, Write};

use super::{By, Row};
use crate::config::snapshot::Snapshot;
use crate::config::{Caller, Which};
use crate::policy::Audience;
use crate::screen::screened;

/// The columns and the bounds of their widths; together they fit 118 characters.
const COLUMNS: [(&str, usize); 5] =
    [("WHO", 28), ("FOR", 14), ("SCOPES", 22), ("OPERATIONS", 28), ("BY", 24)];

/// The widths of the columns.
#[derive(Clone, Copy, Debug)]
pub struct Widths([usize; 5]);

impl Default for Widths {
    fn default() -> Self {
        Self(COLUMNS.map(|(title, _)| title.len()))
    }
}

impl Widths {
    /// Makes room for a row.
    pub fn see(&mut self, row: &Row<'_>, snapshot: &Snapshot) {
        for ((width, (_, most)), cell) in self.0.iter_mut().zip(COLUMNS).zip(cells(row, snapshot)) {
            let widest = cell.iter().map(|line| line.chars().count()).max().unwrap_or_default();
            *width = (*width).max(widest.min(most));
        }
    }
}

/// Writes rows as a table.
pub struct Table<'o, 's> {
    out: &'o mut dyn Write,
    snapshot: &'s Snapshot,
    widths: Widths,
    api: Option<&'s Audience>,
}

impl<'o, 's> Table<'o, 's> {
    /// A table with such columns.
    pub fn new(out: &'o mut dyn Write, snapshot: &'s Snapshot, widths: Widths) -> Self {
        Self { out, snapshot, widths, api: None }
    }

    /// Writes a row.
    ///
    /// # Errors
    /// When the output does.
    pub fn row(&mut self, row: &Row<'s>) -> fmt::Result {
        if self.api != Some(row.api) {
            let gap = if self.api.is_some() { "\n" } else { "" };
            writeln!(self.out, "{gap}{}\n", screened(row.api.as_str()))?;
            self.api = Some(row.api);
            let titles = COLUMNS.map(|(title, _)| vec![title.to_owned()]);
            self.lines(&titles)?;
        }
        self.lines(&cells(row, self.snapshot))
    }

    fn lines(&mut self, cells: &[Vec<String>; 5]) -> fmt::Result {
        let height = cells.iter().map(Vec::len).max().unwrap_or_default();
        for index in 0..height {
            let mut line = String::new();
            for (cell, width) in cells.iter().zip(self.widths.0) {
                let text = cell.get(index).map_or("", String::as_str);
                // Writing into a string does not fail.
                let _ = write!(line, "{text:width$}  ");
            }
            writeln!(self.out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

fn cells(row: &Row<'_>, snapshot: &Snapshot) -> [Vec<String>; 5] {
    let (who, subject_type) = match &row.caller {
        Caller::Anyone => (vec!["anyone".to_owned()], "-"),
        Caller::Application { issuer, which, subject_type } => {
            let mut who = match which {
                Which::Client(client) => vec![client.to_string()],
                Which::FirstParty => {
                    vec!["any first-party application".to_owned(), "without a grant".to_owned()]
                }
                Which::ThirdParty => {
                    vec!["any other third-party".to_owned(), "application".to_owned()]
                }
            };
            who.extend(row.name.map(|name| format!("  {name}")));
            if snapshot.issuers.len() > 1 {
                who.push(format!("  of {issuer}"));
            }
            (who, subject_type.as_str())
        }
    };
    let mut scopes: Vec<_> = row.scopes.iter().map(|&scope| scope.to_owned()).collect();
    scopes.extend(row.details.iter().map(|name| format!("details {name}")));
    let mut operations: Vec<_> = row.operations.iter().map(|&on| on.to_owned()).collect();
    operations.extend(row.unlisted.then(|| "what is not listed".to_owned()));
    let columns = [who, vec![subject_type.to_owned()], scopes, operations, reason(row, snapshot)];
    columns.map(|lines| {
        let lines = if lines.is_empty() { vec!["-".to_owned()] } else { lines };
        lines.iter().map(|line| screened(line)).collect()
    })
}

/// Why, since where it is written and until when.
fn reason(row: &Row<'_>, snapshot: &Snapshot) -> Vec<String> {
    let mut lines = match row.by {
        By::Default(grant) => vec!["default for third parties".to_owned(), grant.id.to_string()],
        By::Grant(grant) => vec![grant.id.to_string()],
        By::Policy => vec!["allow_all".to_owned()],
        By::Public => vec!["public".to_owned()],
        By::Report => vec!["enforcement: report".to_owned()],
    };
    lines.extend(row.by.grant().and_then(|grant| snapshot.line_of(grant.origin)));
    // Tokens of no organization are what is usual.
    if let Some(admitted) = row.organizations.filter(|it| it.any || it.ids.is_some()) {
        lines.extend(admitted.words().into_iter().map(|id| format!("organization {id}")));
    }
    lines.extend(row.until.map(|end| format!("until {end}")));
    lines
}
