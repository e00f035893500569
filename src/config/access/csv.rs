//! Rows as CSV (RFC 4180), for spreadsheets.
//!
//! A cell that a spreadsheet would take for a formula (it begins with `=`, `+`, `-`, `@`, or with a character
//! that some skip before those) gets an apostrophe in front: names are texts of strangers.

use std::fmt::{self, Write};

use super::Row;
use crate::config::Caller;
use crate::config::snapshot::Snapshot;
use crate::screen::screened;

/// Writes rows as CSV.
pub struct Csv<'o, 's> {
    out: &'o mut dyn Write,
    snapshot: &'s Snapshot,
}

const HEAD: [&str; 14] = [
    "api",
    "who",
    "client_id",
    "name",
    "issuer",
    "subject_type",
    "by",
    "grant_id",
    "written_at",
    "scopes",
    "operations",
    "authorization_details",
    "organizations",
    "expires_at",
];

impl<'o, 's> Csv<'o, 's> {
    /// Begins with the names of the columns.
    ///
    /// # Errors
    /// When `out` does.
    pub fn new(out: &'o mut dyn Write, snapshot: &'s Snapshot) -> Result<Self, fmt::Error> {
        let mut csv = Self { out, snapshot };
        csv.record(&HEAD.map(str::to_owned))?;
        Ok(csv)
    }

    /// Writes a row. Lists are joined by spaces, operations by `; `.
    ///
    /// # Errors
    /// When the output does.
    pub fn row(&mut self, row: &Row<'_>) -> fmt::Result {
        let (who, client) = row.caller.kind();
        let (issuer, subject_type) = match &row.caller {
            Caller::Anyone => ("", ""),
            Caller::Application { issuer, subject_type, .. } => {
                (issuer.as_str(), subject_type.as_str())
            }
        };
        let grant = row.by.grant();
        let mut operations = row.operations.to_vec();
        operations.extend(row.unlisted.then_some("(unlisted)"));
        let organizations = row.organizations.as_ref().map(super::Admitted::words);
        self.record(&[
            row.api.to_string(),
            who.to_owned(),
            client.unwrap_or_default().to_owned(),
            row.name.unwrap_or_default().to_owned(),
            issuer.to_owned(),
            subject_type.to_owned(),
            row.by.as_str().to_owned(),
            grant.map(|grant| grant.id.to_string()).unwrap_or_default(),
            grant.and_then(|grant| self.snapshot.line_of(grant.origin)).unwrap_or_default(),
            row.scopes.join(" "),
            operations.join("; "),
            row.details.join(" "),
            organizations.unwrap_or_default().join(" "),
            row.until.map(|end| end.to_string()).unwrap_or_default(),
        ])
    }

    fn record(&mut self, cells: &[String]) -> fmt::Result {
        for (index, cell) in cells.iter().enumerate() {
            if index > 0 {
                self.out.write_char(',')?;
            }
            self.out.write_str(&cell_of(cell))?;
        }
        self.out.write_str("\r\n")
    }
}

fn cell_of(text: &str) -> String {
    let mut cell = screened(text);
    if cell
        .trim_start()
        .starts_with(['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'])
    {
        cell.insert(0, '\'');
    }
    if cell.contains([',', '"', '\'', ' ', ';']) {
        cell = format!("\"{}\"", cell.replace('"', "\"\""));
    }
    cell
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_would_compute_is_text() {
        for (text, expected) in [
            ("plain", "plain"),
            ("=1+1", "\"'=1+1\""),
            (" -1", "\"' -1\""),
            ("@cmd", "\"'@cmd\""),
            ("a,\"b\"", "\"a,\"\"b\"\"\""),
            ("a\r\nb", "a\\u000d\\u000ab"),
        ] {
            assert_eq!(cell_of(text), expected, "{text}");
        }
    }
}
