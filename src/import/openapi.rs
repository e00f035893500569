//! An OpenAPI document → a configuration of the API that it describes.

use std::collections::{BTreeMap, BTreeSet};

use super::emit::{Margin, Page, comment, item, list, one_line, value};
use super::{EXAMPLE_ISSUER, EXAMPLE_UPSTREAM, Imported, Wanted, profile};
use crate::config::openapi::{Asked, Described, Description, LeftOut};
use crate::config::{Place, Report, Source};
use crate::policy::Audience;

/// Imports the document of this name.
///
/// # Errors
/// With the report of why it is none.
pub fn openapi(source: &Source, wanted: &Wanted) -> Result<Imported, Report> {
    let mut report = Report::new([source.clone()]);
    let Some(mut description) = Description::read(0, &source.text, &mut report) else {
        return Err(report);
    };
    description.beside(&[]);
    let import = Import { description: &description, report: &report, wanted };
    let mut page = Page::default();
    if wanted.operations_only {
        import.operations(&mut page, 0);
    } else {
        import.configuration(&mut page, &source.name);
    }
    Ok(import.finish(page))
}

struct Import<'a> {
    description: &'a Description,
    report: &'a Report,
    wanted: &'a Wanted,
}

/// What is said of one place of a document.
enum Part<'a> {
    Listed(&'a Described),
    LeftOut(&'a LeftOut),
}

impl Import<'_> {
    fn configuration(&self, page: &mut Page, name: &str) {
        let at = Margin::at;
        page.comment(at(0), &format!("Imported from the OpenAPI document {name}."));
        for note in &self.description.notes {
            page.comment(at(0), &format!("note: {}", note.text));
        }
        if let Some(unstated) = self.unstated() {
            page.comment(at(0), &format!("note: {unstated}"));
        }
        let issuer = self.wanted.issuer.as_deref();
        page.line(at(0), "issuers:");
        if issuer.is_none() {
            page.comment(at(2), "an example: write who issues the API's tokens");
        }
        let issuer = issuer.unwrap_or(EXAMPLE_ISSUER);
        page.line(at(2), &format!("- issuer: {}", value(issuer)));
        page.line(at(4), &format!("profile: {}", profile(issuer)));
        page.line(at(0), "resource_servers:");
        self.server(page);
        page.comment(
            at(0),
            "nobody has a grant yet, and so nobody is let in but where an operation is public",
        );
        page.line(at(0), "client_grants: []");
    }

    fn server(&self, page: &mut Page) {
        let at = Margin::at;
        let url = self.description.url.as_deref().filter(|url| Audience::new(url).is_ok());
        if self.wanted.identifier.is_none() {
            page.comment(at(2), "write what the `aud` of the API's tokens names");
        }
        let example = url.unwrap_or("https://api.example.com");
        let identifier = self.wanted.identifier.as_deref().unwrap_or(example);
        page.line(at(2), &format!("- identifier: {}", value(identifier)));
        if let Some(title) = self.description.title.as_ref().filter(|title| !title.is_empty()) {
            page.line(at(4), &format!("name: {}", value(title)));
        }
        self.scopes(page);
        page.line(at(4), "subject_type_authorization:");
        page.line(at(6), "user: {policy: require_client_grant}");
        page.line(at(6), "client: {policy: require_client_grant}");
        page.line(at(4), "gate:");
        if let Some(host) = url.and_then(host) {
            page.comment(at(6), &format!("hosts: {}", list([host])));
        }
        if let Some(prefix) = self.prefix() {
            page.line(at(6), &format!("path_prefix: {}", value(prefix)));
        }
        if self.wanted.upstream.is_none() {
            page.comment(at(6), "an example: write where the API is");
        }
        let upstream = self.wanted.upstream.as_deref().unwrap_or(EXAMPLE_UPSTREAM);
        page.line(at(6), &format!("upstream: {}", value(upstream)));
        page.line(at(6), "operations:");
        self.operations(page, 8);
    }

    /// What is said of operations that say nothing.
    fn unstated(&self) -> Option<String> {
        let mut unstated = self.description.operations.iter().filter(|one| !one.is_stated);
        let first = unstated.next()?;
        let count = 1 + unstated.count();
        Some(format!(
            "{count} operations have no `security`, `{}` the first: any token is asked for",
            first.on()
        ))
    }

    /// Where all its paths begin.
    fn prefix(&self) -> Option<&str> {
        let base = self.description.base.as_str();
        let below = format!("{base}/");
        let mut operations = self.description.operations.iter();
        let all = operations.all(|one| one.pattern.as_str().starts_with(&below));
        (all && !base.is_empty()).then_some(base)
    }

    fn scopes(&self, page: &mut Page) {
        let at = Margin::at;
        let declared: BTreeSet<&str> =
            self.description.scopes.iter().map(|scope| scope.value.as_str()).collect();
        let asked: BTreeSet<&str> =
            self.description.operations.iter().flat_map(|one| one.asked.scopes()).collect();
        let undeclared: Vec<_> = asked.difference(&declared).collect();
        if declared.is_empty() && undeclared.is_empty() {
            page.line(at(4), "scopes: []");
            return;
        }
        page.line(at(4), "scopes:");
        for scope in &self.description.scopes {
            let described = scope.description.as_deref().map(one_line);
            let described = described.map(|text| format!(", description: {}", item(&text)));
            let described = described.unwrap_or_default();
            page.line(at(6), &format!("- {{value: {}{described}}}", item(&scope.value)));
        }
        if !undeclared.is_empty() {
            page.comment(
                at(6),
                "asked for by operations, and declared by no flow of the document:",
            );
        }
        for scope in undeclared {
            page.line(at(6), &format!("- {{value: {}}}", item(scope)));
        }
    }

    fn operations(&self, page: &mut Page, depth: usize) {
        let at = Margin::at(depth);
        let parts = self.parts();
        for (_, part) in parts {
            match part {
                Part::Listed(one) => {
                    for note in &one.notes {
                        page.comment(at, &format!("note: {note}"));
                    }
                    let about = one.about.as_deref().map(|about| format!("  {}", comment(about)));
                    page.line(at, &format!("- {}{}", listed(one), about.unwrap_or_default()));
                }
                Part::LeftOut(left) => {
                    page.comment(at, &format!("not imported: {}: {}", left.what, left.reason));
                }
            }
        }
        if self.description.operations.is_empty() {
            page.line(at, "[]");
        }
    }

    /// All parts in the document's order.
    fn parts(&self) -> Vec<(usize, Part<'_>)> {
        let line = |place: &Place| self.report.line(place).unwrap_or(usize::MAX);
        let listed = self.description.operations.iter();
        let left_out = self.description.left_out.iter();
        let mut parts: Vec<_> = listed
            .map(|one| (line(&one.place), Part::Listed(one)))
            .chain(left_out.map(|left| (line(&left.place), Part::LeftOut(left))))
            .collect();
        parts.sort_by_key(|(line, _)| *line);
        parts
    }

    fn finish(self, page: Page) -> Imported {
        let description = self.description;
        let left_out = description.left_out.iter().map(|left| {
            (&left.place, format!("{}: {}", one_line(&left.what), one_line(&left.reason)))
        });
        let notes = description.notes.iter().map(|note| (&note.place, one_line(&note.text)));
        // What many operations have in common is said once.
        let mut alike: BTreeMap<&str, (&Described, usize)> = BTreeMap::new();
        for one in &description.operations {
            for note in &one.notes {
                alike.entry(note).or_insert((one, 0)).1 += 1;
            }
        }
        let alike = alike.into_iter().map(|(note, (first, count))| {
            let more = match count - 1 {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            (&first.place, format!("{}{more}: {}", first.on(), one_line(note)))
        });
        let notes = self.by_line(notes.chain(alike));
        Imported {
            yaml: page.finish(),
            summary: format!(
                "operations: {}, scopes: {}",
                description.operations.len(),
                description.scopes.len()
            ),
            left_out: self.by_line(left_out),
            notes: self.made_up().into_iter().chain(self.unstated()).chain(notes).collect(),
        }
    }

    /// Texts with their lines in front, in the document's order.
    fn by_line<'p>(&self, texts: impl Iterator<Item = (&'p Place, String)>) -> Vec<String> {
        let mut texts: Vec<_> =
            texts.map(|(place, text)| (self.report.line(place), text)).collect();
        texts.sort_by_key(|(line, _)| *line);
        let shown = |(line, text): (Option<usize>, String)| match line {
            Some(line) => format!("line {line}: {text}"),
            None => text,
        };
        texts.into_iter().map(shown).collect()
    }

    /// What stands in the configuration and was said by nobody.
    fn made_up(&self) -> Vec<String> {
        let Wanted { issuer, upstream, operations_only, .. } = self.wanted;
        let example = |what: &str, option: &str| {
            format!("the {what} is an example: name the API's with `{option}`")
        };
        let issuer = issuer.is_none().then(|| format!("issuer `{EXAMPLE_ISSUER}`"));
        let upstream = upstream.is_none().then(|| format!("upstream `{EXAMPLE_UPSTREAM}`"));
        let made_up = issuer.map(|it| example(&it, "--issuer")).into_iter();
        let made_up = made_up.chain(upstream.map(|it| example(&it, "--upstream")));
        if *operations_only { Vec::new() } else { made_up.collect() }
    }
}

/// `{on: "GET /orders", scopes: ["read:orders"]}`.
fn listed(one: &Described) -> String {
    let asked = match &one.asked {
        Asked::Public => "public: true".to_owned(),
        Asked::Token { scopes, any_scopes } => {
            let written = |key: &str, names: &[String]| {
                let names = list(names.iter().map(String::as_str));
                format!("{key}: {names}")
            };
            match (scopes.is_empty(), any_scopes.is_empty()) {
                (true, true) => "any_token: true".to_owned(),
                (false, true) => written("scopes", scopes),
                (true, false) => written("any_scopes", any_scopes),
                (false, false) => {
                    format!("{}, {}", written("scopes", scopes), written("any_scopes", any_scopes))
                }
            }
        }
    };
    format!("{{on: {}, {asked}}}", item(&one.on()))
}

/// The host of an absolute URL.
fn host(url: &str) -> Option<&str> {
    let behind = url.split_once("://")?.1;
    let authority = behind.split('/').next()?;
    let host = authority.rsplit('@').next()?.split(':').next()?;
    (!host.is_empty() && !host.starts_with('[')).then_some(host)
}
