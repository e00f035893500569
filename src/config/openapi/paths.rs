//! Paths → operations, and what is left out.

use http::Method;

use super::super::place::Place;
use super::super::tree::{Entry, Node};
use super::schemes::Schemes;
use super::servers::{self, Base};
use super::template::{self, Template};
use super::{Asked, Described, Description, LeftOut, security};
use crate::route::Methods;

/// What a document says of all its paths.
pub(super) struct Reading<'a, 't> {
    pub(super) tree: &'t Node,
    pub(super) root: &'a Place,
    pub(super) schemes: &'a Schemes<'t>,
    pub(super) servers: &'a Result<Base, String>,
}

/// What a path item may hold beside operations.
const BESIDE: [&str; 5] = ["$ref", "description", "parameters", "servers", "summary"];

/// What says nothing beside a reference to another path item.
const BESIDE_REF: [&str; 3] = ["$ref", "description", "summary"];

/// A path, and what stands under it.
struct Item<'t> {
    place: Place,
    /// As the document has it.
    path: &'t str,
    entries: &'t [Entry],
    servers: Option<&'t Node>,
}

impl<'t> Reading<'_, 't> {
    /// Reads all paths.
    pub(super) fn all(&self, paths: &'t Node, into: &mut Description) {
        let at_paths = self.root.key("paths");
        for entry in paths.entries().iter().filter(|entry| !entry.key.starts_with("x-")) {
            let place = at_paths.key(entry.key.clone());
            match self.item(&entry.value, &place, &entry.key) {
                Ok(item) => self.operations(&item, into),
                Err(reason) => {
                    let base = self.servers.as_ref().map_or("", |base| &base.path);
                    let like = template::read(base, &entry.key).like;
                    into.left_out.push(LeftOut {
                        place,
                        what: format!("{base}{}", entry.key),
                        reason,
                        requests: like.map(|like| (Methods::Any, like)),
                        asked: None,
                    });
                }
            }
        }
    }

    fn item(&self, written: &'t Node, place: &Place, path: &'t str) -> Result<Item<'t>, String> {
        let beside = |entry: &&Entry| !BESIDE_REF.contains(&entry.key.as_str());
        if written.value("$ref").is_some()
            && let Some(beside) = written.entries().iter().find(beside)
            && !beside.key.starts_with("x-")
        {
            return Err(format!("what `{}` means beside `$ref` is not defined", beside.key));
        }
        let item = pointed(self.tree, written)
            .map_err(|to| format!("what it refers to, `{to}`, is not in the document"))?;
        if !item.is_map() {
            return Err("what stands under it is no mapping".to_owned());
        }
        let place = if std::ptr::eq(item, written) { place.clone() } else { place.key("$ref") };
        Ok(Item { place, path, entries: item.entries(), servers: item.value("servers") })
    }

    fn operations(&self, item: &Item<'t>, into: &mut Description) {
        let (mut described, mut left_out) = (Vec::new(), Vec::new());
        for entry in item.entries {
            if BESIDE.contains(&entry.key.as_str()) || entry.key.starts_with("x-") {
                continue;
            }
            match self.operation(item, entry) {
                Ok(operation) => described.push(operation),
                Err(left) => left_out.push(left),
            }
        }
        heads(&mut described, &mut left_out);
        into.operations.append(&mut described);
        into.left_out.append(&mut left_out);
    }

    fn operation(&self, item: &Item<'t>, entry: &'t Entry) -> Result<Described, LeftOut> {
        let place = match item.place.last_key() {
            "$ref" => item.place.clone(),
            _ => item.place.key(entry.key.clone()),
        };
        let own = entry.value.value("servers").or(item.servers).map(|own| servers::base(Some(own)));
        let base = own.as_ref().unwrap_or(self.servers);
        let begins = base.as_ref().map_or("", |base| &base.path);
        let Template { pattern, like, note } = template::read(begins, item.path);
        let name = entry.key.to_ascii_uppercase();
        let methods = Methods::parse(&name);
        // What is written elsewhere may ask more than what is asked by default.
        let security = match entry.value.value("$ref") {
            Some(_) => Err("it is written elsewhere: operations have no `$ref`".to_owned()),
            None => self.security(&entry.value),
        };
        let left = |reason: String| LeftOut {
            place: place.clone(),
            what: format!("{name} {begins}{}", item.path),
            reason,
            requests: methods.clone().ok().zip(like.clone()),
            asked: security.as_ref().ok().map(|(security, _)| security.asked.clone()),
        };
        if !entry.value.is_map() {
            return Err(left("what stands under it is no mapping".to_owned()));
        }
        if !METHODS.contains(&entry.key.as_str()) {
            return Err(left(format!("`{}` is no method of OpenAPI 3.0 and 3.1", entry.key)));
        }
        let methods = methods.clone().map_err(|error| left(error.to_string()))?;
        if let Err(reason) = base {
            return Err(LeftOut { requests: None, ..left(reason.clone()) });
        }
        let pattern = pattern.map_err(left)?;
        let (security, is_stated) = match &security {
            Ok((security, is_stated)) => (security, *is_stated),
            Err(reason) => return Err(left(reason.clone())),
        };
        let base_notes = own.iter().flatten().flat_map(|base| &base.notes).cloned();
        Ok(Described {
            place,
            methods,
            pattern,
            asked: security.asked.clone(),
            is_stated,
            about: about(&entry.value),
            notes: base_notes.chain(note).chain(security.notes.iter().cloned()).collect(),
        })
    }

    /// What an operation asks, and whether the document says so: its own word, or the one for all.
    fn security(&self, operation: &Node) -> Result<(security::Security, bool), String> {
        let written = operation.value("security").or_else(|| self.tree.value("security"));
        let Some(security) = written else {
            let (asked, notes) = (Asked::ANY_TOKEN, Vec::new());
            return Ok((security::Security { asked, notes }, false));
        };
        Ok((security::read(security, self.schemes)?, true))
    }
}

/// The methods that a path item has in OpenAPI 3.0 and 3.1.
const METHODS: [&str; 8] = ["delete", "get", "head", "options", "patch", "post", "put", "trace"];

/// What people call an operation.
fn about(operation: &Node) -> Option<String> {
    let text = |key| operation.value(key).and_then(Node::text);
    match (text("operationId"), text("summary")) {
        (Some(id), Some(summary)) if id != summary => Some(format!("{id}: {summary}")),
        (Some(one), _) | (None, Some(one)) => Some(one.to_owned()),
        (None, None) => None,
    }
}

/// `GET` covers `HEAD`, which is not listed beside it: it asks no more than `GET` then, or `GET` must not
/// answer it.
fn heads(described: &mut Vec<Described>, left_out: &mut Vec<LeftOut>) {
    let of = |method: Method| {
        move |one: &Described| one.methods == Methods::Listed(vec![method.clone()])
    };
    let (Some(get), Some(head)) =
        (described.iter().position(of(Method::GET)), described.iter().position(of(Method::HEAD)))
    else {
        return;
    };
    let asks_enough = described
        .get(get)
        .zip(described.get(head))
        .is_some_and(|(get, head)| get.asked.implies(&head.asked));
    let head = described.remove(head);
    if !asks_enough {
        left_out.push(head.left_out("`GET` on this path covers it, and asks for less".to_owned()));
    }
}

/// What a node stands for: itself, or what its `$ref` points at within the document.
///
/// # Errors
/// With the reference that leads elsewhere, nowhere, or round in a circle.
pub(super) fn pointed<'t>(tree: &'t Node, written: &'t Node) -> Result<&'t Node, String> {
    let mut node = written;
    for _ in 0..MOST_HOPS {
        let Some(reference) = node.value("$ref") else { return Ok(node) };
        let reference = reference.text().unwrap_or_default();
        node = reference
            .strip_prefix('#')
            .and_then(|pointer| follow(tree, pointer))
            .ok_or_else(|| reference.to_owned())?;
    }
    Err(written.value("$ref").and_then(Node::text).unwrap_or_default().to_owned())
}

/// References that lead on more often go in a circle.
const MOST_HOPS: u8 = 16;

/// Follows a JSON Pointer (RFC 6901), escaped as a fragment.
fn follow<'t>(tree: &'t Node, pointer: &str) -> Option<&'t Node> {
    let pointer = percent_encoding::percent_decode_str(pointer).decode_utf8().ok()?;
    let mut node = tree;
    for step in pointer.strip_prefix('/')?.split('/') {
        let step = step.replace("~1", "/").replace("~0", "~");
        node = match node.items() {
            Some(items) => items.get(step.parse::<usize>().ok()?)?,
            None => node.value(&step)?,
        };
    }
    Some(node)
}
