//! An OpenAPI document (3.0, 3.1) → the operations that it describes, as the gate lists them, and what each
//! asks.
//!
//! | what | file |
//! |---|---|
//! | where the paths begin | `servers.rs` |
//! | path templates as patterns | `template.rs` |
//! | security schemes, and the scopes that they declare | `schemes.rs` |
//! | `security` as what a token must hold | `security.rs` |
//! | path items and their operations | `paths.rs` |
//! | what must not be listed beside what is left out | `beside.rs` |
//!
//! No operation asks less here than in the document. What has no counterpart is left out, with the reason;
//! and so is what would answer in its place.

mod beside;
mod paths;
mod schemes;
mod security;
mod servers;
mod template;

use std::collections::BTreeSet;

use super::diagnostic::Code;
use super::place::Place;
use super::report::Report;
use super::tree::{Node, parse_foreign};
use crate::policy::is_name;
use crate::route::{Methods, Pattern};
use crate::token::OPENID_SCOPES;

/// What a document describes.
#[derive(Clone, Debug, Default)]
pub struct Description {
    /// The API's name.
    pub title: Option<String>,
    /// The first server's URL, where it is absolute.
    pub url: Option<String>,
    /// Where the paths begin by the first server: `/v1`, or nothing.
    pub base: String,
    /// The scopes that its OAuth flows declare, but those of OIDC that no operation asks for.
    pub scopes: Vec<DescribedScope>,
    /// The operations that have a counterpart, in the document's order.
    pub operations: Vec<Described>,
    /// What has none.
    pub left_out: Vec<LeftOut>,
    /// What else somebody should know.
    pub notes: Vec<Note>,
}

/// A scope that a document declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribedScope {
    /// The scope.
    pub value: String,
    /// What it allows, for people.
    pub description: Option<String>,
}

/// An operation that a document describes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// Where it stands.
    pub place: Place,
    /// Its one method.
    pub methods: Methods,
    /// The whole path, from the server's on.
    pub pattern: Pattern,
    /// What it asks.
    pub asked: Asked,
    /// Whether the document says what it asks; else any token is asked.
    pub is_stated: bool,
    /// Its id and summary, for people.
    pub about: Option<String>,
    /// Where it asks more than the document, and why.
    pub notes: Vec<String>,
}

/// What an operation asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// No token.
    Public,
    /// A token that holds all of `scopes`, and one of `any_scopes` where there are some.
    Token {
        /// All of them.
        scopes: Vec<String>,
        /// One of them.
        any_scopes: Vec<String>,
    },
}

/// Something that a document describes and that is not listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Where it stands.
    pub place: Place,
    /// What it is, with its whole path: `GET /v1/orders`.
    pub what: String,
    /// Why.
    pub reason: String,
    /// The requests that it is about: methods, and a path of just these or of one that stands for them; none
    /// where no request can be about it.
    requests: Option<(Methods, Pattern)>,
    /// What it asks, where that is known.
    asked: Option<Asked>,
}

impl LeftOut {
    /// The requests that it is about.
    pub fn requests(&self) -> Option<(&Methods, &Pattern)> {
        self.requests.as_ref().map(|(methods, pattern)| (methods, pattern))
    }

    /// Whether some request is about it.
    pub fn is_reachable(&self) -> bool {
        self.requests.is_some()
    }
}

/// What somebody should know of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What it is about.
    pub place: Place,
    /// What to know.
    pub text: String,
}

impl Described {
    /// Methods and path: `GET /orders/{id}`.
    pub fn on(&self) -> String {
        on(&self.methods, self.pattern.as_str())
    }
}

impl Asked {
    /// A token, whatever it holds.
    const ANY_TOKEN: Self = Self::Token { scopes: Vec::new(), any_scopes: Vec::new() };

    /// The scopes that it names.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        let (all, any): (&[String], &[String]) = match self {
            Self::Public => (&[], &[]),
            Self::Token { scopes, any_scopes } => (scopes, any_scopes),
        };
        all.iter().chain(any).map(String::as_str)
    }

    /// Whether whoever answers this answers `less`.
    pub fn implies(&self, less: &Self) -> bool {
        let (Self::Token { scopes, any_scopes }, Self::Token { scopes: all, any_scopes: any }) =
            (self, less)
        else {
            return *less == Self::Public;
        };
        all.iter().all(|scope| scopes.contains(scope))
            && (any.is_empty()
                || any.iter().any(|scope| scopes.contains(scope))
                || (!any_scopes.is_empty() && any_scopes.iter().all(|scope| any.contains(scope))))
    }
}

/// Methods and path as an operation is listed under.
fn on(methods: &Methods, path: &str) -> String {
    match methods {
        Methods::Any => path.to_owned(),
        Methods::Listed(listed) => {
            let listed: Vec<_> = listed.iter().map(http::Method::as_str).collect();
            format!("{} {path}", listed.join(","))
        }
    }
}

impl Description {
    /// Reads the text of a source of the report, which then knows where everything in it stands. None where
    /// it is no such document; why is in the report.
    pub fn read(source: usize, text: &str, report: &mut Report) -> Option<Self> {
        let root = Place::root(source);
        let tree = parse_foreign(source, text, report)?;
        let described = describe(&tree, &root);
        report.attach(source, tree);
        described
            .map_err(|Invalid { place, message, help }| {
                report.push(Code::OpenapiInvalid, &place, message).help(help);
            })
            .ok()
            // What stands under a key that is written twice, for instance, was read by halves.
            .filter(|_| !report.has_error_within(&root))
    }

    /// Leaves out what says nothing of its security.
    pub fn leave_out_unstated(&mut self) {
        for operation in std::mem::take(&mut self.operations) {
            if operation.is_stated {
                self.operations.push(operation);
            } else {
                let asked = Some(Asked::Public);
                let reason = "neither it nor the document has `security`".to_owned();
                self.left_out.push(LeftOut { asked, ..operation.left_out(reason) });
            }
        }
    }
}

impl Described {
    fn left_out(self, reason: String) -> LeftOut {
        LeftOut {
            what: self.on(),
            place: self.place,
            reason,
            requests: Some((self.methods, self.pattern)),
            asked: Some(self.asked),
        }
    }
}

/// Why a text describes nothing.
struct Invalid {
    place: Place,
    message: String,
    help: &'static str,
}

fn describe(tree: &Node, root: &Place) -> Result<Description, Invalid> {
    version(tree, root)?;
    let paths = tree.value("paths").filter(|paths| paths.is_map()).ok_or_else(|| Invalid {
        place: root.key("paths"),
        message: "the document has no `paths`".to_owned(),
        help: "describe the operations of the API in it",
    })?;
    let schemes = schemes::read(tree, root);
    let servers = servers::base(tree.value("servers"));
    let mut description = Description {
        title: tree.value("info").and_then(|info| info.value("title")?.text()).map(str::to_owned),
        url: servers.as_ref().ok().and_then(|base| base.url.clone()),
        base: servers.as_ref().map_or_else(|_| String::new(), |base| base.path.clone()),
        ..Description::default()
    };
    let at_servers = root.key("servers");
    let note = |text: &String| Note { place: at_servers.clone(), text: text.clone() };
    description.notes.extend(servers.iter().flat_map(|base| &base.notes).map(note));
    let reading = paths::Reading { tree, root, schemes: &schemes, servers: &servers };
    reading.all(paths, &mut description);
    description.leave_out_twins();
    schemes.notes(&mut description);
    preflights(&mut description);
    declare(&schemes, &mut description);
    Ok(description)
}

/// Browsers ask `OPTIONS` without a token, which the gate answers by a rule of its own.
fn preflights(description: &mut Description) {
    let options = Methods::Listed(vec![http::Method::OPTIONS]);
    let first = description.operations.iter().find(|one| one.methods == options);
    if let Some(place) = first.map(|one| one.place.clone()) {
        let text =
            "`OPTIONS` is listed as any method; preflights of browsers are answered by `cors`"
                .to_owned();
        description.notes.push(Note { place, text });
    }
}

fn version(tree: &Node, root: &Place) -> Result<(), Invalid> {
    let invalid = |key: &'static str, message: String| {
        let help = "describe the API by OpenAPI 3.0 or 3.1: `openapi: 3.1.0`";
        Err(Invalid { place: root.key(key), message, help })
    };
    if tree.value("swagger").is_some() {
        return invalid("swagger", "OpenAPI before 3.0 is not read".to_owned());
    }
    let Some(version) = tree.value("openapi").and_then(Node::text) else {
        return invalid("openapi", "this is no OpenAPI document: it has no `openapi`".to_owned());
    };
    if !["3.0", "3.1"].iter().any(|known| {
        version.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }) {
        return invalid("openapi", format!("OpenAPI `{version}` is not read"));
    }
    Ok(())
}

/// The scopes that the flows declare. Those of OIDC are in most tokens of users and would then be
/// above the ceiling of every grant that does not give them: they are declared where an operation asks for
/// them.
fn declare(schemes: &schemes::Schemes<'_>, description: &mut Description) {
    let asked: BTreeSet<&str> =
        description.operations.iter().flat_map(|operation| operation.asked.scopes()).collect();
    let mut scopes: Vec<DescribedScope> = Vec::new();
    let mut known = BTreeSet::new();
    let mut notes = Vec::new();
    for (place, scope) in schemes.declared() {
        if !known.insert(scope.value.clone()) {
            continue;
        }
        if !is_name(&scope.value) {
            let text = format!(
                "`{}` cannot be a scope (RFC 6749 section 3.3), and is not declared",
                scope.value
            );
            notes.push(Note { place: place.clone(), text });
        } else if OPENID_SCOPES.contains(&scope.value.as_str())
            && !asked.contains(scope.value.as_str())
        {
            let text = format!(
                "`{}` is OpenID Connect's and no operation asks for it, so it is not declared",
                scope.value
            );
            notes.push(Note { place: place.clone(), text });
        } else {
            scopes.push(scope.clone());
        }
    }
    description.scopes = scopes;
    description.notes.extend(notes);
}

#[cfg(test)]
mod tests;
