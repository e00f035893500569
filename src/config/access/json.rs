//! Rows as JSON: one object, with a line for each row.

use std::fmt::{self, Write};

use serde_json::{Value, json};

use super::Row;
use crate::config::diff::json::caller;
use crate::config::snapshot::Snapshot;
use crate::policy::{OrganizationId, UnixTime};
use crate::screen::screened;

/// Writes rows as JSON: `{at, rows: [{api, caller: {kind, client_id, name, issuer, subject_type}, by: {kind,
/// grant_id, written_at}, scopes, operations, unlisted, authorization_details, organizations: {none, any, ids},
/// expires_at}]}`.
pub struct Json<'o, 's> {
    out: &'o mut dyn Write,
    snapshot: &'s Snapshot,
    is_empty: bool,
}

impl<'o, 's> Json<'o, 's> {
    /// Begins the object.
    ///
    /// # Errors
    /// When `out` does.
    pub fn new(
        out: &'o mut dyn Write,
        snapshot: &'s Snapshot,
        at: UnixTime,
    ) -> Result<Self, fmt::Error> {
        write!(out, "{{\"at\": {},\n\"rows\": [", Value::String(at.to_string()))?;
        Ok(Self { out, snapshot, is_empty: true })
    }

    /// Writes a row.
    ///
    /// # Errors
    /// When the output does.
    pub fn row(&mut self, row: &Row<'_>) -> fmt::Result {
        let comma = if std::mem::take(&mut self.is_empty) { "" } else { "," };
        write!(self.out, "{comma}\n{}", screened(&value(row, self.snapshot).to_string()))
    }

    /// Ends the object.
    ///
    /// # Errors
    /// When the output does.
    pub fn end(self) -> fmt::Result {
        self.out.write_str("]}\n")
    }
}

fn value(row: &Row<'_>, snapshot: &Snapshot) -> Value {
    let grant = row.by.grant();
    let organizations = row.organizations.map(|admitted| {
        let ids: Vec<_> = admitted.ids.into_iter().flatten().map(OrganizationId::as_str).collect();
        json!({"none": admitted.none, "any": admitted.any, "ids": ids})
    });
    json!({
        "api": row.api.as_str(),
        "caller": caller(&row.caller, row.name),
        "by": {
            "kind": row.by.as_str(),
            "grant_id": grant.map(|grant| grant.id.as_str()),
            "written_at": grant.and_then(|grant| snapshot.line_of(grant.origin)),
        },
        "scopes": row.scopes,
        "operations": row.operations.to_vec(),
        "unlisted": row.unlisted,
        "authorization_details": row.details,
        "organizations": organizations,
        "expires_at": row.until.map(|end| end.to_string()),
    })
}
