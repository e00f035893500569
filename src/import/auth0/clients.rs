//! Applications of an export: which one a name means, and whose they are.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use super::markers::has_marker;
use super::{Entry, Export, Import, Value, text};
use crate::import::emit::{Margin, item};
use crate::policy::ClientId;

/// What is known of applications.
pub(super) struct Clients {
    /// The ids that a name may mean.
    by_name: BTreeMap<String, Vec<Option<String>>>,
    /// All ids in it.
    ids: HashSet<String>,
    /// The ids of third parties.
    third_parties: HashSet<String>,
    /// Names of third parties' applications whose ids are not known.
    pub(super) unknown_third_parties: Vec<String>,
}

impl Clients {
    /// Those of the export, and those that are `given` by name and id.
    pub(super) fn of(export: &Export, given: &[(String, String)]) -> Self {
        let mut clients = Self {
            by_name: BTreeMap::new(),
            ids: HashSet::new(),
            third_parties: HashSet::new(),
            unknown_third_parties: Vec::new(),
        };
        for client in &export.clients {
            let Some(name) = text(client, "name") else { continue };
            let id = text(client, "client_id").filter(|id| is_id(id)).map(|id| id.to_string());
            clients.by_name.entry(name.into_owned()).or_default().push(id);
        }
        for (name, id) in given {
            clients.by_name.insert(name.clone(), vec![Some(id.clone())]);
        }
        clients.ids = clients.by_name.values().flatten().flatten().cloned().collect();
        for client in export.clients.iter().filter(|client| is_third_party(client)) {
            let name = text(client, "name").unwrap_or_default();
            match clients.id(client) {
                Some(id) => _ = clients.third_parties.insert(id),
                None => clients.unknown_third_parties.push(name.into_owned()),
            }
        }
        clients
    }

    /// The id of an application that the export lists.
    fn id(&self, client: &Entry) -> Option<String> {
        let own = text(client, "client_id").filter(|id| is_id(id)).map(Cow::into_owned);
        own.or_else(|| self.find(&text(client, "name")?).ok())
    }

    /// Whether this is the id of a third party's application.
    pub(super) fn is_third_party(&self, id: &str) -> bool {
        self.third_parties.contains(id) || id.starts_with("tpc_")
    }

    /// The id of the application that a grant names.
    ///
    /// # Errors
    /// Why it is not known.
    pub(super) fn find(&self, named: &str) -> Result<String, String> {
        if has_marker(named) {
            return Err(format!("what `{named}` stands for is not in the export"));
        }
        match self.by_name.get(named).map(Vec::as_slice) {
            Some([Some(id)]) if id != named && self.ids.contains(named) => {
                Err(format!("`{named}` is one application's name and the id of another"))
            }
            Some([Some(id)]) => Ok(id.clone()),
            Some([None]) => Err(format!("its application's {}", unknown_id(named))),
            Some(_) => Err(format!("several applications have the name `{named}`")),
            None if self.ids.contains(named) || looks_like_id(named) => Ok(named.to_owned()),
            None => Err(format!("its application's {}", unknown_id(named))),
        }
    }
}

fn is_id(id: &str) -> bool {
    !has_marker(id) && ClientId::new(id).is_ok()
}

/// Whether an application is a third party's, or may be: what a marker stands for is not told.
fn is_third_party(client: &Entry) -> bool {
    !matches!(client.get("is_first_party"), None | Some(Value::Null | Value::Bool(true)))
}

/// That an id is not known, and how it is told. A name that a shell would read otherwise is not shown as a
/// part of a command.
fn unknown_id(name: &str) -> String {
    let is_plain = |char: char| char.is_alphanumeric() || " -_.,:/()".contains(char);
    let name = if name.chars().all(is_plain) { name } else { "NAME" };
    format!("id is not in the export: `--client \"{name}=ID\"` tells it")
}

/// Whether it is as Auth0 makes ids, which no name is by chance.
fn looks_like_id(text: &str) -> bool {
    let id = text.strip_prefix("tpc_").unwrap_or(text);
    id.len() >= 20 && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

impl Import<'_> {
    /// Writes the applications whose ids are known; tells how many.
    pub(super) fn listed(&mut self) -> usize {
        let mut known = HashSet::new();
        let mut lines: Vec<String> = Vec::new();
        let mut unknown = Vec::new();
        for client in &self.export.clients {
            let name = text(client, "name").unwrap_or_default();
            let Some(id) = self.clients.id(client) else {
                unknown.push(name.into_owned());
                continue;
            };
            // Of two that have one id a third party's counts.
            let is_third = self.clients.third_parties.contains(&id);
            if is_third && !is_third_party(client) || !known.insert(id.clone()) {
                continue;
            }
            let mut line = format!("- {{client_id: {}", item(&id));
            if !name.is_empty() {
                line.extend([", name: ", &item(&name)]);
            }
            match client.get("is_first_party") {
                Some(Value::Bool(true)) if !id.starts_with("tpc_") => {
                    line.push_str(", is_first_party: true");
                }
                _ if is_third => {
                    line.push_str(", is_first_party: false");
                    let mode = text(client, "third_party_security_mode");
                    if mode.as_deref() == Some("permissive") {
                        line.push_str(", third_party_security_mode: permissive");
                    }
                }
                _ => {}
            }
            line.push('}');
            lines.push(line);
        }
        if !lines.is_empty() {
            self.page.line(Margin::at(0), "clients:");
            for line in &lines {
                self.page.line(Margin::at(2), line);
            }
        }
        for name in unknown {
            self.leave_out(0, &format!("the application `{name}`: its {}", unknown_id(&name)));
        }
        lines.len()
    }
}
