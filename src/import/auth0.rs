//! A tenant's export, as `auth0-deploy-cli` writes it → a configuration that decides as the tenant meant.
//!
//! | what | file |
//! |---|---|
//! | resource servers, and what of them has no counterpart | `auth0/apis.rs` |
//! | applications: names, ids, whose they are | `auth0/clients.rs` |
//! | client grants, and their organizations | `auth0/grants.rs` |
//! | markers that the tool fills in (`##NAME##`, `@@NAME@@`) | `auth0/markers.rs` |
//!
//! What cannot be told for certain (an application of which the export has the name alone) is not imported,
//! and stands there as a comment to be completed.

mod apis;
mod clients;
mod grants;
mod markers;

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::emit::{Margin, Page, one_line, value};
use super::{EXAMPLE_ISSUER, Imported, Wanted};
use crate::config::{Report, Source, read_foreign};
use clients::Clients;

/// What an export says of the four things that concern a gate.
#[derive(Clone, Debug, Default)]
pub struct Export {
    resource_servers: Vec<Entry>,
    client_grants: Vec<Entry>,
    clients: Vec<Entry>,
    organizations: Vec<Entry>,
    /// What stands where an object should.
    strange: Vec<(Part, String)>,
}

/// One object of Auth0's.
type Entry = Map<String, Value>;

/// Why a file or folder is not imported.
#[derive(Debug, thiserror::Error)]
pub enum NoExport {
    /// It cannot be read.
    #[error("{0}")]
    Unreadable(Report),
    /// It is a file of another kind.
    #[error("this is no tenant export: it has none of resourceServers, clientGrants, clients")]
    Foreign,
    /// It is a folder of another kind.
    #[error(
        "this is no tenant export: it has no `tenant.yaml`, and no JSON files in any of the folders \
         resource-servers, grants, clients"
    )]
    ForeignFolder,
}

impl From<Report> for NoExport {
    fn from(report: Report) -> Self {
        Self::Unreadable(report)
    }
}

/// A folder of the directory form, whose files are one object each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// `clients`
    Clients,
    /// `grants`
    Grants,
    /// `organizations`
    Organizations,
    /// `resource-servers`
    ResourceServers,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::ResourceServers, Self::Grants, Self::Clients, Self::Organizations];

    /// Those of which an export that tells something of access has one.
    const TELLING: [Self; 3] = [Self::ResourceServers, Self::Grants, Self::Clients];

    /// The folder's name.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Clients => "clients",
            Self::Grants => "grants",
            Self::Organizations => "organizations",
            Self::ResourceServers => "resource-servers",
        }
    }

    /// Its section in `tenant.yaml`.
    fn section(self) -> &'static str {
        match self {
            Self::Clients => "clients",
            Self::Grants => "clientGrants",
            Self::Organizations => "organizations",
            Self::ResourceServers => "resourceServers",
        }
    }
}

impl Export {
    /// Reads `tenant.yaml`.
    ///
    /// # Errors
    /// Where it cannot be read, or is something else.
    pub fn of_tenant(source: &Source) -> Result<Self, NoExport> {
        let Value::Object(mut sections) = read(source)? else {
            return Err(NoExport::Foreign);
        };
        if !Part::TELLING.iter().any(|part| sections.contains_key(part.section())) {
            return Err(NoExport::Foreign);
        }
        let mut export = Self::default();
        for part in Part::ALL {
            match sections.remove(part.section()) {
                Some(Value::Array(items)) => {
                    for item in items {
                        export.add(part, item);
                    }
                }
                None | Some(Value::Null) => {}
                Some(other) => export.add(part, other),
            }
        }
        Ok(export)
    }

    /// Reads the files of the directory form.
    ///
    /// # Errors
    /// Where one cannot be read, or the folder is something else.
    pub fn of_directory(files: &[(Part, Source)]) -> Result<Self, NoExport> {
        if !files.iter().any(|(part, _)| Part::TELLING.contains(part)) {
            return Err(NoExport::ForeignFolder);
        }
        let mut export = Self::default();
        for (part, source) in files {
            export.add(*part, read(source)?);
        }
        Ok(export)
    }

    fn add(&mut self, part: Part, value: Value) {
        match value {
            Value::Object(entry) => self.part(part).push(entry),
            other => self.strange.push((part, other.to_string())),
        }
    }

    fn part(&mut self, part: Part) -> &mut Vec<Entry> {
        match part {
            Part::Clients => &mut self.clients,
            Part::Grants => &mut self.client_grants,
            Part::Organizations => &mut self.organizations,
            Part::ResourceServers => &mut self.resource_servers,
        }
    }
}

fn read(source: &Source) -> Result<Value, Report> {
    let source = Source::new(&source.name, markers::in_quotes(&source.text));
    let mut report = Report::new([source.clone()]);
    read_foreign(0, &source.text, &mut report).ok_or(report)
}

/// What is being imported, and what was said of it.
struct Import<'a> {
    export: &'a Export,
    wanted: &'a Wanted,
    clients: Clients,
    page: Page,
    left_out: Vec<String>,
    notes: Vec<String>,
    /// The APIs that are Auth0's own.
    system: BTreeSet<String>,
}

/// Imports an export that was read from `name`.
pub fn auth0(export: &Export, name: &str, wanted: &Wanted) -> Imported {
    let mut import = Import {
        export,
        wanted,
        clients: Clients::of(export, &wanted.clients),
        page: Page::default(),
        left_out: Vec::new(),
        notes: Vec::new(),
        system: BTreeSet::new(),
    };
    let at = Margin::at;
    import.page.comment(at(0), &format!("Imported from the Auth0 tenant export {name}."));
    import.page.line(at(0), "issuers:");
    if wanted.issuer.is_none() {
        import
            .page
            .comment(at(2), "an example: write the tenant's issuer, with the slash at its end");
        import.notes.push(format!(
            "the issuer `{EXAMPLE_ISSUER}` is an example: name the tenant's with `--issuer`"
        ));
    }
    let issuer = wanted.issuer.as_deref().unwrap_or(EXAMPLE_ISSUER);
    import.page.line(at(2), &format!("- issuer: {}", value(issuer)));
    import.page.line(at(4), "profile: auth0");
    for (part, what) in &export.strange {
        import.leave_out(0, &format!("in `{}`: `{what}` is no object", part.section()));
    }
    let apis = import.apis();
    let listed = import.listed();
    let grants = import.grants();
    Imported {
        yaml: import.page.finish(),
        summary: format!("APIs: {apis}, applications: {listed}, grants: {grants}"),
        left_out: import.left_out,
        notes: import.notes,
    }
}

impl Import<'_> {
    /// Says in a comment and in the summary what is not imported.
    fn leave_out(&mut self, depth: usize, text: &str) {
        self.page.comment(Margin::at(depth), &format!("not imported: {text}"));
        self.left_out.push(one_line(text));
    }

    /// Says in a comment and in the summary what somebody should know.
    fn note(&mut self, depth: usize, text: &str) {
        self.page.comment(Margin::at(depth), &format!("note: {text}"));
        self.notes.push(one_line(text));
    }
}

/// A text, or a number that stands for one.
fn text<'e>(entry: &'e Entry, key: &str) -> Option<std::borrow::Cow<'e, str>> {
    match entry.get(key)? {
        Value::String(text) => Some(text.into()),
        Value::Number(number) => Some(number.to_string().into()),
        _ => None,
    }
}

/// The texts of a list.
fn texts(entry: &Entry, key: &str) -> Vec<String> {
    let items = entry.get(key).and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Whether a key is there and is true.
fn is_true(entry: &Entry, key: &str) -> bool {
    entry.get(key) == Some(&Value::Bool(true))
}

#[cfg(test)]
mod tests;
